"""The colors of one picture, given to another, and light without color.

A picture's pixels are points in the space of RGB. Their mean and covariance
are moved to those of a reference by an affine map of that space, the same for
all pixels; or the light of one picture is put under the color of another.
Gatys, Bethge, Hertzmann, Shechtman, "Preserving color in neural artistic
style transfer" (arXiv:1606.05897), sections "Color histogram matching" and
"Luminance-only transfer"; Gatys, Ecker, Bethge, Hertzmann, Shechtman,
"Controlling perceptual factors in neural style transfer" (CVPR 2017),
section 5. Notebook 10, section 1.

Light is the Y of YIQ, 0.299 R + 0.587 G + 0.114 B of the sRGB values as they
are, and color is I and Q: the space of both papers.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.values import check_known, checked_real, told

METHODS = ("symmetric", "pca", "cholesky")
"""Names of ways to choose among the maps that match mean and covariance."""

EPS = 1e-5
"""What is added to the variances, a third of a grey level squared: so a flat
color has a map, too, and a picture of few colors is not torn apart."""

LUMINANCE = (0.299, 0.587, 0.114)
"""What R, G and B add to Y."""

Weighted = tuple[Tensor, float] | tuple[Tensor, float, Tensor | None]
"""A picture (1, 3, H, W), its weight, and how much each of its pixels counts,
(H, W); all alike without that."""


def match_color(
    picture: Tensor, reference: Tensor, method: str = "symmetric"
) -> Tensor:
    """Return a picture with the mean and covariance of a reference's colors.

    x' = A (x - mu) + mu_r with A S A^T = S_r, notebook 10, (10.1). All such
    A are S_r^(1/2) Q S^(-1/2) with an orthogonal Q. Three are in use:

    - "symmetric": the symmetric one, the map that moves colors least on
      average (the optimal transport between two normal distributions),
      A = S^(-1/2) (S^(1/2) S_r S^(1/2))^(1/2) S^(-1/2), (10.2);
    - "pca": Q = 1, A = S_r^(1/2) S^(-1/2), of "Image analogies" (Hertzmann
      et al. 2001), which both papers prefer;
    - "cholesky": A = L_r L^(-1) with S = L L^T, which depends on the order
      of the channels.

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
    return match_moments(
        picture, *color_moments([(reference, 1.0)]), method=method
    )


def luminance(picture: Tensor) -> Tensor:
    """Return a picture's light, Y of YIQ, as a grey picture (1, 3, H, W).

    Raises:
        ValueError: if it is not (1, 3, H, W).
    """
    _check_shape(picture)
    return _light(picture).expand_as(picture).contiguous()


def luminance_only(picture: Tensor, photo: Tensor) -> Tensor:
    """Return the light of one picture with the color of another.

    Y comes from the picture, I and Q from the photo. In RGB that is the
    photo plus the difference of light, the same for R, G and B: notebook
    10, (10.4). Where this leaves [0, 1] the color is made paler until it
    does not, so that the light is the picture's everywhere (to cut each
    channel would change both).

    Args:
        picture: (1, 3, H, W), RGB in [0, 1].
        photo: the same, of that size.

    Returns:
        (1, 3, H, W) in [0, 1], of the picture's dtype.

    Raises:
        ValueError: for other shapes, or two sizes.
    """
    _check_shape(picture)
    _check_shape(photo)
    if picture.shape != photo.shape:
        (h, w), (height, width) = picture.shape[2:], photo.shape[2:]
        raise ValueError(
            f"the picture is {w} x {h} pixels and the photo {width} x "
            f"{height}; light and color must be of one size"
        )
    photo = photo.to(picture)
    Y, color = _light(picture), photo - _light(photo)
    # how far each channel may go, in units of how far it wants to go
    room = torch.where(color > 0, 1 - Y, -Y)
    moves = color.abs() > 0
    share = torch.where(moves, room / torch.where(moves, color, 1), 1)
    paler = share.amin(1, keepdim=True).clamp(0, 1)
    return (Y + paler * color).clamp(0, 1)


def match_luminance(
    picture: Tensor,
    mean: float,
    deviation: float,
    *,
    mask: Tensor | None = None,
) -> Tensor:
    """Return a picture's light with another mean and standard deviation.

    Y' = sigma_r / sigma (Y - mu) + mu_r, notebook 10, (10.3), so that what
    is taken from a painting fits the photo's light. What leaves [0, 1] is
    cut to it.

    Args:
        picture: (1, 3, H, W), RGB in [0, 1].
        mean: mu_r, of the light of a reference.
        deviation: sigma_r, the same.
        mask: (H, W), how much each pixel counts in the picture's own
            moments; all are mapped.

    Returns:
        A grey picture, (1, 3, H, W) in [0, 1], of the picture's dtype.
    """
    mean = checked_real("the mean", mean)
    deviation = checked_real("the deviation", deviation)
    own_mean, own = light_moments([(picture, 1.0, mask)])
    scale = ((deviation**2 + EPS) / (own**2 + EPS)) ** 0.5
    matched = scale * (luminance(picture) - own_mean) + mean
    return matched.clamp(0, 1)


def light_moments(pictures: Sequence[Weighted]) -> tuple[float, float]:
    """Return mean and standard deviation of the light of pictures.

    Args:
        pictures: as `color_moments` takes them.

    Raises:
        ValueError: as `color_moments`.
    """
    mean, covariance = color_moments(pictures)
    weights = mean.new_tensor(LUMINANCE)
    variance = weights @ covariance @ weights
    return float(weights @ mean), float(variance.clamp(min=0).sqrt())


