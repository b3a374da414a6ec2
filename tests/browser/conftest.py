"""A real Chromium for all browser tests."""

import shutil

import pytest
from servers import is_root

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""So that the browser by itself asks nobody anything."""


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
