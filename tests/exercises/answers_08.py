"""Answers to notebook 08 as students write them."""

import numpy as np
import torch

from styletut.losses import content_loss, style_layer_loss


def shares_by_numpy(weights, typical):
    parts = np.array(weights) * np.array(typical)
    return parts / parts.sum()


def shares_by_torch(weights, typical):
    parts = torch.tensor(weights).double() * torch.tensor(typical).double()
    return parts / parts.sum()


def balance_by_the_package():
    """Measure what maps of a third do to both losses."""
    F = torch.arange(12, dtype=torch.float64).reshape(3, 4).sin()
    P = torch.arange(12, dtype=torch.float64).reshape(3, 4).cos()
    A = P @ P.T
    content = content_loss(F / 3, P / 3) / content_loss(F, P)
    style = style_layer_loss(F / 3, A / 9) / style_layer_loss(F, A)
    return float(content), float(style), float(style / content)


def without_by_shares(weights, typical, layer):
    before = {name: w * typical[name] for name, w in weights.items()}
    whole = sum(before.values())
    share = before.pop(layer) / whole
    return {
        name: part / (1 - share) / typical[name]
        for name, part in before.items()
    }


def without_in_place(weights, typical, layer):
    whole = sum(weights[name] * typical[name] for name in weights)
    del weights[layer]
    rest = sum(weights[name] * typical[name] for name in weights)
    for name in weights:
        weights[name] *= whole / rest
    return weights


def voices_by_numpy(losses):
    shares = np.array(losses) / np.sum(losses)
    return 1 / (shares**2).sum()


def voices_by_torch(losses):
    shares = torch.tensor(losses).double()
    shares = shares / shares.sum()
    return 1 / shares.square().sum()


RIGHT = [
    ("08.1", shares_by_numpy),
    ("08.1", shares_by_torch),
    (
        "08.1",
        lambda weights, typical: tuple(shares_by_numpy(weights, typical)),
    ),
    ("08.2", balance_by_the_package()),
    ("08.2", [1 / 9, 1 / 81, 1 / 9]),
    ("08.2", (0.1111, 0.012346, 0.1111)),
    ("08.2", (0.111, 0.0123, 0.111)),
    ("08.3", without_by_shares),
    ("08.4", voices_by_numpy),
    ("08.4", voices_by_torch),
]

WRONG = [
    ("08.1", lambda weights, typical: shares_by_numpy(weights, typical)[::-1]),
    ("08.1", lambda weights, typical: shares_by_numpy(weights, typical)[:-1]),
    ("08.1", lambda weights, typical: shares_by_numpy(weights, typical).sum()),
    ("08.2", (1 / 9, 1 / 81)),
    ("08.2", 1 / 9),
    ("08.2", (1 / 9, 1 / 81, 1 / 3)),
    ("08.3", without_in_place),
    ("08.3", lambda weights, typical, layer: dict(weights)),
    (
        "08.3",
        lambda weights, typical, layer: list(
            without_by_shares(weights, typical, layer).values()
        ),
    ),
    ("08.4", lambda losses: len(losses)),
    ("08.4", lambda losses: round(voices_by_numpy(losses))),
]

NAMED = [
    (
        "08.1",
        lambda weights, typical: np.array(weights) / np.sum(weights),
        "weights alone",
    ),
    (
        "08.1",
        lambda weights, typical: 100 * shares_by_numpy(weights, typical),
        "percent",
    ),
    ("08.2", [1 / 9, 1 / 81, 9], "the balance the other way"),
    (
        "08.3",
        lambda weights, typical, layer: {
            k: v for k, v in weights.items() if k != layer
        },
        "nothing handed on",
    ),
    (
        "08.4",
        lambda losses: (np.array(losses) > 0).sum(),
        "all that are not 0",
    ),
    ("08.4", lambda losses: 1 / voices_by_numpy(losses), "upside down"),
]
