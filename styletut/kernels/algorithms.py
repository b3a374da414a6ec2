"""Which algorithm convolves a layer: a fixed rule, or measured times.

The algorithms are those of `kernels.convolution`. The rule was found with
`benchmarks/convolution.py`, whose tables lie beside it. Times measured on the
machine at hand (`kernels.timings`) take the place of the rule. Nothing is
ever timed within a run, so that the same machine, settings and table give the
same bits.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from styletut.kernels import processor

TILES = {"winograd4": 4, "winograd2": 2}
"""Outputs a side of a tile, for each of Winograd's algorithms."""

ALGORITHMS = (*TILES, "plain")

_MATRICES_TO_MAPS = {"winograd4": 8, "winograd2": 32}
"""An algorithm's matrices may take so many times the memory of a layer's
maps; a small picture is not worth more."""


class Layer(NamedTuple):
    """What a layer's speed depends on, the same in both directions."""

    few: int  # the smaller and
    many: int  # the larger of its numbers of channels, in and out
    positions: int


class Measured(NamedTuple):
    """Milliseconds of each algorithm in a layer."""

    layer: Layer
    milliseconds: Mapping[str, float]


def rule(layer: Layer, threads: int) -> str:
    """Return the algorithm that suits a layer on most machines.

    Winograd's algorithms save multiplications and cost transforms, which are
    bound by memory: they gain with many channels, and less where a wide
    instruction set or a second thread hastens the multiplications. With few
    channels the plain one is then ahead. Many outputs a tile save more, but
    share their matrix products out among fewer positions.

    On Intel's processors, whose plain convolution is better still, two
    threads gain with 128 channels on one side and more on the other.
    """
    wide = torch.backends.cpu.get_cpu_capability() != "AVX2"
    enough = 128 if wide and threads > 1 else 64
    if layer.few < enough or (wide and layer.many < 128):
        return "plain"
    if processor.by_intel() and wide and threads > 1 and layer.many < 256:
        return "plain"
    small = layer.positions <= 32 * 32
    algorithms = fitting(layer)
    return next(
        each for each in algorithms if not (small and each == "winograd4")
    )


def fitting(layer: Layer) -> list[str]:
    """Return those whose matrices are worth their memory, the best first."""
    return [
        algorithm
        for algorithm in ALGORITHMS
        if algorithm == "plain"
        or (TILES[algorithm] + 2) ** 2 * layer.few
        <= _MATRICES_TO_MAPS[algorithm] * layer.positions
    ]


def chosen(layer: Layer, table: Sequence[Measured]) -> str | None:
    """Return the algorithm that was fastest where a table has such a layer.

    That is the measured layer of the same channels with the nearest number
    of positions, by their ratio.
    """
    alike = [each for each in table if each.layer[:2] == layer[:2]]
    if not alike:
        return None
    nearest = min(
        alike,
        key=lambda each: abs(math.log(each.layer.positions / layer.positions)),
    )
    known = [
        algorithm
        for algorithm in fitting(layer)
        if algorithm in nearest.milliseconds
    ]
    return min(known, key=nearest.milliseconds.__getitem__, default=None)
