"""Distances in feature maps, against closed forms and brute force.

Where a test needs no trained network, pixels stand for its maps.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.metrics import (
    CONTENT_LAYERS,
    content_distance,
    gaussian_wasserstein,
    self_similarity_distance,
    style_distance,
    wasserstein_distance,
)
from styletut.vgg import VGG19
from styletut.vgg.network import shared_network

DISTANCES = [
    content_distance,
    style_distance,
    wasserstein_distance,
]
BY_LAYER = pytest.mark.parametrize("distance", DISTANCES)


def pixels(image, layers):
    """Stands for a network: every layer's map is the picture itself."""
    return dict.fromkeys(layers, image)


def picture(height=4, width=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(
        1, 3, height, width, generator=generator, dtype=torch.float64
    )


def in_pixels(distance, x, y):
    return distance(x, y, ["pixels"], vgg=pixels)["pixels"]


@BY_LAYER
def test_equal_pictures_are_no_distance_apart(distance, photo):
    assert max(distance(photo, photo).values()) < 1e-6


@BY_LAYER
def test_unrelated_pictures_are_far_apart(distance, photo, painting):
    x = painting[..., : photo.shape[2], : photo.shape[3]]
    found = distance(x, photo)
    assert min(found.values()) > 0.3
    assert sum(found.values()) / len(found) > 0.7


@BY_LAYER
def test_maps_of_zero_have_distance_one(distance):
    y = picture()
    assert in_pixels(distance, 0 * y, y) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("factor", [0.5, 0.9])
def test_of_scaled_maps_the_distance_is_known(factor):
    y = picture()
    # by (8.2), with F = factor P and G = factor^2 A
    share = 1 - factor
    assert in_pixels(content_distance, factor * y, y) == pytest.approx(share)
    assert in_pixels(style_distance, factor * y, y) == pytest.approx(
        1 - factor**2
    )
    assert in_pixels(wasserstein_distance, factor * y, y) == pytest.approx(
        share
    )


@pytest.mark.parametrize("distance", [style_distance, wasserstein_distance])
def test_a_style_has_neither_places_nor_a_size(distance):
    x, y = picture(seed=1), picture(seed=2)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    moved = x.flatten(2)[..., order].reshape(x.shape)
    twice = torch.cat([x, x], 3)
    expected = in_pixels(distance, x, y)
    assert in_pixels(distance, moved, y) == pytest.approx(expected)
    assert in_pixels(distance, twice, y) == pytest.approx(expected)


def test_a_content_has_places():
    y = picture()
    assert in_pixels(content_distance, y.roll(1, -1), y) > 0.1


def test_equal_grams_can_hide_a_mean_and_a_covariance():
    # (1, 0), (-1, 0) has mean 0 and variance 1; (1, 0), (1, 0) the reverse
    a = torch.tensor([[1.0, -1.0], [0, 0]])
    b = torch.tensor([[1.0, 1.0], [0, 0]])
    assert torch.equal(a @ a.T, b @ b.T)
    assert gaussian_wasserstein(a, b) == pytest.approx(math.sqrt(2))


def test_nothing_in_both_pictures_is_no_distance():
    black = torch.zeros(1, 3, 4, 4)
    for distance in DISTANCES:
        assert in_pixels(distance, black, black) == 0
        assert in_pixels(distance, black + 0.5, black) == math.inf


@BY_LAYER
def test_layers_and_networks_are_free(distance, photo, painting):
    x = painting[..., : photo.shape[2], : photo.shape[3]]
    vgg = VGG19(pooling="average")
    names = ("conv4_2", "pool2")
    found = distance(x, photo, names, vgg=vgg)
    assert tuple(found) == names
    assert found["conv4_2"] != distance(x, photo, names)["conv4_2"]


def test_the_network_is_made_once():
    assert shared_network() is shared_network()
    assert shared_network().pooling == "max"
    assert shared_network(pooling="average").pooling == "average"


columns = st.lists(
    st.lists(st.floats(-3, 3), min_size=5, max_size=5), min_size=3, max_size=3
).map(lambda rows: torch.tensor(rows, dtype=torch.float64))


@given(columns, columns)
def test_wasserstein_is_a_distance_below_every_pairing(F, A):
    W = gaussian_wasserstein(F, A)
    # pairing column with column is one plan of transport
    paired = (F - A).square().sum(0).mean().sqrt()
    means = (F.mean(1) - A.mean(1)).norm()
    assert means - 1e-6 <= W <= paired + 1e-6
    assert pytest.approx(gaussian_wasserstein(A, F), abs=1e-6) == W
    assert gaussian_wasserstein(F, F) < 1e-6


@given(columns, columns)
def test_wasserstein_is_its_formula(F, A):
    S, T = (torch.cov(X, correction=0) for X in (F, A))
    # the eigenvalues of S^1/2 T S^1/2 are those of S T
    roots = torch.linalg.eigvals(S @ T).real.clamp(min=0).sqrt().sum()
    means = (F.mean(1) - A.mean(1)).square().sum()
    squared = means + S.trace() + T.trace() - 2 * roots
    assert gaussian_wasserstein(F, A) ** 2 == pytest.approx(
        float(squared), abs=1e-5
    )


def test_wasserstein_of_one_channel_is_that_of_mean_and_deviation():
    F = torch.tensor([[1.0, 3.0]])  # mean 2, deviation 1
    A = torch.tensor([[2.0, 10.0]])  # mean 6, deviation 4
    assert gaussian_wasserstein(F, A) == pytest.approx(5)


def test_wasserstein_does_not_see_a_rotation_of_both():
    F, A = picture(seed=1)[0].flatten(1), picture(seed=2)[0].flatten(1)
    Q = torch.linalg.qr(picture(3, 3)[0, 0, :3, :3])[0]
    assert gaussian_wasserstein(Q @ F, Q @ A) == pytest.approx(
        gaussian_wasserstein(F, A)
    )


def test_wasserstein_wants_as_many_channels():
    with pytest.raises(ValueError, match="2 and 3 channels"):
        gaussian_wasserstein(torch.zeros(2, 4), torch.zeros(3, 4))


def likeness_by_hand(x, y):
    """The distance by its formula, one number after the other."""
    places = [each[0].flatten(1).T for each in (x, y)]
    n = len(places[0])
    tables = []
    for vectors in places:
        D = torch.zeros(n, n, dtype=torch.float64)
        for i in range(n):
            for j in range(n):
                u, v = vectors[i], vectors[j]
                D[i, j] = 1 - u @ v / (u.norm() * v.norm())
        tables.append(D)
    whole = 0.0
    for j in range(n):
        columns = [D[:, j] / D[:, j].sum() for D in tables]
        whole += float((columns[0] - columns[1]).abs().sum()) / 2
    return whole / n


def self_similarity_in_pixels(x, y, **options):
    return self_similarity_distance(x, y, ["pixels"], vgg=pixels, **options)


def test_self_similarity_is_its_formula():
    x, y = picture(seed=1), picture(seed=2)
    found = self_similarity_in_pixels(x, y)
    assert found == pytest.approx(likeness_by_hand(x, y), rel=1e-9)


def test_self_similarity_of_three_places_by_pencil():
    # columns of D over their sums: x (0 0 1), (0 0 1), (1/2 1/2 0);
    # y (0 1 0), (1/2 0 1/2), (0 1 0); halved differences 1, 1/2, 1/2
    red, green = [1.0, 0, 0], [0, 1.0, 0]
    x = torch.tensor([red, red, green]).T.reshape(1, 3, 1, 3)
    y = torch.tensor([red, green, red]).T.reshape(1, 3, 1, 3)
    assert self_similarity_in_pixels(x, y) == pytest.approx(2 / 3)


def test_self_similarity_lies_between_zero_and_one(photo, painting):
    x = painting[..., : photo.shape[2], : photo.shape[3]]
    assert self_similarity_distance(photo, photo) == 0
    assert 0.02 < self_similarity_distance(x, photo) < 1


def test_self_similarity_does_not_see_what_turns_all_features_alike():
    x, y = picture(seed=1), picture(seed=2)
    brighter, turned = 2 * x, x.flip(1)
    expected = self_similarity_in_pixels(x, y)
    assert self_similarity_in_pixels(brighter, y) == pytest.approx(expected)
    assert self_similarity_in_pixels(turned, y) == pytest.approx(expected)


def test_self_similarity_looks_at_a_grid():
    # pixels in the middle of 2 x 2 fields are what a grid of half sees
    x, y = picture(4, 4, seed=1), picture(4, 4, seed=2)
    blow_up = torch.nn.Upsample(scale_factor=2)
    found = self_similarity_in_pixels(blow_up(x), blow_up(y), grid=4)
    assert found == pytest.approx(likeness_by_hand(x, y))


def test_a_flat_picture_is_like_itself_everywhere():
    flat = torch.full((1, 3, 4, 4), 0.5)
    assert self_similarity_in_pixels(flat, flat) == 0
    assert 0 <= self_similarity_in_pixels(flat, picture(4, 4)) <= 1


@pytest.mark.parametrize(
    "distance", [content_distance, self_similarity_distance]
)
def test_what_has_places_wants_pictures_of_one_size(distance, photo):
    with pytest.raises(ValueError, match="must be equal"):
        distance(photo, photo[..., 1:])


@pytest.mark.parametrize("distance", [*DISTANCES, self_similarity_distance])
def test_what_cannot_be_compared_is_refused(distance, photo):
    with pytest.raises(ValueError, match="first picture is a tensor"):
        distance(photo[0], photo)
    with pytest.raises(ValueError, match="second picture holds infinite"):
        distance(photo, photo / 0)
    with pytest.raises(ValueError, match="no layer 'relu9_1'"):
        distance(photo, photo, ["relu9_1"])
    small = photo[..., :15, :15]
    with pytest.raises(ValueError, match="at least 16 pixels"):
        distance(small, small, [CONTENT_LAYERS[-1]])


def test_a_grid_of_one_row_is_refused(photo):
    with pytest.raises(ValueError, match="2 rows at least, not 1"):
        self_similarity_distance(photo, photo, grid=1)
