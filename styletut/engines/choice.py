"""Which engine computes a picture."""

import torch
from torch import Tensor

from styletut.engines.autograd import Autograd
from styletut.engines.backward import Backward
from styletut.engines.interface import Engine
from styletut.engines.tiles import Tiles
from styletut.kernels.onednn import DEVICES, would_suit
from styletut.vgg import VGG19


def choose_engine(
    vgg: VGG19,
    picture: Tensor,
    *,
    tiles: int | None = None,
    checkpoint: bool = False,
    dtype: torch.dtype | None = None,
) -> Engine:
    """Return the fastest engine for pictures like one.

    Args:
        vgg: the network.
        picture: of the shape, dtype and device to come.
        tiles: side of the tiles in which the picture is to be computed, as
            `memory.fitting` says for want of memory; None for the whole.
        checkpoint: whether a graph, where there is one, keeps less and
            computes more.
        dtype: of the feature maps; the picture's by default.

    Raises:
        ValueError: for tiles of a network that is watched by hooks.
    """
    if tiles is not None:
        if not vgg.is_plain():
            raise ValueError(
                "a network with hooks or replaced layers cannot be computed "
                "in tiles; take the picture smaller, or remove them"
            )
        return Tiles(vgg, tiles, dtype)
    if by_hand(vgg, picture):
        return Backward(vgg, dtype, checkpoint)
    return Autograd(vgg, dtype, checkpoint)


def by_hand(vgg: VGG19, picture: Tensor) -> bool:
    """Return whether `Backward` is faster than autograd here."""
    device = picture.device.type
    fast = would_suit(picture) if device in DEVICES else device == "cuda"
    return (
        fast
        and picture.dtype == torch.float32
        and picture.shape[0] == 1
        and next(vgg.parameters()).dtype == torch.float32
        and vgg.is_plain()
    )


def recordable(engine: Engine, picture: Tensor) -> bool:
    """Return whether an engine's work can be recorded as a `CudaGraph`."""
    return picture.is_cuda and isinstance(engine, Backward)
