"""How exactly the network computes, and that losses stay exact."""

import threading
import time
from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from styletut.engines import device as devices
from styletut.engines.device import (
    NOISE,
    PRECISIONS,
    arithmetic,
    find_device,
    find_precision,
    maps_dtype,
)
from styletut.images import sample
from styletut.kernels import frozen, onednn
from styletut.objective import Objective
from styletut.transfer import stylize
from styletut.transfer.plan import plan_run
from styletut.vgg import VGG19

CPU, CUDA, META = map(torch.device, ("cpu", "cuda", "meta"))


def capability(monkeypatch, major):
    monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: (major, 0)
    )


def test_on_a_cpu_auto_is_float32():
    assert find_precision("auto", CPU, torch.float32) == "float32"
    assert find_precision("auto", CPU, torch.float64) == "float32"


@pytest.fixture
def packs(monkeypatch):
    """A torch that can pack kernels in bfloat16, wherever this runs."""
    monkeypatch.setattr(onednn, "packable", lambda: True)


def test_on_a_cpu_with_amx_auto_is_bfloat16(amx, packs, monkeypatch):
    assert find_precision("auto", CPU, torch.float32) == "bfloat16"
    assert find_precision("auto", CPU, torch.float64) == "float32"
    assert find_precision("float32", CPU, torch.float32) == "float32"
    assert find_precision("auto", META, torch.float32) == "float32"
    monkeypatch.setattr(onednn, "packable", lambda: False)
    assert find_precision("auto", CPU, torch.float32) == "float32"


def test_where_all_is_left_to_torch_auto_is_float32(amx, monkeypatch):
    monkeypatch.setenv(onednn.VARIABLE, "plain")
    assert find_precision("auto", CPU, torch.float32) == "float32"


def test_every_door_settles_auto_alike(amx, packs, monkeypatch):
    # what is settled is told, and a processor without such units cannot pack
    monkeypatch.setattr(frozen, "packs", lambda x: False)
    photo = sample("chelsea", 64)
    settled = {
        Objective(photo, photo).precision,
        plan_run((64, 64), [(64, 64)]).precision,
        stylize(photo, photo, evaluations=1).settings["precision"],
    }
    assert settled == {"bfloat16"}


@pytest.mark.parametrize(("major", "name"), [(7, "float32"), (8, "tf32")])
def test_on_a_gpu_auto_is_tf32_where_it_has_tensor_cores(
    monkeypatch, major, name
):
    capability(monkeypatch, major)
    assert find_precision("auto", CUDA, torch.float32) == name
    assert find_precision("auto", CUDA, torch.float64) == "float32"


def test_what_cannot_be_had_is_refused(monkeypatch):
    capability(monkeypatch, 7)
    with pytest.raises(ValueError, match="no precision 'half'; there are"):
        find_precision("half", CPU, torch.float32)
    for device in (CPU, CUDA):
        with pytest.raises(ValueError, match=f"tf32 .* on {device}"):
            find_precision("tf32", device, torch.float32)
    with pytest.raises(ValueError, match=r"bfloat16 .* torch\.float64"):
        find_precision("bfloat16", CPU, torch.float64)


def test_maps_have_the_precision_or_the_pictures_dtype():
    for name in set(PRECISIONS) - {"bfloat16"}:
        assert maps_dtype(name, torch.float64) == torch.float64
    assert maps_dtype("bfloat16", torch.float32) == torch.bfloat16


CUDNN = torch.backends.cudnn  # can be told something without a GPU, too


def told():
    """What cuDNN is told; how exactly, by the setting that torch asks."""
    if hasattr(CUDNN, "conv"):
        tf32 = CUDNN.conv.fp32_precision == "tf32"
    else:
        tf32 = CUDNN.allow_tf32
    return CUDNN.enabled, CUDNN.benchmark, CUDNN.deterministic, tf32


def test_cudnn_is_set_for_the_while_alone():
    before = told()
    for name in ("float32", "tf32"):
        with arithmetic(name, CUDA):
            assert told() == (True, False, True, name == "tf32")
        assert told() == before
        with pytest.raises(KeyboardInterrupt), arithmetic(name, CUDA):
            raise KeyboardInterrupt
        assert told() == before


def test_an_older_torch_is_told_by_the_setting_that_it_has(monkeypatch):
    older = SimpleNamespace(
        enabled=False, benchmark=True, deterministic=False, allow_tf32=True
    )
    before = vars(older).copy()
    monkeypatch.setattr(torch.backends, "cudnn", older)
    for name in ("float32", "tf32"):
        with arithmetic(name, CUDA):
            assert vars(older) == {
                "enabled": True,
                "benchmark": False,
                "deterministic": True,
                "allow_tf32": name == "tf32",
            }
        assert vars(older) == before


def test_where_there_is_no_cudnn_nothing_is_set():
    before = told()
    for name in ("cpu", "mps", "meta"):
        with arithmetic("float32", torch.device(name)):
            assert told() == before


