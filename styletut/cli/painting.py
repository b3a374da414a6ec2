"""Runs of the command line: pictures read, painted, and never lost."""

import math
import tempfile
import time
import traceback
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
    OUTCOMES,
    STATUS,
    ignore_signals,
    memory_advice,
    out_of_memory,
    outcome_of,
    refuse,
    signals_interrupt,
    summary,
)
from styletut.cli.filming import has_frames, paint_film
from styletut.cli.instantly import paint_instantly
from styletut.cli.preview import preview
from styletut.cli.progress import progress, say
from styletut.cli.repeats import (
    beside_what_is_finished,
    digests,
    painted_before,
)
from styletut.cli.streams import STREAM, read_from, write_out
from styletut.cli.targets import (
    choose_folder,
    choose_target,
    is_folder,
    passed_over,
    photos_of,
    take_name,
)
from styletut.images import ImageError, save_image
from styletut.images.saving import check_fits, encoded
from styletut.transfer.checkpoint import CheckpointWarning
from styletut.transfer.coarse_to_fine import Run, prepare, steps_of
from styletut.transfer.resuming import Checkpoint
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
            weights to mix: names of sample pictures, paths, URLs, or "-" for
            standard input; a photo may be a folder of them, or a film.
        output: where to; "-" for standard output, None for a new file in the
            current folder.
        options: settings of a run as they were typed: layers as text, the
            start as a name, path or URL; `mix`, weights of styles as text;
            `frames`, if photos are frames of a film; `mask` and
            `style_mask`, pairs of names; `threads`, which torch has been
            told, for the command that repeats the run; `preview`, a file
            for the picture as it grows; and `checkpoint` and `resume`, as
            `stylize` has them.

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
            photos, several = photos_of(typed.photos, output)
            if has_frames(photos, options):
                return paint_film(photos, typed, options, output)
            folder = choose_folder(output, several)
            kept = _kept(options, several)
            grown = _grown(photos, typed, options)
            for line in passed_over(typed.photos):
                say(line)
        except (ValueError, OSError) as error:
            return refuse(error)
        one = _Painting(typed, output, folder, options, grown, kept)
        return _one_by_one(photos, one)


def _kept(options: dict[str, Any], several: bool) -> dict[str, Any]:
    """Take out of the options what is to be kept of a run.

    Raises:
        ValueError: if that cannot be.
    """
    names = ("checkpoint", "resume")
    kept = {name: options.pop(name) for name in names if name in options}
    file = kept.get("checkpoint")
    if kept and file is None:
        raise ValueError(
            "--resume goes on from a checkpoint: name its file, too, as in "
            "--checkpoint night.safetensors --resume"
        )
    if kept and "instant" in options:
        raise ValueError(
            "--instant takes a second and has no --checkpoint; leave it out"
        )
    if file and several and not is_folder(file):
        raise ValueError(
            "several photos need a folder for their checkpoints: give one, "
            "with a slash at its end, as in --checkpoint kept/"
        )
    return kept


def _grown(
    photos: Sequence[str], typed: Typed, options: dict[str, Any]
) -> Path | None:
    """Take the file of the growing picture out of the options.

    Raises:
        ImageError: if it cannot be written, or is one of the pictures.
    """
    if "instant" in options:  # which says that it has none
        return None
    grown: str | None = options.pop("preview", None)
    if grown is None:
        return None
    sources = (*photos, *sources_of(typed, options))
    return choose_target(photos[0], typed.styles, grown, sources)


