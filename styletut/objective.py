"""The objective L = alpha L_c + beta L_s + gamma TV of a pair of pictures.

Equation (7) of Gatys, Ecker, Bethge (2016), with total variation, in the
formulas of any convention.
"""

import math
import warnings
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from styletut.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    check_runnable,
    get_convention,
    kappa,
)
from styletut.losses import (
    content_loss,
    gram_difference,
    gram_matrix,
    total_variation,
)
from styletut.pictures import check_picture, check_range
from styletut.precision import arithmetic, find_precision, maps_dtype
from styletut.pullback import (
    Memory,
    Pull,
    gradient_at_pixels,
    see_maps,
    worthwhile,
)
from styletut.replay import Replay
from styletut.vgg import LAYERS, VGG19, channels, check_layers, feature_shape
from styletut.weights import torchvision_path

Layers = Iterable[str] | Mapping[str, float]
Styles = Tensor | Sequence[tuple[Tensor, float]]


@dataclass(frozen=True)
class Terms:
    """The value of an objective, term by term, as 0-dimensional tensors.

    Attributes:
        content: sum_l v_l C_l, equation (1) with the convention's factor.
        style: sum_l w_l E_l, equation (5) with the convention's factor.
        tv: the total variation.
        total: alpha content + beta style + gamma tv, equation (7).
        content_layers: layer -> C_l, without v_l.
        style_layers: layer -> E_l, without w_l.
        alpha: weight of the content term.
        beta: weight of the style term.
        gamma: weight of the total variation.
    """

    content: Tensor
    style: Tensor
    tv: Tensor
    total: Tensor
    content_layers: dict[str, Tensor]
    style_layers: dict[str, Tensor]
    alpha: float
    beta: float
    gamma: float

    def weighted(self) -> dict[str, Tensor]:
        """Return what each term adds to the total, by its name."""
        return {
            "content": self.alpha * self.content,
            "style": self.beta * self.style,
            "tv": self.gamma * self.tv,
        }

    def tensors(self) -> list[Tensor]:
        """Return all numbers, as `with_tensors` takes them."""
        layers = [*self.content_layers.values(), *self.style_layers.values()]
        return [self.content, self.style, self.tv, self.total, *layers]

    def with_tensors(self, tensors: Iterable[Tensor]) -> "Terms":
        """Return the same terms with other numbers."""
        content, style, tv, total, *layers = tensors
        count = len(self.content_layers)
        return replace(
            self,
            content=content,
            style=style,
            tv=tv,
            total=total,
            content_layers=dict(
                zip(self.content_layers, layers[:count], strict=True)
            ),
            style_layers=dict(
                zip(self.style_layers, layers[count:], strict=True)
            ),
        )

    def detach(self) -> "Terms":
        """Return the same numbers without their graph."""
        return self.with_tensors(each.detach() for each in self.tensors())


@dataclass(frozen=True)
class StyleTarget:
    """One style picture's share and its Gram matrix for each layer."""

    share: float
    grams: dict[str, Tensor]
    shapes: dict[str, tuple[int, int, int]]


