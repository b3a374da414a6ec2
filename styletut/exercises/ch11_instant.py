"""Exercises of notebook 11: networks that paint in one pass."""

import math

import torch
from torch import Tensor

from styletut.exercises.ch11_brush import BRUSH
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves


def _maps_and_rows() -> list[tuple[Tensor, Tensor, Tensor]]:
    shapes = [(3, 2, 4), (2, 3, 3), (4, 5, 2)]
    return [
        (
            waves(1, N, h, w, pace=0.7 + n) * (1 + waves(1, N, 1, 1).abs()),
            1 + 0.4 * waves(N, pace=1.9 + n),
            waves(N, pace=0.4 + n),
        )
        for n, (N, h, w) in enumerate(shapes)
    ]


def _normalized(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    axes: tuple[int, ...] = (2, 3),
    correction: int = 0,
    power: float = 0.5,
) -> Tensor:
    variance, mean = torch.var_mean(
        x, axes, correction=correction, keepdim=True
    )
    y = (x - mean) / variance**power
    return y * gamma[:, None, None] + beta[:, None, None]


def _correlations() -> list[tuple[Tensor, Tensor, Tensor]]:
    return [
        (
            torch.corrcoef(waves(N, 9, pace=0.6 + N)),
            1 + 0.4 * waves(N, pace=1.3),
            waves(N, pace=0.8),
        )
        for N in (3, 2, 5)
    ]


