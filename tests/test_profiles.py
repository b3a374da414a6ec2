"""Profiles: the fixed sizes, and which one a machine gets."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import pytest
import torch

from styletut.profiles import GPU_BYTES, PROFILES, current_profile


@pytest.fixture
def machine(monkeypatch):
    """Pretend that CUDA has this many bytes; 0 is no CUDA."""

    def pretend(gpu_bytes, profile=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu_bytes > 0)
        monkeypatch.setattr(
            torch.cuda,
            "get_device_properties",
            lambda device: SimpleNamespace(total_memory=gpu_bytes),
        )
        if profile is None:
            monkeypatch.delenv("STYLETUT_PROFILE", raising=False)
        else:
            monkeypatch.setenv("STYLETUT_PROFILE", profile)

    return pretend


@pytest.mark.parametrize(
    ("gpu_bytes", "name"),
    [
        (0, "class"),
        (GPU_BYTES - 1, "class"),
        (GPU_BYTES, "gpu"),
        (80 * 2**30, "gpu"),
    ],
)
@pytest.mark.parametrize("unset", [None, "", " "])
def test_the_machine_decides_when_nobody_else_does(
    machine, gpu_bytes, name, unset
):
    machine(gpu_bytes, unset)
    assert current_profile().name == name


@pytest.mark.parametrize("name", ["ci", "class", "print"])
@pytest.mark.parametrize("gpu_bytes", [0, GPU_BYTES])
def test_a_name_decides_over_the_machine(machine, name, gpu_bytes):
    machine(gpu_bytes, name)
    profile = current_profile()
    assert (profile.name, profile.device) == (name, "cpu")


def test_gpu_may_be_asked_for_on_a_small_card(machine):
    machine(2**30, "gpu")
    assert current_profile().device == "cuda"


def test_gpu_without_cuda_says_what_to_do(machine):
    machine(0, "gpu")
    with pytest.raises(ValueError, match=r"no CUDA device\. Unset it"):
        current_profile()


@pytest.mark.parametrize("name", ["full", "CI", "class,gpu"])
def test_an_unknown_name_lists_the_known_ones(machine, name):
    machine(0, name)
    with pytest.raises(ValueError, match="ci, class, print, gpu") as caught:
        current_profile()
    assert repr(name) in str(caught.value)


def test_sizes_are_those_that_the_course_promises():
    as_rows = {
        name: (each.small, each.size, each.large, each.evaluations)
        for name, each in PROFILES.items()
    }
    assert as_rows["class"] == (96, 128, 256, 60)
    assert as_rows["gpu"] == (256, 512, 1024, 300)
    doubled = tuple(min(2 * side, 384) for side in as_rows["class"][:3])
    assert as_rows["print"] == (*doubled, 2 * as_rows["class"][3])
    assert max(as_rows["ci"][:3]) == 64


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_sizes_grow_and_fit_the_network(profile):
    assert profile.small <= profile.size <= profile.large
    # Four poolings stand before relu5_1, and a Gram of one position is no
    # statistic: 32 pixels leave two by two.
    assert profile.small >= 32


def test_a_profile_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PROFILES["class"].size = 4096
    with pytest.raises(TypeError):
        PROFILES["class"] = PROFILES["ci"]


def test_importing_profiles_does_not_import_torch():
    code = "import sys, styletut.profiles; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
