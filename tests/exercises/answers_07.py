"""Answers to notebook 07 as students write them."""

import math
from fractions import Fraction

import numpy as np
import torch

from styletut.losses import gram_matrix


def side_by_search(free, fixed, per_pixel):
    side = 0
    while fixed + per_pixel * (side + 1) ** 2 <= free:
        side += 1
    return side


def side_by_float(free, fixed, per_pixel):
    if free < fixed:
        return 0
    return float(math.floor(((free - fixed) / per_pixel) ** 0.5))


def left_by_fractions(budget, side, coarse):
    cost = sum(n * Fraction(s, side) ** 2 for s, n in coarse)
    return math.floor(max(budget - cost, 0))


def left_by_counting(budget, side, coarse, pixels=lambda s: s * s):
    """Evaluations at the full side, one after the other, while they fit."""
    spent = sum(n * pixels(s) for s, n in coarse)
    n = 0
    while spent + (n + 1) * pixels(side) <= budget * pixels(side):
        n += 1
    return torch.tensor(n)


def gram_by_joining(tiles):
    columns = torch.cat([F.reshape(len(F), -1) for F in tiles], dim=1)
    return columns @ columns.T / columns.shape[1]


def gram_by_package(tiles):
    total = sum(gram_matrix(F.flatten(1)) for F in tiles)
    return total / sum(F[0].numel() for F in tiles)


def gram_by_einsum(tiles, divide=True):
    G, M = 0, 0
    for F in tiles:
        G = G + torch.einsum("ihw,jhw->ij", F, F)
        M += F.shape[1] * F.shape[2]
    return G / M if divide else G


RIGHT = [
    ("07.1", side_by_search),
    ("07.1", side_by_float),
    ("07.1", lambda free, fixed, p: int(max(0, (free - fixed) / p) ** 0.5)),
    ("07.2", left_by_fractions),
    ("07.2", left_by_counting),
    ("07.3", gram_by_joining),
    ("07.3", gram_by_package),
    ("07.3", gram_by_einsum),
    ("07.4", (6.8, 420)),
    ("07.4", [6.9, 405.0]),
    ("07.4", np.array([6.8, 414])),
]

WRONG = [
    ("07.1", lambda free, fixed, per_pixel: side_by_search(free, fixed, 3)),
    (
        "07.1",
        lambda free, fixed, per_pixel: 1 + side_by_search(free, fixed, 9),
    ),
    ("07.1", lambda free, fixed, per_pixel: 10),
    ("07.2", lambda budget, side, coarse: left_by_fractions(budget, side, [])),
    ("07.2", lambda *case: left_by_fractions(*case) + 1),
    ("07.2", lambda budget, side, coarse: budget // 2),
    ("07.3", lambda tiles: gram_by_joining(tiles[:2])),
    ("07.3", lambda tiles: gram_by_joining(tiles).diagonal()),
    ("07.3", lambda tiles: gram_by_joining(tiles) ** 0.5),
    ("07.4", (6.8, 256)),
    ("07.4", (6.8, 520)),
    ("07.4", (4.9, 414)),
    ("07.4", 414),
]


NAMED = [
    (
        "07.1",
        lambda free, fixed, per_pixel: side_by_search(free, 0, per_pixel),
        "fixed bytes forgotten",
    ),
    (
        "07.1",
        lambda free, fixed, per_pixel: math.floor(
            math.sqrt((free - fixed) / per_pixel)
        ),
        "nothing fits, by sqrt",
    ),
    (
        "07.1",
        lambda free, fixed, p: int(max(0, (free - fixed) / p) ** 0.5 + 1e-3),
        "a little added",
    ),
    (
        "07.2",
        lambda budget, side, coarse: left_by_counting(
            budget, side, coarse, pixels=lambda s: s
        ),
        "by the side",
    ),
    (
        "07.2",
        lambda budget, side, coarse: left_by_counting(
            budget, side, coarse, pixels=lambda s: 1
        ),
        "all alike",
    ),
    ("07.3", lambda tiles: gram_by_einsum(tiles, divide=False), "not divided"),
    (
        "07.3",
        lambda tiles: sum(gram_by_joining([F]) for F in tiles) / len(tiles),
        "mean of means",
    ),
    ("07.4", (6.8, 356), "in proportion"),
    ("07.4", (6.8, 1.6), "a factor"),
    ("07.4", (6.9, 332), "the shorter side"),
]
