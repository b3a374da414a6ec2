"""Exercises of notebook 06: optimizers and starts."""

from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.exercises.verdict import Exercise, Mistake

Pairs = Sequence[tuple[Tensor, Tensor]]


def _tensor(count: int, pace: float = 1.0) -> Tensor:
    """Numbers of both signs, the same on every machine."""
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return numbers.square().mul(pace).sin() * 2


def _spectra() -> list[tuple[float, float]]:
    return [(1.0, 9.0), (0.5, 2.0), (3.0, 3.0), (0.01, 1.0)]


def _gradients() -> list[tuple[Tensor, float, float]]:
    return [
        (_tensor(4), 0.1, 1e-8),
        (_tensor(3, 0.7), 2.0, 0.5),
        (_tensor(5, 1.3) * 1e-3, 0.02, 0.1),
    ]


def _steps() -> list[tuple[Tensor, Pairs]]:
    H = torch.diag(torch.arange(1.0, 6, dtype=torch.float64)) + 0.5
    good = [(s, H @ s) for s in (_tensor(5, 0.3), _tensor(5, 1.9))]
    third = (_tensor(5, 2.7), H @ _tensor(5, 2.7) + 0.3)
    bad = (_tensor(5, 0.8), -_tensor(5, 0.8))
    return [
        (_tensor(5), good),
        (_tensor(5, 1.1), [*good, third]),
        (_tensor(5, 0.9), [good[0], bad, third]),
        (_tensor(5, 0.4), [bad]),
        (_tensor(5, 0.5), []),
    ]


def _usable(pairs: Pairs) -> list[tuple[Tensor, Tensor]]:
    return [(s, y) for s, y in pairs if y @ s > 0]


