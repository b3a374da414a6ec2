"""How close a picture is to another."""

import torch
from torch import Tensor

from styletut.pictures import check_picture

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
    _check_pair(x, y)
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

    _check_pair(x, y)
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


def _check_pair(x: Tensor, y: Tensor) -> None:
    check_picture(x, "the first picture")
    check_picture(y, "the second picture")
    if x.shape != y.shape:
        raise ValueError(
            f"the pictures have shapes {tuple(x.shape)} and "
            f"{tuple(y.shape)}; they must be equal"
        )
    if not torch.isfinite(x).all() or not torch.isfinite(y).all():
        raise ValueError("a picture holds infinite or undefined numbers")
