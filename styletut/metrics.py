"""How close a picture is to another, in pixels, in content and in style.

Every metric is computed from the pictures and the course's network alone:
none needs a download, and none asks how a picture was made. `compare` is
all of them.
"""

from collections.abc import Iterable, Mapping
from itertools import product

import torch
from torch import Tensor

from styletut.distances import (
    CONTENT_LAYERS,
    STYLE_LAYERS,
    Network,
    check_finite,
    check_pair,
    content_distance,
    gaussian_wasserstein,
    network,
    self_similarity_distance,
    style_distance,
    wasserstein_distance,
)

__all__ = [
    "CONTENT_LAYERS",
    "HELD_OUT_LAYERS",
    "STYLE_LAYERS",
    "color_distance",
    "compare",
    "content_distance",
    "gaussian_wasserstein",
    "pixel_error",
    "self_similarity_distance",
    "ssim",
    "style_distance",
    "wasserstein_distance",
]

HELD_OUT_LAYERS = ("relu1_2", "relu2_2", "relu3_4", "relu4_4")
"""The last layers of the first four blocks. The default convention optimizes
none of them: where their Gram matrices match, nobody made them. relu5_4 is
left out, for it responds at few places and would outweigh the others."""

_WINDOW = 11
"""Side of SSIM's Gaussian window in pixels (Wang et al. 2004)."""


def pixel_error(x: Tensor, y: Tensor) -> float:
    """Return the root mean square difference of two pictures, (2.6).

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one of the same size.

    Returns:
        sqrt(mean (x - y)^2) over all pixels and channels: 0 for equal
        pictures, 1 for black and white.

    Raises:
        ValueError: if one is not a picture or the sizes differ.
    """
    check_pair(x, y)
    difference = x.detach().double() - y.detach().double()
    return float(difference.square().mean().sqrt())


def ssim(x: Tensor, y: Tensor) -> float:
    """Return the structural similarity of two pictures (SSIM), (2.7).

    It compares local mean, contrast and structure under a Gaussian window of
    11 x 11 pixels (Wang, Bovik, Sheikh, Simoncelli: "Image quality
    assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing, 2004, equation 13), each channel by
    itself, and is the mean over all places and channels. scikit-image
    computes it.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one of the same size.

    Returns:
        A number in [-1, 1], 1 for equal pictures.

    Raises:
        ValueError: if one is not a picture, the sizes differ, or a side is
            shorter than the window.
    """
    from skimage.metrics import structural_similarity

    check_pair(x, y)
    height, width = x.shape[2:]
    if min(height, width) < _WINDOW:
        raise ValueError(
            f"the pictures have {width} x {height} pixels; SSIM's window "
            f"takes {_WINDOW} of them on each side"
        )
    arrays = [each.detach().double().cpu()[0].numpy() for each in (x, y)]
    similarity = structural_similarity(
        *arrays,
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def color_distance(x: Tensor, y: Tensor, bins: int = 8) -> float:
    """Return how much of two color histograms does not overlap.

    d = 1/2 sum |h - g| is one minus the intersection of the normalized
    histograms h and g (Swain, Ballard: "Color indexing", International
    Journal of Computer Vision, 1991). They are joint ones of R, G and B,
    with levels 0, 1 / (bins - 1), ..., 1 in each; a color between levels is
    shared out linearly among its eight neighbors, so that a slight change
    of a color is a slight change of d. Where a color stands in the picture
    is of no account.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one, of any size.
        bins: levels of each channel, at least 2.

    Returns:
        A number in [0, 1]: 0 for equal histograms, 1 where no color is near
        one of the other picture.

    Raises:
        ValueError: if one is not a picture or there are too few bins.
    """
    check_finite(x, "the first picture")
    check_finite(y, "the second picture")
    if bins < 2:
        raise ValueError(f"a histogram needs 2 bins at least, not {bins}")
    difference = _color_histogram(x, bins) - _color_histogram(y, bins)
    return float(difference.abs().sum() / 2)


def compare(x: Tensor, content: Tensor, style: Tensor) -> dict[str, float]:
    """Measure a result by every metric of this module.

    The networks are the same two, plain Oxford weights with max and with
    average pooling, whatever the picture was made with.

    Args:
        x: the result, (1, 3, H, W), RGB in [0, 1].
        content: the content picture, of the same size.
        style: the style picture, of any size.

    Returns:
        `pixel_error`, `ssim` and `self_similarity_distance` from the
        content, `color_distance` from the style; the means over layers
        `content_distance`, `style_distance`, `wasserstein_distance`, and
        `style_distance_held_out` over `HELD_OUT_LAYERS`; with average
        pooling `content_distance_average` and `style_distance_average`; and
        each layer's, such as `content_relu4_2`, `style_relu1_1` and
        `wasserstein_relu1_1`.

    Raises:
        ValueError: if one is not a picture, or too small (SSIM needs 11
            pixels a side, relu5_2 needs 16), or the content has another
            size than the result.
    """
    pictures = (x, content, style)
    layers = {*CONTENT_LAYERS, *STYLE_LAYERS, *HELD_OUT_LAYERS}
    vgg = _seen(network(device=x.device), pictures, layers)
    contents = content_distance(x, content, vgg=vgg)
    styles = style_distance(x, style, vgg=vgg)
    held_out = style_distance(x, style, HELD_OUT_LAYERS, vgg=vgg)
    transports = wasserstein_distance(x, style, vgg=vgg)
    average = network(pooling="average", device=x.device)
    return {
        "pixel_error": pixel_error(x, content),
        "ssim": ssim(x, content),
        "self_similarity_distance": self_similarity_distance(
            x, content, vgg=vgg
        ),
        "color_distance": color_distance(x, style),
        "content_distance": _mean(contents),
        "style_distance": _mean(styles),
        "style_distance_held_out": _mean(held_out),
        "wasserstein_distance": _mean(transports),
        "content_distance_average": _mean(
            content_distance(x, content, vgg=average)
        ),
        "style_distance_average": _mean(style_distance(x, style, vgg=average)),
        **{f"content_{layer}": d for layer, d in contents.items()},
        **{f"style_{layer}": d for layer, d in (styles | held_out).items()},
        **{f"wasserstein_{layer}": d for layer, d in transports.items()},
    }


def _seen(
    vgg: Network, pictures: Iterable[Tensor], layers: Iterable[str]
) -> Network:
    """Return the network with the maps of pictures computed beforehand."""
    names = tuple(layers)
    with torch.no_grad():
        seen = [(picture, vgg(picture, names)) for picture in pictures]

    def look_up(image: Tensor, layers: Iterable[str]) -> Mapping[str, Tensor]:
        (maps, *_) = (maps for picture, maps in seen if picture is image)
        return maps

    return look_up


def _mean(distances: Mapping[str, float]) -> float:
    return sum(distances.values()) / len(distances)


def _color_histogram(x: Tensor, bins: int) -> Tensor:
    """Return the share of each color, (bins^3,), in float64."""
    colors = x.detach()[0].flatten(1).cpu().double().clamp(0, 1) * (bins - 1)
    lower = colors.floor().clamp(max=bins - 2)
    above = colors - lower
    histogram = colors.new_zeros(bins**3)
    for corner in product((0, 1), repeat=3):
        step = torch.tensor(corner)[:, None]
        r, g, b = lower.long() + step
        shares = torch.where(step == 1, above, 1 - above).prod(0)
        place = (r * bins + g) * bins + b
        histogram += torch.bincount(place, shares, minlength=bins**3)
    return histogram / colors.shape[1]
