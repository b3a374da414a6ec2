"""The way up through VGG-19, which notes down each step of the way down.

`gradient_at_pixels` walks up, shows each layer's maps as it comes by, and
walks down again: at each layer the gradient of its own losses, (2.2) or
(4.2), is added to what arrives from above; then the ReLU's gate (2.3) and the
convolution downwards of (2.5) take it to the layer below.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from torch import Tensor

from styletut.kernels import pooling
from styletut.kernels.buffers import Buffers
from styletut.kernels.frozen import Kernel
from styletut.kernels.onednn import DEVICES
from styletut.vgg import VGG19, up_to_deepest

AddGradient = Callable[[Tensor, Tensor], None]
"""Adds the gradient of a layer's losses with respect to its maps, the second
tensor, to what arrives from above, the first; both (1, N, h, w)."""

Visit = Callable[[str, Tensor], AddGradient]
"""Is shown a layer's maps on the way up, and returns what to do at them on
the way down."""

_Step = Callable[[Tensor, str], tuple[Tensor, str]]
"""Takes a gradient, and the name of its buffer, one step down."""


def gradient_at_pixels(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    visit: Visit,
    buffers: Buffers,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Return the gradient of all layers' losses with respect to the picture.

    It is (2.5), through all the layers of the network.

    Args:
        vgg: The network.
        image: (1, 3, H, W), on the network's device.
        layers: Those that are visited, at least one.
        visit: Called once with each of them and its maps, from the picture
            upwards. The maps may be overwritten once it has returned.
        buffers: The same at the next evaluation.
        dtype: What the maps and their gradients are computed in; the
            picture's by default.

    Returns:
        (1, 3, H, W), in the picture's dtype.
    """
    with torch.no_grad():
        tape = Tape(vgg, image, layers, visit, buffers, dtype)
        return tape.up().down().to(image.dtype)


def show_maps(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    see: Callable[[str, Tensor], None],
    buffers: Buffers,
    dtype: torch.dtype | None = None,
) -> None:
    """Show the maps of all layers, one by one and without keeping them.

    Arguments are those of `gradient_at_pixels`; `see` returns nothing.
    """

    def visit(layer: str, maps: Tensor) -> AddGradient:
        see(layer, maps)
        return lambda g, F: None

    with torch.no_grad():
        Tape(vgg, image, layers, visit, buffers, dtype, keep=False).up()


