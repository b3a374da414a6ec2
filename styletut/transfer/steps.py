"""What a run hands out: its steps, its best picture, its result.

A run is a generator of steps. `run_to_end` walks through one, and loses no
picture to an interrupt or a crash.
"""

import base64
import io
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from styletut.images import save_image, to_pil
from styletut.objective import Terms

Stopped = Literal["done", "stalled", "diverged", "interrupted"]

MimeBundle = tuple[dict[str, str], dict[str, Any]]


class StoppedEarly(UserWarning):
    """A run ended before its evaluations were spent; the text says why."""


@dataclass(frozen=True)
class Record:
    """What a step leaves in a run's history.

    Attributes:
        index: 0 for the start, then counting accepted pictures.
        evaluations: of the objective with its gradient so far, those of the
            line search included.
        terms: the objective's value, 0-dimensional tensors on the device:
            reading one waits for the device.
        size: longer side of the picture in pixels.
        seconds: since the run began.
    """

    index: int
    evaluations: int
    terms: Terms
    size: int
    seconds: float


class Shown:
    """A picture that a notebook shows, with `alt` as alternative text."""

    image: Tensor
    alpha: Tensor | None = None

    @property
    def alt(self) -> str:
        """The picture in words."""
        raise NotImplementedError

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> MimeBundle:
        """Return the picture as a PNG, and the text, for the display."""
        file = io.BytesIO()
        to_pil(self.image, self.alpha).save(file, "PNG", optimize=True)
        png = base64.b64encode(file.getvalue()).decode("ascii")
        data = {"image/png": png, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


@dataclass(frozen=True)
class Step(Record, Shown):
    """One accepted picture of a run.

    Attributes:
        image: the picture, (1, 3, H, W) in [0, 1], a copy to keep.
    """

    image: Tensor

    @property
    def alt(self) -> str:
        """The picture in words: size, evaluations and loss so far."""
        height, width = self.image.shape[2:]
        return (
            f"Picture after {self.evaluations} evaluations, {width} x "
            f"{height} pixels, loss {float(self.terms.total):.3g}"
        )

    def record(self) -> Record:
        """Return the step without its picture."""
        return Record(
            self.index, self.evaluations, self.terms, self.size, self.seconds
        )


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        stopped: one word.
        message: what happened, where it ended early.
        evaluations: how many it made, refused trials included.
    """

    stopped: Stopped = "done"
    message: str = ""
    evaluations: int = 0


Steps = Generator[Step, None, Ending]


@dataclass(frozen=True)
class Result(Shown):
    """What `stylize` hands over.

    Attributes:
        image: the best picture at the finest size reached, (1, 3, H, W) in
            [0, 1], on the CPU.
        history: a `Record` for each step.
        settings: every choice of the run, as text.
        stopped: "done", "stalled", "diverged" or "interrupted".
        message: what happened, where it stopped early.
        alpha: how opaque it is, (1, 1, H, W) in [0, 1], on the CPU, where
            the content picture was not so everywhere.
    """

    image: Tensor
    history: tuple[Record, ...]
    settings: dict[str, str]
    stopped: Stopped
    message: str = ""
    alpha: Tensor | None = None

    @property
    def alt(self) -> str:
        """The picture in words: size, convention, evaluations, ending."""
        height, width = self.image.shape[2:]
        return (
            f"Stylized picture, {width} x {height} pixels, convention "
            f"{self.settings['convention']}, "
            f"{self.history[-1].evaluations} evaluations, {self.stopped}"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture, with the settings as text fields.

        A JPEG, which has no transparency, goes over white.

        Raises:
            ImageError: if the file cannot be written.
        """
        save_image(self.image, path, self.settings, self.alpha)


class Best(NamedTuple):
    """The best picture of a run's finest size so far, and its total."""

    image: Tensor
    total: Tensor


def keep_better(best: Best | None, step: Step) -> Best:
    """Return the better of the best picture and a step's.

    Totals are compared on the device, without waiting for it. A picture of
    another size than the best one replaces it: it comes from the next size.
    """
    total = step.terms.total
    if best is None or best.image.shape != step.image.shape:
        return Best(step.image, total)
    lower = (total < best.total) | best.total.isnan()
    return Best(
        torch.where(lower, step.image, best.image),
        torch.where(lower, total, best.total),
    )


class KeptBest:
    """Passes the steps of a run on, and keeps the best picture.

    Args:
        steps: of the run.
        best: of the steps before these, if there were any.

    Attributes:
        best: so far; None before the first step.
        ending: how the run ended, once it has.
    """

    def __init__(self, steps: Steps, best: Best | None = None) -> None:
        self._steps = steps
        self.best = best
        self.ending = Ending()

    def __iter__(self) -> Iterator[Step]:
        while True:
            try:
                step = next(self._steps)
            except StopIteration as end:
                self.ending = end.value
                return
            self.best = keep_better(self.best, step)
            yield step


class Finished(NamedTuple):
    """What is left of a run.

    Attributes:
        best: its best picture.
        history: a `Record` for each step.
        ending: how it ended.
        crash: what broke it off, if anything.
    """

    best: Best
    history: tuple[Record, ...]
    ending: Ending
    crash: Exception | None = None


def run_to_end(
    steps: Steps,
    show: Callable[[Step], object] | None = None,
    history: Iterable[Record] = (),
    best: Best | None = None,
) -> Finished:
    """Walk through a run until it ends or something stops it.

    Args:
        steps: of the run; closed at the end.
        show: is called with each step.
        history: what was before these steps.
        best: the best picture of what was before.

    Raises:
        KeyboardInterrupt: if there is no picture yet; else it is an ending.
        Exception: whatever the run raises before it has a picture; later
            it is the crash that broke the run off.
    """
    kept = KeptBest(steps, best)
    records = list(history)
    crash: Exception | None = None
    try:
        for step in kept:
            records.append(step.record())
            if show is not None:
                show(step)
        ending = kept.ending
    except KeyboardInterrupt:
        if not records:
            raise
        done = records[-1].evaluations
        ending = Ending("interrupted", "interrupted by the user", done)
    except Exception as error:
        if not records:
            raise
        crash = error
        ending = Ending("interrupted", "", records[-1].evaluations)
    finally:
        steps.close()
    assert kept.best is not None  # there is a step, and a run yields its start
    return Finished(kept.best, tuple(records), ending, crash)


def warned(steps: Steps) -> Steps:
    """Pass steps on, and tell the user if they end early, and why."""
    ending = yield from steps
    if ending.message:
        warn_of(ending, stacklevel=3)  # where the last step was asked for
    return ending


def warn_of(ending: Ending, stacklevel: int) -> None:
    """Warn of a run that ended early, as `warnings.warn` does."""
    warnings.warn(ending.message, StoppedEarly, stacklevel=stacklevel)


class BrokenOffError(RuntimeError):
    """A run broke off with a picture in hand: `result` has it."""

    def __init__(self, error: Exception, result: Result) -> None:
        self.error, self.result = error, result
        super().__init__(
            f"the run broke off after {result.history[-1].evaluations} "
            f"evaluations ({error}); this error's .result has the best "
            "picture so far"
        )

    def __reduce__(self) -> tuple[type["BrokenOffError"], tuple[Any, ...]]:
        return BrokenOffError, (self.error, self.result)
