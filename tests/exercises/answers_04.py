"""Answers to notebook 04 as students write them."""

import torch


def gradient_by_autograd(F, A, M_a):
    # the gate is 0 where F is 0, as PyTorch has it
    Z = F.clone().requires_grad_()
    R = Z.relu()
    value = (R @ R.T / F.shape[1] - A / M_a).square().mean()
    return torch.autograd.grad(value, Z)[0]


def gradient_by_loops(F, A, M_a):
    N, M = F.shape
    found = torch.zeros_like(F)
    for i in range(N):
        for k in range(M):
            if F[i, k] > 0:
                for j in range(N):
                    D = (F[i] * F[j]).sum() / M - A[i, j] / M_a
                    found[i, k] += 4 * D * F[j, k] / (N**2 * M)
    return found


RIGHT = [
    ("04.1", [9, 1, 1, 81]),
    ("04.1", torch.tensor([9.0, 1, 1, 81])),
    ("04.2", gradient_by_autograd),
    ("04.2", gradient_by_loops),
    ("04.3", lambda beta, N, M: beta * (N * M) ** -4.0 * M**4.0),
    ("04.4", (1, 0.0079, 0.0013, 2.0e-6, 0.0010)),
    ("04.4", torch.tensor([1, 0.007855, 0.001334, 1.966e-6, 0.001033])),
]

WRONG = [
    ("04.1", (9, 1, 1)),
    ("04.1", (1, 9, 1, 81)),
    ("04.1", (9, 1, 1, 729)),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F, A, M_a).T),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F, A, M_a) / F.shape[1]),
    ("04.2", lambda F, A, M_a: gradient_by_autograd(F + 1e-3, A, M_a)),
    ("04.3", lambda beta, N, M: beta),
    ("04.3", lambda beta, N, M: 1 / N**4),
    ("04.3", lambda beta, N, M: beta / M**4),
    ("04.3", lambda beta, N, M: beta * 4 / N**4),
    ("04.4", (1, 1, 1, 1, 1)),
    ("04.4", (0.2, 0.2, 0.2, 0.2, 0.2)),
    ("04.4", (1, 0.0079, 0.0013, 2.0e-6)),
    ("04.4", (1, 0.00189, 0.000196, 4.29e-7, 0.000371)),  # another pair
    ("04.4", (1, 0.01126, 0.001239, 1.386e-6, 0.000553)),  # 96 pixels
]


NAMED = [
    (
        "04.2",
        lambda F, A, M_a: gradient_by_autograd(F, A, M_a) / 4,
        "the paper's scale",
    ),
    (
        "04.3",
        lambda beta, N, M: beta * (N * M) ** -2,
        "positions for the Gram matrix's N",
    ),
    ("04.4", [1, 0.0090, 0.0022, 8.3e-6, 0.0089], "equal losses"),
    ("04.4", [1, 126, 750, 510_862, 967], "turned round"),
    ("04.4", [1, 0.0079, 0.00125, 1.96e-6, 1.96e-6], "gradients added up"),
]
