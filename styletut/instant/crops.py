"""What a training sees: crops of photos, drawn by the number of the step."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.images.picture import resize_to
from styletut.instant.recipe import Recipe

GAMMA = 1.4
"""By up to which power a photo is made darker or lighter."""

STEP_SEEDS = 1_000_003
"""Apart are the seeds of two trainings, which is more than steps in one."""


class Crop(NamedTuple):
    """A part of a photo, and what is to become of it.

    Attributes:
        photo: (1, 3, crop, crop) in [0, 1].
        style: number of the style, from 0.
        strength: from 0, the photo as it is, to 1.
    """

    photo: Tensor
    style: int
    strength: float


def crops_of_step(
    photos: Sequence[Tensor], styles: int, recipe: Recipe, step: int
) -> list[Crop]:
    """Return the crops of a step, the same ones each time it is asked for.

    Args:
        photos: (1, 3, H, W) in [0, 1], of any sizes.
        styles: how many there are.
        recipe: of the training.
        step: its number.
    """
    draws = torch.Generator().manual_seed(recipe.seed * STEP_SEEDS + step)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=draws))

    def whole(count: int) -> int:
        return int(torch.randint(count, (), generator=draws))

    crops = []
    for _ in range(recipe.batch):
        photo = photos[whole(len(photos))]
        side = recipe.least * (recipe.most / recipe.least) ** uniform(0, 1)
        part = _part(photo, side, recipe.crop, uniform(0, 1), uniform(0, 1))
        if whole(2):
            part = part.flip(3)
        power = math.exp(uniform(-1, 1) * math.log(GAMMA))
        style, kind, strength = whole(styles), uniform(0, 1), uniform(0, 1)
        if kind < recipe.kept:
            strength = 0.0
        elif kind > recipe.kept + recipe.mixed:
            strength = 1.0
        crops.append(Crop(part**power, style, strength))
    return crops


def _part(
    photo: Tensor, shorter: float, side: int, down: float, across: float
) -> Tensor:
    """Return a square of a photo, as if that were scaled to a shorter side.

    Only the square is scaled, whose place is told as shares of the way that
    it has.
    """
    height, width = photo.shape[2:]
    taken = min(round(side * min(height, width) / shorter), height, width)
    top = round(down * (height - taken))
    left = round(across * (width - taken))
    square = photo[:, :, top : top + taken, left : left + taken]
    return resize_to(square, side, side)
