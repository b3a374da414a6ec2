"""The losses of content and style at one layer, in a convention's scale.

Each has its target, its value and its gradient, as `engines.LayerLoss` says:
all that an engine needs. Another loss is one more class like these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut.conventions import Convention, kappa
from styletut.engines import WHOLE, Engine, Place
from styletut.engines.interface import add_to
from styletut.kernels.matmul import add_product
from styletut.losses import content_loss, gram_difference
from styletut.objective.guides import (
    Painting,
    Region,
    propagated,
    shares_at,
)
from styletut.objective.statistics import (
    MomentsLoss,
    SlicedLoss,
    WassersteinLoss,
    counted,
    loss_of,
    observed,
)
from styletut.vgg import feature_shape


@dataclass(frozen=True)
class ContentLoss:
    """C_l = c 1/2 sum (F - P)^2, equation (1); notebook 02, (2.1).

    Attributes:
        layer: where.
        weight: alpha v_l, what the total multiplies it with.
        factor: c, the convention's.
        P: the target, maps of the content picture (1, N, h, w).
    """

    layer: str
    weight: float
    factor: float
    P: Tensor

    def observe(self, F: Tensor, place: Place = WHOLE) -> Tensor:
        """Return 1/2 sum (F - P)^2, (2.1)."""
        return content_loss(F.to(self.P.dtype), self.P[place])

    def loss(self, observed: Tensor) -> Tensor:
        """Return C_l."""
        return self.factor * observed

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place = WHOLE
    ) -> None:
        """Add alpha v_l c (F - P), (2.2)."""
        scale = self.factor * self.weight
        if scale:
            # the difference first, so that equal maps add exactly nothing
            g.add_((F - self.P[place]).mul_(scale))


@dataclass(frozen=True)
class GramTarget:
    """What the Gram matrices of a style picture are at a layer.

    Attributes:
        share: of the picture in the style, all shares adding up to 1.
        A: its Gram matrix, divided by nothing, (N, N).
        M_a: what E divides A by.
    """

    share: float
    A: Tensor
    M_a: float


@dataclass(frozen=True)
class StyleLoss:
    """E_l = kappa 1/(4 N^2) ||G/M - A/M_a||^2; notebook 04, (4.4).

    It is `losses.style_layer_loss` by the Gram matrix, which tiles add up.

    Of several style pictures it is the mean, by their shares.

    Attributes:
        layer: where.
        weight: beta w_l, what the total multiplies it with.
        factor: kappa, (4.6), the convention's scale.
        N: channels of the layer.
        M: positions of the layer in the picture; of a region the sum of its
            shares in them.
        targets: one for each style picture.
    """

    layer: str
    weight: float
    factor: float
    N: int
    M: float
    targets: tuple[GramTarget, ...]

    def observe(
        self, F: Tensor, place: Place = WHOLE, T: Tensor | None = None
    ) -> Tensor:
        """Return G = F F^T, (3.1), of the positions in F, or of T F."""
        return observed("gram", F, T)  # `gram_matrix`, with all its digits

    def loss(self, observed: Tensor) -> Tensor:
        """Return E_l."""
        losses = [
            share * (D.square().sum() / (4 * self.N**2))
            for share, D in self._differences(observed)
        ]
        return self.factor * torch.stack(losses).sum()

    def add_gradient(
        self,
        g: Tensor,
        F: Tensor,
        observed: Tensor,
        place: Place = WHOLE,
        T: Tensor | None = None,
    ) -> None:
        """Add beta w_l kappa 1/(N^2 M) (G/M - A/M_a) F, (4.2), or of T^2 F."""
        if not self.weight:
            return
        scale = self.weight * self.factor / (self.N**2 * self.M)
        differences = [share * D for share, D in self._differences(observed)]
        # scaled as a tensor, where what is too large becomes infinite
        D = scale * torch.stack(differences).sum(0)
        add_product(g, counted(F, T), D)

    def _differences(self, G: Tensor) -> list[tuple[float, Tensor]]:
        """Return (share, G/M - A/M_a) for each style picture."""
        return [
            (each.share, gram_difference(G, self.M, each.A, each.M_a))
            for each in self.targets
        ]


Part = StyleLoss | MomentsLoss | WassersteinLoss


@dataclass(frozen=True)
class GuidedStyleLoss:
    """sum_r m_r E_r, E_r by what region r has; notebook 10, (10.6).

    By Gram matrices it is `losses.guided_style_layer_loss`.

    Attributes:
        layer: where.
        weight: beta w_l, what the total multiplies it with.
        masks: T_r^2, each position's share in each region, (R, h, w).
        shares: m_r, each region's share of all positions.
        parts: E_r, each with its share of the weight.
    """

    layer: str
    weight: float
    masks: Tensor
    shares: tuple[float, ...]
    parts: tuple[Part, ...]

    def observe(self, F: Tensor, place: Place = WHOLE) -> Tensor:
        """Return what each region has of the positions in F, as by (10.5)."""
        return torch.stack(
            [
                part.observe(F, place, T_r)
                for part, T_r in zip(
                    self.parts, self._T(F, place), strict=True
                )
            ]
        )

    def loss(self, observed: Tensor) -> Tensor:
        """Return sum_r m_r E_r."""
        losses = [
            share * part.loss(of_region)
            for share, part, of_region in zip(
                self.shares, self.parts, observed, strict=True
            )
        ]
        return torch.stack(losses).sum()

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place = WHOLE
    ) -> None:
        """Add beta w_l sum_r m_r dE_r/dF, as by (10.7)."""
        for part, T_r, of_region in zip(
            self.parts, self._T(F, place), observed, strict=True
        ):
            part.add_gradient(g, F, of_region, place, T_r)

    def _T(self, F: Tensor, place: Place) -> Tensor:
        return self.masks[place].sqrt().to(F.dtype)


AnyStyleLoss = Part | SlicedLoss | GuidedStyleLoss


def content_losses(
    engine: Engine,
    picture: Tensor,
    weights: Mapping[str, float],
    alpha: float,
    convention: Convention,
) -> list[ContentLoss]:
    """Return the content's loss at each layer.

    Args:
        engine: what computes the content picture's maps.
        picture: the content picture, (1, 3, H, W).
        weights: layer -> v_l.
        alpha: weight of the content.
        convention: whose factor c is taken.
    """
    maps = _maps(engine, picture, tuple(weights))
    losses = []
    for layer, v in weights.items():
        N, h, w = feature_shape(layer, *picture.shape[2:])
        c = convention.content_factor(N, h * w)
        losses.append(ContentLoss(layer, alpha * v, c, maps[layer]))
    return losses


def style_losses(
    engine: Engine,
    regions: Sequence[Region],
    shape: tuple[int, int],
    weights: Mapping[str, float],
    beta: float,
    convention: Convention,
    way: str = "simple",
    statistic: str = "gram",
) -> list[AnyStyleLoss]:
    """Return the style's loss at each layer.

    Args:
        engine: what computes the style pictures' maps.
        regions: as `guides.settled` gives them.
        shape: height and width of the picture to be made.
        weights: layer -> w_l.
        beta: weight of the style.
        convention: whose factors d and s are taken, for Gram matrices.
        way: how masks are taken to a layer, see `guides.propagated`.
        statistic: what is compared, out of `statistics.STATISTICS`.

    Raises:
        ValueError: if at a layer no style picture has a weight, or nothing
            of what counts of one is left.
    """
    seen = [
        [
            _seen(engine, each, tuple(weights), way, statistic)
            for each in paintings
        ]
        for _, paintings in regions
    ]
    losses: list[AnyStyleLoss] = []
    for layer, weight in weights.items():
        _, h, w = feature_shape(layer, *shape)
        masks = _masks_at(layer, [each.mask for each in regions], way)
        counts = [h * w] if masks is None else _counts(masks)
        # a strip at the border may have been cut off by a pooling
        kept = [n for n, M in enumerate(counts) if M]
        shares = [counts[n] / sum(counts) for n in kept]
        parts = [
            _part(
                statistic,
                layer,
                share * beta * weight,
                counts[n],
                [
                    (of_style, seen[n][k][layer])
                    for k, of_style in shares_at(layer, regions[n].paintings)
                ],
                shape,
                convention,
            )
            for n, share in zip(kept, shares, strict=True)
        ]
        if masks is None:
            losses += parts
        else:
            losses.append(
                GuidedStyleLoss(
                    layer,
                    beta * weight,
                    masks[kept],
                    tuple(shares),
                    tuple(parts),
                )
            )
    return losses


def _maps(
    engine: Engine, picture: Tensor, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Return a picture's maps, as copies to keep."""
    maps: dict[str, Tensor] = {}

    def keep(layer: str, F: Tensor, place: Place) -> None:
        if layer not in maps:
            shape = (1, *feature_shape(layer, *picture.shape[2:]))
            maps[layer] = torch.empty_like(
                F[..., :1, :1].expand(shape),
                dtype=picture.dtype,
                memory_format=_memory_format(F),
            )
        maps[layer][place] = F

    if layers:
        engine.show(picture, layers, keep)
    return maps


