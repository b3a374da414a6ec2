"""Fast 3 x 3 convolution by kernels that never change, on a CPU.

VGG-19 is frozen and all its convolutions are 3 x 3 with stride 1 and padding
1. So an evaluation needs each of them in two directions only: upwards, and
downwards with the gradient of the maps, which is the same convolution with
its kernels turned round and channels swapped (notebook 02, (2.5)). What
depends on the kernels alone is done once.

Two forms are at hand, in float32:

- `plain`: oneDNN's convolution, with ReLU, bias or the sum with another
  tensor done in the same pass;
- `winograd`: F(4 x 4, 3 x 3) of Winograd (1980), as Lavin and Gray have it
  ("Fast algorithms for convolutional neural networks", CVPR 2016): 36
  products of matrices in place of 144 multiplications for 16 outputs.

Which of them runs is a fixed rule of the layer's shape, see `form_of`: never
a timing, so that the same machine and settings give the same bits.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

VARIABLE = "STYLETUT_CONVOLUTION"

_LAST = torch.channels_last

_SHAPE = ([1, 1], [1, 1], [1, 1], 1)  # padding, stride, dilation, groups
_POINT = ([0, 0], [1, 1], [1, 1], 1)

# Lavin and Gray 2016, section 4.1, points 0, 1, -1, 2, -2 and infinity.
_G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)

_BLOCK = 65_536
"""Tiles times channels that are transformed at once: 9 MB, so that they stay
in a cache of the third level from one step to the next."""

_MATRICES_TO_MAPS = 2.5
"""The matrices of `winograd` may take so many times the memory of a layer's
maps; a small picture is not worth more."""


def fused() -> bool:
    """Return whether oneDNN's fused operators are at hand."""
    return torch.backends.mkldnn.is_available() and hasattr(
        torch.ops.mkldnn, "_convolution_pointwise_"
    )


def enabled() -> bool:
    """Return whether the fast forms may be used.

    The environment variable STYLETUT_CONVOLUTION switches them off: "plain"
    leaves every convolution to torch.
    """
    return fused() and os.environ.get(VARIABLE, "") != "plain"


def form_of(
    channels_in: int, channels_out: int, height: int, width: int
) -> str:
    """Return "winograd" or "plain", the form that suits a layer.

    Measured on a processor with AVX-512 and two threads: with 256 channels
    at 128 x 128 positions `winograd` takes 0.6 of the time, with 128 at 256 x
    256 0.8, with 64 twice as long, for the transforms then cost more than
    they save.
    """
    fewest = min(channels_in, channels_out)
    few = fewest < 128 or (fewest < 256 and height * width < 2**14)
    # the 36 matrices, against the larger of the maps above and below
    matrices = 36 * channels_in * channels_out
    maps = max(channels_in, channels_out) * height * width
    too_large = matrices > _MATRICES_TO_MAPS * maps
    return "plain" if few or too_large else "winograd"


def kernel_bytes(
    channels_in: int, channels_out: int, height: int, width: int
) -> int:
    """Return the bytes of the kernels' form that suits a layer."""
    matrices = form_of(channels_in, channels_out, height, width) == "winograd"
    return (36 if matrices else 9) * channels_in * channels_out * 4


