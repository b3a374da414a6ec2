"""The optimizers against torch's, against dense algebra, and in bad cases."""

import math
from collections import deque
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from styletut.optimizers import (
    OPTIMIZERS,
    adam,
    descent,
    gradient_descent,
    lbfgs,
    quasi_newton,
    spectral_lbfgs,
    torch_lbfgs,
)
from styletut.optimizers.catalogue import (
    MOST_PAIRS,
    check_options,
    pairs_kept,
    takes,
)
from styletut.optimizers.spectrum import band_energies, scale_bands
from styletut.optimizers.variable import variable_of


def spectral_lbfgs_of_vectors(evaluate, start, *, bounds=None, **settings):
    """Let `spectral_lbfgs` take a vector as a picture one pixel high."""
    shape = (1, 3, 1, start.numel() // 3)

    def evaluate_picture(x):
        value, gradient = evaluate(x.flatten())
        return value, gradient.reshape(shape)

    if bounds is not None:
        bounds = tuple(each.expand_as(start).reshape(shape) for each in bounds)
    for iterate in spectral_lbfgs(
        evaluate_picture, start.reshape(shape), bounds=bounds, **settings
    ):
        yield iterate._replace(
            x=iterate.x.flatten(), gradient=iterate.gradient.flatten()
        )


VECTOR_OPTIMIZERS = {
    **OPTIMIZERS,
    "spectral_lbfgs": spectral_lbfgs_of_vectors,
}


class Counted:
    """A function of a tensor that remembers where it was evaluated."""

    def __init__(self, function):
        self.function = function
        self.points = []

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.points.append(x.clone())
        x = x.detach().requires_grad_()
        value = self.function(x)
        (gradient,) = torch.autograd.grad(value, x)
        return value.detach(), gradient


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(dimension, seed=0):
    """A convex quadratic with eigenvalues from 1 to 100."""
    generator = torch.Generator().manual_seed(seed)
    square = torch.randn(
        dimension, dimension, generator=generator, dtype=torch.float64
    )
    basis, _ = torch.linalg.qr(square)
    eigenvalues = torch.logspace(0, 2, dimension, dtype=torch.float64)
    A = basis @ torch.diag(eigenvalues) @ basis.T
    b = torch.randn(dimension, generator=generator, dtype=torch.float64)
    return A, b, lambda x: x @ A @ x / 2 - b @ x


def start(dimension=6):
    return torch.linspace(-1.2, 1.0, dimension, dtype=torch.float64)


def unit_box(x):
    return torch.zeros_like(x), torch.ones_like(x)


# --- against torch -----------------------------------------------------------


def torch_points(make, evaluations, x, function, clamp=False):
    """Run an optimizer of torch's, one evaluation after the other."""
    x = x.clone().requires_grad_()
    optimizer = make([x])
    points = []

    def closure():
        if clamp:
            x.data.clamp_(0, 1)
        points.append(x.detach().clone())
        optimizer.zero_grad()
        value = function(x)
        value.backward()
        return value

    while len(points) < evaluations:
        optimizer.step(closure)
    return points[:evaluations]


@pytest.mark.parametrize(
    ("ours", "options", "theirs"),
    [
        (
            adam,
            {"learning_rate": 0.05, "betas": (0.8, 0.99), "epsilon": 0.1},
            lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.99), eps=0.1),
        ),
        (
            gradient_descent,
            {"learning_rate": 1e-3, "momentum": 0.9},
            lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9),
        ),
        (
            torch_lbfgs,
            {"history": 5},
            lambda p: torch.optim.LBFGS(p, history_size=5, max_iter=20),
        ),
        (
            torch_lbfgs,
            {"learning_rate": 0.25},
            lambda p: torch.optim.LBFGS(p, lr=0.25, max_iter=20),
        ),
    ],
    ids=["adam", "gradient_descent", "torch_lbfgs", "slower torch_lbfgs"],
)
def test_same_points_as_torch(ours, options, theirs):
    # notebook 06, (6.4) and (6.5)
    function = Counted(rosenbrock)
    iterates = list(ours(function, start(), evaluations=45, **options))
    expected = torch_points(theirs, 45, start(), rosenbrock)
    assert len(iterates) == len(function.points) == 45
    torch.testing.assert_close(
        torch.stack([i.x for i in iterates]), torch.stack(expected)
    )


