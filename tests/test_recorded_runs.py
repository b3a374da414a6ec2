"""The plan of the recorded runs: nothing in it may fail after an hour."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from styletut.ablation import sweep_rows
from styletut.conventions import CONVENTIONS
from styletut.grids import grid, job_of, reader
from styletut.images import sample
from styletut.jobs import Job
from styletut.losses import content_loss, gram_matrix, style_layer_loss
from styletut.objective import Objective
from styletut.pictures import resize

ROOT = Path(__file__).parent.parent


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
        names = [(run["content"], run["style"], run["label"]) for run in runs]
        starts = [run.get("start") for run in runs]
        assert len({*zip(names, starts, strict=True)}) == len(runs)


@pytest.mark.parametrize("name", ["cpu_plan", "gpu_plan"])
def test_no_photo_is_enlarged_more_than_twice(plans, name):
    for group in getattr(plans, name)():
        for run in grid(group.runs, group.common):
            sizes = [size for size, _ in run.get("schedule", ())]
            largest = max([*sizes, run.get("size", 0)])
            assert largest <= 2 * max(plans.PHOTO_SHAPES[run["content"]])


def test_the_shapes_are_those_of_the_photos(plans):
    for name, shape in plans.PHOTO_SHAPES.items():
        assert tuple(sample(name).shape[2:]) == shape


def test_the_unseen_pair_was_not_used_to_find_the_rule(plans):
    assert plans.UNSEEN_PAIR not in plans.RATIO_PAIRS
    contents, styles = zip(*plans.RATIO_PAIRS, strict=True)
    assert plans.UNSEEN_PAIR[0] not in contents
    assert plans.UNSEEN_PAIR[1] not in styles


def test_the_defaults_are_among_the_runs(plans):
    """The measured distances are those behind the default convention."""
    own = CONVENTIONS["styletut"]
    assert plans.content_weight("relu4_2") == dict(own.content_layers)
    even = plans.style_weights(dict.fromkeys(own.style_layers, 1))
    assert even == dict(own.style_layers)


@pytest.mark.parametrize("network", [("average", False), ("max", True)])
def test_a_tuned_network_starts_where_the_default_does(plans, network):
    from styletut.vgg import VGG19

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
    photo, painting = sample("chelsea", size), sample("night", size)
    x = sample("coffee", size)
    x = x[..., : photo.shape[2], :]
    for name in ("styletut", "neural_style", "leongatys_notebook"):
        alpha = plans.alpha_for(ratio, "chelsea", size, name)
        objective = Objective(
            photo,
            resize(painting, size),
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


def test_a_rehearsal_of_all_runs(record, tmp_path, capsys):
    """On a GPU's machine photos and weights come as files."""
    from styletut.images import save_image
    from styletut.weights import oxford_path

    photos = tmp_path / "photos"
    photos.mkdir()
    save_image(sample("coffee"), photos / "coffee.png")
    record.main(
        [
            *("gpu", "--toy", "--bare", "--only", "07"),
            *("--folder", str(tmp_path), "--photos", str(photos)),
            *("--weights", str(oxford_path())),
            *("--archive", str(tmp_path / "out")),
        ]
    )
    assert "07: 10 runs, 0 failed" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "gpu" / "07" / "results.csv")
    assert set(table["content"]) == {"coffee"}
    assert (tmp_path / "out" / "07.tar").stat().st_size > 0
    # elsewhere, by their names, the same runs are known and measured
    rows = sweep_rows(
        *("coffee", "wave", [{"schedule": record.TOY}]),
        folder=tmp_path / "gpu" / "07",
        metrics=lambda x, content, style: {"seen": 1},
    )
    assert rows[0]["seen"] == 1
    assert Path(rows[0]["picture"]).name in set(table["picture"])


def test_workers_are_processes(record):
    with record.workers(0) as executor:
        assert executor is None
    with record.workers(1) as executor:
        assert executor.submit(os.getpid).result() != os.getpid()


def test_a_group_that_is_not_there_is_said(record, tmp_path):
    with pytest.raises(SystemExit, match="no 10; there are"):
        record.main(["cpu", "--only", "10", "--folder", str(tmp_path)])
