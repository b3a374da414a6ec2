"""A frozen convolution as a module: plain to use, fast where it can be."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from styletut.kernels.convolution import (
    Convolution,
    PackedConvolution,
    TorchConvolution,
    convolve,
)
from styletut.kernels.onednn import packs, suits, would_suit

Kernel = Convolution | PackedConvolution | TorchConvolution
"""A convolution without a graph."""


class FrozenConvolution(nn.Conv2d):
    """A 3 x 3 convolution, stride 1, padding 1, whose weights are fixed.

    To torch it is an `nn.Conv2d` whose parameters need no gradient: hooks,
    `.to`, copies, pickles and the state are those of any module. It computes
    in the dtype of the maps that it is given. What depends on the weights
    alone, their copies in another dtype and what fast algorithms make of
    them, is made once, kept apart from the state, and made anew when the
    weights were replaced, moved or written to (but not through `.data`, of
    which torch keeps no account).

    It is made without numbers, on torch's device "meta": assign `weight` and
    `bias`.

    Args:
        in_channels: C.
        out_channels: N.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        # on the meta device nothing is drawn from the random generator
        super().__init__(
            in_channels, out_channels, 3, padding=1, device="meta"
        )
        self.requires_grad_(False)
        self._kept: dict[Hashable, Any] = {}
        self._kept_of: tuple[Hashable, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, h, w), in its dtype, to (B, N, h, w)."""
        if self._learns():  # through the parameters themselves
            weight, bias = self.weight.to(x.dtype), self._bias().to(x.dtype)
            return functional.conv2d(x, weight, bias, padding=1)
        if suits(x) and self.weight.is_cpu:
            kernel = self.kernel(x.dtype)
            assert isinstance(kernel, Convolution)
            return convolve(x, kernel)
        return functional.conv2d(x, *self.cast(x.dtype), padding=1)

    def kernel(self, dtype: torch.dtype) -> Kernel:
        """Return the convolution by these weights, without a graph.

        By fast algorithms where it is float32 on a CPU, by packed kernels
        where it is bfloat16 there, and by torch's own kernels elsewhere.
        """
        weight, bias = self.cast(dtype)
        kind: Callable[[Tensor, Tensor], Kernel] = TorchConvolution
        if would_suit(weight):
            kind = Convolution
        elif packs(weight):
            kind = PackedConvolution
        return self._once(
            (kind, dtype), lambda: kind(weight.detach(), bias.detach())
        )

    def cast(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return weight and bias in a dtype."""
        if self.weight.dtype == dtype:
            return self.weight, self._bias()
        return self._once(dtype, lambda: self._converted(dtype))

    def casts(self) -> list[Tensor]:
        """Return the copies that are kept in other dtypes."""
        pairs = [each for each in self._kept.values() if type(each) is tuple]
        return [tensor for pair in pairs for tensor in pair]

    def _converted(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        with torch.inference_mode(False):  # to be of use outside it too
            weight = self.weight.to(dtype)
            if dtype == torch.float64:  # faster with channels first
                weight = weight.contiguous()
            return weight, self._bias().to(dtype)

    def _bias(self) -> Tensor:
        assert self.bias is not None  # it was made with one
        return self.bias

    def _learns(self) -> bool:
        return any(each.requires_grad for each in self.parameters())

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what was made of the weights, or make it."""
        now = tuple(map(_identity, self.parameters()))
        if now != self._kept_of:
            self._kept, self._kept_of = {}, now
        kept = self._kept  # another thread may begin a new one
        if key not in kept:
            kept[key] = make()
        return kept[key]

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._kept = {}  # .half().float() is no longer what it was
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        # copies and other processes make their own, when they need it
        return {**self.__dict__, "_kept": {}, "_kept_of": ()}


def _identity(parameter: Tensor) -> tuple[int, ...]:
    """Return what changes when a parameter is replaced or written to."""
    known = not parameter.is_inference()  # torch counts no writes to those
    place = 0 if parameter.is_meta else parameter.data_ptr()
    return id(parameter), place, parameter._version if known else 0
