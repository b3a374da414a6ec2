"""Paint the style pictures: `python tools/paint_styles.py [NAME ...]`."""

from __future__ import annotations

import argparse
import importlib
import io
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent.parent / "styletut" / "data" / "styles"
NAMES = (
    "glass",
    "ink",
    "marble",
    "meadow",
    "mosaic",
    "night",
    "points",
    "wave",
)
MOST_BYTES = 250_000


def encode(image: Image.Image) -> bytes:
    """Return a JPEG of the best quality that fits `MOST_BYTES`."""
    for quality in range(92, 60, -2):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            return buffer.getvalue()
    raise ValueError(
        f"even at quality 62 the picture needs {buffer.tell()} bytes, more "
        f"than {MOST_BYTES}: paint it smaller"
    )


def main() -> None:
    """Paint the pictures named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        default=NAMES,
        help=f"any of {', '.join(NAMES)}; all by default",
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where the JPEGs go",
    )
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(
            f"no picture {', '.join(unknown)}: choose from {', '.join(NAMES)}"
        )
    options.to.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        picture = importlib.import_module(f"paint.{name}").paint()
        path = options.to / f"{name}.jpg"
        path.write_bytes(encode(picture))
        print(f"{path}: {picture.width} x {picture.height}")


if __name__ == "__main__":
    main()
