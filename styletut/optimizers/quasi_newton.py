"""L-BFGS: directions from the changes of the gradient on the way."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut.optimizers.descent import (
    FIRST_STEP,
    Bounds,
    Evaluate,
    Iterate,
    State,
    _project,
    _root_mean_square,
)
from styletut.optimizers.spectrum import band_energies, band_gains, scale_bands

SUFFICIENT_DECREASE = 1e-4
"""Armijo's constant: least part of the predicted decrease (Nocedal and
Wright 2006, equation 3.4)."""

SMALLEST_COSINE = 1e-8
"""Pairs with less curvature, y.s / (|y| |s|), say nothing and are left out."""

BACKTRACKS = 12
"""Trials along a direction before it is given up."""

LEARNED = 15
"""Pairs that tell `spectral_lbfgs` the curvature of a band."""


class _Pair(NamedTuple):
    """A step and the gradient's change along it."""

    s: Tensor
    y: Tensor


def lbfgs(
    evaluate: Evaluate,
    start: Tensor,
    *,
    evaluations: int,
    bounds: Bounds = None,
    history: int = 15,
    unit: float = 1.0,
    noise: float = 0.0,
    state: State | None = None,
) -> Iterator[Iterate]:
    """Projected L-BFGS with a backtracking line search.

    Directions are those of the two-loop recursion (Nocedal and Wright 2006,
    algorithm 7.4; notebook 06, (6.9)) over the coordinates that the bounds
    leave free, from the free part of each pair: the inverse of a part of a
    matrix is not the part of its inverse. Every trial point is projected onto
    the bounds, and the pairs (s, y) are taken between points really visited.
    A step is accepted if the value falls by a part of what the gradient
    predicts, so values never rise. Multiplying the function by a number
    changes nothing: while there is no curvature to go by, the step's length
    is set in units of x.

    Args:
        evaluate: x -> (value, gradient).
        start: first point.
        evaluations: how often `evaluate` is called, at most.
        bounds: (lowest, highest) value of x, or None.
        history: number of pairs kept.
        unit: what 1 of a pixel's range [0, 1] is in x.
        noise: how exact values are, relative to them: a rise by no more is
            none.
        state: of a run to go on from, if it has any, and then of this one.

    Yields:
        The start and every accepted point. Ends early where no step along
        the gradient lowers the value, to the precision of its numbers.
    """
    return _line_searched(
        evaluate, start, evaluations, bounds, history, unit, noise, state, None
    )


def spectral_lbfgs(
    evaluate: Evaluate,
    start: Tensor,
    *,
    evaluations: int,
    bounds: Bounds = None,
    history: int = 15,
    unit: float = 1.0,
    noise: float = 0.0,
    state: State | None = None,
    learned: deque[Tensor] | None = None,
) -> Iterator[Iterate]:
    """`lbfgs` for pictures, which scales each octave and color by itself.

    `lbfgs` begins its recursion with one number for all directions. Here
    each band of `spectrum` has its own, learned on the way: the root of the
    energy of the steps over that of the gradient's changes in it, over the
    last `LEARNED` pairs. So brightness takes long steps in what is coarse
    and short ones in what is fine, which no few pairs could tell.

    Arguments are those of `lbfgs`, and `learned`: both energies of each of
    those pairs, (2, C, `OCTAVES`). A run adds its own, so that one at a
    larger size may begin with what the smaller one has learned.

    Yields:
        What `lbfgs` does.

    Raises:
        ValueError: unless the start has the shape (1, 3, H, W), or of a grey
            picture (1, 1, H, W).
    """
    if start.ndim != 4 or start.shape[:2] not in ((1, 3), (1, 1)):
        raise ValueError(
            "octaves and colors are those of a picture (1, 3, H, W), not of "
            f"a tensor {tuple(start.shape)}; the optimizer lbfgs takes any"
        )
    return _line_searched(
        evaluate,
        start,
        evaluations,
        bounds,
        history,
        unit,
        noise,
        state,
        deque(maxlen=LEARNED) if learned is None else learned,
    )


