"""Colors matched: moments, the closed form, the map that moves least."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.color import (
    EPS,
    color_moments,
    match_color,
    match_moments,
)
from styletut.images import sample


def muted(seed, height=7, width=9):
    """A picture well inside the range, so that nothing is cut to it."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator, dtype=torch.float64) - 0.5
    noise = torch.rand(
        3, height * width, generator=generator, dtype=torch.float64
    )
    pixels = 0.5 + 0.1 * mix @ (noise - 0.5)
    return pixels.reshape(1, 3, height, width)


def moments(x):
    pixels = x.double().flatten(2)[0]
    return pixels.mean(1), torch.cov(pixels, correction=0)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_mean_and_covariance_become_the_references(one, other):
    picture, reference = muted(one), muted(other, 5, 4)
    mean, covariance = moments(match_color(picture, reference))
    right_mean, right = moments(reference)
    torch.testing.assert_close(mean, right_mean, atol=1e-9, rtol=0)
    # both are met with EPS on the diagonal, in the picture's own directions
    torch.testing.assert_close(covariance, right, atol=40 * EPS, rtol=0)


def test_its_own_colors_change_nothing():
    photo = sample("chelsea", 64)
    torch.testing.assert_close(
        match_color(photo, photo), photo, atol=1e-6, rtol=0
    )


def test_for_variances_alone_it_is_the_closed_form():
    """Where colors do not covary each channel is scaled by itself."""
    signs = torch.tensor(
        [[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=torch.float64
    )
    own, wanted = torch.tensor([0.1, 0.2, 0.05]), torch.tensor([0.2, 0.1, 0.1])
    picture = (0.5 + own[:, None] * signs).reshape(1, 3, 2, 2)
    reference = (0.4 + wanted[:, None] * signs).reshape(1, 3, 1, 4)
    scale = ((wanted**2 + EPS) / (own**2 + EPS)).sqrt()
    right = 0.4 + (scale[:, None] * own[:, None] * signs).reshape(1, 3, 2, 2)
    torch.testing.assert_close(match_color(picture, reference), right)


@given(st.integers(0, 10_000), st.floats(0.1, 3.0))
def test_no_other_map_to_the_same_moments_moves_colors_less(seed, angle):
    """Every other A is the symmetric one after a turn of whitened colors."""
    picture, reference = muted(seed), muted(seed + 1)
    mean, S = moments(picture)
    right_mean, S_r = moments(reference)
    cos, sin = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    turn = torch.eye(3, dtype=torch.float64)
    turn[:2, :2] = torch.tensor([[cos, -sin], [sin, cos]])
    values, vectors = torch.linalg.eigh(S)
    white = (vectors * values**-0.5) @ vectors.T
    other = torch.linalg.cholesky(S_r) @ turn @ white
    pixels = picture.flatten(2)[0]
    turned = other @ (pixels - mean[:, None]) + right_mean[:, None]
    ours = match_color(picture, reference).flatten(2)[0]
    moved = (ours - pixels).square().sum()
    assert moved <= (turned - pixels).square().sum() * (1 + 1e-2)


@pytest.mark.parametrize("flat", ["picture", "reference", "both"])
def test_one_flat_color_has_a_finite_map(flat):
    grey = torch.full((1, 3, 4, 4), 0.3)
    picture = muted(1) if flat == "reference" else grey
    reference = muted(2) if flat == "picture" else 2 * grey
    came = match_color(picture.float(), reference.float())
    assert torch.isfinite(came).all()
    mean, _ = moments(came)
    torch.testing.assert_close(mean, moments(reference)[0], atol=1e-6, rtol=0)


def test_what_leaves_the_range_is_cut_and_the_kind_of_tensor_stays():
    black_and_white = torch.zeros(1, 3, 2, 8)
    black_and_white[..., ::2] = 1
    came = match_color(sample("chelsea", 48), black_and_white)
    assert came.dtype == torch.float32
    assert float(came.min()) >= 0 and float(came.max()) <= 1


def test_of_several_pictures_they_are_those_of_a_pixel_of_any():
    a, b = muted(1, 4, 6), muted(2, 2, 3)
    pixels = torch.cat([a.flatten(2)[0]] + 4 * 3 * [b.flatten(2)[0]], 1)
    mean, covariance = color_moments([(a, 1.0), (b, 3.0)])
    torch.testing.assert_close(mean, pixels.mean(1))
    torch.testing.assert_close(covariance, torch.cov(pixels, correction=0))


def test_bad_input_is_refused():
    picture = muted(1)
    with pytest.raises(ValueError, match=r"no method .pcca..*symmetric"):
        match_color(picture, picture, "pcca")
    with pytest.raises(ValueError, match=r"\(1, 3, H, W\).*\(3, 7, 9\)"):
        match_color(picture[0], picture)
    with pytest.raises(ValueError, match="not finite"):
        match_color(picture, picture / 0)
    with pytest.raises(ValueError, match=r"add up to 0\.0"):
        color_moments([(picture, 0.0)])
    with pytest.raises(ValueError, match="no method"):
        match_moments(picture, *color_moments([(picture, 1)]), "none")
