"""The course's figures: each a function that returns a `Figure`."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor

from styletut.figures import COLORS, Figure, blank, look
from styletut.images import to_pil

__all__ = ["COLORS", "Figure", "curves", "pictures"]

# What the colors say, the dashes say again.
_DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))

_SHARP = 2  # PNG pixels for each CSS pixel of a line plot
_PAGE = 832  # CSS pixels beside the prompts of a notebook on GitHub
_ENLARGE_TO = 256  # sides up to half of this are shown larger
_GAP = 12
_TITLE_LINE = 18
_LETTER = 7.5  # mean width of a letter of a title


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
    if not images or len(images) != len(titles):
        raise ValueError(
            f"{len(images)} pictures came with {len(titles)} titles: give at "
            "least one picture, and one title for each."
        )
    if columns is not None and columns < 1:
        raise ValueError(f"columns is {columns}; a row holds 1 or more.")
    shown = _enlarged([to_pil(image) for image in images])
    width = max(each.width for each in shown)
    letters = max(1, int(width / _LETTER))
    lines = [textwrap.wrap(each, letters) for each in titles]
    head = _TITLE_LINE * max(len(each) for each in lines)
    height = head + max(each.height for each in shown)
    columns = columns or _columns(len(shown), width)
    rows = math.ceil(len(shown) / columns)
    across = columns * (width + _GAP) + _GAP
    down = rows * (height + _GAP) + _GAP
    with look():
        figure = blank(across, down, density=1)
        for index, (each, title) in enumerate(zip(shown, lines, strict=True)):
            row, column = divmod(index, columns)
            left = _GAP + column * (width + _GAP) + (width - each.width) // 2
            top = _GAP + row * (height + _GAP) + head
            figure.figimage(np.asarray(each), left, down - top - each.height)
            figure.text(
                (left + each.width / 2) / across,
                1 - (top - 4) / down,
                "\n".join(title),
                ha="center",
                va="bottom",
            )
    return Figure(figure, alt)


def curves(
    series: Mapping[str, Sequence[SupportsFloat]],
    x: Sequence[SupportsFloat],
    xlabel: str,
    ylabel: str,
    alt: str,
    log: bool = True,
) -> Figure:
    """Draw curves over a common axis.

    Args:
        series: Label -> one value for each of `x`. A label of `COLORS` gets
            that color. NaN and infinite values leave a gap.
        x: Where the values belong.
        xlabel: What `x` is, with its unit.
        ylabel: What the values are, with their unit.
        alt: What is to be seen, in one line; see `Figure`.
        log: Whether the vertical axis is logarithmic.

    Returns:
        The figure.

    Raises:
        ValueError: There is no curve or no point, a curve has another number
            of values than `x`, a value cannot stand on a logarithmic axis, or
            `alt` is no line of text.
    """
    if not series or not len(x):
        raise ValueError("there is nothing to draw: no curve, or no point.")
    values = {label: _floats(each) for label, each in series.items()}
    for label, each in values.items():
        _check_curve(label, each, len(x), log)
    with look():
        figure = blank(640, 360, density=_SHARP)
        axes = figure.add_subplot()
        _draw_curves(axes, _floats(x), values)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if log:
            axes.set_yscale("log")
        axes.legend()
        figure.set_layout_engine("constrained")
    return Figure(figure, alt)


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


def _floats(values: Sequence[SupportsFloat]) -> list[float]:
    return [float(each) for each in values]


def _check_curve(
    label: str, values: list[float], count: int, log: bool
) -> None:
    if len(values) != count:
        raise ValueError(
            f"the curve {label!r} has {len(values)} values for {count} "
            "positions."
        )
    too_low = [each for each in values if each <= 0]
    if log and too_low:
        raise ValueError(
            f"the curve {label!r} falls to {min(too_low):.3g}, which has no "
            "place on a logarithmic axis. Leave it out, or pass log=False."
        )


def _draw_curves(
    axes: Axes, x: list[float], values: Mapping[str, list[float]]
) -> None:
    ideas = list(COLORS)
    others = [label for label in values if label not in COLORS]
    for label, each in values.items():
        look: dict[str, Any]
        if label in COLORS:
            look = {"color": COLORS[label]}
            dashes = _DASHES[ideas.index(label)]
        else:
            # cividis grows lighter evenly; its last third is pale on white.
            place = others.index(label) / len(others)
            look = {"color": mpl.colormaps["cividis"](0.65 * place)}
            dashes = _DASHES[others.index(label) % len(_DASHES)]
        axes.plot(x, each, linestyle=dashes, label=label, **look)
