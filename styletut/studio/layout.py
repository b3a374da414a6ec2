"""What is on the page, and where."""

from abc import ABCMeta
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image
from torch import Tensor

from styletut.images import SAMPLES, ImageError, sample, save_image
from styletut.images.samples import names_of
from styletut.instant import instant
from styletut.objective.balance import STRENGTHS
from styletut.studio.choices import STROKES
from styletut.studio.visits import FIRST_STYLE, Studio
from styletut.studio.wording import (
    READY,
    second_styles,
    sizes,
    style_told,
    told,
)

THUMBNAIL = 192
"""Longer side in pixels of a style or sample photo to choose from."""

REGION = 768
"""The same of the photo under the brush, and of an example."""

BRUSH = "#ff7a00"
STROKES_AS = ("PNG", "WEBP")
"""Formats in which a browser sends them."""

EXAMPLE = ("chelsea", FIRST_STYLE)

HEADER = """\
<h1>styletut studio</h1>
<p>Your photo, painted in the style of a picture, by the computer that runs
this studio.</p>
"""

CSS = """\
.gradio-container { max-width: 1360px !important; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 0; }
/* Thumbnails take the room that they need, and their names are said below. */
.picks .grid-wrap { min-height: 0; max-height: none; padding: 4px; }
.picks .grid-container {
  grid-template-columns: repeat(var(--columns), minmax(0, 1fr)) !important;
  padding-top: 0 !important; gap: 6px;
}
.picks .thumbnail-item { aspect-ratio: 1; height: auto; }
.picks .caption-label { position: absolute; clip-path: inset(50%); }
.picks { min-height: 0; }
#history:has(.empty) { display: none; }
#samples { --columns: 6; } #styles, #sheet, #history { --columns: 4; }
.status { min-height: 3.2em; }
.status p { margin: 0; }
.status progress { width: 100%; height: .8em; }
.status .problem { font-weight: 600; }
#announced {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%);
}
"""

SCRIPT = """\
() => {
  // What matters of the status is said once, and not every percent of it.
  const announced = document.createElement('div');
  announced.id = 'announced';
  announced.setAttribute('role', 'status');
  document.body.appendChild(announced);
  const name = () => {
    for (const button of document.querySelectorAll(
      '#samples button, #styles button, #sheet button, #history button')) {
      const caption = button.querySelector('.caption-label');
      const text = caption && caption.textContent.trim();
      if (text && button.getAttribute('aria-label') !== text)
        button.setAttribute('aria-label', text);
    }
    const words = ['The photo', 'The picture painted from it'];
    document.querySelectorAll('#result img').forEach((image, place) => {
      if (image.alt !== words[place % 2]) image.alt = words[place % 2];
    });
    const status = document.querySelector('#status .status');
    if (status && !status.querySelector('progress')) {
      const text = status.textContent.trim();
      if (announced.textContent !== text) announced.textContent = text;
    }
  };
  name();
  new MutationObserver(name).observe(
    document.body, {childList: true, subtree: true, characterData: true});
}
"""
"""Says to a screen reader what Gradio leaves unsaid: what each thumbnail and
picture shows, and what the status line says."""

SHOW_RESULT = """\
() => document.getElementById('result').scrollIntoView(
  {block: 'nearest', behavior: 'smooth'})
"""
"""On a narrow screen the picture lies below the button that asks for it."""


class _UploadedOnly:
    """Takes what was uploaded to this page, and no address.

    Gradio would fetch an address that a program sends in a file's place.
    """

    GRADIO_CACHE: str

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: Any
    ) -> str | None:
        if "://" in str(url_or_file_path):
            raise ImageError("pictures are uploaded here, not fetched")
        path: str | None = await super().async_move_resource_to_block_cache(  # type: ignore[misc]
            url_or_file_path
        )
        return path


class _Upload(_UploadedOnly):
    """A picture as it was uploaded: `load_image` judges what is in it."""

    def get_block_name(self) -> str:
        return "image"

    def preprocess(self, payload: Any) -> str | None:
        """Return the file's path, if it is in the folder for uploads."""
        if payload is None:
            return None
        file = Path(str(payload.path)).resolve()
        if not file.is_relative_to(Path(self.GRADIO_CACHE).resolve()):
            raise ImageError("the picture was not uploaded to this page")
        return str(file)


