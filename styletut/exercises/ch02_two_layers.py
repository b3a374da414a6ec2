"""Exercise of notebook 02: a gradient down through two layers."""

from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves
from styletut.losses import content_gradient, relu_gate


def _layers() -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    return [
        (
            waves(1, c, h, w, pace=1.3),
            waves(n, c, 3, 3, pace=0.7),
            waves(m, n, 3, 3, pace=1.9),
            waves(1, m, h, w, pace=0.8).relu(),
        )
        for c, n, m, h, w in ((1, 2, 3, 4, 5), (3, 2, 2, 3, 6))
    ]


def _maps(x: Tensor, K1: Tensor, K2: Tensor) -> tuple[Tensor, Tensor]:
    F1 = conv2d(x, K1, padding=1).relu()
    return F1, conv2d(F1, K2, padding=1).relu()


def _down(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor, gates: str = "12"
) -> Tensor:
    F1, F2 = _maps(x, K1, K2)
    g = content_gradient(F2, P)
    g = relu_gate(g, F2) if "2" in gates else g
    g = conv_transpose2d(g, K2, padding=1)
    g = relu_gate(g, F1) if "1" in gates else g
    return conv_transpose2d(g, K1, padding=1)


def _kernel_not_turned(x: Tensor, K1: Tensor, K2: Tensor, P: Tensor) -> Tensor:
    F1, F2 = _maps(x, K1, K2)
    g = relu_gate(content_gradient(F2, P), F2)
    g = relu_gate(conv2d(g, K2.transpose(0, 1), padding=1), F1)
    return conv2d(g, K1.transpose(0, 1), padding=1)


def _not_transposed(x: Tensor, K1: Tensor, K2: Tensor, P: Tensor) -> Tensor:
    F1, F2 = _maps(x, K1, K2)
    g = relu_gate(content_gradient(F2, P), F2)
    g = relu_gate(conv2d(g, K2, padding=1), F1)
    return conv2d(g, K1, padding=1)


def _gate_before_the_relu(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor
) -> Tensor:
    Z1 = conv2d(x, K1, padding=1)
    F2 = conv2d(Z1, K2, padding=1).relu()
    g = relu_gate(content_gradient(F2, P), F2)
    g = relu_gate(conv_transpose2d(g, K2, padding=1), Z1)
    return conv_transpose2d(g, K1, padding=1)


def _no_relu_at_all(x: Tensor, K1: Tensor, K2: Tensor, P: Tensor) -> Tensor:
    F2 = conv2d(conv2d(x, K1, padding=1), K2, padding=1)
    g = conv_transpose2d(content_gradient(F2, P), K2, padding=1)
    return conv_transpose2d(g, K1, padding=1)


def _gate_of_the_target(
    x: Tensor, K1: Tensor, K2: Tensor, P: Tensor
) -> Tensor:
    F1, F2 = _maps(x, K1, K2)
    g = relu_gate(content_gradient(F2, P), P)
    g = relu_gate(conv_transpose2d(g, K2, padding=1), F1)
    return conv_transpose2d(g, K1, padding=1)


def _stopped_halfway(x: Tensor, K1: Tensor, K2: Tensor, P: Tensor) -> Tensor:
    F1, F2 = _maps(x, K1, K2)
    g = relu_gate(content_gradient(F2, P), F2)
    return relu_gate(conv_transpose2d(g, K2, padding=1), F1)


TWO_LAYERS = Exercise(
    number="02.3",
    right=_down,
    praise="Gate, transposed convolution, gate, transposed convolution.",
    cases=_layers,
    mistakes=(
        Mistake(
            "lower gate missing",
            lambda x, K1, K2, P: _down(x, K1, K2, P, "2"),
            "Between the two transposed convolutions lies a ReLU. Its gate "
            "is missing, or open everywhere.",
        ),
        Mistake(
            "upper gate missing",
            lambda x, K1, K2, P: _down(x, K1, K2, P, "1"),
            "The loss is taken after a ReLU: the first gate of the backward "
            "pass is missing, or open everywhere.",
        ),
        Mistake(
            "both gates missing",
            lambda x, K1, K2, P: _down(x, K1, K2, P, ""),
            "Both gates are missing, or open everywhere: `F >= 0` is always "
            "so.",
        ),
        Mistake(
            "convolution for its transpose",
            _not_transposed,
            "You went down with conv2d, and the channels do not fit. Which "
            "function is its transpose?",
        ),
        Mistake(
            "kernel the wrong way round",
            _kernel_not_turned,
            "Your kernel ends up the wrong way round: turned not at all, or "
            "twice. conv2d with swapped channels does not turn it, and "
            "conv_transpose2d does.",
        ),
        Mistake(
            "stopped halfway",
            _stopped_halfway,
            "You stopped at Z1. From there to the pixels it is one more "
            "convolution.",
        ),
        Mistake(
            "ReLU left out of the forward pass",
            _gate_before_the_relu,
            "In the forward pass the first ReLU is missing: the second "
            "convolution takes F1, not Z1.",
        ),
        Mistake(
            "no ReLU at all",
            _no_relu_at_all,
            "That is the gradient of a network without ReLUs: neither the "
            "forward nor the backward pass has one.",
        ),
        Mistake(
            "factor 2",
            lambda *case: 2 * _down(*case),
            "It is twice too large: (2.1) has a half before the sum.",
        ),
        Mistake(
            "mean for sum",
            lambda x, K1, K2, P: 2 * _down(x, K1, K2, P) / P.numel(),
            "That belongs to the mean of the squares. (2.1) is half of "
            "their sum.",
        ),
        Mistake(
            "upper gate asked of P",
            _gate_of_the_target,
            "Your upper gate asks whether P is positive. The ReLU that the "
            "gradient passes is that of F2.",
        ),
        Mistake(
            "sign turned",
            lambda *case: -_down(*case),
            "The sign is turned: that is the direction of descent.",
        ),
    ),
)
