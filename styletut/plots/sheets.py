"""Pictures and feature maps, side by side under their titles."""

import math
import textwrap
from collections.abc import Sequence

import matplotlib.figure
import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from styletut.images import to_pil
from styletut.plots.figures import Figure, blank, look

_PAGE = 832  # CSS pixels beside the prompts of a notebook on GitHub
_ENLARGE_TO = 256  # sides up to half of this are shown larger
_GAP = 12
_FRAME = "#999999"  # around a map, whose white else melts into the page
_TITLE_LINE = 18
_LETTER = 7.5  # mean width of a letter of a title

# Ends of the scale of maps with both signs: negative, positive. White is 0.
_NEGATIVE = (0.02, 0.19, 0.55)
_POSITIVE = (0.66, 0.10, 0.08)


def pictures(
    images: Sequence[Tensor],
    titles: Sequence[str],
    alt: str,
    columns: int | None = None,
) -> Figure:
    """Show pictures side by side, each under its title.

    A picture is drawn pixel by pixel; where all are small, each of their
    pixels becomes a square of the same whole number of pixels.

    Args:
        images: Tensors (1, 3, H, W) in [0, 1], of any sizes.
        titles: One for each picture, wrapped to its width; "" for none.
        alt: What is to be seen, in one line; see `Figure`.
        columns: Pictures in a row; by default as many as a page holds,
            spread evenly over the rows.

    Returns:
        The figure.

    Raises:
        ValueError: There is no picture, the titles are not as many as the
            pictures, `columns` is less than 1, or `alt` is no line of text.
        ImageError: A tensor is not a picture.
    """
    _check_titles("pictures", len(images), len(titles), columns)
    shown = _enlarged([to_pil(image) for image in images])
    return Figure(_sheet(shown, titles, columns), alt)


def maps(
    maps: Sequence[Tensor],
    titles: Sequence[str],
    alt: str,
    columns: int | None = None,
) -> Figure:
    """Show feature maps or matrices side by side, each under its title.

    Each has its own scale. Without negative values it goes from black for 0
    to white for the largest; with them from blue over white for 0 to red, as
    far on either side as the value of largest size. Every entry becomes a
    square of the same whole number of pixels where all maps are small.

    Args:
        maps: Tensors (h, w), of any sizes.
        titles: One for each map, wrapped to its width; "" for none.
        alt: What is to be seen, in one line; see `Figure`.
        columns: Maps in a row; by default as many as a page holds.

    Returns:
        The figure.

    Raises:
        ValueError: There is no map, the titles are not as many as the maps,
            `columns` is less than 1, a map is no matrix of finite numbers, or
            `alt` is no line of text.
    """
    _check_titles("maps", len(maps), len(titles), columns)
    shown = [
        ImageOps.expand(each, border=1, fill=_FRAME)
        for each in _enlarged([_painted(each) for each in maps])
    ]
    return Figure(_sheet(shown, titles, columns), alt)


def _check_titles(
    what: str, count: int, titles: int, columns: int | None
) -> None:
    if not count or count != titles:
        raise ValueError(
            f"{count} {what} came with {titles} titles: give at least one of "
            "each, and one title for each."
        )
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; a row holds 1 or more.")


def _painted(values: Tensor) -> Image.Image:
    """Return a matrix as a picture, an entry a pixel."""
    values = values.detach().double().cpu()
    if values.ndim != 2 or not values.numel() or not values.isfinite().all():
        raise ValueError(
            "a map is a matrix (h, w) of finite numbers, not a tensor of "
            f"shape {tuple(values.shape)}"
            + (" with infinite or undefined ones" if values.ndim == 2 else "")
        )
    largest = float(values.abs().max()) or 1.0
    level = (values / largest)[..., None]
    if float(values.min()) >= 0:
        colors = level.expand(-1, -1, 3)
    else:
        end = torch.where(
            level < 0, level.new_tensor(_NEGATIVE), level.new_tensor(_POSITIVE)
        )
        colors = 1 - level.abs() * (1 - end)
    return Image.fromarray((colors * 255).round().byte().numpy())


def _sheet(
    shown: list[Image.Image], titles: Sequence[str], columns: int | None
) -> matplotlib.figure.Figure:
    """Lay pictures out in rows, each below its title."""
    width = max(each.width for each in shown)
    letters = max(1, int(width / _LETTER))
    lines = [textwrap.wrap(each, letters) for each in titles]
    head = _TITLE_LINE * max(len(each) for each in lines)
    columns = columns or _columns(len(shown), width)
    rows = [
        shown[first : first + columns]
        for first in range(0, len(shown), columns)
    ]
    heights = [_GAP + head + max(each.height for each in row) for row in rows]
    across = columns * (width + _GAP) + _GAP
    down = sum(heights) + _GAP
    with look():
        figure = blank(across, down, density=1)
        for index, (each, title) in enumerate(zip(shown, lines, strict=True)):
            row, column = divmod(index, columns)
            left = _GAP + column * (width + _GAP) + (width - each.width) // 2
            top = sum(heights[:row]) + _GAP + head
            figure.figimage(np.asarray(each), left, down - top - each.height)
            figure.text(
                (left + each.width / 2) / across,
                1 - (top - 4) / down,
                "\n".join(title),
                ha="center",
                va="bottom",
            )
    return figure


def _enlarged(images: list[Image.Image]) -> list[Image.Image]:
    # Without interpolation, which would show pixels that no one computed.
    factor = max(1, _ENLARGE_TO // max(max(each.size) for each in images))
    return [
        each.resize(
            (factor * each.width, factor * each.height),
            Image.Resampling.NEAREST,
        )
        for each in images
    ]


def _columns(count: int, width: int) -> int:
    fit = max(1, (_PAGE - _GAP) // (width + _GAP))
    return math.ceil(count / math.ceil(count / fit))
