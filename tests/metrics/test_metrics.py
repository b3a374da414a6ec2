"""Distances of pictures, against their definitions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.conventions import CONVENTIONS
from styletut.images import sample
from styletut.metrics import (
    CONTENT_LAYERS,
    HELD_OUT_LAYERS,
    STYLE_LAYERS,
    color_distance,
    compare,
    comparison,
    content_distance,
    pixel_error,
    self_similarity_distance,
    ssim,
    style_distance,
    wasserstein_distance,
)
from styletut.vgg.network import shared_network


def shifted(picture):
    return picture.roll(3, -1)


def test_equal_pictures_have_no_error(photo):
    assert pixel_error(photo, photo) == 0
    assert ssim(photo, photo) == pytest.approx(1)


def test_black_and_white_are_one_apart():
    black = torch.zeros(1, 3, 16, 12)
    assert pixel_error(black, black + 1) == 1
    assert ssim(black, black + 1) < 0.001


def test_the_pixel_error_is_a_root_mean_square():
    # (2.6)
    x = torch.zeros(1, 3, 2, 2)
    y = x.clone()
    y[0, 1, 0, 1] = 0.6
    assert pixel_error(x, y) == pytest.approx(math.sqrt(0.36 / 12))


def test_the_order_of_the_pictures_is_of_no_account(photo):
    other = shifted(photo)
    assert pixel_error(photo, other) == pixel_error(other, photo)
    assert ssim(photo, other) == pytest.approx(ssim(other, photo), abs=1e-12)


def test_a_negative_has_a_negative_similarity(photo):
    assert ssim(photo, 1 - photo) < 0


def test_ssim_sees_structure_and_the_pixel_error_does_not(photo):
    brighter = (photo + 0.08).clamp(0, 1)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(photo.shape, generator=generator) * 0.08
    noisy = (photo + noise).clamp(0, 1)
    errors = pixel_error(photo, brighter), pixel_error(photo, noisy)
    assert errors[0] == pytest.approx(errors[1], rel=0.1)
    assert ssim(photo, brighter) > ssim(photo, noisy) + 0.05


def test_ssim_is_its_formula_where_all_windows_are_alike():
    # two constant pictures: (2 m n + C1) / (m^2 + n^2 + C1) everywhere
    m, n, C1 = 0.2, 0.6, 0.01**2
    x = torch.full((1, 3, 20, 16), m, dtype=torch.float64)
    y = torch.full_like(x, n)
    expected = (2 * m * n + C1) / (m**2 + n**2 + C1)
    assert ssim(x, y) == pytest.approx(expected, rel=1e-9)


def window():
    t = torch.arange(-5, 6, dtype=torch.float64)
    g = torch.exp(-(t**2) / (2 * 1.5**2))
    g = torch.outer(g, g)
    return (g / g.sum())[None, None]


def test_ssim_is_the_sum_of_wang_and_others():
    """(2.7) in every window that lies inside, by a convolution."""
    x = sample("chelsea", 40).double()
    y = shifted(x)

    def mean(z):
        channels = z.transpose(0, 1)
        return torch.nn.functional.conv2d(channels, window())

    m, n = mean(x), mean(y)
    vx, vy = mean(x * x) - m * m, mean(y * y) - n * n
    cov = mean(x * y) - m * n
    C1, C2 = 0.01**2, 0.03**2
    values = (2 * m * n + C1) * (2 * cov + C2)
    values = values / ((m**2 + n**2 + C1) * (vx + vy + C2))
    assert ssim(x, y) == pytest.approx(float(values.mean()), rel=1e-6)


@pytest.mark.parametrize("metric", [pixel_error, ssim])
def test_what_cannot_be_compared_is_refused(metric, photo):
    with pytest.raises(ValueError, match="must be equal"):
        metric(photo, photo[..., 1:])
    with pytest.raises(ValueError, match="second picture"):
        metric(photo, photo[0])
    with pytest.raises(ValueError, match="infinite or undefined"):
        metric(photo, photo * math.nan)


def test_a_picture_below_the_window_is_refused():
    small = torch.zeros(1, 3, 10, 40)
    with pytest.raises(ValueError, match="40 x 10 pixels"):
        ssim(small, small)


def flat(*color, height=4, width=4):
    """A picture of one color."""
    return torch.tensor(color)[None, :, None, None].repeat(1, 1, height, width)


def test_equal_histograms_have_no_distance(photo):
    assert color_distance(photo, photo) == 0
    assert color_distance(photo, photo.flip(3)) < 1e-12


def test_pictures_without_a_common_color_are_one_apart():
    assert color_distance(flat(0.0, 0, 0), flat(1.0, 1, 1)) == 1
    assert color_distance(flat(0.5, 0, 0), flat(0.5, 1, 0)) == 1


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_slight_change_of_color_is_a_slight_distance(channel):
    # a level is 1/7 away from the next; a quarter of that moves a quarter
    x, y = flat(1 / 7, 1 / 7, 1 / 7), flat(1 / 7, 1 / 7, 1 / 7)
    y[:, channel] += 1 / 28
    assert color_distance(x, y) == pytest.approx(1 / 4, abs=1e-6)


def test_half_a_picture_in_another_color_is_half_a_distance():
    x = torch.cat([flat(0.0, 0, 0), flat(1.0, 1, 1)], 3)
    assert color_distance(x, flat(0.0, 0, 0, height=9)) == pytest.approx(0.5)


def test_the_size_of_a_picture_is_of_no_account_to_its_colors(photo, painting):
    doubled = photo.repeat_interleave(2, 2)
    assert color_distance(doubled, painting) == pytest.approx(
        color_distance(photo, painting)
    )


colors = st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12).map(
    lambda values: torch.tensor(values).reshape(1, 3, 2, 2)
)


@given(colors, colors, colors)
def test_the_color_distance_is_a_distance(x, y, z):
    xy, yz, xz = (
        color_distance(a, b, bins=4) for a, b in ((x, y), (y, z), (x, z))
    )
    assert 0 <= xy <= 1 + 1e-12
    assert xy == pytest.approx(color_distance(y, x, bins=4))
    assert xz <= xy + yz + 1e-12


def test_what_has_no_histogram_is_refused(photo):
    with pytest.raises(ValueError, match="2 bins at least, not 1"):
        color_distance(photo, photo, bins=1)
    with pytest.raises(ValueError, match="second picture holds infinite"):
        color_distance(photo, photo * math.nan)


def test_compare_is_every_metric(photo, painting):
    x = (photo * 0.7 + 0.3 * painting[..., : photo.shape[2], :]).clamp(0, 1)
    found = compare(x, photo, painting)
    average = shared_network(pooling="average")

    def mean(distances):
        return sum(distances.values()) / len(distances)

    contents = content_distance(x, photo)
    styles = style_distance(x, painting)
    held_out = style_distance(x, painting, HELD_OUT_LAYERS)
    transports = wasserstein_distance(x, painting)
    expected = {
        "pixel_error": pixel_error(x, photo),
        "ssim": ssim(x, photo),
        "self_similarity_distance": self_similarity_distance(x, photo),
        "color_distance": color_distance(x, painting),
        "content_distance": mean(contents),
        "style_distance": mean(styles),
        "style_distance_held_out": mean(held_out),
        "wasserstein_distance": mean(transports),
        "content_distance_average": mean(
            content_distance(x, photo, vgg=average)
        ),
        "style_distance_average": mean(
            style_distance(x, painting, vgg=average)
        ),
    }
    expected |= {f"content_{k}": contents[k] for k in CONTENT_LAYERS}
    expected |= {f"style_{k}": styles[k] for k in STYLE_LAYERS}
    expected |= {f"style_{k}": held_out[k] for k in HELD_OUT_LAYERS}
    expected |= {f"wasserstein_{k}": transports[k] for k in STYLE_LAYERS}
    assert found == pytest.approx(expected, rel=1e-5)
    assert len(set(found.values())) == len(found)


def test_compare_finds_the_same_where_it_keeps_no_maps(
    photo, painting, monkeypatch
):
    x = photo.flip(3)
    kept = compare(x, photo, painting)
    monkeypatch.setattr(comparison, "KEPT_PIXELS", 0)
    assert compare(x, photo, painting) == pytest.approx(kept, rel=1e-6)


def test_compare_finds_what_is_equal(photo):
    found = compare(photo, photo, photo)
    assert found.pop("ssim") == pytest.approx(1)
    assert max(found.values()) < 1e-6


def test_held_out_layers_are_optimized_by_no_default():
    own = CONVENTIONS["styletut"]
    optimized = {*own.content_layers, *own.style_layers}
    assert not optimized & set(HELD_OUT_LAYERS)
