"""How much a painted picture changes when its photo hardly does.

Two frames of a film differ by small moves, by light and by noise. The mean
squared difference between a painted frame and the painted next one, moved
back, is added to what a training minimizes: after Zheng, Song, Leung,
Goodfellow, "Improving the robustness of deep neural networks via stability
training" (CVPR 2016), with moves and light beside noise.
"""

import torch
from torch import Tensor

from styletut.instant.crops import STEP_SEEDS, Crop
from styletut.instant.network import StyleNetwork
from styletut.instant.painting import recolored

MOVE = 4
"""By up to how many pixels a frame moves."""

NOISE = 0.02
"""Standard deviation of the noise, five of 256 levels."""

LIGHT = 0.06
"""By up to which share light becomes more or less."""


def unsteadiness(
    network: StyleNetwork,
    crop: Crop,
    shares: Tensor,
    painted: Tensor,
    step: int,
) -> Tensor:
    """Return the mean squared difference to a painted next frame.

    Notebook 12, (12.2).

    Args:
        network: in training.
        crop: the frame.
        shares: of the rows it is painted with, (rows,).
        painted: as the network painted it, with a graph.
        step: decides what is drawn.
    """
    draws = torch.Generator().manual_seed(-STEP_SEEDS - step)
    down, across = torch.randint(MOVE + 1, (2,), generator=draws).tolist()
    light = 1 + LIGHT * (2 * torch.rand((), generator=draws) - 1)
    side = crop.photo.shape[2] - MOVE
    there = (..., slice(down, down + side), slice(across, across + side))
    next_photo = light * crop.photo[there]
    next_photo += NOISE * torch.randn(next_photo.shape, generator=draws)
    base = recolored(network, next_photo.clamp(0, 1), shares)
    moved = network(base, shares[None])
    return (moved - painted[there]).square().mean()
