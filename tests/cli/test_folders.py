"""Many photos in one command, standard input and output, and going on."""

import io
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from painted import TINY, names_in, text_of
from PIL import Image

from styletut.cli import painting, streams
from styletut.cli.main import main
from styletut.cli.targets import free_name
from styletut.images import load_image, sample, save_image
from styletut.transfer import minimization

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- what is done is not done again ------------------------------------------


@pytest.fixture
def photos(folder):
    """Two folders with a photo of one name, and in the first one more."""
    for number, (home, name) in enumerate(
        [("a", "x.png"), ("a", "y.png"), ("b", "x.png")]
    ):
        Path(home).mkdir(exist_ok=True)
        levels = torch.arange(3 * 24 * 32).reshape(1, 3, 24, 32) * (number + 5)
        save_image((levels % 256 / 255).float(), Path(home, name))


def test_what_the_same_command_has_painted_is_left(photos, capsys):
    words = ["a", "night", "-o", "out/", *TINY]
    assert main(words) == 0
    first = capsys.readouterr()
    times = [each.stat().st_mtime_ns for each in sorted(Path("out").iterdir())]
    Path("out", "y-night.png").unlink()
    assert main(words) == 0
    again = capsys.readouterr()
    assert first.out == again.out  # the list of pictures is whole
    assert names_in("out") == ["x-night.png", "y-night.png"]
    assert Path("out", "x-night.png").stat().st_mtime_ns == times[0]
    assert "x-night.png' is there already" in again.err
    assert "of 2 photos: 1 painted, 1 there already" in again.err


def test_other_photos_of_the_same_name_are_painted(photos):
    assert main(["a", "night", "-o", "out/", *TINY]) == 0
    assert main(["b", "night", "-o", "out/", *TINY]) == 0
    assert names_in("out") == ["x-night-2.png", "x-night.png", "y-night.png"]
    assert main(["b/x.png", "a", "night", "-o", "out/", *TINY]) == 0
    assert len(names_in("out")) == 3  # all three are there


@pytest.mark.parametrize(
    "change", [["--seed", "1"], ["--strength", "0.9"], ["--instant"]]
)
def test_other_settings_are_painted(photos, change):
    words = ["a/x.png", "night", "-o", "out/"]
    instant = change == ["--instant"]
    assert main([*words, *TINY]) == 0
    own = ["--size", "32"] if instant else TINY
    assert main([*words, *own, *change]) == 0
    assert main([*words, *own, *change]) == 0
    assert names_in("out") == ["x-night-2.png", "x-night.png"]


def test_another_style_of_the_same_name_is_painted(photos):
    Path("out").mkdir()
    assert main(["chelsea", "a/x.png", "-o", "out", *TINY]) == 0
    assert main(["chelsea", "b/x.png", "-o", "out", *TINY]) == 0
    assert len(names_in("out")) == 2


def test_what_was_interrupted_or_damaged_is_painted_again(photos):
    words = ["a/x.png", "night", "-o", "out/", *TINY]
    assert main(words) == 0
    done = Path("out", "x-night.png")
    text, image = text_of(done), load_image(done)
    save_image(image, done, text | {"stopped": "interrupted"})
    assert main(words) == 0
    assert names_in("out") == ["x-night-2.png", "x-night.png"]
    Path("out", "x-night-2.png").write_bytes(done.read_bytes()[:60])
    assert main(words) == 0
    assert len(names_in("out")) == 3


# --- one failure does not end the rest ---------------------------------------


def test_a_summary_names_what_failed(photos, capsys):
    Path("a", "w.png").write_text("no picture")
    assert main(["a", "gone.jpg", "night", "-o", "out/", *TINY]) == 2
    err = capsys.readouterr().err
    told = "of 4 photos: 2 painted, 2 failed. Failed: "
    assert f"{told}{Path('a', 'w.png')}, gone.jpg" in err


def test_what_nobody_foresaw_ends_one_photo_alone(photos, capsys, monkeypatch):
    original, made = painting.prepare, itertools.count()

    def prepare(*args, **kwargs):
        if next(made) == 0:
            raise AssertionError("a fault of ours")
        return original(*args, **kwargs)

    monkeypatch.setattr(painting, "prepare", prepare)
    assert main(["a", "night", "-o", "out/", *TINY]) == 1
    err = capsys.readouterr().err
    assert "AssertionError: a fault of ours" in err  # to be reported
    assert "1 painted, 1 failed" in err
    made = itertools.count()
    with pytest.raises(AssertionError):
        main(["a/x.png", "night", *TINY])


