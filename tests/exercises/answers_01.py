"""Answers to notebook 01 as students write them."""

import math

import torch

from styletut.vgg import LAYERS, receptive_field


def unpadded_by_loop(layer, side):
    size, spacing = receptive_field(layer)
    count = 0
    for first in range(-(size - spacing) // 2, side, spacing):
        if first >= 0 and first + size <= side:
            count += 1
    return count


def unpadded_by_formula(layer, side):
    size, spacing = receptive_field(layer)
    first = math.ceil((size / spacing - 1) / 2)
    last = math.floor(side / spacing - (size / spacing + 1) / 2)
    return max(last - first + 1, 0)


def unpadded_below_zero(layer, side):
    size, spacing = receptive_field(layer)
    last = (side - (size + spacing) / 2) // spacing
    return last - math.ceil((size / spacing - 1) / 2) + 1


def index_by_counting(layer):
    kind, block, k = layer[:4], int(layer[4]), layer[5:]
    start = (0, 5, 10, 19, 28)[block - 1]
    if kind == "pool":
        return (4, 9, 18, 27, 36)[block - 1]
    return start + 2 * (int(k[1:]) - 1) + (kind == "relu")


def rescaled_by_loops(W, b, m_in, m_out):
    W, b = W.clone(), b.clone()
    for o in range(W.shape[0]):
        b[o] /= m_out[o]
        for i in range(W.shape[1]):
            W[o, i] *= m_in[i] / m_out[o]
    return [W, b]


# the names that the check once asked for, and no others
TABLE_OF_A_FEW = {
    "conv1_1": 0,
    "relu1_2": 3,
    "pool1": 4,
    "relu3_4": 17,
    "conv4_2": 21,
    "relu4_2": 22,
    "relu5_1": 29,
    "pool4": 27,
    "conv5_4": 34,
}


RIGHT = [
    ("01.1", unpadded_by_loop),
    ("01.1", unpadded_by_formula),
    ("01.1", lambda *case: torch.tensor(unpadded_by_loop(*case))),
    ("01.2", [36, 72]),
    ("01.2", torch.tensor([36, 76])),
    ("01.2", (34, 74.0)),
    ("01.3", index_by_counting),
    ("01.3", lambda layer: torch.tensor(LAYERS.index(layer))),
    (
        "01.3",
        lambda layer: next(i for i, x in enumerate(LAYERS) if x == layer),
    ),
    ("01.4", rescaled_by_loops),
    ("01.4", lambda *case: (each for each in rescaled_by_loops(*case))),
]

WRONG = [
    ("01.1", lambda layer, side: unpadded_by_loop(layer, side - 1)),
    ("01.1", lambda layer, side: 6),
    ("01.1", lambda layer, side: [unpadded_by_loop(layer, side)]),
    ("01.1", lambda layer, side: unpadded_by_loop("relu3_1", side)),
    ("01.2", (0.53, 0.92)),
    ("01.2", (36, 156)),
    ("01.2", (36**2, 74**2)),
    ("01.2", (51, 74)),
    ("01.2", 36),
    ("01.3", lambda layer: index_by_counting(layer) - 1),
    ("01.3", lambda layer: 21),
    ("01.3", lambda layer: str(index_by_counting(layer))),
    ("01.3", lambda layer: [index_by_counting(layer)]),
    ("01.3", TABLE_OF_A_FEW.__getitem__),
    ("01.3", [name for name in LAYERS if name != "pool5"].index),
    (
        "01.3",
        lambda layer: LAYERS[:30].index(layer) if layer in LAYERS else 34,
    ),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o)[0]),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o)[::-1]),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o**2)),
    ("01.4", lambda W, b, i, o: (W, b)),
]


NAMED = [
    ("01.1", unpadded_below_zero, "below zero"),
    ("01.2", (44, 66), "black around it"),
    ("01.2", (154, 156), "mean color not divided by 255"),
    (
        "01.3",
        [name for name in LAYERS if not name.startswith("pool")].index,
        "poolings left out of the list",
    ),
    (
        "01.4",
        lambda W, b, i, o: (
            W * i.reshape(-1, 1, 1, 1) / o.reshape(1, -1, 1, 1),
            b / o,
        ),
        "axes swapped",
    ),
]
