"""Poppies before the storm: thick paint laid with a palette knife."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .brush import SCALE, Brush, Canvas, cover, lay, light, shrink, weave
from .fields import (
    Array,
    blend,
    grid,
    noise,
    palette,
    profile,
    ramp,
    smoothstep,
)

SIZE = (736, 560)
HORIZON = 0.37
POPPY = palette("#7d1420", "#c41f27", "#e8412a", "#f4703a", "#f7a06a")
DAISY = palette("#b9c3d8", "#f2ead8", "#fffaf0", "#f7e7b8")
CORN = palette("#2a2f86", "#3f4fbf", "#5f7fe0", "#9fb4f0")
GRASS = palette("#16302a", "#23503a", "#4a7a3a", "#8fa345", "#d3bf62")


def plan_land(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return the reference: evening clouds, hills, a wood, the field."""
    swirl = noise(x.shape, 0.20, rng, stretch=2.6)
    warm = smoothstep(0.02, HORIZON, y + 0.03 * swirl)
    sky = ramp(
        warm, palette("#3f5580", "#6f86a8", "#b9b3b8", "#f0c792", "#f8dc9c")
    )
    cloud = smoothstep(
        0.15, 1.3, swirl + 1.2 * np.exp(-((x - 0.35) ** 2) / 0.1) - 0.6
    )
    heap = ramp(
        np.clip(0.45 + 0.28 * noise(x.shape, 0.1, rng, stretch=2), 0, 1),
        palette("#4d5577", "#8f8aa3", "#e3c4b5", "#fdf0d8"),
    )
    plan = blend(sky, heap, 0.85 * cloud)
    far = profile(
        x, [(0, 0.30), (0.3, 0.335), (0.62, 0.285), (0.95, 0.33), (1.32, 0.30)]
    )
    wood = (
        HORIZON
        - 0.018
        - 0.014
        * np.abs(noise(x.shape, 0.06, rng))
        * (smoothstep(0.75, 1.1, x) + smoothstep(0.35, 0.1, x))
    )
    rough = 0.1 * noise(x.shape, 0.05, rng)
    hills = ramp(
        np.clip((y - far) * 8 + 0.3 + rough, 0, 1),
        palette("#5a6c9a", "#8a8fb0", "#b8a8a8"),
    )
    plan = np.where((y > far)[..., None], hills, plan)
    trees = ramp(
        np.clip((y - wood) * 14 + 0.2 + 2 * rough, 0, 1),
        palette("#2a4a50", "#1f3a3c", "#3f5f3a"),
    )
    plan = np.where((y > wood)[..., None], trees, plan)
    near = (y - HORIZON) / (1 - HORIZON)
    patch = noise(x.shape, 0.09, rng, stretch=4)
    field = ramp(np.clip(0.80 - 0.75 * near + 0.13 * patch, 0, 1), GRASS)
    return np.where((y > HORIZON)[..., None], field, plan)


