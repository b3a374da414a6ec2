"""The pictures of a run: photo, paintings and masks, opened, read, resized.

The photo's colors or the paintings' are changed here, before the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut.color import (
    Weighted,
    color_moments,
    light_moments,
    luminance,
    luminance_only,
    match_luminance,
    match_moments,
)
from styletut.images import ImageError, resize_mask, resize_to
from styletut.images.loading import Unread, unread
from styletut.images.masks import mask_for, unread_mask
from styletut.objective.guides import (
    Masks,
    Painting,
    Region,
    Styles,
    name_of_mask,
    regions_of,
    settled,
    weight_at,
)
from styletut.transfer.sizes import Shape, same_aspect
from styletut.values import check_known

COLORS = ("style", "match", "luminance")
"""Names of whose colors the picture gets, and how: the style's; the photo's,
to which the style pictures are matched before the run; the photo's, under
the light that a run without color makes."""


class Opened(NamedTuple):
    """Pictures of which no more is read than their shapes take.

    Attributes:
        photo: the content picture.
        regions: with pictures and masks that are yet to be read.
    """

    photo: Unread
    regions: tuple[Region, ...]

    @property
    def style_shapes(self) -> list[Shape]:
        """Height and width of each style picture, region by region."""
        return [
            each.picture.shape
            for _, paintings in self.regions
            for each in paintings
        ]


def opened(content: Any, style: Styles | None, masks: Masks) -> Opened:
    """Open all pictures of a run; see `transfer.stylize`.

    Raises:
        ImageError: for what cannot be read, or a mask of another shape than
            its picture.
        ValueError: for styles and masks that are no such lists.
    """
    photo = unread(content, "the content picture")
    regions = []
    asked = regions_of(style, masks)
    masked = sum(mask is not None for mask, _ in asked)
    for number, (mask, paintings) in enumerate(asked, 1):
        several = tuple(map(_opened_painting, paintings))
        if mask is not None:
            of = "the photo"
            name = name_of_mask(of, number, masked)
            mask = _opened_mask(mask, photo.shape, of, name)
        regions.append(Region(mask, several))
    return Opened(photo, tuple(regions))


@dataclass(frozen=True)
class Pictures:
    """All pictures of a run, on its device.

    Attributes:
        photo: the content picture, (1, 3, H, W) in [0, 1].
        regions: as `objective.guides.settled` has them, for the photo's
            size; of one region without a mask that is None.
        alpha: how opaque the photo is, (1, 1, H, W) in [0, 1]; None if it is
            so everywhere.
        colored: the photo whose colors the result gets; None if they are its
            own already.
    """

    photo: Tensor
    regions: tuple[Region, ...]
    alpha: Tensor | None = None
    colored: Tensor | None = None

    def resized(
        self, shape: Shape, style_shapes: Sequence[Shape]
    ) -> "Pictures":
        """Return them at the sizes of a stage.

        Args:
            shape: of the picture.
            style_shapes: of each style picture, region by region.
        """
        shapes = iter(style_shapes)
        regions = tuple(
            Region(
                None if mask is None else resize_mask(mask, *shape),
                tuple(
                    _resized_painting(each, next(shapes)) for each in paintings
                ),
            )
            for mask, paintings in self.regions
        )
        return replace(
            self,
            photo=resize_to(self.photo, *shape),
            regions=regions,
            colored=(
                None
                if self.colored is None
                else resize_to(self.colored, *shape)
            ),
        )

    def text(self) -> dict[str, str]:
        """Return what share of the photo each region has, if there are any."""
        masks = [mask for mask, _ in self.regions if mask is not None]
        if not masks:
            return {}
        return {"regions": " ".join(f"{float(m.mean()):.3f}" for m in masks)}

    def alpha_like(self, image: Tensor) -> Tensor | None:
        """Return how opaque a picture of the run is, (1, 1, h, w)."""
        if self.alpha is None:
            return None
        height, width = image.shape[2:]
        return resize_mask(self.alpha[0, 0], height, width)[None, None]

    def finished(self, image: Tensor) -> Tensor:
        """Return a picture of the run with the colors that it is to have."""
        if self.colored is None:
            return image
        return luminance_only(image, self.colored)


def read(
    given: Opened,
    size: int,
    style_sizes: Sequence[int],
    color: str,
    dtype: torch.dtype,
    device: torch.device,
) -> Pictures:
    """Read all pictures as large as a run needs them.

    Args:
        given: the pictures.
        size: longer side of the largest picture to be made.
        style_sizes: the same for each style picture, region by region.
        color: a name out of `COLORS`.
        dtype: of the pictures.
        device: where they go.

    Raises:
        ImageError: for what cannot be read, and for masks that are empty,
            add up to more than 1, or leave pixels without a style.
    """
    photo = given.photo.for_size(size).to(device)
    sizes = iter(style_sizes)
    regions = [
        Region(
            None if mask is None else _read_mask(mask, size, photo),
            tuple(
                _read_painting(each, next(sizes), dtype, device)
                for each in paintings
            ),
        )
        for mask, paintings in given.regions
    ]
    return _recolored(
        Pictures(
            photo,
            settled(regions, photo),
            given.photo.alpha_for(size),
        ),
        color,
    )


def check_color(color: str) -> None:
    """Raise ValueError for an unknown way with colors."""
    check_known("color", color, COLORS)


def color_matched(
    photo: Tensor, regions: Sequence[Region], layers: Sequence[str]
) -> Tensor:
    """Return a photo whose colors have the paintings' mean and covariance.

    Each region's are those of its own paintings, by their weights; where
    regions share a pixel it has a share of each.

    Args:
        photo: (1, 3, H, W) in [0, 1].
        regions: with masks of its size, or None for the whole.
        layers: the style's, over which weights are averaged that differ from
            layer to layer.
    """
    matched = torch.zeros_like(photo)
    for mask, paintings in regions:
        wanted = color_moments([_weighted(each, layers) for each in paintings])
        own = match_moments(photo, *wanted, mask=mask)
        if mask is None:
            return own
        matched += mask * own
    return matched.clamp(0, 1)


def _recolored(pictures: Pictures, color: str) -> Pictures:
    """Return the pictures as they go into a run."""
    check_color(color)
    if color == "style":
        return pictures
    photo = pictures.photo
    regions = [
        Region(
            mask,
            tuple(
                each._replace(
                    picture=_with_colors_of(photo, mask, each, color)
                )
                for each in paintings
            ),
        )
        for mask, paintings in pictures.regions
    ]
    if color == "match":
        return replace(pictures, regions=tuple(regions))
    return replace(
        pictures,
        photo=luminance(photo),
        regions=tuple(regions),
        colored=photo,
    )


def _with_colors_of(
    photo: Tensor, region: Tensor | None, painting: Painting, color: str
) -> Tensor:
    """Return a painting with the colors, or the light, of its region."""
    own: list[Weighted] = [(photo, 1.0, region)]
    picture, _, mask = painting
    if color == "match":
        return match_moments(picture, *color_moments(own), mask=mask)
    return match_luminance(picture, *light_moments(own), mask=mask)


def _weighted(painting: Painting, layers: Sequence[str]) -> Weighted:
    """Return a painting with one weight for its colors."""
    at = [weight_at(layer, painting) for layer in layers]
    return painting.picture, fmean(at) if at else 1.0, painting.mask


def _opened_painting(painting: Painting) -> Painting:
    picture = unread(painting.picture, "the style picture")
    mask = painting.mask
    if mask is not None:
        of = "the style picture"
        mask = _opened_mask(mask, picture.shape, of, name_of_mask(of))
    return painting._replace(picture=picture, mask=mask)


def _opened_mask(source: Any, shape: Shape, of: str, name: str) -> Unread:
    """Open a mask, once it is seen to have its picture's ratio of sides."""
    try:
        mask = unread_mask(source)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    if not same_aspect(mask.shape, shape):
        (h, w), (height, width) = mask.shape, shape
        raise ImageError(
            f"{name} is {w} x {h} pixels and {of} {width} x {height}; they "
            "must have one ratio of sides. Draw the mask over that picture, "
            "and do not crop it."
        )
    return mask


def _read_mask(mask: Unread, size: int, picture: Tensor) -> Tensor:
    """Read a mask as large as its picture was read."""
    height, width = picture.shape[2:]
    return resize_mask(mask_for(mask, size), height, width).to(picture)


def _read_painting(
    painting: Painting, size: int, dtype: torch.dtype, device: torch.device
) -> Painting:
    """Read a painting; what is transparent in it does not count."""
    unread, weight, given = painting
    picture = unread.for_size(size).to(device, dtype)
    mask = None if given is None else _read_mask(given, size, picture)
    alpha = unread.alpha_for(size)
    if alpha is not None:
        opaque = alpha[0, 0].to(picture)
        if not opaque.any():
            raise ImageError(
                "the style picture is transparent everywhere, so that nothing "
                "of it counts. Take one with something in it."
            )
        mask = opaque if mask is None else mask * opaque
    return Painting(picture, weight, mask)


def _resized_painting(painting: Painting, shape: Shape) -> Painting:
    picture, weight, mask = painting
    return Painting(
        resize_to(picture, *shape),
        weight,
        None if mask is None else resize_mask(mask, *shape),
    )
