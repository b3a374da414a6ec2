"""One run of the command line: pictures read, painted, and never lost."""

import math
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from torch import Tensor

from styletut.cli.arguments import (
    choose_target,
    free_name,
    read_settings,
    repeat_command,
)
from styletut.cli.preview import preview
from styletut.cli.progress import progress, say
from styletut.images import ImageError, save_image
from styletut.images.loading import bare_name
from styletut.transfer.coarse_to_fine import Run, prepare, steps_of
from styletut.transfer.steps import (
    Finished,
    Step,
    StoppedEarly,
    run_to_end,
    warned,
)

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
STATUS = {
    "done": 0,
    "stalled": 0,
    "diverged": FAILED,
    "interrupted": INTERRUPTED,
}
"""Exit status for each way in which a run with a picture ends."""

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no hangup
)


def paint(
    photo: str, style: str, output: str | None, options: Mapping[str, Any]
) -> int:
    """Stylize a picture as the command line asks, and save the result.

    Args:
        photo: name of a sample picture, path or URL.
        style: the same.
        output: where to; None for a new file in the current folder.
        options: settings of a run as they were typed: layers as
            text, the start as a name, path or URL; `threads`, which
            torch has been told, for the command that repeats the run; and
            `preview`, a file for the picture as it grows.

    Returns:
        The exit status: 0 for a picture, 1 for a run that broke off (its
        best picture is saved), 2 for bad input, 130 for an interrupt.
    """
    began = time.monotonic()
    options = dict(options)
    grown: str | None = options.pop("preview", None)
    with _signals_interrupt(), _plain_warnings():
        try:
            start = options.get("start")
            target = choose_target(photo, style, output, start)
            watch = _watch(photo, style, grown, start)
            run = prepare(photo, style, **read_settings(options))
            finished = _follow(run, watch)
        except KeyboardInterrupt:
            say("interrupted before there was a picture; nothing is written")
            return INTERRUPTED
        except Exception as error:
            return _refuse(error)
        if output is None and target.exists():  # a run beside this one
            target = free_name(photo, style)
        text = {
            **run.plan.text(run.vgg),
            **_text(photo, style, options, finished),
        }
        return _finish(finished, target, text, began)


def _refuse(error: Exception) -> int:
    """Say why there is no picture; let out what nobody foresaw."""
    if _out_of_memory(error):
        say(f"error: {_memory_advice()}")
        return FAILED
    if isinstance(error, (ValueError, OSError)):
        say(f"error: {error}")
        # a picture's OSError comes as ImageError; others are the machine's
        return BAD_INPUT if isinstance(error, ValueError) else FAILED
    raise error


def _watch(
    photo: str, style: str, grown: str | None, start: str | None
) -> Callable[[Step], None]:
    """Return what is to see each step beside the progress bar."""
    if grown is None:
        return lambda step: None
    return preview(choose_target(photo, style, grown, start))


def _follow(run: Run, watch: Callable[[Step], None]) -> Finished:
    """Run to the end, or until something stops it once there is a picture."""
    with progress(run.plan.schedule) as show:

        def see(step: Step) -> None:
            watch(step)
            show(step)

        try:
            return run_to_end(warned(steps_of(run)), see)
        finally:
            _ignore_signals()  # from here on nothing cuts the saving short


def _finish(
    finished: Finished, target: Path, text: Mapping[str, str], began: float
) -> int:
    """Save the best picture, say how it went, let a crash out."""
    best, history, ending, crash = finished
    if not math.isfinite(float(best.total)):
        say("error: no picture of the run had a finite loss; none is written")
        return FAILED if crash is None else _refuse(crash)
    try:
        path = _save(best.image, target, text)
    except ImageError as error:
        say(f"error: {error}")
        if crash is None:
            return FAILED
        raise crash from None
    height, width = best.image.shape[2:]
    done = history[-1].evaluations
    count = f"{done} evaluation{'s' * (done != 1)}"
    alpha = f"{history[-1].terms.alpha:.3g}"  # without one given, the pair's
    picture = f"{width} x {height} pixels after {count} with alpha {alpha}"
    seconds = f"{time.monotonic() - began:.1f} seconds"
    if crash is not None:
        say(f"broken off; the best picture so far is saved: {picture}")
    elif ending.stopped == "interrupted":
        say(f"interrupted; the best picture so far is saved: {picture}")
    else:
        say(f"{picture}, in {seconds}")
    with suppress(OSError):  # nobody reads it: the picture is what counts
        print(path, flush=True)
    if crash is None:
        return FAILED if path != target else STATUS[ending.stopped]
    if _out_of_memory(crash):
        say(f"error: {_memory_advice()}")
        return FAILED
    raise crash


def _save(image: Tensor, target: Path, text: Mapping[str, str]) -> Path:
    """Save where it was asked for or, if that fails now, where it can be."""
    try:
        save_image(image, target, text)
        return target
    except ImageError as error:
        try:
            refuge = Path(tempfile.mkdtemp(prefix="styletut-")) / target.name
            save_image(image, refuge, text)
        except (OSError, ImageError):
            raise error from None
        say(f"error: {error} The picture is kept in {str(refuge)!r}.")
        return refuge


def _text(
    photo: str, style: str, options: Mapping[str, Any], finished: Finished
) -> dict[str, str]:
    """How the picture was made; no date, so a rerun gives the same bits."""
    stopped = "crashed" if finished.crash else finished.ending.stopped
    return {
        "photo": bare_name(photo),
        "style": bare_name(style),
        "stopped": stopped,
        "evaluations_done": str(finished.history[-1].evaluations),
        "command": repeat_command(photo, style, options),
    }


def _out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; torch has an own class on CUDA alone."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and any(
            words in str(error)
            for words in ("out of memory", "allocate memory", "enough memory")
        )
    )


def _memory_advice() -> str:
    return (
        "there is not enough memory. Take a smaller --size: half of it "
        "needs a quarter. `styletut --doctor` tells how much is free"
    )


def _ignore_signals() -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a hangup raise KeyboardInterrupt, once."""

    def interrupt(number: int, frame: Any) -> None:
        _ignore_signals()
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in SIGNALS}
    for each, handler in before.items():
        if handler != signal.SIG_IGN:  # as it is under nohup
            signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Print warnings as one line each, and no place in the code."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        say(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", StoppedEarly)
        warnings.showwarning = show
        yield
