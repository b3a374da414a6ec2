"""The breaker: a color woodcut with flat inks, carved lines, wood grain."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from .brush import SCALE, shrink
from .fields import Array, blend, blur, grid, noise, palette, ramp, smoothstep

SIZE = (736, 552)
PAPER = "#f0e4c8"
KEY = "#14233f"
BLUES = (
    "#1b3a6b",
    "#e9e3cc",
    "#2c5f95",
    "#16305c",
    "#7fa9bd",
    "#234f86",
    "#dfe0cc",
    "#1b3a6b",
    "#4f86ac",
)
FOAM = "#f6efdc"
SUN = (0.985, 0.315, 0.150)
# The back and the face of the great wave, from its foot to its tip.
BACK = np.array(
    [
        (-0.42, 1.02),
        (-0.12, 0.68),
        (0.05, 0.43),
        (0.20, 0.245),
        (0.38, 0.125),
        (0.57, 0.105),
        (0.70, 0.175),
        (0.755, 0.29),
    ]
)
FACE = np.array(
    [
        (1.10, 1.02),
        (0.76, 0.83),
        (0.58, 0.69),
        (0.49, 0.55),
        (0.475, 0.42),
        (0.53, 0.315),
        (0.63, 0.265),
        (0.735, 0.29),
    ]
)


def smooth(points: Array, count: int = 160) -> Array:
    """Return a Catmull-Rom curve `(count, 2)` through the points."""
    ends = [2 * points[0] - points[1], 2 * points[-1] - points[-2]]
    p = np.vstack([ends[0], points, ends[1]])
    t = np.linspace(0, len(points) - 1 - 1e-6, count)
    k = t.astype(int)
    s = (t - k)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    return 0.5 * (
        2 * b
        + (c - a) * s
        + (2 * a - 5 * b + 4 * c - d) * s**2
        + (3 * b - a - 3 * c + d) * s**3
    )


class Block:
    """The print so far: flat colors, and the key block's lines over them."""

    def __init__(self, width: int, height: int) -> None:
        self.unit = height
        self.flat = Image.new("RGB", (width, height), PAPER)
        self.key = Image.new("L", (width, height), 0)
        self.paint = ImageDraw.Draw(self.flat)
        self.carve = ImageDraw.Draw(self.key)

    def area(self, points: Array, ink: str) -> None:
        """Print a flat area; it covers the lines that were there."""
        outline = (points * self.unit).ravel().tolist()
        self.paint.polygon(outline, fill=ink)
        self.carve.polygon(outline, fill=0)

    def line(self, points: Array, wide: Array | float) -> None:
        """Carve a line of changing width, in units of the height."""
        wide = np.broadcast_to(wide, len(points)) * self.unit / 2
        at = points * self.unit
        step = np.hypot(*np.diff(at, axis=0).T)
        walked = np.concatenate([[0], np.cumsum(step)])
        dense = np.arange(0, walked[-1], 1.0)
        xs, ys, rs = (
            np.interp(dense, walked, v) for v in (at[:, 0], at[:, 1], wide)
        )
        for x, y, r in zip(xs.tolist(), ys.tolist(), rs.tolist(), strict=True):
            self.carve.ellipse((x - r, y - r, x + r, y + r), fill=255)

    def discs(
        self, centers: Array, radii: Array, ink: str, rim: float
    ) -> None:
        """Print a cluster of discs with one common outline."""
        boxes = (
            np.concatenate(
                [centers - radii[:, None], centers + radii[:, None]], 1
            )
            * self.unit
        )
        grown = boxes + np.array([-1, -1, 1, 1]) * rim * self.unit
        for box in grown.tolist():
            self.carve.ellipse(box, fill=255)
        for box in boxes.tolist():
            self.carve.ellipse(box, fill=0)
            self.paint.ellipse(box, fill=ink)


def claw(
    at: Array, way: float, size: float, curl: float
) -> tuple[Array, Array]:
    """Return the discs of one finger of foam, which curls as it thins."""
    t = np.linspace(0, 1, 22)
    theta = way + curl * t**1.4
    step = np.stack([np.cos(theta), np.sin(theta)], 1) * size / len(t)
    return at + np.cumsum(step, axis=0), 0.17 * size * (1 - 0.86 * t)


