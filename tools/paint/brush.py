"""Oil paint: strokes of many bristles along a flow, lit by their relief.

A picture is planned as a reference `(H, W, 3)` and a field of angles. Strokes
are laid over it from large to small, the small ones only where the canvas
still differs from the plan (A. Hertzmann, Painterly rendering with curved
brush strokes of multiple sizes, SIGGRAPH 1998). Here each stroke is a ribbon
of bristles with a color and a height of its own, and the heights are lit like
thick paint. The canvas is `SCALE` times larger than the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .fields import Array, blur

SCALE = 2


@dataclass
class Canvas:
    """Paint on a canvas: its color and how thick it lies."""

    size: tuple[int, int]
    ground: str
    color: Image.Image = field(init=False)
    relief: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.color = Image.new("RGB", self.size, self.ground)
        self.relief = Image.new("L", self.size, 90)

    @property
    def pixels(self) -> Array:
        """The color as `(H, W, 3)` in [0, 1]."""
        return np.asarray(self.color, dtype=np.float32) / 255


@dataclass(frozen=True)
class Brush:
    """A brush and the hand that leads it; lengths in canvas pixels.

    Attributes:
        width: of the whole stroke.
        length: along the stroke.
        bristles: ridges across the stroke.
        shade: standard deviation of a stroke's brightness.
        tint: the same for each of its three channels.
        streak: the same for the brightness of each bristle.
        spacing: between strokes, as a share of the width.
        load: thickness of the paint, 0 to 1.
    """

    width: float
    length: float
    bristles: int = 6
    shade: float = 0.05
    tint: float = 0.03
    streak: float = 0.05
    spacing: float = 0.8
    load: float = 0.6


def scatter(
    shape: tuple[int, int], spacing: float, rng: np.random.Generator
) -> Array:
    """Return points `(n, 2)` on a jittered grid, in random order."""
    height, width = shape
    y, x = np.mgrid[0:height:spacing, 0:width:spacing]
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    points = points + rng.uniform(0, spacing, points.shape)
    return rng.permutation(points)


def lookup(values: Array, points: Array) -> Array:
    """Return a field's values at points `(..., 2)`, clamped to its edge."""
    height, width = values.shape[:2]
    x = np.clip(points[..., 0].astype(int), 0, width - 1)
    y = np.clip(points[..., 1].astype(int), 0, height - 1)
    return values[y, x]


def follow(
    angle: Array, centers: Array, length: Array, steps: int = 8
) -> Array:
    """Trace paths `(n, steps, 2)` along the angles, around their centers."""
    half = (length / (steps - 1))[:, None]

    def walk(sign: float, count: int) -> list[Array]:
        at, path = centers.astype(float), []
        for _ in range(count):
            theta = lookup(angle, at)
            way = np.stack([np.cos(theta), np.sin(theta)], axis=1)
            at = at + sign * half * way
            path.append(at)
        return path

    back = walk(-1, (steps - 1) // 2)[::-1]
    forth = walk(1, steps - 1 - len(back))
    return np.stack([*back, centers, *forth], axis=1)


def ribbons(paths: Array, widths: Array, shift: Array) -> Array:
    """Return the bristles of strokes, `(n, bristles, steps, 2)`.

    Args:
        paths: `(n, steps, 2)`, the middle of each stroke.
        widths: `(n,)`, how wide it is where it is widest.
        shift: `(n, bristles)`, how many steps each bristle runs ahead, which
            makes the ends ragged.
    """
    steps, bristles = paths.shape[1], shift.shape[1]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.linalg.norm(tangent, axis=2, keepdims=True) + 1e-9
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=2)
    along = np.linspace(-1, 1, steps)
    taper = (1 - np.abs(along) ** 3) ** 0.5 * 0.75 + 0.25
    across = np.linspace(-0.5, 0.5, bristles)
    offset = widths[:, None, None] * across[:, None] * taper
    step = np.linalg.norm(paths[:, 1] - paths[:, 0], axis=1)
    ahead = shift[:, :, None, None] * step[:, None, None, None]
    return (
        paths[:, None]
        + normal[:, None] * offset[..., None]
        + tangent[:, None] * ahead
    )


