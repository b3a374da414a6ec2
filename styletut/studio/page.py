"""The page: what is on it, connected with what it does."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from styletut.studio import handlers
from styletut.studio.interface import offer
from styletut.studio.layout import SHOW_RESULT, lay_out
from styletut.studio.visits import Studio

QUEUE = "painting"
"""Jobs with this name wait for one another."""

CLEARED = (3600, 86400)
"""Seconds: Gradio looks so often for its copies of files, and removes those
that are so old."""

QUIETLY: Mapping[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""How events are handled that take no time."""


def build(studio: Studio) -> gr.Blocks:
    """Lay the page out, and connect what is on it."""
    with gr.Blocks(
        title="styletut studio",
        analytics_enabled=False,
        delete_cache=CLEARED,
        fill_width=True,
    ) as page:
        chosen, controls, shown, sheet = lay_out(studio)
        in_turn = {
            "concurrency_id": QUEUE,
            "concurrency_limit": 1,
            "show_progress": "minimal",
            "show_progress_on": shown.status,
            "api_visibility": "private",
        }

        photo = [chosen.photo, shown.status, controls.size, controls.region]
        chosen.photo.input(
            handlers.take_photo(studio), chosen.photo, photo, **QUIETLY
        )
        chosen.samples.select(
            handlers.take_sample(studio), None, photo, **QUIETLY
        )
        style = [chosen.style, shown.status]
        for thumbnails in (chosen.styles, sheet.pictures):
            thumbnails.select(
                handlers.name_style(studio), None, style, **QUIETLY
            )
        chosen.own_style.input(
            handlers.take_style(studio),
            chosen.own_style,
            [*style, chosen.own_style],
            **QUIETLY,
        )

        own = [chosen.photo, chosen.style, chosen.own_style]
        everything = [*own, *controls, *shown]
        work = handlers.paint(studio, shown)
        shown.paint.click(None, js=SHOW_RESULT)
        jobs = [
            asked.then(work, None, list(shown), **in_turn)
            for asked in (
                shown.paint.click(
                    handlers.ask(studio, shown),
                    list(controls),
                    list(shown),
                    **QUIETLY,
                ),
                shown.again.click(
                    handlers.ask_again(studio, shown, chosen, controls),
                    None,
                    everything,
                    **QUIETLY,
                ),
            )
        ]
        for job in jobs:
            job.failure(
                handlers.failed(studio, shown), None, list(shown), **QUIETLY
            )
        shown.stop.click(
            handlers.stop(studio, shown), None, list(shown), **QUIETLY
        )
        shown.leave.click(None, None, None, cancels=jobs, **QUIETLY)
        shown.leave.click(
            handlers.leave_queue(studio, shown), None, list(shown), **QUIETLY
        )

        shown.history.select(
            handlers.look(studio, shown), None, list(shown), **QUIETLY
        )
        sheet.ask.click(
            handlers.all_styles(studio, sheet.pictures, shown),
            None,
            [sheet.pictures, shown.status],
            **in_turn,
        )
        offer(studio, QUEUE)

        def left(request: gr.Request) -> None:
            studio.leave(str(request.session_hash))

        page.unload(left)
    return page
