"""What every program is given: the same pictures and the same network."""

from pathlib import Path
from typing import NamedTuple

import torch

STATE = "vgg19.pth"
"""The network with torchvision's names of its parameters, for neural-style,
which tells networks apart by their file's name."""


class Inputs(NamedTuple):
    """Files that a program is given: two pictures of one size."""

    content: str
    style: str


def write_inputs(folder: Path, size: int) -> Inputs:
    """Write two square pictures, so that no program needs to resize."""
    from styletut.images import sample, save_image

    inputs = Inputs(str(folder / "photo.png"), str(folder / "style.png"))
    save_image(sample("astronaut", size), inputs.content)
    night = sample("night", round(size * 1.3))
    save_image(night[..., :size, :size], inputs.style)
    return inputs


def write_state(folder: Path) -> None:
    """Write the network for neural-style, which reads no other form."""
    from styletut.vgg import LAYERS, VGG19

    vgg = VGG19()
    # torchvision counts layers, which here are those of LAYERS
    state = {
        f"features.{index}.{kind}": vgg.get_parameter(f"{name}.{kind}").clone()
        for index, name in enumerate(LAYERS)
        if name.startswith("conv")
        for kind in ("weight", "bias")
    }
    torch.save(state, folder / STATE)


def longer_side(path: str) -> int:
    """Return the longer side of a picture file, in pixels."""
    from PIL import Image

    with Image.open(path) as picture:
        return max(picture.size)
