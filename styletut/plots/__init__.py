"""The course's figures: each a function that returns a `Figure`."""

from styletut.plots.charts import bars, contours, curves, intervals, points
from styletut.plots.figures import COLORS, Figure
from styletut.plots.sheets import maps, pictures

__all__ = [
    "COLORS",
    "Figure",
    "bars",
    "contours",
    "curves",
    "intervals",
    "maps",
    "pictures",
    "points",
]
