"""What an exercise is, and how an answer to it is judged.

An exercise is data: the right answer and the typical wrong ones, each with
the hint that names the mistake. An answer is compared with the right one;
where it differs, with the wrong ones, so that a hint tells what happened and
not only that something did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from styletut.exercises.judging.comparison import agrees, settled
from styletut.exercises.judging.running import GRADIENT, Failure, Result, run
from styletut.exercises.judging.wording import (
    difference,
    missing_gradient,
    open_entries,
    show,
    show_case,
)

Grade = Literal["not attempted", "right", "wrong"]


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Attributes:
        name: What it is called, in a few words: "Gram of the positions".
        answer: The value, or the function, that one gets by it. A function
            may stop with an error where the student's does.
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
    outcome: Grade
    text: str
    mistake: str = ""


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer with the right one and with the typical mistakes.

    Args:
        exercise: The question.
        answer: A value or a function, which is called once for each case.
            `...`, a tuple or list that holds it, or a function that returns
            such, is not attempted yet.

    Returns:
        The verdict. Whatever the answer does, nothing is raised but
        `KeyboardInterrupt`.
    """
    if _is_open(answer):
        return _untouched(exercise)
    if not callable(exercise.right):
        return _judge_value(exercise, answer)
    return _judge_function(exercise, answer)


def _is_open(value: Any) -> bool:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return any(part is ... for part in parts)


def _untouched(exercise: Exercise) -> Verdict:
    number = exercise.number
    return Verdict(number, "not attempted", f"{number}: not attempted yet")


def _right(exercise: Exercise) -> Verdict:
    number = exercise.number
    return Verdict(number, "right", f"{number}: right. {exercise.praise}")


def _wrong(
    exercise: Exercise, why: str, mistake: Mistake | None = None
) -> Verdict:
    text = f"{exercise.number}: not yet. {why}"
    if mistake is None:
        return Verdict(exercise.number, "wrong", text)
    text = f"{text}\n{mistake.hint}"
    return Verdict(exercise.number, "wrong", text, mistake.name)


def _judge_value(exercise: Exercise, answer: Any) -> Verdict:
    if callable(answer):
        why = "This exercise takes a value, not a function: call it first."
        return _wrong(exercise, why)
    try:
        answer = settled(answer)
    except Exception:  # a generator that stops is no value
        return _wrong(exercise, f"{show(answer)} cannot be read.")
    if agrees(answer, exercise.right, exercise.tolerance):
        return _right(exercise)
    # what is expected is not told: the exercise would be over
    why = open_entries(answer, exercise.right, exercise.tolerance)
    for mistake in exercise.mistakes:
        if agrees(answer, mistake.answer, exercise.tolerance):
            return _wrong(exercise, why, mistake)
    return _wrong(exercise, why)


def _judge_function(exercise: Exercise, answer: Any) -> Verdict:
    if not callable(answer):
        why = (
            f"This exercise takes the function itself, not {show(answer)}: "
            "give its name without parentheses."
        )
        return _wrong(exercise, why)
    cases = range(len(exercise.cases()))
    came = [_result(exercise, answer, index) for index in cases]
    if any(not isinstance(c, Failure) and _is_open(c[""]) for c in came):
        return _untouched(exercise)
    for index in cases:
        if why := _difference(exercise, came[index], index):
            return _wrong(exercise, why, _named(exercise, came))
    return _right(exercise)


def _result(exercise: Exercise, function: Any, index: int) -> Result:
    return run(function, exercise.cases, index, exercise.gradient)


def _difference(exercise: Exercise, came: Result, index: int) -> str:
    """Return what differs from the right answer first, "" if nothing."""
    if isinstance(came, Failure):
        return came.text
    expected = _result(exercise, exercise.right, index)
    if isinstance(expected, Failure):
        raise AssertionError(f"the right answer fails: {expected.text}")
    for what, right in expected.items():
        if agrees(came[what], right, exercise.tolerance):
            continue
        if what == GRADIENT and came[what] is None:
            told = missing_gradient(came[""])
        else:
            told = difference(came[what], right, exercise.tolerance)
        return f"For {show_case(exercise.cases()[index])}{what}: {told}"
    return ""


def _named(exercise: Exercise, came: Sequence[Result]) -> Mistake | None:
    """Return the first mistake that gives the same for every case."""
    for mistake in exercise.mistakes:
        if all(
            _alike(each, _result(exercise, mistake.answer, index), exercise)
            for index, each in enumerate(came)
        ):
            return mistake
    return None


def _alike(came: Result, mistaken: Result, exercise: Exercise) -> bool:
    if isinstance(came, Failure) or isinstance(mistaken, Failure):
        return (
            isinstance(came, Failure)
            and isinstance(mistaken, Failure)
            and came.kind == mistaken.kind
        )
    return all(
        agrees(came[what], wrong, exercise.tolerance)
        for what, wrong in mistaken.items()
    )
