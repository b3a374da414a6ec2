"""Iterates of a function of a tensor: gradient descent and Adam.

All optimizers take `evaluate(x) -> (value, gradient)`, a start, the number of
evaluations to spend and bounds to stay within, and yield an `Iterate` right
after each accepted point was evaluated. What they decide on the host costs
one read of a few numbers an evaluation (`torch_lbfgs`, which is torch's own,
reads more), and nothing depends on the clock.

Right before it yields a point, each puts into `state` what it takes to be
there again. One that is given the state of another run begins at that point
and goes on as the other would have.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

Evaluate = Callable[[Tensor], tuple[Tensor, Tensor]]

Bounds = tuple[Tensor, Tensor] | None

Rate = float | Callable[[int], float]

State = dict[str, Any]
"""Tensors and numbers, and tuples of them, by name. What is in it is replaced
and never changed, so that a copy of the mapping stays what it is."""

FIRST_STEP = 0.01
"""Root mean square of the first step along the gradient, in pixel values of
[0, 1]: two and a half of 255 grey levels."""


class Iterate(NamedTuple):
    """A point of a run, with the function's value and gradient there."""

    x: Tensor
    value: Tensor
    gradient: Tensor
    evaluations: int


def adam(
    evaluate: Evaluate,
    start: Tensor,
    *,
    evaluations: int,
    bounds: Bounds = None,
    learning_rate: Rate | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    unit: float = 1.0,
    state: State | None = None,
) -> Iterator[Iterate]:
    """Adam (Kingma and Ba 2015, algorithm 1), projected onto the bounds.

    Notebook 06, (6.5).

    Args:
        evaluate: x -> (value, gradient).
        start: first point.
        evaluations: how often `evaluate` is called.
        bounds: (lowest, highest) value of x, or None.
        learning_rate: about how far an entry of x moves in a step, a number
            or a function of the step 0, 1, ...; by default 0.02 `unit`.
        betas: decay of the first and the second moment.
        epsilon: added to the root of the second moment.
        unit: what 1 of a pixel's range [0, 1] is in x.
        state: of a run to go on from, if it has any, and then of this one.

    Yields:
        Every point.
    """
    rate = 0.02 * unit if learning_rate is None else learning_rate
    state = {} if state is None else state
    x = _project(state.get("x", start), bounds)
    m = state.get("m", torch.zeros_like(x))
    v = state.get("v", torch.zeros_like(x))
    for k in range(state.get("k", 0), evaluations):
        value, g = evaluate(x)
        state.update(x=x, m=m, v=v, k=k)
        yield Iterate(x, value, g, k + 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g.square()
        m_hat = m / (1 - betas[0] ** (k + 1))
        v_hat = v / (1 - betas[1] ** (k + 1))
        step = m_hat / (v_hat.sqrt() + epsilon)
        x = _project(x - _rate(rate, k) * step, bounds)


def gradient_descent(
    evaluate: Evaluate,
    start: Tensor,
    *,
    evaluations: int,
    bounds: Bounds = None,
    learning_rate: Rate | None = None,
    momentum: float = 0.0,
    unit: float = 1.0,
    state: State | None = None,
) -> Iterator[Iterate]:
    """Gradient descent, projected onto the bounds.

    With momentum it is (6.4) of notebook 06.

    Args:
        evaluate: x -> (value, gradient).
        start: first point.
        evaluations: how often `evaluate` is called.
        bounds: (lowest, highest) value of x, or None.
        learning_rate: factor of the gradient, a number or a function of the
            step 0, 1, ...; by default the one that moves x by `FIRST_STEP`
            in the root mean square at the first step.
        momentum: part of the last step's velocity that is kept (heavy ball,
            Polyak 1964).
        unit: what 1 of a pixel's range [0, 1] is in x.
        state: of a run to go on from, if it has any, and then of this one.

    Yields:
        Every point.
    """
    state = {} if state is None else state
    x = _project(state.get("x", start), bounds)
    velocity = state.get("velocity", torch.zeros_like(x))
    rate = state.get("rate") if learning_rate is None else learning_rate
    for k in range(state.get("k", 0), evaluations):
        value, g = evaluate(x)
        state.update(x=x, velocity=velocity, k=k)
        yield Iterate(x, value, g, k + 1)
        if rate is None:
            rate = FIRST_STEP * unit / float(_root_mean_square(g))
            state["rate"] = rate
        velocity = momentum * velocity - _rate(rate, k) * g
        x = _project(x + velocity, bounds)


def _project(x: Tensor, bounds: Bounds) -> Tensor:
    return x if bounds is None else torch.clamp(x, *bounds)


def _root_mean_square(x: Tensor) -> Tensor:
    return x.square().mean().sqrt().clamp(min=torch.finfo(x.dtype).tiny)


def _rate(rate: Rate, k: int) -> float:
    return rate(k) if callable(rate) else rate