def _line_searched(
    evaluate: Evaluate,
    start: Tensor,
    evaluations: int,
    bounds: Bounds,
    history: int,
    unit: float,
    noise: float,
    state: State | None,
    learned: deque[Tensor] | None,
) -> Iterator[Iterate]:
    """Run L-BFGS, with gains for each band if it is to learn them."""
    state = {} if state is None else state
    x = _project(state.get("x", start), bounds)
    pairs = deque(map(_Pair._make, state.get("pairs", ())), maxlen=history)
    length = state.get("length", FIRST_STEP * unit)
    if learned is not None and "learned" in state:
        learned.clear()
        learned.extend(state["learned"])
    value, g = evaluate(x)
    done = state.get("done", 1)
    state.update(_state(x, done, pairs, length, learned))
    yield Iterate(x, value, g, done)
    while done < evaluations:
        d = _direction(x, g, bounds, pairs, length, learned)
        accepted = None
        t = 1.0
        for _ in range(min(BACKTRACKS, evaluations - done)):
            trial = _project_(torch.add(x, d, alpha=t), bounds)
            value_t, g_t = evaluate(trial)
            done += 1
            pair = _Pair(trial - x, g_t - g)
            rise, slope, ys, yy, ss = _numbers(
                value_t - value - noise * value.abs(),
                _dot(g, pair.s),
                *_products(pair),
            )
            if rise <= SUFFICIENT_DECREASE * slope and slope < 0:
                accepted = Iterate(trial, value_t, g_t, done)
                break
            if slope == 0:
                return  # no way to go: the gradient is 0 where x is free
            t *= _shorter(rise, slope)
        if accepted is None:
            if not pairs:
                return
            pairs.clear()  # the curvature misled: take the gradient again
            continue
        x, value, g, _ = accepted
        if ys > SMALLEST_COSINE * math.sqrt(yy * ss):
            pairs.append(pair)
            if learned is not None:
                learned.append(_bands(pair))
        elif not pairs:
            length *= 2  # concave along the step: go further next time
        state.update(_state(x, done, pairs, length, learned))
        yield accepted


def _state(
    x: Tensor,
    done: int,
    pairs: Sequence[_Pair],
    length: float,
    learned: Sequence[Tensor] | None,
) -> State:
    """Return what it takes to be at a point again."""
    return {
        "x": x,
        "done": done,
        "pairs": tuple(pairs),
        "length": length,
        "learned": tuple(learned or ()),
    }


def torch_lbfgs(
    evaluate: Evaluate,
    start: Tensor,
    *,
    evaluations: int,
    bounds: Bounds = None,
    learning_rate: float = 1.0,
    history: int = 100,
    unit: float = 1.0,
    state: State | None = None,
) -> Iterator[Iterate]:
    """Run torch's L-BFGS without line search, as most implementations do.

    With bounds, x is clamped before each evaluation, as in the PyTorch
    tutorial, and the optimizer is not told: its pairs then describe steps
    that were not made. Arguments are those of `lbfgs`, and `learning_rate`,
    the factor of every step.

    Yields:
        Every point, also where the value rises.
    """
    state = {} if state is None else state
    begun = state.get("x", start).detach()
    x = begun.clone(memory_format=torch.contiguous_format)
    optimizer = torch.optim.LBFGS(
        [x], lr=learning_rate, max_iter=1, history_size=history
    )
    known = optimizer.state[x]
    known.update(_copied(state.get("torch", {})))
    for k in range(state.get("k", 0), evaluations):
        x.copy_(_project(x, bounds))
        visited = x.clone()
        value, gradient = evaluate(visited)
        state.update(x=visited, k=k, torch=_copied(known))
        yield Iterate(visited, value, gradient, k + 1)
        x.grad = gradient.contiguous()
        optimizer.step(lambda value=value: value)


def _copied(known: Mapping[str, Any]) -> State:
    """Return what torch's optimizer knows, apart from what it changes."""
    copied = {
        name: list(value) if isinstance(value, list) else value
        for name, value in known.items()
        if name != "al"  # scratch paper
    }
    if "prev_flat_grad" in known:  # the one tensor that it writes into
        copied["prev_flat_grad"] = known["prev_flat_grad"].clone()
    return copied


