"""The gradient by the course's formula (2.5), against autograd."""

import pytest
import torch

from styletut.engines.choice import by_hand
from styletut.engines.tape import gradient_at_pixels, show_maps
from styletut.images import resize_to, sample
from styletut.kernels import onednn
from styletut.kernels.buffers import Buffers
from styletut.objective import Objective
from styletut.vgg import LAYERS, VGG19

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)

CONVENTIONS = ["styletut", "pytorch_tutorial", "d2l", "keras_example"]


def pictures(height, width):
    photo = resize_to(sample("chelsea"), height, width)
    painting = sample("night", 72)
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(photo.shape, generator=generator)
    return photo, painting, (0.6 * photo + 0.4 * noise).clamp(0, 1)


def relative(came, right):
    return float((came.double() - right).norm() / right.norm())


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("name", CONVENTIONS)
def test_terms_and_gradient_are_those_of_autograd(name, pooling):
    photo, painting, x = pictures(51, 70)
    vgg = VGG19(pooling=pooling)
    settings = {"vgg": vgg, "convention": name, "gamma": 0.1}
    objective = Objective(photo, [(painting, 1), (photo, 2)], **settings)
    assert by_hand(vgg, x)
    terms, gradient = objective.gradient(x)
    exact, right = Objective(
        photo.double(),
        [(painting.double(), 1), (photo.double(), 2)],
        **settings,
    ).gradient(x.double())
    # a unit near 0, or a tie of two, may fall to the other side in float32
    assert relative(gradient, right) < 2e-3
    for came, wanted in (
        (terms.content_layers, exact.content_layers),
        (terms.style_layers, exact.style_layers),
        (terms.weighted(), exact.weighted()),
    ):
        assert list(came) == list(wanted)
        for key, value in wanted.items():
            assert float(came[key]) == pytest.approx(float(value), rel=1e-4)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_may_be_visited(vgg, layer):
    _, _, x = pictures(48, 64)
    graph = x.clone().requires_grad_()
    F = vgg(graph, [layer])[layer]
    weights = torch.arange(F.numel()).cos().reshape(F.shape)
    (right,) = torch.autograd.grad((F * weights).sum(), graph)
    seen = {}

    def visit(name, maps):
        seen[name] = maps.clone()
        return lambda g, maps: g.add_(weights)

    came = gradient_at_pixels(vgg, x, [layer], visit, Buffers())
    assert list(seen) == [layer]
    assert relative(seen[layer], F.detach().double()) < 1e-5
    assert relative(came, right.double()) < 2e-3


def test_buffers_are_used_again_and_changes_no_bit(vgg):
    photo, painting, x = pictures(64, 48)
    objective = Objective(photo, painting, vgg=vgg)
    _, first = objective.gradient(x)
    objective.gradient(photo)
    _, again = objective.gradient(x)
    assert torch.equal(first, again)
    fresh = Objective(photo, painting, vgg=vgg)
    assert torch.equal(fresh.gradient(x)[1], first)


def test_the_first_of_equal_values_wins_as_in_torch(vgg):
    grey = torch.full((1, 3, 32, 32), 0.5)
    graph = grey.clone().requires_grad_()
    F = vgg(graph, ["pool2"])["pool2"]
    (right,) = torch.autograd.grad(F.sum(), graph)

    def visit(name, maps):
        return lambda g, maps: g.add_(1)

    came = gradient_at_pixels(vgg, grey, ["pool2"], visit, Buffers())
    assert relative(came, right.double()) < 1e-5


def test_other_pictures_are_left_to_autograd(vgg, monkeypatch):
    _, _, x = pictures(48, 48)
    assert not by_hand(vgg, x.double())
    assert not by_hand(vgg, torch.cat([x, x]))
    monkeypatch.setenv(onednn.VARIABLE, "plain")
    assert not by_hand(vgg, x)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_in_double_precision_it_is_autograd_to_rounding(pooling):
    _, _, x = pictures(49, 66)
    vgg = VGG19(pooling=pooling)
    layers = ["relu1_1", "conv2_2", "pool3", "relu4_2", "relu5_1"]
    graph = x.double().requires_grad_()
    maps = vgg(graph, layers)
    weights = {
        layer: torch.arange(F.numel()).double().cos().reshape(F.shape)
        for layer, F in maps.items()
    }
    loss = torch.stack([(maps[k] * w).sum() for k, w in weights.items()])
    (right,) = torch.autograd.grad(loss.sum(), graph)

    def visit(name, maps):
        return lambda g, maps: g.add_(weights[name])

    came = gradient_at_pixels(vgg, x.double(), layers, visit, Buffers())
    assert came.dtype == torch.float64
    assert relative(came, right) < 1e-12


def test_maps_in_another_dtype_leave_picture_and_gradient_in_theirs(vgg):
    _, _, x = pictures(48, 64)
    seen = []

    def visit(name, maps):
        seen.append(maps.dtype)
        return lambda g, maps: g.add_(maps)

    layers = ["relu2_1", "relu4_1"]
    right = gradient_at_pixels(vgg, x, layers, visit, Buffers())
    came = gradient_at_pixels(vgg, x, layers, visit, Buffers(), torch.bfloat16)
    assert seen[2:] == [torch.bfloat16] * 2
    assert came.dtype == torch.float32
    assert relative(came, right.double()) < 0.05


def test_maps_that_are_only_seen_are_not_kept(vgg):
    _, _, x = pictures(64, 64)
    buffers, seen = Buffers(), {}
    layers = ["conv1_2", "relu1_2", "relu3_1", "relu4_2"]

    def see(name, maps):
        seen[name] = maps.clone()

    show_maps(vgg, x, layers, see, buffers)
    for name, maps in vgg(x, layers).items():
        assert relative(seen[name], maps.double()) < 1e-5
    largest = 64 * 64 * 64 * 4
    winners = sum(n * (64 >> k) ** 2 for n, k in ((64, 1), (128, 2), (256, 3)))
    assert buffers.nbytes == 2 * largest + winners


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_maps_of_several_poolings_are_kept_apart(pooling):
    _, _, x = pictures(48, 64)
    vgg = VGG19(pooling=pooling)
    layers = ["pool1", "pool2", "pool3"]
    graph = x.clone().requires_grad_()
    maps = vgg(graph, layers)
    half = torch.stack([F.square().sum() / 2 for F in maps.values()])
    (right,) = torch.autograd.grad(half.sum(), graph)

    def visit(name, maps):
        return lambda g, maps: g.add_(maps)

    came = gradient_at_pixels(vgg, x, layers, visit, Buffers())
    assert relative(came, right.double()) < 2e-3
