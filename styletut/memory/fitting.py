"""Which pictures fit into memory, and how.

A picture is taken as a whole where that fits, if need be with fewer of
L-BFGS's pairs. Else it is computed in tiles (`engines.tiles`), as large as
fit; what does not fit even then is refused before anything is spent on it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from styletut.engines import Backward
from styletut.engines.choice import by_hand
from styletut.engines.tiles import cut
from styletut.kernels.convolution import kernel_bytes
from styletut.memory.counting import peak_bytes, saved_bytes
from styletut.objective import Objective
from styletut.vgg import VGG19, convolutions_below, feature_shape

SIDES = (1536, 1024, 768, 512, 256)
"""Sides of tiles without their margins that are tried, in pixels."""

FEWER_PAIRS = (8, 4)
"""Numbers of L-BFGS's pairs that are tried where all do not fit."""

_SURELY = 500_000_000, 6_000
"""Bytes in all, and for each pixel, that suffice for any run."""

_VECTORS = 15
"""Pictures that a run holds beside the pairs: the content and its coarser
one, the start, the best so far and the one handed out; the optimizer's point,
trial, direction, step, gradients and what it takes to compute them, some by
their Fourier transforms."""

_LIBRARIES = 260_000_000
"""Bytes that libraries and the convolutions keep for themselves, measured by
benchmarks/memory.py."""


class TooLargeError(ValueError):
    """A picture needs more memory than there is."""


@dataclass(frozen=True)
class Layout:
    """How a picture is laid out in memory.

    Attributes:
        tiles: their side in pixels, or None for the whole at once.
        checkpoint: whether a graph keeps less and computes more.
        history: number of L-BFGS's pairs.
    """

    tiles: int | None = None
    checkpoint: bool = False
    history: int = 15


UNTILED = Layout()


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that a run needs at its peak, by what they are for.

    Attributes:
        parameters: the network's weights, and what is made of them.
        targets: what content and style pictures are compared with.
        optimizer: pictures of the optimizer and of the run.
        evaluation: maps, gradients and what is in between, at the most.
        saved: those maps among them that the way down needs again.
    """

    parameters: int
    targets: int
    optimizer: int
    evaluation: int
    saved: int

    @property
    def total(self) -> int:
        """All that the run needs."""
        parts = self.parameters, self.targets, self.optimizer, self.evaluation
        return sum(parts) + _LIBRARIES


def estimate_memory(
    height: int,
    width: int,
    *,
    layout: Layout = UNTILED,
    vgg: VGG19 | None = None,
    dtype: torch.dtype = torch.float32,
    **settings: Any,
) -> MemoryEstimate:
    """Estimate the memory of a run on a CPU, for one style of equal size.

    It is counted on torch's device "meta", where tensors have sizes alone,
    in some milliseconds.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        layout: how the picture is laid out.
        vgg: the network; only its pooling, dtype and depth matter.
        dtype: the picture's.
        **settings: those of `Objective` that choose convention and layers.

    Raises:
        ValueError: as `Objective` does.
    """
    outline = (vgg or VGG19()).outline()
    picture = torch.empty(1, 3, height, width, dtype=dtype, device="meta")
    settings = {**settings, "vgg": outline, "checkpoint": layout.checkpoint}
    part = picture
    if layout.tiles is not None:
        layers = Objective(picture, picture, **settings).layers
        tiles = cut(height, width, layout.tiles, layers)
        part = max((picture[tile.outer] for tile in tiles), key=Tensor.numel)
    objectives = []

    def evaluate() -> None:
        objectives.append(Objective(part, part, **settings))
        objectives[0].gradient(part)

    evaluation = peak_bytes(evaluate)
    objective = objectives[0]
    vectors = 2 * layout.history + _VECTORS
    return MemoryEstimate(
        parameters=_parameter_bytes(objective),
        targets=_target_bytes(objective, picture),
        optimizer=vectors * picture.nbytes,
        evaluation=evaluation - _target_bytes(objective, part),
        saved=_saved_bytes(objective, part),
    )


def fitting_layout(
    height: int,
    width: int,
    free: float | None,
    *,
    history: int = UNTILED.history,
    vgg: VGG19 | None = None,
    **settings: Any,
) -> Layout:
    """Return the first layout, the fastest first, that fits into memory.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        free: bytes that may be used; None if nobody knows.
        history: number of L-BFGS's pairs where all is well.
        vgg: as `estimate_memory` takes it.
        **settings: those of `estimate_memory`.

    Raises:
        TooLargeError: if none does.
    """
    fixed, per_pixel = _SURELY
    if free is None or free > fixed + per_pixel * height * width:
        return Layout(history=history)
    least = math.inf
    dtype = settings.get("dtype", torch.float32)
    picture = torch.empty(1, 3, height, width, dtype=dtype, device="meta")
    vgg = vgg or VGG19()  # once, for all that are tried
    graph = not by_hand(vgg.outline(), picture)
    for layout in _layouts(height, width, graph, history):
        estimate = estimate_memory(
            height, width, layout=layout, vgg=vgg, **settings
        )
        needed = estimate.total
        if needed <= free:
            return layout
        least = min(least, needed)
    raise TooLargeError(
        f"a picture of {width} x {height} pixels needs about "
        f"{least / 1e9:.1f} GB of memory, even in tiles, and "
        f"{free / 1e9:.1f} GB are free; take a smaller size, or close other "
        "programs"
    )


def _layouts(
    height: int, width: int, graph: bool, history: int
) -> Iterator[Layout]:
    """Yield layouts, the fastest first.

    Fewer pairs cost some evaluations, smaller tiles cost in each of them:
    with 256 pixels most of what is computed are margins.
    """
    pairs = history, *(each for each in FEWER_PAIRS if each < history)
    yield from (Layout(history=each) for each in pairs)
    if graph:
        yield from (Layout(checkpoint=True, history=each) for each in pairs)
    for side in SIDES:
        if side < max(height, width):
            yield from (Layout(side, history=each) for each in pairs)


def _saved_bytes(objective: Objective, x: Tensor) -> int:
    """Return the bytes of the maps that the way down needs again."""
    if isinstance(objective.engine, Backward):
        return objective.engine.buffers.nbytes
    known = (*objective.vgg.parameters(), *objective.vgg.casts(), x)
    graph = x.clone().requires_grad_()
    return saved_bytes(lambda: objective(graph), (known, graph))


def _parameter_bytes(objective: Objective) -> int:
    """Return the bytes of the weights and of what is made of them."""
    vgg, (height, width) = objective.vgg, objective.shape[2:]
    weights = sum(each.nbytes for each in vgg.parameters())
    if not isinstance(objective.engine, Backward):
        return weights
    made = 0
    for name in convolutions_below(objective.layers):
        C_out, C_in = vgg.convolution(name).weight.shape[:2]
        _, h, w = feature_shape(name, height, width)
        made += kernel_bytes(C_in, C_out, h, w)
    return weights + made


def _target_bytes(objective: Objective, picture: Tensor) -> int:
    """Return the bytes of content maps and Gram matrices."""
    height, width = picture.shape[2:]
    numbers = sum(
        math.prod(feature_shape(layer, height, width))
        for layer in objective.content_layers
    )
    for layer in objective.style_layers:
        numbers += feature_shape(layer, height, width)[0] ** 2
    return numbers * picture.itemsize
