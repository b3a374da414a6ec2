"""How close a picture is to another, in pixels, in content and in style.

Every metric is computed from the pictures and the course's network alone:
none needs a download, and none asks how a picture was made. `compare` is
all of them.
"""

from styletut.metrics.comparison import HELD_OUT_LAYERS, compare
from styletut.metrics.features import (
    CONTENT_LAYERS,
    STYLE_LAYERS,
    content_distance,
    gaussian_wasserstein,
    self_similarity_distance,
    style_distance,
    wasserstein_distance,
)
from styletut.metrics.pixels import color_distance, pixel_error, ssim

__all__ = [
    "CONTENT_LAYERS",
    "HELD_OUT_LAYERS",
    "STYLE_LAYERS",
    "color_distance",
    "compare",
    "content_distance",
    "gaussian_wasserstein",
    "pixel_error",
    "self_similarity_distance",
    "ssim",
    "style_distance",
    "wasserstein_distance",
]