def _stages(layers: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (convolution, its ReLU, the pooling above it) to the deepest.

    "" stands for a ReLU or a pooling that is not there or not needed.
    """
    names = [*up_to_deepest(layers), "", ""]
    for conv, relu, above in zip(names, names[1:], names[2:], strict=False):
        if conv.startswith("conv"):
            yield conv, relu, above if above.startswith("pool") else ""


class Tape:
    """The way up, and the steps of the way down that it has noted.

    Maps that the way down needs again are kept in buffers of their own, and
    all others, like the gradients on the way down, in "one" or "two" in turn.
    """

    def __init__(
        self,
        vgg: VGG19,
        image: Tensor,
        layers: Collection[str],
        visit: Visit,
        buffers: Buffers,
        dtype: torch.dtype | None,
        keep: bool = True,
    ) -> None:
        vgg.check(image, layers)
        self.vgg, self.layers = vgg, layers
        self.visit, self.buffers, self.keep = visit, buffers, keep
        self.dtype, self.device = dtype or image.dtype, image.device
        pixels = vgg.preprocess(image).to(self.dtype)
        self.x = pixels.contiguous(memory_format=torch.channels_last)
        self.buffer = "pixels"
        self.steps: list[_Step] = []

    def up(self) -> "Tape":
        """Go up to the deepest layer."""
        for conv, relu, pool in _stages(self.layers):
            self.convolve(conv, relu, pool)
            if pool:
                self.pool(pool)
        return self

    def convolve(self, conv: str, relu: str, pool: str) -> None:
        """Go up through a convolution and its ReLU."""
        convolution = self.vgg.convolution(conv).kernel(self.dtype)
        below = self.x
        self._note(self._down_through(convolution))
        if not relu or conv in self.layers:
            self._write(conv, convolution, below)
            self._visited(conv)
            if relu:
                before = self.x
                self.buffer = self._buffer(relu)
                self.x = self._maps(self.buffer, before.shape)
                torch.clamp(before, min=0, out=self.x)
        elif pool and self._winners_suffice(relu):
            self._write(_other(self.buffer), convolution, below, relu=True)
            return  # the pooling's winners say where the gate is open
        elif conv == "conv1_1":
            # computed anew on the way down, for it is large and cheap
            self._write(_other(self.buffer), convolution, below, relu=True)
            add = self.visit(relu, self.x) if relu in self.layers else None
            self._note(self._gate_of_first(convolution, below, add))
            return
        else:
            self._write(relu, convolution, below, relu=True)
        if relu:
            self._note(_gate(self.x))
            self._visited(relu)

    def pool(self, name: str) -> None:
        """Go up through a pooling."""
        large = self.x
        _, N, h, w = large.shape
        shape = (1, N, h // 2, w // 2)
        self.buffer = self._buffer(name, name in self.layers)
        self.x = self._maps(self.buffer, shape)
        if self.vgg.pooling == "max":
            winners = self._maps(f"{name}, winners", shape, torch.uint8)
            pooling.max_pool(large, self.x, winners)
            self._note(self._to_windows(large.shape, winners))
        else:
            pooling.average_pool(large, self.x)
            self._note(self._to_windows(large.shape))
        self._visited(name)

    def down(self) -> Tensor:
        """Go down to the pixels and return the gradient there."""
        g, buffer = self._maps("one", self.x.shape), "one"
        g.zero_()
        while self.steps:  # what a step has kept is free after it
            g, buffer = self.steps.pop()(g, buffer)
        return self.vgg.preprocess_gradient(g).contiguous()

    def _winners_suffice(self, relu: str) -> bool:
        return self.vgg.pooling == "max" and relu not in self.layers

    def _note(self, step: _Step) -> None:
        if self.keep:
            self.steps.append(step)

    def _buffer(self, name: str, needed: bool = True) -> str:
        """Return where maps go: those not needed later, where one is free."""
        return name if needed and self.keep else _other(self.buffer)

    def _maps(
        self,
        buffer: str,
        shape: Sequence[int],
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        return self.buffers.maps(
            buffer, shape, dtype or self.dtype, self.device
        )

    def _convolved(
        self,
        buffer: str,
        convolution: Kernel,
        x: Tensor,
        relu: bool = False,
    ) -> Tensor:
        """Return a convolution's maps, in their buffer if it can write."""
        if self.device.type not in DEVICES:
            return convolution(x, relu=relu)
        shape = (1, convolution.channels_out, *x.shape[2:])
        return convolution(x, out=self._maps(buffer, shape), relu=relu)

    def _write(
        self,
        buffer: str,
        convolution: Kernel,
        below: Tensor,
        relu: bool = False,
    ) -> None:
        self.buffer = self._buffer(buffer)
        self.x = self._convolved(self.buffer, convolution, below, relu)

    def _visited(self, layer: str) -> None:
        """Let a layer be visited where it is asked for."""
        if layer in self.layers:
            maps, add = self.x, self.visit(layer, self.x)

            def step(g: Tensor, buffer: str) -> tuple[Tensor, str]:
                add(g, maps)
                return g, buffer

            self._note(step)

    def _down_through(self, convolution: Kernel) -> _Step:
        def step(g: Tensor, buffer: str) -> tuple[Tensor, str]:
            buffer = _other(buffer)
            return self._convolved(buffer, convolution.downwards, g), buffer

        return step

    def _gate_of_first(
        self,
        convolution: Kernel,
        pixels: Tensor,
        add: AddGradient | None,
    ) -> _Step:
        def step(g: Tensor, buffer: str) -> tuple[Tensor, str]:
            maps = self._convolved(_other(buffer), convolution, pixels, True)
            if add is not None:
                add(g, maps)
            return _gate(maps)(g, buffer)

        return step

    def _to_windows(
        self, shape: Sequence[int], winners: Tensor | None = None
    ) -> _Step:
        """Go down through a pooling: to the winners, or a quarter to each."""

        def step(g: Tensor, buffer: str) -> tuple[Tensor, str]:
            buffer = _other(buffer)
            large = self._maps(buffer, shape)
            if winners is None:
                pooling.to_all(g, large)
            else:
                pooling.to_winners(g, winners, large)
            return large, buffer

        return step


def _other(buffer: str) -> str:
    """Return which of two buffers is free while `buffer` is in use."""
    return "two" if buffer == "one" else "one"


def _gate(maps: Tensor) -> _Step:
    """The ReLU's gate (2.3), in place."""

    def step(g: Tensor, buffer: str) -> tuple[Tensor, str]:
        torch.ops.aten.threshold_backward.grad_input(g, maps, 0, grad_input=g)
        return g, buffer

    return step