class Convolution:
    """A 3 x 3 convolution, stride 1, padding 1, by frozen kernels.

    Args:
        weight: (N, C, 3, 3), float32, on the CPU.
        bias: (N,), or None.
        down: Whether it takes gradients from N channels to C instead: each
            position hands its gradient to the nine that it was computed
            from, so that kernels are turned by half a turn and channels in
            and out are swapped.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, down: bool = False
    ) -> None:
        self._weight, self._bias, self._down = weight, bias, down
        sides = weight.shape[:2]
        self.channels_out, self.channels_in = (
            reversed(sides) if down else sides
        )

    def __call__(
        self, x: Tensor, out: Tensor | None = None, relu: bool = False
    ) -> Tensor:
        """Convolve maps, without a graph.

        Args:
            x: (B, C, h, w), float32; fastest with channels last.
            out: where to write to, (B, N, h, w) with channels last; a new
                tensor by default.
            relu: whether negative values become 0.

        Returns:
            (B, N, h, w) with channels last.
        """
        if x.device.type == "meta":  # it has a size, and no numbers
            shape = (len(x), self.channels_out, *x.shape[2:])
            return x.new_empty(shape) if out is None else out
        channels = self.channels_in, self.channels_out
        with torch.no_grad():
            x = x.contiguous(memory_format=_LAST)
            if form_of(*channels, *x.shape[2:]) == "winograd":
                return self._winograd(x, out, relu)
            return self._plain(x, out, relu)

    def __reduce__(self) -> tuple[Any, ...]:
        # copies and other processes make their own forms, when they need them
        return Convolution, (self._weight, self._bias, self._down)

    @cached_property
    def downwards(self) -> "Convolution":
        """The convolution that takes gradients the other way."""
        return Convolution(self._weight, down=not self._down)

    @cached_property
    def linear(self) -> "Convolution":
        """The convolution without its bias."""
        return Convolution(self._weight, down=self._down)

    def _turned(self) -> Tensor:
        if not self._down:
            return self._weight
        return turned(self._weight)

    @cached_property
    def _kernels(self) -> Tensor:
        """The kernels of the plain form, (N, C, 3, 3)."""
        return self._turned()

    def _plain(self, x: Tensor, out: Tensor | None, relu: bool) -> Tensor:
        after = "relu" if relu else None
        if out is None:
            return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
                x, self._kernels, self._bias, *_SHAPE, after or "none", [], ""
            )
        # the operator adds to what is there
        out.zero_()
        torch.ops.mkldnn._convolution_pointwise_.binary(
            out,
            x,
            self._kernels,
            self._bias,
            *_SHAPE,
            "add",
            1.0,
            after,
            [],
            "",
        )
        return out

    @cached_property
    def _matrices(self) -> list[list[Tensor]]:
        """The 36 matrices of transformed kernels, as 1 x 1 convolutions."""
        W = self._turned()
        G = W.new_tensor(_G)
        # one by one, so that they never lie in memory twice
        return [
            [_packed(torch.einsum("ncab,a,b->nc", W, g, h)) for h in G]
            for g in G
        ]

    def _winograd(self, x: Tensor, out: Tensor | None, relu: bool) -> Tensor:
        if out is None:
            shape = (len(x), self.channels_out, *x.shape[2:])
            out = torch.empty(shape, memory_format=_LAST)
        for picture, result in zip(x, out, strict=True):
            self._winograd_rows(
                picture.permute(1, 2, 0), result.permute(1, 2, 0), relu
            )
        return out

    def _winograd_rows(self, x: Tensor, out: Tensor, relu: bool) -> None:
        """Convolve one picture's (h, w, C) into (h, w, N), strip by strip."""
        h, w, C = x.shape
        down, across = -(-h // 4), -(-w // 4)
        strip = max(1, _BLOCK // (C * across))
        for top in range(0, down, strip):
            rows = min(strip, down - top)
            padded = _padded(x, 4 * top, 4 * rows, 4 * across)
            Y = self._tiles(padded, rows, across)
            y = Y.flatten(2, 3).flatten(0, 1)[: h - 4 * top, :w]
            target = out[4 * top : 4 * (top + rows)]
            if self._bias is None:
                target.copy_(y)
            else:
                torch.add(y, self._bias, out=target)
            if relu:
                target.relu_()

    def _tiles(self, padded: Tensor, rows: int, across: int) -> Tensor:
        """Return the outputs (rows, 4, across, 4, N) of a padded strip."""
        N, C = self.channels_out, self.channels_in
        over = [padded[k : k + 4 * rows - 3 : 4] for k in range(6)]
        R = padded.new_empty((6, *over[0].shape))
        _input_transform(over, R)
        over = [R[:, :, k : k + 4 * across - 3 : 4] for k in range(6)]
        V = padded.new_empty((6, 6, rows, across, C))
        _input_transform(over, V)  # V[j][i]: column j, row i
        Z = padded.new_empty((4, 6, rows, across, N))
        for j in range(6):
            M = [_product(V[j, i], self._matrices[i][j], N) for i in range(6)]
            _output_transform(M, Z[:, j])
        Y = padded.new_empty((rows, 4, across, 4, N))
        _output_transform(
            list(Z.unbind(1)), Y.permute(3, 1, 0, 2, 4)
        )  # Y[b][a]: column b, row a of each tile
        return Y


class TorchConvolution:
    """The same by torch's own kernels, for any dtype and device.

    Args:
        weight: (N, C, 3, 3).
        bias: (N,), or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight, self._bias = weight, bias
        self.channels_out, self.channels_in = weight.shape[:2]

    def __call__(
        self, x: Tensor, out: Tensor | None = None, relu: bool = False
    ) -> Tensor:
        """Convolve maps, without a graph; see `Convolution`."""
        with torch.no_grad():
            y = functional.conv2d(x, self._weight, self._bias, padding=1)
            y = y.relu_() if relu else y
            return y if out is None else out.copy_(y)

    @cached_property
    def downwards(self) -> "TorchConvolution":
        """The convolution that takes gradients the other way."""
        return TorchConvolution(turned(self._weight))


def convolve(x: Tensor, convolution: Convolution) -> Tensor:
    """Convolve maps with a graph, to any order of derivative.

    Args:
        x: (B, C, h, w), float32, on the CPU.
        convolution: By what.

    Returns:
        (B, N, h, w) with channels last.
    """
    return _Convolve.apply(x, convolution)  # type: ignore[no-any-return]


class _Convolve(torch.autograd.Function):
    """A convolution, whose derivatives are convolutions again."""

    @staticmethod
    def forward(x: Tensor, convolution: Convolution) -> Tensor:
        return convolution(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        _, ctx.convolution = inputs

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:  # type: ignore[override]
        return convolve(g, ctx.convolution.downwards), None

    @staticmethod
    def jvp(ctx: Any, dx: Tensor, _: None) -> Tensor:  # type: ignore[override]
        return convolve(dx, ctx.convolution.linear)


def turned(weight: Tensor) -> Tensor:
    """Return the kernels of the gradient's way down, notebook 02 (2.5).

    They are turned by half a turn, with channels in and out swapped.
    """
    half_turn = weight.flip(2, 3).transpose(0, 1)
    return half_turn.contiguous(memory_format=_LAST)


def _packed(matrix: Tensor) -> Tensor:
    """Lay a matrix (N, C) out as oneDNN wants it, once for all."""
    kernel = matrix[:, :, None, None].contiguous(memory_format=_LAST)
    return torch._C._nn.mkldnn_reorder_conv2d_weight(  # type: ignore[no-any-return, call-arg]
        kernel.to_mkldnn(), *_POINT, [1, matrix.shape[1], 16, 16]
    )


def _product(V: Tensor, matrix: Tensor, N: int) -> Tensor:
    """Multiply each position of V, (h, w, C), with a packed matrix (N, C)."""
    # as a 1 x 1 convolution, for oneDNN knows processors that MKL does not
    maps = V.permute(2, 0, 1)[None]
    product = torch.ops.mkldnn._convolution_pointwise(
        maps, matrix, None, *_POINT, "none", [], ""
    )
    return product[0].permute(1, 2, 0)  # type: ignore[no-any-return]


def _padded(x: Tensor, top: int, rows: int, columns: int) -> Tensor:
    """Return rows top - 1 to top + rows of (h, w, C), zeros all around."""
    h, w, C = x.shape
    padded = x.new_zeros((rows + 2, columns + 2, C))
    first, last = max(0, top - 1), min(h, top + rows + 1)
    padded[first - top + 1 : last - top + 1, 1 : w + 1] = x[first:last]
    return padded


def _input_transform(r: Sequence[Tensor], V: Tensor) -> None:
    """Write B^T r to V, with Lavin and Gray's 6 x 6 matrix B^T."""
    s, t = torch.empty_like(V[0]), torch.empty_like(V[0])
    torch.sub(r[4], r[2], alpha=4, out=s)
    torch.sub(r[3], r[1], alpha=4, out=t)
    torch.add(s, t, out=V[1])
    torch.sub(s, t, out=V[2])
    torch.sub(r[4], r[2], out=s)
    torch.sub(r[3], r[1], out=t)
    torch.add(s, t, alpha=2, out=V[3])
    torch.sub(s, t, alpha=2, out=V[4])
    V0, V5 = V[0], V[5]
    torch.sub(r[0], r[2], out=V0)
    torch.add(s, V0, alpha=4, out=V0)
    torch.sub(r[5], r[3], out=V5)
    torch.sub(V5, t, alpha=4, out=V5)


def _output_transform(m: Sequence[Tensor], Z: Tensor) -> None:
    """Write A^T m to Z, with Lavin and Gray's 4 x 6 matrix A^T."""
    sum_1, difference_1 = m[1] + m[2], m[1] - m[2]
    sum_2, difference_2 = m[3] + m[4], m[3] - m[4]
    Z0, Z1, Z2, Z3 = Z.unbind(0)
    torch.add(m[0], sum_1, out=Z0)
    torch.add(Z0, sum_2, out=Z0)
    torch.add(difference_1, difference_2, alpha=2, out=Z1)
    torch.add(sum_1, sum_2, alpha=4, out=Z2)
    torch.add(difference_1, difference_2, alpha=8, out=Z3)
    torch.add(Z3, m[5], out=Z3)
