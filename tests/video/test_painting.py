"""Frames that follow one another, by the optimizer and by the network."""

import pytest
import torch

from styletut.images import ImageError, sample
from styletut.instant import instant
from styletut.transfer import stylize
from styletut.video import flicker, instant_frames, scene, stylize_frames


@pytest.fixture(scope="module")
def frames():
    return list(scene(sample("coffee", 84), frames=3, margin=8, pan=(2, 1)))


def test_the_optimizer_follows(frames):
    photos = [each.picture for each in frames]
    alone = [stylize(p, "night", evaluations=16).image for p in photos]
    followed = list(
        stylize_frames(photos, "night", evaluations=16, following=8)
    )
    assert torch.equal(followed[0], alone[0])
    for one, two in zip(
        flicker(followed, frames), flicker(alone, frames), strict=True
    ):
        assert one < two / 3
    for photo, painting in zip(photos, followed, strict=True):
        assert painting.shape == photo.shape
        assert 0 <= float(painting.min()) <= float(painting.max()) <= 1
        # painted, and not the photo again
        assert float((photo - painting).abs().mean()) > 0.05


def test_frames_are_taken_one_at_a_time(frames):
    taken = []

    def counted():
        for each in frames:
            taken.append(each)
            yield each.picture

    paintings = stylize_frames(counted(), "ink", evaluations=4, following=2)
    next(paintings)
    assert len(taken) == 1
    next(paintings)
    assert len(taken) == 2


def test_the_size_and_the_strength_are_those_of_the_first(frames):
    photos = [each.picture for each in frames[:2]]
    painted = list(
        stylize_frames(
            photos, "ink", size=48, strength=0.5, evaluations=4, following=2
        )
    )
    assert all(max(each.shape[2:]) == 48 for each in painted)
    first = stylize(photos[0], "ink", size=48, strength=0.5, evaluations=4)
    assert torch.equal(painted[0], first.image)


def test_frames_of_two_sizes_and_none_are_refused(frames):
    photo = frames[0].picture
    other = photo[..., :40]
    with pytest.raises(ValueError, match="must have one ratio of sides"):
        list(stylize_frames([photo, other], "ink", evaluations=2, following=1))
    with pytest.raises(ImageError):
        list(stylize_frames(["none.png"], "ink"))
    assert list(stylize_frames([], "ink")) == []


def test_the_network_paints_each_frame(frames):
    photos = [each.picture for each in frames]
    painted = list(instant_frames(photos, "wave", size=64, strength=0.7))
    assert [max(each.shape[2:]) for each in painted] == [64, 64, 64]
    with pytest.raises(ValueError, match="no instant style 'dawn'"):
        list(instant_frames(photos, "dawn"))


def test_the_steady_network_is_steadier():
    still = list(
        scene(sample("astronaut", 176), frames=4, margin=16, pan=(3, 1))
    )
    photos = [each.picture for each in still]
    for style in ("night", "points"):
        usual = [instant(each, style) for each in photos]
        steady = list(instant_frames(photos, style))
        before, after = flicker(usual, still), flicker(steady, still)
        assert sum(after) < sum(before) / 2


def test_at_strength_0_all_frames_stay(frames):
    photos = [each.picture for each in frames]
    for photo, painted in zip(
        photos, stylize_frames(photos, "night", strength=0), strict=True
    ):
        assert torch.equal(photo, painted)


def test_the_network_and_the_style_are_read_once(frames, tmp_path):
    from styletut.images import save_image
    from styletut.transfer import coarse_to_fine

    path = tmp_path / "style.png"
    save_image(sample("night", 64), path)
    photos = [each.picture for each in frames]
    paintings = stylize_frames(photos, path, evaluations=2, following=1)
    next(paintings)
    path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarse_to_fine, "convention_network", None)
        assert len(list(paintings)) == 2
