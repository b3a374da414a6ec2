"""What was painted before by the same command, and need not be again."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from styletut.cli.arguments import Typed, repeat_command, sources_of
from styletut.cli.streams import read_from
from styletut.cli.targets import beside, numbered
from styletut.images import MASKS, SAMPLES
from styletut.images.saving import read_text, storable

SOURCES = "sources"
"""The text field that tells files apart, as `digests` does."""

_FINISHED = ("done", "stalled")


def digests(
    photo: str, typed: Typed, options: Mapping[str, Any]
) -> dict[str, str]:
    """Return a text field that tells the files of a command apart.

    Names alone would not: two folders may each have a photo.jpg. There are
    16 digits of SHA-256 for each picture; of an address they are its own.
    """
    sources = [photo, *sources_of(typed, options)]
    return {SOURCES: " ".join(_digest(each) for each in sources)}


def painted_before(
    photo: str, typed: Typed, options: Mapping[str, Any], folder: Path
) -> Path | None:
    """Return the picture in a folder that the same command has made.

    One that was interrupted does not count.
    """
    wanted = {
        "command": repeat_command(photo, typed, options),
        **digests(photo, typed, options),
    }
    for path in _existing(numbered(photo, typed.styles, folder)):
        text = read_text(path)
        finished = text.get("stopped", "done") in _FINISHED
        if finished and all(
            text.get(name) == storable(value) for name, value in wanted.items()
        ):
            return path
    return None


def beside_what_is_finished(target: Path) -> Path:
    """Return where a picture goes whose run was stopped.

    What is there stays, unless a run that was stopped had left it.
    """
    if not target.exists() or _is_left(target):
        return target
    return next(e for e in beside(target) if not e.exists() or _is_left(e))


def _is_left(path: Path) -> bool:
    """Whether a picture is what a run that was stopped had left."""
    return read_text(path).get("stopped", "done") not in _FINISHED


def _existing(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.exists():
            return
        yield path


def _digest(source: str) -> str:
    return hashlib.sha256(_content(source)).hexdigest()[:16]


def _content(source: str) -> bytes:
    """Return what a picture is known by: its bytes, or its name."""
    name = os.fsencode(source)
    if source in SAMPLES or source in MASKS:
        return name
    try:
        data = read_from(source)
        if isinstance(data, bytes):
            return data
        return Path(os.path.expanduser(data)).read_bytes()
    except (OSError, ValueError):  # an address, or no file at all
        return name
