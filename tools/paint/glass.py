"""Lilies at sunrise: leaded panes of colored glass against the light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage.segmentation import find_boundaries

from .brush import SCALE, shrink
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

SIZE = (560, 736)
SUN = (0.40, 0.345)
GOLD = palette("#fff2a8", "#ffd84f", "#ffb52e", "#ff8f2b")
DAWN = palette(
    "#ffcf5c",
    "#ff9e45",
    "#f4724a",
    "#e0506a",
    "#b04a92",
    "#7a4fb0",
    "#4a56b8",
    "#2f5fc0",
    "#2447a0",
)
HILL = palette(
    "#2f9f7a", "#1f8a78", "#58b85a", "#1a6f8a", "#9fcf4f", "#20805a", "#2f8fa0"
)
WATER = palette(
    "#2f8fe0", "#6fd0ee", "#ffd27a", "#58b4e8", "#bfeef0", "#ffb45c", "#8fd8f0"
)
PETAL = palette("#fff6ea", "#ffe3ea", "#ffd0de", "#f7eccf", "#ffffff")
LEAF = palette("#1f9a4a", "#58b83a", "#137a4f", "#8fcf45")
RIM = palette("#c8243f", "#1f3fa8", "#e8a52a", "#7a1f6a", "#12807a")


class Window:
    """The panes cut so far: a number and a color for every pixel."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.pane: NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        self.color: Array = np.zeros((*shape, 3), dtype=np.float32)
        self.count = 1

    def cut(
        self,
        where: NDArray[np.bool_],
        part: NDArray[np.int64],
        colors: Array,
    ) -> None:
        """Fill a region with panes: one for each value of part in it.

        Pane k takes the color k modulo their number.
        """
        low = int(part[where].min())
        self.pane[where] = self.count + part[where] - low
        self.color[where] = colors[part[where] % len(colors)]
        self.count += int(part[where].max()) - low + 1


