"""Where a run stands, for somebody who waits: a bar, or a line at times."""

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unicodedata import category

from styletut.transfer import Step

Schedule = Sequence[tuple[int, int]]
Show = Callable[[Step], None]

PERIOD = 0.3
"""Seconds between two looks at the numbers: each one waits for the device."""

LINES = 10
"""Lines of a whole run, about, where a bar cannot be drawn."""


def progress(schedule: Schedule) -> AbstractContextManager[Show]:
    """Show a run on stderr: a bar on a terminal, else a line now and then.

    Args:
        schedule: (longer side in pixels, evaluations), coarse to fine.

    Returns:
        A context manager; it gives a function to call with each step.
    """
    tqdm = _tqdm() if sys.stderr.isatty() else None
    return _lines(schedule) if tqdm is None else _bar(tqdm, schedule)


def say(text: str) -> None:
    """Print one line to stderr, above the bar if there is one.

    Where that cannot be written any more, as to a full disk or to a program
    that has ended, a run goes on in silence.
    """
    line = " ".join(f"styletut: {text}".splitlines())
    # a file's name may hold what steers a terminal
    line = "".join(
        ascii(c)[1:-1] if category(c).startswith("C") else c for c in line
    )
    try:
        if sys.stderr.isatty() and (tqdm := _tqdm()):
            tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the latter where it is closed
        sys.stderr = io.StringIO()


def describe(step: Step, schedule: Schedule) -> str:
    """Return size, what each term adds to the loss, and the time left."""
    added = step.terms.weighted()
    return (
        f"{step.size} px, content {float(added['content']):.3g}, "
        f"style {float(added['style']):.3g}, "
        f"total {float(step.terms.total):.3g}, "
        f"{clock(seconds_left(step, schedule))} left"
    )


def seconds_left(step: Step, schedule: Schedule) -> float:
    """Estimate a run's rest: an evaluation costs as much as it has pixels."""
    whole = sum(n * size**2 for size, n in schedule)
    done, evaluations = 0, step.evaluations
    for size, n in schedule:
        done += min(evaluations, n) * size**2
        evaluations -= min(evaluations, n)
    return step.seconds * (whole - done) / done if done else 0.0


def clock(seconds: float) -> str:
    """Write a time as 0:07, 12:30 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"


@contextmanager
def _bar(tqdm: Any, schedule: Schedule) -> Iterator[Show]:
    whole = sum(n for _, n in schedule)
    with tqdm(
        total=whole,
        file=sys.stderr,
        dynamic_ncols=True,
        bar_format="{n_fmt}/{total_fmt} |{bar}| {desc}",
    ) as bar:
        due = 0.0

        def show(step: Step) -> None:
            nonlocal due
            bar.n = step.evaluations
            if time.monotonic() >= due or step.evaluations == whole:
                bar.set_description_str(describe(step, schedule))
                due = time.monotonic() + PERIOD

        yield show


@contextmanager
def _lines(schedule: Schedule) -> Iterator[Show]:
    whole = sum(n for _, n in schedule)
    due = 1.0

    def show(step: Step) -> None:
        nonlocal due
        if step.evaluations >= due or step.evaluations == whole:
            say(f"{step.evaluations}/{whole}, {describe(step, schedule)}")
            due = step.evaluations + whole / LINES

    yield show


def _tqdm() -> Any:
    """The class tqdm, or None where it is not installed."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm
