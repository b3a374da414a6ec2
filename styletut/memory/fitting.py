"""Which pictures fit into memory, and how.

A picture is taken as a whole where that fits, if need be with fewer of
L-BFGS's pairs. Else it is computed in tiles (`engines.tiles`), as large as
fit. So are style pictures while their Gram matrices are computed, before the
run. What does not fit even then is refused before anything is spent on it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from styletut.engines import Backward, choose_engine
from styletut.engines.choice import by_hand
from styletut.engines.device import maps_dtype
from styletut.engines.interface import Place
from styletut.engines.tiles import cut
from styletut.kernels.convolution import kernel_bytes
from styletut.losses import gram_matrix
from styletut.memory.counting import peak_bytes, saved_bytes
from styletut.objective import Objective
from styletut.vgg import VGG19, convolutions_below, feature_shape

Shape = tuple[int, int]
"""Height and width in pixels."""

SIDES = (1536, 1024, 768, 512, 256)
"""Sides of tiles without their margins that are tried, in pixels."""

FEWER_PAIRS = (8, 4)
"""Numbers of L-BFGS's pairs that are tried where all do not fit."""

_SURELY = 600_000_000, 6_000, 3_000
"""Bytes in all, for each pixel, and for each of the largest style picture,
that suffice for any run in float32, beside the pairs."""

_VECTORS = 15
"""Pictures that a run holds beside the pairs: the content and its coarser
one, the start, the best so far and the one handed out; the optimizer's point,
trial, direction, step, gradients and what it takes to compute them, some by
their Fourier transforms."""

_BEFORE = 8
"""How many of these there are before an optimizer begins."""

_LIBRARIES = 350_000_000
"""Bytes that libraries and the convolutions keep for themselves, and what
torch imports to count on "meta", measured by benchmarks/memory.py."""


class TooLargeError(ValueError):
    """A picture needs more memory than there is."""


