"""Exercises of notebook 02: the content loss and its derivatives."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, mse_loss

from styletut.exercises.verdict import Exercise, Mistake
from styletut.losses import content_gradient, content_loss, relu_gate


def _tensor(*shape: int, pace: float = 1.0) -> Tensor:
    """Numbers of both signs, the same on every machine."""
    count = torch.Size(shape).numel()
    numbers = torch.arange(1, count + 1, dtype=torch.float64) * pace
    return (numbers.sin() * 2).reshape(shape)


def _pairs() -> list[tuple[Tensor, Tensor]]:
    return [
        (_tensor(2, 3), _tensor(2, 3, pace=1.7)),
        (_tensor(2, 3, 2, 4), _tensor(2, 3, 2, 4, pace=0.6)),
        (_tensor(1, 5, 1, 1), _tensor(1, 5, 1, 1, pace=2.1)),
    ]


def _rectified() -> list[tuple[Tensor, Tensor]]:
    first, second = _tensor(3, 4).relu(), _tensor(3, 4, pace=1.7).relu()
    alone = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    return [
        (first, second),
        (_tensor(2, 7, pace=0.9).relu(), _tensor(2, 7, pace=0.4).relu()),
        (alone, alone + 1),
    ]


def _layers() -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    return [
        (
            _tensor(1, c, h, w, pace=1.3),
            _tensor(n, c, 3, 3, pace=0.7),
            _tensor(m, n, 3, 3, pace=1.9),
            _tensor(1, m, h, w, pace=0.8).relu(),
        )
        for c, n, m, h, w in ((1, 2, 3, 4, 5), (3, 2, 2, 3, 6))
    ]


def _through_two_layers(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor, gates: str = "12"
) -> Tensor:
    F1 = conv2d(x, K1, padding=1).relu()
    F2 = conv2d(F1, K2, padding=1).relu()
    g = content_gradient(F2, P)
    g = relu_gate(g, F2) if "2" in gates else g
    g = conv_transpose2d(g, K2, padding=1)
    g = relu_gate(g, F1) if "1" in gates else g
    return conv_transpose2d(g, K1, padding=1)


def _without_the_transpose(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor
) -> Tensor:
    F1 = conv2d(x, K1, padding=1).relu()
    F2 = conv2d(F1, K2, padding=1).relu()
    g = relu_gate(content_gradient(F2, P), F2)
    g = relu_gate(conv2d(g, K2.transpose(0, 1), padding=1), F1)
    return conv2d(g, K1.transpose(0, 1), padding=1)


def _gate_before_the_relu(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor
) -> Tensor:
    Z1 = conv2d(x, K1, padding=1)
    F2 = conv2d(Z1, K2, padding=1).relu()
    g = relu_gate(content_gradient(F2, P), F2)
    g = relu_gate(conv_transpose2d(g, K2, padding=1), Z1)
    return conv_transpose2d(g, K1, padding=1)


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
                "the ReLU's gate (2.3) is missing.",
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
        ),
    ),
    Exercise(
        number="02.4",
        right=_through_two_layers,
        praise="Gate, transposed convolution, gate, transposed convolution.",
        cases=_layers,
        mistakes=(
            Mistake(
                "lower gate missing",
                lambda x, K1, K2, P: _through_two_layers(x, K1, K2, P, "2"),
                "Between the two transposed convolutions lies a ReLU. Its "
                "gate is missing.",
            ),
            Mistake(
                "upper gate missing",
                lambda x, K1, K2, P: _through_two_layers(x, K1, K2, P, "1"),
                "The loss is taken after a ReLU: the first gate on the way "
                "down is missing.",
            ),
            Mistake(
                "both gates missing",
                lambda x, K1, K2, P: _through_two_layers(x, K1, K2, P, ""),
                "That is the gradient of a network without ReLUs: both gates "
                "are missing.",
            ),
            Mistake(
                "convolution for its transpose",
                _without_the_transpose,
                "You swapped the channels, but a gradient goes back with the "
                "kernel turned by 180 degrees, too: conv_transpose2d does "
                "both.",
            ),
            Mistake(
                "ReLU left out on the way up",
                _gate_before_the_relu,
                "On the way up the first ReLU is missing: the second "
                "convolution takes F1, not Z1.",
            ),
            Mistake(
                "sign turned",
                lambda *case: -_through_two_layers(*case),
                "The sign is turned: that is the direction of descent.",
            ),
        ),
    ),
)