def foam(
    block: Block,
    edge: Array,
    size: Array,
    curl: float,
    rng: np.random.Generator,
) -> None:
    """Print foam along an edge `(n, 2)`, with claws to its left side.

    Args:
        block: printed on.
        edge: the lip, from its start to the tip.
        size: length of the claws along it.
        curl: angle through which the claws bend.
        rng: where the randomness comes from.
    """
    tangent = np.gradient(edge, axis=0)
    way = np.arctan2(tangent[:, 1], tangent[:, 0])
    centers, radii, dimples = [], [], []
    k = 0
    while k < len(edge):
        s = 1.25 * size[k] * rng.uniform(0.6, 1.3)
        turn = way[k] + np.sign(curl) * rng.uniform(0.5, 1.0)
        path, r = claw(edge[k], turn, s, curl * rng.uniform(0.7, 1.3))
        centers.append(path)
        radii.append(r)
        for j in (6, 11, 15):
            twig, q = claw(
                path[j],
                turn + np.sign(curl) * rng.uniform(-0.9, 1.2),
                0.46 * s,
                curl * rng.uniform(0.8, 1.4),
            )
            centers.append(twig)
            radii.append(q)
        centers.append(edge[k : k + 1])
        radii.append(np.array([0.26 * s]))
        dimples.append((path[3], turn, s))
        k += max(1, round(0.012 / 0.0075 * s / 0.05))
    block.discs(np.concatenate(centers), np.concatenate(radii), FOAM, 0.0032)
    for at, turn, s in dimples:
        for back in rng.uniform(-0.15, 0.55, rng.integers(0, 3)):
            arc = turn + np.linspace(-1.1, 1.1, 14) + rng.normal(0, 0.4)
            bow = np.stack([np.cos(arc), np.sin(arc)], 1) * 0.15 * s
            away = back * s * np.array([np.cos(turn), np.sin(turn)])
            block.line(at - away + bow, 0.030 * s * np.cos(arc - arc.mean()))


