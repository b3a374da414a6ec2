"""Other statistics than the Gram matrix by which maps can be compared.

A style loss compares what is known of the feature vectors f at a layer's
positions, as one of many numbers in no order. The Gram matrix knows the mean
of f f^T. Here are three that know something else; notebook 10, section 5.

- "moments": mean and standard deviation of each channel by itself. Li, Wang,
  Liu, Hou, "Demystifying neural style transfer" (IJCAI 2017), equation (11).
- "wasserstein": mean and covariance, by the Wasserstein-2 distance of normal
  distributions that have them (Dowson, Landau 1982; in style transfer Mroueh,
  "Wasserstein style transfer", 2019).
- "sliced": along each of N directions the whole distribution, by the optimal
  transport of one line to another: sorted values. Heitz, Vanhoey, Chambon,
  Belcour, "A sliced Wasserstein loss for neural texture synthesis" (CVPR
  2021).

Each is a squared distance of features, divided by the number of channels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from styletut.conventions import CONVENTIONS, DEFAULT_CONVENTION, Convention
from styletut.engines import WHOLE, Place
from styletut.kernels.matmul import add_product, as_matrix, gram
from styletut.values import check_known

STATISTICS = ("gram", "moments", "wasserstein", "sliced")
"""Names of statistics."""

TYPICAL: Mapping[str, tuple[float, ...]] = {
    "moments": (1.6e3, 2.0e4, 5.0e4, 5.9e5, 1.8e4),
    "wasserstein": (1.8e3, 2.9e4, 7.0e4, 8.5e5, 2.9e4),
    "sliced": (1.6e3, 2.1e4, 4.2e4, 4.7e5, 9.4e3),
}
"""Distances of a sample photo and a style picture at relu1_1 to relu5_1, at
256 pixels: medians over all pairs. tools/choose_defaults.py prints them."""

FLOOR = 1e-4
"""What is added to variances, in units of the style's mean variance, so that
channels that are always 0 have a root with a derivative."""


def check_statistic(statistic: str) -> None:
    """Raise ValueError for an unknown statistic."""
    check_known("statistic", statistic, STATISTICS)


def default_weights(
    statistic: str, convention: Convention
) -> Mapping[str, float]:
    """Return w_l with which a statistic's layers have equal say.

    Raises:
        ValueError: where they are not known: for other conventions than the
            default.
    """
    own = convention.style_layers
    if statistic == "gram":
        return own
    if own != CONVENTIONS[DEFAULT_CONVENTION].style_layers:
        raise ValueError(
            f"for the statistic {statistic} weights are known with the "
            f"convention {DEFAULT_CONVENTION} alone; give style_layers as "
            "name -> weight"
        )
    typical = zip(own, TYPICAL[statistic], strict=True)
    return {layer: 1 / len(own) / distance for layer, distance in typical}


def observed(statistic: str, F: Tensor, T: Tensor | None = None) -> Tensor:
    """Return what a statistic needs to know of maps.

    Args:
        statistic: a name out of `STATISTICS`.
        F: maps (1, N, h, w).
        T: roots of how much each position counts, (h, w); all alike if None.

    Returns:
        For "gram" sum f f^T, (N, N). For "moments" and "wasserstein" the sum
        of (f, 1) (f, 1)^T, (N + 1, N + 1). Both are sums over positions. For
        "sliced" each position's projections, (N, h w), which is none.
    """
    if statistic == "sliced":
        columns = as_matrix(F)[0]
        return directions(columns).T @ columns.to(_exact(F))
    columns = as_matrix(F if T is None else T * F)[0]
    G = gram(columns)
    if statistic == "gram":
        return G
    counts = columns.new_ones(columns.shape[1]) if T is None else T.flatten()
    counts = counts.to(G.dtype)
    sums = columns.to(G.dtype) @ counts
    whole = counts.square().sum()
    rows = torch.cat([G, sums[:, None]], 1)
    return torch.cat([rows, torch.cat([sums, whole[None]])[None]])


def counted(F: Tensor, T: Tensor | None) -> Tensor:
    """Return maps, each position times T^2, how much of it counts."""
    return F if T is None else T.square() * F


def directions(columns: Tensor) -> Tensor:
    """Return N orthonormal directions for maps (N, M), as columns (N, N).

    They are the same for equal N, in every process.
    """
    return _basis(len(columns)).to(columns.device, _exact(columns))


@cache
def _basis(N: int) -> Tensor:
    """Draw a basis once: a run asks for it at every evaluation."""
    generator = torch.Generator().manual_seed(N)
    with torch.inference_mode(False):  # a graph may need it later
        drawn = torch.randn(N, N, generator=generator, dtype=torch.float64)
        basis, _ = torch.linalg.qr(drawn)
    return basis


def moments(sums: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean (N,) and covariance (N, N) by the sum of (f, 1) (f, 1)^T.

    In float64 on the CPU: they are few numbers, their roots need its digits,
    and not every device has it.
    """
    sums = sums.to("cpu", torch.float64)
    M = sums[-1, -1]
    mean = sums[:-1, -1] / M
    return mean, sums[:-1, :-1] / M - torch.outer(mean, mean)


