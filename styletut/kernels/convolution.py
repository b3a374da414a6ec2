"""Fast 3 x 3 convolution by kernels that never change, on a CPU.

VGG-19 is frozen and all its convolutions are 3 x 3 with stride 1 and padding
1. So an evaluation needs each of them in two directions only: upwards, and
downwards with the gradient of the maps, which is the same convolution with
its kernels turned round and channels swapped (notebook 02, (2.5)). What
depends on the kernels alone is done once.

Three algorithms are at hand in float32, by `Convolution`:

- `plain`: oneDNN's convolution, with ReLU, bias or the sum with another
  tensor done in the same pass;
- `winograd4` and `winograd2`: F(4 x 4, 3 x 3) and F(2 x 2, 3 x 3), see
  `kernels.winograd`.

Which of them runs is told by `kernels.timings.algorithm_for`, never by a
timing within a run, so that the same machine and settings give the same bits.

`PackedConvolution` is oneDNN's in bfloat16, and `TorchConvolution` torch's for
whatever else there is.
"""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from styletut.kernels import winograd
from styletut.kernels.algorithms import TILES
from styletut.kernels.timings import algorithm_for

_LAST = torch.channels_last

_SHAPE = ([1, 1], [1, 1], [1, 1], 1)  # padding, stride, dilation, groups


def kernel_bytes(
    channels_in: int, channels_out: int, height: int, width: int
) -> int:
    """Return the bytes that both directions keep, beside the kernels."""
    algorithm = algorithm_for(channels_in, channels_out, height, width)
    pairs = 4 * channels_in * channels_out
    if algorithm != "plain":
        return (TILES[algorithm] + 2) ** 2 * pairs
    return 9 * pairs if 9 * channels_in <= height * width else 0


class Convolution:
    """A 3 x 3 convolution, stride 1, padding 1, by frozen kernels.

    Args:
        weight: (N, C, 3, 3), float32, on the CPU.
        bias: (N,), or None.
        down: Whether it takes gradients from N channels to C instead: each
            position hands its gradient to the nine that it was computed
            from, so that kernels are turned by half a turn and channels in
            and out are swapped.
        algorithm: "plain", "winograd2" or "winograd4"; by default what suits
            the size of the maps.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        down: bool = False,
        algorithm: str | None = None,
    ) -> None:
        self._weight, self._bias, self._down = weight, bias, down
        self._algorithm = algorithm
        sides = weight.shape[:2]
        self.channels_out, self.channels_in = (
            reversed(sides) if down else sides
        )
        self._made: dict[Hashable, Tensor] = {}

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
        if x.is_meta:
            return _outline(x, self.channels_out, out)
        channels = self.channels_in, self.channels_out
        algorithm = self._algorithm or algorithm_for(*channels, *x.shape[2:])
        with torch.no_grad():
            x = x.contiguous(memory_format=_LAST)
            if algorithm == "plain":
                return self._plain(x, out, relu)
            return self._winograd(TILES[algorithm], x, out, relu)

    def __reduce__(self) -> tuple[Any, ...]:
        # copies and other processes make what they need of the kernels anew
        return Convolution, (
            self._weight,
            self._bias,
            self._down,
            self._algorithm,
        )

    @cached_property
    def downwards(self) -> "Convolution":
        """The convolution that takes gradients the other way."""
        return self._sharing(not self._down)

    @cached_property
    def linear(self) -> "Convolution":
        """The convolution without its bias."""
        return self._sharing(self._down)

    def _sharing(self, down: bool) -> "Convolution":
        other = Convolution(self._weight, None, down, self._algorithm)
        other._made = self._made
        return other

    def _once(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Return what is made of the kernels, for both directions.

        Only what was asked for last is kept: pictures have one size at a
        time, and each algorithm takes as much memory as the kernels or more.
        """
        made = self._made.get(key)
        if made is None:
            self._made.clear()
            with torch.inference_mode(False):  # to be of use outside it too
                made = self._made[key] = make()
        return made

    def _plain(self, x: Tensor, out: Tensor | None, relu: bool) -> Tensor:
        kernels, after = self._weight, "relu" if relu else None
        if self._down and kernels.numel() > x.numel():
            # a turned copy would take more memory than it is worth
            y = functional.conv_transpose2d(x, kernels, self._bias, padding=1)
            y = y.relu_() if relu else y
            return y if out is None else out.copy_(y)
        if self._down:
            kernels = self._once("turned", lambda: turned(self._weight))
        if out is None:
            return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
                x, kernels, self._bias, *_SHAPE, after or "none", [], ""
            )
        _add_convolved(out.zero_(), x, kernels, self._bias, after)
        return out

    def _winograd(
        self, m: int, x: Tensor, out: Tensor | None, relu: bool
    ) -> Tensor:
        matrices = self._once(
            ("winograd", m), lambda: winograd.matrices(self._weight, m)
        )
        if out is None:
            shape = (len(x), self.channels_out, *x.shape[2:])
            out = torch.empty(shape, dtype=x.dtype, memory_format=_LAST)
        for maps, result in zip(x, out, strict=True):
            winograd.convolve(
                maps.permute(1, 2, 0),
                matrices,
                self._bias,
                result.permute(1, 2, 0),
                self._down,
            )
        return out.relu_() if relu else out