def test_torch_lbfgs_clamps_as_the_pytorch_tutorial_does():
    x = torch.full((6,), 0.3, dtype=torch.float64)
    iterates = list(
        torch_lbfgs(Counted(rosenbrock), x, evaluations=45, bounds=unit_box(x))
    )
    expected = torch_points(torch.optim.LBFGS, 45, x, rosenbrock, clamp=True)
    torch.testing.assert_close(
        torch.stack([i.x for i in iterates]), torch.stack(expected)
    )


# --- L-BFGS ------------------------------------------------------------------


def test_two_loop_recursion_is_the_bfgs_update_of_a_dense_matrix():
    # notebook 06, (6.9)
    A, _, _ = quadratic(5)
    generator = torch.Generator().manual_seed(1)
    pairs = deque()
    for _ in range(3):
        s = torch.randn(5, generator=generator, dtype=torch.float64)
        y = A @ s
        pairs.append(quasi_newton._Pair(s, y))
    eye = torch.eye(5, dtype=torch.float64)
    H = eye * (s @ y) / (y @ y)
    for s, y in pairs:
        V = eye - torch.outer(y, s) / (s @ y)
        H = V.T @ H @ V + torch.outer(s, s) / (s @ y)
    g = torch.randn(5, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        quasi_newton._two_loop(g.clone(), pairs, torch.ones(()).to(g)), H @ g
    )


def test_lbfgs_solves_a_quadratic():
    A, b, function = quadratic(8)
    x0 = torch.zeros(8, dtype=torch.float64)
    *_, last = lbfgs(Counted(function), x0, evaluations=80)
    torch.testing.assert_close(
        last.x, torch.linalg.solve(A, b), atol=1e-6, rtol=1e-6
    )


def test_lbfgs_follows_the_valley_of_rosenbrock():
    *_, last = lbfgs(Counted(rosenbrock), start(), evaluations=200)
    torch.testing.assert_close(
        last.x, torch.ones(6, dtype=torch.float64), atol=1e-5, rtol=0
    )


@given(st.integers(0, 10_000))
def test_lbfgs_in_a_box_ends_where_no_free_direction_descends(seed):
    A, b, function = quadratic(8, seed)
    x0 = torch.full((8,), 0.5, dtype=torch.float64)
    low, high = unit_box(x0)
    iterates = list(
        lbfgs(Counted(function), x0, evaluations=150, bounds=(low, high))
    )
    assert all(((i.x >= low) & (i.x <= high)).all() for i in iterates)
    x = iterates[-1].x
    projected = (x - (A @ x - b)).clamp(0, 1) - x
    assert projected.abs().max() < 1e-5


@given(
    st.integers(0, 10_000),
    st.sampled_from([2.0**-20, 2.0**-10, 2.0**10, 2.0**20]),
)
def test_lbfgs_does_not_mind_the_scale_of_the_function(seed, scale):
    """Powers of two are exact, so that not a bit may differ."""
    _, _, function = quadratic(6, seed)

    def run(factor):
        x0 = torch.full((6,), 0.5, dtype=torch.float64)
        return list(
            lbfgs(
                Counted(lambda x: factor * function(x)),
                x0,
                evaluations=12,
                bounds=unit_box(x0),
            )
        )

    plain, scaled = run(1.0), run(scale)
    assert [i.evaluations for i in plain] == [i.evaluations for i in scaled]
    assert all(
        torch.equal(a.x, b.x) for a, b in zip(plain, scaled, strict=True)
    )


@given(st.integers(0, 10_000))
def test_lbfgs_never_accepts_a_rise(seed):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    iterates = list(
        lbfgs(
            Counted(lambda x: torch.sin(3 * weights @ x).sum() + x @ x / 9),
            start(),
            evaluations=40,
        )
    )
    values = [float(i.value) for i in iterates]
    assert all(later < earlier for earlier, later in pairwise(values))


