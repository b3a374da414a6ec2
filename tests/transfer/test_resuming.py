"""Runs that go on from a checkpoint, and files that are none."""

import itertools
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from styletut.conventions import CONVENTIONS, factors
from styletut.images import ImageError
from styletut.images import saving as image_saving
from styletut.memory.fitting import Layout
from styletut.transfer import (
    BrokenOffError,
    CheckpointError,
    CheckpointWarning,
    minimization,
    resuming,
    stylize,
    stylize_steps,
)
from styletut.transfer.coarse_to_fine import prepare, steps_of
from styletut.transfer.resuming import EVERY

ALIGNMENT = 64
"""Bytes: where torch's allocator begins a tensor on a CPU."""

ALL_LAYERS = {"content_layers": None, "style_layers": None}
RUNS = {
    "default": {"schedule": [(24, 5), (48, 8)], **ALL_LAYERS},
    "one size": {"size": 48, "evaluations": 7, "start": "noise", "seed": 3},
    "lbfgs": {"optimizer": "lbfgs", "schedule": [(24, 5), (48, 6)]},
    "torch_lbfgs": {"optimizer": "torch_lbfgs", "size": 48, "evaluations": 9},
    "adam": {"optimizer": "adam", "schedule": [(24, 4), (48, 5)]},
    "gradient_descent": {
        "optimizer": "gradient_descent",
        "options": {"momentum": 0.9},
        "schedule": [(24, 4), (48, 4)],
    },
    "sigmoid": {"range_rule": "sigmoid", "size": 48, "evaluations": 6},
    "none": {"range_rule": "none", "size": 48, "evaluations": 6},
    "luminance": {"color": "luminance", "schedule": [(24, 4), (48, 4)]},
    "strength": {"strength": 1.5, "size": 48, "evaluations": 5},
    "sliced": {"statistic": "sliced", "size": 48, "evaluations": 5},
    "tutorial": {
        "convention": "pytorch_tutorial",
        "evaluations": 5,
        **ALL_LAYERS,
    },
}


def stopped_after(count, *args, **kwargs):
    """Walk through a run and leave it after so many steps."""
    for _ in itertools.islice(stylize_steps(*args, **kwargs), count):
        pass


def numbers(result):
    return [
        (r.index, r.evaluations, r.size, *map(float, r.terms.tensors()))
        for r in result.history
    ]


def assert_same(one, other):
    """Nothing but the seconds may differ."""
    assert torch.equal(one.image, other.image)
    assert numbers(one) == numbers(other)
    assert one.settings == other.settings
    assert (one.stopped, one.message) == (other.stopped, other.message)
    assert one.history[-1].terms.alpha == other.history[-1].terms.alpha


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
def test_a_run_that_goes_on_is_the_run_that_was_not_stopped(
    vgg, photo, painting, tmp_path, settings, shallow
):
    settings = {**shallow, **settings}
    whole = stylize(photo, painting, vgg=vgg, **settings)
    count = len(whole.history)
    file = tmp_path / "run.safetensors"
    for stop in {1, count // 2, count}:
        file.unlink(missing_ok=True)
        given = {"vgg": vgg, "checkpoint": file, **settings}
        stopped_after(stop, photo, painting, **given)
        came = stylize(photo, painting, resume=True, **given)
        assert_same(came, whole)


def test_what_is_read_lies_in_memory_as_what_torch_makes(
    vgg, photo, painting, tmp_path, shallow
):
    """On some processors the last bits of a sum depend on that."""
    file = tmp_path / "run.safetensors"
    settings = {
        **shallow,
        "vgg": vgg,
        "size": 48,
        "evaluations": 4,
        "checkpoint": file,
    }
    stopped_after(2, photo, painting, **settings)
    read = prepare(photo, painting, resume=True, **settings).checkpoint
    tensors = [t for t in tree_leaves(read.state) if isinstance(t, Tensor)]
    tensors += read.best
    assert len(tensors) > 3
    assert {each.data_ptr() % ALIGNMENT for each in tensors} == {0}


def test_a_run_that_is_stopped_again_and_again(
    vgg, photo, painting, tmp_path, shallow
):
    settings = {**shallow, "vgg": vgg, "schedule": [(24, 5), (32, 5), (48, 5)]}
    whole = stylize(photo, painting, **settings)
    settings["checkpoint"] = tmp_path / "run.safetensors"
    stopped_after(2, photo, painting, **settings)
    for _ in range(len(whole.history)):
        # the first of two steps is the one that was the last
        stopped_after(2, photo, painting, resume=True, **settings)
    came = stylize(photo, painting, resume=True, **settings)
    assert_same(came, whole)


def test_a_finished_run_goes_on_to_the_same_end(
    vgg, photo, painting, tmp_path, monkeypatch, shallow
):
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 4}
    settings["checkpoint"] = tmp_path / "run.safetensors"
    first = stylize(photo, painting, **settings)
    assert_same(stylize(photo, painting, resume=True, **settings), first)


