"""Scenes of known motion, and how flicker is measured by them."""

from itertools import pairwise

import pytest
import torch

from styletut.images import sample
from styletut.video import flicker, scene, warped
from styletut.video.scenes import NOISE


@pytest.fixture(scope="module")
def photo():
    return sample("coffee", 96)


@pytest.fixture(scope="module")
def figure(photo):
    picture = torch.zeros(1, 3, photo.shape[2] - 12, photo.shape[3] - 12)
    outline = torch.zeros_like(picture[:, :1])
    outline[..., 10:30, 10:25] = 1
    return picture + 0.8, outline


def test_a_frame_is_the_one_before_moved(photo):
    frames = list(scene(photo, frames=4, margin=12, pan=(3, -2)))
    assert torch.equal(frames[0].seen, torch.zeros_like(frames[0].seen))
    for one, two in pairwise(frames):
        assert two.back[0, 0].eq(3).all() and two.back[0, 1].eq(-2).all()
        moved = warped(one.picture, two.back)
        error = (moved - two.picture).square().mean(1, keepdim=True)
        # light and noise are all that differs where both frames see it
        assert float((two.seen * error).max()) < 0.05**2
        assert not two.seen[..., -3:].any() and not two.seen[..., :2, :].any()


def test_the_figure_hides_and_shows(photo, figure):
    picture, outline = figure
    frames = list(
        scene(
            photo,
            frames=3,
            margin=12,
            pan=(1, 0),
            figure=picture,
            outline=outline,
            walk=(4, 0),
        )
    )
    last = frames[-1]
    inside = (slice(None), slice(None), slice(10, 30), slice(18, 33))
    assert last.seen[inside].all()
    assert last.back[0, 0][10:30, 18:33].eq(-4).all()
    # behind the figure two frames ago, and at its edge: not seen
    assert not last.seen[..., 10:30, 14:17].any()
    for one, two in pairwise(frames):
        moved = warped(one.picture, two.back)
        error = (moved - two.picture).square().mean(1, keepdim=True)
        assert float((two.seen * error).max()) < 0.07**2
        hidden = (1 - two.seen) * error
        assert float(hidden.max()) > 0.2**2


def test_flicker_is_zero_for_what_moves_along(photo):
    # (12.1)
    frames = list(scene(photo, frames=3, margin=12))
    large = sample("night", 200)
    moved = [
        large[..., n : n + 60, 2 * n : 2 * n + frames[0].picture.shape[3]]
        for n in range(3)
    ]
    height = frames[0].picture.shape[2]
    moved = [each[..., :height, :] for each in moved]
    cut = [
        f._replace(
            back=f.back[..., : moved[0].shape[2], :],
            seen=f.seen[..., : moved[0].shape[2], :],
        )
        for f in frames
    ]
    assert flicker(moved, cut) == [0.0, 0.0]
    other = [moved[0], moved[1] + 10 / 255, moved[2]]
    assert flicker(other, cut) == pytest.approx([10.0, 10.0], rel=1e-5)


def test_flicker_of_the_frames_is_noise_and_light(photo):
    frames = list(scene(photo, frames=5, margin=12, seed=3))
    found = flicker([each.picture for each in frames], frames)
    noise = 255 * NOISE * 2**0.5
    assert all(0.8 * noise < each < 4 * noise for each in found)


def test_a_scene_is_the_same_each_time(photo):
    one, two, other = (
        [each.picture for each in scene(photo, frames=2, margin=9, seed=seed)]
        for seed in (0, 0, 1)
    )
    assert all(map(torch.equal, one, two))
    assert not torch.equal(one[0], other[0])


def test_a_way_out_of_the_photo_is_refused(photo):
    with pytest.raises(ValueError, match="leave a margin of 4"):
        list(scene(photo, frames=6, margin=4, pan=(1, 0)))
