"""Night over the lake: oil strokes along the wind of a starry sky."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .brush import SCALE, Brush, Canvas, cover, light, shrink, weave
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

SIZE = (720, 576)
SKY = palette("#0b1740", "#15307a", "#1f4fa6", "#2f7fb8", "#7fb8b5", "#d3dcae")
GLOW = palette("#f7e9a0", "#f6c945", "#e39a2c")
# x, y, radius of the glow, how fast the air turns around it (the wind is 1).
STARS = (
    (0.13, 0.13, 0.050, 1.9),
    (0.34, 0.30, 0.036, -1.7),
    (0.47, 0.09, 0.043, 1.8),
    (0.69, 0.47, 0.032, 1.6),
    (0.75, 0.11, 0.038, -1.8),
    (1.17, 0.44, 0.036, 1.8),
    (0.10, 0.45, 0.038, 1.8),
    (0.90, 0.49, 0.024, 1.5),
    (0.30, 0.51, 0.022, 1.5),
)
MOON = (1.01, 0.17, 0.085, 2.2)
# x, y, radius, turn of the two great eddies.
EDDIES = ((0.52, 0.320, 0.130, 1.75), (0.815, 0.285, 0.090, -1.6))


def stream(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return the wind's stream function; the air flows along its levels."""
    psi = y + 0.03 * np.sin(3.1 * x + 5 * y) + 0.006 * noise(x.shape, 0.3, rng)
    for cx, cy, radius, turn in (*EDDIES, MOON, *STARS):
        square = (x - cx) ** 2 + (y - cy) ** 2
        spread = 1.2 * radius
        psi = psi + turn * spread * np.exp(-square / spread**2)
    return psi


def sky(x: Array, y: Array, psi: Array, rng: np.random.Generator) -> Array:
    """Return the sky's colors: bands along the wind, rings about lights."""
    bands = 0.5 + 0.5 * np.sin(75 * psi + 0.8 * noise(x.shape, 0.2, rng))
    bright = 0.12 + 0.42 * bands + 0.22 * smoothstep(0.25, 0.7, y)
    for cx, cy, radius, _ in EDDIES:
        r = np.hypot(x - cx, y - cy)
        core = np.exp(-((2.2 * r / radius) ** 2))
        bright = (
            bright
            + 0.30 * np.exp(-((r / radius) ** 2)) * bands
            + (0.35 * core)
        )
    plan = ramp(np.clip(bright, 0, 1), SKY)
    for cx, cy, radius, _ in (*STARS, MOON):
        r = np.hypot(x - cx, y - cy) / radius
        rings = np.exp(-r / 0.9) * (0.75 + 0.25 * np.cos(7 * r))
        plan = blend(plan, GLOW[0], np.clip(1.5 * rings, 0, 0.9))
        core = smoothstep(0.66, 0.50, r)
        plan = blend(plan, ramp(np.clip(r / 0.6, 0, 1), GLOW), core)
    cx, cy, radius, _ = MOON
    bite = np.hypot(x - cx + 0.022, y - cy + 0.010) / radius
    shadow = smoothstep(0.46, 0.40, bite)
    return blend(plan, palette("#5f93a8")[0], 0.85 * shadow)


def poplar(x: Array, y: Array, foot: float, top: float, wide: float) -> Array:
    """Return a tree's height above its outline, negative outside."""
    rise = np.clip((1.02 - y) / (1.02 - top), 0, 1.2)
    sway = 0.014 * np.sin(8 * y + 11 * foot) * rise
    half = 1.5 * wide * np.clip(1 - rise, 0, 1) ** 0.7 * (0.45 + rise) ** 0.6
    side = np.sign(x - foot - sway)
    lick = 0.18 * half * np.sin(38 * y + 2 * side + 50 * np.abs(x - foot))
    return half + lick - np.abs(x - foot - sway)


