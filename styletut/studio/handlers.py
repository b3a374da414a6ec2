"""What happens when something on the page is pressed.

Each function here makes a handler, which Gradio calls with what is set on the
page and the request of the visitor.
"""

import secrets
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from styletut.images import (
    SAMPLES,
    ImageError,
    fit,
    resize,
    resize_mask,
    save_image,
    to_pil,
)
from styletut.images.loading import unread
from styletut.images.samples import names_of
from styletut.studio.choices import SIZES, Choices, title
from styletut.studio.layout import (
    EXAMPLE,
    REGION,
    Chosen,
    Controls,
    Shown,
    small,
)
from styletut.studio.painting import Painting, sheet
from styletut.studio.visits import Kept, Studio, Visit, as_shown
from styletut.studio.wording import (
    FULL,
    GONE,
    IN_THE_QUEUE,
    LEFT,
    NO_PHOTO,
    NO_SECOND,
    OWN,
    READY,
    STOPPING,
    growing,
    is_foreseen,
    note_of,
    problem,
    reason,
    sizes,
    style_told,
    told,
)

SHEET = 320
"""Longer side in pixels of a photo that is painted in all styles."""

Updates = Mapping[Any, Any]
Handler = Callable[..., Any]


def visit_of(studio: Studio, request: gr.Request) -> Visit:
    """Return the visit that a request belongs to.

    Raises:
        gr.Error: for a request that names none.
    """
    if request.session_hash is None:
        raise gr.Error("this page must be opened", print_exception=False)
    return studio.visit(str(request.session_hash))


# Choosing a photo and a style


def take_photo(studio: Studio) -> Handler:
    """Take what was uploaded, or say why not and change nothing."""

    def taken(file: str | None, request: gr.Request) -> Sequence[Any]:
        visit = visit_of(studio, request)
        if file is None:
            visit.photo = None
            return gr.skip(), told(READY), gr.skip(), None
        own = visit.take(file)
        try:
            return _with_photo(studio, visit, own)
        except ImageError as error:
            why = reason(error, [own])
            Path(own).unlink(missing_ok=True)
            kept = photo_file(studio, visit.photo)
            no = problem(f"This photo cannot be used: {why}")
            return kept, no, gr.skip(), gr.skip()

    return taken


def take_sample(studio: Studio) -> Handler:
    """Take a sample photo."""

    def taken(event: gr.SelectData, request: gr.Request) -> Sequence[Any]:
        visit = visit_of(studio, request)
        return _with_photo(studio, visit, names_of("content")[event.index])

    return taken


def _with_photo(studio: Studio, visit: Visit, photo: str) -> Sequence[Any]:
    """Return photo, status, sizes and brush with a photo.

    Raises:
        ImageError: if it cannot be read; the visit is as it was.
    """
    opened = unread(photo, "the photo")
    picture = resize(opened.read(REGION), REGION)
    visit.photo = photo
    return (
        photo_file(studio, photo, picture),
        told(f"The photo: {title(photo)}. Press Paint."),
        gr.update(choices=sizes(studio.pace, opened.shape)),
        under_brush(picture),
    )


def under_brush(picture: Tensor) -> Mapping[str, Any]:
    """Return a photo as the brush takes it, without a stroke."""
    pixels = np.asarray(to_pil(picture))
    return {"background": pixels, "layers": [], "composite": None}


def photo_file(
    studio: Studio, photo: str | None, picture: Tensor | None = None
) -> str | None:
    """Return a file that shows a photo in any browser.

    Args:
        studio: where.
        photo: a sample's name, a file, or nothing.
        picture: the same, if it has been read.
    """
    if photo is None:
        return None
    if photo in SAMPLES:
        return small(studio, photo, REGION)
    file = Path(f"{photo}-shown.jpg")
    if not file.exists():
        shown = as_shown(photo, REGION) if picture is None else picture
        save_image(shown, file)
    return str(file)


def name_style(studio: Studio) -> Handler:
    """Take a sample style."""

    def named(event: gr.SelectData, request: gr.Request) -> Sequence[Any]:
        visit = visit_of(studio, request)
        visit.style = names_of("style")[event.index]
        line = told(f"The style: {title(visit.style)}. Press Paint.")
        return style_told(visit.style), line

    return named


def take_style(studio: Studio) -> Handler:
    """Take an uploaded style, or say why not and change nothing."""

    def taken(file: str | None, request: gr.Request) -> Sequence[Any]:
        visit = visit_of(studio, request)
        if file is None:
            if visit.style == visit.own_style:
                visit.style = EXAMPLE[1]
            visit.own_style = None
            return style_told(visit.style), told(READY), gr.skip()
        own = visit.take(file)
        try:
            shown_file = photo_file(studio, own)
        except ImageError as error:
            why = reason(error, [own])
            Path(own).unlink(missing_ok=True)
            kept = photo_file(studio, visit.own_style)
            no = problem(f"This style picture cannot be used: {why}")
            return gr.skip(), no, kept
        visit.style = visit.own_style = own
        line = told(f"The style: {title(own)}. Press Paint.")
        return style_told(own), line, shown_file

    return taken


