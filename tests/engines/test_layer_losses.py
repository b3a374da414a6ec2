"""A new loss at a layer is one class, in every engine.

The one here compares Gram matrices under masks, as in equation (3) of Gatys,
Ecker, Bethge, Hertzmann, Shechtman (2017): each region r of the picture, with
a soft mask T_r over a layer's positions, has its own target.
"""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from styletut.engines import WHOLE, Autograd, Backward, CudaGraph, Tiles
from styletut.images import resize_to, sample
from styletut.kernels.matmul import add_product
from styletut.losses import gram_matrix
from styletut.objective import Objective
from styletut.vgg import VGG19, feature_shape
from styletut.vgg import network as vgg_network

LAYERS = ("relu1_2", "conv2_1", "pool2", "relu3_1")


@dataclass(frozen=True)
class GuidedLoss:
    """sum_r ||G_r - A_r||^2 with G_r = (T_r F) (T_r F)^T."""

    layer: str
    weight: float
    masks: Tensor  # (R, h, w)
    A: Tensor  # (R, N, N)

    def observe(self, F, place=WHOLE):
        masks = self.masks[place].to(F)
        return torch.stack([gram_matrix(T * F)[0] for T in masks])

    def loss(self, observed):
        return (observed - self.A.to(observed)).square().sum()

    def add_gradient(self, g, F, observed, place=WHOLE):
        D = 4 * self.weight * (observed - self.A.to(observed))
        for T, D_r in zip(self.masks[place].to(F), D, strict=True):
            guided = torch.zeros_like(F)
            add_product(guided, T * F, D_r)
            g.add_(T * guided)


def pictures(height=90, width=75, dtype=torch.float64):
    x = resize_to(sample("chelsea"), height, width).to(dtype)
    return x, resize_to(sample("night"), height, width).to(dtype)


def guided(vgg, x, painting):
    """A loss with two soft regions at each layer."""
    losses = []
    for n, layer in enumerate(LAYERS):
        _, h, w = feature_shape(layer, *x.shape[2:])
        ramp = torch.linspace(0, 1, w, dtype=x.dtype).expand(h, w)
        masks = torch.stack([ramp, 1 - ramp.square()])
        with torch.no_grad():
            F = vgg(painting, [layer])[layer]
            empty = GuidedLoss(layer, 0.0, masks, torch.zeros(()))
            A = empty.observe(F)
        losses.append(GuidedLoss(layer, (n + 1) / A.square().sum(), masks, A))
    return losses


def by_autograd(vgg, x, losses):
    """The formula once more, all at once, with torch's operations alone."""
    x = x.clone().requires_grad_()
    maps = vgg(x, LAYERS)
    values = []
    for each in losses:
        guided = each.masks[:, None] * maps[each.layer]
        flat = guided.flatten(2)
        values.append((flat @ flat.mT - each.A).square().sum())
    total = sum(
        each.weight * value for each, value in zip(losses, values, strict=True)
    )
    (gradient,) = torch.autograd.grad(total, x)
    return [value.item() for value in values], gradient


@pytest.fixture(scope="module", params=["max", "average"])
def network(request):
    return VGG19(pooling=request.param, deepest="relu3_1")


ENGINES = {
    "backward": Backward,
    "autograd": Autograd,
    "autograd, checkpoint": lambda vgg: Autograd(vgg, checkpoint=True),
    "tiles": lambda vgg: Tiles(vgg, 32),
}


@pytest.mark.parametrize("checkpoint", [False, True])
def test_maps_are_computed_again_where_they_are_not_kept(
    network, checkpoint, monkeypatch
):
    x, painting = pictures()
    losses, again = guided(network, x, painting), []
    original = vgg_network.recomputing

    def recomputing(*args, **settings):
        again.append(args)
        return original(*args, **settings)

    monkeypatch.setattr(vgg_network, "recomputing", recomputing)
    Autograd(network, checkpoint=checkpoint).gradient(x, losses)
    assert bool(again) is checkpoint


@pytest.mark.parametrize("name", ENGINES)
def test_a_masked_loss_has_autograds_gradient(network, name):
    x, painting = pictures()
    losses = guided(network, x, painting)
    right, right_gradient = by_autograd(network, x, losses)
    engine = ENGINES[name](network)
    values, gradient = engine.gradient(x, losses)
    assert gradient.dtype == torch.float64
    error = (gradient - right_gradient).norm() / right_gradient.norm()
    assert float(error) < 1e-12
    assert [float(v) for v in values] == pytest.approx(right, rel=1e-12)
    again = engine.losses(x, losses)
    assert [float(v) for v in again] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("name", ENGINES)
def test_it_stands_beside_the_losses_that_there_are(network, name):
    x, painting = pictures(64, 80)
    own = Objective(
        painting,
        painting,
        vgg=network,
        content_layers=["conv2_1"],
        style_layers=["relu1_2", "relu3_1"],
    ).layer_losses
    losses = [*own, *guided(network, x, painting)]
    right = Autograd(network).gradient(x, losses)[1]
    parts = [ENGINES[name](network).gradient(x, [each])[1] for each in losses]
    for came in (ENGINES[name](network).gradient(x, losses)[1], sum(parts)):
        assert float((came - right).norm() / right.norm()) < 1e-11


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_masked_loss_has_autograds_gradient_as_a_cuda_graph():
    x, painting = (each.cuda() for each in pictures())
    vgg = VGG19(deepest="relu3_1").cuda()
    losses = guided(vgg, x, painting)
    right, right_gradient = by_autograd(vgg, x, losses)
    engine = Backward(vgg)

    def evaluate(image):
        values, gradient = engine.gradient(image, losses)
        return [*values, gradient]

    graph = CudaGraph(evaluate, x)
    for image in (painting, x):
        *values, gradient = graph(image)
    error = (gradient - right_gradient).norm() / right_gradient.norm()
    assert float(error) < 1e-12
    assert [float(v) for v in values] == pytest.approx(right, rel=1e-12)
