"""Sample styles at once: which rows of the network, and how much of each."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from styletut.images.loading import unread
from styletut.images.picture import resize
from styletut.instant.network import StyleNetwork
from styletut.instant.painting import painted
from styletut.instant.weights import instant_network
from styletut.values import checked_real, real, told

STRENGTHS = (0.0, 1.0)
"""From the photo to a style; beyond there is no row to mix with."""

Styles = str | Iterable[tuple[str, float]]
"""A style's name, or several as (name, weight)."""


def instant(
    content: Any,
    style: Styles,
    *,
    strength: float = 1.0,
    size: int | None = None,
    network: StyleNetwork | None = None,
) -> Tensor:
    """Paint a photo in one pass, in less than a second for 512 pixels.

    Args:
        content: a picture tensor (1, 3, H, W) in [0, 1], a sample's name, or
            what `load_image` takes.
        style: the name of a sample style; or several, as (name, weight),
            which are mixed by their weights.
        strength: from 0, the photo, to 1, the style.
        size: longer side of the picture; the photo's own by default.
        network: by default the one that comes with the package.

    Returns:
        (1, 3, H, W) in [0, 1], on the CPU, float32.

    Raises:
        ImageError: for a photo that cannot be used.
        ValueError: for an unknown style, or an impossible weight or strength.
        NetworkError: if the network's file is missing or damaged.
    """
    network = network or instant_network()
    shares = shares_of(network, style, strength)
    photo = unread(content, "the content picture").read(size)
    photo = photo.detach().to("cpu", torch.float32)
    if size is not None and max(photo.shape[2:]) != size:
        photo = resize(photo, size)
    return painted(network, photo, shares)


def shares_of(
    network: StyleNetwork, style: Styles, strength: float = 1.0
) -> Tensor:
    """Return how much of each row a picture is painted with, (rows,).

    Notebook 11, (11.8).

    Raises:
        ValueError: as `instant`.
    """
    low, high = STRENGTHS
    share = real(strength)
    if share is None or not low <= share <= high:
        raise ValueError(
            f"the strength is {told(strength)}; instant styles go from "
            f"{low:g}, the photo, to {high:g}. The optimizer goes on to 2: "
            "leave out --instant, or take `stylize`"
        )
    several = _weighted(style)
    shares = torch.zeros(len(network.names), dtype=torch.float32)
    total = math.fsum(weight for _, weight in several)
    for name, weight in several:
        if name not in network.names[1:]:
            raise ValueError(
                f"there is no instant style {name!r}; there are "
                f"{', '.join(network.names[1:])}. Any other picture is for "
                "the optimizer, without --instant"
            )
        if not 0 < total < math.inf:
            raise ValueError(
                f"the weight of {name} is {weight:g}; weights are 0 or more, "
                "and not all 0"
            )
        shares[network.names.index(name)] += share * weight / total
    shares[0] = 1 - share
    return shares


def _weighted(style: Styles) -> list[tuple[str, float]]:
    """Return styles with their weights as numbers.

    Raises:
        ValueError: for anything else than a name, or names with weights.
    """
    if isinstance(style, str):
        return [(style, 1.0)]
    single = isinstance(style, Tensor) or not hasattr(style, "__iter__")
    several: list[Any] = [style] if single else list(style)
    if not several:
        raise ValueError("there is no style: name one, or several in a list")
    for each in several:
        pair = isinstance(each, (tuple, list)) and len(each) == 2
        if not pair or not isinstance(each[0], str):
            raise ValueError(
                "an instant style is the name of a sample, such as 'glass', "
                "or several are a list such as [('glass', 2), ('ink', 1)], "
                f"not {told(each)}"
            )
    return [
        (name, checked_real(f"the weight of {name}", weight))
        for name, weight in several
    ]
