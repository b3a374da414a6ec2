"""Servers that the browser tests start, and look at."""

import os
import socket
import time
from urllib.request import urlopen

import pytest

START_SECONDS = 90


def is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_it_answers(url, server, log):
    """Wait for a server that was just started.

    Args:
        url: of a page of it.
        server: the process.
        log: the file that it writes to, for the message.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
