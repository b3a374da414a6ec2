"""Answers in forms that students give, judged: `answers_01` and so on.

Each of these modules has, for the exercises of its notebook, right answers in
another form (`RIGHT`), mistakes that nobody foresaw (`WRONG`), and foreseen
ones in another form with the name that they should get (`NAMED`).
"""

from importlib import import_module

import pytest

from styletut.exercises.checking import CHAPTERS, find
from styletut.exercises.judging.verdict import judge

MODULES = [import_module(f"answers_{chapter}") for chapter in CHAPTERS]


def each_of(kind):
    return [answer for module in MODULES for answer in getattr(module, kind)]


@pytest.mark.parametrize(("number", "answer"), each_of("RIGHT"))
def test_a_right_answer_of_another_form_is_right(number, answer):
    verdict = judge(find(number), answer)
    assert verdict.outcome == "right", verdict.text


@pytest.mark.parametrize(("number", "answer"), each_of("WRONG"))
def test_an_unforeseen_mistake_is_refused(number, answer):
    assert judge(find(number), answer).outcome == "wrong"


@pytest.mark.parametrize(("number", "answer", "mistake"), each_of("NAMED"))
def test_a_mistake_in_another_form_is_named(number, answer, mistake):
    assert judge(find(number), answer).mistake == mistake