@dataclass(frozen=True)
class Layout:
    """How a picture is laid out in memory.

    Attributes:
        tiles: their side in pixels, or None for the whole at once.
        checkpoint: whether a graph keeps less and computes more.
        history: number of L-BFGS's pairs.
        style_tiles: side of the tiles of style pictures, while these are
            looked at; None for `tiles`.
    """

    tiles: int | None = None
    checkpoint: bool = False
    history: int = 15
    style_tiles: int | None = None

    def tighter_than(self, other: "Layout") -> bool:
        """Whether it takes no more memory than another, and is slower."""
        return self._tightness() > other._tightness()

    def _tightness(self) -> tuple[float, ...]:
        whole = math.inf
        return (
            -(self.tiles or whole),
            self.checkpoint,
            -self.history,
            -(self.style_tiles or self.tiles or whole),
        )


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
        styles: pictures, and maps of the style pictures, at the most, before
            there is an optimizer and an evaluation.
    """

    parameters: int
    targets: int
    optimizer: int
    evaluation: int
    saved: int
    styles: int

    @property
    def total(self) -> int:
        """All that the run needs."""
        return max(self.running, self.comparing)

    @property
    def running(self) -> int:
        """What it needs while it is evaluated."""
        return self._held + self.optimizer + self.evaluation

    @property
    def comparing(self) -> int:
        """What it needs before that, while styles are looked at."""
        return self._held + self.styles

    @property
    def _held(self) -> int:
        return self.parameters + self.targets + _LIBRARIES


def estimate_memory(
    height: int,
    width: int,
    *,
    styles: Sequence[Shape] | None = None,
    regions: int = 1,
    layout: Layout = UNTILED,
    evaluations: int | None = None,
    range_rule: str = "project",
    vgg: VGG19 | None = None,
    dtype: torch.dtype = torch.float32,
    **settings: Any,
) -> MemoryEstimate:
    """Estimate the memory of a run on a CPU.

    It is counted on torch's device "meta", where tensors have sizes alone,
    in some milliseconds.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        styles: height and width of each style picture; by default there is
            one, of the same size.
        regions: how many there are with a style of their own.
        layout: how the picture is laid out.
        evaluations: of the run, if they are known: there is no pair without
            one.
        range_rule: as `transfer.minimize` takes it; "none" looks at each
            accepted picture once more.
        vgg: the network; only its pooling, dtype and depth matter.
        dtype: the picture's.
        **settings: those of `Objective` that choose convention, layers and
            precision.

    Raises:
        ValueError: as `Objective` does.
    """
    outline = (vgg or VGG19()).outline()
    shapes = [(height, width)] if styles is None else styles
    picture = _drawn(height, width, dtype)
    settings = {**settings, "vgg": outline, "checkpoint": layout.checkpoint}
    part = picture
    if layout.tiles is not None:
        layers = Objective(picture, picture, **settings).layers
        tiles = cut(height, width, layout.tiles, layers)
        part = max((picture[tile.outer] for tile in tiles), key=Tensor.numel)
    objectives = []

    def evaluate() -> None:
        objectives.append(_judging(part, count, regions, settings))
        objectives[0].gradient(part)
        if range_rule == "none" and layout.tiles is None:
            with torch.no_grad():
                objectives[0](part)

    count = len(shapes)
    evaluation = peak_bytes(evaluate)
    objective = objectives[0]
    pairs = layout.history
    if evaluations is not None:
        pairs = min(pairs, evaluations)
    # style pictures, as they were read and as they are looked at
    painted = 2 * sum(_drawn(*shape, dtype).nbytes for shape in shapes)
    if regions > 1:  # as they were read, for a size, and for its layers
        painted += 3 * regions * height * width * picture.itemsize
    optimizer = (2 * pairs + _VECTORS) * picture.nbytes + painted
    evaluation -= _target_bytes(objective, part, count)
    shown = _shown_shape(objective, shapes, layout)
    return MemoryEstimate(
        parameters=max(
            _parameter_bytes(objective, *part.shape[2:]),
            _parameter_bytes(objective, *shown),
        ),
        targets=_target_bytes(objective, picture, count),
        optimizer=optimizer,
        evaluation=evaluation,
        saved=_saved_bytes(objective, part),
        styles=_BEFORE * picture.nbytes
        + painted
        + _showing_bytes(objective, shown, layout)
        # what the size before, half as large, has left in small pieces
        + (optimizer + evaluation) // 4,
    )


def _judging(
    part: Tensor, styles: int, regions: int, settings: Mapping[str, Any]
) -> Objective:
    """Return an objective with so many style pictures and regions."""
    several = [(part, 1)] * styles
    if regions == 1:
        return Objective(part, several, **settings)
    mask = part[0, 0]
    masks = [(mask, several), *[(mask, part)] * (regions - 1)]
    return Objective(part, None, masks=masks, **settings)


def fitting_layout(
    height: int,
    width: int,
    free: float | None,
    *,
    styles: Sequence[Shape] | None = None,
    regions: int = 1,
    history: int = UNTILED.history,
    vgg: VGG19 | None = None,
    **settings: Any,
) -> Layout:
    """Return the first layout, the fastest first, that fits into memory.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        free: bytes that may be used; None if nobody knows.
        styles: as `estimate_memory` takes them.
        regions: the same.
        history: number of L-BFGS's pairs where all is well.
        vgg: as `estimate_memory` takes it.
        **settings: those of `estimate_memory`.

    Raises:
        TooLargeError: if none does.
    """
    shapes = [(height, width)] if styles is None else styles
    dtype = settings.get("dtype", torch.float32)
    picture = _drawn(height, width, dtype)
    enough = _enough(picture, shapes, history) * regions
    if free is None or free > enough:
        return Layout(history=history)
    settings = {**settings, "vgg": vgg or VGG19()}  # once, for all tried
    outline = settings["vgg"].outline()
    graph = not by_hand(outline, picture)
    plain = outline.is_plain()  # else it cannot be computed in tiles

    def first(
        layouts: Iterator[Layout],
        needs: Callable[[MemoryEstimate], int],
        what: str,
        setting: str,
    ) -> Layout:
        least = math.inf
        for layout in layouts:
            estimate = estimate_memory(
                height,
                width,
                styles=shapes,
                regions=regions,
                layout=layout,
                **settings,
            )
            needed = needs(estimate)
            if needed <= free:
                return layout
            least = min(least, needed)
        tiled = ", even in tiles," if plain else ""
        raise TooLargeError(
            f"{what} needs about {least / 1e9:.1f} GB of memory{tiled} and "
            f"{free / 1e9:.1f} GB are free; take a smaller {setting}, or "
            "close other programs"
        )

    layout = first(
        _layouts(height, width, graph, history, plain),
        lambda estimate: estimate.running,
        f"a picture of {width} x {height} pixels",
        "size",
    )
    h, w = max(shapes, key=math.prod)
    return first(
        _with_style_tiles(layout, shapes, plain),
        lambda estimate: estimate.comparing,
        f"a style picture of {w} x {h} pixels",
        "style_size",
    )


def _drawn(height: int, width: int, dtype: torch.dtype) -> Tensor:
    """Return a picture that has a size and no numbers."""
    return torch.empty(1, 3, height, width, dtype=dtype, device="meta")


def _enough(picture: Tensor, styles: Sequence[Shape], history: int) -> float:
    """Return bytes that suffice for any run, without counting."""
    fixed, per_pixel, per_style_pixel = _SURELY
    pixels = math.prod(picture.shape[2:])
    in_float32 = per_pixel * pixels + per_style_pixel * max(
        math.prod(shape) for shape in styles
    )
    painted = sum(3 * math.prod(shape) for shape in styles)
    pairs = 2 * max(0, history - UNTILED.history) * picture.numel()
    vectors = (pairs + painted) * picture.itemsize
    return fixed + in_float32 * picture.itemsize / 4 + vectors


def _layouts(
    height: int, width: int, graph: bool, history: int, plain: bool
) -> Iterator[Layout]:
    """Yield layouts, the fastest first.

    Fewer pairs cost some evaluations, smaller tiles cost in each of them:
    with 256 pixels most of what is computed are margins.
    """
    pairs = history, *(each for each in FEWER_PAIRS if each < history)
    yield from (Layout(history=each) for each in pairs)
    if graph:
        yield from (Layout(checkpoint=True, history=each) for each in pairs)
    for side in SIDES if plain else ():
        if side < max(height, width):
            yield from (Layout(side, history=each) for each in pairs)


def _with_style_tiles(
    layout: Layout, styles: Sequence[Shape], plain: bool
) -> Iterator[Layout]:
    """Yield a layout with ways to look at style pictures, fastest first."""
    yield layout
    longest = max(max(shape) for shape in styles)
    for side in SIDES if plain else ():
        if side < min(longest, layout.tiles or longest):
            yield replace(layout, style_tiles=side)


def _shown_shape(
    objective: Objective, styles: Sequence[Shape], layout: Layout
) -> Shape:
    """Return of what shape the largest style picture is looked at.

    Of tiles there need be no more than three a side: one of them has both
    margins.
    """
    height, width = max(styles, key=math.prod)
    side = layout.style_tiles or layout.tiles
    if side is None:
        return height, width
    tiles = cut(
        min(height, 3 * side),
        min(width, 3 * side),
        side,
        tuple(objective.style_layers) or objective.layers,
    )
    spans = [(tile.rows, tile.columns) for tile in tiles]
    sides = [
        max(span.outer_last - span.outer_first for span in each)
        for each in zip(*spans, strict=True)
    ]
    return sides[0], sides[1]


def _showing_bytes(objective: Objective, shape: Shape, layout: Layout) -> int:
    """Return the bytes of maps while a style picture is looked at.

    Args:
        objective: of the run, without numbers.
        shape: what is looked at at once.
        layout: how that is.
    """
    picture = _drawn(*shape, objective.dtype)
    layers = tuple(objective.style_layers)
    tiled = layout.tiles is not None or layout.style_tiles is not None

    def see(layer: str, F: Tensor, place: Place) -> None:
        # of a tile what counts is copied
        gram_matrix(F.clone() if tiled else F)

    def show() -> None:
        if layers:
            dtype = maps_dtype(objective.precision, objective.dtype)
            engine = (
                Backward(objective.vgg, dtype)
                if tiled
                else choose_engine(objective.vgg, picture, dtype=dtype)
            )
            engine.show(picture, layers, see)

    return peak_bytes(show)


def _saved_bytes(objective: Objective, x: Tensor) -> int:
    """Return the bytes of the maps that the way down needs again."""
    if isinstance(objective.engine, Backward):
        return objective.engine.buffers.nbytes
    known = (*objective.vgg.parameters(), *objective.vgg.casts(), x)
    graph = x.clone().requires_grad_()
    return saved_bytes(lambda: objective(graph), (known, graph))


def _parameter_bytes(objective: Objective, height: int, width: int) -> int:
    """Return the bytes of the weights and of what is made of them."""
    vgg = objective.vgg
    weights = sum(each.nbytes for each in vgg.parameters())
    if not isinstance(objective.engine, Backward):
        return weights
    if maps_dtype(objective.precision, objective.dtype) == torch.bfloat16:
        # half as large: as they are, and ordered for either direction
        return weights + 3 * weights // 2
    made = 0
    for name in convolutions_below(objective.layers):
        C_out, C_in = vgg.convolution(name).weight.shape[:2]
        _, h, w = feature_shape(name, height, width)
        made += kernel_bytes(C_in, C_out, h, w)
    return weights + made


def _target_bytes(objective: Objective, picture: Tensor, styles: int) -> int:
    """Return the bytes of content maps and Gram matrices."""
    height, width = picture.shape[2:]
    numbers = sum(
        math.prod(feature_shape(layer, height, width))
        for layer in objective.content_layers
    )
    for layer in objective.style_layers:
        numbers += styles * feature_shape(layer, height, width)[0] ** 2
    return numbers * picture.itemsize
