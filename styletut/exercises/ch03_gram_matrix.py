"""Exercises of notebook 03: the Gram matrix."""

from torch import Tensor

from styletut.exercises.ch03_directions import DIRECTIONS
from styletut.exercises.ch03_discrepancy import DISCREPANCY
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix


def _maps() -> list[tuple[Tensor]]:
    return [
        (waves(2, 3, 2, 4),),
        (waves(1, 4, 3, 2, pace=1.7),),
        (waves(3, 2, 1, 5, pace=0.6),),
        (waves(2, 3, 3, 3, pace=2.3),),
    ]


def _mixed_batch(F: Tensor) -> Tensor:
    rows = F.reshape(F.shape[0] * F.shape[1], -1)
    return rows @ rows.T


def _summed_over_the_batch(F: Tensor) -> Tensor:
    return gram_matrix(F).sum(0)


def _of_positions(F: Tensor) -> Tensor:
    flat = F.flatten(2)
    return flat.transpose(1, 2) @ flat


def _reshaped_wrongly(F: Tensor) -> Tensor:
    wrong = F.permute(0, 2, 3, 1).reshape(F.shape[0], F.shape[1], -1)
    return wrong @ wrong.transpose(1, 2)


def _reshaped_for_transposed(F: Tensor) -> Tensor:
    wrong = F.reshape(F.shape[0], -1, F.shape[1])
    return wrong.mT @ wrong


def _positions(F: Tensor) -> int:
    return F.shape[2] * F.shape[3]


EXERCISES = (
    Exercise(
        number="03.1",
        right=gram_matrix,
        praise="One Gram matrix for each picture, channels by channels.",
        cases=_maps,
        gradient=True,
        mistakes=(
            Mistake(
                "batch mixed into channels",
                _mixed_batch,
                "You made rows of all channels of all pictures, so that "
                "pictures are multiplied with each other. Keep the first "
                "axis.",
            ),
            Mistake(
                "batch mixed in, and divided",
                lambda F: _mixed_batch(F) / F.numel(),
                "That is the tutorial's: rows of all channels of all "
                "pictures, divided by the number of entries. Keep the first "
                "axis, and (3.1) is the bare sum.",
            ),
            Mistake(
                "summed over the batch",
                _summed_over_the_batch,
                "You added the Gram matrices of the pictures up. Each "
                "picture has its own.",
            ),
            Mistake(
                "Gram of positions",
                _of_positions,
                "That is M x M: which places are alike. (3.1) compares "
                "channels.",
            ),
            Mistake(
                "transposed with reshape",
                _reshaped_wrongly,
                "The shapes fit and the numbers do not: you moved the "
                "channels last and then reshaped, which mixes channels and "
                "positions.",
            ),
            Mistake(
                "divided by the positions",
                lambda F: gram_matrix(F) / _positions(F),
                "You divided by M. That is a good idea, and notebook 04's, "
                "but (3.1) is the bare sum.",
            ),
            Mistake(
                "divided by channels and positions",
                lambda F: gram_matrix(F) / (F.shape[1] * _positions(F)),
                "You divided by N M, as some tutorials do. (3.1) is the bare "
                "sum.",
            ),
            Mistake(
                "divided by all entries",
                lambda F: gram_matrix(F) / F.numel(),
                "You divided by the number of all entries, the batch's too. "
                "(3.1) is the bare sum.",
            ),
            Mistake(
                "not flattened",
                lambda F: F @ F.mT,
                "You multiplied the rows of each map. First height and width "
                "become one axis, the positions.",
            ),
            Mistake(
                "reshaped for transposed",
                _reshaped_for_transposed,
                "`reshape` with the axes exchanged does not transpose: it "
                "reads the same numbers in another order.",
            ),
            Mistake(
                "means taken out",
                lambda F: gram_matrix(F - F.mean((2, 3), keepdim=True)),
                "You subtracted the means. That leads to the covariance "
                "(3.3); (3.1) leaves them in.",
            ),
            Mistake(
                "first picture alone",
                lambda F: gram_matrix(F)[0],
                "You returned the Gram matrix of the first picture. The batch "
                "may have more, each with its own.",
            ),
        ),
    ),
    DIRECTIONS,
    Exercise(
        number="03.3",
        right=(30752, 131328),
        praise="A few patches cannot fill a large Gram matrix.",
        mistakes=(
            Mistake(
                "all entries",
                (262144, 262144),
                "These are all N^2 entries. The matrix is symmetric.",
            ),
            Mistake(
                "symmetry alone",
                (131328, 131328),
                "You used the symmetry. At the smaller picture there are "
                "fewer positions than channels: see the second line of "
                "(3.6).",
            ),
            Mistake(
                "rotations forgotten",
                (32768, 131328),
                "N M counts the numbers in F. Which changes of F leave G as "
                "it is?",
            ),
            Mistake(
                "reflection counted as numbers",
                (30688, 131328),
                "You took off M(M + 1)/2. Rotations of M axes have "
                "M(M - 1)/2 free angles: one for each pair.",
            ),
            Mistake(
                "diagonal forgotten",
                (30752, 130816),
                "N(N - 1)/2 leaves out the diagonal, which is free as well.",
            ),
            Mistake(
                "side for area",
                (4068, 16264),
                "You took the positions of one side, 8 and 32. M counts "
                "those of the whole map.",
            ),
            Mistake(
                "one pooling too few",
                (98432, 131328),
                "You divided the sides by 8. Four poolings lie before "
                "relu5_1.",
            ),
            Mistake(
                "one pooling too many",
                (8072, 98432),
                "You divided the sides by 32. The fifth pooling comes after "
                "relu5_1.",
            ),
            Mistake(
                "pair turned round",
                (131328, 30752),
                "The numbers are right; the smaller picture comes first.",
            ),
        ),
    ),
    DISCREPANCY,
)
