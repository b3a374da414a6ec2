"""Answers to notebook 01 as students write them."""

import torch

from styletut.vgg import LAYERS, VGG19, receptive_field


def preprocess_by_colors(image):
    red, green, blue = image[0] * 255
    colors = [blue - 103.939, green - 116.779, red - 123.68]
    return torch.stack(colors)[None]


def field_downwards(layers):
    r = 1
    for kernel, stride in reversed(layers):
        r = (r - 1) * stride + kernel
    return r


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


def cost_by_layer(C, N, M):
    layer = torch.nn.Conv2d(C, N, 3, device="meta")
    parameters = sum(each.numel() for each in layer.parameters())
    return [parameters, layer.weight.numel() * M]


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
    ("01.1", preprocess_by_colors),
    ("01.1", lambda image: VGG19().preprocess(image)),
    ("01.2", field_downwards),
    ("01.3", index_by_counting),
    ("01.3", lambda layer: torch.tensor(LAYERS.index(layer))),
    ("01.4", rescaled_by_loops),
    ("01.5", cost_by_layer),
    ("01.5", lambda C, N, M: torch.tensor(cost_by_layer(C, N, M))),
    (
        "01.3",
        lambda layer: next(i for i, x in enumerate(LAYERS) if x == layer),
    ),
    ("01.4", lambda *case: (each for each in rescaled_by_loops(*case))),
]

WRONG = [
    ("01.1", lambda image: preprocess_by_colors(image) / 255),
    ("01.1", lambda image: preprocess_by_colors(image).flip(1)),
    ("01.1", lambda image: preprocess_by_colors(image)[0]),
    ("01.1", lambda image: preprocess_by_colors(image).flip(2, 3)),
    ("01.1", lambda image: -preprocess_by_colors(image)),
    ("01.2", lambda layers: field_downwards(layers[:-1])),
    ("01.2", lambda layers: field_downwards(layers[::-1])),
    ("01.2", lambda layers: receptive_field("pool1").size),
    ("01.2", lambda layers: 2 * len(layers) + 1),
    ("01.3", lambda layer: index_by_counting(layer) - 1),
    ("01.3", lambda layer: 21),
    ("01.3", lambda layer: str(index_by_counting(layer))),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o)[0]),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o)[::-1]),
    ("01.4", lambda W, b, i, o: rescaled_by_loops(W, b, i, o**2)),
    ("01.4", lambda W, b, i, o: (W, b)),
    ("01.5", lambda C, N, M: cost_by_layer(N, C, M)),
    ("01.5", lambda C, N, M: cost_by_layer(C, N, M)[1]),
    ("01.5", lambda C, N, M: cost_by_layer(C, N, M + 1)),
    ("01.5", lambda C, N, M: [1e-6 * each for each in cost_by_layer(C, N, M)]),
    ("01.5", lambda C, N, M: (73_856, 1_207_959_552)),
    ("01.3", TABLE_OF_A_FEW.__getitem__),
    ("01.3", [name for name in LAYERS if name != "pool5"].index),
    (
        "01.3",
        lambda layer: LAYERS[:30].index(layer) if layer in LAYERS else 34,
    ),
    ("01.3", lambda layer: [index_by_counting(layer)]),
]


NAMED = [
    ("01.2", lambda layers: field_downwards(layers[::-1]), "wrong direction"),
    (
        "01.2",
        lambda layers: field_downwards(layers[:1]),
        "returned in the loop",
    ),
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
