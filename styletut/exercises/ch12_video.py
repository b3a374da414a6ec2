"""Exercises of notebook 12: frames that follow one another."""

import torch
from torch import Tensor

from styletut.exercises.ch12_shift import SHIFT
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves


def _frames() -> list[tuple[Tensor, Tensor, Tensor]]:
    return [
        (
            0.5 + 0.2 * waves(1, 3, h, w, pace=0.7 + h),
            0.5 + 0.2 * waves(1, 3, h, w, pace=1.4 + w),
            waves(1, 1, h, w, pace=0.3).square() / 4,
        )
        for h, w in ((2, 3), (4, 2), (3, 3))
    ]


def _pull(x: Tensor, w: Tensor, c: Tensor) -> Tensor:
    return 2 * c * (x - w) / x.numel()


def _rows() -> list[tuple[Tensor, float]]:
    return [
        (waves(7, pace=0.6 + n), shift)
        for n, shift in enumerate((1.0, 0.25, -1.5, 2.75, -0.4))
    ]


def _looked_up(row: Tensor, shift: float) -> Tensor:
    last = len(row) - 1
    x = (torch.arange(len(row)).to(row) + shift).clamp(0, last)
    left = x.floor().clamp(max=last - 1)
    share, k = x - left, left.long()
    return (1 - share) * row[k] + share * row[k + 1]


def _zero_outside(row: Tensor, shift: float) -> Tensor:
    x = torch.arange(len(row)).to(row) + shift
    inside = (x >= 0) & (x <= len(row) - 1)
    return _looked_up(row, shift) * inside


def _around(row: Tensor, shift: float) -> Tensor:
    x = torch.arange(len(row)).to(row) + shift
    left = x.floor()
    share, k = x - left, left.long() % len(row)
    return (1 - share) * row[k] + share * row[(k + 1) % len(row)]


def _paintings() -> list[tuple[Tensor, Tensor, Tensor, float]]:
    deltas = (0.5, 30.0, 2.0)
    return [
        (*each, delta) for each, delta in zip(_frames(), deltas, strict=True)
    ]


def _blend(n: Tensor, w: Tensor, c: Tensor, delta: float) -> Tensor:
    return (n + delta * c * w) / (1 + delta * c)


EXERCISES = (
    Exercise(
        number="12.1",
        right=_pull,
        praise="A spring at each pixel, as strong as the flow is trusted.",
        cases=_frames,
        mistakes=(
            Mistake(
                "not divided",
                lambda x, w, c: 2 * c * (x - w),
                "(12.3) is a mean over D = 3HW numbers.",
            ),
            Mistake(
                "divided by the pixels",
                lambda x, w, c: 6 * c * (x - w) / x.numel(),
                "You divided by the pixels. D counts each of the three "
                "channels.",
            ),
            Mistake(
                "without the 2",
                lambda x, w, c: c * (x - w) / x.numel(),
                "The derivative of a square has a 2.",
            ),
            Mistake(
                "the other way",
                lambda x, w, c: -_pull(x, w, c),
                "Your sign is that of the way down, or of the derivative "
                "with respect to w. The gradient by x points away from "
                "w.",
            ),
            Mistake(
                "c squared",
                lambda x, w, c: _pull(x, w, c * c),
                "c stands outside of the square, so it counts once.",
            ),
            Mistake(
                "without trust",
                lambda x, w, c: _pull(x, w, 1 + 0 * c),
                "c is missing: where nothing is trusted, nothing pulls.",
            ),
            Mistake(
                "divided by the trusted",
                lambda x, w, c: 2 * c * (x - w) / (3 * c.sum()),
                "You divided by what is trusted. In (12.3) D counts all.",
            ),
        ),
    ),
    Exercise(
        number="12.2",
        right=_looked_up,
        praise="Looked up, not pushed: each place asks where its color was.",
        cases=_rows,
        mistakes=(
            Mistake(
                "pushed",
                lambda row, shift: _looked_up(row, -shift),
                "You moved the row by the shift. Look up: the new entry k is "
                "what stands at k + shift.",
            ),
            Mistake(
                "rounded",
                lambda row, shift: _looked_up(row, float(round(shift))),
                "You rounded the shift. Between two entries their mean by "
                "distance is taken.",
            ),
            Mistake(
                "rounded down",
                lambda row, shift: _looked_up(row, float(shift // 1)),
                "You took the entry to the left. Between two entries their "
                "mean by distance is taken.",
            ),
            Mistake(
                "zero outside",
                _zero_outside,
                "Outside you have zeros. There the border is repeated.",
            ),
            Mistake(
                "around",
                _around,
                "What leaves on one side comes in on the other. Outside the "
                "border is repeated.",
            ),
            Mistake(
                "shares exchanged",
                lambda row, shift: (
                    _looked_up(row, float(shift // 1)) * (shift % 1)
                    + _looked_up(row, float(shift // 1 + 1)) * (1 - shift % 1)
                ),
                "You exchanged the shares: the nearer entry has the larger "
                "one.",
            ),
        ),
    ),
    Exercise(
        number="12.3",
        right=_blend,
        praise="A mean of both, in which delta c counts against 1.",
        cases=_paintings,
        mistakes=(
            Mistake(
                "not divided",
                lambda n, w, c, delta: n + delta * c * w,
                "Shares of a mean add up to 1. Divide.",
            ),
            Mistake(
                "without trust",
                lambda n, w, c, delta: _blend(n, w, 1 + 0 * c, delta),
                "c is missing: where it is 0, n is to stay.",
            ),
            Mistake(
                "exchanged",
                lambda n, w, c, delta: _blend(w, n, c, delta),
                "You exchanged the two paintings.",
            ),
            Mistake(
                "delta as a share",
                lambda n, w, c, delta: (1 - delta * c) * n + delta * c * w,
                "delta c is a weight against 1, not a share: it may be "
                "larger than 1.",
            ),
            Mistake(
                "c for delta c",
                lambda n, w, c, delta: (n + c * w) / (1 + c),
                "delta is missing.",
            ),
            Mistake(
                "twice the weight",
                lambda n, w, c, delta: _blend(n, w, c, 2 * delta),
                "Both squares have the 2 of their derivative; it cancels.",
            ),
            Mistake(
                "one weight outside",
                lambda n, w, c, delta: (n + delta * c * w) / (1 + delta),
                "In the divisor, too, delta stands with c.",
            ),
        ),
    ),
    SHIFT,
)
