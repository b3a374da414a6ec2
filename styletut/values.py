"""Numbers and names as callers give them, checked and taken as Python's own.

NumPy's numbers of every width, arrays and tensors without axes, fractions and
decimals are numbers, too. Truth values and texts are none: who gives True or
"1" has most likely mixed something up.

Nothing is imported here that takes time: the command line asks before torch
is loaded.
"""

import math
import operator
from collections.abc import Iterable
from typing import Any

LETTERS = 60
"""Of a value in a message, at most."""

NUMBERS = ("int", "uint", "float", "bfloat", "longdouble")
"""How the names of dtypes begin whose values are numbers."""


def whole(value: Any) -> int | None:
    """Return a whole number as an int, None for anything else."""
    if not _is_number(value):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # a tensor without numbers
        return None


def real(value: Any) -> float | None:
    """Return a number as a float, None for anything else.

    One that is too large for a float is infinite, as it is in computations.
    """
    if not _is_number(value) or not hasattr(value, "__float__"):
        return None
    if hasattr(value, "detach"):
        value = value.detach()
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError, RuntimeError):
        return None


def told(value: Any) -> str:
    """Write a value for a message: short, and on one line."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        kind, sides = type(value).__name__, ", ".join(map(str, shape))
        return f"{kind} of shape ({sides})"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a class of the caller's own may raise anything
        text = type(value).__name__
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 3]}..."


def checked_whole(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number as an int.

    Args:
        name: how the message calls it.
        value: what a caller gave.
        least: that it may be.

    Raises:
        ValueError: if it is none, or less.
    """
    number = whole(value)
    if number is None or number < least:
        raise ValueError(
            f"{name} is {told(value)}; it must be a whole number, at least "
            f"{least}"
        )
    return number


def checked_real(
    name: str, value: Any, least: float = 0.0, most: float = math.inf
) -> float:
    """Return a finite number as a float.

    Args:
        name: how the message calls it.
        value: what a caller gave.
        least: that it may be.
        most: that it may be.

    Raises:
        ValueError: if it is none, or out of that range.
    """
    number = real(value)
    if number is None:
        raise ValueError(f"{name} is {told(value)}; it must be a number")
    if not (math.isfinite(number) and least <= number <= most):
        bounds = "finite and not negative"
        if most < math.inf:
            bounds = f"from {least:g} to {most:g}"
        elif least == -math.inf:
            bounds = "finite"
        raise ValueError(f"{name} is {number}; it must be {bounds}")
    return number


def check_known(what: str, value: Any, names: Iterable[str]) -> None:
    """Raise ValueError for what is none of the names that there are.

    Args:
        what: the names are of, in one word or a few.
        value: what a caller gave.
        names: that there are.
    """
    known = tuple(names)
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            f"there is no {what} {told(value)}; there are {', '.join(known)}"
        )


def _is_number(value: Any) -> bool:
    """Return whether a value is one number by its type and shape."""
    if isinstance(value, (bool, str, bytes, bytearray)):
        return False
    if getattr(value, "ndim", 0) != 0:
        return False
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return True
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    return name.startswith(NUMBERS)
