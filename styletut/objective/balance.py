"""The balance of content and style that fits a pair of pictures.

How far a photo is from a painting's style differs from pair to pair by a
factor of twenty, and from size to size: by the default's layer weights, 0.17
for a photo of a bridge and a painting of a shipwreck, 3.6 for a cat and a
stained glass. One alpha for all would paint the cat and leave the bridge a
photograph, for there is little to be gained by painting it. So alpha follows
the style loss that the untouched photo has; notebook 09 derives it.
"""

import math

from styletut.conventions import Convention
from styletut.values import real, told

STRENGTHS = (0.0, 2.0)
"""From the untouched photo to much style; 1 is the default's look."""

STEEPNESS = 3.3
"""By which power of the strength style weighs more, against content: about a
decade at half and at twice the default's. Chosen by looking."""

DIGITS = 3
"""Significant digits of an alpha, so that what is printed is what is used."""


def fitting_alpha(convention: Convention, style_loss: float) -> float:
    """Return the weight of the content for a pair of pictures.

    It is the convention's `alpha_share` of the style loss, and no more than
    its `alpha`; the latter where it has no share. Notebook 09, (9.8), has
    what that is on the scale between style alone and the photo.

    Args:
        convention: whose rule.
        style_loss: L_s of the untouched photo, by the convention's formulas
            and the layers and weights in use. Where it is 0, or not finite,
            it says nothing.
    """
    share = convention.alpha_share
    if share is None or not 0 < style_loss < math.inf:
        return convention.alpha
    return min(convention.alpha, float(f"{share * style_loss:.{DIGITS}g}"))


def checked_strength(strength: float) -> float:
    """Return a strength as a number.

    Raises:
        ValueError: if it is none out of `STRENGTHS`.
    """
    number = real(strength)
    least, most = STRENGTHS
    if number is None or not least <= number <= most:
        raise ValueError(
            f"the strength is {told(strength)}; it goes from {least:g}, the "
            f"photo as it is, over 1, the default, to {most:g}"
        )
    return number


def alpha_at(strength: float, alpha: float) -> float:
    """Return the weight of the content for a strength of the style.

    beta/alpha is multiplied by the strength to the power of `STEEPNESS`;
    notebook 10, (10.8).

    Args:
        strength: above 0.
        alpha: the weight at strength 1.
    """
    return float(f"{alpha / strength**STEEPNESS:.{DIGITS}g}")
