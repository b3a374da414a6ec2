"""The plan of the recorded runs: nothing in it may fail after an hour."""

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from styletut.conventions import CONVENTIONS
from styletut.images import SAMPLES, load_image, resize_to, sample
from styletut.losses import content_loss, gram_matrix, style_layer_loss
from styletut.objective import Objective
from styletut.sweeps.grids import grid, job_of, reader
from styletut.sweeps.jobs import Job
from styletut.sweeps.results import PartialResults, recorded
from styletut.vgg import VGG19

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plans():
    sys.path.append(str(ROOT / "tools"))
    try:
        yield importlib.import_module("recorded_runs")
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def record(plans):
    return importlib.import_module("record")


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_every_run_can_be_planned_and_its_label_is_its_own(plans, name):
    read = reader()
    for group in getattr(plans, name)():
        runs = grid(group.runs, group.common)
        for run in runs:
            assert isinstance(job_of(run, read, None, None), Job)
            question, colon, _ = run["label"].partition(": ")
            assert question and colon
        told = ("content", "style", "label", "start", "beta")
        names = {tuple(run.get(name) for name in told) for run in runs}
        assert len(names) == len(runs)


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_every_run_names_what_a_new_default_would_change(plans, name):
    for group in getattr(plans, name)():
        for run in grid(group.runs, group.common):
            assert run["precision"] == "float32"
            assert run["start"] in ("content", "color", "noise")
            assert run["schedule"] and not {"size", "evaluations"} & set(run)


def test_ten_pairs_show_every_sample(plans):
    photos, paintings = map(set, zip(*plans.TEN_PAIRS, strict=True))
    assert len({*plans.TEN_PAIRS}) == 10
    assert photos == set(plans.PHOTO_SHAPES)
    assert paintings == {n for n, s in SAMPLES.items() if s.kind == "style"}


@pytest.mark.parametrize("group", ["08_pairs", "09_pairs"])
def test_what_a_conclusion_rests_on_is_made_thrice_on_ten_pairs(plans, group):
    (runs,) = (each.runs for each in plans.cpu_plan() if each.name == group)
    repeats: dict[str, Counter[tuple[str, str]]] = {}
    for run in runs:
        pair = run["content"], run["style"]
        repeats.setdefault(run["label"], Counter())[pair] += 1
    repeated = {k for k, v in repeats.items() if max(v.values()) == 3}
    asked = {
        "08_pairs": {"default: "},
        "09_pairs": {"rule of the default: ", "alpha: 0.1", "alpha: 0.3"},
    }
    assert asked[group] <= repeated
    for label in repeated:
        assert set(repeats[label].values()) == {3}
        assert repeats[label].keys() == {*plans.TEN_PAIRS}


def test_settings_of_notebook_08_are_made_twice_on_half_of_the_pairs(plans):
    (runs,) = (g.runs for g in plans.cpu_plan() if g.name == "08_pairs")
    made = Counter(run["label"] for run in runs)
    twice = {label for label, times in made.items() if times == 15}
    assert {made[label] for label in made.keys() - {"default: "}} == {10, 15}
    assert {"weights: equal", "equal pull: ", "left out: relu5_1"} <= twice
    again = {
        (run["content"], run["style"])
        for run in runs
        if run["label"] in twice and "beta" in run
    }
    assert again == {*plans.TEN_PAIRS[:5]}


def test_pictures_of_ten_pairs_are_kept_once_each(plans):
    groups = {each.name: each for each in plans.cpu_plan()}
    judged, leafed = (
        [run for run in groups[name].runs if groups[name].pictured(run)]
        for name in ("08_pairs", "09_pairs")
    )
    assert {run["label"] for run in judged} == {*plans.JUDGED}
    assert len(judged) == 10 * len(plans.JUDGED)
    assert len(leafed) == 10 * (len(plans.ALPHAS) + 1)
    for run in judged + leafed:
        assert "beta" not in run and run["schedule"][-1][0] == 256


