"""The gradient at the pixels by the formulas of the course, without a graph.

`gradient_at_pixels` walks up through VGG-19, lets each layer be judged as it
comes by, and walks down again: at each layer the gradient of its own loss,
(2.2) or (4.2), is added to what arrives from above; then the ReLU's gate
(2.3) and the convolution downwards of (2.5) take it to the layer below.
Autograd gives the same; here nothing is kept that the way down does not
need, and memory is used again at the next evaluation.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from torch import Tensor

from styletut.kernels.convolution import Convolution, TorchConvolution
from styletut.kernels.onednn import enabled
from styletut.vgg import VGG19, up_to_deepest

Pull = Callable[[Tensor, Tensor], None]
"""Adds what a layer's loss pulls at its maps, the second tensor, to a
gradient, the first; both (1, N, h, w)."""

Judge = Callable[[str, Tensor], Pull]
"""Reads a layer's maps, and returns how its loss pulls at them."""

_Step = Callable[[Tensor, str], tuple[Tensor, str]]
"""Takes a gradient, and the name of its memory, one step down."""

REUSING = ("cpu", "meta")
"""Devices on which memory is used again, and what stands for them."""

_NOBODY = 4
"""The winner in a window of a max pooling where all are 0, or more."""

_STRIP = 2**17
"""Numbers that a pooling takes at once."""


class Memory:
    """Tensors that are used again at every evaluation, by name.

    A GPU's are new each time: torch keeps what they leave, and fresh memory
    is dear on a CPU alone.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    @property
    def nbytes(self) -> int:
        """How many bytes are kept."""
        return sum(each.nbytes for each in self._kept.values())

    def maps(
        self,
        name: str,
        shape: Sequence[int],
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        """Return (1, N, h, w) with channels last, whatever is in it.

        On a CPU, maps of one name share their memory.
        """
        _, N, h, w = shape
        count = N * h * w
        if device.type not in REUSING:
            flat = torch.empty(count, dtype=dtype, device=device)
        else:
            flat = self._again(name, count, dtype, device)
        return flat.view(1, h, w, N).permute(0, 3, 1, 2)

    def _again(
        self, name: str, count: int, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        kept = self._kept.get(name)
        alike = kept is not None and (kept.dtype, kept.device) == (
            dtype,
            device,
        )
        if kept is None or not alike or kept.numel() < count:
            kept = self._kept[name] = torch.empty(0)  # before its successor
            kept = torch.empty(count, dtype=dtype, device=device)
            self._kept[name] = kept
        return kept[:count]


def worthwhile(vgg: VGG19, image: Tensor) -> bool:
    """Return whether `gradient_at_pixels` is faster than autograd here."""
    device = image.device.type
    return (
        (enabled() if device in REUSING else device == "cuda")
        and image.dtype == torch.float32
        and image.shape[0] == 1
        and next(vgg.parameters()).dtype == torch.float32
    )


def gradient_at_pixels(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    judge: Judge,
    memory: Memory,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Return the gradient of all layers' losses with respect to the picture.

    It is (2.5), through all the layers of the network.

    Args:
        vgg: The network.
        image: (1, 3, H, W), on the network's device.
        layers: Those that are judged, at least one.
        judge: Called once with each of them and its maps, from the picture
            upwards. The maps are overwritten at the next evaluation.
        memory: The same at the next evaluation.
        dtype: What the maps and their gradients are computed in; the
            picture's by default.

    Returns:
        (1, 3, H, W), in the picture's dtype.
    """
    with torch.no_grad():
        way = _Way(vgg, image, layers, judge, memory, dtype)
        return way.up().down().to(image.dtype)


def see_maps(
    vgg: VGG19,
    image: Tensor,
    layers: Collection[str],
    see: Callable[[str, Tensor], None],
    memory: Memory,
    dtype: torch.dtype | None = None,
) -> None:
    """Show the maps of all layers, one by one and without keeping them.

    Arguments are those of `gradient_at_pixels`; `see` returns nothing.
    """

    def judge(layer: str, maps: Tensor) -> Pull:
        see(layer, maps)
        return lambda g, F: None

    with torch.no_grad():
        _Way(vgg, image, layers, judge, memory, dtype, keep=False).up()


