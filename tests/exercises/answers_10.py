"""Answers to notebook 10 as students write them."""

import torch


def guided_by_loops(F, T):
    R, N = len(T), len(F)
    G = torch.zeros(R, N, N, dtype=F.dtype)
    for r in range(R):
        for i in range(N):
            for j in range(N):
                G[r, i, j] = (T[r] ** 2 * F[i] * F[j]).sum()
    return G


def least_by_descent(A, B, s):
    G = s * A + (1 - s) * B
    return s * ((G - A) ** 2).sum() + (1 - s) * ((G - B) ** 2).sum()


def light_by_matrix(x, p):
    to_yiq = torch.tensor(
        [
            [0.299, 0.587, 0.114],
            [0.595716, -0.274453, -0.321263],
            [0.211456, -0.522591, 0.311135],
        ],
        dtype=x.dtype,
    )
    yiq = torch.einsum("ij,bjhw->bihw", to_yiq, p)
    light = torch.einsum("j,bjhw->bhw", to_yiq[0], x)
    mixed = torch.cat([light[:, None], yiq[:, 1:]], 1)
    return torch.einsum("ij,bjhw->bihw", to_yiq.inverse(), mixed)


RIGHT = [
    ("10.1", guided_by_loops),
    ("10.1", lambda F, T: torch.einsum("rk,ik,jk->rij", T**2, F, F)),
    ("10.1", lambda F, T: (T[:, None] * F) @ (T[:, None] * F).mT),
    ("10.2", least_by_descent),
    ("10.2", lambda A, B, s: s * (1 - s) * float(((A - B) ** 2).sum())),
    ("10.2", lambda A, B, s: s * (1 - s) * torch.linalg.norm(A - B) ** 2),
    ("10.3", light_by_matrix),
    ("10.4", (0.914, 0.626, 0.379)),
    ("10.4", torch.tensor([0.9141, 0.6260, 0.3794])),
    ("10.4", [0.92, 0.63, 0.38]),
]

WRONG = [
    ("10.1", lambda F, T: guided_by_loops(F, T).mT[:, :1]),
    ("10.1", lambda F, T: guided_by_loops(F, T).detach() + 0 * F.sum()),
    ("10.1", lambda F, T: guided_by_loops(F, T) / 2),
    ("10.2", lambda A, B, s: s * float(((A - B) ** 2).sum()) / 2),
    ("10.2", lambda A, B, s: -s * (1 - s) * ((A - B) ** 2).sum()),
    ("10.2", lambda A, B: 0.21 * ((A - B) ** 2).sum()),
    ("10.3", lambda x, p: light_by_matrix(x, p).clamp(0.4, 0.6)),
    ("10.3", lambda x, p: light_by_matrix(x, p)[0]),
    ("10.4", (0.914, 0.626)),
    ("10.4", (0.914, 0.379, 0.626)),
    ("10.4", 0.626),
    ("10.4", (0.5, 0.5, 0.5)),
]

NAMED = [
    (
        "10.1",
        lambda F, T: torch.einsum("rk,ik,jk->rij", T, F, F),
        "masks once",
    ),
    (
        "10.1",
        lambda F, T: torch.einsum("rk,ik,jk->ij", T**2, F, F),
        "added up",
    ),
    (
        "10.2",
        lambda A, B, s: ((A - B) ** 2).sum() / 4,
        "at the middle",
    ),
    (
        "10.3",
        lambda x, p: light_by_matrix(p, x),
        "exchanged",
    ),
    ("10.4", [91.4, 62.6, 37.9], "in percent"),
    ("10.4", (0.379, 0.626, 0.914), "largest first"),
]
