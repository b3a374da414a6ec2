"""The gradient by torch's autograd: of any dtype, on any device."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from styletut.engines.interface import WHOLE, LayerLoss, Show, layers_of
from styletut.vgg import VGG19


class Autograd:
    """Takes the picture as a whole, and builds a graph.

    Args:
        vgg: the network.
        checkpoint: whether the graph keeps less and computes more, see
            `VGG19.forward`.
    """

    def __init__(self, vgg: VGG19, checkpoint: bool = False) -> None:
        self.vgg, self.checkpoint = vgg, checkpoint

    def show(
        self, picture: Tensor, layers: Collection[str], see: Show
    ) -> None:
        """Show the maps of layers; see `Engine`."""
        with torch.no_grad():
            for layer, F in self.vgg(picture, layers).items():
                see(layer, F, WHOLE)

    def losses(self, x: Tensor, losses: Sequence[LayerLoss]) -> list[Tensor]:
        """Return each loss, with a graph if x requires a gradient."""
        how = {"checkpoint": True} if self.checkpoint else {}
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
