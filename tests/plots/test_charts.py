"""Figures with axes: what is drawn, and what is refused."""

import numpy as np
import pytest
import torch

from styletut.plots.charts import bars, contours, curves, intervals, points
from styletut.plots.figures import COLORS

ALT = "A line falls from 3 to 1."
EVALUATIONS = [1, 2, 3]


# curves


def drawn(figure):
    (axes,) = figure.figure.axes
    return {line.get_label(): line for line in axes.lines}


def test_a_curve_has_its_values_and_the_color_of_its_idea():
    series = {"style": torch.tensor([3.0, 2.0, 1.0]), "Adam": [1, 2, 3]}
    figure = curves(series, EVALUATIONS, "evaluations", "loss", ALT)
    lines = drawn(figure)
    assert lines["style"].get_xydata().tolist() == [[1, 3], [2, 2], [3, 1]]
    assert lines["style"].get_color() == COLORS["style"]
    assert lines["Adam"].get_color() not in COLORS.values()
    (axes,) = figure.figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("evaluations", "loss")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "style",
        "Adam",
    ]


def test_the_axis_is_logarithmic_unless_told_otherwise():
    scales = [
        curves({"a": [1, 2]}, [1, 2], "x", "y", ALT, log=log)
        .figure.axes[0]
        .get_yscale()
        for log in (True, False)
    ]
    assert scales == ["log", "linear"]


def test_curves_differ_in_dashes_as_well():
    others = ["GD", "Adam", "L-BFGS", "momentum"]
    for labels in (list(COLORS), others):
        series = {label: [1.0, 2.0] for label in labels}
        lines = drawn(curves(series, [1, 2], "x", "y", ALT))
        dashes = {str(line._dash_pattern) for line in lines.values()}
        assert len(dashes) == len(labels)


def test_a_diverged_run_leaves_a_gap():
    values = [1.0, float("nan"), float("inf")]
    curves({"total": values}, EVALUATIONS, "x", "y", ALT).png()


@pytest.mark.parametrize(
    ("series", "x", "message"),
    [
        ({}, [1], "nothing to draw"),
        ({"total": []}, [], "nothing to draw"),
        ({"total": [1, 2]}, [1], "'total' has 2 values for 1 positions"),
        ({"tv": [1, 0]}, [1, 2], "'tv' falls to 0, .*log=False"),
        ({"tv": [float("nan"), -2]}, [1, 2], "'tv' falls to -2"),
    ],
)
def test_what_cannot_be_drawn_is_refused(series, x, message):
    with pytest.raises(ValueError, match=message):
        curves(series, x, "x", "y", ALT)


def test_zero_may_be_drawn_on_a_linear_axis():
    curves({"tv": [1, 0]}, [1, 2], "x", "y", ALT, log=False).png()


def test_each_curve_may_have_its_own_positions():
    x = {"GD": [1, 2, 3], "Adam": [10, 20]}
    figure = curves({"GD": [3, 2, 1], "Adam": [2, 1]}, x, "s", "loss", ALT)
    lines = drawn(figure)
    assert lines["GD"].get_xdata().tolist() == [1, 2, 3]
    assert lines["Adam"].get_xdata().tolist() == [10, 20]
    with pytest.raises(ValueError, match="'GD' has no positions"):
        curves({"GD": [3, 2, 1]}, {"Adam": [1, 2, 3]}, "s", "loss", ALT)


def test_positions_on_a_logarithmic_axis_are_positive():
    figure = curves({"a": [1, 2]}, [1, 10], "x", "y", ALT, logx=True)
    assert figure.figure.axes[0].get_xscale() == "log"
    with pytest.raises(ValueError, match="positions of 'a' falls to 0"):
        curves({"a": [1, 2]}, [0, 10], "x", "y", ALT, logx=True)


# bars


