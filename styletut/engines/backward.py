"""The gradient by the formulas of the course, from layer to layer.

Autograd gives the same; here nothing is kept that the way down does not
need, and memory is used again at the next evaluation.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from styletut.engines.autograd import Autograd
from styletut.engines.interface import (
    WHOLE,
    LayerLoss,
    Place,
    Show,
    layers_of,
    observed_by,
    values_by,
)
from styletut.engines.tape import AddGradient, gradient_at_pixels, show_maps
from styletut.kernels.buffers import Buffers
from styletut.vgg import VGG19


class Backward(Autograd):
    """Takes the picture as a whole, up and down again without a graph.

    Args:
        vgg: the network.
        dtype: of the maps and their gradients; the picture's by default.
        checkpoint: of the graph that `losses` builds, see `Autograd`.
    """

    def __init__(
        self,
        vgg: VGG19,
        dtype: torch.dtype | None = None,
        checkpoint: bool = False,
    ) -> None:
        super().__init__(vgg, dtype, checkpoint)
        self.buffers = Buffers()

    def show(
        self, picture: Tensor, layers: Collection[str], see: Show
    ) -> None:
        """Show the maps of layers; see `Engine`."""

        def see_whole(layer: str, F: Tensor) -> None:
            see(layer, F, WHOLE)

        show_maps(
            self.vgg, picture, layers, see_whole, self.buffers, self.dtype
        )

    def gradient(
        self, x: Tensor, losses: Sequence[LayerLoss]
    ) -> tuple[list[Tensor], Tensor]:
        """Return losses and gradient; see `Engine`."""
        sums: dict[int, Tensor] = {}
        see = observed_by(losses, sums)

        def visit(layer: str, F: Tensor) -> AddGradient:
            see(layer, F, WHOLE)
            return gradients_at(layer, losses, sums, WHOLE)

        with torch.no_grad():
            gradient = gradient_at_pixels(
                self.vgg,
                x.detach(),
                layers_of(losses),
                visit,
                self.buffers,
                self.dtype,
            )
            return values_by(losses, sums), gradient


def gradients_at(
    layer: str,
    losses: Sequence[LayerLoss],
    sums: dict[int, Tensor],
    place: Place,
) -> AddGradient:
    """Return what adds the gradients of all losses at a layer.

    Args:
        layer: the layer.
        losses: all there are.
        sums: what each has observed, by its number.
        place: where the maps lie in the whole.
    """

    def add(g: Tensor, F: Tensor) -> None:
        for n, each in enumerate(losses):
            if each.layer == layer:
                each.add_gradient(g, F, sums[n], place)

    return add
