"""The network that a convention names."""

import warnings
from collections.abc import Collection
from functools import lru_cache

import torch

from styletut.conventions.convention import Convention
from styletut.vgg import LAYERS, VGG19
from styletut.vgg.weights import torchvision_path


def convention_network(
    convention: Convention,
    device: torch.device | str = "cpu",
    layers: Collection[str] = LAYERS,
) -> VGG19:
    """Return the network that a convention names, on `device`.

    It is loaded up to the deepest of `layers`.

    Where torchvision's weights are asked for and are not on this machine,
    it is Oxford's with a warning: the formulas are then the convention's,
    the features are not.
    """
    weights = weights_at_hand(convention)
    if weights != convention.weights:
        _warn_of_other_features()
    return VGG19(
        weights,
        convention.pooling,
        convention.normalize,
        deepest=max(layers, key=LAYERS.index, default=LAYERS[-1]),
    ).to(device)


def weights_at_hand(convention: Convention) -> str:
    """Return the convention's weights, or Oxford's where they are missing."""
    missing = convention.weights == "torchvision" and not torchvision_path()
    return "oxford" if missing else convention.weights


@lru_cache(maxsize=1)  # once in a process
def _warn_of_other_features() -> None:
    warnings.warn(
        "torchvision's VGG-19 weights are not on this machine: conventions "
        "that name them use Oxford's. Formulas and weights are the "
        "convention's, features are not. "
        "VGG19('torchvision', download=True) fetches them (548 MB)",
        stacklevel=4,
    )
