"""Answers to notebook 08 as students write them."""

import numpy as np
import torch

from styletut.losses import content_loss, style_layer_loss


def false_calls(five, spreads):
    """How often a rule calls the fifth of equal numbers another one."""
    four, judged = five[:, :4], five[:, 4]
    spread = four.max(1) - four.min(1)
    return float((abs(judged - four[:, 0]) > spreads * spread).mean())


def errors_by_numpy():
    five = np.random.default_rng(1).normal(size=(100_000, 5))
    return tuple(false_calls(five, spreads) for spreads in (1, 3))


def errors_by_torch():
    generator = torch.Generator().manual_seed(2)
    five = torch.randn(100_000, 5, generator=generator).numpy()
    return [false_calls(five, spreads) for spreads in (1, 3)]


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
    ("08.1", errors_by_numpy()),
    ("08.1", errors_by_torch()),
    ("08.1", (0.19, 0.01)),
    ("08.2", balance_by_the_package()),
    ("08.2", [1 / 9, 1 / 81, 1 / 9]),
    ("08.2", (0.1111, 0.012346, 0.1111)),
    ("08.2", (0.111, 0.0123, 0.111)),
    ("08.3", without_by_shares),
    ("08.4", voices_by_numpy),
    ("08.4", voices_by_torch),
]

WRONG = [
    ("08.1", errors_by_numpy()[1]),
    ("08.1", (0.05, 0.003)),
    ("08.1", (0.1923, 0.0027)),
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
    ("08.1", [100 * share for share in errors_by_numpy()], "in percent"),
    ("08.1", errors_by_torch()[::-1], "exchanged"),
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
