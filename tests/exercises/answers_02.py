"""Answers to notebook 02 as students write them."""

import numpy as np
import torch
from torch.nn import functional


def loss_by_loop(F, P):
    total = 0.0
    for f, p in zip(F.flatten(), P.flatten(), strict=True):
        total = total + (f - p) ** 2
    return total / 2


def gradient_of_the_program(F, P):
    result = torch.zeros_like(F)
    for i in range(F.shape[0]):
        for j in range(F.shape[1]):
            if F[i, j] > 0:
                result[i, j] = 2 * (F[i, j] - P[i, j]) / F.numel()
    return result


def by_autograd(x, K1, K2, P):
    x = x.clone().requires_grad_()
    F = functional.conv2d(x, K1, padding=1).relu()
    F = functional.conv2d(F, K2, padding=1).relu()
    (gradient,) = torch.autograd.grad((F - P).square().sum() / 2, x)
    return gradient


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
    ("02.1", loss_by_loop),
    ("02.1", lambda F, P: 0.5 * torch.linalg.vector_norm(F - P) ** 2),
    ("02.1", lambda F, P: functional.mse_loss(F, P, reduction="sum") / 2),
    ("02.2", gradient_of_the_program),
    (
        "02.2",
        lambda F, P: np.where(F > 0, 2 * (F - P).numpy() / F.numel(), 0),
    ),
    ("02.3", [1, 2]),
    ("02.3", torch.tensor([1.0, 2.0])),
    ("02.4", by_autograd),
    ("02.3", {"done": 1, "limit": 2}.values()),
]

WRONG = [
    ("02.1", lambda F, P: loss_by_loop(F, P).detach()),
    ("02.1", lambda F, P: loss_by_loop(P, F) / F.shape[0]),
    ("02.1", lambda F, P: (F.relu() - P.relu()).square().sum() / 2),
    ("02.1", lambda F, P: ((F - P) ** 2).sum(0) / 2),
    ("02.2", lambda F, P: gradient_of_the_program(F, P) * F.numel()),
    ("02.2", lambda F, P: gradient_of_the_program(P, F)),
    ("02.2", lambda F, P: gradient_of_the_program(F, P).sum()),
    ("02.3", 1),
    ("02.3", (1, 1.5)),
    ("02.4", lambda x, K1, K2, P: by_autograd(x, K1, K2, P) / 2),
    ("02.4", lambda x, K1, K2, P: by_autograd(x.relu(), K1, K2, P)),
    ("02.4", lambda x, K1, K2, P: by_autograd(x, K1, K2, 0 * P)),
    ("02.1", lambda F, P: loss_by_loop(F, P).item()),
    ("02.2", lambda F, P: gradient_of_the_program(F, P).to(torch.complex64)),
    ("02.3", (1 + 0j, 2 + 0j)),
]


NAMED = [
    ("02.1", lambda F, P: torch.dist(F, P), "norm"),
    (
        "02.2",
        lambda F, P: torch.where(F >= 0, 2 * (F - P) / F.numel(), 0),
        "missing ReLU gate",
    ),
    ("02.3", [1, float("inf")], "no limit, infinity"),
    (
        "02.4",
        lambda *case: downwards(turned_twice, *case),
        "kernel the wrong way round",
    ),
    (
        "02.4",
        lambda *case: downwards(swapped_conv2d, *case),
        "kernel the wrong way round",
    ),
    ("02.4", lambda *case: 2 * by_autograd(*case), "factor 2"),
]
