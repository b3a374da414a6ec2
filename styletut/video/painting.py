"""Frames in, frames out: each painted so that it follows the one before."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from styletut.images.loading import unread
from styletut.instant import instant
from styletut.instant.network import StyleNetwork
from styletut.instant.styles import Styles as Named
from styletut.instant.weights import steady_network
from styletut.objective.guides import Styles
from styletut.optimizers.catalogue import check_budget
from styletut.optimizers.quasi_newton import LEARNED
from styletut.transfer.coarse_to_fine import (
    Run,
    objective_at,
    options_at,
    pictures_at,
    prepare,
    result_of,
)
from styletut.transfer.minimization import run_optimizer
from styletut.transfer.pictures import Pictures, color_matched
from styletut.transfer.sizes import same_aspect
from styletut.transfer.steps import KeptBest
from styletut.values import checked_real
from styletut.video.flow import optical_flow, reliable, warped
from styletut.video.temporal import TemporalObjective

DELTA = 30.0
"""Weight of L_t, by which the optimizer's frames follow one another. Chosen
by looking, and by `flicker`."""

FOLLOWING = 30
"""Evaluations for a frame that follows another."""


def instant_frames(
    frames: Iterable[Any],
    style: Named,
    *,
    strength: float = 1.0,
    size: int | None = None,
    network: StyleNetwork | None = None,
) -> Iterator[Tensor]:
    """Paint frames in one pass each, by a network trained to be steady.

    Nothing is remembered from one frame to the next: where two frames are
    alike but for a shift, some light and noise, so are their paintings.

    Args:
        frames: as `instant` takes photos.
        style: see `instant`.
        strength: see `instant`.
        size: longer side of the paintings; a frame's own by default.
        network: by default the one that comes with the package.

    Yields:
        A painting for each frame, (1, 3, H, W) in [0, 1].

    Raises:
        ImageError: for a frame that cannot be used.
        ValueError: as `instant`.
        NetworkError: as `instant`.
    """
    network = network or steady_network()
    for frame in frames:
        yield instant(
            frame, style, strength=strength, size=size, network=network
        )


def stylize_frames(
    frames: Iterable[Any],
    style: Styles,
    *,
    size: int | None = None,
    style_size: int | None = None,
    strength: float = 1.0,
    evaluations: int = 60,
    following: int = FOLLOWING,
    delta: float = DELTA,
) -> Iterator[Tensor]:
    """Paint frames by the optimizer, each after the one before.

    The first is painted as `stylize` does, and settles the content's weight.
    Each other one begins with the painting before, moved along the optical
    flow (where that cannot be trusted, with the frame in the style's colors),
    and minimizes alpha L_c + beta L_s + delta L_t: Ruder, Dosovitskiy, Brox
    (2016), section 4.1 and 4.2, with their short-term loss.

    Args:
        frames: as `stylize` takes photos; all of one ratio of sides.
        style: see `stylize`.
        size: longer side of the paintings, see `stylize`.
        style_size: see `stylize`.
        strength: see `stylize`.
        evaluations: for the first frame.
        following: for each other one.
        delta: weight of L_t, for pixels in [0, 1]; 0 keeps only the start.

    Yields:
        A painting for each frame, (1, 3, H, W) in [0, 1].

    Raises:
        ImageError: for a frame that cannot be read.
        ValueError: for frames of two shapes, and as `stylize`.
        KeyboardInterrupt: after the first painting, if that was interrupted.
    """
    following = check_budget(following)
    delta = checked_real("delta", delta)
    begun: tuple[Run, Tensor, Tensor] | None = None
    for frame in frames:
        if begun is None:
            run = prepare(
                frame,
                style,
                size=size,
                style_size=style_size,
                strength=strength,
                evaluations=evaluations,
            )
            result = result_of(run)
            yield result.image
            if result.stopped == "interrupted":
                raise KeyboardInterrupt  # the film ends here, too
            photo = pictures_at(run.plan.finest, run).photo
            stage = replace(run.plan.finest, evaluations=following)
            run = run._replace(plan=replace(run.plan, stages=(stage,)))
            begun = run, photo, result.image
            continue
        run, frame_before, painting_before = begun
        at = pictures_at(run.plan.finest, _with_photo(run, frame))
        painting = at.photo.cpu()
        if strength:
            painting = _followed(run, at, frame_before, painting_before, delta)
        yield painting
        begun = run, at.photo, painting


def _with_photo(run: Run, frame: Any) -> Run:
    """Return a run with another photo, of the same ratio of sides.

    Raises:
        ValueError: if it has another.
    """
    opened = unread(frame, "a frame")
    shape = run.plan.finest.shape
    if not same_aspect(opened.shape, shape):
        (h, w), (height, width) = opened.shape, shape
        raise ValueError(
            f"a frame is {w} x {h} pixels, and the film is painted at "
            f"{width} x {height}; all frames must have one ratio of sides"
        )
    photo = opened.for_size(max(shape)).to(run.pictures.photo)
    pictures = replace(run.pictures, photo=photo, alpha=None)
    return run._replace(pictures=pictures)


def _followed(
    run: Run, at: Pictures, frame: Tensor, painting: Tensor, delta: float
) -> Tensor:
    """Return the painting of a frame, after that of the frame before.

    Args:
        run: with the frame's budget.
        at: the frame, with the paintings, as large as it is painted.
        frame: the one before, of that size.
        painting: of the one before.
        delta: weight of L_t.
    """
    plan, stage = run.plan, run.plan.finest
    back = optical_flow(at.photo, frame)
    trust = reliable(back, optical_flow(frame, at.photo))
    target = warped(painting.to(at.photo), back)
    fresh = color_matched(at.photo, at.regions, plan.style_layers)
    steps = KeptBest(
        run_optimizer(
            TemporalObjective(
                objective_at(at, stage, run), target, trust, delta
            ),
            torch.lerp(fresh, target, trust),
            optimizer=plan.optimizer,
            evaluations=stage.evaluations,
            options=options_at(plan, stage, deque(maxlen=LEARNED)),
            range_rule=plan.range_rule,
            pixel_unit=plan.pixel_unit,
        )
    )
    for _ in steps:
        pass
    assert steps.best is not None  # a run yields its start
    return steps.best.image.cpu()