class _Painting(NamedTuple):
    """What is the same for all photos of a command."""

    typed: Typed
    output: str | None
    folder: Path | None
    options: Mapping[str, Any]
    grown: Path | None
    kept: Mapping[str, Any]

    @property
    def named(self) -> bool:
        """Whether the picture's file was named; else the name is ours."""
        return self.output is not None and self.folder is None

    def target(self, photo: str) -> Path | None:
        """Return where a photo's picture will go; see `choose_target`.

        None is standard output.
        """
        if self.output == STREAM:
            return None
        return choose_target(
            photo,
            self.typed.styles,
            self.output,
            sources_of(self.typed, self.options),
            self.folder,
        )

    @contextmanager
    def taken(self, photo: str, target: Path | None) -> Iterator[Path | None]:
        """Take a name now that nobody has given, and give it back unused.

        A run beside this one may have taken the target meanwhile.
        """
        if target is None or self.named:
            yield target
            return
        with suppress(OSError):  # the folder is gone: saving tells of it
            target = take_name(photo, self.typed.styles, self.folder)
        try:
            yield target
        finally:
            with suppress(OSError):
                if target.stat().st_size == 0:
                    target.unlink()

    def watch(self) -> Callable[[Step], None]:
        """Return what is to see each step beside the progress bar."""
        if self.grown is None:
            return lambda step: None
        return preview(self.grown)

    def prepare(self, photo: str, vgg: VGG19 | None) -> Run:
        """Read the pictures and settle the run."""
        style, masks = read_styles(self.typed, self.options)
        return prepare(
            read_from(photo),
            style,
            masks=masks,
            vgg=vgg,
            **self.kept,
            **read_settings(self.options),
        )

    def text(self, photo: str) -> dict[str, str]:
        """Return text fields that say what was typed."""
        return {
            **names_told(photo, self.typed),
            **digests(photo, self.typed, self.options),
            "command": repeat_command(photo, self.typed, self.options),
        }


def _one_by_one(photos: Sequence[str], one: _Painting) -> int:
    """Paint each photo, by one network; return the highest exit status."""
    came: dict[str, list[str]] = {name: [] for name in OUTCOMES}
    status, vgg = 0, None
    try:
        for number, photo in enumerate(photos, 1):
            if len(photos) > 1:
                say(f"{number} of {len(photos)}: {photo}")
            if before := _painted_before(photo, one):
                say(
                    f"{str(before)!r} is there already, from the same "
                    "command; to paint it again, remove it"
                )
                _tell(before)
                came["there already"].append(photo)
                continue
            try:
                if "instant" in one.options:
                    own = _paint_at_once(photo, one)
                else:
                    own, vgg = _paint(photo, one, vgg)
            except Exception:  # nobody foresaw it
                if len(photos) == 1:
                    raise
                traceback.print_exc()
                own = FAILED
            status = max(status, own)
            came[outcome_of(own)].append(photo)
            if own == INTERRUPTED:
                break
    except KeyboardInterrupt:  # between two photos
        say("interrupted")
        status = INTERRUPTED
    if len(photos) > 1:
        say(summary(came, len(photos)))
    return status


def _painted_before(photo: str, one: _Painting) -> Path | None:
    """Return the picture that is there already, in a folder of results."""
    if one.folder is None:
        return None
    return painted_before(photo, one.typed, one.options, one.folder)


def _paint(
    photo: str, one: _Painting, vgg: VGG19 | None
) -> tuple[int, VGG19 | None]:
    """Paint a photo; return the exit status, and the network for the next."""
    began = time.monotonic()
    with signals_interrupt():
        try:
            target = one.target(photo)
            watch = one.watch()
            fields = one.text(photo)  # of the files as they are read now
            run = one.prepare(photo, vgg)
            if target is not None:
                check_fits(target.suffix, *run.plan.finest.shape)
                _check_apart(target, run.checkpoint)
            _tell_checkpoint(run.checkpoint)
            finished = _follow(run, watch)
        except KeyboardInterrupt:
            say("interrupted before there was a picture; nothing is written")
            return INTERRUPTED, vgg
        except Exception as error:
            return refuse(error), vgg
        text = {**run.text(), **fields, **_outcome_text(finished)}
        alpha = run.pictures.alpha_like(finished.best.image)
        if run.checkpoint is not None:
            _tell_how_to_go_on(run.checkpoint, finished)
        if target is not None and one.named and not _ended(finished):
            target = _not_over_finished(target)
        with one.taken(photo, target) as place:
            status = _finish(finished, place, text, alpha, began)
        if run.checkpoint is not None and _ended(finished) and status == 0:
            run.checkpoint.remove()
        return status, run.vgg


def _check_apart(target: Path, checkpoint: Checkpoint | None) -> None:
    """Refuse one file for the picture and for the checkpoint.

    Raises:
        ImageError: if a link makes it one.
    """
    if checkpoint is not None and target.resolve() == checkpoint.path:
        raise ImageError(
            f"{str(target)!r} is also the checkpoint, which goes when the "
            "picture is saved. Name another file."
        )