def test_bars_have_their_heights_and_the_color_of_their_idea():
    series = {"content": [1.0, 2.0], "style": [3.0, 4.0]}
    figure = bars(series, ["relu1_1", "relu2_1"], "share", ALT)
    (axes,) = figure.figure.axes
    heights = [[bar.get_height() for bar in each] for each in axes.containers]
    assert heights == [[1, 2], [3, 4]]
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["relu1_1", "relu2_1"]
    colors = [each[0].get_facecolor()[:3] for each in axes.containers]
    for color, idea in zip(colors, series, strict=True):
        wanted = [int(COLORS[idea][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert np.allclose(color, wanted)


def test_groups_of_bars_do_not_overlap():
    series = {name: [1.0, 1.0] for name in "abc"}
    (axes,) = bars(series, ["x", "y"], "share", ALT).figure.axes
    spans = sorted(
        (bar.get_x(), bar.get_x() + bar.get_width())
        for each in axes.containers
        for bar in each
    )
    ends = [end for _, end in spans]
    starts = [start for start, _ in spans]
    assert all(e <= s for e, s in zip(ends[:-1], starts[1:], strict=True))


@pytest.mark.parametrize(
    ("series", "names", "message"),
    [
        ({}, ["a"], "nothing to draw"),
        ({"total": []}, [], "nothing to draw"),
        ({"total": [1, 2]}, ["a"], "2 values for 1"),
        ({"total": [1, 0]}, ["a", "b"], "falls to 0"),
    ],
)
def test_bars_that_cannot_be_drawn_are_refused(series, names, message):
    with pytest.raises(ValueError, match=message):
        bars(series, names, "share", ALT, log=True)


# points


def test_points_stand_where_they_belong():
    series = {"style": [(1, 2), (3, 4)], "other": [(torch.tensor(5.0), 6)]}
    lines = drawn(points(series, "x", "y", ALT))
    assert lines["style"].get_xydata().tolist() == [[1, 2], [3, 4]]
    assert lines["other"].get_xydata().tolist() == [[5, 6]]
    assert lines["style"].get_linestyle() == "None"
    assert lines["style"].get_marker() != lines["other"].get_marker()


def test_points_may_be_joined_and_axes_logarithmic():
    figure = points({"a": [(1, 2), (3, 4)]}, "x", "y", ALT, True, True)
    (axes,) = figure.figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert drawn(figure)["a"].get_linestyle() != "None"


def test_points_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="no point"):
        points({"a": []}, "x", "y", ALT)
    with pytest.raises(ValueError, match="falls to -1"):
        points({"a": [(-1, 1)]}, "x", "y", ALT, log=True)


# contours


def test_a_landscape_has_its_axes_and_marks():
    values = torch.arange(6.0).reshape(2, 3)
    figure = contours(
        values, [0, 1, 2], [5, 6], "s", "t", ALT, {"photo": (1, 5)}
    )
    axes = figure.figure.axes[0]
    assert axes.get_xlim() == (0, 2)
    assert axes.get_ylim() == (5, 6)
    (line,) = [each for each in axes.lines if each.get_label() == "photo"]
    assert line.get_xydata().tolist() == [[1, 5]]
    assert len(figure.png()) > 1000


@pytest.mark.parametrize(
    ("values", "x", "y", "message"),
    [
        (torch.zeros(3, 2), [0, 1, 2], [0, 1], "shape"),
        (torch.zeros(1, 2), [0, 1], [0], "at least 2"),
        (torch.full((2, 2), float("nan")), [0, 1], [0, 1], "finite"),
    ],
)
def test_a_landscape_that_cannot_be_drawn_is_refused(values, x, y, message):
    with pytest.raises(ValueError, match=message):
        contours(values, x, y, "s", "t", ALT)


def test_few_places_on_a_logarithmic_axis_are_named():
    sides = [64, 128, 256, 512]
    figure = curves({"a": [1, 2, 3, 4]}, sides, "x", "y", ALT, logx=True)
    (axes,) = figure.figure.axes
    assert axes.get_xticks().tolist() == sides
    named = [label.get_text() for label in axes.get_xticklabels()]
    assert named == ["64", "128", "256", "512"]


def labels_of(axis):
    both = axis.get_major_formatter(), axis.get_minor_formatter()
    ticks = axis.get_majorticklocs(), axis.get_minorticklocs()
    low, high = sorted(axis.get_view_interval())
    return {
        form(place, 0)
        for form, places in zip(both, ticks, strict=True)
        for place in places
        if low <= place <= high
    } - {""}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.02, 0.9], {"0.02", "0.05", "0.1", "0.2", "0.5"}),
        ([0.001, 90], {"0.001", "0.01", "0.1", "1", "10"}),
    ],
)
def test_a_logarithmic_axis_has_plain_labels(values, wanted):
    figure = curves({"a": values}, [1, 2], "x", "y", ALT)
    assert wanted <= labels_of(figure.figure.axes[0].yaxis)


