"""Paint two sample photos in every sample style.

    python tools/show_styles.py

Writes the contact sheet `assets/styles.jpg`: each style, and what the
default settings make of it at 256 pixels. Some minutes on two cores.
"""

from pathlib import Path

from sheets import write_sheet

from styletut.images import SAMPLES, sample, to_pil
from styletut.transfer import stylize
from styletut.vgg import VGG19

ASSETS = Path(__file__).parents[1] / "assets"
PHOTOS = ("chelsea", "rocket")
SIZE = 256


def main() -> None:
    """Paint and write."""
    vgg = VGG19()
    rows = []
    for style in (name for name, s in SAMPLES.items() if s.kind == "style"):
        row = [(style, to_pil(sample(style, SIZE)))]
        for photo in PHOTOS:
            result = stylize(
                sample(photo),
                sample(style),
                vgg=vgg,
                size=SIZE,
            )
            row.append((f"{photo}, {style}", to_pil(result.image)))
        rows.append(row)
        print(style, flush=True)
    write_sheet(rows, ASSETS / "styles.jpg")


if __name__ == "__main__":
    main()
