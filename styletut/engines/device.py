"""Where the network is computed, and how exactly.

Losses, Gram matrices and the optimizer always have the picture's dtype;
what a precision below float32 saves lies in the convolutions, which take
nearly all of the time.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional

from styletut.images.picture import resize_to
from styletut.kernels import onednn, processor
from styletut.values import check_known

PRECISIONS = ("auto", "float32", "tf32", "bfloat16")
"""Names of precisions.

- "float32": 24 bits of each number count; the only one for float64 pictures,
  which are computed in float64, and on processors that know no other.
- "tf32": NVIDIA's tensor cores (from Ampere on) multiply with 11 bits and
  add with 24. torch's own default for convolutions on such a GPU.
- "bfloat16": maps are stored with 8 bits, which halves the memory, and
  multiplied by units that some processors have for it; sums are float32. A
  loss is right to two or three digits.
- "auto": "tf32" where it is to be had; "bfloat16" on a CPU that has AMX, the
  units for it; else "float32".
"""


NOISE = {"bfloat16": 3e-4}
"""How far the value of an objective is from a smooth function of the picture,
relative to it, by precision; where nothing is said, not to be seen. Between
pictures of 96 to 192 pixels that are a ten-thousandth apart, values scatter
with a standard deviation of 1e-5 to 3e-4, in float32 of 2e-6 to 2e-5."""


def find_device(
    device: str | torch.device = "auto", dtype: torch.dtype = torch.float32
) -> torch.device:
    """Return the device of that name; "auto" is CUDA, else MPS, else CPU.

    A device can be used if it does what a run does: pictures of the dtype
    are resized, convolved, pooled, multiplied, differentiated and
    transformed there, and optimizers take their steps.

    Args:
        device: a name of torch's, or "auto".
        dtype: of the pictures.

    Raises:
        ValueError: if torch does not know it, it is not there or something
            that a run does fails on it.

    Warns:
        UserWarning: if "auto" passes over a device on which that fails.
    """
    if str(device) == "auto":
        return _best_device(dtype)
    try:
        found = torch.device(device)
        reason = _failure(found, dtype)
    except RuntimeError as error:
        reason = _in_short(error)
    if reason:
        raise ValueError(
            f"the device {str(device)!r} cannot be used here ({reason}); "
            "'auto' takes the best there is, 'cpu' is always there"
        )
    return found


def _best_device(dtype: torch.dtype) -> torch.device:
    """Return the first device that can be used, and say which cannot."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    for name in (name for name, is_there in there.items() if is_there):
        device = torch.device(name)
        reason = _failure(device, dtype)
        if not reason:
            return device
        warnings.warn(
            f"the device {name!r} is not taken, for a run would fail on it "
            f"({reason}); a newer torch may have what is missing",
            stacklevel=3,
        )
    return torch.device("cpu")


@lru_cache(maxsize=16)
def _failure(device: torch.device, dtype: torch.dtype) -> str:
    """Return why a run fails on a device, "" if it does not."""
    try:
        _try_out(device, dtype)
    except (RuntimeError, AssertionError, TypeError) as error:
        return _in_short(error)
    return ""


def _try_out(device: torch.device, dtype: torch.dtype) -> None:
    """Do on a tiny picture what a run does, and read a number of it."""
    with torch.inference_mode(False), torch.enable_grad():
        kernels = torch.ones(4, 3, 3, 3, dtype=dtype, device=device)
        picture = torch.full((1, 3, 12, 12), 0.5, dtype=dtype, device=device)
        x = resize_to(picture, 8, 8).requires_grad_()
        pixels = (
            (255 * x).flip(1).contiguous(memory_format=torch.channels_last)
        )
        F = functional.relu(functional.conv2d(pixels, kernels, padding=1))
        F = functional.max_pool2d(F, 2) + functional.avg_pool2d(F, 2)
        rows = F[0].flatten(1)
        (g,) = torch.autograd.grad((rows @ rows.T).square().sum(), x)
    spectrum = torch.fft.rfft2(g[0], norm="ortho")
    energy = torch.view_as_real(spectrum).square().sum()
    back = torch.fft.irfft2(spectrum, s=g.shape[-2:], norm="ortho")
    progress = torch.dot(back.flatten(), g.flatten()) + energy
    (progress + _steps(x.detach(), g.detach())).item()


