"""Products of matrices, on a CPU in float32 by oneDNN in place of MKL.

torch hands its products to MKL, which does not make use of every processor:
on an AMD processor with AVX-512, oneDNN was measured to take half the time.
oneDNN's linear layer and 1 x 1 convolution are such products.

Gram matrices of maps in bfloat16 are float32.
"""

from typing import Any

import torch
from torch import Tensor

from styletut.kernels.onednn import DEVICES, suits

_POINT = ([0, 0], [1, 1], [1, 1], 1)  # padding, stride, dilation, groups

_CHUNK = 2**18
"""Numbers of a tall matrix that are taken at once: 1 MB, which stay in a
cache while they are turned."""


_PIECES = 32
"""Into so many parts a sum over positions is cut in bfloat16, into fewer
where the matrix is large."""


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


def _inner_products_of_few_digits(columns: Tensor) -> Tensor:
    """Return the same of bfloat16 numbers, (N, N), in float32.

    A product comes out of oneDNN with the digits of bfloat16, although it
    was added up in float32. So it is taken in pieces, which are added up in
    float32: the rounding of each is small beside that of the maps.
    """
    M, N = columns.shape
    count = max(1, min(_PIECES, _PIECES * 256**2 // N**2, M))
    rows = M // count
    pieces = columns[: count * rows].view(count, rows, N)
    G = torch.bmm(pieces.mT, pieces).sum(0, dtype=torch.float32)
    rest = columns[count * rows :]
    return G if len(rest) == 0 else G.add_(rest.mT @ rest)


def add_product(g: Tensor, F: Tensor, matrix: Tensor) -> None:
    """Add `matrix` times F to g at each position, in place.

    Args:
        g: (1, N, h, w), of any dtype and device; fastest with channels last.
        F: (1, C, h, w), the same.
        matrix: (N, C), symmetric.
    """
    if not g.is_contiguous(memory_format=torch.channels_last):
        product = F.permute(0, 2, 3, 1) @ matrix.to(F.dtype)
        g.permute(0, 2, 3, 1).add_(product)
    elif suits(g):
        sum_up: Any = torch.ops.mkldnn._convolution_pointwise_.binary
        kernels = matrix[:, :, None, None]
        sum_up(g, F, kernels, None, *_POINT, "add", 1.0, None, [], "")
    else:
        _columns(g).addmm_(_columns(F), matrix.to(F.dtype))


def _columns(F: Tensor) -> Tensor:
    """Return maps (1, N, h, w) as a matrix (M, N) that shares its memory."""
    return F.permute(0, 2, 3, 1).flatten(1, 2)[0]


def as_matrix(F: Tensor) -> Tensor:
    """Return feature maps as (..., N, M), a row for each channel.

    Maps (B, N, h, w) with channels last are turned without a copy: they lie
    in memory as the matrix's transpose.
    """
    if F.ndim != 4:
        return F
    if F.is_contiguous(memory_format=torch.channels_last):
        return F.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2)
    return F.flatten(2)


def gram(F: Tensor) -> Tensor:
    """Return F F^T for F (..., N, M), to any order of derivative."""
    return _Gram.apply(F)  # type: ignore[no-any-return]


def _gram_of_few_digits(F: Tensor) -> Tensor:
    """Return F F^T, in float32, of maps in bfloat16."""
    if F.device.type not in DEVICES:
        F = F.float()
        return F @ F.transpose(-1, -2)
    if F.ndim == 2:
        return _inner_products_of_few_digits(F.T)
    return torch.stack([_inner_products_of_few_digits(each.T) for each in F])


class _Gram(torch.autograd.Function):
    """F F^T with the derivative's two equal products taken as one.

    Of bfloat16 maps it is float32.

    dG = dF F^T + F dF^T, so the gradient is (g + g^T) F for an incoming g;
    autograd would multiply g and g^T with F one after the other.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(F: Tensor) -> Tensor:
        if suits(F):
            if F.ndim == 2:
                return inner_products(F.T)
            return torch.stack([inner_products(each.T) for each in F])
        if F.dtype == torch.bfloat16:
            return _gram_of_few_digits(F)
        return F @ F.transpose(-1, -2)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        (F,) = ctx.saved_tensors
        both = (g + g.transpose(-1, -2)).to(F.dtype)
        if F.stride(-1) == 1:
            return both @ F
        # laid out as F is, so that gradients are added up quickly
        return (F.transpose(-1, -2) @ both).transpose(-1, -2)

    @staticmethod
    def jvp(ctx: Any, dF: Tensor) -> Tensor:  # type: ignore[override]
        (F,) = ctx.saved_tensors
        half = dF @ F.transpose(-1, -2)
        if F.dtype == torch.bfloat16:
            half = half.float()
        return half + half.transpose(-1, -2)
