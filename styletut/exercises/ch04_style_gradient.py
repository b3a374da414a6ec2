"""Exercise of notebook 04: the gradient of a mean of squares."""

from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix, relu_gate, style_layer_gradient


def _rectified() -> list[tuple[Tensor, Tensor, int]]:
    return [
        (waves(2, 3).relu(), gram_matrix(waves(2, 5, pace=1.7)), 5),
        (waves(4, 6, pace=0.6).relu(), gram_matrix(waves(4, 2, pace=2.1)), 2),
        (waves(3, 3, pace=1.1).relu(), gram_matrix(waves(3, 3, pace=0.8)), 3),
    ]


def _mean_gradient(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return 4 * style_layer_gradient(F, A, M_a)


def _through_the_relu(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return relu_gate(_mean_gradient(F, A, M_a), F)


def _at_the_gram_matrix(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    difference = gram_matrix(F) / F.shape[1] - A / M_a
    return 2 * difference / F.shape[0] ** 2


STYLE_GRADIENT = Exercise(
    number="04.2",
    right=_through_the_relu,
    praise="Four times (4.4)'s, and the gate.",
    cases=_rectified,
    mistakes=(
        Mistake(
            "missing ReLU gate",
            _mean_gradient,
            "That is the derivative with respect to F. On the way to Z the "
            "gate (2.3) is missing, or open everywhere: F is never below 0.",
        ),
        Mistake(
            "the paper's scale",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) / 4,
            "That belongs to (4.4) with its 1/4. The mean is four times as "
            "large.",
        ),
        Mistake(
            "the paper's scale, without a gate",
            style_layer_gradient,
            "That is the derivative of (4.4) with respect to F. The mean is "
            "larger than (4.4), and a gate lies on the way to Z.",
        ),
        Mistake(
            "factor 2 for two places",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) / 2,
            "It is half of what it should be: one factor 2 comes from the "
            "square, another from F standing in F F^T twice.",
        ),
        Mistake(
            "no division by positions",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) * F.shape[1],
            "G/M changes by 1/M when F does: one more factor 1/M.",
        ),
        Mistake(
            "the other picture's positions",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) * F.shape[1] / M_a,
            "You divided by M_a at the end. G/M changes with F: by whose "
            "number of positions?",
        ),
        Mistake(
            "one count for both",
            lambda F, A, M_a: _through_the_relu(F, A, F.shape[1]),
            "You divided A by F's number of positions. It has its own.",
        ),
        Mistake(
            "sum for mean",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) * F.shape[0] ** 2,
            "That is the derivative of the sum; the mean is over N^2 entries.",
        ),
        Mistake(
            "N not squared",
            lambda F, A, M_a: _through_the_relu(F, A, M_a) * F.shape[0],
            "You divided by N. How many entries has a Gram matrix?",
        ),
        Mistake(
            "stopped at the Gram matrix",
            _at_the_gram_matrix,
            "That is the derivative with respect to G/M. From there it goes "
            "on to F, and then to Z.",
        ),
        Mistake(
            "gradient rectified",
            lambda F, A, M_a: _mean_gradient(F, A, M_a).relu(),
            "You cut off the negative part of the gradient. The gate asks "
            "whether F is positive, not whether the gradient is.",
        ),
        Mistake(
            "sign turned",
            lambda F, A, M_a: -_through_the_relu(F, A, M_a),
            "The sign is turned: that is the direction of descent.",
        ),
    ),
)
