"""Exercises of notebook 01: pictures and features."""

import torch
from torch import Tensor

from styletut.exercises.ch01_rescaling import RESCALED
from styletut.exercises.ch01_stacks import FIELD, INDEX
from styletut.exercises.judging import Exercise, Mistake
from styletut.vgg import IMAGENET_MEAN, IMAGENET_STD, OXFORD_MEAN

_MEAN = torch.tensor(OXFORD_MEAN, dtype=torch.float64)[:, None, None]


def _pictures() -> list[tuple[Tensor]]:
    cases = []
    for height, width in ((2, 3), (1, 1), (4, 2)):
        count = 3 * height * width
        numbers = torch.arange(1, count + 1, dtype=torch.float64)
        picture = numbers.square().sin() / 2 + 0.5
        cases.append((picture.reshape(1, 3, height, width),))
    return cases


def _preprocess(image: Tensor) -> Tensor:
    return (255 * image - _MEAN).flip(1)


def _as_torchvision(image: Tensor) -> Tensor:
    mean = torch.tensor(IMAGENET_MEAN, dtype=torch.float64)[:, None, None]
    std = torch.tensor(IMAGENET_STD, dtype=torch.float64)[:, None, None]
    return (image - mean) / std


def _costs() -> list[tuple[int, int, int]]:
    return [(64, 128, 16384), (3, 64, 65536), (512, 256, 7), (5, 2, 12)]


def _cost(C: int, N: int, M: int) -> tuple[int, int]:
    return 9 * C * N + N, 9 * C * N * M


EXERCISES = (
    Exercise(
        number="01.1",
        right=_preprocess,
        praise="Factor, mean, order: as Oxford's weights want it.",
        cases=_pictures,
        mistakes=(
            Mistake(
                "colors not turned round",
                lambda image: 255 * image - _MEAN,
                "The colors are still red, green, blue.",
            ),
            Mistake(
                "mean forgotten",
                lambda image: (255 * image).flip(1),
                "The mean color of the training set was not subtracted.",
            ),
            Mistake(
                "mean in the wrong order",
                lambda image: (255 * image).flip(1) - _MEAN,
                "You subtracted red's mean from blue: OXFORD_MEAN is in the "
                "order of the picture before it is turned round.",
            ),
            Mistake(
                "left in [0, 1]",
                lambda image: (image - _MEAN / 255).flip(1),
                "The numbers run from 0 to 1; the weights want 0 to 255.",
            ),
            Mistake(
                "mean of 0 to 255 taken from [0, 1]",
                lambda image: (image - _MEAN).flip(1),
                "You took a mean of about 117 from numbers below 1: first "
                "the factor.",
            ),
            Mistake(
                "torchvision's form",
                _as_torchvision,
                "That is (1.2), for torchvision's weights.",
            ),
            Mistake(
                "turned upside down",
                lambda image: (255 * image - _MEAN).flip(2),
                "You turned the rows round and not the colors: which axis "
                "holds them?",
            ),
        ),
    ),
    FIELD,
    INDEX,
    RESCALED,
    Exercise(
        number="01.5",
        right=_cost,
        praise="The weights are shared by all positions, the products not.",
        cases=_costs,
        mistakes=(
            Mistake(
                "bias forgotten",
                lambda C, N, M: (9 * C * N, 9 * C * N * M),
                "The parameters are too few: each output channel has a bias, "
                "too.",
            ),
            Mistake(
                "3 for 9",
                lambda C, N, M: (3 * C * N + N, 3 * C * N * M),
                "A kernel of 3 x 3 has more than 3 weights.",
            ),
            Mistake(
                "positions counted in parameters",
                lambda C, N, M: ((9 * C * N + N) * M, 9 * C * N * M),
                "The same weights serve all positions: the parameters do "
                "not grow with M.",
            ),
            Mistake(
                "a bias for each position",
                lambda C, N, M: (9 * C * N + N * M, 9 * C * N * M),
                "All positions of a channel share one bias, as they share "
                "the weights.",
            ),
            Mistake(
                "a bias for each input",
                lambda C, N, M: (9 * C * N + C, 9 * C * N * M),
                "You counted C biases. A bias belongs to what comes out: "
                "there are N.",
            ),
            Mistake(
                "a bias for each kernel",
                lambda C, N, M: (10 * C * N, 9 * C * N * M),
                "You gave each of the C N kernels a bias. Their answers are "
                "summed over the inputs first; then one bias is added.",
            ),
            Mistake(
                "one position alone",
                lambda C, N, M: (9 * C * N + N, 9 * C * N),
                "Those are the multiply-adds at one position. There are M.",
            ),
            Mistake(
                "bias multiplied",
                lambda C, N, M: (9 * C * N + N, (9 * C * N + N) * M),
                "A bias is added and multiplies nothing: (1.3) leaves it out "
                "of the multiply-adds.",
            ),
            Mistake(
                "input channels forgotten",
                lambda C, N, M: (9 * N + N, 9 * N * M),
                "A unit looks at all C channels below, with 9 weights for "
                "each.",
            ),
            Mistake(
                "pair turned round",
                lambda C, N, M: _cost(C, N, M)[::-1],
                "The numbers are right; the exercise asks for the "
                "parameters first.",
            ),
        ),
    ),
)