class _Brush(_UploadedOnly):
    """The photo under a brush, which sends no strokes before Paint."""

    def get_block_name(self) -> str:
        return "imageeditor"

    def preprocess(self, payload: Any) -> Mapping[str, Any] | None:
        """Return the strokes; nothing else of it is used."""
        if payload is None or payload.id is not None or not payload.layers:
            return None
        (layer, *others) = payload.layers
        if others:
            raise ImageError("one layer of strokes is taken, not several")
        with Image.open(layer.path, formats=STROKES_AS) as picture:
            if max(picture.size) > 4 * REGION:
                raise ImageError("the strokes are larger than the photo")
            return {"layers": [np.asarray(picture.convert("RGBA"))]}

    def accept_blobs(self, data: Any) -> None:
        """Refuse strokes in advance: nothing would free them."""
        raise ImageError("strokes come with the picture that they are for")


def _as_part(own: type, part: Any) -> Any:
    """Return a part of Gradio's with some ways of its own.

    As `class Own(own, part)` would make it, but that Gradio's metaclass then
    writes a file beside this one; its parent does not.
    """
    ways = {"__module__": __name__, "__doc__": own.__doc__}
    name = own.__name__.strip("_")
    return ABCMeta.__new__(type(part), name, (own, part), ways)


Upload = _as_part(_Upload, gr.Image)
Brush = _as_part(_Brush, gr.ImageEditor)


class Controls(NamedTuple):
    """What is set on the page, in the order in which handlers get it."""

    second: Any
    share: Any
    strength: Any
    stroke: Any
    own_colors: Any
    size: Any
    region: Any


class Chosen(NamedTuple):
    """What a photo and a style are chosen by."""

    photo: Any
    samples: Any
    styles: Any
    style: Any
    own_style: Any


class Shown(NamedTuple):
    """What a picture is shown by, and what asks for one."""

    result: Any
    status: Any
    png: Any
    jpeg: Any
    region: Any
    command: Any
    code: Any
    history: Any
    again: Any
    paint: Any
    leave: Any
    stop: Any


class Sheet(NamedTuple):
    """A photo in all styles."""

    ask: Any
    pictures: Any


def lay_out(studio: Studio) -> tuple[Chosen, Controls, Shown, Sheet]:
    """Put everything on the page that is being made.

    What everybody needs comes first: photo, style, size, Paint.
    """
    gr.HTML(HEADER)
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            chosen = _chosen(studio)
            size = gr.Radio(
                sizes(studio.pace, (3, 4)),
                value="medium",
                label="3. Size, and how long it takes here",
                elem_id="size",
            )
            with gr.Row():
                paint = gr.Button("Paint", variant="primary")
                leave = gr.Button("Leave the queue", visible=False)
                stop = gr.Button("Stop", variant="stop", interactive=False)
            controls = _controls(size)
        with gr.Column(scale=6, min_width=320):
            shown, sheet = _shown(studio, (paint, leave, stop))
    return chosen, controls, shown, sheet


def _chosen(studio: Studio) -> Chosen:
    photos, paintings = (_thumbnails(studio, k) for k in ("content", "style"))
    gr.HTML("<h2>1. Your photo, or a sample</h2>")
    photo = Upload(
        show_label=False,
        label="Your photo",
        sources=["upload", "webcam", "clipboard"],
        height=220,
        elem_id="photo",
        alt_text="The photo that was chosen",
    )
    samples = _gallery("Sample photos", "samples", photos)
    gr.HTML("<h2>2. A style, or a picture of your own</h2>")
    styles = _gallery("Styles", "styles", paintings, selected_index=0)
    style = gr.HTML(style_told(EXAMPLE[1]), elem_id="style")
    with gr.Accordion("Add a style picture of your own", open=False):
        own_style = Upload(
            label="A painting, a drawing, a pattern",
            sources=["upload", "clipboard"],
            height=200,
            elem_id="own-style",
            alt_text="The style picture that was added",
        )
    return Chosen(photo, samples, styles, style, own_style)


