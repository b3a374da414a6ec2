"""Maps that are computed by rows, as many at a time as memory should hold.

A photo of 24 megapixels has 1.5 GB of features at full size, in 16 channels.
Nothing of that size is needed at once: a convolution takes a few rows more
than it gives, and instance normalization two numbers a channel, which can be
summed up row by row. So the result is that of the whole, without seams.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from styletut.instant.network import ConditionalNorm, Convolution, doubled

STRIP = 2**26
"""Bytes of the maps that are computed at once, with all that they take."""

KEPT = 2**30
"""Bytes of maps that are kept as a whole; larger ones are computed twice,
for their moments and for what follows."""


class Maps(NamedTuple):
    """Maps (1, N, h, w) that may not have been computed yet.

    Attributes:
        channels: N.
        height: h.
        width: w.
        rows: computes the rows from one to before another, (1, N, rows, w).
        nbytes: that a row takes, with what it is computed from.
    """

    channels: int
    height: int
    width: int
    rows: Callable[[int, int], Tensor]
    nbytes: float


def stored(maps: Tensor) -> Maps:
    """Return maps that are there."""
    _, channels, height, width = maps.shape

    def rows(first: int, last: int) -> Tensor:
        return maps[:, :, first:last]

    return Maps(channels, height, width, rows, 4 * channels * width)


def convolved(source: Maps, convolution: Convolution) -> Maps:
    """Return what a convolution makes of maps."""
    _, outputs, kernel, stride = convolution.layout
    side = kernel // 2
    height, width = (
        -(-length // stride) for length in (source.height, source.width)
    )

    def rows(first: int, last: int) -> Tensor:
        begin = first * stride - side
        end = (last - 1) * stride + side + 1
        there = source.rows(max(begin, 0), min(end, source.height))
        missing = max(-begin, 0), max(end - source.height, 0)
        padded = functional.pad(
            there, (side, side, *missing), mode="replicate"
        )
        return functional.conv2d(padded, convolution.weight, stride=stride)

    taken = 2 * stride * source.nbytes  # there, and with its border
    return Maps(outputs, height, width, rows, 4 * outputs * width + taken)


def enlarged(source: Maps, height: int, width: int) -> Maps:
    """Return maps of twice the size, each entry four times, cut to a size."""

    def rows(first: int, last: int) -> Tensor:
        above = first // 2
        there = source.rows(above, (last + 1) // 2)
        twice = doubled(there, (last - 2 * above, width))
        return twice[:, :, first - 2 * above :]

    own = 2 * 4 * source.channels * width  # doubled, and doubled again
    return Maps(source.channels, height, width, rows, own + source.nbytes / 2)


def normalized(
    source: Maps, norm: ConditionalNorm, shares: Tensor, relu: bool
) -> Maps:
    """Return maps after conditional instance normalization.

    Args:
        source: before it.
        norm: with a row for each style.
        shares: how much of each row, (rows,).
        relu: whether negative values become 0 after it.
    """
    scale, shift = (
        each[:, None, None] for each in norm.affine(shares, *moments(source))
    )

    def rows(first: int, last: int) -> Tensor:
        y = torch.addcmul(shift, source.rows(first, last), scale)
        return y.relu_() if relu else y

    own = 4 * source.channels * source.width
    return source._replace(rows=rows, nbytes=own + source.nbytes)


def moments(source: Maps) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel, (N,), over all positions.

    Parts are added up in float64, each about its own mean.
    """
    shares, means, variances = [], [], []
    for first, last in strips(source):
        # sums over a matrix's rows: `var_mean` takes ten times as long
        F = source.rows(first, last).permute(0, 2, 3, 1)
        F = F.reshape(-1, source.channels)
        mean = F.sum(0) / len(F)
        shares.append((last - first) / source.height)
        means.append(mean)
        variances.append((F - mean).square_().sum(0) / len(F))
    share = torch.tensor(shares, dtype=torch.float64)[:, None]
    each = torch.stack(means).double()
    mean = (share * each).sum(0)
    variance = torch.stack(variances).double() + (each - mean) ** 2
    return mean.to(F), (share * variance).sum(0).to(F)


def kept(source: Maps) -> Maps:
    """Return maps as they are, computed once if they are not too many."""
    size = source.channels * source.height * source.width * 4
    return stored(whole(source)) if size <= KEPT else source


def whole(source: Maps) -> Tensor:
    """Compute all rows, (1, N, h, w)."""
    first_strip, *others = strips(source)
    if not others:
        return source.rows(*first_strip)
    begin = source.rows(*first_strip)
    maps = begin.new_empty(
        (1, source.channels, source.height, source.width)
    ).to(memory_format=torch.channels_last)
    maps[:, :, slice(*first_strip)] = begin
    for first, last in others:
        maps[:, :, first:last] = source.rows(first, last)
    return maps


def strips(source: Maps) -> Iterator[tuple[int, int]]:
    """Yield where strips of rows begin and end."""
    many = max(8, int(STRIP / source.nbytes))
    for first in range(0, source.height, many):
        yield first, min(first + many, source.height)
