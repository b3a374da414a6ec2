"""The network, and the same computed by rows."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from styletut.color import color_moments, match_color
from styletut.images import sample
from styletut.instant import rows
from styletut.instant.network import (
    PHOTO,
    ConditionalNorm,
    StyleNetwork,
    doubled,
    shapes_of,
)
from styletut.instant.painting import painted, recolored


@pytest.fixture(scope="module")
def network():
    """A network of three styles whose numbers are all different."""
    torch.manual_seed(3)
    network = StyleNetwork(["a", "b", "c"])
    for _, norm in network.layers():
        norm.gamma.data.uniform_(0.5, 1.5)
        norm.beta.data.uniform_(-0.5, 0.5)
    network.color_means.uniform_(0.3, 0.6)
    network.color_covariances.mul_(0.02)
    return network.requires_grad_(False)


def shares_of(*numbers):
    return torch.tensor(numbers, dtype=torch.float32)


def test_a_style_is_two_numbers_for_each_channel():
    one, nine = (StyleNetwork(map(str, range(n))) for n in (1, 9))
    counts = [
        sum(p.numel() for p in each.parameters()) for each in (one, nine)
    ]
    channels = 16 + 32 + 64 * 11 + 32 + 16 + 3
    assert (counts[1] - counts[0]) == 8 * 2 * channels
    assert nine.names == (PHOTO, *"012345678")


@pytest.mark.parametrize(
    "channels, blocks", [((16, 32, 64), 5), ((4, 3, 7), 0)]
)
def test_the_shapes_of_a_network_are_known_without_making_it(channels, blocks):
    made = StyleNetwork(["a", "b"], channels, blocks).state_dict()
    shapes = {name: tuple(each.shape) for name, each in made.items()}
    assert shapes_of(3, channels, blocks) == shapes


def test_instance_normalization_is_that_of_torch(network):
    # (11.6)
    x = torch.randn(2, 5, 7, 6, dtype=torch.float64)
    norm = ConditionalNorm(2, 5).double()
    by_torch = torch.nn.functional.instance_norm(x)
    only_first = torch.tensor([[1.0, 0], [1, 0]], dtype=torch.float64)
    torch.testing.assert_close(norm(x, only_first), by_torch)
    norm.gamma.data[1], norm.beta.data[1] = 3, -2
    half = torch.full((2, 2), 0.5, dtype=torch.float64)
    torch.testing.assert_close(norm(x, half), 2 * by_torch - 1)


def test_doubling_repeats_each_entry_and_cuts():
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    twice = doubled(x, (3, 5))
    for i in range(3):
        for j in range(5):
            assert twice[0, 0, i, j] == x[0, 0, i // 2, j // 2]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 9), (16, 17)])
def test_a_picture_of_any_size_keeps_it(network, shape):
    photo = torch.rand(2, 3, *shape)
    out = network(photo, torch.eye(4)[:2])
    assert out.shape == photo.shape
    assert out.isfinite().all()


def test_zeros_in_the_last_row_are_the_photo():
    network = StyleNetwork(["a"])
    *_, (_, last) = network.layers()
    last.gamma.data[0] = 0
    photo = torch.rand(1, 3, 12, 8)
    kept = network(photo, torch.tensor([[1.0, 0]]))
    assert torch.equal(kept, photo)


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 40),
    strip=st.sampled_from([1, 2**12, 2**26]),
    kept=st.sampled_from([0, 2**30]),
)
def test_rows_give_what_the_whole_gives(network, height, width, strip, kept):
    # in float64: where a channel is nearly flat float32 has no digits left
    network = copy.deepcopy(network).double()
    dice = torch.Generator().manual_seed(height * 100 + width)
    photo = torch.rand(1, 3, height, width, generator=dice).double()
    shares = shares_of(0.2, 0.5, 0, 0.3).double()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "STRIP", strip)
        patch.setattr(rows, "KEPT", kept)
        found = painted(network, photo, shares)
    base = recolored(network, photo, shares)
    whole = network(base, shares[None]).clamp(0, 1)
    torch.testing.assert_close(found, whole, atol=1e-6, rtol=0)


def test_rows_give_what_the_whole_gives_to_the_last_digits(network):
    photo, shares = sample("chelsea", 150), shares_of(0, 0, 1, 0)
    base = recolored(network, photo, shares)
    whole = network(base, shares[None]).clamp(0, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "STRIP", 2**14)
        found = painted(network, photo, shares)
    torch.testing.assert_close(found, whole, atol=5e-5, rtol=0)


class Largest(TorchDispatchMode):
    """Notes how many numbers the largest tensor has that is made."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.numbers = max(self.numbers, out.numel())
        return out


def test_by_rows_no_maps_are_made_at_full_size(network, monkeypatch):
    photo, shares = torch.rand(1, 3, 480, 320), shares_of(0, 1, 0, 0)
    full, half, quarter = 16 * 480 * 320, 32 * 240 * 160, 64 * 120 * 80
    monkeypatch.setattr(rows, "STRIP", 2**30)
    with Largest() as whole:
        painted(network, photo, shares)
    assert whole.numbers >= 32 * 480 * 320  # twice as many, before `up`
    monkeypatch.setattr(rows, "STRIP", 2**20)
    monkeypatch.setattr(rows, "KEPT", 4 * quarter)
    with Largest() as strips:
        painted(network, photo, shares)
    assert quarter <= strips.numbers < min(full, half)


def test_moments_are_exact_whatever_the_strips():
    dice = torch.Generator().manual_seed(0)
    maps = 100 + torch.randn(1, 4, 41, 13, generator=dice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "STRIP", 1)
        mean, variance = rows.moments(rows.stored(maps))
    flat = maps.double().flatten(2)[0]
    torch.testing.assert_close(mean.double(), flat.mean(1), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        variance.double(), flat.var(1, correction=0), rtol=1e-5, atol=0
    )


def test_the_colors_are_those_of_the_style_and_the_photo_keeps_its_own():
    network = StyleNetwork(["night"])
    night, photo = sample("night", 96), sample("coffee", 96)
    mean, covariance = color_moments([(night, 1.0)])
    network.color_means[1], network.color_covariances[1] = mean, covariance
    matched = recolored(network, photo, shares_of(0, 1))
    torch.testing.assert_close(matched, match_color(photo, night))
    kept = recolored(network, photo, shares_of(1, 0))
    torch.testing.assert_close(kept, photo)
    half = recolored(network, photo, shares_of(0.5, 0.5))
    inside = (matched > 0) & (matched < 1)
    torch.testing.assert_close(half[inside], ((kept + matched) / 2)[inside])