def _after(R: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return gamma.outer(gamma) * R + beta.outer(beta)


def _features_and_pixels() -> list[tuple[Tensor, Tensor, float]]:
    return [
        (
            1 + waves(n, M, pace=0.9 + n),
            2 + waves(m, M, pace=0.3 + m),
            lam,
        )
        for n, m, M, lam in ((3, 2, 12, 0.3), (4, 3, 15, 0.05), (2, 1, 9, 1.0))
    ]


def _best_map(
    z: Tensor,
    y: Tensor,
    lam: float,
    positions: float | None = None,
    centered: bool = True,
    bias: bool = True,
) -> Tensor:
    m, n = y.mean(1, keepdim=True), z.mean(1, keepdim=True)
    a, b = (z - n, y - m) if centered else (z, y)
    count = positions or z.shape[1]
    S = a @ a.T / count + lam * torch.eye(len(z)).to(z)
    W = torch.linalg.solve(S, (b @ a.T / count).T).T
    shift = m - W @ n if bias else torch.zeros_like(m)
    return torch.cat([W, shift], 1)


def _penalized(z: Tensor, y: Tensor, lam: float) -> Tensor:
    """The bias pays for its size, too."""
    ones = torch.cat([z, z.new_ones(1, z.shape[1])])
    return _best_map(ones, y, lam, centered=False, bias=False)[:, :-1]


def _times() -> list[tuple[float, float, float]]:
    return [(90, 30, 0.5), (10, 5, 1), (1, 12, 0), (150, 77, 2.5), (2, 7, 1)]


def _to_pay(T: float, r: float, q: float) -> int:
    return math.floor(60 * T / (r - q)) + 1


EXERCISES = (
    Exercise(
        number="11.1",
        right=_normalized,
        praise="Whatever came in, each channel has the mean beta and the "
        "deviation gamma.",
        cases=_maps_and_rows,
        mistakes=(
            Mistake(
                "one less in the variance",
                lambda x, g, b: _normalized(x, g, b, correction=1),
                "Your variance divides by one less than there are positions, "
                "as torch's does unless it is told correction=0.",
            ),
            Mistake(
                "over channels, too",
                lambda x, g, b: _normalized(x, g, b, axes=(1, 2, 3)),
                "You took mean and variance over all channels together, as "
                "layer normalization does. Each channel has its own.",
            ),
            Mistake(
                "over channels at each position",
                lambda x, g, b: _normalized(x, g, b, axes=(1,)),
                "You took mean and variance over the channels of a position. "
                "It is over the positions of a channel.",
            ),
            Mistake(
                "divided by the variance",
                lambda x, g, b: _normalized(x, g, b, power=1.0),
                "You divided by the variance. (11.6) divides by its root.",
            ),
            Mistake(
                "mean not taken away",
                lambda x, g, b: (
                    x
                    / x.std((2, 3), correction=0, keepdim=True)
                    * g[:, None, None]
                    + b[:, None, None]
                ),
                "The mean is still there. It goes before you divide.",
            ),
            Mistake(
                "without beta",
                lambda x, g, b: _normalized(x, g, 0 * b),
                "beta is missing.",
            ),
            Mistake(
                "without gamma",
                lambda x, g, b: _normalized(x, 1 + 0 * g, b),
                "gamma is missing.",
            ),
            Mistake(
                "exchanged",
                lambda x, g, b: _normalized(x, b, g),
                "You exchanged gamma and beta: gamma multiplies.",
            ),
        ),
    ),
    Exercise(
        number="11.2",
        right=_after,
        praise="The diagonal is fixed; signs of gamma turn correlations "
        "round.",
        cases=_correlations,
        gradient=True,
        mistakes=(
            Mistake(
                "without the means",
                lambda R, g, b: g.outer(g) * R,
                "That is the covariance. G/M has the means in it, too: (3.3).",
            ),
            Mistake(
                "beta on the diagonal alone",
                lambda R, g, b: g.outer(g) * R + torch.diag(b**2),
                "The means add beta_i beta_j everywhere, not on the diagonal "
                "alone.",
            ),
            Mistake(
                "gamma once",
                lambda R, g, b: g[:, None] * R + b.outer(b),
                "Each correlation is multiplied by both channels' deviations.",
            ),
            Mistake(
                "gamma squared by row",
                lambda R, g, b: (g**2)[:, None] * R + b.outer(b),
                "You multiplied a row by its gamma squared. An entry has one "
                "gamma of its row and one of its column.",
            ),
            Mistake(
                "a product of matrices",
                lambda R, g, b: g.outer(g) @ R + b.outer(b),
                "You took the product of matrices. In (11.7) entries are "
                "multiplied one by one.",
            ),
            Mistake(
                "as if uncorrelated",
                lambda R, g, b: torch.diag(g**2) + b.outer(b),
                "You took the channels as uncorrelated. R is what the "
                "network is free in.",
            ),
            Mistake(
                "exchanged",
                lambda R, g, b: _after(R, b, g),
                "You exchanged gamma and beta.",
            ),
        ),
    ),
    Exercise(
        number="11.3",
        right=_best_map,
        praise="Centered, it is (11.5); the bias carries the means.",
        cases=_features_and_pixels,
        mistakes=(
            Mistake(
                "not centered",
                lambda z, y, lam: _best_map(
                    z, y, lam, centered=False, bias=False
                ),
                "There is no bias. Take the means away first, and let b put "
                "them back.",
            ),
            Mistake(
                "products for covariances",
                lambda z, y, lam: _best_map(z, y, lam, centered=False),
                "Your W was found without taking the means away.",
            ),
            Mistake(
                "a penalty on the bias",
                _penalized,
                "You wrote the bias as one more feature, so lambda holds it "
                "down, too. Only W is to pay.",
            ),
            Mistake(
                "sums instead of means",
                lambda z, y, lam: _best_map(z, y, lam, positions=1.0),
                "Your covariances are sums over positions. The loss is a "
                "mean, so lambda weighs M times as much.",
            ),
            Mistake(
                "one less",
                lambda z, y, lam: _best_map(
                    z, y, lam, positions=z.shape[1] - 1.0
                ),
                "Your covariances divide by one less than the positions, as "
                "torch.cov does unless it is told correction=0.",
            ),
            Mistake(
                "without a ridge",
                lambda z, y, lam: _best_map(z, y, 0.0),
                "lambda is missing: that is plain least squares.",
            ),
            Mistake(
                "no bias",
                lambda z, y, lam: _best_map(z, y, lam, bias=False),
                "W is right, and b is 0. Which b makes the mean error 0?",
            ),
            Mistake(
                "W alone",
                lambda z, y, lam: _best_map(z, y, lam)[:, :-1],
                "W is right. The bias is to be its last column.",
            ),
            Mistake(
                "bias of the means alone",
                lambda z, y, lam: torch.cat(
                    [
                        _best_map(z, y, lam)[:, :-1],
                        y.mean(1, keepdim=True),
                    ],
                    1,
                ),
                "Your b is the mean of the pixels. W z has a mean, too.",
            ),
        ),
    ),
    Exercise(
        number="11.4",
        right=_to_pay,
        praise="Speed is bought in advance, and pays by the dozen.",
        cases=_times,
        mistakes=(
            Mistake(
                "minutes for seconds",
                lambda T, r, q: math.floor(T / (r - q)) + 1,
                "T is in minutes, the others in seconds.",
            ),
            Mistake(
                "without the pass",
                lambda T, r, q: math.floor(60 * T / r) + 1,
                "The network's pass takes time for each photo, too.",
            ),
            Mistake(
                "as much, not less",
                lambda T, r, q: math.ceil(60 * T / (r - q)),
                "At that number both may have taken as long. Asked for is "
                "less.",
            ),
            Mistake(
                "rounded down",
                lambda T, r, q: math.floor(60 * T / (r - q)),
                "With so many photos the network has not taken less yet.",
            ),
            Mistake(
                "not rounded",
                lambda T, r, q: 60 * T / (r - q),
                "There is no part of a photo: give a whole number.",
            ),
            Mistake(
                "both added",
                lambda T, r, q: math.floor(60 * T / (r + q)) + 1,
                "What each photo saves is r less q.",
            ),
        ),
    ),
    BRUSH,
)
