"""The old oak: pen and ink, hatched and crossed, over a sepia wash."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .brush import SCALE, follow, lookup, scatter, shrink
from .fields import (
    Array,
    blend,
    blur,
    grid,
    noise,
    palette,
    profile,
    smoothstep,
)

SIZE = (736, 560)
PAPER, WASH, INK = palette("#efe3c8", "#8a6238", "#1d1713")
SUN = (0.93, 0.33)
TREE = 6


def grow(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """Return the tree's limbs as paths `(n, 2)` with half widths `(n,)`."""
    limbs: list[tuple[Array, Array]] = []

    def limb(at: Array, way: float, wide: float, depth: int) -> None:
        length = 0.30 if depth == 0 else 0.185 * 0.83**depth
        length *= rng.uniform(0.8, 1.2)
        count = 14
        turns = np.cumsum(rng.normal(0, 0.10 + 0.025 * depth, count))
        pull = 0.35 * np.cos(way) * np.linspace(0, 1, count) * (depth > 1)
        theta = way + turns + pull
        steps = np.stack([np.cos(theta), np.sin(theta)], 1) * length / count
        path = at + np.cumsum(np.vstack([[0, 0], steps]), axis=0)
        end = wide * (0.62 if depth else 0.72)
        widths = np.linspace(wide, end, count + 1)
        if depth == 0:
            flare = np.linspace(1, 0, count + 1) ** 5
            widths = widths + 0.035 * flare
        limbs.append((path, widths))
        if depth == 8 or end < 0.0007:
            return
        children = 3 if depth in (0, 1) else 2
        spread = np.linspace(-0.62, 0.62, children) * rng.uniform(0.85, 1.2)
        for turn in spread:
            share = rng.uniform(0.58, 0.80)
            limb(
                path[-1 - rng.integers(0, 3)],
                theta[-1] + turn + rng.normal(0, 0.12),
                end * share,
                depth + 1,
            )
        if rng.uniform() < 0.55 and depth > 0:
            k = rng.integers(5, 11)
            limb(
                path[k],
                theta[k - 1] + rng.choice([-1, 1]) * rng.uniform(0.6, 1.1),
                widths[k] * 0.45,
                depth + 2 if depth < 7 else 8,
            )

    limb(np.array([0.46, 0.80]), -np.pi / 2 + 0.06, 0.043, 0)
    return limbs


