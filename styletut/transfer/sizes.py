"""How large a run's pictures are, and how its evaluations are spread."""

import math
from collections.abc import Sequence

from styletut.conventions import Convention
from styletut.images import fit
from styletut.images.picture import MAX_PIXELS, check_size, too_large
from styletut.optimizers.catalogue import check_budget
from styletut.vgg import receptive_field

Shape = tuple[int, int]
"""Height and width in pixels."""

Schedule = tuple[tuple[int, int], ...]
"""(longer side in pixels, evaluations), coarse to fine."""

COARSE = 40
"""Evaluations at most of each size but the finest."""


def schedule_of(
    convention: Convention,
    shape: Shape,
    size: int | None = None,
    evaluations: int | None = None,
    schedule: Sequence[tuple[int, int]] | None = None,
    start: Shape | None = None,
) -> Schedule:
    """Return sizes with their evaluations, coarse to fine.

    Args:
        convention: whose choice counts where the caller made none.
        shape: of the content picture.
        size: longer side of the result in pixels.
        evaluations: in all.
        schedule: sizes and evaluations, in place of both.
        start: of a picture to go on from: without a schedule no size that
            is smaller takes its detail away, but for the last.

    Raises:
        ValueError: for impossible numbers, or a schedule beside others.
    """
    if schedule is not None:
        if size is not None or evaluations is not None:
            raise ValueError(
                "schedule says sizes and evaluations; leave out size and "
                "evaluations where it is given"
            )
        return _checked(schedule)
    side = _own_size(convention, shape) if size is None else size
    budget = convention.evaluations if evaluations is None else evaluations
    coarsest = _coarsest(convention, shape)
    if coarsest is not None and start is not None:
        coarsest = max(coarsest, *start)
    return _checked(split_evaluations(check_size(side), budget, coarsest))


def same_aspect(one: Shape, other: Shape) -> bool:
    """Return whether two pictures can be one at two sizes.

    Each shorter side may be off by the half pixel to which `fit` rounds.
    """
    (h, w), (height, width) = one, other
    return 2 * abs(h * width - w * height) <= max(one) + max(other)


def split_evaluations(
    size: int, evaluations: int, coarsest: int | None
) -> list[tuple[int, int]]:
    """Spread a budget over sizes that double up to `size`.

    Each size but the last is half of the next and no less than `coarsest`
    pixels. The budget is spread evenly, but to no coarse size more than
    `COARSE`: more of them were measured to bring the finest no further
    (benchmarks/schedules.py).

    Args:
        size: longer side of the result in pixels.
        evaluations: in all, at least 1.
        coarsest: least longer side to begin with; None for one size alone.

    Raises:
        ValueError: if there is nothing to spread.
    """
    evaluations = check_budget(evaluations)
    sizes = [size]
    while (
        coarsest is not None
        and sizes[0] // 2 >= coarsest
        and len(sizes) < evaluations
    ):
        sizes.insert(0, sizes[0] // 2)
    share, left = divmod(evaluations, len(sizes))
    counts = [min(share + (i < left), COARSE) for i in range(len(sizes) - 1)]
    return list(zip(sizes, [*counts, evaluations - sum(counts)], strict=True))


def style_shape(
    style: Shape, content: Shape, rule: str, scale: float | None = None
) -> Shape:
    """Return the shape that a style picture is resized to.

    Args:
        style: its own shape.
        content: that of the content picture, at the run's size.
        rule: its "longer" or "shorter" side becomes the content's, or it
            gets the content's "area" or "shape".
        scale: its longer side in units of the content's, in place of a rule.
    """
    height, width = content
    h, w = style
    if scale is not None:
        return fit(h, w, max(round(scale * max(height, width)), 1))
    if rule == "shape":
        return height, width
    if rule == "longer":
        return fit(h, w, max(height, width))
    if rule == "shorter":
        factor = min(height, width) / min(h, w)
    else:
        factor = (height * width / (h * w)) ** 0.5
    return fit(h, w, max(round(factor * max(h, w)), 1))


def _own_size(convention: Convention, shape: Shape) -> int:
    """Return the convention's size as a longer side, never enlarging."""
    height, width = shape
    longer = max(height, width)
    side = {
        "longer": longer,
        "shorter": min(height, width),
        "height": height,
        "area": (height * width) ** 0.5,
    }[convention.size_of]
    return min(round(convention.size * longer / side), longer)


def _coarsest(convention: Convention, shape: Shape) -> int | None:
    """Return the convention's coarsest size, larger for narrow pictures.

    No shorter side falls below what the deepest layers need.
    """
    if convention.coarsest is None:
        return None
    layers = (*convention.content_layers, *convention.style_layers)
    stride = max(receptive_field(layer).stride for layer in layers)
    return max(
        convention.coarsest, math.ceil(stride * (max(shape) / min(shape)))
    )


def _checked(schedule: Sequence[tuple[int, int]]) -> Schedule:
    stages = tuple(schedule)
    if not stages or any(
        not isinstance(stage, (tuple, list)) or len(stage) != 2
        for stage in stages
    ):
        raise ValueError(
            f"the schedule is {schedule!r}; it takes at least one (size, "
            "evaluations), such as [(128, 60), (256, 40)]"
        )
    checked = tuple((check_size(side), check_budget(n)) for side, n in stages)
    largest = max(side for side, _ in checked)
    if largest**2 > MAX_PIXELS:
        raise too_large(f"a picture of size {largest}", largest**2)
    return checked
