"""The losses of content and style at one layer, in a convention's scale.

Each has its target, its value and its gradient, as `engines.LayerLoss` says:
all that an engine needs. Another loss is one more class like these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.conventions import Convention, kappa
from styletut.engines import WHOLE, Engine, Place
from styletut.engines.interface import add_to
from styletut.kernels.matmul import add_product, as_matrix, gram
from styletut.losses import content_loss, gram_difference
from styletut.objective.guides import (
    Painting,
    Region,
    propagated,
    shares_at,
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

    def observe(self, F: Tensor, place: Place = WHOLE) -> Tensor:
        """Return G = F F^T, (3.1), of the positions in F."""
        return gram(as_matrix(F))[0]  # `gram_matrix`, with all its digits

    def loss(self, observed: Tensor) -> Tensor:
        """Return E_l."""
        losses = [
            share * (D.square().sum() / (4 * self.N**2))
            for share, D in self._differences(observed)
        ]
        return self.factor * torch.stack(losses).sum()

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place = WHOLE
    ) -> None:
        """Add beta w_l kappa 1/(N^2 M) (G/M - A/M_a) F, (4.2)."""
        if not self.weight:
            return
        scale = self.weight * self.factor / (self.N**2 * self.M)
        differences = [share * D for share, D in self._differences(observed)]
        # scaled as a tensor, where what is too large becomes infinite
        add_product(g, F, scale * torch.stack(differences).sum(0))

    def _differences(self, G: Tensor) -> list[tuple[float, Tensor]]:
        """Return (share, G/M - A/M_a) for each style picture."""
        return [
            (each.share, gram_difference(G, self.M, each.A, each.M_a))
            for each in self.targets
        ]


@dataclass(frozen=True)
class GuidedStyleLoss:
    """sum_r m_r E_r, E_r of the Gram matrix of region r; notebook 10, (10.6).

    It is `losses.guided_style_layer_loss` by the Gram matrices.

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
    parts: tuple[StyleLoss, ...]

    def observe(self, F: Tensor, place: Place = WHOLE) -> Tensor:
        """Return G_r, (10.5), of the positions in F, (R, N, N)."""
        T = self.masks[place].sqrt().to(F.dtype)
        return torch.stack(
            [
                part.observe(T_r * F)
                for part, T_r in zip(self.parts, T, strict=True)
            ]
        )

    def loss(self, observed: Tensor) -> Tensor:
        """Return sum_r m_r E_r."""
        losses = [
            share * part.loss(G)
            for share, part, G in zip(
                self.shares, self.parts, observed, strict=True
            )
        ]
        return torch.stack(losses).sum()

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place = WHOLE
    ) -> None:
        """Add beta w_l kappa sum_r m_r/(N^2 M_r) D_r (T_r^2 F), (10.7)."""
        masks = self.masks[place].to(F.dtype)
        for part, m_r, G in zip(self.parts, masks, observed, strict=True):
            part.add_gradient(g, m_r * F, G)


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
) -> list[StyleLoss | GuidedStyleLoss]:
    """Return the style's loss at each layer.

    Args:
        engine: what computes the style pictures' maps.
        regions: as `guides.settled` gives them.
        shape: height and width of the picture to be made.
        weights: layer -> w_l.
        beta: weight of the style.
        convention: whose factors d and s are taken.
        way: how masks are taken to a layer, see `guides.propagated`.

    Raises:
        ValueError: if at a layer no style picture has a weight, or nothing
            of what counts of one is left.
    """
    seen = [
        [_grams(engine, each, tuple(weights), way) for each in paintings]
        for _, paintings in regions
    ]
    losses: list[StyleLoss | GuidedStyleLoss] = []
    for layer, weight in weights.items():
        N, h, w = feature_shape(layer, *shape)
        masks = _masks_at(layer, [each.mask for each in regions], way)
        counts = [h * w] if masks is None else _counts(masks)
        factor = kappa(convention, N, h * w, shape[0] * shape[1])
        parts, shares, kept = [], [], []
        for n, M in enumerate(counts):
            if not M:  # a strip at the border, cut off by a pooling
                continue
            share = M / sum(counts)
            targets = _targets(
                layer, regions[n].paintings, seen[n], h * w, convention
            )
            kept.append(n)
            shares.append(share)
            parts.append(
                StyleLoss(layer, share * beta * weight, factor, N, M, targets)
            )
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


class _Gram(NamedTuple):
    """A style picture's Gram matrix at a layer.

    Attributes:
        A: of what counts, divided by nothing, (N, N).
        M: positions of the whole picture.
        counted: the share of them that counts.
    """

    A: Tensor
    M: int
    counted: float


def _grams(
    engine: Engine, painting: Painting, layers: Sequence[str], way: str
) -> dict[str, _Gram]:
    """Return a style picture's Gram matrices, divided by nothing."""
    picture, _, mask = painting
    sums: dict[str, Tensor] = {}
    masks = {layer: _masks_at(layer, [mask], way) for layer in layers}

    def add(layer: str, F: Tensor, place: Place) -> None:
        at = masks[layer]
        if at is not None:
            F = at[0][place].sqrt().to(F.dtype) * F
        add_to(sums, layer, gram(as_matrix(F))[0])

    if layers:
        engine.show(picture, layers, add)
    grams = {}
    for layer, at in masks.items():
        _, h, w = feature_shape(layer, *picture.shape[2:])
        counted = 1.0 if at is None else _counts(at)[0] / (h * w)
        if not counted:
            raise ValueError(
                f"nothing is left at {layer} of what counts of a style "
                "picture: its mask is white on too few pixels at this size"
            )
        grams[layer] = _Gram(sums[layer], h * w, counted)
    return grams


def _targets(
    layer: str,
    paintings: Sequence[Painting],
    seen: Sequence[Mapping[str, _Gram]],
    M: int,
    convention: Convention,
) -> tuple[GramTarget, ...]:
    """Return what a region's Gram matrix is compared with.

    Args:
        layer: where.
        paintings: of the region.
        seen: their Gram matrices by layer.
        M: positions of the layer in the picture to be made.
        convention: whose divisor d is taken.
    """
    divisor = convention.gram_divisor
    assert divisor is not None  # the convention can run
    targets = []
    for n, share in shares_at(layer, paintings):
        A, positions, counted = seen[n][layer]
        N = len(A)
        # d_a in units of d / M
        M_a = M * divisor(N, positions) / divisor(N, M)
        targets.append(GramTarget(share, A, counted * M_a))
    return tuple(targets)


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
