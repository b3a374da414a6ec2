"""Exercises of notebook 09: how much style is right."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from styletut.exercises.ch09_pair import PAIR
from styletut.exercises.judging import Exercise, Mistake

Run = tuple[float, float]
Runs = Sequence[Run]
Losses = Sequence[float]


def _fronts() -> list[tuple[Losses, Losses]]:
    # minima of rho x^2 + k (1 - x)^2, and a front that is none of a formula
    fronts: list[tuple[Losses, Losses]] = []
    for k, rhos in ((1.0, (0.1, 0.4, 1.0, 2.0, 6.0)), (3.0, (1.0, 2.0, 5.0))):
        x = [k / (k + rho) for rho in rhos]
        fronts.append(([u**2 for u in x], [k * (1 - u) ** 2 for u in x]))
    fronts.append(([5.0, 4.0, 2.5, 2.0], [0.5, 0.75, 1.5, 4.0]))
    return fronts


def _slopes(C: Losses, S: Losses) -> list[float]:
    return [
        (S[i + 1] - S[i - 1]) / (C[i - 1] - C[i + 1])
        for i in range(1, len(C) - 1)
    ]


def _one_sided(C: Losses, S: Losses, indices: Iterable[int]) -> list[float]:
    """Slopes from each of these points to the next."""
    return [(S[i + 1] - S[i]) / (C[i] - C[i + 1]) for i in indices]


def _with_ends(C: Losses, S: Losses) -> list[float]:
    first, *_, last = _one_sided(C, S, range(len(C) - 1))
    return [first, *_slopes(C, S), last]


def _of_logarithms(C: Losses, S: Losses) -> list[float]:
    return _slopes([math.log(c) for c in C], [math.log(s) for s in S])


def _mean_slope(C: Losses, S: Losses) -> list[float]:
    steps = _one_sided(C, S, range(len(C) - 1))
    return [(a + b) / 2 for a, b in pairwise(steps)]


def _boards() -> list[tuple[Runs, Run]]:
    boards: list[tuple[Runs, Run]] = [
        ([(1, 3), (2, 1)], (4, 5)),
        ([(3, 1), (1, 2), (2, 3), (2.5, 1.5)], (5, 4)),
        ([(2, 1), (0.5, 6), (7, 0.5), (1, 2)], (6, 5)),
        ([(0.5, 0.5)], (1, 3)),
        ([(2, 2), (2, 2), (1, 4), (3, 2)], (5, 6)),
    ]
    # made here, so that no two runs are one and the same object
    return [
        ([(float(c), float(s)) for c, s in runs], corner)
        for runs, corner in boards
    ]


def _unsorted(runs: Runs, corner: Run) -> float:
    right, top = corner
    area = 0.0
    for c, s in runs:
        if c < right and s < top:
            area += (right - c) * (top - s)
            top = s
    return area


def _area(runs: Runs, corner: Run) -> float:
    return _unsorted(sorted(runs), corner)


def _inside(runs: Runs, corner: Run) -> list[Run]:
    return [(c, s) for c, s in runs if c < corner[0] and s < corner[1]]


def _rectangles(runs: Runs, corner: Run) -> list[float]:
    return [
        (corner[0] - c) * (corner[1] - s) for c, s in _inside(runs, corner)
    ]


def _front(runs: Runs, corner: Run) -> list[Run]:
    front: list[Run] = []
    for c, s in sorted(_inside(runs, corner)):
        if not front or s < front[-1][1]:
            front.append((c, s))
    return front


def _columns(
    runs: Runs, corner: Run, height: Callable[[float, float], float]
) -> float:
    """Sum of the columns between neighbors on the front, and the last."""
    front = _front(runs, corner)
    ends = [*front[1:], (corner[0], front[-1][1])]
    return sum(
        (d - c) * (corner[1] - height(s, t))
        for (c, s), (d, t) in zip(front, ends, strict=True)
    )


def _with_outsiders(runs: Runs, corner: Run) -> float:
    right, top = corner
    area = 0.0
    for c, s in sorted(runs):
        if s < top:
            area += (right - c) * (top - s)
            top = s
    return area


EXERCISES = (
    PAIR,
    Exercise(
        number="09.2",
        right=(1 / 16, 1.0, 16.0),
        praise="Only a ratio of means travels.",
        mistakes=(
            Mistake(
                "turned round",
                (16.0, 1.0, 1 / 16),
                "That is how the balance moves. The ratio must make up for "
                "it.",
            ),
            Mistake(
                "side for area",
                (1 / 4, 1.0, 4.0),
                "Four times the side is how many times the positions?",
            ),
            Mistake(
                "side for area, turned round",
                (4.0, 1.0, 1 / 4),
                "Four times the side is how many times the positions? And "
                "the ratio must make up for what the balance does.",
            ),
            Mistake(
                "content forgotten in the third",
                (1 / 16, 1.0, 256.0),
                "In the third the style term grows 256-fold. And what does "
                "its content term do?",
            ),
            Mistake(
                "style forgotten in the third",
                (1 / 16, 1.0, 1 / 16),
                "In the third nothing divides by M, so the style term grows, "
                "too, and faster than the content term.",
            ),
            Mistake(
                "mean taken for a sum",
                (1 / 16, 1 / 16, 16.0),
                "The second has a mean: a mean over more entries is not "
                "larger for it.",
            ),
            Mistake(
                "third as the second",
                (1 / 16, 1.0, 1.0),
                "In the third nothing divides by M. The Gram matrix, squared, "
                "grows with the square of the positions.",
            ),
            Mistake(
                "square forgotten",
                (1 / 16, 1.0, 4.0),
                "The Gram matrix grows as the positions do, and the loss has "
                "its square.",
            ),
        ),
    ),
    Exercise(
        number="09.3",
        right=_slopes,
        praise="The front remembers who made it.",
        cases=_fronts,
        mistakes=(
            Mistake(
                "minus forgotten",
                lambda C, S: [-each for each in _slopes(C, S)],
                "The front falls, and a ratio of weights is positive: (9.3) "
                "has a minus.",
            ),
            Mistake(
                "upside down",
                lambda C, S: [1 / each for each in _slopes(C, S)],
                "That is beta / alpha: style is divided by content, not "
                "content by style.",
            ),
            Mistake(
                "to the next point",
                lambda C, S: _one_sided(C, S, range(1, len(C) - 1)),
                "You went from the point itself to the next. Take its "
                "neighbors on both sides.",
            ),
            Mistake(
                "from the point before",
                lambda C, S: _one_sided(C, S, range(len(C) - 2)),
                "You went from the point before to the point itself. Take its "
                "neighbors on both sides.",
            ),
            Mistake(
                "all steps",
                lambda C, S: _one_sided(C, S, range(len(C) - 1)),
                "You have one slope for each step between two points. One "
                "for each inner point is asked for, through its neighbors.",
            ),
            Mistake(
                "mean of two slopes",
                _mean_slope,
                "You took the mean of the slopes on both sides. The line "
                "through both neighbors is asked for.",
            ),
            Mistake(
                "ends, too",
                _with_ends,
                "The first and the last point have a neighbor on one side "
                "only; leave them out.",
            ),
            Mistake(
                "through the corner",
                lambda C, S: [
                    s / c for c, s in zip(C[1:-1], S[1:-1], strict=True)
                ],
                "You divided the losses themselves. The slope is a "
                "difference over a difference.",
            ),
            Mistake(
                "slope of logarithms",
                _of_logarithms,
                "That is the slope with both axes logarithmic. (9.3) is that "
                "of the losses themselves.",
            ),
            Mistake(
                "style alone",
                lambda C, S: [
                    S[i + 1] - S[i - 1] for i in range(1, len(C) - 1)
                ],
                "You have how much style changes. Per how much of content?",
            ),
        ),
    ),
    Exercise(
        number="09.4",
        right=_area,
        praise="One number for a whole front.",
        cases=_boards,
        mistakes=(
            Mistake(
                "all rectangles",
                lambda runs, corner: sum(_rectangles(runs, corner)),
                "The rectangles of two runs overlap, and you counted the "
                "common part twice.",
            ),
            Mistake(
                "best rectangle",
                lambda runs, corner: max(_rectangles(runs, corner)),
                "That is the largest rectangle of a single run. All of them "
                "together cover more.",
            ),
            Mistake(
                "straight lines between",
                lambda runs, corner: _columns(
                    runs, corner, lambda s, t: (s + t) / 2
                ),
                "You joined the points by straight lines. What lies between "
                "two runs has not been reached by any: it is a staircase.",
            ),
            Mistake(
                "stairs too low",
                lambda runs, corner: _columns(runs, corner, lambda s, t: t),
                "You gave each column the next run's style. Left of that run "
                "nobody has reached it.",
            ),
            Mistake(
                "not sorted",
                _unsorted,
                "The staircase needs its steps in order: sort the runs by "
                "content first.",
            ),
            Mistake(
                "outside counted",
                _with_outsiders,
                "A run with a content loss beyond the corner covers nothing "
                "in the box; yours counts it with a negative width.",
            ),
            Mistake(
                "what is left",
                lambda runs, corner: (
                    corner[0] * corner[1] - _area(runs, corner)
                ),
                "That is what no run has reached.",
            ),
            Mistake(
                "share of the box",
                lambda runs, corner: (
                    _area(runs, corner) / (corner[0] * corner[1])
                ),
                "That is the share of the box. The area itself is asked for.",
            ),
            Mistake(
                "corner exchanged",
                lambda runs, corner: _area(runs, (corner[1], corner[0])),
                "The corner has content first, then style.",
            ),
            Mistake(
                "number of runs",
                lambda runs, corner: len(_front(runs, corner)),
                "You counted the runs that none dominates. How large is what "
                "they cover?",
            ),
        ),
    ),
)
