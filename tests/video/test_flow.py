"""Optical flow, what it looks up, and where it is trusted."""

import pytest
import torch
from torch.autograd import gradcheck

from styletut.images import sample
from styletut.video import optical_flow, reliable, warped
from styletut.video.flow import FLOW_SIZE


def flow_of(right, down, height=12, width=16):
    move = torch.tensor([float(right), float(down)], dtype=torch.float64)
    return move[None, :, None, None].expand(1, 2, height, width).clone()


def test_a_flow_looks_up_whole_pixels():
    maps = torch.rand(1, 3, 12, 16, dtype=torch.float64)
    moved = warped(maps, flow_of(3, -2))
    torch.testing.assert_close(moved[..., 2:, :13], maps[..., :-2, 3:])
    torch.testing.assert_close(warped(maps, flow_of(0, 0)), maps)


def test_between_pixels_it_takes_the_mean_by_distance():
    maps = torch.rand(1, 1, 12, 16, dtype=torch.float64)
    moved = warped(maps, flow_of(0.25, 0))
    expected = 0.75 * maps[..., :-1] + 0.25 * maps[..., 1:]
    torch.testing.assert_close(moved[..., :-1], expected)


def test_outside_is_the_border():
    maps = torch.rand(1, 1, 12, 16, dtype=torch.float64)
    moved = warped(maps, flow_of(40, 0))
    torch.testing.assert_close(moved, maps[..., -1:].expand_as(maps))


def test_warping_is_linear_and_has_an_adjoint():
    # <W u, v> = <u, W^T v>, (12.5), where W^T comes from autograd
    u, v = torch.randn(2, 1, 3, 12, 16, dtype=torch.float64)
    u.requires_grad_()
    flow = 3 * torch.randn(1, 2, 12, 16, dtype=torch.float64)
    moved = warped(u, flow)
    (transposed,) = torch.autograd.grad(moved, u, v)
    torch.testing.assert_close((moved * v).sum(), (u * transposed).sum())
    assert gradcheck(lambda x: warped(x, flow), u[:, :1], atol=1e-6)


def test_a_shift_is_found():
    photo = sample("chelsea", 160)
    frame, other = photo[..., 4:90, 4:130], photo[..., 2:88, 1:127]
    flow = optical_flow(frame, other)
    assert flow.shape == (1, 2, 86, 126)
    inner = flow[..., 10:-10, 10:-10].mean((0, 2, 3))
    torch.testing.assert_close(
        inner, torch.tensor([3.0, 2.0]), atol=0.2, rtol=0
    )
    # and so the other frame, looked up, is this one
    found = warped(other, flow)[..., 10:-10, 10:-10]
    error = (found - frame[..., 10:-10, 10:-10]).abs().mean()
    assert error < 0.25 * (other - frame).abs().mean()


def test_a_large_frame_has_its_flow_in_its_own_pixels(monkeypatch):
    monkeypatch.setattr("styletut.video.flow.FLOW_SIZE", 80)
    photo = sample("chelsea", 200)
    frame, other = photo[..., 10:120, 8:170], photo[..., 6:116, 2:164]
    flow = optical_flow(frame, other)
    assert flow.shape[2:] == frame.shape[2:]
    assert max(frame.shape[2:]) < FLOW_SIZE
    inner = flow[..., 20:-20, 20:-20].mean((0, 2, 3))
    torch.testing.assert_close(
        inner, torch.tensor([6.0, 4.0]), atol=0.6, rtol=0
    )


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="8 x 9 pixels and the other 7 x 9"):
        optical_flow(torch.rand(1, 3, 9, 8), torch.rand(1, 3, 9, 7))


def test_the_same_way_back_is_trusted():
    trust = reliable(flow_of(2, 1), flow_of(-2, -1))
    inside = torch.zeros(12, 16)
    inside[:-1, :-2] = 1  # the flow leads right and down, out of the rest
    assert torch.equal(trust[0, 0].float(), inside)


def test_what_was_hidden_is_not():
    # (12.6): the ground stands still, and what was in front of it went by 6
    forth = flow_of(0, 0)
    forth[0, 0, :, 2:6] = 6
    trust = reliable(flow_of(0, 0), forth)
    assert not trust[..., 2:6].any()
    assert trust[..., 7:].all()


def test_edges_of_motion_are_not():
    # (12.7)
    back = flow_of(0, 0)
    back[0, 0, :, 8:] = 0.4
    trust = reliable(back, -back)
    assert not trust[..., 7:9].any()
    assert trust[..., :6].all() and trust[..., 10:14].all()