def lay(
    canvas: Canvas,
    paths: Array,
    colors: Array,
    brush: Brush,
    rng: np.random.Generator,
) -> None:
    """Paint strokes along paths `(n, steps, 2)` in colors `(n, 3)`."""
    count, bristles = len(paths), brush.bristles
    across = np.linspace(-0.5, 0.5, bristles)
    colors = colors + rng.normal(0, brush.shade, (count, 1))
    colors = colors + rng.normal(0, brush.tint, (count, 3))
    streaks = rng.normal(0, brush.streak, (count, bristles, 1))
    shades = np.clip((colors[:, None] + streaks) * 255, 0, 255).astype(int)
    heights = rng.normal(0, 0.3, (count, bristles)) - across**2
    heights = 150 + 110 * brush.load * (heights + rng.normal(0, 0.2))
    tones = np.clip(heights, 0, 255).astype(int)
    widths = brush.width * rng.uniform(0.75, 1.15, count)
    shift = rng.normal(0, 0.5, (count, bristles))
    lines = ribbons(paths, widths, shift)
    thick = max(1, round(1.5 * brush.width / bristles))
    paint = ImageDraw.Draw(canvas.color)
    relief = ImageDraw.Draw(canvas.relief)
    for line, shade, tone in zip(
        lines.reshape(count * bristles, -1).tolist(),
        shades.reshape(-1, 3).tolist(),
        tones.ravel().tolist(),
        strict=True,
    ):
        paint.line(line, fill=tuple(shade), width=thick)
        relief.line(line, fill=tone, width=thick)


def cover(
    canvas: Canvas,
    plan: Array,
    angle: Array,
    brush: Brush,
    rng: np.random.Generator,
    where: NDArray[np.bool_] | None = None,
    tolerance: float = 0.0,
) -> None:
    """Cover the canvas, or a part of it, with strokes of the plan's colors.

    Args:
        canvas: painted on.
        plan: `(H, W, 3)` in [0, 1].
        angle: `(H, W)`, the direction of the strokes in radians.
        brush: size and manner of the strokes.
        rng: where the randomness comes from.
        where: the part to paint; everything by default.
        tolerance: strokes are left out where the canvas is this close to the
            plan already (largest channel difference, over a brush's width).
    """
    centers = scatter(plan.shape[:2], brush.width * brush.spacing, rng)
    if where is not None:
        centers = centers[lookup(where, centers)]
    if tolerance > 0:
        error = blur(np.abs(canvas.pixels - plan).max(-1), brush.width / 2)
        centers = centers[lookup(error, centers) > tolerance]
    length = brush.length * rng.uniform(0.6, 1.3, len(centers))
    paths = follow(angle, centers, length)
    lay(canvas, paths, lookup(plan, centers), brush, rng)


def light(canvas: Canvas, strength: float = 0.5, shine: float = 0.1) -> Array:
    """Return the paint lit from the upper left, `(H, W, 3)` in [0, 1]."""
    relief = blur(np.asarray(canvas.relief, dtype=np.float32) / 255, 0.8)
    down, right = np.gradient(relief)
    slope = np.clip(-(down + 0.7 * right) * 2, -1, 1)
    pixels = canvas.pixels * (1 + strength * slope[..., None])
    return np.clip(pixels + shine * np.clip(slope, 0, 1)[..., None], 0, 1)


def shrink(pixels: Array) -> Image.Image:
    """Return the picture at its final size, from `SCALE` times that."""
    image = Image.fromarray(
        (np.clip(pixels, 0, 1) * 255 + 0.5).astype("uint8")
    )
    width, height = image.size
    return image.resize(
        (width // SCALE, height // SCALE), Image.Resampling.LANCZOS
    )


def weave(
    pixels: Array, rng: np.random.Generator, strength: float = 0.03
) -> Array:
    """Let the threads of a linen canvas show through thin paint."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    threads = np.sin(x * np.pi / 3) * np.sin(y * np.pi / 3)
    grain = threads * 0.6 + blur(rng.standard_normal((height, width)), 1) * 2
    return pixels * (1 + strength * grain[..., None])
