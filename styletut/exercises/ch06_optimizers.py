"""Exercises of notebook 06: optimizers and starts."""

import torch
from torch import Tensor

from styletut.exercises.ch06_two_loops import TWO_LOOPS
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves


def _spectra() -> list[tuple[float, float]]:
    return [(1.0, 9.0), (0.5, 2.0), (3.0, 3.0), (0.01, 1.0)]


def _gradients() -> list[tuple[Tensor, float, float]]:
    zero = torch.zeros(1, dtype=torch.float64)  # nothing may divide by it
    return [
        (torch.cat([waves(3, pace=0.7), zero]), 2.0, 0.5),
        (waves(5, pace=1.3) * 1e-3, 0.02, 0.1),
        (waves(4), 0.1, 1e-3),
    ]


def _rows() -> list[tuple[Tensor, Tensor]]:
    return [
        (waves(4), waves(4, pace=0.7)),
        (waves(3, pace=0.6) * 3, waves(3, pace=1.3)),
        (torch.zeros(1, dtype=torch.float64), waves(1)),
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
            Mistake(
                "difference for sum",
                lambda low, high: 2 / (high - low),
                "The factors at both ends are opposite: 1 - eta low = -(1 - "
                "eta high). Check the signs when you solve it.",
            ),
            Mistake(
                "mean of the rates",
                lambda low, high: (1 / low + 1 / high) / 2,
                "You took the mean of the best rates for both ends. The "
                "factors are linear in lambda, not in 1/lambda.",
            ),
            Mistake(
                "eigenvalue for rate",
                lambda low, high: (low + high) / 2,
                "That is an eigenvalue, the middle of both. Which rate "
                "finishes it in one step?",
            ),
            Mistake(
                "factor for rate",
                lambda low, high: (high - low) / (high + low),
                "That is the worst factor at the best rate. The exercise asks "
                "for the rate.",
            ),
            Mistake(
                "limit of the flattest",
                lambda low, high: 2 / low,
                "That is the limit for the flattest direction; the steepest "
                "grows.",
            ),
            Mistake(
                "with momentum",
                lambda low, high: 4 / (low**0.5 + high**0.5) ** 2,
                "That is the best rate with momentum. Here there is none.",
            ),
        ),
    ),
    Exercise(
        number="06.2",
        right=lambda g, rate, epsilon: -rate * g / (g.abs() + epsilon),
        praise="At first only the sign counts, as far as epsilon allows.",
        cases=_gradients,
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
            Mistake(
                "sign lost",
                lambda g, rate, epsilon: -rate * g / (g + epsilon),
                "The root of a square is never negative, and your divisor is.",
            ),
            Mistake(
                "only m corrected",
                lambda g, rate, epsilon: (
                    -rate * g / (0.001**0.5 * g.abs() + epsilon)
                ),
                "m_1 has its divisor 1 - beta^k, and m_2 has one, too.",
            ),
            Mistake(
                "only s corrected",
                lambda g, rate, epsilon: -rate * 0.1 * g / (g.abs() + epsilon),
                "m_2 has its divisor 1 - beta^k, and m_1 has one, too.",
            ),
            Mistake(
                "one length for all",
                lambda g, rate, epsilon: -rate * g / (g.norm() + epsilon),
                "You divided by the length of the whole gradient. Adam "
                "divides each entry by its own.",
            ),
            Mistake(
                "rate forgotten",
                lambda g, rate, epsilon: -g / (g.abs() + epsilon),
                "The rate is missing.",
            ),
            Mistake(
                "added to g",
                lambda g, rate, epsilon: g - rate * g / (g.abs() + epsilon),
                "You added the step to g. The exercise asks for the step "
                "alone.",
            ),
        ),
    ),
    TWO_LOOPS,
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
            Mistake(
                "other factor alone",
                lambda z, gradient: (1 - z.sigmoid()) * gradient,
                "You multiplied by 1 - x. The derivative of the sigmoid has "
                "one more factor.",
            ),
            Mistake(
                "gradient forgotten",
                lambda z, gradient: z.sigmoid() * (1 - z.sigmoid()),
                "That is the derivative of x. By the chain rule the given "
                "gradient comes in as well.",
            ),
            Mistake(
                "x squared",
                lambda z, gradient: z.sigmoid() ** 2 * gradient,
                "You multiplied by x twice. One of the two factors is "
                "another.",
            ),
            Mistake(
                "half z, half x",
                lambda z, gradient: z.sigmoid() * (1 - z) * gradient,
                "One factor has x, the other still has z. (6.11) has x in "
                "both.",
            ),
            Mistake(
                "arguments swapped",
                lambda z, gradient: _at_z(gradient, z),
                "You put the gradient into the sigmoid: z comes first.",
            ),
            Mistake(
                "tanh",
                lambda z, gradient: (1 - z.tanh() ** 2) * gradient,
                "That is the derivative of tanh. The sigmoid is flatter and "
                "runs from 0 to 1.",
            ),
        ),
    ),
)
