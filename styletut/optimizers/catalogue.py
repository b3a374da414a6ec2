"""The optimizers by name, and what each of them takes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from styletut.optimizers.descent import Iterate, adam, gradient_descent
from styletut.optimizers.quasi_newton import lbfgs, spectral_lbfgs, torch_lbfgs

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


def check_budget(evaluations: int) -> None:
    """Raise ValueError unless there is a whole evaluation to spend."""
    whole = hasattr(evaluations, "__index__")  # NumPy's integers, too
    if not whole or isinstance(evaluations, bool) or evaluations < 1:
        raise ValueError(
            f"evaluations is {evaluations!r}; a run takes a whole number of "
            "them, at least 1"
        )


def check_options(optimizer: str, options: Mapping[str, object]) -> None:
    """Raise ValueError for an unknown optimizer or option of one."""
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"there is no optimizer {optimizer!r}; "
            f"there are {', '.join(OPTIMIZERS)}"
        )
    parameters = inspect.signature(OPTIMIZERS[optimizer]).parameters
    given = {"evaluate", "start", "evaluations", "bounds", "unit", "state"}
    known = [name for name in parameters if name not in given]
    history = options.get("history", 1)
    if not hasattr(history, "__index__") or history < 1:  # type: ignore[operator]
        raise ValueError(
            f"history is {history!r}; it is a number of pairs, at least 1"
        )
    for name in options:
        if name not in known:
            raise ValueError(
                f"the optimizer {optimizer} has no option {name!r}; "
                f"it has {', '.join(known)}"
            )


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
