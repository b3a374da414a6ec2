"""All metrics of a result at once: `compare`."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from styletut.metrics.features import (
    CONTENT_LAYERS,
    STYLE_LAYERS,
    Network,
    content_distance,
    self_similarity_distance,
    style_distance,
    wasserstein_distance,
)
from styletut.metrics.pixels import color_distance, pixel_error, ssim
from styletut.vgg.network import shared_network

HELD_OUT_LAYERS = ("relu1_2", "relu2_2", "relu3_4", "relu4_4")
"""The last layers of the first four blocks. The default convention optimizes
none of them: where their Gram matrices match, nobody made them. relu5_4 is
left out, for it responds at few places and would outweigh the others."""

KEPT_PIXELS = 1_500_000
"""Of the largest picture, up to which the maps of all layers are kept at once:
with three pictures some 3 GB for each million pixels. Above it each layer is
computed when it is asked for, which takes longer."""


def compare(x: Tensor, content: Tensor, style: Tensor) -> dict[str, float]:
    """Measure a result by every metric of this wing.

    The networks are the same two, plain Oxford weights with max and with
    average pooling, whatever the picture was made with.

    Args:
        x: the result, (1, 3, H, W), RGB in [0, 1].
        content: the content picture, of the same size.
        style: the style picture, of any size.

    Returns:
        `pixel_error`, `ssim` and `self_similarity_distance` from the
        content, `color_distance` from the style; the means over layers
        `content_distance`, `style_distance`, `wasserstein_distance`, and
        `style_distance_held_out` over `HELD_OUT_LAYERS`; with average
        pooling `content_distance_average` and `style_distance_average`; and
        each layer's, such as `content_relu4_2`, `style_relu1_1` and
        `wasserstein_relu1_1`.

    Raises:
        ValueError: if one is not a picture, or too small (SSIM needs 11
            pixels a side, relu5_2 needs 16), or the content has another
            size than the result.
    """
    pictures = (x, content, style)
    layers = {*CONTENT_LAYERS, *STYLE_LAYERS, *HELD_OUT_LAYERS}
    vgg = _seen(shared_network(device=x.device), pictures, layers)
    contents = content_distance(x, content, vgg=vgg)
    styles = style_distance(x, style, vgg=vgg)
    held_out = style_distance(x, style, HELD_OUT_LAYERS, vgg=vgg)
    transports = wasserstein_distance(x, style, vgg=vgg)
    average = shared_network(pooling="average", device=x.device)
    return {
        "pixel_error": pixel_error(x, content),
        "ssim": ssim(x, content),
        "self_similarity_distance": self_similarity_distance(
            x, content, vgg=vgg
        ),
        "color_distance": color_distance(x, style),
        "content_distance": _mean(contents),
        "style_distance": _mean(styles),
        "style_distance_held_out": _mean(held_out),
        "wasserstein_distance": _mean(transports),
        "content_distance_average": _mean(
            content_distance(x, content, vgg=average)
        ),
        "style_distance_average": _mean(style_distance(x, style, vgg=average)),
        **{f"content_{layer}": d for layer, d in contents.items()},
        **{f"style_{layer}": d for layer, d in (styles | held_out).items()},
        **{f"wasserstein_{layer}": d for layer, d in transports.items()},
    }


def _seen(
    vgg: Network, pictures: Iterable[Tensor], layers: Iterable[str]
) -> Network:
    """Return the network with the maps of pictures computed beforehand.

    Where they would be too large, each is computed when it is asked for.
    """
    names, pictures = tuple(layers), tuple(pictures)
    if max(picture[0, 0].numel() for picture in pictures) > KEPT_PIXELS:
        return lambda image, layers: _OneAtATime(vgg, image, tuple(layers))
    with torch.no_grad():
        seen = [(picture, vgg(picture, names)) for picture in pictures]

    def look_up(image: Tensor, layers: Iterable[str]) -> Mapping[str, Tensor]:
        (maps, *_) = (maps for picture, maps in seen if picture is image)
        return maps

    return look_up


class _OneAtATime(Mapping[str, Tensor]):
    """The maps of a picture's layers, of which none is kept."""

    def __init__(self, vgg: Network, image: Tensor, names: tuple[str, ...]):
        self.vgg, self.image, self.names = vgg, image, names

    def __getitem__(self, name: str) -> Tensor:
        with torch.no_grad():
            return self.vgg(self.image, (name,))[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _mean(distances: Mapping[str, float]) -> float:
    return sum(distances.values()) / len(distances)
