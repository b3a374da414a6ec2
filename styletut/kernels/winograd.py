"""Winograd's minimal filtering for 3 x 3 convolutions, in plain torch.

F(m x m, 3 x 3) of Winograd (1980), as Lavin and Gray have it ("Fast
algorithms for convolutional neural networks", CVPR 2016): a tile Y of m x m
outputs depends on n x n inputs d, n = m + 2, and

    Y = A^T [(G g G^T) * (B^T d B)] A

takes n^2 multiplications for each pair of channels in place of 9 m^2: 36 in
place of 144 for m = 4, 16 in place of 36 for m = 2. Over all tiles and
channels these are n^2 products of matrices; G g G^T depends on the kernels g
alone.

The n points of interpolation are 0, 1, -1 and infinity and, for m = 4, also
2 and 1/2: the reciprocal of each point is there. A kernel that is turned
round has its values at the reciprocals, so the matrices of the way up,
transposed and in another order, are those of the way down: they lie in
memory once.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.kernels import processor
from styletut.kernels.buffers import scratch
from styletut.kernels.matmul import product

_BLOCK = 65_536
"""Tiles times channels that are transformed at once: 9 MB for m = 4, so that
they stay in a cache of the third level from one step to the next."""


_Write = Callable[[Sequence[Tensor], Sequence[Tensor] | Tensor], None]


class _Algorithm(NamedTuple):
    G: tuple[tuple[float, float, float], ...]  # a row for each point
    reciprocal: tuple[int, ...]  # the number of each point's reciprocal
    write_input: _Write  # by B^T
    write_output: _Write  # by A^T


def _input_2(d: Sequence[Tensor], V: Sequence[Tensor] | Tensor) -> None:
    """Write B^T d to V, points 0, 1, -1 and infinity."""
    torch.sub(d[0], d[2], out=V[0])
    torch.add(d[1], d[2], out=V[1])
    torch.sub(d[2], d[1], out=V[2])
    torch.sub(d[3], d[1], out=V[3])


def _output_2(m: Sequence[Tensor], Y: Sequence[Tensor] | Tensor) -> None:
    """Write A^T m to Y, points 0, 1, -1 and infinity."""
    torch.add(m[0], m[1], out=Y[0]).add_(m[2])
    torch.sub(m[3], m[2], out=Y[1]).add_(m[1])


def _input_4(d: Sequence[Tensor], V: Sequence[Tensor] | Tensor) -> None:
    """Write B^T d to V, points 0, 1, -1, 2, 1/2 and infinity."""
    even = scratch("even", V[0].shape)
    odd = V[4]
    torch.sub(d[4], d[2], out=even)
    torch.sub(d[1], d[3], out=odd)
    torch.sub(d[0], d[4], out=V[0]).sub_(odd, alpha=2.5)
    torch.sub(d[5], d[1], out=V[5]).sub_(even, alpha=2.5)
    torch.add(even, odd, alpha=0.5, out=V[3])
    odd.add_(even, alpha=0.5)
    inner = torch.add(d[2], d[3], out=even)
    torch.add(d[1], d[4], out=V[1]).sub_(inner, alpha=1.5)
    inner = torch.sub(d[3], d[2], out=even)
    torch.sub(d[4], d[1], out=V[2]).sub_(inner, alpha=3.5)


def _output_4(m: Sequence[Tensor], Y: Sequence[Tensor] | Tensor) -> None:
    """Write A^T m to Y, points 0, 1, -1, 2, 1/2 and infinity."""
    torch.add(m[1], m[2], out=Y[2])
    torch.sub(m[1], m[2], out=Y[1])
    torch.add(Y[2], m[0], out=Y[0]).add_(m[3]).add_(m[4], alpha=8)
    torch.add(Y[1], m[5], out=Y[3]).add_(m[3], alpha=8).add_(m[4])
    Y[1].add_(m[3], alpha=2).add_(m[4], alpha=4)
    Y[2].add_(m[3], alpha=4).add_(m[4], alpha=2)


# with point p, A has the row p^0 ... p^(m - 1) and G p^0, p^1, p^2, up to
# factors; each is chosen so that the row of 1/p is that of p turned round
_ALGORITHMS = {
    2: _Algorithm(
        ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
        (3, 1, 2, 0),
        _input_2,
        _output_2,
    ),
    4: _Algorithm(
        (
            (1, 0, 0),
            (-1, -1, -1),
            (1 / 9, -1 / 9, 1 / 9),
            (1 / 9, 2 / 9, 4 / 9),
            (4 / 9, 2 / 9, 1 / 9),
            (0, 0, 1),
        ),
        (5, 1, 2, 4, 3, 0),
        _input_4,
        _output_4,
    ),
}


def matrices(weight: Tensor, m: int) -> Tensor:
    """Return G g G^T for all pairs of channels.

    Args:
        weight: kernels g, (N, C, 3, 3), float32.
        m: 2 or 4, outputs a side of a tile.

    Returns:
        (m + 2, m + 2, N, C): for each pair of points a matrix.
    """
    G = weight.new_tensor(_ALGORITHMS[m].G)
    rows = weight.permute(2, 3, 0, 1).reshape(9, -1)
    n, (N, C) = len(G), weight.shape[:2]
    return (torch.kron(G, G) @ rows).view(n, n, N, C)


def convolve(
    x: Tensor,
    matrices: Tensor,
    bias: Tensor | None,
    out: Tensor,
    down: bool = False,
) -> None:
    """Convolve one picture's maps, padded by zeros.

    Args:
        x: (h, w, C), float32, on the CPU.
        matrices: (m + 2, m + 2, N, C) as the function of that name has it.
        bias: (N,), or None.
        out: (h, w, N), where to write to.
        down: Whether it is the way down: x has N channels then, out C.
    """
    n = len(matrices)
    m = n - 2
    order = _ALGORITHMS[m].reciprocal if down else range(n)
    transform = _at_once if processor.by_intel() else _one_by_one
    if down:
        matrices = matrices.transpose(2, 3)
    h, w, channels = x.shape
    tall, across = -(-h // m), -(-w // m)
    strip = max(1, _BLOCK // (max(channels, out.shape[2]) * across))
    for top in range(0, tall, strip):
        rows = min(strip, tall - top)
        padded = _padded(x, m * top, m * rows, m * across)
        Z = transform(padded, matrices, order, bias, rows, across)
        _write(Z, out[m * top : m * (top + rows)])


def _one_by_one(
    padded: Tensor,
    matrices: Tensor,
    order: Sequence[int],
    bias: Tensor | None,
    rows: int,
    across: int,
) -> list[Tensor]:
    """Return A^T of the products, the columns of tiles apart.

    Products are oneDNN's, one after the other, each in a cache when A^T
    comes to it.

    Args:
        padded: (m rows + 2, m across + 2, C).
        matrices: (n, n, N, C).
        order: where the matrices of each point are among them.
        bias: (N,), or None.
        rows: of tiles.
        across: tiles in a row.

    Returns:
        n tensors (m, rows, across, N).
    """
    n, N = len(matrices), matrices.shape[2]
    m, C = n - 2, padded.shape[2]
    algorithm = _ALGORITHMS[m]
    V = scratch("V", (n, n, rows, across, C))
    _write_input(padded, list(V), range(n), rows, across)
    Z = scratch("Z", (n, m, rows, across, N))
    for j in range(n):
        M = [
            product(
                V[j, i].view(-1, C),
                matrices[order[i], order[j]],
                # A has only ones at the point 1: so comes the bias to all
                bias if i == j == 1 else None,
            ).view(rows, across, N)
            for i in range(n)
        ]
        algorithm.write_output(M, Z[j])
    return list(Z)


def _at_once(
    padded: Tensor,
    matrices: Tensor,
    order: Sequence[int],
    bias: Tensor | None,
    rows: int,
    across: int,
) -> list[Tensor]:
    """Do as `_one_by_one` does, by one batch of MKL's products.

    On Intel's processors these are faster, and so many operations fewer cost
    less waiting.
    """
    n, N = len(matrices), matrices.shape[2]
    m, C = n - 2, padded.shape[2]
    V = scratch("V", (n, n, rows, across, C))  # row of tile first
    columns = [V[:, j] for j in order]
    _write_input(padded, columns, order, rows, across)
    M = scratch("M", (n, n, rows, across, N))
    torch.bmm(
        V.view(n * n, -1, C),
        matrices.flatten(0, 1).mT,
        out=M.view(n * n, -1, N),
    )
    if bias is not None:
        M[order[1], order[1]].add_(bias)
    Z = scratch("Z", (m, n, rows, across, N))
    _ALGORITHMS[m].write_output([M[i] for i in order], Z)
    return [Z[:, j] for j in order]


def _write_input(
    padded: Tensor,
    columns: Sequence[Tensor],
    order: Sequence[int],
    rows: int,
    across: int,
) -> None:
    """Write B^T d B.

    Args:
        padded: (m rows + 2, m across + 2, C), with all tiles d.
        columns: where to write to, for each point of a row of tiles (n, rows,
            across, C).
        order: where the points of a column are in these.
        rows: of tiles.
        across: tiles in a row.
    """
    n = len(columns)
    m = n - 2
    write = _ALGORITHMS[m].write_input
    R = scratch("R", (n, rows, *padded.shape[1:]))
    d = [padded[k : k + m * (rows - 1) + 1 : m] for k in range(n)]
    write(d, [R[i] for i in order])
    d = [R[:, :, k : k + m * (across - 1) + 1 : m] for k in range(n)]
    write(d, columns)


def _write(Z: Sequence[Tensor], out: Tensor) -> None:
    """Write Z A to a strip of (h, w, N), without what is past its border."""
    m, rows, across, N = Z[0].shape
    fits = out.shape[:2] == (m * rows, m * across)
    Y = out if fits else scratch("Y", (m * rows, m * across, N))
    tiles = Y.view(rows, m, across, m, N)
    # column and row of each tile first
    _ALGORITHMS[m].write_output(Z, tiles.permute(3, 1, 0, 2, 4))
    if not fits:
        out.copy_(Y[: out.shape[0], : out.shape[1]])


def _padded(x: Tensor, top: int, rows: int, columns: int) -> Tensor:
    """Return rows top - 1 to top + rows of (h, w, C), zeros all around."""
    h, w, C = x.shape
    padded = scratch("padded", (rows + 2, columns + 2, C))
    first, last = max(0, top - 1), min(h, top + rows + 1)
    above, below = first - top + 1, last - top + 1
    padded[:above] = 0
    padded[below:] = 0
    padded[above:below, 0] = 0
    padded[above:below, w + 1 :] = 0
    padded[above:below, 1 : w + 1] = x[first:last]
    return padded
