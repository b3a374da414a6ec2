"""How much memory is free, of the machine and in a container."""

import sys
from types import SimpleNamespace

import pytest
import torch

from styletut.memory import free


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with 8000 bytes free, in a container without limits."""
    stand_in = SimpleNamespace(
        virtual_memory=lambda: SimpleNamespace(available=8000)
    )
    monkeypatch.setitem(sys.modules, "psutil", stand_in)
    monkeypatch.setattr(free, "CONTROL_GROUP", tmp_path)
    return tmp_path


def test_the_free_memory_of_this_machine_is_plausible():
    assert 2**20 < free.free_memory() < 2**45


def test_without_limits_it_is_the_machines(machine):
    assert free.free_memory() == 8000
    (machine / "memory.max").write_text("max\n")
    (machine / "memory.current").write_text("500\n")
    (machine / "memory.stat").write_text("anon 1\n")
    assert free.free_memory() == 8000


@pytest.mark.parametrize(
    ("limit", "used", "stat", "name"),
    [
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ],
)
def test_a_containers_limit_counts(machine, limit, used, stat, name):
    (machine / "memory").mkdir()
    (machine / limit).write_text("3000\n")
    (machine / used).write_text("1000\n")
    (machine / stat).write_text(f"anon 7\n{name} 200\n")
    assert free.free_memory() == 2200
    (machine / used).write_text("9000\n")
    assert free.free_memory() == 0


def test_what_is_not_known_is_none(machine, monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert free.free_memory() is None
    assert free.free_memory("mps") is None


def test_a_gpu_has_what_is_free_and_what_torch_holds_unused(monkeypatch):
    for name, answer in {
        "mem_get_info": (5000, 9000),
        "memory_reserved": 700,
        "memory_allocated": 300,
    }.items():
        monkeypatch.setattr(
            torch.cuda, name, lambda device, answer=answer: answer
        )
    assert free.free_memory("cuda:0") == 5400
