"""Self-checks: right answers pass, wrong ones are refused and named."""

import math
import re

import numpy as np
import pytest
import torch

from styletut.exercises import check
from styletut.exercises.checking import CHAPTERS, find, of_chapter
from styletut.exercises.judging.verdict import Exercise, judge

EXERCISES = [each for c in CHAPTERS for each in of_chapter(c).values()]


MISTAKES = [(each, wrong) for each in EXERCISES for wrong in each.mistakes]


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
    stubs = [..., (..., ...), (1, ...), [...]]
    if callable(exercise.right):
        stubs += [lambda *_, stub=stub: stub for stub in stubs]
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


@pytest.mark.parametrize(
    "exercise", [e for e in EXERCISES if not callable(e.right)], ids=names
)
def test_no_exercise_tells_its_value(exercise):
    written = ", ".join(f"{float(each):g}" for each in exercise.right)
    for answer in [None, 1, (7.5,) * len(exercise.right), ("a", "b")]:
        text = judge(exercise, answer).text
        assert "is expected" not in text
        assert written not in text and str(exercise.right) not in text


@pytest.mark.parametrize(
    "number",
    ["03.99", "99.1", "", "gram", "3.1", ["02.1"], ("02.1",), 2.1, None],
)
def test_an_unknown_exercise_is_named(number):
    with pytest.raises(ValueError, match=re.escape(repr(number))):
        find(number)


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no str")


class UnprintableFunction(Unprintable):
    def __call__(self, *arguments):
        raise UnprintableError


def nested(depth):
    inside = []
    for _ in range(depth):
        inside = [inside]
    return inside


IN_ITSELF: list = []
IN_ITSELF.append(IN_ITSELF)


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_whatever_comes_nothing_is_raised(exercise):
    odd = {
        "unprintable": Unprintable(),
        "pair of them": (Unprintable(), Unprintable()),
        "huge": 10**5000,
        "pair of huge": (10**400, 1),
        "complex": 1 + 2j,
        "complex tensor": torch.ones(2, 3, dtype=torch.complex64),
        "meta": torch.zeros(2, 3, device="meta"),
        "sparse": torch.eye(3).to_sparse(),
        "expanded": torch.zeros(1).expand(10**10),
        "objects": np.array([object()]),
        "text": np.array(["a", "b"]),
        "ragged": [[1], [1, 2]],
        "nested": nested(100_000),
        "in itself": IN_ITSELF,
        "endless": iter(int, 1),
    }
    for came in odd.values():
        for answer in (came, lambda *_, came=came: came):
            verdict = judge(exercise, answer)
            assert verdict.outcome == "wrong"
            assert len(verdict.text) < 600
    assert judge(exercise, UnprintableFunction()).outcome == "wrong"
