"""Other statistics than the Gram matrix, against their formulas."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.conventions import CONVENTIONS
from styletut.engines import Autograd, Backward, Tiles
from styletut.images import resize_to, sample
from styletut.metrics import gaussian_wasserstein
from styletut.objective import Objective
from styletut.objective.statistics import (
    FLOOR,
    STATISTICS,
    TYPICAL,
    default_weights,
    directions,
    loss_of,
    moments,
    observed,
)
from styletut.vgg import VGG19

OTHERS = STATISTICS[1:]
LAYERS = ("relu1_1", "relu2_1", "relu3_1")


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def maps(height=4, width=5, channels=3, seed=0):
    """Maps of which no channel is like another, and none is centered."""
    mix = normal(channels, channels, seed=seed + 100)
    F = torch.einsum(
        "ij,bjhw->bihw", mix, normal(1, channels, height, width, seed=seed)
    )
    return F + normal(channels, seed=seed + 200)[:, None, None]


def loss_against(statistic, *styles, M=20):
    """The loss against some maps with their shares, at weight 1.5."""
    seen = [(share, observed(statistic, S)) for share, S in styles]
    return loss_of(statistic, "relu1_1", 1.5, seen, M)


@pytest.fixture(scope="module")
def vgg():
    return VGG19(deepest="relu3_1")


def picture(name, height=64, width=72):
    return resize_to(sample(name), height, width).double()


# The formulas


def test_what_is_observed_are_sums_over_positions():
    F, T = maps(), torch.rand(4, 5, dtype=torch.float64)
    right = torch.zeros(4, 4, dtype=torch.float64)
    for i in range(4):
        for j in range(5):
            f = torch.cat([F[0, :, i, j], torch.ones(1, dtype=torch.float64)])
            right += T[i, j] ** 2 * torch.outer(f, f)
    for statistic in ("moments", "wasserstein"):
        torch.testing.assert_close(observed(statistic, F, T), right)
    torch.testing.assert_close(observed("gram", F, T), right[:3, :3])
    parts = sum(observed("moments", F[..., k : k + 1]) for k in range(5))
    torch.testing.assert_close(parts, observed("moments", F))
    mean, covariance = moments(observed("moments", F))
    torch.testing.assert_close(mean, F.mean((0, 2, 3)))
    right = torch.cov(F[0].flatten(1), correction=0)
    torch.testing.assert_close(covariance, right)


def test_channels_last_changes_nothing():
    F = maps().contiguous(memory_format=torch.channels_last)
    T = torch.rand(4, 5, dtype=torch.float64)
    for statistic in STATISTICS:
        T = None if statistic == "sliced" else T
        torch.testing.assert_close(
            observed(statistic, F, T), observed(statistic, F.contiguous(), T)
        )


@given(st.integers(0, 999))
def test_moments_are_their_sum_over_channels(seed):
    """(10.9)."""
    F, S = maps(seed=seed), maps(3, 3, seed=seed + 1)
    S_rows = S[0].flatten(1).tolist()
    floor = FLOOR * math.fsum(
        math.fsum((v - math.fsum(r) / 9) ** 2 for v in r) / 9 for r in S_rows
    ) / 3  # fmt: skip
    right = 0.0
    for f, s in zip(F[0].flatten(1).tolist(), S_rows, strict=True):
        mean, mean_s = math.fsum(f) / len(f), math.fsum(s) / len(s)
        sigma, sigma_s = (
            math.sqrt(math.fsum((v - m) ** 2 for v in r) / len(r) + floor)
            for r, m in ((f, mean), (s, mean_s))
        )
        right += ((mean - mean_s) ** 2 + (sigma - sigma_s) ** 2) / 3
    loss = loss_against("moments", (1.0, S))
    assert float(loss.loss(loss.observe(F))) == pytest.approx(right, rel=1e-10)


@given(st.integers(0, 999))
def test_wasserstein_is_the_metrics_squared_by_the_channels(seed):
    """(10.10)."""
    F, S = maps(seed=seed), maps(6, 5, seed=seed + 1)
    loss = loss_against("wasserstein", (1.0, S))
    right = gaussian_wasserstein(F, S) ** 2 / 3
    came = float(loss.loss(loss.observe(F)))
    # up to the floor on both covariances
    assert came == pytest.approx(right, rel=0.05, abs=1e-3)


def test_sliced_is_the_cheapest_way_to_pair_values_on_each_line():
    """(10.12): of all permutations, the sorted one costs least."""
    F, S = maps(2, 3, seed=1), maps(2, 3, seed=2)
    loss = loss_against("sliced", (1.0, S), M=6)
    came = float(loss.loss(loss.observe(F)))
    V = directions(F[0].flatten(1))
    torch.testing.assert_close(V.T @ V, torch.eye(3, dtype=torch.float64))
    best = 0.0
    for v in V.T:
        p, q = v @ F[0].flatten(1), v @ S[0].flatten(1)
        best += min(
            float((p - q[list(order)]).square().mean())
            for order in itertools.permutations(range(6))
        )
    assert came == pytest.approx(best / 3, rel=1e-10)


def test_sliced_takes_styles_of_another_size_by_their_quantiles():
    S = maps(4, 5, seed=3)
    twice = torch.cat([S, S], 3)
    loss = loss_against("sliced", (1.0, twice), M=20)
    shuffled = S.flip(2, 3)  # order of positions is of no account
    assert float(loss.loss(loss.observe(shuffled))) < 1e-2
    own = loss_against("sliced", (1.0, S), M=20)
    assert float(own.loss(own.observe(shuffled))) == pytest.approx(
        0, abs=1e-20
    )


@pytest.mark.parametrize("statistic", OTHERS)
def test_the_styles_own_maps_have_no_loss_and_no_gradient(statistic):
    S = maps(seed=4)
    loss = loss_against(statistic, (1.0, S))
    seen = loss.observe(S)
    assert float(loss.loss(seen)) == pytest.approx(0, abs=1e-12)
    g = torch.zeros_like(S)
    loss.add_gradient(g, S, seen)
    torch.testing.assert_close(g, torch.zeros_like(g), atol=1e-8, rtol=0)


@pytest.mark.parametrize("statistic", OTHERS)
@pytest.mark.parametrize("masked", [False, True])
def test_the_gradient_is_autograds(statistic, masked):
    F, S, A = maps(seed=5), maps(seed=6), maps(6, 6, seed=7)
    loss = loss_against(statistic, (0.3, S), (0.7, A))
    how = {}
    if masked and statistic != "sliced":
        how["T"] = 0.1 + torch.rand(4, 5, dtype=torch.float64)
    x = F.clone().requires_grad_()
    total = 1.5 * loss.loss(loss.observe(x, **how))
    (right,) = torch.autograd.grad(total, x)
    for layout in (torch.contiguous_format, torch.channels_last):
        g = torch.ones_like(F).contiguous(memory_format=layout)
        y = F.contiguous(memory_format=layout)
        loss.add_gradient(g, y, loss.observe(y, **how), **how)
        torch.testing.assert_close(g - 1, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("statistic", OTHERS)
def test_several_styles_count_by_their_shares(statistic):
    F, S, A = maps(seed=8), maps(seed=9), maps(seed=10)
    one, other = (loss_against(statistic, (1.0, X)) for X in (S, A))
    both = loss_against(statistic, (0.25, S), (0.75, A))
    seen = both.observe(F)
    right = 0.25 * one.loss(seen) + 0.75 * other.loss(seen)
    torch.testing.assert_close(both.loss(seen), right)


def test_the_transport_carries_one_normal_distribution_to_the_other():
    """One step along (10.11), of length 1 in each vector's units."""
    F, S = maps(9, 9, seed=11), maps(8, 8, seed=12)
    loss = loss_against("wasserstein", (1.0, S))
    g = torch.zeros_like(F)
    seen = loss.observe(F)
    loss.add_gradient(g, F, seen)
    moved = F - g * (3 * 81 / 2) / 1.5
    assert gaussian_wasserstein(moved, S) < 0.05 * gaussian_wasserstein(F, S)


