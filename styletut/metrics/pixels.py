"""How close two pictures are, pixel by pixel and color by color."""

from itertools import product

import torch
from torch import Tensor

from styletut.images.picture import ImageError, check_picture
from styletut.values import told, whole


def check_finite(x: Tensor, name: str) -> None:
    """Refuse what is no picture, or holds infinite or undefined numbers.

    Raises:
        ImageError: with what was found.
    """
    check_picture(x, name)
    if not torch.isfinite(x).all():
        raise ImageError(f"{name} holds infinite or undefined numbers")


def check_pair(x: Tensor, y: Tensor) -> None:
    """Refuse what are not two pictures of one size.

    Raises:
        ImageError: with what was found.
    """
    check_finite(x, "the first picture")
    check_finite(y, "the second picture")
    if x.shape != y.shape:
        raise ImageError(
            f"the pictures have shapes {tuple(x.shape)} and "
            f"{tuple(y.shape)}; they must be equal"
        )


_WINDOW = 11
"""Side of SSIM's Gaussian window in pixels (Wang et al. 2004)."""


def pixel_error(x: Tensor, y: Tensor) -> float:
    """Return the root mean square difference of two pictures, (2.6).

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one of the same size.

    Returns:
        sqrt(mean (x - y)^2) over all pixels and channels: 0 for equal
        pictures, 1 for black and white.

    Raises:
        ValueError: if one is not a picture or the sizes differ.
    """
    check_pair(x, y)
    difference = x.detach().double() - y.detach().double()
    return float(difference.square().mean().sqrt())


def ssim(x: Tensor, y: Tensor) -> float:
    """Return the structural similarity of two pictures (SSIM), (2.7).

    It compares local mean, contrast and structure under a Gaussian window of
    11 x 11 pixels (Wang, Bovik, Sheikh, Simoncelli: "Image quality
    assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing, 2004, equation 13), each channel by
    itself, and is the mean over all places and channels. scikit-image
    computes it.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one of the same size.

    Returns:
        A number in [-1, 1], 1 for equal pictures.

    Raises:
        ValueError: if one is not a picture, the sizes differ, or a side is
            shorter than the window.
    """
    from skimage.metrics import structural_similarity

    check_pair(x, y)
    height, width = x.shape[2:]
    if min(height, width) < _WINDOW:
        raise ValueError(
            f"the pictures have {width} x {height} pixels; SSIM's window "
            f"takes {_WINDOW} of them on each side"
        )
    arrays = [each.detach().double().cpu()[0].numpy() for each in (x, y)]
    similarity = structural_similarity(
        *arrays,
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def color_distance(x: Tensor, y: Tensor, bins: int = 8) -> float:
    """Return how much of two color histograms does not overlap.

    d = 1/2 sum |h - g| is one minus the intersection of the normalized
    histograms h and g (Swain, Ballard: "Color indexing", International
    Journal of Computer Vision, 1991). They are joint ones of R, G and B,
    with levels 0, 1 / (bins - 1), ..., 1 in each; a color between levels is
    shared out linearly among its eight neighbors, so that a slight change
    of a color is a slight change of d. Where a color stands in the picture
    is of no account.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        y: another one, of any size.
        bins: levels of each channel, at least 2.

    Returns:
        A number in [0, 1]: 0 for equal histograms, 1 where no color is near
        one of the other picture.

    Raises:
        ValueError: if one is not a picture or there are too few bins.
    """
    check_finite(x, "the first picture")
    check_finite(y, "the second picture")
    number = whole(bins)
    if number is None or number < 2:
        raise ValueError(
            f"a histogram needs 2 bins at least, not {told(bins)}"
        )
    difference = _color_histogram(x, number) - _color_histogram(y, number)
    return float(difference.abs().sum() / 2)


def _color_histogram(x: Tensor, bins: int) -> Tensor:
    """Return the share of each color, (bins^3,), in float64."""
    colors = x.detach()[0].flatten(1).cpu().double().clamp(0, 1) * (bins - 1)
    lower = colors.floor().clamp(max=bins - 2)
    above = colors - lower
    histogram = colors.new_zeros(bins**3)
    for corner in product((0, 1), repeat=3):
        step = torch.tensor(corner)[:, None]
        r, g, b = lower.long() + step
        shares = torch.where(step == 1, above, 1 - above).prod(0)
        place = (r * bins + g) * bins + b
        histogram += torch.bincount(place, shares, minlength=bins**3)
    return histogram / colors.shape[1]