def _not_over_finished(target: Path) -> Path:
    """Return where a picture goes whose run was stopped, and say why there."""
    place = beside_what_is_finished(target)
    if place != target:
        say(f"{str(target)!r} has a finished picture, which stays")
    return place


def _tell_checkpoint(checkpoint: Checkpoint | None) -> None:
    """Say where a run goes on that goes on."""
    if checkpoint is not None and checkpoint.done:
        done = f"{checkpoint.done} evaluation{'s' * (checkpoint.done != 1)}"
        say(f"goes on from {str(checkpoint.path)!r}, after {done}")


def _tell_how_to_go_on(checkpoint: Checkpoint, finished: Finished) -> None:
    """Say that a run which was stopped can go on, where it can."""
    if not _ended(finished) and checkpoint.nbytes:
        say(
            f"the checkpoint {str(checkpoint.path)!r} "
            f"({checkpoint.nbytes / 1e6:.0f} MB) keeps its place: the same "
            "command with --resume goes on"
        )


def _ended(finished: Finished) -> bool:
    """Whether nothing stopped a run from without."""
    interrupted = finished.ending.stopped == "interrupted"
    return finished.crash is None and not interrupted


def _paint_at_once(photo: str, one: _Painting) -> int:
    """Paint a photo in one pass; return the exit status."""
    began = time.monotonic()
    with signals_interrupt():
        try:
            target = one.target(photo)
            fields = one.text(photo)
            picture = paint_instantly(photo, one.typed, one.options)
            ignore_signals()
        except KeyboardInterrupt:
            say("interrupted before there was a picture; nothing is written")
            return INTERRUPTED
        except Exception as error:
            return refuse(error)
        text = {**picture.text, **fields}
        with one.taken(photo, target) as place:
            try:
                path = _save(picture.image, place, text, picture.alpha)
            except (ImageError, OSError) as error:
                return refuse(error)
    height, width = picture.image.shape[2:]
    say(f"{width} x {height} pixels in {time.monotonic() - began:.1f} seconds")
    _tell(path)
    return FAILED if path != place else 0


def _follow(run: Run, watch: Callable[[Step], None]) -> Finished:
    """Run to the end, or until something stops it once there is a picture."""
    with progress(run.plan.schedule) as show:

        def see(step: Step) -> None:
            watch(step)
            show(step)

        try:
            return run_to_end(warned(steps_of(run)), see, *run.before())
        finally:
            ignore_signals()  # from here on nothing cuts the saving short


def _finish(
    finished: Finished,
    target: Path | None,
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
    except (ImageError, OSError) as error:
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
    _tell(path)
    if crash is None:
        return FAILED if path != target else STATUS[ending.stopped]
    if out_of_memory(crash):
        say(f"error: {memory_advice()}")
        return FAILED
    raise crash


def _tell(path: Path | None) -> None:
    """Print where a picture is, if it is in a file."""
    if path is not None:
        with suppress(OSError):  # nobody reads it: the picture is what counts
            print(path, flush=True)


def _save(
    image: Tensor,
    target: Path | None,
    text: Mapping[str, str],
    alpha: Tensor | None,
) -> Path | None:
    """Save where it was asked for or, if that fails now, where it can be.

    Args:
        image: (1, 3, H, W) in [0, 1].
        target: None for standard output.
        text: fields.
        alpha: how opaque it is.

    Returns:
        Where it is.

    Raises:
        ImageError: if it can be nowhere.
        OSError: the same.
    """
    try:
        if target is None:
            write_out(encoded(image, ".png", text, alpha))
        else:
            save_image(image, target, text, alpha)
        return target
    except (ImageError, OSError) as error:
        name = target.with_suffix(".png").name if target else "picture.png"
        try:
            refuge = Path(tempfile.mkdtemp(prefix="styletut-")) / name
            save_image(image, refuge, text, alpha)
        except (OSError, ImageError):
            raise error from None
        say(f"error: {error} The picture is kept in {str(refuge)!r}.")
        return refuge


def _outcome_text(finished: Finished) -> dict[str, str]:
    """How a run ended; no date, so a rerun gives the same bits."""
    stopped = "crashed" if finished.crash else finished.ending.stopped
    return {
        "stopped": stopped,
        "evaluations_done": str(finished.history[-1].evaluations),
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
        for each in (StoppedEarly, CheckpointWarning):
            warnings.simplefilter("always", each)
        warnings.showwarning = show
        yield
