"""How exactly the network computes, and that losses stay exact."""

import pytest
import torch

from styletut.engines.device import (
    PRECISIONS,
    arithmetic,
    find_precision,
    maps_dtype,
)
from styletut.images import sample
from styletut.objective import Objective

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def capability(monkeypatch, major):
    monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: (major, 0)
    )


def test_on_a_cpu_auto_is_float32():
    assert find_precision("auto", CPU, torch.float32) == "float32"
    assert find_precision("auto", CPU, torch.float64) == "float32"


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
    exact = Objective(photo, painting, vgg=vgg)
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
