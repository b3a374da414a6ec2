"""What a student's function gives for a case, whatever it does.

An error is a result, too: two answers that stop in the same way may hold the
same mistake.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from styletut.exercises.judging.comparison import agrees, settled
from styletut.exercises.judging.wording import one_line, show_case

Case = tuple[Any, ...]
Cases = Callable[[], Sequence[Case]]

GRADIENT = ", its gradient by autograd"

_LARGEST = 1_000_000  # entries; nothing that is asked for has more
_TENSOR_CHANGED = (
    "Your function changes the tensor that it is given. Make a new one: "
    "`x * 2`, not `x *= 2`, and no method that ends in an underscore."
)
_LIST_CHANGED = (
    "Your function changes the list that it is given, or what is in it. "
    "Work on a copy, `list(x)`: `sort`, `pop` and `reverse` change the list."
)


@dataclass(frozen=True)
class Failure:
    """Why there is nothing to compare.

    Attributes:
        text: What the student reads.
        kind: The same for two functions that fail in the same way.
    """

    text: str
    kind: str


Result = Mapping[str, Any] | Failure
"""What came, by what it is: "" for the value, `GRADIENT` for its gradient."""


def run(
    function: Any, cases: Cases, index: int, gradient: bool = False
) -> Result:
    """Call a function once.

    Args:
        function: The student's, the right one or a mistaken one.
        cases: Makes the arguments anew, so that none can spoil them.
        index: Which of the cases.
        gradient: Whether autograd's gradient of the result with respect to
            the first argument is taken, too, where that is a tensor.

    Returns:
        The results, or the failure. `KeyboardInterrupt` alone is raised.
    """
    # whatever mode the student's cells, or an earlier case, have switched on
    with torch.inference_mode(False), torch.enable_grad():
        case, kept = cases()[index], cases()[index]
        wants_gradient = gradient and isinstance(case[0], Tensor)
        if wants_gradient:
            # no leaf: autograd would stop a change in place in its own words
            x = case[0].detach().requires_grad_().clone()
            case = (x, *case[1:])
        value = _call(function, case, show_case(kept))
        if isinstance(value, Failure):
            return value
        if changed := _changed(case, kept):
            return Failure(changed, changed)
        if not wants_gradient:
            return {"": value}
        back = _gradient(value, case[0])
        if isinstance(back, Failure):
            return back
        return {"": value, GRADIENT: back}


def _call(function: Any, case: Case, called_with: str) -> Any:
    try:
        value = settled(function(*case))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() must not end the notebook
        said = _said(error)
        line = _line_of(error, function)
        return Failure(
            f"For {called_with} your function stops{line} with {said}"
            f"{_advice(said)}",
            said,
        )
    if value is None:
        text = "Your function returns None: add a `return`."
        return Failure(text, text)
    return value


def _said(error: BaseException) -> str:
    try:
        text = (str(error).strip().splitlines() or [""])[0]
    except Exception:  # an error that cannot be printed
        text = ""
    return one_line(f"{type(error).__name__}: {text}").removesuffix(":")


def _advice(said: str) -> str:
    """Return what to do about an error whose own words mislead."""
    words = said.lower()
    if "double" in words and "float" in words:
        return (
            "\nThe check's tensors are float64: make yours of the same "
            "dtype, such as with `dtype=x.dtype`."
        )
    if "numpy() on tensor that requires grad" in words:
        return "\nStay with torch: a gradient must come back through it."
    return ""


def _line_of(error: BaseException, function: Any) -> str:
    """Return the last line of the function's own cell that was reached."""
    file, place, line = _file_of(function), error.__traceback__, ""
    while place:
        if place.tb_frame.f_code.co_filename == file:
            line = f" in line {place.tb_lineno}"
        place = place.tb_next
    return line


def _file_of(function: Any) -> str | None:
    """Return where a function was written; a cell is a file of its own."""
    while isinstance(function, functools.partial):
        function = function.func
    try:
        file: str = inspect.unwrap(function).__code__.co_filename
    except Exception:  # built in, or an object that is called
        return None
    return file


def _changed(case: Case, kept: Case) -> str:
    for given, before in zip(case, kept, strict=True):
        if not agrees(given, before, 0.0):
            return (
                _TENSOR_CHANGED
                if isinstance(before, Tensor)
                else _LIST_CHANGED
            )
    return ""


def _gradient(value: Any, x: Tensor) -> Tensor | Failure | None:
    if not isinstance(value, Tensor) or value.numel() > _LARGEST:
        return None
    if not value.requires_grad or value.is_complex():
        return None
    try:
        (back,) = torch.autograd.grad(value.sum(), x, allow_unused=True)
    except Exception as error:
        said = _said(error)
        return Failure(
            f"Autograd cannot go back through your result: {said}\nDoes your "
            "function call backward() itself, or change a tensor in place?",
            said,
        )
    return back
