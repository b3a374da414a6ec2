"""Where the network is computed, and how exactly.

Losses, Gram matrices and the optimizer always have the picture's dtype;
what a precision below float32 saves lies in the convolutions, which take
nearly all of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
"""Names of precisions.

- "float32": 24 bits of each number count; the only one for float64 pictures,
  which are computed in float64, and on processors that know no other.
- "tf32": NVIDIA's tensor cores (from Ampere on) multiply with 11 bits and
  add with 24. torch's own default for convolutions on such a GPU.
- "bfloat16": maps are stored with 8 bits, which halves the memory; fastest
  on a GPU. A loss is right to two or three digits.
- "auto": "tf32" where it is to be had, else "float32".
"""


def find_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device of that name; "auto" is CUDA, else MPS, else CPU.

    Raises:
        ValueError: if torch does not know it or it is not there.
    """
    if str(device) == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        mps = torch.backends.mps.is_available()
        return torch.device("mps" if mps else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise ValueError(
            f"the device {str(device)!r} cannot be used here ({reason}); "
            "'auto' takes the best there is, 'cpu' is always there"
        ) from None
    return found


def check_precision(precision: str) -> None:
    """Raise ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(
            f"there is no precision {precision!r}; "
            f"there are {', '.join(PRECISIONS)}"
        )


def find_precision(
    precision: str, device: torch.device, dtype: torch.dtype
) -> str:
    """Return the precision's name, with "auto" settled.

    Args:
        precision: a name out of `PRECISIONS`.
        device: where the network is.
        dtype: the pictures'.

    Raises:
        ValueError: for an unknown name, or a precision that this device or
            dtype cannot have.
    """
    check_precision(precision)
    tf32 = dtype == torch.float32 and _has_tensor_cores(device)
    if precision == "auto":
        return "tf32" if tf32 else "float32"
    if precision == "tf32" and not tf32:
        raise ValueError(
            f"tf32 is for float32 pictures on NVIDIA's GPUs from Ampere on, "
            f"not for {dtype} on {device}; 'auto' takes what there is"
        )
    if precision == "bfloat16" and dtype != torch.float32:
        raise ValueError(
            f"bfloat16 is for float32 pictures, not for {dtype}; 'float32' "
            "computes in the picture's dtype"
        )
    return precision


def maps_dtype(precision: str, dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of feature maps, for pictures of a dtype."""
    return torch.bfloat16 if precision == "bfloat16" else dtype


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Let cuDNN convolve in a precision, with the same bits every time."""
    with torch.backends.cudnn.flags(
        enabled=True,
        benchmark=False,  # it would choose by timing
        deterministic=True,
        allow_tf32=precision == "tf32",
    ):
        yield


def _has_tensor_cores(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(
        device
    ) >= (8, 0)
