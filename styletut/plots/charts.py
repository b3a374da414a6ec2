"""Figures with axes: curves, bars, points and contours.

`styletut.plots` hands them out beside pictures and maps.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, SupportsFloat

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from styletut.plots.figures import COLORS, Figure, blank, look

# What the colors say, the dashes, marks and hatches say again.
_DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_HATCHES = ("", "//", "..", "\\\\", "xx")

_FEW = 8  # positions that are named one by one
_SHARP = 2  # PNG pixels for each CSS pixel
_WIDTH, _HEIGHT = 640, 360
_ROW = 24  # height of a row of intervals
_LETTER, _KEY = 8, 70  # width of a letter of a legend, and of its key

Values = Sequence[SupportsFloat]


def curves(
    series: Mapping[str, Values],
    x: Values | Mapping[str, Values],
    xlabel: str,
    ylabel: str,
    alt: str,
    log: bool = True,
    logx: bool = False,
    title: str = "",
) -> Figure:
    """Draw curves over a common axis.

    Args:
        series: Label -> one value for each of `x`. A label of `COLORS` gets
            that color. NaN and infinite values leave a gap.
        x: Where the values belong: for all curves, or label -> for each.
        xlabel: What `x` is, with its unit.
        ylabel: What the values are, with their unit.
        alt: What is to be seen, in one line; see `Figure`.
        log: Whether the vertical axis is logarithmic.
        logx: Whether the horizontal axis is logarithmic. Up to eight
            positions, such as sizes, are named one by one on it.
        title: What stands above, to tell a figure from its neighbor.

    Returns:
        The figure.

    Raises:
        ValueError: There is no curve or no point, a curve has another number
            of values than `x`, a value cannot stand on a logarithmic axis, or
            `alt` is no line of text.
    """
    if not series or not len(x):
        raise ValueError("there is nothing to draw: no curve, or no point.")
    lines = {}
    for label, each in series.items():
        places = _floats(_places(x, label))
        values = _floats(each)
        _check_curve(label, values, len(places), log)
        if logx:
            _check_positive(f"the positions of {label!r}", places)
        lines[label] = (places, values)
    with _axes(xlabel, ylabel, log, logx) as (figure, axes):
        for (label, line), look in zip(
            lines.items(), _looks(lines), strict=True
        ):
            axes.plot(
                *line, linestyle=look["dash"], label=label, color=look["color"]
            )
        axes.set_title(title)
        axes.legend()
    known = sorted({each for places, _ in lines.values() for each in places})
    if logx and len(known) <= _FEW:
        axes.set_xticks(known, [f"{each:g}" for each in known])
        axes.set_xticks([], minor=True)
    return Figure(figure, alt)


def bars(
    series: Mapping[str, Values],
    names: Sequence[str],
    ylabel: str,
    alt: str,
    log: bool = False,
) -> Figure:
    """Draw groups of bars, one group for each name.

    Args:
        series: Label -> one value for each name. A label of `COLORS` gets
            that color.
        names: What stands below the groups.
        ylabel: What the values are, with their unit.
        alt: What is to be seen, in one line; see `Figure`.
        log: Whether the vertical axis is logarithmic.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw, a series has another number of
            values than there are names, a value cannot stand on a logarithmic
            axis, or `alt` is no line of text.
    """
    if not series or not names:
        raise ValueError("there is nothing to draw: no series, or no name.")
    values = {label: _floats(each) for label, each in series.items()}
    for label, each in values.items():
        _check_curve(label, each, len(names), log)
    width = 0.8 / len(values)
    with _axes("", ylabel, log) as (figure, axes):
        for index, (look, (label, each)) in enumerate(
            zip(_looks(values), values.items(), strict=True)
        ):
            shift = (index - (len(values) - 1) / 2) * width
            axes.bar(
                [place + shift for place in range(len(names))],
                each,
                0.94 * width,
                label=label,
                color=look["color"],
                hatch=look["hatch"],
                edgecolor="white",
            )
        axes.set_xticks(range(len(names)), names)
        axes.grid(visible=False, axis="x")
        if len(values) > 1:  # above, where it hides no bar
            longest = max(len(label) for label in values)
            fit = _WIDTH // (_KEY + _LETTER * longest)
            figure.legend(
                loc="outside upper left", ncols=min(fit, len(values))
            )
    return Figure(figure, alt)


def intervals(
    panels: Mapping[str, Sequence[tuple[SupportsFloat, ...]]],
    names: Sequence[str],
    xlabel: str,
    alt: str,
) -> Figure:
    """Draw dots with error bars, a row for each name, panels side by side.

    A line stands at 0. A dot is hollow where the interval contains it.

    Args:
        panels: Title -> (middle, low, high) for each name, on a scale of its
            own.
        names: What stands at the left of the rows, the first one on top.
        xlabel: What the values are, with their unit.
        alt: What is to be seen, in one line; see `Figure`.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw, a panel has another number of
            intervals than there are names, an interval does not contain its
            middle, or `alt` is no line of text.
    """
    if not panels or not names:
        raise ValueError("there is nothing to draw: no panel, or no name.")
    drawn = {
        title: [_checked_interval(each, title) for each in rows]
        for title, rows in panels.items()
    }
    for title, rows in drawn.items():
        if len(rows) != len(names):
            raise ValueError(
                f"the panel {title!r} has {len(rows)} intervals for "
                f"{len(names)} names."
            )
    with look():
        figure = blank(_WIDTH, 80 + _ROW * len(names), density=_SHARP)
        figure.set_layout_engine("constrained")
        grid = figure.subplots(1, len(drawn), sharey=True, squeeze=False)
        for axes, (title, rows) in zip(grid[0], drawn.items(), strict=True):
            _draw_intervals(axes, title, rows)
            if len(drawn) > 4:  # or numbers would run into each other
                axes.locator_params(axis="x", nbins=2, steps=[1, 2, 5, 10])
                axes.tick_params(axis="x", labelsize="x-small")
        grid[0][0].set_yticks(range(len(names)), names)
        grid[0][0].set_ylim(len(names) - 0.5, -0.5)
        figure.supxlabel(xlabel, fontsize="medium")
    return Figure(figure, alt)


def _draw_intervals(
    axes: Axes, title: str, rows: Sequence[tuple[float, float, float]]
) -> None:
    axes.axvline(0, color="#111111", linewidth=1)
    for place, (middle, low, high) in enumerate(rows):
        axes.plot([low, high], [place, place], color="#111111", linewidth=1.5)
        axes.plot(
            [middle],
            [place],
            marker="o",
            color="#111111",
            markerfacecolor="white" if low <= 0 <= high else "#111111",
            clip_on=False,  # a dot at the very edge stays whole
        )
    axes.set_title(title, fontsize="medium")


def _checked_interval(
    each: tuple[SupportsFloat, ...], title: str
) -> tuple[float, float, float]:
    middle, low, high = _floats(each)
    if not low <= middle <= high:
        raise ValueError(
            f"in the panel {title!r} {middle:.3g} does not lie between "
            f"{low:.3g} and {high:.3g}."
        )
    return middle, low, high


def points(
    series: Mapping[str, Sequence[tuple[SupportsFloat, SupportsFloat]]],
    xlabel: str,
    ylabel: str,
    alt: str,
    log: bool = False,
    lines: bool = False,
    names: Sequence[str] = (),
    equal: bool = False,
) -> Figure:
    """Draw points in the plane.

    Args:
        series: Label -> (x, y) of each point. A label of `COLORS` gets that
            color.
        xlabel: What x is, with its unit.
        ylabel: What y is, with its unit.
        alt: What is to be seen, in one line; see `Figure`.
        log: Whether both axes are logarithmic.
        lines: Whether the points of a series are joined, in their order.
        names: What to write beside the points of the first series, if
            anything.
        equal: Whether a unit is as long across as down, so that a circle is
            round.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw, a value cannot stand on a
            logarithmic axis, the names are not as many as the points, or
            `alt` is no line of text.
    """
    if not any(len(each) for each in series.values()):
        raise ValueError("there is nothing to draw: no point.")
    places = {
        label: ([float(x) for x, _ in each], [float(y) for _, y in each])
        for label, each in series.items()
    }
    first = next(iter(places.values()))
    if names and len(names) != len(first[0]):
        raise ValueError(
            f"{len(names)} names came for {len(first[0])} points."
        )
    if log:
        for label, (xs, ys) in places.items():
            _check_positive(f"the points {label!r}", xs + ys)
    with _axes(xlabel, ylabel, log, log) as (figure, axes):
        for (label, place), look in zip(
            places.items(), _looks(places), strict=True
        ):
            axes.plot(
                *place,
                linestyle=look["dash"] if lines else "",
                marker=look["mark"],
                label=label,
                color=look["color"],
                # so that points on top of each other are seen
                alpha=1 if lines else 0.75,
                markeredgewidth=0,
            )
        for name, at in zip(names, zip(*first, strict=True), strict=False):
            axes.annotate(name, at, xytext=(7, 5), textcoords="offset points")
        if equal:
            axes.set_aspect("equal")
        if len(places) > 1:
            # a legend among the points would look like two more of them
            axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return Figure(figure, alt)


def contours(
    values: Tensor,
    x: Values,
    y: Values,
    xlabel: str,
    ylabel: str,
    alt: str,
    marks: Mapping[str, tuple[SupportsFloat, SupportsFloat]] | None = None,
    label: str = "",
) -> Figure:
    """Draw a function of two variables as a map with lines of equal value.

    Args:
        values: The function, (len(y), len(x)).
        x: Horizontal positions, rising.
        y: Vertical positions, rising.
        xlabel: What x is, with its unit.
        ylabel: What y is, with its unit.
        alt: What is to be seen, in one line; see `Figure`.
        marks: Label -> (x, y) of places to point out.
        label: What the values are, beside the scale of colors.

    Returns:
        The figure.

    Raises:
        ValueError: The shapes do not fit, there are less than two positions
            on an axis, values are not finite, or `alt` is no line of text.
    """
    grid = torch.as_tensor(values).detach().double().cpu()
    if tuple(grid.shape) != (len(y), len(x)) or min(grid.shape) < 2:
        raise ValueError(
            f"values of shape {tuple(grid.shape)} came with {len(y)} "
            f"positions down and {len(x)} across: a map needs (down, across), "
            "at least 2 of each."
        )
    if not grid.isfinite().all():
        raise ValueError("a map of contours needs finite values everywhere.")
    across, down = _floats(x), _floats(y)
    with _axes(xlabel, ylabel, log=False) as (figure, axes):
        axes.grid(visible=False)
        filled = axes.contourf(across, down, grid.numpy(), 24, cmap="cividis")
        axes.contour(
            across, down, grid.numpy(), 12, colors="#111111", linewidths=0.5
        )
        figure.colorbar(filled, ax=axes, label=label)
        for index, (name, (at_x, at_y)) in enumerate((marks or {}).items()):
            axes.plot(
                [float(at_x)],
                [float(at_y)],
                linestyle="",
                marker=_MARKS[index % len(_MARKS)],
                color="white",
                markeredgecolor="#111111",
                markersize=9,
                label=name,
            )
        if marks:
            axes.legend(frameon=True, facecolor="#bbbbbb")
    return Figure(figure, alt)


@contextmanager
def _axes(
    xlabel: str, ylabel: str, log: bool, logx: bool = False
) -> Iterator[tuple[Drawing, Axes]]:
    """Give an empty figure with labeled axes, in the look of the course."""
    with look():
        figure = blank(_WIDTH, _HEIGHT, density=_SHARP)
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel)
        yield figure, axes
        if log:
            axes.set_yscale("log")
            _label_plainly(axes.yaxis, *axes.get_ylim())
        if logx:
            axes.set_xscale("log")
            _label_plainly(axes.xaxis, *axes.get_xlim())


def _label_plainly(axis: Axis, low: float, high: float) -> None:
    """Write 0.2 and 300 on a logarithmic axis in place of powers of ten."""
    if low > 1e-4 and high < 1e5:
        axis.set_major_formatter("{x:g}")
    decades = math.log10(high / low)
    named = "123456789" if decades < 1 else "25" if decades < 2 else ""
    axis.set_minor_formatter(
        lambda x, _: f"{x:g}" if f"{x:e}"[0] in named else ""
    )


def _looks(labels: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Give color, dash, mark and hatch for each label."""
    ideas = list(COLORS)
    others = [label for label in labels if label not in COLORS]
    for label in labels:
        if label in COLORS:
            color, index = COLORS[label], ideas.index(label)
        else:
            index = others.index(label)
            # plasma grows lighter evenly; its last third is pale on white.
            place = index / max(1, len(others) - 1)
            color = mpl.colors.to_hex(mpl.colormaps["plasma"](0.7 * place))
        yield {
            "color": color,
            "dash": _DASHES[index % len(_DASHES)],
            "mark": _MARKS[index % len(_MARKS)],
            "hatch": _HATCHES[index % len(_HATCHES)],
        }


def _places(x: Values | Mapping[str, Values], label: str) -> Values:
    if not isinstance(x, Mapping):
        return x
    if label not in x:
        raise ValueError(f"the curve {label!r} has no positions in x.")
    return x[label]


def _floats(values: Values) -> list[float]:
    return [float(each) for each in values]


def _check_curve(
    label: str, values: list[float], count: int, log: bool
) -> None:
    if len(values) != count:
        raise ValueError(
            f"the curve {label!r} has {len(values)} values for {count} "
            "positions."
        )
    if log:
        _check_positive(f"the curve {label!r}", values)


def _check_positive(what: str, values: list[float]) -> None:
    too_low = [each for each in values if each <= 0]
    if too_low:
        raise ValueError(
            f"{what} falls to {min(too_low):.3g}, which has no place on a "
            "logarithmic axis. Leave it out, or take log=False."
        )
