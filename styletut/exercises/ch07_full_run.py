"""Exercises of notebook 07: a full run."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves

Schedule = Sequence[tuple[int, int]]


def _machines() -> list[tuple[int, int, int]]:
    return [
        (6_000_000_000, 300_000_000, 1_900),
        (1_000, 100, 9),  # exactly 10
        (2_000, 100, 9),  # 14.53: neither rounded nor rounded up
        (1_000_000, 40_000, 77),
        (100, 500, 3),  # not even what is always needed
    ]


def _pixels(free: int, fixed: int, per_pixel: int) -> int:
    return max(free - fixed, 0) // per_pixel


def _largest_side(free: int, fixed: int, per_pixel: int) -> int:
    return math.isqrt(_pixels(free, fixed, per_pixel))


def _side(free: float, fixed: float, per_pixel: float) -> float:
    return (max(free - fixed, 0) / per_pixel) ** 0.5


def _schedules() -> list[tuple[Schedule]]:
    return [
        ([(128, 40), (256, 40), (512, 120)],),
        ([(96, 7), (256, 10)],),
        ([(300, 25)],),
        ([(100, 30), (150, 20), (400, 5)],),
    ]


def _weighted(schedule: Schedule, power: float) -> float:
    full = schedule[-1][0]
    return sum(n * (side / full) ** power for side, n in schedule)


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


def _cuts() -> list[tuple[int, int]]:
    return [(256, 80), (512, 80), (1000, 16), (64, 4), (100, 0)]


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
        right=lambda schedule: _weighted(schedule, 2),
        praise="Coarse sizes are nearly free.",
        cases=_schedules,
        mistakes=(
            Mistake(
                "all alike",
                lambda schedule: _weighted(schedule, 0),
                "You counted an evaluation at a small size like one at the "
                "full size.",
            ),
            Mistake(
                "by the side",
                lambda schedule: _weighted(schedule, 1),
                "At half the side there is a quarter of the pixels: two "
                "sides shrink.",
            ),
            Mistake(
                "turned round",
                lambda schedule: _weighted(schedule, -2),
                "You made small sizes dearer than large ones: the ratio is "
                "turned round.",
            ),
            Mistake(
                "by the cube",
                lambda schedule: _weighted(schedule, 3),
                "A picture has two sides that shrink, not three.",
            ),
            Mistake(
                "coarse sizes alone",
                lambda schedule: _weighted(schedule, 2) - schedule[-1][1],
                "The full size itself is part of the run.",
            ),
            Mistake(
                "in units of the first size",
                lambda schedule: sum(
                    n * (side / schedule[0][0]) ** 2 for side, n in schedule
                ),
                "That is in evaluations at the first size. The exercise asks "
                "for those at the last.",
            ),
            Mistake(
                "pixels for evaluations",
                lambda schedule: sum(n * side**2 for side, n in schedule),
                "These are pixels times evaluations. Divide by the pixels of "
                "the full size.",
            ),
            Mistake(
                "halves taken for granted",
                lambda schedule: sum(
                    n / 4**k for k, (_, n) in enumerate(reversed(schedule))
                ),
                "Sizes need not be halves of each other: look at the sides.",
            ),
            Mistake(
                "a share",
                lambda schedule: (
                    _weighted(schedule, 2) / sum(n for _, n in schedule)
                ),
                "You divided by the number of evaluations. The exercise asks "
                "for their sum, each at its price.",
            ),
            Mistake(
                "rounded down",
                lambda schedule: sum(
                    n * side**2 // schedule[-1][0] ** 2 for side, n in schedule
                ),
                "`//` throws fractions away. Let them stand.",
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
        right=lambda side, margin: 1.5 * ((side + 2 * margin) / side) ** 2,
        praise="Half for the second way up, and the margins squared.",
        cases=_cuts,
        mistakes=(
            Mistake(
                "first pass forgotten",
                lambda side, margin: ((side + 2 * margin) / side) ** 2,
                "That is what the margins cost. And how many ways up and "
                "down are there, with tiles and without?",
            ),
            Mistake(
                "margins forgotten",
                lambda side, margin: 1.5,
                "That is what the second way up costs. And the margins?",
            ),
            Mistake(
                "three ways for one",
                lambda side, margin: 3 * ((side + 2 * margin) / side) ** 2,
                "Tiles take three ways, and the whole picture takes two, not "
                "one.",
            ),
            Mistake(
                "two ways for one",
                lambda side, margin: 2 * ((side + 2 * margin) / side) ** 2,
                "You counted the first pass like a whole evaluation. It goes "
                "up and not down.",
            ),
            Mistake(
                "margin on one side",
                lambda side, margin: 1.5 * ((side + margin) / side) ** 2,
                "A tile has a margin on both sides.",
            ),
            Mistake(
                "not squared",
                lambda side, margin: 1.5 * (side + 2 * margin) / side,
                "Margins surround the tile: both its sides grow.",
            ),
            Mistake(
                "first pass without margins",
                lambda side, margin: 0.5 + ((side + 2 * margin) / side) ** 2,
                "The first pass needs the margins, too: else the maps near "
                "the cuts are wrong.",
            ),
            Mistake(
                "turned round",
                lambda side, margin: 1.5 * (side / (side + 2 * margin)) ** 2,
                "Tiles make more work, not less: the ratio is turned round.",
            ),
            Mistake(
                "strips alone",
                lambda side, margin: 1.5 * (1 + 4 * margin / side),
                "You counted the four strips along the sides. What lies in "
                "the corners?",
            ),
            Mistake(
                "what is added",
                lambda side, margin: (
                    1.5 * ((side + 2 * margin) / side) ** 2 - 1
                ),
                "That is what is added. The exercise asks how many times as "
                "much it is.",
            ),
            Mistake(
                "added, not multiplied",
                lambda side, margin: ((side + 2 * margin) / side) ** 2 + 1,
                "The first pass is half of an evaluation, and of one with "
                "margins.",
            ),
        ),
    ),
)
