"""Sunday by the river: divided dots of pure pigment on a warm ground."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .brush import SCALE, lookup, scatter, shrink
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

SIZE = (736, 552)
PIGMENTS = palette(
    "#f6efd2", "#f7d861", "#f2b23a", "#e77f3c", "#d9482f", "#b2334e",
    "#e79aa0", "#7d4a8f", "#4b4fa0", "#2f6fb5", "#6fa8d6", "#b9d8e2",
    "#2b8a86", "#3c9a55", "#86b93f", "#c8d45e", "#1f5a3c", "#2a2b5a",
    "#6b3a2e",
)  # fmt: skip


def crown(x: Array, y: Array, cx: float, cy: float, r: float) -> Array:
    """Return a tree crown's height above its round outline."""
    return r - np.hypot((x - cx) / 1.15, y - cy)


def plan_river(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return what is seen: sky, far bank, river, boats, shade, a parasol."""
    cloud = smoothstep(0.1, 1.2, noise(x.shape, 0.22, rng, stretch=3))
    sky = ramp(
        np.clip(y / 0.42, 0, 1),
        palette("#7fb2dc", "#b5d5e6", "#f4e3b5", "#f5cf94"),
    )
    plan = blend(sky, palette("#fbf1dc")[0], 0.65 * cloud)
    rough = 0.010 * noise(x.shape, 0.03, rng)

    hill = profile(x, [(0, 0.36), (0.35, 0.32), (0.75, 0.37), (1.34, 0.30)])
    plan = blend(plan, palette("#8fa0c8")[0], smoothstep(0, 0.008, y - hill))
    trees = np.full_like(x, -1)
    for cx, r in (
        (0.50, 0.045),
        (0.58, 0.06),
        (0.68, 0.04),
        (0.80, 0.05),
        (0.90, 0.065),
        (1.02, 0.05),
        (1.13, 0.075),
        (1.26, 0.06),
    ):
        trees = np.maximum(trees, crown(x, y, cx, 0.405 - 0.3 * r, r))
    trees = np.maximum(trees + rough, y - 0.41)
    lit = np.clip(
        0.35 + 9 * (0.40 - y) + 0.25 * noise(x.shape, 0.05, rng), 0, 1
    )
    leaf = ramp(lit, palette("#2f5f6a", "#3f8a5a", "#9cc04e", "#e9dc6a"))
    plan = np.where((trees > 0)[..., None], leaf, plan)
    for left, top, wide in ((0.735, 0.385, 0.05), (0.96, 0.375, 0.07)):
        wall = (x > left) & (x < left + wide) & (y > top) & (y < 0.432)
        plan = np.where(wall[..., None], palette("#f7e6c4")[0], plan)
        ridge = top - 0.03 + 0.9 * np.abs(x - left - wide / 2)
        roof = (y > ridge) & (y < top + 0.004)
        plan = np.where(roof[..., None], palette("#d9583a")[0], plan)

    bank = profile(
        x, [(0, 0.60), (0.4, 0.70), (0.8, 0.86), (1.1, 0.97), (1.34, 1.03)]
    )
    river = y > 0.435
    ripple = noise(x.shape, 0.035, rng, stretch=7)
    depth = (y - 0.435) / 0.5
    mirrored = np.clip(0.87 - y + 0.010 * ripple, 0, 1)
    row = np.clip((mirrored * x.shape[0]).astype(int), 0, x.shape[0] - 1)
    column = np.broadcast_to(np.arange(x.shape[1]), x.shape)
    water = blend(
        plan[row, column],
        palette("#2f74b4")[0],
        np.clip(0.25 + 0.55 * depth + 0.16 * ripple, 0, 1),
    )
    glitter = np.exp(-(((x - 0.86) / (0.05 + 0.16 * depth)) ** 2))
    water = blend(
        water,
        palette("#fdf0c0")[0],
        np.clip(glitter * (0.35 + 0.45 * ripple), 0, 0.9),
    )
    plan = np.where(river[..., None], water, plan)
    for mast, foot, size in (
        (0.60, 0.555, 0.17),
        (1.13, 0.50, 0.10),
        (0.93, 0.475, 0.06),
    ):
        for sign in (1, -1):
            rise = sign * (foot - y) / size
            reach = np.where(x > mast, 0.42, 0.26) * size * (1 - rise)
            sail = (rise > 0.06) & (rise < 1) & (np.abs(x - mast) < reach)
            fade = 0.92 if sign > 0 else 0.3
            color = palette("#fff3df" if mast < 1 else "#f3b27c")[0]
            plan = blend(plan, color, fade * sail)
            shade = sail & (x < mast)
            plan = blend(plan, palette("#9fb0d8")[0], 0.6 * fade * shade)
        hull = np.abs(y - foot + 0.002) < 0.055 * size
        hull &= np.abs(x - mast) < 0.34 * size - 1.2 * (y - foot)
        plan = np.where(hull[..., None], palette("#7a2f3a")[0], plan)

    grass = ramp(
        np.clip(
            0.62
            + 0.2 * noise(x.shape, 0.07, rng, stretch=3)
            - 0.25 * (y - bank),
            0,
            1,
        ),
        palette("#2f7a4a", "#6fae45", "#b9cf52", "#f0dd6c"),
    )
    shade = smoothstep(
        0.30, 0.20, np.hypot((x - 0.20) / 1.6, (y - 0.86) * 2.2) + rough * 3
    )
    grass = blend(grass, palette("#2c4f86")[0], 0.72 * shade)
    plan = blend(
        plan,
        palette("#d9b56a")[0],
        smoothstep(-0.016, -0.006, y - bank - rough),
    )
    plan = np.where((y > bank + rough)[..., None], grass, plan)
    return big_tree(strollers(plan, x, y), x, y, rng)


def strollers(plan: Array, x: Array, y: Array) -> Array:
    """Add two ladies with parasols and their shadows on the grass."""
    for cx, foot, tall, dress, silk in (
        (0.53, 0.955, 0.31, "#4b3f86", "#e2502f"),
        (0.345, 0.85, 0.21, "#c65a78", "#f7ecd0"),
    ):
        up = (foot - y) / tall
        cast = (
            np.hypot(
                (x - cx - 0.5 * tall) / (0.5 * tall),
                (y - foot) / (0.05 * tall),
            )
            < 1
        )
        plan = blend(plan, palette("#2c4f86")[0], 0.75 * cast)
        skirt = 0.20 - 0.17 * np.clip(up / 0.5, 0, 1) ** 0.6
        skirt = np.where(up > 0.5, 0.055 + 0.05 * (up - 0.5), skirt) * tall
        body = (up > 0) & (up < 0.74) & (np.abs(x - cx) < skirt)
        cloth = ramp(
            np.clip(0.5 + (x - cx) / (0.3 * tall), 0, 1),
            np.concatenate(
                [0.55 * palette(dress), palette(dress), palette("#f3b8a0")]
            ),
        )
        plan = np.where(body[..., None], cloth, plan)
        head = np.hypot(x - cx, y - foot + 0.80 * tall) < 0.045 * tall
        plan = np.where(head[..., None], palette("#e9b48c")[0], plan)
        px, py = cx + 0.03 * tall, foot - 0.86 * tall
        dome = np.hypot((x - px) / 0.27, (y - py) / 0.20) < tall
        dome &= y < py + 0.02 * tall * np.cos((x - px) * 60 / tall)
        shine = np.clip(0.55 + (x - px) / (0.5 * tall), 0, 1)
        silks = ramp(
            shine,
            np.stack(
                [
                    0.6 * palette(silk)[0],
                    palette(silk)[0],
                    palette("#fbe9b0")[0],
                ]
            ),
        )
        plan = np.where(dome[..., None], silks, plan)
        stick = (np.abs(x - px) < 0.008 * tall) & (up > 0.5) & (up < 0.86)
        plan = np.where(stick[..., None], palette("#6b3a2e")[0], plan)
    return plan


def big_tree(
    plan: Array, x: Array, y: Array, rng: np.random.Generator
) -> Array:
    """Add the tree that frames the left side, in light and shade."""
    rough = 0.022 * noise(x.shape, 0.05, rng)
    lean = 0.13 + 0.05 * np.sin(3 * y)
    trunk = np.abs(x - lean) < 0.022 + 0.03 * smoothstep(0.7, 0.9, y)
    trunk &= (y > 0.2) & (y < 0.85)
    bark = ramp(
        np.clip(0.5 + (x - lean) / 0.06, 0, 1),
        palette("#3a2448", "#6b3a2e", "#d98a4a"),
    )
    plan = np.where(trunk[..., None], bark, plan)
    leaves = np.full_like(x, -1)
    for cx, cy, r in (
        (0.02, 0.10, 0.20),
        (0.20, 0.08, 0.17),
        (0.36, 0.05, 0.11),
        (0.08, 0.29, 0.12),
        (0.29, 0.19, 0.09),
        (0.43, 0.13, 0.05),
    ):
        leaves = np.maximum(leaves, crown(x, y, cx, cy, r))
    lit = np.clip(
        0.42
        + 0.30 * noise(x.shape, 0.09, rng)
        + 0.8 * (x - 0.2)
        - 0.6 * (y - 0.1),
        0,
        1,
    )
    green = ramp(
        lit, palette("#1f3a5c", "#1f5a3c", "#3f9455", "#a3c546", "#f2dc63")
    )
    return np.where((leaves + rough > 0)[..., None], green, plan)


def divide(colors: Array, rng: np.random.Generator, warmth: float) -> Array:
    """Draw for each color one pigment; nearby ones are likelier.

    Dots of several pigments mix in the eye: the pigment k has probability
    proportional to exp(-|color - pigment k|^2 / warmth^2).
    """
    square = ((colors[:, None] - PIGMENTS) ** 2).sum(-1)
    gumbel = rng.gumbel(size=square.shape)
    return PIGMENTS[(gumbel - square / warmth**2).argmax(1)]


def paint() -> Image.Image:
    """Lay three coats of dots, each smaller than the one before."""
    rng = np.random.default_rng(1884)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    plan = plan_river(x, y, rng)
    plan = np.clip((plan - 0.5) * 1.08 + 0.5, 0, 1)
    image = Image.new("RGB", (width, height), "#efe0bb")
    draw = ImageDraw.Draw(image)
    for radius, spacing, spread in (
        (7.5, 8.5, 0.20),
        (5.6, 6.8, 0.30),
        (4.6, 8.0, 0.20),
    ):
        centers = scatter(plan.shape[:2], spacing, rng)
        mixed = lookup(plan, centers)
        pure = divide(mixed, rng, spread)
        share = rng.uniform(0.55, 1.0, (len(centers), 1))
        dots = mixed + share * (pure - mixed)
        dots = np.clip(dots + rng.normal(0, 0.02, dots.shape), 0, 1)
        radii = radius * rng.uniform(0.75, 1.2, (len(centers), 2))
        boxes = np.concatenate([centers - radii, centers + radii], axis=1)
        for box, dot in zip(
            boxes.tolist(), (dots * 255).astype(int).tolist(), strict=True
        ):
            draw.ellipse(box, fill=tuple(dot))
    pixels = np.asarray(image, dtype=np.float32) / 255
    grain = noise(x.shape, 0.006, rng, octaves=1)
    return shrink(pixels * (1 + 0.02 * grain[..., None]))
