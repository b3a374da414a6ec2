"""The formulas against the paper's sums, autograd and each other."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from styletut.losses import (
    content_gradient,
    content_loss,
    gram_matrix,
    guided_gram,
    guided_style_layer_gradient,
    guided_style_layer_loss,
    relu_gate,
    style_layer_gradient,
    style_layer_loss,
    total_variation,
    total_variation_gradient,
)

KINDS = ("squared", "anisotropic", "isotropic")
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SIDES = st.integers(1, 5)
SEEDS = st.integers(0, 2**32 - 1)


def normal(*shape, seed=0):
    """Draw independent normal numbers, in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def by_autograd(function, x):
    """Differentiate a scalar function at x."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x), x)
    return gradient


def close(a, b, relative=1e-12):
    torch.testing.assert_close(a, b, rtol=relative, atol=relative)


# The paper's sums, written as loops over the indices.


def content_sum(F, P):
    N, M = F.shape
    return 0.5 * math.fsum(
        (F[i, j] - P[i, j]).item() ** 2 for i in range(N) for j in range(M)
    )


# notebook 03, (3.1)
def gram_sum(F):
    N, M = F.shape
    return torch.tensor(
        [
            [
                math.fsum((F[i, k] * F[j, k]).item() for k in range(M))
                for j in range(N)
            ]
            for i in range(N)
        ],
        dtype=F.dtype,
    )


# notebook 04, (4.1) and, for two sizes, (4.4)
def style_sum(G, A, N, M, M_a):
    return math.fsum(
        (G[i, j].item() / M - A[i, j].item() / M_a) ** 2
        for i in range(N)
        for j in range(N)
    ) / (4 * N**2)


# notebook 05, (5.5)
def variation_sum(x, kind):
    H, W = x.shape
    terms = []
    for i in range(H):
        for j in range(W):
            d_v = (x[i + 1, j] - x[i, j]).item() if i + 1 < H else 0.0
            d_h = (x[i, j + 1] - x[i, j]).item() if j + 1 < W else 0.0
            terms.append(
                {
                    "squared": d_v**2 + d_h**2,
                    "anisotropic": abs(d_v) + abs(d_h),
                    "isotropic": math.hypot(d_v, d_h),
                }[kind]
            )
    return math.fsum(terms)


@given(N=SIDES, M=SIDES, seed=SEEDS)
def test_content_loss_is_equation_1(N, M, seed):
    # notebook 02, (2.1)
    F, P = normal(2, N, M, seed=seed)
    loss = content_loss(F, P)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(content_sum(F, P), rel=1e-12)


def test_content_loss_of_numbers_done_by_hand():
    F = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    P = torch.tensor([[0.0, 2.0], [5.0, 1.0]])
    assert content_loss(F, P).item() == (1 + 0 + 4 + 9) / 2
    assert content_gradient(F, P).tolist() == [[1, 0], [-2, 3]]


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 2, 4)])
def test_content_gradient_is_autograds(shape):
    # notebook 02, (2.2)
    F, P = normal(2, *shape)
    close(content_gradient(F, P), by_autograd(lambda F: content_loss(F, P), F))


@given(N=SIDES, M=SIDES, seed=SEEDS)
def test_gram_matrix_is_equation_3(N, M, seed):
    F = normal(N, M, seed=seed)
    G = gram_matrix(F)
    assert G.shape == (N, N)
    close(G, gram_sum(F))


@given(N=SIDES, M=SIDES, seed=SEEDS)
def test_gram_matrix_is_symmetric_positive_and_of_small_rank(N, M, seed):
    F = normal(N, M, seed=seed)
    G = gram_matrix(F)
    close(G, G.T)  # some processors round the two halves differently
    eigenvalues = torch.linalg.eigvalsh(G)
    assert eigenvalues.min() >= -1e-12 * eigenvalues.max()
    rank = torch.linalg.matrix_rank(G, hermitian=True, rtol=1e-10)
    assert rank <= min(N, M)
    # its trace is the square of F, and its norm is at most that
    close(G.trace(), F.square().sum())
    assert G.norm() <= F.square().sum() * (1 + 1e-12)


def test_gram_matrix_of_random_maps_has_rank_of_the_smaller_side():
    assert torch.linalg.matrix_rank(gram_matrix(normal(5, 3))) == 3
    assert torch.linalg.matrix_rank(gram_matrix(normal(3, 5))) == 3


@given(N=SIDES, M=SIDES, seed=SEEDS)
def test_gram_matrix_forgets_positions(N, M, seed):
    F = normal(N, M, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(M, generator=generator)
    close(gram_matrix(F[:, order]), gram_matrix(F))
    Q, _ = torch.linalg.qr(normal(M, M, seed=seed))
    close(gram_matrix(F @ Q), gram_matrix(F), 1e-10)


@given(N=SIDES, M=SIDES, seed=SEEDS)
def test_gram_matrix_follows_a_mixing_of_channels(N, M, seed):
    F, R = normal(N, M, seed=seed), normal(N, N, seed=seed + 1)
    close(gram_matrix(R @ F), R @ gram_matrix(F) @ R.T, 1e-10)


def test_gram_matrix_over_positions_is_covariance_plus_means():
    F = normal(4, 7) + 1
    mean = F.mean(1, keepdim=True)
    covariance = torch.cov(F, correction=0)
    close(gram_matrix(F) / 7, covariance + mean @ mean.T)


def test_a_dead_channel_gives_a_row_and_a_column_of_zeros():
    F = normal(3, 4)
    F[1] = 0
    G = gram_matrix(F)
    assert not G[1].any() and not G[:, 1].any()
    assert G[0, 2] != 0


@given(N=SIDES, M=SIDES, M_a=SIDES, seed=SEEDS)
def test_style_layer_loss_is_equation_4(N, M, M_a, seed):
    F, S = normal(N, M, seed=seed), normal(N, M_a, seed=seed + 1)
    A = gram_sum(S)
    loss = style_layer_loss(F, A, M_a)
    assert loss.shape == ()
    expected = style_sum(gram_sum(F), A, N, M, M_a)
    assert loss.item() == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_style_layer_loss_of_one_size_is_the_papers_form():
    F, S = normal(2, 4, 6)
    G, A = gram_matrix(F), gram_matrix(S)
    expected = (G - A).square().sum() / (4 * 4**2 * 6**2)
    close(style_layer_loss(F, A), expected)
    close(style_layer_loss(F, A, 6), expected)


def test_style_layer_loss_of_numbers_done_by_hand():
    F = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    A = torch.tensor([[3.0, 1.0], [1.0, 0.0]])
    # G = diag(1, 4), so G - A has the entries -2, -1, -1, 4
    assert style_layer_loss(F, A).item() == 22 / (4 * 4 * 4)
    # (G - A) F / (N^2 M^2), entry by entry
    gradient = style_layer_gradient(F, A) * 16
    assert gradient.tolist() == [[-2, -2], [-1, 8]]


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 2, 4)])
@pytest.mark.parametrize("M_a", [None, 11, 2.5])
def test_style_layer_gradient_is_autograds(shape, M_a):
    F, S = normal(2, *shape)
    A = gram_matrix(S)
    expected = by_autograd(lambda F: style_layer_loss(F, A, M_a), F)
    close(style_layer_gradient(F, A, M_a), expected)


def test_style_layer_gradient_is_equation_6_with_the_relus_gate():
    # notebook 04, (4.2)
    Z, S = normal(2, 3, 5)
    A = gram_matrix(S.relu())
    F = Z.relu()
    gated = relu_gate(style_layer_gradient(F, A), F)
    close(gated, by_autograd(lambda Z: style_layer_loss(Z.relu(), A), Z))
    # the paper writes it ((F^T (G - A))^T)_ij / (N^2 M^2) where F > 0
    paper = (F.T @ (gram_matrix(F) - A)).T / (3**2 * 5**2)
    close(gated, torch.where(F > 0, paper, torch.zeros_like(paper)))


def test_content_gradient_is_equation_2_with_the_relus_gate():
    # notebook 02, (2.3)
    Z, P = normal(2, 3, 5)
    F, P = Z.relu(), P.relu()
    gated = relu_gate(content_gradient(F, P), F)
    close(gated, by_autograd(lambda Z: content_loss(Z.relu(), P), Z))
    # a unit that is off while the content's is on: an error, no gradient
    stuck = (F == 0) & (P > 0)
    assert stuck.any() and not gated[stuck].any()


def test_relu_gate_is_shut_at_zero_and_below():
    F = torch.tensor([[-1.0, 0.0, -0.0, 1e-30, 2.0]])
    gradient = torch.full_like(F, float("nan"))
    gradient[0, 3:] = 7
    assert relu_gate(gradient, F).tolist() == [[0, 0, 0, 7, 7]]


@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 1, 3)])
def test_losses_pass_gradcheck_and_gradgradcheck(shape):
    F, P = normal(2, *shape)
    F.requires_grad_()
    A = gram_matrix(P)
    functions = (
        lambda F: content_loss(F, P),
        gram_matrix,
        lambda F: style_layer_loss(F, A),
        lambda F: style_layer_loss(F, A, 5),
        lambda F: content_gradient(F, P),
        lambda F: style_layer_gradient(F, A, 5),
    )
    for function in functions:
        assert torch.autograd.gradcheck(function, (F,))
        assert torch.autograd.gradgradcheck(function, (F,))


def test_losses_are_differentiable_in_both_arguments():
    F, P = (x.requires_grad_() for x in normal(2, 3, 4))
    A = gram_matrix(P).detach().requires_grad_()
    assert torch.autograd.gradcheck(content_loss, (F, P))
    assert torch.autograd.gradcheck(style_layer_loss, (F, A))


def test_the_styles_hessian_is_the_formula_of_the_second_derivative():
    N, M = 3, 5
    F, S, V = normal(3, N, M)
    A = gram_matrix(S)
    _, product = torch.autograd.functional.hvp(
        lambda F: style_layer_loss(F, A), F, V
    )
    curvature = (gram_matrix(F) - A) @ V + (V @ F.T + F @ V.T) @ F
    close(product, curvature / (N**2 * M**2))
    # turning the positions of a solution changes nothing: a flat direction
    K = normal(M, M, seed=1)
    _, product = torch.autograd.functional.hvp(
        lambda S: style_layer_loss(S, A), S, S @ (K - K.T)
    )
    close(product, torch.zeros_like(S))


@given(
    N=SIDES,
    M=SIDES,
    seed=SEEDS,
    t=st.floats(0.25, 4),
)
def test_scaled_maps_scale_content_by_t2_and_style_by_t4(N, M, seed, t):
    F, P = normal(2, N, M, seed=seed)
    A = gram_matrix(P)
    close(content_loss(t * F, t * P), t**2 * content_loss(F, P), 1e-10)
    close(
        style_layer_loss(t * F, t**2 * A), t**4 * style_layer_loss(F, A), 1e-10
    )


@given(B=st.integers(1, 3), seed=SEEDS)
def test_a_batch_is_the_sum_of_its_pictures(B, seed):
    F, P = normal(2, B, 3, 2, 4, seed=seed)
    A = gram_matrix(P)
    flat = [f.flatten(1) for f in F]
    close(A, torch.stack([gram_matrix(p.flatten(1)) for p in P]))
    close(
        content_loss(F, P),
        sum(
            content_loss(f, p.flatten(1)) for f, p in zip(flat, P, strict=True)
        ),
    )
    pairs = list(zip(flat, A, strict=True))
    losses = [style_layer_loss(f, a, 7) for f, a in pairs]
    close(style_layer_loss(F, A, 7), sum(losses))
    gradients = [style_layer_gradient(f, a, 7) for f, a in pairs]
    gradient = style_layer_gradient(F, A, 7)
    close(gradient, torch.stack(gradients).reshape(F.shape))


def test_pictures_of_a_batch_are_never_mixed():
    F, P = normal(2, 2, 3, 2, 4)
    A = gram_matrix(P)
    other = F.clone()
    other[1] += 1
    assert torch.equal(gram_matrix(F)[0], gram_matrix(other)[0])
    before = style_layer_gradient(F, A)
    after = style_layer_gradient(other, A)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_two_tilings_of_one_texture_have_the_same_style():
    tile = normal(1, 3, 2, 4)
    large = tile.repeat(1, 1, 3, 2)
    A = gram_matrix(tile)
    assert style_layer_loss(large, A, 8).item() < 1e-28
    close(style_layer_gradient(large, A, 8), torch.zeros_like(large))
    # read as the same number of positions, they would differ
    assert style_layer_loss(large, A).item() > 1e-3


def squared_mmd(F, S, kernel):
    """Return the biased squared MMD of the columns of F and S, by loops."""

    def mean(U, V):
        values = [kernel(u, v) for u in U.T for v in V.T]
        return math.fsum(v.item() for v in values) / len(values)

    return mean(F, F) + mean(S, S) - 2 * mean(F, S)


def test_style_loss_is_a_maximum_mean_discrepancy():
    N, M, M_a = 3, 4, 6
    F, S = normal(N, M), normal(N, M_a, seed=1)
    mmd = squared_mmd(F, S, lambda u, v: (u @ v) ** 2)
    loss = style_layer_loss(F, gram_matrix(S), M_a)
    assert loss.item() == pytest.approx(mmd / (4 * N**2), rel=1e-12)
    # a constant in the kernel adds the distance of the channels' means
    shifted = squared_mmd(F, S, lambda u, v: (u @ v + 2) ** 2)
    means = (F.mean(1) - S.mean(1)).square().sum().item()
    assert shifted == pytest.approx(mmd + 2 * 2 * means, rel=1e-12)


@given(H=SIDES, W=SIDES, seed=SEEDS, kind=st.sampled_from(KINDS))
def test_total_variation_is_its_sum(H, W, seed, kind):
    x = normal(H, W, seed=seed)
    value = total_variation(x, kind)
    assert value.shape == ()
    assert value.item() == pytest.approx(variation_sum(x, kind), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_total_variation_takes_each_channel_and_picture_by_itself(kind):
    x = normal(2, 3, 4, 5)
    planes = [total_variation(p, kind) for p in x.flatten(0, 1)]
    close(total_variation(x, kind), sum(planes))


@given(seed=SEEDS, kind=st.sampled_from(KINDS), shift=st.floats(-9, 9))
def test_total_variation_is_invariant(seed, kind, shift):
    x = normal(3, 4, 5, seed=seed)
    close(total_variation(x + shift, kind), total_variation(x, kind), 1e-10)
    close(total_variation(-x, kind), total_variation(x, kind))
    t = 2.5
    power = 2 if kind == "squared" else 1
    close(total_variation(t * x, kind), t**power * total_variation(x, kind))


@given(H=SIDES, W=SIDES, seed=SEEDS)
def test_isotropic_is_between_anisotropic_and_its_share(H, W, seed):
    x = normal(H, W, seed=seed)
    isotropic = total_variation(x, "isotropic")
    anisotropic = total_variation(x, "anisotropic")
    assert isotropic <= anisotropic * (1 + 1e-12)
    assert anisotropic <= math.sqrt(2) * isotropic * (1 + 1e-12)


def test_total_variation_of_a_checkerboard():
    H, W = 4, 6
    rows, columns = torch.arange(H)[:, None], torch.arange(W)
    board = ((rows + columns) % 2).double()
    edges = (H - 1) * W + H * (W - 1)
    assert total_variation(board, "squared") == edges
    assert total_variation(board, "anisotropic") == edges
    # inside, both differences are 1; in the last row or column, one is
    inside, border = (H - 1) * (W - 1), (H - 1) + (W - 1)
    close(
        total_variation(board, "isotropic"),
        torch.tensor(inside * math.sqrt(2) + border, dtype=torch.float64),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "shape", [(4, 5), (1, 6), (6, 1), (1, 1), (2, 3, 4, 5)]
)
def test_total_variation_gradient_is_autograds(kind, shape):
    x = normal(*shape)
    expected = by_autograd(lambda x: total_variation(x, kind), x)
    gradient = total_variation_gradient(x, kind)
    assert gradient.shape == x.shape
    close(gradient, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_total_variation_passes_gradcheck(kind):
    # a random picture has no two equal neighbors: away from the kinks
    x = normal(2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: total_variation(x, kind), (x,))
    assert torch.autograd.gradgradcheck(
        lambda x: total_variation(x, kind), (x,)
    )


def test_squared_total_variations_gradient_is_minus_twice_the_laplacian():
    # notebook 05, (5.6)
    x = normal(5, 6)
    pad = torch.nn.functional.pad(
        x[None, None], (1, 1, 1, 1), mode="replicate"
    )
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    laplacian = torch.nn.functional.conv2d(pad, kernel[None, None].to(x))
    close(total_variation_gradient(x), -2 * laplacian[0, 0])


@given(seed=SEEDS)
def test_squared_total_variations_gradient_is_self_adjoint(seed):
    x, y = normal(2, 4, 5, seed=seed)
    one = (total_variation_gradient(x) * y).sum()
    other = (x * total_variation_gradient(y)).sum()
    close(one, other, 1e-10)
    # a quadratic form is half the product with its gradient
    close(
        (total_variation_gradient(x) * x).sum() / 2, total_variation(x), 1e-10
    )


@given(seed=SEEDS, kind=st.sampled_from(KINDS))
def test_total_variation_gradients_add_up_to_zero(seed, kind):
    x = normal(4, 5, seed=seed)
    assert abs(total_variation_gradient(x, kind).sum().item()) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_total_variation_gradient_is_zero_where_flat(kind, dtype):
    x = torch.full((2, 4, 5), 0.3, dtype=dtype)
    for gradient in (
        total_variation_gradient(x, kind),
        by_autograd(lambda x: total_variation(x, kind), x),
    ):
        assert torch.equal(gradient, torch.zeros_like(x))


@pytest.mark.parametrize("kind", KINDS)
def test_a_half_flat_picture_has_a_finite_gradient(kind):
    x = torch.zeros(6, 8)
    x[:, 5:] = normal(6, 3).float()
    gradient = by_autograd(lambda x: total_variation(x, kind), x)
    close(gradient, total_variation_gradient(x, kind), 1e-6)
    assert torch.isfinite(gradient).all()
    assert not gradient[:, :4].any() and gradient[:, 5:].any()


def test_differences_too_small_to_square_give_no_nan():
    x = torch.zeros(3, 3)
    x[1, 1] = 1e-30  # its square is zero in float32
    for gradient in (
        total_variation_gradient(x, "isotropic"),
        by_autograd(lambda x: total_variation(x, "isotropic"), x),
    ):
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_dtype_of_the_maps_is_kept(dtype):
    F, P = normal(2, 1, 3, 2, 4).to(dtype)
    A = gram_matrix(P)
    x = normal(3, 4, 5).to(dtype)
    results = [
        content_loss(F, P),
        content_gradient(F, P),
        A,
        style_layer_loss(F, A),
        style_layer_gradient(F, A, 5),
        relu_gate(F, P),
        *(total_variation(x, kind) for kind in KINDS),
        *(total_variation_gradient(x, kind) for kind in KINDS),
    ]
    assert {result.dtype for result in results} == {dtype}
    assert all(torch.isfinite(result).all() for result in results)


def test_the_arguments_are_left_alone():
    F, P = normal(2, 1, 3, 2, 4)
    before = F.clone(), P.clone()
    A = gram_matrix(P)
    content_gradient(F, P).zero_()
    style_layer_gradient(F, A).zero_()
    relu_gate(F, P).zero_()
    total_variation_gradient(F).zero_()
    assert torch.equal(F, before[0]) and torch.equal(P, before[1])


# What does not fit. Shapes and dtypes are looked at before any arithmetic:
# tensors of the meta device, which have neither, are refused just so.

META = torch.empty(3, 5, device="meta")


@pytest.mark.parametrize(
    "function", [content_loss, content_gradient, relu_gate]
)
def test_maps_that_do_not_fit_each_other_are_refused(function):
    F = normal(3, 5)
    with pytest.raises(ValueError, match=r"\(3, 5\) and \(5, 3\)"):
        function(F, normal(5, 3))
    # neither is broadcast over the other
    with pytest.raises(ValueError, match=r"\(3, 5\) and \(3, 1\)"):
        function(F, normal(3, 1))
    with pytest.raises(ValueError, match=r"float64 on cpu .*float32 on cpu"):
        function(F, normal(3, 5).float())
    with pytest.raises(ValueError, match=r"on cpu .* on meta"):
        function(F.float(), META)
    with pytest.raises(ValueError, match=r"floating numbers, not torch.int64"):
        function(F.long(), F.long())
    with pytest.raises(ValueError, match=r"not \(3, 5, 2\)"):
        function(normal(3, 5, 2), normal(3, 5, 2))


@pytest.mark.parametrize(
    "shape", [(), (5,), (3, 4, 5), (1, 2, 3, 4, 5), (3, 0), (0, 3, 2, 2)]
)
def test_maps_of_another_shape_are_refused(shape):
    F = torch.zeros(shape)
    message = r"shape \(N, M\) or \(B, N, h, w\)"
    with pytest.raises(ValueError, match=message):
        gram_matrix(F)
    with pytest.raises(ValueError, match=message):
        style_layer_loss(F, torch.zeros(3, 3))
    with pytest.raises(ValueError, match=message):
        content_loss(F, F)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_maps_of_whole_numbers_are_refused(dtype):
    F = torch.ones(3, 5, dtype=dtype)
    with pytest.raises(ValueError, match=f"feature maps .* not {dtype}"):
        gram_matrix(F)
    with pytest.raises(ValueError, match=f"feature maps .* not {dtype}"):
        style_layer_gradient(F, F)


@pytest.mark.parametrize("function", [style_layer_loss, style_layer_gradient])
def test_gram_matrices_that_do_not_fit_are_refused(function):
    F = normal(3, 5)
    with pytest.raises(ValueError, match=r"shape \(3, 3\), not \(5, 5\)"):
        function(F, normal(5, 5))
    with pytest.raises(ValueError, match=r"shape \(2, 3, 3\), not \(3, 3\)"):
        function(normal(2, 3, 1, 5), normal(3, 3))
    with pytest.raises(ValueError, match=r"shape \(3, 3\), not \(1, 3, 3\)"):
        function(F, normal(1, 3, 3))
    with pytest.raises(ValueError, match=r"the Gram matrix A torch\.float32"):
        function(F, normal(3, 3).float())
    with pytest.raises(ValueError, match="on meta"):
        function(F.float(), torch.empty(3, 3, device="meta"))


@pytest.mark.parametrize("M_a", [0, -4, 0.0, math.nan, math.inf])
def test_a_number_of_positions_that_is_none_is_refused(M_a):
    with pytest.raises(ValueError, match=f"it cannot be {M_a}"):
        style_layer_loss(normal(3, 5), normal(3, 3), M_a)


@pytest.mark.parametrize(
    "function", [total_variation, total_variation_gradient]
)
def test_total_variation_refuses_what_is_no_picture(function):
    with pytest.raises(
        ValueError, match="squared, anisotropic, isotropic; not 'l2'"
    ):
        function(normal(3, 4), "l2")
    with pytest.raises(ValueError, match=r"\(\.\.\., H, W\); not \(4,\)"):
        function(normal(4))
    with pytest.raises(ValueError, match=r"the picture .* not torch\.uint8"):
        function(torch.zeros(3, 4, dtype=torch.uint8))


def test_nothing_is_computed_before_a_mistake_is_refused(monkeypatch):
    F, A = normal(3, 5), normal(5, 5)
    operators = ("__sub__", "__matmul__", "__truediv__", "square", "sum")

    def fail(*args):
        raise AssertionError("computed with tensors that do not fit")

    for name in operators:
        monkeypatch.setattr(torch.Tensor, name, fail)
    with pytest.raises(AssertionError, match="computed"):
        content_loss(F, F)
    for function in (content_loss, content_gradient, relu_gate):
        with pytest.raises(ValueError, match="shapes"):
            function(F, A)
    for function in (style_layer_loss, style_layer_gradient):
        with pytest.raises(ValueError, match="shape"):
            function(F, A)
        with pytest.raises(ValueError, match="positions"):
            function(F, A[:3, :3], -1)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:FutureWarning")
def test_gram_goes_through_the_transforms_of_torch_func():
    generator = torch.Generator().manual_seed(0)
    F, V = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)

    def loss(F):
        return gram_matrix(F).square().sum()

    gradient = torch.func.grad(loss)(F)
    torch.testing.assert_close(gradient, 4 * F @ F.T @ F)
    _, forward = torch.func.jvp(loss, (F,), (V,))
    torch.testing.assert_close(forward, (gradient * V).sum())
    _, hessian = torch.func.jvp(torch.func.grad(loss), (F,), (V,))
    expected = 4 * (V @ F.T @ F + F @ V.T @ F + F @ F.T @ V)
    torch.testing.assert_close(hessian, expected)
    maps = torch.func.vmap(gram_matrix)(torch.stack([F, V]))
    torch.testing.assert_close(maps[1], V @ V.T)


def test_gram_of_channels_last_maps_is_the_same():
    generator = torch.Generator().manual_seed(0)
    F = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    last = F.contiguous(memory_format=torch.channels_last)
    results = []
    for maps in (F, last):
        maps = maps.detach().requires_grad_()
        G = gram_matrix(maps)
        (gradient,) = torch.autograd.grad(G.square().sum(), maps)
        results.append((G, gradient))
    torch.testing.assert_close(results[0], results[1])
    G, gradient = results[0]
    expected = 4 * G @ F.flatten(2)
    torch.testing.assert_close(gradient.flatten(2), expected)


# Regions, notebook 10: the sums of Gatys et al. (2017), section 4, as loops,
# and (10.7) against autograd.


def guided_sum(F, T):
    """(10.5), from F_r = T_r F entry by entry."""
    (N, M), R = F.shape, len(T)
    return torch.tensor(
        [
            [
                [
                    math.fsum(
                        (T[r, k] * F[i, k] * T[r, k] * F[j, k]).item()
                        for k in range(M)
                    )
                    for j in range(N)
                ]
                for i in range(N)
            ]
            for r in range(R)
        ],
        dtype=torch.float64,
    )


def guided_loss_sum(F, T, A, M_a):
    """(10.6), with lambda_r the share of region r."""
    N, R = len(F), len(T)
    G = guided_sum(F, T)
    sizes = [math.fsum(float(t) ** 2 for t in T[r]) for r in range(R)]
    whole = math.fsum(sizes)
    return math.fsum(
        sizes[r]
        / whole
        * float(G[r, i, j] / sizes[r] - A[r, i, j] / M_a[r]) ** 2
        / (4 * N**2)
        for r in range(R)
        for i in range(N)
        for j in range(N)
    )


def soft_masks(R, M, seed):
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(R, M, generator=generator, dtype=torch.float64)
    return 0.05 + 0.95 * draws


def targets(R, N, seed):
    """Gram matrices with their numbers of positions."""
    maps = normal(R, N, N + 2, seed=seed)
    return maps @ maps.mT, 1 + soft_masks(1, R, seed)[0] * (N + 2)


@given(st.integers(1, 3), SIDES, SIDES, SEEDS)
def test_guided_gram_and_its_loss_are_the_papers_sums(R, N, M, seed):
    F, T = normal(N, M, seed=seed), soft_masks(R, M, seed)
    A, M_a = targets(R, N, seed)
    close(guided_gram(F, T), guided_sum(F, T), 1e-10)
    came = guided_style_layer_loss(F, T, A, M_a)
    close(came.item(), guided_loss_sum(F, T, A, M_a), 1e-10)


@given(st.integers(1, 3), SIDES, SIDES, SEEDS)
def test_guided_gradient_is_autograds(R, N, M, seed):
    F, T = normal(N, M, seed=seed), soft_masks(R, M, seed)
    A, M_a = targets(R, N, seed)
    right = by_autograd(lambda F: guided_style_layer_loss(F, T, A, M_a), F)
    close(guided_style_layer_gradient(F, T, A, M_a), right, 1e-10)


def test_guided_loss_passes_gradcheck_in_maps_and_masks():
    F, T = normal(3, 6).requires_grad_(), soft_masks(2, 6, 1).requires_grad_()
    A, M_a = targets(2, 3, 2)
    assert torch.autograd.gradcheck(
        lambda F, T: guided_style_layer_loss(F, T, A, M_a), (F, T)
    )


def test_maps_of_a_picture_give_what_their_matrix_gives():
    F, T = normal(1, 3, 4, 5), soft_masks(2, 20, 3)
    A, M_a = targets(2, 3, 4)
    masks = T.reshape(2, 4, 5)
    close(guided_gram(F, masks), guided_gram(F[0].flatten(1), T))
    one = guided_style_layer_loss(F, masks, A, M_a)
    close(one, guided_style_layer_loss(F[0].flatten(1), T, A, M_a))
    gradient = guided_style_layer_gradient(F, masks, A, M_a)
    flat = guided_style_layer_gradient(F[0].flatten(1), T, A, M_a)
    close(gradient, flat.reshape(F.shape))


@given(SIDES, SIDES, SEEDS)
def test_one_region_that_is_everything_is_the_plain_loss(N, M, seed):
    F, A = normal(N, M, seed=seed), normal(N, N + 1, seed=seed + 1)
    A = A @ A.T
    ones = torch.ones(1, M, dtype=torch.float64)
    M_a = torch.tensor([N + 1.0], dtype=torch.float64)
    close(guided_gram(F, ones)[0], gram_matrix(F))
    close(
        guided_style_layer_loss(F, ones, A[None], M_a),
        style_layer_loss(F, A, N + 1.0),
    )
    close(
        guided_style_layer_gradient(F, ones, A[None], M_a),
        style_layer_gradient(F, A, N + 1.0),
    )


@given(SEEDS)
def test_regions_that_cover_each_position_add_up_to_the_gram_matrix(seed):
    """Their squares must add up to 1, not they themselves."""
    F, shares = normal(4, 9, seed=seed), soft_masks(3, 9, seed)
    shares = shares / shares.sum(0)
    close(guided_gram(F, shares.sqrt()).sum(0), gram_matrix(F))
    assert not torch.allclose(guided_gram(F, shares).sum(0), gram_matrix(F))


@given(SEEDS, st.floats(0.1, 5))
def test_how_large_the_masks_numbers_are_decides_nothing(seed, scale):
    F, T = normal(3, 8, seed=seed), soft_masks(2, 8, seed)
    A, M_a = targets(2, 3, seed)
    close(
        guided_style_layer_loss(F, scale * T, A, M_a),
        guided_style_layer_loss(F, T, A, M_a),
    )


def test_a_position_weighs_as_much_in_a_small_region_as_in_a_large_one():
    """Equal maps everywhere: its gradient does not know its region's size."""
    F = normal(3, 1, seed=5).expand(3, 12).contiguous()
    T = torch.zeros(2, 12, dtype=torch.float64)
    T[0, :2], T[1, 2:] = 1, 1
    A, M_a = targets(1, 3, 6)
    both = A.expand(2, 3, 3), M_a.expand(2)
    gradient = guided_style_layer_gradient(F, T, *both)
    close(gradient, gradient[:, :1].expand(3, 12))


def test_masks_that_do_not_fit_are_refused():
    F, T = normal(3, 6), soft_masks(2, 6, 1)
    A, M_a = targets(2, 3, 2)
    refused = [
        (F, soft_masks(2, 5, 1), r"\(R, 6\), not \(2, 5\)"),
        (F, T[0], r"\(R, 6\), not \(6,\)"),
        (F, T[:0], r"\(R, 6\), not \(0, 6\)"),
        (normal(2, 3, 2, 3), T.reshape(2, 2, 3), "one picture"),
        (F, T.float(), "float32"),
        (F, T.long(), "floating"),
    ]
    for maps, masks, message in refused:
        with pytest.raises(ValueError, match=message):
            guided_gram(maps, masks)
    with pytest.raises(ValueError, match="2 regions and 3 channels"):
        guided_style_layer_loss(F, T, A[:1], M_a)
    with pytest.raises(ValueError, match="of the masks one is empty"):
        guided_style_layer_loss(F, T * torch.tensor([[1], [0]]), A, M_a)
    with pytest.raises(ValueError, match="of M_a one is empty"):
        guided_style_layer_gradient(F, T, A, 0 * M_a)