def test_layers_pull_alike_where_that_is_said(plans):
    for run in plans.pull_runs():
        weights = run["style_layers"]
        distances = dict(
            zip(
                plans.STYLE_LAYERS,
                plans._STYLE_DISTANCES["max", False],
                strict=True,
            )
        )
        pulls = dict(zip(plans.STYLE_LAYERS, plans._STYLE_PULLS, strict=True))
        own = [weights[layer] * pulls[layer] for layer in weights]
        assert own == pytest.approx([own[0]] * len(own))
        whole = sum(weights[layer] * distances[layer] for layer in weights)
        assert whole == pytest.approx(1)


def test_the_typical_pulls_are_gradients_at_a_photo(plans):
    """The median pair's cannot be far from those of one pair."""
    found = importlib.import_module("choose_defaults").pulls_of(
        sample("chelsea", 256), sample("night", 256), VGG19()
    )
    for layer, pull in zip(
        plans.STYLE_LAYERS, plans._STYLE_PULLS, strict=True
    ):
        assert 1 / 8 < found[layer] / pull < 8, layer


def test_the_papers_setting_is_whole(plans):
    runs = plans.paper_pairs()
    literal, mean, two = runs[:3]
    paper = CONVENTIONS["gatys2016"]
    assert literal["alpha"] == paper.alpha and literal["start"] == "noise"
    assert literal["schedule"] == ((256, paper.evaluations),)
    # chelsea at 256 x 170: 512 x 21 x 32 entries of relu4_2
    assert mean["alpha"] == pytest.approx(1e-3 / (512 * 21 * 32), rel=1e-3)
    assert two["schedule"][-1][0] == 2 * two["schedule"][0][0]


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_no_photo_is_enlarged_more_than_twice(plans, name):
    for group in getattr(plans, name)():
        for run in grid(group.runs, group.common):
            largest = max(size for size, _ in run["schedule"])
            assert largest <= 2 * max(plans.PHOTO_SHAPES[run["content"]])


def test_the_gallery_is_as_large_as_its_photos_allow(plans):
    (gallery,) = (g for g in plans.cpu_plan() if g.name == "gallery")
    assert len(gallery.runs) >= 8
    for run in gallery.runs:
        sizes = [size for size, _ in run["schedule"]]
        twice = 2 * max(plans.PHOTO_SHAPES[run["content"]])
        assert sizes == sorted(sizes)
        assert sizes[-1] >= min(1024, twice)
        assert gallery.longest_side >= sizes[-1]


def test_the_shapes_are_those_of_the_photos(plans):
    for name, shape in plans.PHOTO_SHAPES.items():
        assert tuple(sample(name).shape[2:]) == shape


def test_pairs_that_test_the_rule_were_not_used_to_find_it(plans):
    contents, styles = zip(*plans.RATIO_PAIRS, strict=True)
    for content, style in (plans.FIRST_TEST, plans.SECOND_TEST):
        assert content not in contents and style not in styles
    for plan in (plans.cpu_plan, plans.gpu_plan):
        gallery = [group for group in plan() if group.name == "gallery"]
        shown = {(r["content"], r["style"]) for r in gallery[0].runs}
        assert not shown & {plans.FIRST_TEST, plans.SECOND_TEST}


def test_the_rule_is_tested_beside_the_default(plans):
    """Three values around the default, style alone, and two by (9.5)."""
    elbow = plans.ELBOWS[256]
    runs = {run["label"]: run["alpha"] for run in plans.rule_runs(elbow)}
    assert len(runs) == 6
    assert runs["rule: alpha x 1"] == CONVENTIONS["styletut"].alpha
    assert runs["rule: psi = 1"] == elbow
    assert runs["rule: psi = 0.2"] == pytest.approx(elbow / 5)
    assert runs["rule: style alone"] == 0


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_both_tests_are_in_a_plan(plans, name):
    runs = [run for group in getattr(plans, name)() for run in group.runs]
    tests = [r for r in runs if r["label"].startswith("rule: ")]
    pairs = [(r["content"], r["style"]) for r in tests]
    assert pairs == [plans.FIRST_TEST] * 6 + [plans.SECOND_TEST] * 6