# The objective


@pytest.mark.parametrize("statistic", OTHERS)
def test_engines_agree_and_finite_differences_confirm(vgg, statistic):
    objective = Objective(
        picture("chelsea"),
        [(picture("night", 60, 70), 2), (picture("wave"), 1)],
        vgg=vgg,
        content_layers=["relu2_1"],
        style_layers=dict(zip(LAYERS, (1e-3, 1e-4, 3e-5), strict=True)),
        statistic=statistic,
    )
    x = 0.1 + 0.8 * picture("coffee")
    right, gradient = objective.gradient(x)
    engines = [Backward(vgg), Autograd(vgg, checkpoint=True)]
    if statistic != "sliced":
        engines.append(Tiles(vgg, 32))
    for objective.engine in engines:
        terms, g = objective.gradient(x)
        torch.testing.assert_close(terms.total, right.total)
        assert float((g - gradient).norm() / gradient.norm()) < 1e-9
        torch.testing.assert_close(objective(x).total, right.total)
    v, h = normal(*x.shape, seed=13), 1e-8
    slope = (objective(x + h * v).total - objective(x - h * v).total) / (2 * h)
    assert float((gradient * v).sum()) == pytest.approx(float(slope), rel=1e-3)


@pytest.mark.parametrize("statistic", ["moments", "wasserstein"])
def test_regions_have_their_own_statistics(vgg, statistic):
    """One that is a rectangle, deep inside, is judged as its crop is."""
    common = {
        "vgg": vgg,
        "content_layers": [],
        "style_layers": {"relu1_1": 1.0},
        "statistic": statistic,
    }
    x, night = picture("coffee"), picture("night")
    left = torch.zeros(64, 72, dtype=torch.float64)
    left[:, :36] = 1
    both = [(left, night), (1 - left, night)]
    masked = Objective(x, None, masks=both, **common)
    F, S = (vgg(each, ["relu1_1"])["relu1_1"] for each in (x, night))
    losses = []
    for part in (F[..., :36], F[..., 36:]):
        loss = loss_of(
            statistic, "relu1_1", 1.0, [(1.0, observed(statistic, S))], 1
        )
        losses.append(loss.loss(loss.observe(part)))
    torch.testing.assert_close(masked(x).style, sum(losses) / 2)


