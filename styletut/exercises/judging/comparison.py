"""Whether two values are the same, in whatever form one of them comes."""

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST_MEMBERS = 1000
"""Nothing that an exercise asks for is a longer list."""


def agrees(came: Any, right: Any, tolerance: float) -> bool:
    """Return whether a value is the right one; whatever it is, no error.

    Args:
        came: What the student gave; numbers in any form.
        right: What is expected; its type decides how they are compared.
            Entries that are NaN or infinite must be the same.
        tolerance: Largest difference of a number, relative to the largest
            finite one expected.
    """
    try:
        return _agrees(came, right, tolerance)
    except Exception:  # what cannot be compared is another value
        return False


def _agrees(came: Any, right: Any, tolerance: float) -> bool:
    if right is None:
        return came is None
    if isinstance(right, str):
        return isinstance(came, str) and _plain(came) == _plain(right)
    if isinstance(right, bool):
        return _is_bool(came) and bool(came) is right
    if isinstance(right, (set, frozenset)):
        return _same_members(members(came), right)
    if isinstance(right, Mapping):
        return (
            isinstance(came, Mapping)
            and came.keys() == right.keys()
            and all(agrees(came[k], right[k], tolerance) for k in right)
        )
    if isinstance(right, (tuple, list)):
        return _agree_in_order(came, right, tolerance)
    return _numbers_agree(came, right, tolerance)


def _agree_in_order(came: Any, right: Any, tolerance: float) -> bool:
    held = None if isinstance(came, (set, frozenset)) else members(came)
    return (
        held is not None
        and len(held) == len(right)
        and all(
            agrees(a, b, tolerance) for a, b in zip(held, right, strict=True)
        )
    )


def _numbers_agree(came: Any, right: Any, tolerance: float) -> bool:
    if shape(came) != shape(right):  # before anything large is made
        return False
    a, b = as_numbers(came), as_numbers(right)
    if a is None or b is None:
        return False
    finite = a.isfinite() & b.isfinite()
    same = (a == b) | (a.isnan() & b.isnan())
    if not bool(same[~finite].all()):
        return False
    return bool((_apart(a, b)[finite] <= tolerance * _scale(b[finite])).all())


def _apart(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs()


def _scale(numbers: Tensor) -> float:
    largest = float(numbers.abs().max()) if numbers.numel() else 1.0
    return max(largest, math.ulp(1.0))


def first_apart(
    came: Tensor, right: Tensor, tolerance: float
) -> tuple[int, ...]:
    """Return the index of the first entry that differs.

    Args:
        came: Numbers, float64.
        right: As many, of the same shape, not all in agreement with `came`.
        tolerance: As for `agrees`.
    """
    bound = tolerance * _scale(right[right.isfinite()])
    near = (_apart(came, right) <= bound) | (came == right)
    return tuple((~near).nonzero()[0].tolist())


def as_numbers(value: Any) -> Tensor | None:
    """Return numbers of any form as float64, None if they are none.

    A truth value is no number, and a complex one is never a real one.
    """
    try:
        return _as_numbers(value)
    except Exception:  # it is no number and holds none
        return None


def _as_numbers(value: Any) -> Tensor:
    if _is_number(value):
        return torch.tensor(float(value), dtype=torch.float64)
    if isinstance(value, (list, tuple, range)):
        # torch.tensor would make float32 of Python's floats
        return torch.stack([_as_numbers(each) for each in value])
    if isinstance(value, np.ndarray):
        value = torch.as_tensor(value.copy())  # torch takes no turned array
    if not isinstance(value, Tensor):
        raise TypeError("not a number")
    if value.is_complex() or value.dtype == torch.bool:
        raise TypeError("not real numbers")
    return value.detach().cpu().double()


def _is_number(value: Any) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)


def shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of what may be numbers, else None.

    Nothing is converted, so that a tensor may be as large as it likes.
    """
    try:
        return _shape(value)
    except Exception:  # a tensor without a shape, a list in itself
        return None


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, (Tensor, np.ndarray)):
        return tuple(value.shape)
    if isinstance(value, (list, tuple, range)):
        inside = _shape(value[0]) if len(value) else ()
        return None if inside is None else (len(value), *inside)
    return () if _is_number(value) else None


def members(value: Any) -> list[Any] | None:
    """Return what a collection of any kind holds, None if it is none.

    Text and mappings are none, and what holds more than `MOST_MEMBERS`.
    """
    try:
        return _members(value)
    except Exception:  # it promised members and has none
        return None


def _members(value: Any) -> list[Any] | None:
    if isinstance(value, (Tensor, np.ndarray)):
        if not value.ndim or len(value) > MOST_MEMBERS:
            return None
        return list(value)
    if isinstance(value, (str, bytes, Mapping)):
        return None
    if not isinstance(value, Iterable):
        return None
    held = list(islice(value, MOST_MEMBERS + 1))
    return held if len(held) <= MOST_MEMBERS else None


def settled(value: Any) -> Any:
    """Return a list of what a generator or a map gives, else the value.

    Either can be read once only, and an answer is compared many times.
    """
    if isinstance(value, Iterator):
        return list(islice(value, MOST_MEMBERS + 1))
    return value


def _same_members(held: list[Any] | None, right: Any) -> bool:
    if held is None or any(_is_bool(each) for each in held):
        return False
    plain = [
        each.item() if isinstance(each, Tensor) and each.ndim == 0 else each
        for each in held
    ]
    return set(plain) == set(right)


def _is_bool(value: Any) -> bool:
    kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
    single = getattr(value, "ndim", 0) == 0
    return isinstance(value, bool) or (kind == "bool" and single)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