def test_where_the_first_pair_has_negative_curvature():
    """At the top of a hill torch's L-BFGS makes all of -g its second step."""

    def hill(x):
        return 1e6 * torch.cos(x).sum()

    x0 = torch.full((4,), 0.1, dtype=torch.float64)
    theirs = list(torch_lbfgs(Counted(hill), x0, evaluations=3))
    assert theirs[-1].x.abs().max() > 1e4
    *_, ours = lbfgs(Counted(hill), x0, evaluations=40)
    torch.testing.assert_close(
        ours.x, torch.full_like(x0, math.pi), atol=1e-4, rtol=0
    )


def test_lbfgs_steps_back_from_where_the_function_is_not_finite():
    def fenced(x):
        return (x - 3).square().sum() / (x < 3.5).all()

    function = Counted(fenced)
    x0 = torch.full((3,), 3.499, dtype=torch.float64)
    *_, last = lbfgs(function, x0, evaluations=60)
    assert float(last.value) < 1e-6


@pytest.mark.parametrize("optimizer", VECTOR_OPTIMIZERS.values())
def test_a_flat_function_ends_or_stays(optimizer):
    x0 = torch.full((3,), 0.5, dtype=torch.float64)
    iterates = list(
        optimizer(Counted(lambda x: 0 * x.sum()), x0, evaluations=30)
    )
    assert all(torch.equal(i.x, x0) for i in iterates)


def test_the_first_step_is_as_long_as_it_says():
    x0 = torch.full((5,), 0.5, dtype=torch.float64)
    function = Counted(lambda x: 1e9 * (x * torch.arange(5)).sum())
    list(lbfgs(function, x0, evaluations=2, unit=255))
    moved = (function.points[1] - x0).square().mean().sqrt()
    assert float(moved) == pytest.approx(descent.FIRST_STEP * 255)


# --- all of them -------------------------------------------------------------


@pytest.mark.parametrize("optimizer", VECTOR_OPTIMIZERS.values())
@pytest.mark.parametrize("evaluations", [1, 2, 7, 20])
def test_budget_and_order(optimizer, evaluations):
    """Iterates are the point just evaluated, and evaluations are counted."""
    function = Counted(rosenbrock)
    x = start()
    spent = 0
    for iterate in optimizer(function, x, evaluations=evaluations):
        assert torch.equal(function.points[-1], iterate.x)
        assert iterate.evaluations == len(function.points) > spent
        spent = iterate.evaluations
        value, gradient = Counted(rosenbrock)(iterate.x)
        torch.testing.assert_close(iterate.value, value)
        torch.testing.assert_close(iterate.gradient, gradient)
    assert len(function.points) == evaluations
    assert torch.equal(x, start())  # the start is the caller's


@pytest.mark.parametrize("optimizer", VECTOR_OPTIMIZERS.values())
def test_iterates_are_not_changed_later(optimizer):
    iterates, copies = [], []
    for iterate in optimizer(Counted(rosenbrock), start(), evaluations=15):
        iterates.append(iterate.x)
        copies.append(iterate.x.clone())
    assert all(map(torch.equal, iterates, copies))


@pytest.mark.parametrize("optimizer", VECTOR_OPTIMIZERS.values())
def test_bounds_hold_at_every_evaluation(optimizer):
    x0 = torch.full((6,), 0.4, dtype=torch.float64)
    function = Counted(lambda x: (x - 2).square().sum() - 5 * x[0])
    *_, last = optimizer(function, x0, evaluations=120, bounds=unit_box(x0))
    points = torch.stack(function.points)
    assert points.min() >= 0
    assert points.max() <= 1
    torch.testing.assert_close(last.x, torch.ones_like(x0))


def test_a_falling_learning_rate_is_asked_for_each_step():
    asked = []

    def rate(k):
        asked.append(k)
        return 0.1 / (k + 1)

    for optimizer in (adam, gradient_descent):
        asked.clear()
        list(
            optimizer(
                Counted(rosenbrock),
                start(),
                evaluations=4,
                learning_rate=rate,
            )
        )
        assert asked == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["lbfgs", "adam", "gradient_descent"])
def test_at_most_one_read_by_the_host_an_evaluation(name, monkeypatch):
    """Every read makes a GPU wait: count them all."""
    reads = []
    for method in ("tolist", "item", "__float__", "__bool__", "__int__"):
        original = getattr(Tensor, method)

        def counted(self, *args, original=original):
            reads.append(original)
            return original(self, *args)

        monkeypatch.setattr(Tensor, method, counted)
    x0 = torch.full((6,), 0.4, dtype=torch.float64)
    for iterate in VECTOR_OPTIMIZERS[name](
        Counted(rosenbrock), x0, evaluations=25, bounds=unit_box(x0)
    ):
        assert len(reads) <= iterate.evaluations


