"""Answers to notebook 04 as students write them."""

import torch


def loss_by_loops(F, A, M_a):
    N, M = F.shape
    total = 0.0
    for i in range(N):
        for j in range(N):
            total = total + ((F[i] * F[j]).sum() / M - A[i, j] / M_a) ** 2
    return total / (4 * N**2)


def gradient_by_autograd(F, A, M_a):
    # the gate is 0 where F is 0, as PyTorch has it
    Z = F.clone().requires_grad_()
    R = Z.relu()
    value = (R @ R.T / F.shape[1] - A / M_a).square().mean()
    return torch.autograd.grad(value, Z)[0]


RIGHT = [
    ("04.1", loss_by_loops),
    (
        "04.1",
        lambda F, A, M_a: (F @ F.T / F.shape[1] - A / M_a).pow(2).mean() / 4,
    ),
    ("04.2", gradient_by_autograd),
    ("04.3", [9, 1, 1, 81]),
    ("04.3", torch.tensor([9.0, 1, 1, 81])),
    ("04.4", lambda beta, N, M: beta * (N * M) ** -4.0 * M**4.0),
]

WRONG = [
    ("04.1", lambda F, A, M_a: loss_by_loops(F, A.T, F.shape[1])),
    ("04.1", lambda F, A, M_a: loss_by_loops(F.relu(), A, M_a)),
    ("04.1", lambda F, A, M_a: loss_by_loops(F, A, M_a).detach()),
    ("04.1", lambda F, A, M_a: loss_by_loops(F, A, M_a) / 2),
    ("04.1", lambda F, A, M_a: loss_by_loops(F.T, F.T @ F, M_a)),
    ("04.1", lambda F, A, M_a: loss_by_loops(F, A, M_a).sqrt()),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F, A, M_a).T),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F, A, M_a) / F.shape[1]),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F + 1e-3, A, M_a)),
    ("04.3", (9, 1, 1)),
    ("04.3", (1, 9, 1, 81)),
    ("04.3", (9, 1, 1, 729)),
    ("04.4", lambda beta, N, M: beta),
    ("04.4", lambda beta, N, M: 1 / N**4),
    ("04.4", lambda beta, N, M: beta / M**4),
    ("04.4", lambda beta, N, M: beta * 4 / N**4),
]


NAMED = [
    ("04.1", lambda F, A, M_a: loss_by_loops(F, A, 1), "A not divided"),
    (
        "04.2",
        lambda F, A, M_a: gradient_by_autograd(F, A, M_a) / 4,
        "the paper's scale",
    ),
    (
        "04.4",
        lambda beta, N, M: beta * (N * M) ** -2,
        "positions for the Gram matrix's N",
    ),
]
