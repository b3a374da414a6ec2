"""A style of one's own for the instant network: a new row, or a new network.

Dumoulin, Shlens, Kudlur (2017), section 3.2, keep the convolutions and learn
two numbers a channel. Where that is not good enough, all weights are trained,
and then the other styles are forgotten.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut.images.loading import unread
from styletut.images.samples import names_of
from styletut.instant.crops import Crop, crops_of_step
from styletut.instant.network import PHOTO, StyleNetwork
from styletut.instant.painting import painted, recolored
from styletut.instant.recipe import Recipe
from styletut.instant.styles import shares_of
from styletut.instant.training import Trained, Training, give_colors
from styletut.instant.weights import instant_network
from styletut.values import checked_real, checked_whole, told

ROW_RATE, ALL_RATE = 2e-2, 1e-3
"""Adam's highest rate for a row, and for all weights."""

GOOD = 0.3
"""Share of a recolored photo's style loss that is good enough: what the
sample styles have in the mean, and a little more."""

READ_AT = 800
"""Longer side in pixels at which photos are read."""


class Fitted(NamedTuple):
    """A network that knows one more style, and how that came.

    Attributes:
        network: for `instant` and `store`.
        name: of the style.
        way: "row" if the convolutions are those of before and all their
            styles are still there, "all" if everything was trained for this
            style alone.
        untouched: style loss of photos in the style's colors.
        style: style loss of painted photos.
        content: content loss of painted photos.
        minutes: that it took.
    """

    network: StyleNetwork
    name: str
    way: str
    untouched: float
    style: float
    content: float
    minutes: float


def fit(
    style: Any,
    *,
    name: str = "own",
    photos: Sequence[Any] | None = None,
    network: StyleNetwork | None = None,
    row_steps: int = 150,
    all_steps: int = 600,
    good: float = GOOD,
    watch: Callable[[Trained], object] | None = None,
) -> Fitted:
    """Teach the instant network a style of one's own.

    First a new row alone, with all convolutions as they are. If painted
    photos then have more than a share `good` of the style loss that they
    have in the style's colors alone, all weights are trained, for this style
    only. The optimizer remains for what this misses.

    Args:
        style: a picture, as `stylize` takes it.
        name: by which `instant` is to know it.
        photos: to learn from, as `stylize` takes them, the more the better;
            by default the sample photos.
        network: to begin with; by default the one of the package.
        row_steps: of Adam, for the row.
        all_steps: the same, for all weights; 0 to stay with the row.
        good: the share that is good enough.
        watch: called after each step, to show how far it is.

    Raises:
        ImageError: for a picture that cannot be read.
        ValueError: for a name that is taken, or no photos.
    """
    began = time.monotonic()
    row_steps = checked_whole("row_steps", row_steps, 0)
    all_steps = checked_whole("all_steps", all_steps, 0)
    good = checked_real("good", good)
    if not isinstance(name, str) or not name:
        raise ValueError(
            f"the style's name is {told(name)}; it must be a word or several"
        )
    network = network or instant_network()
    if name in network.names:
        raise ValueError(
            f"there is a style {name!r} already; give this one another name"
        )
    picture = _read(style, "the style picture", None)
    if photos is None:
        photos = names_of("content")
    several = isinstance(photos, Sequence) and not isinstance(photos, str)
    if not several or not photos:
        raise ValueError(
            "photos to learn from come as a list of one or more, not as "
            f"{told(photos)}"
        )
    read = [_read(each, "a photo", READ_AT) for each in photos]

    def trained(start: StyleNetwork, steps: int, rate: float) -> Training:
        recipe = Recipe(
            iterations=steps,
            learning=0,
            rate=rate,
            warmup=steps // 5,
            kept=0.0,
            mixed=0.0,
        )
        training = Training(read, {name: picture}, recipe, network=start)
        for each in training.steps():
            if watch is not None:
                watch(each)
        return training

    training = trained(_with_row(network, name, picture), row_steps, ROW_RATE)
    way = "row"
    untouched, content, loss = _losses(training)
    if loss > good * untouched and all_steps:
        way = "all"
        alone = _alone(training.network, name)
        training = trained(alone, all_steps, ALL_RATE)
        untouched, content, loss = _losses(training)
    training.network.requires_grad_(False)
    minutes = (time.monotonic() - began) / 60
    return Fitted(
        training.network, name, way, untouched, loss, content, minutes
    )


def _read(picture: Any, name: str, size: int | None) -> Tensor:
    read = unread(picture, name).read(size)
    return read.detach().to("cpu", torch.float32)


def _with_row(
    network: StyleNetwork, name: str, picture: Tensor
) -> StyleNetwork:
    """Return a network with a row more, the mean of all styles', to train."""
    wider = StyleNetwork(
        [*network.names[1:], name], network.channels, network.blocks
    )
    state = {
        key: each
        if key.endswith("weight")
        else torch.cat([each, each[1:].mean(0, keepdim=True)])
        for key, each in network.state_dict().items()
    }
    wider.load_state_dict(state)
    give_colors(wider, -1, picture)
    wider.convolutions.requires_grad_(False)
    return wider


def _alone(network: StyleNetwork, name: str) -> StyleNetwork:
    """Return a network of the photo's row and one style's, to train."""
    alone = StyleNetwork([name], network.channels, network.blocks)
    rows = [network.names.index(each) for each in (PHOTO, name)]
    alone.load_state_dict(
        {
            key: each if key.endswith("weight") else each[rows]
            for key, each in network.state_dict().items()
        }
    )
    return alone


def _losses(training: Training) -> tuple[float, float, float]:
    """Return losses in the mean, of crops that no step was taken on.

    They are of the same photos. The style's of crops in its colors; then the
    content's and the style's of painted ones.
    """
    network, found = training.network, []
    shares = shares_of(network, training.styles[0])
    for step in range(4):
        # of numbers that no step of the training has
        crops = crops_of_step(training.photos, 1, training.recipe, -9 - step)
        for crop in crops:
            whole = Crop(crop.photo, 0, 1.0)
            before = recolored(network, crop.photo, shares)
            with torch.no_grad():
                after = painted(network, crop.photo, shares)
            untouched, _ = training.criterion(before, whole, 0.0)
            terms, _ = training.criterion(after, whole, 1.0)
            found.append((untouched.style, terms.content, terms.style))
    each = torch.tensor(found).mean(0).tolist()
    return each[0], each[1], each[2]
