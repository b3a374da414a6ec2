"""A picture as it comes, broken off at any moment."""

import pytest
import torch

from styletut.images import (
    ImageError,
    load_image,
    resize,
    sample,
    save_image,
)
from styletut.images.samples import names_of, sample_path
from styletut.instant import instant
from styletut.studio.choices import Choices
from styletut.studio.painting import EVERY, Painting, at_once, sheet
from styletut.vgg import VGG19

SMALL = Choices("chelsea", "glass", size=64)


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


def test_a_sample_style_is_there_at_once(vgg):
    first = next(Painting(SMALL, vgg).views())
    assert first.share is None
    expected = instant(resize(sample("chelsea"), 64), "glass")
    torch.testing.assert_close(first.image, expected)


def test_a_style_of_ones_own_begins_with_the_run(vgg, tmp_path):
    path = tmp_path / "own.png"
    save_image(sample("glass", 100), path)
    choices = Choices("chelsea", str(path), size=64)
    assert at_once(choices) is None
    first = next(Painting(choices, vgg).views())
    assert first.share is not None


def test_the_run_goes_on_to_its_end_and_shows_itself(vgg):
    job = Painting(SMALL, vgg)
    views = list(job.views())
    shares = [view.share for view in views[1:]]
    assert shares == sorted(shares)
    assert 60 / EVERY / 3 < len(views) <= 60 / EVERY + 4
    done = job.painted()
    assert done.stopped == done.text["stopped"] == "done"
    assert done.text["evaluations_done"] == "60"
    assert done.text["command"] == SMALL.command()


def test_broken_off_it_has_its_best_picture(vgg):
    job = Painting(SMALL, vgg)
    views = job.views()
    for _ in range(4):
        next(views)
    views.close()
    left = job.painted()
    assert left.stopped == left.text["stopped"] == "interrupted"
    assert 0 < int(left.text["evaluations_done"]) < 60
    assert left.image.shape == (1, 3, 43, 64)


def test_before_there_is_a_picture_there_is_none(vgg):
    job = Painting(SMALL, vgg)
    assert job.painted() is None
    views = job.views()
    next(views)  # what came at once is a look, and no picture to keep
    views.close()
    assert job.painted() is None


def test_what_cannot_be_read_is_said(vgg, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    for given in ({"photo": str(bad)}, {"style": str(bad)}):
        choices = Choices(**{"photo": "chelsea", "style": "glass", **given})
        with pytest.raises(ImageError, match=r"bad\.png"):
            list(Painting(choices, vgg).views())


def test_the_first_look_keeps_to_what_was_chosen(tmp_path):
    photo = resize(sample("chelsea"), 64)
    mask = torch.zeros(1, 3, 43, 64)
    mask[..., :32] = 1
    save_image(mask, tmp_path / "region.png")
    region = str(tmp_path / "region.png")
    there = at_once(Choices("chelsea", "ink", region=region, size=64))
    assert torch.equal(there[..., 32:], photo[..., 32:])
    assert not torch.allclose(there[..., :32], photo[..., :32], atol=0.05)
    two = at_once(
        Choices("chelsea", "ink", second="glass", region=region, size=64)
    )
    torch.testing.assert_close(
        two[..., :32], instant(photo, "glass")[..., :32]
    )
    torch.testing.assert_close(two[..., 32:], instant(photo, "ink")[..., 32:])
    none = at_once(Choices("chelsea", "ink", strength=0, size=64))
    assert (none - photo).abs().mean() < 0.03
    strong = at_once(Choices("chelsea", "ink", strength=2, size=64))
    torch.testing.assert_close(strong, instant(photo, "ink"))
    colors = at_once(Choices("chelsea", "ink", own_colors=True, size=64))
    chroma = colors - colors.mean(1, keepdim=True)
    own = photo - photo.mean(1, keepdim=True)
    assert (chroma - own).abs().mean() < 0.03


def test_the_sheet_has_every_style_once():
    made = dict(sheet(str(sample_path("chelsea")), 48))
    assert list(made) == list(names_of("style"))
    assert len({tuple(p.flatten()[:50].tolist()) for p in made.values()}) == 8


def test_a_photo_with_transparency_keeps_it(vgg, tmp_path):
    path = tmp_path / "cut.png"
    alpha = torch.zeros(1, 1, 43, 64)
    alpha[..., 10:30, 10:50] = 1
    save_image(sample("chelsea", 64), path, alpha=alpha)
    job = Painting(Choices(str(path), "glass", size=64), vgg)
    for _ in job.views():
        pass
    assert job.painted().alpha is not None
    assert load_image(path).shape == job.painted().image.shape