# Asking for a picture


def ask(studio: Studio, shown: Shown) -> Handler:
    """Note what is to be painted, as it is set when Paint is pressed."""

    def asked(request: gr.Request, *set_to: Any) -> Updates:
        visit = visit_of(studio, request)
        visit.stop.clear()
        try:
            visit.asked = choices(visit, Controls(*set_to))
        except ValueError as error:
            visit.asked = None
            return {shown.status: problem(reason(error)), **idle(shown, visit)}
        return waiting(shown)

    return asked


def ask_again(
    studio: Studio, shown: Shown, chosen: Chosen, controls: Controls
) -> Handler:
    """Note the picture that is seen, and set the page as it was for it."""

    def asked(request: gr.Request) -> Updates:
        visit = visit_of(studio, request)
        if visit.seen is None:  # as a program may ask; the button is off
            return {shown.status: problem(NO_PHOTO), **idle(shown, visit)}
        visit.stop.clear()
        own = visit.asked = visit.seen.choices
        visit.photo, visit.style = own.photo, own.style
        second = own.second or ""
        if second and second not in SAMPLES:
            visit.own_style, second = second, OWN
        (size,) = (name for name, n in SIZES.items() if n == own.size)
        shape = unread(own.photo, "the photo").shape
        named = sizes(studio.pace, shape)
        return {
            chosen.photo: photo_file(studio, own.photo),
            chosen.style: style_told(own.style),
            chosen.own_style: photo_file(studio, visit.own_style),
            controls.second: second,
            controls.share: own.share,
            controls.strength: own.strength,
            controls.stroke: own.stroke,
            controls.own_colors: own.own_colors,
            controls.size: gr.update(choices=named, value=size),
            controls.region: under_brush(as_shown(own.photo, REGION)),
            **waiting(shown),
        }

    return asked


def choices(visit: Visit, set_to: Controls) -> Choices:
    """Return what is chosen.

    Raises:
        ValueError: if there is no photo, or no second style of one's own.
    """
    if visit.photo is None:
        raise ValueError(NO_PHOTO)
    second = set_to.second or None
    if second == OWN:
        second = visit.own_style
        if second is None:
            raise ValueError(NO_SECOND)
    return Choices(
        photo=visit.photo,
        style=visit.style,
        second=second,
        share=float(set_to.share),
        region=region_file(visit, set_to.region),
        strength=float(set_to.strength),
        stroke=set_to.stroke,
        own_colors=bool(set_to.own_colors),
        size=SIZES[set_to.size],
    )


def region_file(visit: Visit, drawn: Any) -> str | None:
    """Store what was brushed as a mask of the photo; None if nothing was."""
    layers = (drawn or {}).get("layers") or []
    strokes = [each[..., 3] > 0 for each in layers if each.ndim == 3]
    if not any(each.any() for each in strokes):
        return None
    mask = torch.from_numpy(np.any(strokes, axis=0)).float()
    assert visit.photo is not None
    shape = fit(*unread(visit.photo, "the photo").shape, REGION)
    return visit.mask(resize_mask(mask, *shape))


# Painting


def paint(studio: Studio, shown: Shown) -> Callable[..., Iterator[Updates]]:
    """Paint what was asked for, and show the picture as it comes."""

    def painted(request: gr.Request) -> Iterator[Updates]:
        visit = visit_of(studio, request)
        asked, visit.asked = visit.asked, None
        if asked is None:  # nothing could be asked for, and that was said
            yield {shown.status: gr.skip()}
            return
        job, trouble = Painting(asked, studio.vgg), ""
        yield {shown.status: told("It begins."), **busy(shown)}
        before = photo_file(studio, asked.photo)
        try:
            for view in job.views():
                if visit.stop.is_set():
                    break
                yield {
                    shown.result: (before, to_pil(view.image)),
                    shown.status: growing(view),
                }
        except Exception as error:
            if not is_foreseen(error):
                traceback.print_exc()
            files = (asked.photo, asked.style, asked.second, asked.region)
            trouble = reason(error, files)
        try:
            yield _finished(visit, shown, job, trouble)
        except ImageError as error:  # such as a full disk
            yield {shown.status: problem(str(error)), **idle(shown, visit)}

    return painted