def test_masks_several_styles_float64_and_another_layout_in_memory(
    vgg, photo, painting, tmp_path
):
    """What a caller may give: the bits depend on each."""
    photo = photo.double().to(memory_format=torch.channels_last)
    mask = torch.linspace(0, 1, 48).expand(32, 48)
    settings = {
        "vgg": vgg.double(),
        "masks": [(mask, "wave")],
        "schedule": [(24, 4), (48, 5)],
    }
    try:
        several = [(painting, 0.7), ("glass", "coarse")]
        whole = stylize(photo, several, **settings)
        settings["checkpoint"] = tmp_path / "run.safetensors"
        stopped_after(5, photo, several, **settings)
        came = stylize(photo, several, resume=True, **settings)
    finally:
        vgg.float()
    assert came.image.dtype == torch.float64
    assert_same(came, whole)


def test_tiles_are_those_of_the_run_before(
    vgg, photo, painting, tmp_path, monkeypatch, shallow
):
    """How much memory is free decides about bits, so it is asked once."""
    tiled = Layout(tiles=16, history=4)

    def free(layout):
        monkeypatch.setattr(
            "styletut.transfer.plan.fitting_layout", lambda *a, **k: layout
        )

    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 6}
    free(tiled)
    whole = stylize(photo, painting, **settings)
    settings["checkpoint"] = tmp_path / "run.safetensors"
    stopped_after(3, photo, painting, **settings)
    free(Layout())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        came = stylize(photo, painting, resume=True, **settings)
    assert_same(came, whole)
    free(Layout(tiles=8, history=4))
    with pytest.warns(CheckpointWarning, match="less memory is free"):
        run = prepare(photo, painting, resume=True, **settings)
    assert run.plan.finest.layout.tiles == 8


def test_another_number_of_threads_is_told(
    vgg, photo, painting, tmp_path, shallow
):
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 4}
    settings["checkpoint"] = tmp_path / "run.safetensors"
    stopped_after(2, photo, painting, **settings)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.warns(
            CheckpointWarning, match=f"torch had {before} thread"
        ):
            stylize(photo, painting, resume=True, **settings)
    finally:
        torch.set_num_threads(before)


def test_an_interrupt_inside_an_evaluation_loses_nothing(
    vgg, photo, painting, tmp_path, monkeypatch, shallow
):
    """Ctrl-C comes at any moment, also inside a line search."""
    settings = {**shallow, "vgg": vgg, "schedule": [(24, 5), (48, 6)]}
    whole = stylize(photo, painting, **settings)
    settings["checkpoint"] = tmp_path / "run.safetensors"
    made = itertools.count(1)
    original = minimization.Variable.__getattribute__

    def interrupting(self, name):
        if name == "pull_back" and next(made) in (3, 8):
            raise KeyboardInterrupt
        return original(self, name)

    monkeypatch.setattr(
        minimization.Variable, "__getattribute__", interrupting
    )
    first = stylize(photo, painting, **settings)
    assert first.stopped == "interrupted"
    second = stylize(photo, painting, resume=True, **settings)
    assert second.stopped == "interrupted"
    assert len(second.history) >= len(first.history)
    came = stylize(photo, painting, resume=True, **settings)
    assert_same(came, whole)