def color_moments(pictures: Sequence[Weighted]) -> tuple[Tensor, Tensor]:
    """Return mean (3,) and covariance (3, 3) of the colors of pictures.

    They are those of a pixel drawn from one of the pictures, in float64.

    Args:
        pictures: (picture (1, 3, H, W), weight) each, weights counting
            relative to their sum; where a mask (H, W) comes third, a pixel
            is drawn with a chance in proportion to it.

    Raises:
        ValueError: for a picture of another shape or with numbers that are
            not finite, weights that add up to nothing, or a mask that does
            not fit or is empty.
    """
    weights = [
        checked_real("a picture's weight", weight)
        for _, weight, *_ in pictures
    ]
    total = sum(weights)
    if not total > 0:
        raise ValueError(
            f"the weights of the pictures add up to {total}; at least one "
            "must be above 0"
        )
    mean = torch.zeros(3, dtype=torch.float64)
    square = torch.zeros(3, 3, dtype=torch.float64)
    for (picture, _, *mask), weight in zip(pictures, weights, strict=True):
        pixels, counts = _pixels(picture), _counts(picture, *mask)
        share = weight / total / counts.sum()
        mean += share * (counts * pixels).sum(1)
        square += share * ((counts * pixels) @ pixels.T)
    return mean, square - torch.outer(mean, mean)


def match_moments(
    picture: Tensor,
    mean: Tensor,
    covariance: Tensor,
    *,
    mask: Tensor | None = None,
    method: str = "symmetric",
) -> Tensor:
    """Do as `match_color` does, for a given mean (3,) and covariance (3, 3).

    Args:
        picture: as `match_color` takes it.
        mean: of the colors wanted.
        covariance: of the colors wanted.
        mask: (H, W), how much each pixel counts in the picture's own
            moments; all are mapped.
        method: a name out of `METHODS`.

    Raises:
        ValueError: as `match_color`, and for a mask that does not fit.
    """
    own_mean, own = color_moments([(picture, 1.0, mask)])
    A = color_map(own, covariance.to(own), method)
    pixels = A @ (_pixels(picture) - own_mean[:, None])
    matched = (pixels + mean.to(own)[:, None]).reshape(picture.shape)
    return matched.clamp(0, 1).to(picture)


def color_map(
    covariance: Tensor, wanted: Tensor, method: str = "symmetric"
) -> Tensor:
    """Return A with A S A^T = S_r, up to `EPS` on both; see `match_color`.

    Args:
        covariance: S, (n, n).
        wanted: S_r, (n, n).
        method: a name out of `METHODS`.

    Raises:
        ValueError: for an unknown method.
    """
    check_known("color matching method", method, METHODS)
    eps = EPS * torch.eye(
        len(wanted), dtype=wanted.dtype, device=wanted.device
    )
    return _MAPS[method](covariance + eps, wanted + eps)


def _symmetric_map(S: Tensor, S_r: Tensor) -> Tensor:
    """Return the symmetric positive A with A S A = S_r."""
    root = _power(S, 0.5)
    inverse = _power(S, -0.5)
    return inverse @ _power(root @ S_r @ root, 0.5) @ inverse


def _pca_map(S: Tensor, S_r: Tensor) -> Tensor:
    return _power(S_r, 0.5) @ _power(S, -0.5)


def _cholesky_map(S: Tensor, S_r: Tensor) -> Tensor:
    # L_r L^(-1), by the triangular system A L = L_r
    return torch.linalg.solve_triangular(
        torch.linalg.cholesky(S),
        torch.linalg.cholesky(S_r),
        upper=False,
        left=False,
    )


_MAPS = {
    "symmetric": _symmetric_map,
    "pca": _pca_map,
    "cholesky": _cholesky_map,
}


def _power(S: Tensor, exponent: float) -> Tensor:
    """Return a power of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(S)
    # rounding may leave the smallest a hair below 0
    return (vectors * values.clamp(min=EPS**2) ** exponent) @ vectors.T


def _light(picture: Tensor) -> Tensor:
    """Return Y, (1, 1, H, W)."""
    weights = picture.new_tensor(LUMINANCE)[:, None, None]
    return (weights * picture).sum(1, keepdim=True)


def _check_shape(picture: Tensor) -> None:
    if not isinstance(picture, Tensor) or picture.ndim != 4:
        shape = None
    else:
        shape = tuple(picture.shape[:2])
    if shape != (1, 3) or not picture.is_floating_point():
        raise ValueError(
            "colors are those of a floating picture (1, 3, H, W), not of "
            f"{told(picture)}"
        )


def _pixels(picture: Tensor) -> Tensor:
    """Return a picture's pixels, (3, H W), in float64 on the CPU."""
    _check_shape(picture)
    # few numbers, and not every device has float64
    pixels = picture.detach().to("cpu", torch.float64).flatten(2)[0]
    if not torch.isfinite(pixels).all():
        raise ValueError("the picture has numbers that are not finite")
    return pixels


def _counts(picture: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return how much each pixel of a picture counts, (H W,)."""
    shape = tuple(picture.shape[2:])
    if mask is None:
        return torch.ones(shape[0] * shape[1], dtype=torch.float64)
    if not isinstance(mask, Tensor) or tuple(mask.shape) != shape:
        raise ValueError(
            f"the mask is {told(mask)} and the picture's sides are {shape}; "
            "a mask is a tensor of these sides"
        )
    counts = mask.detach().to("cpu", torch.float64).flatten()
    if not 0 < float(counts.sum()) < math.inf:
        raise ValueError("the mask is empty: nowhere is it above 0")
    return counts
