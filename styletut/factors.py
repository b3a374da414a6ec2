"""What a convention is, and the factors that tell them apart.

A convention scales the formulas of `styletut.losses` by c(N, M), d(N, M)
and s(N, M, pixels), for N channels and M positions of a layer; see
`styletut.conventions` for what they mean and how to translate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

ContentFactor = Callable[[int, int], float]
GramDivisor = Callable[[int, int], float]
StyleFactor = Callable[[int, int, int], float]


@dataclass(frozen=True)
class Convention:
    """One implementation's choice of every number in (4.5), as data.

    Attributes:
        name: its key in `CONVENTIONS`.
        source: title, file or URL, and where in it.
        network: "vgg19", or another network that this package does not run.
        weights: "oxford" or "torchvision".
        preprocessing: what the implementation feeds its network.
        pooling: "max" or "average".
        normalize: whether filters are rescaled to unit mean activation.
        content_layers: layer -> v_l.
        style_layers: layer -> w_l.
        content_factor: c(N, M) in c * 1/2 sum (F - P)^2.
        gram_divisor: d(N, M), 1 for raw Gram matrices; None where the style
            term is no function of G - A.
        style_factor: s(N, M, pixels) in s * ||G/d - A/d_a||^2.
        alpha: weight of the content term.
        beta: weight of the style term.
        gamma: weight of the total variation.
        total_variation: a kind of `losses.total_variation`, or the
            implementation's own form, a function of a picture.
        pixel_unit: what one unit of sRGB in [0, 1] is in the variable that
            the implementation optimizes, for each channel R, G, B.
        optimizer: a name out of `optimizers.OPTIMIZERS`.
        optimizer_options: keyword arguments for it, in `pixel_unit`.
        range_rule: how pixels are kept in range; see `transfer.minimize`.
        evaluations: how many evaluations of the objective it runs.
        start: "content", "noise", "style" or "grey".
        size: length in pixels of the side that `size_of` names.
        size_of: "longer", "shorter" or "height"; or "area", where size is
            the side of a square with as many pixels.
        style_size: the style picture is resized to the content's "longer"
            or "shorter" side, "area" or "shape" (height and width).
        coarsest: longer side in pixels from which the run goes coarse to
            fine; None for a run at one size.
        note: where a run here differs from the original.
    """

    name: str
    source: str
    preprocessing: str
    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]
    content_factor: ContentFactor
    gram_divisor: GramDivisor | None
    style_factor: StyleFactor | None
    alpha: float
    beta: float
    evaluations: int
    size: int
    gamma: float = 0.0
    total_variation: str | Callable[[Tensor], Tensor] = "squared"
    network: str = "vgg19"
    weights: str = "oxford"
    pooling: str = "max"
    normalize: bool = False
    pixel_unit: tuple[float, float, float] = (1.0, 1.0, 1.0)
    optimizer: str = "lbfgs"
    optimizer_options: Mapping[str, object] = field(default_factory=dict)
    range_rule: str = "project"
    start: str = "content"
    size_of: str = "longer"
    style_size: str = "longer"
    coarsest: int | None = None
    note: str = ""


# The factor c of c * 1/2 sum (F - P)^2.


def half_sum(N: int, M: int) -> float:
    """1/2 sum (F - P)^2, the paper's."""
    return 1.0


def plain_sum(N: int, M: int) -> float:
    """Twice that, without the half."""
    return 2.0


def mean(N: int, M: int) -> float:
    """Mean of (F - P)^2 over its N M entries."""
    return 2 / (N * M)


# The divisor d of a Gram matrix.


def undivided(N: int, M: int) -> float:
    """G itself."""
    return 1.0


def by_positions(N: int, M: int) -> float:
    """G / M, the mean over positions."""
    return float(M)


def by_entries(N: int, M: int) -> float:
    """G / (N M), over the entries of the feature maps."""
    return float(N * M)


# The factor s of s * ||G/d - A/d_a||^2.


def paper_style(N: int, M: int, pixels: int) -> float:
    """1 / (4 N^2 M^2), for undivided Gram matrices."""
    return 1 / (4 * N**2 * M**2)


def quarter_mean(N: int, M: int, pixels: int) -> float:
    """1 / (4 N^2)."""
    return 1 / (4 * N**2)


def gram_mean(N: int, M: int, pixels: int) -> float:
    """1 / N^2: the mean over the Gram matrix's entries."""
    return 1 / N**2


def gram_sum(N: int, M: int, pixels: int) -> float:
    """The sum over the Gram matrix's entries."""
    return 1.0


def keras_style(N: int, M: int, pixels: int) -> float:
    """1 / (4 3^2 pixels^2): the picture's channels and size at all layers."""
    return 1 / (4 * 3**2 * pixels**2)


# Total variations that are no sum over all pixels.


def mean_variation(x: Tensor) -> Tensor:
    """Half of mean |d_v| plus half of mean |d_h| (D2L, pastiche)."""
    return (x.diff(dim=-2).abs().mean() + x.diff(dim=-1).abs().mean()) / 2


def power_variation(x: Tensor) -> Tensor:
    """Sum of (d_v^2 + d_h^2)^1.25 over all but the last row and column."""
    return _cells(x).pow(1.25).sum()


def half_cells_variation(x: Tensor) -> Tensor:
    """Half the sum of d_v^2 + d_h^2 over all but the last row and column."""
    return _cells(x).sum() / 2


def _cells(x: Tensor) -> Tensor:
    d_v = x.diff(dim=-2)[..., :, :-1]
    d_h = x.diff(dim=-1)[..., :-1, :]
    return d_v.square() + d_h.square()


# Learning rates that fall, as functions of the step k = 0, 1, ...


def keras_rate(k: int) -> float:
    """100 * 0.96^(k / 100)."""
    return 100 * 0.96 ** (k / 100)


def d2l_rate(k: int) -> float:
    """0.3, times 0.8 after every 50 steps."""
    return 0.3 * float(0.8 ** (k // 50))


def cs231n_rate(k: int) -> float:
    """3, and 0.1 from step 180 on."""
    return 3.0 if k < 180 else 0.1
