"""The picture as it grows, in a file that a viewer can watch."""

import os
from collections.abc import Callable
from pathlib import Path

from styletut.cli.progress import say
from styletut.images import ImageError, save_image
from styletut.images.saving import ensure_writable
from styletut.transfer.steps import Step

EVERY = 5
"""Evaluations between two pictures, counted and not timed."""


def preview(path: str | os.PathLike[str]) -> Callable[[Step], None]:
    """Return what writes a run's steps to a file, each over the one before.

    Written are the start, the first step of each size, and one every `EVERY`
    evaluations; each appears whole or not at all. Where it cannot be written
    any more, that is said once, and the run goes on.

    Args:
        path: name ending in .png, .jpg or .jpeg.

    Raises:
        ImageError: if nothing can be written there.
    """
    ensure_writable(path)
    target: Path | None = Path(path)
    size, due = 0, 0

    def show(step: Step) -> None:
        nonlocal target, size, due
        if target is None or (step.size == size and step.evaluations < due):
            return
        size, due = step.size, step.evaluations + EVERY
        try:
            save_image(step.image.cpu(), target)
        except ImageError as error:
            say(f"no more previews: {error}")
            target = None

    return show
