"""Runs on the edge of what can be, and on machines that are short of it."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from styletut.images import load_image
from styletut.instant import weights
from styletut.transfer import StoppedEarly, stylize
from styletut.vgg import VGG19

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")

OPTIMIZERS = ["spectral_lbfgs", "adam"]


def grey(level):
    return torch.full((1, 3, 32, 48), level)


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoppedEarly)
        return stylize(*args, **kwargs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "content, style, settings",
    [
        ("photo", grey(0.5), {}),
        (grey(0.3), "painting", {}),
        (grey(0.3), grey(0.3), {}),
        (grey(0.0), grey(0.0), {}),
        (grey(1.0), grey(1.0), {}),
        ("photo", "photo", {}),
        ("photo", "photo", {"start": "content"}),
        ("photo", "painting", {"alpha": 0, "beta": 0, "gamma": 0}),
        ("photo", "painting", {"alpha": 0}),
        ("photo", "painting", {"beta": 0}),
        ("photo", "painting", {"style_layers": {"relu1_1": 0.0}}),
        ("photo", "painting", {"evaluations": 1}),
        ("photo", "painting", {"alpha": 1e-40, "beta": 1e-40}),
    ],
    ids=[
        *("flat style", "flat photo", "both flat", "black", "white", "same"),
        *("same from it", "no weights", "no content", "no style"),
        *("no layer", "one evaluation", "tiny weights"),
    ],
)
def test_a_run_on_the_edge_is_a_picture_and_goes_on(
    vgg,
    photo,
    painting,
    tmp_path,
    content,
    style,
    settings,
    optimizer,
    shallow,
):
    """Flat pictures, nothing to do, no weights: whole or from its file."""
    given = {"photo": photo, "painting": painting}
    pictures = [
        given[each] if isinstance(each, str) else each
        for each in (content, style)
    ]
    layers = shallow if optimizer == "adam" else {}
    settings = {"evaluations": 4, **layers, **settings}
    settings |= {"vgg": vgg, "size": 48, "optimizer": optimizer}
    whole = quietly(*pictures, **settings)
    assert whole.stopped in ("done", "stalled")
    assert whole.image.min() >= 0 and whole.image.max() <= 1
    totals = [float(each.terms.total) for each in whole.history]
    assert min(totals) <= totals[0] < float("inf")
    settings["checkpoint"] = tmp_path / "run.safetensors"
    quietly(*pictures, **settings)
    came = quietly(*pictures, resume=True, **settings)
    assert torch.equal(came.image, whole.image)
    assert came.stopped == whole.stopped


@pytest.mark.parametrize(
    "height, width", [(1, 20), (20, 1), (1, 1), (15, 40), (40, 15)]
)
def test_pictures_of_too_few_pixels_are_refused(
    vgg, photo, painting, height, width
):
    small = photo[..., :1, :1].expand(1, 3, height, width)
    told = f"{width} x {height} pixels is too small for relu5_1"
    with pytest.raises(ValueError, match=told):
        stylize(small, painting, vgg=vgg, size=max(height, width))
    small = painting[..., :1, :1].expand(1, 3, height, width)
    told = f"the style picture: a picture of {width} x {height} pixels is too"
    with pytest.raises(ValueError, match=told):
        stylize(photo, small, vgg=vgg, size=48, style_size=max(height, width))


@pytest.mark.parametrize("evaluations", [0, -1])
def test_no_evaluation_is_refused(vgg, photo, painting, evaluations):
    with pytest.raises(ValueError, match="at least 1"):
        stylize(photo, painting, vgg=vgg, evaluations=evaluations)


def test_autocast_is_refused_in_words(vgg, photo, painting):
    """Its rounding would break L-BFGS off after two evaluations."""
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(ValueError, match=r"autocast is on.*precision='bfloat"),
    ):
        stylize(photo, painting, vgg=vgg, size=48, evaluations=4)


@pytest.mark.parametrize("start", ["noise", "color", "instant"])
def test_another_default_dtype_changes_nothing(start):
    """It is the caller's, for what else there is in the process."""
    settings = {"size": 48, "evaluations": 3, "start": start}
    one = stylize("chelsea", "night", vgg=VGG19(), **settings)
    weights._shipped.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        other = stylize("chelsea", "night", vgg=VGG19(), **settings)
    finally:
        torch.set_default_dtype(torch.float32)
        weights._shipped.cache_clear()
    assert other.image.dtype == torch.float32
    assert torch.equal(one.image, other.image)


