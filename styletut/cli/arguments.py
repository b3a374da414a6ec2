"""What was typed on the command line, as pictures, paths and settings.

The options themselves, and their help, are in `cli.main`.
"""

import os
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from styletut.images import (
    SAMPLES,
    ImageError,
    ensure_writable,
)
from styletut.images.loading import bare_name
from styletut.transfer.plan import STARTS, Settings


def parse_layers(text: str) -> list[str] | dict[str, float]:
    """Read "relu4_1,relu5_1" or "relu4_1=1,relu5_1=0.5".

    Raises:
        ValueError: if a weight is no number, a layer is named twice, or
            only some layers have a weight.
    """
    parts = [part.strip().partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in parts]
    if len(set(names)) < len(names):
        raise ValueError(f"a layer is named twice in {text!r}")
    if not any(sign for _, sign, _ in parts):
        return names
    if not all(sign for _, sign, _ in parts):
        raise ValueError(
            f"of the layers {text!r} some have a weight and some have none; "
            "give it to all, as in relu4_1=1,relu5_1=0.5, or to none"
        )
    try:
        weights = [float(weight) for _, _, weight in parts]
    except ValueError:
        raise ValueError(
            f"a weight in the layers {text!r} is no number; write them as "
            "in relu4_1=1,relu5_1=0.5"
        ) from None
    return dict(zip(names, weights, strict=True))


def parse_schedule(text: str) -> list[tuple[int, int]]:
    """Read "128:40,256:60", sizes with their evaluations.

    Raises:
        ValueError: unless each stage is two whole numbers.
    """
    try:
        stages = [part.split(":") for part in text.split(",")]
        return [(int(size), int(evaluations)) for size, evaluations in stages]
    except ValueError:
        raise ValueError(
            f"the schedule {text!r} cannot be read; write sizes with their "
            "evaluations as in 128:40,256:60"
        ) from None


LONGEST_STEM = 60
"""Characters of a name that go into the result's: names have a limit."""


def choose_target(
    photo: str, style: str, output: str | None, start: str | None
) -> Path:
    """Where the picture will go, once it is known that it can go there."""
    target = free_name(photo, style) if output is None else Path(output)
    ensure_writable(target)
    for source in filter(None, (photo, style, start)):
        if _is_file(source, target):
            raise ImageError(
                f"{str(target)!r} is also {source!r}, which would be "
                "overwritten. Name another file."
            )
    return target


def _is_file(source: str, target: Path) -> bool:
    try:
        return os.path.samefile(Path(source).expanduser(), target.expanduser())
    except (OSError, RuntimeError, ValueError):  # not there, or no path
        return False


def free_name(photo: str, style: str) -> Path:
    """PHOTO-STYLE.png, numbered where an earlier picture has that name."""
    stems = (Path(bare_name(source)).stem for source in (photo, style))
    stem = "-".join(stem[:LONGEST_STEM] for stem in stems)
    path, number = Path(f"{stem}.png"), 1
    while path.exists():
        number += 1
        path = Path(f"{stem}-{number}.png")
    return path


def _name(source: str, names: Collection[str]) -> str:
    """Write a picture's bare name so that the command line takes it."""
    if source in names:
        return source
    bare = bare_name(source)
    return f"./{bare}" if bare in names or bare.startswith("-") else bare


def read_settings(options: Mapping[str, Any]) -> Settings:
    """Turn what was typed into settings of a run.

    How many threads there are to be is none of it: torch was told already.
    """
    settings = {k: v for k, v in options.items() if k != "threads"}
    for name in ("content_layers", "style_layers"):
        if name in settings:
            settings[name] = parse_layers(settings[name])
    if "schedule" in settings:
        settings["schedule"] = parse_schedule(settings["schedule"])
    return cast(Settings, settings)


def repeat_command(photo: str, style: str, options: Mapping[str, Any]) -> str:
    """Write the command that repeats a run, for a picture's text fields.

    Pictures lose their folders and addresses, which are private. Where the
    result went is left out, so that a rerun to another place gives the same
    bits.
    """
    words = ["styletut", _name(photo, SAMPLES), _name(style, SAMPLES)]
    for option, value in options.items():
        if option == "start":
            value = _name(value, (*STARTS, *SAMPLES))
        words += [f"--{option.replace('_', '-')}", str(value)]
    return shlex.join(words)
