"""How exactly the network computes, and that losses stay exact."""

import pytest
import torch

from styletut.engines import device as devices
from styletut.engines.device import (
    PRECISIONS,
    arithmetic,
    find_device,
    find_precision,
    maps_dtype,
)
from styletut.images import sample
from styletut.kernels import onednn
from styletut.objective import Objective
from styletut.transfer import stylize
from styletut.transfer.plan import plan_run

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


def test_every_door_settles_auto_alike(amx, packs):
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


def test_cudnn_is_set_for_the_while_alone():
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    for name in ("float32", "tf32"):
        with arithmetic(name):
            assert cudnn.allow_tf32 == (name == "tf32")
            assert cudnn.deterministic and not cudnn.benchmark
    assert before == (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark)


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