def test_a_title_tells_figures_apart():
    figure = curves({"a": [1, 2]}, [1, 2], "x", "y", ALT, title="from noise")
    assert figure.figure.axes[0].get_title() == "from noise"


def test_names_stand_beside_the_points_of_the_first_series():
    series = {"a": [(1, 2), (3, 4)], "b": [(0, 0)]}
    figure = points(series, "x", "y", ALT, names=["low", "high"])
    written = {
        text.get_text(): text.xy for text in figure.figure.axes[0].texts
    }
    assert written == {"low": (1, 2), "high": (3, 4)}
    with pytest.raises(ValueError, match="1 names came for 2 points"):
        points(series, "x", "y", ALT, names=["low"])


def test_axes_may_be_equal():
    figure = points({"a": [(0, 0), (1, 9)]}, "x", "y", ALT, equal=True)
    assert figure.figure.axes[0].get_aspect() == 1


def test_the_scale_of_colors_says_what_it_shows():
    figure = contours(
        torch.eye(3), [0, 1, 2], [0, 1, 2], "x", "y", ALT, label="loss"
    )
    assert figure.figure.axes[1].get_ylabel() == "loss"


# intervals

INTERVALS = {"SSIM": [(0.2, 0.1, 0.3), (0.0, -0.1, 0.2)]}


def test_intervals_are_rows_with_dots_hollow_where_zero_may_be():
    figure = intervals(INTERVALS, ["relu1_1", "relu2_1"], "change", ALT)
    (axes,) = figure.figure.axes
    zero, *lines = axes.lines
    assert list(zero.get_xdata()) == [0, 0]
    bars_, dots = lines[::2], lines[1::2]
    assert [list(bar.get_xdata()) for bar in bars_] == [
        [0.1, 0.3],
        [-0.1, 0.2],
    ]
    assert [list(dot.get_xdata()) for dot in dots] == [[0.2], [0.0]]
    faces = [dot.get_markerfacecolor() for dot in dots]
    assert faces[0] != "white" and faces[1] == "white"
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["relu1_1", "relu2_1"]
    top, bottom = axes.get_ylim()
    assert top > bottom  # the first name stands on top
    figure.png()


def test_each_panel_has_a_scale_of_its_own():
    panels = {"SSIM": [(1, 0, 2)], "style": [(100, 50, 200)]}
    figure = intervals(panels, ["equal"], "%", ALT)
    titles = [axes.get_title() for axes in figure.figure.axes]
    assert titles == ["SSIM", "style"]
    limits = [axes.get_xlim()[1] for axes in figure.figure.axes]
    assert limits[1] > 10 * limits[0]


@pytest.mark.parametrize(
    ("panels", "names", "message"),
    [
        ({}, ["a"], "nothing to draw"),
        (INTERVALS, [], "nothing to draw"),
        (INTERVALS, ["a"], "'SSIM' has 2 intervals for 1 names"),
        ({"x": [(3, 1, 2)]}, ["a"], "3 does not lie between 1 and 2"),
    ],
)
def test_intervals_that_cannot_be_are_refused(panels, names, message):
    with pytest.raises(ValueError, match=message):
        intervals(panels, names, "x", ALT)
