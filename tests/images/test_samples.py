"""The sample pictures: each there, each with its author and license."""

import dataclasses
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import styletut
from styletut.images import (
    MASKS,
    SAMPLES,
    ImageError,
    Sample,
    load_mask,
    sample,
)
from styletut.images.samples import MASK_FOLDER, sample_path

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


def test_the_masks_are_those_in_the_folder():
    assert set(MASKS) == {path.stem for path in MASK_FOLDER.glob("*.png")}
    assert not set(MASKS) & set(SAMPLES)


@pytest.mark.parametrize("name", MASKS)
def test_every_mask_has_its_photos_size_and_two_sides(name):
    assert MASKS[name].kind == "mask"
    mask = load_mask(sample_path(name))
    assert mask.shape == sample(name.split("-")[0]).shape[2:]
    torch.testing.assert_close(sample(name)[0, 0], mask)
    # white and black, with borders that are no more than a few pixels
    assert 0.1 < float((mask == 1).float().mean()) < 0.9
    assert 0.1 < float((mask == 0).float().mean()) < 0.9
    assert float(((mask > 0) & (mask < 1)).float().mean()) < 0.03


def test_masks_of_one_photo_share_no_pixel():
    both = [load_mask(sample_path(n)) for n in MASKS if n.startswith("camera")]
    assert len(both) == 2
    assert float(sum(both).max()) < 1 + 1e-6


def test_the_script_draws_the_masks(monkeypatch):
    monkeypatch.syspath_prepend(
        str(Path(styletut.__file__).parents[1] / "tools")
    )
    drawing = importlib.import_module("draw_masks")
    assert list(drawing.OUTLINES) == list(MASKS)
    drawn = torch.tensor(np.array(drawing.draw_mask("coffee-cup"))) / 255
    # another version of scikit-image may move a border by a pixel
    stored = load_mask(sample_path("coffee-cup"))
    assert float((drawn - stored).abs().mean()) < 0.01


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
    for known in (*SAMPLES, *MASKS):
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
