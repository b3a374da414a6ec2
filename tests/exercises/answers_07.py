"""Answers to notebook 07 as students write them."""

import math

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


def cost_by_numpy(schedule):
    sides, counts = np.array(schedule, dtype=float).T
    return (counts * sides**2).sum() / sides[-1] ** 2


def cost_by_loop(schedule):
    pixels = 0
    for side, evaluations in schedule:
        pixels += evaluations * side * side
    return torch.tensor(pixels / schedule[-1][0] ** 2)


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


def cost_of_tiles(side, margin, up=2):
    """By the work of ways up, and as much for the way down."""
    tile = (side + 2 * margin) ** 2
    return (up * tile + tile) / (2 * side**2)


RIGHT = [
    ("07.1", side_by_search),
    ("07.1", side_by_float),
    ("07.2", cost_by_numpy),
    ("07.2", cost_by_loop),
    ("07.3", gram_by_joining),
    ("07.3", gram_by_package),
    ("07.3", gram_by_einsum),
    ("07.4", cost_of_tiles),
    ("07.4", lambda side, margin: 6 * (0.5 + margin / side) ** 2),
]

WRONG = [
    ("07.1", lambda free, fixed, per_pixel: side_by_search(free, fixed, 3)),
    (
        "07.1",
        lambda free, fixed, per_pixel: 1 + side_by_search(free, fixed, 9),
    ),
    ("07.1", lambda free, fixed, per_pixel: 10),
    ("07.2", lambda schedule: cost_by_numpy(schedule[:-1])),
    ("07.2", lambda schedule: cost_by_numpy(schedule) + 1),
    ("07.2", lambda schedule: max(n for _, n in schedule)),
    ("07.3", lambda tiles: gram_by_joining(tiles[:2])),
    ("07.3", lambda tiles: gram_by_joining(tiles).diagonal()),
    ("07.3", lambda tiles: gram_by_joining(tiles) ** 0.5),
    ("07.4", lambda side, margin: cost_of_tiles(side, margin + 1)),
    ("07.4", lambda side, margin: cost_of_tiles(margin + 1, side)),
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
        "07.2",
        lambda schedule: cost_by_loop([(s**0.5, n) for s, n in schedule]),
        "by the side",
    ),
    ("07.2", lambda schedule: sum(n for _, n in schedule), "all alike"),
    ("07.3", lambda tiles: gram_by_einsum(tiles, divide=False), "not divided"),
    (
        "07.3",
        lambda tiles: sum(gram_by_joining([F]) for F in tiles) / len(tiles),
        "mean of means",
    ),
    (
        "07.4",
        lambda side, margin: cost_of_tiles(side, margin, up=1),
        "first pass forgotten",
    ),
    (
        "07.4",
        lambda side, margin: cost_of_tiles(side, margin / 2),
        "margin on one side",
    ),
]