def test_the_defaults_are_among_the_runs(plans):
    """The measured distances are those behind the default convention."""
    own = CONVENTIONS["styletut"]
    assert plans.content_weight("relu4_2") == dict(own.content_layers)
    even = plans.style_weights(dict.fromkeys(own.style_layers, 1))
    assert even == dict(own.style_layers)


@pytest.mark.parametrize("network", [("average", False), ("max", True)])
def test_a_tuned_network_starts_where_the_default_does(plans, network):
    photo, painting = sample("chelsea", 256), sample("night", 256)
    layers = plans.style_weights(
        dict.fromkeys(CONVENTIONS["styletut"].style_layers, 1), *network
    )
    terms = Objective(
        photo, painting, vgg=VGG19(*("oxford", *network)), style_layers=layers
    )(photo)
    assert 0.2 < float(terms.style) < 5


def test_alpha_is_that_of_the_papers_units(plans):
    """a/(5b) by the value of the terms, not by the table of factors."""
    ratio, size = 1e-3, 64
    photo = sample("chelsea", size)
    # the paper's formulas take photo and painting to be of one shape
    painting, x = (
        resize_to(sample(name), *photo.shape[2:])
        for name in ("night", "coffee")
    )
    for name in ("styletut", *plans.FORMULAS):
        alpha = plans.alpha_for(ratio, "chelsea", size, name)
        objective = Objective(
            photo,
            painting,
            convention=name,
            alpha=alpha,
            content_layers=None,
        )
        terms = objective(x)
        F, P, A = (
            objective.vgg(image, ["relu4_1", "relu4_2"])
            for image in (x, photo, painting)
        )
        C = content_loss(F["relu4_2"], P["relu4_2"])
        M_a = A["relu4_1"][0, 0].numel()
        E = style_layer_loss(F["relu4_1"], gram_matrix(A["relu4_1"]), M_a)
        a = alpha * terms.content / C
        b = (
            objective.beta
            * objective.style_layers["relu4_1"]
            * terms.style_layers["relu4_1"]
            / E
        )
        assert float(a / (5 * b)) == pytest.approx(ratio, rel=0.03), name


def test_the_ratios_span_the_decades_evenly(plans):
    runs = plans.ratio_runs(("chelsea", "night"), 256, 13)
    alphas = np.log10([run["alpha"] for run in runs])
    assert alphas[-1] - alphas[0] == pytest.approx(7, abs=1e-3)
    assert np.ptp(np.diff(alphas)) < 1e-3


def test_layers_that_remain_share_all_of_the_styles_weight(plans):
    distances = dict(
        zip(
            plans.STYLE_LAYERS,
            plans._STYLE_DISTANCES["max", False],
            strict=True,
        )
    )
    for run in plans.layer_runs():
        question = run["label"].partition(": ")[0]
        if question in ("growing", "single", "left out", "weights"):
            whole = sum(
                w * distances[layer]
                for layer, w in run["style_layers"].items()
            )
            assert whole == pytest.approx(1), run["label"]


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_the_work_is_that_of_each_evaluation(plans, name):
    for group in getattr(plans, name)():
        for run in group.runs:
            assert plans.work_of({**run, **group.common}) > 0
    run = {"content": "astronaut", "schedule": ((128, 10), (256, 5))}
    assert plans.work_of(run) == pytest.approx(0.49152)
    tutorials = [
        run
        for run in plans.full_runs(("astronaut", "night"), (100,), 1)
        if run["label"].startswith("tutorial: ")
    ]
    for run in tutorials:
        evaluations = CONVENTIONS[run["convention"]].evaluations
        assert plans.work_of(run) == pytest.approx(evaluations / 100)


def brightness(x, content, style):
    """Measure in no time, in the place of what takes a second."""
    return {"brightness": float(x.mean())}