def _stages(layers: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (convolution, its ReLU, the pooling above it) to the deepest.

    "" stands for a ReLU or a pooling that is not there or not needed.
    """
    names = [*up_to_deepest(layers), "", ""]
    for conv, relu, above in zip(names, names[1:], names[2:], strict=False):
        if conv.startswith("conv"):
            yield conv, relu, above if above.startswith("pool") else ""


class _Way:
    """The way up, which notes down each step of the way down.

    Maps that the way down needs again are kept in places of their own, and
    all others, like the gradients on the way down, in "one" or "two" in turn.
    """

    def __init__(
        self,
        vgg: VGG19,
        image: Tensor,
        layers: Collection[str],
        judge: Judge,
        memory: Memory,
        dtype: torch.dtype | None,
        keep: bool = True,
    ) -> None:
        self.vgg, self.layers = vgg, layers
        self.judge, self.memory, self.keep = judge, memory, keep
        self.dtype, self.device = dtype or image.dtype, image.device
        pixels = vgg.preprocess(image).to(self.dtype)
        self.x = pixels.contiguous(memory_format=torch.channels_last)
        self.place = "pixels"
        self.steps: list[_Step] = []

    def up(self) -> "_Way":
        """Go up to the deepest layer."""
        for conv, relu, pool in _stages(self.layers):
            self.convolve(conv, relu, pool)
            if pool:
                self.pool(pool)
        return self

    def convolve(self, conv: str, relu: str, pool: str) -> None:
        """Go up through a convolution and its ReLU."""
        convolution = self.vgg.convolution(conv, self.dtype)
        below = self.x
        self._note(self._down_through(convolution))
        if not relu or conv in self.layers:
            self._write(conv, convolution, below)
            self._pulled(conv)
            if relu:
                before = self.x
                self.place = self._place(relu)
                self.x = self._maps(self.place, before.shape)
                torch.clamp(before, min=0, out=self.x)
        elif pool and self._winners_suffice(relu):
            self._write(_other(self.place), convolution, below, relu=True)
            return  # the pooling's winners say where the gate is open
        elif conv == "conv1_1":
            # computed anew on the way down, for it is large and cheap
            self._write(_other(self.place), convolution, below, relu=True)
            pull = self.judge(relu, self.x) if relu in self.layers else None
            self._note(self._gate_of_first(convolution, below, pull))
            return
        else:
            self._write(relu, convolution, below, relu=True)
        if relu:
            self._note(_gate(self.x))
            self._pulled(relu)

    def pool(self, name: str) -> None:
        """Go up through a pooling."""
        large = self.x
        _, N, h, w = large.shape
        shape = (1, N, h // 2, w // 2)
        self.place = self._place(name, name in self.layers)
        self.x = self._maps(self.place, shape)
        if self.vgg.pooling == "max":
            winners = self._maps(f"{name}, winners", shape, torch.uint8)
            _max_pool(large, self.x, winners)
            self._note(self._to_windows(large.shape, winners))
        else:
            a, b, c, d = _quarters(large)
            torch.add(a + b, c + d, out=self.x).mul_(0.25)
            self._note(self._to_windows(large.shape))
        self._pulled(name)

    def down(self) -> Tensor:
        """Go down to the pixels and return the gradient there."""
        g, place = self._maps("one", self.x.shape), "one"
        g.zero_()
        while self.steps:  # what a step has kept is free after it
            g, place = self.steps.pop()(g, place)
        return self.vgg.preprocess_gradient(g).contiguous()

    def _winners_suffice(self, relu: str) -> bool:
        return self.vgg.pooling == "max" and relu not in self.layers

    def _note(self, step: _Step) -> None:
        if self.keep:
            self.steps.append(step)

    def _place(self, name: str, needed: bool = True) -> str:
        """Return where maps go: those not needed later, where it is free."""
        return name if needed and self.keep else _other(self.place)

    def _maps(
        self,
        place: str,
        shape: Sequence[int],
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        return self.memory.maps(place, shape, dtype or self.dtype, self.device)

    def _convolved(
        self,
        place: str,
        convolution: Convolution | TorchConvolution,
        x: Tensor,
        relu: bool = False,
    ) -> Tensor:
        """Return a convolution's maps, in their place if it can write."""
        if self.device.type not in REUSING:
            return convolution(x, relu=relu)
        shape = (1, convolution.channels_out, *x.shape[2:])
        return convolution(x, out=self._maps(place, shape), relu=relu)

    def _write(
        self,
        place: str,
        convolution: Convolution | TorchConvolution,
        below: Tensor,
        relu: bool = False,
    ) -> None:
        self.place = self._place(place)
        self.x = self._convolved(self.place, convolution, below, relu)

    def _pulled(self, layer: str) -> None:
        """Let a layer be judged where it is asked for."""
        if layer in self.layers:
            maps, pull = self.x, self.judge(layer, self.x)

            def step(g: Tensor, place: str) -> tuple[Tensor, str]:
                pull(g, maps)
                return g, place

            self._note(step)

    def _down_through(
        self, convolution: Convolution | TorchConvolution
    ) -> _Step:
        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            place = _other(place)
            return self._convolved(place, convolution.downwards, g), place

        return step

    def _gate_of_first(
        self,
        convolution: Convolution | TorchConvolution,
        pixels: Tensor,
        pull: Pull | None,
    ) -> _Step:
        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            maps = self._convolved(_other(place), convolution, pixels, True)
            if pull is not None:
                pull(g, maps)
            return _gate(maps)(g, place)

        return step

    def _to_windows(
        self, shape: Sequence[int], winners: Tensor | None = None
    ) -> _Step:
        """Go down through a pooling: to the winners, or a quarter to each."""

        def step(g: Tensor, place: str) -> tuple[Tensor, str]:
            place = _other(place)
            large = _cleared_border(self._maps(place, shape))
            if winners is None:
                for quarter in _quarters(large):
                    torch.mul(g, 0.25, out=quarter)
            else:
                _to_winners(g, winners, large)
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
    for top, last in _strips(out):
        a, b, c, d = _quarters(maps[..., 2 * top : 2 * last, :])
        largest = out[..., top:last, :]
        upper = torch.maximum(a, b)
        torch.maximum(c, d, out=largest)
        lower = (largest > upper).view(torch.uint8)
        right = (b > a).view(torch.uint8)
        # where the lower row wins, the winner among its two; on bytes, for
        # torch chooses between them slowly
        right ^= (right ^ (d > c).view(torch.uint8)) & lower
        torch.maximum(largest, upper, out=largest)
        winner = winners[..., top:last, :]
        torch.add(right, lower, alpha=2, out=winner)
        winner.add_((largest <= 0).view(torch.uint8), alpha=_NOBODY)


def _to_winners(g: Tensor, winners: Tensor, large: Tensor) -> None:
    """Write each gradient to the winner of its window, 0 to the others."""
    for top, last in _strips(g):
        strip, winner = g[..., top:last, :], winners[..., top:last, :].to(g)
        won = torch.empty_like(winner)
        rows = large[..., 2 * top : 2 * last, :]
        for k, quarter in enumerate(_quarters(rows)):
            # as numbers, by which torch multiplies faster than it chooses
            torch.eq(winner, k, out=won)
            torch.mul(strip, won, out=quarter)


def _strips(maps: Tensor) -> Iterator[tuple[int, int]]:
    """Yield first and last row of strips that stay in a cache."""
    _, N, h, w = maps.shape
    rows = max(1, _STRIP // (N * w)) if maps.is_cpu else h
    for top in range(0, h, rows):
        yield top, min(h, top + rows)


def _cleared_border(maps: Tensor) -> Tensor:
    """Set to 0 an odd last row and column, which no window covers."""
    h, w = (side // 2 * 2 for side in maps.shape[2:])
    maps[..., h:, :] = 0
    maps[..., w:] = 0
    return maps
