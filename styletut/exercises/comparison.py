"""Whether two values are the same, and how they are shown."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def agrees(came: Any, right: Any, tolerance: float) -> bool:
    """Return whether a value is the right one.

    Args:
        came: What the student gave; numbers in any form that torch takes.
        right: What is expected; its type decides how they are compared.
        tolerance: Largest difference of a number, relative to the largest
            one expected.
    """
    if isinstance(right, str):
        return isinstance(came, str) and _plain(came) == _plain(right)
    if isinstance(right, bool):
        return _is_bool(came) and bool(came) is right
    if isinstance(right, (set, frozenset)):
        return _is_collection(came) and _same_members(came, right)
    if isinstance(right, Mapping):
        return (
            isinstance(came, Mapping)
            and came.keys() == right.keys()
            and all(agrees(came[k], right[k], tolerance) for k in right)
        )
    if isinstance(right, (tuple, list)):
        if isinstance(came, Tensor) or not _is_collection(came):
            came = _listed(came)
        return (
            isinstance(came, (tuple, list))
            and len(came) == len(right)
            and all(
                agrees(a, b, tolerance)
                for a, b in zip(came, right, strict=True)
            )
        )
    return _numbers_agree(came, right, tolerance)


def _numbers_agree(came: Any, right: Any, tolerance: float) -> bool:
    a, b = _tensor(came), _tensor(right)
    if a is None or b is None or a.shape != b.shape:
        return False
    if not bool(torch.isfinite(a).all()):
        return False
    scale = max(float(b.abs().max()), math.ulp(1.0)) if b.numel() else 1.0
    return bool(((a - b).abs() <= tolerance * scale).all())


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, (str, bool)) or value is None:
        return None
    try:
        return torch.as_tensor(value).detach().double()
    except (TypeError, ValueError, RuntimeError):
        return None


def _listed(value: Any) -> Any:
    tensor = _tensor(value)
    return tensor.tolist() if tensor is not None else value


def _is_bool(value: Any) -> bool:
    kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
    single = getattr(value, "ndim", 0) == 0
    return isinstance(value, bool) or (kind == "bool" and single)


def _same_members(came: Any, right: Any) -> bool:
    try:
        return set(came) == set(right)
    except TypeError:  # a member that no set can hold
        return False


def _is_collection(value: Any) -> bool:
    return isinstance(value, (tuple, list, set, frozenset))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of what is a number or a tensor, else None."""
    tensor = _tensor(value)
    return tuple(tensor.shape) if tensor is not None else None


def show_case(case: tuple[Any, ...]) -> str:
    """Return what a function was called with, in words."""
    parts = [
        f"a tensor {tuple(each.shape)}"
        if isinstance(each, Tensor) and each.numel() > 1
        else show(each)
        for each in case
    ]
    return " and ".join(parts)


def show(value: Any) -> str:
    """Return a value in a line that can be read."""
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, (Tensor, float)):
        tensor = torch.as_tensor(value).detach().double()
        if tensor.ndim == 0:
            return f"{float(tensor):.6g}"
        if tensor.numel() > 12:
            return (
                f"a tensor {tuple(tensor.shape)} with sum "
                f"{float(tensor.sum()):.6g}"
            )
        shown = [f"{each:.6g}" for each in tensor.flatten().tolist()]
        return f"[{', '.join(shown)}], shape {tuple(tensor.shape)},"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
