"""How threads wait: chosen before torch is there, unless a user chose."""

import sys
from types import SimpleNamespace

import pytest

from styletut.cores import waiting
from styletut.cores.waiting import (
    CHOSEN,
    VARIABLES,
    Waiting,
    choose_waiting,
)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """A process that has not loaded torch, and of which nothing is said."""
    environment = {}
    stand_in = SimpleNamespace(environ=environment)
    monkeypatch.setattr(waiting, "os", stand_in)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return environment


def test_it_is_chosen_here_where_nothing_is_said(environment):
    name, value = CHOSEN
    assert choose_waiting() == Waiting(f"{name}={value}", True)
    assert environment == {name: value}


@pytest.mark.parametrize("name", VARIABLES)
def test_what_the_user_said_is_kept(environment, name):
    environment[name] = "7"
    assert choose_waiting() == Waiting(f"{name}=7", False)
    assert environment == {name: "7"}


def test_an_empty_variable_says_nothing(environment):
    environment["OMP_WAIT_POLICY"] = ""
    assert choose_waiting().ours


def test_it_is_too_late_once_torch_is_there(environment, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert choose_waiting() == Waiting("", False)
    assert environment == {}
