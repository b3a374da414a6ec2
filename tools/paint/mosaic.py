"""Vine over deep blue: glass tesserae set along the contours, in mortar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.measure import find_contours
from skimage.segmentation import find_boundaries

from .brush import SCALE, shrink
from .fields import Array, blur, grid, noise, palette, ramp

SIZE = (720, 576)
MORTAR = "#8d8373"
# Names of the regions, in the order in which they are laid over each other.
NIGHT, HALO, VINE, LEAF, FRUIT, SEED, DOVE, WING, BEAK, RED, GOLD, WHITE = (
    range(12)
)
STONES = {
    NIGHT: palette("#10225c", "#16347a", "#1c4a94", "#0e1a48", "#1f5f9e"),
    HALO: palette("#1f6f9e", "#2a86a8", "#3f9cae", "#236a98"),
    VINE: palette("#d9a72e", "#f0c64a", "#b9801f", "#f7dc7c", "#c8952a"),
    LEAF: palette("#2f7a3f", "#4f9a3f", "#86b84a", "#1f5f3f", "#b3cf5f"),
    FRUIT: palette("#b3202f", "#d8402f", "#8f1830", "#e8663a"),
    SEED: palette("#f7dc7c", "#f2b84a", "#fff0b8"),
    DOVE: palette("#f4efe2", "#dfe3e6", "#fffaf0", "#c9d2dc"),
    WING: palette("#a9bccb", "#8aa3bc", "#cfdbe2", "#7089a8"),
    BEAK: palette("#e0702a", "#c8501f"),
    RED: palette("#9a1c2c", "#b8302f", "#7d1428"),
    GOLD: palette("#e3b23c", "#f3cf62", "#c8922a", "#fae08a"),
    WHITE: palette("#f2ead6", "#e3dcc8", "#fff8e6"),
}
# Center x from the middle, y, radius, and the scroll that a vine comes from;
# None is the trunk.
SCROLLS = (
    (0.185, 0.270, 0.118),
    (0.195, 0.555, 0.125),
    (0.432, 0.405, 0.112),
    (0.430, 0.165, 0.092),
    (0.437, 0.660, 0.100),
)
PARENTS = (None, None, 1, 0, 1)
STARS = (
    (0.075, 0.12),
    (0.30, 0.105),
    (0.315, 0.31),
    (0.535, 0.275),
    (0.535, 0.54),
    (0.535, 0.785),
    (0.135, 0.735),
    (0.535, 0.90),
    (0.30, 0.905),
)
METAL = (VINE, GOLD, SEED)
"""Regions of gold leaf under glass, which flash where a tile is tilted."""


def bezier(start: Array, out: Array, into: Array, end: Array) -> Array:
    """Return the curve `(25, 2)` that leaves along out, arrives along into."""
    t = np.linspace(0, 1, 25)[:, None]
    a, b = start + out, end - into
    return (
        (1 - t) ** 3 * start
        + 3 * t * (1 - t) ** 2 * a
        + 3 * t**2 * (1 - t) * b
        + t**3 * end
    )


def vines() -> list[Array]:
    """Return each vine `(145, 2)`: from where it branches off to its fruit.

    Scrolls on the trunk wind one way and those that branch off them the
    other way, along the line that touches both circles.
    """
    paths = []
    for (cx, cy, radius), parent in zip(SCROLLS, PARENTS, strict=True):
        t = np.linspace(0, 1, 120)
        if parent is None:
            turn, start = 1.0, np.pi
            origin, out = np.array([0.0, cy + 0.19]), np.array([0.0, -0.07])
        else:
            px, py, size = SCROLLS[parent]
            apart = np.hypot(cx - px, cy - py)
            tilt = np.arccos((radius + size) / apart)
            leave = np.arctan2(cy - py, cx - px) - tilt
            turn, start = -1.0, leave + np.pi
            ray = np.array([np.cos(leave), np.sin(leave)])
            origin = np.array([px, py]) + 0.97 * size * ray
            out = 0.03 * np.array([-ray[1], ray[0]])
        theta = start + turn * 2 * np.pi * 1.45 * t
        r = radius * (1 - 0.80 * t**1.8)
        spiral = np.stack([cx + r * np.cos(theta), cy + r * np.sin(theta)], 1)
        into = turn * np.array([-np.sin(start), np.cos(start)])
        stem = bezier(origin, out, 0.05 * into, spiral[0])
        paths.append(np.vstack([stem, spiral]))
    return paths


def draw_path(
    draw: ImageDraw.ImageDraw, path: Array, width: Array, fill: int
) -> None:
    """Draw a path `(n, 2)` in pixels, as round dots of changing width."""
    for (x, y), w in zip(path, np.broadcast_to(width, len(path)), strict=True):
        draw.ellipse((x - w, y - w, x + w, y + w), fill=fill)


def leaf_shape(
    at: Array, way: float, size: float
) -> list[tuple[float, float]]:
    """Return the outline of a pointed leaf, in pixels."""
    t = np.linspace(0, 1, 16)
    half = 0.34 * np.sin(np.pi * t**0.8) * size
    along = t * size
    side = np.concatenate([half, -half[::-1]])
    along = np.concatenate([along, along[::-1]])
    x = at[0] + along * np.cos(way) - side * np.sin(way)
    y = at[1] + along * np.sin(way) + side * np.cos(way)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def dove(
    draw: ImageDraw.ImageDraw, x: float, y: float, size: float, face: int
) -> None:
    """Draw a dove of a given size; it faces right (1) or left (-1)."""

    def shape(points: list[tuple[float, float]], fill: int) -> None:
        draw.polygon(
            [(x + face * size * px, y + size * py) for px, py in points],
            fill=fill,
        )

    t = np.linspace(0, 2 * np.pi, 40)
    body = np.stack([0.50 * np.cos(t), 0.29 * np.sin(t)], 1)
    lean = np.array([[0.91, -0.42], [0.42, 0.91]])
    shape(
        [
            (-0.30, 0.05),
            (-1.02, 0.36),
            (-1.10, 0.56),
            (-0.86, 0.60),
            (-0.14, 0.32),
        ],
        WING,
    )
    shape((body @ lean).tolist(), DOVE)
    shape([(0.22, -0.14), (0.34, -0.46), (0.66, -0.36), (0.50, 0.06)], DOVE)
    head = np.stack([0.50 + 0.17 * np.cos(t), -0.42 + 0.16 * np.sin(t)], 1)
    shape(head.tolist(), DOVE)
    shape([(0.64, -0.47), (0.86, -0.38), (0.63, -0.34)], BEAK)
    shape(
        [
            (0.20, -0.12),
            (-0.20, -0.10),
            (-0.78, 0.20),
            (-0.62, 0.26),
            (-0.20, 0.22),
            (0.12, 0.12),
        ],
        WING,
    )
    eye = np.stack([0.53 + 0.05 * np.cos(t), -0.45 + 0.05 * np.sin(t)], 1)
    shape(eye.tolist(), NIGHT)
    for px in (-0.02, 0.12):
        shape(
            [
                (px, 0.24),
                (px + 0.06, 0.24),
                (px + 0.05, 0.46),
                (px - 0.01, 0.46),
            ],
            BEAK,
        )


def cartoon(width: int, height: int) -> NDArray[np.int64]:
    """Return the region of every pixel: what the mosaic shows."""
    image = Image.new("L", (width, height), NIGHT)
    draw = ImageDraw.Draw(image)
    h, middle = height, width / 2
    for side in (-1, 1):
        for cx, cy, radius in SCROLLS:
            x = middle + side * cx * h
            r = 0.72 * radius * h
            draw.ellipse((x - r, cy * h - r, x + r, cy * h + r), fill=HALO)
    trunk_y = np.linspace(0.93, 0.10, 200) * h
    trunk_x = middle + 0.012 * h * np.sin(trunk_y / h * 16)
    thick = (0.012 + 0.012 * trunk_y / h) * h
    draw_path(draw, np.stack([trunk_x, trunk_y], 1), thick, VINE)
    for side in (-1, 1):
        for (cx, cy, radius), path in zip(SCROLLS, vines(), strict=True):
            path = np.stack(
                [middle + side * path[:, 0] * h, path[:, 1] * h], 1
            )
            for j in range(24, 112, 15):
                way = np.arctan2(*(path[j + 1] - path[j])[::-1])
                out = path[j] - (middle + side * cx * h, cy * h)
                turn = np.sign(np.cos(way) * out[1] - np.sin(way) * out[0])
                shape = leaf_shape(
                    path[j], way + 0.95 * turn, 0.50 * radius * h
                )
                draw.polygon(shape, fill=LEAF)
            wide = np.linspace(0.014, 0.008, len(path)) * h
            draw_path(draw, path, wide, VINE)
            x, y, r = path[-1, 0], path[-1, 1], 0.33 * radius * h
            draw.ellipse((x - r, y - r, x + r, y + r), fill=FRUIT)
            draw.ellipse(
                (x - 0.4 * r, y - 0.4 * r, x + 0.4 * r, y + 0.4 * r), fill=SEED
            )
    for way in (-2.5, -1.95, -1.57, -1.2, -0.65):
        shape = leaf_shape(np.array([middle, 0.150 * h]), way, 0.062 * h)
        draw.polygon(shape, fill=LEAF if way != -1.57 else FRUIT)
    for cx, cy in STARS:
        for x in (middle - cx * h, middle + cx * h):
            r = 0.0135 * h
            draw.ellipse((x - r, cy * h - r, x + r, cy * h + r), fill=WHITE)
    bowl = [
        (-0.11, 0.80),
        (0.11, 0.80),
        (0.085, 0.865),
        (0.03, 0.895),
        (0.065, 0.935),
        (-0.065, 0.935),
        (-0.03, 0.895),
        (-0.085, 0.865),
    ]
    draw.polygon([(middle + px * h, py * h) for px, py in bowl], fill=GOLD)
    draw.rectangle(
        (middle - 0.118 * h, 0.790 * h, middle + 0.118 * h, 0.812 * h),
        fill=WHITE,
    )
    for side in (-1, 1):
        dove(draw, middle + side * 0.235 * h, 0.80 * h, 0.165 * h, -side)
    regions = np.asarray(image, dtype=np.int64).copy()
    return frame(regions)


def frame(regions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add the border: red, gold and white bands with a row of lozenges."""
    height, width = regions.shape
    y, x = np.mgrid[0:height, 0:width] / height
    edge = np.minimum.reduce([x, x.max() - x, y, 1 - y])
    along = np.where(np.minimum(x, x.max() - x) < np.minimum(y, 1 - y), y, x)
    lozenge = np.abs((along / 0.0625) % 1 - 0.5) * 0.0625
    lozenge = lozenge + np.abs(edge - 0.030)
    for limit, region in ((0.064, GOLD), (0.052, RED), (0.010, GOLD)):
        regions = np.where(edge < limit, region, regions)
    inner = (edge > 0.012) & (lozenge < 0.021)
    return np.where(inner, WHITE, regions)