def _memory_format(F: Tensor) -> torch.memory_format:
    if F.is_contiguous():
        return torch.contiguous_format
    return torch.channels_last


class _Seen(NamedTuple):
    """What is known of a style picture at a layer.

    Attributes:
        sums: as `statistics.observed` gives them.
        M: positions of the whole picture.
        counted: the share of them that counts.
    """

    sums: Tensor
    M: int
    counted: float


def _seen(
    engine: Engine,
    painting: Painting,
    layers: Sequence[str],
    way: str,
    statistic: str,
) -> dict[str, _Seen]:
    """Look at a style picture's maps."""
    picture, _, mask = painting
    sums: dict[str, Tensor] = {}
    masks = {layer: _masks_at(layer, [mask], way) for layer in layers}

    def add(layer: str, F: Tensor, place: Place) -> None:
        at = masks[layer]
        T = None if at is None else at[0][place].sqrt().to(F.dtype)
        add_to(sums, layer, observed(statistic, F, T))

    if layers:
        engine.show(picture, layers, add)
    seen = {}
    for layer, at in masks.items():
        _, h, w = feature_shape(layer, *picture.shape[2:])
        part = 1.0 if at is None else _counts(at)[0] / (h * w)
        if not part:
            raise ValueError(
                f"nothing is left at {layer} of what counts of a style "
                "picture: its mask is white on too few pixels at this size"
            )
        seen[layer] = _Seen(sums[layer], h * w, part)
    return seen


