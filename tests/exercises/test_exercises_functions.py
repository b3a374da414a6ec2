"""Self-checks: how a function is called, and its mistake found."""

import math
import sys

import pytest
import torch

from styletut.exercises.judging.verdict import Exercise, Mistake, judge


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


def backward_inside(x):
    result = x.square()
    result.sum().backward()
    return result


def overwritten_inside(x):
    squares = x.exp()
    result = squares * 2
    squares.zero_()
    return result * squares.exp()


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
        (lambda x: x.mul_(2), "changes the tensor"),
        (lambda x: (2 * x).sum().item(), "shape () came"),
        (lambda x: [2 * row for row in x], "torch.stack makes one"),
        (lambda x: (2 * x).detach().numpy(), "return the tensor itself"),
        (lambda x: 2 * x.numpy(), "Stay with torch"),
        (lambda x: x @ torch.ones(3, 2), "tensors are float64"),
        (backward_inside, "Autograd cannot go back"),
        (overwritten_inside, "change a tensor in place"),
        (lambda x: x * (2 + 0j), "of complex128 came"),
        (lambda x: sys.exit(), "SystemExit"),
        (torch.zeros(2), "takes the function itself"),
        (7, "takes the function itself"),
    ],
)
def test_a_wrong_function_is_told_why(answer, said):
    verdict = judge(DOUBLE, answer)
    assert verdict.outcome == "wrong"
    assert said in verdict.text
    assert verdict.text.startswith("00.1: not yet. ")


def test_one_spoiled_case_does_not_spoil_the_next():
    spoil = judge(DOUBLE, lambda x: x.detach().mul_(2))
    assert spoil.outcome == "wrong"
    assert judge(DOUBLE, doubled).outcome == "right"


def test_a_message_stays_short():
    def stops(x):
        raise ValueError("x" * 10_000 + "\nmore")

    text = judge(DOUBLE, stops).text
    assert len(text) < 400 and "more" not in text
    assert len(judge(DOUBLE, "x" * 10**6).text) < 400


def test_an_interrupt_is_passed_on():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(DOUBLE, interrupted)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_mode_of_the_notebook_does_not_matter(mode):
    with mode():
        assert judge(DOUBLE, doubled).outcome == "right"


def test_a_function_that_switches_gradients_off_harms_none():
    def switches_off(x):
        torch.set_grad_enabled(False)
        return 2 * x

    assert judge(DOUBLE, switches_off).outcome == "wrong"
    assert torch.is_grad_enabled()
    assert judge(DOUBLE, doubled).outcome == "right"


def test_a_function_is_called_once_for_each_case():
    calls = []

    def counted(x):
        calls.append(x)
        return 3 * x

    assert judge(DOUBLE, counted).outcome == "wrong"
    assert len(calls) == len(cases())


def sorts(runs):
    runs.sort()
    return 0


@pytest.mark.parametrize(
    "answer",
    [
        sorts,
        lambda runs: runs.pop() and 0,
        lambda runs: runs[0][1].zero_() and 0,
        lambda runs: runs.append(runs[0]) or 0,
    ],
)
def test_a_changed_list_is_noticed(answer):
    def fresh():
        return [([(2, torch.ones(1)), (1, torch.ones(1))],)]

    exercise = Exercise("00.5", lambda runs: 0, (), "Yes.", fresh)
    assert "changes the list" in judge(exercise, answer).text


def numbers():
    return [(2.0,), (0.0,), (-1.0,)]


def tensors():
    return [(torch.tensor([number]),) for (number,) in numbers()]


STOPS = Exercise(
    "00.6",
    lambda x: x + 1,
    (Mistake("inverse", lambda x: 1 / x, "You divided."),),
    "Yes.",
    numbers,
)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda x: 1 / x, "inverse"),
        (lambda x: x**-1 if x else 1 / x, "inverse"),
        (lambda x: x**-1 if x else 1 // 0, ""),  # stops in other words
        (lambda x: x**-1 if x else [][0], ""),
        (lambda x: x**-1 if x else x, ""),
        (lambda x: x**-1 if x >= 0 else 5, ""),
    ],
)
def test_a_mistake_may_stop_with_an_error(answer, named):
    verdict = judge(STOPS, answer)
    assert verdict.outcome == "wrong"
    assert verdict.mistake == named


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda x: x / x, "quotient"),
        (lambda x: torch.where(x == 0, math.nan, 1.0), "quotient"),
        (lambda x: torch.where(x == 0, math.inf, 1.0), ""),
        (lambda x: torch.ones_like(x), ""),
    ],
)
def test_a_mistake_may_give_nan(answer, named):
    quotient = Mistake("quotient", lambda x: x / x, "You divided.")
    exercise = Exercise("00.7", lambda x: x + 1, (quotient,), "Yes.", tensors)
    assert judge(exercise, answer).mistake == named


SOURCE = """
def stops(x):
    y = 2 * x
    return helper(y)

def helper(y):
    return y.sum(nonsense=True)
"""


@pytest.mark.parametrize(
    "file", ["<ipython-input-3-abc>", "/tmp/ipykernel_12/345.py"]
)
def test_the_last_line_of_the_students_cell_is_named(file):
    cell: dict = {}
    exec(compile(SOURCE, file, "exec"), cell)
    assert (
        "stops in line 7 with TypeError" in judge(DOUBLE, cell["stops"]).text
    )


def test_no_line_of_a_library_is_named():
    text = judge(DOUBLE, torch.nn.Linear(9, 9).double()).text
    assert "stops with RuntimeError" in text
