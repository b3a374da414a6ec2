"""Recorded evaluations, with a stand-in for CUDA's graphs."""

import pickle
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from styletut.engines.cuda_graph import CudaGraph
from styletut.images import sample
from styletut.objective import Objective
from styletut.objective.layer_losses import ContentLoss
from styletut.optimizers import lbfgs
from styletut.vgg import VGG19


class Graph:
    """What it has recorded, it does again into the same tensors."""

    function = None

    def replay(self):
        for kept, new in zip(self.outputs, self.function(), strict=True):
            kept.copy_(new)


@pytest.fixture
def cuda(monkeypatch):
    """Let torch.cuda record on a CPU: what ran, and in which order."""
    log = []
    stream = SimpleNamespace(wait_stream=lambda other: log.append("wait"))

    def recording(graph):
        log.append("record")
        return nullcontext()

    for name, stand_in in {
        "device": lambda device: nullcontext(),
        "current_stream": lambda: stream,
        "Stream": lambda: stream,
        "stream": lambda each: nullcontext(),
        "CUDAGraph": Graph,
        "graph": recording,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return log


def played(graph, function):
    """Tie the stand-in to the tensors that the recording has made."""
    graph._graph.outputs = graph._outputs
    graph._graph.function = lambda: function(graph._input)
    return graph


def test_it_returns_what_the_function_returns_as_copies(cuda):
    def function(x):
        cuda.append("run")
        return [x.sum(), 2 * x, x.square().sum()]

    a, b = torch.arange(3.0), torch.tensor([5.0, 1, 2])
    graph = played(CudaGraph(function, a), function)
    assert cuda == ["wait", "run", "run", "wait", "record", "run"]
    first = graph(b)
    second = graph(a)
    for came, x in ((first, b), (second, a)):
        assert float(came[0]) == float(x.sum())
        assert torch.equal(came[1], 2 * x)
        assert float(came[2]) == float(x.square().sum())


def test_an_objective_replayed_is_the_objective(cuda, vgg):
    photo, painting = sample("chelsea", 64), sample("night", 64)
    objective = Objective(photo, painting, vgg=vgg)
    record = objective._as_tensors
    objective._graph = played(CudaGraph(record, photo), record)
    x = (photo + 0.1).clamp(0, 1)
    terms, gradient = objective._replayed(x)
    right, right_gradient = Objective(photo, painting, vgg=vgg).gradient(x)
    assert torch.equal(gradient, right_gradient)
    assert list(terms.style_layers) == list(right.style_layers)
    for came, wanted in zip(terms.tensors(), right.tensors(), strict=True):
        assert float(came) == float(wanted)


@pytest.mark.parametrize("statistic", ["gram", "moments", "sliced"])
def test_what_looks_at_numbers_on_its_way_is_not_recorded(
    vgg, photo, painting, monkeypatch, statistic
):
    monkeypatch.setattr(
        "styletut.objective.objective.recordable", lambda *given: True
    )
    ways = []
    for way in ("_replayed", "_evaluated"):
        monkeypatch.setattr(
            Objective, way, lambda self, x, way=way: ways.append(way)
        )
    objective = Objective(photo, painting, vgg=vgg, statistic=statistic)
    objective.gradient(photo)
    assert ways == ["_replayed" if statistic == "gram" else "_evaluated"]


def on_meta(loss):
    """Return a layer loss whose target has a shape and no numbers."""
    if isinstance(loss, ContentLoss):
        return replace(loss, P=loss.P.to("meta"))
    targets = [replace(each, A=each.A.to("meta")) for each in loss.targets]
    return replace(loss, targets=tuple(targets))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("convention", ["styletut", "pytorch_tutorial"])
def test_an_evaluation_reads_no_number(convention, precision):
    # a tensor on the device "meta" has a shape and no numbers to read
    photo = sample("chelsea", 64)
    objective = Objective(
        photo,
        photo,
        vgg=VGG19(),
        convention=convention,
        precision=precision,
        gamma=0.1,
    )
    objective.vgg.to("meta")
    objective.layer_losses = [on_meta(each) for each in objective.layer_losses]
    terms, gradient = objective._evaluated(photo.to("meta"))
    assert gradient.shape == photo.shape
    assert gradient.device.type == terms.total.device.type == "meta"


def test_lbfgs_reads_once_an_evaluation(monkeypatch):
    reads = []
    for name in ("tolist", "item", "__float__", "__bool__", "__int__"):
        plain = getattr(torch.Tensor, name)

        def counted(self, plain=plain):
            reads.append(self.numel())
            return plain(self)

        monkeypatch.setattr(torch.Tensor, name, counted)
    scale = torch.arange(1.0, 9)

    def evaluate(x):
        return (scale * (x - 0.3) ** 2).sum(), 2 * scale * (x - 0.3)

    bounds = torch.zeros(()), torch.ones(())
    *_, last = lbfgs(
        evaluate, torch.full((8,), 0.9), evaluations=20, bounds=bounds
    )
    assert last.evaluations > 5
    assert len(reads) <= last.evaluations
    assert max(reads) <= 8


def test_a_recorded_objective_holds_what_its_graph_reads(cuda, monkeypatch):
    vgg = VGG19(deepest="relu2_1")
    photo = sample("chelsea", 32)
    objective = Objective(
        photo,
        photo,
        vgg=vgg,
        content_layers=["relu2_1"],
        style_layers=["relu1_1"],
    )
    monkeypatch.setattr(
        "styletut.objective.objective.CudaGraph",
        lambda function, x: played(CudaGraph(function, x), function),
    )
    objective._replayed(photo)
    kept = [
        layer.kernel(torch.float32)
        for layer in (vgg.conv1_1, vgg.conv1_2, vgg.conv2_1)
    ]
    assert all(a is b for a, b in zip(objective._held, kept, strict=True))
    vgg.to("cpu")  # drops what the network itself keeps
    assert vgg.conv1_1.kernel(torch.float32) is not objective._held[0]
    twin = pickle.loads(pickle.dumps(objective))
    assert twin._graph is None and twin._held is None