brightness.__module__, brightness.__qualname__ = "styletut.metrics", "compare"


@pytest.fixture(scope="module", autouse=True)
def quick(record):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "compare", brightness)
        yield


@pytest.fixture(scope="module")
def rehearsal(record, tmp_path_factory):
    """A few runs of two groups, made with nothing disturbing."""
    folder = tmp_path_factory.mktemp("rehearsal")
    only = ["--only", "09_small", "08:single"]
    record.main(["cpu", "--toy", "--folder", str(folder), *only])
    return folder / "toy"


def test_what_was_made_is_published(rehearsal):
    results = rehearsal / "results"
    small = recorded("09_small", folder=results)
    assert len(small) == 7
    assert set(small["question"]) == {"128 pixels"}
    for _, run in small.iterrows():
        picture = load_image(run["picture"])
        assert picture.shape[2:] == (run["height"], run["width"])
        assert float(picture.mean()) == pytest.approx(
            run["brightness"], abs=0.01
        )
    with pytest.warns(PartialResults, match="has 6 of its 34 runs"):
        layers = recorded("08", folder=results)
    # the run "growing: up to relu1_1" is one of them, too
    assert list(layers["question"]) == ["growing", *["single"] * 5]


def test_a_second_call_changes_nothing(rehearsal, record):
    files = [p for p in rehearsal.rglob("*") if p.is_file()]
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in files}
    only = ["--only", "09_small", "08:single"]
    record.main(["cpu", "--toy", "--folder", str(rehearsal.parent), *only])
    assert before.keys() == {p for p in rehearsal.rglob("*") if p.is_file()}
    for path, (data, time_) in before.items():
        assert path.read_bytes() == data
        if path.name != "results.csv":  # the sweep's own is written anew
            assert path.stat().st_mtime_ns == time_, path


def test_a_run_in_a_table_is_not_made_again(
    rehearsal, record, tmp_path, monkeypatch
):
    """As in a fresh checkout, which has tables and no run."""
    words = ["cpu", "--toy", "--folder", str(tmp_path), "--only", "09_small"]
    shutil.copytree(rehearsal, tmp_path / "toy")
    for path in (tmp_path / "toy" / "cpu").rglob("*.png"):
        path.unlink()
    table = tmp_path / "toy" / "results" / "cpu" / "09_small.csv"
    before, asked = table.read_bytes(), []

    def count(content, style, runs, **options):
        asked.extend(runs)
        return []

    monkeypatch.setattr(record, "sweep_rows", count)
    record.main(words)
    assert not asked and table.read_bytes() == before
    lines = before.decode().splitlines(keepends=True)
    table.write_text("".join(lines[:-2]))
    record.main(words)
    assert len(asked) == 2


