"""Features by mean and covariance, and pixels by least squares."""

import pytest
import torch

from styletut.images import sample
from styletut.instant.closed_form import (
    closed_form,
    decoded,
    fit_decoder,
    ridge_regression,
    transported,
)
from styletut.losses import gram_matrix
from styletut.objective import Objective
from styletut.vgg import VGG19


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


@pytest.fixture(scope="module")
def photos():
    return [sample(name, 96) for name in ("coffee", "rocket", "camera")]


def waves(*shape):
    k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (1.3 * k * k).sin().reshape(shape)


def test_features_get_mean_and_covariance():
    # (11.4): and with them the Gram matrix, up to what is added to both
    F, S = waves(1, 4, 6, 7), 2 + 3 * waves(1, 4, 5, 5) ** 3
    moved = transported(F, S).flatten(2)[0]
    style = S.flatten(2)[0]
    torch.testing.assert_close(moved.mean(1), style.mean(1))
    torch.testing.assert_close(
        torch.cov(moved, correction=0),
        torch.cov(style, correction=0),
        atol=1e-3,
        rtol=0,
    )
    grams = [gram_matrix(each) / each.shape[1] for each in (moved, style)]
    torch.testing.assert_close(*grams, atol=1e-3, rtol=0)


def test_ridge_regression_makes_the_derivative_zero():
    # (11.5)
    z, y = waves(5, 40), waves(3, 41)[:, 1:]
    S, C = z @ z.T / 40, y @ z.T / 40
    lam = 0.2 * S.diagonal().mean()
    W = ridge_regression(S, C, 0.2).requires_grad_()
    loss = (W @ z - y).square().sum() / 40 + lam * W.square().sum()
    (g,) = torch.autograd.grad(loss, W)
    assert float(g.abs().max()) < 1e-12


def test_without_a_ridge_it_is_least_squares():
    z, y = waves(5, 40), waves(3, 41)[:, 1:]
    W = ridge_regression(z @ z.T / 40, y @ z.T / 40, 0.0)
    torch.testing.assert_close(W, torch.linalg.lstsq(z.T, y.T).solution.T)


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1"])
def test_a_photo_comes_back_from_its_features(vgg, photos, layer):
    decoder = fit_decoder(vgg, photos, layer)
    back = decoded(decoder, vgg(photos[0], [layer])[layer])
    height, width = back.shape[2:]
    seen = photos[0][..., :height, :width]
    assert float((back - seen).square().mean().sqrt()) < 0.1
    # and nothing is nearer than the mean color
    assert float((back - seen).square().mean()) < 0.3 * float(seen.var())


def test_photos_of_other_sizes_count_together(vgg, photos):
    both = fit_decoder(vgg, photos[:2])
    turned = fit_decoder(vgg, reversed(photos[:2]))
    torch.testing.assert_close(both.weight, turned.weight)
    with pytest.raises(ValueError, match="no photos to fit"):
        fit_decoder(vgg, [])


@pytest.mark.parametrize("side", [64, 61])
def test_a_picture_is_nearer_to_the_style(vgg, photos, side):
    decoder = fit_decoder(vgg, photos)
    photo = sample("chelsea", 96)[..., :side, :77]
    painting = sample("night", 96)
    painted = closed_form(vgg, decoder, photo, painting)
    assert painted.shape == photo.shape
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1
    judge = Objective(photo, painting, vgg=vgg)
    assert float(judge(painted).style) < 0.8 * float(judge(photo).style)
