"""Exercises of notebook 04: the style loss and its scales."""

import torch
from torch import Tensor

from styletut.exercises.verdict import Exercise, Mistake
from styletut.losses import (
    gram_matrix,
    relu_gate,
    style_layer_gradient,
    style_layer_loss,
)


def _tensor(*shape: int, pace: float = 1.0) -> Tensor:
    """Numbers of both signs, the same on every machine."""
    count = torch.Size(shape).numel()
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return (numbers.square().mul(pace).sin() * 2).reshape(shape)


def _pairs() -> list[tuple[Tensor, Tensor, int]]:
    return [
        (_tensor(2, 3), gram_matrix(_tensor(2, 5, pace=1.7)), 5),
        (_tensor(4, 6, pace=0.6), gram_matrix(_tensor(4, 2, pace=2.1)), 2),
        (_tensor(3, 3, pace=1.1), gram_matrix(_tensor(3, 3, pace=0.8)), 3),
    ]


def _rectified() -> list[tuple[Tensor, Tensor, int]]:
    return [(F.relu(), A, M_a) for F, A, M_a in _pairs()]


def _difference(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return gram_matrix(F) / F.shape[1] - A / M_a


def _raw_loss(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    N, M = F.shape
    return (gram_matrix(F) - A).square().sum() / (4 * N**2 * M**2)


def _mean_gradient(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return 4 * style_layer_gradient(F, A, M_a)


def _through_the_relu(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return relu_gate(_mean_gradient(F, A, M_a), F)


def _of_positions(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    difference = gram_matrix(F) / F.shape[1] - A / M_a
    turned = (F.T @ difference).T
    return relu_gate(turned * 4 / F.shape[0] ** 2, F)


def _layers() -> list[tuple[float, int, int]]:
    return [(1e6, 64, 1024), (3.0, 128, 256), (1.0, 2, 3), (0.5, 1, 7)]


EXERCISES = (
    Exercise(
        number="04.1",
        right=style_layer_loss,
        praise="Each Gram matrix by its own number of positions.",
        cases=_pairs,
        gradient=True,
        mistakes=(
            Mistake(
                "one count for both",
                _raw_loss,
                "You divided both Gram matrices by F's number of positions. "
                "The style picture has M_a.",
            ),
            Mistake(
                "factor 1/4 missing",
                lambda F, A, M_a: 4 * style_layer_loss(F, A, M_a),
                "It is four times too large: a mean over the entries has no "
                "1/4, (4.4) has.",
            ),
            Mistake(
                "sum for mean",
                lambda F, A, M_a: _difference(F, A, M_a).square().sum() / 4,
                "The division by N^2 is missing.",
            ),
            Mistake(
                "no division by positions",
                lambda F, A, M_a: (
                    (gram_matrix(F) - A).square().sum() / (4 * F.shape[0] ** 2)
                ),
                "You compared sums over different numbers of positions: "
                "divide each Gram matrix by its own.",
            ),
            Mistake(
                "absolute values for squares",
                lambda F, A, M_a: (
                    _difference(F, A, M_a).abs().sum() / (4 * F.shape[0] ** 2)
                ),
                "You summed sizes of differences, not their squares.",
            ),
            Mistake(
                "N not squared",
                lambda F, A, M_a: style_layer_loss(F, A, M_a) * F.shape[0],
                "There are N^2 entries, not N.",
            ),
            Mistake(
                "style divided twice",
                lambda F, A, M_a: style_layer_loss(F, A / M_a, M_a),
                "A was divided by M_a twice.",
            ),
        ),
    ),
    Exercise(
        number="04.2",
        right=_through_the_relu,
        praise="Four times (4.4)'s, and the gate.",
        cases=_rectified,
        mistakes=(
            Mistake(
                "missing ReLU gate",
                _mean_gradient,
                "That is the derivative with respect to F. On the way to Z "
                "the gate (2.3) is missing.",
            ),
            Mistake(
                "the paper's scale",
                lambda F, A, M_a: relu_gate(
                    style_layer_gradient(F, A, M_a), F
                ),
                "That belongs to (4.4) with its 1/4. The mean is four times "
                "as large.",
            ),
            Mistake(
                "factor 2 for two places",
                lambda F, A, M_a: _through_the_relu(F, A, M_a) / 2,
                "It is half of what it should be: one factor 2 comes from "
                "the square, another from F standing in F F^T twice.",
            ),
            Mistake(
                "no division by positions",
                _of_positions,
                "G/M changes by 1/M when F does: one more factor 1/M.",
            ),
            Mistake(
                "sum for mean",
                lambda F, A, M_a: (
                    _through_the_relu(F, A, M_a) * F.shape[0] ** 2
                ),
                "That is the derivative of the sum; the mean is over N^2 "
                "entries.",
            ),
            Mistake(
                "one count for both",
                lambda F, A, M_a: relu_gate(
                    4 * style_layer_gradient(F, A, F.shape[1]), F
                ),
                "You divided A by F's number of positions. It has its own.",
            ),
            Mistake(
                "sign turned",
                lambda F, A, M_a: -_through_the_relu(F, A, M_a),
                "The sign is turned: that is the direction of descent.",
            ),
        ),
    ),
    Exercise(
        number="04.3",
        right=(4.0, 1.0, 1.0, 16.0),
        praise="Only forms that divide by positions keep their balance.",
        mistakes=(
            Mistake(
                "side for area",
                (2.0, 1.0, 1.0, 4.0),
                "You took twice as many positions. Twice the side is four "
                "times the area.",
            ),
            Mistake(
                "Gram matrix not squared",
                (4.0, 1.0, 1.0, 4.0),
                "G - A grows fourfold, and it is squared.",
            ),
            Mistake(
                "division by M forgotten",
                (4.0, 1.0, 16.0, 16.0),
                "(4.1) divides by M squared: what is left of the 16?",
            ),
            Mistake(
                "mean taken for the sum",
                (4.0, 4.0, 1.0, 16.0),
                "The mean form divides by the number of terms, which grows "
                "as well.",
            ),
            Mistake(
                "style as the content",
                (4.0, 1.0, 4.0, 16.0),
                "In (4.1) a numerator 16 times as large meets a denominator "
                "16 times as large.",
            ),
            Mistake(
                "everything stays",
                (1.0, 1.0, 1.0, 1.0),
                "(2.1) is a sum over positions, and there are four times as "
                "many.",
            ),
        ),
    ),
    Exercise(
        number="04.4",
        right=lambda beta, N, M: beta / N**4,
        praise="Deep layers, with many channels, get next to nothing.",
        cases=_layers,
        mistakes=(
            Mistake(
                "mean forgotten",
                lambda beta, N, M: beta / N**2,
                "You translated the division of the Gram matrix. The mean "
                "over N^2 entries has become a sum, too.",
            ),
            Mistake(
                "direction turned round",
                lambda beta, N, M: beta * N**4,
                "You translated the other way round.",
            ),
            Mistake(
                "weight of the paper's E",
                lambda beta, N, M: 4 * beta / N**2,
                "That is kappa times beta, the weight of the paper's E. The "
                "exercise asks for the sum of (G/M - A/M)^2.",
            ),
            Mistake(
                "divisor not squared",
                lambda beta, N, M: beta / N**3,
                "The difference is squared, and its divisor with it.",
            ),
            Mistake(
                "positions as well",
                lambda beta, N, M: beta / (N**4 * M**2),
                "Both forms divide by M already; it cancels.",
            ),
            Mistake(
                "positions not cancelled",
                lambda beta, N, M: beta * M**2 / N**2,
                "M belongs to both divisors; only N differs.",
            ),
        ),
    ),
)
