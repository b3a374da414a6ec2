"""A real Chromium for all browser tests, and servers to look at with it."""

import os
import shutil
import socket
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""So that the browser by itself asks nobody anything."""

START_SECONDS = 90


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.fail("no Chromium here; on Debian: apt install chromium")
    # Chromium's sandbox does not start for root.
    arguments = [*QUIET, *(["--no-sandbox"] if is_root() else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found[0], args=arguments
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, tmp_path):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    yield page
    if not page.is_closed():
        page.screenshot(path=tmp_path / "last.png")  # kept for a failed test
        page.close()


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
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