def _controls(size: Any) -> Controls:
    with gr.Accordion(
        "More: strength, strokes, colors, a second style", open=False
    ):
        strength = gr.Slider(
            *STRENGTHS,
            value=1,
            step=0.1,
            label="Strength: 0 is the photo, 1 the default, 2 the most",
        )
        stroke = gr.Radio(list(STROKES), value="normal", label="Strokes")
        own_colors = gr.Checkbox(label="Keep the colors of the photo")
        second = gr.Dropdown(
            second_styles(),
            value="",
            label="A second style, to mix in or to use where you brush",
        )
        share = gr.Slider(
            0, 1, value=0.5, step=0.05, label="Share of the second style"
        )
    with gr.Accordion("Only a region: brush over it", open=False):
        gr.Markdown(
            "What you brush is painted and the rest stays a photo. With a "
            "second style, what you brush gets that, and the rest the first."
        )
        region = Brush(
            label="Brush",
            type="numpy",
            sources=(),
            transforms=(),
            layers=False,
            brush=gr.Brush(
                default_size=40, colors=[BRUSH], color_mode="fixed"
            ),
            interactive=True,
            elem_id="region",
        )
    return Controls(second, share, strength, stroke, own_colors, size, region)


def _shown(
    studio: Studio, asking: tuple[Any, Any, Any]
) -> tuple[Shown, Sheet]:
    result = gr.ImageSlider(
        _example(studio),
        label="Before and after: drag the line",
        interactive=False,
        type="filepath",
        max_height=640,
        buttons=["fullscreen"],
        elem_id="result",
    )
    status = gr.HTML(told(READY), elem_id="status")
    with gr.Row():
        png = gr.DownloadButton("Download PNG", interactive=False)
        jpeg = gr.DownloadButton("Download JPEG", interactive=False)
        region = gr.DownloadButton("Download the region", visible=False)
        ask = gr.Button("Try all styles")
    pictures = _gallery(
        "Your photo in all styles: choose one", "sheet", visible=False
    )
    with gr.Accordion("Pictures of this visit", open=True):
        history = _gallery("Choose one to see it again", "history")
        again = gr.Button("Paint it again, as it was", interactive=False)
    with gr.Accordion("As a command, and as code", open=False):
        command = gr.Code(
            label="As a command",
            lines=1,
            wrap_lines=True,
            interactive=False,
            show_line_numbers=False,
        )
        code = gr.Code(
            label="As code",
            interactive=False,
            show_line_numbers=False,
        )
    shown = Shown(
        *(result, status, png, jpeg, region, command, code),
        *(history, again, *asking),
    )
    return shown, Sheet(ask, pictures)


def _gallery(
    label: str,
    name: str,
    pictures: list[tuple[str, str]] | None = None,
    **settings: Any,
) -> Any:
    """Return thumbnails, of which one can be chosen."""
    return gr.Gallery(
        pictures,
        label=label,
        show_label=False,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id=name,
        elem_classes="picks",
        **settings,
    )


def _thumbnails(studio: Studio, kind: str) -> list[tuple[str, str]]:
    return [
        (small(studio, name, THUMBNAIL), SAMPLES[name].title)
        for name in names_of(kind)
    ]


def small(studio: Studio, name: str, size: int) -> str:
    """Return a file with a sample picture, made if there is none yet."""
    return _stored(studio, f"{name}-{size}.jpg", lambda: sample(name, size))


def _example(studio: Studio) -> tuple[str, str]:
    """Return the files of a photo and a picture, to begin with."""
    photo, style = EXAMPLE
    after = _stored(
        studio,
        f"{photo}-{style}.jpg",
        lambda: instant(photo, style, size=REGION),
    )
    return small(studio, photo, REGION), after


def _stored(studio: Studio, name: str, made: Callable[[], Tensor]) -> str:
    file = studio.folder / name
    if not file.exists():
        save_image(made(), file)
    return str(file)
