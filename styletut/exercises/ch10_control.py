"""Exercises of notebook 10: colors, regions, mixtures."""

import torch
from torch import Tensor

from styletut.exercises.ch10_borders import BORDERS
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import gram_matrix, guided_gram

_Y = (0.299, 0.587, 0.114)


def _maps_and_masks() -> list[tuple[Tensor, Tensor]]:
    shapes = [(3, 5, 2), (2, 4, 3), (4, 6, 1)]
    return [
        (
            waves(N, M, pace=1.3 + 0.2 * n),
            0.2 + 0.6 * waves(R, M, pace=0.7 + n).square(),
        )
        for n, (N, M, R) in enumerate(shapes)
    ]


def _by_sums(F: Tensor, T: Tensor, power: int) -> Tensor:
    return torch.stack([(each**power * F) @ F.T for each in T])


def _grams_and_shares() -> list[tuple[Tensor, Tensor, float]]:
    return [
        (
            gram_matrix(waves(3, 4, pace=0.5 + n)),
            gram_matrix(waves(3, 5, pace=1.1 + n)),
            share,
        )
        for n, share in enumerate((0.7, 0.5, 0.1))
    ]


def _squared(A: Tensor, B: Tensor) -> Tensor:
    return (A - B).square().sum()


def _mixture_at(G: Tensor, A: Tensor, B: Tensor, s: float) -> Tensor:
    return s * _squared(G, A) + (1 - s) * _squared(G, B)


def _pictures() -> list[tuple[Tensor, Tensor]]:
    return [
        (
            0.5 + 0.3 * waves(1, 3, 2, 4, pace=0.9 + n),
            0.5 + 0.2 * waves(1, 3, 2, 4, pace=1.6 + n),
        )
        for n in range(3)
    ]


def _light(x: Tensor, weights: tuple[float, ...] = _Y) -> Tensor:
    return (x.new_tensor(weights)[:, None, None] * x).sum(1, keepdim=True)


EXERCISES = (
    Exercise(
        number="10.1",
        right=guided_gram,
        praise="Each region has a Gram matrix of its own.",
        cases=_maps_and_masks,
        gradient=True,
        mistakes=(
            Mistake(
                "masks once",
                lambda F, T: _by_sums(F, T, 1),
                "A position counts T where (10.5) has T squared: both factors "
                "of the product are masked.",
            ),
            Mistake(
                "masks squared first",
                lambda F, T: _by_sums(F, T, 4),
                "You squared the masks before you multiplied the maps with "
                "them, so a position counts T to the fourth.",
            ),
            Mistake(
                "without masks",
                lambda F, T: torch.stack([F @ F.T for _ in T]),
                "Every region got the Gram matrix of the whole picture.",
            ),
            Mistake(
                "added up",
                lambda F, T: guided_gram(F, T).sum(0),
                "You added the regions up. Each keeps its own matrix: the "
                "result is (R, N, N).",
            ),
            Mistake(
                "divided by the region's positions",
                lambda F, T: (
                    guided_gram(F, T) / T.square().sum(1)[:, None, None]
                ),
                "You divided by M_r. That comes in (10.6); (10.5) is the bare "
                "sum.",
            ),
            Mistake(
                "divided by all positions",
                lambda F, T: guided_gram(F, T) / F.shape[1],
                "You divided by M. (10.5) is the bare sum.",
            ),
            Mistake(
                "Gram of positions",
                lambda F, T: torch.stack([(t * F).T @ (t * F) for t in T]),
                "That is M x M: which places are alike. (10.5) compares "
                "channels.",
            ),
            Mistake(
                "first region alone",
                lambda F, T: guided_gram(F, T)[0],
                "You returned the first region's matrix. There are R.",
            ),
        ),
    ),
    Exercise(
        number="10.2",
        right=lambda A, B, s: s * (1 - s) * _squared(A, B),
        praise="Two styles ask for the mean of their Gram matrices, and no "
        "picture meets both.",
        cases=_grams_and_shares,
        mistakes=(
            Mistake(
                "at the middle",
                lambda A, B, s: _mixture_at((A + B) / 2, A, B, s),
                "That is the loss at (A + B)/2. With unequal shares another "
                "matrix is lower.",
            ),
            Mistake(
                "shares exchanged",
                lambda A, B, s: _mixture_at((1 - s) * A + s * B, A, B, s),
                "You exchanged the shares: the matrix is nearer to the style "
                "that has the larger one.",
            ),
            Mistake(
                "at the first style",
                lambda A, B, s: _mixture_at(A, A, B, s),
                "That is the loss at A, where the second style has all of its "
                "distance.",
            ),
            Mistake(
                "at the second style",
                lambda A, B, s: _mixture_at(B, A, B, s),
                "That is the loss at B.",
            ),
            Mistake(
                "nothing is left",
                lambda A, B, s: 0.0 * _squared(A, B),
                "The derivative is 0 there, the loss is not: A and B cannot "
                "both be met.",
            ),
            Mistake(
                "distance not squared",
                lambda A, B, s: s * (1 - s) * _squared(A, B).sqrt(),
                "Your distance is the norm. The loss has its square.",
            ),
            Mistake(
                "one share squared",
                lambda A, B, s: s * (1 - s) ** 2 * _squared(A, B),
                "At the lowest point the first style's term is s (1 - s)^2 "
                "|A - B|^2. The second one's comes on top.",
            ),
            Mistake(
                "a mean over entries",
                lambda A, B, s: s * (1 - s) * (A - B).square().mean(),
                "You took the mean over the entries. The norm is their sum.",
            ),
        ),
    ),
    Exercise(
        number="10.3",
        right=lambda x, p: p + _light(x) - _light(p),
        praise="The photo, with as much light added as it lacks.",
        cases=_pictures,
        mistakes=(
            Mistake(
                "exchanged",
                lambda x, p: x + _light(p) - _light(x),
                "You put the photo's light under the picture's color. It is "
                "the other way round.",
            ),
            Mistake(
                "mean of the channels",
                lambda x, p: p + x.mean(1, True) - p.mean(1, True),
                "You took the mean of R, G and B for light. The eye does not: "
                "the weights are 0.299, 0.587 and 0.114.",
            ),
            Mistake(
                "weights in reverse",
                lambda x, p: p + _light(x, _Y[::-1]) - _light(p, _Y[::-1]),
                "Your weights are those of B, G, R.",
            ),
            Mistake(
                "weights of HDTV",
                lambda x, p: (
                    p
                    + _light(x, (0.2126, 0.7152, 0.0722))
                    - _light(p, (0.2126, 0.7152, 0.0722))
                ),
                "These are the weights of HDTV. YIQ's are 0.299, 0.587 and "
                "0.114.",
            ),
            Mistake(
                "multiplied",
                lambda x, p: p * _light(x) / _light(p),
                "You multiplied the photo until its light was right. That "
                "changes I and Q, too; (10.4) adds.",
            ),
            Mistake(
                "light alone",
                lambda x, p: _light(x).expand_as(p),
                "That is the light without the color.",
            ),
            Mistake(
                "difference of colors",
                lambda x, p: p + x - _light(p),
                "You added the whole picture. Of x only the light is taken.",
            ),
            Mistake(
                "the difference alone",
                lambda x, p: (_light(x) - _light(p)).expand_as(p),
                "That is what is added. The photo itself is missing.",
            ),
        ),
    ),
    BORDERS,
)