class PackedConvolution:
    """The same by oneDNN in bfloat16 on a CPU, sums taken in float32.

    Kernels are brought into the order that its units take them in once for
    each size of maps, not at each call.

    Args:
        weight: (N, C, 3, 3), bfloat16.
        bias: (N,), or None.
        down: Whether it takes gradients downwards; see `Convolution`.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, down: bool = False
    ) -> None:
        self._weight, self._bias, self._down = weight, bias, down
        sides = weight.shape[:2]
        self.channels_out, self.channels_in = (
            reversed(sides) if down else sides
        )
        self._packed: tuple[torch.Size, Tensor] | None = None

    def __call__(
        self, x: Tensor, out: Tensor | None = None, relu: bool = False
    ) -> Tensor:
        """Convolve maps, without a graph; see `Convolution`."""
        if x.is_meta:
            return _outline(x, self.channels_out, out)
        x = x.contiguous(memory_format=_LAST)
        after = "relu" if relu else None
        with torch.no_grad():
            kernels = self._kernels(x.shape)
            if out is None:
                return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
                    x, kernels, self._bias, *_SHAPE, after or "none", [], ""
                )
            _add_convolved(out.zero_(), x, kernels, self._bias, after)
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedConvolution, (self._weight, self._bias, self._down)

    @cached_property
    def downwards(self) -> "PackedConvolution":
        """The convolution that takes gradients the other way."""
        return PackedConvolution(self._weight, None, not self._down)

    def _kernels(self, shape: torch.Size) -> Tensor:
        packed = self._packed  # another thread may put its own there
        if packed is None or packed[0] != shape:
            weight = turned(self._weight) if self._down else self._weight
            with torch.inference_mode(False):  # to be of use outside it too
                kernels = torch.ops.mkldnn._reorder_convolution_weight(
                    weight, *_SHAPE, list(shape)
                )
            packed = self._packed = shape, kernels
        return packed[1]


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


def _outline(x: Tensor, channels: int, out: Tensor | None) -> Tensor:
    """Return convolved maps where these have a size, and no numbers."""
    shape = (len(x), channels, *x.shape[2:])
    return x.new_empty(shape) if out is None else out


def _add_convolved(
    out: Tensor,
    x: Tensor,
    kernels: Tensor,
    bias: Tensor | None,
    after: str | None,
) -> None:
    """Add convolved maps to what is in `out`, and then a ReLU if named."""
    torch.ops.mkldnn._convolution_pointwise_.binary(
        out, x, kernels, bias, *_SHAPE, "add", 1.0, after, [], ""
    )


def turned(weight: Tensor) -> Tensor:
    """Return the kernels of the gradient's way down, notebook 02 (2.5).

    They are turned by half a turn, with channels in and out swapped.
    """
    half_turn = weight.flip(2, 3).transpose(0, 1)
    return half_turn.contiguous(memory_format=_LAST)
