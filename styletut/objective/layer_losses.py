"""The losses of content and style at one layer, in a convention's scale.

Each has its target, its value and its gradient, as `engines.LayerLoss` says:
all that an engine needs. Another loss, of Gram matrices under a mask, say, is
one more class like these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from styletut.conventions import Convention, kappa
from styletut.engines import WHOLE, Engine, Place
from styletut.engines.interface import add_to
from styletut.kernels.matmul import add_product, as_matrix, gram
from styletut.losses import content_loss, gram_difference
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
        M: positions of the layer in the picture.
        targets: one for each style picture.
    """

    layer: str
    weight: float
    factor: float
    N: int
    M: int
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
    styles: Sequence[tuple[Tensor, float]],
    shape: tuple[int, int],
    weights: Mapping[str, float],
    beta: float,
    convention: Convention,
) -> list[StyleLoss]:
    """Return the style's loss at each layer.

    Args:
        engine: what computes the style pictures' maps.
        styles: (picture (1, 3, H, W), share) for each of them.
        shape: height and width of the picture to be made.
        weights: layer -> w_l.
        beta: weight of the style.
        convention: whose factors d and s are taken.
    """
    grams = [_grams(engine, a, tuple(weights)) for a, _ in styles]
    divisor = convention.gram_divisor
    assert divisor is not None  # the convention can run
    losses = []
    for layer, weight in weights.items():
        N, h, w = feature_shape(layer, *shape)
        M = h * w
        targets = []
        for (picture, share), A in zip(styles, grams, strict=True):
            _, h_a, w_a = feature_shape(layer, *picture.shape[2:])
            # d_a in units of d / M
            M_a = M * divisor(N, h_a * w_a) / divisor(N, M)
            targets.append(GramTarget(share, A[layer], M_a))
        factor = kappa(convention, N, M, shape[0] * shape[1])
        losses.append(
            StyleLoss(layer, beta * weight, factor, N, M, tuple(targets))
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


def _grams(
    engine: Engine, picture: Tensor, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Return a picture's Gram matrices, divided by nothing."""
    grams: dict[str, Tensor] = {}

    def add(layer: str, F: Tensor, place: Place) -> None:
        add_to(grams, layer, gram(as_matrix(F))[0])

    if layers:
        engine.show(picture, layers, add)
    return grams
