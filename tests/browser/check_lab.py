"""The notebooks as a reader runs them: in JupyterLab, in a real browser.

`make browser-test` runs this. Its name keeps it out of a plain `pytest`, so
that `make test` needs no browser. It works on a copy of the notebooks, for
JupyterLab saves what it shows.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect
from servers import free_port, is_root, wait_until_it_answers

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = sorted(
    path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")
)
TOKEN = "reader"
RUN_MILLISECONDS = 300_000

SETTINGS = {
    # Cells out of view are else not in the page, and cannot be looked at.
    "notebook-extension/tracker": {"windowingMode": "none"},
    # Else a file could be written while a test reads it.
    "docmanager-extension/plugin": {"autosave": False},
}

PROMPTS = """() => [...document.querySelectorAll(
  '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputPrompt'
)].map(prompt => prompt.textContent)"""


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    return folder


@pytest.fixture(scope="module")
def address(notebooks, tmp_path_factory):
    """JupyterLab on a free port, without a trace of the user's settings."""
    home = tmp_path_factory.mktemp("home")
    plugins = home / "settings" / "@jupyterlab"
    for name, settings in SETTINGS.items():
        file = plugins / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    log = home / "server.log"
    with log.open("w", encoding="utf-8") as written:
        server = subprocess.Popen(
            lab_command(notebooks, port),
            env=environment(home),
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_answers(
            f"http://127.0.0.1:{port}/api?token={TOKEN}", server, log
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def lab_command(folder, port):
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(["--allow-root"] if is_root() else []),
    ]


def environment(home):
    return dict(
        os.environ,
        HOME=str(home),
        JUPYTER_CONFIG_DIR=str(home / "config"),
        JUPYTERLAB_SETTINGS_DIR=str(home / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        STYLETUT_PROFILE="ci",
        GOMP_SPINCOUNT="1000",  # as `make lab` starts it
    )


def named(number):
    """The file of a notebook, by its number."""
    (name,) = (each for each in NAMES if each.startswith(number))
    return name


def open_notebook(page, address, name):
    page.goto(f"{address}/lab/tree/{name}?reset&token={TOKEN}")
    kernel = page.locator(".jp-Toolbar-kernelName")
    # Before the kernel has its name a dialog would ask for one.
    expect(kernel).to_contain_text("Python 3", timeout=60_000)
    status = page.locator(".jp-Notebook-ExecutionIndicator")
    expect(status).to_have_attribute("data-status", "idle", timeout=60_000)


def restart_and_run_all(page):
    page.locator("[data-command='notebook:restart-run-all']").first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    # The numbers of the stored run go first.
    page.wait_for_function(
        f"() => ({PROMPTS})().some(prompt => !/\\d/.test(prompt))"
    )
    page.wait_for_function(
        f"() => ({PROMPTS})().every(prompt => /\\d/.test(prompt))"
        " || document.querySelector('.jp-OutputArea-output"
        '[data-mime-type="application/vnd.jupyter.stderr"]\')',
        timeout=RUN_MILLISECONDS,
    )
    numbers = [re.sub(r"\D", "", text) for text in page.evaluate(PROMPTS)]
    shown = page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert shown.count() == 0, shown.first.inner_text()
    assert numbers == [str(k + 1) for k in range(len(numbers))]


def saved(page, path):
    """What JupyterLab writes when the reader saves."""
    # The server empties the file before it writes: its answer is the sign.
    with page.expect_response(is_save, timeout=60_000) as answer:
        page.keyboard.press("Control+s")
    assert answer.value.ok, f"JupyterLab did not save: {answer.value.status}"
    return nbformat.read(path, as_version=4)


def is_save(response):
    saves = response.request.method == "PUT"
    return saves and "/api/contents/" in response.url


def outputs(notebook, kind):
    cells = [cell for cell in notebook["cells"] if cell.cell_type == "code"]
    return [o for c in cells for o in c["outputs"] if o.output_type == kind]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_its_first_cell_to_its_last(
    page, address, notebooks, name
):
    open_notebook(page, address, name)
    restart_and_run_all(page)
    notebook = saved(page, notebooks / name)
    assert not outputs(notebook, "error")
    drawn = outputs(notebook, "display_data")
    drawn += outputs(notebook, "execute_result")
    abouts = [
        output["metadata"].get(kind, {})
        for output in drawn
        for kind in ("image/png", "image/jpeg")
        if kind in output["data"]
    ]
    assert abouts and all(about.get("alt") for about in abouts)
    printed = "".join(o["text"] for o in outputs(notebook, "stream"))
    asked = name != NAMES[0]  # the first has no exercises
    assert asked == ("not attempted yet" in printed)


def test_the_widget_of_the_first_notebook_paints_what_is_chosen(page, address):
    open_notebook(page, address, NAMES[0])
    restart_and_run_all(page)
    paint = page.get_by_role("button", name="Paint")
    picture = page.locator(".widget-output img")

    def painted(before):
        paint.click()
        expect(picture).to_have_count(1, timeout=RUN_MILLISECONDS)
        expect(paint).to_be_enabled(timeout=RUN_MILLISECONDS)
        if before:
            expect(picture).not_to_have_attribute(
                "src", before, timeout=RUN_MILLISECONDS
            )
        return picture.get_attribute("src")

    first = painted(None)
    number = page.locator(".widget-readout").first
    strength = number.inner_text()
    handle = page.locator(".widget-slider .noUi-handle")
    handle.focus()
    handle.press("ArrowRight")
    expect(number).not_to_have_text(strength)
    second = painted(first)
    page.get_by_label("style").select_option(index=0)
    painted(second)


def test_the_layer_pickers_show_what_is_recorded_and_compute_the_rest(
    page, address
):
    open_notebook(page, address, named("08"))
    restart_and_run_all(page)
    computed = page.locator(".widget-interact")
    expect(computed).to_have_count(1)
    boxes = page.locator(".widget-vbox:not(.widget-interact)")
    expect(boxes).to_have_count(2)
    shown = boxes.nth(0)
    picture = shown.locator("img")
    expect(picture).to_have_count(1)
    before = picture.get_attribute("src")
    shown.get_by_label("relu1_1").uncheck()
    expect(picture).not_to_have_attribute("src", before)
    shown.get_by_label("relu2_1").uncheck()
    expect(shown).to_contain_text("not recorded")
    computed.get_by_label("relu1_1").uncheck()
    computed.get_by_label("relu2_1").uncheck()
    computed.get_by_role("button", name="Compute").click()
    expect(computed.locator("img")).to_have_count(1, timeout=RUN_MILLISECONDS)
    blind = boxes.nth(1)
    sheet = blind.locator("img")
    expect(sheet).to_have_count(1)
    before = sheet.get_attribute("src")
    blind.get_by_role("button", name="cannot tell").click()
    expect(sheet).not_to_have_attribute("src", before)
    expect(blind).to_contain_text('answers = "="')


def test_the_sliders_of_notebook_09_leaf_and_paint(page, address):
    open_notebook(page, address, named("09"))
    restart_and_run_all(page)
    sliders = page.locator(".widget-interact")
    expect(sliders).to_have_count(3)
    for stored, key in (
        (sliders.nth(0), "ArrowRight"),
        (sliders.nth(1), "ArrowLeft"),
    ):
        picture = stored.locator("img")
        expect(picture).to_have_count(1)
        before = picture.get_attribute("src")
        stored.locator(".noUi-handle").focus()
        stored.locator(".noUi-handle").press(key)
        expect(picture).not_to_have_attribute("src", before)
    painted = sliders.nth(2)
    painted.locator(".noUi-handle").focus()
    painted.locator(".noUi-handle").press("ArrowRight")
    painted.get_by_role("button", name="Paint").click()
    expect(painted.locator("img")).to_have_count(1, timeout=RUN_MILLISECONDS)


def test_the_studio_opens_inside_jupyterlab(page, address):
    open_notebook(page, address, "studio.ipynb")
    restart_and_run_all(page)
    inside = page.frame_locator(".jp-OutputArea-output iframe")
    paint = inside.get_by_role("button", name="Paint", exact=True)
    expect(paint).to_be_visible()
    expect(inside.locator("#styles img")).to_have_count(8)