def distance(mask: NDArray[np.bool_], reach: int) -> Array:
    """Return the Euclidean distance to the mask, up to reach pixels."""
    square = np.where(mask, 0.0, float(reach**2))
    for axis in (0, 1):
        lines = np.moveaxis(square, axis, 0)
        best = lines.copy()
        for k in range(1, reach):
            best[k:] = np.minimum(best[k:], lines[:-k] + k * k)
            best[:-k] = np.minimum(best[:-k], lines[k:] + k * k)
        square = np.moveaxis(best, 0, axis)
    return np.sqrt(square)


def rows(away: Array, tile: float) -> list[tuple[float, float, float]]:
    """Return x, y and direction of tiles set in rows along the contours."""
    spots = []
    level = 0.55 * tile
    while level < away.max():
        for line in find_contours(away, level):
            step = np.hypot(*np.diff(line, axis=0).T)
            walked = np.concatenate([[0], np.cumsum(step)])
            count = int(walked[-1] / (1.04 * tile))
            if count == 0:
                continue
            at = (np.arange(count) + 0.5) * walked[-1] / count
            ends = [
                np.clip(at + s * tile * 0.5, 0, walked[-1]) for s in (-1, 1)
            ]
            (x0, x1), (y0, y1) = (
                [np.interp(end, walked, line[:, axis]) for end in ends]
                for axis in (1, 0)
            )
            way = np.arctan2(y1 - y0, x1 - x0)
            x, y = (np.interp(at, walked, line[:, axis]) for axis in (1, 0))
            spots += list(zip(x, y, way, strict=True))
        level += 1.04 * tile
    return spots


