"""Run the notebooks and store what they show: `make notebooks`.

    python tools/make_notebooks.py          all of them, in reading order
    python tools/make_notebooks.py 00 03    these, with their solutions

Each runs in a fresh kernel, on the CPU, with the profile `print`. A file is
replaced only when all its cells succeeded. Nothing else makes the committed
outputs, for strict nbval compares every later run with them.
"""

import argparse
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellControlSignal,
    CellExecutionError,
    DeadKernelError,
)

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"

METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
"""What a notebook says of its kernel: nothing that a version changes."""

CELL_METADATA = ("jupyter", "slideshow", "tags")
"""What a person decides about a cell. The rest is left by tools."""

WIDGET = "application/vnd.jupyter.widget-view+json"
FRAME = "<iframe"
"""A page inside of the notebook, of a server that is gone when it is read."""

ENVIRONMENT = {"STYLETUT_PROFILE": "print", "CUDA_VISIBLE_DEVICES": ""}


class NotebookError(Exception):
    """A notebook that cannot be run to its end: which one, and why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the notebooks named on the command line; 1 if one failed."""
    parser = argparse.ArgumentParser(
        description="Run the notebooks and store what they show."
    )
    parser.add_argument("number", nargs="*", help="such as 03; default: all")
    try:
        paths = choose(FOLDER, parser.parse_args(arguments).number)
    except NotebookError as error:
        parser.error(str(error))
    failed = [path for path in paths if not make(path)]
    for path in failed:
        print(f"{path.name} failed and is as it was.", file=sys.stderr)
    return int(bool(failed))


def choose(folder: Path, numbers: Sequence[str]) -> list[Path]:
    """Return the notebooks with these numbers, in reading order.

    Args:
        folder: Where they lie, with the answers in `solutions`.
        numbers: Such as "03" for `03_*.ipynb` and `solutions/03.ipynb`; none
            stands for all.

    Raises:
        NotebookError: There is no notebook, or none with one of the numbers.
    """
    found = [
        *sorted(folder.glob("*.ipynb")),
        *sorted(folder.glob("solutions/*.ipynb")),
    ]
    known = sorted({number_of(path) for path in found})
    if not known:
        raise NotebookError(f"there is no notebook in {folder}")
    for number in numbers:
        if number not in known:
            raise NotebookError(
                f"there is no notebook {number!r}; there are: "
                f"{', '.join(known)}"
            )
    wanted = numbers or known
    return [path for path in found if number_of(path) in wanted]


def number_of(path: Path) -> str:
    """Return "03" for `03_the_gram_matrix.ipynb` and `solutions/03.ipynb`."""
    return path.stem.split("_")[0]


def make(path: Path, report: Callable[[str], None] = print) -> bool:
    """Run one notebook and store it, or say why not and leave it alone.

    Args:
        path: The notebook.
        report: Takes each line for the person who waits.

    Returns:
        Whether it ran to its end.
    """
    start = time.perf_counter()
    try:
        text = serialize(run(read(path), path.parent))
    except NotebookError as error:
        report(f"{path.name}: {error}")
        return False
    replace(path, text)
    seconds = time.perf_counter() - start
    size = len(text.encode()) / 1e6
    report(f"{path.name}: {seconds:.0f} s, {size:.2f} MB")
    return True


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook and give every cell an id.

    Raises:
        NotebookError: The file is no notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        name_cells(content["cells"])
        content.update(nbformat=4, nbformat_minor=5)
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise NotebookError(f"no valid notebook: {error}") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotebookError(f"no notebook: {error!r}") from error
    return notebook


def name_cells(cells: list[dict[str, Any]]) -> None:
    """Give cells without an id, or with one used before, one of their own.

    It is made from the cell's text, so that it is the same each time and
    does not change when a cell is put before it.
    """
    used: set[str] = set()
    for cell in cells:
        name = cell.get("id", "")
        salt = 0
        while not name or name in used:
            text = f"{''.join(cell['source'])}{salt}"
            name = hashlib.sha256(text.encode()).hexdigest()[:8]
            salt += 1
        cell["id"] = name
        used.add(name)


def run(notebook: nbformat.NotebookNode, folder: Path) -> dict[str, Any]:
    """Run a notebook in a fresh kernel and return it with its outputs.

    Args:
        notebook: From `read`.
        folder: Where the kernel runs.

    Raises:
        NotebookError: A cell failed; the message holds cell and traceback.
    """
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
        force_raise_errors=True,
    )
    try:
        done = client.execute(env={**os.environ, **ENVIRONMENT})
    except CellExecutionError as error:
        raise NotebookError(f"a cell failed.\n{error}") from error
    except (CellControlSignal, DeadKernelError) as error:
        raise NotebookError(f"the kernel stopped: {error}") from error
    return normalize(done)


def normalize(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook without what differs from run to run.

    Text, tags, outputs and execution counts stay. Widgets go, whose state
    lives in the kernel alone; versions, times and marks of editors go.
    """
    cells = [_normal_cell(cell) for cell in notebook["cells"]]
    return {
        "cells": cells,
        "metadata": METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _normal_cell(cell: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in cell["metadata"].items()
        if name in CELL_METADATA
    }
    normal = {**cell, "metadata": kept}
    if cell["cell_type"] == "code":
        normal["outputs"] = [
            output for output in cell["outputs"] if not _is_live(output)
        ]
    return normal


def _is_live(output: dict[str, Any]) -> bool:
    """Whether an output shows nothing without what was running."""
    data = output.get("data", {})
    return WIDGET in data or FRAME in data.get("text/html", "")


def serialize(notebook: dict[str, Any]) -> str:
    """Return the text of the file, as JupyterLab writes it."""
    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


def replace(path: Path, text: str) -> None:
    """Write a file so that it is the old one or the new one, never half."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
