"""The network's weights, minimized over photos instead of over one picture.

min over theta of E_photo,style [ alpha L_c + beta L_s ]: Johnson et al.
(2016), section 3, with the losses of this course. `Training.steps` yields each
step, and what can go on from there is a file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

from styletut.color import color_moments
from styletut.instant.criterion import Criterion, Terms
from styletut.instant.crops import Crop, crops_of_step
from styletut.instant.network import BLOCKS, CHANNELS, StyleNetwork
from styletut.instant.painting import recolored
from styletut.instant.recipe import Recipe
from styletut.instant.steadiness import unsteadiness
from styletut.instant.styles import shares_of
from styletut.instant.weights import layout_of, write_tensors

FLOOR = 0.02
"""Share of the highest rate that is left at the end."""

FIRST = 0.1
"""Standard deviation of what is added to a photo before the first step."""


class Trained(NamedTuple):
    """A step of a training.

    Attributes:
        step: how many there have been.
        terms: mean of the crops that were painted at full strength, None if
            there was none.
        network: as it is now; the next step changes it.
    """

    step: int
    terms: Terms | None
    network: StyleNetwork


class Training:
    """A network, its optimizer, and what they are trained on.

    What is minimized is the mean over photos, notebook 11, (11.1).

    Args:
        photos: (1, 3, H, W) in [0, 1] each, of any sizes.
        styles: name -> picture.
        recipe: all else.
        precision: of VGG's maps, see `Objective`.
        network: to go on from, which has rows for these styles; a new one by
            default. What of it requires no gradient stays.
    """

    def __init__(
        self,
        photos: Sequence[Tensor],
        styles: Mapping[str, Tensor],
        recipe: Recipe,
        precision: str = "auto",
        network: StyleNetwork | None = None,
    ) -> None:
        self.photos, self.recipe, self.step = photos, recipe, 0
        self.styles = tuple(styles)
        self.network = network or new_network(styles, recipe.seed)
        self.network.to(memory_format=torch.channels_last)
        self.criterion = Criterion(styles, recipe, precision)
        self.adam = torch.optim.Adam(
            [p for _, p in self.trained()], recipe.rate
        )

    @cached_property
    def alphas(self) -> list[float]:
        """Weight of the content for each style, once the network can paint."""
        return self.criterion.fitting_alphas(self.photos)

    def trained(self) -> list[tuple[str, Parameter]]:
        """Return what changes, in order, by name."""
        named = self.network.named_parameters()
        return [(name, p) for name, p in named if p.requires_grad]

    def steps(self) -> Iterator[Trained]:
        """Yield each step, from the one where this is to the last."""
        while self.step < self.recipe.iterations:
            crops = crops_of_step(
                self.photos, len(self.styles), self.recipe, self.step
            )
            for group in self.adam.param_groups:
                group["lr"] = rate_at(self.recipe, self.step)
            terms = self._descend(crops)
            self.step += 1
            yield Trained(self.step, terms, self.network)

    def _descend(self, crops: Sequence[Crop]) -> Terms | None:
        """Take one step of Adam, and return the terms before it."""
        shares = torch.stack(
            [
                shares_of(self.network, self.styles[crop.style], crop.strength)
                for crop in crops
            ]
        )
        bases = torch.cat(
            [
                recolored(self.network, crop.photo, each)
                for crop, each in zip(crops, shares, strict=True)
            ]
        ).to(memory_format=torch.channels_last)
        painted = self.network(bases, shares)
        terms, gradients = [], []
        for n, crop in enumerate(crops):
            found, g = self.criterion(
                painted[n : n + 1], crop, self._alpha(crop)
            )
            gradients.append(g)
            if crop.strength == 1:
                terms.append(found)
        self.adam.zero_grad()
        if self.recipe.steadiness:
            loss = self.recipe.steadiness * unsteadiness(
                self.network, crops[0], shares[0], painted[:1], self.step
            )
            loss.backward(retain_graph=True)
        painted.backward(torch.cat(gradients) / len(crops))
        self.adam.step()
        if not terms:
            return None
        contents, losses = zip(*terms, strict=True)
        return Terms(sum(contents) / len(terms), sum(losses) / len(terms))

    def _alpha(self, crop: Crop) -> float:
        learning = self.step < self.recipe.learning
        return self.recipe.alpha if learning else self.alphas[crop.style]


def new_network(
    styles: Mapping[str, Tensor],
    seed: int,
    channels: tuple[int, int, int] = CHANNELS,
    blocks: int = BLOCKS,
) -> StyleNetwork:
    """Return a network with everything to learn but the colors.

    Args:
        styles: name -> picture, (1, 3, H, W) in [0, 1].
        seed: of its weights.
        channels: see `StyleNetwork`.
        blocks: see `StyleNetwork`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = StyleNetwork(list(styles), channels, blocks)
    for row, picture in enumerate(styles.values(), 1):
        give_colors(network, row, picture)
    with torch.no_grad():
        # it begins with the recolored photo, and for the photo's own row
        # the photo is what there is to learn
        *_, (_, last) = network.layers()
        last.gamma.fill_(FIRST)
        last.gamma[0] = 0
    return network


def give_colors(network: StyleNetwork, row: int, picture: Tensor) -> None:
    """Let a network's row have the colors of its style's picture."""
    mean, covariance = color_moments([(picture, 1.0)])
    network.color_means[row] = mean
    network.color_covariances[row] = covariance


def rate_at(recipe: Recipe, step: int) -> float:
    """Return Adam's rate: it rises in a line, then falls along a cosine."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    way = torch.tensor((step - recipe.warmup) / recipe.iterations)
    left = FLOOR + (1 - FLOOR) * float((1 + torch.cos(torch.pi * way)) / 2)
    return recipe.rate * left


def save(training: Training, path: Path) -> None:
    """Write all that `resume` needs, whole or not at all."""
    tensors = dict(training.network.state_dict())
    names = [name for name, _ in training.trained()]
    for n, state in training.adam.state_dict()["state"].items():
        tensors |= {f"adam.{k}.{names[n]}": v for k, v in state.items()}
    notes = {
        "step": str(training.step),
        "recipe": json.dumps(training.recipe._asdict()),
        **layout_of(training.network),
    }
    write_tensors(path, tensors, notes)


def resume(training: Training, path: Path) -> None:
    """Go on from where `save` was.

    Raises:
        ValueError: for a file of another training.
    """
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        notes, kinds = file.metadata(), file.keys()
        recipe = Recipe(**json.loads(notes["recipe"]))
        names = tuple(json.loads(notes["names"]))
        if (recipe, names) != (training.recipe, training.network.names):
            raise ValueError(
                f"{str(path)!r} is of another training, by {recipe} for "
                f"{', '.join(names)}. Take another file, or that recipe."
            )
        tensors = {name: file.get_tensor(name) for name in kinds}
    network = training.network
    own = {k: v for k, v in tensors.items() if not k.startswith("adam.")}
    network.load_state_dict(own)
    state: dict[int, dict[str, Tensor]] = {}
    for n, (name, _) in enumerate(training.trained()):
        for kind in ("step", "exp_avg", "exp_avg_sq"):
            if (key := f"adam.{kind}.{name}") in tensors:
                state.setdefault(n, {})[kind] = tensors[key]
    whole = training.adam.state_dict()
    training.adam.load_state_dict({**whole, "state": state})
    training.step = int(notes["step"])
