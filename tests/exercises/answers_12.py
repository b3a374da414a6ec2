"""Answers to notebook 12 as students write them."""

import torch

from styletut.video import temporal_loss


def pull_by_autograd(x, w, c):
    x = x.clone().requires_grad_()
    (g,) = torch.autograd.grad(temporal_loss(x, w, c), x)
    return g


def looked_up_by_loops(row, shift):
    M = len(row)
    new = []
    for k in range(M):
        x = min(max(k + shift, 0), M - 1)
        left = min(int(x), M - 2)
        new.append((left + 1 - x) * row[left] + (x - left) * row[left + 1])
    return torch.stack(new)


def blended_by_newton(n, w, c, delta):
    y = n.clone()
    slope = 2 * (y - n) + 2 * delta * c * (y - w)
    return y - slope / (2 + 2 * delta * c)


RIGHT = [
    ("12.1", pull_by_autograd),
    ("12.1", lambda x, w, c: (x - w) * c * 2 / (3 * c.numel())),
    ("12.2", looked_up_by_loops),
    ("12.3", blended_by_newton),
    (
        "12.3",
        lambda n, w, c, delta: torch.lerp(n, w, delta * c / (1 + delta * c)),
    ),
]

WRONG = [
    ("12.1", lambda x, w, c: pull_by_autograd(x, w, c).sum()),
    ("12.1", lambda x, w, c: pull_by_autograd(x, w, c) / 2 + 0.1),
    ("12.2", lambda row, shift: looked_up_by_loops(row, shift)[:-1]),
    ("12.2", lambda row, shift: looked_up_by_loops(row, shift + 0.5)),
    ("12.3", lambda n, w, c, delta: n),
    ("12.3", lambda n, w, c, delta: w),
]

NAMED = [
    ("12.1", lambda x, w, c: -pull_by_autograd(x, w, c), "the other way"),
    (
        "12.2",
        lambda row, shift: looked_up_by_loops(row, -shift),
        "pushed",
    ),
    (
        "12.3",
        lambda n, w, c, delta: blended_by_newton(n, w, c, 1),
        "c for delta c",
    ),
]
