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
        right=(3.0, 3.8),
        praise="With momentum a longer step is allowed, not a shorter one.",
        tolerance=0.01,
        mistakes=(
            Mistake(
                "without momentum",
                (2.0, 2.0),
                "That is (6.2), the limit without momentum. Does the last "
                "velocity take part in your steps?",
            ),
            Mistake(
                "guess of a shorter step",
                (1.0, 0.2),
                "That is a guess: a step that momentum makes 1/(1 - mu) times "
                "as long would have to be that much shorter. Measure it.",
            ),
            Mistake(
                "guess of a longer step",
                (4.0, 20.0),
                "That is a guess, 2/(1 - mu). Measure it: what becomes of the "
                "error there?",
            ),
            Mistake(
                "rates for products",
                (0.03, 0.038),
                "Those are rates. Multiply them by the largest eigenvalue.",
            ),
            Mistake(
                "flat direction alone",
                (300.0, 380.0),
                "You watched the flat direction alone. The steep one is gone "
                "long before.",
            ),
            Mistake(
                "order turned round",
                (3.8, 3.0),
                "Both numbers are there: which of them belongs to 0.5?",
            ),
            Mistake(
                "running mean of the gradient",
                (6.0, 38.0),
                "Your velocity takes (1 - mu) of the gradient, as Adam's mean "
                "does. (6.4) takes all of it.",
            ),
            Mistake(
                "gradient ahead",
                (1.5, 3.8 / 2.8),
                "You took the gradient at x + mu v: that is Nesterov's "
                "variant. (6.4) takes it at x.",
            ),
        ),
    ),
)
