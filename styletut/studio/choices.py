"""What was chosen on the page: as settings of a run, as a command, as code.

All three come from the command line's own words for it, so that a picture of
the page is the picture of its command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from styletut.cli.arguments import (
    Typed,
    parse_mix,
    read_settings,
    read_styles,
    repeat_command,
    told_name,
)
from styletut.images import MASKS, SAMPLES
from styletut.images.loading import bare_name
from styletut.images.picture import check_size

SIZES: Mapping[str, int] = MappingProxyType(
    {"small": 256, "medium": 512, "large": 1024}
)
"""Longer side of the picture in pixels, in words."""

STROKES: Mapping[str, float] = MappingProxyType(
    {"fine": 0.6, "normal": 1.0, "broad": 1.6}
)
"""Longer side of the style picture, in units of the picture's."""


@dataclass(frozen=True)
class Choices:
    """All that decides what a picture looks like.

    Attributes:
        photo: a sample's name, or a file.
        style: the same.
        second: another style, to mix with or for a region.
        share: of the second, from 0 to 1, where both are mixed.
        region: a file that is white where the photo is to be painted; with a
            second style, where it is to have that one.
        strength: as `stylize` takes it.
        stroke: a name out of `STROKES`.
        own_colors: whether the photo's colors are kept.
        size: longer side of the picture in pixels.

    Raises:
        ValueError: for a name or number that cannot be.
    """

    photo: str
    style: str
    second: str | None = None
    share: float = 0.5
    region: str | None = None
    strength: float = 1.0
    stroke: str = "normal"
    own_colors: bool = False
    size: int = SIZES["medium"]

    def __post_init__(self) -> None:
        if self.stroke not in STROKES:
            raise ValueError(
                f"there are no {self.stroke!r} strokes; there are "
                f"{', '.join(STROKES)}"
            )
        if not 0 <= self.share <= 1:
            raise ValueError(
                f"the share of the second style is {self.share:g}; it goes "
                "from 0, the first alone, to 1, the second alone"
            )
        if check_size(self.size) > max(SIZES.values()):
            raise ValueError(
                f"the size is {self.size} pixels; the studio paints up to "
                f"{max(SIZES.values())}, the command line larger ones"
            )

    @property
    def mixed(self) -> bool:
        """Whether two styles count everywhere."""
        return self.second is not None and self.region is None

    def typed(self) -> Typed:
        """Return photo and styles as the command line has them."""
        if self.mixed:
            assert self.second is not None
            weights = tuple(parse_mix(self._mix()))
            return Typed((self.photo,), (self.style, self.second), weights)
        # what is not painted has the photo's own style, and stays
        only_there = self.region is not None and self.second is None
        rest = self.photo if only_there else self.style
        return Typed((self.photo,), (rest,), (1.0,))

    def options(self) -> dict[str, Any]:
        """Return what the command line's options would be."""
        options: dict[str, Any] = {"size": self.size}
        if self.region is not None:
            there = self.style if self.second is None else self.second
            options["mask"] = [(self.region, there)]
        if self.mixed:
            options["mix"] = self._mix()
        if self.strength != 1:
            options["strength"] = self.strength
        if self.stroke != "normal":
            options["style_size"] = round(STROKES[self.stroke] * self.size)
        if self.own_colors:
            options["color"] = "luminance"
        return options

    def run(self) -> dict[str, Any]:
        """Return all that `transfer.prepare` takes, by name."""
        options = self.options()
        style, masks = read_styles(self.typed(), options)
        return {
            "content": self.photo,
            "style": style,
            "masks": masks,
            **read_settings(options),
        }

    def command(self) -> str:
        """Write the command that paints the same picture."""
        return repeat_command(self.photo, self.typed(), self.options())

    def code(self) -> str:
        """Write the lines of Python that paint the same picture."""
        typed, options = self.typed(), self.options()
        names = [_quoted(each) for each in typed.styles]
        style = names[0]
        if self.mixed:
            pairs = zip(names, typed.weights, strict=True)
            style = f"[{', '.join(f'({n}, {w})' for n, w in pairs)}]"
        words = [_quoted(self.photo), style]
        if masks := options.get("mask"):
            told = ", ".join(
                f"({_quoted(mask)}, {_quoted(each)})" for mask, each in masks
            )
            words.append(f"masks=[{told}]")
        settings = read_settings(options)
        words += [f"{name}={value!r}" for name, value in settings.items()]
        arguments = "".join(f"    {word},\n" for word in words)
        return (
            "from styletut import stylize\n\n"
            f"result = stylize(\n{arguments})\n"
            f"result.save({self.file_name()!r})\n"
        )

    def file_name(self) -> str:
        """Return a name for the picture's file."""
        names = [self.photo, self.style, self.second]
        stems = [Path(bare_name(each)).stem for each in names if each]
        return "-".join(stems)[:80] + ".png"

    def in_words(self) -> str:
        """Tell what was chosen, in a line."""
        parts = [title(self.photo), f"as {title(self.style)}"]
        if self.mixed:
            assert self.second is not None
            parts.append(f"with {self.share:.0%} of {title(self.second)}")
        elif self.second is not None:
            parts.append(f"the region as {title(self.second)}")
        elif self.region is not None:
            parts.append("the region alone")
        parts.append(f"{self.size} pixels")
        if self.strength != 1:
            parts.append(f"strength {self.strength:g}")
        if self.stroke != "normal":
            parts.append(f"{self.stroke} strokes")
        if self.own_colors:
            parts.append("the photo's colors")
        return ", ".join(parts)

    def _mix(self) -> str:
        return f"{1 - self.share:.2g},{self.share:.2g}"


def title(source: str) -> str:
    """Return what a picture is called for a reader."""
    return SAMPLES[source].title if source in SAMPLES else bare_name(source)


def _quoted(source: str) -> str:
    """Write a picture as code does: a sample's name, or a file's."""
    return repr(told_name(source, {*SAMPLES, *MASKS}))
