"""Counting memory on the device "meta", against what real tensors take."""

import gc

import pytest
import torch

from styletut.images import sample
from styletut.memory.counting import peak_bytes, saved_bytes
from styletut.objective import Objective
from styletut.vgg import VGG19


def test_the_peak_is_counted_where_it_is():
    def two_at_most():
        a = torch.empty(1000, device="meta")
        b = a + 1
        del a
        c = b + 1
        del b
        return c.view(10, 100).t().sum()

    assert peak_bytes(two_at_most) == 2 * 4000
    assert peak_bytes(lambda: torch.empty(10, 10).double().t()) == 1200


def test_what_was_there_before_is_not_counted():
    x = torch.zeros(100)
    assert peak_bytes(lambda: x.view(10, 10).add_(1)) == 0
    assert peak_bytes(lambda: [x + k for k in range(3)]) == 1200


def test_saved_tensors_are_counted_once():
    x = torch.ones(100, requires_grad=True)

    def graph():
        y = x * 2
        return y.square() * y.reshape(10, 10).flatten()  # y and its square

    assert saved_bytes(graph) == 800
    assert saved_bytes(lambda: x.square()) == 400
    assert saved_bytes(lambda: x.square(), [x]) == 0


def really_saved(objective, x):
    """Count by torch's hooks what a real graph holds."""
    known = {
        each.untyped_storage().data_ptr()
        for each in (*objective.vgg.parameters(), *objective.vgg.casts(), x)
    }
    saved = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda each: each):
        terms = objective(x)
    del terms
    return sum(
        each.nbytes() for key, each in saved.items() if key not in known
    )


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("convention", ["styletut", "pytorch_tutorial"])
def test_the_objective_saves_what_is_counted(convention, checkpoint, pooling):
    vgg = VGG19(pooling=pooling)
    photo = sample("chelsea", 67).double()
    settings = {"convention": convention, "checkpoint": checkpoint}
    objective = Objective(photo, photo, vgg=vgg, **settings)
    x = photo.clone().requires_grad_()
    outline = Objective(
        photo.to("meta"), photo.to("meta"), vgg=vgg.outline(), **settings
    )
    drawn = photo.to("meta").requires_grad_()
    known = (*outline.vgg.parameters(), *outline.vgg.casts(), drawn)
    counted = saved_bytes(lambda: outline(drawn), known)
    gc.collect()
    assert counted == really_saved(objective, x) > 1e6


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_the_formulas_keep_what_is_counted(pooling):
    vgg = VGG19(pooling=pooling)
    photo = sample("chelsea", 101)
    objective = Objective(photo, photo, vgg=vgg)
    objective.gradient(photo)
    drawn = photo.to("meta")
    outline = Objective(drawn, drawn, vgg=vgg.outline())
    outline.gradient(drawn)
    counted = outline.engine.buffers.nbytes
    assert counted == objective.engine.buffers.nbytes > 1e6
