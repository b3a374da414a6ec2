"""Exercises of notebook 04: the style loss and its scales."""

from torch import Tensor

from styletut.exercises.ch04_style_gradient import STYLE_GRADIENT
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix, style_layer_loss


def _pairs() -> list[tuple[Tensor, Tensor, int]]:
    return [
        (waves(2, 3), gram_matrix(waves(2, 5, pace=1.7)), 5),
        (waves(4, 6, pace=0.6), gram_matrix(waves(4, 2, pace=2.1)), 2),
        (waves(3, 3, pace=1.1), gram_matrix(waves(3, 3, pace=0.8)), 3),
    ]


def _difference(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    return gram_matrix(F) / F.shape[1] - A / M_a


def _raw_loss(F: Tensor, A: Tensor, M_a: int) -> Tensor:
    N, M = F.shape
    return (gram_matrix(F) - A).square().sum() / (4 * N**2 * M**2)


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
                "style's count for both",
                lambda F, A, M_a: style_layer_loss(
                    F * (F.shape[1] / M_a) ** 0.5, A, M_a
                ),
                "You divided both Gram matrices by M_a. F has its own number "
                "of positions.",
            ),
            Mistake(
                "A not divided",
                lambda F, A, M_a: style_layer_loss(F, A, 1),
                "You divided G by its number of positions, and A by nothing.",
            ),
            Mistake(
                "G not divided",
                lambda F, A, M_a: style_layer_loss(
                    F * F.shape[1] ** 0.5, A, M_a
                ),
                "You divided A by its number of positions, and G by nothing.",
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
            Mistake(
                "squared norm alone",
                lambda F, A, M_a: _difference(F, A, M_a).square().sum(),
                "That is the squared norm of the difference. (4.4) divides it "
                "once more.",
            ),
            Mistake(
                "not summed",
                lambda F, A, M_a: (
                    _difference(F, A, M_a).square() / (4 * F.shape[0] ** 2)
                ),
                "You have one number for each entry. A loss is one number: "
                "their sum.",
            ),
        ),
    ),
    STYLE_GRADIENT,
    Exercise(
        number="04.3",
        right=(9.0, 1.0, 1.0, 81.0),
        praise="Only forms that divide by positions keep their balance.",
        mistakes=(
            Mistake(
                "side for area",
                (3.0, 1.0, 1.0, 9.0),
                "You took three times as many positions. Three times the "
                "side is nine times the area.",
            ),
            Mistake(
                "Gram matrix not squared",
                (9.0, 1.0, 1.0, 9.0),
                "G - A grows ninefold, and it is squared.",
            ),
            Mistake(
                "division by M forgotten",
                (9.0, 1.0, 81.0, 81.0),
                "(4.1) divides by M squared: what is left of the 81?",
            ),
            Mistake(
                "mean taken for the sum",
                (9.0, 9.0, 1.0, 81.0),
                "The mean form divides by the number of terms, which grows "
                "as well.",
            ),
            Mistake(
                "style as the content",
                (9.0, 1.0, 9.0, 81.0),
                "In (4.1) a numerator 81 times as large meets a denominator "
                "81 times as large.",
            ),
            Mistake(
                "twice the side",
                (4.0, 1.0, 1.0, 16.0),
                "These are the factors for twice the side. Here it is three "
                "times.",
            ),
            Mistake(
                "everything stays",
                (1.0, 1.0, 1.0, 1.0),
                "(2.1) is a sum over positions, and there are nine times as "
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
            Mistake(
                "half of the way back",
                lambda beta, N, M: beta * N**2,
                "You translated one of the two divisions, and in the other "
                "direction.",
            ),
            Mistake(
                "positions for the Gram matrix's N",
                lambda beta, N, M: beta / (N * M) ** 2,
                "You translated N M. Both forms divide by M; and what about "
                "the mean?",
            ),
            Mistake(
                "the paper's 4 left in",
                lambda beta, N, M: 4 * beta / N**4,
                "The power of N is right. The 4 belongs to the paper's E, "
                "which is not asked for.",
            ),
            Mistake(
                "divided by the paper's 4",
                lambda beta, N, M: beta / (4 * N**4),
                "The power of N is right. The 4 belongs to the paper's E, "
                "which is not asked for.",
            ),
            Mistake(
                "beta forgotten",
                lambda beta, N, M: 1 / N**4,
                "That is the factor. The exercise asks for the weight.",
            ),
        ),
    ),
)
