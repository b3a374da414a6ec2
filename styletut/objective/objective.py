"""The objective L = alpha L_c + beta L_s + gamma TV of a pair of pictures.

Equation (7) of Gatys, Ecker, Bethge (2016), with total variation, in the
formulas of any convention.
"""

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from styletut.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    check_runnable,
    get_convention,
)
from styletut.conventions.network import convention_network
from styletut.engines import CudaGraph, Engine, LayerLoss, choose_engine
from styletut.engines.choice import recordable
from styletut.engines.device import arithmetic, find_precision, maps_dtype
from styletut.engines.interface import observed_by, values_by
from styletut.losses import total_variation
from styletut.objective.balance import fitting_alpha
from styletut.objective.checks import (
    Layers,
    check_comparable,
    checked_weight,
    layer_weights,
)
from styletut.objective.guides import (
    Masks,
    Painting,
    Region,
    Styles,
    check_named,
    check_way,
    checked_mask,
    regions_of,
    settled,
)
from styletut.objective.layer_losses import content_losses, style_losses
from styletut.objective.statistics import check_statistic, default_weights
from styletut.objective.terms import Terms, weighted_sum
from styletut.values import checked_whole, told
from styletut.vgg import VGG19
from styletut.vgg.network import channels


class Objective:
    """What a picture is judged by: a content picture, a style, weights.

    Notebook 05, (5.1).

    Targets are computed once, when the objective is made; calling it gives
    the `Terms` of a picture, with a graph if the picture requires grad.
    Threads that share an objective take turns, for it uses its memory again.

    Args:
        content: the content picture p, (1, 3, H, W), RGB in [0, 1].
        style: the style picture a, of any size, or several as a sequence
            of (picture, weight); weights count relative to their sum. A
            weight may be a mapping layer -> weight, or "fine" or "coarse"
            for the layers of the first two blocks and of the others, so
            that these take from different pictures. Where a part of a
            picture counts alone, its mask comes third, as in `masks`. None
            where masks cover everything.
        vgg: the network to use as it is, whatever the convention names; by
            default the convention's own, on the content picture's device.
        convention: whose formulas and weights, a name or a `Convention`.
        alpha: weight of the content; if None the convention's, which may
            follow the pair, see `balance.fitting_alpha`.
        beta: weight of the style; the convention's if None.
        gamma: weight of the total variation; the convention's if None. In
            the default convention it is 0; 1e-5 to 1e-4 take away most of
            the colored grain that noise as start leaves where a style has
            no texture.
        content_layers: names, or name -> v_l; the convention's if None.
            A name without weight has that of the convention's layer in the
            same block, or else the mean of the convention's weights.
        style_layers: the same for w_l.
        masks: regions with a style of their own, as a sequence of (mask,
            style) or (mask, style, mask of the style picture); `style` has
            what they leave. A mask is (H, W) in [0, 1], of its picture's
            size: each pixel's share in the region. Together they have no
            more than 1 of a pixel.
        guidance: how masks are taken to a layer, see `guides.propagated`.
        statistic: what of the maps is compared with the style's, "gram",
            "moments", "wasserstein" or "sliced", see `objective.statistics`.
            But for "gram" the convention has no say in it, and the default
            weights are those of `statistics.TYPICAL`.
        precision: of the network's maps, a name out of
            `engines.device.PRECISIONS`; losses and Gram matrices always
            have the pictures' dtype.
        tiles: side in pixels of the tiles in which a picture too large for
            the memory is computed, with the same result; None for the whole
            at once.
        style_tiles: the same for the style pictures while their Gram
            matrices are computed; by default as the content picture.
        checkpoint: whether a graph keeps less and computes more, see
            `VGG19.forward`.

    Raises:
        ValueError: for pictures of a wrong shape, dtype or device, or too
            small for the layers; unknown conventions or layers; weights
            that are negative or not finite; masks of another size, empty,
            adding up to more than 1, or leaving pixels where there is no
            style; a convention that cannot run; a precision that is unknown
            or not to be had.
    """

    def __init__(
        self,
        content: Tensor,
        style: Styles | None,
        *,
        vgg: VGG19 | None = None,
        convention: str | Convention = DEFAULT_CONVENTION,
        alpha: float | None = None,
        beta: float | None = None,
        gamma: float | None = None,
        content_layers: Layers | None = None,
        style_layers: Layers | None = None,
        masks: Masks = (),
        guidance: str = "simple",
        statistic: str = "gram",
        precision: str = "auto",
        tiles: int | None = None,
        style_tiles: int | None = None,
        checkpoint: bool = False,
    ) -> None:
        own = self.convention = get_convention(convention)
        check_runnable(own)
        if alpha is not None:
            alpha = checked_weight("alpha", alpha)
        self._beta = checked_weight("beta", own.beta if beta is None else beta)
        self._gamma = checked_weight(
            "gamma", own.gamma if gamma is None else gamma
        )
        self._content_layers = layer_weights(
            "content", content_layers, own.content_layers
        )
        check_statistic(statistic)
        self.statistic = statistic
        weighted = isinstance(style_layers, Mapping)
        self._style_layers = layer_weights(
            "style",
            style_layers,
            {} if weighted else default_weights(statistic, own),
        )
        self.layers = tuple(self._content_layers | self._style_layers)
        if not self.layers:
            raise ValueError(
                "there is nothing to compare: content_layers and "
                "style_layers are both empty"
            )
        check_way(guidance)
        # x has the content's size, and all layers are taken of it
        check_comparable("content", content, content, self.layers)
        regions = settled(
            [
                each._replace(paintings=self._comparable(each, content))
                for each in regions_of(style, masks)
            ],
            content,
        )
        if tiles is not None:
            tiles = checked_whole("tiles", tiles)
        if style_tiles is not None:
            style_tiles = checked_whole("style_tiles", style_tiles)
        if statistic == "sliced":
            _check_whole(regions, tiles or style_tiles)
        self.shape = tuple(content.shape)
        self.dtype, self.device = content.dtype, content.device
        self.precision = find_precision(precision, self.device, self.dtype)
        self.vgg = vgg or convention_network(own, content.device, self.layers)
        self.engine = choose_engine(
            self.vgg,
            content,
            tiles=tiles,
            checkpoint=checkpoint,
            dtype=maps_dtype(self.precision, self.dtype),
        )
        height, width = content.shape[2:]
        with torch.no_grad(), arithmetic(self.precision, self.device):
            # first the styles, whose engine then leaves its memory
            of_styles = style_losses(
                self._engine_of_styles(content, regions, tiles, style_tiles),
                regions,
                (height, width),
                self.style_layers,
                self.beta,
                own,
                guidance,
                statistic,
            )
            if alpha is None:
                alpha = self._fitting_alpha(content, of_styles)
            self._alpha = alpha
            of_content = content_losses(
                self.engine, content, self.content_layers, alpha, own
            )
        self.layer_losses: tuple[LayerLoss, ...] = (*of_content, *of_styles)
        self._graph: CudaGraph | None = None
        self._recorded: Terms | None = None
        self._held: object = None
        self._turn = threading.Lock()

    def _comparable(
        self, region: Region, content: Tensor
    ) -> tuple[Painting, ...]:
        """Return a region's paintings with masks as numbers, once checked."""
        check_named(region.paintings, self.style_layers)
        paintings = []
        for each in region.paintings:
            check_comparable("style", each.picture, content, self.style_layers)
            if each.mask is not None:
                height, width = each.picture.shape[2:]
                mask = checked_mask(
                    each.mask, (height, width), "the style picture"
                )
                each = each._replace(mask=mask.to(content))
            paintings.append(each)
        return tuple(paintings)

    def _engine_of_styles(
        self,
        content: Tensor,
        regions: Sequence[Region],
        tiles: int | None,
        style_tiles: int | None,
    ) -> Engine:
        """Return the run's engine, or for larger styles one of their own.

        It takes memory for their maps and keeps it, to use it again.
        """
        pictures = [a.picture for _, several in regions for a in several]
        largest = max(pictures, key=Tensor.numel)
        small = tiles is not None or largest.numel() <= content.numel()
        if small and style_tiles is None:
            return self.engine
        return choose_engine(
            self.vgg,
            largest,
            tiles=style_tiles,
            dtype=maps_dtype(self.precision, self.dtype),
        )

    def __getstate__(self) -> dict[str, Any]:
        # a graph belongs to this process, and so do its threads
        own = {k: v for k, v in self.__dict__.items() if k != "_turn"}
        return {**own, "_graph": None, "_held": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _turn=threading.Lock())

    @property
    def alpha(self) -> float:
        """Weight of the content. It is fixed, for the targets hold it, too."""
        return self._alpha

    @property
    def beta(self) -> float:
        """Weight of the style, fixed like alpha."""
        return self._beta

    @property
    def gamma(self) -> float:
        """Weight of the total variation, fixed like alpha."""
        return self._gamma

    @property
    def content_layers(self) -> Mapping[str, float]:
        """Layer -> v_l, fixed like alpha."""
        return MappingProxyType(self._content_layers)

    @property
    def style_layers(self) -> Mapping[str, float]:
        """Layer -> w_l, fixed like alpha."""
        return MappingProxyType(self._style_layers)

    def __call__(self, x: Tensor) -> Terms:
        """Compute every term for the picture x, (1, 3, H, W) in [0, 1].

        Raises:
            ValueError: if x has another size, dtype or device than the
                content picture; in tiles, if it requires a gradient.
        """
        self._check(x)
        with self._turn, arithmetic(self.precision, self.device):
            return self._terms(x, self.engine.losses(x, self.layer_losses))

    def gradient(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return the terms and the total's gradient with respect to x."""
        self._check(x)
        x = x.detach()
        with self._turn, arithmetic(self.precision, self.device):
            # the others look at numbers between the kernels
            if self.statistic == "gram" and recordable(self.engine, x):
                return self._replayed(x)
            return self._evaluated(x)

    def _fitting_alpha(
        self, content: Tensor, of_styles: Sequence[LayerLoss]
    ) -> float:
        """Return the convention's alpha for this pair of pictures."""
        unknown = not of_styles or content.is_meta  # that has no numbers
        if self.convention.alpha_share is None or unknown:
            return self.convention.alpha
        sums: dict[int, Tensor] = {}
        layers = tuple(self.style_layers)
        self.engine.show(content, layers, observed_by(of_styles, sums))
        losses = dict(zip(layers, values_by(of_styles, sums), strict=True))
        style_loss = weighted_sum(losses, self.style_layers, content)
        return fitting_alpha(self.convention, float(style_loss))

    def _evaluated(self, x: Tensor) -> tuple[Terms, Tensor]:
        losses, gradient = self.engine.gradient(x, self.layer_losses)
        if self.gamma:
            gradient += self.gamma * self._total_variation_gradient(x)
        with torch.no_grad():
            return self._terms(x, losses), gradient

    def _replayed(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Do as `_evaluated` does, recorded once as a CUDA graph."""
        if self._graph is None:
            self._graph = CudaGraph(self._as_tensors, x)
            # it reads their memory, whatever becomes of the network
            dtype = maps_dtype(self.precision, self.dtype)
            self._held = self.vgg.kernels(self.layers, dtype)
        *numbers, gradient = self._graph(x)
        assert self._recorded is not None  # while it was recorded
        return self._recorded.with_tensors(numbers), gradient

    def _as_tensors(self, x: Tensor) -> list[Tensor]:
        self._recorded, gradient = self._evaluated(x)
        return [*self._recorded.tensors(), gradient]

    def _terms(self, x: Tensor, losses: Sequence[Tensor]) -> Terms:
        """Add the layers' losses up."""
        # a ReLU computed with its convolution makes 0 of NaN, and a picture
        # that is none would have a loss
        nothing = 0 * x.detach().sum()
        losses = [loss + nothing for loss in losses]
        count = len(self.content_layers)
        content_layers = dict(
            zip(self.content_layers, losses[:count], strict=True)
        )
        style_layers = dict(
            zip(self.style_layers, losses[count:], strict=True)
        )
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
        if not isinstance(x, Tensor):
            raise ValueError(
                f"the picture is {told(x)}; an objective judges tensors of "
                f"shape {self.shape}"
            )
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


def _check_whole(regions: Sequence[Region], tiles: int | None) -> None:
    """Raise ValueError unless all pictures count as a whole."""
    several = regions[0].mask is not None
    masked = any(a.mask is not None for _, each in regions for a in each)
    if tiles is not None or several or masked:
        raise ValueError(
            "the statistic sliced sorts all positions of a picture: it takes "
            "no masks, no transparent styles, and no picture in tiles; gram, "
            "moments and wasserstein do"
        )
