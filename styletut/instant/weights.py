"""The trained network that comes with the package: stored, checked, loaded."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor

from styletut.images.saving import replace_file
from styletut.instant.network import PHOTO, StyleNetwork

PATH = Path(str(files("styletut"))) / "data" / "instant.safetensors"

SHA256 = "e227673ee5e8c0acfb687e766f5d80c0c4042c2a2c3825d64921ff0616931270"
"""Of that file."""


class NetworkError(OSError):
    """The network's file is missing, or is not what it was."""


@lru_cache(maxsize=1)
def instant_network() -> StyleNetwork:
    """Return the network of the sample styles, in float32, on the CPU.

    Raises:
        NetworkError: if its file is missing or damaged.
    """
    try:
        data = PATH.read_bytes()
    except OSError as error:
        raise NetworkError(
            f"the network of the instant styles is not in {str(PATH)!r}: "
            f"{error.strerror or error}. Install the package again."
        ) from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise NetworkError(
            f"{str(PATH)!r} is not the network of the instant styles that "
            "came with the package. Install the package again."
        )
    return decoded(data)


def card() -> dict[str, str]:
    """Return what is known of the network: data, licenses, minutes, losses."""
    notes = notes_of(PATH.read_bytes())
    return {k: v for k, v in notes.items() if k != "names"}


def store(network: StyleNetwork, card: Mapping[str, str], path: Path) -> None:
    """Write a network in float16, with its card; colors stay in float64."""
    tensors = {
        name: (each.half() if each.dtype == torch.float32 else each)
        for name, each in network.state_dict().items()
    }
    notes = {**card, "names": json.dumps(network.names)}
    write_tensors(path, tensors, notes)


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]
) -> None:
    """Write tensors with notes, whole or not at all.

    Raises:
        ImageError: if the file cannot be written.
    """
    from safetensors.torch import save

    contiguous = {name: each.contiguous() for name, each in tensors.items()}
    replace_file(path, save(contiguous, dict(notes)))


def decoded(data: bytes) -> StyleNetwork:
    """Return the network in a file of `store` or of a training."""
    from safetensors.torch import load

    first, *names = json.loads(notes_of(data)["names"])
    assert first == PHOTO
    network = StyleNetwork(names)
    own = network.state_dict()
    tensors = {k: each for k, each in load(data).items() if k in own}
    network.load_state_dict(tensors)  # to the dtypes that it has
    network.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def notes_of(data: bytes) -> dict[str, str]:
    """Return the text in a file's header, which is JSON with its length."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]