def draw_tree(
    shape: tuple[int, int], limbs: list[tuple[Array, Array]]
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Return the tree's mask, the side (-1 lit, 1 shaded), the bark's way."""
    height, width = shape
    mask = Image.new("L", (width, height), 0)
    side = Image.new("F", (width, height), 0.0)
    bark = Image.new("F", (width, height), 0.0)
    drawn, shaded, along = map(ImageDraw.Draw, (mask, side, bark))
    for path, wide in limbs:
        tangent = np.gradient(path, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
        # The light comes from the sun's side, on the right.
        toward = np.sign(normal[:, :1] + 1e-9)
        strips = np.linspace(-1, 1, 9)
        for low, high in pairwise(strips):
            edges = [
                (path + toward * normal * s * wide[:, None]) * height
                for s in (low, high)
            ]
            for k in range(len(path) - 1):
                quad = [
                    tuple(edges[0][k]),
                    tuple(edges[0][k + 1]),
                    tuple(edges[1][k + 1]),
                    tuple(edges[1][k]),
                ]
                drawn.polygon(quad, fill=255, outline=255)
                shaded.polygon(quad, fill=float(-(low + high) / 2))
                way = float(np.arctan2(tangent[k, 1], tangent[k, 0]))
                along.polygon(quad, fill=way)
        x, y = path[-1] * height
        r = max(1.0, wide[-1] * height)
        drawn.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return np.asarray(mask) > 0, np.asarray(side), np.asarray(bark)


def tones(
    x: Array, y: Array, rng: np.random.Generator
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return darkness in [0, 1], the hatching's way, and the parts."""
    swirl = noise(x.shape, 0.22, rng, stretch=2.8)
    away = np.hypot(x - SUN[0], y - SUN[1])
    sky = 0.06 + 0.42 * smoothstep(0.10, 1.15, away) * smoothstep(0.85, 0, y)
    sky = (
        sky
        + 0.20 * smoothstep(0.1, 1.2, swirl)
        - 0.18 * smoothstep(0.0, -1.2, swirl)
    )
    rays = 0.05 * np.cos(60 * np.arctan2(y - SUN[1], x - SUN[0]))
    sky = sky + 0.10 * np.exp(-(((away - 0.2) / 0.12) ** 2)) + rays
    sky = np.where(away < 0.085, 0.0, np.clip(sky, 0.08, 0.9))
    way = -0.55 + 0.45 * swirl
    # Lines have no head: blend doubled angles, from rays to clouds.
    radial = np.arctan2(y - SUN[1], x - SUN[0])
    near = smoothstep(0.60, 0.25, away)
    way = 0.5 * np.arctan2(
        near * np.sin(2 * radial) + (1 - near) * np.sin(2 * way),
        near * np.cos(2 * radial) + (1 - near) * np.cos(2 * way),
    )
    part = np.zeros(x.shape, dtype=np.int64)
    dark = sky
    ranges = (
        (
            [
                (0, 0.56),
                (0.25, 0.60),
                (0.55, 0.52),
                (0.85, 0.62),
                (1.1, 0.56),
                (1.32, 0.60),
            ],
            0.30,
            0.35,
        ),
        (
            [(0, 0.68), (0.3, 0.645), (0.7, 0.69), (1.0, 0.655), (1.32, 0.70)],
            0.46,
            -0.25,
        ),
        ([(0, 0.80), (0.46, 0.755), (0.8, 0.80), (1.32, 0.885)], 0.40, 0.12),
    )
    for number, (knots, base, tilt) in enumerate(ranges, 1):
        line = profile(x, knots) + 0.004 * noise(x.shape, 0.03, rng)
        below = y - line
        fold = noise(x.shape, 0.12, rng, stretch=2)
        tone = (
            base + 0.16 * fold + (0.30 - 0.1 * number) * np.exp(-below / 0.03)
        )
        tone = tone - 0.22 * np.exp(-(((x - SUN[0]) / 0.3) ** 2))
        if number == 3:
            shadow = np.exp(-(((x - 0.36 + 0.4 * (y - 0.8)) / 0.30) ** 2))
            tone = 0.20 + 0.42 * shadow * smoothstep(0.76, 0.82, y)
            tone = tone + 0.14 * fold + 0.22 * smoothstep(0.86, 1.0, y)
        inside = below > 0
        dark = np.where(inside, np.clip(tone, 0.09, 0.95), dark)
        way = np.where(inside, tilt + 0.25 * fold, way)
        part = np.where(inside, number, part)
    return dark, way, part


def hatch(
    draw: ImageDraw.ImageDraw,
    dark: Array,
    way: Array,
    gap: float,
    length: float,
    least: float,
    rng: np.random.Generator,
) -> None:
    """Draw one layer of pen strokes where it is darker than least.

    A stroke thins and breaks where the light comes through.
    """
    centers = scatter(dark.shape, gap, rng)
    need = lookup(dark, centers) - least
    centers = centers[need > rng.normal(0, 0.03, len(centers))]
    count = len(centers)
    paths = follow(way, centers, length * rng.uniform(0.5, 1.4, count), 9)
    paths = paths + rng.normal(0, 0.35, paths.shape).cumsum(axis=1) * 0.6
    tone = lookup(dark, paths)
    for path, depth in zip(paths, tone, strict=True):
        shown = depth > least - 0.05
        if shown.sum() < 3:
            continue
        line = path[shown].ravel().tolist()
        wide = 1 if depth.mean() < least + 0.12 else 2
        draw.line(line, fill=int(255 * rng.uniform(0.75, 1)), width=wide)


def outline(
    draw: ImageDraw.ImageDraw,
    limbs: list[tuple[Array, Array]],
    height: int,
    rng: np.random.Generator,
) -> None:
    """Draw both edges of every limb, the shaded one heavier."""
    for path, wide in limbs:
        tangent = np.gradient(path, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
        for sign in (-1, 1):
            edge = (path + sign * normal * wide[:, None]) * height
            edge = edge + rng.normal(0, 0.4, edge.shape)
            left = normal[:, 0].mean() * sign < 0
            pen = (3 if left else 2) if wide[0] > 0.004 else 1
            draw.line(edge.ravel().tolist(), fill=255, width=pen)


def tufts(
    draw: ImageDraw.ImageDraw,
    part: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Draw grass on the near hill, larger toward the lower edge."""
    height = part.shape[0]
    spots = scatter(part.shape, 26, rng)
    spots = spots[lookup(part, spots) == 3]
    for x, y in spots[np.argsort(spots[:, 1])].tolist():
        if rng.uniform() < 0.35:
            continue
        near = (y / height - 0.74) / 0.26
        size = 8 + 46 * max(near, 0) ** 1.3
        for _ in range(5):
            lean = rng.normal(0.25, 0.35)
            t = np.linspace(0, 1, 5) * rng.uniform(0.5, 1.1)
            line = np.stack(
                [
                    x + rng.normal(0, 0.15 * size) + lean * size * t**1.6,
                    y - size * t,
                ],
                1,
            )
            draw.line(line.ravel().tolist(), fill=235, width=2)


def birds(
    draw: ImageDraw.ImageDraw, height: int, rng: np.random.Generator
) -> None:
    """Draw a flock that leaves the tree toward the sun."""
    for k in range(17):
        x = 0.86 + 0.42 * rng.uniform() ** 1.2
        y = 0.12 + 0.16 * rng.uniform() + 0.05 * np.sin(9 * x)
        size = 0.006 + 0.010 * rng.uniform()
        lift = rng.uniform(0.3, 0.9)
        wing = [
            (-1.0, -lift),
            (-0.5, -0.9 * lift),
            (0, 0.0),
            (0.5, -lift),
            (1.0, -0.7 * lift),
        ]
        line = [
            ((x + size * u) * height, (y + size * v) * height) for u, v in wing
        ]
        draw.line(line, fill=255, width=3 if k % 2 else 4)


def paint() -> Image.Image:
    """Wash the paper, hatch it in four directions, draw the tree over it."""
    rng = np.random.default_rng(1642)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    dark, way, part = tones(x, y, rng)
    limbs = grow(np.random.default_rng(TREE))
    tree, side, bark = draw_tree(x.shape, limbs)

    pen = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(pen)
    open_ = np.where(tree, 0, dark)
    hatch(draw, open_, way, 11, 60, 0.10, rng)
    hatch(draw, open_, way + 0.85, 11, 46, 0.30, rng)
    hatch(draw, open_, way - 0.75, 11, 40, 0.46, rng)
    hatch(draw, open_, way + 1.57, 10, 30, 0.62, rng)
    tufts(draw, part, rng)
    birds(draw, height, rng)
    trunk = Image.fromarray(np.where(tree, 0, 255).astype("uint8"))
    pen = Image.fromarray(np.minimum(np.asarray(pen), np.asarray(trunk)))
    draw = ImageDraw.Draw(pen)
    shade = np.where(tree, 0.45 + 0.45 * side, 0)
    hatch(draw, shade, bark, 5.0, 34, 0.25, rng)
    hatch(draw, shade, bark + 1.1, 5.5, 18, 0.42, rng)
    hatch(draw, shade, bark - 1.0, 5.5, 16, 0.66, rng)
    outline(draw, limbs, height, rng)

    pool = 0.75 + 0.18 * noise(x.shape, 0.09, rng)
    tone = np.clip(np.where(tree, 0.55 + 0.3 * side, 0.85 * dark), 0, 1)
    wash = np.clip((0.06 + blur(tone, 5)) * pool, 0, 0.9)
    grain = noise(x.shape, 0.003, rng, octaves=1)[..., None]
    paper = PAPER * (1 + 0.014 * grain)
    picture = blend(paper, WASH, wash) * (1 + 0.01 * grain)
    line = blur(np.asarray(pen, dtype=np.float32) / 255, 0.5)
    return shrink(blend(picture, INK, np.clip(1.1 * line, 0, 0.95)))
