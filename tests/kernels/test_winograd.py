"""Winograd's algorithm against convolution by its definition in float64."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from styletut.kernels import buffers, onednn, winograd

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)

ROUNDING = {2: 1e-6, 4: 1e-5}  # relative, in the norm
POINTS = {2: (0, 1, -1), 4: (0, 1, -1, 2, 1 / 2)}  # and infinity

sizes = pytest.mark.parametrize("m", [2, 4])


@pytest.fixture(params=["Intel's", "another's"], autouse=True)
def maker(request, monkeypatch):
    """A processor of either kind: products at once, or one by one."""
    by_intel = request.param == "Intel's"
    monkeypatch.setattr(winograd.processor, "by_intel", lambda: by_intel)


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def relative(came, right):
    return float((came.double() - right).norm() / right.norm())


def convolved(x, weight, bias=None):
    """(h, w, C) into (h, w, N), in float64."""
    maps = x.double().permute(2, 0, 1)[None]
    bias = None if bias is None else bias.double()
    return functional.conv2d(maps, weight.double(), bias, padding=1)[
        0
    ].permute(1, 2, 0)


def transforms(m):
    """B^T and A^T as matrices, column by column."""
    algorithm, n = winograd._ALGORITHMS[m], m + 2
    B, A = torch.empty(n, n), torch.empty(m, n)
    for k in range(n):
        unit = list(torch.eye(n)[k][:, None].unbind(0))
        column = torch.empty(n, 1)
        algorithm.write_input(unit, column)
        B[:, k] = column[:, 0]
        column = torch.empty(m, 1)
        algorithm.write_output(unit, column)
        A[:, k] = column[:, 0]
    return A.double(), torch.tensor(algorithm.G).double(), B.double()


@sizes
def test_the_three_transforms_filter_in_one_dimension(m):
    A, G, B = transforms(m)
    for k in range(m + 2):  # each input and each tap of the filter by itself
        for tap in range(3):
            d, g = np.eye(m + 2)[k], np.eye(3)[tap]
            right = np.correlate(d, g, "valid")
            came = A @ ((G @ torch.tensor(g)) * (B @ torch.tensor(d)))
            np.testing.assert_allclose(came, right, atol=1e-6)


@sizes
def test_the_rows_are_powers_of_the_points(m):
    A, G, _ = transforms(m)
    for k, p in enumerate(POINTS[m]):
        for row, count in ((G[k], 3), (A[:, k], m)):
            powers = torch.tensor([float(p) ** i for i in range(count)])
            area = torch.outer(row, powers.double())  # 0 if they are parallel
            torch.testing.assert_close(area, area.T)
            assert row.norm() > 0


@sizes
def test_a_turned_kernel_has_its_values_at_the_reciprocals(m):
    weight = random(5, 3, 3, 3)
    up = winograd.matrices(weight, m)
    down = winograd.matrices(weight.flip(2, 3).transpose(0, 1), m)
    order = list(winograd._ALGORITHMS[m].reciprocal)
    again = up[order][:, order].transpose(2, 3)
    torch.testing.assert_close(again, down)


@sizes
@pytest.mark.parametrize(
    "shape", [(8, 12), (4, 4), (7, 9), (1, 5), (33, 2), (2, 1)]
)
def test_it_convolves(m, shape):
    x, weight, bias = random(*shape, 6), random(9, 6, 3, 3), random(9)
    out = torch.full((*shape, 9), 7.0)
    winograd.convolve(x, winograd.matrices(weight, m), bias, out)
    assert relative(out, convolved(x, weight, bias)) < ROUNDING[m]


@sizes
def test_the_way_down_takes_the_same_matrices(m):
    g, weight = random(9, 13, 8), random(8, 5, 3, 3)
    out = torch.empty(9, 13, 5)
    winograd.convolve(g, winograd.matrices(weight, m), None, out, down=True)
    turned = weight.flip(2, 3).transpose(0, 1)
    assert relative(out, convolved(g, turned)) < ROUNDING[m]


@sizes
def test_strips_fit_together(m, monkeypatch):
    monkeypatch.setattr(winograd, "_BLOCK", 1)  # one row of tiles a strip
    x, weight = random(22, 14, 6), random(5, 6, 3, 3)
    out = torch.empty(22, 14, 5)
    winograd.convolve(x, winograd.matrices(weight, m), None, out)
    assert relative(out, convolved(x, weight)) < ROUNDING[m]


@sizes
def test_a_larger_picture_after_a_smaller_one_and_back(m):
    weight = random(5, 6, 3, 3)
    matrices = winograd.matrices(weight, m)
    for seed, side in enumerate((6, 19, 6)):
        x, out = random(side, side, 6, seed=seed), torch.empty(side, side, 5)
        winograd.convolve(x, matrices, None, out)
        assert relative(out, convolved(x, weight)) < ROUNDING[m]


def test_memory_made_in_inference_mode_serves_outside_it():
    buffers._scratch.__dict__.clear()
    x, out = random(8, 8, 6), torch.empty(8, 8, 5)
    weight = random(5, 6, 3, 3)
    matrices = winograd.matrices(weight, 4)
    with torch.inference_mode():
        winograd.convolve(x, matrices, None, out)
    winograd.convolve(x, matrices, None, out)
    assert relative(out, convolved(x, weight)) < ROUNDING[4]