def test_lbfgs_reaches_the_lowest_point_of_a_box():
    """Coordinates that reach a border must not mislead the others."""
    i = torch.arange(3, dtype=torch.float64)
    mixing = 0.9 ** (i[:, None] - i[None]).abs()
    K = mixing @ torch.diag(10.0 ** (2 * i / 3)) @ mixing
    bottom = torch.tensor([-1, 0.5, 2], dtype=torch.float64)

    def evaluate(x):
        e = x - bottom
        return e @ K @ e / 2, K @ e

    box = torch.zeros_like(i), torch.ones_like(i)
    start = torch.full_like(i, 0.5)
    *_, last = lbfgs(evaluate, start, evaluations=60, bounds=box)
    # x_0 and x_2 are held at 0 and 1, and x_1 has no slope left
    held = torch.tensor([0, float(last.x[1]), 1], dtype=torch.float64)
    torch.testing.assert_close(last.x, held, atol=1e-12, rtol=0)
    assert abs(float((K @ (held - bottom))[1])) < 1e-6


def test_a_pair_that_curves_downwards_is_passed_over():
    s = torch.tensor([1.0, 0], dtype=torch.float64)
    g = torch.tensor([3.0, 5], dtype=torch.float64)
    h = torch.tensor(0.5, dtype=torch.float64)
    pair, two_loop = quasi_newton._Pair, quasi_newton._two_loop
    upwards, downwards = pair(s, 2 * s), pair(s, -2 * s)
    torch.testing.assert_close(two_loop(g.clone(), [downwards], h), h * g)
    with_one = two_loop(g.clone(), [downwards, upwards], h)
    torch.testing.assert_close(with_one, g / 2)  # y.s / y.y = 1 / 2


@given(st.integers(0, 10_000))
def test_held_coordinates_are_as_if_cut_out_of_the_pairs(seed):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    A = torch.eye(7, dtype=torch.float64) + 0.2 * normal(7, 7)
    pairs = [quasi_newton._Pair(s, A @ s) for s in normal(4, 7)]
    free, h = (normal(7) > -0.7).double(), normal(1)[0].exp()
    q = normal(7) * free
    some = free.bool()
    parts = [quasi_newton._Pair(s[some], y[some]) for s, y in pairs]
    expected = torch.zeros_like(q)
    expected[some] = quasi_newton._two_loop(q[some], parts, h)
    found = quasi_newton._two_loop(q, pairs, h, free)
    torch.testing.assert_close(found, expected)


# --- by octaves and colors ---------------------------------------------------


def small_picture(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, 24, 40, generator=generator, dtype=torch.float64)


def ill_conditioned(target):
    """A quadratic whose curvature differs a thousandfold between bands."""
    curvatures = torch.logspace(-1.5, 1.5, 18, dtype=torch.float64)
    curvatures = curvatures.reshape(3, 6)

    def evaluate(x):
        gradient = scale_bands(x - target, curvatures)
        return ((x - target) * gradient).sum() / 2, gradient

    return evaluate


def test_scaled_bands_need_fewer_evaluations_where_curvatures_differ():
    target = small_picture()
    evaluate = ill_conditioned(target)
    start = torch.full_like(target, 0.5)
    ends = {
        optimizer: list(optimizer(evaluate, start, evaluations=40))[-1]
        for optimizer in (lbfgs, spectral_lbfgs)
    }
    plain, scaled = (float(end.value) for end in ends.values())
    assert scaled < plain / 10


def test_the_inverse_of_two_steps_is_right_in_each_band():
    """With pairs of a Hessian that scales bands, H y has the s of each."""
    curvatures = torch.linspace(0.5, 4, 18, dtype=torch.float64).reshape(3, 6)
    pairs = [
        quasi_newton._Pair(s, scale_bands(s, curvatures))
        for s in (small_picture(1), small_picture(2))
    ]
    gains = quasi_newton._gains(
        pairs[-1], [quasi_newton._bands(pair) for pair in pairs]
    )
    torch.testing.assert_close(gains, 1 / curvatures)
    q = small_picture(3)
    h = torch.ones((), dtype=torch.float64)
    found = quasi_newton._two_loop(q.clone(), pairs, h, gains=gains)
    torch.testing.assert_close(found, scale_bands(q, 1 / curvatures))


