"""Exercises of notebook 02: the content loss and its derivatives."""

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from styletut.exercises.ch02_two_layers import TWO_LAYERS
from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import content_loss, relu_gate


def _pairs() -> list[tuple[Tensor, Tensor]]:
    return [
        (waves(2, 3), waves(2, 3, pace=1.7)),
        (waves(2, 3, 2, 4), waves(2, 3, 2, 4, pace=0.6)),
        (waves(1, 5, 1, 1), waves(1, 5, 1, 1, pace=2.1)),
    ]


def _rectified() -> list[tuple[Tensor, Tensor]]:
    first, second = waves(3, 4).relu(), waves(3, 4, pace=1.7).relu()
    alone = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    return [
        (first, second),
        (waves(2, 7, pace=0.9).relu(), waves(2, 7, pace=0.4).relu()),
        (alone, alone + 1),
    ]


def _right_mean_gradient(F: Tensor, P: Tensor) -> Tensor:
    return relu_gate(2 * (F - P) / F.numel(), F)


EXERCISES = (
    Exercise(
        number="02.1",
        right=content_loss,
        praise="Same channel, same position, half the squares.",
        cases=_pairs,
        gradient=True,
        mistakes=(
            Mistake(
                "factor 1/2 missing",
                lambda F, P: (F - P).square().sum(),
                "It is twice too large: what stands before the sum in (2.1)?",
            ),
            Mistake(
                "mean for sum",
                mse_loss,
                "That is the mean of the squares, PyTorch's mse_loss. (2.1) "
                "is half of their sum.",
            ),
            Mistake(
                "half of the mean",
                lambda F, P: (F - P).square().mean() / 2,
                "The half is there, but you took the mean and not the sum.",
            ),
            Mistake(
                "absolute values for squares",
                lambda F, P: (F - P).abs().sum() / 2,
                "You summed sizes of differences; (2.1) sums their squares.",
            ),
            Mistake(
                "a root too much",
                lambda F, P: (F - P).norm() / 2,
                "That is the norm, the root of the sum of squares. (2.1) has "
                "no root.",
            ),
            Mistake(
                "square of the sum",
                lambda F, P: (F - P).sum().square() / 2,
                "You summed first and squared then, so that differences "
                "cancel. Square each, then sum.",
            ),
            Mistake(
                "difference of the squares",
                lambda F, P: (F.square() - P.square()).sum() / 2,
                "You squared each map and took the difference. Take the "
                "difference first.",
            ),
            Mistake(
                "norm",
                lambda F, P: (F - P).norm(),
                "That is the norm: the root of the sum of squares, and no "
                "half. (2.1) has a half and no root.",
            ),
            Mistake(
                "not summed",
                lambda F, P: (F - P).square() / 2,
                "These are the halved squares of all entries. A loss is one "
                "number: their sum.",
            ),
            Mistake(
                "summed along one axis",
                lambda F, P: sum((F - P).square()) / 2,
                "Python's `sum` adds along the first axis only. A tensor has "
                "a `.sum()` of its own, over all axes.",
            ),
            Mistake(
                "divided by the batch",
                lambda F, P: (F - P).square().sum() / 2 / F.shape[0],
                "You divided by the length of the first axis. (2.1) divides "
                "by nothing but 2.",
            ),
            Mistake(
                "half inside the square",
                lambda F, P: ((F - P) / 2).square().sum(),
                "Your half is squared as well. In (2.1) it stands before the "
                "sum.",
            ),
        ),
    ),
    Exercise(
        number="02.2",
        right=_right_mean_gradient,
        praise="2/(NM) from the mean, and the gate from the ReLU.",
        cases=_rectified,
        mistakes=(
            Mistake(
                "missing ReLU gate",
                lambda F, P: 2 * (F - P) / F.numel(),
                "That is the derivative with respect to F. On the way to Z "
                "the ReLU's gate (2.3) is missing, or it is open everywhere: "
                "F is never below 0.",
            ),
            Mistake(
                "sum for mean",
                lambda F, P: relu_gate(F - P, F),
                "That belongs to the half sum (2.1). The program takes the "
                "mean: compare with (2.8).",
            ),
            Mistake(
                "factor 2 missing",
                lambda F, P: relu_gate((F - P) / F.numel(), F),
                "It is half as large as it should be: this mean has no 1/2 "
                "to cancel the 2 of the square.",
            ),
            Mistake(
                "gate asked of P",
                lambda F, P: relu_gate(2 * (F - P) / F.numel(), P),
                "Your gate asks whether P is positive. The ReLU that the "
                "gradient passes is that of F.",
            ),
            Mistake(
                "sign turned",
                lambda F, P: relu_gate(2 * (P - F) / F.numel(), F),
                "The sign is turned: that is the direction of descent, not "
                "the derivative.",
            ),
            Mistake(
                "divided by the positions alone",
                lambda F, P: relu_gate(2 * (F - P) / F.shape[1], F),
                "You divided by M. The mean runs over all N M entries.",
            ),
            Mistake(
                "half sum's, without a gate",
                lambda F, P: F - P,
                "That is the derivative of the half sum (2.1) with respect to "
                "F. The program takes the mean, and goes on to Z.",
            ),
            Mistake(
                "factor and gate missing",
                lambda F, P: (F - P) / F.numel(),
                "This mean has no 1/2 to cancel the 2 of the square; and on "
                "the way to Z lies a gate.",
            ),
            Mistake(
                "gradient rectified",
                lambda F, P: (2 * (F - P) / F.numel()).relu(),
                "You cut off the negative part of the gradient. The gate asks "
                "whether F is positive, not whether the gradient is.",
            ),
            Mistake(
                "F for its gate",
                lambda F, P: F * 2 * (F - P) / F.numel(),
                "You multiplied by F. The gate is 1 where F is positive, "
                "whatever its size.",
            ),
            Mistake(
                "not divided",
                lambda F, P: relu_gate(2 * (F - P), F),
                "The 2 and the gate are right. The mean also divides: by how "
                "many entries?",
            ),
            Mistake(
                "divided by the channels alone",
                lambda F, P: relu_gate(2 * (F - P) / F.shape[0], F),
                "You divided by N. The mean runs over all N M entries.",
            ),
        ),
    ),
    Exercise(
        number="02.3",
        right=(1.0, 2.0),
        praise="The error is multiplied by 1 - eta each time.",
        mistakes=(
            Mistake(
                "rates of the sum without the half",
                (0.5, 1.0),
                "These are the rates for the sum without 1/2, whose gradient "
                "is twice as large.",
            ),
            Mistake(
                "pair turned round",
                (2.0, 1.0),
                "The numbers are right; the exercise asks for the rate that "
                "is done in one step first.",
            ),
            Mistake(
                "limit where it is done",
                (1.0, 1.0),
                "Beyond the first rate it overshoots, but it still gets "
                "nearer for a while: when is the error's size the same as "
                "before?",
            ),
            Mistake(
                "no limit",
                (1.0, float("1e9")),
                "Try a rate of 3: is the new error smaller than the old?",
            ),
            Mistake(
                "only small rates",
                (0.0, 1.0),
                "With a rate of 0 nothing moves. Set 1 - eta to 0.",
            ),
            Mistake(
                "no limit, infinity",
                (1.0, float("inf")),
                "Try a rate of 3: is the new error smaller than the old?",
            ),
            Mistake(
                "goal at the half",
                (0.5, 2.0),
                "The limit is right. Half of the way is no goal yet: put your "
                "first rate into 1 - eta.",
            ),
            Mistake(
                "nearer is never",
                (1.0, 0.0),
                "The first is right. The second asks how large a rate may be "
                "before the error no longer shrinks.",
            ),
        ),
    ),
    TWO_LAYERS,
)
