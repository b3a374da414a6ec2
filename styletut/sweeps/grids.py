"""The runs that a sweep is made of: from settings to jobs.

A grid or a list of settings becomes one mapping for each run, pictures are
read, and what cannot be run says why.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from styletut.conventions import Convention
from styletut.images.loading import bare_name, picture_from
from styletut.sweeps.jobs import (
    NETWORK,
    Job,
    Metrics,
    Packed,
    in_a_line,
    make_job,
    pack,
)
from styletut.transfer.plan import DEFAULTS, STARTS

Choices = Mapping[str, Any]
Reader = Callable[[Any], Packed]

PICTURES = ("content", "style", "start")
"""Choices that may be pictures."""


def grid(
    settings: Mapping[str, Sequence[Any]] | Sequence[Choices],
    common: Choices,
) -> list[dict[str, Any]]:
    """Return the settings of each run, those in common last.

    Raises:
        ValueError: for a setting that does not exist or is given twice, or
            values that are no list.
    """
    if isinstance(settings, Mapping):
        for name, values in settings.items():
            if not hasattr(values, "__iter__") or isinstance(
                values, (str, Mapping, Tensor)
            ):
                raise ValueError(
                    f"{name} has the value {values!r}; a grid takes a list "
                    f"of values, and {name}=... one for all runs"
                )
        combinations = product(*settings.values())
        runs = [
            dict(zip(settings, values, strict=True)) for values in combinations
        ]
    else:
        runs = [dict(run) for run in settings]
    known = _known_settings()
    for name in [*common, *(name for run in runs for name in run)]:
        if name not in known:
            raise ValueError(
                f"there is no setting {name!r}; there are {', '.join(known)}"
            )
    if twice := {name for run in runs for name in run} & set(common):
        raise ValueError(
            f"{', '.join(sorted(twice))}: given both for all runs and for "
            "single ones"
        )
    return [{**run, **common} for run in runs]


def _known_settings() -> tuple[str, ...]:
    return ("label", "content", "style", *DEFAULTS, *NETWORK)


def reader() -> Reader:
    """Return what reads and packs pictures, each source once.

    It takes the name of a sample, a tensor (1, 3, H, W) in [0, 1], or what
    `load_image` takes, and raises its `ImageError`.
    """
    known: dict[str | int, Packed] = {}

    def read(source: Any) -> Packed:
        named = isinstance(source, (str, os.PathLike))
        # other sources outlive the sweep, so that an id is that of one alone
        key = os.fspath(source) if named else id(source)
        if key not in known:
            given = key if named else source
            known[key] = pack(picture_from(given, "the picture"))
        return known[key]

    return read


def job_of(
    run: Choices,
    read: Reader,
    metrics: Metrics | None,
    threads: int | None,
) -> Job | str:
    """Return a run as a job, or in a line what is wrong with it."""
    settings = {k: _plain(v) for k, v in run.items() if k != "label"}
    try:
        content = read(settings.pop("content"))
        style = read(settings.pop("style"))
        start = settings.get("start")
        if start is not None and not (
            isinstance(start, str) and start in STARTS
        ):
            settings["start"] = read(start).pixels
        return make_job(content, style, settings, metrics, threads)
    except (ValueError, TypeError, OSError) as error:
        return in_a_line(error)


def _plain(value: Any) -> Any:
    """Return a number of NumPy, as its grids give them, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def shown(name: str, value: Any) -> Any:
    """Return a setting as a table shows it: a number, a word, a text."""
    value = _plain(value)
    if name in PICTURES and value is not None:
        named = isinstance(value, (str, os.PathLike))
        return Path(bare_name(os.fspath(value))).stem if named else "a picture"
    if name == "weights":
        return Path(value).name
    if isinstance(value, Convention):
        return value.name
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {shown('', v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(str(shown("", v)) for v in value)
    plain = value is None or isinstance(value, (bool, int, float, str))
    return value if plain else str(value)