def test_scaled_bands_in_a_box_end_where_no_free_direction_descends():
    target = 2 * small_picture() - 0.5  # a part of it outside
    evaluate = ill_conditioned(target)
    start = torch.full_like(target, 0.5)
    iterates = list(
        spectral_lbfgs(
            evaluate, start, evaluations=400, bounds=unit_box(start)
        )
    )
    values = [float(i.value) for i in iterates]
    assert all(later < earlier for earlier, later in pairwise(values))
    x = iterates[-1].x
    assert x.min() >= 0
    assert x.max() <= 1
    _, g = evaluate(x)
    assert ((x - g).clamp(0, 1) - x).abs().max() < 1e-3
    assert float(band_energies(x - start).min()) > 0


def test_what_is_no_picture_has_no_octaves():
    with pytest.raises(ValueError, match=r"not of a tensor \(6,\); .* lbfgs"):
        spectral_lbfgs(Counted(rosenbrock), torch.zeros(6), evaluations=2)
    two = torch.zeros(2, 1, 4, 4)
    with pytest.raises(ValueError, match=r"not of a tensor \(2, 1, 4, 4\)"):
        spectral_lbfgs(Counted(rosenbrock), two, evaluations=2)


def test_a_grey_picture_has_octaves():
    target = torch.linspace(0, 1, 20, dtype=torch.float64).reshape(1, 1, 4, 5)

    def evaluate(x):
        return (x - target).square().sum() / 2, x - target

    *_, last = spectral_lbfgs(evaluate, 0.5 * target, evaluations=6)
    assert (last.x - target).abs().max() < 1e-6


def test_torch_lbfgs_goes_through_rows_of_pixels():
    begun = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    begun = begun.to(memory_format=torch.channels_last)
    iterates = torch_lbfgs(
        Counted(lambda x: x.square().sum()), begun, evaluations=3
    )
    assert all(each.x.is_contiguous() for each in iterates)


def test_a_run_goes_on_with_what_another_has_learned():
    target = small_picture()
    start = torch.full_like(target, 0.5)

    def run(learned):
        return list(
            spectral_lbfgs(
                ill_conditioned(target),
                start,
                evaluations=4,
                learned=learned,
            )
        )

    learned = deque(maxlen=quasi_newton.LEARNED)
    iterates = run(learned)
    expected = [
        quasi_newton._bands(
            quasi_newton._Pair(b.x - a.x, b.gradient - a.gradient)
        )
        for a, b in pairwise(iterates)
    ]
    torch.testing.assert_close(list(learned), expected)
    # one pair tells all of this function's curvature; what is false misleads
    true, false = (deque([each]) for each in (learned[0], learned[0].flip(0)))
    goals = [float(run(each)[-1].value) for each in (true, false)]
    assert goals[0] == pytest.approx(float(iterates[-1].value), rel=1e-6)
    assert goals[1] > 2 * goals[0]


@pytest.mark.parametrize("name", ["lbfgs", "spectral_lbfgs"])
def test_a_rise_within_the_noise_is_none(name):
    """A bowl whose values come with a few digits: it is left only so."""
    center = torch.full((1, 3, 8, 8), 0.25)

    def evaluate(x):
        value = 1 + (x - center).square().sum()
        return (value * 50).round() / 50, 2 * (x - center)

    start = center + 0.004  # no step from here changes the value
    runs = {
        noise: list(
            OPTIMIZERS[name](evaluate, start, evaluations=40, noise=noise)
        )
        for noise in (0.0, 0.05)
    }
    ends = {k: float((v[-1].x - center).norm()) for k, v in runs.items()}
    assert ends[0.05] < 0.1 * ends[0.0]