def test_a_summary_tells_what_was_not_begun(photos, capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(painting, "prepare", interrupt)
    assert main(["a", "b", "night", "-o", "out/", *TINY]) == 130
    told = "of 3 photos: 1 interrupted, 2 not begun"
    assert told in capsys.readouterr().err


def test_a_long_list_of_failures_is_cut(photos, capsys):
    gone = [f"gone{number}.jpg" for number in range(12)]
    assert main([*gone, "night", "-o", "out/", *TINY]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert "gone9.jpg and 2 more" in err and "gone10" not in err


# --- standard input and output -----------------------------------------------


def piped(*words, data=b"", **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "styletut", *words],
        input=data,
        capture_output=True,
        env=environment,
        **options,
    )


def test_a_photo_by_standard_input_goes_to_standard_output(photos):
    data = Path("a", "x.png").read_bytes()
    came = piped("-", "night", "-o", "-", *TINY, data=data)
    assert came.returncode == 0, came.stderr
    with Image.open(io.BytesIO(came.stdout)) as picture:
        assert (picture.format, picture.size) == ("PNG", (32, 24))
        text = dict(picture.text)
    assert text["photo"] == "-"
    assert text["command"].startswith("styletut - night --size 32")
    assert names_in(".") == ["a", "b"]
    assert main(["a/x.png", "night", "-o", "file.png", *TINY]) == 0
    one = load_image(came.stdout)
    assert torch.equal(one, load_image("file.png"))


def test_a_style_by_standard_input_for_several_photos(photos, monkeypatch):
    data = Path("b", "x.png").read_bytes()
    streams._standard_input.cache_clear()
    stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["a", "-", "-o", "out/", *TINY]) == 0
    assert names_in("out") == ["x-stdin.png", "y-stdin.png"]
    streams._standard_input.cache_clear()


@pytest.mark.parametrize("data", [b"", b"no picture"])
def test_no_picture_by_standard_input(data):
    came = piped("-", "night", *TINY, data=data)
    assert came.returncode == 2
    assert came.stderr.startswith(b"styletut: error: ")
    assert names_in(".") == []


def test_a_terminal_sends_no_picture_and_gets_none(monkeypatch, capsys):
    streams._standard_input.cache_clear()
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert main(["-", "night", *TINY]) == 2
    assert "nothing is sent there" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["chelsea", "night", "-o", "-", *TINY]) == 2
    assert "which is a terminal" in capsys.readouterr().err


def test_several_photos_do_not_fit_into_standard_output(photos, capsys):
    assert main(["a", "night", "-o", "-", *TINY]) == 2
    assert "several photos need a folder" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_what_standard_output_does_not_take_is_kept(tmp_path):
    home = tmp_path / "kept"
    home.mkdir()
    with open("/dev/full", "wb") as full:
        came = subprocess.run(
            [sys.executable, "-m", "styletut", "chelsea", "night"]
            + ["-o", "-", *TINY],
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(home)},
        )
    assert came.returncode == 1
    assert b"The picture is kept in" in came.stderr
    assert b"Traceback" not in came.stderr
    (path,) = home.glob("styletut-*/picture.png")
    assert load_image(path).shape[3] == 32


# --- going on ----------------------------------------------------------------

LONGER = ["--size", "48", "--evaluations", "24", "--precision", "float32"]


def interrupt_at(monkeypatch, number):
    """Raise KeyboardInterrupt inside that evaluation, as a signal does."""
    made = itertools.count(1)
    original = minimization.Variable.__getattribute__

    def interrupting(self, name):
        if name == "pull_back" and next(made) == number:
            raise KeyboardInterrupt
        return original(self, name)

    monkeypatch.setattr(
        minimization.Variable, "__getattribute__", interrupting
    )


def test_an_interrupted_command_goes_on_to_the_same_file(monkeypatch, capsys):
    words = ["chelsea", "night", *LONGER]
    assert main([*words, "-o", "whole.png"]) == 0
    kept = ["--checkpoint", "run.safetensors"]
    with monkeypatch.context() as patch:
        interrupt_at(patch, 14)
        assert main([*words, *kept, "-o", "out.png"]) == 130
    err = capsys.readouterr().err
    assert "keeps its place: the same command with --resume goes on" in err
    assert load_image("out.png").shape[3] == 48  # the best so far
    assert main([*words, *kept, "-o", "out.png"]) == 2
    assert "Resume it" in capsys.readouterr().err
    assert main([*words, *kept, "--resume", "-o", "out.png"]) == 0
    assert "goes on from" in capsys.readouterr().err
    whole, out = Path("whole.png").read_bytes(), Path("out.png").read_bytes()
    assert whole == out  # with all text fields
    assert names_in(".") == ["out.png", "whole.png"]  # the old one went


def test_resume_without_a_checkpoint_begins_and_says_so(capsys):
    words = ["chelsea", "night", *TINY, "--checkpoint", "r.safetensors"]
    assert main([*words, "--resume"]) == 0
    assert "begins afresh" in capsys.readouterr().err
    assert names_in(".") == ["chelsea-night.png"]


