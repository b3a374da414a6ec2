"""The exact gradient of a picture that is too large to be taken at once.

A Gram matrix is a sum over positions, and the network looks no further than
its receptive field. So a picture is cut into tiles, each with a margin as
wide as the deepest layer sees, and computed in two passes: the first adds
up the Gram matrices of all tiles, each without its margin; from them the
second takes every tile's gradient down to the pixels. Where margins overlap
gradients are added. Nothing is approximate, and what it costs are the
margins, and one more way up.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from styletut.engines.backward import gradients_at
from styletut.engines.interface import (
    LayerLoss,
    Place,
    Show,
    layers_of,
    observed_by,
    values_by,
)
from styletut.engines.tape import AddGradient, gradient_at_pixels, show_maps
from styletut.kernels.buffers import Buffers
from styletut.vgg import VGG19, receptive_field


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in pixels: what counts, and what is computed."""

    first: int
    last: int
    outer_first: int
    outer_last: int
    whole: int  # the picture's length


@dataclass(frozen=True)
class Tile:
    """A part of a picture, with a margin that is computed but not counted."""

    rows: Span
    columns: Span

    @property
    def outer(self) -> Place:
        """Where it lies in a picture (1, 3, H, W), with its margin."""
        return (
            ...,
            slice(self.rows.outer_first, self.rows.outer_last),
            slice(self.columns.outer_first, self.columns.outer_last),
        )

    def inner(self, layer: str) -> Place:
        """Where what counts lies in the tile's own maps of a layer."""
        return self._window(layer, inside=True)

    def place(self, layer: str) -> Place:
        """Where what counts lies in the whole picture's maps of a layer."""
        return self._window(layer, inside=False)

    def _window(self, layer: str, inside: bool) -> Place:
        stride = receptive_field(layer).stride
        slices = []
        for span in (self.rows, self.columns):
            origin = span.outer_first if inside else 0
            # an odd last row or column is in no window of a pooling
            last = min(span.last, span.whole // stride * stride)
            slices.append(
                slice(
                    (span.first - origin) // stride, (last - origin) // stride
                )
            )
        return (..., *slices)


def margin(layers: Collection[str]) -> int:
    """Return how far a tile must reach beyond what counts, in pixels, (7.6).

    A unit sees (r - j) / 2 pixels to each side of the j x j that are its
    own; rounded up to the stride of the deepest layer, with which tiles are
    aligned.
    """
    fields = [receptive_field(layer) for layer in layers]
    stride = max(field.stride for field in fields)
    reach = max((field.size - field.stride) // 2 for field in fields)
    return -(-reach // stride) * stride


def cut(
    height: int, width: int, side: int, layers: Collection[str]
) -> list[Tile]:
    """Cut a picture into tiles of about `side` pixels without their margins.

    Raises:
        ValueError: if `side` is less than the deepest layer's stride.
    """
    stride = max(receptive_field(layer).stride for layer in layers)
    if side < stride:
        raise ValueError(
            f"tiles of {side} pixels are too small for these layers; they "
            f"must have at least {stride}"
        )
    rows, columns = (
        _spans(length, side, stride, margin(layers))
        for length in (height, width)
    )
    return [Tile(*pair) for pair in itertools.product(rows, columns)]


def _spans(length: int, side: int, stride: int, beyond: int) -> list[Span]:
    """Cut one axis into spans that begin at multiples of the stride.

    All are computed with about the same length: buffers, and what convolutions
    make of their kernels, are for one.
    """
    units = length // stride
    count = max(1, min(-(-length // side), units))
    cuts = [units * k // count * stride for k in range(count)] + [length]
    longest = max(b - a for a, b in itertools.pairwise(cuts)) + 2 * beyond
    spare = max(0, length - longest) // stride * stride
    spans = []
    for first, last in itertools.pairwise(cuts):
        begin = min(max(0, first - beyond), spare)
        end = length if last + beyond >= length else begin + longest
        spans.append(Span(first, last, begin, min(end, length), length))
    return spans


class Tiles:
    """Takes the picture in tiles, with the same result.

    In float64 its gradient is the untiled one to rounding.

    Args:
        vgg: the network.
        side: of a tile without its margin, in pixels.
        dtype: of the maps and their gradients; the picture's by default.
    """

    def __init__(
        self, vgg: VGG19, side: int, dtype: torch.dtype | None = None
    ) -> None:
        self.vgg, self.side, self.dtype = vgg, side, dtype
        self.buffers = Buffers()

    def show(
        self, picture: Tensor, layers: Collection[str], see: Show
    ) -> None:
        """Show the maps of each tile, without its margin; see `Engine`."""
        for tile in self._cut(picture, layers):

            def see_inner(layer: str, F: Tensor, tile: Tile = tile) -> None:
                inner = F[tile.inner(layer)]
                see(
                    layer,
                    inner.contiguous(memory_format=torch.channels_last),
                    tile.place(layer),
                )

            show_maps(
                self.vgg,
                picture[tile.outer],
                layers,
                see_inner,
                self.buffers,
                self.dtype,
            )

    def losses(self, x: Tensor, losses: Sequence[LayerLoss]) -> list[Tensor]:
        """Return each loss, without a graph.

        Raises:
            ValueError: if x requires a gradient, which is to be had from
                `gradient` alone.
        """
        if x.requires_grad:
            raise ValueError(
                "an objective in tiles has no graph; its gradient comes "
                "from .gradient(x)"
            )
        with torch.no_grad():
            return values_by(losses, self._sums(x, losses))

    def gradient(
        self, x: Tensor, losses: Sequence[LayerLoss]
    ) -> tuple[list[Tensor], Tensor]:
        """Return losses and gradient; see `Engine`."""
        x, layers = x.detach(), layers_of(losses)
        with torch.no_grad():
            sums = self._sums(x, losses)
            gradient = torch.zeros_like(x)
            for tile in self._cut(x, layers):

                def visit(
                    layer: str, F: Tensor, tile: Tile = tile
                ) -> AddGradient:
                    place = tile.place(layer)
                    add = gradients_at(layer, losses, sums, place)
                    return _within(tile.inner(layer), add)

                gradient[tile.outer] += gradient_at_pixels(
                    self.vgg,
                    x[tile.outer],
                    layers,
                    visit,
                    self.buffers,
                    self.dtype,
                )
            return values_by(losses, sums), gradient

    def _sums(
        self, x: Tensor, losses: Sequence[LayerLoss]
    ) -> dict[int, Tensor]:
        """Return what each loss observes in all tiles, by its number."""
        sums: dict[int, Tensor] = {}
        self.show(x, layers_of(losses), observed_by(losses, sums))
        return sums

    def _cut(self, picture: Tensor, layers: Collection[str]) -> list[Tile]:
        height, width = picture.shape[2:]
        return cut(height, width, self.side, layers)


def _within(window: Place, add: AddGradient) -> AddGradient:
    """Return what adds gradients to the maps in a window alone."""

    def add_within(g: Tensor, F: Tensor) -> None:
        add(g[window], F[window])

    return add_within
