"""Marbled paper: inks dropped on water, combed, and lifted with a sheet.

Every step moves the inks by a map of the plane with a known inverse, so the
color of a point is found by walking the steps backward (S. Lu, A. Jaffer et
al., Mathematical marbling, IEEE CG&A 32(6), 2012): a drop of radius r at c
pushes a point p to c + (p - c) sqrt(1 + r^2 / |p - c|^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .brush import SCALE, shrink
from .fields import Array, blend, blur, grid, noise, palette

SIZE = (576, 720)
GROUND = palette(
    "#16263f",
    "#efe0bd",
    "#1f5f74",
    "#d9a441",
    "#12364f",
    "#2f8f8b",
    "#b5532f",
    "#f4e7c9",
    "#7fb3a6",
    "#7a1f3d",
)
LEAF = palette("#0f3d2e", "#7fae52")
TULIPS = (
    # x, y of the heart, size, how the stem leans, petals from outside in.
    (
        0.40,
        0.27,
        0.105,
        0.00,
        palette(
            "#7a1230",
            "#f3d9b0",
            "#c9283a",
            "#8f1a34",
            "#f0b23c",
            "#d9542a",
            "#fbe6a8",
        ),
    ),
    (
        0.19,
        0.43,
        0.080,
        0.05,
        palette(
            "#5a1a4a",
            "#e9b8c0",
            "#b8437a",
            "#6a2058",
            "#f4d9c0",
            "#c96a92",
            "#fff2e0",
        ),
    ),
    (
        0.61,
        0.46,
        0.084,
        -0.05,
        palette(
            "#8a2a12",
            "#f7d9a0",
            "#e4662c",
            "#a83a16",
            "#f9e3a0",
            "#e8963c",
            "#fff6d8",
        ),
    ),
)

Move = Callable[[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Drop:
    """A drop of ink, round when it falls."""

    x: float
    y: float
    radius: float
    ink: Array


def comb(gap: float, pull: float, sharp: float, way: float) -> Move:
    """Undo tines drawn along an angle, a gap apart, every other one back."""
    dx, dy = float(np.cos(way)), float(np.sin(way))

    def undo(x: Array, y: Array) -> tuple[Array, Array]:
        across = (y * dx - x * dy) / gap
        near = np.round(across)
        off = np.abs(across - near) * gap
        sign = np.where(near % 2 == 0, 1.0, -1.0)
        move = pull * sign * np.exp(-off / sharp)
        return x - move * dx, y - move * dy

    return undo


def wave(height: float, length: float, way: float) -> Move:
    """Undo a comb that swings from side to side."""
    dx, dy = float(np.cos(way)), float(np.sin(way))

    def undo(x: Array, y: Array) -> tuple[Array, Array]:
        along = y * dx - x * dy
        move = height * np.sin(2 * np.pi * along / length)
        return x - move * dx, y - move * dy

    return undo


def needle(
    start: tuple[float, float],
    end: tuple[float, float],
    reach: float,
    steps: int = 24,
) -> Move:
    """Undo a needle drawn from start to end; it drags ink within reach."""
    dx, dy = (end[0] - start[0]) / steps, (end[1] - start[1]) / steps

    def undo(x: Array, y: Array) -> tuple[Array, Array]:
        x, y = x.copy(), y.copy()
        for i in reversed(range(steps)):
            cx, cy = start[0] + (i + 1) * dx, start[1] + (i + 1) * dy
            near = np.abs(x - cx) < 3 * reach
            near &= np.abs(y - cy) < 3 * reach
            px, py = x[near], y[near]
            hold = np.exp(-((px - cx) ** 2 + (py - cy) ** 2) / reach**2)
            x[near] = px - dx * hold
            y[near] = py - dy * hold
        return x, y

    return undo


def tulip(
    x: float, y: float, size: float, lean: float, inks: Array
) -> list[Drop | Move]:
    """Return the steps that make a tulip with its stem and two leaves."""
    foot = (x + lean, 0.95)
    steps: list[Drop | Move] = []
    for side in (-1, 1):
        base = (foot[0] + side * 0.008, 0.90)
        steps += [
            Drop(*base, 0.24 * size, LEAF[0]),
            Drop(*base, 0.15 * size, LEAF[1]),
            needle(
                base,
                (base[0] + side * 0.8 * size, y + 2.3 * size),
                0.17 * size,
                100,
            ),
        ]
    steps += [
        Drop(foot[0], foot[1], 0.30 * size, LEAF[0]),
        Drop(foot[0], foot[1], 0.16 * size, LEAF[1]),
        needle(foot, (x, y + 0.5 * size), 0.19 * size, 140),
    ]
    steps += [
        Drop(x, y, size * share, ink)
        for ink, share in zip(
            inks, (0.74, 0.64, 0.61, 0.46, 0.41, 0.27, 0.20), strict=True
        )
    ]
    tip = y - 1.75 * size
    for way in (-0.62, 0.62, 0.0):
        steps.append(
            needle(
                (x + 0.55 * way * size, y - 0.2 * size),
                (x + 1.5 * way * size, tip),
                0.30 * size,
            )
        )
    for way in (-0.36, 0.36):
        steps.append(
            needle(
                (x + way * 2.0 * size, tip),
                (x + 0.9 * way * size, y - 0.1 * size),
                0.16 * size,
            )
        )
    return steps


def recipe(rng: np.random.Generator) -> list[Drop | Move]:
    """Return all that is done to the water, in order."""
    steps: list[Drop | Move] = []
    for i in range(280):
        x, y = rng.uniform(-0.08, 0.88), rng.uniform(-0.08, 1.08)
        radius = rng.uniform(0.02, 0.08) * (1 - 0.45 * i / 280)
        steps.append(Drop(x, y, radius, GROUND[i % len(GROUND)]))
    for i in range(90):
        x, y = rng.uniform(0, 0.8), rng.uniform(0, 1)
        steps.append(
            Drop(
                x,
                y,
                rng.uniform(0.012, 0.035),
                GROUND[(3 * i + 1) % len(GROUND)],
            )
        )
    steps += [
        comb(0.085, 0.20, 0.030, np.pi / 2),
        comb(0.034, 0.075, 0.010, 0.0),
        wave(0.012, 0.26, np.pi / 2),
        wave(0.010, 0.21, 0.0),
    ]
    for flower in TULIPS:
        steps += tulip(*flower)
    return steps


def lift(steps: list[Drop | Move], x: Array, y: Array) -> Array:
    """Return the colors `(H, W, 3)` found by undoing the steps.

    Where ink is drawn out thinner than a pixel, its layers mix.
    """
    pixel = 1 / x.shape[0]
    colors = np.broadcast_to(GROUND[2], (*x.shape, 3)).copy()
    free = np.ones(x.shape, dtype=bool)
    for step in reversed(steps):
        if not isinstance(step, Drop):
            x, y = step(x, y)
            continue
        square = (x - step.x) ** 2 + (y - step.y) ** 2
        inside = square < step.radius**2
        colors[inside & free] = step.ink
        free &= ~inside
        shrunk = np.sqrt(np.clip(1 - step.radius**2 / (square + 1e-9), 0, 1))
        x = step.x + (x - step.x) * shrunk
        y = step.y + (y - step.y) * shrunk
    stretch = (
        np.hypot(np.hypot(*np.gradient(x)), np.hypot(*np.gradient(y))) / pixel
    )
    thin = blur(np.clip(stretch / 12 - 0.5, 0, 1), 1.5)
    return blend(colors, blur(colors, 4), thin)


def paint() -> Image.Image:
    """Marble the sheet; ink gathers at edges and in the paper's grain."""
    rng = np.random.default_rng(1650)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    x = x + 0.0016 * noise(x.shape, 0.05, rng)
    y = y + 0.0016 * noise(x.shape, 0.05, rng)
    colors = lift(recipe(rng), x, y)
    soft = blur(colors, 6)
    colors = colors + 0.35 * (colors - soft)
    grain = noise(x.shape, 0.003, rng, octaves=1)
    cloud = noise(x.shape, 0.08, rng)
    fiber = noise(x.shape, 0.004, rng, octaves=1, stretch=9)
    tone = 1 + 0.03 * grain + 0.05 * cloud + 0.02 * fiber
    return shrink(colors * tone[..., None])
