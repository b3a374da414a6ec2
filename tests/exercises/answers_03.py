"""Answers to notebook 03 as students write them."""

import torch


def gram_by_loops(F):
    batch, N = F.shape[:2]
    G = torch.zeros(batch, N, N, dtype=F.dtype)
    for b in range(batch):
        for i in range(N):
            for j in range(N):
                G[b, i, j] = (F[b, i] * F[b, j]).sum()
    return G


def discrepancy_by_pairs(F, S, c):
    def mean_kernel(U, V):
        total = 0.0
        for u in U.T:
            for v in V.T:
                total = total + (u @ v + c) ** 2
        return total / (U.shape[1] * V.shape[1])

    return mean_kernel(F, F) + mean_kernel(S, S) - 2 * mean_kernel(F, S)


def discrepancy_one_coordinate_more(F, S, c, last=None):
    def second(U):
        more = torch.full_like(U[:1], c**0.5 if last is None else last)
        U = torch.cat([U, more])
        return U @ U.T / U.shape[1]

    return (second(F) - second(S)).square().sum()


RIGHT = [
    ("03.1", gram_by_loops),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->bij", F, F)),
    (
        "03.1",
        lambda F: torch.stack([f.flatten(1) @ f.flatten(1).T for f in F]),
    ),
    ("03.2", (0.131, 0.493, 0.254)),
    ("03.2", torch.tensor([0.13139, 0.49340, 0.25354])),
    ("03.2", [0.1314, 0.4934, 0.2535]),
    ("03.3", [30752, 131328]),
    ("03.3", torch.tensor([30752, 131328])),
    ("03.4", discrepancy_by_pairs),
    ("03.4", discrepancy_one_coordinate_more),
    ("03.4", lambda F, S, c: float(discrepancy_by_pairs(F, S, c))),
]

WRONG = [
    ("03.1", lambda F: gram_by_loops(F)[:1]),
    ("03.1", lambda F: gram_by_loops(F).transpose(0, 1)),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->ij", F, F)),
    ("03.1", lambda F: torch.einsum("bihw,bjhw->bij", F, F.relu())),
    ("03.1", lambda F: torch.einsum("bihw,bjwh->bij", F, F.mT)[..., :1]),
    ("03.1", lambda F: gram_by_loops(F).detach() + 0 * F.sum()),
    ("03.1", lambda F: gram_by_loops(F) / 2),
    ("03.2", (0.254, 0.493, 0.131)),
    ("03.2", (0.131, 0.493)),
    ("03.2", (13.1, 49.3, 25.4)),
    ("03.2", (0.0, 0.493, 0.254)),
    ("03.3", 30752),
    ("03.3", (30752, 131327)),
    ("03.3", (2080, 131328)),
    ("03.4", lambda F, S, c: discrepancy_by_pairs(F, F, c)),
    ("03.4", lambda F, S, c: -discrepancy_by_pairs(F, S, c)),
    ("03.4", lambda F, S, c: discrepancy_by_pairs(F, S, c) / 4),
    ("03.4", lambda F, S, c: discrepancy_by_pairs(F.relu(), S.relu(), c)),
    ("03.4", lambda F, S, c: discrepancy_by_pairs(F, S, c).reshape(1)),
    ("03.4", lambda F, S: discrepancy_by_pairs(F, S, 0)),
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
    ("03.2", (0.0173, 0.243, 0.0643), "squared"),
    ("03.2", (0.131, 0.493, 0.454), "halves undivided"),
    ("03.2", (0.131, 0.477, 0.254), "turned clockwise"),
    (
        "03.4",
        lambda F, S, c: discrepancy_by_pairs(F, S, c).sqrt(),
        "root too much",
    ),
    (
        "03.4",
        lambda F, S, c: discrepancy_by_pairs(F, S, 0),
        "second moments only",
    ),
    (
        "03.4",
        lambda F, S, c: discrepancy_one_coordinate_more(F, S, c, last=c),
        "constant squared",
    ),
    (
        "03.4",
        lambda F, S, c: discrepancy_one_coordinate_more(F, S, c, last=1),
        "without the constant",
    ),
]
