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
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from styletut.losses import content_loss, gram_matrix
from styletut.objective import (
    Objective,
    StyleTarget,
    Terms,
)
from styletut.precision import arithmetic, maps_dtype
from styletut.pullback import Pull, gradient_at_pixels, see_maps
from styletut.pulls import all_of, content_pull, style_pull
from styletut.vgg import feature_shape, receptive_field

Window = tuple[Any, ...]


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
    def outer(self) -> Window:
        """Where it lies in a picture (1, 3, H, W), with its margin."""
        return (
            ...,
            slice(self.rows.outer_first, self.rows.outer_last),
            slice(self.columns.outer_first, self.columns.outer_last),
        )

    def inner(self, layer: str) -> Window:
        """Where what counts lies in the tile's own maps of a layer."""
        return self._window(layer, inside=True)

    def place(self, layer: str) -> Window:
        """Where what counts lies in the whole picture's maps of a layer."""
        return self._window(layer, inside=False)

    def _window(self, layer: str, inside: bool) -> Window:
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

    All are computed with about the same length, for memory and the forms of
    convolutions are made for one.
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


class TiledObjective(Objective):
    """An objective that is computed tile by tile, with the same result.

    In float64 its gradient is the untiled one to rounding.

    Args:
        content: as `Objective` takes it.
        style: as `Objective` takes it.
        side: of a tile without its margin, in pixels.
        **settings: those of `Objective`.
    """

    def __init__(
        self, content: Tensor, style: Any, *, side: int, **settings: Any
    ) -> None:
        self.side = side
        super().__init__(content, style, **settings)

    def __call__(self, x: Tensor) -> Terms:
        """Compute every term for the picture x, without a graph.

        Raises:
            ValueError: if x requires a gradient, which is to be had from
                `gradient` alone, or is unlike the content picture.
        """
        if x.requires_grad:
            raise ValueError(
                "an objective in tiles has no graph; its gradient comes "
                "from .gradient(x)"
            )
        self._check(x)
        with torch.no_grad(), arithmetic(self.precision):
            content_layers, style_layers, _ = self._first_pass(x)
            return self._terms(x, content_layers, style_layers)

    def gradient(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return the terms and the total's gradient with respect to x."""
        self._check(x)
        x = x.detach()
        with torch.no_grad(), arithmetic(self.precision):
            content_layers, style_layers, matrices = self._first_pass(x)
            gradient = self._second_pass(x, matrices)
            return self._judged(x, content_layers, style_layers, gradient)

    def _first_pass(
        self, x: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        """Return C_l, E_l, and the matrices D with dE_l/dF = D F."""
        grams: dict[str, Tensor] = {}
        content = {layer: x.new_zeros(()) for layer in self.content_layers}

        def see(tile: Tile, layer: str, F: Tensor) -> None:
            if layer in self.style_layers:
                _add(grams, layer, gram_matrix(F)[0])
            if layer in self.content_layers:
                P = self._content[layer][tile.place(layer)]
                content[layer] += content_loss(F, P)

        self._see_tiles(x, self.layers, see)
        for layer in content:
            content[layer] *= self._content_factor(layer)
        judged = {
            layer: self._style_judged(layer, grams[layer])
            for layer in self.style_layers
        }
        losses = {layer: loss for layer, (loss, _) in judged.items()}
        matrices = {
            layer: D
            for layer, (_, D) in judged.items()
            if self._style_weight(layer)
        }
        return content, losses, matrices

    def _second_pass(self, x: Tensor, matrices: dict[str, Tensor]) -> Tensor:
        """Return the gradient, added up over the tiles."""
        gradient = torch.zeros_like(x)
        for tile in self._tiles(x, self.layers):
            gradient[tile.outer] += gradient_at_pixels(
                self.vgg,
                x[tile.outer],
                self.layers,
                self._judge(tile, matrices),
                self.memory,
                maps_dtype(self.precision, self.dtype),
            )
        return gradient

    def _judge(
        self, tile: Tile, matrices: dict[str, Tensor]
    ) -> Callable[[str, Tensor], Pull]:
        """Let each layer's loss pull at the maps that count."""

        def judge(layer: str, F: Tensor) -> Pull:
            pulls = []
            if layer in self.content_layers:
                P = self._content[layer][tile.place(layer)]
                pulls.append(content_pull(self._content_scale(layer), P))
            if layer in matrices:
                pulls.append(style_pull(matrices[layer]))
            return _within(tile.inner(layer), all_of(pulls))

        return judge

    def _content_target(self, picture: Tensor) -> dict[str, Tensor]:
        maps = {
            layer: picture.new_empty(
                (1, *feature_shape(layer, *picture.shape[2:]))
            ).contiguous(memory_format=torch.channels_last)
            for layer in self.content_layers
        }

        def see(tile: Tile, layer: str, F: Tensor) -> None:
            maps[layer][tile.place(layer)] = F

        self._see_tiles(picture, self.content_layers, see)
        return maps

    def _style_target(self, picture: Tensor, share: float) -> StyleTarget:
        height, width = picture.shape[2:]
        target = StyleTarget(
            share,
            {},
            {
                layer: feature_shape(layer, height, width)
                for layer in self.style_layers
            },
        )

        def see(tile: Tile, layer: str, F: Tensor) -> None:
            _add(target.grams, layer, gram_matrix(F)[0])

        self._see_tiles(picture, self.style_layers, see)
        return target

    def _tiles(self, picture: Tensor, layers: Collection[str]) -> list[Tile]:
        height, width = picture.shape[2:]
        return cut(height, width, self.side, layers)

    def _see_tiles(
        self,
        picture: Tensor,
        layers: Collection[str],
        see: Callable[[Tile, str, Tensor], None],
    ) -> None:
        """Show each layer's maps of each tile, without its margin."""
        for tile in self._tiles(picture, layers) if layers else ():
            see_maps(
                self.vgg,
                picture[tile.outer],
                layers,
                _seen_within(tile, see, self.dtype),
                self.memory,
                maps_dtype(self.precision, self.dtype),
            )


def _seen_within(
    tile: Tile, see: Callable[[Tile, str, Tensor], None], dtype: torch.dtype
) -> Callable[[str, Tensor], None]:
    """Return what is shown the maps that count, in the picture's dtype."""

    def see_inner(layer: str, F: Tensor) -> None:
        inner = F[tile.inner(layer)].to(dtype)
        see(tile, layer, inner.contiguous(memory_format=torch.channels_last))

    return see_inner


def _within(window: Window, pull: Pull) -> Pull:
    """Return what pulls at the maps in a window alone."""

    def pull_within(g: Tensor, F: Tensor) -> None:
        pull(g[window], F[window])

    return pull_within


def _add(sums: dict[str, Tensor], layer: str, term: Tensor) -> None:
    """Add to a layer's sum, or begin it."""
    if layer in sums:
        sums[layer] += term
    else:
        sums[layer] = term
