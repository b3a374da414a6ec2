"""Figures: exact pixels, true captions, colors that everyone can tell."""

import io
import itertools
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from styletut import plots
from styletut.images import to_pil
from styletut.plots import COLORS, Figure, curves, maps, pictures
from styletut.plots.figures import blank, look

ALT = "Four grey squares grow darker, from 0.80 to 0.20."
EVALUATIONS = [1, 2, 3]


def decoded(figure):
    return np.asarray(Image.open(io.BytesIO(figure.png())).convert("RGB"))


def ramp(height, width):
    """A picture whose values rise from 0 to 1, red before green and blue."""
    values = torch.linspace(0, 1, 3 * height * width)
    return values.reshape(1, 3, height, width)


def contains(canvas, block):
    """Whether the array holds the block, pixel by pixel."""
    height, width = block.shape[:2]
    corners = np.argwhere((canvas == block[0, 0]).all(-1))
    return any(
        np.array_equal(canvas[y : y + height, x : x + width], block)
        for y, x in corners
    )


class Notebook:
    """Takes the place of IPython's `display` and keeps what it is given."""

    def __init__(self, monkeypatch):
        self.outputs = []
        monkeypatch.setattr("IPython.display.display", self.take)

    def take(self, data, metadata=None, raw=False):
        assert raw
        self.outputs.append((data, metadata))


# Figure


def test_a_display_is_the_picture_and_its_caption(monkeypatch):
    notebook = Notebook(monkeypatch)
    figure = pictures([ramp(8, 8)], ["a ramp"], ALT)
    figure._ipython_display_()
    (picture, about), (caption, _) = notebook.outputs
    assert picture == {"image/png": figure.png(), "text/plain": ALT}
    assert about["image/png"]["alt"] == ALT
    assert caption == {"text/html": f"<p>{ALT}</p>", "text/plain": ALT}


def test_a_caption_is_text_and_no_markup(monkeypatch):
    notebook = Notebook(monkeypatch)
    Figure(blank(10, 10, density=1), "a < b & c > d")._ipython_display_()
    assert notebook.outputs[1][0] == {
        "text/html": "<p>a &lt; b &amp; c &gt; d</p>",
        "text/plain": "a < b & c > d",
    }


def test_a_line_plot_is_shown_at_half_its_pixels(monkeypatch):
    notebook = Notebook(monkeypatch)
    figure = curves({"total": [3, 2, 1]}, EVALUATIONS, "x", "y", ALT)
    figure._ipython_display_()
    shown = notebook.outputs[0][1]["image/png"]["width"]
    assert decoded(figure).shape[1] == 2 * shown


@pytest.mark.parametrize("alt", ["", "  ", "one\ntwo", "costs $5$"])
def test_a_figure_without_a_plain_sentence_is_refused(alt):
    with pytest.raises(ValueError, match="needs a sentence"):
        pictures([ramp(4, 4)], ["a"], alt)
    with pytest.raises(ValueError, match="needs a sentence"):
        curves({"total": [1.0]}, [1], "x", "y", alt)


@given(width=st.integers(1, 700), height=st.integers(1, 700))
def test_a_figure_has_the_pixels_that_were_asked_for(width, height):
    figure = blank(width, height, density=1)
    assert tuple(int(side) for side in figure.bbox.size) == (width, height)


def test_large_sheets_are_stored_as_jpeg_in_nearly_their_colors():
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(6, 1, 3, 256, 256, generator=generator)
    figure = pictures([*noise], [""] * 6, ALT)
    kind, data = figure.published()
    assert kind == "image/jpeg" and len(data) < 750_000 < len(figure.png())
    stored = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    apart = np.abs(stored.astype(float) - decoded(figure).astype(float))
    assert stored.shape == decoded(figure).shape and apart.mean() < 10


def test_small_figures_are_stored_as_they_are():
    figure = pictures([ramp(16, 16)], ["a"], ALT)
    assert figure.published() == ("image/png", figure.png())


def test_a_figure_gives_the_same_file_twice():
    figure = pictures([ramp(16, 16)], ["a"], ALT)
    assert figure.png() == figure.png()


def test_the_readers_settings_are_neither_used_nor_changed():
    first = curves({"total": [3, 2, 1]}, EVALUATIONS, "x", "y", ALT).png()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)
        again = curves({"total": [3, 2, 1]}, EVALUATIONS, "x", "y", ALT).png()
        assert dict(mpl.rcParams) == before
    assert again == first


def test_no_figure_is_left_to_pyplot():
    pictures([ramp(4, 4)], ["a"], ALT).png()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


# pictures


@given(height=st.integers(1, 40), width=st.integers(1, 40))
@settings(max_examples=20)
def test_pixels_arrive_as_whole_squares(height, width):
    image = ramp(height, width)
    factor = 256 // max(height, width)
    squares = np.asarray(to_pil(image)).repeat(factor, 0).repeat(factor, 1)
    assert contains(decoded(pictures([image], [""], ALT)), squares)


def test_large_pictures_keep_their_pixels():
    image = ramp(130, 200)
    canvas = decoded(pictures([image], ["a"], ALT))
    assert contains(canvas, np.asarray(to_pil(image)))


