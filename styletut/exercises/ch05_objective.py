"""Exercises of notebook 05: the combined objective."""

import torch
from torch import Tensor

from styletut.exercises.ch05_front import FRONT
from styletut.exercises.judging import Exercise, Mistake
from styletut.losses import total_variation, total_variation_gradient


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


def _means(x: Tensor) -> Tensor:
    return x.diff(dim=0).abs().mean() + x.diff(dim=1).abs().mean()


def _without_the_last(x: Tensor) -> Tensor:
    d_v, d_h = x.diff(dim=0)[:, :-1], x.diff(dim=1)[:-1]
    return d_v.abs().sum() + d_h.abs().sum()


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


def _pushed(
    x: Tensor,
    axes: tuple[int, ...] = (0, 1),
    other: float = -1.0,
    add: bool = True,
) -> Tensor:
    """Let each difference push its two pixels, the first of them `other`."""
    gradient = torch.zeros_like(x)
    for axis in axes:
        g, d = gradient.movedim(axis, 0), 2 * x.movedim(axis, 0).diff(dim=0)
        g[1:] = g[1:] + d if add else d
        g[:-1] = g[:-1] + other * d if add else other * d
    return gradient


def _inside_only(x: Tensor) -> Tensor:
    gradient = torch.zeros_like(x)
    inside = total_variation_gradient(x)[1:-1, 1:-1]
    gradient[1:-1, 1:-1] = inside
    return gradient


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
            Mistake(
                "both turned round",
                (4.0, 4.0),
                "With four times the loss and four times the rate a step "
                "would be sixteen times as long; and where is the minimum of "
                "4 L?",
            ),
            Mistake(
                "minimizer moved, rate as it was",
                (1.0, 4.0),
                "It is the other way round: the loss becomes steeper "
                "everywhere, and lowest at the same place.",
            ),
            Mistake(
                "no change as 0",
                (0.25, 0.0),
                "The step is right. The distance is multiplied by your second "
                "number: what is left of it then?",
            ),
            Mistake(
                "pair turned round",
                (1.0, 0.25),
                "The rate comes first, then the distance.",
            ),
            Mistake(
                "squared",
                (0.0625, 1.0),
                "A gradient grows as its function does, not as its square.",
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
                _means,
                "You took means; (5.5) has sums. A picture of one row has no "
                "vertical differences, and no mean of them either.",
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
            Mistake(
                "last row and column left out",
                _without_the_last,
                "The last row and the last column have neighbors, too: you "
                "left out the differences within them.",
            ),
            Mistake(
                "divided by the pixels",
                lambda x: _anisotropic(x) / x.numel(),
                "You divided by the number of pixels; (5.5) has the bare "
                "sums.",
            ),
            Mistake(
                "summed before the bars",
                lambda x: (
                    x.diff(dim=0).sum().abs() + x.diff(dim=1).sum().abs()
                ),
                "You summed first and took the size then, so that ups and "
                "downs cancel.",
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
            Mistake(
                "Laplacian",
                lambda x: -total_variation_gradient(x) / 2,
                "That is the Laplacian itself: compare factor and sign with "
                "(5.6).",
            ),
            Mistake(
                "written over",
                lambda x: _pushed(x, add=False),
                "`g[:-1] = ...` writes over what the line before has set. Let "
                "the pushes add up.",
            ),
            Mistake(
                "both in one direction",
                lambda x: _pushed(x, other=1.0),
                "Each difference pushes two pixels in opposite directions; "
                "yours go the same way.",
            ),
            Mistake(
                "vertical only",
                lambda x: _pushed(x, axes=(0,)),
                "The horizontal differences are missing.",
            ),
            Mistake(
                "horizontal only",
                lambda x: _pushed(x, axes=(1,)),
                "The vertical differences are missing.",
            ),
            Mistake(
                "inside only",
                _inside_only,
                "Inside of the picture it is right. At the border pixels have "
                "neighbors as well, only fewer.",
            ),
        ),
    ),
    FRONT,
)
