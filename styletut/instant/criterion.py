"""What a training minimizes at one painted crop: this package's objective."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.conventions import DEFAULT_CONVENTION, get_convention
from styletut.conventions.network import convention_network
from styletut.engines import choose_engine
from styletut.engines.device import arithmetic, find_precision, maps_dtype
from styletut.images.picture import resize
from styletut.instant.crops import Crop, crops_of_step
from styletut.instant.recipe import Recipe
from styletut.objective.balance import STEEPNESS, fitting_alpha
from styletut.objective.guides import regions_of
from styletut.objective.layer_losses import (
    AnyStyleLoss,
    content_losses,
    style_losses,
)

UNTOUCHED = 16
"""Crops by which is measured how far photos are from a style."""


class Terms(NamedTuple):
    """What a crop's losses are, without their weights.

    Attributes:
        content: L_c, of the photo's crop.
        style: L_s, of its style.
    """

    content: float
    style: float


class Criterion:
    """L = alpha L_c + s^p L_s of a painted crop, and its gradient.

    The latter is what a network is handed, notebook 11, (11.2).

    The formulas, layers and weights are the default convention's. A strength
    s below 1 weighs the style as it does in `transfer.stylize`, (10.8).

    Args:
        styles: name -> picture, (1, 3, H, W) in [0, 1].
        recipe: of the training.
        precision: of VGG's maps, see `Objective`.
    """

    def __init__(
        self,
        styles: Mapping[str, Tensor],
        recipe: Recipe,
        precision: str = "auto",
    ) -> None:
        self.recipe = recipe
        self.convention = get_convention(DEFAULT_CONVENTION)
        layers = self.convention.style_layers
        pictures = [resize(a, recipe.style_size) for a in styles.values()]
        first = pictures[0]
        self.precision = find_precision(precision, first.device, first.dtype)
        vgg = convention_network(
            self.convention,
            first.device,
            [*self.convention.content_layers, *layers],
        )
        dtype = maps_dtype(self.precision, first.dtype)
        self.engine = choose_engine(vgg, first, dtype=dtype)
        side = recipe.crop
        with torch.no_grad(), arithmetic(self.precision, first.device):
            self.styles: list[Sequence[AnyStyleLoss]] = [
                style_losses(
                    # of its own, whose memory is of a style's size
                    choose_engine(vgg, each, dtype=dtype),
                    regions_of(each),
                    (side, side),
                    layers,
                    self.convention.beta,
                    self.convention,
                )
                for each in pictures
            ]

    def fitting_alphas(self, photos: Sequence[Tensor]) -> list[float]:
        """Return the weight of the content for each style, by (9.8).

        S_0 is the mean style loss of crops that nobody has painted.

        Args:
            photos: (1, 3, H, W) in [0, 1].
        """
        crops = [
            crop.photo
            for step in range(UNTOUCHED // self.recipe.batch)
            # crops that no step of the training sees
            for crop in crops_of_step(photos, 1, self.recipe, -1 - step)
        ]
        alphas = []
        for style in range(len(self.styles)):
            found = [
                self(photo, Crop(photo, style, 1.0), 0.0)[0].style
                for photo in crops
            ]
            loss = sum(found) / len(found)
            own = fitting_alpha(self.convention, loss)
            alphas.append(min(own, self.recipe.alpha))
        return alphas

    def __call__(
        self, painted: Tensor, crop: Crop, alpha: float
    ) -> tuple[Terms, Tensor]:
        """Return the terms at a painted crop, and L's gradient there.

        Args:
            painted: (1, 3, crop, crop), which may leave [0, 1]. VGG sees it
                cut to that; where a pixel is outside and the gradient would
                take it farther out, it is 0.
            crop: what was painted.
            alpha: weight of the content.
        """
        out = painted.detach()
        x = out.clamp(0, 1)
        own = self.convention
        share = crop.strength**STEEPNESS
        style = [
            replace(each, weight=share * each.weight)
            for each in self.styles[crop.style]
        ]
        with arithmetic(self.precision, out.device):
            content = content_losses(
                self.engine,
                crop.photo,
                own.content_layers,
                alpha,
                own,
            )
            values, g = self.engine.gradient(x, [*content, *style])
        if not crop.strength:
            # the pixels, too, are to stay as they are
            g = g + self.recipe.pixels * 2 * (x - crop.photo) / x.numel()
        outwards = ((out < 0) & (g > 0)) | ((out > 1) & (g < 0))
        return self._terms(values), g.masked_fill(outwards, 0)

    def _terms(self, values: Sequence[Tensor]) -> Terms:
        v = [*self.convention.content_layers.values()]
        w = [*self.convention.style_layers.values()]
        weighted = [
            weight * float(value)
            for weight, value in zip(v + w, values, strict=True)
        ]
        return Terms(sum(weighted[: len(v)]), sum(weighted[len(v) :]))