def test_pictures_of_two_sizes_share_one_scale():
    large, small = ramp(128, 100), ramp(30, 64)
    canvas = decoded(pictures([large, small], ["a", "b"], ALT))
    for image in (large, small):
        doubled = np.asarray(to_pil(image)).repeat(2, 0).repeat(2, 1)
        assert contains(canvas, doubled)


@pytest.mark.parametrize(
    ("count", "columns", "across"),
    [(1, None, 1), (3, None, 3), (4, None, 2), (6, None, 3), (4, 4, 4)],
)
def test_rows_are_filled_evenly(count, columns, across):
    figure = pictures([ramp(256, 256)] * count, [""] * count, ALT, columns)
    height, width = decoded(figure).shape[:2]
    assert width == across * 268 + 12
    assert height == -(-count // across) * 268 + 12


def test_a_row_is_as_high_as_the_highest_picture_in_it():
    images = [ramp(256, 256), ramp(200, 256), ramp(100, 256), ramp(90, 256)]
    canvas = decoded(pictures(images, [""] * 4, ALT, columns=2))
    assert len(canvas) == 12 + (256 + 12) + (100 + 12)
    for image in images:
        assert contains(canvas, np.asarray(to_pil(image)))


def test_titles_stand_above_their_pictures_and_wrap():
    image = torch.ones(1, 3, 256, 256)
    plain = decoded(pictures([image], [""], ALT))
    short = decoded(pictures([image], ["photo"], ALT))
    long = decoded(pictures([image], ["a photo " * 8], ALT))
    assert plain.min() == 255
    assert short[:30].min() < 100
    assert short[30:].min() == 255
    assert short.shape[0] < long.shape[0]
    # Nothing is cut off at the sides.
    assert long[:, :12].min() == long[:, -12:].min() == 255


@pytest.mark.parametrize(
    ("images", "titles", "columns", "message"),
    [
        ([], [], None, "0 pictures came with 0 titles"),
        ([ramp(4, 4)], [], None, "1 pictures came with 0 titles"),
        ([ramp(4, 4)], ["a"], 0, "columns is 0"),
        ([torch.zeros(3, 4, 4)], ["a"], None, r"\(3, 4, 4\)"),
        ([torch.full((1, 3, 4, 4), torch.nan)], ["a"], None, "NaN"),
    ],
)
def test_what_cannot_be_shown_is_refused(images, titles, columns, message):
    with pytest.raises(ValueError, match=message):
        pictures(images, titles, ALT, columns)


# maps


def test_a_map_shows_each_entry_as_a_square_of_its_grey():
    figure = maps([torch.tensor([[0.0, 1.0], [2.0, 4.0]])], ["F"], ALT)
    grey = np.array([[0, 64], [128, 255]], dtype=np.uint8)
    block = np.repeat(np.repeat(grey, 128, 0), 128, 1)
    assert contains(decoded(figure), np.dstack([block] * 3))


def test_a_map_with_both_signs_is_white_at_zero():
    figure = maps([torch.tensor([[-1.0, 0.0, 0.5]])], [""], ALT)
    shown = decoded(figure)
    middle = shown[shown.shape[0] // 2]
    colors = {tuple(int(c) for c in color) for color in middle}
    blue = next(c for c in colors if c[2] > c[0])
    red = next(c for c in colors if c[0] > c[2])
    assert sum(red) > sum(blue)  # half as far from zero is half as strong
    assert (255, 255, 255) in colors


def test_a_map_of_zeros_is_black():
    shown = decoded(maps([torch.zeros(2, 2)], [""], ALT))
    assert contains(shown, np.zeros((256, 256, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("given", "titles", "message"),
    [
        ([], [], "at least one"),
        ([torch.zeros(2, 2)], [], "0 titles"),
        ([torch.zeros(2)], ["a"], "matrix"),
        ([torch.zeros(0, 2)], ["a"], "matrix"),
        ([torch.full((2, 2), float("inf"))], ["a"], "infinite"),
    ],
)
def test_what_is_no_map_is_refused(given, titles, message):
    with pytest.raises(ValueError, match=message):
        maps(given, titles, ALT)


# colors

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(color):
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(
        rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
    )


def lab(rgb):
    """CIE L*a*b* of linear RGB, by its definition."""
    t = TO_XYZ @ np.clip(rgb, 0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(
        t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29
    )
    return np.array(
        [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]
    )


@pytest.mark.parametrize("pair", list(itertools.combinations(COLORS, 2)))
def test_colors_differ_in_grey_and_for_every_eye(pair):
    first, second = (linear(COLORS[name]) for name in pair)
    assert abs(lab(first)[0] - lab(second)[0]) > 10
    for eye in SIGHT.values():
        seen = lab(np.array(eye) @ first) - lab(np.array(eye) @ second)
        # A difference of 10 is plain at a glance, one of 2.3 just visible.
        assert np.linalg.norm(seen) > 15


@pytest.mark.parametrize("color", COLORS.values(), ids=COLORS)
def test_colors_have_the_contrast_of_graphics_to_white(color):
    luminance = TO_XYZ[1] @ linear(color)
    assert 1.05 / (luminance + 0.05) >= 3  # WCAG 2.1, 1.4.11


def test_colors_cannot_be_changed():
    with pytest.raises(TypeError):
        plots.COLORS["style"] = "#000000"


def test_the_look_ends_with_its_block():
    before = dict(mpl.rcParams)
    with look():
        assert dict(mpl.rcParams) != before
    assert dict(mpl.rcParams) == before
