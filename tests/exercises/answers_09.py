"""Answers to notebook 09 as students write them."""

from itertools import pairwise

import numpy as np
import torch


def slopes_by_numpy(C, S):
    C, S = np.array(C), np.array(S)
    return -(S[2:] - S[:-2]) / (C[2:] - C[:-2])


def slopes_by_torch(C, S):
    C, S = torch.tensor(C).double(), torch.tensor(S).double()
    return (S[2:] - S[:-2]) / (C[:-2] - C[2:])


def area_by_squares(runs, corner, side=0.5):
    """Count squares; all numbers of the check are multiples of 1/2."""
    return sum(
        side**2
        for u in np.arange(0, corner[0], side)
        for v in np.arange(0, corner[1], side)
        if any(c <= u and s <= v for c, s in runs)
    )


def area_by_columns(runs, corner):
    edges = sorted({min(c, corner[0]) for c, _ in runs} | {corner[0]})
    area = 0
    for left, right in pairwise(edges):
        reached = min(s for c, s in runs if c <= left)
        area += (right - left) * max(0, corner[1] - reached)
    return area


RIGHT = [
    ("09.1", (0.3195, 0.6463, 0.0494)),  # in float32
    ("09.1", torch.tensor([0.3167, 0.6430, 0.0492])),  # in bfloat16
    ("09.1", [0.32, 0.65, 0.05]),
    ("09.2", [0.0625, 1, 16]),
    ("09.2", torch.tensor([0.0625, 1.0, 16.0])),
    ("09.3", slopes_by_numpy),
    ("09.3", slopes_by_torch),
    ("09.3", lambda C, S: (value for value in slopes_by_numpy(C, S))),
    ("09.4", area_by_squares),
    ("09.4", area_by_columns),
]

WRONG = [
    ("09.1", (0.32, 0.65)),
    ("09.1", (0.15, 0.43, 0.035)),
    ("09.1", (0.32, 0.65, 0.1)),
    ("09.2", (16.0, 1.0, 16.0)),
    ("09.2", (1 / 16, 1.0)),
    ("09.2", (1 / 16, 1.0, 4096.0)),
    ("09.3", lambda C, S: slopes_by_numpy(C, S)[::-1]),
    ("09.3", lambda C, S: slopes_by_numpy(C, S) * 2),
    ("09.4", lambda runs, corner: area_by_squares(runs, corner, 1.0)),
    ("09.4", lambda runs, corner: area_by_columns(runs[:2], corner)),
]

NAMED = [
    ("09.1", (0.32, 0.646, 0.3 / 0.646), "the ceiling's psi"),
    ("09.1", (0.32, 0.646, 0.032), "alpha for psi"),
    ("09.1", (0.32, 0.646, 20.2), "psi upside down"),
    ("09.3", lambda C, S: -slopes_by_numpy(C, S), "minus forgotten"),
    ("09.3", lambda C, S: -np.diff(S) / np.diff(C), "all steps"),
    (
        "09.4",
        lambda runs, corner: sum(
            area_by_squares([run], corner) for run in runs
        ),
        "all rectangles",
    ),
]