def test_killed_runs_leave_a_table_and_no_process(record, tmp_path):
    """The signal that nobody can answer, while two workers compute."""
    words = ["cpu", "--toy", "--folder", str(tmp_path)]
    only = ["--only", "09_small"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "record.py"), *words, *only]
        + ["--workers", "2", "--every", "0.3"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    results = tmp_path / "toy" / "results"
    deadline = time.monotonic() + 120
    while not list(results.rglob("*.jpg")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    while _is_alive(process.pid):
        assert time.monotonic() < deadline, "a worker outlives it"
        time.sleep(0.05)
    sweep = tmp_path / "toy" / "cpu" / "09_small"
    before = {p: p.stat().st_mtime_ns for p in sweep.glob("*.png")}
    assert 0 < len(before) < 7
    record.main([*words, "--stored"])
    with pytest.warns(PartialResults, match=r"`make recorded`.*goes on"):
        part = recorded("09_small", folder=results)
    assert len(part) == len(before)
    record.main([*words, *only])
    whole = recorded("09_small", folder=results)
    assert len(whole) == 7 and set(part["run"]) <= set(whole["run"])
    assert part["ssim"].between(0.5, 1).all()
    for path, time_ in before.items():
        assert path.stat().st_mtime_ns == time_


def _is_alive(group):
    """Whether a process of a group still runs; the dead may be unburied."""
    states = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True
    ).stdout
    rows = [line.split() for line in states.splitlines()]
    return any(int(p) == group and s[0] != "Z" for p, s in rows)


def test_an_interrupt_says_how_to_go_on(record, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "sweep_rows", interrupted)
    with pytest.raises(SystemExit, match="run it again to go on"):
        record.main(["cpu", "--toy", "--folder", str(tmp_path)])
    table = pd.read_csv(tmp_path / "toy" / "results" / "cpu" / "08.csv")
    assert set(table["error"]) == {"not made yet"}


@pytest.fixture(scope="module")
def kit(plans, tmp_path_factory):
    """What a GPU's machine gets."""
    folder = tmp_path_factory.mktemp("kit")
    importlib.import_module("prepare_gpu").main(
        [str(folder / "photos"), str(folder / "weights.bin")]
    )
    return folder


def test_the_pictures_for_a_gpu_are_those_of_the_plan(kit, plans):
    photos = kit / "photos"
    names = {path.stem for path in photos.glob("*.png")}
    for group in plans.gpu_plan():
        for run in group.runs:
            assert {run["content"], run["style"]} <= names
    for name in names:
        assert torch.equal(load_image(photos / f"{name}.png"), sample(name))


def test_runs_come_from_a_gpu_in_archives(kit, record, tmp_path, capsys):
    """Made with files on a machine, measured by name on another one."""
    away, here = tmp_path / "away", tmp_path / "here"
    out = tmp_path / "out"
    only = ["--toy", "--only", "07:tutorial", "07:strokes"]
    record.main(
        [
            *("gpu", "--bare", *only, "--folder", str(away)),
            *("--photos", str(kit / "photos")),
            *("--weights", str(kit / "weights.bin")),
            *("--archive", str(out), "--unpack", str(out)),
        ]
    )
    assert "07: 4 runs, 0 failed" in capsys.readouterr().out
    assert not (away / "toy" / "results").exists()
    assert 0 < len(list(out.iterdir())) <= 8
    for note in (away / "toy").rglob("*.json"):
        assert '"processor"' in note.read_text()
    record.main(
        ["gpu", "--toy", "--stored", "--folder", str(here)]
        + ["--unpack", str(out)]
    )
    with pytest.warns(PartialResults, match="gpu-prepare"):
        runs = recorded("07", "gpu", here / "toy" / "results")
    assert len(runs) == 4
    assert set(runs["content"]) == {"coffee"}
    assert runs["brightness"].between(0.1, 0.9).all()
    assert set(runs["date"].str.len()) == {len("2026-01-31")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cpu", "--only", "10"], "no 10; there are"),
        (["cpu", "--only", "08:shape"], "no 08:shape; there are .*08:single"),
        (["gpu", "--toy", "--photos", "."], "astronaut|coffee.*gpu-prepare"),
        (["gpu", "--toy", "--weights", "w.bin"], "no w.bin.*gpu-prepare"),
        (["gpu", "--toy", "--weights", __file__], "not what .*gpu-prepare"),
        (["gpu", "--stored", "--unpack", "."], "no archives.*gpu-run"),
    ],
)
def test_a_wrong_call_is_told(
    record, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=message):
        record.main([*arguments, "--folder", str(tmp_path)])


def test_a_gpus_plan_is_refused_without_one(record, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match=r"no GPU here.*--toy rehearses"):
        record.main(["gpu", "--bare"])


def test_workers_are_processes(record):
    with record.workers(0) as executor:
        assert executor is None
    with record.workers(1) as executor:
        assert executor.submit(os.getpid).result() != os.getpid()


def test_nothing_stored_is_said(record, tmp_path, capsys):
    record.main(["gpu", "--stored", "--folder", str(tmp_path)])
    assert "gpu: no runs are stored in" in capsys.readouterr().out
