"""Self-checks: in which forms a value may come, and how one is told."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from styletut.exercises.judging.verdict import Exercise, Mistake, judge


def value(right, **settings):
    return Exercise("00.2", right, (), "Yes.", **settings)


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
        (0.25, Fraction(1, 4)),
        (0.25, Decimal("0.25")),
        (3, np.int64(3)),
        ((1, 2), (Fraction(1), Decimal(2))),
        ((1, 2), (each for each in (1, 2))),
        ((1, 2), map(int, "12")),
        ((1, 2), {"a": 1, "b": 2}.values()),
        ((1, 2), range(1, 3)),
        ({0, 2}, (each for each in (2, 0))),
        ({0, 2}, {0: "a", 2: "b"}.keys()),
        ({0, 2}, np.array([2, 0])),
        ({0, 2}, torch.tensor([0, 2])),
        ({0, 2}, set(torch.tensor([0, 2]))),
        (torch.tensor([2.0, 1.0]), np.array([1.0, 2.0])[::-1]),
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
        (1.0, 1 + 0j),
        (1.0, torch.tensor(1 + 0j)),
        (1.0, torch.tensor(True)),
        (1.0, torch.tensor([1.0])),
        (1.0, 10**400),
        ((1, 2), {1, 2}),
        ((1, 2), {1: "a", 2: "b"}),
        ({0, 1}, [True, False]),
        ({0, 1}, {0: "a", 1: "b"}),
        (torch.zeros(3), torch.zeros(3, device="meta")),
        (torch.zeros(3), torch.tensor([0, math.nan, 0])),
    ],
)
def test_another_value_is_wrong(right, came):
    assert judge(value(right), came).outcome == "wrong"


def test_a_tolerance_is_relative_to_the_largest_entry():
    exercise = value(torch.tensor([100.0, 0.0]), tolerance=0.01)
    assert judge(exercise, torch.tensor([100.9, 0.9])).outcome == "right"
    assert judge(exercise, torch.tensor([101.1, 0.0])).outcome == "wrong"


def test_python_floats_in_a_list_are_not_rounded():
    exercise = value(torch.tensor([0.1], dtype=torch.float64), tolerance=1e-9)
    assert judge(exercise, [0.1]).outcome == "right"


def gives(right, **settings):
    """An exercise that asks for a function, which gives a value."""
    return Exercise(
        "00.3", lambda x: right, (), "Yes.", lambda: [(1,), (2,)], **settings
    )


def told(right, came, **settings):
    """What is told to a function that gives a value for another."""
    verdict = judge(gives(right, **settings), lambda x: came)
    assert verdict.outcome == "wrong"
    return verdict.text


def test_what_came_and_what_was_expected_are_shown():
    text = told(torch.tensor([1.0, 2.0]), torch.tensor([1, 4]))
    assert "[1, 4], shape (2,), came; [1, 2], shape (2,), is expected" in text


def test_what_prints_alike_is_told_by_its_first_entry():
    right = torch.zeros(4, 4, dtype=torch.float64)
    came = right.clone()
    came[1, 2], came[3, 0] = 5, -5
    assert "entry [1, 2]: 5 came; 0 is expected" in told(right, came)
    assert "1.00001 came; 1.00002" in told(1.00002, 1.00001)
    assert "1.000000001 came; 1 is" in told(1.0, 1.000000001, tolerance=0)


def test_a_tuple_is_compared_entry_by_entry():
    pair = (torch.zeros(2), torch.ones(2))
    text = told(pair, (torch.zeros(2), torch.zeros(2)))
    assert "the second of the pair: [0, 0], shape (2,), came" in text
    assert "the first of the pair: shape (3,) came" in told(
        pair, (torch.zeros(3), torch.ones(2))
    )
    assert "a pair is expected" in told(pair, torch.zeros(2))
    assert "a tuple of 3 tensors came" in told(pair, (*pair, pair[0]))


def test_a_number_in_brackets_is_told_plainly():
    for came in ([2.0], np.array([2.0]), torch.tensor([2.0])):
        assert "the number itself is expected" in told(2.0, came)


PAIR = Exercise(
    "00.4",
    (2.5, 7),
    (Mistake("turned round", (7, 2.5), "In the other order."),),
    "Yes.",
)


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ((2, 7), "The first number is not right yet."),
        ((2.5, math.inf), "The second number is not right yet."),
        ((7, 2.5), "The first and second numbers are not right yet."),
        ((1, math.nan), "The first and second numbers are not right yet."),
        (2, "Two plain numbers are asked for, in order."),
        ((2, 7, 1), "Two plain numbers are asked for, in order."),
        (("2", "7"), "Two plain numbers are asked for, in order."),
        (([2], [7]), "Two plain numbers are asked for, in order."),
        ({1, 2}, "Two plain numbers are asked for, in order."),
    ],
)
def test_a_value_that_is_asked_for_is_never_told(came, said):
    text = judge(PAIR, came).text
    assert said in text
    assert "2.5" not in text and "expected" not in text
