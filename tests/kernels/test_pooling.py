"""Poolings into given memory, against torch's and its autograd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from styletut.kernels.pooling import (
    average_pool,
    max_pool,
    to_all,
    to_winners,
)

SIDES = st.integers(2, 9)


def last(*shape):
    """An empty tensor with channels last."""
    return torch.empty(shape).to(memory_format=torch.channels_last)


def rectified(channels, height, width):
    """Maps with many equal values, and many that are 0."""
    generator = torch.Generator().manual_seed(channels + 7 * height + width)
    values = torch.randint(
        -3, 4, (1, channels, height, width), generator=(generator)
    )
    return values.float().relu().to(memory_format=torch.channels_last)


def way_down(pool, maps, g):
    maps = maps.clone().requires_grad_()
    (right,) = torch.autograd.grad(pool(maps, 2), maps, g)
    return right


@given(st.integers(1, 5), SIDES, SIDES)
def test_max_pooling_and_its_way_down_are_torchs(channels, height, width):
    maps = rectified(channels, height, width)
    out = last(1, channels, height // 2, width // 2)
    winners = torch.empty_like(out, dtype=torch.uint8)
    max_pool(maps, out, winners)
    assert torch.equal(out, functional.max_pool2d(maps, 2))
    g = torch.arange(1.0, out.numel() + 1).reshape(out.shape)
    came = last(*maps.shape).fill_(torch.nan)
    to_winners(g, winners, came)
    # nothing goes down where all is 0: there the ReLU's gate is shut
    right = way_down(functional.max_pool2d, maps, g) * (maps > 0)
    assert torch.equal(came * (maps > 0), right)
    assert torch.equal(came, right)


@given(st.integers(1, 5), SIDES, SIDES)
def test_average_pooling_and_its_way_down_are_torchs(channels, height, width):
    maps = rectified(channels, height, width)
    out = last(1, channels, height // 2, width // 2)
    average_pool(maps, out)
    assert torch.allclose(out, functional.avg_pool2d(maps, 2))
    g = torch.arange(1.0, out.numel() + 1).reshape(out.shape)
    came = last(*maps.shape).fill_(torch.nan)
    to_all(g, came)
    assert torch.allclose(came, way_down(functional.avg_pool2d, maps, g))


@pytest.mark.parametrize("side", [700, 701])
def test_maps_larger_than_a_strip_are_whole(side):
    maps = rectified(3, side, 64)
    out = last(1, 3, side // 2, 32)
    winners = torch.empty_like(out, dtype=torch.uint8)
    max_pool(maps, out, winners)
    assert torch.equal(out, functional.max_pool2d(maps, 2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_dtypes_are_pooled_alike(dtype):
    maps = rectified(3, 9, 8).to(dtype)
    out = last(1, 3, 4, 4).to(dtype)
    winners = torch.empty_like(out, dtype=torch.uint8)
    max_pool(maps, out, winners)
    assert torch.equal(out, functional.max_pool2d(maps, 2))
    g = torch.arange(1.0, out.numel() + 1).reshape(out.shape).to(dtype)
    came = last(*maps.shape).to(dtype)
    to_winners(g, winners, came)
    right = way_down(functional.max_pool2d, maps, g) * (maps > 0)
    assert torch.equal(came, right)


def test_a_negative_zero_is_a_zero():
    window = torch.tensor([[-0.0, 5.0], [0.0, -0.0]])[None, None]
    nothing = torch.full((1, 1, 2, 2), -0.0)
    for maps, winner in ((window, 1), (nothing, 4)):
        out = torch.empty(1, 1, 1, 1)
        winners = torch.empty(1, 1, 1, 1, dtype=torch.uint8)
        max_pool(maps, out, winners)
        assert int(winners) == winner


def test_what_is_no_number_stays_to_be_seen():
    maps = torch.ones(1, 1, 2, 2)
    maps[..., 1, 0] = torch.nan
    out = torch.empty(1, 1, 1, 1)
    max_pool(maps, out, torch.empty(1, 1, 1, 1, dtype=torch.uint8))
    assert out.isnan()
