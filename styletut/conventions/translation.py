"""One objective in the formulas of another convention."""

from collections.abc import Mapping
from dataclasses import replace

from styletut.conventions.convention import Convention, check_runnable
from styletut.conventions.published import get_convention
from styletut.vgg import feature_shape


def kappa(convention: Convention, N: int, M: int, pixels: int) -> float:
    """Return the convention's style term in units of E, equation (4).

    Notebook 04, (4.6): s ||G/d - A/d_a||^2 = kappa E, with E's Gram
    matrices divided by M and by M_a = M d_a / d.

    Raises:
        ValueError: if the convention cannot run here.
    """
    check_runnable(convention)
    assert convention.gram_divisor and convention.style_factor
    d = convention.gram_divisor(N, M)
    return convention.style_factor(N, M, pixels) * (2 * N * M / d) ** 2


def paper_weights(
    convention: Convention, height: int, width: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return ({layer: a_l}, {layer: b_l}) in the paper's own units.

    The convention's objective without total variation is, for a content
    and a style picture of height x width pixels, equal to
    sum_l a_l 1/2 sum (F - P)^2 + sum_l b_l E_l with (1) and (4).

    Raises:
        ValueError: if the convention cannot run here.
    """
    check_runnable(convention)
    content, style = {}, {}
    for layer, v in convention.content_layers.items():
        N, h, w = feature_shape(layer, height, width)
        content[layer] = (
            convention.alpha * v * convention.content_factor(N, h * w)
        )
    for layer, weight in convention.style_layers.items():
        N, h, w = feature_shape(layer, height, width)
        style[layer] = (
            convention.beta
            * weight
            * kappa(convention, N, h * w, height * width)
        )
    return content, style


def style_content_ratio(
    convention: str | Convention, height: int, width: int
) -> float:
    """Return sum_l b_l / sum_l a_l in the paper's units: `paper_weights`.

    Raises:
        ValueError: as `paper_weights`, or if the content weighs nothing.
    """
    convention = get_convention(convention)
    content, style = paper_weights(convention, height, width)
    if not sum(content.values()) > 0:
        raise ValueError(
            f"{convention.name!r} gives the content no weight, so there is "
            "no ratio to it"
        )
    return sum(style.values()) / sum(content.values())


def convert_weights(
    convention: str | Convention,
    height: int,
    width: int,
    to: str | Convention = "gatys2016",
) -> Convention:
    """Say the same objective in the formulas of another convention.

    Takes the factors c, d and s from `to` and chooses alpha, beta and layer
    weights so that value and gradient are those of `convention` for a
    content and a style picture of exactly height x width pixels, notebook
    04 (4.7). For a style picture of another shape they agree only where
    both conventions divide the Gram matrix by M or by N M. What one beta
    cannot say goes into the layer weights, whose sum is kept. All else
    (network, weights, pooling, layers, total variation, optimizer, start,
    size) stays. Alpha is a number: one that follows the pair is taken at its
    largest.

    Raises:
        ValueError: if either convention cannot run here: another network,
            or a style term that is no function of G - A.
    """
    source, target = get_convention(convention), get_convention(to)
    content, style = paper_weights(source, height, width)
    for layer in content:
        N, h, w = feature_shape(layer, height, width)
        content[layer] /= target.content_factor(N, h * w)
    for layer in style:
        N, h, w = feature_shape(layer, height, width)
        style[layer] /= kappa(target, N, h * w, height * width)
    alpha, content_layers = _split(content, source.content_layers)
    beta, style_layers = _split(style, source.style_layers)
    return replace(
        source,
        name=f"{source.name} in the formulas of {target.name}",
        content_factor=target.content_factor,
        gram_divisor=target.gram_divisor,
        style_factor=target.style_factor,
        alpha=alpha,
        alpha_share=None,
        beta=beta,
        content_layers=content_layers,
        style_layers=style_layers,
    )


def _split(
    products: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """Write products as one factor times weights of the same sum."""
    factor = sum(products.values()) / (sum(weights.values()) or 1.0)
    if factor == 0:
        return 0.0, dict(weights)
    return factor, {layer: p / factor for layer, p in products.items()}
