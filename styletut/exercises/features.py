"""Exercises of notebook 01: pictures and features."""

from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.exercises.verdict import Exercise, Mistake
from styletut.vgg import IMAGENET_MEAN, IMAGENET_STD, LAYERS, OXFORD_MEAN

_MEAN = torch.tensor(OXFORD_MEAN, dtype=torch.float64)[:, None, None]

Layers = Sequence[tuple[int, int]]


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


def _stacks() -> list[tuple[Layers]]:
    return [
        ([(3, 1), (3, 1), (2, 2)],),
        ([(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (2, 2), (3, 1)],),
        ([(11, 4), (3, 2), (5, 1)],),
        ([(7, 2)],),
        ([(1, 3), (4, 1), (1, 1)],),
    ]


def _field(layers: Layers) -> int:
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + (kernel - 1) * j, j * stride
    return r


def _without_stride(layers: Layers) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _own_stride_first(layers: Layers) -> int:
    r, j = 1, 1
    for kernel, stride in layers:
        j *= stride
        r += (kernel - 1) * j
    return r


def _whole_kernel(layers: Layers) -> int:
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + kernel * j, j * stride
    return r


def _last_stride_alone(layers: Layers) -> int:
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + (kernel - 1) * j, stride
    return r


def _stride_of(layers: Layers) -> int:
    j = 1
    for _, stride in layers:
        j *= stride
    return j


_NAMES = ("conv1_1", "relu1_2", "pool1", "relu3_4", "conv4_2", "relu4_2")
_DEEP = ("relu5_1", "pool4", "conv5_4")


def _names() -> list[tuple[str]]:
    return [(name,) for name in _NAMES + _DEEP]


def _without_poolings(layer: str) -> int:
    return LAYERS.index(layer) - sum(
        name.startswith("pool") for name in LAYERS[: LAYERS.index(layer)]
    )


def _without_relus(layer: str) -> int:
    kept = [name for name in LAYERS if not name.startswith("relu")]
    return kept.index(layer.replace("relu", "conv"))


def _layers() -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    cases = []
    for N, C in ((2, 3), (3, 3), (4, 1)):
        count = N * C * 9
        W = torch.arange(1, count + 1, dtype=torch.float64).square().sin()
        b = torch.arange(1, N + 1, dtype=torch.float64).cos()
        m_in = torch.arange(1, C + 1, dtype=torch.float64) * 0.7 + 1
        m_out = torch.arange(1, N + 1, dtype=torch.float64) * 1.3 + 2
        cases.append((W.reshape(N, C, 3, 3), b, m_in, m_out))
    return cases


def _rescaled(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    ratio = m_in[None, :] / m_out[:, None]
    return W * ratio[..., None, None], b / m_out


def _input_forgotten(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    return _rescaled(W, b, torch.ones_like(m_in), m_out)


def _turned_round(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    return _rescaled(W, b, 1 / m_in, 1 / m_out)


def _both_divided(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    return _rescaled(W, b, 1 / m_in, m_out)


def _bias_as_it_was(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    return _rescaled(W, b, m_in, m_out)[0], b


def _bias_multiplied(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> tuple[Tensor, Tensor]:
    return _rescaled(W, b, m_in, m_out)[0], b * m_out


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
    Exercise(
        number="01.2",
        right=_field,
        praise="First what it sees, then how far apart its units lie.",
        cases=_stacks,
        mistakes=(
            Mistake(
                "stride ignored",
                _without_stride,
                "You added k - 1 for each layer. After a pooling neighbors "
                "lie further apart: multiply by j.",
            ),
            Mistake(
                "own stride first",
                _own_stride_first,
                "You changed j before r. A layer's own stride acts on the "
                "layers above it.",
            ),
            Mistake(
                "whole kernel added",
                _whole_kernel,
                "k neighbors have k - 1 gaps between the first and the last.",
            ),
            Mistake(
                "last stride alone",
                _last_stride_alone,
                "Strides multiply up: j is the product of all below, not the "
                "last one.",
            ),
            Mistake(
                "start forgotten",
                lambda layers: _field(layers) - 1,
                "It is one too small: a pixel sees itself, r begins at 1.",
            ),
            Mistake(
                "stride for field",
                _stride_of,
                "That is j, the distance of two neighboring units.",
            ),
        ),
    ),
    Exercise(
        number="01.3",
        right=LAYERS.index,
        praise="Convolutions, ReLUs and poolings all count, from 0.",
        cases=_names,
        mistakes=(
            Mistake(
                "counted from 1",
                lambda layer: LAYERS.index(layer) + 1,
                "You are one too far: Python counts from 0.",
            ),
            Mistake(
                "convolution for ReLU",
                lambda layer: LAYERS.index(layer.replace("relu", "conv")),
                "For a ReLU you gave the number of its convolution.",
            ),
            Mistake(
                "ReLU for convolution",
                lambda layer: LAYERS.index(layer.replace("conv", "relu")),
                "For a convolution you gave the number of its ReLU.",
            ),
            Mistake(
                "poolings not counted",
                _without_poolings,
                "The poolings below have numbers of their own, too.",
            ),
            Mistake(
                "ReLUs not counted",
                _without_relus,
                "The ReLUs have numbers of their own, too.",
            ),
        ),
    ),
    Exercise(
        number="01.4",
        right=_rescaled,
        praise="Each layer divides, and the next one undoes it.",
        cases=_layers,
        mistakes=(
            Mistake(
                "input means forgotten",
                _input_forgotten,
                "The maps that come in have been divided by m_in: who makes "
                "up for that?",
            ),
            Mistake(
                "ratio turned round",
                _turned_round,
                "You divided where (1.6) multiplies, and the other way round.",
            ),
            Mistake(
                "both divided",
                _both_divided,
                "You divided by the input means as well. They come in "
                "already divided.",
            ),
            Mistake(
                "bias as it was",
                _bias_as_it_was,
                "The bias is part of the sum that is divided by m_out.",
            ),
            Mistake(
                "bias multiplied",
                _bias_multiplied,
                "The bias must become smaller with the output, not larger.",
            ),
        ),
    ),
)
