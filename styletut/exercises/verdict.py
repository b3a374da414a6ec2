"""What an exercise is, and how an answer to it is judged.

An exercise is data: the right answer and the typical wrong ones, each with
the hint that names the mistake. An answer is compared with the right one;
where it differs, with the wrong ones, so that a hint tells what happened and
not only that something did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from styletut.exercises.comparison import agrees, shape, show, show_case

Outcome = Literal["not attempted", "right", "wrong"]


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Attributes:
        name: What it is called, in a few words: "Gram of the positions".
        answer: The value, or the function, that one gets by it.
        hint: What happened and where to look, without the right answer.
    """

    name: str
    answer: Any
    hint: str


@dataclass(frozen=True)
class Exercise:
    """A question with its right answer and its typical wrong ones.

    Attributes:
        number: Such as "03.2".
        right: The value, or the function.
        mistakes: Wrong answers that are recognized.
        praise: What a right answer has shown, in one line.
        cases: For a function, what it is called with; made anew for every
            answer, so that none can spoil it for the next.
        tolerance: Largest relative difference from the right answer.
        gradient: Whether autograd's gradient of the returned tensor with
            respect to the first argument must be right, too.
    """

    number: str
    right: Any
    mistakes: Sequence[Mistake]
    praise: str
    cases: Callable[[], Sequence[tuple[Any, ...]]] = tuple
    tolerance: float = 1e-6
    gradient: bool = False


@dataclass(frozen=True)
class Verdict:
    """How an answer was judged.

    Attributes:
        number: The exercise's.
        outcome: "not attempted", "right" or "wrong".
        text: What the student reads.
        mistake: The name of the recognized mistake, "" if there is none.
    """

    number: str
    outcome: Outcome
    text: str
    mistake: str = ""


class _FailedError(Exception):
    """The answer cannot be compared; the message says why."""


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer with the right one and with the typical mistakes.

    Args:
        exercise: The question.
        answer: A value or a function. `...`, or a function that returns it,
            is not attempted yet.

    Returns:
        The verdict. Whatever the answer does, nothing is raised.
    """
    number = exercise.number
    if _untouched(exercise, answer):
        return Verdict(number, "not attempted", f"{number}: not attempted yet")
    try:
        _check_kind(exercise, answer)
        difference = _first_difference(exercise, answer)
    except _FailedError as failure:
        return Verdict(number, "wrong", f"{number}: not yet. {failure}")
    if not difference:
        return Verdict(number, "right", f"{number}: right. {exercise.praise}")
    for mistake in exercise.mistakes:
        if _is_mistake(exercise, mistake, answer):
            text = f"{number}: not yet. {difference}\n{mistake.hint}"
            return Verdict(number, "wrong", text, mistake.name)
    return Verdict(number, "wrong", f"{number}: not yet. {difference}")


def _untouched(exercise: Exercise, answer: Any) -> bool:
    if answer is ...:
        return True
    if not callable(answer) or not callable(exercise.right):
        return False
    try:
        return _holds_ellipsis(answer(*exercise.cases()[0]))
    except Exception:  # an attempt, and _first_difference tells of it
        return False


def _holds_ellipsis(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return any(part is ... for part in parts)


def _check_kind(exercise: Exercise, answer: Any) -> None:
    if callable(exercise.right) and not callable(answer):
        raise _FailedError(
            f"This exercise takes the function itself, not {show(answer)}: "
            "give its name without parentheses."
        )
    if callable(answer) and not callable(exercise.right):
        raise _FailedError(
            "This exercise takes a value, not a function: call it first."
        )


def _first_difference(exercise: Exercise, answer: Any) -> str:
    """Return what differs from the right answer first, "" if nothing."""
    if not callable(exercise.right):
        return _difference(exercise, answer, exercise.right)
    for index, case in enumerate(exercise.cases()):
        expected = _results(exercise, exercise.right, index)
        came = _results(exercise, answer, index)
        for what, right in expected.items():
            if difference := _difference(exercise, came[what], right):
                return f"For {show_case(case)}{what}: {difference}"
    return ""


def _results(exercise: Exercise, function: Any, index: int) -> dict[str, Any]:
    """Return what a function gives for a case, by what it is."""
    case = exercise.cases()[index]
    kept = exercise.cases()[index]
    wants_gradient = exercise.gradient and isinstance(case[0], Tensor)
    if wants_gradient:
        case = (case[0].detach().clone().requires_grad_(), *case[1:])
    value = _call(function, case)
    for given, before in zip(case, kept, strict=True):
        if isinstance(given, Tensor) and not torch.equal(
            given.detach(), before.detach()
        ):
            raise _FailedError(
                "Your function changes the tensor that it is given. Make a "
                "new one: `x * 2`, not `x *= 2`, and no method that ends in "
                "an underscore."
            )
    results = {"": value}
    if wants_gradient:
        results[", its gradient by autograd"] = _gradient(value, case[0])
    return results


def _call(function: Any, case: tuple[Any, ...]) -> Any:
    try:
        value = function(*case)
    except Exception as error:
        line = _line_of(error)
        raise _FailedError(
            f"For {show_case(case)} your function stops{line} with "
            f"{type(error).__name__}: {error}"
        ) from error
    if value is None:
        raise _FailedError("Your function returns None: add a `return`.")
    return value


def _line_of(error: Exception) -> str:
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    inside = place and place.tb_frame.f_code.co_filename.startswith("<")
    return f" in line {place.tb_lineno}" if place and inside else ""


def _gradient(value: Any, x: Tensor) -> Tensor | None:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(value.sum(), x, allow_unused=True)
    return gradient


def _is_mistake(exercise: Exercise, mistake: Mistake, answer: Any) -> bool:
    as_if_right = Exercise(
        exercise.number,
        mistake.answer,
        (),
        "",
        exercise.cases,
        exercise.tolerance,
        exercise.gradient,
    )
    try:
        return not _first_difference(as_if_right, answer)
    except _FailedError:
        return False


def _difference(exercise: Exercise, came: Any, right: Any) -> str:
    """Return in words how a value differs from the right one, "" if not."""
    if agrees(came, right, exercise.tolerance):
        return ""
    if came is None and isinstance(right, Tensor):
        return "no gradient arrives; does the result hang on the input?"
    shapes = shape(came), shape(right)
    if None not in shapes and shapes[0] != shapes[1]:
        return f"shape {shapes[0]} came; shape {shapes[1]} is expected."
    return f"{show(came)} came; {show(right)} is expected."
