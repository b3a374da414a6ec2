"""Frames in, frames out: each painted so that it follows the one before."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from styletut.images.loading import unread
from styletut.instant import instant
from styletut.instant.network import StyleNetwork
from styletut.instant.styles import Styles as Named
from styletut.instant.weights import steady_network
from styletut.objective.guides import Styles
from styletut.transfer.coarse_to_fine import (
    Run,
    objective_at,
    pictures_at,
    prepare,
    result_of,
)
from styletut.transfer.minimization import run_optimizer
from styletut.transfer.pictures import color_matched
from styletut.transfer.steps import KeptBest
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
        frames: as `stylize` takes photos; all of one size.
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
        ValueError: for frames of two sizes, and as `stylize`.
    """
    settings: dict[str, Any] = {"style_size": style_size}
    before: tuple[Tensor, Tensor] | None = None
    for frame in frames:
        if before is None:
            run = prepare(
                frame,
                style,
                size=size,
                evaluations=evaluations,
                strength=strength,
                **settings,
            )
            # what a strength does to it is in it
            settings["alpha"] = run.plan.chosen["alpha"]
            photo = pictures_at(run.plan.finest, run).photo
            painting = result_of(run).image
        else:
            longer = max(before[0].shape[2:])
            run = prepare(
                unread(frame, "a frame").read(longer),
                style,
                schedule=[(longer, following)],
                **settings,
            )
            photo = pictures_at(run.plan.finest, run).photo
            painting = _followed(run, *before, delta)
        yield painting
        before = photo, painting


def _followed(
    run: Run, frame: Tensor, painting: Tensor, delta: float
) -> Tensor:
    """Return the painting of a run's photo, after that of the frame before."""
    plan = run.plan
    at = pictures_at(plan.finest, run)
    back = optical_flow(at.photo, frame)
    trust = reliable(back, optical_flow(frame, at.photo))
    target = warped(painting.to(at.photo), back)
    fresh = color_matched(at.photo, at.regions, plan.style_layers)
    steps = KeptBest(
        run_optimizer(
            TemporalObjective(
                objective_at(at, plan.finest, run), target, trust, delta
            ),
            torch.lerp(fresh, target, trust),
            optimizer=plan.optimizer,
            evaluations=plan.finest.evaluations,
            options=plan.options,
            range_rule=plan.range_rule,
            pixel_unit=plan.pixel_unit,
        )
    )
    for _ in steps:
        pass
    assert steps.best is not None  # a run yields its start
    return steps.best.image.cpu()
