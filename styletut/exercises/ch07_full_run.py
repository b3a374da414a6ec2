"""Exercises of notebook 07: a full run."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves

Stages = Sequence[tuple[int, int]]


def _machines() -> list[tuple[int, int, int]]:
    return [
        (6_000_000_000, 300_000_000, 1_900),
        (1_000, 100, 9),  # exactly 10
        (2_000, 100, 9),  # 14.53: neither rounded nor rounded up
        (1_000_000, 40_000, 77),
        (1_600_000_499, 500, 4),  # a quarter of a pixel less than 20,000^2
        (100, 500, 3),  # not even what is always needed
    ]


def _pixels(free: int, fixed: int, per_pixel: int) -> int:
    return max(free - fixed, 0) // per_pixel


def _largest_side(free: int, fixed: int, per_pixel: int) -> int:
    return math.isqrt(_pixels(free, fixed, per_pixel))


def _side(free: float, fixed: float, per_pixel: float) -> float:
    return (max(free - fixed, 0) / per_pixel) ** 0.5


def _budgets() -> list[tuple[int, int, Stages]]:
    return [
        (60, 512, [(128, 20), (256, 20)]),  # 53.75
        (37, 256, [(128, 30)]),  # 29.5
        (50, 400, [(100, 30), (150, 20)]),  # 45.31
        (10, 256, [(128, 60)]),  # not even the coarse one fits
        (25, 300, []),
    ]


def _remaining(
    budget: int, side: int, coarse: Stages, power: float = 2
) -> float:
    return budget - sum(n * (each / side) ** power for each, n in coarse)


def _left(budget: int, side: int, coarse: Stages) -> int:
    pixels = budget * side**2 - sum(n * each**2 for each, n in coarse)
    return max(pixels, 0) // side**2


def _whole(number: float) -> int:
    return max(math.floor(number), 0)


def _tiles() -> list[tuple[list[Tensor]]]:
    shapes = (
        [(2, 1, 3), (2, 2, 3)],
        [(3, 2, 2), (3, 2, 5), (3, 4, 2)],
        [(1, 2, 3)],
        [(4, 1, 1), (4, 3, 1)],
    )
    return [
        ([waves(*shape, pace=0.4 + 0.3 * k) for k, shape in enumerate(each)],)
        for each in shapes
    ]


def _grams(tiles: Sequence[Tensor]) -> list[Tensor]:
    return [F.flatten(1) @ F.flatten(1).T for F in tiles]


def _positions(tiles: Sequence[Tensor]) -> list[int]:
    return [F.flatten(1).shape[1] for F in tiles]


def _gram_in_tiles(tiles: Sequence[Tensor]) -> Tensor:
    return torch.stack(_grams(tiles)).sum(0) / sum(_positions(tiles))


def _each_divided(tiles: Sequence[Tensor]) -> list[Tensor]:
    return [
        G / M for G, M in zip(_grams(tiles), _positions(tiles), strict=True)
    ]


def _centered(tiles: Sequence[Tensor]) -> Tensor:
    whole = torch.cat([F.flatten(1) for F in tiles], dim=1)
    whole = whole - whole.mean(1, keepdim=True)
    return whole @ whole.T / whole.shape[1]


def _by_sums(tiles: Sequence[Tensor]) -> Tensor:
    summed = torch.stack([F.flatten(1).sum(1) for F in tiles]).sum(0)
    return torch.outer(summed, summed) / sum(_positions(tiles))


EXERCISES = (
    Exercise(
        number="07.1",
        right=_largest_side,
        praise="Fixed bytes off, the rest by pixels, and the root of that.",
        cases=_machines,
        mistakes=(
            Mistake(
                "fixed bytes forgotten",
                lambda free, fixed, per_pixel: math.isqrt(free // per_pixel),
                "The bytes that do not depend on the size are taken as well: "
                "they are not free for pixels.",
            ),
            Mistake(
                "fixed bytes added",
                lambda free, fixed, per_pixel: math.isqrt(
                    (free + fixed) // per_pixel
                ),
                "You added the fixed bytes to the free ones: they must be "
                "paid from them.",
            ),
            Mistake(
                "root forgotten",
                _pixels,
                "That is the number of pixels. The exercise asks for the "
                "side of the square that they fill.",
            ),
            Mistake(
                "half for root",
                lambda free, fixed, per_pixel: (
                    _pixels(free, fixed, per_pixel) // 2
                ),
                "The side of a square is the root of its pixels, not half of "
                "them.",
            ),
            Mistake(
                "no whole number",
                _side,
                "A picture has a whole number of pixels on its side.",
            ),
            Mistake(
                "rounded up",
                lambda free, fixed, per_pixel: math.ceil(
                    _side(free, fixed, per_pixel)
                ),
                "Rounded up, the picture no longer fits.",
            ),
            Mistake(
                "rounded to the nearest",
                lambda free, fixed, per_pixel: round(
                    _side(free, fixed, per_pixel)
                ),
                "Where you round up, the picture no longer fits.",
            ),
            Mistake(
                "a little added",
                lambda free, fixed, per_pixel: int(
                    _side(free, fixed, per_pixel) + 1e-4
                ),
                "A square a fraction of a pixel too large does not fit. "
                "`math.isqrt` needs no such addition.",
            ),
            Mistake(
                "color counted",
                lambda free, fixed, per_pixel: math.isqrt(
                    max(free - fixed, 0) // (3 * per_pixel)
                ),
                "`per_pixel` is for a pixel with its three colors: do not "
                "count these again.",
            ),
            Mistake(
                "a sum for the price",
                lambda free, fixed, per_pixel: math.isqrt(
                    free // (fixed + per_pixel)
                ),
                "You let every pixel pay the fixed bytes. They are paid once.",
            ),
            Mistake(
                "nothing fits, by **",
                lambda free, fixed, per_pixel: int(
                    ((free - fixed) / per_pixel) ** 0.5
                ),
                "Where less is free than is always needed, nothing fits: the "
                "answer is 0, and there is no root to take.",
            ),
            Mistake(
                "nothing fits, by sqrt",
                lambda free, fixed, per_pixel: int(
                    math.sqrt((free - fixed) / per_pixel)
                ),
                "Where less is free than is always needed, nothing fits: the "
                "answer is 0, and there is no root to take.",
            ),
            Mistake(
                "nothing fits, by isqrt",
                lambda free, fixed, per_pixel: math.isqrt(
                    (free - fixed) // per_pixel
                ),
                "Where less is free than is always needed, nothing fits: the "
                "answer is 0, and there is no root to take.",
            ),
        ),
    ),
    Exercise(
        number="07.2",
        right=_left,
        praise="Coarse sizes are nearly free.",
        cases=_budgets,
        mistakes=(
            Mistake(
                "all alike",
                lambda budget, side, coarse: _whole(
                    _remaining(budget, side, coarse, 0)
                ),
                "You counted an evaluation at a small size like one at the "
                "full size.",
            ),
            Mistake(
                "by the side",
                lambda budget, side, coarse: _whole(
                    _remaining(budget, side, coarse, 1)
                ),
                "At half the side there is a quarter of the pixels: two "
                "sides shrink.",
            ),
            Mistake(
                "by the cube",
                lambda budget, side, coarse: _whole(
                    _remaining(budget, side, coarse, 3)
                ),
                "A picture has two sides that shrink, not three.",
            ),
            Mistake(
                "turned round",
                lambda budget, side, coarse: _whole(
                    _remaining(budget, side, coarse, -2)
                ),
                "You made small sizes cost more than large ones: the ratio "
                "is turned round.",
            ),
            Mistake(
                "what the coarse sizes cost",
                lambda budget, side, coarse: (
                    budget - _remaining(budget, side, coarse)
                ),
                "That is what the coarse sizes cost. What does it leave?",
            ),
            Mistake(
                "no whole number",
                lambda budget, side, coarse: max(
                    _remaining(budget, side, coarse), 0
                ),
                "A run makes a whole number of evaluations.",
            ),
            Mistake(
                "rounded up",
                lambda budget, side, coarse: max(
                    math.ceil(_remaining(budget, side, coarse)), 0
                ),
                "Rounded up, the run costs more than its budget.",
            ),
            Mistake(
                "rounded to the nearest",
                lambda budget, side, coarse: max(
                    round(_remaining(budget, side, coarse)), 0
                ),
                "Where you round up, the run costs more than its budget.",
            ),
            Mistake(
                "less than nothing",
                lambda budget, side, coarse: math.floor(
                    _remaining(budget, side, coarse)
                ),
                "Where the coarse sizes cost more than the budget, nothing "
                "is left: the answer is 0.",
            ),
            Mistake(
                "largest coarse size for the full one",
                lambda budget, side, coarse: _whole(
                    _remaining(
                        budget, max((s for s, _ in coarse), default=1), coarse
                    )
                ),
                "You measured against the largest of the coarse sizes. The "
                "budget is in evaluations at `side`.",
            ),
        ),
    ),
    Exercise(
        number="07.3",
        right=_gram_in_tiles,
        praise="Sums over positions do not mind where they are cut.",
        cases=_tiles,
        mistakes=(
            Mistake(
                "mean of means",
                lambda tiles: torch.stack(_each_divided(tiles)).mean(0),
                "You took the mean of the tiles' G/M. Tiles of unequal size "
                "do not count alike: add up first, then divide once.",
            ),
            Mistake(
                "sum of means",
                lambda tiles: torch.stack(_each_divided(tiles)).sum(0),
                "You divided each tile by its own positions and added. Add "
                "up first, then divide once, by all positions.",
            ),
            Mistake(
                "not divided",
                lambda tiles: torch.stack(_grams(tiles)).sum(0),
                "That is G of the whole. The exercise asks for G/M.",
            ),
            Mistake(
                "divided by the number of tiles",
                lambda tiles: torch.stack(_grams(tiles)).mean(0),
                "You divided by the number of tiles, not of positions.",
            ),
            Mistake(
                "divided by the last tile's positions",
                lambda tiles: (
                    torch.stack(_grams(tiles)).sum(0) / _positions(tiles)[-1]
                ),
                "M counts the positions of all tiles, and you took those of "
                "the last.",
            ),
            Mistake(
                "divided by channels, too",
                lambda tiles: _gram_in_tiles(tiles) / len(tiles[0]),
                "You divided by N M. Here it is G/M.",
            ),
            Mistake(
                "first tile alone",
                lambda tiles: _each_divided(tiles)[0],
                "That is the first tile's alone.",
            ),
            Mistake(
                "last tile alone",
                lambda tiles: _each_divided(tiles)[-1],
                "That is the last tile's alone: does your loop keep what it "
                "has?",
            ),
            Mistake(
                "mean taken off",
                _centered,
                "You took off the mean: that is the covariance. A Gram "
                "matrix leaves the mean in.",
            ),
            Mistake(
                "product of sums",
                _by_sums,
                "You added the maps first and multiplied then. Each position "
                "is multiplied with itself, and then they are added.",
            ),
        ),
    ),
    Exercise(
        number="07.4",
        # by `breadth` of the notebook, from the sample pictures
        right=(6.83, 412),
        tolerance=0.03,
        praise="Breadth is measured, and not calculated from the size.",
        mistakes=(
            Mistake(
                "in proportion",
                (6.83, 355),
                "You scaled the marble by the ratio of two breadths at 256 "
                "pixels. Measure it at your size: it is not as broad as you "
                "think. Its veins have no single breadth that grows with it.",
            ),
            Mistake(
                "the other way round",
                (4.92, 181),
                "You made `night` as broad as `marble`. It is `marble` that "
                "changes its size.",
            ),
            Mistake(
                "turned round",
                (6.83, 184),
                "At that size the marble's veins are finer, not broader: the "
                "ratio is turned round.",
            ),
            Mistake(
                "a factor",
                (6.83, 1.62),
                "The second number is a longer side in pixels, as "
                "`style_size` takes it, not a factor.",
            ),
            Mistake(
                "the shorter side",
                (6.83, 330),
                "That is the marble's shorter side. `resize` and "
                "`style_size` take the longer one.",
            ),
            Mistake(
                "rows alone",
                (6.74, 394),
                "You measured in one direction. `breadth` takes the mean of "
                "the autocorrelations along rows and columns.",
            ),
            Mistake(
                "columns alone",
                (6.92, 581),
                "You measured in one direction. `breadth` takes the mean of "
                "the autocorrelations along rows and columns.",
            ),
        ),
    ),
)
