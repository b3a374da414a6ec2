"""Which form of a convolution runs: a fixed rule, or this machine's table.

The forms are those of `styletut.convolution`. The rule was found with
`benchmarks/convolution.py`, whose tables lie beside it. `styletut --tune`
measures the machine at hand and stores a table, which then takes the place
of the rule. Nothing is ever timed within a run, so that the same machine,
settings and table give the same bits.
"""

import json
import math
import os
import platform
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

TILES = {"winograd4": 4, "winograd2": 2}
"""Outputs a side of a tile, for each of Winograd's forms."""

FORMS = (*TILES, "plain")

_MATRICES_TO_MAPS = {"winograd4": 8, "winograd2": 32}
"""A form's matrices may take so many times the memory of a layer's maps; a
small picture is not worth more."""


class Layer(NamedTuple):
    """What a layer's speed depends on, the same in both directions."""

    few: int  # the smaller and
    many: int  # the larger of its numbers of channels, in and out
    positions: int


class Measured(NamedTuple):
    """Milliseconds of each form in a layer."""

    layer: Layer
    milliseconds: Mapping[str, float]


def form_of(
    channels_in: int, channels_out: int, height: int, width: int
) -> str:
    """Return "winograd4", "winograd2" or "plain": what runs in a layer."""
    few, many = sorted((channels_in, channels_out))
    layer = Layer(few, many, height * width)
    threads = torch.get_num_threads()
    return chosen(layer, _stored(threads)) or rule(layer, threads)


def rule(layer: Layer, threads: int) -> str:
    """Return the form that suits a layer on most machines.

    Winograd's forms save multiplications and cost transforms, which are
    bound by memory: they gain with many channels, and less where a wide
    instruction set or a second thread hastens the multiplications. With few
    channels the plain form is then ahead. Many outputs a tile save more, but
    share their matrix products out among fewer positions.
    """
    wide = torch.backends.cpu.get_cpu_capability() != "AVX2"
    enough = 128 if wide and threads > 1 else 64
    if layer.few < enough or (wide and layer.many < 128):
        return "plain"
    small = layer.positions <= 32 * 32
    forms = fitting(layer)
    return next(each for each in forms if not (small and each == "winograd4"))


def fitting(layer: Layer) -> list[str]:
    """Return the forms whose matrices are worth their memory, best first."""
    return [
        form
        for form in FORMS
        if form == "plain"
        or (TILES[form] + 2) ** 2 * layer.few
        <= _MATRICES_TO_MAPS[form] * layer.positions
    ]


def chosen(layer: Layer, table: Sequence[Measured]) -> str | None:
    """Return the form that was fastest where a table has such a layer.

    That is the measured layer of the same channels with the nearest number
    of positions, by their ratio.
    """
    alike = [each for each in table if each.layer[:2] == layer[:2]]
    if not alike:
        return None
    nearest = min(
        alike,
        key=lambda each: abs(math.log(each.layer.positions / layer.positions)),
    )
    known = [form for form in fitting(layer) if form in nearest.milliseconds]
    return min(known, key=nearest.milliseconds.__getitem__, default=None)


def table_path(threads: int) -> Path:
    """Return where the table for a number of threads lies, or would lie."""
    return _cache_folder() / "styletut" / f"convolution-{threads}.json"


def store(table: Sequence[Measured], threads: int) -> Path:
    """Write a table for this machine, and return where.

    Raises:
        OSError: if it cannot be written.
    """
    path = table_path(threads)
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {**each.layer._asdict(), "milliseconds": dict(each.milliseconds)}
        for each in table
    ]
    text = json.dumps({"machine": _machine(), "layers": layers}, indent=1)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)  # at once, for whoever reads it now
    _stored.cache_clear()
    return path


@lru_cache(maxsize=8)  # read, and warned about, once in a process
def _stored(threads: int) -> tuple[Measured, ...]:
    """Return this machine's table, empty where there is none of use."""
    path = table_path(threads)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        machine, table = content["machine"], _layers(content["layers"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        _ignored(path, "cannot be read")
        return ()
    if machine != _machine():
        _ignored(path, "was measured with another processor or torch")
        return ()
    return table


def _layers(rows: Any) -> tuple[Measured, ...]:
    """Read a table's rows; raise ValueError or the like if they are none."""
    table = tuple(
        Measured(
            Layer(*(int(row[name]) for name in Layer._fields)),
            {form: float(t) for form, t in row["milliseconds"].items()},
        )
        for row in rows
    )
    if any(min(each.layer) < 1 for each in table):
        raise ValueError("sizes are positive")
    return table


def _ignored(path: Path, why: str) -> None:
    warnings.warn(
        f"the table {str(path)!r} {why} and is ignored; `styletut --tune` "
        "measures a new one",
        stacklevel=5,
    )


def _machine() -> dict[str, str]:
    """What a table's numbers hold for."""
    return {
        "processor": processor(),
        "instruction set": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def processor() -> str:
    """Return the processor's name as the system has it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _cache_folder() -> Path:
    """Return the user's cache folder, as the platform has it."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"])
    if sys.platform == "darwin":
        return Path(os.path.expanduser("~/Library/Caches"))
    # not Path.home, which fails where there is none
    return Path(os.path.expanduser("~/.cache"))
