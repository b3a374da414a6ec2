"""Tiles against the whole picture."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.engines.tiles import Tiles, cut, margin
from styletut.images import resize_to, sample
from styletut.objective import Objective
from styletut.vgg import LAYERS, VGG19, feature_shape, receptive_field


def pictures(height, width, dtype=torch.float64):
    photo = resize_to(sample("chelsea"), height, width).to(dtype)
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(photo.shape, generator=generator, dtype=dtype)
    x = (0.6 * photo + 0.4 * noise).clamp(0, 1)
    return photo, sample("night", 96).to(dtype), x


@pytest.mark.parametrize(
    ("layer", "pixels"),
    [("conv1_1", 1), ("relu2_1", 4), ("pool2", 8), ("relu5_1", 80)],
)
def test_a_margin_is_as_wide_as_a_layer_sees(layer, pixels):
    """(7.6)."""
    assert margin([layer]) == pixels
    assert margin(["conv1_1", layer]) == pixels


@given(
    st.integers(16, 400),
    st.integers(16, 400),
    st.integers(16, 200),
    st.sampled_from(LAYERS[:30]),
    st.sampled_from(LAYERS[:30]),
)
def test_every_position_counts_in_one_tile(height, width, side, one, other):
    tiles = cut(height, width, side, [one, other])
    for layer in (one, other):
        _, h, w = feature_shape(layer, height, width)
        counts = torch.zeros(1, 1, h, w)
        for tile in tiles:
            rows, columns = tile.outer[1:]
            assert 0 <= rows.start < rows.stop <= height
            assert 0 <= columns.start < columns.stop <= width
            _, outer_h, outer_w = feature_shape(
                layer, rows.stop - rows.start, columns.stop - columns.start
            )
            own = torch.zeros(1, 1, outer_h, outer_w)[tile.inner(layer)]
            counts[tile.place(layer)] += 1
            assert own.shape == counts[tile.place(layer)].shape
        assert torch.equal(counts, torch.ones_like(counts))


@given(st.integers(16, 400), st.integers(16, 200), st.sampled_from(LAYERS))
def test_a_tile_holds_all_that_its_positions_see(length, side, layer):
    if length < receptive_field(layer).stride or side < 16:
        return
    field = receptive_field(layer)
    reach = (field.size - field.stride) // 2
    for tile in cut(length, length, max(side, field.stride), [layer]):
        span = tile.rows
        assert span.outer_first <= max(0, span.first - reach)
        assert span.outer_last >= min(length, span.last + reach)
        assert span.outer_first % field.stride == 0


@given(st.integers(300, 900), st.sampled_from([64, 128, 200]))
def test_tiles_have_about_one_size(length, side):
    lengths = [
        tile.rows.outer_last - tile.rows.outer_first
        for tile in cut(length, 16, side, ["relu5_1"])
    ]
    assert max(lengths) - min(lengths) < 16


def test_tiles_too_small_for_the_layers_are_refused():
    with pytest.raises(ValueError, match=r"8 pixels .* at least 16"):
        cut(100, 100, 8, ["relu5_1"])


SHALLOW = {"content_layers": ["conv3_2", "pool2"], "style_layers": ["relu3_1"]}
ALONE = {"content_layers": [], "style_layers": ["relu1_2", "pool3"]}


@pytest.mark.parametrize(
    ("settings", "pooling", "side"),
    [
        ({}, "max", 64),
        ({"gamma": 0.3, "convention": "pytorch_tutorial"}, "max", 32),
        (SHALLOW, "max", 32),
        (SHALLOW, "average", 32),
        (ALONE, "average", 40),
        ({"content_layers": ["relu2_2"], "style_layers": []}, "max", 16),
    ],
    ids=["default", "tutorial", "max", "average", "style", "content"],
)
def test_the_gradient_is_that_of_the_whole_picture(settings, pooling, side):
    photo, painting, x = pictures(99, 66)
    settings = {**settings, "vgg": VGG19(pooling=pooling)}
    styles = [(painting, 1), (photo[..., :50, :], 2)]
    right, gradient = Objective(photo, styles, **settings).gradient(x)
    tiled = Objective(photo, styles, tiles=side, **settings)
    terms, came = tiled.gradient(x)
    assert float((came - gradient).norm() / gradient.norm()) < 1e-8
    for numbers in (terms, tiled(x)):
        for each, wanted in zip(
            numbers.tensors(), right.tensors(), strict=True
        ):
            assert float(each) == pytest.approx(float(wanted), rel=1e-10)


def test_in_single_precision_it_is_the_whole_to_rounding(vgg):
    photo, painting, x = pictures(131, 90, torch.float32)
    right, gradient = Objective(photo, painting, vgg=vgg).gradient(x)
    tiled = Objective(photo, painting, tiles=64, vgg=vgg)
    terms, came = tiled.gradient(x)
    assert came.dtype == torch.float32
    assert float((came - gradient).norm() / gradient.norm()) < 2e-3
    assert float(terms.total) == pytest.approx(float(right.total), rel=1e-4)
    _, again = tiled.gradient(x)
    assert torch.equal(again, came)


def test_style_pictures_alone_can_be_shown_in_tiles(vgg):
    photo, painting, x = pictures(80, 64)
    styles = [(painting, 1), (pictures(99, 70)[2], 2)]
    right, gradient = Objective(photo, styles, vgg=vgg).gradient(x)
    tiled = Objective(photo, styles, vgg=vgg, style_tiles=48)
    terms, came = tiled.gradient(x)
    assert float((came - gradient).norm() / gradient.norm()) < 1e-8
    assert float(terms.total) == pytest.approx(float(right.total), rel=1e-10)
    x.requires_grad_()  # the picture itself is not
    assert tiled(x).total.requires_grad


def test_a_large_style_leaves_no_memory_behind(vgg):
    photo, _, x = pictures(80, 64, torch.float32)
    large = pictures(147, 160, torch.float32)[0]
    kept = []
    for style in (photo, large):
        objective = Objective(photo, style, vgg=vgg)
        objective.gradient(x)
        kept.append(objective.engine.buffers.nbytes)
    assert kept[0] == kept[1] > 0


def test_a_graph_is_refused_in_words(vgg, photo, painting):
    tiled = Objective(photo, painting, tiles=32, vgg=vgg)
    x = photo.clone().requires_grad_()
    with pytest.raises(ValueError, match=r"from \.gradient\(x\)"):
        tiled(x)
    _, gradient = tiled.gradient(x)
    assert gradient.shape == x.shape and not gradient.requires_grad


def test_maps_of_tiles_have_the_dtype_that_was_asked_for(vgg):
    x = sample("chelsea", 64)
    seen = []

    class Seen:
        layer = "relu1_1"

        def observe(self, F, place, mask=None):
            seen.append(F.dtype)
            return F.float().sum()

        def loss(self, total):
            return total

        def add_gradient(self, g, F, total, place, mask=None):
            seen.append(F.dtype)

    tiles = Tiles(vgg, 32, torch.bfloat16)
    tiles.gradient(x, [Seen()])
    assert len(seen) > 2
    assert {*seen} == {torch.bfloat16}
