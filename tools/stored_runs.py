"""Runs of a plan and what is stored of them: the PNG of each, and a note.

A sweep keeps a run as one PNG that is named after its key. Beside it a note
says when and on which processor it was made; what is measured later, and
elsewhere, leaves the note as it is.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

from machine import processor, slug

from styletut.sweeps.grids import job_of, reader, shown
from styletut.sweeps.jobs import Job

Settings = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """A run with the key that its settings and pictures give it."""

    key: str
    settings: Settings


def planned(runs: Sequence[Settings]) -> list[Planned]:
    """Return runs with their keys.

    Raises:
        ValueError: for a run that cannot be, with its label.
    """
    read = reader()
    found = []
    for run in runs:
        job = job_of(run, read, None, None)
        if not isinstance(job, Job):
            raise ValueError(f"{run.get('label')}: {job}")
        found.append(Planned(job.key, run))
    return found


def picture_name(run: Planned) -> str:
    """Return a name that says which run it is: pictures, label, start.

    A start from the content, as most runs have it, is not told.
    """
    settings = dict(run.settings)
    if settings.get("start") == "content":
        del settings["start"]
    names = [
        str(shown(name, settings[name]))
        for name in ("content", "style", "label", "start")
        if name in settings
    ]
    return slug(" ".join(names))


def stored(runs: Sequence[Planned], folder: Path) -> list[Planned]:
    """Return those of the runs whose pictures lie in a folder."""
    return [run for run in runs if (folder / f"{run.key}.png").exists()]


def write_notes(folder: Path) -> None:
    """Note when and where the pictures without a note were made.

    It is for the machine that made them, soon after it did.
    """
    for path in folder.glob("*.png"):
        note = path.with_suffix(".json")
        if not note.exists():
            made = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
            values = {"date": f"{made:%Y-%m-%d}", "processor": processor()}
            write(note, json.dumps(values).encode())


def read_note(picture: Path) -> dict[str, str]:
    """Return date and processor of a picture, or nothing without a note."""
    note = picture.with_suffix(".json")
    return json.loads(note.read_bytes()) if note.exists() else {}


def write(path: Path, data: bytes) -> None:
    """Write a file whole, and only if that changes it."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
