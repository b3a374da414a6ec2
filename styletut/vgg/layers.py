"""The layers of VGG-19: their names, their sizes, and what each one sees."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from styletut.values import checked_whole, told

CONV_LAYERS = (
    "conv1_1", "conv1_2",
    "conv2_1", "conv2_2",
    "conv3_1", "conv3_2", "conv3_3", "conv3_4",
    "conv4_1", "conv4_2", "conv4_3", "conv4_4",
    "conv5_1", "conv5_2", "conv5_3", "conv5_4",
)  # fmt: skip
"""The sixteen convolutions, from the picture upwards."""

CHANNELS = (64, 128, 256, 512, 512)
"""Channels of every layer of the five blocks."""


def _layer_names() -> Iterable[str]:
    for block, convolutions in groupby(CONV_LAYERS, key=lambda name: name[4]):
        for name in convolutions:
            yield name
            yield name.replace("conv", "relu")
        yield f"pool{block}"


LAYERS: tuple[str, ...] = tuple(_layer_names())
"""All 37 layers from the picture upwards: `conv4_2` is the convolution's
output, `relu4_2` the same after the ReLU, `pool4` ends the block."""


class ReceptiveField(NamedTuple):
    """What one position of a layer sees of the picture, in pixels."""

    size: int
    stride: int


def check_layers(layers: Iterable[str]) -> tuple[str, ...]:
    """Return `layers` as a tuple, or raise ValueError naming a wrong one."""
    alone = isinstance(layers, str) or not hasattr(layers, "__iter__")
    names: tuple[Any, ...] = (layers,) if alone else tuple(layers)
    for name in names:
        if not isinstance(name, str) or name not in LAYERS:
            raise ValueError(
                f"VGG-19 has no layer {told(name)}; "
                f"its layers are {', '.join(LAYERS)}"
            )
    return names


def receptive_field(layer: str) -> ReceptiveField:
    """Return the side of the square that one unit of `layer` sees.

    Every layer with a k x k window and stride s turns (size, stride) =
    (r, j) into (r + (k - 1) j, s j); a picture's pixel has (1, 1). Notebook
    01, (1.4).

    Raises:
        ValueError: if there is no such layer.
    """
    check_layers([layer])
    size, stride = 1, 1
    for name in LAYERS[: LAYERS.index(layer) + 1]:
        if name.startswith("conv"):
            size += 2 * stride
        elif name.startswith("pool"):
            size += stride
            stride *= 2
    return ReceptiveField(size, stride)


def feature_shape(layer: str, height: int, width: int) -> tuple[int, int, int]:
    """Return (N, h, w) of `layer` for a picture of height x width pixels.

    Convolutions pad and keep the size; each pooling halves and rounds down.

    Raises:
        ValueError: if there is no such layer or nothing is left of it.
    """
    stride = receptive_field(layer).stride
    height = checked_whole("a picture's height", height, 0)
    width = checked_whole("a picture's width", width, 0)
    if min(height, width) < stride:
        raise ValueError(
            f"a picture of {width} x {height} pixels is too small for "
            f"{layer}: its shorter side must be at least {stride} pixels"
        )
    channels = CHANNELS[int(layer[4]) - 1]
    return channels, height // stride, width // stride


def up_to_deepest(layers: Iterable[str]) -> tuple[str, ...]:
    """Return all layers from the picture to the deepest of some."""
    return LAYERS[: max(map(LAYERS.index, layers)) + 1]


def up_to_next_convolution(layer: str) -> tuple[str, ...]:
    """Return all layers from the picture to before the next convolution."""
    following = LAYERS[LAYERS.index(layer) + 1 :]
    count = next(
        (n for n, name in enumerate(following) if name.startswith("conv")),
        len(following),
    )
    return LAYERS[: LAYERS.index(layer) + 1 + count]


def convolutions_below(layers: Iterable[str]) -> tuple[str, ...]:
    """Return the convolutions from the picture to the deepest of layers."""
    needed = up_to_deepest(check_layers(layers))
    return tuple(name for name in needed if name.startswith("conv"))
