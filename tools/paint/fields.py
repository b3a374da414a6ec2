"""Scalar fields and colors: what a picture is planned with.

Every field is a float array `(H, W)` over the canvas. Lengths are in units of
the canvas's height, so a picture's plan does not depend on its pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor
from skimage.filters import gaussian

Array = NDArray[Any]


def grid(width: int, height: int) -> tuple[Array, Array]:
    """Return x in [0, width / height] to the right and y in [0, 1] down."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x + 0.5) / height, (y + 0.5) / height


def palette(*colors: str) -> Array:
    """Return hex colors as an array `(n, 3)` in [0, 1]."""
    return (
        np.array(
            [ImageColor.getrgb(color) for color in colors], dtype=np.float32
        )
        / 255
    )


def ramp(t: Array, colors: Array) -> Array:
    """Blend evenly spaced colors: t = 0 is the first one, 1 the last."""
    stops = np.linspace(0, 1, len(colors))
    channels = [np.interp(t, stops, channel) for channel in colors.T]
    return np.stack(channels, axis=-1).astype(np.float32)


def smoothstep(low: float, high: float, t: Array) -> Array:
    """Rise from 0 at low to 1 at high; low > high makes it fall."""
    t = np.clip((t - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blend(under: Array, over: Array, alpha: Array) -> Array:
    """Lay a color or an `(H, W, 3)` picture over another one."""
    return under + (over - under) * alpha[..., None]


def noise(
    shape: tuple[int, int],
    cell: float,
    rng: np.random.Generator,
    octaves: int = 3,
    stretch: float = 1.0,
) -> Array:
    """Return smooth noise with mean 0 and standard deviation 1.

    Args:
        shape: `(H, W)` of the field.
        cell: size of the largest features, in units of the height.
        rng: where the randomness comes from.
        octaves: how many times the features are halved and added.
        stretch: how many times wider than high the features are.
    """
    height, width = shape
    total = np.zeros(shape, dtype=np.float32)
    for octave in range(octaves):
        size = cell / 2**octave * height
        rows = max(2, round(height / size)) + 2
        columns = max(2, round(width / (size * stretch))) + 2
        knots = rng.standard_normal((rows, columns)).astype(np.float32)
        layer = Image.fromarray(knots).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        total += np.asarray(layer) / 2**octave
    return (total - total.mean()) / total.std()


def blur(field: Array, radius: float) -> Array:
    """Smooth a field or an `(H, W, 3)` picture; radius in pixels."""
    axis = -1 if field.ndim == 3 else None
    return gaussian(field, radius, channel_axis=axis, truncate=3)


def profile(x: Array, knots: Sequence[tuple[float, float]]) -> Array:
    """Return a smooth curve y(x) through the knots, monotone in between."""
    at, value = np.array(sorted(knots)).T
    i = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    t = np.clip((x - at[i]) / (at[i + 1] - at[i]), 0, 1)
    t = t * t * (3 - 2 * t)
    return value[i] + (value[i + 1] - value[i]) * t