def corners(
    x: float,
    y: float,
    way: float,
    sides: tuple[float, float],
    rng: np.random.Generator,
) -> list[tuple[float, float]]:
    """Return the four corners of a slightly irregular tile."""
    along = np.array([-1, 1, 1, -1]) * sides[0] / 2
    across = np.array([-1, -1, 1, 1]) * sides[1] / 2
    along = along + rng.normal(0, 0.05 * sides[0], 4)
    across = across + rng.normal(0, 0.05 * sides[1], 4)
    cos, sin = np.cos(way), np.sin(way)
    px = x + along * cos - across * sin
    py = y + along * sin + across * cos
    return list(zip(px.tolist(), py.tolist(), strict=True))


def set_tiles(
    regions: NDArray[np.int64], tile: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return color and height of the tiles, largest first.

    A tile is set where most of its place is still free; the gaps that rows
    leave are filled with smaller and smaller pieces.
    """
    height, width = regions.shape
    picture = Image.new("RGB", (width, height), MORTAR)
    relief = Image.new("L", (width, height), 60)
    taken = Image.new("1", (width, height), 0)
    color, depth, mark = map(ImageDraw.Draw, (picture, relief, taken))
    away = distance(find_boundaries(regions, mode="inner"), round(9 * tile))
    shift = noise(regions.shape, 0.16, rng)
    spots = rows(away, tile)
    for share in (1.0, 0.62, 0.42):
        if share < 1:
            free = ~np.asarray(taken)
            gap = distance(~free, round(tile))
            ys, xs = np.nonzero(gap > 0.36 * share * tile)
            order = rng.permutation(len(xs))
            spots = [
                (float(xs[k]), float(ys[k]), rng.uniform(0, 3.14))
                for k in order
            ]
        for x, y, way in spots:
            i = min(max(int(y), 0), height - 1)
            j = min(max(int(x), 0), width - 1)
            probe = [
                (
                    x + tile * share * (u * np.cos(way) - v * np.sin(way)),
                    y + tile * share * (u * np.sin(way) + v * np.cos(way)),
                )
                for u in (-0.3, 0.3)
                for v in (-0.3, 0.3)
            ]
            if taken.getpixel((j, i)) or any(
                taken.getpixel(
                    (
                        min(max(int(u), 0), width - 1),
                        min(max(int(v), 0), height - 1),
                    )
                )
                for u, v in probe
            ):
                continue
            side = 0.88 * tile * share
            outline = corners(
                x, y, way, (side * rng.uniform(0.85, 1.1), side), rng
            )
            region = int(regions[i, j])
            stones = STONES[region]
            place = 0.5 + 0.20 * shift[i, j] + rng.normal(0, 0.2)
            ink = ramp(np.clip(place, 0, 1), stones)
            tilt = rng.normal(0, 0.11 if region in METAL else 0.06)
            flash = 0.35 * (region in METAL and rng.uniform() < 0.12)
            ink = ink * (1 + tilt) + flash * (1 - ink)
            ink = np.clip(ink * 255, 0, 255).astype(int)
            color.polygon(outline, fill=tuple(ink.tolist()))
            depth.polygon(outline, fill=int(rng.uniform(150, 230)))
            mark.polygon(outline, fill=1)
    return (
        np.asarray(picture, dtype=np.float32) / 255,
        np.asarray(relief, dtype=np.float32) / 255,
    )


def paint() -> Image.Image:
    """Lay the tiles and light them; each one is a little tilted."""
    rng = np.random.default_rng(526)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    color, relief = set_tiles(cartoon(width, height), 17.0, rng)
    down, right = np.gradient(blur(relief, 1.2))
    slope = np.clip(-(down + 0.7 * right) * 3, -1, 1)[..., None]
    grain = noise(x.shape, 0.006, rng, octaves=2)[..., None]
    candle = 1.12 - 0.45 * np.hypot((x - 0.625) / 1.25, y - 0.5)[..., None]
    lit = color * (1 + 0.45 * slope + 0.04 * grain) * candle
    return shrink(lit + 0.12 * np.clip(slope, 0, 1))
