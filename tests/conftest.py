"""What holds for every test: no network, and examples as many as needed."""

import os
import socket

import pytest
from hypothesis import settings

# A first call of torch can take seconds, so no example has a deadline. On a
# build machine the examples are the same every time; at home they vary.
settings.register_profile(
    "styletut", deadline=None, derandomize="CI" in os.environ
)
settings.load_profile("styletut")

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
