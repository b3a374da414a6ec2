"""Pooling of 2 x 2 windows into given memory, and the way back down.

Of a max pooling the way down needs no maps, but which of a window's four
values won: a byte for each.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from styletut.kernels.onednn import DEVICES

_NOBODY = 4
"""The winner in a window where all are 0, or more."""

_STRIP = 2**20
"""Bytes of pooled maps that are taken at once, to stay in a cache."""

_WHOLE = {16: torch.int16, 32: torch.int32, 64: torch.int64}


def max_pool(maps: Tensor, out: Tensor, winners: Tensor) -> None:
    """Write each window's largest value, and which of the four it was.

    The first of equal ones wins, as in torch; nobody where all are 0.

    Args:
        maps: rectified, (1, N, H, W).
        out: where to write to, (1, N, H // 2, W // 2).
        winners: the same, uint8.
    """
    for top, last in _strips(out):
        a, b, c, d = _quarters(maps[..., 2 * top : 2 * last, :])
        largest = out[..., top:last, :]
        upper = torch.maximum(a, b)
        torch.maximum(c, d, out=largest)
        lower = _negative(upper - largest)
        right = _negative(a - b)
        # where the lower row wins, the winner among its two
        right ^= (right ^ _negative(c - d)) & lower
        torch.maximum(largest, upper, out=largest)
        right.add_(lower, alpha=2)
        right.add_(_negative(torch.rsub(largest, 0)), alpha=-_NOBODY)
        winners[..., top:last, :].copy_(right.neg_().add_(_NOBODY))


def to_winners(g: Tensor, winners: Tensor, out: Tensor) -> None:
    """Write each gradient to the winner of its window, 0 to the others.

    Args:
        g: gradient of the pooled maps, (1, N, h, w).
        winners: as `max_pool` wrote them.
        out: where to write to, (1, N, H, W).
    """
    _clear_border(out)
    for top, last in _strips(g):
        strip, winner = g[..., top:last, :], winners[..., top:last, :].to(g)
        won = torch.empty_like(winner)
        rows = out[..., 2 * top : 2 * last, :]
        for k, quarter in enumerate(_quarters(rows)):
            # as numbers, by which torch multiplies faster than it chooses
            torch.eq(winner, k, out=won)
            torch.mul(strip, won, out=quarter)


def average_pool(maps: Tensor, out: Tensor) -> None:
    """Write the mean of each window of (1, N, H, W) to (1, N, h, w)."""
    a, b, c, d = _quarters(maps)
    torch.add(a + b, c + d, out=out).mul_(0.25)


def to_all(g: Tensor, out: Tensor) -> None:
    """Write a quarter of each gradient to all four of its window."""
    _clear_border(out)
    for quarter in _quarters(out):
        torch.mul(g, 0.25, out=quarter)


def _negative(x: Tensor) -> Tensor:
    """Return -1 where x is negative and 0 elsewhere, in the memory of x.

    By the sign of its bits as whole numbers: torch compares slowly, and more
    slowly still what is in bfloat16.
    """
    bits = 8 * x.itemsize
    return x.view(_WHOLE[bits]).bitwise_right_shift_(bits - 1)


def _quarters(maps: Tensor) -> list[Tensor]:
    """Return each window's upper left, upper right, lower left, lower right.

    An odd last row or column is in no window.
    """
    h, w = (side // 2 * 2 for side in maps.shape[2:])
    return [
        maps[..., row:h:2, column:w:2] for row in (0, 1) for column in (0, 1)
    ]


def _strips(maps: Tensor) -> Iterator[tuple[int, int]]:
    """Yield first and last row of strips that stay in a cache."""
    _, N, h, w = maps.shape
    cached = maps.device.type in DEVICES
    rows = max(1, _STRIP // (N * w * maps.itemsize)) if cached else h
    tops = range(0, h, rows)
    # on "meta" nothing is written, and one strip takes the memory of each
    for top in tops[:1] if maps.is_meta else tops:
        yield top, min(h, top + rows)


def _clear_border(maps: Tensor) -> None:
    """Set to 0 an odd last row and column, which no window covers."""
    h, w = (side // 2 * 2 for side in maps.shape[2:])
    maps[..., h:, :] = 0
    maps[..., w:] = 0
