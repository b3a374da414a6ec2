"""The sample pictures: each there, each with its author and license."""

import dataclasses
import sys
from pathlib import Path

import pytest

import styletut
from styletut.images import SAMPLES, ImageError, Sample, sample

STYLES = Path(styletut.__file__).parent / "data" / "styles"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_loads_as_it_is_and_small(name):
    image = sample(name)
    assert image.shape[:2] == (1, 3)
    assert max(image.shape[2:]) >= 400
    assert image.std() > 0.05  # Not blank.
    assert max(sample(name, size=64).shape[2:]) == 64


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_says_where_it_is_from(name):
    entry = SAMPLES[name]
    assert entry.name == name
    assert name.isidentifier() and name == name.lower()
    for field in dataclasses.fields(Sample):
        assert getattr(entry, field.name).strip()


def test_the_style_pictures_are_those_in_the_folder():
    files = {path.stem for path in STYLES.glob("*.jpg")}
    styles = {n for n, entry in SAMPLES.items() if entry.kind == "style"}
    assert styles == files


def test_there_are_at_least_five_color_photos():
    photos = [n for n, entry in SAMPLES.items() if entry.kind == "content"]
    colored = [n for n in photos if sample(n, 64).std(dim=1).mean() > 0.01]
    assert len(colored) >= 5


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        SAMPLES["mine"] = SAMPLES["coffee"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        SAMPLES["coffee"].author = "me"


@pytest.mark.parametrize("name", ["nope", "", "../coffee", None])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ImageError) as caught:
        sample(name)
    for known in SAMPLES:
        assert known in str(caught.value)


def test_without_scikit_image_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ImageError, match="pip install scikit-image"):
        sample("coffee")


def test_scikit_image_is_found_without_being_imported(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "skimage"]:
        monkeypatch.delitem(sys.modules, name)
    sample("coffee", size=8)
    assert "skimage" not in sys.modules
