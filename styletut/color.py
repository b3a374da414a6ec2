"""The colors of one picture, given to another.

A picture's pixels are points in the space of RGB. Their mean and covariance
are moved to those of a reference by an affine map of that space, the same for
all pixels: Gatys, Ecker, Bethge, Hertzmann, Shechtman, "Controlling
perceptual factors in neural style transfer" (CVPR 2017), supplement, section
on color histogram matching.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

METHODS = ("symmetric",)
"""Names of ways to choose among the maps that match mean and covariance."""

EPS = 1e-5
"""What is added to the variances, a third of a grey level squared: so a flat
color has a map, too, and a picture of few colors is not torn apart."""


def match_color(
    picture: Tensor, reference: Tensor, method: str = "symmetric"
) -> Tensor:
    """Return a picture with the mean and covariance of a reference's colors.

    x' = A (x - mu) + mu_r with A S A^T = S_r. Among all such A, "symmetric"
    takes the symmetric one, the map that moves colors least on average (the
    optimal transport between two normal distributions):

        A = S^(-1/2) (S^(1/2) S_r S^(1/2))^(1/2) S^(-1/2)

    What leaves [0, 1] is cut to it, so that moments are met up to that, and
    up to `EPS` on both covariances.

    Args:
        picture: (1, 3, H, W), RGB in [0, 1].
        reference: the same, of any size.
        method: a name out of `METHODS`.

    Returns:
        (1, 3, H, W) in [0, 1], of the picture's dtype.

    Raises:
        ValueError: for another shape, an unknown method, or numbers that
            are not finite.
    """
    return match_moments(picture, *color_moments([(reference, 1.0)]), method)


def color_moments(
    pictures: Sequence[tuple[Tensor, float]],
) -> tuple[Tensor, Tensor]:
    """Return mean (3,) and covariance (3, 3) of the colors of pictures.

    They are those of a pixel drawn from one of the pictures, in float64.

    Args:
        pictures: (picture (1, 3, H, W), weight) each, weights counting
            relative to their sum.

    Raises:
        ValueError: for a picture of another shape or with numbers that are
            not finite, or weights that add up to nothing.
    """
    total = float(sum(weight for _, weight in pictures))
    if not total > 0:
        raise ValueError(
            f"the weights of the pictures add up to {total}; at least one "
            "must be above 0"
        )
    mean = torch.zeros(3, dtype=torch.float64)
    square = torch.zeros(3, 3, dtype=torch.float64)
    for picture, weight in pictures:
        pixels = _pixels(picture)
        share = weight / total
        mean += share * pixels.mean(1)
        square += share / pixels.shape[1] * (pixels @ pixels.T)
    return mean, square - torch.outer(mean, mean)


def match_moments(
    picture: Tensor,
    mean: Tensor,
    covariance: Tensor,
    method: str = "symmetric",
) -> Tensor:
    """Do as `match_color` does, for a given mean (3,) and covariance (3, 3).

    Raises:
        ValueError: as `match_color`.
    """
    if method not in METHODS:
        raise ValueError(
            f"there is no method {method!r} to match colors; "
            f"there are {', '.join(METHODS)}"
        )
    own_mean, own = color_moments([(picture, 1.0)])
    eps = EPS * torch.eye(3, dtype=own.dtype, device=own.device)
    A = _symmetric_map(own + eps, covariance.to(own) + eps)
    pixels = A @ (_pixels(picture) - own_mean[:, None])
    matched = (pixels + mean.to(own)[:, None]).reshape(picture.shape)
    return matched.clamp(0, 1).to(picture)


def _symmetric_map(S: Tensor, S_r: Tensor) -> Tensor:
    """Return the symmetric positive A with A S A = S_r."""
    root = _power(S, 0.5)
    inverse = _power(S, -0.5)
    return inverse @ _power(root @ S_r @ root, 0.5) @ inverse


def _power(S: Tensor, exponent: float) -> Tensor:
    """Return a power of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(S)
    # rounding may leave the smallest a hair below 0
    return (vectors * values.clamp(min=EPS**2) ** exponent) @ vectors.T


def _pixels(picture: Tensor) -> Tensor:
    """Return a picture's pixels, (3, H W), in float64 on the CPU."""
    if picture.ndim != 4 or tuple(picture.shape[:2]) != (1, 3):
        raise ValueError(
            f"colors are those of a picture (1, 3, H, W), not of a tensor "
            f"{tuple(picture.shape)}"
        )
    # few numbers, and not every device has float64
    pixels = picture.detach().to("cpu", torch.float64).flatten(2)[0]
    if not torch.isfinite(pixels).all():
        raise ValueError("the picture has numbers that are not finite")
    return pixels
