"""Frames of a moving picture, for the command line: films and folders."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from styletut.cli.arguments import Typed, flags, read_styles, sources_of
from styletut.cli.ending import (
    FAILED,
    INTERRUPTED,
    ignore_signals,
    refuse,
    signals_interrupt,
)
from styletut.cli.instantly import LARGEST, weighted_styles
from styletut.cli.progress import clock, say
from styletut.cli.streams import read_from
from styletut.cli.targets import (
    beside,
    choose_folder,
    choose_target,
    free_name,
    numbered,
)
from styletut.images import (
    ImageError,
    ensure_writable,
    resize_to,
    save_image,
)
from styletut.images.loading import unread
from styletut.video import instant_frames, stylize_frames
from styletut.video.files import (
    USUAL_RATE,
    WRITTEN,
    Film,
    is_film,
    open_film,
    read_frames,
    write_film,
)

INSTANT = ("strength", "mix", "size", "threads")
OPTIMIZED = (*INSTANT, "style_size", "evaluations", "style_mask")
"""Options that frames have, with and without --instant."""

PERIOD = 10.0
"""Seconds between two lines that tell how far it is."""


class Frames(NamedTuple):
    """What is to be painted, frame by frame.

    Attributes:
        names: of the photos, or of the one film.
        film: if it is one.
    """

    names: Sequence[str]
    film: Film | None

    @property
    def number(self) -> int:
        """How many frames there are, 0 where nobody knows."""
        return self.film.frames if self.film else len(self.names)

    def read(self) -> Iterator[Any]:
        """Return the frames, as `stylize` takes photos."""
        if self.film:
            return read_frames(self.film)
        return map(read_from, self.names)


def has_frames(photos: Sequence[str], options: Mapping[str, Any]) -> bool:
    """Return whether photos are frames of a moving picture."""
    return "frames" in options or any(map(is_film, photos))


def paint_film(
    photos: Sequence[str],
    typed: Typed,
    options: Mapping[str, Any],
    output: str | None,
) -> int:
    """Paint frames, each so that it follows the one before.

    Args:
        photos: in their order; or one film.
        typed: with the styles.
        options: as `cli.painting.paint` has them, with `frames`.
        output: a film's file, or a folder.

    Returns:
        The exit status, as `cli.painting.paint` has it. What was painted
        before an interrupt or an error is kept.
    """
    began, done = time.monotonic(), 0
    target: Path | None = None
    with signals_interrupt():
        try:
            frames = _frames_of(photos)
            paintings = _paintings(frames, typed, options)
            target = _target(frames, typed, options, output)

            def told() -> Iterator[Tensor]:
                nonlocal done
                due = began
                for painting in paintings:
                    yield painting
                    done += 1  # it is saved by now
                    if time.monotonic() >= due + PERIOD:
                        due = time.monotonic()
                        say(_how_far(done, frames.number, due - began))
                ignore_signals()  # nothing cuts the saving short

            if target.is_dir():
                _save_each(told(), frames, typed, target)
            else:
                rate = frames.film.rate if frames.film else USUAL_RATE
                film, target = target, _if_it_ends_early(target)
                write_film(film, told(), rate, frames.film, unfinished=target)
                target = film
        except KeyboardInterrupt:
            say(f"interrupted; {_painted(done, target)}")
            return INTERRUPTED
        except Exception as error:
            if done:
                say(f"broken off; {_painted(done, target)}")
            return refuse(error)
    if not done:
        say("error: there was no frame in it")
        return FAILED
    say(f"{_so_many(done)} in {clock(time.monotonic() - began)}")
    with suppress(OSError):
        print(target, flush=True)
    return 0


def _if_it_ends_early(film: Path) -> Path:
    """Return where a part of a film goes: the one that is there stays."""
    if not film.exists():
        return film
    return next(each for each in beside(film) if not each.exists())


def _frames_of(photos: Sequence[str]) -> Frames:
    films = [each for each in photos if is_film(each)]
    if films and len(photos) > 1:
        raise ValueError(
            f"{films[0]!r} is a film; give it alone, for its frames are what "
            "is painted"
        )
    return Frames(photos, open_film(films[0]) if films else None)


def _paintings(
    frames: Frames, typed: Typed, options: Mapping[str, Any]
) -> Iterator[Tensor]:
    at_once = "instant" in options
    taken = INSTANT if at_once else OPTIMIZED
    if others := [
        name for name in options if name not in (*taken, "instant", "frames")
    ]:
        raise ValueError(
            f"frames of a moving picture have no {flags(others)}; they take "
            f"{flags(taken)}"
        )
    settings = {
        name: options[name]
        for name in ("strength", "size", "style_size", "evaluations")
        if name in options
    }
    if at_once:
        if frames.film is not None:
            longer = max(frames.film.width, frames.film.height)
            settings.setdefault("size", min(LARGEST, longer))
        return instant_frames(
            frames.read(), weighted_styles(typed), **settings
        )
    if "evaluations" in settings:
        settings["following"] = max(1, settings["evaluations"] // 2)
    style, _ = read_styles(typed, options)
    return stylize_frames(frames.read(), style, **settings)


def _target(
    frames: Frames,
    typed: Typed,
    options: Mapping[str, Any],
    output: str | None,
) -> Path:
    """Return the file or the folder that frames go to."""
    name, sources = frames.names[0], sources_of(typed, options)
    if output is not None and is_film(output):
        return choose_target(
            name, typed.styles, output, sources, suffixes=WRITTEN
        )
    if output is None and frames.film is not None:
        own = Path(name).suffix.lower()
        end = own if own in WRITTEN else WRITTEN[-1]
        target = free_name(name, typed.styles, suffix=end)
        ensure_writable(target, WRITTEN)
        return target
    try:
        folder = choose_folder(output, several=True)
    except ImageError as error:
        if output is not None and not output.endswith(("/", os.sep)):
            raise ImageError(
                f"{output!r}: frames go to a film ({', '.join(WRITTEN)}), or "
                "to a folder, with a slash at its end, as in -o painted/"
            ) from error
        raise
    assert folder is not None  # several pictures have one
    return folder


def _save_each(
    paintings: Iterator[Tensor], frames: Frames, typed: Typed, folder: Path
) -> None:
    """Save paintings under their frames' names, or numbered."""
    if frames.film is not None:
        stem = _free_stem(frames.names[0], typed.styles, folder)
        for number, painting in enumerate(paintings, 1):
            save_image(painting, f"{stem}-{number:05}.png")
        return
    targets = _free_together(frames.names, typed.styles, folder)
    rows = zip(paintings, frames.names, targets, strict=True)
    for painting, name, path in rows:
        longer = max(painting.shape[2:])
        alpha = unread(read_from(name), "a frame").alpha(longer)
        if alpha is not None and alpha.shape[2:] != painting.shape[2:]:
            alpha = resize_to(alpha, *painting.shape[2:])
        if path.exists():  # two frames of one name, of two folders
            path = free_name(name, typed.styles, folder)
        save_image(painting, path, alpha=alpha)


