"""What a figure of the course is: its look, its colors, its caption."""

import html
import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import matplotlib.figure
import matplotlib.style
from PIL import Image

INCH = 96
"""CSS pixels in an inch, by definition."""

COLORS: Mapping[str, str] = MappingProxyType(
    {
        "total": "#111111",
        "content": "#0b2f86",
        "style": "#a8201a",
        "gradient": "#12806a",
        "tv": "#d17a00",
    }
)
"""One color for one idea, in plots, widgets and formulas alike.

Each is at least 10 steps of CIE lightness away from every other, so that
they differ in grey print and for color-blind readers, and each has a contrast
of at least 3:1 to white.
"""

# matplotlib carries DejaVu Sans, so figures are alike on every machine.
_LOOK = {
    "axes.edgecolor": "#444444",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "legend.handlelength": 3.5,
    "lines.linewidth": 2,
    "text.color": "#111111",
}

_LOSSLESS_BYTES = 120_000


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure with the sentence that says what it shows.

    Displayed in a notebook it publishes the picture, with the sentence as its
    alternative text, and the sentence again as a caption below. Figures are
    made without pyplot, so nothing is displayed twice or left open.

    Attributes:
        figure: The matplotlib figure.
        alt: One line of plain text with the numbers that matter, rounded.
            Strict nbval compares it where it compares no pictures.
    """

    figure: matplotlib.figure.Figure
    alt: str

    def __post_init__(self) -> None:
        # A caption passes through HTML and MathJax, and must come out as the
        # alternative text that a screen reader speaks.
        if not self.alt.strip() or "\n" in self.alt or "$" in self.alt:
            raise ValueError(
                "a figure needs a sentence that says what it shows: one line "
                f"of text without $formulas$, not {self.alt!r}."
            )

    def png(self) -> bytes:
        """Return the figure as a PNG file, the same for the same figure."""
        return _encode(self._drawn(), "PNG", optimize=True)

    def published(self) -> tuple[str, bytes]:
        """Return what a notebook stores: the kind of file, and its bytes.

        Colors are exact while the file is small. Large sheets of pictures
        become JPEG where that is smaller, so that a notebook stays light.
        """
        drawn = self._drawn()
        exact = _encode(drawn, "PNG", optimize=True)
        if len(exact) > _LOSSLESS_BYTES:
            # paint changes color from pixel to pixel: no chroma subsampling
            light = _encode(drawn, "JPEG", quality=85, subsampling=0)
            if len(light) < len(exact):
                return "image/jpeg", light
        return "image/png", exact

    def _drawn(self) -> Image.Image:
        drawn = io.BytesIO()
        with look():
            self.figure.savefig(drawn, format="png", dpi="figure")
        return Image.open(drawn).convert("RGB")

    def _ipython_display_(self) -> None:
        # Of one output a front end shows the richest form alone, so a caption
        # that everyone sees is an output of its own.
        width = round(self.figure.get_figwidth() * INCH)
        kind, data = self.published()
        picture = {kind: data, "text/plain": self.alt}
        about = {kind: {"alt": self.alt, "width": width}}
        _publish(picture, about)
        caption = f"<p>{html.escape(self.alt)}</p>"
        _publish({"text/html": caption, "text/plain": self.alt})


def look() -> AbstractContextManager[None]:
    """The look of the course, whatever the reader's own settings are."""
    return matplotlib.style.context(_LOOK, after_reset=True)


def blank(width: int, height: int, density: int) -> matplotlib.figure.Figure:
    """Return an empty figure, to be drawn on inside `look`.

    Args:
        width: Width in CSS pixels.
        height: Height in CSS pixels.
        density: PNG pixels for each CSS pixel.
    """
    size = (width / INCH, height / INCH)
    return matplotlib.figure.Figure(size, dpi=density * INCH)


def _encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def _publish(
    data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
) -> None:
    from IPython.display import display

    display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
