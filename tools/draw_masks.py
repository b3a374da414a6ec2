"""Draw the masks of the sample photos: `python tools/draw_masks.py`.

Each is an outline by hand, some ten points and an ellipse or two, moved to
the edges of the photo nearby: a watershed of its gradient, flooded from what
lies well inside the outline and well outside. A border is two pixels wide.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw
from skimage.color import rgb2lab
from skimage.filters import gaussian, sobel
from skimage.morphology import dilation, disk, erosion
from skimage.segmentation import watershed

from styletut.images import sample, to_pil
from styletut.images.samples import MASK_FOLDER

Point = tuple[int, int]

BEHIND = {"camera-sky": ("camera-person",)}
"""Regions that end where others begin: no pixel has more than one whole."""

WITHIN = {"astronaut-person": 1}
"""Regions whose border lies so many pixels within the edge: the edge's own
pixels hold light of what is behind, which shows where the region is kept."""

SOFT = 1.0
"""Standard deviation in pixels by which a border is blurred."""

OUTLINES: dict[str, tuple[int, Sequence[Sequence[Point]], Sequence[tuple]]] = {
    # name: how far off the outline may be, polygons, ellipses (x, y, a, b)
    "astronaut-person": (
        7,
        [
            [
                (158, 60), (190, 24), (240, 16), (290, 40), (300, 90),
                (280, 128), (262, 170), (300, 215), (304, 240), (340, 260),
                (358, 300), (362, 350), (430, 345), (480, 385), (497, 450),
                (511, 470), (511, 511), (22, 511), (20, 420), (40, 300),
                (60, 262), (112, 210), (128, 166), (184, 150), (172, 120),
                (156, 95),
            ]
        ],
        [],
    ),
    "camera-person": (
        4,
        [
            [
                (0, 511), (0, 262), (30, 210), (62, 158), (100, 132),
                (158, 108), (166, 80), (200, 66), (240, 76), (270, 108),
                (268, 130), (255, 142), (324, 140), (324, 165), (330, 172),
                (328, 205), (304, 246), (304, 262), (276, 300), (232, 308),
                (206, 296), (142, 382), (150, 511),
            ]
        ],
        [],
    ),
    "camera-sky": (
        4,
        [
            [
                (0, 0), (511, 0), (511, 188), (492, 178), (470, 166),
                (450, 166), (448, 192), (433, 190), (431, 118), (413, 120),
                (412, 188), (384, 170), (340, 172), (324, 170), (324, 140),
                (255, 142), (268, 130), (270, 108), (240, 76), (200, 66),
                (166, 80), (158, 108), (100, 132), (62, 158), (46, 178),
                (0, 184),
            ]
        ],
        [],
    ),
    "chelsea-cat": (
        8,
        [
            [
                (38, 0), (400, 0), (398, 20), (375, 66), (352, 90),
                (366, 120), (352, 180), (330, 212), (322, 240), (345, 262),
                (385, 299), (0, 299), (0, 140), (20, 112), (36, 60),
            ]
        ],
        [],
    ),
    "coffee-cup": (
        6,
        [[(395, 72), (414, 64), (426, 72), (408, 150), (390, 150)]],
        [(278, 225, 201, 161), (290, 112, 118, 96)],
    ),
}  # fmt: skip


def draw_mask(name: str) -> Image.Image:
    """Return a mask, white in the region, of its photo's size."""
    off, polygons, ellipses = OUTLINES[name]
    photo = to_pil(sample(name.split("-")[0]))
    outline = Image.new("L", photo.size, 0)
    draw = ImageDraw.Draw(outline)
    for points in polygons:
        draw.polygon(points, fill=255)
    for x, y, a, b in ellipses:
        draw.ellipse((x - a, y - b, x + a, y + b), fill=255)
    rough = np.asarray(outline) > 0
    snapped = _to_edges(np.asarray(photo), rough, off)
    within = erosion(snapped, disk(WITHIN.get(name, 0)))
    soft = gaussian(within.astype(float), SOFT)
    mask = Image.fromarray(np.rint(255 * soft).astype(np.uint8))
    for other in BEHIND.get(name, ()):
        mask = ImageChops.darker(mask, ImageChops.invert(draw_mask(other)))
    return mask


def _to_edges(photo: np.ndarray, rough: np.ndarray, off: int) -> np.ndarray:
    """Move the border of a region to an edge that is no farther off."""
    lab = rgb2lab(photo)
    edges = sum(sobel(gaussian(lab[..., c], 1)) for c in range(3))
    near = disk(off)
    inside, outside = erosion(rough, near), ~dilation(rough, near)
    seeds = np.where(inside, 2, np.where(outside, 1, 0))
    return watershed(edges, seeds) == 2


def main() -> None:
    """Draw all masks, or those named."""
    MASK_FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or OUTLINES:
        path = Path(MASK_FOLDER) / f"{name}.png"
        draw_mask(name).save(path, optimize=True)
        print(path.name)


if __name__ == "__main__":
    main()