def test_in_float32_and_bfloat16_it_is_the_same_to_their_digits(vgg):
    x = picture("coffee").float()
    for statistic in OTHERS:
        gradients = []
        for precision in ("float32", "bfloat16"):
            objective = Objective(
                picture("chelsea").float(),
                picture("night").float(),
                vgg=vgg,
                content_layers=["relu2_1"],
                style_layers={"relu1_1": 1e-3, "relu3_1": 1e-5},
                statistic=statistic,
                precision=precision,
            )
            gradients.append(objective.gradient(x)[1])
        right, came = gradients
        assert float((came - right).norm() / right.norm()) < 0.1, statistic


def test_default_weights_make_layers_equal_at_a_typical_distance():
    own = CONVENTIONS["styletut"]
    for statistic in OTHERS:
        weights = default_weights(statistic, own)
        assert list(weights) == list(own.style_layers)
        for w, distance in zip(
            weights.values(), TYPICAL[statistic], strict=True
        ):
            assert w * distance == pytest.approx(0.2)
    assert default_weights("gram", own) == own.style_layers
    with pytest.raises(ValueError, match="convention styletut alone; give s"):
        default_weights("moments", CONVENTIONS["d2l"])


def test_the_typical_distances_are_medians_over_pairs():
    """At two layers and few pairs, to a factor: the script has them all."""
    net = VGG19(deepest="relu2_1")
    layers = ["relu1_1", "relu2_1"]
    with torch.no_grad():
        photos, paintings = (
            [net(sample(name, 256), layers) for name in names]
            for names in (("chelsea", "coffee", "rocket"), ("night", "wave"))
        )
    for statistic in ("moments", "wasserstein"):
        for layer, typical in zip(layers, TYPICAL[statistic], strict=False):
            values = []
            for F in photos:
                for S in paintings:
                    seen = [(1.0, observed(statistic, S[layer]))]
                    loss = loss_of(statistic, layer, 1.0, seen, 1)
                    values.append(float(loss.loss(loss.observe(F[layer]))))
            assert min(values) < typical < max(values)


def test_what_cannot_be_is_refused(vgg):
    x = picture("chelsea")
    with pytest.raises(ValueError, match=r"no statistic 'mean'.*sliced"):
        Objective(x, x, vgg=vgg, statistic="mean")
    common = {
        "vgg": vgg,
        "content_layers": [],
        "style_layers": {"relu1_1": 1},
        "statistic": "sliced",
    }
    for how in ({"tiles": 32}, {"masks": [(torch.ones(64, 72), x)]}):
        with pytest.raises(ValueError, match="sorts all positions"):
            Objective(x, x, **how, **common)
    with pytest.raises(ValueError, match="sorts all positions"):
        Objective(x, [(x, 1, torch.ones(64, 72))], **common)
    with pytest.raises(ValueError, match="convention styletut alone"):
        Objective(x, x, convention="d2l", statistic="moments")