class Objective:
    """What a picture is judged by: a content picture, a style, weights.

    Notebook 05, (5.1).

    Targets are computed once, when the objective is made; calling it gives
    the `Terms` of a picture, with a graph if the picture requires grad.

    Args:
        content: the content picture p, (1, 3, H, W), RGB in [0, 1].
        style: the style picture a, of any size, or several as a sequence
            of (picture, weight); weights count relative to their sum.
        vgg: the network to use as it is, whatever the convention names; by
            default the convention's own, on the content picture's device.
        convention: whose formulas and weights, a name or a `Convention`.
        alpha: weight of the content; the convention's if None.
        beta: weight of the style; the convention's if None.
        gamma: weight of the total variation; the convention's if None.
        content_layers: names, or name -> v_l; the convention's if None.
            A name without weight has that of the convention's layer in the
            same block, or else the mean of the convention's weights.
        style_layers: the same for w_l.
        precision: of the network's convolutions in `gradient`, a name out of
            `precision.PRECISIONS`; losses and Gram matrices are always
            computed in the pictures' dtype.
        checkpoint: whether a graph keeps less and computes more, see
            `VGG19.forward`.

    Raises:
        ValueError: for pictures of a wrong shape, dtype or device, or too
            small for the layers; unknown conventions or layers; weights
            that are negative or not finite; a convention that cannot run;
            a precision that is unknown or not to be had.
    """

    def __init__(
        self,
        content: Tensor,
        style: Styles,
        *,
        vgg: VGG19 | None = None,
        convention: str | Convention = DEFAULT_CONVENTION,
        alpha: float | None = None,
        beta: float | None = None,
        gamma: float | None = None,
        content_layers: Layers | None = None,
        style_layers: Layers | None = None,
        precision: str = "auto",
        checkpoint: bool = False,
    ) -> None:
        own = self.convention = get_convention(convention)
        check_runnable(own)
        self.alpha = _weight("alpha", own.alpha if alpha is None else alpha)
        self.beta = _weight("beta", own.beta if beta is None else beta)
        self.gamma = _weight("gamma", own.gamma if gamma is None else gamma)
        self.content_layers = _layer_weights(
            "content", content_layers, own.content_layers
        )
        self.style_layers = _layer_weights(
            "style", style_layers, own.style_layers
        )
        self.layers = tuple(self.content_layers | self.style_layers)
        if not self.layers:
            raise ValueError(
                "there is nothing to compare: content_layers and "
                "style_layers are both empty"
            )
        styles = _shares(style)
        # x has the content's size, and all layers are taken of it
        _check_picture("content", content, content, self.layers)
        for picture, _ in styles:
            _check_picture("style", picture, content, self.style_layers)
        self.shape = tuple(content.shape)
        self.dtype, self.device = content.dtype, content.device
        self.precision = find_precision(precision, self.device, self.dtype)
        self.vgg = vgg or convention_network(own, content.device)
        self.checkpoint = checkpoint
        self.memory = Memory()
        self._replay: Replay | None = None
        self._recorded: Terms | None = None
        with torch.no_grad(), arithmetic(self.precision):
            self._content = self._content_target(content)
            self._styles = [
                self._style_target(picture, share) for picture, share in styles
            ]

    def __call__(self, x: Tensor) -> Terms:
        """Compute every term for the picture x, (1, 3, H, W) in [0, 1].

        Raises:
            ValueError: if x has another size, dtype or device than the
                content picture.
        """
        self._check(x)
        with arithmetic(self.precision):
            maps = self.vgg(x, self.layers, self.checkpoint)
        content_layers = {
            layer: self._content_layer(layer, maps[layer])
            for layer in self.content_layers
        }
        style_layers = {
            layer: self._style_layer(layer, maps[layer])
            for layer in self.style_layers
        }
        return self._terms(x, content_layers, style_layers)

    def gradient(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return the terms and the total's gradient with respect to x."""
        self._check(x)
        with arithmetic(self.precision):
            if not worthwhile(self.vgg, x):
                return self._by_autograd(x)
            if x.device.type == "cuda":
                return self._replayed(x.detach())
            return self._by_formulas(x.detach())

    def _by_autograd(self, x: Tensor) -> tuple[Terms, Tensor]:
        # whatever mode the caller is in: a gradient was asked for
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            terms = self(x)
        if not terms.total.requires_grad:  # no layer that has any weight
            return terms.detach(), torch.zeros_like(x)
        (gradient,) = torch.autograd.grad(terms.total, x)
        return terms.detach(), gradient

    def _replayed(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Do as `_by_formulas` does, as one CUDA graph."""
        if self._replay is None:
            self._replay = Replay(self._as_tensors, x)
        *numbers, gradient = self._replay(x)
        assert self._recorded is not None  # while it was recorded
        return self._recorded.with_tensors(numbers), gradient

    def _as_tensors(self, x: Tensor) -> list[Tensor]:
        self._recorded, gradient = self._by_formulas(x)
        return [*self._recorded.tensors(), gradient]

    def _by_formulas(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return terms and gradient by the formulas of the course."""
        content_layers: dict[str, Tensor] = {}
        style_layers: dict[str, Tensor] = {}

        def judge(layer: str, F: Tensor) -> Pull:
            exact = F.to(self.dtype)
            pulls = []
            if layer in self.content_layers:
                content_layers[layer] = self._content_layer(layer, exact)
                P = self._content[layer]
                pulls.append(content_pull(self._content_scale(layer), P))
            if layer in self.style_layers:
                G = gram_matrix(exact)[0]
                style_layers[layer], D = self._style_judged(layer, G)
                pulls.append(style_pull(D))
            return all_of(pulls)

        gradient = gradient_at_pixels(
            self.vgg,
            x,
            self.layers,
            judge,
            self.memory,
            maps_dtype(self.precision, self.dtype),
        )
        return self._judged(x, content_layers, style_layers, gradient)

    def _judged(
        self,
        x: Tensor,
        content_layers: dict[str, Tensor],
        style_layers: dict[str, Tensor],
        gradient: Tensor,
    ) -> tuple[Terms, Tensor]:
        """Add the total variation, and return all terms and the gradient.

        Losses may come in any order of layers.
        """
        if self.gamma:
            gradient += self.gamma * self._total_variation_gradient(x)
        with torch.no_grad():
            terms = self._terms(
                x,
                {k: content_layers[k] for k in self.content_layers},
                {k: style_layers[k] for k in self.style_layers},
            )
        return terms, gradient

    def _terms(
        self,
        x: Tensor,
        content_layers: dict[str, Tensor],
        style_layers: dict[str, Tensor],
    ) -> Terms:
        """Add the layers' losses up."""
        content = _weighted_sum(content_layers, self.content_layers, x)
        style = _weighted_sum(style_layers, self.style_layers, x)
        tv = self._total_variation(x)
        # what weighs nothing is no part of the graph and costs no gradient
        weighted = [
            weight * term
            for weight, term in (
                (self.alpha, content),
                (self.beta, style),
                (self.gamma, tv),
            )
            if weight
        ]
        total = torch.stack(weighted).sum() if weighted else 0 * content
        return Terms(
            content,
            style,
            tv,
            total,
            content_layers,
            style_layers,
            self.alpha,
            self.beta,
            self.gamma,
        )

    def _check(self, x: Tensor) -> None:
        """Raise ValueError unless x is like the content picture."""
        if tuple(x.shape) != self.shape:
            raise ValueError(
                f"the picture has shape {tuple(x.shape)} and the content "
                f"{self.shape}; they must be equal"
            )
        if x.dtype != self.dtype or x.device != self.device:
            raise ValueError(
                f"the picture is {x.dtype} on {x.device} and the content "
                f"{self.dtype} on {self.device}; convert one with .to(...)"
            )

    def _content_scale(self, layer: str) -> float:
        """Return alpha v_l c, what F - P is multiplied with in (2.2)."""
        c = self._content_factor(layer)
        return c * self.alpha * self.content_layers[layer]

    def _content_factor(self, layer: str) -> float:
        """Return c, the convention's factor of (2.1)."""
        return self.convention.content_factor(*self._size_of(layer))

    def _style_judged(self, layer: str, G: Tensor) -> tuple[Tensor, Tensor]:
        """Return E_l, and D with beta w_l dE_l/dF = D F.

        They are (4.4) and (4.2) in the convention's scale, by the Gram
        matrix G, (N, N), of all positions.
        """
        N, M = self._size_of(layer)
        differences = self._style_differences(layer, G)
        factor = kappa(self.convention, N, M, self._pixels)
        scale = self.beta * self.style_layers[layer] * factor / (N**2 * M)
        # scaled as a tensor, where what is too large becomes infinite
        D = scale * torch.stack([share * D for share, D in differences]).sum(0)
        return self._style_loss(layer, differences), D

    def _content_layer(self, layer: str, F: Tensor) -> Tensor:
        P = self._content[layer]
        return self._content_factor(layer) * content_loss(F, P)

    def _style_layer(self, layer: str, F: Tensor) -> Tensor:
        differences = self._style_differences(layer, gram_matrix(F)[0])
        return self._style_loss(layer, differences)

    def _style_loss(
        self, layer: str, differences: Sequence[tuple[float, Tensor]]
    ) -> Tensor:
        """Return E_l, (4.4) in the convention's scale, over all styles."""
        N, M = self._size_of(layer)
        losses = [
            share * (D.square().sum() / (4 * N**2)) for share, D in differences
        ]
        loss = torch.stack(losses).sum()
        return kappa(self.convention, N, M, self._pixels) * loss

    def _style_differences(
        self, layer: str, G: Tensor
    ) -> list[tuple[float, Tensor]]:
        """Return (share, G/M - A/M_a) for each style picture."""
        N, M = self._size_of(layer)
        return [
            (
                target.share,
                gram_difference(
                    G,
                    M,
                    target.grams[layer],
                    self._style_positions(target, layer, N, M),
                ),
            )
            for target in self._styles
        ]

    def _style_positions(
        self, target: StyleTarget, layer: str, N: int, M: int
    ) -> float:
        """Return what E divides A by, so that it is d_a in units of d / M."""
        divisor = self.convention.gram_divisor
        assert divisor is not None  # checked when the objective was made
        _, h_a, w_a = target.shapes[layer]
        return M * divisor(N, h_a * w_a) / divisor(N, M)

    @property
    def _pixels(self) -> int:
        return self.shape[2] * self.shape[3]

    def _size_of(self, layer: str) -> tuple[int, int]:
        """Return N and M, the channels and positions of x at a layer."""
        N, h, w = feature_shape(layer, *self.shape[2:])
        return N, h * w

    def _total_variation_gradient(self, x: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self._total_variation(x), x)
        return gradient

    def _total_variation(self, x: Tensor) -> Tensor:
        kind = self.convention.total_variation
        unit = channels(self.convention.pixel_unit, x)
        return (
            kind(x * unit)
            if callable(kind)
            else total_variation(x * unit, kind)
        )

    def _see(
        self,
        picture: Tensor,
        layers: Collection[str],
        see: Callable[[str, Tensor], None],
    ) -> None:
        """Show each layer's maps of a picture."""
        if not layers:
            return
        if worthwhile(self.vgg, picture):
            dtype = maps_dtype(self.precision, self.dtype)

            def see_exact(layer: str, F: Tensor) -> None:
                see(layer, F.to(self.dtype))

            see_maps(self.vgg, picture, layers, see_exact, self.memory, dtype)
            return
        for layer, F in self.vgg(picture, layers).items():
            see(layer, F)

    def _content_target(self, picture: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = {}

        def keep(layer: str, F: Tensor) -> None:
            maps[layer] = F.clone()

        self._see(picture, self.content_layers, keep)
        return maps

    def _style_target(self, picture: Tensor, share: float) -> StyleTarget:
        target = StyleTarget(share, {}, {})

        def keep(layer: str, F: Tensor) -> None:
            target.shapes[layer] = tuple(F.shape[1:])  # type: ignore[assignment]
            target.grams[layer] = gram_matrix(F)[0]

        self._see(picture, self.style_layers, keep)
        return target


def convention_network(
    convention: Convention, device: torch.device | str = "cpu"
) -> VGG19:
    """Return the network that a convention names, on `device`.

    Where torchvision's weights are asked for and are not on this machine,
    it is Oxford's with a warning: the formulas are then the convention's,
    the features are not.
    """
    weights = weights_at_hand(convention)
    if weights != convention.weights:
        _warn_of_other_features()
    return VGG19(weights, convention.pooling, convention.normalize).to(device)


def weights_at_hand(convention: Convention) -> str:
    """Return the convention's weights, or Oxford's where they are missing."""
    missing = convention.weights == "torchvision" and not torchvision_path()
    return "oxford" if missing else convention.weights


@lru_cache(maxsize=1)  # once in a process
def _warn_of_other_features() -> None:
    warnings.warn(
        "torchvision's VGG-19 weights are not on this machine: conventions "
        "that name them use Oxford's. Formulas and weights are the "
        "convention's, features are not. "
        "VGG19('torchvision', download=True) fetches them (548 MB)",
        stacklevel=4,
    )


def all_of(pulls: Sequence[Pull]) -> Pull:
    """Return what pulls as all of them do."""

    def all_pulls(g: Tensor, F: Tensor) -> None:
        for pull in pulls:
            pull(g, F)

    return all_pulls


def content_pull(scale: float, P: Tensor) -> Pull:
    """Return what adds scale (F - P), (2.2)."""

    def pull(g: Tensor, F: Tensor) -> None:
        if scale:
            # the difference first, so that equal maps pull at nothing
            g.add_((F - P).mul_(scale))

    return pull


def style_pull(D: Tensor) -> Pull:
    """Return what adds D F, for a symmetric D, (4.2)."""

    def pull(g: Tensor, F: Tensor) -> None:
        if g.is_contiguous(memory_format=torch.channels_last):
            _columns(g).addmm_(_columns(F), D.to(F.dtype))
        else:
            product = F.permute(0, 2, 3, 1) @ D.to(F.dtype)
            g.permute(0, 2, 3, 1).add_(product)

    return pull


def _columns(F: Tensor) -> Tensor:
    """Return maps (1, N, h, w) as a matrix (M, N) that shares its memory."""
    return F.permute(0, 2, 3, 1).flatten(1, 2)[0]


def _weighted_sum(
    losses: Mapping[str, Tensor], weights: Mapping[str, float], x: Tensor
) -> Tensor:
    terms = [weights[layer] * loss for layer, loss in losses.items()]
    return torch.stack(terms).sum() if terms else x.new_zeros(())


def _weight(name: str, given: float) -> float:
    weight = float(given)
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"{name} is {weight}; it must be 0 or positive")
    return weight


def _layer_weights(
    term: str, layers: Layers | None, defaults: Mapping[str, float]
) -> dict[str, float]:
    if layers is None:
        return dict(defaults)
    names = check_layers(layers)
    if not isinstance(layers, Mapping):
        return {name: _default_weight(name, defaults) for name in names}
    return {
        name: _weight(f"the {term} weight of {name}", layers[name])
        for name in names
    }


def _default_weight(name: str, defaults: Mapping[str, float]) -> float:
    """Return the weight of the layer or its block, else the mean weight."""
    same_block = [w for other, w in defaults.items() if other[4] == name[4]]
    candidates = same_block or list(defaults.values()) or [1.0]
    return defaults.get(name, sum(candidates) / len(candidates))


def pairs(style: Any) -> list[tuple[Any, float]]:
    """Return a style, one or several, as a list of (picture, weight).

    Raises:
        ValueError: for a list of anything else.
    """
    if not isinstance(style, (list, tuple)):
        return [(style, 1.0)]
    if not all(isinstance(s, (tuple, list)) and len(s) == 2 for s in style):
        raise ValueError(
            "several styles come as a sequence of (picture, weight), such "
            "as [(a, 2), (b, 1)]"
        )
    return [(a, _weight("a style's weight", weight)) for a, weight in style]


def _shares(style: Styles) -> list[tuple[Tensor, float]]:
    """Return (picture, share of the whole) for each style picture."""
    styles = pairs(style)
    whole = sum(weight for _, weight in styles)
    if not whole > 0:
        raise ValueError("there is no style picture with a positive weight")
    return [(picture, weight / whole) for picture, weight in styles]


def _check_picture(
    name: str, picture: Tensor, content: Tensor, layers: Iterable[str]
) -> None:
    check_picture(picture, f"the {name} picture")
    if picture.dtype != content.dtype:
        raise ValueError(
            f"the {name} picture is {picture.dtype} and the content "
            f"{content.dtype}; both must have one floating dtype"
        )
    if picture.device != content.device:
        raise ValueError(
            f"the {name} picture is on {picture.device} and the content on "
            f"{content.device}; move one with .to(...)"
        )
    check_range(picture, f"the {name} picture")
    deepest = max(layers, key=LAYERS.index, default="conv1_1")
    try:
        feature_shape(deepest, *picture.shape[2:])
    except ValueError as error:
        raise ValueError(f"the {name} picture: {error}") from None
