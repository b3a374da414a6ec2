"""The studio as a visitor uses it, from upload to download, in Chromium.

`make browser-test` runs this, with a real server and the real network.
"""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from servers import free_port, wait_until_it_answers

from styletut.images import sample, save_image

PICTURE_MILLISECONDS = 240_000
PREVIEW_MILLISECONDS = 20_000


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def studio(home):
    """The studio on a free port: its address."""
    port, log = free_port(), home / "studio.log"
    temporary = home / "tmp"
    temporary.mkdir()
    with log.open("w", encoding="utf-8") as written:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "styletut", "studio"),
                *("--no-browser", "--port", str(port)),
            ],
            env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(address, server, log)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    told = log.read_text(encoding="utf-8")
    assert "Traceback" not in told, told
    assert list(temporary.iterdir()) == [], "the folder is not emptied"
    left = [p for p in home.rglob("*") if p.is_file() and p != log]
    assert left == [], "something is written outside the studio's folder"


@pytest.fixture
def visit(studio, page):
    """The open page; whatever it asks of another machine fails the test."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(studio)
    expect(button(page, "Paint")).to_be_visible()
    expect(page.locator("#styles img")).to_have_count(8)
    yield page
    own = (studio, "data:", "blob:", "about:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    file = tmp_path_factory.mktemp("photos") / "my rocket.jpg"
    save_image(sample("rocket", 400), file)
    return file


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def upload(page, file, place="#photo"):
    page.locator(f"{place} input[type=file]").set_input_files(file)


def status(page):
    return page.locator("#status")


def choose_small(page):
    page.locator("#size label").first.click()


def paint(page):
    button(page, "Paint").click()
    expect(status(page)).to_contain_text(
        "Painted:", timeout=PICTURE_MILLISECONDS
    )


def downloaded(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Download {name}").click()
    picture = Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    picture.load()
    return picture, waiting.value.suggested_filename


def test_from_upload_to_download(visit, photo):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    visit.locator("#styles button").nth(5).click()
    expect(visit.locator("#style")).to_contain_text("Night over the lake")
    choose_small(visit)
    before = visit.locator("#result img").last.get_attribute("src")
    button(visit, "Paint").click()
    picture = visit.locator("#result img").last
    expect(picture).not_to_have_attribute(
        "src", before, timeout=PREVIEW_MILLISECONDS
    )
    expect(status(visit)).to_contain_text("left", timeout=60_000)
    expect(status(visit)).to_contain_text(
        "Painted: 256 x", timeout=PICTURE_MILLISECONDS
    )
    png, name = downloaded(visit, "PNG")
    assert name == "my rocket-night.png"
    assert max(png.size) == 256
    assert "--size 256" in png.text["command"]
    assert "my rocket.jpg" in png.text["command"]
    jpeg, name = downloaded(visit, "JPEG")
    assert name == "my rocket-night.jpg" and jpeg.size == png.size
    visit.get_by_role("button", name=re.compile("As a command")).click()
    expect(visit.get_by_text("styletut 'my rocket.jpg' night")).to_be_visible()
    expect(visit.locator("#history img")).to_have_count(1)


def test_a_bad_upload_is_told_and_changes_nothing(visit, photo, tmp_path):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    bad = tmp_path / "broken.png"
    bad.write_bytes(photo.read_bytes()[:200])
    visit.get_by_role("button", name=re.compile("^Add a style")).click()
    upload(visit, bad, "#own-style")
    expect(status(visit)).to_contain_text("This style picture cannot be used")
    expect(status(visit)).to_contain_text("broken.png")
    expect(visit.locator("#style")).to_contain_text("stained glass")
    choose_small(visit)
    paint(visit)
    png, _ = downloaded(visit, "PNG")
    assert png.text["command"].startswith("styletut 'my rocket.jpg' glass")


def test_a_bad_photo_is_told(visit, photo, tmp_path):
    bad = tmp_path / "broken.png"
    bad.write_bytes(photo.read_bytes()[:200])
    upload(visit, bad)
    expect(status(visit)).to_contain_text("This photo cannot be used")
    expect(status(visit)).to_contain_text("broken.png")
    assert "/" not in status(visit).inner_text()


def test_without_a_photo_it_says_what_to_do(visit):
    button(visit, "Paint").click()
    expect(status(visit)).to_contain_text("There is no photo yet")
    expect(button(visit, "Paint")).to_be_enabled()


def test_stop_keeps_the_picture(visit, photo):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    button(visit, "Paint").click()
    expect(status(visit)).to_contain_text("% done", timeout=60_000)
    button(visit, "Stop").click()
    expect(status(visit)).to_contain_text("Stopped", timeout=60_000)
    expect(button(visit, "Paint")).to_be_enabled()
    png, _ = downloaded(visit, "PNG")
    assert png.text["stopped"] == "interrupted"


def test_two_visitors_wait_for_one_another(visit, studio, browser, photo):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    button(visit, "Paint").click()
    expect(status(visit)).to_contain_text("% done", timeout=60_000)
    other = browser.new_page()
    other.goto(studio)
    other.locator("#samples button").first.click()
    expect(status(other)).to_contain_text("Press Paint")
    choose_small(other)
    button(other, "Paint").click()
    expect(status(other)).to_contain_text("queue", ignore_case=True)
    button(other, "Leave the queue").click()
    expect(status(other)).to_contain_text("Nothing was painted")
    button(other, "Paint").click()
    expect(button(other, "Leave the queue")).to_be_visible()
    visit.close()  # a page that is closed frees its turn
    expect(status(other)).to_contain_text(
        "Painted:", timeout=PICTURE_MILLISECONDS
    )
    assert other.locator("#history img").count() == 1
    other.close()


def test_all_styles_at_once_and_one_of_them(visit, photo):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    button(visit, "Try all styles").click()
    expect(visit.locator("#sheet img")).to_have_count(8, timeout=60_000)
    visit.locator("#sheet button").nth(1).click()
    expect(visit.locator("#style")).to_contain_text("The old oak")


def test_a_picture_again_as_it_was(visit):
    visit.locator("#samples button").nth(2).click()
    expect(status(visit)).to_contain_text("Chelsea")
    choose_small(visit)
    visit.get_by_role("button", name=re.compile("^More")).click()
    visit.get_by_label("Keep the colors of the photo").check()
    paint(visit)
    first, _ = downloaded(visit, "PNG")
    visit.get_by_label("Keep the colors of the photo").uncheck()
    button(visit, "Paint it again, as it was").click()
    expect(visit.locator("#history img")).to_have_count(
        2, timeout=PICTURE_MILLISECONDS
    )
    expect(visit.get_by_label("Keep the colors of the photo")).to_be_checked()
    second, _ = downloaded(visit, "PNG")
    assert first.text["command"] == second.text["command"]
    assert first.tobytes() == second.tobytes()


def test_a_brushed_region_alone_is_painted(visit, photo):
    upload(visit, photo)
    expect(status(visit)).to_contain_text("my rocket.jpg")
    choose_small(visit)
    visit.get_by_role("button", name=re.compile("Only a region")).click()
    canvas = visit.locator("#region canvas").first
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["y"] + box["height"] / 2
    visit.mouse.move(box["x"] + box["width"] * 0.35, middle)
    visit.mouse.down()
    for part in range(35, 66, 3):
        visit.mouse.move(box["x"] + box["width"] * part / 100, middle)
    visit.mouse.up()
    visit.wait_for_timeout(1500)  # the editor hands strokes on in a while
    paint(visit)
    png, _ = downloaded(visit, "PNG")
    assert "--mask region.png" in png.text["command"]
    own = np.asarray(sample_of(photo, png.size), float)
    change = np.abs(np.asarray(png.convert("RGB"), float) - own).mean(2)
    height, width = change.shape
    brushed = change[height // 2, int(width * 0.4) : int(width * 0.6)].mean()
    left_alone = change[: height // 5].mean()
    assert brushed > 2 * left_alone, "the stroke is painted where it was drawn"


def sample_of(photo, size):
    with Image.open(photo) as picture:
        return picture.convert("RGB").resize(size)


def test_keyboard_alone(visit):
    """Nothing needs a mouse, and what has the focus can be seen."""

    def focus_on(what):
        for _ in range(80):
            visit.keyboard.press("Tab")
            if visit.evaluate(f"() => {what}(document.activeElement)"):
                return
        pytest.fail(f"the keyboard does not come to {what}")

    focus_on("(e => !!e.closest('#samples'))")
    looks = """e => ['outline', 'boxShadow', 'borderColor'].map(
        name => getComputedStyle(e)[name]).join()"""
    focused = visit.locator("#samples button:focus").evaluate(looks)
    other = visit.locator("#samples button:not(:focus)").last.evaluate(looks)
    assert focused != other, "what has the focus cannot be seen"
    visit.keyboard.press("Enter")
    expect(status(visit)).to_contain_text("Press Paint")
    focus_on("(e => e.type == 'radio' && !!e.closest('#size'))")
    visit.keyboard.press("Space")
    expect(visit.locator("#size input").first).to_be_checked()
    focus_on("(e => e.textContent.trim() == 'Paint')")
    visit.keyboard.press("Enter")
    expect(status(visit)).to_contain_text("left", timeout=60_000)
    focus_on("(e => e.textContent.trim() == 'Stop')")
    visit.keyboard.press("Enter")
    expect(status(visit)).to_contain_text("Stopped", timeout=60_000)


def test_on_a_phone_nothing_is_cut_off(studio, browser, photo):
    page = browser.new_page(viewport={"width": 380, "height": 740})
    page.goto(studio)
    expect(page.locator("#styles img")).to_have_count(8)
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 380
    upload(page, photo)
    expect(status(page)).to_contain_text("my rocket.jpg")
    choose_small(page)
    paint(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 380
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_people_out(studio, browser, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(studio)
    expect(page.locator("#styles img")).to_have_count(8)
    for name in ("^Add a style", "^More", "^Only a region", "^As a command"):
        page.get_by_role("button", name=re.compile(name)).click()
    page.locator("#samples button").nth(2).click()
    expect(status(page)).to_contain_text("Chelsea")
    choose_small(page)
    paint(page)
    page.wait_for_timeout(500)  # until Paint has its color again
    found = Axe().run(page).response["violations"]
    said = page.locator("#announced").inner_text()
    named = page.locator("#styles button").nth(1).get_attribute("aria-label")
    shown = page.locator("#result img").last.get_attribute("alt")
    page.close()
    bad = [
        (rule["id"], node["target"], node["html"][:200])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    ours = [each for each in bad if not is_gradios(*each)]
    assert ours == []
    assert "Painted: 256 x" in said, "a screen reader is told"
    assert named == "The old oak, pen and ink"
    assert shown == "The picture painted from it"


GRADIOS = [
    ("aria-prohibited-attr", 'class="empty'),  # of a gallery without pictures
]
"""Findings that lie in Gradio's own parts: a rule, and what its HTML has."""


def is_gradios(rule, target, html):
    """Whether a finding is one that cannot be mended here."""
    return any(rule == known and part in html for known, part in GRADIOS)
