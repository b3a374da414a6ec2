"""What a convention is: one implementation's choices, as data."""

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
        alpha: weight of the content term; the largest, where it follows
            the pair.
        alpha_share: alpha in units of the style loss that the untouched
            photo has, see `objective.balance`; None for one alpha for all.
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
        start: "content", "color", "instant", "noise", "style" or "grey".
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
    alpha_share: float | None = None
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


def check_runnable(convention: Convention) -> None:
    """Raise ValueError if this package cannot run the convention.

    It has VGG-19 alone, and style terms that are functions of G - A.
    """
    if convention.network != "vgg19":
        raise ValueError(
            f"{convention.name!r} runs on {convention.network}; this "
            "package has VGG-19 alone, so its formulas are in the table "
            "and its pictures are not to be had here"
        )
    if convention.gram_divisor is None or convention.style_factor is None:
        raise ValueError(
            f"the style term of {convention.name!r} is no function of the "
            f"difference of two Gram matrices: {convention.note}"
        )
