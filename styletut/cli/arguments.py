"""What was typed on the command line, as pictures and settings.

The options themselves, and their help, are in `cli.main`.
"""

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from styletut.cli.streams import STREAM, read_from
from styletut.images import MASKS, SAMPLES
from styletut.images.loading import bare_name
from styletut.objective.guides import SCALES, Painting
from styletut.transfer.plan import STARTS, Settings

NO_SETTINGS = ("threads", "mix", "mask", "style_mask")
"""Options that are no settings of a run."""


def flags(names: Iterable[str]) -> str:
    """Write options as they are typed: "--size, --style-size"."""
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


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


def parse_mix(text: str) -> list[float | str]:
    """Read "0.7,0.3" or "fine,coarse", weights of style pictures.

    Raises:
        ValueError: if one is neither a number nor one of these words.
    """
    weights: list[float | str] = []
    for part in map(str.strip, text.split(",")):
        if part in SCALES:
            weights.append(part)
            continue
        try:
            weights.append(float(part))
        except ValueError:
            raise ValueError(
                f"--mix {text}: {part!r} is no weight; write numbers as in "
                f"0.7,0.3, or {' and '.join(SCALES)}"
            ) from None
    return weights


class Typed(NamedTuple):
    """The pictures that were typed, by what they are for.

    Attributes:
        photos: each to be painted.
        styles: of the pictures that all are painted like.
        weights: of these.
    """

    photos: tuple[str, ...]
    styles: tuple[str, ...]
    weights: tuple[float | str, ...]


def tell_apart(pictures: Sequence[str], mix: str | None = None) -> Typed:
    """Tell photos and styles apart: the last is the style, or the last few.

    Args:
        pictures: as they were typed.
        mix: weights, as `parse_mix` reads them, one for each style.

    Raises:
        ValueError: if there are not enough pictures, or weights are none.
    """
    weights = [1.0] if mix is None else parse_mix(mix)
    count = len(weights)
    if len(pictures) <= count:
        styles = "a STYLE" if mix is None else f"{count} STYLEs"
        raise ValueError(
            f"give a PHOTO and {styles}"
            + ("" if mix is None else f", for --mix {mix} has {count} weights")
            + "; --help tells more"
        )
    return Typed(
        tuple(pictures[:-count]), tuple(pictures[-count:]), tuple(weights)
    )


def told_name(source: str, names: Collection[str]) -> str:
    """Write a picture's bare name so that the command line takes it."""
    if source in names or source == STREAM:
        return source
    bare = bare_name(source)
    return f"./{bare}" if bare in names or bare.startswith("-") else bare


def names_told(photo: str, typed: Typed) -> dict[str, str]:
    """Return photo and styles for a picture's text fields."""
    styles = ", ".join(map(bare_name, typed.styles))
    return {"photo": bare_name(photo), "style": styles}


def read_settings(options: Mapping[str, Any]) -> Settings:
    """Turn what was typed into settings of a run.

    Pictures are none of it, nor how many threads there are to be: torch was
    told already.
    """
    settings = {k: v for k, v in options.items() if k not in NO_SETTINGS}
    for name in ("content_layers", "style_layers"):
        if name in settings:
            settings[name] = parse_layers(settings[name])
    if "schedule" in settings:
        settings["schedule"] = parse_schedule(settings["schedule"])
    if "start" in settings:
        settings["start"] = read_from(settings["start"])
    return cast(Settings, settings)


def read_styles(
    typed: Typed, options: Mapping[str, Any]
) -> tuple[list[Painting], list[tuple[str | bytes, Painting]]]:
    """Return the style and the masks, as `stylize` takes them.

    Raises:
        ValueError: for a mask of a style picture that there is not.
    """
    counted = dict(options.get("style_mask", ()))
    if len(counted) < len(options.get("style_mask", ())):
        raise ValueError(
            "--style-mask names a style picture twice; draw what counts of it "
            "in one mask"
        )
    masks = options.get("mask", ())
    known = {*typed.styles, *(style for _, style in masks)}
    for name in counted:
        if name not in known:
            raise ValueError(
                f"--style-mask {name}: there is no such style picture; there "
                f"are {', '.join(sorted(known))}"
            )

    def painting(style: str, weight: float | str) -> Painting:
        mask = counted.get(style)
        return Painting(read_from(style), weight, mask and read_from(mask))

    paintings = [
        painting(style, weight)
        for style, weight in zip(typed.styles, typed.weights, strict=True)
    ]
    masked = [(read_from(mask), painting(style, 1.0)) for mask, style in masks]
    return paintings, masked


def sources_of(typed: Typed, options: Mapping[str, Any]) -> list[str]:
    """Return every picture that was typed, photos apart."""
    pairs = (*options.get("mask", ()), *options.get("style_mask", ()))
    start = options.get("start")
    return [
        *typed.styles,
        *(name for pair in pairs for name in pair),
        *([] if start is None else [start]),
    ]


def repeat_command(
    photo: str, typed: Typed, options: Mapping[str, Any]
) -> str:
    """Write the command that repeats a run, for a picture's text fields.

    Pictures lose their folders and addresses, which are private. Where the
    result went is left out, so that a rerun to another place gives the same
    bits.
    """
    own = {*SAMPLES, *MASKS}
    words = ["styletut", told_name(photo, own)]
    words += [told_name(style, own) for style in typed.styles]
    for option, value in options.items():
        flag = f"--{option.replace('_', '-')}"
        if option in ("mask", "style_mask"):
            for pair in value:
                words += [flag, *(told_name(each, own) for each in pair)]
            continue
        if value is True:
            words.append(flag)
            continue
        if option == "start":
            value = told_name(value, {*STARTS, *own})
        words += [flag, str(value)]
    return shlex.join(words)
