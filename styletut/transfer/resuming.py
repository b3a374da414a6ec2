"""A run that can be gone on with: what is kept of it, and what is checked.

On a CPU the run that goes on makes the picture of one that was not stopped,
bit for bit, if torch has as many threads as before.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.conventions import Convention
from styletut.images import ImageError
from styletut.memory.fitting import Layout
from styletut.optimizers.descent import State
from styletut.transfer.checkpoint import (
    CheckpointError,
    CheckpointWarning,
    Saved,
    Settled,
    digest,
    raw,
    read_checkpoint,
    remove_leftovers,
    write_checkpoint,
)
from styletut.transfer.pictures import Pictures
from styletut.transfer.plan import Plan, plain
from styletut.transfer.steps import Step, Steps, keep_better
from styletut.vgg import VGG19, convolutions_below

EVERY = 10
"""Evaluations between two files, counted and not timed."""

_EXACTLY = 17
"""Digits that tell a float64 from every other."""


class Checkpoint:
    """Keeps the place of a run in a file.

    Args:
        path: of the file.
        job: what is done, as `job_of` tells it.
        settled: what goes with it.
        saved: what the run goes on from, if it does.

    Attributes:
        state: what the run goes on from; the run keeps it up to date.
        history: what was before the step that it goes on from, which is done
            once more.
        best: the best picture so far.
        done: evaluations up to that step; 0 if the run begins.
    """

    def __init__(
        self,
        path: Path,
        job: Mapping[str, str],
        settled: Settled,
        saved: Saved | None = None,
    ) -> None:
        self.path, self.settled = path, settled
        self.state: State = saved.state if saved else {}
        self.history = saved.history[:-1] if saved else ()
        self.done = saved.history[-1].evaluations if saved else 0
        self.best = saved.best if saved else None
        self._job = job
        # files of this run: the one there, and the one that takes its place
        self._own = {_identity(path)} if saved else set()
        self._records = list(self.history)
        self._last = self.best
        self._place: Saved | None = None
        self._written = bool(saved)  # there is a file of this run
        self._told = False

    @property
    def nbytes(self) -> int:
        """Size of the file as it is now, 0 if there is none of this run."""
        there = _identity(self.path)
        return there.size if there and there in self._own else 0

    def keep(self, steps: Steps) -> Steps:
        """Pass steps on, and write where they are at times and at the end.

        Raises:
            CheckpointError: if the first file cannot be written. Of a later
                one that is said, and the run goes on.
        """
        size, due = 0, 0
        if self._written:  # its first step is what the file has
            size, due = self._size(), self.done + EVERY
        try:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value
                self._see(step)
                if step.size != size or step.evaluations >= due:
                    size, due = step.size, step.evaluations + EVERY
                    self._write()
                yield step
        finally:
            steps.close()
            self._write()

    def remove(self) -> None:
        """Take the file away, once what it was for is there.

        One that another run has written meanwhile stays.
        """
        if _identity(self.path) in self._own:
            with suppress(OSError):
                self.path.unlink()

    def _check_own(self) -> None:
        """Refuse to replace the file of another run.

        Raises:
            ImageError: if there is one.
        """
        there = _identity(self.path)
        if there and there not in self._own:
            raise ImageError(
                f"another run writes to {str(self.path)!r}. Give each its "
                "own file."
            )

    def _size(self) -> int:
        return max(self.best.image.shape[2:]) if self.best else 0

    def _see(self, step: Step) -> None:
        """Remember where the run is, all at once."""
        self._records.append(step.record())
        self._last = keep_better(self._last, step)
        self._place = Saved(
            self.settled,
            _copied(self.state),
            tuple(self._records),
            self._last,
        )

    def _write(self) -> None:
        """Write what was seen and is not in the file."""
        place = self._place
        if place is None or not place.history[-1].terms.total.isfinite():
            return
        try:
            self._check_own()
            write_checkpoint(
                self.path,
                self._job,
                place,
                lambda part: self._own.add(_identity(part)),
            )
        except (ImageError, OSError, MemoryError) as error:
            if not self._written:
                self._place = None
                raise CheckpointError(str(error)) from error
            if not self._told:
                warnings.warn(
                    f"no checkpoint after {place.history[-1].evaluations} "
                    f"evaluations; the last one stays: {error}",
                    CheckpointWarning,
                    stacklevel=2,
                )
            self._told = True
        else:
            # not before: an interrupt leaves it to be written at the end
            self._place, self._written, self._told = None, True, False


class _Identity(NamedTuple):
    """What tells a file from the one that replaces it."""

    number: int
    changed: int
    size: int


def _identity(path: Path) -> _Identity | None:
    """Return what a file is known by; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _Identity(status.st_ino, status.st_mtime_ns, status.st_size)