def _direction(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    if not usable:
        return -g
    s, y = usable[-1]
    return -_loops(g, usable, (y @ s) / (y @ y))


def _loops(g: Tensor, pairs: Pairs, h: Tensor | float) -> Tensor:
    q, coefficients = g, []
    for s, y in reversed(pairs):
        a = (s @ q) / (y @ s)
        coefficients.append(a)
        q = q - a * y
    r = h * q
    for (s, y), a in zip(pairs, reversed(coefficients), strict=True):
        r = r + (a - (y @ r) / (y @ s)) * s
    return r


def _no_scaling(g: Tensor, pairs: Pairs) -> Tensor:
    return -_loops(g, _usable(pairs), 1.0)


def _negative_kept(g: Tensor, pairs: Pairs) -> Tensor:
    if not pairs:
        return -g
    s, y = pairs[-1]
    return -_loops(g, pairs, (y @ s) / (y @ y))


def _oldest_scaling(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    if not usable:
        return -g
    s, y = usable[0]
    return -_loops(g, usable, (y @ s) / (y @ y))


def _wrong_order(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    if not usable:
        return -g
    s, y = usable[-1]
    return -_loops(g, usable[::-1], (y @ s) / (y @ y))


def _first_loop_alone(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    if not usable:
        return -g
    for s, y in reversed(usable):
        g = g - (s @ g) / (y @ s) * y
    s, y = usable[-1]
    return -(y @ s) / (y @ y) * g


def _rows() -> list[tuple[Tensor, Tensor]]:
    return [
        (_tensor(4), _tensor(4, 0.7)),
        (_tensor(3, 0.6) * 3, _tensor(3, 1.3)),
        (torch.zeros(1, dtype=torch.float64), _tensor(1)),
    ]


def _at_z(z: Tensor, gradient: Tensor) -> Tensor:
    x = z.sigmoid()
    return x * (1 - x) * gradient


EXERCISES = (
    Exercise(
        number="06.1",
        right=lambda low, high: 2 / (low + high),
        praise="Both ends shrink alike, with opposite signs.",
        cases=_spectra,
        mistakes=(
            Mistake(
                "the limit",
                lambda low, high: 2 / high,
                "That is the limit (6.2): the steepest direction does not "
                "shrink at all there.",
            ),
            Mistake(
                "safe for the steepest",
                lambda low, high: 1 / high,
                "That finishes the steepest direction in one step, and the "
                "flattest is slow. Something in between is better.",
            ),
            Mistake(
                "best for the flattest",
                lambda low, high: 1 / low,
                "That finishes the flattest direction, and the steepest "
                "grows.",
            ),
            Mistake(
                "mean forgotten",
                lambda low, high: 1 / (low + high),
                "It is half as long as it could be: which eigenvalue is "
                "finished in one step?",
            ),
            Mistake(
                "geometric mean",
                lambda low, high: (low * high) ** -0.5,
                "The factors 1 - eta lambda are linear in lambda: take the "
                "middle of the two ends, not the root of their product.",
            ),
        ),
    ),
    Exercise(
        number="06.2",
        right=lambda g, rate, epsilon: -rate * g / (g.abs() + epsilon),
        praise="At first only the sign counts, as far as epsilon allows.",
        cases=_gradients,
        tolerance=1e-9,
        mistakes=(
            Mistake(
                "sign turned",
                lambda g, rate, epsilon: rate * g / (g.abs() + epsilon),
                "That is added uphill: what Adam adds to x has a minus.",
            ),
            Mistake(
                "correction forgotten",
                lambda g, rate, epsilon: (
                    -rate * 0.1 * g / (0.001**0.5 * g.abs() + epsilon)
                ),
                "You left out the divisors 1 - beta^k, which make up for the "
                "start at 0.",
            ),
            Mistake(
                "gradient descent",
                lambda g, rate, epsilon: -rate * g,
                "That is gradient descent: the division is missing.",
            ),
            Mistake(
                "root forgotten",
                lambda g, rate, epsilon: -rate * g / (g**2 + epsilon),
                "The root over the mean square is missing.",
            ),
            Mistake(
                "epsilon under the root",
                lambda g, rate, epsilon: -rate * g / (g**2 + epsilon).sqrt(),
                "In (6.5) epsilon is added after the root.",
            ),
            Mistake(
                "epsilon forgotten",
                lambda g, rate, epsilon: -rate * g.sign(),
                "Without epsilon it would be this; for small gradients "
                "epsilon counts.",
            ),
        ),
    ),
    Exercise(
        number="06.3",
        right=_direction,
        praise="In, scale, out, and no pair of negative curvature.",
        cases=_steps,
        mistakes=(
            Mistake(
                "uphill",
                lambda g, pairs: -_direction(g, pairs),
                "That is B g. The direction of descent has a minus.",
            ),
            Mistake(
                "negative curvature kept",
                _negative_kept,
                "A pair with y.s <= 0 was used. Skip it: B would not be "
                "positive.",
            ),
            Mistake(
                "scaling forgotten",
                _no_scaling,
                "Between the loops q is multiplied by h; you took h = 1.",
            ),
            Mistake(
                "scaling of the oldest pair",
                _oldest_scaling,
                "h belongs to the newest pair; you took the oldest.",
            ),
            Mistake(
                "order turned round",
                _wrong_order,
                "The pairs come oldest first. On the way in the newest is "
                "the first to be used.",
            ),
            Mistake(
                "first loop alone",
                _first_loop_alone,
                "The way out is missing: (6.9), oldest pair first.",
            ),
            Mistake(
                "steepest descent",
                lambda g, pairs: -g,
                "That is -g: what the pairs know is not used.",
            ),
        ),
    ),
    Exercise(
        number="06.4",
        right=_at_z,
        praise="And at black and white the gate is all but shut.",
        cases=_rows,
        mistakes=(
            Mistake(
                "chain rule forgotten",
                lambda z, gradient: gradient,
                "That is the derivative with respect to x. How does x change "
                "with z?",
            ),
            Mistake(
                "z for x",
                lambda z, gradient: z * (1 - z) * gradient,
                "(6.11) has x (1 - x), and x is the sigmoid of z.",
            ),
            Mistake(
                "sigmoid for its derivative",
                lambda z, gradient: z.sigmoid() * gradient,
                "You multiplied by x. The derivative of the sigmoid has one "
                "more factor.",
            ),
            Mistake(
                "divided",
                lambda z, gradient: (
                    gradient / (z.sigmoid() * (1 - z.sigmoid()))
                ),
                "You divided by the derivative: that would be the way from z "
                "to x.",
            ),
            Mistake(
                "sign turned",
                lambda z, gradient: -_at_z(z, gradient),
                "The sign is turned: the sigmoid rises.",
            ),
        ),
    ),
)
