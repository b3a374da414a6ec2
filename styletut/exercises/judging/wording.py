"""How a value, a case and a difference are told to the student."""

from typing import Any

import torch
from torch import Tensor

from styletut.exercises.judging.comparison import (
    agrees,
    as_numbers,
    first_apart,
    members,
    shape,
)

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six")
_LARGEST_SUM = 1_000_000  # entries; a larger tensor is not worth the wait


def show(value: Any) -> str:
    """Return a value in a line that can be read; whatever it is, no error."""
    try:
        return _show(value)
    except Exception:  # its own repr, perhaps
        return f"something of type {type(value).__name__}"


def _show(value: Any) -> str:
    if isinstance(value, Tensor):
        return _show_tensor(value)
    if isinstance(value, (tuple, list)) and value and _holds_tensors(value):
        return _show_tensors(value)
    if shape(value) == () and not isinstance(value, int):
        return f"{float(value):.6g}"
    return one_line(repr(value), 80)


def _show_tensor(tensor: Tensor) -> str:
    size = tuple(tensor.shape)
    numbers = as_numbers(tensor) if tensor.numel() <= _LARGEST_SUM else None
    if numbers is None:
        kind = str(tensor.dtype).removeprefix("torch.")
        return f"a tensor {size} of {kind}"
    if not size:
        return f"{float(numbers):.6g}"
    if tensor.numel() > 12:
        return f"a tensor {size} with sum {float(numbers.sum()):.6g}"
    shown = [f"{each:.6g}" for each in numbers.flatten().tolist()]
    return f"[{', '.join(shown)}], shape {size},"


def _holds_tensors(value: Any) -> bool:
    return isinstance(value[0], Tensor) or (
        isinstance(value[0], tuple) and _holds_tensors(value[0])
    )


def _show_tensors(value: Any) -> str:
    what = "pairs of tensors" if isinstance(value[0], tuple) else "tensors"
    return f"a {type(value).__name__} of {len(value)} {what}"


def show_case(case: tuple[Any, ...]) -> str:
    """Return what a function was called with, in words."""
    parts = [
        f"a tensor {tuple(each.shape)}"
        if isinstance(each, Tensor) and each.numel() > 1
        else show(each)
        for each in case
    ]
    return " and ".join(parts)


def one_line(text: str, width: int = 200) -> str:
    """Return a text in one line, cut where it is longer than a width."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def difference(came: Any, right: Any, tolerance: float) -> str:
    """Return in words how a value differs from the right one, "" if not."""
    if agrees(came, right, tolerance):
        return ""
    if isinstance(right, tuple):
        return _difference_of_tuples(came, right, tolerance)
    shapes = shape(came), shape(right)
    if None not in shapes and shapes[0] != shapes[1]:
        return _difference_of_shapes(*shapes)
    if show(came) == show(right):
        return _first_entry(came, right, tolerance)
    return f"{show(came)} came; {show(right)} is expected."


def _difference_of_tuples(
    came: Any, right: tuple[Any, ...], tolerance: float
) -> str:
    held = None if isinstance(came, (set, frozenset)) else members(came)
    whole = "pair" if len(right) == 2 else f"tuple of {len(right)}"
    if held is None or isinstance(came, Tensor) or len(held) != len(right):
        return f"{show(came)} came; a {whole} is expected."
    for place, a, b in zip(_ORDINALS, held, right, strict=False):
        if told := difference(a, b, tolerance):
            return f"the {place} of the {whole}: {told}"
    return f"{show(came)} came; {show(right)} is expected."


def _difference_of_shapes(
    came: tuple[int, ...] | None, right: tuple[int, ...] | None
) -> str:
    if came == (1,) and right == ():
        return (
            "one number came, but in a list or tensor of shape (1,); the "
            "number itself is expected, without brackets."
        )
    return f"shape {came} came; shape {right} is expected."


def _first_entry(came: Any, right: Any, tolerance: float) -> str:
    a, b = as_numbers(came), as_numbers(right)
    if a is None or b is None:
        kinds = type(came).__name__, type(right).__name__
        return (
            f"{show(came)} of type {kinds[0]} came; of type {kinds[1]} it "
            "is expected."
        )
    index = first_apart(a, b, tolerance)
    where = f"entry {list(index)}: " if index else ""
    return (
        f"{where}{float(a[index]):.12g} came; {float(b[index]):.12g} is "
        "expected."
    )


def open_entries(came: Any, right: Any, tolerance: float) -> str:
    """Return which numbers of an answer are wrong, not what they should be."""
    if not isinstance(right, (tuple, list)):
        return f"{show(came)} is not right yet."
    held = None if isinstance(came, (set, frozenset)) else members(came)
    if held is None or list(map(shape, held)) != list(map(shape, right)):
        count = _NUMBERS[len(right)]
        return f"{count} plain numbers are asked for, in order."
    wrong = [
        place
        for place, a, b in zip(_ORDINALS, held, right, strict=False)
        if not agrees(a, b, tolerance)
    ]
    if len(wrong) == 1:
        return f"The {wrong[0]} number is not right yet."
    listed = f"{', '.join(wrong[:-1])} and {wrong[-1]}"
    return f"The {listed} numbers are not right yet."


def missing_gradient(value: Any) -> str:
    """Return why no gradient may come back from a function's result."""
    if isinstance(value, (list, tuple)):
        return "no gradient arrives: torch.stack makes one tensor of a list."
    if not isinstance(value, torch.Tensor):
        return (
            "no gradient arrives: return the tensor itself, without "
            "`.item()`, `float()` or NumPy."
        )
    return "no gradient arrives; does the result hang on the input?"