def _direction(
    x: Tensor,
    g: Tensor,
    bounds: Bounds,
    pairs: Sequence[_Pair],
    length: float,
    learned: Sequence[Tensor] | None,
) -> Tensor:
    """Return L-BFGS's step from x, 0 where a coordinate is held.

    Args:
        x: Where the run is.
        g: The gradient there.
        bounds: As `lbfgs` takes them.
        pairs: The oldest first.
        length: Root mean square of a step without any curvature to go by.
        learned: Bands of pairs, those of `pairs` last; None for no bands.
    """
    free = None if bounds is None else _free(x, g, bounds)
    d = -g if free is None else (g * free).neg_()
    h = length / _root_mean_square(d)
    gains = _gains(pairs[-1], learned) if pairs and learned else None
    return _two_loop(d, pairs, h, free, gains)


def _two_loop(
    q: Tensor,
    pairs: Sequence[_Pair],
    h: Tensor,
    free: Tensor | None = None,
    gains: Tensor | None = None,
) -> Tensor:
    """Turn q into H q for the inverse Hessian H that the pairs describe.

    H is that of the free coordinates, from the free part of each pair: q is
    0 elsewhere and stays so, and sums over its products need no copy of a
    pair. A pair that curves downwards is passed over. All numbers stay on
    the device.

    Args:
        q: The gradient, 0 where a coordinate is held; it is overwritten.
        pairs: The oldest first.
        h: H is h times 1 before the first pair, if there are no gains.
        free: 1 where a coordinate is free, else 0; None if all are.
        gains: What H multiplies each band with before the first pair.
    """
    rhos = []
    for pair in pairs:
        ys, yy, ss = _products(pair, free)
        curves = ys > SMALLEST_COSINE * (yy * ss).sqrt()
        rhos.append(torch.where(curves, 1 / ys, torch.zeros_like(ys)))
        h = torch.where(curves, ys / yy, h)
    alphas = []
    for (s, y), rho in zip(reversed(pairs), reversed(rhos), strict=True):
        alpha = rho * _dot(s, q)
        _hold_(q.addcmul_(y, alpha, value=-1), free)
        alphas.append(alpha)
    if gains is None:
        q *= h
    else:
        q = _hold_(scale_bands(q, gains), free)
    alphas.reverse()
    for (s, y), rho, alpha in zip(pairs, rhos, alphas, strict=True):
        _hold_(q.addcmul_(s, alpha - rho * _dot(y, q)), free)
    return q


def _products(
    pair: _Pair, free: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return y.s, y.y and s.s over the free coordinates."""
    s, y = pair
    if free is None:
        return _dot(y, s), _dot(y, y), _dot(s, s)
    part = y * free
    ys, yy = _dot(part, s), _dot(part, y)
    return ys, yy, _dot(torch.mul(s, free, out=part), s)


def _bands(pair: _Pair) -> Tensor:
    """Return the energies of s and y by bands, for a y of length 1."""
    energies = torch.stack([band_energies(pair.s), band_energies(pair.y)])
    return energies / energies[1].sum()


def _gains(pair: _Pair, learned: Sequence[Tensor]) -> Tensor:
    """Return what H multiplies each band with before the first pair.

    All that was learned counts alike, and as without bands the newest pair
    gives the size of H: s.y is y.H y.
    """
    s, y = pair
    gains = band_gains(*torch.stack(list(learned)).sum(0))
    return gains * _dot(s, y) / (_dot(y, y) * (gains * learned[-1][1]).sum())


def _free(x: Tensor, g: Tensor, bounds: tuple[Tensor, Tensor]) -> Tensor:
    """Return 1 where a step against the gradient stays in bounds, else 0."""
    low, high = bounds
    held = ((x <= low) & (g > 0)) | ((x >= high) & (g < 0))
    return held.logical_not_().to(x.dtype)


def _hold_(q: Tensor, free: Tensor | None) -> Tensor:
    """Put 0 where a coordinate is held."""
    return q if free is None else q.mul_(free)


def _project_(x: Tensor, bounds: Bounds) -> Tensor:
    """Project x in place."""
    return x if bounds is None else x.clamp_(*bounds)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.flatten(), b.flatten())


def _numbers(*values: Tensor) -> list[float]:
    """Read several numbers from the device at once."""
    numbers: list[float] = torch.stack(values).tolist()
    return numbers


def _shorter(rise: float, slope: float) -> float:
    """Return the factor to the minimum of the parabola through a trial."""
    if not (math.isfinite(rise) and math.isfinite(slope)) or slope >= 0:
        return 0.1
    return min(max(-slope / (2 * (rise - slope)), 0.1), 0.5)
