"""What an engine is given, and what it gives.

A loss at a layer is a function of a sum over the positions of the layer's
maps: of 1/2 sum (F - P)^2, of a Gram matrix. So it can be computed in one
piece or in many, and an engine need not know which loss it is.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor

Place = tuple[Any, ...]
"""Where maps lie in the maps of the whole picture, as an index into these: of
the last two axes, so that it fits masks (h, w) as well as maps."""

WHOLE: Place = (...,)
"""All of them."""

Key = TypeVar("Key")

Show = Callable[[str, Tensor, Place], None]
"""Is shown a layer's name, its maps (1, N, h, w), and their place."""


class LayerLoss(Protocol):
    """A loss at the feature maps F of one layer.

    The total has `weight` times `loss(sum of observe(F, place))` of it; the
    sum is over the parts in which the maps came.
    """

    @property
    def layer(self) -> str:
        """A name out of `vgg.LAYERS`."""

    @property
    def weight(self) -> float:
        """What the total multiplies the loss with."""

    def observe(self, F: Tensor, place: Place) -> Tensor:
        """Return what the loss needs to know of maps.

        Args:
            F: maps (1, N, h, w), in the dtype that the network computes in.
            place: where they lie in the whole.

        Returns:
            A sum over the positions in F, of any shape; where F is bfloat16,
            in float32.
        """

    def loss(self, observed: Tensor) -> Tensor:
        """Return the loss, a 0-dimensional tensor, by the whole sum."""

    def add_gradient(
        self, g: Tensor, F: Tensor, observed: Tensor, place: Place
    ) -> None:
        """Add `weight` times the loss's gradient with respect to F to g.

        Args:
            g: what is added to, (1, N, h, w), in place.
            F: the maps, in the dtype that the network computes in.
            observed: the whole sum.
            place: where F lies in the whole.
        """


class Engine(Protocol):
    """A way to the values of losses and to their gradient at the pixels."""

    def show(
        self, picture: Tensor, layers: Collection[str], see: Show
    ) -> None:
        """Show the maps of layers, without a graph.

        Each comes as a whole or in parts, in the dtype that the network
        computes in; it may be overwritten after `see` has returned.
        """

    def losses(self, x: Tensor, losses: Sequence[LayerLoss]) -> list[Tensor]:
        """Return each loss of the picture x, unweighted, in order."""

    def gradient(
        self, x: Tensor, losses: Sequence[LayerLoss]
    ) -> tuple[list[Tensor], Tensor]:
        """Return what `losses` does, and the gradient of the weighted sum.

        Args:
            x: (1, 3, H, W), on the network's device.
            losses: at least one.

        Returns:
            The losses without a graph, and a tensor like x.
        """


def layers_of(losses: Sequence[LayerLoss]) -> tuple[str, ...]:
    """Return the layers of losses, each once."""
    return tuple(dict.fromkeys(each.layer for each in losses))


def observed_by(losses: Sequence[LayerLoss], sums: dict[int, Tensor]) -> Show:
    """Return what shows maps to losses and adds up what they observe.

    Args:
        losses: to be shown the maps of their layers.
        sums: by the number of each loss, where to add to.
    """

    def see(layer: str, F: Tensor, place: Place) -> None:
        for n, each in enumerate(losses):
            if each.layer == layer:
                add_to(sums, n, each.observe(F, place))

    return see


def add_to(sums: dict[Key, Tensor], key: Key, term: Tensor) -> None:
    """Add to one of several sums, in place, or begin it."""
    if key in sums:
        sums[key] += term
    else:
        sums[key] = term


def values_by(
    losses: Sequence[LayerLoss], sums: dict[int, Tensor]
) -> list[Tensor]:
    """Return each loss by the whole sum of what it has observed."""
    return [each.loss(sums[n]) for n, each in enumerate(losses)]
