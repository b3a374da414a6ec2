"""Threads of torch: lowered once, and never against a user's word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from styletut.cores import threads
from styletut.cores.allowed import Allowed
from styletut.vgg import VGG19

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """8 logical processors on 4 cores, of which a quota allows 2."""
    before = torch.get_num_threads()
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    allow(monkeypatch, 2)
    yield
    torch.set_num_threads(before)
    threads.lower_threads.cache_clear()


def allow(monkeypatch, quota):
    threads.lower_threads.cache_clear()
    cores = Allowed(8, 8, 4, quota)
    monkeypatch.setattr(threads, "allowed", lambda: cores)


@pytest.mark.parametrize("own", [8, 4])
def test_torchs_own_number_is_lowered_to_what_is_allowed(own):
    torch.set_num_threads(own)
    threads.lower_threads()
    assert torch.get_num_threads() == 2


def test_it_is_never_raised(monkeypatch):
    allow(monkeypatch, None)
    torch.set_num_threads(1)
    threads.lower_threads()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("number", [3, 5, 7])
def test_another_number_than_torchs_own_is_the_users(number):
    torch.set_num_threads(number)
    threads.lower_threads()
    assert torch.get_num_threads() == number


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_variables_of_the_user_are_kept(monkeypatch, name):
    monkeypatch.setenv(name, "4")
    torch.set_num_threads(4)
    threads.lower_threads()
    assert torch.get_num_threads() == 4
    assert threads.said_by_user() == name


def test_an_empty_variable_says_nothing(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert threads.said_by_user() == ""


def test_what_is_set_after_the_first_network_is_kept():
    torch.set_num_threads(8)
    VGG19(deepest="relu1_1")
    assert torch.get_num_threads() == 2
    torch.set_num_threads(8)
    VGG19(deepest="relu1_1")
    assert torch.get_num_threads() == 8


@pytest.mark.parametrize("number", [1, 3, 8])
def test_a_number_that_is_asked_for_outlives_the_first_network(number):
    threads.set_threads(number)
    VGG19(deepest="relu1_1")
    assert torch.get_num_threads() == number


def test_none_asks_for_what_is_allowed():
    torch.set_num_threads(8)
    threads.set_threads(None)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("number", [0, -1, threads.MOST + 1])
def test_a_number_that_cannot_be_is_refused(number):
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match=f"threads is {number}; it is a who"):
        threads.set_threads(number)
    assert torch.get_num_threads() == before


def test_torch_is_not_loaded_to_read_what_was_said():
    code = "import sys, json; from styletut.cores import threads, waiting; "
    code += "print(json.dumps(sorted({'torch', 'numpy'} & set(sys.modules))))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [], done.stderr
