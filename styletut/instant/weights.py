"""The trained networks that come with the package: stored, checked, loaded."""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.images.saving import replace_file
from styletut.instant.network import PHOTO, StyleNetwork, shapes_of

DATA = Path(str(files("styletut"))) / "data"


class Shipped(NamedTuple):
    """A network's file that comes with the package.

    Attributes:
        path: where it is.
        sha256: of what is in it.
    """

    path: Path
    sha256: str


INSTANT = Shipped(
    DATA / "instant.safetensors",
    "cede3cd9ec9f30114ecaa4471656fea667d5c33acea54a4db17d7be073bfab91",
)
"""For pictures."""

STEADY = Shipped(
    DATA / "steady.safetensors",
    "d9ecdd98afcf39ef748d5788223eaa3897931d88f8ebffcff12256497f3082ac",
)
"""For frames: trained to paint them alike."""


LAYOUT = ("names", "channels", "blocks")
"""Notes that say what a network is like, not how it came about."""


class NetworkError(OSError):
    """A network's file is missing, or is none, or is not what it was."""


def instant_network() -> StyleNetwork:
    """Return the network of the sample styles, in float32, on the CPU.

    Raises:
        NetworkError: if its file is missing or damaged.
    """
    return _shipped(INSTANT)


def steady_network() -> StyleNetwork:
    """Return the same, trained to paint the frames of a film alike.

    Raises:
        NetworkError: if its file is missing or damaged.
    """
    return _shipped(STEADY)


@lru_cache(maxsize=2)
def _shipped(shipped: Shipped) -> StyleNetwork:
    path = shipped.path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NetworkError(
            f"the network of the instant styles is not in {str(path)!r}: "
            f"{error.strerror or error}. Install the package again."
        ) from error
    if hashlib.sha256(data).hexdigest() != shipped.sha256:
        raise NetworkError(
            f"{str(path)!r} is not the network of the instant styles that "
            "came with the package. Install the package again."
        )
    return decoded(data)


def card(shipped: Shipped = INSTANT) -> dict[str, str]:
    """Return what is known of a network: data, licenses, minutes, losses."""
    notes = notes_of(shipped.path.read_bytes())
    return {k: v for k, v in notes.items() if k not in LAYOUT}


def load_network(path: str | Path) -> StyleNetwork:
    """Return a network of one's own, as `fit` and `store` make them.

    Nothing in the file is executed: it is numbers and JSON.

    Raises:
        NetworkError: if there is no such file, or it has no such network.
    """
    try:
        return decoded(Path(os.path.expanduser(path)).read_bytes())
    except OSError as error:
        raise NetworkError(
            f"cannot read {str(path)!r}: {error.strerror or error}"
        ) from error
    except Exception as error:  # safetensors has an error of its own for some
        raise NetworkError(
            f"{str(path)!r} holds no network of instant styles: {error}"
        ) from error


def store(
    network: StyleNetwork, card: Mapping[str, str], path: str | Path
) -> None:
    """Write a network in float16, with its card; colors stay in float64.

    Args:
        network: as `fit` or a training made it.
        card: what is to be known of it, as names and texts.
        path: of a .safetensors file.

    Raises:
        ImageError: if the file cannot be written.
    """
    tensors = {
        name: (each.half() if each.dtype == torch.float32 else each)
        for name, each in network.state_dict().items()
    }
    target = Path(os.path.expanduser(path))
    write_tensors(target, tensors, {**card, **layout_of(network)})


def layout_of(network: StyleNetwork) -> dict[str, str]:
    """Return what `decoded` makes an empty network of, as notes."""
    return {
        "names": json.dumps(network.names),
        "channels": json.dumps(network.channels),
        "blocks": json.dumps(network.blocks),
    }


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
    """Return the network in a file of `store` or of a training.

    Raises:
        ValueError, or others: if there is none in it.
    """
    from safetensors.torch import load

    notes = notes_of(data)
    first, *names = json.loads(notes["names"])
    if first != PHOTO:
        raise ValueError(f"its first row is {first!r}, not {PHOTO!r}")
    full, half, quarter = json.loads(notes["channels"])
    blocks = json.loads(notes["blocks"])
    tensors = load(data)
    _check_layout(tensors, names, (full, half, quarter), blocks)
    network = StyleNetwork(names, (full, half, quarter), blocks)
    own = {k: tensors[k] for k in network.state_dict()}
    network.load_state_dict(own)  # to the dtypes that it has
    network.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def _check_layout(
    tensors: Mapping[str, Tensor],
    names: list[str],
    channels: tuple[int, int, int],
    blocks: int,
) -> None:
    """Refuse notes that are not those of the tensors in the file.

    Else a number in a damaged note would ask for all the memory there is.

    Raises:
        ValueError, or others: they differ, or a tensor is not finite.
    """
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a name is no text")
    if not 0 <= 2 * blocks <= len(tensors):
        raise ValueError(f"it has no {blocks} blocks")
    wanted = shapes_of(1 + len(names), channels, blocks)
    for name, shape in wanted.items():
        if name not in tensors:
            raise ValueError(f"it has no {name}")
        if tensors[name].shape != shape:
            raise ValueError(
                f"{name} has shape {tuple(tensors[name].shape)}, not {shape}"
            )
        if not tensors[name].isfinite().all():
            raise ValueError(f"{name} has numbers that are not finite")


def notes_of(data: bytes) -> dict[str, str]:
    """Return the text in a file's header, which is JSON with its length."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]