def test_a_crash_leaves_a_checkpoint(
    vgg, photo, painting, tmp_path, monkeypatch, shallow
):
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 6}
    whole = stylize(photo, painting, **settings)
    settings["checkpoint"] = tmp_path / "run.safetensors"
    original, made = minimization._ending_at, itertools.count(1)

    def crashing(*args):
        if next(made) == 1:
            raise MemoryError("out of memory")
        return original(*args)

    monkeypatch.setattr(minimization, "_ending_at", crashing)
    with pytest.raises(BrokenOffError):
        stylize(photo, painting, **settings)
    assert_same(stylize(photo, painting, resume=True, **settings), whole)


def test_files_come_at_each_size_and_every_few_evaluations(
    vgg, photo, painting, tmp_path, shallow
):
    file = tmp_path / "run.safetensors"
    settings = {**shallow, "vgg": vgg, "schedule": [(24, 4), (48, 2 * EVERY)]}
    times, sizes = [], []
    for step in stylize_steps(photo, painting, checkpoint=file, **settings):
        stat = file.stat()
        if not times or stat.st_ino != times[-1]:
            times.append(stat.st_ino)
            sizes.append((step.size, step.evaluations))
        assert [each.name for each in tmp_path.iterdir()] == [file.name]
    assert [size for size, _ in sizes] == [24, 48, 48]
    assert sizes[2][1] - sizes[1][1] >= EVERY
    pixels = photo[0, 0].numel()
    # two tensors a pair, the point, the best picture twice: 4 bytes a number
    assert file.stat().st_size <= (2 * 15 + 3) * 12 * pixels + 50_000


def test_a_folder_has_a_file_for_each_run(
    vgg, photo, painting, tmp_path, shallow
):
    folder = f"{tmp_path}/kept/"
    settings = {
        **shallow,
        "vgg": vgg,
        "size": 48,
        "evaluations": 3,
        "checkpoint": folder,
    }
    first = stylize(photo, painting, **settings)
    other = stylize(painting, photo, **settings)
    assert len(list(Path(folder).iterdir())) == 2
    assert_same(stylize(photo, painting, resume=True, **settings), first)
    assert_same(stylize(painting, photo, resume=True, **settings), other)


def test_without_a_file_a_run_begins_afresh_and_says_so(
    vgg, photo, painting, tmp_path, shallow
):
    file = tmp_path / "run.safetensors"
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 3}
    with pytest.warns(CheckpointWarning, match="begins afresh"):
        came = stylize(
            photo, painting, checkpoint=file, resume=True, **settings
        )
    assert_same(came, stylize(photo, painting, **settings))


# --- what is refused, and then nothing is overwritten ------------------------


@pytest.fixture
def kept(vgg, photo, painting, tmp_path, shallow):
    """A checkpoint, and what it was made by."""
    file = tmp_path / "run.safetensors"
    settings = {
        **shallow,
        "vgg": vgg,
        "size": 48,
        "evaluations": 4,
        "checkpoint": file,
    }
    stopped_after(2, photo, painting, **settings)
    return file, settings


def refused(file, match, *args, **settings):
    before = file.read_bytes()
    with pytest.raises(CheckpointError, match=match):
        stylize(*args, **settings)
    assert file.read_bytes() == before


