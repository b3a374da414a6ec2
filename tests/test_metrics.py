"""Distances of pictures, against their definitions."""

import math

import pytest
import torch

from styletut.images import sample
from styletut.metrics import pixel_error, ssim


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
