"""What a training is made of: numbers that decide every bit of it."""

from typing import NamedTuple


class Recipe(NamedTuple):
    """How a `StyleNetwork` is trained.

    Attributes:
        iterations: how many steps of Adam.
        batch: crops in a step.
        crop: side of a crop in pixels.
        least: shorter side to which photos are scaled before they are cut,
            at least.
        most: the same, at most.
        style_size: longer side of the style pictures.
        alpha: weight of the content, by the default convention; the style's
            is 1.
        learning: steps with that alpha for every style. Then it is what the
            default's rule takes, (9.8), by the style loss that untouched
            photos have in the mean, where that is less.
        rate: of Adam at its highest.
        warmup: steps in which the rate rises to that.
        kept: share of the crops that are to stay as they are, with the row
            of the photo.
        mixed: share of the crops that are painted at a strength between 0
            and 1.
        pixels: weight of the mean squared change of the pixels, where a
            crop is to stay.
        steadiness: weight of the mean squared difference between a crop and
            the same crop moved, in another light and with noise, once both
            are painted; 0 for none.
        seed: of all that is drawn.
    """

    iterations: int = 6000
    batch: int = 4
    crop: int = 160
    least: int = 200
    most: int = 800
    style_size: int = 384
    alpha: float = 0.3
    learning: int = 2000
    rate: float = 2e-3
    warmup: int = 50
    kept: float = 0.1
    mixed: float = 0.15
    pixels: float = 20.0
    steadiness: float = 0.0
    seed: int = 0
