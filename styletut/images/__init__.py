"""Pictures in and out: one tensor (1, 3, H, W), sRGB in [0, 1].

Everything in the course takes and returns pictures in this form. Reading is
`load_image`, writing `save_image`; both say what is wrong in an `ImageError`.
"""

from styletut.images.loading import load_image, sample
from styletut.images.masks import load_alpha, load_mask
from styletut.images.picture import (
    ImageError,
    fit,
    resize,
    resize_mask,
    resize_to,
    to_pil,
)
from styletut.images.samples import MASKS, SAMPLES, Sample
from styletut.images.saving import ensure_writable, save_image

__all__ = [
    "MASKS",
    "SAMPLES",
    "ImageError",
    "Sample",
    "ensure_writable",
    "fit",
    "load_alpha",
    "load_image",
    "load_mask",
    "resize",
    "resize_mask",
    "resize_to",
    "sample",
    "save_image",
    "to_pil",
]
