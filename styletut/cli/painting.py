"""Runs of the command line: pictures read, painted, and never lost."""

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from torch import Tensor

from styletut.cli.arguments import (
    Typed,
    names_told,
    read_settings,
    read_styles,
    repeat_command,
    sources_of,
    tell_apart,
)
from styletut.cli.ending import (
    FAILED,
    INTERRUPTED,
    STATUS,
    ignore_signals,
    memory_advice,
    out_of_memory,
    refuse,
    signals_interrupt,
)
from styletut.cli.filming import has_frames, paint_film
from styletut.cli.instantly import paint_instantly
from styletut.cli.preview import preview
from styletut.cli.progress import progress, say
from styletut.cli.targets import choose_folder, choose_target, photos_of
from styletut.images import ImageError, save_image
from styletut.transfer.coarse_to_fine import Run, prepare, steps_of
from styletut.transfer.steps import (
    Finished,
    Step,
    StoppedEarly,
    run_to_end,
    warned,
)
from styletut.vgg import VGG19


def paint(
    pictures: Sequence[str], output: str | None, options: Mapping[str, Any]
) -> int:
    """Stylize pictures as the command line asks, and save the results.

    Args:
        pictures: photos, and last the style, or as many styles as there are
            weights to mix: names of sample pictures, paths, URLs; a photo
            may be a folder of them, or a film.
        output: where to; None for a new file in the current folder.
        options: settings of a run as they were typed: layers as text, the
            start as a name, path or URL; `mix`, weights of styles as text;
            `frames`, if photos are frames of a film; `mask` and
            `style_mask`, pairs of names; `threads`, which torch has been
            told, for the command that repeats the run; and `preview`, a
            file for the picture as it grows.

    Returns:
        The exit status: 0 for a picture, 1 for a run that broke off (its
        best picture is saved), 2 for bad input, 130 for an interrupt. Of
        several photos each is tried until an interrupt, and the highest of
        their statuses is returned.
    """
    options = dict(options)
    with _plain_warnings():
        try:
            typed = tell_apart(pictures, options.get("mix"))
            photos, several = photos_of(typed.photos)
            if has_frames(photos, options):
                return paint_film(photos, typed, options, output)
            folder = choose_folder(output, several)
        except (ValueError, OSError) as error:
            return refuse(error)
        grown: str | None = options.pop("preview", None)
        one = _Painting(typed, output, folder, options, grown)
        return _one_by_one(photos, one)


class _Painting(NamedTuple):
    """What is the same for all photos of a command."""

    typed: Typed
    output: str | None
    folder: Path | None
    options: Mapping[str, Any]
    grown: str | None

    def target(self, photo: str) -> Path:
        """Return where a photo's picture will go; see `choose_target`."""
        return choose_target(
            photo,
            self.typed.styles,
            self.output,
            sources_of(self.typed, self.options),
            self.folder,
        )

    def watch(self, photo: str) -> Callable[[Step], None]:
        """Return what is to see each step beside the progress bar."""
        if self.grown is None:
            return lambda step: None
        sources = sources_of(self.typed, self.options)
        return preview(
            choose_target(photo, self.typed.styles, self.grown, sources)
        )

    def prepare(self, photo: str, vgg: VGG19 | None) -> Run:
        """Read the pictures and settle the run."""
        style, masks = read_styles(self.typed, self.options)
        settings = read_settings(self.options)
        return prepare(photo, style, masks=masks, vgg=vgg, **settings)


def _one_by_one(photos: Sequence[str], one: _Painting) -> int:
    """Paint each photo, by one network; return the highest exit status."""
    status, vgg = 0, None
    try:
        for number, photo in enumerate(photos, 1):
            if len(photos) > 1:
                say(f"{number} of {len(photos)}: {photo}")
            if "instant" in one.options:
                came = _paint_at_once(photo, one)
            else:
                came, vgg = _paint(photo, one, vgg)
            status = max(status, came)
            if came == INTERRUPTED:
                break
    except KeyboardInterrupt:  # between two photos
        say("interrupted")
        return INTERRUPTED
    return status