@dataclass(frozen=True)
class MomentsTarget:
    """What a style picture has at a layer.

    Attributes:
        share: of the picture in the style.
        mean: (N,).
        deviation: the root of variance plus a floor, (N,).
        floor: which is added to variances.
    """

    share: float
    mean: Tensor
    deviation: Tensor
    floor: Tensor


@dataclass(frozen=True)
class MomentsLoss:
    """1/N sum_i (mu_i - mu_a,i)^2 + (sigma_i - sigma_a,i)^2, (10.9).

    Attributes:
        layer: where.
        weight: beta w_l, what the total multiplies it with.
        targets: one for each style picture.
    """

    layer: str
    weight: float
    targets: tuple[MomentsTarget, ...]

    def observe(
        self, F: Tensor, place: Place = WHOLE, T: Tensor | None = None
    ) -> Tensor:
        """Return the sum of (f, 1) (f, 1)^T; see `observed`."""
        return observed("moments", F, T)

    def loss(self, observed: Tensor) -> Tensor:
        """Return the loss."""
        mean, covariance = moments(observed)
        variance = covariance.diagonal()
        losses = []
        for a in self.targets:
            deviation = _deviation(variance, a.floor)
            off = (mean - a.mean).square() + (deviation - a.deviation).square()
            losses.append(a.share * off.mean())
        return torch.stack(losses).sum().to(observed)

    def add_gradient(
        self,
        g: Tensor,
        F: Tensor,
        observed: Tensor,
        place: Place = WHOLE,
        T: Tensor | None = None,
    ) -> None:
        """Add 2/(N M) (mu - mu_a + (1 - sigma_a / sigma) (F - mu))."""
        if not self.weight:
            return
        mean, covariance = moments(observed)
        variance, M = covariance.diagonal(), float(observed[-1, -1])
        shift, slope = torch.zeros_like(mean), torch.zeros_like(mean)
        for a in self.targets:
            deviation = _deviation(variance, a.floor)
            shift += a.share * (mean - a.mean)
            slope += a.share * (1 - a.deviation / deviation)
        scale = 2 * self.weight / (len(mean) * M)
        change = _across(scale * slope, F) * F
        change += _across(scale * (shift - slope * mean), F)
        g.add_(counted(change, T))


@dataclass(frozen=True)
class WassersteinTarget:
    """What a style picture has at a layer.

    Attributes:
        share: of the picture in the style.
        mean: (N,).
        root: that of covariance plus a floor, symmetric, (N, N).
        floor: which is added to variances.
    """

    share: float
    mean: Tensor
    root: Tensor
    floor: Tensor


@dataclass(frozen=True)
class WassersteinLoss:
    """1/N (|mu - mu_a|^2 + tr(S + S_a - 2 (R S R)^(1/2))), R^2 = S_a, (10.10).

    Attributes:
        layer: where.
        weight: beta w_l, what the total multiplies it with.
        targets: one for each style picture.
    """

    layer: str
    weight: float
    targets: tuple[WassersteinTarget, ...]

    def observe(
        self, F: Tensor, place: Place = WHOLE, T: Tensor | None = None
    ) -> Tensor:
        """Return the sum of (f, 1) (f, 1)^T; see `observed`."""
        return observed("wasserstein", F, T)

    def loss(self, observed: Tensor) -> Tensor:
        """Return the loss."""
        mean, covariance = moments(observed)
        losses = []
        for a in self.targets:
            S = _raised(covariance, a.floor)
            common = torch.linalg.eigvalsh(a.root @ S @ a.root)
            spread = S.trace() + a.root.square().sum()
            spread = spread - 2 * common.clamp(min=0).sqrt().sum()
            off = (mean - a.mean).square().sum() + spread
            losses.append(a.share * off / len(mean))
        return torch.stack(losses).sum().to(observed)

    def add_gradient(
        self,
        g: Tensor,
        F: Tensor,
        observed: Tensor,
        place: Place = WHOLE,
        T: Tensor | None = None,
    ) -> None:
        """Add 2/(N M) (mu - mu_a + (1 - A) (F - mu)), (10.11).

        A = R (R S R)^(-1/2) R is the map that carries the one normal
        distribution to the other: each feature vector is drawn to where the
        optimal transport takes it.
        """
        if not self.weight:
            return
        mean, covariance = moments(observed)
        M, N = float(observed[-1, -1]), len(mean)
        shift, slope = torch.zeros_like(mean), torch.zeros_like(covariance)
        for a in self.targets:
            shift += a.share * (mean - a.mean)
            slope -= a.share * _transport(_raised(covariance, a.floor), a.root)
            slope.diagonal().add_(a.share)
        scale = 2 * self.weight / (N * M)
        add_product(g, counted(F, T), (scale * slope).to(F.device, _exact(F)))
        rest = _across(scale * (shift - slope @ mean), F)
        g.add_(counted(rest, T))


