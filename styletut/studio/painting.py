"""A picture as it comes: at once if it can, then better and better.

A painting can be broken off after every view, and has its best picture then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.cli.arguments import names_told
from styletut.cli.progress import seconds_left
from styletut.color import luminance_only
from styletut.images import load_mask, resize, resize_mask
from styletut.images.loading import unread
from styletut.images.samples import names_of
from styletut.instant import instant
from styletut.instant.styles import STRENGTHS as AT_ONCE_STRENGTHS
from styletut.studio.choices import Choices
from styletut.transfer import Record, Run, Step, prepare, steps_of
from styletut.transfer.steps import KeptBest
from styletut.vgg import VGG19

EVERY = 3
"""Evaluations between two views, counted and not timed."""

AT_ONCE = 512
"""Longer side of the picture that comes first, at most."""


class View(NamedTuple):
    """What can be shown while a picture is painted.

    Attributes:
        image: (1, 3, H, W) in [0, 1].
        share: of the work that is done, from 0 to 1; None before it can be
            said.
        left: seconds, by the pace so far; None before it can be said.
    """

    image: Tensor
    share: float | None = None
    left: float | None = None


class Painted(NamedTuple):
    """A picture to keep.

    Attributes:
        image: (1, 3, H, W) in [0, 1], on the CPU.
        alpha: how opaque it is, (1, 1, H, W); None if it is so everywhere.
        text: how it was made.
        seconds: of the run.
        stopped: how it ended, as `Ending` has it.
        message: what happened, where it ended early by itself.
    """

    image: Tensor
    alpha: Tensor | None
    text: Mapping[str, str]
    seconds: float
    stopped: str
    message: str = ""


@dataclass
class Painting:
    """A picture that is being painted.

    Attributes:
        choices: what it is to be.
        vgg: the network to paint by.
    """

    choices: Choices
    vgg: VGG19
    _run: Run | None = None
    _kept: KeptBest | None = None
    _last: Record | None = None
    _done: bool = False

    def views(self) -> Iterator[View]:
        """Paint, and show the picture now and then.

        Raises:
            ImageError: for pictures that cannot be used.
            ValueError: for choices that cannot be.
            Exception: what breaks the run off; `painted` has the picture so
                far.
        """
        quick = at_once(self.choices)
        if quick is not None:
            yield View(quick)
        self._run = run = prepare(vgg=self.vgg, **self.choices.run())
        self._kept = KeptBest(steps_of(run))
        size, due = 0, 0
        for step in self._kept:
            self._last = step.record()
            # the start would look like a step back from what came at once
            first = step.index == 0 and quick is not None
            if not first and (step.size != size or step.evaluations >= due):
                size, due = step.size, step.evaluations + EVERY
                yield _view(step, run)
        self._done = True

    def painted(self) -> Painted | None:
        """Return the best picture so far; None before there is one."""
        if self._run is None or self._kept is None or self._last is None:
            return None
        assert self._kept.best is not None  # it has had a step
        image = self._kept.best.image.cpu()
        ending = self._kept.ending
        stopped = ending.stopped if self._done else "interrupted"
        text = {
            **self._run.text(),
            **names_told(self.choices.photo, self.choices.typed()),
            "stopped": stopped,
            "evaluations_done": str(self._last.evaluations),
            "command": self.choices.command(),
        }
        return Painted(
            image,
            self._run.pictures.alpha_like(image),
            text,
            self._last.seconds,
            stopped,
            ending.message if self._done else "",
        )


def at_once(choices: Choices) -> Tensor | None:
    """Paint in one pass, as near to the choices as that comes.

    Returns:
        (1, 3, H, W) in [0, 1]; None where a style is not one that the network
        knows.

    Raises:
        ImageError: if the photo or the region cannot be read.
    """
    there, elsewhere = choices.style, choices.second
    if not {there, elsewhere or there} <= {*names_of("style")}:
        return None
    size = min(choices.size, AT_ONCE)
    photo = resize(unread(choices.photo, "the photo").read(size), size)
    strength = min(choices.strength, AT_ONCE_STRENGTHS[1])
    if choices.mixed:
        assert elsewhere is not None
        pair = [(there, 1 - choices.share), (elsewhere, choices.share)]
        picture = instant(photo, pair, strength=strength)
    else:
        picture = instant(photo, there, strength=strength)
    if choices.region is not None:
        mask = resize_mask(load_mask(choices.region), *photo.shape[2:])
        if elsewhere is None:
            inside, outside = picture, photo
        else:
            inside = instant(photo, elsewhere, strength=strength)
            outside = picture
        picture = mask * inside + (1 - mask) * outside
    return luminance_only(picture, photo) if choices.own_colors else picture


def sheet(photo: str, size: int) -> Iterator[tuple[str, Tensor]]:
    """Paint a photo in each sample style, in one pass each.

    Yields:
        The style's name, and the picture.
    """
    read = resize(unread(photo, "the photo").read(size), size)
    for name in names_of("style"):
        yield name, instant(read, name)


def _view(step: Step, run: Run) -> View:
    left = seconds_left(step, run.plan.schedule)
    whole = step.seconds + left
    share = step.seconds / whole if whole > 0 else None
    image = step.image.detach().to("cpu", torch.float32)
    return View(image, share, left if share else None)
