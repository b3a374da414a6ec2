"""Octaves and colors of a picture against masks of the full transform."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.optimizers import spectrum
from styletut.optimizers.spectrum import (
    OCTAVES,
    band_energies,
    band_gains,
    scale_bands,
)

SIDES = st.integers(1, 80)


def picture(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(
        1, 3, height, width, generator=generator, dtype=torch.float64
    )


def octave_of(height, width):
    """Return the octave of each coefficient of the full transform."""
    f = torch.maximum(
        torch.fft.fftfreq(height).abs()[:, None],
        torch.fft.fftfreq(width).abs(),
    )
    return sum((f < 0.5 ** (k + 1)).long() for k in range(1, OCTAVES))


def axes():
    colors = torch.tensor(spectrum.COLORS, dtype=torch.float64)
    return colors / colors.norm(dim=1, keepdim=True)


@given(SIDES, SIDES)
def test_energies_are_those_of_the_full_transform(height, width):
    x = picture(height, width)
    colors = torch.einsum("kc,chw->khw", axes(), x[0])
    power = torch.fft.fft2(colors, norm="ortho").abs().square()
    octave = octave_of(height, width)
    expected = torch.stack(
        [(power * (octave == k)).sum((1, 2)) for k in range(OCTAVES)], dim=1
    )
    torch.testing.assert_close(band_energies(x), expected)
    torch.testing.assert_close(band_energies(x).sum(), x.square().sum())


@given(SIDES, SIDES, st.integers(0, 100))
def test_each_band_is_scaled_by_its_gain(height, width, seed):
    x = picture(height, width, seed)
    generator = torch.Generator().manual_seed(seed)
    gains = torch.rand(3, OCTAVES, generator=generator, dtype=torch.float64)
    scaled = scale_bands(x, gains)
    assert scaled.shape == x.shape
    torch.testing.assert_close(
        band_energies(scaled), gains.square() * band_energies(x)
    )
    torch.testing.assert_close(scale_bands(scaled, 1 / gains), x)


def test_scaling_is_symmetric_and_positive():
    """As the inverse of a Hessian has to be."""
    x, y = picture(20, 31, 1), picture(20, 31, 2)
    gains = torch.linspace(0.1, 2, 3 * OCTAVES, dtype=torch.float64)
    gains = gains.reshape(3, OCTAVES)
    torch.testing.assert_close(
        (scale_bands(x, gains) * y).sum(), (x * scale_bands(y, gains)).sum()
    )
    torch.testing.assert_close(
        (scale_bands(x, gains) * x).sum(), (gains * band_energies(x)).sum()
    )


@pytest.mark.parametrize(
    ("color", "period", "band"),
    [
        ((1, 1, 1), 2, (0, 0)),
        ((1, 1, 1), 8, (0, 1)),
        ((1, 0, -1), 16, (1, 2)),
        ((1, -2, 1), 64, (2, 4)),
        ((1, 1, 1), 128, (0, 5)),
    ],
)
def test_waves_lie_in_their_band(color, period, band):
    phase = 2 * torch.pi * torch.arange(128, dtype=torch.float64) / period
    wave = torch.tensor(color).double()[:, None, None] * phase.cos()
    energies = band_energies(wave.expand(3, 64, 128)[None])
    expected = torch.zeros_like(energies)
    expected[band] = energies.sum()
    torch.testing.assert_close(energies, expected)


def test_gains_give_changes_the_energy_of_steps_up_to_one_factor():
    generator = torch.Generator().manual_seed(0)
    steps, changes = torch.rand(2, 3, OCTAVES, generator=generator) + 0.5
    changes[1:, 0] += 2  # the finest colors have gains below that of light
    gains = band_gains(steps, 7 * changes)
    ratio = gains.square() * changes / steps
    torch.testing.assert_close(ratio, ratio[0, 0].expand_as(ratio))
    torch.testing.assert_close(gains.log().mean(), torch.zeros(()))


def test_gains_are_bounded_and_1_where_nothing_is_known():
    steps = torch.ones(3, OCTAVES)
    changes = torch.ones(3, OCTAVES)
    changes[0, 0], changes[1, 1] = 1e9, 1e-9
    steps[2, 1] = changes[2, 2] = 0  # as in a picture of a few pixels
    gains = band_gains(steps, changes)
    assert float(gains[0, 0]) == pytest.approx(1 / spectrum.LARGEST_GAIN)
    assert float(gains[1, 1]) == pytest.approx(spectrum.LARGEST_GAIN)
    torch.testing.assert_close(gains[1:, 0], gains[0, 0].expand(2))
    gains[:, 0] = gains[1, 1] = 1
    torch.testing.assert_close(gains, torch.ones(3, OCTAVES))


def test_the_finest_colors_grow_no_faster_than_light():
    steps = torch.ones(3, OCTAVES)
    changes = torch.ones(3, OCTAVES)
    changes[1:, 0] = 0.01  # the network hardly sees them
    gains = band_gains(steps, changes)
    torch.testing.assert_close(gains[:, 0], gains[0, 0].expand(3))
    assert gains[0, 0] < 1


@given(SIDES, SIDES, st.integers(0, 100))
def test_a_grey_picture_has_brightness_alone(height, width, seed):
    grey = picture(height, width, seed)[:, :1]
    whole = band_energies(grey.repeat(1, 3, 1, 1))
    torch.testing.assert_close(band_energies(grey), whole[:1] / 3)
    torch.testing.assert_close(whole[1:], torch.zeros_like(whole[1:]))
    gains = torch.rand(1, OCTAVES, dtype=torch.float64)
    all_three = torch.cat([gains, torch.ones(2, OCTAVES)])
    torch.testing.assert_close(
        scale_bands(grey, gains).repeat(1, 3, 1, 1),
        scale_bands(grey.repeat(1, 3, 1, 1), all_three),
    )


def test_a_band_that_alone_is_known_has_no_gain():
    steps = torch.zeros(3, OCTAVES)
    steps[0, 2] = 8.0
    gains = band_gains(steps, torch.full_like(steps, 2.0))
    assert torch.equal(gains, torch.ones_like(gains))