def test_a_folder_of_photos_goes_on_where_it_was(photos, monkeypatch, capsys):
    words = ["a", "night", *LONGER, "--checkpoint", "kept/"]
    assert main(["a", "night", *LONGER, "-o", "whole/"]) == 0
    with monkeypatch.context() as patch:
        interrupt_at(patch, 24 + 14)  # in the second photo
        assert main([*words, "-o", "out/"]) == 130
    assert len(names_in("kept")) == 1
    Path("out", "y-night.png").unlink()  # only the best so far
    capsys.readouterr()
    assert main([*words, "-o", "out/", "--resume"]) == 0
    err = capsys.readouterr().err
    assert "1 painted, 1 there already" in err and "goes on from" in err
    for name in names_in("whole"):
        one, other = Path("whole", name), Path("out", name)
        assert one.read_bytes() == other.read_bytes()
    assert names_in("kept") == []


@pytest.mark.parametrize(
    "words, told",
    [
        (["--resume"], "name its file, too"),
        (["--instant", "--checkpoint", "r.safetensors"], "--instant takes a"),
        (["--checkpoint", "r.png"], "must end in one of .safetensors"),
        (["--checkpoint", "gone/r.safetensors"], "there is no folder"),
        (["--frames", "--checkpoint", "r.safetensors"], "no --checkpoint"),
    ],
)
def test_checkpoints_that_cannot_be(words, told, capsys):
    assert main(["chelsea", "night", *words]) == 2
    assert told in capsys.readouterr().err
    assert names_in(".") == []


def test_several_photos_need_a_folder_for_their_checkpoints(photos, capsys):
    words = ["a", "night", "-o", "out/", "--checkpoint", "r.safetensors"]
    assert main([*words, *TINY]) == 2
    told = "need a folder for their checkpoints"
    assert told in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_checkpoint(number):
    words = ["chelsea", "night", "--size", "48", "--evaluations", "400"]
    words += ["--checkpoint", "run.safetensors", "-o", "out.png"]
    process = subprocess.Popen(
        [sys.executable, "-m", "styletut", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    process.stderr.readline()  # the first of its evaluations are done
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume goes on" in err
    assert names_in(".") == ["out.png", "run.safetensors"]


# --- formats -----------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".avif", ".jpg"])
def test_every_format_of_a_result(suffix):
    path = Path(f"out{suffix}")
    if suffix == ".avif":
        from styletut.images.saving import suffixes

        if suffix not in suffixes():
            pytest.skip("this Pillow writes no AVIF")
    assert main(["chelsea", "night", "-o", str(path), *TINY]) == 0
    assert load_image(path).shape == sample("chelsea", 32).shape
    assert names_in(".") == [path.name]


def test_a_format_without_room_is_refused_before_the_run(capsys, monkeypatch):
    monkeypatch.setattr("styletut.images.saving._WEBP_SIDE", 31)
    monkeypatch.delattr(painting, "steps_of")
    assert main(["chelsea", "night", "-o", "out.webp", *TINY]) == 2
    assert "too large for WEBP" in capsys.readouterr().err


# --- names -------------------------------------------------------------------


@pytest.mark.parametrize(
    "photo, name",
    [
        ('a<b>:"|?*.png', "a_b______-night.png"),
        ("-o.png", "o-night.png"),
        ("--help.png", "help-night.png"),
        ("a\nb\t.png", "a_b_-night.png"),
        ("COM1.tar.png", "COM1_.tar-night.png"),
        ("photo .png", "photo-night.png"),
        ("...png", "picture-night.png"),
        (".hidden.png", "hidden-night.png"),
        ("a\u202egpj.png", "a_gpj-night.png"),
        ("e\u0301.png", "\u00e9-night.png"),
        ("\udcff\udcfe.png", "__-night.png"),
        ("console.png", "console-night.png"),
        ("\u65e5\u672c.png", "\u65e5\u672c-night.png"),
        ("x" * 300 + ".png", "x" * 100 + "-night.png"),
        ("x" * 99 + " y.png", "x" * 99 + "-night.png"),
    ],
)
def test_names_that_every_file_system_holds(photo, name):
    assert free_name(photo, ["night"]).name == name


@pytest.mark.parametrize("name", ["con", "NUL", "lpt\u00b9", "aux.b", "prn"])
def test_a_photo_with_the_name_of_a_device(name):
    alone = free_name(f"{name}.png", []).name
    assert alone.split(".")[0].endswith("_")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("word", ["--samples", "--doctor"])
def test_a_list_that_cannot_be_written_says_so(word):
    with open("/dev/full", "w") as full:
        came = subprocess.run(
            [sys.executable, "-m", "styletut", word],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    assert came.returncode == 1
    assert came.stderr.startswith("styletut: error: it cannot be written: ")
    assert came.stderr.count("\n") == 1
