"""How far pictures are apart in the feature maps of a trained network.

Every distance takes any layers, optimized or not, and any network: one that
only falls where it was optimized tells little. Each is divided by its value
for maps that are 0 everywhere, which frees it of the features' scale, so
that layers, networks and sizes can be compared.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from styletut.conventions.published import RELU_N_1
from styletut.losses import content_loss, gram_matrix
from styletut.metrics.pixels import check_finite, check_pair
from styletut.vgg.network import shared_network

CONTENT_LAYERS = ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2")
"""Where contents are compared: the second layer of each block."""

STYLE_LAYERS = RELU_N_1
"""Where styles are compared: the first layer of each block."""

Network = Callable[[Tensor, Iterable[str]], Mapping[str, Tensor]]
"""What gives the feature maps of layers: a `VGG19`, or what stands for it."""


def content_distance(
    x: Tensor,
    content: Tensor,
    layers: Iterable[str] = CONTENT_LAYERS,
    *,
    vgg: Network | None = None,
) -> dict[str, float]:
    """Return how far the feature maps are from the content's, by layer.

    d_l = ||F - P|| / ||P||, (8.2): the root of the content loss, equation
    (1) of Gatys, Ecker, Bethge (2016), in units of that of maps of 0.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        content: the content picture, of the same size.
        layers: names out of `vgg.LAYERS`.
        vgg: the network to compare with; plain Oxford weights and max
            pooling if not given.

    Returns:
        {layer: d_l}: 0 for equal maps, 1 for maps of 0, about 1 for
        unrelated pictures; no upper bound.

    Raises:
        ValueError: if one is not a picture, or too small for a layer, the
            sizes differ, or there is no such layer.
    """
    check_pair(x, content)
    distances = {}
    for layer, F, P in _maps(x, content, layers, vgg):
        distances[layer] = _share(content_loss(F, P), P.square().sum() / 2)
    return distances


def style_distance(
    x: Tensor,
    style: Tensor,
    layers: Iterable[str] = STYLE_LAYERS,
    *,
    vgg: Network | None = None,
) -> dict[str, float]:
    """Return how far the Gram matrices are from the style's, by layer.

    d_l = ||G/M - A/M_a|| / ||A/M_a||, (8.2): the root of the style loss,
    equation (4) of Gatys, Ecker, Bethge (2016) with each Gram matrix divided
    by its number of positions, in units of that of maps of 0.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        style: the style picture, of any size.
        layers: names out of `vgg.LAYERS`.
        vgg: the network to compare with; plain Oxford weights and max
            pooling if not given.

    Returns:
        {layer: d_l}: 0 for equal Gram matrices, 1 for maps of 0; no upper
        bound.

    Raises:
        ValueError: if one is not a picture, or too small for a layer, or
            there is no such layer.
    """
    check_finite(x, "the first picture")
    check_finite(style, "the second picture")
    distances = {}
    for layer, F, a in _maps(x, style, layers, vgg):
        G, A = _mean_gram(F), _mean_gram(a)
        distances[layer] = _share((G - A).square().sum(), A.square().sum())
    return distances


def wasserstein_distance(
    x: Tensor,
    style: Tensor,
    layers: Iterable[str] = STYLE_LAYERS,
    *,
    vgg: Network | None = None,
) -> dict[str, float]:
    """Return how far mean and covariance are from the style's, by layer.

    d_l is `gaussian_wasserstein` of the two pictures' maps, in units of
    that of the style's maps and maps of 0, which is the root mean square
    length of the style's feature vectors. A Gram matrix holds mean and
    covariance only as a sum; this tells them apart.

    Arguments and errors are those of `style_distance`.

    Returns:
        {layer: d_l}: 0 for equal mean and covariance, 1 for maps of 0; no
        upper bound.
    """
    check_finite(x, "the first picture")
    check_finite(style, "the second picture")
    distances = {}
    for layer, F, a in _maps(x, style, layers, vgg):
        squared = F.new_tensor(gaussian_wasserstein(F, a)).square()
        distances[layer] = _share(squared, a.square().sum(1).mean())
    return distances


def gaussian_wasserstein(F: Tensor, A: Tensor) -> float:
    """Return the Wasserstein-2 distance of two Gaussians.

    With the means m, n and covariances S, T of the feature vectors,

        W^2 = |m - n|^2 + tr(S + T - 2 (S^1/2 T S^1/2)^1/2)

    (Dowson, Landau: "The Fréchet distance between multivariate normal
    distributions", Journal of Multivariate Analysis, 1982). Computed in
    float64; covariances are divided by the number of positions.

    Args:
        F: feature maps, (N, M) or (1, N, h, w).
        A: others with as many channels.

    Returns:
        W in the unit of the features, at least 0: 0 for equal mean and
        covariance.

    Raises:
        ValueError: if the numbers of channels differ.
    """
    (m, S), (n, T) = _moments(F), _moments(A)
    if len(m) != len(n):
        raise ValueError(
            f"the maps have {len(m)} and {len(n)} channels; they must have "
            "equally many"
        )
    # tr (S^1/2 T S^1/2)^1/2 is the sum of the singular values of
    # S^1/2 T^1/2, where no second root blows up the rounding errors
    common = torch.linalg.svdvals(_root(S) @ _root(T)).sum()
    squared = (m - n).square().sum() + S.trace() + T.trace() - 2 * common
    return float(squared.clamp(min=0).sqrt())


def self_similarity_distance(
    x: Tensor,
    content: Tensor,
    layers: Iterable[str] = CONTENT_LAYERS,
    *,
    grid: int = 32,
    vgg: Network | None = None,
) -> float:
    """Return how far the likeness of places to each other has changed.

    The content loss of Kolkin, Salavon, Shakhnarovich: "Style transfer by
    relaxed optimal transport and self-similarity" (CVPR 2019), times n / 2:

        d = 1/n sum_j 1/2 sum_i |D_ij / sum_i D_ij - E_ij / sum_i E_ij|

    with D and E the cosine distances, in x and in the content picture, of
    the feature vectors of n places, all layers stacked. A place may change
    its look, as long as it stays as like and unlike the others as it was.
    The authors draw places at random and use VGG-16; here the places are a
    fixed grid, to whose points the maps are interpolated.

    Args:
        x: a picture, (1, 3, H, W), RGB in [0, 1].
        content: the content picture, of the same size.
        layers: names out of `vgg.LAYERS`.
        grid: rows and columns of the grid, as far as there are pixels; n is
            at most grid^2, and D and E hold n^2 float64 numbers each.
        vgg: the network to compare with; plain Oxford weights and max
            pooling if not given.

    Returns:
        A number in [0, 1]: 0 where all likenesses are kept in proportion.
        Unrelated pictures have about 0.1, since most likenesses of places
        are alike in any two pictures.

    Raises:
        ValueError: if one is not a picture, or too small for a layer, the
            sizes differ, there is no such layer, or the grid has less than
            2 rows.
    """
    check_pair(x, content)
    if grid < 2:
        raise ValueError(f"the grid needs 2 rows at least, not {grid}")
    places = [min(grid, side) for side in x.shape[2:]]
    pairs = [
        (_at_grid(F, places), _at_grid(P, places))
        for _, F, P in _maps(x, content, layers, vgg)
    ]
    D, E = (_likeness(torch.cat(stack)) for stack in zip(*pairs, strict=True))
    return float((D - E).abs().sum(0).mean() / 2)


def _maps(
    x: Tensor, y: Tensor, layers: Iterable[str], vgg: Network | None
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield (layer, maps of x, maps of y), the maps in float64."""
    names = tuple(layers)
    vgg = vgg or shared_network(device=x.device)
    with torch.no_grad():
        F, P = vgg(x, names), vgg(y, names)
    for name in names:  # in float64 one layer at a time, for memory's sake
        yield name, F[name].double(), P[name].double()


def _share(squared: Tensor, of: Tensor) -> float:
    """Return the root of a ratio; nothing is a share of 0 of nothing."""
    if squared == 0:
        return 0.0
    return math.inf if of == 0 else float((squared / of).sqrt())


def _mean_gram(F: Tensor) -> Tensor:
    """Return G / M, the mean over the positions."""
    return gram_matrix(F) / F[0, 0].numel()


def _moments(F: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean (N,) and covariance (N, N) over the positions."""
    columns = F.detach().double().flatten(2)[0] if F.ndim == 4 else F.double()
    m = columns.mean(1)
    return m, gram_matrix(columns - m[:, None]) / columns.shape[1]


def _root(S: Tensor) -> Tensor:
    """Return the root of a symmetric positive semi-definite matrix."""
    values, vectors = torch.linalg.eigh(S)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _at_grid(maps: Tensor, places: list[int]) -> Tensor:
    """Return the features at a grid's points, (N, rows * columns)."""
    points = functional.interpolate(maps, places, mode="bilinear")
    return points[0].flatten(1)


def _likeness(columns: Tensor) -> Tensor:
    """Return the columns' cosine distances, each column's sum being 1."""
    units = functional.normalize(columns, dim=0)
    D = (1 - units.T @ units).clamp(min=0)
    return D / D.sum(0).clamp(min=torch.finfo(D.dtype).tiny)
