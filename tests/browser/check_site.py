"""The site as a reader sees it: every link, every formula, every picture.

`make browser-test` runs this on a site that it builds, opened from the disk,
with all requests to other places counted.
"""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 1_000_000
SEARCHED = ("covariance", "gram_matrix")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site's folder."""
    out = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, ROOT / "tools/make_site.py", "--out", out],
        check=True,
        cwd=ROOT,
    )
    return out / "html"


class Page(HTMLParser):
    """What a page points at, and what can be pointed at."""

    def __init__(self, file):
        super().__init__()
        self.links, self.names, self.images = [], set(), []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.names.add(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img":
            self.images.append(given)
        for key in ("src", "href"):
            if tag in ("img", "script", "link") and given.get(key):
                self.links.append(given[key])


@pytest.fixture(scope="module")
def pages(site):
    """All pages that people read, by file."""
    return {
        file: Page(file)
        for file in site.rglob("*.html")
        if "_static" not in file.parts
    }


def test_every_link_leads_somewhere(site, pages):
    broken = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto", "data"):
                continue
            target = file
            if parts.path:
                target = (file.parent / unquote(parts.path)).resolve()
            if not target.exists() or (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].names
            ):
                broken.append((file.name, link))
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(pages):
    for file in pages:
        text = file.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?:[^"]+)"',
            text,
        )
        assert loaded == [], file.name


def test_no_page_tells_of_the_machine_it_was_made_on(pages):
    for file in pages:
        assert str(ROOT) not in file.read_text(encoding="utf-8"), file.name


def test_every_picture_has_words(pages):
    bare = {
        (file.name, image.get("src"))
        for file, page in pages.items()
        for image in page.images
        if not (image.get("alt") or "").strip()
    }
    assert bare == set()


def test_pages_are_light(site, pages):
    heavy = {
        file.name: file.stat().st_size
        for file in pages
        if file.stat().st_size > LARGEST
    }
    assert heavy == {}


def test_numbers_lead_to_formulas_and_names_to_the_reference(pages):
    by_name = {file.name: page for file, page in pages.items()}
    losses = by_name["losses.html"]
    assert any("#formula-2.1" in link for link in losses.links)
    lesson = by_name["02_the_content_loss.html"]
    assert any(
        "losses.html#styletut.losses.content_loss" in link
        for link in lesson.links
    )
    assert "formula-2.1" in lesson.names


def test_every_notebook_can_be_downloaded(site, pages):
    for file in pages:
        if file.parent.name in ("notebooks", "solutions"):
            source = (
                site
                / "_sources"
                / file.relative_to(site).with_suffix(".ipynb")
            )
            original = ROOT / file.relative_to(site).with_suffix(".ipynb")
            assert source.read_bytes() == original.read_bytes()
            assert source.name in file.read_text(encoding="utf-8")


@pytest.fixture
def reading(page):
    """A page that records what it asks of other machines."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [url for url in asked if url.startswith("http")] == []


def test_formulas_are_drawn(site, pages, reading):
    for file in pages:
        if 'class="math' not in file.read_text(encoding="utf-8"):
            continue
        reading.goto(file.as_uri())
        reading.wait_for_function(
            "() => window.MathJax && MathJax.startup.promise"
            ".then(() => document.querySelectorAll('mjx-container').length)"
        )
        wrong = reading.locator("mjx-merror").all_inner_texts()
        assert wrong == [], file.name
        written = reading.locator(".bd-article").inner_text()
        assert r"\frac" not in written and r"\tag" not in written, file.name


def test_it_can_be_searched(site, reading):
    for words in SEARCHED:
        reading.goto((site / "search.html").as_uri() + f"?q={words}")
        expect(reading.locator("#search-results li").first).to_be_visible()


def test_it_has_a_dark_mode(site, reading):
    reading.goto((site / "index.html").as_uri())
    light = reading.evaluate(
        "() => getComputedStyle(document.body).backgroundColor"
    )
    reading.evaluate(
        "() => document.documentElement.setAttribute('data-theme', 'dark')"
    )
    dark = reading.evaluate(
        "() => getComputedStyle(document.body).backgroundColor"
    )
    assert light != dark


@pytest.mark.parametrize("width", [380, 1400])
def test_no_page_is_wider_than_the_window(site, browser, pages, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    wide = []
    for file in pages:
        page.goto(file.as_uri())
        if page.evaluate(
            "() => document.documentElement.scrollWidth > innerWidth"
        ):
            wide.append(file.name)
    page.close()
    assert wide == []


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "teachers.html",
        "symbols.html",
        "messages.html",
        "gallery.html",
        "api/losses.html",
        "notebooks/02_the_content_loss.html",
    ],
)
def test_nothing_serious_keeps_readers_out(site, reading, name):
    reading.goto((site / name).as_uri())
    # the text; what surrounds it is the theme's
    found = Axe().run(reading, context=".bd-article").response["violations"]
    bad = [
        (rule["id"], node["html"][:200])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        if rule["id"] != "definition-list"  # as Sphinx lists functions
        for node in rule["nodes"]
    ]
    assert bad == []
