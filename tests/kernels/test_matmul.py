"""Products by oneDNN against the same in float64."""

import pytest
import torch

from styletut.kernels import matmul, onednn

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def relative(came, right):
    return float((came.double() - right).norm() / right.norm())


@pytest.mark.parametrize("by_columns", [False, True])
def test_a_product_with_a_matrix_and_a_bias(by_columns):
    x, bias = random(7, 5), random(4)
    matrix = random(5, 4, seed=1).T if by_columns else random(4, 5, seed=1)
    right = x.double() @ matrix.double().T + bias.double()
    assert relative(matmul.product(x, matrix, bias), right) < 1e-6


@pytest.mark.parametrize("M", [1, 6, 17, 18, 40])
def test_inner_products_over_all_chunks(M, monkeypatch):
    monkeypatch.setattr(matmul, "_CHUNK", 18)  # six rows of three
    columns = random(M, 3)
    right = columns.double().T @ columns.double()
    assert relative(matmul.inner_products(columns), right) < 1e-6


def test_a_row_longer_than_a_chunk(monkeypatch):
    monkeypatch.setattr(matmul, "_CHUNK", 4)
    columns = random(3, 8)
    right = columns.double().T @ columns.double()
    assert relative(matmul.inner_products(columns), right) < 1e-6


def test_a_product_is_added_in_place():
    last = torch.channels_last
    g = random(1, 6, 4, 5).contiguous(memory_format=last)
    F = random(1, 3, 4, 5, seed=1).contiguous(memory_format=last)
    matrix = random(6, 3, seed=2)
    product = torch.einsum("nc,bchw->bnhw", matrix.double(), F.double())
    right, place = g.double() + product, g.data_ptr()
    matmul.add_product(g, F, matrix)
    assert g.data_ptr() == place
    assert relative(g, right) < 1e-6


@pytest.mark.parametrize(
    ("N", "M"), [(4, 1), (4, 31), (4, 32), (4, 1000), (300, 70), (512, 65)]
)
def test_of_bfloat16_maps_inner_products_are_float32(N, M):
    columns = random(M, N).relu().bfloat16()
    F = columns.T[None]
    right = columns.double().T @ columns.double()
    came = matmul.gram(F)
    assert came.dtype == torch.float32 and came.shape == (1, N, N)
    # each of the pieces is rounded once, and the sum is not
    assert relative(came[0], right) < 2.0**-8
    assert torch.equal(matmul.gram(F[0]), came[0])


def test_rounding_does_not_grow_with_the_positions():
    columns = random(50_000, 8).relu().bfloat16()
    right = columns.double().T @ columns.double()
    assert relative(matmul.gram(columns.T), right) < 2.0**-9


def test_the_gram_matrix_of_bfloat16_maps_has_a_gradient():
    F = random(1, 5, 40).bfloat16().requires_grad_()
    g = random(1, 5, 5, seed=1)
    (came,) = torch.autograd.grad(matmul.gram(F), F, g)
    both = (g + g.mT).double()
    assert came.dtype == torch.bfloat16
    assert relative(came, both @ F.detach().double()) < 2.0**-6


def test_gram_matrices_of_bfloat16_maps_have_tangents():
    F, dF = (random(1, 5, 40, seed=k).bfloat16() for k in (0, 1))
    G, dG = torch.func.jvp(matmul.gram, (F,), (dF,))
    assert G.dtype == dG.dtype == torch.float32
    half = dF.double() @ F.double().mT
    assert relative(dG, half + half.mT) < 2.0**-6
