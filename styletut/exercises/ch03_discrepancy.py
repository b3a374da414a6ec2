"""Exercise of notebook 03: two clouds of points compared."""

from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix


def _clouds() -> list[tuple[Tensor, Tensor, float]]:
    return [
        (waves(2, 3), waves(2, 5, pace=1.7), 0.5),
        (waves(4, 6, pace=0.6), waves(4, 2, pace=2.1) + 1, 3.0),
        (waves(3, 3, pace=1.1), waves(3, 3, pace=0.8), 1.0),
    ]


def _second(F: Tensor, S: Tensor) -> Tensor:
    return gram_matrix(F) / F.shape[1] - gram_matrix(S) / S.shape[1]


def _first(F: Tensor, S: Tensor) -> Tensor:
    return F.mean(1) - S.mean(1)


def _discrepancy(F: Tensor, S: Tensor, c: float) -> Tensor:
    seconds = _second(F, S).square().sum()
    return seconds + 2 * c * _first(F, S).square().sum()


def _with_means(F: Tensor, S: Tensor, weight: float) -> Tensor:
    return _second(F, S).square().sum() + weight * _first(F, S).square().sum()


def _one_count(F: Tensor, S: Tensor, c: float) -> Tensor:
    seconds = (gram_matrix(F) - gram_matrix(S)) / F.shape[1]
    firsts = (F.sum(1) - S.sum(1)) / F.shape[1]
    return seconds.square().sum() + 2 * c * firsts.square().sum()


def _undivided(F: Tensor, S: Tensor, c: float) -> Tensor:
    seconds = gram_matrix(F) - gram_matrix(S)
    return seconds.square().sum() + 2 * c * _first(F, S).square().sum()


def _of_kernels(F: Tensor, S: Tensor, c: float, across: float) -> Tensor:
    within = (F.T @ F + c).square().mean() + (S.T @ S + c).square().mean()
    return within + across * (F.T @ S + c).square().mean()


def _unbiased(F: Tensor, S: Tensor, c: float) -> Tensor:
    def within(U: Tensor) -> Tensor:
        kernel = (U.T @ U + c).square()
        M = U.shape[1]
        return (kernel.sum() - kernel.diagonal().sum()) / (M * (M - 1))

    return within(F) + within(S) - 2 * (F.T @ S + c).square().mean()


DISCREPANCY = Exercise(
    number="03.4",
    right=_discrepancy,
    praise="Second moments and means, and the constant decides which counts.",
    cases=_clouds,
    mistakes=(
        Mistake(
            "second moments only",
            lambda F, S, c: _with_means(F, S, 0),
            "That is (3.8), for c = 0. Multiply out (u^T v + c)^2: which "
            "term is between the first and the last?",
        ),
        Mistake(
            "means only",
            lambda F, S, c: 2 * c * _first(F, S).square().sum(),
            "You kept the means and lost the second moments, the term "
            "(u^T v)^2.",
        ),
        Mistake(
            "middle term once",
            lambda F, S, c: _with_means(F, S, c),
            "(u^T v + c)^2 has its middle term twice.",
        ),
        Mistake(
            "without the constant",
            lambda F, S, c: _with_means(F, S, 2),
            "How much the means count depends on c.",
        ),
        Mistake(
            "constant squared",
            lambda F, S, c: _with_means(F, S, 2 * c**2),
            "You gave the middle term a factor c^2; it has one c. If you "
            "appended a coordinate to each point: its square must be c.",
        ),
        Mistake(
            "constant kept",
            lambda F, S, c: _discrepancy(F, S, c) + c**2,
            "You added c^2. In (3.7) a constant kernel comes twice with plus "
            "and twice with minus.",
        ),
        Mistake(
            "one count for both",
            _one_count,
            "You divided both clouds' sums by the same M. Each cloud has its "
            "own number of points.",
        ),
        Mistake(
            "no division by positions",
            _undivided,
            "Each Gram matrix is divided by its number of positions, as in "
            "(3.8).",
        ),
        Mistake(
            "mean for sum",
            lambda F, S, c: (
                _second(F, S).square().mean()
                + 2 * c * _first(F, S).square().mean()
            ),
            "You took the mean over the entries. (3.8) is the squared norm, "
            "their sum.",
        ),
        Mistake(
            "norms for squares",
            lambda F, S, c: _second(F, S).norm() + 2 * c * _first(F, S).norm(),
            "You added norms. Both terms are squares of norms.",
        ),
        Mistake(
            "root too much",
            lambda F, S, c: _discrepancy(F, S, c).sqrt(),
            "That is the discrepancy. (3.7) is its square.",
        ),
        Mistake(
            "style loss",
            lambda F, S, c: _discrepancy(F, S, c) / (4 * F.shape[0] ** 2),
            "You divided by 4 N^2. The paper's style loss is this distance "
            "with that factor, and (3.7) has none.",
        ),
        Mistake(
            "unbiased estimate",
            _unbiased,
            "You left out the pairs k = k'. (3.7) keeps them.",
        ),
        Mistake(
            "cross term once",
            lambda F, S, c: _of_kernels(F, S, c, -1),
            "The term across the clouds comes with a factor 2.",
        ),
        Mistake(
            "cross term added",
            lambda F, S, c: _of_kernels(F, S, c, 2),
            "You added the term across the clouds. For two equal clouds the "
            "discrepancy must be 0.",
        ),
    ),
)
