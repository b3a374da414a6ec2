"""Contact sheets: tables of pictures, each under its title."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

GAP, TITLE = 6, 16


def write_sheet(
    rows: Sequence[Sequence[tuple[str, Image.Image]]], path: Path
) -> None:
    """Write rows of (title, picture), each column as wide as it needs."""
    widths = [
        max(picture.width for _, picture in column) + GAP
        for column in zip(*rows, strict=True)
    ]
    heights = [max(p.height for _, p in row) + TITLE + GAP for row in rows]
    sheet = Image.new("RGB", (sum(widths), sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for (title, picture), width in zip(row, widths, strict=True):
            draw.text((left, top + 2), title, fill="black")
            sheet.paste(picture, (left, top + TITLE))
            left += width
        top += height
    sheet.save(path, quality=85, optimize=True)
