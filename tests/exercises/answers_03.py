"""Answers to notebook 03 as students write them."""

import numpy as np
import torch


def gram_by_loops(F):
    batch, N = F.shape[:2]
    G = torch.zeros(batch, N, N, dtype=F.dtype)
    for b in range(batch):
        for i in range(N):
            for j in range(N):
                G[b, i, j] = (F[b, i] * F[b, j]).sum()
    return G


def covariance_centered_first(F):
    centered = F - F.mean(1, keepdim=True)
    return centered @ centered.T / F.shape[1]


def discrepancy_by_pairs(F, S):
    def mean_kernel(U, V):
        total = 0.0
        for u in U.T:
            for v in V.T:
                total = total + (u @ v) ** 2
        return total / (U.shape[1] * V.shape[1])

    return mean_kernel(F, F) + mean_kernel(S, S) - 2 * mean_kernel(F, S)


def covariance_in_float32(F):
    F = F.float()
    return F @ F.T / F.shape[1] - torch.outer(F.mean(1), F.mean(1))


RIGHT = [
    ("03.1", gram_by_loops),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->bij", F, F)),
    (
        "03.1",
        lambda F: torch.stack([f.flatten(1) @ f.flatten(1).T for f in F]),
    ),
    ("03.2", covariance_centered_first),
    ("03.2", lambda F: np.cov(F.numpy(), bias=True)),
    ("03.3", [30752, 131328]),
    ("03.3", torch.tensor([30752, 131328])),
    ("03.4", discrepancy_by_pairs),
    ("03.2", covariance_in_float32),
]

WRONG = [
    ("03.1", lambda F: gram_by_loops(F)[:1]),
    ("03.1", lambda F: gram_by_loops(F).transpose(0, 1)),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->ij", F, F)),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->bij", F, F.relu())),
    ("03.1", lambda F: torch.einsum("bihw,bjwh->bij", F, F.mT)[..., :1]),
    ("03.1", lambda F: gram_by_loops(F).detach() + 0 * F.sum()),
    ("03.1", lambda F: gram_by_loops(F) / 2),
    ("03.2", lambda F: covariance_centered_first(F.T)),
    ("03.2", lambda F: covariance_centered_first(F).diagonal().diag()),
    ("03.2", lambda F: covariance_centered_first(F) * F.shape[1]),
    ("03.2", lambda F: covariance_centered_first(F) / F.shape[0]),
    ("03.3", 30752),
    ("03.3", (30752, 131327)),
    ("03.3", (2080, 131328)),
    ("03.4", lambda F, S: discrepancy_by_pairs(F, F)),
    ("03.4", lambda F, S: -discrepancy_by_pairs(F, S)),
    ("03.4", lambda F, S: discrepancy_by_pairs(F, S) / 4),
    ("03.4", lambda F, S: discrepancy_by_pairs(F.relu(), S.relu())),
    ("03.4", lambda F, S: discrepancy_by_pairs(F, S).reshape(1)),
]


NAMED = [
    (
        "03.1",
        lambda F: (
            F.reshape(F.shape[0] * F.shape[1], -1)
            @ F.reshape(F.shape[0] * F.shape[1], -1).T
            / F.numel()
        ),
        "batch mixed in, and divided",
    ),
    (
        "03.2",
        lambda F: (F - F.mean(1)) @ (F - F.mean(1)).T / F.shape[1],
        "means without their axis",
    ),
    ("03.4", lambda F, S: discrepancy_by_pairs(F, S).sqrt(), "root too much"),
]