def _free_stem(film: str, styles: Sequence[str], folder: Path) -> Path:
    """Return how names of frames begin, where no film before has such."""
    taken = {
        found[1]
        for each in folder.iterdir()
        if (found := re.fullmatch(r"(.+)-\d{5,}\.png", each.name))
    }
    stems = numbered(film, styles, folder, suffix="")
    return next(stem for stem in stems if stem.name not in taken)


def _free_together(
    names: Sequence[str], styles: Sequence[str], folder: Path
) -> tuple[Path, ...]:
    """Return files of one number for all frames, of which none is there."""
    rows = zip(
        *(numbered(name, styles, folder) for name in names), strict=True
    )
    return next(row for row in rows if not any(p.exists() for p in row))


def _how_far(done: int, count: int, seconds: float) -> str:
    if count <= done:
        return _so_many(done)
    left = seconds / done * (count - done)
    return f"{done} of {count} frames, {clock(left)} left"


def _painted(count: int, target: Path | None) -> str:
    """Return how many frames there are, and where."""
    verb = "is" if count == 1 else "are"
    where = f", in {str(target)!r}" if count and target is not None else ""
    return f"{_so_many(count)} {verb} painted{where}"


def _so_many(count: int) -> str:
    return f"{count} frame{'s' * (count != 1)}"
