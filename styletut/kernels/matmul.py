"""Products of matrices on a CPU in float32, by oneDNN in place of MKL.

torch hands its products to MKL, which does not make use of every processor:
on an AMD processor with AVX-512, oneDNN was measured to take half the time.
oneDNN's linear layer and 1 x 1 convolution are such products.
"""

from typing import Any

import torch
from torch import Tensor

_POINT = ([0, 0], [1, 1], [1, 1], 1)  # padding, stride, dilation, groups

_CHUNK = 2**18
"""Numbers of a tall matrix that are taken at once: 1 MB, which stay in a
cache while they are turned."""


def product(x: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x matrix^T + bias.

    Args:
        x: (M, C), float32, on the CPU.
        matrix: (N, C), laid out by rows or by columns.
        bias: (N,).

    Returns:
        (M, N).
    """
    return torch.ops.mkldnn._linear_pointwise(  # type: ignore[no-any-return]
        x, matrix, bias, "none", [], ""
    )


def inner_products(columns: Tensor) -> Tensor:
    """Return the inner products of a tall matrix's columns, (N, N).

    Args:
        columns: (M, N), float32, on the CPU.
    """
    chunks = columns.split(max(1, _CHUNK // columns.shape[1]))
    G = product(chunks[0].T, chunks[0].T)
    for chunk in chunks[1:]:
        G += product(chunk.T, chunk.T)
    return G


def add_product(g: Tensor, F: Tensor, matrix: Tensor) -> None:
    """Add `matrix` times F to g at each position, in place.

    Args:
        g: (1, N, h, w), float32, on the CPU, with channels last.
        F: (1, C, h, w), the same.
        matrix: (N, C).
    """
    sum_up: Any = torch.ops.mkldnn._convolution_pointwise_.binary
    kernels = matrix[:, :, None, None]
    sum_up(g, F, kernels, None, *_POINT, "add", 1.0, None, [], "")
