"""Exercises of notebook 03: the Gram matrix."""

import torch
from torch import Tensor

from styletut.exercises.verdict import Exercise, Mistake
from styletut.losses import gram_matrix


def _tensor(*shape: int, pace: float = 1.0) -> Tensor:
    """Numbers of both signs, the same on every machine."""
    count = torch.Size(shape).numel()
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return (numbers.square().mul(pace).sin() * 2).reshape(shape)


def _maps() -> list[tuple[Tensor]]:
    return [
        (_tensor(2, 3, 2, 4),),
        (_tensor(1, 4, 3, 2, pace=1.7),),
        (_tensor(3, 2, 1, 5, pace=0.6),),
        (_tensor(2, 3, 3, 3, pace=2.3),),
    ]


def _matrices() -> list[tuple[Tensor]]:
    return [
        (_tensor(2, 3),),
        (_tensor(4, 7, pace=1.7),),
        (_tensor(3, 2, pace=0.6) + 1,),
        (_tensor(5, 5, pace=2.3),),
    ]


def _clouds() -> list[tuple[Tensor, Tensor]]:
    return [
        (_tensor(2, 3), _tensor(2, 5, pace=1.7)),
        (_tensor(4, 6, pace=0.6), _tensor(4, 2, pace=2.1) + 1),
        (_tensor(3, 3, pace=1.1), _tensor(3, 3, pace=0.8)),
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


def _positions(F: Tensor) -> int:
    return F.shape[2] * F.shape[3]


def _covariance(F: Tensor) -> Tensor:
    return torch.cov(F, correction=0)


def _mean_products(F: Tensor) -> Tensor:
    mean = F.mean(1)
    return torch.outer(mean, mean)


def _discrepancy(F: Tensor, S: Tensor) -> Tensor:
    difference = gram_matrix(F) / F.shape[1] - gram_matrix(S) / S.shape[1]
    return difference.square().sum()


def _one_count(F: Tensor, S: Tensor) -> Tensor:
    difference = gram_matrix(F) - gram_matrix(S)
    return (difference / F.shape[1]).square().sum()


def _unbiased(F: Tensor, S: Tensor) -> Tensor:
    def within(U: Tensor) -> Tensor:
        kernel = (U.T @ U).square()
        M = U.shape[1]
        return (kernel.sum() - kernel.diagonal().sum()) / (M * (M - 1))

    return within(F) + within(S) - 2 * (F.T @ S).square().mean()


def _of_means(F: Tensor, S: Tensor) -> Tensor:
    return (F.mean(1) - S.mean(1)).square().sum()


def _cross_once(F: Tensor, S: Tensor) -> Tensor:
    within = (F.T @ F).square().mean() + (S.T @ S).square().mean()
    return within - (F.T @ S).square().mean()


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
        ),
    ),
    Exercise(
        number="03.2",
        right=_covariance,
        praise="What is left when the means are taken out of G/M.",
        cases=_matrices,
        mistakes=(
            Mistake(
                "no division by positions",
                lambda F: gram_matrix(F) - _mean_products(F),
                "In (3.3) the Gram matrix is divided by M before the means "
                "are taken off.",
            ),
            Mistake(
                "means left in",
                lambda F: gram_matrix(F) / F.shape[1],
                "That is the second moment G/M. The outer product of the "
                "means is still inside.",
            ),
            Mistake(
                "means of positions",
                lambda F: gram_matrix(F - F.mean(0)) / F.shape[1],
                "You subtracted the mean over the channels at each position. "
                "mu is the mean of each channel over the positions.",
            ),
            Mistake(
                "one less than M",
                lambda F: torch.cov(F),
                "You divided by M - 1, as statisticians do to estimate. (3.3) "
                "holds with M.",
            ),
            Mistake(
                "mean products added",
                lambda F: gram_matrix(F) / F.shape[1] + _mean_products(F),
                "The sign: solve (3.3) for Cov.",
            ),
            Mistake(
                "one mean for all channels",
                lambda F: gram_matrix(F - F.mean()) / F.shape[1],
                "You subtracted one number, the mean of everything. Each "
                "channel has a mean of its own.",
            ),
            Mistake(
                "correlation",
                torch.corrcoef,
                "You also divided by the standard deviations: that is the "
                "correlation.",
            ),
        ),
    ),
    Exercise(
        number="03.3",
        right=(98432, 131328),
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
                (131072, 131328),
                "N M counts the numbers in F. Which changes of F leave G as "
                "it is?",
            ),
            Mistake(
                "reflection counted as numbers",
                (98176, 131328),
                "You took off M(M + 1)/2. Rotations of M axes have "
                "M(M - 1)/2 free angles: one for each pair.",
            ),
            Mistake(
                "diagonal forgotten",
                (98432, 130816),
                "N(N - 1)/2 leaves out the diagonal, which is free as well.",
            ),
            Mistake(
                "pair turned round",
                (131328, 98432),
                "The numbers are right; the smaller picture comes first.",
            ),
        ),
    ),
    Exercise(
        number="03.4",
        right=_discrepancy,
        praise="Two matrix products, and no pair was ever compared.",
        cases=_clouds,
        mistakes=(
            Mistake(
                "one count for both",
                _one_count,
                "You divided both Gram matrices by the same M. Each cloud "
                "has its own number of points.",
            ),
            Mistake(
                "no division by positions",
                lambda F, S: (gram_matrix(F) - gram_matrix(S)).square().sum(),
                "In (3.8) each Gram matrix is divided by its number of "
                "positions.",
            ),
            Mistake(
                "mean for sum",
                lambda F, S: _discrepancy(F, S) / F.shape[0] ** 2,
                "You took the mean over the N^2 entries. (3.8) is the squared "
                "norm, their sum.",
            ),
            Mistake(
                "root too much",
                lambda F, S: _discrepancy(F, S).sqrt(),
                "That is the norm. (3.8) is its square.",
            ),
            Mistake(
                "unbiased estimate",
                _unbiased,
                "You left out the pairs i = j. (3.7) keeps them; only then "
                "(3.8) holds.",
            ),
            Mistake(
                "means only",
                _of_means,
                "That belongs to the kernel k(u, v) = u^T v, which sees the "
                "means alone.",
            ),
            Mistake(
                "cross term once",
                _cross_once,
                "The term across the clouds comes with a factor 2.",
            ),
        ),
    ),
)
