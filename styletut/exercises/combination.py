"""Exercises of notebook 05: the combined objective."""

from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.exercises.verdict import Exercise, Mistake
from styletut.losses import total_variation, total_variation_gradient

Runs = Sequence[tuple[float, float]]


def _pictures() -> list[tuple[Tensor]]:
    cases = []
    for height, width in ((3, 4), (5, 2), (1, 6), (4, 4)):
        numbers = torch.arange(1, height * width + 1, dtype=torch.float64)
        cases.append((numbers.square().sin().reshape(height, width),))
    return cases


def _anisotropic(x: Tensor) -> Tensor:
    return total_variation(x, "anisotropic")


def _wrapped(x: Tensor) -> Tensor:
    return (x - x.roll(1, 0)).abs().sum() + (x - x.roll(1, 1)).abs().sum()


def _with_black_border(x: Tensor) -> Tensor:
    padded = torch.nn.functional.pad(x, (0, 1, 0, 1))
    d_v = padded[1:, :-1] - padded[:-1, :-1]
    d_h = padded[:-1, 1:] - padded[:-1, :-1]
    return d_v.abs().sum() + d_h.abs().sum()


def _mean_of_each(x: Tensor) -> Tensor:
    parts = [x.diff(dim=axis).abs() for axis in (0, 1) if x.shape[axis] > 1]
    return torch.stack([part.mean() for part in parts]).sum()


def _heat_wrapped(x: Tensor) -> Tensor:
    neighbors = sum(x.roll(s, axis) for s in (-1, 1) for axis in (0, 1))
    return 2 * (4 * x - neighbors)


def _heat_black_border(x: Tensor) -> Tensor:
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    neighbors = padded[:-2, 1:-1] + padded[2:, 1:-1]
    neighbors = neighbors + padded[1:-1, :-2] + padded[1:-1, 2:]
    return 2 * (4 * x - neighbors)


def _heat_one_side(x: Tensor) -> Tensor:
    gradient = torch.zeros_like(x)
    gradient[1:] += 2 * x.diff(dim=0)
    gradient[:, 1:] += 2 * x.diff(dim=1)
    return gradient


def _runs() -> list[tuple[Runs]]:
    return [
        ([(1.0, 5.0), (2.0, 3.0), (3.0, 4.0), (4.0, 1.0)],),
        ([(2.0, 2.0), (2.0, 2.0), (3.0, 2.0), (1.0, 4.0), (2.0, 5.0)],),
        ([(5.0, 1.0), (4.0, 1.5), (3.0, 2.5), (2.9, 2.5), (9.0, 9.0)],),
        ([(0.5, 0.5)],),
        ([(3.0, 1.0), (3.0, 2.0), (1.0, 3.0), (2.0, 2.9)],),
    ]


def _beats(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a != b


def _front(runs: Runs) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(_beats(other, run) for other in runs)
    }


def _strictly_in_both(runs: Runs) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(o[0] < run[0] and o[1] < run[1] for o in runs)
    }


def _beaten_by_equals(runs: Runs) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(
            o[0] <= run[0] and o[1] <= run[1]
            for j, o in enumerate(runs)
            if j != i
        )
    }


def _beaten_in_one(runs: Runs) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(o[0] < run[0] or o[1] < run[1] for o in runs)
    }


def _largest(runs: Runs) -> set[int]:
    return _front([(-c, -s) for c, s in runs])


def _ends(runs: Runs) -> set[int]:
    indices = range(len(runs))
    return {
        min(indices, key=lambda i: runs[i][0]),
        min(indices, key=lambda i: runs[i][1]),
    }


