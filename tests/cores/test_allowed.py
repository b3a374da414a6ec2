"""Cores that may be used: of the machine, by affinity, by quota."""

import os

import pytest

from styletut.cores.allowed import Allowed, allowed


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 8 logical processors, two to a core, without limits."""
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    bind(monkeypatch, range(8))
    for each in range(8):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{each}/topology"
        folder.mkdir(parents=True)
        siblings = f"{each % 4},{each % 4 + 4}\n"
        (folder / "thread_siblings_list").write_text(siblings)
    return tmp_path


def bind(monkeypatch, processors):
    bound = set(processors)
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda pid: bound, raising=False
    )


def limit(root, cores):
    group = root / "sys/fs/cgroup"
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.max").write_text(f"{round(cores * 1e5)} 100000\n")


def test_two_threads_of_hardware_are_one_core(machine):
    found = allowed(machine)
    assert found == Allowed(8, 8, 4, None)
    assert found.number == 4
    assert found.reason == "8 hardware threads are on 4 cores"


def test_where_nothing_is_told_each_processor_is_a_core(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    bind(monkeypatch, range(3))
    found = allowed(tmp_path)
    assert found == Allowed(3, 3, 3, None)
    assert found.reason == "all of this machine"


def test_affinity_allows_fewer(machine, monkeypatch):
    bind(monkeypatch, [1, 2, 6])  # 2 and 6 are one core
    found = allowed(machine)
    assert found == Allowed(8, 3, 2, None)
    assert found.reason == "bound to 3 of 8 (affinity)"


@pytest.mark.parametrize(
    ("cores", "number"),
    [(0.01, 1), (0.5, 1), (1.4, 1), (1.5, 2), (2, 2), (2.5, 3), (3.4, 3)],
)
def test_a_quota_is_rounded_and_allows_one_at_least(machine, cores, number):
    limit(machine, cores)
    found = allowed(machine)
    assert found.number == number
    assert found.reason == f"a control group's quota of {cores:g}"


def test_a_large_quota_allows_no_more_than_there_is(machine):
    limit(machine, 64)
    assert allowed(machine).number == 4
    assert "quota" not in allowed(machine).reason


def test_the_least_of_all_counts(machine, monkeypatch):
    limit(machine, 3)
    bind(monkeypatch, [0, 1])
    assert allowed(machine).number == 2
    assert "affinity" in allowed(machine).reason
    limit(machine, 1)
    assert allowed(machine).number == 1
    assert "quota" in allowed(machine).reason


@pytest.mark.parametrize("count", [4, None])
def test_windows_and_macos_tell_of_no_affinity(tmp_path, monkeypatch, count):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert allowed(tmp_path) == Allowed(*[count or 1] * 3, None)


def test_an_affinity_that_cannot_be_read_is_unknown(tmp_path, monkeypatch):
    def refuse(pid):
        raise PermissionError("not in this sandbox")

    monkeypatch.setattr(os, "sched_getaffinity", refuse, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert allowed(tmp_path).number == 4
