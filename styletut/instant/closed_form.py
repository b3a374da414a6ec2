"""A style by mean and covariance of deep features, without any training.

The features of a photo get the mean and covariance of a painting's, by the
symmetric map of `styletut.color`; what picture has such features is told by a
linear decoder, the best there is by least squares. Li, Fang, Yang, Wang, Lu,
Yang, "Universal style transfer via feature transforms" (NIPS 2017), train
a network for that second step. Notebook 11, section 2.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from styletut.color import color_map, match_color
from styletut.vgg import VGG19
from styletut.vgg.layers import receptive_field

LAYER = "relu2_1"
"""Whose features are mapped: of 128 channels, each position 2 x 2 pixels."""

RIDGE = 1e-3
"""Lambda over the mean variance of the features."""


class Decoder(NamedTuple):
    """An affine map from features to pixels.

    Attributes:
        weight: (3 s s, 9 N), for a position's s x s pixels from the features
            of it and of its eight neighbors.
        bias: (3 s s,).
        layer: whose features.
    """

    weight: Tensor
    bias: Tensor
    layer: str


def fit_decoder(
    vgg: VGG19,
    photos: Iterable[Tensor],
    layer: str = LAYER,
    ridge: float = RIDGE,
) -> Decoder:
    """Return the decoder that comes nearest to photos by least squares.

    Notebook 11, (11.5). What it takes of the photos is sums over positions,
    of all features and pixels and of their products, in float64.

    Args:
        vgg: the network.
        photos: (1, 3, H, W) in [0, 1], of any sizes.
        layer: whose features.
        ridge: see `ridge_regression`.

    Raises:
        ValueError: if there is no photo.
    """
    products: Tensor | None = None
    for photo in photos:
        both = torch.cat([_patches(vgg, photo, layer), _blocks(photo, layer)])
        both = torch.cat([both, both.new_ones(1, both.shape[1])])
        own = both @ both.T
        products = own if products is None else products + own
    if products is None:
        raise ValueError("there are no photos to fit a decoder to")
    count = products[-1, -1]
    mean = products[-1, :-1] / count
    covariance = products[:-1, :-1] / count - mean.outer(mean)
    taken = len(mean) - 3 * receptive_field(layer).stride ** 2
    weight = ridge_regression(
        covariance[:taken, :taken], covariance[taken:, :taken], ridge
    )
    bias = mean[taken:] - weight @ mean[:taken]
    return Decoder(weight.float(), bias.float(), layer)


def ridge_regression(S: Tensor, C: Tensor, ridge: float) -> Tensor:
    """Return W with W (S + lambda 1) = C, notebook 11, (11.5).

    Args:
        S: covariance of what is given, (n, n).
        C: covariance of what is wanted with it, (m, n).
        ridge: lambda over the mean variance of what is given.

    Returns:
        (m, n).
    """
    scale = ridge * S.diagonal().mean()
    regular = S + scale * torch.eye(len(S)).to(S)
    solved: Tensor = torch.linalg.solve(regular, C.T)
    return solved.T


@torch.no_grad()
def closed_form(
    vgg: VGG19, decoder: Decoder, photo: Tensor, painting: Tensor
) -> Tensor:
    """Paint a photo by means and covariances alone, of colors and features.

    To the photo in the painting's colors is added what the decoder makes of
    the change that its features need; so detail stays that no decoder knows.

    Args:
        vgg: the network that the decoder was fitted with.
        decoder: see `fit_decoder`.
        photo: (1, 3, H, W) in [0, 1].
        painting: the same, of any size.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    base = match_color(photo, painting)
    F = vgg(base, [decoder.layer])[decoder.layer]
    S = vgg(painting, [decoder.layer])[decoder.layer]
    change = decoded(decoder, transported(F, S)) - decoded(decoder, F)
    height, width = photo.shape[2:]
    full = functional.pad(
        change,
        (0, width - change.shape[3], 0, height - change.shape[2]),
        mode="replicate",
    )
    return (base + full).clamp(0, 1)


def transported(F: Tensor, S: Tensor) -> Tensor:
    """Return maps with the mean and covariance of others.

    By the symmetric map of (10.2), for features: notebook 11, (11.4).

    Args:
        F: (1, N, h, w).
        S: (1, N, h', w').
    """
    f, s = (maps.flatten(2)[0].double() for maps in (F, S))
    mean, target = f.mean(1, keepdim=True), s.mean(1, keepdim=True)
    A = color_map(torch.cov(f, correction=0), torch.cov(s, correction=0))
    moved = A @ (f - mean) + target
    return moved.to(F).reshape(F.shape)


def decoded(decoder: Decoder, F: Tensor) -> Tensor:
    """Return the pixels that a decoder makes of features, (1, 3, s h, s w)."""
    height, width = F.shape[2:]
    blocks = decoder.weight.to(F) @ _neighbors(F)
    blocks += decoder.bias.to(F)[:, None]
    side = round((len(blocks) / 3) ** 0.5)
    maps = blocks.reshape(1, len(blocks), height, width)
    return functional.pixel_shuffle(maps, side)


def _patches(vgg: VGG19, photo: Tensor, layer: str) -> Tensor:
    with torch.no_grad():
        return _neighbors(vgg(photo, [layer])[layer]).double()


def _neighbors(F: Tensor) -> Tensor:
    """Return each position's features and its neighbors', (9 N, M)."""
    padded = functional.pad(F, (1, 1, 1, 1), mode="replicate")
    return functional.unfold(padded, 3)[0]


def _blocks(photo: Tensor, layer: str) -> Tensor:
    """Return the pixels of each position, (3 s s, M)."""
    side = receptive_field(layer).stride
    height, width = (side * (each // side) for each in photo.shape[2:])
    cut = photo[..., :height, :width]
    return functional.pixel_unshuffle(cut, side)[0].flatten(1).double()
