"""The gradient at the pixels by the formulas of the course, without a graph.

`gradient_at_pixels` walks up through VGG-19, lets each layer be judged as it
comes by, and walks down again: at each layer the gradient of its own loss,
(2.2) or (4.2), is added to what arrives from above; then the ReLU's gate
(2.3) and the convolution downwards of (2.5) take it to the layer below.
Autograd gives the same; here nothing is kept that the way down does not
need, and memory is used again at the next evaluation.
"""

from collections.abc import Callable, Collection, Iterator

import torch
from torch import Tensor

from styletut.convolution import Convolution, enabled
from styletut.vgg import LAYERS, VGG19

Pull = Callable[[Tensor, Tensor], None]
"""Adds what a layer's loss pulls at its maps, the second tensor, to a
gradient, the first; both (1, N, h, w)."""

Judge = Callable[[str, Tensor], Pull]
"""Reads a layer's maps, and returns how its loss pulls at them."""

_Step = Callable[[Tensor, str], tuple[Tensor, str]]
"""Takes a gradient, and the name of its memory, one step down."""

_NOBODY = 4  # the winner in a window of a max pooling where all are 0


class Memory:
    """Tensors that are used again at every evaluation, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def maps(
        self, name: str, shape: torch.Size, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """Return (1, N, h, w) with channels last, whatever is in it.

        Maps of one name share their memory.
        """
        _, N, h, w = shape
        count = N * h * w
        if name not in self._kept or self._kept[name].numel() < count:
            self._kept.pop(name, None)
            self._kept[name] = torch.empty(count, dtype=dtype)
        rows = self._kept[name][:count].view(1, h, w, N)
        return rows.permute(0, 3, 1, 2)


def possible(vgg: VGG19, image: Tensor) -> bool:
    """Return whether `gradient_at_pixels` can take this picture."""
    return (
        enabled()
        and image.dtype == torch.float32
        and image.device.type == "cpu"
        and image.shape[0] == 1
        and next(vgg.parameters()).dtype == torch.float32
    )


def gradient_at_pixels(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    judge: Judge,
    memory: Memory,
) -> Tensor:
    """Return the gradient of all layers' losses with respect to the picture.

    It is (2.5), through all the layers of the network.

    Args:
        vgg: The network.
        image: (1, 3, H, W), float32, on the CPU; see `possible`.
        layers: Those that are judged, at least one.
        judge: Called once with each of them and its maps, from the picture
            upwards. The maps are overwritten at the next evaluation.
        memory: The same at the next evaluation.

    Returns:
        (1, 3, H, W).
    """
    with torch.no_grad():
        return _walked_up(vgg, image, layers, judge, memory).down()


def see_maps(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    see: Callable[[str, Tensor], None],
    memory: Memory,
) -> None:
    """Show the maps of all layers, one by one and without keeping them.

    Arguments are those of `gradient_at_pixels`; `see` returns nothing.
    """

    def judge(layer: str, maps: Tensor) -> Pull:
        see(layer, maps)
        return lambda g, F: None

    with torch.no_grad():
        _walked_up(vgg, image, layers, judge, memory)


def _walked_up(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    judge: Judge,
    memory: Memory,
) -> "_Way":
    way = _Way(vgg, image, layers, judge, memory)
    for conv, relu, pool in _stages(layers):
        way.convolve(conv, relu, pool)
        if pool:
            way.pool(pool)
    return way


def _stages(layers: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (convolution, its ReLU, the pooling above it) to the deepest.

    "" stands for a ReLU or a pooling that is not there or not needed.
    """
    deepest = max(layers, key=LAYERS.index)
    names = [*LAYERS[: LAYERS.index(deepest) + 1], "", ""]
    for conv, relu, above in zip(names, names[1:], names[2:], strict=False):
        if conv.startswith("conv"):
            yield conv, relu, above if above.startswith("pool") else ""


