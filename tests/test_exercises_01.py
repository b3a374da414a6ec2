"""Answers to notebook 01 as students write them."""

import pytest
import torch

from styletut.exercises import find
from styletut.exercises.verdict import judge
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


RIGHT = [
    ("01.1", preprocess_by_colors),
    ("01.1", lambda image: VGG19().preprocess(image)),
    ("01.2", field_downwards),
    ("01.3", index_by_counting),
    ("01.3", lambda layer: torch.tensor(LAYERS.index(layer))),
    ("01.4", rescaled_by_loops),
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
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_a_right_answer_of_another_form_is_right(number, answer):
    verdict = judge(find(number), answer)
    assert verdict.outcome == "right", verdict.text


@pytest.mark.parametrize(("number", "answer"), WRONG)
def test_an_unforeseen_mistake_is_refused(number, answer):
    assert judge(find(number), answer).outcome == "wrong"
