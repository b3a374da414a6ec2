"""Answers to notebook 13 as students write them."""

import math

import numpy as np
import torch


def stops_by_adding(bits):
    """Add 1 to a sum that keeps its first bits, until nothing happens."""
    total = 1.0
    while True:
        added = total + 1
        mantissa, exponent = math.frexp(added)
        added = math.ldexp(round(mantissa * 2**bits), exponent - bits)
        if added == total:
            return total
        total = added if bits < 12 else 2 * total


def share_by_counting(m, r, directions=2):
    one = len(range(m + r - 1))
    direct = len([(i, j) for i in range(m) for j in range(r)])
    return torch.tensor(one / direct, dtype=torch.float64) ** directions


RIGHT = [
    ("13.1", stops_by_adding),
    ("13.1", lambda bits: torch.tensor(2.0) ** bits),
    ("13.1", lambda bits: 1 << bits),
    ("13.2", (0.54, 1.01)),
    ("13.2", [0.61, 0.93]),
    ("13.2", np.array([0.49, 1.08])),
    ("13.2", torch.tensor([0.5, 1.0])),
    ("13.3", share_by_counting),
    ("13.3", lambda m, r: (1 / m + 1 / r - 1 / (m * r)) ** 2),
]

WRONG = [
    ("13.1", lambda bits: 10**bits),
    ("13.1", lambda bits: 256),
    ("13.2", (0.5, 0.8)),
    ("13.2", (0.53, 0.02)),
    ("13.2", (0.8, 0.9)),
    ("13.2", (0.5, 1.3)),
    ("13.2", 0.5),
    ("13.3", lambda m, r: 0.25),
    ("13.3", lambda m, r: share_by_counting(m + 1, r)),
]

NAMED = [
    ("13.1", lambda bits: stops_by_adding(bits) - 1, "the one before"),
    ("13.1", lambda bits: stops_by_adding(bits - 1), "one bit too few"),
    ("13.2", (0.53, 0.57), "gates left in"),
    ("13.2", (0.98, 0.55), "the other way round"),
    ("13.2", (-0.55, -1.02), "sign"),
    ("13.2", (0.37, 0.7), "natural logarithm"),
    ("13.2", (1.45, 2.02), "factor for a bit"),
    ("13.2", (4.4, 8.1), "not divided by the bits"),
    ("13.2", (21.0, 262.0), "factor for all bits"),
    ("13.3", lambda m, r: share_by_counting(m, r, 1), "one direction"),
    ("13.3", lambda m, r: 1 / share_by_counting(m, r), "turned round"),
]
