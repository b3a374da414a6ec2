"""The gradient by torch's autograd: of any dtype, on any device."""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from styletut.engines.interface import WHOLE, LayerLoss, Show, layers_of
from styletut.vgg import VGG19


class Autograd:
    """Takes the picture as a whole, and builds a graph.

    Args:
        vgg: the network.
        dtype: of the maps and their gradients; the picture's by default.
        checkpoint: whether the graph keeps less and computes more, see
            `VGG19.forward`.
    """

    def __init__(
        self,
        vgg: VGG19,
        dtype: torch.dtype | None = None,
        checkpoint: bool = False,
    ) -> None:
        self.vgg, self.dtype, self.checkpoint = vgg, dtype, checkpoint

    def show(
        self, picture: Tensor, layers: Collection[str], see: Show
    ) -> None:
        """Show the maps of layers; see `Engine`."""
        with torch.no_grad():
            maps = self.vgg(picture, layers, **self._how(picture))
            for layer, F in maps.items():
                see(layer, F, WHOLE)

    def losses(self, x: Tensor, losses: Sequence[LayerLoss]) -> list[Tensor]:
        """Return each loss, with a graph if x requires a gradient."""
        how = self._how(x)
        if self.checkpoint:
            how["checkpoint"] = True
        maps = self.vgg(x, layers_of(losses), **how)
        return [
            each.loss(each.observe(maps[each.layer], WHOLE)) for each in losses
        ]

    def gradient(
        self, x: Tensor, losses: Sequence[LayerLoss]
    ) -> tuple[list[Tensor], Tensor]:
        """Return losses and gradient; see `Engine`."""
        # whatever mode the caller is in: a gradient was asked for
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            values = self.losses(x, losses)
            # what weighs nothing may be infinite
            weighted = [
                each.weight * value
                for each, value in zip(losses, values, strict=True)
                if each.weight
            ]
            if not weighted:
                gradient = torch.zeros_like(x)
            else:
                total = torch.stack(weighted).sum()
                (gradient,) = torch.autograd.grad(total, x)
        return [value.detach() for value in values], gradient.detach()

    def _how(self, x: Tensor) -> dict[str, Any]:
        """Return what the network is told of the dtype, if anything.

        Another network than `VGG19` need not know it.
        """
        alike = self.dtype in (None, x.dtype)
        return {} if alike else {"dtype": self.dtype}
