"""One optimizer on one objective, a step at a time."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from styletut.engines.device import NOISE
from styletut.objective import Terms
from styletut.optimizers import OPTIMIZERS
from styletut.optimizers.catalogue import (
    check_budget,
    check_options,
    takes,
)
from styletut.optimizers.descent import State
from styletut.optimizers.variable import Variable, variable_of
from styletut.transfer.steps import Ending, Step, Steps, warned

LOOK_EVERY = 5
"""Steps between two looks for a stall or a value that is not finite."""

PATIENCE = 50
"""Evaluations without progress after which a run has stalled."""

LEAST_PROGRESS = 1e-6
"""Relative fall of the total that counts as progress, if it is more than the
precision's noise."""


class Minimized(Protocol):
    """What is minimized: an `Objective`, or one with more in it."""

    shape: tuple[int, ...]
    precision: str

    def __call__(self, x: Tensor) -> Terms:
        """Return every term for a picture."""

    def gradient(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return every term, and the total's gradient."""


def minimize(
    objective: Minimized,
    start: Tensor,
    *,
    optimizer: str = "lbfgs",
    evaluations: int = 200,
    options: Mapping[str, Any] | None = None,
    range_rule: str = "project",
    pixel_unit: float | Sequence[float] = 1.0,
) -> Steps:
    """Minimize an objective over pictures, a step at a time.

    A stall and a value that is not finite end the run with a `StoppedEarly`
    warning that says what happened; the pictures so far are the caller's.

    Args:
        objective: what is minimized; nothing else of its convention is
            used.
        start: first picture, (1, 3, H, W) in [0, 1]; "sigmoid" moves it
            `optimizers.variable.SIGMOID_MARGIN` inside the range. Of one
            channel, (1, 1, H, W), it is grey, and so are all that follow:
            the optimizer works on light alone.
        optimizer: a name out of `optimizers.OPTIMIZERS`.
        evaluations: how often the objective and its gradient are computed.
        options: keyword arguments for the optimizer.
        range_rule: how pixels are kept in [0, 1]. "project": each point is
            projected onto the range, as part of the optimizer. "sigmoid":
            the optimizer works on the logarithm of x / (1 - x). "none": it
            works without bounds, and pictures are cut to the range only
            when they are handed out, with the terms of the cut picture
            (one more forward pass a step, not counted).
        pixel_unit: what 1 of a pixel's range is in the optimizer's variable,
            for all channels or for each: with 255 its learning rates are
            those for pixels in 0 to 255. Not used by "sigmoid".

    Yields:
        One `Step` for each accepted picture, the start first.

    Returns:
        A generator; its return value is an `Ending`.

    Raises:
        ValueError: for an unknown optimizer, option or range rule, a start
            of another shape than the content, or a budget below 1.
    """
    return warned(
        run_optimizer(
            objective,
            start,
            optimizer=optimizer,
            evaluations=evaluations,
            options=options or {},
            range_rule=range_rule,
            pixel_unit=pixel_unit,
        )
    )


def run_optimizer(
    objective: Minimized,
    start: Tensor,
    *,
    optimizer: str,
    evaluations: int,
    options: Mapping[str, Any],
    range_rule: str,
    pixel_unit: float | Sequence[float],
    state: State | None = None,
) -> Steps:
    """Do what `minimize` does, and leave it to the caller to warn.

    Args:
        objective: as `minimize` takes it, and so are all that follow.
        start: of the shape of the picture; it is not used where there is a
            state.
        optimizer: a name.
        evaluations: in all, those before the state among them.
        options: for the optimizer.
        range_rule: a name.
        pixel_unit: for each channel or for all.
        state: of a run to go on from, whose last step is done once more, if
            it has any, and then of this one.
    """
    evaluations = check_budget(evaluations)
    grey = (1, 1, *objective.shape[2:])
    if tuple(start.shape) not in (objective.shape, grey):
        raise ValueError(
            f"the start has shape {tuple(start.shape)} and the content "
            f"{objective.shape}; they must be equal"
        )
    options = check_options(optimizer, options)
    variable = variable_of(start.detach(), range_rule, pixel_unit)
    state = {} if state is None else state
    return _run(objective, variable, optimizer, evaluations, options, state)


def _run(
    objective: Minimized,
    variable: Variable,
    optimizer: str,
    evaluations: int,
    options: Mapping[str, Any],
    state: State,
) -> Steps:
    began = time.perf_counter() - state.get("seconds", 0.0)
    noise = NOISE.get(objective.precision, 0.0)
    if noise and takes(optimizer, "noise"):
        options = {"noise": noise, **options}
    last: Terms  # an iterate is yielded right after its evaluation
    spent = state.get("done", 1) - 1
    own = state.setdefault("optimizer", {})

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal last, spent
        spent += 1
        last, gradient = objective.gradient(variable.picture(x))
        return last.total, variable.pull_back(gradient, x)

    iterates = OPTIMIZERS[optimizer](
        evaluate,
        variable.start,
        evaluations=evaluations,
        bounds=variable.bounds,
        unit=variable.unit,
        state=own,
        **options,
    )
    best, best_at = state.get("best", (math.inf, 0))
    for index, iterate in enumerate(iterates, state.get("index", 0)):
        done = iterate.evaluations
        image, terms = variable.picture(iterate.x), last
        if variable.cut:
            image = image.clamp(0, 1)
            with torch.no_grad():
                terms = objective(image)
        seconds = time.perf_counter() - began
        state.update(
            index=index, done=done, best=(best, best_at), seconds=seconds
        )
        yield Step(index, done, terms, max(image.shape[2:]), seconds, image)
        if index % LOOK_EVERY == 0:
            total = float(terms.total)
            if total < best * (1 - max(LEAST_PROGRESS, noise)):
                best, best_at = total, done
            ending = _ending_at(total, done, best, best_at)
            if ending.message:
                return ending
    ending = _ending_at(float(terms.total), spent, best, spent)
    if spent < evaluations and not ending.message:
        ending = Ending(
            "stalled",
            f"stalled after {spent} evaluations: no step along the gradient "
            "lowers the loss any further, so the picture is the best this "
            "start leads to",
            spent,
        )
    return ending


def _ending_at(total: float, done: int, best: float, best_at: int) -> Ending:
    """Return how a run ends by its last total and its best one, if it does."""
    if not math.isfinite(total) and done == 1:
        return Ending(
            "diverged",
            f"the loss of the start picture is {total}: a picture, or a "
            "weight, is too large or not a number",
            done,
        )
    if not math.isfinite(total):
        return Ending(
            "diverged",
            f"diverged: the loss was {total} after {done} evaluations, so "
            "the steps are too long; take a smaller learning rate, or the "
            "optimizer lbfgs, which checks every step",
            done,
        )
    if done - best_at >= PATIENCE:
        return Ending(
            "stalled",
            f"stalled after {done} evaluations: the loss has not fallen "
            f"below {best:.6g} since evaluation {best_at}, so more of them "
            "would not improve the picture; a smaller learning rate may",
            done,
        )
    return Ending(evaluations=done)
