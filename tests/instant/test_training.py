"""Training: the objective at each crop, the same bits, and going on."""

from itertools import islice, pairwise

import pytest
import torch

from styletut.images import ImageError, sample
from styletut.images.picture import resize
from styletut.instant.criterion import Criterion
from styletut.instant.crops import Crop, crops_of_step
from styletut.instant.recipe import Recipe
from styletut.instant.steadiness import unsteadiness
from styletut.instant.training import Training, rate_at, resume, save
from styletut.objective import Objective
from styletut.objective.balance import alpha_at

RECIPE = Recipe(
    iterations=6, batch=2, crop=32, least=40, most=90, style_size=48, warmup=2
)


@pytest.fixture(scope="module")
def photos():
    return [sample("retina", 128), sample("rocket", 160)]


@pytest.fixture(scope="module")
def styles():
    return {name: sample(name, 64) for name in ("glass", "wave")}


@pytest.fixture(scope="module")
def criterion(styles):
    return Criterion(styles, RECIPE, "float32")


def started(photos, styles, **changes):
    recipe = RECIPE._replace(**changes)
    return Training(photos, styles, recipe, "float32")


def numbers(training):
    return [p.detach().clone() for p in training.network.parameters()]


def test_crops_are_drawn_by_their_step(photos):
    first, again = (crops_of_step(photos, 2, RECIPE, 5) for _ in range(2))
    other = crops_of_step(photos, 2, RECIPE, 6)
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one.photo, two.photo)
        assert one[1:] == two[1:]
    assert not torch.equal(first[0].photo, other[0].photo)


def test_crops_are_pictures_of_every_kind(photos):
    recipe = RECIPE._replace(kept=0.3, mixed=0.3)
    crops = [c for n in range(60) for c in crops_of_step(photos, 2, recipe, n)]
    strengths = torch.tensor([crop.strength for crop in crops])
    assert {crop.style for crop in crops} == {0, 1}
    for kind in (strengths == 0, strengths == 1):
        assert 0.15 < float(kind.float().mean()) < 0.55
    assert ((strengths > 0) & (strengths < 1)).any()
    for crop in crops:
        assert crop.photo.shape == (1, 3, 32, 32)
        assert 0 <= float(crop.photo.min()) <= float(crop.photo.max()) <= 1


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_a_crop_is_judged_by_the_objective(styles, criterion, strength):
    photo, x = sample("coffee", 64)[..., :32, :32], torch.rand(1, 3, 32, 32)
    # (11.1) has this loss, and (11.2) this gradient
    found, g = criterion(x, Crop(photo, 1, strength), 0.3)
    objective = Objective(
        photo,
        resize(styles["wave"], 48),
        alpha=RECIPE.alpha,
        precision="float32",
        beta=RECIPE.alpha / alpha_at(strength, RECIPE.alpha),
    )
    terms, by_objective = objective.gradient(x)
    assert found.content == pytest.approx(float(terms.content), rel=1e-4)
    assert found.style == pytest.approx(float(terms.style), rel=1e-4)
    scale = float(by_objective.abs().max())
    # `alpha_at` rounds to three digits
    torch.testing.assert_close(g, by_objective, atol=5e-3 * scale, rtol=0)


def test_the_weight_of_the_content_follows_the_style(photos, styles):
    recipe = RECIPE._replace(learning=2, crop=64, style_size=64)
    # of a style that a photo has already little is left to be gained
    training = Training(photos, {**styles, "own": photos[0]}, recipe)
    glass, wave, own = training.alphas
    assert 0 < own < min(glass, wave) <= recipe.alpha
    crop = Crop(photos[0], 2, 1.0)
    assert training._alpha(crop) == recipe.alpha
    training.step = 2
    assert training._alpha(crop) == own


def test_outside_the_range_a_gradient_leads_back_or_nowhere(criterion):
    photo = sample("coffee", 64)[..., :32, :32]
    x = 4 * torch.rand(1, 3, 32, 32) - 1.5
    _, g = criterion(x, Crop(photo, 0, 1.0), 0.3)
    assert float(g[x < 0].max()) <= 0
    assert float(g[x > 1].min()) >= 0
    inside = (x >= 0) & (x <= 1)
    _, same = criterion(x.clamp(0, 1), Crop(photo, 0, 1.0), 0.3)
    assert torch.equal(g[inside], same[inside])


def test_a_crop_that_stays_is_compared_pixel_by_pixel(criterion):
    photo = sample("coffee", 64)[..., :32, :32]
    _, g = criterion(photo.clone(), Crop(photo, 0, 0.0), 0.3)
    assert float(g.abs().max()) < 1e-6
    moved = photo.clone()
    moved[0, 0, 16, 16] += 0.1 if moved[0, 0, 16, 16] < 0.5 else -0.1
    _, g = criterion(moved, Crop(photo, 0, 0.0), 0.3)
    sign = torch.sign(moved - photo)[0, 0, 16, 16]
    assert float(sign * g[0, 0, 16, 16]) > 0


def test_training_lowers_the_loss(photos, styles):
    training = started(photos, styles, iterations=40, kept=0, mixed=0)
    terms = [each.terms for each in training.steps()]
    totals = [0.3 * each.content + each.style for each in terms]
    assert sum(totals[-8:]) < 0.8 * sum(totals[:8])


def test_two_trainings_give_the_same_bits_and_so_does_going_on(
    photos, styles, tmp_path
):
    whole = started(photos, styles, steadiness=1.0)
    for _ in whole.steps():
        pass
    broken = started(photos, styles, steadiness=1.0)
    for _ in islice(broken.steps(), 3):
        pass
    path = tmp_path / "training.safetensors"
    save(broken, path)
    again = started(photos, styles, steadiness=1.0)
    resume(again, path)
    assert again.step == 3
    steps = [each.step for each in again.steps()]
    assert steps == [4, 5, 6]
    for one, two in zip(numbers(whole), numbers(again), strict=True):
        assert torch.equal(one, two)


def test_a_training_that_has_not_begun_can_be_kept(photos, styles, tmp_path):
    path = tmp_path / "training.safetensors"
    save(started(photos, styles), path)
    begun, whole = started(photos, styles), started(photos, styles)
    resume(begun, path)
    for one, two in zip(begun.steps(), whole.steps(), strict=True):
        assert one[:2] == two[:2]


def test_another_training_is_refused(photos, styles, tmp_path):
    path = tmp_path / "training.safetensors"
    save(started(photos, styles), path)
    with pytest.raises(ValueError, match=r"another training.*alpha=0\.3"):
        resume(started(photos, styles, alpha=1.0), path)


def test_a_folder_that_is_none_is_said(photos, styles, tmp_path):
    with pytest.raises(ImageError, match="cannot be written"):
        save(started(photos, styles), tmp_path / "none" / "file")


def test_the_rate_rises_and_falls():
    recipe = Recipe(iterations=1000, warmup=10, rate=1.0)
    rates = [rate_at(recipe, step) for step in range(1000)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert 0.01 < rates[-1] < 0.03


def test_unsteadiness_is_drawn_by_its_step_and_has_a_gradient(photos, styles):
    # (12.2)
    network = started(photos, styles).network
    photo = sample("coffee", 64)[..., :32, :32]
    shares = torch.tensor([0.0, 1, 0])
    crop = Crop(photo, 0, 1.0)
    painted = network(photo, shares[None])
    loss = unsteadiness(network, crop, shares, painted, 7)
    loss.backward()
    assert float(loss.detach()) > 0
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    assert all(g.isfinite().all() for g in grads)
    same = unsteadiness(network, crop, shares, painted, 7)
    assert torch.equal(same, loss)