def _finished(
    visit: Visit, shown: Shown, job: Painting, trouble: str
) -> Updates:
    """Keep the picture of a job, and show how it ended."""
    kept = keep(visit, job)
    if kept is None:
        line = problem(trouble) if trouble else told(LEFT)
        return {shown.status: line, **idle(shown, visit)}
    seen = seen_of(visit, shown, kept)
    if trouble:
        line = problem(f"Broken off: {trouble} {kept.note}")
        return {**seen, shown.status: line, **idle(shown, visit)}
    return {**seen, **idle(shown, visit)}


def keep(visit: Visit, job: Painting) -> Kept | None:
    """Store what a job has painted; None if that is nothing."""
    painted = job.painted()
    if painted is None:
        return None
    return visit.keep(job.choices, painted, note_of(painted))


def stop(studio: Studio, shown: Shown) -> Handler:
    """Let a painting end after the step that it is at."""

    def stopped(request: gr.Request) -> Updates:
        visit_of(studio, request).stop.set()
        return {
            shown.status: told(STOPPING),
            shown.stop: gr.update(interactive=False),
        }

    return stopped


def leave_queue(studio: Studio, shown: Shown) -> Handler:
    """Show that a turn is given back; Gradio has taken the job out."""

    def left(request: gr.Request) -> Updates:
        visit = visit_of(studio, request)
        visit.asked = None
        return {shown.status: told(LEFT), **idle(shown, visit)}

    return left


def failed(studio: Studio, shown: Shown) -> Handler:
    """Let Paint be pressed again after a failure, or when the queue is full.

    Gradio calls a turn that was given back a failure, too.
    """

    def said(request: gr.Request) -> Updates:
        visit = visit_of(studio, request)
        waited, visit.asked = visit.asked, None
        line = problem(FULL) if waited is not None else gr.skip()
        return {shown.status: line, **idle(shown, visit)}

    return said


# Looking


def look(studio: Studio, shown: Shown) -> Handler:
    """Show a picture out of the history."""

    def seen(event: gr.SelectData, request: gr.Request) -> Updates:
        visit = visit_of(studio, request)
        if event.index >= len(visit.kept):  # after a night's sleep
            return {shown.status: problem(GONE), shown.history: []}
        updates = dict(seen_of(visit, shown, visit.kept[event.index]))
        del updates[shown.history]  # which stays as it is
        return updates

    return seen


def all_styles(studio: Studio, pictures: Any, shown: Shown) -> Handler:
    """Show the photo in every style, one after another."""

    def painted(request: gr.Request) -> Iterator[Updates]:
        visit = visit_of(studio, request)
        if visit.photo is None:
            yield {shown.status: problem(NO_PHOTO)}
            return
        made = []
        # of a new name each time, for a browser keeps what it has seen
        shutil.rmtree(visit.sheet, ignore_errors=True)
        visit.sheet = visit.folder / secrets.token_hex(8)
        visit.sheet.mkdir()
        try:
            for name, picture in sheet(visit.photo, SHEET):
                file = visit.sheet / f"{name}.jpg"
                save_image(picture, file)
                made.append((str(file), title(name)))
                yield {pictures: gr.update(value=made, visible=True)}
        except ImageError as error:
            yield {shown.status: problem(reason(error, [visit.photo]))}
            return
        line = told("Choose one of the pictures, then press Paint.")
        yield {shown.status: line}

    return painted


def seen_of(visit: Visit, shown: Shown, kept: Kept) -> Updates:
    """Return what the page shows of a finished picture."""
    visit.seen = kept
    region = kept.choices.region
    return {
        shown.result: (str(kept.before), str(kept.png)),
        shown.status: told(f"{kept.note} {kept.choices.in_words()}."),
        shown.png: gr.update(value=str(kept.png), interactive=True),
        shown.jpeg: gr.update(value=str(kept.jpeg), interactive=True),
        shown.region: gr.update(value=region, visible=region is not None),
        shown.command: kept.choices.command(),
        shown.code: kept.choices.code(),
        shown.history: [
            (str(each.png), each.choices.in_words()) for each in visit.kept
        ],
    }


def waiting(shown: Shown) -> Updates:
    """Return what the page shows until a job's turn comes."""
    return {
        shown.status: told(IN_THE_QUEUE),
        shown.paint: gr.update(interactive=False),
        shown.again: gr.update(interactive=False),
        shown.leave: gr.update(visible=True),
    }


def busy(shown: Shown) -> Updates:
    """Return what can be pressed while a picture is painted."""
    return {
        shown.leave: gr.update(visible=False),
        shown.stop: gr.update(interactive=True),
    }


def idle(shown: Shown, visit: Visit) -> Updates:
    """Return what can be pressed while nothing is painted."""
    return {
        shown.paint: gr.update(interactive=True),
        shown.again: gr.update(interactive=visit.seen is not None),
        shown.leave: gr.update(visible=False),
        shown.stop: gr.update(interactive=False),
    }
