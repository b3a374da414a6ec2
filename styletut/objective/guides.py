"""Which style counts where: regions of a picture, and their masks at layers.

Gatys, Ecker, Bethge, Hertzmann, Shechtman, "Controlling perceptual factors in
neural style transfer" (CVPR 2017), section 4; notebook 10, section 2. A mask
m holds each pixel's share in a region, in [0, 1]. It is the square of the
paper's guidance channel T: a pixel that is shared by two regions counts once
in all, and so the shares of all regions add up to 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from styletut.images.picture import ImageError
from styletut.objective.checks import checked_weight
from styletut.values import check_known, told
from styletut.vgg import check_layers, receptive_field
from styletut.vgg.layers import up_to_deepest

WAYS = ("simple", "inside", "all")
"""Names of ways to take a mask to a layer."""

SCALES = {"fine": "12", "coarse": "345"}
"""Words for weights by layer, with the network's blocks that each means: 1 at
the layers of these, 0 at the others."""

ROUNDING = 0.02
"""By how much shares may miss 1: masks have 256 levels, and several add up."""

Styles: TypeAlias = Any
"""A style: a picture, or a sequence of (picture, weight) or (picture, weight,
mask)."""

Masks: TypeAlias = Sequence[Sequence[Any]]
"""(mask of the photo, style) or (mask of the photo, style, mask of it)."""


class Painting(NamedTuple):
    """A style picture.

    Attributes:
        picture: (1, 3, H, W) in [0, 1], or what is read as one.
        weight: relative to those of the other pictures of its region; or
            layer -> weight, where a layer without one has none of it; or a
            word out of `SCALES`.
        mask: how much of each pixel counts, (H, W) in [0, 1]; all of it
            where there is none.
    """

    picture: Any
    weight: float | str | Mapping[str, float] = 1.0
    mask: Any = None


class Region(NamedTuple):
    """A part of the picture, and what it is painted like.

    Attributes:
        mask: each pixel's share in it, (H, W) in [0, 1]; None for what the
            other regions leave.
        paintings: one or several.
    """

    mask: Any
    paintings: tuple[Painting, ...]


def regions_of(style: Styles | None, masks: Masks = ()) -> tuple[Region, ...]:
    """Return the regions that a caller asked for, as they came.

    Args:
        style: for what the masks leave; None for nothing.
        masks: for each region its mask, its style, and perhaps what counts
            of that.

    Raises:
        ValueError: for lists of anything else, impossible weights, or
            nothing at all.
    """
    regions = [_masked(each) for each in _listed(masks)]
    if style is not None:
        regions.append(Region(None, paintings_of(style)))
    if not regions:
        raise ValueError(
            "there is no style: give a style picture, or masks with one each"
        )
    return tuple(regions)


def paintings_of(style: Styles) -> tuple[Painting, ...]:
    """Return a style, one picture or several, as paintings.

    Raises:
        ValueError: for a list of anything else, or impossible weights.
    """
    if isinstance(style, Painting) or not isinstance(style, (list, tuple)):
        alone = style if isinstance(style, Painting) else Painting(style)
        return (_checked(alone),)
    if not all(_is_weighted(each) for each in style):
        raise ValueError(
            "several styles come as a sequence of (picture, weight), such "
            "as [(a, 2), (b, 1)]; a mask of the picture may come third"
        )
    several = tuple(_checked(Painting(*each)) for each in style)
    if not any(_counts_anywhere(each) for each in several):
        raise ValueError("there is no style picture with a positive weight")
    return several


def shares_at(
    layer: str, paintings: Sequence[Painting]
) -> list[tuple[int, float]]:
    """Return the pictures that count at a layer, as (number, share).

    The shares add up to 1.

    Raises:
        ValueError: if none does.
    """
    weights = [weight_at(layer, each) for each in paintings]
    whole = sum(weights)
    if not whole > 0:
        raise ValueError(
            f"no style picture has a weight at {layer}; give it to one of "
            "them, or leave the layer out of style_layers"
        )
    return [(n, w / whole) for n, w in enumerate(weights) if w > 0]


def check_named(paintings: Iterable[Painting], layers: Iterable[str]) -> None:
    """Raise ValueError if weights are given for layers that do not count."""
    layers = tuple(layers)
    for each in paintings:
        if isinstance(each.weight, Mapping):
            for name in each.weight:
                if name not in layers:
                    raise ValueError(
                        f"a style picture has a weight at {name}, which is "
                        f"none of the style layers {', '.join(layers)}"
                    )


def settled(regions: Sequence[Region], content: Tensor) -> tuple[Region, ...]:
    """Return regions whose masks add up to 1 at each pixel.

    The one without a mask gets what the others leave, and goes where that is
    nothing; a single one keeps None, for the whole.

    Args:
        regions: with masks (H, W) of the content's size.
        content: the content picture, (1, 3, H, W).

    Raises:
        ValueError: for masks of another size, with values outside [0, 1],
            empty, adding up to more than 1, or leaving pixels to nobody.
    """
    masked = [each for each in regions if each.mask is not None]
    rest = [each for each in regions if each.mask is None]
    if not masked:
        return tuple(rest)
    shape = (content.shape[2], content.shape[3])
    masks = torch.stack(
        [
            checked_mask(
                each.mask,
                shape,
                "the photo",
                name_of_mask("the photo", number, len(masked)),
            )
            for number, each in enumerate(masked, 1)
        ]
    ).to(content)
    whole = masks.sum(0)
    if content.is_meta:  # it has no numbers
        left = whole
        covered = not rest
    else:
        _check_sum(whole, rest)
        left = (1 - whole).clamp(0, 1)
        covered = float(left.amax()) <= ROUNDING
    if covered:
        rest = []
        masks = masks / whole
    else:
        masks = masks / whole.clamp(min=1)
    filled = [
        each._replace(mask=mask)
        for each, mask in zip(masked, masks, strict=True)
    ]
    return (*filled, *(each._replace(mask=left) for each in rest))


def name_of_mask(of: str, number: int = 1, count: int = 1) -> str:
    """Return how messages call a mask, by its number if there are several.

    Args:
        of: how they call its picture.
        number: of the mask, from 1.
        count: of that picture's masks.
    """
    return f"mask {number} of {of}" if count > 1 else f"a mask of {of}"


def checked_mask(
    mask: Any, shape: tuple[int, int], of: str, name: str | None = None
) -> Tensor:
    """Return a mask as floating numbers, once it is seen to be one.

    Args:
        mask: (H, W), floating in [0, 1] or bool.
        shape: height and width of its picture.
        of: how messages call that picture.
        name: how they call the mask, see `name_of_mask`.

    Raises:
        ValueError: for another shape, values outside [0, 1], or an empty
            mask.
    """
    name = name or name_of_mask(of)
    if not isinstance(mask, Tensor):
        raise ImageError(
            f"{name} is a tensor (H, W), not {type(mask).__name__}. "
            "`load_mask` makes one."
        )
    if tuple(mask.shape) != shape:
        raise ImageError(
            f"{name} has shape {tuple(mask.shape)} and {of} {shape}; they "
            "must be equal. `resize_mask` makes them so."
        )
    if not mask.is_floating_point():
        mask = mask.float()
    if mask.is_meta:
        return mask
    low, high = (float(bound) for bound in mask.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ImageError(
            f"{name} has values from {low:g} to {high:g}; they must lie in "
            "[0, 1], 1 where the style counts"
        )
    if high == 0:
        raise ImageError(
            f"{name} is empty: it is black everywhere. White is where the "
            "style counts"
        )
    return mask.detach()


def propagated(mask: Tensor, layer: str, way: str = "simple") -> Tensor:
    """Return a mask at the positions of a layer.

    The three ways of Gatys et al. (2017), as their program names them:

    - "simple": a position has the mean over the pixels that are its own, a
      square as wide as the layer's stride;
    - "all": it counts if it sees any of the region: the greatest value in
      its receptive field, so that regions overlap;
    - "inside": it counts if it sees nothing else: one minus the greatest
      value of what is not the region. Beside a border no region has it.

    The last two walk through the network's layers, each of which looks at a
    square of the one before it.

    Args:
        mask: (H, W) in [0, 1].
        layer: a name out of `vgg.LAYERS`.
        way: a name out of `WAYS`.

    Returns:
        (h, w) in [0, 1], of the layer's size.

    Raises:
        ValueError: for an unknown layer or way.
    """
    check_way(way)
    check_layers([layer])
    if way == "simple":
        stride = receptive_field(layer).stride
        return functional.avg_pool2d(mask[None], stride)[0]
    if way == "all":
        return _seen(mask, layer)
    return 1 - _seen(1 - mask, layer)


def check_way(way: str) -> None:
    """Raise ValueError for an unknown way to take masks to a layer."""
    check_known("guidance", way, WAYS)


def _seen(mask: Tensor, layer: str) -> Tensor:
    """Return the greatest value that each position of a layer sees."""
    seen = mask[None]
    for name in up_to_deepest([layer]):
        if name.startswith("conv"):
            seen = functional.max_pool2d(seen, 3, stride=1, padding=1)
        elif name.startswith("pool"):
            seen = functional.max_pool2d(seen, 2)
    return seen[0]


def _listed(masks: Masks | None) -> list[Sequence[Any]]:
    """Return the masks as a list, once each is a tuple of two or three."""
    if masks is None:
        return []
    alone = isinstance(masks, (str, Tensor)) or not hasattr(masks, "__iter__")
    listed = [masks] if alone else list(masks)
    for each in listed:
        if not isinstance(each, (list, tuple)) or len(each) not in (2, 3):
            raise ValueError(
                "masks come as a sequence of (mask, style) or (mask, style, "
                "mask of the style), such as [(sky, painting)], not "
                f"{told(each)}"
            )
    return listed


def _masked(given: Sequence[Any]) -> Region:
    mask, style, *style_mask = given
    paintings = paintings_of(style)
    if mask is None:
        raise ValueError(
            "a region has no mask; what the masks leave is for the style"
        )
    if style_mask and style_mask[0] is not None:
        if len(paintings) > 1:
            raise ValueError(
                "a mask of the style belongs to one picture; of several "
                "each has its own, as (picture, weight, mask)"
            )
        paintings = (paintings[0]._replace(mask=style_mask[0]),)
    return Region(mask, paintings)


def _is_weighted(each: Any) -> bool:
    return isinstance(each, (tuple, list)) and len(each) in (2, 3)


def _checked(painting: Painting) -> Painting:
    """Return a painting with its weight as numbers."""
    weight = painting.weight
    if isinstance(weight, str):
        if weight not in SCALES:
            raise ValueError(
                f"a style's weight is {weight!r}; it can be a number, a "
                f"mapping layer -> number, or one of {', '.join(SCALES)}"
            )
        return painting
    if not isinstance(weight, Mapping):
        return painting._replace(
            weight=checked_weight("a style's weight", weight)
        )
    check_layers(weight)
    return painting._replace(
        weight={
            name: checked_weight(f"a style's weight at {name}", value)
            for name, value in weight.items()
        }
    )


def _counts_anywhere(painting: Painting) -> bool:
    """Return whether a painting has a weight at any layer."""
    weight = painting.weight
    if isinstance(weight, Mapping):
        return any(weight.values())
    return isinstance(weight, str) or weight > 0


def weight_at(layer: str, painting: Painting) -> float:
    """Return what a painting weighs at a layer."""
    weight = painting.weight
    if isinstance(weight, Mapping):
        return weight.get(layer, 0.0)
    if isinstance(weight, str):
        return float(layer[4] in SCALES[weight])
    return weight


def _check_sum(whole: Tensor, rest: Sequence[Region]) -> None:
    """Raise ValueError unless shares are shares."""
    most = float(whole.amax())
    if most > 1 + ROUNDING:
        over = float((whole > 1 + ROUNDING).double().mean())
        raise ImageError(
            f"the masks add up to {most:.2f} on {_percent(over)} of the "
            "photo; together they can have no more than 1 of a pixel. Take "
            "from one what the other has"
        )
    bare = float((whole < 1 - ROUNDING).double().mean())
    if bare and not rest:
        raise ImageError(
            f"the masks leave {_percent(bare)} of the photo without a style; "
            "give a style for the rest, or masks that cover all of it"
        )


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
