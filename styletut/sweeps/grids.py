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
from styletut.images.loading import Unread, bare_name, unread
from styletut.sweeps.jobs import (
    NETWORK,
    Job,
    Metrics,
    Packed,
    in_a_line,
    make_job,
    pack,
    sizes_needed,
)
from styletut.transfer.plan import DEFAULTS, STARTS

Choices = Mapping[str, Any]

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


class Source:
    """A picture of a sweep, packed once for each size it is needed at.

    Args:
        picture: whose pixels are read then.
    """

    def __init__(self, picture: Unread) -> None:
        self.shape = picture.shape
        self._picture = picture
        self._packed: dict[tuple[int, int], Packed] = {}

    def outline(self) -> Tensor:
        """Return a picture that has the size and no numbers."""
        return self._picture.outline()

    def for_size(self, size: int) -> Packed:
        """Return it as large as it is needed to be made `size` pixels long."""
        shape = self._picture.shape_for(size)
        if shape not in self._packed:
            self._packed[shape] = pack(self._picture.for_size(size))
        return self._packed[shape]


Reader = Callable[[Any], Source]


def reader() -> Reader:
    """Return what opens pictures, each source once.

    It takes the name of a sample, a tensor (1, 3, H, W) in [0, 1], or what
    `load_image` takes, and raises its `ImageError`.
    """
    known: dict[str | int, Source] = {}

    def read(source: Any) -> Source:
        named = isinstance(source, (str, os.PathLike))
        # other sources outlive the sweep, so that an id is that of one alone
        key = os.fspath(source) if named else id(source)
        if key not in known:
            given = key if named else source
            known[key] = Source(unread(given, "the picture"))
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
        start, begun = settings.get("start"), None
        if start is not None and not (
            isinstance(start, str) and start in STARTS
        ):
            begun = read(start)
            settings["start"] = begun.outline()
        size, style_size = sizes_needed(content.shape, style.shape, settings)
        if begun is not None:
            settings["start"] = begun.for_size(size).pixels
        return make_job(
            content.for_size(size),
            style.for_size(style_size),
            settings,
            metrics,
            threads,
        )
    except (ValueError, TypeError, OSError) as error:
        return in_a_line(error)


def _plain(value: Any) -> Any:
    """Return a number or truth value of NumPy or torch as Python's own."""
    scalar = isinstance(value, np.generic | np.ndarray | Tensor)
    return value.item() if scalar and value.ndim == 0 else value


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