# --- in a process of its own -------------------------------------------------

LIMITED = """
import resource, sys
import torch
torch.set_num_threads(1)
from styletut import VGG19
from styletut.cli import painting
from styletut.cli.main import main
VGG19()
name, amount = sys.argv[1], int(sys.argv[2])

def limit(step, told=[]):
    if step.evaluations >= 3 and not told:
        told.append(1)
        own = 0
        if name == "RLIMIT_AS":
            with open("/proc/self/statm") as file:
                own = int(file.read().split()[0]) * resource.getpagesize()
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (own + amount, hard))

original = painting.progress

import contextlib

@contextlib.contextmanager
def progress(schedule):
    with original(schedule) as show:
        def both(step):
            show(step)
            limit(step)
        yield both

painting.progress = progress
sys.exit(main(sys.argv[3:]))
"""


def limited(tmp_path, name, amount, *words):
    """Run the command line, and limit its process after three evaluations."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, name, str(amount), *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="Linux tells its memory"
)
def test_memory_that_ends_in_a_run_leaves_picture_and_checkpoint(tmp_path):
    """The next size needs more than there is left."""
    words = ["chelsea", "night", "--schedule", "64:4,256:2"]
    words += ["-o", "out.png", "--checkpoint", "run.safetensors"]
    came = limited(tmp_path, "RLIMIT_AS", 20_000_000, *words)
    assert came.returncode == 1, came.stderr
    assert "there is not enough memory. Take a smaller" in came.stderr
    assert "--resume goes on" in came.stderr
    assert "Traceback" not in came.stderr
    assert load_image(tmp_path / "out.png").shape[3] == 64
    again = limited(tmp_path, "RLIMIT_AS", 10**13, *words, "--resume")
    assert again.returncode == 0, again.stderr
    assert load_image(tmp_path / "out.png").shape[3] == 256
    assert [each.name for each in tmp_path.iterdir()] == ["out.png"]


@POSIX
def test_a_disk_that_fills_up_costs_neither_picture_nor_checkpoint(tmp_path):
    """A limit on the size of files stands in for the disk's end."""
    words = ["chelsea", "night", "--size", "64", "--evaluations", "14"]
    words += ["-o", "out.png", "--checkpoint", "run.safetensors"]
    before = limited(tmp_path, "RLIMIT_NOFILE", 4096, *words)
    assert before.returncode == 0
    whole = (tmp_path / "out.png").read_bytes()
    came = limited(tmp_path, "RLIMIT_FSIZE", 100_000, *words)
    assert came.returncode == 0, came.stderr
    assert "no checkpoint after" in came.stderr
    assert "the last one stays" in came.stderr
    assert (tmp_path / "out.png").read_bytes() == whole
    assert [each.name for each in tmp_path.iterdir()] == ["out.png"]


KILLED = """
import os, signal, sys
import safetensors.torch
from styletut.cli.main import main
original, made = safetensors.torch.save_file, []

def save_file(tensors, path, notes):
    original(tensors, path, notes)
    made.append(path)
    if len(made) == 2:
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

safetensors.torch.save_file = save_file
sys.exit(main(sys.argv[1:]))
"""


@POSIX
def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path):
    words = ["chelsea", "night", "--size", "48", "--evaluations", "14"]
    kept = ["--checkpoint", "run.safetensors"]

    def run(code, *more):
        return subprocess.run(
            [sys.executable, *code, *words, *more],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    plain = ["-m", "styletut"]
    assert run(plain, "-o", "whole.png").returncode == 0
    assert run(["-c", KILLED], *kept, "-o", "out.png").returncode == -9
    half = [each.name for each in tmp_path.glob(".*.part")]
    assert len(half) == 1
    came = run(plain, *kept, "--resume", "-o", "out.png")
    assert came.returncode == 0, came.stderr
    assert "goes on from" in came.stderr
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["out.png", "whole.png"]
    whole, out = (tmp_path / name for name in ("whole.png", "out.png"))
    assert whole.read_bytes() == out.read_bytes()