def test_threads_that_tell_cudnn_something_take_turns():
    before, found = told(), []

    def compute(name):
        for _ in range(20):
            with arithmetic(name, CUDA):
                time.sleep(1e-4)  # so that another thread may come
                found.append(told()[-1] == (name == "tf32"))

    threads = [
        threading.Thread(target=compute, args=(name,))
        for name in ("float32", "tf32", "float32", "tf32")
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [True] * 80
    assert told() == before


@pytest.mark.skipif(
    not hasattr(CUDNN, "conv"), reason="torch below 2.9 has one setting"
)
def test_a_user_may_set_convolutions_apart(vgg):
    """torch then refuses to tell its older setting."""
    before = CUDNN.conv.fp32_precision
    other = "ieee" if before != "ieee" else "tf32"
    photo = sample("chelsea", 64)
    try:
        CUDNN.conv.fp32_precision = other
        Objective(photo, photo, vgg=vgg).gradient(photo)
        with arithmetic("tf32", CUDA):
            assert CUDNN.conv.fp32_precision == "tf32"
        assert CUDNN.conv.fp32_precision == other
    finally:
        CUDNN.conv.fp32_precision = before


def test_with_rounded_maps_losses_and_gradient_stay_near(vgg):
    photo, painting = sample("chelsea", 64), sample("night", 64)
    x = (photo + sample("coffee", 64)[..., : photo.shape[2], :]) / 2
    exact = Objective(photo, painting, vgg=vgg, precision="float32")
    rounded = Objective(photo, painting, vgg=vgg, precision="bfloat16")
    terms, gradient = rounded.gradient(x)
    right, right_gradient = exact.gradient(x)
    for came, wanted in zip(terms.tensors(), right.tensors(), strict=True):
        assert came.dtype == torch.float32
        assert float(came) == pytest.approx(float(wanted), rel=0.02)
    assert gradient.dtype == torch.float32
    cosine = torch.cosine_similarity(
        gradient.flatten(), right_gradient.flatten(), 0
    )
    assert 0.99 < float(cosine) < 0.999999  # near, and really rounded


def test_an_objective_tells_its_precision(vgg):
    photo = sample("chelsea", 64)
    assert Objective(photo, photo, vgg=vgg).precision == "float32"
    with pytest.raises(ValueError, match="tf32"):
        Objective(photo, photo, vgg=vgg, precision="tf32")


@pytest.fixture
def apple(monkeypatch):
    """A machine with an Apple GPU, and what makes it lack operations."""
    lacking, original = [], devices._try_out

    def try_out(device, dtype):
        # there is no such device here, so the CPU stands for it
        with monkeypatch.context() as patch:
            for name in lacking if device.type == "mps" else ():
                patch.setattr(torch.nn.functional, name, missing)
            original(CPU, dtype)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_try_out", try_out)
    devices._failure.cache_clear()
    yield lacking
    devices._failure.cache_clear()


def missing(*arguments, **settings):
    raise NotImplementedError(
        "The operator 'aten::some_op' is not currently implemented for the "
        "MPS device. If you want it, say so.\nAnd more."
    )


def test_auto_takes_a_device_that_does_what_a_run_does(apple):
    assert find_device() == torch.device("mps")


def test_auto_passes_over_a_device_that_lacks_an_operation(apple):
    apple.append("max_pool2d")
    with pytest.warns(UserWarning, match=r"'mps' is not taken.*aten::some_op"):
        assert find_device() == CPU
    with pytest.raises(ValueError, match=r"'mps' cannot .*aten::some_op"):
        find_device("mps")
    assert find_device("cpu") == CPU


class Operations(TorchDispatchMode):
    """Notes which operations of torch are done with pictures' numbers."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = tree_leaves((args, kwargs, result))
        tensors = [each for each in given if isinstance(each, torch.Tensor)]
        on_cpu = any(each.dtype == torch.float64 for each in tensors)
        if tensors and not on_cpu and not any(t.is_meta for t in tensors):
            self.names.add(func.overloadpacket.__name__.rstrip("_"))
        return result


EVERYWHERE = {
    *("alias", "clone", "detach", "expand", "index", "lift_fresh"),
    *("permute", "select", "slice", "split_with_sizes", "squeeze", "t"),
    *("transpose", "unbind", "unsqueeze", "view", "_unsafe_view"),
    *("copy", "_to_copy", "empty", "empty_like", "full", "ones", "zeros"),
    *("new_ones", "new_zeros", "scalar_tensor", "zeros_like", "ones_like"),
    *("slice_backward", "select_backward", "_local_scalar_dense"),
    *("sub", "rsub", "neg", "eye", "all", "rand"),
}
"""What every device has, or is done on the CPU before a run."""

RUNS = {
    "default": {},
    "two sizes": {"schedule": [(32, 3), (64, 3)]},
    "variation": {"gamma": 1e-4},
    "luminance": {"color": "luminance"},
    "match": {"color": "match"},
    "sigmoid": {"range_rule": "sigmoid", "optimizer": "adam"},
    "unbounded": {"range_rule": "none", "optimizer": "torch_lbfgs"},
    "gradient": {"optimizer": "gradient_descent", "start": "grey"},
    "lbfgs": {"optimizer": "lbfgs", "start": "noise"},
    "average": {"convention": "gatys2016"},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_device_is_tried_out_with_all_that_a_run_does(
    name, monkeypatch, vgg
):
    """By the engine that any device but a CPU and NVIDIA's GPUs has."""
    monkeypatch.setenv(onednn.VARIABLE, "plain")
    with Operations() as tried:
        devices._try_out(CPU, torch.float32)
    photo, painting = sample("chelsea", 64), sample("night", 64)
    average = name == "average"
    network = VGG19(pooling="average") if average else vgg
    settings = {"vgg": network, "precision": "float32", **RUNS[name]}
    if "schedule" not in settings:
        settings |= {"size": 64, "evaluations": 5}
    with Operations() as done:
        stylize(photo, painting, **settings)
    assert "convolution" in done.names
    assert done.names - tried.names - EVERYWHERE == set()


@pytest.mark.parametrize(
    "name", ["aminmax", "minimum", "clamp", "where", "log", "stack", "logit"]
)
def test_what_an_optimizer_needs_is_missed_before_the_run(apple, name):
    assert find_device() == torch.device("mps")
    devices._failure.cache_clear()

    class Missing(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if getattr(func, "__name__", "") == name:
                missing()
            return func(*args, **(kwargs or {}))

    with Missing(), pytest.raises(ValueError, match="aten::some_op"):
        find_device("mps")


def test_a_device_is_tried_out_in_the_dtype_of_the_pictures(
    apple, monkeypatch
):
    """Apple's GPUs know no float64, and torch says so in a TypeError."""

    def try_out(device, dtype):
        if dtype == torch.float64:
            raise TypeError("MPS doesn't support float64. Use float32.")

    monkeypatch.setattr(devices, "_try_out", try_out)
    assert find_device("auto", torch.float32) == torch.device("mps")
    with pytest.warns(UserWarning, match="doesn't support float64"):
        assert find_device("auto", torch.float64) == CPU
    assert find_device("mps", torch.float32) == torch.device("mps")
    with pytest.raises(ValueError, match="doesn't support float64"):
        find_device("mps", torch.float64)


def rounded_objectives(side=64, **settings):
    """In bfloat16, by each engine that a picture may meet."""
    photo, painting = sample("chelsea", side), sample("night", side)
    watched = VGG19()
    watched.relu4_2.register_forward_hook(lambda *each: None)
    return photo, {
        "backward": Objective(photo, painting, **settings),
        "tiles": Objective(photo, painting, tiles=32, **settings),
        "autograd": Objective(photo, painting, vgg=watched, **settings),
    }


def test_calling_an_objective_and_its_gradient_have_one_precision():
    photo, objectives = rounded_objectives(precision="bfloat16", alpha=0.3)
    x = (photo + 0.1 * torch.sin(100 * photo)).clamp(0, 1)
    exact = Objective(
        photo, sample("night", 64), precision="float32", alpha=0.3
    )
    right = float(exact(x).total)
    values = {}
    for name, objective in objectives.items():
        terms, _ = objective.gradient(x)
        # of the same maps: only sums are taken in another order
        assert float(objective(x).total) == pytest.approx(
            float(terms.total), rel=1e-4
        )
        values[name] = float(terms.total)
        assert values[name] != pytest.approx(right, rel=1e-6)  # rounded
        assert values[name] == pytest.approx(right, rel=0.02)
    assert max(values.values()) / min(values.values()) < 1.01


def test_a_graph_has_the_gradient_of_the_same_precision():
    photo, objectives = rounded_objectives(precision="bfloat16", alpha=0.3)
    x = (photo + 0.1 * torch.sin(100 * photo)).clamp(0, 1)
    for name in ("backward", "autograd"):
        graph = x.clone().requires_grad_()
        objectives[name](graph).total.backward()
        _, gradient = objectives[name].gradient(x)
        off = (graph.grad - gradient).norm() / gradient.norm()
        assert float(off) < 0.01


def test_the_noise_of_a_precision_is_what_it_is_said_to_be():
    photo, objectives = rounded_objectives(96, precision="bfloat16", alpha=0.3)
    objective = objectives["backward"]
    generator = torch.Generator().manual_seed(0)
    totals = []
    for _ in range(12):
        near = torch.randn(photo.shape, generator=generator) * 1e-4
        totals.append(float(objective((photo + near).clamp(0, 1)).total))
    spread = (max(totals) - min(totals)) / max(totals)
    assert spread < 5 * NOISE["bfloat16"]
