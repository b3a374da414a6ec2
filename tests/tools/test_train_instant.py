"""The photos of the instant styles' training, and the training's tool."""

import csv
import importlib
import json
from pathlib import Path

import pytest
from PIL import Image

from styletut.images.samples import SAMPLES
from styletut.instant import weights

ROOT = Path(__file__).resolve().parents[2]
JUDGED = {"astronaut", "camera", "chelsea", "coffee"}
"""Photos that the network is judged by, and never sees in training."""


@pytest.fixture(scope="module")
def tools():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        photos = importlib.import_module("training_photos")
        yield photos, importlib.import_module("train_instant")


def test_photos_are_free_and_credited_and_none_is_judged(tools):
    photos, _ = tools
    names = [each.name for each in photos.PHOTOS]
    assert len(set(names)) == len(names)
    assert not JUDGED & {*names}
    assert not any("china" in each.path for each in photos.PHOTOS)
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for each in photos.PHOTOS:
        free = ("CC0", "CC BY 2.0", "CC BY 4.0", "public domain")
        assert each.license in free
        assert len(each.sha256) == 64
        assert each.author in notice, each.name


def test_what_is_installed_is_collected_and_checked(
    tools, tmp_path, monkeypatch
):
    photos, _ = tools
    own = [p for p in photos.PHOTOS if p.path.startswith("skimage:")]
    assert len(own) == 7
    monkeypatch.setattr(photos, "PHOTOS", own)
    monkeypatch.setattr(photos, "RENDERINGS", 1)
    monkeypatch.setattr(photos, "SHAPES", 50)
    photos.collect(tmp_path, None)
    made = {path.stem for path in tmp_path.iterdir()}
    assert made == {*(each.name for each in own), "leaves-00"}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    photos.collect(tmp_path, None)  # what is there stays
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}


def test_a_file_that_changed_is_refused(tools, tmp_path, monkeypatch):
    photos, _ = tools
    own = [p for p in photos.PHOTOS if p.path.startswith("skimage:")][:1]
    other = own[0]._replace(sha256="0" * 64)
    monkeypatch.setattr(photos, "PHOTOS", [other])
    with pytest.raises(SystemExit, match="is not the file it was"):
        photos.collect(tmp_path, None)
    assert not list(tmp_path.iterdir())


def test_a_rendering_is_the_same_each_time(tools, monkeypatch):
    photos, _ = tools
    monkeypatch.setattr(photos, "SHAPES", 40)
    one, two, other = (photos.rendering(number) for number in (3, 3, 4))
    assert one.tobytes() == two.tobytes() != other.tobytes()
    assert one.size == photos.SIZE


def test_a_training_goes_on_and_its_network_is_shipped(
    tools, tmp_path, monkeypatch, capsys
):
    _, tool = tools
    folder, photos = tmp_path / "instant", tmp_path / "photos"
    photos.mkdir()
    Image.effect_noise((60, 50), 60).convert("RGB").save(photos / "rocket.png")
    monkeypatch.setattr(tool, "SAVE_EVERY", 2)
    small = ["crop=32", "batch=1", "style_size=32", "least=34", "most=40"]

    def run(*words):
        monkeypatch.setattr(
            "sys.argv",
            ["train_instant.py", str(photos), str(folder), *words]
            + ["--set", "iterations=4", *small],
        )
        tool.main()

    run()
    assert "4 steps" in capsys.readouterr().out
    kept = (folder / "training.safetensors").read_bytes()
    run()  # there is nothing left to be done
    assert (folder / "training.safetensors").read_bytes() == kept
    with (folder / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == list("1234")
    before = [row["style"] for row in rows]

    shipped = tmp_path / "network.safetensors"
    own = weights.Shipped(shipped, "")
    monkeypatch.setattr(tool, "SHIPPED", {"steady": own})
    run("--ship", "steady")
    network = weights.decoded(shipped.read_bytes())
    styles = [name for name, each in SAMPLES.items() if each.kind == "style"]
    assert list(network.names[1:]) == styles
    notes = weights.notes_of(shipped.read_bytes())
    assert notes["steps"] == "4"
    assert "SpaceX (public domain)" in notes["licenses"]

    other = tmp_path / "other"
    folder = other
    run("--from", str(shipped))  # goes on from there, under its own count
    run("--from", str(shipped), "--ship", "steady")
    notes = weights.notes_of(shipped.read_bytes())
    assert notes["steps"] == "8"
    stages = json.loads(notes["stages"])
    assert [each["steps"] for each in stages] == ["4", "4"]
    assert json.loads(stages[1]["recipe"])["crop"] == 32
    unlike = tmp_path / "instant" / "training.safetensors"
    folder = tmp_path / "third"
    run("--from", str(unlike))  # a training's own file
    assert len(json.loads((folder / "stages.json").read_text())) == 1
    with pytest.raises(SystemExit, match="began with another network"):
        run("--from", str(other / "training.safetensors"))
    with (other / "losses.csv").open(newline="") as file:
        after = [row["style"] for row in csv.DictReader(file)]
    assert after != before