def petals(
    centers: Array,
    sizes: Array,
    inks: Array,
    count: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return strokes `(n * count, 6, 2)` and colors, a flower after another.

    The petals leave the heart all around, foreshortened; those that face up
    catch the light.
    """
    flowers = len(centers)
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    turn = turn + rng.uniform(0, 2 * np.pi, (flowers, 1))
    turn = turn + rng.normal(0, 0.18, turn.shape)
    curl = rng.normal(0, 0.35, turn.shape)
    reach = sizes[:, None] * rng.uniform(0.75, 1.15, turn.shape)
    t = np.linspace(0.12, 1, 6)
    theta = turn[..., None] + curl[..., None] * t
    out = reach[..., None] * t
    paths = np.stack([np.cos(theta) * out, 0.66 * np.sin(theta) * out], -1)
    paths = paths + centers[:, None, None]
    lit = np.clip(
        0.52 - 0.3 * np.sin(turn) + 0.2 * rng.normal(size=turn.shape), 0, 1
    )
    return paths.reshape(-1, 6, 2), ramp(lit, inks).reshape(-1, 3)


def blades(
    centers: Array, sizes: Array, inks: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return strokes `(n, 6, 2)` of grass that lean in the wind."""
    t = np.linspace(0, 1, 6)
    lean = rng.normal(0.22, 0.28, (len(centers), 1))
    right = sizes[:, None] * lean * t**1.7
    up = -sizes[:, None] * t
    paths = np.stack([right, up], -1) + centers[:, None]
    lit = np.clip(rng.normal(0.5, 0.24, len(centers)), 0, 1)
    return paths, ramp(lit, inks)


def bouquet(
    canvas: Canvas, row: float, deep: float, rng: np.random.Generator
) -> None:
    """Paint one row of the field: its grass and then its flowers.

    Args:
        canvas: painted on.
        row: height of the row on the canvas, in pixels.
        deep: 0 at the horizon, 1 at the lower edge.
        rng: where the randomness comes from.
    """
    width = canvas.size[0]
    size = 7 + 64 * deep**1.4
    count = int(2.2 * width / (size + 8))
    spots = np.stack(
        [
            rng.uniform(-20, width + 20, count),
            row + rng.normal(0, 0.5 * size, count),
        ],
        1,
    )
    paths, colors = blades(
        spots + [0, size],
        1.8 * size * rng.uniform(0.5, 1.4, count),
        GRASS[: 4 if deep > 0.4 else 5],
        rng,
    )
    lay(
        canvas,
        paths,
        colors,
        Brush(3 + 7 * deep, 0, 2 + round(2 * deep), load=0.7),
        rng,
    )
    drift = np.sin(spots[:, 0] / width * (8 - 4 * deep) + 6 * deep + 2.2)
    for inks, count, share, wide, heart in (
        (CORN, 7, 0.15, 0.28, "#1f1f5a"),
        (DAISY, 9, 0.12, 0.22, "#e8a52a"),
        (POPPY, 5, 0.24 + 0.10 * float(deep < 0.5), 0.85, "#1a1018"),
    ):
        bias = drift if inks is POPPY else -drift
        chosen = rng.uniform(size=len(spots)) < share * (1 + bias)
        flowers = spots[chosen] + rng.normal(0, 0.5 * size, (chosen.sum(), 2))
        scale = size * (1.0 if inks is POPPY else 0.62)
        sizes = scale * rng.uniform(0.6, 1.2, len(flowers))
        if len(flowers) == 0:
            continue
        paths, colors = petals(flowers, sizes, inks, count, rng)
        knife = Brush(
            max(3, wide * scale),
            0,
            max(2, round(wide * scale / 3)),
            shade=0.03,
            streak=0.045,
            load=1.0,
        )
        lay(canvas, paths, colors, knife, rng)
        t = np.linspace(-0.16, 0.16, 4)
        dots = flowers[:, None] + np.stack([t, 0.3 * t], -1) * scale
        dark = np.repeat(palette(heart), len(flowers), axis=0)
        lay(canvas, dots, dark, Brush(max(2, 0.26 * scale), 0, 3), rng)


def paint() -> Image.Image:
    """Paint the land in broad strokes, then the field from far to near."""
    rng = np.random.default_rng(1873)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    plan = plan_land(x, y, rng)
    angle = 0.45 * noise(x.shape, 0.25, rng)
    angle = np.where(y > HORIZON, 0.3 * angle, angle)
    canvas = Canvas((width, height), "#8a5a3a")
    cover(canvas, plan, angle, Brush(44, 120, 14, spacing=0.7), rng)
    knife = Brush(24, 60, 9, shade=0.04, spacing=0.75, load=0.9)
    cover(canvas, plan, angle + 0.4, knife, rng)
    edge = Brush(9, 30, 4, load=0.9)
    cover(
        canvas,
        plan,
        angle,
        edge,
        rng,
        where=y < 1.08 * HORIZON,
        tolerance=0.10,
    )
    for deep in np.linspace(0, 1.06, 46) ** 1.3:
        row = (HORIZON + 0.01 + (1 - HORIZON) * deep) * height
        bouquet(canvas, row, min(deep, 1.0), rng)
    return shrink(weave(light(canvas, strength=0.6), rng, 0.02))
