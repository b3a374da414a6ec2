"""A visitor's pictures: kept, counted, and gone at the end."""

import pytest
import torch
from PIL import Image

from styletut.images import load_image, sample
from styletut.studio import visits
from styletut.studio.choices import Choices
from styletut.studio.pace import Pace
from styletut.studio.painting import Painted
from styletut.studio.visits import MOST, Studio

CHOICES = Choices("chelsea", "glass", size=32)


def picture(alpha=None):
    text = {"command": "styletut chelsea glass"}
    return Painted(sample("rocket", 32), alpha, text, 1.0, "done")


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path, None, Pace(0, 0))


@pytest.fixture
def visit(studio):
    return studio.visit("one")


def test_a_visitor_is_known_again_and_two_share_nothing(studio):
    one, two = studio.visit("one"), studio.visit("two")
    one.keep(CHOICES, picture(), "")
    assert studio.visit("one") is one
    assert two.kept == [] and not list(two.folder.iterdir())
    assert one.stop is not two.stop


def test_a_picture_is_kept_in_both_forms_with_its_settings(visit):
    kept = visit.keep(CHOICES, picture(), "note")
    with Image.open(kept.png) as stored:
        assert stored.text["command"] == "styletut chelsea glass"
    assert b"styletut chelsea glass" in kept.jpeg.read_bytes()
    assert kept.png.name == "chelsea-glass.png"
    assert load_image(kept.before).shape == load_image(kept.png).shape
    assert visit.kept == [kept]


def test_the_oldest_go_first(visit, monkeypatch):
    monkeypatch.setattr(visits, "MOST", 2)
    first, second, third = (
        visit.keep(CHOICES, picture(), str(n)) for n in range(3)
    )
    assert visit.kept == [third, second]
    assert not first.png.parent.exists() and second.png.exists()
    assert MOST > 2


def test_a_jpeg_of_a_cut_out_lies_over_white(visit):
    kept = visit.keep(CHOICES, picture(torch.zeros(1, 1, 21, 32)), "")
    assert load_image(kept.jpeg).min() > 0.98
    with Image.open(kept.png) as cut_out:
        assert cut_out.mode == "RGBA"


def test_an_upload_keeps_its_name_and_a_second_one_gets_a_number(
    visit, tmp_path
):
    for number in (1, 2):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "image.png").write_bytes(bytes([number]))
    first, second = (
        visit.take(str(tmp_path / str(n) / "image.png")) for n in (1, 2)
    )
    assert first == str(visit.folder / "image.png")
    assert second == str(visit.folder / "image-2.png")


def test_a_mask_has_a_name_that_can_be_told(visit):
    file = visit.mask(torch.ones(4, 6))
    assert file.endswith("region.png") and file != visit.mask(torch.ones(4, 6))


def test_who_has_left_is_stopped_and_after_a_while_forgotten(
    studio, monkeypatch
):
    clock = [1000.0]
    monkeypatch.setattr(visits.time, "monotonic", lambda: clock[0])
    visit = studio.visit("one")
    visit.keep(CHOICES, picture(), "")
    studio.leave("one")
    assert visit.stop.is_set()
    clock[0] += visits.KEPT_SECONDS / 2
    studio.visit("two")
    assert visit.folder.exists(), "a page can be opened again"
    clock[0] += visits.KEPT_SECONDS
    studio.visit("two")
    assert not visit.folder.exists()
    assert studio.visit("one") is not visit
    studio.leave("nobody")  # who never came


def test_who_comes_back_in_time_has_everything(studio, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(visits.time, "monotonic", lambda: clock[0])
    visit = studio.visit("one")
    studio.leave("one")
    clock[0] += visits.KEPT_SECONDS / 2
    assert studio.visit("one") is visit
    clock[0] += visits.KEPT_SECONDS
    assert studio.visit("one") is visit, "it is open all the while"


def test_a_closed_visit_leaves_nothing(visit):
    visit.keep(CHOICES, picture(), "")
    visit.close()
    assert not visit.folder.exists() and visit.stop.is_set()
    visit.close()  # twice does no harm
