"""Colored grain of a start from noise, and the weight that takes it away."""

import torch

from styletut.color import luminance
from styletut.transfer import stylize


def chroma(x):
    """Return how far pixels are from grey, in the root mean square."""
    return float((x - luminance(x)).square().mean().sqrt())


def test_total_variation_takes_grain_from_a_style_without_texture(vgg, photo):
    grey = torch.full((1, 3, 48, 48), 0.5)
    left = {
        gamma: chroma(
            stylize(
                photo,
                grey,
                vgg=vgg,
                size=48,
                evaluations=40,
                start="noise",
                gamma=gamma,
            ).image
        )
        for gamma in (0, 1e-4)
    }
    assert left[1e-4] < left[0] / 2
