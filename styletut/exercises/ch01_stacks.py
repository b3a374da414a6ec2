"""Exercises of notebook 01: layers on top of each other."""

from collections.abc import Sequence

from styletut.exercises.judging import Exercise, Mistake
from styletut.vgg import LAYERS

Layers = Sequence[tuple[int, int]]


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


def _own_stride_alone(layers: Layers) -> int:
    return 1 + sum((kernel - 1) * stride for kernel, stride in layers)


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


def _strides_added(layers: Layers) -> int:
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + (kernel - 1) * j, j + stride
    return r


def _stride_of(layers: Layers) -> int:
    j = 1
    for _, stride in layers:
        j *= stride
    return j


FIELD = Exercise(
    number="01.2",
    right=_field,
    praise="First what it sees, then how far apart its units lie.",
    cases=_stacks,
    mistakes=(
        Mistake(
            "stride ignored",
            _without_stride,
            "You added k - 1 for each layer. After a pooling neighbors lie "
            "further apart: multiply by j.",
        ),
        Mistake(
            "own stride first",
            _own_stride_first,
            "You changed j before r. A layer's own stride acts on the layers "
            "above it.",
        ),
        Mistake(
            "own stride alone",
            _own_stride_alone,
            "You multiplied each k - 1 by the layer's own stride. What "
            "counts are the strides of the layers below it.",
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
            "strides added",
            _strides_added,
            "You added the strides up. Two layers that each take every "
            "second unit take every fourth together.",
        ),
        Mistake(
            "wrong direction",
            lambda layers: _field(layers[::-1]),
            "You began at the top. The list runs from the bottom up, and so "
            "do r and j.",
        ),
        Mistake(
            "pair read turned round",
            lambda layers: _field([(k, s) for s, k in layers]),
            "You took the stride for the kernel. A pair is (kernel, stride).",
        ),
        Mistake(
            "returned in the loop",
            lambda layers: _field(layers[:1]),
            "It is right for the first layer, and there it ends: is your "
            "`return` inside the loop?",
        ),
        Mistake(
            "both numbers returned",
            lambda layers: (_field(layers), _stride_of(layers)),
            "You returned r and j. The exercise asks for r alone.",
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
)


def _names() -> list[tuple[str]]:
    return [(name,) for name in LAYERS]  # a table of a few is no answer


def _names_without(kind: str) -> list[str]:
    return [name for name in LAYERS if not name.startswith(kind)]


def _without_poolings(layer: str) -> int:
    below = LAYERS[: LAYERS.index(layer)]
    return sum(not name.startswith("pool") for name in below)


def _convolutions_alone(layer: str) -> int:
    kept = [name for name in LAYERS if name.startswith("conv")]
    return kept.index(layer.replace("relu", "conv"))


def _of_vgg16(layer: str) -> int:
    names = []
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for k in range(1, count + 1):
            names += [f"conv{block}_{k}", f"relu{block}_{k}"]
        names.append(f"pool{block}")
    return names.index(layer)


INDEX = Exercise(
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
            "poolings not counted",
            _without_poolings,
            "The poolings below have numbers of their own, too.",
        ),
        Mistake(
            "poolings left out of the list",
            lambda layer: _names_without("pool").index(layer),
            "Your list has no poolings. They have numbers of their own, and "
            "may be asked for.",
        ),
        Mistake(
            "ReLUs not counted",
            lambda layer: _names_without("relu").index(
                layer.replace("relu", "conv")
            ),
            "The ReLUs have numbers of their own, too.",
        ),
        Mistake(
            "ReLUs left out of the list",
            lambda layer: _names_without("relu").index(layer),
            "Your list has no ReLUs. They have numbers of their own, and may "
            "be asked for.",
        ),
        Mistake(
            "convolutions alone",
            _convolutions_alone,
            "You counted the convolutions alone. ReLUs and poolings have "
            "numbers of their own, too.",
        ),
        Mistake(
            "VGG-16",
            _of_vgg16,
            "Up to conv3_3 it is right, and then you counted VGG-16. Ours is "
            "VGG-19: how many convolutions has its third block?",
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
    ),
)