def _paint(
    photo: str, one: _Painting, vgg: VGG19 | None
) -> tuple[int, VGG19 | None]:
    """Paint a photo; return the exit status, and the network for the next."""
    began = time.monotonic()
    with signals_interrupt():
        try:
            target = one.target(photo)
            watch = one.watch(photo)
            run = one.prepare(photo, vgg)
            finished = _follow(run, watch)
        except KeyboardInterrupt:
            say("interrupted before there was a picture; nothing is written")
            return INTERRUPTED, vgg
        except Exception as error:
            return refuse(error), vgg
        if target.exists() and (one.output is None or one.folder is not None):
            target = one.target(photo)  # a run beside this one took it
        text = {**run.text(), **_text(photo, one, finished)}
        alpha = run.pictures.alpha_like(finished.best.image)
        return _finish(finished, target, text, alpha, began), run.vgg


def _paint_at_once(photo: str, one: _Painting) -> int:
    """Paint a photo in one pass; return the exit status."""
    began = time.monotonic()
    with signals_interrupt():
        try:
            target = one.target(photo)
            picture = paint_instantly(photo, one.typed, one.options)
            ignore_signals()
        except KeyboardInterrupt:
            say("interrupted before there was a picture; nothing is written")
            return INTERRUPTED
        except Exception as error:
            return refuse(error)
        command = repeat_command(photo, one.typed, one.options)
        text = {
            **picture.text,
            **names_told(photo, one.typed),
            "command": command,
        }
        try:
            path = _save(picture.image, target, text, picture.alpha)
        except ImageError as error:
            return refuse(error)
    height, width = picture.image.shape[2:]
    say(f"{width} x {height} pixels in {time.monotonic() - began:.1f} seconds")
    with suppress(OSError):
        print(path, flush=True)
    return FAILED if path != target else 0


def _follow(run: Run, watch: Callable[[Step], None]) -> Finished:
    """Run to the end, or until something stops it once there is a picture."""
    with progress(run.plan.schedule) as show:

        def see(step: Step) -> None:
            watch(step)
            show(step)

        try:
            return run_to_end(warned(steps_of(run)), see)
        finally:
            ignore_signals()  # from here on nothing cuts the saving short


def _finish(
    finished: Finished,
    target: Path,
    text: Mapping[str, str],
    alpha: Tensor | None,
    began: float,
) -> int:
    """Save the best picture, say how it went, let a crash out."""
    best, history, ending, crash = finished
    if not math.isfinite(float(best.total)):
        say("error: no picture of the run had a finite loss; none is written")
        return FAILED if crash is None else refuse(crash)
    try:
        path = _save(best.image, target, text, alpha)
    except ImageError as error:
        say(f"error: {error}")
        if crash is None:
            return FAILED
        raise crash from None
    height, width = best.image.shape[2:]
    done = history[-1].evaluations
    count = f"{done} evaluation{'s' * (done != 1)}"
    weight = f"{history[-1].terms.alpha:.3g}"  # if none is given the pair's
    picture = f"{width} x {height} pixels after {count} with alpha {weight}"
    seconds = f"{time.monotonic() - began:.1f} seconds"
    if crash is not None:
        say(f"broken off; the best picture so far is saved: {picture}")
    elif ending.stopped == "interrupted":
        say(f"interrupted; the best picture so far is saved: {picture}")
    else:
        say(f"{picture}, in {seconds}")
    with suppress(OSError):  # nobody reads it: the picture is what counts
        print(path, flush=True)
    if crash is None:
        return FAILED if path != target else STATUS[ending.stopped]
    if out_of_memory(crash):
        say(f"error: {memory_advice()}")
        return FAILED
    raise crash


def _save(
    image: Tensor,
    target: Path,
    text: Mapping[str, str],
    alpha: Tensor | None,
) -> Path:
    """Save where it was asked for or, if that fails now, where it can be."""
    try:
        save_image(image, target, text, alpha)
        return target
    except ImageError as error:
        try:
            refuge = Path(tempfile.mkdtemp(prefix="styletut-")) / target.name
            save_image(image, refuge, text, alpha)
        except (OSError, ImageError):
            raise error from None
        say(f"error: {error} The picture is kept in {str(refuge)!r}.")
        return refuge


def _text(photo: str, one: _Painting, finished: Finished) -> dict[str, str]:
    """How the picture was made; no date, so a rerun gives the same bits."""
    stopped = "crashed" if finished.crash else finished.ending.stopped
    return {
        **names_told(photo, one.typed),
        "stopped": stopped,
        "evaluations_done": str(finished.history[-1].evaluations),
        "command": repeat_command(photo, one.typed, one.options),
    }


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Print warnings as one line each, and no place in the code."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        say(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", StoppedEarly)
        warnings.showwarning = show
        yield
