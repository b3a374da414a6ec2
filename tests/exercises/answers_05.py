"""Answers to notebook 05 as students write them."""

import numpy as np
import torch


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
    ("05.1", {"rate": 0.25, "distance": 1}.values()),
    ("05.2", (0.693, 0.00399)),
    ("05.2", torch.tensor([0.664, 0.00397])),  # after 80 evaluations
    ("05.3", (0.125, 0.25)),
    ("05.3", [0.1257, 0.2524]),  # from noise
    ("05.3", torch.tensor([0.1259, 0.2509])),
    ("05.4", front_by_sorting),
    ("05.4", lambda runs: sorted(front_by_sorting(runs))),
    ("05.4", lambda runs: (i for i in front_by_sorting(runs))),
    ("05.4", lambda runs: np.array(sorted(front_by_sorting(runs)))),
    ("05.4", lambda runs: torch.tensor(sorted(front_by_sorting(runs)))),
]

WRONG = [
    ("05.1", (0.25,)),
    ("05.1", 0.25),
    ("05.1", (0.25, 0.0)),
    ("05.2", 0.7),
    ("05.2", (0.68, 0.0029)),  # after 40 evaluations
    ("05.2", (0.7, 0.0)),
    ("05.3", 0.125),
    ("05.3", (0.1435, 0.2793)),  # five steps from noise
    ("05.3", (0.1443, 0.2674)),  # a hundred from a smooth hill
    ("05.4", lambda runs: {runs[i] for i in front_by_sorting(runs)}),
    ("05.4", lambda runs: len(front_by_sorting(runs))),
    ("05.4", lambda runs: set(range(len(runs)))),
    ("05.4", lambda runs: {min(range(len(runs)), key=runs.__getitem__)}),
    ("05.4", front_by_identity),
    ("05.4", front_that_keeps_all_repeated),
    ("05.4", front_without_ties),
]


NAMED = [
    ("05.2", (0.74, 0.0149), "ratios of norms"),
    ("05.2", [1.4, 250], "inverse"),
    ("05.3", (0.25, 0.25), "the row twice"),
    ("05.3", (0.251, 0.504), "Laplacian for gradient"),
    ("05.4", front_by_identity, "equals dominate each other"),
    (
        "05.4",
        lambda runs: [runs[i] for i in front_by_sorting(runs)],
        "runs for indices",
    ),
]