def test_a_checkpoint_is_not_overwritten_by_another_run(kept, photo, painting):
    file, settings = kept
    refused(file, "already. Resume it", photo, painting, **settings)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"evaluations": 5}, r"evaluations is 4 there and 5 here"),
        ({"alpha": 0.1}, r"alpha is \S+ there and 0.1\S* here"),
        ({"strength": 1.0001}, "strength is 1 there and 1.00"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"optimizer": "adam"}, "optimizer is spectral_lbfgs there and adam"),
        ({"start": "noise"}, "start is color there and noise here"),
        ({"color": "match"}, "color is style there and match here"),
    ],
)
def test_a_checkpoint_of_other_settings(kept, photo, painting, change, told):
    file, settings = kept
    settings = {**settings, "resume": True, **change}
    refused(file, told, photo, painting, **settings)


def test_a_checkpoint_of_other_pictures(kept, photo, painting):
    file, settings = kept
    other = photo.clone()
    other[0, 0, 0, 0] += 1 / 255 if other[0, 0, 0, 0] < 0.5 else -1 / 255
    settings = {**settings, "resume": True}
    told = "is of another run: the pictures are others"
    refused(file, told, other, painting, **settings)
    brighter = painting * 0.999
    refused(file, told, photo, brighter, **settings)
    several = [(painting, 0.5), (painting, 0.5)]
    refused(file, told, photo, several, **settings)


def test_a_checkpoint_of_another_network(kept, photo, painting):
    from styletut.vgg import VGG19

    file, settings = kept
    own = VGG19()
    with torch.no_grad():
        own.convolution("conv1_1").bias[0] += 1e-6
    settings = {**settings, "resume": True, "vgg": own}
    told = "the network has other weights"
    refused(file, told, photo, painting, **settings)


def test_a_checkpoint_of_another_version(kept, photo, painting, monkeypatch):
    file, settings = kept
    monkeypatch.setattr("styletut.transfer.plan.__version__", "9.0")
    settings = {**settings, "resume": True}
    refused(file, "styletut is .* there and 9.0", photo, painting, **settings)
    monkeypatch.setattr("styletut.transfer.checkpoint.FORMAT", 0)
    told = rf"{file.name}' has the format 1 of another version"
    refused(file, told, photo, painting, **settings)


def test_a_checkpoint_of_other_formulas(kept, photo, painting):
    """The convention's name says nothing of what is in it."""
    file, settings = kept
    other = replace(CONVENTIONS["styletut"], style_factor=factors.gram_sum)
    settings = {**settings, "resume": True, "convention": other}
    told = "another run: the convention has other formulas"
    refused(file, told, photo, painting, **settings)


