"""Self-checks: right answers pass, wrong ones are refused and named."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from styletut.exercises import CHAPTERS, check, find, of_chapter
from styletut.exercises.verdict import Exercise, Mistake, judge

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
EXERCISES = [each for c in CHAPTERS for each in of_chapter(c).values()]
MISTAKES = [(each, wrong) for each in EXERCISES for wrong in each.mistakes]


# All exercises of the course


def names(value):
    return value.number if isinstance(value, Exercise) else value.name


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_the_right_answer_is_right(exercise):
    verdict = judge(exercise, exercise.right)
    assert verdict.outcome == "right", verdict.text
    assert len(verdict.text.splitlines()) == 1


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=names)
def test_a_typical_mistake_is_refused_and_named(exercise, mistake):
    verdict = judge(exercise, mistake.answer)
    assert verdict.outcome == "wrong"
    # so mistakes differ from each other, too: the first match is told
    assert verdict.mistake == mistake.name
    assert mistake.hint in verdict.text
    assert mistake.hint.strip()


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_an_untouched_exercise_is_not_attempted(exercise, capsys):
    stubs = [...]
    if callable(exercise.right):
        stubs.append(lambda *arguments: ...)
    for stub in stubs:
        check(exercise.number, stub)
        written = capsys.readouterr().out
        assert written == f"{exercise.number}: not attempted yet\n"


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_nonsense_is_wrong_and_raises_nothing(exercise):
    def stops(*arguments):
        raise RuntimeError("no")

    nonsense = [None, "nonsense", math.nan, [], {}, torch.zeros(7), object()]
    answers = [lambda *_, value=value: value for value in nonsense]
    for answer in [*nonsense, *answers, stops]:
        assert judge(exercise, answer).outcome == "wrong"


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_a_function_is_asked_about_more_than_one_case(exercise):
    if callable(exercise.right):
        assert len(exercise.cases()) >= 2


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_an_exercise_knows_four_typical_mistakes(exercise):
    named = {mistake.name for mistake in exercise.mistakes}
    assert len(named) == len(exercise.mistakes) >= 4


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_are_numbered_in_order(chapter):
    numbers = list(of_chapter(chapter))
    assert len(numbers) >= 3
    assert numbers == [f"{chapter}.{k + 1}" for k in range(len(numbers))]


# How an answer is judged


def doubled(x):
    return 2 * x


def cases():
    return [
        (torch.arange(6.0, dtype=torch.float64).reshape(2, 3),),
        (torch.tensor([-1.5, 0.25], dtype=torch.float64),),
    ]


DOUBLE = Exercise(
    number="00.1",
    right=doubled,
    mistakes=(
        Mistake("squared", lambda x: x * x, "You squared it."),
        Mistake("transposed", lambda x: 2 * x.T, "You transposed it."),
    ),
    praise="Twice as much.",
    cases=cases,
    gradient=True,
)


def value(right, **settings):
    return Exercise("00.2", right, (), "Yes.", **settings)


@pytest.mark.parametrize(
    "answer",
    [
        doubled,
        lambda x: x + x,
        lambda x: x.mul(2).float().double(),
        lambda x: torch.stack([2 * row for row in x]),
    ],
)
def test_any_right_function_is_right(answer):
    assert judge(DOUBLE, answer).text == "00.1: right. Twice as much."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x * x, "You squared it."),
        (lambda x: 2 * x.reshape(x.shape[::-1]), "shape (3, 2) came"),
        (lambda x: 3 * x, "is expected"),
        (lambda x: 2 * x.detach(), "no gradient arrives"),
        (lambda x: 2 * x + (x - x.detach()), "gradient by autograd"),
        (lambda x: None, "returns None: add a `return`"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda: 1, "TypeError"),
        (lambda x: x.detach().mul_(2), "changes the tensor"),
        (torch.zeros(2), "takes the function itself"),
        (7, "takes the function itself"),
    ],
)
def test_a_wrong_function_is_told_why(answer, said):
    verdict = judge(DOUBLE, answer)
    assert verdict.outcome == "wrong"
    assert said in verdict.text
    assert verdict.text.startswith("00.1: not yet. ")


def test_what_came_and_what_was_expected_are_shown():
    text = judge(value(torch.tensor([1.0, 2.0])), torch.tensor([1, 4])).text
    assert "4" in text and "[1, 2], shape (2,), is expected" in text


def test_one_spoiled_case_does_not_spoil_the_next():
    spoil = judge(DOUBLE, lambda x: x.detach().mul_(2))
    assert spoil.outcome == "wrong"
    assert judge(DOUBLE, doubled).outcome == "right"


@pytest.mark.parametrize(
    ("right", "came"),
    [
        (0.1, 0.1 + 1e-9),
        (3, 3.0),
        (3, torch.tensor(3)),
        (3, np.float64(3)),
        (0.0, 0),
        ("relu4_2", "  RELU4_2 "),
        (True, True),
        (True, torch.tensor(True)),
        (False, np.bool_(False)),
        ((2, 3), [2, 3]),
        ((2, 3), torch.tensor([2, 3])),
        ((2, 3), torch.Size([2, 3])),
        ({"a", "b"}, ["b", "a"]),
        ({"a": 1}, {"a": 1.0}),
        (torch.eye(2), np.eye(2)),
        (torch.eye(2), [[1, 0], [0, 1]]),
    ],
)
def test_a_value_may_come_in_other_forms(right, came):
    assert judge(value(right), came).outcome == "right"


@pytest.mark.parametrize(
    ("right", "came"),
    [
        (0.1, 0.1001),
        (0.0, 1e-9),
        (3, "3"),
        (1, True),
        (True, 1),
        (True, False),
        ("relu4_2", "conv4_2"),
        ("relu4_2", 4),
        ((2, 3), (3, 2)),
        ((2, 3), (2, 3, 4)),
        ({"a", "b"}, ["a"]),
        ({"a", "b"}, "ab"),
        ({"a", "b"}, ["a", ["b"]]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 2}),
        (torch.eye(2), torch.ones(2, 2)),
        (torch.eye(2), torch.eye(3)),
        (torch.zeros(1), torch.zeros(())),
        (1.0, math.nan),
        (1.0, math.inf),
        (1.0, lambda: 1.0),
    ],
)
def test_another_value_is_wrong(right, came):
    assert judge(value(right), came).outcome == "wrong"


def test_a_tolerance_is_relative_to_the_largest_entry():
    exercise = value(torch.tensor([100.0, 0.0]), tolerance=0.01)
    assert judge(exercise, torch.tensor([100.9, 0.9])).outcome == "right"
    assert judge(exercise, torch.tensor([101.1, 0.0])).outcome == "wrong"


@pytest.mark.parametrize("number", ["03.99", "99.1", "", "gram", "3.1"])
def test_an_unknown_exercise_is_named(number):
    with pytest.raises(ValueError, match=re.escape(repr(number))):
        find(number)
