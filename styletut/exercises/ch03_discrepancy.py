"""Exercise of notebook 03: two clouds of points compared."""

from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix


def _clouds() -> list[tuple[Tensor, Tensor]]:
    return [
        (waves(2, 3), waves(2, 5, pace=1.7)),
        (waves(4, 6, pace=0.6), waves(4, 2, pace=2.1) + 1),
        (waves(3, 3, pace=1.1), waves(3, 3, pace=0.8)),
    ]


def _difference(F: Tensor, S: Tensor) -> Tensor:
    return gram_matrix(F) / F.shape[1] - gram_matrix(S) / S.shape[1]


def _discrepancy(F: Tensor, S: Tensor) -> Tensor:
    return _difference(F, S).square().sum()


def _one_count(F: Tensor, S: Tensor) -> Tensor:
    difference = gram_matrix(F) - gram_matrix(S)
    return (difference / F.shape[1]).square().sum()


def _counts_exchanged(F: Tensor, S: Tensor) -> Tensor:
    difference = gram_matrix(F) / S.shape[1] - gram_matrix(S) / F.shape[1]
    return difference.square().sum()


def _unbiased(F: Tensor, S: Tensor) -> Tensor:
    def within(U: Tensor) -> Tensor:
        kernel = (U.T @ U).square()
        M = U.shape[1]
        return (kernel.sum() - kernel.diagonal().sum()) / (M * (M - 1))

    return within(F) + within(S) - 2 * (F.T @ S).square().mean()


def _of_means(F: Tensor, S: Tensor) -> Tensor:
    return (F.mean(1) - S.mean(1)).square().sum()


def _of_kernels(F: Tensor, S: Tensor, across: float) -> Tensor:
    within = (F.T @ F).square().mean() + (S.T @ S).square().mean()
    return within + across * (F.T @ S).square().mean()


DISCREPANCY = Exercise(
    number="03.4",
    right=_discrepancy,
    praise="Two matrix products, and no pair was ever compared.",
    cases=_clouds,
    mistakes=(
        Mistake(
            "one count for both",
            _one_count,
            "You divided both Gram matrices by the same M. Each cloud has "
            "its own number of points.",
        ),
        Mistake(
            "no division by positions",
            lambda F, S: (gram_matrix(F) - gram_matrix(S)).square().sum(),
            "In (3.8) each Gram matrix is divided by its number of positions.",
        ),
        Mistake(
            "counts exchanged",
            _counts_exchanged,
            "You divided F's Gram matrix by S's number of points, and the "
            "other way round.",
        ),
        Mistake(
            "mean for sum",
            lambda F, S: _difference(F, S).square().mean(),
            "You took the mean over the N^2 entries. (3.8) is the squared "
            "norm, their sum.",
        ),
        Mistake(
            "root too much",
            lambda F, S: _difference(F, S).norm(),
            "That is the norm. (3.8) is its square.",
        ),
        Mistake(
            "not summed",
            lambda F, S: _difference(F, S).square(),
            "These are the squares of all entries. (3.8) is one number: "
            "their sum.",
        ),
        Mistake(
            "absolute values for squares",
            lambda F, S: _difference(F, S).abs().sum(),
            "You summed sizes of differences; (3.8) sums their squares.",
        ),
        Mistake(
            "style loss",
            lambda F, S: _discrepancy(F, S) / (4 * F.shape[0] ** 2),
            "You divided by 4 N^2. The paper's style loss is this distance "
            "with that factor, and (3.8) has none.",
        ),
        Mistake(
            "unbiased estimate",
            _unbiased,
            "You left out the pairs i = j. (3.7) keeps them; only then (3.8) "
            "holds.",
        ),
        Mistake(
            "means only",
            _of_means,
            "That belongs to the kernel K(u, v) = u^T v, which sees the "
            "means alone.",
        ),
        Mistake(
            "cross term once",
            lambda F, S: _of_kernels(F, S, -1),
            "The term across the clouds comes with a factor 2.",
        ),
        Mistake(
            "cross term added",
            lambda F, S: _of_kernels(F, S, 2),
            "You added the term across the clouds. For two equal clouds the "
            "discrepancy must be 0.",
        ),
    ),
)
