"""Standard input as a picture and standard output as a file: `-`."""

import os
import sys
from contextlib import suppress
from functools import cache

from styletut.images import ImageError

STREAM = "-"
"""What stands for both, as in most commands; a file of that name is ./-."""


def read_from(source: str) -> str | bytes:
    """Return what `load_image` reads for a picture that was typed."""
    return _standard_input() if source == STREAM else source


@cache
def _standard_input() -> bytes:
    """Read it once: several photos may have their style from there.

    Raises:
        ImageError: if there is nobody who sends a picture.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError(
            "'-' reads a picture from standard input, and nothing is sent "
            "there: styletut - night < photo.jpg"
        )
    return sys.stdin.buffer.read()


def check_standard_output() -> None:
    """Refuse to write a picture to a terminal.

    Raises:
        ImageError: if it would go there.
    """
    where = "closed" if sys.stdout is None else "a terminal"
    if sys.stdout is None or sys.stdout.isatty():
        raise ImageError(
            f"'-o -' writes the picture to standard output, which is {where}: "
            "send it on, as in -o - > picture.png"
        )


def write_out(data: bytes) -> None:
    """Write to standard output.

    Raises:
        ImageError: if nobody reads it, or the disk is full.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except OSError as error:
        # or Python would try once more at its end, and say so
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
        raise ImageError(
            f"standard output cannot be written: {error.strerror or error}."
        ) from error
