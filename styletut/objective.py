"""The objective L = alpha L_c + beta L_s + gamma TV of a pair of pictures.

Equation (7) of Gatys, Ecker, Bethge (2016), with total variation, in the
formulas of any convention.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from styletut.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    check_runnable,
    get_convention,
    kappa,
)
from styletut.conventions.network import convention_network
from styletut.inputs import (
    Layers,
    Styles,
    check_comparable,
    checked_weight,
    layer_weights,
    shares,
)
from styletut.losses import (
    content_loss,
    gram_difference,
    gram_matrix,
    total_variation,
)
from styletut.precision import arithmetic, find_precision, maps_dtype
from styletut.pullback import (
    Memory,
    Pull,
    gradient_at_pixels,
    see_maps,
    worthwhile,
)
from styletut.pulls import all_of, content_pull, style_pull
from styletut.replay import Replay
from styletut.terms import Terms, weighted_sum
from styletut.vgg import VGG19, feature_shape
from styletut.vgg.network import channels

__all__ = ["Objective", "StyleTarget", "Terms"]


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
        self.alpha = checked_weight(
            "alpha", own.alpha if alpha is None else alpha
        )
        self.beta = checked_weight("beta", own.beta if beta is None else beta)
        self.gamma = checked_weight(
            "gamma", own.gamma if gamma is None else gamma
        )
        self.content_layers = layer_weights(
            "content", content_layers, own.content_layers
        )
        self.style_layers = layer_weights(
            "style", style_layers, own.style_layers
        )
        self.layers = tuple(self.content_layers | self.style_layers)
        if not self.layers:
            raise ValueError(
                "there is nothing to compare: content_layers and "
                "style_layers are both empty"
            )
        styles = shares(style)
        # x has the content's size, and all layers are taken of it
        check_comparable("content", content, content, self.layers)
        for picture, _ in styles:
            check_comparable("style", picture, content, self.style_layers)
        self.shape = tuple(content.shape)
        self.dtype, self.device = content.dtype, content.device
        self.precision = find_precision(precision, self.device, self.dtype)
        self.vgg = vgg or convention_network(own, content.device, self.layers)
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
            how = {"checkpoint": True} if self.checkpoint else {}
            maps = self.vgg(x, self.layers, **how)
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
                if self._style_weight(layer):
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
        content = weighted_sum(content_layers, self.content_layers, x)
        style = weighted_sum(style_layers, self.style_layers, x)
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

    def _style_weight(self, layer: str) -> float:
        """Return beta w_l."""
        return self.beta * self.style_layers[layer]

    def _style_judged(self, layer: str, G: Tensor) -> tuple[Tensor, Tensor]:
        """Return E_l, and D with beta w_l dE_l/dF = D F.

        They are (4.4) and (4.2) in the convention's scale, by the Gram
        matrix G, (N, N), of all positions.
        """
        N, M = self._size_of(layer)
        differences = self._style_differences(layer, G)
        factor = kappa(self.convention, N, M, self._pixels)
        scale = self._style_weight(layer) * factor / (N**2 * M)
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
