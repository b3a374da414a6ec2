"""How large the course runs here: sizes and evaluations for this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

VARIABLE = "STYLETUT_PROFILE"

GPU_BYTES = 7 * 2**30
"""Least memory of a GPU that the course uses without being asked to.

Counted for 1024 x 1024 pixels: the feature maps kept for the backward pass
take 2.4 GiB and 50 pairs of L-BFGS 1.2 GiB; gradients and the work space of
the convolutions need the rest. A card sold with 8 GB passes, 6 GB does not.
"""


@dataclass(frozen=True)
class Profile:
    """How large the notebooks run.

    Attributes:
        name: What the environment variable STYLETUT_PROFILE calls it.
        small: Longer side of a picture where many are made, in pixels.
        size: Longer side of a picture where a few are made, in pixels.
        large: Longer side of a notebook's main picture, in pixels.
        evaluations: Budget of a usual run, in evaluations of the objective.
        device: Where experiments run. Derivations always run on the CPU.
    """

    name: str
    small: int
    size: int
    large: int
    evaluations: int
    device: str


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        each.name: each
        for each in (
            Profile("ci", 48, 64, 64, 12, "cpu"),
            Profile("class", 96, 128, 256, 60, "cpu"),
            Profile("print", 192, 256, 384, 120, "cpu"),
            Profile("gpu", 256, 512, 1024, 300, "cuda"),
        )
    }
)
"""All profiles by name: `ci` checks the notebooks, `class` suits a laptop,
`print` makes the outputs that are stored in them, `gpu` needs CUDA."""


def current_profile() -> Profile:
    """Return the profile that this session runs with.

    It is the one that the environment variable STYLETUT_PROFILE names. Where
    that is unset or empty, it is `gpu` on a machine with a CUDA device of at
    least 7 GiB, else `class`.

    Raises:
        ValueError: STYLETUT_PROFILE is no profile's name, or it is `gpu` and
            PyTorch finds no CUDA device.
    """
    name = os.environ.get(VARIABLE, "").strip()
    if not name:
        return PROFILES["gpu" if _gpu_bytes() >= GPU_BYTES else "class"]
    if name not in PROFILES:
        raise ValueError(
            f"{VARIABLE} is {name!r}, which is no profile. Set it to one of "
            f"{', '.join(PROFILES)}, or unset it."
        )
    if name == "gpu" and not _gpu_bytes():
        raise ValueError(
            f"{VARIABLE} is 'gpu', but PyTorch finds no CUDA device. Unset "
            "it to run on the CPU, or install a PyTorch built for CUDA (see "
            "pytorch.org) and check that `nvidia-smi` lists your card."
        )
    return PROFILES[name]


def _gpu_bytes() -> int:
    """Memory of the CUDA device that PyTorch uses, 0 if there is none.

    All of it, not what is free: a second call in one notebook must not
    answer otherwise because the first cells filled the device.
    """
    import torch

    if not torch.cuda.is_available():
        return 0
    return int(torch.cuda.get_device_properties("cuda").total_memory)
