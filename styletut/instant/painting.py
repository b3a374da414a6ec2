"""A photo painted by the network, of any size.

What `StyleNetwork.forward` computes at once is computed here by rows; both
give the same picture.
"""

import torch
from torch import Tensor

from styletut.color import color_map, color_moments
from styletut.instant.network import PHOTO, StyleNetwork
from styletut.instant.rows import (
    Maps,
    convolved,
    enlarged,
    kept,
    normalized,
    stored,
    strips,
    whole,
)


def recolored(network: StyleNetwork, photo: Tensor, shares: Tensor) -> Tensor:
    """Return a photo with the mean and covariance of the styles' colors.

    Each style has the symmetric map of `styletut.color`, (10.2), and the
    photo's own row leaves colors as they are. Maps are mixed by shares.

    Args:
        network: which knows the colors of its styles.
        photo: (1, 3, H, W) in [0, 1].
        shares: how much of each row, (rows,).
    """
    source = stored(photo)
    parts = [source.rows(*each) for each in strips(source)]
    mean, covariance = color_moments([(each, each.numel()) for each in parts])
    A, b = torch.zeros_like(covariance), torch.zeros_like(mean)
    for row, share in enumerate(shares.tolist()):
        if network.names[row] == PHOTO:
            A += share * torch.eye(3, dtype=A.dtype)
        elif share:
            own = color_map(covariance, network.color_covariances[row])
            A += share * own
            b += share * (network.color_means[row] - own @ mean)
    A, b = A.to(photo), b.to(photo)[:, None, None]
    recolored = torch.empty_like(photo)
    for first, last in strips(source):
        rows = photo[:, :, first:last]
        mixed = torch.einsum("ij,bjhw->bihw", A, rows)
        recolored[:, :, first:last] = mixed.add_(b).clamp_(0, 1)
    return recolored


@torch.no_grad()
def painted(network: StyleNetwork, photo: Tensor, shares: Tensor) -> Tensor:
    """Paint a photo.

    Args:
        network: in float32.
        photo: (1, 3, H, W) in [0, 1].
        shares: how much of each row, (rows,).

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    base = recolored(network, photo, shares)
    layers = network.layers()

    def through(x: Maps, relu: bool = True) -> Maps:
        convolution, norm = next(layers)
        return normalized(kept(convolved(x, convolution)), norm, shares, relu)

    x = stored(base.to(memory_format=torch.channels_last))
    sizes = []
    for _ in network.channels:
        sizes.append((x.height, x.width))
        x = through(x)
    x = stored(whole(x))
    for _ in range(network.blocks):
        # as a whole, before it is added to what it was computed from
        change = stored(whole(through(through(x), relu=False)))
        x = _plus(x, change)
    for size in (sizes[2], sizes[1]):
        x = through(enlarged(x, *size))
    change = through(x, relu=False)
    for first, last in strips(change):
        base[:, :, first:last] += change.rows(first, last)
    return base.clamp_(0, 1)


def _plus(x: Maps, change: Maps) -> Maps:
    """Add to maps that are stored, in place."""
    for first, last in strips(x):
        x.rows(first, last).add_(change.rows(first, last))
    return x