def test_without_safetensors_it_is_said_what_to_install(
    photo, painting, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(CheckpointError, match="pip install safetensors"):
        stylize(photo, painting, checkpoint=tmp_path / "run.safetensors")


def test_a_job_tells_numbers_exactly(vgg, photo, painting):
    unit = CONVENTIONS["d2l"].pixel_unit
    run = prepare(photo, painting, vgg=vgg, convention="d2l", alpha=1 / 3)
    job = resuming.job_of(run.plan, run.pictures, vgg)
    assert tuple(map(float, job["pixel_unit"].split())) == unit
    assert float(job["alpha"]) == 1 / 3


def test_what_is_no_checkpoint(kept, photo, painting):
    from styletut.instant.weights import INSTANT

    file, settings = kept
    data = file.read_bytes()
    settings = {**settings, "resume": True}
    for other in (
        b"",
        b"hello",
        data[: len(data) // 2],
        data[:-1],
        data + b"\0",
        b"\xff" * 64,
        INSTANT.path.read_bytes(),
    ):
        file.write_bytes(other)
        refused(file, "no checkpoint", photo, painting, **settings)


def test_a_changed_byte_is_found_wherever_it_is(kept, photo, painting):
    file, settings = kept
    data = file.read_bytes()
    settings = {**settings, "resume": True}
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(len(data), (40,), generator=generator).tolist()
    header = 8 + int.from_bytes(data[:8], "little")
    for place in (*places, *range(8, header, header // 30)):
        changed = bytearray(data)
        changed[place] ^= 1
        file.write_bytes(changed)
        refused(file, "checkpoint", photo, painting, **settings)
    file.write_bytes(data)
    assert stylize(photo, painting, **settings).stopped == "done"


@pytest.mark.parametrize(
    "name", ["run.png", "run", "none/run.safetensors", "~nobody/a.safetensors"]
)
def test_where_no_checkpoint_can_be_written(
    vgg, photo, painting, tmp_path, name
):
    with pytest.raises(CheckpointError, match="no checkpoint can be written"):
        stylize_steps(photo, painting, vgg=vgg, checkpoint=tmp_path / name)


def test_a_checkpoint_has_a_name(vgg, photo, painting):
    with pytest.raises(CheckpointError, match="name is empty"):
        stylize_steps(photo, painting, vgg=vgg, checkpoint="")


def test_resume_without_a_checkpoint(photo, painting):
    with pytest.raises(ValueError, match="takes a checkpoint"):
        stylize(photo, painting, resume=True)


# --- two runs with one file --------------------------------------------------


def test_a_run_leaves_the_file_of_another_that_was_first(
    vgg, photo, painting, tmp_path, shallow
):
    """Both began when there was no file: the second stops at once."""
    file = tmp_path / "run.safetensors"
    settings = {**shallow, "vgg": vgg, "size": 48, "checkpoint": file}
    late = stylize_steps(photo, painting, evaluations=4, **settings)
    stopped_after(2, painting, photo, evaluations=4, **settings)
    before = file.read_bytes()
    with pytest.raises(CheckpointError, match="another run writes to"):
        next(late)
    assert file.read_bytes() == before


def test_a_run_whose_file_another_has_taken_goes_on_without(
    vgg, photo, painting, tmp_path, shallow
):
    file = tmp_path / "run.safetensors"
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 3 * EVERY}
    whole = stylize(photo, painting, **settings)
    run = prepare(photo, painting, checkpoint=file, **settings)
    steps = steps_of(run)
    next(steps)
    assert run.checkpoint.nbytes == file.stat().st_size > 0
    file.unlink()
    stopped_after(2, painting, photo, checkpoint=file, **settings)
    before = file.read_bytes()
    with pytest.warns(CheckpointWarning, match="another run writes to"):
        *_, last = steps
    assert torch.equal(last.image, whole.image)
    assert run.checkpoint.nbytes == 0, "it keeps no place there"
    run.checkpoint.remove()
    assert file.read_bytes() == before


# --- what goes wrong while it is written -------------------------------------


def test_a_disk_that_is_full_is_told_with_its_remedy(
    vgg, photo, painting, tmp_path, monkeypatch
):
    """safetensors has an error of its own, in words."""
    import safetensors
    import safetensors.torch

    def full(*args):
        raise safetensors.SafetensorError(
            "I/O error: No space left on device (os error 28)"
        )

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    file = tmp_path / "run.safetensors"
    with pytest.raises(CheckpointError, match=r"device\. Free some disk"):
        stylize(photo, painting, vgg=vgg, size=48, checkpoint=file)
    assert list(tmp_path.iterdir()) == []


def full_disk(monkeypatch, times):
    """Let the disk be full when a file is written these times."""
    original, made = image_saving.replace_by, itertools.count(1)

    def replace_by(target, write, temporary):
        if next(made) in times:
            raise ImageError("no space left on device")
        original(target, write, temporary)

    monkeypatch.setattr("styletut.transfer.checkpoint.replace_by", replace_by)


def test_a_disk_that_is_full_at_the_start_costs_no_run(
    vgg, photo, painting, tmp_path, monkeypatch
):
    full_disk(monkeypatch, {1})
    file = tmp_path / "run.safetensors"
    with pytest.raises(CheckpointError, match="no space left"):
        stylize(photo, painting, vgg=vgg, size=48, checkpoint=file)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_later_is_told_once(
    vgg, photo, painting, tmp_path, monkeypatch, shallow
):
    """The run goes on, and so does the file once there is space again."""
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 4 * EVERY}
    whole = stylize(photo, painting, **settings)
    full_disk(monkeypatch, {2, 3})
    file = tmp_path / "run.safetensors"
    with pytest.warns(CheckpointWarning, match="no checkpoint after") as told:
        came = stylize(photo, painting, checkpoint=file, **settings)
    assert len(told) == 1
    assert_same(came, whole)
    came = stylize(photo, painting, checkpoint=file, resume=True, **settings)
    assert_same(came, whole)


@pytest.mark.parametrize("written", [False, True])
def test_an_interrupt_while_a_file_is_written_leaves_it_to_the_end(
    vgg, photo, painting, tmp_path, monkeypatch, shallow, written
):
    """Before it has its name, and when it has it and nobody noted that."""
    settings = {**shallow, "vgg": vgg, "size": 48, "evaluations": 3 * EVERY}
    whole = stylize(photo, painting, **settings)
    original, made = image_saving.replace_by, itertools.count(1)

    def replace_by(target, write, temporary):
        interrupted = next(made) == 2
        if written or not interrupted:
            original(target, write, temporary)
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr("styletut.transfer.checkpoint.replace_by", replace_by)
    settings["checkpoint"] = tmp_path / "run.safetensors"
    first = stylize(photo, painting, **settings)
    assert first.stopped == "interrupted"
    run = prepare(photo, painting, resume=True, **settings)
    assert run.checkpoint.done > EVERY
    assert_same(stylize(photo, painting, resume=True, **settings), whole)


def test_a_run_that_diverged_leaves_the_file_before(
    vgg, photo, painting, tmp_path, shallow
):
    """There is nothing to go on from in NaN."""
    file = tmp_path / "run.safetensors"
    settings = {
        **shallow,
        "vgg": vgg,
        "size": 48,
        "optimizer": "gradient_descent",
        "options": {"learning_rate": lambda k: 1e38 if k else 1.0},
        "range_rule": "none",
        "evaluations": 20,
        "checkpoint": file,
    }
    with pytest.warns(match="diverged"):
        assert stylize(photo, painting, **settings).stopped == "diverged"
    run = prepare(photo, painting, resume=True, **settings)
    assert run.checkpoint.best.total.isfinite()


# --- processes that are killed -----------------------------------------------

KILLED = """
import sys, torch
from styletut import sample, stylize_steps
torch.set_num_threads(1)
file, stop = sys.argv[1], int(sys.argv[2])
steps = stylize_steps(
    sample("chelsea", 48), sample("night", 48), precision="float32",
    schedule=[(24, 12), (48, 24)], checkpoint=file, resume=stop > 0,
)
for step in steps:
    print(step.evaluations, flush=True)
"""


def test_a_process_that_is_killed_goes_on(vgg, tmp_path):
    """By SIGKILL, after so many steps: none of it has time to write."""
    file = tmp_path / "run.safetensors"
    for stop in (0, 14, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(file), str(stop)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(stop or 8):
            process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
    from styletut.images import sample

    settings = {"vgg": vgg, "schedule": [(24, 12), (48, 24)]}
    pictures = sample("chelsea", 48), sample("night", 48)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = stylize(*pictures, **settings)
        came = stylize(*pictures, checkpoint=file, resume=True, **settings)
    finally:
        torch.set_num_threads(before)
    assert_same(came, whole)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_what_a_killed_process_left_half_written_goes(kept, photo, painting):
    file, settings = kept
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = file.with_name(f".{file.name}.{gone.pid}.part")
    alive = file.with_name(f".{file.name}.{os.getppid()}.part")
    for each in (dead, alive):
        each.mkdir()
        (each / ".tmpAbC").write_bytes(b"half")
    stylize(photo, painting, resume=True, **settings)
    assert not dead.exists() and alive.exists()
