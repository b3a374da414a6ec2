"""This machine's times of each algorithm in each layer, where there are some.

`styletut --tune` measures and stores them, one table for each number of
threads, in the user's cache folder. A table of another processor or version
of torch is not used.
"""

import json
import math
import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from styletut.kernels import processor
from styletut.kernels.algorithms import Layer, Measured, chosen, rule

_LARGEST = 2**62
"""No layer has so many channels, or positions."""


def algorithm_for(
    channels_in: int, channels_out: int, height: int, width: int
) -> str:
    """Return "winograd4", "winograd2" or "plain": what runs in a layer."""
    few, many = sorted((channels_in, channels_out))
    layer = Layer(few, many, height * width)
    threads = torch.get_num_threads()
    return chosen(layer, _stored(threads)) or rule(layer, threads)


def table_path(threads: int) -> Path:
    """Return where the table for a number of threads lies, or would lie.

    Raises:
        ModuleNotFoundError: if platformdirs is not installed.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("styletut", appauthor=False)
    return folder / f"convolution-{threads}.json"


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
    try:
        path = table_path(threads)
    except ModuleNotFoundError:  # on a machine with little more than torch
        return ()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        machine, table = content["machine"], _layers(content["layers"])
    except FileNotFoundError:
        return ()
    except Exception:  # Damaged files make nearly every error there is.
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
            {
                algorithm: float(t)
                for algorithm, t in row["milliseconds"].items()
            },
        )
        for row in rows
    )
    if not all(0 < n < _LARGEST for each in table for n in each.layer):
        raise ValueError("sizes are positive and have bounds")
    if not all(
        0 < t < math.inf for each in table for t in each.milliseconds.values()
    ):
        raise ValueError("times are positive")
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
        "processor": processor.name(),
        "instruction set": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }
