"""Measure the mean activation of every channel of VGG-19.

    python tools/measure_means.py

Writes `styletut/data/mean_activations.npz`, from which
`VGG19(normalize=True)` rescales its filters (Gatys, Ecker, Bethge 2016,
section 2). Means are taken over the positions of three crops of each of the
sample photos and style pictures, for max and for average pooling.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletut.images import SAMPLES, sample
from styletut.vgg import POOLINGS, VGG19
from styletut.vgg.layers import CONV_LAYERS

SIDE = 224  # the size of the crops that the network was trained on
OUTPUT = (
    Path(__file__).parents[1] / "styletut" / "data" / "mean_activations.npz"
)


def crops(picture: Tensor) -> list[Tensor]:
    """Return the first, middle and last square along the diagonal."""
    height, width = picture.shape[2:]
    return [
        picture[:, :, y : y + SIDE, x : x + SIDE]
        for y, x in (
            (0, 0),
            ((height - SIDE) // 2, (width - SIDE) // 2),
            (height - SIDE, width - SIDE),
        )
    ]


def mean_activations(
    pooling: str, pictures: list[Tensor]
) -> dict[str, Tensor]:
    """Return {convolution: mean of its ReLU over crops and positions}."""
    vgg = VGG19("oxford", pooling)
    relus = {name: name.replace("conv", "relu") for name in CONV_LAYERS}
    sums = {name: torch.zeros(1) for name in CONV_LAYERS}
    for picture in pictures:
        maps = vgg(picture, relus.values())
        for name, relu in relus.items():
            sums[name] = sums[name] + maps[relu].mean(dim=(0, 2, 3))
    return {name: total / len(pictures) for name, total in sums.items()}


def main() -> None:
    """Measure and write."""
    pictures = [crop for name in SAMPLES for crop in crops(sample(name))]
    means = {
        f"{pooling}/{layer}": mean.numpy()
        for pooling in POOLINGS
        for layer, mean in mean_activations(pooling, pictures).items()
    }
    np.savez_compressed(OUTPUT, **means)
    size = OUTPUT.stat().st_size
    print(f"{OUTPUT.name}: {len(pictures)} crops, {size} bytes")


if __name__ == "__main__":
    main()
