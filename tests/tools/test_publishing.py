"""From the sweeps' folders to tables and pictures, and to other machines."""

import csv
import importlib
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from styletut.sweeps.results import PartialResults, recorded
from styletut.sweeps.store import StoredRun, write_record

ROOT = Path(__file__).resolve().parents[2]
RUNS = [
    {"label": "default: ", "content": "coffee", "style": "night"},
    {"label": "beta: 2", "content": "coffee", "style": "night", "beta": 2},
    {"label": "a start: ", "content": "coffee", "style": "night"}
    | {"start": "noise"},
]


@pytest.fixture(scope="module", autouse=True)
def tools():
    sys.path.append(str(ROOT / "tools"))
    yield
    sys.path.remove(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def publishing(tools):
    return importlib.import_module("publishing")


@pytest.fixture(scope="module")
def group(tools):
    """Makes a group by its name and the longest side of its pictures."""
    plans = importlib.import_module("recorded_runs")
    return lambda name, side=256, **more: plans.Group(
        name, (), {}, side, **more
    )


@pytest.fixture(scope="module")
def archives(tools):
    return importlib.import_module("archives")


@pytest.fixture(scope="module")
def stored_runs(tools):
    return importlib.import_module("stored_runs")


@pytest.fixture(scope="module")
def runs(stored_runs):
    return stored_runs.planned(RUNS)


def noise(shape):
    """A picture that is hard to compress, from a formula."""
    numbers = np.arange(np.prod(shape), dtype=np.float64)
    values = np.sin(numbers**2) * 127 + 128
    return values.astype(np.uint8).reshape(shape)


def paint(folder, run, grey=100, size=(30, 20), measured=True, **results):
    """Store a run as a sweep does, without computing it."""
    folder.mkdir(parents=True, exist_ok=True)
    record = StoredRun(
        {"precision": "float32", "torch": "2.5", "styletut": "0.1"},
        {"total": 1 / 3, "seconds": 1.0, "ran_on": "cpu", **results},
        {"styletut.metrics.compare": {"ssim": 0.5}} if measured else {},
    )
    width, height = size
    shape = height, width, 3
    picture = noise(shape) if grey is None else np.full(shape, grey, np.uint8)
    write_record(folder / f"{run.key}.png", picture, record)


def table(folder, name="08"):
    text = (folder / f"{name}.csv").read_text()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def sweep(tmp_path, runs, stored_runs):
    """The folder of a sweep with the first two of three runs."""
    folder = tmp_path / "sweep"
    for run in runs[:2]:
        paint(folder, run)
    stored_runs.write_notes(folder)
    return folder


def test_a_row_has_settings_results_and_what_made_them(
    sweep, runs, publishing, stored_runs, tmp_path, group
):
    target = tmp_path / "cpu"
    assert publishing.publish(group("08"), runs, sweep, target) == 1
    first, second, third = table(target)
    assert list(first)[:5] == ["label", "content", "style", "beta", "start"]
    assert (second["beta"], second["error"]) == ("2", "")
    assert second["total"] == "0.333333"
    assert (second["ssim"], second["torch"]) == ("0.5", "2.5")
    assert second["device"] == stored_runs.processor()
    assert second["run"] == runs[1].key
    assert second["picture"] == "08/coffee-night-beta-2.jpg"
    assert (third["error"], third["picture"]) == ("not made yet", "")
    assert third["start"] == "noise"
    with pytest.warns(PartialResults):
        assert len(recorded("08", folder=tmp_path)) == 2


def test_publishing_again_changes_what_changed_alone(
    sweep, runs, publishing, tmp_path, group
):
    target = tmp_path / "cpu"
    publishing.publish(group("08"), runs, sweep, target)
    files = {p: p.stat().st_mtime_ns for p in target.rglob("*.*")}
    publishing.publish(group("08"), runs, sweep, target)
    assert files == {p: p.stat().st_mtime_ns for p in target.rglob("*.*")}
    paint(sweep, runs[0], grey=200)
    publishing.publish(group("08"), runs, sweep, target)
    changed = {p for p, time in files.items() if p.stat().st_mtime_ns != time}
    assert changed == {target / "08" / "coffee-night-default.jpg"}


def test_runs_that_are_no_longer_kept_stay_published(
    sweep, runs, publishing, tmp_path, group
):
    """As in a fresh checkout, where a first new run must lose no row."""
    target, fresh = tmp_path / "cpu", tmp_path / "fresh"
    publishing.publish(group("08"), runs, sweep, target)
    before = (target / "08.csv").read_bytes()
    assert publishing.publish(group("08"), runs, fresh, target) == 1
    assert (target / "08.csv").read_bytes() == before
    paint(fresh, runs[2])
    assert publishing.publish(group("08"), runs, fresh, target) == 0
    after = table(target)
    assert [row["error"] for row in after] == ["", "", ""]
    assert len(list((target / "08").iterdir())) == 3


def test_a_group_says_which_pictures_are_kept(
    sweep, runs, publishing, group, tmp_path
):
    target = tmp_path / "cpu"
    pairs = group("pairs", pictured=lambda run: "beta" not in run)
    publishing.publish(pairs, runs, sweep, target)
    kept = "pairs/coffee-night-default.jpg"
    pictures = [row["picture"] for row in table(target, "pairs")]
    assert pictures == [kept, "", ""]
    assert [p.name for p in (target / "pairs").iterdir()] == [kept[6:]]
    before = {p: p.read_bytes() for p in target.rglob("*.*")}
    publishing.publish(pairs, runs, tmp_path / "no", target)
    assert before == {p: p.read_bytes() for p in target.rglob("*.*")}
    with pytest.warns(PartialResults):
        rows = recorded("pairs", folder=tmp_path)
    assert list(rows["picture"]) == [str(target / kept), ""]


def test_a_row_outlives_its_picture(sweep, runs, publishing, group, tmp_path):
    """What a run came to is known, whether or not it can be looked at."""
    target = tmp_path / "cpu"
    publishing.publish(group("08"), runs[:2], sweep, target)
    lost = target / table(target)[0]["picture"]
    lost.unlink()
    assert publishing.publish(group("08"), runs[:2], lost, target) == 0
    first, second = table(target)
    assert (first["error"], first["picture"]) == ("", "")
    assert first["ssim"] == second["ssim"] and second["picture"]


def test_a_run_that_another_group_has_made_counts(
    sweep, runs, publishing, group, stored_runs, tmp_path
):
    target = tmp_path / "cpu"
    publishing.publish(group("08"), runs[:2], sweep, target)
    other = [
        stored_runs.Planned(
            run.key,
            {**run.settings, "label": f"again: {n}", "schedule": ((30, 1),)},
        )
        for n, run in enumerate(runs[:2])
    ]
    nothing = tmp_path / "nothing"
    assert publishing.publish(group("pairs"), other, nothing, target) == 0
    here, there = table(target, "pairs"), table(target)
    assert [row["label"] for row in here] == ["again: 0", "again: 1"]
    assert {row["ssim"] for row in here} == {row["ssim"] for row in there}
    for row, made in zip(here, there, strict=True):
        copy, picture = (target / each["picture"] for each in (row, made))
        assert copy.parent.name == "pairs"
        assert copy.read_bytes() == picture.read_bytes()
    stamps = group("stamps", 20)  # the pictures are 30 pixels wide
    publishing.publish(stamps, runs[:2], nothing, target)
    assert [row["picture"] for row in table(target, "stamps")] == ["", ""]
    assert publishing.made_before(target).keys() == {r.key for r in runs[:2]}


def test_a_run_of_two_groups_keeps_its_picture_in_each(
    sweep, runs, publishing, group, tmp_path
):
    target = tmp_path / "cpu"
    for name in ("07", "08"):
        publishing.publish(group(name), runs[:2], sweep, target)
    before = {p: p.read_bytes() for p in target.rglob("*.*")}
    for name in ("07", "08"):
        nothing = tmp_path / "nothing"
        publishing.publish(group(name), runs[:2], nothing, target)
    assert before == {p: p.read_bytes() for p in target.rglob("*.*")}


def test_a_row_of_other_settings_goes(
    sweep, runs, publishing, stored_runs, tmp_path, group
):
    target = tmp_path / "cpu"
    publishing.publish(group("08"), runs, sweep, target)
    changed = stored_runs.planned([RUNS[0], {**RUNS[1], "beta": 3}])
    assert publishing.publish(group("08"), changed, sweep, target) == 1
    assert [row["error"] for row in table(target)] == ["", "not made yet"]
    pictures = [path.name for path in (target / "08").iterdir()]
    assert pictures == ["coffee-night-default.jpg"]


def test_a_renamed_run_keeps_its_picture(
    sweep, runs, publishing, stored_runs, tmp_path, group
):
    target = tmp_path / "cpu"
    publishing.publish(group("08"), runs[:2], sweep, target)
    renamed = stored_runs.planned([RUNS[0], {**RUNS[1], "label": "style: 2"}])
    publishing.publish(group("08"), renamed, tmp_path / "nothing", target)
    assert table(target)[1]["picture"] == "08/coffee-night-style-2.jpg"
    assert len(recorded("08", folder=tmp_path)) == 2


def test_two_runs_with_one_name_are_refused(
    sweep, runs, publishing, stored_runs, tmp_path, group
):
    paint(sweep, runs[0])
    twice = [runs[0], stored_runs.Planned(runs[1].key, runs[0].settings)]
    with pytest.raises(ValueError, match="08 two runs have one name"):
        publishing.publish(group("08"), twice, sweep, tmp_path / "cpu")


def test_a_gpu_is_the_device_and_what_is_not_measured_says_so(
    runs, publishing, tmp_path, group
):
    sweep, target = tmp_path / "sweep", tmp_path / "gpu"
    paint(sweep, runs[0], measured=False, ran_on="NVIDIA H100")
    publishing.publish(group("08"), runs[:1], sweep, target)
    (row,) = table(target)
    assert row["device"] == "NVIDIA H100"
    assert row["error"] == "not measured yet"


@pytest.mark.parametrize(
    ("name", "longest", "side"),
    [("08", 256, 256), ("gallery", 512, 512), ("07", 1024, 700)],
)
def test_pictures_are_no_larger_than_their_group_wants(
    runs, publishing, tmp_path, group, name, longest, side
):
    paint(tmp_path / "sweep", runs[0], size=(700, 350))
    publishing.publish(
        group(name, longest), runs[:1], tmp_path / "sweep", tmp_path
    )
    (path,) = (tmp_path / name).iterdir()
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (side, side // 2))
        assert np.array(picture).std() < 2


def test_a_picture_that_is_hard_to_compress_is_written(
    runs, publishing, tmp_path, group
):
    paint(tmp_path / "sweep", runs[0], grey=None, size=(512, 341))
    publishing.publish(
        group("gallery", 512), runs[:1], tmp_path / "sweep", tmp_path
    )
    (path,) = (tmp_path / "gallery").iterdir()
    with Image.open(path) as picture:
        assert np.array(picture).std() > 50


def test_a_note_stays_as_it_was_made(sweep, runs, stored_runs):
    path = sweep / f"{runs[0].key}.png"
    note = path.with_suffix(".json")
    note.write_text('{"date": "2026-01-31", "processor": "another"}')
    paint(sweep, runs[0])  # as by measuring it elsewhere
    stored_runs.write_notes(sweep)
    assert stored_runs.read_note(path)["processor"] == "another"
    assert stored_runs.read_note(sweep / "missing.png") == {}


def test_a_run_that_cannot_be_is_said_with_its_label(stored_runs):
    with pytest.raises(ValueError, match=r"beta: 2: .*no convention 'x'"):
        stored_runs.planned([RUNS[0], {**RUNS[1], "convention": "x"}])


@pytest.mark.parametrize(
    ("bytes_each", "part", "parts"),
    [(10, 1000, 1), (100, 1000, 3), (100, 100, 8), (300, 1000, 8)],
)
def test_archives_are_few_and_hold_everything(
    archives, monkeypatch, tmp_path, bytes_each, part, parts
):
    monkeypatch.setattr(archives, "PART_BYTES", part)
    home, out, back = (tmp_path / n for n in ("home", "out", "back"))
    files = [home / "08" / f"{n:016x}.png" for n in range(30)]
    files[0].parent.mkdir(parents=True)
    for n, file in enumerate(files):
        file.write_bytes(bytes([n]) * bytes_each)
    archives.pack(files, home, out, "cpu")
    archives.pack(files, home, out, "cpu")
    assert len(list(out.iterdir())) == parts
    archives.unpack(out, back)
    assert sorted(p.name for p in (back / "08").iterdir()) == [
        file.name for file in files
    ]
    for file in files:
        assert (back / "08" / file.name).read_bytes() == file.read_bytes()
    archives.pack(files[:1], home, out, "cpu")
    assert [p.name for p in out.iterdir()] == ["cpu-1.tar"]


def test_unpacking_keeps_what_is_there(archives, tmp_path):
    name = f"08/{7:016x}.png"
    source = tmp_path / "home" / name
    source.parent.mkdir(parents=True)
    source.write_bytes(b"new")
    archives.pack([source], tmp_path / "home", tmp_path / "out", "gpu")
    there = tmp_path / "back" / name
    there.parent.mkdir(parents=True)
    there.write_bytes(b"old")
    archives.unpack(tmp_path / "out", tmp_path / "back")
    assert there.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "08/x.png", "08"])
def test_an_archive_of_something_else_is_refused(archives, tmp_path, name):
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(ValueError, match="has no runs"):
        archives.unpack(tmp_path, tmp_path / "back")
    assert not (tmp_path / "back").exists()
