"""Memory that is used again: fresh memory is dear on a CPU.

The system hands out a page for every four kilobytes at their first use, and
that takes about as long as computing what fills them.
"""

import threading
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from styletut.kernels.onednn import DEVICES


class Buffers:
    """Feature maps in the same memory at every evaluation, by name.

    A GPU's are new each time: torch keeps what they leave.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def __reduce__(self) -> tuple[type["Buffers"], tuple[()]]:
        return Buffers, ()  # whatever is in them is of no use elsewhere

    @property
    def nbytes(self) -> int:
        """How many bytes are kept."""
        return sum(each.nbytes for each in self._kept.values())

    def maps(
        self,
        name: str,
        shape: Sequence[int],
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        """Return (1, N, h, w) with channels last, whatever is in it.

        On a CPU, maps of one name share their memory.
        """
        _, N, h, w = shape
        count = N * h * w
        if device.type not in DEVICES:
            flat = torch.empty(count, dtype=dtype, device=device)
        else:
            flat = self._again(name, count, dtype, device)
        return flat.view(1, h, w, N).permute(0, 3, 1, 2)

    def _again(
        self, name: str, count: int, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        kept = self._kept.get(name)
        alike = kept is not None and (kept.dtype, kept.device) == (
            dtype,
            device,
        )
        if kept is None or not alike or kept.numel() < count:
            kept = self._kept[name] = torch.empty(0)  # before its successor
            with torch.inference_mode(False):  # to be of use outside it too
                kept = torch.empty(count, dtype=dtype, device=device)
            self._kept[name] = kept
        return kept[:count]


_scratch = threading.local()


def scratch(name: str, shape: Sequence[int]) -> Tensor:
    """Return a float32 tensor on the CPU, whatever is in it.

    Those of one name share their memory, in a thread; each lives until the
    next of its name.
    """
    count = prod(shape)
    tensor: Tensor | None = getattr(_scratch, name, None)
    if tensor is None or tensor.numel() < count:
        with torch.inference_mode(False):  # to be of use outside it too
            tensor = torch.empty(count, dtype=torch.float32, device="cpu")
        setattr(_scratch, name, tensor)
    return tensor[:count].view(*shape)
