"""Answers to notebook 05 as students write them."""

import numpy as np
import torch


def anisotropic_by_loops(x):
    H, W = x.shape
    total = x.sum() * 0
    for i in range(H):
        for j in range(W):
            if i + 1 < H:
                total = total + (x[i + 1, j] - x[i, j]).abs()
            if j + 1 < W:
                total = total + (x[i, j + 1] - x[i, j]).abs()
    return total


def heat_by_autograd(x):
    x = x.clone().requires_grad_()
    value = x.diff(dim=0).square().sum() + x.diff(dim=1).square().sum()
    return torch.autograd.grad(value, x)[0]


def front_by_sorting(runs):
    found, least = set(), float("inf")
    for c, s in sorted(set(runs)):
        if s < least:
            found |= {i for i, run in enumerate(runs) if run == (c, s)}
            least = s
    return found


def front_by_identity(runs):
    return {
        i
        for i, run in enumerate(runs)
        if not any(
            other[0] <= run[0] and other[1] <= run[1] and other is not run
            for other in runs
        )
    }


def front_that_keeps_all_repeated(runs):
    repeated = {i for i, run in enumerate(runs) if runs.count(run) > 1}
    return front_by_sorting(runs) | repeated


def front_without_ties(runs):
    found, least, last = set(), float("inf"), None
    for i in sorted(range(len(runs)), key=lambda i: runs[i][0]):
        if runs[i][1] < least or runs[i] == last:
            found.add(i)
            least, last = runs[i][1], runs[i]
    return found


RIGHT = [
    ("05.1", [1 / 4, 1]),
    ("05.1", (0.25, 1)),
    ("05.2", anisotropic_by_loops),
    ("05.3", heat_by_autograd),
    ("05.3", lambda x: heat_by_autograd(x).numpy()),
    ("05.4", front_by_sorting),
    ("05.4", lambda runs: sorted(front_by_sorting(runs))),
    ("05.1", {"rate": 0.25, "distance": 1}.values()),
    ("05.4", lambda runs: (i for i in front_by_sorting(runs))),
    ("05.4", lambda runs: np.array(sorted(front_by_sorting(runs)))),
    ("05.4", lambda runs: torch.tensor(sorted(front_by_sorting(runs)))),
]

WRONG = [
    ("05.1", (0.25,)),
    ("05.1", 0.25),
    ("05.1", (0.25, 0.0)),
    ("05.2", lambda x: anisotropic_by_loops(x[1:])),
    ("05.2", lambda x: anisotropic_by_loops(x).detach()),
    ("05.2", lambda x: anisotropic_by_loops(x) / x.numel()),
    ("05.2", lambda x: anisotropic_by_loops(x.relu())),
    ("05.3", lambda x: heat_by_autograd(x).T),
    ("05.3", lambda x: heat_by_autograd(x) / x.numel()),
    ("05.3", lambda x: heat_by_autograd(x)[1:-1, 1:-1]),
    ("05.4", lambda runs: {runs[i] for i in front_by_sorting(runs)}),
    ("05.4", lambda runs: len(front_by_sorting(runs))),
    ("05.4", lambda runs: set(range(len(runs)))),
    ("05.4", lambda runs: {min(range(len(runs)), key=runs.__getitem__)}),
    ("05.4", front_by_identity),
    ("05.4", front_that_keeps_all_repeated),
    ("05.4", front_without_ties),
]


NAMED = [
    (
        "05.2",
        lambda x: x.diff(dim=0).abs().mean() + x.diff(dim=1).abs().mean(),
        "mean for sum",
    ),
    ("05.3", lambda x: -heat_by_autograd(x) / 2, "Laplacian"),
    ("05.4", front_by_identity, "equals beat each other"),
    (
        "05.4",
        lambda runs: [runs[i] for i in front_by_sorting(runs)],
        "runs for indices",
    ),
]
