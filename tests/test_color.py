"""Colors matched and light alone: moments, closed forms, loops, masks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.color import (
    EPS,
    METHODS,
    color_moments,
    light_moments,
    luminance,
    luminance_only,
    match_color,
    match_luminance,
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


def off_by_eps(picture, reference):
    """How far EPS on both covariances may leave the one from the other.

    A (S + eps) A^T = S_r + eps, so A S A^T is off by eps (1 - A A^T); and no
    A of (10.1) has a larger square than the spectra of the two allow.
    """
    _, S = moments(picture)
    _, S_r = moments(reference)
    largest = torch.linalg.eigvalsh(S_r)[-1] + EPS
    least = torch.linalg.eigvalsh(S)[0] + EPS
    return EPS * (1 + float(largest / least)) + 1e-12


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_mean_and_covariance_become_the_references(one, other):
    picture, reference = muted(one), muted(other, 5, 4)
    mean, covariance = moments(match_color(picture, reference))
    right_mean, right = moments(reference)
    torch.testing.assert_close(mean, right_mean, atol=1e-9, rtol=0)
    bound = off_by_eps(picture, reference)
    torch.testing.assert_close(covariance, right, atol=bound, rtol=0)


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
    with pytest.raises(ValueError, match=r"method .pcca..*symmetric"):
        match_color(picture, picture, "pcca")
    with pytest.raises(ValueError, match=r"\(1, 3, H, W\).*\(3, 7, 9\)"):
        match_color(picture[0], picture)
    with pytest.raises(ValueError, match="not finite"):
        match_color(picture, picture / 0)
    with pytest.raises(ValueError, match=r"add up to 0\.0"):
        color_moments([(picture, 0.0)])
    with pytest.raises(ValueError, match="no color matching method"):
        match_moments(picture, *color_moments([(picture, 1)]), method="none")


@given(
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from(["pca", "cholesky"]),
)
def test_every_method_meets_the_moments(one, other, method):
    """(10.1), by any of the maps."""
    picture, reference = muted(one), muted(other, 5, 4)
    came = match_color(picture, reference, method)
    mean, covariance = moments(came)
    right_mean, right = moments(reference)
    torch.testing.assert_close(mean, right_mean, atol=1e-9, rtol=0)
    bound = off_by_eps(picture, reference)
    torch.testing.assert_close(covariance, right, atol=bound, rtol=0)


def by_the_papers_loops(picture, reference, method):
    """Match colors pixel by pixel, (10.1), (10.2), with sums and roots."""
    x = picture[0].flatten(1).T.tolist()
    y = reference[0].flatten(1).T.tolist()

    def mean_of(pixels):
        return [sum(p[c] for p in pixels) / len(pixels) for c in range(3)]

    def covariance_of(pixels):
        mu = mean_of(pixels)
        return torch.tensor(
            [
                [
                    sum((p[i] - mu[i]) * (p[j] - mu[j]) for p in pixels)
                    / len(pixels)
                    + EPS * (i == j)
                    for j in range(3)
                ]
                for i in range(3)
            ],
            dtype=torch.float64,
        )

    S, S_r = covariance_of(x), covariance_of(y)

    def root(matrix):
        values, vectors = torch.linalg.eigh(matrix)
        return vectors @ torch.diag(values.sqrt()) @ vectors.T

    inverse = torch.linalg.inv
    if method == "symmetric":
        R = root(S)
        A = inverse(R) @ root(R @ S_r @ R) @ inverse(R)
    elif method == "pca":
        A = root(S_r) @ inverse(root(S))
    else:
        A = torch.linalg.cholesky(S_r) @ inverse(torch.linalg.cholesky(S))
    mu, mu_r = mean_of(x), mean_of(y)
    rows = [
        [
            sum(float(A[i, j]) * (p[j] - mu[j]) for j in range(3)) + mu_r[i]
            for i in range(3)
        ]
        for p in x
    ]
    matched = torch.tensor(rows, dtype=torch.float64)
    return matched.T.reshape(picture.shape)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_what_loops_written_from_the_paper_give(method):
    picture, reference = muted(5), muted(6, 4, 8)
    right = by_the_papers_loops(picture, reference, method)
    assert float(right.min()) > 0  # nothing is cut
    assert float(right.max()) < 1
    torch.testing.assert_close(
        match_color(picture, reference, method), right, atol=1e-10, rtol=0
    )


def test_two_maps_depend_on_the_order_of_channels_in_their_own_way():
    """The symmetric and the PCA map do not; Cholesky's does."""
    picture, reference = muted(7), muted(8)
    for method, same in (("symmetric", 1), ("pca", 1), ("cholesky", 0)):
        plain = match_color(picture, reference, method)
        turned = match_color(picture.flip(1), reference.flip(1), method)
        assert torch.allclose(plain, turned.flip(1), atol=1e-9) == bool(same)


@pytest.mark.parametrize("method", METHODS)
def test_one_flat_color_has_a_finite_map_by_every_method(method):
    grey = torch.full((1, 3, 4, 4), 0.3)
    for picture, reference in ((grey, muted(1)), (muted(1), grey)):
        came = match_color(picture.float(), reference.float(), method)
        assert torch.isfinite(came).all()


