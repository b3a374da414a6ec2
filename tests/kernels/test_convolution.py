"""Convolutions by frozen kernels, in each algorithm against float64."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional

from styletut.kernels import convolution, onednn
from styletut.kernels.convolution import (
    Convolution,
    PackedConvolution,
    convolve,
    kernel_bytes,
)

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)

ROUNDING = {
    "plain": 2e-6,
    "winograd2": 2e-6,
    "winograd4": 1e-5,
}  # relative, in the norm


def tensor(*shape, pace=1.0):
    """Numbers of both signs, the same on every machine."""
    count = torch.Size(shape).numel()
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return (numbers * pace).sin().mul(numbers).frac().reshape(shape).float()


def frozen(N, C, bias=True):
    weight = tensor(N, C, 3, 3, pace=0.7) / C
    last = weight.contiguous(memory_format=torch.channels_last)
    return weight, Convolution(last, tensor(N) if bias else None)


def exact(x, weight, bias=None):
    b = None if bias is None else bias.double()
    return functional.conv2d(x.double(), weight.double(), b, padding=1)


def relative(came, right):
    return float((came.double() - right).norm() / right.norm())


@pytest.fixture(params=list(ROUNDING))
def algorithm(request, monkeypatch):
    monkeypatch.setattr(
        convolution, "algorithm_for", lambda *shape: request.param
    )
    return request.param


@pytest.mark.parametrize("shape", [(8, 12), (4, 4), (7, 9), (1, 5), (33, 2)])
def test_each_form_convolves(algorithm, shape):
    x, (weight, conv) = tensor(1, 16, *shape), frozen(32, 16)
    came = conv(x)
    assert came.is_contiguous(memory_format=torch.channels_last)
    assert relative(came, exact(x, weight, tensor(32))) < ROUNDING[algorithm]


def test_each_form_takes_a_batch_and_does_not_mix_it(algorithm):
    x, (weight, conv) = tensor(3, 16, 6, 10), frozen(16, 16)
    right = exact(x, weight, tensor(16))
    assert relative(conv(x), right) < ROUNDING[algorithm]


def test_each_form_writes_where_it_is_told_and_rectifies(algorithm):
    x, (weight, conv) = tensor(1, 16, 9, 11), frozen(32, 16)
    out = torch.full((1, 32, 9, 11), 7.0)
    out = out.contiguous(memory_format=torch.channels_last)
    came = conv(x, out=out, relu=True)
    assert came.data_ptr() == out.data_ptr()
    assert float(came.min()) == 0
    right = exact(x, weight, tensor(32)).relu()
    assert relative(came, right) < ROUNDING[algorithm]


def test_downwards_is_the_transpose(algorithm):
    x, g = tensor(1, 16, 9, 13), tensor(1, 32, 9, 13, pace=1.3)
    weight, conv = frozen(32, 16)
    right = functional.conv_transpose2d(g.double(), weight.double(), padding=1)
    assert relative(conv.downwards(g), right) < ROUNDING[algorithm]
    # <K x, g> = <x, K^T g>
    up = (conv.linear(x).double() * g.double()).sum()
    down = (x.double() * conv.downwards(g).double()).sum()
    assert abs(float(up - down)) < 1e-4 * abs(float(up))


def test_derivatives_of_both_orders_are_those_of_the_convolution(algorithm):
    x, (weight, conv) = tensor(1, 16, 8, 8), frozen(32, 16)
    v = tensor(1, 16, 8, 8, pace=1.9)

    def results(x, v, result):
        x = x.clone().requires_grad_()
        (g,) = torch.autograd.grad(
            result(x).pow(3).sum(), x, create_graph=True
        )
        (h,) = torch.autograd.grad((g * v).sum(), x)
        return g.detach(), h

    came = results(x, v, lambda x: convolve(x, conv))
    right = results(
        x.double(), v.double(), lambda x: exact(x, weight, tensor(32))
    )
    for one, other in zip(came, right, strict=True):
        assert relative(one, other) < 10 * ROUNDING[algorithm]


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_the_derivative_along_a_direction(algorithm):
    x, (weight, conv) = tensor(1, 16, 8, 8), frozen(32, 16)
    v = tensor(1, 16, 8, 8, pace=1.9)
    _, along = torch.func.jvp(lambda x: convolve(x, conv), (x,), (v,))
    assert relative(along, exact(v, weight)) < ROUNDING[algorithm]


def test_a_used_convolution_can_be_copied_and_sent(algorithm):
    x, (_, conv) = tensor(1, 16, 8, 8), frozen(16, 16)
    before = conv(x)
    for other in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        assert torch.equal(other(x), before)


def test_both_directions_share_what_is_made_of_the_kernels(monkeypatch):
    monkeypatch.setattr(
        convolution, "algorithm_for", lambda *shape: "winograd2"
    )
    made = []
    monkeypatch.setattr(
        convolution.winograd,
        "matrices",
        lambda weight, m, make=convolution.winograd.matrices: (
            made.append(m) or make(weight, m)
        ),
    )
    _, conv = frozen(16, 16)
    conv(tensor(1, 16, 8, 8))
    conv.downwards(tensor(1, 16, 8, 8))
    conv.downwards.downwards.linear(tensor(1, 16, 8, 8))
    assert made == [2]


def test_another_form_takes_the_place_of_the_last(monkeypatch):
    x, (_, conv) = tensor(1, 16, 8, 8), frozen(16, 16)
    for algorithm in ("winograd4", "winograd2", "plain"):
        monkeypatch.setattr(
            convolution,
            "algorithm_for",
            lambda *shape, algorithm=algorithm: algorithm,
        )
        conv.downwards(x)
        assert len(conv._made) == 1


@pytest.mark.parametrize("h", [4, 40])
def test_the_plain_way_down_with_large_kernels_and_small(h, monkeypatch):
    monkeypatch.setattr(convolution, "algorithm_for", lambda *shape: "plain")
    g, (weight, conv) = tensor(1, 24, h, 5), frozen(24, 16)
    assert (weight.numel() > g.numel()) == (h == 4)
    right = functional.conv_transpose2d(g.double(), weight.double(), padding=1)
    out = torch.full((1, 16, h, 5), 7.0)
    out = out.contiguous(memory_format=torch.channels_last)
    for came in (
        conv.downwards(g),
        conv.downwards(g, out=out),
    ):
        assert relative(came, right) < ROUNDING["plain"]
        assert came.is_contiguous(memory_format=torch.channels_last)
    assert relative(out, right) < ROUNDING["plain"]


@pytest.mark.parametrize(
    ("algorithm", "factor"),
    [("winograd4", 4), ("winograd2", 16 / 9), ("plain", 1)],
)
def test_bytes_that_both_directions_keep(algorithm, factor, monkeypatch):
    monkeypatch.setattr(convolution, "algorithm_for", lambda *shape: algorithm)
    weight, conv = frozen(32, 16)
    x, g = tensor(1, 16, 20, 20), tensor(1, 32, 20, 20)
    conv(x)
    conv.downwards(g)
    kept = sum(each.nbytes for each in conv._made.values())
    assert kernel_bytes(16, 32, 20, 20) == kept == factor * weight.nbytes


def test_large_kernels_are_not_kept_turned(monkeypatch):
    monkeypatch.setattr(convolution, "algorithm_for", lambda *shape: "plain")
    _, conv = frozen(32, 16)
    conv.downwards(tensor(1, 32, 4, 4))
    assert not conv._made and kernel_bytes(16, 32, 4, 4) == 0


def test_the_environment_switches_fast_forms_off(monkeypatch):
    assert onednn.enabled()
    monkeypatch.setenv(onednn.VARIABLE, "plain")
    assert not onednn.enabled()


packs = pytest.mark.skipif(
    not onednn.packable(), reason="this processor has no bfloat16"
)
FEW_DIGITS = 2.0**-8
"""What a number loses where it becomes bfloat16, relative."""


def packed(N, C):
    """Kernels that bfloat16 has exactly, and their convolution."""
    weight = (tensor(N, C, 3, 3, pace=0.7) * 16).round() / 16
    return weight, PackedConvolution(
        weight.bfloat16().contiguous(memory_format=torch.channels_last),
        tensor(N).bfloat16(),
    )


@packs
@pytest.mark.parametrize("shape", [(8, 12), (1, 5), (33, 2)])
def test_packed_kernels_convolve_in_bfloat16(shape):
    x = tensor(1, 16, *shape).bfloat16()
    weight, conv = packed(32, 16)
    right = exact(x, weight, tensor(32).bfloat16())
    for relu in (False, True):
        right = right.relu() if relu else right
        out = torch.full((1, 32, *shape), torch.nan).bfloat16()
        out = out.contiguous(memory_format=torch.channels_last)
        for came in (conv(x, relu=relu), conv(x, out, relu)):
            assert came.dtype == torch.bfloat16
            assert came.is_contiguous(memory_format=torch.channels_last)
            # sums are float32: only the result is rounded
            assert relative(came, right) < FEW_DIGITS
        assert conv(x, out) is out


@packs
def test_packed_kernels_take_gradients_downwards():
    g, (weight, conv) = tensor(1, 32, 6, 7).bfloat16(), packed(32, 16)
    right = functional.conv_transpose2d(g.double(), weight.double(), padding=1)
    assert relative(conv.downwards(g), right) < FEW_DIGITS
    assert (conv.channels_in, conv.channels_out) == (16, 32)
    assert (conv.downwards.channels_in, conv.downwards.channels_out) == (
        32,
        16,
    )


@packs
def test_kernels_are_packed_once_for_a_size(monkeypatch):
    x, (_, conv) = tensor(1, 16, 8, 8).bfloat16(), packed(32, 16)
    first, kept = conv(x), conv._packed[1]
    assert torch.equal(conv(x), first) and conv._packed[1] is kept
    conv(tensor(1, 16, 4, 9).bfloat16())
    assert conv._packed[0] == (1, 16, 4, 9)
    for twin in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        assert torch.equal(twin(x), first)


def test_packed_kernels_have_sizes_without_numbers():
    _, conv = packed(32, 16)
    x = torch.empty(1, 16, 8, 9, dtype=torch.bfloat16, device="meta")
    assert conv(x).shape == (1, 32, 8, 9)
    out = torch.empty(1, 32, 8, 9, device="meta")
    assert conv(x, out) is out