def test_without_noise_it_changes_nothing():
    def evaluate(x):
        return (x - 0.3).pow(4).sum(), 4 * (x - 0.3).pow(3)

    start = torch.linspace(0, 1, 48).reshape(1, 3, 4, 4)
    for name in ("lbfgs", "spectral_lbfgs"):
        plain, zero = (
            [
                each.x
                for each in OPTIMIZERS[name](
                    evaluate, start, evaluations=15, **extra
                )
            ]
            for extra in ({}, {"noise": 0.0})
        )
        assert all(map(torch.equal, plain, zero))


# --- a state to go on from ---------------------------------------------------


def copied(state):
    """What a caller keeps who looks at a state between two points."""
    return {
        k: copied(v) if isinstance(v, dict) else v for k, v in state.items()
    }


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_what_goes_on_from_a_state_goes_where_the_other_went(
    optimizer, bounded
):
    """From every point of a run, bit for bit, and no state is changed."""
    *_, function = quadratic(12)
    bounds = None
    if bounded:
        bounds = (torch.full((12,), -0.1).double(), torch.ones(12).double())
    given = {"evaluations": 15, "bounds": bounds}
    run = VECTOR_OPTIMIZERS[optimizer]
    start = torch.full((12,), 0.5, dtype=torch.float64)
    state, kept, whole = {}, [], []
    for iterate in run(Counted(function), start, state=state, **given):
        whole.append(iterate)
        kept.append(copied(state))
    assert len(whole) > 5
    learned = deque(maxlen=quasi_newton.LEARNED)
    if optimizer == "spectral_lbfgs":
        given["learned"] = learned
    for n, before in enumerate(kept):
        counted = Counted(function)
        learned.clear()
        for again in range(2):  # the first must not have changed it
            came = list(run(counted, start * 0, state=copied(before), **given))
            assert len(came) == len(whole) - n, again
            for one, other in zip(came, whole[n:], strict=True):
                assert torch.equal(one.x, other.x)
                assert torch.equal(one.value, other.value)
                assert one.evaluations == other.evaluations


@pytest.mark.parametrize(
    ("optimizer", "options", "pairs"),
    [
        ("lbfgs", {}, 15),
        ("torch_lbfgs", {}, 100),
        ("lbfgs", {"history": 3}, 3),
        ("lbfgs", {"history": 1}, 1),
        ("adam", {}, 0),
        ("gradient_descent", {"learning_rate": 1.0}, 0),
    ],
)
def test_who_keeps_pairs_says_how_many(optimizer, options, pairs):
    assert pairs_kept(optimizer, options) == pairs


@pytest.mark.parametrize(
    ("optimizer", "learns"), [("spectral_lbfgs", True), ("adam", False)]
)
def test_who_goes_on_with_what_was_learned_takes_it(optimizer, learns):
    assert takes(optimizer, "learned") is learns


@pytest.mark.parametrize(
    ("rule", "bounded", "cut"),
    [
        ("none", False, True),
        ("project", True, False),
        ("sigmoid", False, False),
    ],
)
def test_who_has_bounds_and_whose_pictures_are_cut(rule, bounded, cut):
    variable = variable_of(small_picture(), rule, (2.0, 3.0, 4.0))
    assert (variable.bounds is not None) is bounded
    assert variable.cut is cut


@pytest.mark.parametrize("pairs", [1, MOST_PAIRS])
def test_a_number_of_pairs_is_taken(pairs):
    assert check_options("lbfgs", {"history": pairs}) == {"history": pairs}


@pytest.mark.parametrize("pairs", [0, -1, 1.5, MOST_PAIRS + 1, "many", True])
def test_what_is_no_number_of_pairs_is_refused(pairs):
    with pytest.raises(ValueError, match="at least 1 and at most"):
        check_options("lbfgs", {"history": pairs})


@pytest.mark.parametrize("rule", ["none", "project", "sigmoid"])
def test_a_grey_start_is_one_channel_of_three(rule):
    grey = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    variable = variable_of(grey, rule, (2.0, 3.0, 4.0))
    x = variable.start.clone().requires_grad_()
    picture = variable.picture(x)
    torch.testing.assert_close(
        picture, grey.expand(1, 3, 4, 5), atol=1e-2, rtol=0
    )
    pull = torch.arange(60.0).reshape(1, 3, 4, 5).double().cos()
    (right,) = torch.autograd.grad((picture * pull).sum(), x)
    torch.testing.assert_close(variable.pull_back(pull, x.detach()), right)
