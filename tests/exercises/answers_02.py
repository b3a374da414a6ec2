"""Answers to notebook 02 as students write them."""

import torch
from torch.nn import functional


def by_autograd(x, K1, K2, P):
    x = x.clone().requires_grad_()
    F = functional.conv2d(x, K1, padding=1).relu()
    F = functional.conv2d(F, K2, padding=1).relu()
    (gradient,) = torch.autograd.grad((F - P).square().sum() / 2, x)
    return gradient


def turned(g, K, padding):
    return functional.conv2d(g, K.transpose(0, 1).flip(2, 3), padding=padding)


def swapped_conv2d(g, K, padding):
    return functional.conv2d(g, K.transpose(0, 1), padding=padding)


def turned_twice(g, K, padding):
    return functional.conv_transpose2d(g, K.flip(2, 3), padding=padding)


def downwards(back, x, K1, K2, P):
    F1 = functional.conv2d(x, K1, padding=1).relu()
    F2 = functional.conv2d(F1, K2, padding=1).relu()
    g = back((F2 - P) * (F2 > 0), K2, padding=1) * (F1 > 0)
    return back(g, K1, padding=1)


RIGHT = [
    ("02.1", (7, 2)),
    ("02.1", [7.0, 2.0001]),  # descent has not quite arrived
    ("02.1", torch.tensor([7.0, 2.0])),
    ("02.2", [1, 2]),
    ("02.2", torch.tensor([1.0, 2.0])),
    ("02.2", {"done": 1, "limit": 2}.values()),
    ("02.3", by_autograd),  # the text says that it passes
    ("02.3", lambda *case: downwards(turned, *case)),
]

WRONG = [
    ("02.1", 7),
    ("02.1", (2, 7)),
    ("02.1", (7, 1)),
    ("02.2", 1),
    ("02.2", (1, 1.5)),
    ("02.2", (1 + 0j, 2 + 0j)),
    ("02.3", lambda x, K1, K2, P: by_autograd(x, K1, K2, P) / 2),
    ("02.3", lambda x, K1, K2, P: by_autograd(x.relu(), K1, K2, P)),
    ("02.3", lambda x, K1, K2, P: by_autograd(x, K1, K2, 0 * P)),
]


NAMED = [
    ("02.1", [14, 4.0], "factor 1/2 missing"),
    ("02.2", [1, float("inf")], "no limit, infinity"),
    (
        "02.3",
        lambda *case: downwards(turned_twice, *case),
        "kernel the wrong way round",
    ),
    (
        "02.3",
        lambda *case: downwards(swapped_conv2d, *case),
        "kernel the wrong way round",
    ),
    ("02.3", lambda *case: 2 * by_autograd(*case), "factor 2"),
]
