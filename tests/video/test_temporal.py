"""L_t, and an objective with it."""

import pytest
import torch

from styletut.images import sample
from styletut.objective import Objective
from styletut.transfer import minimize
from styletut.video import TemporalObjective, temporal_loss


@pytest.fixture(scope="module")
def objective():
    photo, painting = sample("coffee", 48), sample("wave", 48)
    return Objective(photo.double(), painting.double(), alpha=0.1)


@pytest.fixture
def pictures(objective):
    draws = torch.Generator().manual_seed(0)

    def drawn(channels):
        shape = (1, channels, *objective.shape[2:])
        return torch.rand(shape, generator=draws, dtype=torch.float64)

    return drawn(3), drawn(3), drawn(1)


def test_the_loss_is_a_mean_of_squares(pictures):
    # (12.3)
    x, target, trust = pictures
    expected = 0.0
    for k in range(3):
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                difference = float(x[0, k, i, j] - target[0, k, i, j])
                expected += float(trust[0, 0, i, j]) * difference**2
    found = temporal_loss(x, target, trust)
    assert float(found) == pytest.approx(expected / x.numel(), rel=1e-12)


def test_the_gradient_is_that_of_autograd(objective, pictures):
    # (12.4)
    x, target, trust = pictures
    steady = TemporalObjective(objective, target, trust, 30.0)
    terms, g = steady.gradient(x)
    x = x.clone().requires_grad_()
    found = steady(x)
    (by_autograd,) = torch.autograd.grad(found.total, x)
    torch.testing.assert_close(g, by_autograd, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(terms.total, found.total.detach())
    own = 30 * temporal_loss(x.detach(), target, trust)
    torch.testing.assert_close(
        terms.total - objective(x.detach()).total, own, rtol=1e-9, atol=1e-12
    )


def test_without_trust_or_weight_it_is_the_objective(objective, pictures):
    x, target, trust = pictures
    terms, g = objective.gradient(x)
    for other in (
        TemporalObjective(objective, target, 0 * trust, 30.0),
        TemporalObjective(objective, target, trust, 0.0),
    ):
        found, gradient = other.gradient(x)
        assert torch.equal(found.total, terms.total)
        assert torch.equal(gradient, g)


def test_a_large_weight_keeps_the_target(objective, pictures):
    _, target, _ = pictures
    trust = torch.zeros_like(target[:, :1])
    trust[..., 24:] = 1
    steady = TemporalObjective(objective, target, trust, 1e5)
    start = torch.full_like(target, 0.5)
    *_, last = minimize(steady, start, evaluations=40)
    change = (last.image - target).abs().mean((0, 1, 2))
    assert float(change[24:].mean()) < 0.02
    assert float(change[:20].mean()) > 0.1


def test_another_shape_and_a_weight_below_0_are_refused(objective, pictures):
    _, target, trust = pictures
    with pytest.raises(ValueError, match="they must be equal"):
        TemporalObjective(objective, target[..., 1:], trust, 1.0)
    with pytest.raises(ValueError, match="it must be finite and not neg"):
        TemporalObjective(objective, target, trust, -1.0)