EXERCISES = (
    Exercise(
        number="05.1",
        right=(0.25, 1.0),
        praise="The step needs the scale, the minimizer does not.",
        mistakes=(
            Mistake(
                "turned round",
                (4.0, 1.0),
                "With four times the loss and four times the rate a step "
                "would be sixteen times as long.",
            ),
            Mistake(
                "minimizer moved",
                (0.25, 4.0),
                "The step is right. But where is the minimum of 4 L, if that "
                "of L is at x*?",
            ),
            Mistake(
                "minimizer moved back",
                (0.25, 0.25),
                "The step is right. But where is the minimum of 4 L, if that "
                "of L is at x*?",
            ),
            Mistake(
                "rate as it was",
                (1.0, 1.0),
                "The minimizer stays, but the gradient is four times as "
                "long: what does a step do?",
            ),
            Mistake(
                "root",
                (0.5, 1.0),
                "A gradient grows as its function does, not as its root.",
            ),
        ),
    ),
    Exercise(
        number="05.2",
        right=_anisotropic,
        praise="Each pair of neighbors once, and no way around.",
        cases=_pictures,
        gradient=True,
        mistakes=(
            Mistake(
                "squares for absolute values",
                total_variation,
                "That is the squared form, which blurs edges.",
            ),
            Mistake(
                "isotropic",
                lambda x: total_variation(x, "isotropic"),
                "You took the root of the squares at each pixel: that is the "
                "isotropic form.",
            ),
            Mistake(
                "wrapped around",
                _wrapped,
                "You compared the last row with the first, and the last "
                "column: torch.roll goes around.",
            ),
            Mistake(
                "black border",
                _with_black_border,
                "You compared the last row and column with zeros outside of "
                "the picture.",
            ),
            Mistake(
                "vertical only",
                lambda x: x.diff(dim=0).abs().sum(),
                "The horizontal differences are missing.",
            ),
            Mistake(
                "horizontal only",
                lambda x: x.diff(dim=1).abs().sum(),
                "The vertical differences are missing.",
            ),
            Mistake(
                "mean for sum",
                _mean_of_each,
                "You took means; (5.5) has sums.",
            ),
            Mistake(
                "each pair twice",
                lambda x: 2 * _anisotropic(x),
                "Each pair of neighbors is counted twice.",
            ),
            Mistake(
                "sign kept",
                lambda x: x.diff(dim=0).sum() + x.diff(dim=1).sum(),
                "Without absolute values ups and downs cancel.",
            ),
        ),
    ),
    Exercise(
        number="05.3",
        right=total_variation_gradient,
        praise="Minus twice the Laplacian, and no heat through the border.",
        cases=_pictures,
        mistakes=(
            Mistake(
                "factor 2 missing",
                lambda x: total_variation_gradient(x) / 2,
                "The 2 of the square is missing.",
            ),
            Mistake(
                "sign turned",
                lambda x: -total_variation_gradient(x),
                "That is the direction of descent, twice the Laplacian.",
            ),
            Mistake(
                "wrapped around",
                _heat_wrapped,
                "Heat flows from the last row to the first: torch.roll goes "
                "around.",
            ),
            Mistake(
                "black border",
                _heat_black_border,
                "Heat is lost through the border: a missing neighbor counts "
                "as nothing, not as black.",
            ),
            Mistake(
                "one neighbor of two",
                _heat_one_side,
                "Each difference pushes two pixels, in opposite directions; "
                "you moved one.",
            ),
            Mistake(
                "anisotropic form",
                lambda x: total_variation_gradient(x, "anisotropic"),
                "These are signs: the gradient of the anisotropic form.",
            ),
        ),
    ),
    Exercise(
        number="05.4",
        right=_front,
        praise="Nobody beats these.",
        cases=_runs,
        mistakes=(
            Mistake(
                "better in both asked for",
                _strictly_in_both,
                "A run is also beaten by one that is equal in one loss and "
                "better in the other.",
            ),
            Mistake(
                "equals beat each other",
                _beaten_by_equals,
                "Two equal runs do not beat each other; both stay.",
            ),
            Mistake(
                "beaten in one loss",
                _beaten_in_one,
                "You asked whether another is better in content *or* style. "
                "To beat it must be as good in both.",
            ),
            Mistake(
                "largest for smallest",
                _largest,
                "You took the far side: small losses are good.",
            ),
            Mistake(
                "ends only",
                _ends,
                "You kept the best in content and the best in style. Between "
                "them there are compromises that nobody beats.",
            ),
            Mistake(
                "the beaten",
                lambda runs: set(range(len(runs))) - _front(runs),
                "You returned those that are beaten.",
            ),
        ),
    ),
)