class _Way:
    """The way up, which notes down each step of the way down."""

    def __init__(
        self,
        vgg: VGG19,
        image: Tensor,
        layers: Collection[str],
        judge: Judge,
        memory: Memory,
    ) -> None:
        self.vgg, self.layers = vgg, layers
        self.judge, self.memory = judge, memory
        pixels = vgg.preprocess(image)
        self.x = pixels.contiguous(memory_format=torch.channels_last)
        self.place = "pixels"
        self.steps: list[_Step] = []

    def convolve(self, conv: str, relu: str, pool: str) -> None:
        """Go up through a convolution and its ReLU."""
        convolution = self.vgg.convolution(conv)
        below = self.x
        self.steps.append(self._down_through(convolution, below.shape))
        shape = torch.Size((1, convolution.channels_out, *below.shape[2:]))
        if not relu or conv in self.layers:
            self._write(conv, shape)
            convolution(below, out=self.x)
            self._pulled(conv)
            if relu:
                before = self.x
                self._write(relu, shape)
                torch.clamp(before, min=0, out=self.x)
        elif pool and self._winners_suffice(relu):
            self._write(_other(self.place), shape)
            convolution(below, out=self.x, relu=True)
            return  # the pooling's winners say where the gate is open
        elif conv == "conv1_1":
            # computed anew on the way down, for it is large and cheap
            self._write(_other(self.place), shape)
            convolution(below, out=self.x, relu=True)
            pull = self.judge(relu, self.x) if relu in self.layers else None
            self.steps.append(self._gate_of_first(convolution, below, pull))
            return
        else:
            self._write(relu, shape)
            convolution(below, out=self.x, relu=True)
        if relu:
            self.steps.append(_gate(self.x))
            self._pulled(relu)

    def pool(self, name: str) -> None:
        """Go up through a pooling."""
        large = self.x
        _, N, h, w = large.shape
        shape = torch.Size((1, N, h // 2, w // 2))
        place = name if name in self.layers else _other(self.place)
        self._write(place, shape)
        if self.vgg.pooling == "max":
            winners = self.memory.maps(f"{name}, winners", shape, torch.uint8)
            _max_pool(large, self.x, winners)
            self.steps.append(self._to_windows(large.shape, winners))
        else:
            a, b, c, d = _quarters(large)
            torch.add(a + b, c + d, out=self.x).mul_(0.25)
            self.steps.append(self._to_windows(large.shape))
        self._pulled(name)

    def down(self) -> Tensor:
        """Go down to the pixels and return the gradient there."""
        g, place = self.memory.maps("one", self.x.shape), "one"
        g.zero_()
        for step in reversed(self.steps):
            g, place = step(g, place)
        return self.vgg.preprocess_gradient(g).contiguous()

    def _winners_suffice(self, relu: str) -> bool:
        return self.vgg.pooling == "max" and relu not in self.layers

    def _write(self, place: str, shape: torch.Size) -> None:
        self.x, self.place = self.memory.maps(place, shape), place

    def _pulled(self, layer: str) -> None:
        """Let a layer be judged where it is asked for."""
        if layer in self.layers:
            maps, pull = self.x, self.judge(layer, self.x)

            def step(g: Tensor, place: str) -> tuple[Tensor, str]:
                pull(g, maps)
                return g, place

            self.steps.append(step)

    def _down_through(
        self, convolution: Convolution, shape: torch.Size
    ) -> _Step:
        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            place = _other(place)
            out = self.memory.maps(place, shape)
            return convolution.downwards(g, out=out), place

        return step

    def _gate_of_first(
        self, convolution: Convolution, pixels: Tensor, pull: Pull | None
    ) -> _Step:
        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            maps = self.memory.maps(_other(place), g.shape)
            convolution(pixels, out=maps, relu=True)
            if pull is not None:
                pull(g, maps)
            return _gate(maps)(g, place)

        return step

    def _to_windows(
        self, shape: torch.Size, winners: Tensor | None = None
    ) -> _Step:
        """Go down through a pooling: to the winners, or a quarter to each."""

        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            place = _other(place)
            large = _cleared_border(self.memory.maps(place, shape))
            zero = g.new_zeros(())
            for k, quarter in enumerate(_quarters(large)):
                if winners is None:
                    torch.mul(g, 0.25, out=quarter)
                else:
                    torch.where(winners == k, g, zero, out=quarter)
            return large, place

        return step


def _other(place: str) -> str:
    """Return which of two memories is free while `place` is in use."""
    return "two" if place == "one" else "one"


def _gate(maps: Tensor) -> _Step:
    """The ReLU's gate (2.3), in place."""

    def step(g: Tensor, place: str) -> tuple[Tensor, str]:
        torch.ops.aten.threshold_backward.grad_input(g, maps, 0, grad_input=g)
        return g, place

    return step


def _quarters(maps: Tensor) -> list[Tensor]:
    """Return each window's upper left, upper right, lower left, lower right.

    An odd last row or column is in no window.
    """
    h, w = (side // 2 * 2 for side in maps.shape[2:])
    return [
        maps[..., row:h:2, column:w:2] for row in (0, 1) for column in (0, 1)
    ]


def _max_pool(maps: Tensor, out: Tensor, winners: Tensor) -> None:
    """Write each window's largest value, and which of the four it was.

    The first of equal ones wins, as in torch; nobody where all are 0.
    """
    a, b, c, d = _quarters(maps)
    upper = torch.maximum(a, b)
    torch.maximum(c, d, out=out)
    low = out > upper
    winners.copy_(torch.where(low, d > c, b > a))
    winners.add_(low, alpha=2)
    torch.maximum(out, upper, out=out)
    winners.masked_fill_(out <= 0, _NOBODY)


def _cleared_border(maps: Tensor) -> Tensor:
    """Set to 0 an odd last row and column, which no window covers."""
    h, w = (side // 2 * 2 for side in maps.shape[2:])
    maps[..., h:, :] = 0
    maps[..., w:] = 0
    return maps
