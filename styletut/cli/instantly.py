"""A picture in one pass, for the command line."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut import __version__
from styletut.cli.arguments import Typed, flags
from styletut.cli.streams import read_from
from styletut.images.loading import unread
from styletut.instant import instant

TAKEN = ("instant", "strength", "mix", "size", "threads")
"""Options that a picture in one pass has."""

LARGEST = 1024
"""Longer side of a picture whose size nobody gave; a smaller photo keeps its
own."""


class Picture(NamedTuple):
    """What is to be saved.

    Attributes:
        image: (1, 3, H, W) in [0, 1].
        alpha: how opaque it is, (1, 1, H, W); None if it is so everywhere.
        text: how it was made.
    """

    image: Tensor
    alpha: Tensor | None
    text: Mapping[str, str]


def paint_instantly(
    photo: str, typed: Typed, options: Mapping[str, Any]
) -> Picture:
    """Paint a photo by the network of the sample styles.

    Raises:
        ImageError: for a photo that cannot be used.
        ValueError: for options that are the optimizer's, or a style that the
            network does not know.
        NetworkError: if the network's file is missing or damaged.
    """
    if others := [name for name in options if name not in TAKEN]:
        raise ValueError(
            f"--instant paints in one pass and has no {flags(others)}; leave "
            "it out, and the optimizer takes that"
        )
    styles = weighted_styles(typed)
    strength = options.get("strength", 1.0)
    opened = unread(read_from(photo), "the content picture")
    size = options.get("size", min(LARGEST, max(opened.shape)))
    return Picture(
        instant(opened.read(size), styles, strength=strength, size=size),
        opened.alpha(size),
        {
            "instant": "1",
            "strength": f"{strength:g}",
            "styletut": __version__,
            "torch": torch.__version__,
        },
    )


def weighted_styles(typed: Typed) -> list[tuple[str, float]]:
    """Return the styles that were typed, as `instant` takes them.

    Raises:
        ValueError: for a weight that is no number.
    """
    several = []
    for style, weight in zip(typed.styles, typed.weights, strict=True):
        if isinstance(weight, str):
            raise ValueError(
                f"--mix {weight}: with --instant weights are numbers, as in "
                "0.7,0.3; scales are the optimizer's"
            )
        several.append((style, weight))
    return several