def _steps(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """Do what optimizers, and what looks after them, do with pictures.

    `tests/engines/test_device.py` holds that nothing is left out.
    """
    low, high = x.aminmax()
    bounds = torch.zeros_like(x[:, :1]), torch.ones_like(x[:, :1])
    stuck = ((x <= bounds[0]) & (g > 0)) | ((x >= bounds[1]) & (g < 0))
    free = stuck.logical_not_() | x.isnan()
    d = torch.where(free, g, 0 * g).neg_().relu_()
    d = (1 - d).mul_(high).div_(low.clamp(min=0.1)).addcmul_(x, g)
    d = torch.clamp(torch.add(x, d, alpha=0.5), *bounds).clamp_(*bounds)
    d = functional.pad(d.diff(dim=-1), (0, 1)).repeat(1, 1, 1, 1)
    squares = torch.mul(d, d, out=torch.empty_like(d)).sum((2, 3))
    gains = squares.clamp(min=1e-6).log().exp().sqrt().reciprocal()
    first, rest = torch.minimum(gains, 2.0**squares).split([1, 2], 1)
    scale = torch.stack([first.mean(), rest.amax(), d.abs().amin()]).sum()
    scale = scale - torch.linalg.vector_norm(g) + torch.cat([d, g]).max()
    within = torch.logit(x.clamp(0.1, 0.9)).sigmoid()
    return torch.lerp(d, within, 0.5).mean() / (1 + scale.square())


def _in_short(error: Exception) -> str:
    """Return the first sentence of an error."""
    text = str(error) or type(error).__name__
    return text.splitlines()[0].split(". ")[0]


def check_precision(precision: str) -> None:
    """Raise ValueError for an unknown precision."""
    check_known("precision", precision, PRECISIONS)


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
        if device.type == "cpu" and dtype == torch.float32 and _has_amx():
            return "bfloat16"
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
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """Let a device convolve in a precision, with the same bits every time.

    What cuDNN is told holds for the whole process. So threads that compute
    with it take turns, and it is told again what it was told before.
    """
    if device.type != "cuda":
        yield  # where there is no cuDNN, nothing is set
        return
    with _one_at_a_time:
        before = [
            (place, name, getattr(place, name))
            for place, name, _ in _settings(precision)
        ]
        try:
            for place, name, value in _settings(precision):
                setattr(place, name, value)
            yield
        finally:
            for place, name, value in before:
                setattr(place, name, value)


_one_at_a_time = threading.RLock()


def _settings(precision: str) -> list[tuple[Any, str, Any]]:
    """Return where cuDNN is told something, by which name, and what."""
    cudnn: Any = torch.backends.cudnn
    tf32 = precision == "tf32"
    # torch 2.9 has a setting of its own for convolutions, and refuses to
    # tell the older one where a user has set the two apart
    told = (
        (cudnn.conv, "fp32_precision", "tf32" if tf32 else "ieee")
        if hasattr(cudnn, "conv")
        else (cudnn, "allow_tf32", tf32)
    )
    return [
        (cudnn, "enabled", True),
        (cudnn, "benchmark", False),  # it would choose by timing
        (cudnn, "deterministic", True),
        told,
    ]


def _has_amx() -> bool:
    return processor.multiplies_bfloat16() and onednn.packable()


def _has_tensor_cores(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(
        device
    ) >= (8, 0)


def check_autocast() -> None:
    """Refuse to paint where torch chooses a precision by itself.

    Raises:
        ValueError: if autocast is on.
    """
    if any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
        raise ValueError(
            "torch.autocast is on, under which L-BFGS loses its way. Leave "
            "that block; precision='bfloat16' computes the network so, and "
            "the rest exactly"
        )