def paint() -> Image.Image:
    """Paint the sky, the hills, the lake with its lights, the poplars."""
    rng = np.random.default_rng(1889)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    psi = stream(x, y, rng)
    down, right = np.gradient(psi)
    angle = np.arctan2(-right, down)
    plan = sky(x, y, psi, rng)

    far = profile(
        x,
        [
            (0, 0.60),
            (0.25, 0.55),
            (0.5, 0.61),
            (0.8, 0.575),
            (1.0, 0.62),
            (1.25, 0.56),
        ],
    )
    near = profile(
        x, [(0, 0.66), (0.2, 0.635), (0.55, 0.672), (0.9, 0.64), (1.25, 0.67)]
    )
    shore = 0.715 + 0.006 * np.sin(9 * x)
    bank = profile(
        x, [(0, 0.95), (0.4, 0.99), (0.7, 0.94), (0.95, 0.90), (1.25, 0.84)]
    )
    ripple = noise(x.shape, 0.05, rng, stretch=6)
    hills = ramp(
        np.clip(0.5 + 3 * (y - far) + 0.2 * ripple, 0, 1),
        palette("#3a6a9c", "#274a80", "#152a58"),
    )
    slopes = ramp(
        np.clip(0.35 + 4 * (y - near) + 0.25 * ripple, 0, 1),
        palette("#31665f", "#1d4450", "#0e2036"),
    )
    mirror = ramp(
        np.clip(0.5 + 0.25 * ripple - 0.5 * (y - 0.8), 0, 1),
        palette("#0a1a45", "#17408a", "#2f78ac", "#6fb0b4"),
    )
    lamps = np.array([0.08, 0.17, 0.24, 0.37, 0.42, 0.56, 0.63, 0.73, 0.86])
    for i, lamp in enumerate(lamps):
        reach = 0.14 + 0.06 * np.sin(5 * i)
        sway = 0.006 * np.sin(70 * y + 3 * i)
        beam = np.exp(-(((x - lamp - sway) / (0.006 + 0.05 * (y - 0.7))) ** 2))
        beam = beam * smoothstep(shore.max() + reach, 0.73, y)
        mirror = blend(mirror, GLOW[i % 3], np.clip(beam, 0, 0.95))
    moonlight = np.exp(-(((x - 1.01) / (0.03 + 0.1 * (y - 0.7))) ** 2))
    mirror = blend(
        mirror, GLOW[0], np.clip(moonlight * (0.45 + 0.4 * ripple), 0, 0.85)
    )
    grass = ramp(
        np.clip(0.45 + 0.3 * noise(x.shape, 0.04, rng), 0, 1),
        palette("#06121f", "#12303a", "#2c5a4a", "#6f8a4a"),
    )

    is_sky = y < np.minimum(far, near)
    is_bank = y > bank
    for where, colors in (
        (y > far, hills),
        (y > near, slopes),
        (y > shore, mirror),
    ):
        plan = np.where(where[..., None], colors, plan)
    for i, lamp in enumerate(lamps):
        rise = 0.004 + 0.012 * ((i * 7) % 4)
        r = np.hypot(x - lamp, (y - (0.708 - rise)))
        plan = blend(plan, GLOW[i % 2], np.exp(-((r / 0.009) ** 2)))
    plan = np.where(is_bank[..., None], grass, plan)
    trees = np.maximum.reduce(
        [
            poplar(x, y, 1.115, 0.27, 0.062),
            poplar(x, y, 1.20, 0.40, 0.050),
        ]
    )
    leaf = ramp(
        np.clip(0.35 + 0.28 * noise(x.shape, 0.05, rng, stretch=0.3), 0, 1),
        palette("#050d18", "#0d2630", "#1d463f", "#4d6a35"),
    )
    is_tree = trees > 0
    plan = np.where(is_tree[..., None], leaf, plan)

    angle = np.where(is_sky, angle, 0.3 * np.sin(8 * x + 9 * y))
    angle = np.where(y > shore, 0.04 * ripple, angle)
    tall = -np.pi / 2 + 0.35 * noise(x.shape, 0.12, rng)
    angle = np.where(is_bank | is_tree, tall, angle)

    canvas = Canvas((width, height), "#10204a")
    flat = Brush(30, 110, 10, shade=0.04)
    round_ = Brush(15, 70, 6, shade=0.06, tint=0.03, spacing=0.85, load=0.8)
    fine = Brush(8, 34, 4, shade=0.06, tint=0.03, spacing=0.85, load=0.9)
    tip = Brush(6, 20, 3, shade=0.03, tint=0.02, load=1.0)
    cover(canvas, plan, angle, flat, rng)
    cover(canvas, plan, angle, round_, rng)
    cover(canvas, plan, angle, fine, rng, tolerance=0.09)
    lit = plan[..., 0] > 0.75
    cover(canvas, plan, angle, tip, rng, where=lit, tolerance=0.06)
    return shrink(weave(light(canvas), rng))