@dataclass(frozen=True)
class SlicedTarget:
    """What a style picture has at a layer.

    Attributes:
        share: of the picture in the style.
        values: its projections on each direction, sorted, and as many as the
            picture to be made has, (N, M).
    """

    share: float
    values: Tensor


@dataclass(frozen=True)
class SlicedLoss:
    """1/(N M) sum_d |sort(v_d^T F) - sort(v_d^T A)|^2, (10.12).

    It takes a picture as a whole: what is sorted is no sum over tiles.

    Attributes:
        layer: where.
        weight: beta w_l, what the total multiplies it with.
        targets: one for each style picture.
    """

    layer: str
    weight: float
    targets: tuple[SlicedTarget, ...]

    def observe(self, F: Tensor, place: Place = WHOLE) -> Tensor:
        """Return each position's projections, (N, M)."""
        return observed("sliced", F)

    def loss(self, observed: Tensor) -> Tensor:
        """Return the loss."""
        values, _ = observed.sort(1)
        losses = [
            a.share * (values - a.values).square().mean() for a in self.targets
        ]
        return torch.stack(losses).sum()

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place = WHOLE
    ) -> None:
        """Add 2/(N M) V times how far each projection is from its place."""
        if not self.weight:
            return
        values, order = observed.sort(1)
        off = torch.stack(
            [a.share * (values - a.values) for a in self.targets]
        )
        off = torch.empty_like(values).scatter_(1, order, off.sum(0))
        scale = 2 * self.weight / values.numel()
        change = directions(observed) @ (scale * off)
        g.add_(change.reshape(g.shape).to(g.dtype))


def loss_of(
    statistic: str,
    layer: str,
    weight: float,
    seen: Sequence[tuple[float, Tensor]],
    M: int,
) -> MomentsLoss | WassersteinLoss | SlicedLoss:
    """Return the loss by a statistic but the Gram matrix.

    Args:
        statistic: its name.
        layer: where.
        weight: beta w_l.
        seen: of each style picture its share and what was `observed`.
        M: positions of the layer in the picture to be made.
    """
    if statistic == "sliced":
        return SlicedLoss(
            layer,
            weight,
            tuple(SlicedTarget(share, _quantiles(P, M)) for share, P in seen),
        )
    if statistic == "moments":
        return MomentsLoss(
            layer, weight, tuple(_moments_target(*each) for each in seen)
        )
    return WassersteinLoss(
        layer, weight, tuple(_wasserstein_target(*each) for each in seen)
    )


def _moments_target(share: float, sums: Tensor) -> MomentsTarget:
    mean, covariance = moments(sums)
    floor = FLOOR * covariance.diagonal().mean()
    deviation = _deviation(covariance.diagonal(), floor)
    return MomentsTarget(share, mean, deviation, floor)


def _deviation(variance: Tensor, floor: Tensor) -> Tensor:
    return (variance + floor).clamp(min=floor).sqrt()


def _wasserstein_target(share: float, sums: Tensor) -> WassersteinTarget:
    mean, covariance = moments(sums)
    floor = FLOOR * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh(_raised(covariance, floor))
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return WassersteinTarget(share, mean, root, floor)


def _raised(covariance: Tensor, floor: Tensor) -> Tensor:
    return covariance + floor * torch.eye(len(covariance), dtype=torch.float64)


def _transport(S: Tensor, root: Tensor) -> Tensor:
    """Return A = R (R S R)^(-1/2) R, for which A S A = R R, (10.2)."""
    values, vectors = torch.linalg.eigh(root @ S @ root)
    # below this a value is rounding
    least = values[-1].clamp(min=0) * torch.finfo(values.dtype).eps
    inverse = values.clamp(min=least).rsqrt()
    inverse = torch.where(values > least, inverse, 0 * inverse)
    turned = root @ vectors
    return (turned * inverse) @ turned.T


def _quantiles(P: Tensor, M: int) -> Tensor:
    """Return sorted values (N, M_a) at M places, evenly between the ends."""
    values, _ = P.sort(1)
    return functional.interpolate(values[None], M, mode="linear")[0]


def _across(numbers: Tensor, F: Tensor) -> Tensor:
    """Return a number for each channel, to be multiplied with maps."""
    return numbers.to(F)[:, None, None]


def _exact(F: Tensor) -> torch.dtype:
    """Return in which dtype sums are taken of maps."""
    return torch.float32 if F.dtype == torch.bfloat16 else F.dtype
