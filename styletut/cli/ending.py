"""How a command ends: by a signal, an error, with a status."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from styletut.cli.progress import say

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
STATUS = {
    "done": 0,
    "stalled": 0,
    "diverged": FAILED,
    "interrupted": INTERRUPTED,
}
"""Exit status for each way in which a run with a picture ends."""

OUTCOMES = ("painted", "there already", "failed", "interrupted")
"""What may come of one photo of several."""

NAMED = 10
"""Photos that a summary names."""

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no hangup
)


def refuse(error: Exception) -> int:
    """Say why there is no picture; let out what nobody foresaw."""
    if out_of_memory(error):
        say(f"error: {memory_advice()}")
        return FAILED
    if isinstance(error, (ValueError, OSError)):
        say(f"error: {error}")
        # a picture's OSError comes as ImageError; others are the machine's
        return BAD_INPUT if isinstance(error, ValueError) else FAILED
    raise error


def outcome_of(status: int) -> str:
    """Return what an exit status says of one photo of several."""
    return {0: "painted", INTERRUPTED: "interrupted"}.get(status, "failed")


def summary(came: Mapping[str, Sequence[str]], number: int) -> str:
    """Return what came of several photos, and which of them failed.

    Args:
        came: the photos by their outcome, out of `OUTCOMES`.
        number: how many there were to be.
    """
    counts = {name: len(photos) for name, photos in came.items()}
    counts["not begun"] = number - sum(counts.values())
    told = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
    failed = came["failed"]
    if not failed:
        return f"of {number} photos: {told}"
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    names = ", ".join(failed[:NAMED])
    return f"of {number} photos: {told}. Failed: {names}{more}"


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; torch has an own class on CUDA alone."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and any(
            words in str(error)
            for words in ("out of memory", "allocate memory", "enough memory")
        )
    )


def memory_advice() -> str:
    """Return what to do about it."""
    return (
        "there is not enough memory. Take a smaller --size: half of it "
        "needs a quarter. `styletut --doctor` tells how much is free"
    )


def ignore_signals() -> None:
    """Let nothing cut short what comes now, such as the saving."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a hangup raise KeyboardInterrupt, once."""

    def interrupt(number: int, frame: Any) -> None:
        ignore_signals()
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