def breaker(
    block: Block,
    back: Array,
    face: Array,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Print a wave between its back and its face: bands, lines, foam."""
    t = np.linspace(0, 1, len(back))

    def between(f: Array | float) -> Array:
        return face + (back - face) * np.broadcast_to(f, t.shape)[:, None]

    block.area(np.vstack([back, face[::-1]]), BLUES[0])
    edges = np.array([0, 0.06, 0.13, 0.24, 0.37, 0.47, 0.60, 0.71, 0.84, 1])
    for k, ink in enumerate(BLUES):
        sway = 0.035 * np.sin(5 * t + 1.7 * k) * t * (1 - t) * 4
        low, high = edges[k] + sway, edges[k + 1] + sway
        if k == 0:
            low = np.zeros_like(t)
        band = np.vstack(
            [between(np.clip(low, 0, 1)), between(np.clip(high, 0, 1))[::-1]]
        )
        block.area(band, ink)
        if k:
            block.line(
                between(np.clip(low, 0, 1)), scale * 0.0042 * (1 - 0.55 * t)
            )
        count = 4 + int(60 * (edges[k + 1] - edges[k]))
        for j in range(1, count):
            f = low + (high - low) * (j + rng.normal(0, 0.14)) / count
            a, b = sorted(rng.uniform(0.02, 0.98, 2))
            if b - a < 0.2:
                continue
            part = slice(int(a * len(t)), int(b * len(t)))
            taper = np.sin(np.pi * np.linspace(0, 1, len(t[part])))
            block.line(between(np.clip(f, 0, 1))[part], scale * 0.0030 * taper)
    block.line(back, scale * 0.0060)
    block.line(face, scale * 0.0060)
    lip = len(t) * 45 // 100
    size = scale * (0.035 + 0.050 * np.linspace(0, 1, len(t) - lip))
    foam(block, face[lip + len(t) // 4 :], size[len(t) // 4 :], -1.9, rng)
    foam(block, back[lip:], size, 1.7, rng)
    hang = np.linspace(0, 1, len(t) - lip) ** 0.5
    foam(
        block,
        between(0.62)[lip + len(t) // 4 :],
        0.9 * (size * hang)[len(t) // 4 :],
        1.5,
        rng,
    )


def swell(
    block: Block,
    level: float,
    height: float,
    length: float,
    phase: float,
    inks: tuple[str, ...],
    rng: np.random.Generator,
) -> None:
    """Print a row of lower waves across the sheet, with foam on crests."""
    x = np.linspace(-0.05, 1.40, 420)
    turn = 2 * np.pi * (x / length + phase)
    crest = np.abs(np.sin(turn / 2)) ** 1.6
    drift = 0.25 * np.sin(0.63 * turn + 1)
    y = level + height * (crest * (1 + drift) - 0.5)
    for k, ink in enumerate(inks):
        down = k * 0.030 * (1 + 0.5 * np.sin(turn + 0.6 * k))
        top = np.stack([x, y + down], 1)
        floor = np.array([[1.40, 1.1], [-0.05, 1.1]])
        block.area(np.vstack([top, floor]), ink)
        block.line(top, 0.0034 + 0.0016 * np.sin(turn + k) ** 2)
        for j in range(1, 4):
            inner = np.stack([x, y + down + 0.0075 * j], 1)
            for _ in range(9):
                first = rng.integers(0, 380)
                part = slice(first, first + rng.integers(18, 60))
                taper = np.sin(np.pi * np.linspace(0, 1, len(x[part])))
                block.line(inner[part], 0.0026 * taper)
    peak = crest < 0.33
    runs = np.split(np.arange(len(x)), np.flatnonzero(np.diff(peak)) + 1)
    for run in runs:
        if peak[run[0]] and len(run) > 8:
            edge = np.stack([x[run], y[run] + 0.004], 1)
            rise = np.sin(np.pi * np.linspace(0.1, 0.9, len(run)))
            foam(block, edge, (0.014 + 0.22 * height) * rise, 1.8, rng)


def sky(block: Block, x: Array, y: Array, rng: np.random.Generator) -> None:
    """Print the graded sky, the sun, bars of mist and far islands."""
    fade = np.clip(
        y / 0.66 + 0.012 * noise(x.shape, 0.3, rng, stretch=6), 0, 1
    )
    plan = ramp(
        fade,
        palette(
            "#274a7c", "#7f9fae", "#d9d9c0", "#f0e0bc", "#f2c79a", "#e79a74"
        ),
    )
    r = np.hypot(x - SUN[0], y - SUN[1])
    disc = ramp(
        np.clip((y - SUN[1]) / SUN[2] * 0.5 + 0.5, 0, 1),
        palette("#b8281f", "#d2402a", "#e8743f"),
    )
    plan = np.where((r < SUN[2])[..., None], disc, plan)
    block.flat.paste(Image.fromarray((plan * 255).astype("uint8")))
    angle = np.linspace(0, 2 * np.pi, 300)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    block.line(np.array(SUN[:2]) + SUN[2] * ring, 0.0035)
    for cx, cy, half, thick in (
        (1.12, 0.385, 0.20, 0.016),
        (0.93, 0.43, 0.15, 0.012),
        (1.17, 0.215, 0.12, 0.010),
        (0.09, 0.13, 0.15, 0.014),
        (0.0, 0.20, 0.13, 0.011),
    ):
        t = np.linspace(-np.pi, np.pi, 120)
        flat = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.4
        bar = np.stack([cx + half * flat, cy + thick * np.sin(t)], 1)
        block.area(bar, "#f3e6ca")
        block.line(bar, 0.0026)
    for cx, wide, tall, ink in (
        (1.20, 0.20, 0.075, "#6f8aa0"),
        (0.98, 0.15, 0.045, "#8fa3ac"),
    ):
        px = np.linspace(-1, 1, 60)
        ridge = (1 - px**2) * (0.75 + 0.25 * np.abs(np.sin(7 * px)))
        hill = np.stack([cx + wide * px, 0.64 - tall * ridge], 1)
        block.area(
            np.vstack([hill, [[cx + wide, 0.66], [cx - wide, 0.66]]]), ink
        )
        block.line(hill, 0.0032)
        for k in range(9):
            j = 8 + 5 * k
            fall = hill[j] + np.array([[0, 0], [0.006, 0.5], [0.012, 1]]) * [
                1,
                0.64 - hill[j][1],
            ]
            block.line(fall, np.array([0.003, 0.002, 0.0005]))


def spray(block: Block, rng: np.random.Generator) -> None:
    """Print drops thrown ahead of the crest."""
    count = 230
    turn = rng.normal(-0.25, 0.75, count)
    out = 0.05 + 0.26 * rng.beta(1.2, 2.6, count)
    centers = np.array([0.70, 0.20]) + np.stack(
        [out * np.cos(turn) * 1.25, out * np.sin(turn)], 1
    )
    radii = rng.uniform(0.0018, 0.0052, count)
    for k in range(count):
        block.discs(centers[k : k + 1], radii[k : k + 1], FOAM, 0.0018)


def boat(block: Block, cx: float, cy: float, size: float) -> None:
    """Print a fishing boat under sail."""
    hull = smooth(
        np.array(
            [
                (-0.55, -0.10),
                (-0.3, 0.02),
                (0.1, 0.04),
                (0.5, -0.06),
                (0.66, -0.20),
            ]
        ),
        40,
    )
    deck = np.array([(0.60, -0.10), (0.1, -0.04), (-0.5, -0.08)])
    sail = smooth(np.array([(0.05, -0.95), (0.36, -0.62), (0.44, -0.14)]), 20)
    sail = np.vstack([sail, [[-0.02, -0.12], [0.05, -0.95]]])
    place = np.array([cx, cy])
    block.area(place + size * sail, "#f3e6ca")
    block.line(place + size * sail, 0.0030)
    for share in (0.25, 0.5, 0.75):
        seam = np.array(
            [
                [0.05 - 0.07 * share, -0.95 + 0.83 * share],
                [0.10 + 0.36 * share, -0.92 + 0.80 * share],
            ]
        )
        block.line(place + size * seam, 0.0018)
    shell = np.vstack([hull, deck])
    block.area(place + size * shell, "#7a3b22")
    block.line(place + size * np.vstack([shell, shell[:1]]), 0.0032)


def print_sheet(
    block: Block, x: Array, y: Array, rng: np.random.Generator
) -> Array:
    """Return the print: grain of the wood, paper, a slip of the key block."""
    flat = np.asarray(block.flat, dtype=np.float32) / 255
    rings = noise(x.shape, 0.30, rng, stretch=7)
    wood = np.sin(46 * (y + 0.05 * rings) * np.pi + 5 * rings)
    wood = smoothstep(0.2, 1, wood) * (
        0.6 + 0.4 * noise(x.shape, 0.05, rng, stretch=9)
    )
    mottle = noise(x.shape, 0.012, rng, octaves=2)
    darkness = 1 - flat.mean(-1)
    paper = palette(PAPER)[0]
    bare = np.clip((0.16 * wood + 0.07 * mottle) * darkness, -0.1, 0.5)
    flat = blend(flat, paper, bare)
    slipped = ImageChops.offset(block.key, 2, 1)
    key = blur(np.asarray(slipped, dtype=np.float32) / 255, 0.7)
    worn = 0.90 + 0.08 * mottle
    sheet = blend(flat, palette(KEY)[0], np.clip(key * worn, 0, 1))
    fiber = noise(x.shape, 0.005, rng, octaves=1, stretch=5)
    return sheet * (1 + 0.022 * fiber + 0.012 * mottle)[..., None]


def paint() -> Image.Image:
    """Print the sky, the sea behind, the great wave, the sea before it."""
    rng = np.random.default_rng(1831)
    width, height = SIZE[0] * SCALE, SIZE[1] * SCALE
    x, y = grid(width, height)
    block = Block(width, height)
    sky(block, x, y, rng)
    swell(block, 0.645, 0.030, 0.33, 0.2, ("#5f93ad", "#3f7aa3"), rng)
    boat(block, 1.06, 0.66, 0.15)
    swell(
        block, 0.735, 0.060, 0.46, 0.65, ("#dfe0cc", "#4f86ac", "#2c5f95"), rng
    )
    breaker(block, smooth(BACK), smooth(FACE), 1.0, rng)
    spray(block, rng)
    swell(
        block,
        0.865,
        0.095,
        0.62,
        0.1,
        ("#e9e3cc", "#3f78a5", "#1f4a80", "#16305c"),
        rng,
    )
    swell(
        block, 0.975, 0.075, 0.43, 0.45, ("#7fa9bd", "#234f86", "#14294f"), rng
    )
    return shrink(print_sheet(block, x, y, rng))