def _part(
    statistic: str,
    layer: str,
    weight: float,
    M_r: float,
    targets: Sequence[tuple[float, _Seen]],
    shape: tuple[int, int],
    convention: Convention,
) -> Any:
    """Return the style's loss of a region, or of the whole picture.

    Args:
        statistic: what is compared.
        layer: where.
        weight: what the total multiplies it with.
        M_r: positions of the region.
        targets: of each style picture its share and what is known of it.
        shape: height and width of the picture to be made.
        convention: whose factors d and s are taken.
    """
    N, h, w = feature_shape(layer, *shape)
    M = h * w
    if statistic != "gram":
        known = [(share, each.sums) for share, each in targets]
        return loss_of(statistic, layer, weight, known, M)
    divisor = convention.gram_divisor
    assert divisor is not None  # the convention can run
    grams = []
    for share, (A, positions, part) in targets:
        # d_a in units of d / M
        M_a = M * divisor(N, positions) / divisor(N, M)
        grams.append(GramTarget(share, A, part * M_a))
    factor = kappa(convention, N, M, shape[0] * shape[1])
    return StyleLoss(layer, weight, factor, N, M_r, tuple(grams))


def _masks_at(
    layer: str, masks: Sequence[Tensor | None], way: str
) -> Tensor | None:
    """Return masks at a layer, (R, h, w); None for the whole picture.

    Where a region would be left without a position all masks of the layer
    are taken there in the simple way.
    """
    given = [mask for mask in masks if mask is not None]
    if not given:
        return None
    taken = torch.stack([propagated(mask, layer, way) for mask in given])
    if way == "simple" or all(_counts(taken)):
        return taken
    return _masks_at(layer, masks, "simple")


def _counts(masks: Tensor) -> list[float]:
    """Return how many positions each mask has, M_r."""
    if masks.is_meta:  # they have no numbers
        return [float(masks[0].numel())] * len(masks)
    return masks.double().sum((1, 2)).tolist()