def test_a_mask_says_which_pixels_count():
    picture, reference = muted(1, 6, 8), muted(2, 4, 4)
    mask = torch.zeros(6, 8)
    mask[:, :3] = 1
    part = picture[..., :3]
    mean, covariance = color_moments([(picture, 1.0, mask)])
    right_mean, right = moments(part)
    torch.testing.assert_close(mean, right_mean)
    torch.testing.assert_close(covariance, right)
    wanted = color_moments([(reference, 1.0)])
    came = match_moments(picture, *wanted, mask=mask)[..., :3]
    torch.testing.assert_close(came, match_moments(part, *wanted))


def test_a_soft_mask_weighs_and_one_of_ones_changes_nothing():
    picture = muted(3, 2, 2)
    weighed = color_moments([(picture, 1.0, torch.tensor([[3, 1], [0, 0]]))])
    four = torch.cat(3 * [picture[..., :1, :1]] + [picture[..., :1, 1:]], 3)
    torch.testing.assert_close(weighed, color_moments([(four, 1.0)]))
    plain = color_moments([(picture, 1.0, None)])
    torch.testing.assert_close(
        color_moments([(picture, 1.0, 0.2 * torch.ones(2, 2))]), plain
    )


def test_bad_masks_are_refused():
    picture = muted(1)
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(7, 9\)"):
        color_moments([(picture, 1.0, torch.ones(3, 3))])
    with pytest.raises(ValueError, match="mask is empty"):
        color_moments([(picture, 1.0, torch.zeros(7, 9))])


def to_yiq(x):
    """YIQ as the papers have it, by its matrix; (10.4) exchanges its Y."""
    matrix = torch.tensor(
        [
            [0.299, 0.587, 0.114],
            [0.595716, -0.274453, -0.321263],
            [0.211456, -0.522591, 0.311135],
        ],
        dtype=torch.float64,
    )
    return torch.einsum("ij,bjhw->bihw", matrix, x.double())


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_light_comes_from_one_and_color_from_the_other(one, other):
    picture, photo = muted(one), muted(other)
    came = luminance_only(picture, photo)
    right = torch.cat([to_yiq(picture)[:, :1], to_yiq(photo)[:, 1:]], 1)
    torch.testing.assert_close(to_yiq(came), right, atol=1e-10, rtol=0)


@given(st.integers(0, 10_000))
def test_where_color_has_no_room_light_stays_and_color_pales(seed):
    generator = torch.Generator().manual_seed(seed)
    picture, photo = torch.rand(
        2, 1, 3, 5, 6, generator=generator, dtype=torch.float64
    ).unbind()
    came = luminance_only(picture, photo)
    assert float(came.min()) >= 0
    assert float(came.max()) <= 1
    light, color = to_yiq(came).split([1, 2], 1)
    right = to_yiq(picture)[:, :1]
    torch.testing.assert_close(light, right, atol=1e-10, rtol=0)
    # of the same hue: one share of I and of Q, no more than the whole
    whole = to_yiq(photo)[:, 1:]
    share = (color * whole).sum(1) / whole.square().sum(1)
    assert float(share.min()) >= -1e-9 and float(share.max()) <= 1 + 1e-9
    torch.testing.assert_close(color, share * whole, atol=1e-9, rtol=0)


def test_its_own_light_and_color_are_the_photo():
    photo = sample("chelsea", 64)
    torch.testing.assert_close(
        luminance_only(photo, photo), photo, atol=1e-6, rtol=0
    )
    grey = luminance(photo)
    torch.testing.assert_close(luminance_only(grey, photo), photo)
    assert torch.equal(luminance_only(grey, grey), grey)


def test_light_is_grey_and_meets_mean_and_deviation():
    painting, photo = muted(1, 6, 6), muted(2)
    mean, deviation = light_moments([(photo, 1.0)])
    Y = to_yiq(photo)[0, 0]
    assert mean == pytest.approx(float(Y.mean()), abs=1e-12)
    assert deviation == pytest.approx(float(Y.std(correction=0)), abs=1e-12)
    came = match_luminance(painting, mean, deviation)
    assert torch.equal(came[:, 0], came[:, 1])
    assert torch.equal(came[:, 0], came[:, 2])
    own = to_yiq(painting)[0, 0]
    scale = ((deviation**2 + EPS) / (own.var(correction=0) + EPS)).sqrt()
    right = scale * (own - own.mean()) + mean  # (10.3), by hand
    torch.testing.assert_close(came[0, 0], right, atol=1e-10, rtol=0)
    assert float(came.mean()) == pytest.approx(mean, abs=1e-10)


def test_light_that_leaves_the_range_is_cut():
    light, dark = (match_luminance(muted(1), mean, 0.3) for mean in (1, 0))
    assert float(light.max()) == 1 and float(light.min()) < 1
    assert float(dark.min()) == 0 and float(dark.max()) > 0


def test_flat_light_has_a_finite_match():
    flat = torch.full((1, 3, 4, 4), 0.3)
    assert torch.isfinite(match_luminance(flat, 0.5, 0.2)).all()
    assert torch.isfinite(match_luminance(muted(1), 0.5, 0.0)).all()


def test_light_refuses_what_is_no_picture_or_of_another_size():
    picture = muted(1)
    with pytest.raises(ValueError, match=r"\(1, 3, H, W\).*\(3, 7, 9\)"):
        luminance(picture[0])
    with pytest.raises(ValueError, match="9 x 7 pixels and the photo 8 x 7"):
        luminance_only(picture, picture[..., :8])