def job_of(plan: Plan, pictures: Pictures, vgg: VGG19) -> dict[str, str]:
    """Return what tells runs apart that make different pictures.

    Args:
        plan: of the run, before alpha follows the pictures.
        pictures: as they were read.
        vgg: the network.
    """
    text = plan.text(vgg, _EXACTLY)
    del text["torch"]  # that it is another one is said, and no reason to stop
    return {
        **text,
        **pictures.text(),
        "formulas": digest(_spelled(plan.convention).encode()),
        "pictures": digest(*_pieces(plan, pictures)),
        "weights": digest(*_used(vgg, plan.layers)),
    }


def found(
    file: Path, job: Mapping[str, str], device: torch.device, resume: bool
) -> Saved | None:
    """Return what a run goes on from, or None where it begins.

    Args:
        file: the checkpoint's.
        job: as `job_of` tells it.
        device: of the run.
        resume: whether it is to go on.

    Raises:
        CheckpointError: if there is a checkpoint that is not to be gone on
            from, or cannot be.

    Warns:
        CheckpointWarning: if there is none to go on from.
    """
    remove_leftovers(file)
    if file.exists() and not resume:
        raise CheckpointError(
            f"there is a checkpoint in {str(file)!r} already. Resume it "
            "(resume=True, or --resume), name another file, or remove it."
        )
    if resume and not file.exists():
        warnings.warn(
            f"there is no checkpoint in {str(file)!r} yet, so the run begins "
            "afresh",
            CheckpointWarning,
            stacklevel=5,
        )
    return read_checkpoint(file, job, device) if file.exists() else None


def settled_by(plan: Plan) -> Settled:
    """Return what a plan has settled by the machine as it is."""
    return Settled(
        plan.chosen.get("alpha"),
        [asdict(stage.layout) for stage in plan.stages],
        torch.__version__,
        torch.get_num_threads(),
    )


def as_settled(plan: Plan, settled: Settled) -> Plan:
    """Return a plan as an earlier run has settled it, where that fits.

    Warns:
        CheckpointWarning: if the picture will be that of the earlier run
            only up to rounding.
    """
    layouts = [Layout(**each) for each in settled.layouts]
    stages = tuple(
        replace(stage, layout=layout)
        if layout.tighter_than(stage.layout)
        else stage
        for stage, layout in zip(plan.stages, layouts, strict=True)
    )
    differences = []
    if [stage.layout for stage in stages] != layouts:
        differences.append("less memory is free")
    if settled.torch != torch.__version__:
        differences.append(f"torch was {settled.torch}")
    if settled.threads != torch.get_num_threads():
        many = "s" * (settled.threads != 1)
        differences.append(f"torch had {settled.threads} thread{many}")
    if differences:
        warnings.warn(
            "the run goes on, but not to the same bits: "
            + ", ".join(differences),
            CheckpointWarning,
            stacklevel=5,
        )
    chosen = dict(plan.chosen)
    if settled.alpha is not None:
        chosen["alpha"] = settled.alpha
    return replace(plan, stages=stages, chosen=chosen)


def _copied(state: State) -> State:
    """Return a state that stays as it is while the run goes on."""
    return {
        name: _copied(value) if isinstance(value, dict) else value
        for name, value in state.items()
    }


def _spelled(convention: Convention) -> str:
    """Return a convention with its formulas in full, functions by name."""
    return "\n".join(
        f"{each.name} {plain(getattr(convention, each.name), _EXACTLY)}"
        for each in fields(convention)
    )


def _used(vgg: VGG19, layers: Sequence[str]) -> Iterator[bytes]:
    """Yield the numbers of the convolutions that a run takes."""
    for name in convolutions_below(layers):
        yield from map(raw, vgg.convolution(name).parameters())


def _pieces(plan: Plan, pictures: Pictures) -> Iterator[bytes]:
    """Yield every number of the pictures, and what it is of."""
    named = {
        "photo": pictures.photo,
        "alpha": pictures.alpha,
        "colored": pictures.colored,
        "start": plan.start if isinstance(plan.start, Tensor) else None,
    }
    for n, (mask, paintings) in enumerate(pictures.regions):
        named[f"mask {n}"] = mask
        for k, painting in enumerate(paintings):
            named[f"painting {n} {k}"] = painting.picture
            named[f"painting mask {n} {k}"] = painting.mask
            yield f"weight {n} {k} {plain(painting.weight, _EXACTLY)}".encode()
    for name, each in named.items():
        if each is not None:
            yield f"{name} {tuple(each.shape)} {each.dtype} ".encode()
            yield raw(each)
