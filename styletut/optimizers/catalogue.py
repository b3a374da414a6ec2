"""The optimizers by name, and what each of them takes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from styletut.optimizers.descent import Iterate, adam, gradient_descent
from styletut.optimizers.quasi_newton import lbfgs, spectral_lbfgs, torch_lbfgs
from styletut.values import check_known, checked_real, told, whole

MOST_PAIRS = 10_000
"""Of L-BFGS, more than any run has evaluations."""

OPTIMIZERS: Mapping[str, Callable[..., Iterator[Iterate]]] = MappingProxyType(
    {
        "lbfgs": lbfgs,
        "spectral_lbfgs": spectral_lbfgs,
        "torch_lbfgs": torch_lbfgs,
        "adam": adam,
        "gradient_descent": gradient_descent,
    }
)
"""The optimizers by name."""


def check_budget(evaluations: int) -> int:
    """Return a number of evaluations as an int.

    Raises:
        ValueError: unless there is a whole evaluation to spend.
    """
    number = whole(evaluations)
    if number is None or number < 1:
        raise ValueError(
            f"evaluations is {told(evaluations)}; a run takes a whole number "
            "of them, at least 1"
        )
    return number


def check_options(
    optimizer: str, options: Mapping[str, object]
) -> dict[str, object]:
    """Return an optimizer's options, with numbers as Python's own.

    Raises:
        ValueError: for an unknown optimizer or option of one, or what is no
            number where one belongs.
    """
    check_known("optimizer", optimizer, OPTIMIZERS)
    if not isinstance(options, Mapping):
        raise ValueError(
            f"options are {told(options)}; they are name -> value, such as "
            "{'history': 8}"
        )
    parameters = inspect.signature(OPTIMIZERS[optimizer]).parameters
    given = {"evaluate", "start", "evaluations", "bounds", "unit", "state"}
    known = [name for name in parameters if name not in given]
    for name in options:
        if name not in known:
            raise ValueError(
                f"the optimizer {optimizer} has no option {told(name)}; "
                f"it has {', '.join(known)}"
            )
    return {name: _as_number(name, each) for name, each in options.items()}


def _as_number(name: str, value: Any) -> object:
    """Return an option's value as Python's own number, if it is one."""
    if name == "history":
        number = whole(value)
        if number is None or not 1 <= number <= MOST_PAIRS:
            raise ValueError(
                f"history is {told(value)}; it is a number of pairs, at "
                f"least 1 and at most {MOST_PAIRS}"
            )
        return number
    if name == "betas":
        pair = isinstance(value, (tuple, list)) and len(value) == 2
        if not pair:
            raise ValueError(f"betas are {told(value)}; they are two numbers")
        return tuple(checked_real("a beta", each, 0, 1) for each in value)
    rule = name == "learning_rate" and (value is None or callable(value))
    if rule or name == "learned":
        return value
    return checked_real(name, value)


def pairs_kept(optimizer: str, options: Mapping[str, object]) -> int:
    """Return how many pairs an optimizer keeps, 0 if it knows none."""
    parameters = inspect.signature(OPTIMIZERS[optimizer]).parameters
    if "history" not in parameters:
        return 0
    return int(options.get("history", parameters["history"].default))  # type: ignore[call-overload, no-any-return]


def takes(optimizer: str, name: str) -> bool:
    """Return whether an optimizer has a parameter of a name.

    With "learned" a run goes on with what another has learned, with "noise"
    it is told how exact values are.
    """
    return name in inspect.signature(OPTIMIZERS[optimizer]).parameters