def vesica(
    x: Array,
    y: Array,
    base: tuple[float, float],
    way: float,
    size: float,
    wide: float,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return a pointed petal from its base along way, and its two halves."""
    dx, dy = x - base[0], y - base[1]
    along = (dx * np.cos(way) + dy * np.sin(way)) / size
    across = (dy * np.cos(way) - dx * np.sin(way)) / size
    bend = across - 0.10 * np.sin(np.pi * along)
    inside = np.clip(along * (1 - along), 0, None) * 4
    half = wide * inside**0.75 * (0.7 + 0.5 * along)
    return np.abs(bend) < half, (bend > 0).astype(np.int64)


def sky(window: Window, x: Array, y: Array) -> None:
    """Cut the sun, its rings and its rays."""
    dx, dy = x - SUN[0], y - SUN[1]
    r, turn = np.hypot(dx, dy), np.arctan2(dy, dx) / (2 * np.pi) + 0.5
    everywhere = np.ones(x.shape, dtype=bool)
    rings = np.array([0.185, 0.245, 0.315, 0.39, 0.475, 0.57])
    wobble = r * (1 + 0.035 * np.sin(2 * np.pi * 7 * turn))
    ring = np.searchsorted(rings, wobble)
    shift = 0.5 * (ring % 2) / 20
    ray = np.floor((turn + shift) * 20).astype(int) % 20
    far, spoke = np.divmod(np.arange(20 * (len(rings) + 1)), 20)
    tint = 1.35 * far + spoke % 3 - 1 + spoke % 2
    tint = np.clip(tint, 0, len(DAWN) - 1).astype(int)
    window.cut(everywhere, ring * 20 + ray, DAWN[tint])
    window.cut(
        r < 0.185,
        np.floor(turn * 20 + 0.25).astype(int) % 20,
        GOLD[[2, 1, 3, 1]],
    )
    window.cut(
        r < 0.125, np.floor(turn * 10 + 0.6).astype(int) % 10, GOLD[[1, 0]]
    )
    window.cut(r < 0.068, np.zeros(x.shape, dtype=int), GOLD[[0]])


def land(window: Window, x: Array, y: Array) -> None:
    """Cut three ranges of hills and the river that winds between them."""
    far = profile(
        x, [(0, 0.52), (0.2, 0.47), (0.42, 0.545), (0.6, 0.49), (0.8, 0.54)]
    )
    mid = profile(x, [(0, 0.585), (0.25, 0.60), (0.5, 0.575), (0.8, 0.63)])
    window.cut(
        y > far,
        np.floor(x * 9 + 3 * y).astype(int),
        palette("#5a4fa8", "#7a5fb8", "#4a68b8", "#8a68a8"),
    )
    window.cut(
        y > mid,
        np.floor(x * 8 - 5 * (y - mid)).astype(int)
        + 20 * np.floor((y - mid) / 0.11).astype(int),
        HILL,
    )
    fall = np.clip((y - 0.59) / 0.41, 0, 1)
    course = 0.42 + 0.11 * np.sin(7.5 * fall**0.8) * (0.35 + fall)
    river = np.abs(x - course) < 0.018 + 0.15 * fall**1.3
    river &= y > 0.592
    row = np.floor(9 * fall**0.6 + 1.1 * (x - course) / (0.1 + fall))
    side = (x > course + 0.02 * np.sin(40 * y)).astype(int)
    window.cut(river, row.astype(int) * 2 + side * (row > 2), WATER)


def lily(
    window: Window,
    x: Array,
    y: Array,
    heart: tuple[float, float],
    size: float,
    foot: float,
    lean: float,
) -> None:
    """Cut a lily on its stem, with two leaves."""
    cx, cy = heart
    path = cx + (foot - cx) * np.clip((y - cy) / (1.0 - cy), 0, 1) ** 1.5
    stem = (np.abs(x - path) < 0.009) & (y > cy)
    for way, long, low in ((-2.25, 2.3, 0.99), (-0.85, 2.0, 0.97)):
        where, half = vesica(x, y, (foot, low), way, long * size, 0.11)
        window.cut(where, half, LEAF[[0, 1]] if way < -1.5 else LEAF[[2, 3]])
    window.cut(stem, np.floor(y * 7).astype(int), LEAF[[2, 0]])
    for i, turn in enumerate((-1.25, 1.25, -0.72, 0.72, 0.0)):
        where, half = vesica(
            x,
            y,
            (cx, cy + 0.25 * size),
            -np.pi / 2 + turn + lean,
            size * (1.15 - 0.1 * abs(turn)),
            0.235,
        )
        window.cut(where, half, PETAL[[i % 5, (i + 2) % 5]])
    for turn in (-0.3, 0.05, 0.35):
        where, _ = vesica(
            x,
            y,
            (cx, cy + 0.20 * size),
            -np.pi / 2 + turn + lean,
            0.52 * size,
            0.085,
        )
        window.cut(where, np.zeros(x.shape, dtype=int), GOLD[[2]])


def border(window: Window, x: Array, y: Array) -> None:
    """Cut a frame of small panes with squares at its corners."""
    right = float(x.max())
    edge = np.minimum.reduce([x, right - x, y, 1 - y])
    flat = np.minimum(x, right - x) < np.minimum(y, 1 - y)
    along = np.where(flat, y, x)
    side = np.where(flat, (x > right / 2), 2 + (y > 0.5)).astype(int)
    piece = np.floor(along / 0.0715 + 0.3).astype(int)
    window.cut(edge < 0.042, piece + 40 * side, RIM)


def leads(pane: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return where lead covers the glass and how it catches the light."""
    edge = Image.fromarray(find_boundaries(pane, mode="thick"))
    wide = edge.convert("L").filter(ImageFilter.MaxFilter(9))
    cover = blur(np.asarray(wide, dtype=np.float32) / 255, 1.4)
    round_ = blur(cover, 2.5)
    down, right = np.gradient(round_)
    return smoothstep(0.35, 0.65, cover), -(down + 0.7 * right)


def paint() -> Image.Image:
    """Cut the panes, let light through them and join them with lead."""
    rng = np.random.default_rng(1144)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    wavy = 0.004 * noise(x.shape, 0.12, rng)
    window = Window(x.shape)
    sky(window, x + wavy, y + wavy)
    land(window, x + wavy, y + wavy)
    for heart, size, foot, lean in (
        ((0.17, 0.635), 0.135, 0.21, -0.12),
        ((0.615, 0.60), 0.145, 0.56, 0.10),
        ((0.40, 0.755), 0.125, 0.385, 0.0),
    ):
        lily(window, x + wavy, y + wavy, heart, size, foot, lean)
    border(window, x, y)

    tilt = rng.normal(0, 1, window.count + 1)[window.pane]
    hue = rng.normal(0, 0.035, (window.count + 1, 3))[window.pane]
    streak = np.where(
        tilt > 0,
        noise(x.shape, 0.03, rng, stretch=7),
        noise(x.shape, 0.16, rng, stretch=0.15),
    )
    cloud = noise(x.shape, 0.05, rng)
    hammered = noise(x.shape, 0.014, rng, octaves=2)
    lead, shine = leads(window.pane)
    rim = blur(lead, 9)
    light = 1.06 + 0.07 * tilt + 0.12 * streak + 0.07 * cloud - 0.75 * rim
    light = light + 0.06 * hammered
    light = light + 0.20 * np.exp(
        -((x - SUN[0]) ** 2 + (y - SUN[1]) ** 2) / 0.08
    )
    glass = (window.color + hue) * light[..., None]
    depth = np.clip(1.2 - light, 0, 1)[..., None]
    glass = np.clip(glass, 0, 1) ** (1 + 0.9 * depth)
    metal = blend(
        np.zeros_like(glass) + palette("#15161c")[0],
        palette("#8f95a8")[0],
        np.clip(9 * shine, 0, 0.8),
    )
    picture = blend(np.clip(glass, 0, 1.2), metal, lead)
    glow = blur(np.clip(picture, 0, 1), 14)
    return shrink(1 - (1 - np.clip(picture, 0, 1)) * (1 - 0.22 * glow))
