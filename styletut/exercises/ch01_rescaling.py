"""Exercise of notebook 01: a layer whose maps have mean 1."""

import torch
from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves

Pair = tuple[Tensor, Tensor]


def _layers() -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    cases = []
    for N, C in ((2, 3), (3, 3), (4, 1)):
        m_in = torch.arange(1, C + 1, dtype=torch.float64) * 0.7 + 1
        m_out = torch.arange(1, N + 1, dtype=torch.float64) * 1.3 + 2
        cases.append((waves(N, C, 3, 3), waves(N, pace=0.6), m_in, m_out))
    return cases


def _over_outputs(W: Tensor, m_in: Tensor, m_out: Tensor) -> Tensor:
    return W * m_in[None, :, None, None] / m_out[:, None, None, None]


def _rescaled(W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor) -> Pair:
    return _over_outputs(W, m_in, m_out), b / m_out


def _input_forgotten(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> Pair:
    return _over_outputs(W, torch.ones_like(m_in), m_out), b / m_out


def _output_forgotten(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> Pair:
    return _over_outputs(W, m_in, torch.ones_like(m_out)), b


def _weights_not_divided(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> Pair:
    return _over_outputs(W, m_in, torch.ones_like(m_out)), b / m_out


def _turned_round(W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor) -> Pair:
    return _over_outputs(W, 1 / m_in, 1 / m_out), b * m_out


def _weights_turned_round(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> Pair:
    return _over_outputs(W, 1 / m_in, 1 / m_out), b / m_out


def _both_divided(W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor) -> Pair:
    return _over_outputs(W, 1 / m_in, m_out), b / m_out


def _axes_swapped(W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor) -> Pair:
    wrong = W * m_in[:, None, None, None] / m_out[None, :, None, None]
    return wrong, b / m_out


def _along_the_kernel(
    W: Tensor, b: Tensor, m_in: Tensor, m_out: Tensor
) -> Pair:
    return W * m_in / m_out[:, None, None, None], b / m_out


RESCALED = Exercise(
    number="01.4",
    right=_rescaled,
    praise="Each layer divides, and the next one undoes it.",
    cases=_layers,
    mistakes=(
        Mistake(
            "input means forgotten",
            _input_forgotten,
            "The maps that come in have been divided by m_in: who makes up "
            "for that?",
        ),
        Mistake(
            "output means forgotten",
            _output_forgotten,
            "You made up for the layer below. The maps of this layer have "
            "not become smaller yet.",
        ),
        Mistake(
            "ratio turned round",
            _turned_round,
            "You divided where (1.6) multiplies, and the other way round.",
        ),
        Mistake(
            "ratio of the weights turned round",
            _weights_turned_round,
            "The bias is right. In the weights you divided where (1.6) "
            "multiplies, and the other way round.",
        ),
        Mistake(
            "both divided",
            _both_divided,
            "You divided by the input means as well. They come in already "
            "divided.",
        ),
        Mistake(
            "weights not divided",
            _weights_not_divided,
            "The bias is right. The weights are part of the same sum, and it "
            "is divided by m_out as a whole.",
        ),
        Mistake(
            "bias as it was",
            lambda W, b, m_in, m_out: (_over_outputs(W, m_in, m_out), b),
            "The bias is part of the sum that is divided by m_out.",
        ),
        Mistake(
            "bias multiplied",
            lambda W, b, m_in, m_out: (
                _over_outputs(W, m_in, m_out),
                b * m_out,
            ),
            "The bias must become smaller with the output, not larger.",
        ),
        Mistake(
            "axes swapped",
            _axes_swapped,
            "You stretched m_in along the outputs and m_out along the "
            "inputs. Which axis of W holds which?",
        ),
        Mistake(
            "input means along the kernel",
            _along_the_kernel,
            "`W * m_in` runs along the last axis, the width of the kernel; "
            "it fits only because C happens to be 3.",
        ),
        Mistake(
            "weights alone",
            lambda W, b, m_in, m_out: _over_outputs(W, m_in, m_out),
            "The weights are right. The exercise asks for the pair, with the "
            "bias.",
        ),
        Mistake(
            "pair turned round",
            lambda W, b, m_in, m_out: _rescaled(W, b, m_in, m_out)[::-1],
            "Both are right; the weights come first.",
        ),
    ),
)
