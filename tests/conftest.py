"""What holds for every test: no network, and examples as many as needed."""

import os
import socket

import pytest
from hypothesis import settings

# The tests are shared out among as many processes as there are cores. Threads
# beside these would wait for one another. Read when torch is imported, here
# and in what the tests start.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

# What is on this machine is asked without a proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

# A first call of torch can take seconds, so no example has a deadline. On a
# build machine the examples are the same every time; at home they vary.
settings.register_profile(
    "styletut", deadline=None, derandomize="CI" in os.environ
)
settings.load_profile("styletut")

FEW = 8
"""Evaluations, with the fixture `few`."""

_connect = socket.socket.connect


def _connect_here_only(self, address):
    """Connect to this machine alone, and say which test went further."""
    host = address[0] if isinstance(address, tuple) else "localhost"
    if host not in {"localhost", "127.0.0.1", "::1"}:
        raise OSError(f"a test tried to reach {host}: tests run offline")
    return _connect(self, address)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuse every connection that leaves this machine."""
    monkeypatch.setattr(socket.socket, "connect", _connect_here_only)


@pytest.fixture(scope="session", autouse=True)
def multiplies_bfloat16():
    """Let "auto" be float32 on every machine; `amx` is for the others.

    What it stands in for is handed on, for the tests of that.
    """
    from styletut.kernels import processor

    original = processor.multiplies_bfloat16
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processor, "multiplies_bfloat16", lambda: False)
        yield original


@pytest.fixture
def amx(multiplies_bfloat16, monkeypatch):
    """A processor that multiplies bfloat16 matrices, wherever this runs."""
    monkeypatch.setattr(
        "styletut.kernels.processor.multiplies_bfloat16", lambda: True
    )


@pytest.fixture(scope="session")
def vgg():
    """The real network; a file that changes it makes one of its own."""
    from styletut.vgg import VGG19

    return VGG19()


@pytest.fixture(scope="session")
def photo():
    """A small content picture, 48 x 32 pixels."""
    from styletut.images import sample

    return sample("chelsea", 48)


@pytest.fixture(scope="session")
def painting():
    """A small style picture, 48 x 38 pixels."""
    from styletut.images import sample

    return sample("night", 48)


@pytest.fixture(scope="session")
def shallow():
    """Layers that take a tenth of the time, for tests of what is around."""
    return {
        "content_layers": ["relu2_2"],
        "style_layers": ["relu1_1", "relu2_1", "relu3_1"],
    }


@pytest.fixture
def few(monkeypatch):
    """Few evaluations, where nobody says how many."""
    from styletut.transfer import sizes

    original = sizes.split_evaluations

    def split(size, evaluations, coarsest):
        return original(size, min(evaluations, FEW), coarsest)

    monkeypatch.setattr(sizes, "split_evaluations", split)
