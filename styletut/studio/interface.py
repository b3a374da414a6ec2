"""The studio for programs: a picture by `gradio_client`, or any other."""

from collections.abc import Iterator

import gradio as gr

from styletut.images.samples import names_of
from styletut.studio.choices import SIZES, Choices
from styletut.studio.handlers import keep, visit_of
from styletut.studio.layout import Upload
from styletut.studio.painting import Painting
from styletut.studio.visits import Studio
from styletut.studio.wording import NO_PHOTO, reason


def offer(studio: Studio, queue: str) -> None:
    """Let programs ask for a picture: photo, style, size and strength.

    Args:
        studio: where.
        queue: whose turns these jobs share.
    """

    def paint(
        photo: str | None,
        style: str,
        size: float | None,
        strength: float | None,
        request: gr.Request,
    ) -> Iterator[str | None]:
        if photo is None:
            raise gr.Error(NO_PHOTO, print_exception=False)
        visit = visit_of(studio, request)
        try:
            choices = Choices(
                photo,
                style,
                size=int(size or SIZES["medium"]),
                strength=1.0 if strength is None else float(strength),
            )
            job = Painting(choices, studio.vgg)
            for _ in job.views():
                yield None  # so that one who has left is noticed
            kept = keep(visit, job)
        except (ValueError, RuntimeError, OSError, MemoryError) as error:
            said = reason(error, [photo])
            raise gr.Error(said, print_exception=False) from error
        finally:  # its files stay for an hour, to be fetched
            studio.leave(str(request.session_hash))
        assert kept is not None  # it was painted to the end
        yield str(kept.png)

    with gr.Column(visible=False):
        asked = [
            Upload(label="photo"),
            gr.Dropdown(list(names_of("style")), label="style"),
            gr.Number(SIZES["medium"], label="size", precision=0),
            gr.Number(1, label="strength"),
        ]
        painted = gr.File(label="picture")
        gr.Button("Paint").click(
            paint,
            asked,
            painted,
            api_name="paint",
            concurrency_id=queue,
            concurrency_limit=1,
        )
