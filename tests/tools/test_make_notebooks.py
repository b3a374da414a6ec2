"""Making the committed outputs, and comparing later runs with them.

Some tests start real kernels, for what nbclient and nbval do with a notebook
is what counts.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def load():
    path = ROOT / "tools" / "make_notebooks.py"
    spec = importlib.util.spec_from_file_location("make_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load()


@pytest.fixture(autouse=True)
def package(monkeypatch):
    """Let kernels find the package, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def write(path, *sources, tags=()):
    """A notebook as it leaves an editor: not run, old format, no ids."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": list(tags), "collapsed": True},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for source in sources
    ]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "x", "display_name": "X"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    path.write_text(json.dumps(notebook))
    return path


def cells_of(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT).cells


# Choosing notebooks


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "solutions").mkdir()
    for name in ("00_first", "03_gram", "01_maps", "solutions/03"):
        write(tmp_path / f"{name}.ipynb", "1")
    return tmp_path


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ([], ["00_first", "01_maps", "03_gram", "03"]),
        (["03"], ["03_gram", "03"]),
        (["03", "00"], ["00_first", "03_gram", "03"]),
    ],
)
def test_notebooks_are_made_in_reading_order(folder, numbers, names):
    assert [path.stem for path in tool.choose(folder, numbers)] == names


def test_an_unknown_number_lists_the_known(folder, monkeypatch, capsys):
    monkeypatch.setattr(tool, "FOLDER", folder)
    with pytest.raises(SystemExit) as stopped:
        tool.main(["07"])
    assert stopped.value.code == 2
    assert "no notebook '07'; there are: 00, 01, 03" in capsys.readouterr().err


def test_a_folder_without_notebooks_says_so(tmp_path):
    with pytest.raises(tool.NotebookError, match="no notebook in"):
        tool.choose(tmp_path, [])


# Ids


def sources(*texts):
    return [{"source": text} for text in texts]


def test_an_id_depends_on_the_text_and_not_on_the_place():
    alone, after = sources("a = 1"), sources("b = 2", ["a ", "= 1"])
    tool.name_cells(alone)
    tool.name_cells(after)
    assert alone[0]["id"] == after[1]["id"] != after[0]["id"]


def test_ids_are_kept_and_are_unique():
    cells = [{"source": "x", "id": "mine"}, {"source": "y", "id": "mine"}]
    cells += sources("z", "z", "")
    tool.name_cells(cells)
    ids = [cell["id"] for cell in cells]
    assert ids[0] == "mine"
    assert len(set(ids)) == 5
    assert all(re.fullmatch(r"[0-9a-f]{8}", each) for each in ids[1:])


# Making


def test_a_notebook_is_stored_without_what_changes(tmp_path):
    path = write(
        tmp_path / "00_try.ipynb",
        "import os\nos.environ['STYLETUT_PROFILE']",
        "os.environ['CUDA_VISIBLE_DEVICES']",
        "for i in range(3):\n    print(i, flush=True)",
        "import ipywidgets\nipywidgets.IntSlider()",
        "os.path.samefile('.', os.environ['HERE'])",
    )
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERE", str(tmp_path))
        patch.setenv("STYLETUT_PROFILE", "ci")
        assert tool.make(path, lines.append)
        first = path.read_bytes()
        assert tool.make(path, lines.append)
    assert path.read_bytes() == first
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    cells = cells_of(path)
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5]
    assert cells[0].outputs[0].data["text/plain"] == "'print'"
    assert cells[1].outputs[0].data["text/plain"] == "''"
    assert [output.text for output in cells[2].outputs] == ["0\n1\n2\n"]
    assert cells[3].outputs == []
    assert cells[4].outputs[0].data["text/plain"] == "True"
    assert all(cell.metadata == {"tags": []} for cell in cells)
    assert json.loads(first)["metadata"] == tool.METADATA
    assert re.fullmatch(r"00_try\.ipynb: \d+ s, 0\.00 MB", lines[0])


def test_a_failure_leaves_the_file_and_shows_the_cell(
    tmp_path, monkeypatch, capsys
):
    # nbclient lets a cell with this tag fail; here nothing may.
    path = write(
        tmp_path / "00_try.ipynb",
        "good = 1",
        "bad = good / 0",
        tags=["raises-exception"],
    )
    before = path.read_bytes()
    monkeypatch.setattr(tool, "FOLDER", tmp_path)
    assert tool.main([]) == 1
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    written = capsys.readouterr()
    assert "bad = good / 0" in written.out
    assert "ZeroDivisionError" in written.out
    assert "00_try.ipynb failed and is as it was" in written.err


def test_a_dead_kernel_is_reported(tmp_path):
    path = write(tmp_path / "00_try.ipynb", "import os\nos._exit(1)")
    before = path.read_bytes()
    lines = []
    assert not tool.make(path, lines.append)
    assert "the kernel stopped" in lines[0]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"cells": 1}', '{"cells": [{}]}', "\x00\xff"],
)
def test_what_is_no_notebook_is_left_alone(tmp_path, content):
    path = tmp_path / "00_try.ipynb"
    path.write_text(content)
    lines = []
    assert not tool.make(path, lines.append)
    assert lines[0].startswith("00_try.ipynb: no ")
    assert path.read_text() == content


def test_a_crash_while_writing_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "00_try.ipynb"
    path.write_text("old")

    def crash(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        tool.replace(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


# Comparing, as `make nbval` does


def nbval(folder):
    """Outcome of each cell, such as "00_try/1": "PASSED"."""
    for name in ("conftest.py", "nbval.cfg"):
        shutil.copy(NOTEBOOKS / name, folder)
    command = [
        *(sys.executable, "-m", "pytest", ".", "--rootdir=.", "-rA"),
        *("-p", "no:python", "-p", "no:cacheprovider", "--color=no"),
        *("--nbval", "--nbval-current-env"),
        "--nbval-sanitize-with=nbval.cfg",
    ]
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    environment.pop("STYLETUT_PROFILE", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )
    found = re.findall(
        r"^(PASSED|FAILED) (\w+)\.ipynb::Cell (\d+)", done.stdout, re.M
    )
    assert found, done.stdout + done.stderr
    return {f"{name}/{cell}": outcome for outcome, name, cell in found}


ALT = "A square of grey 0.12."


def test_captions_are_compared_and_times_and_stderr_are_not(tmp_path):
    path = write(
        tmp_path / "right.ipynb",
        "import time\n"
        "from styletut.plots.figures import Figure, blank\n"
        "grey = 0.123\n"
        "print(f'It took {time.perf_counter():.3f} s.')",
        *["Figure(blank(9, 9, 1), f'A square of grey {grey:.2f}.')"] * 4,
        "import sys\nprint('slow today', file=sys.stderr)",
    )
    assert tool.make(path, print)
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    picture, caption = notebook.cells[1].outputs
    assert picture.metadata["image/png"]["alt"] == ALT
    assert picture.data["text/plain"] == caption.data["text/plain"] == ALT
    assert caption.data["text/html"] == f"<p>{ALT}</p>"
    # Each of the three texts is changed in a cell of its own.
    changed = [
        (notebook.cells[2].outputs[0].data, "text/plain"),
        (notebook.cells[3].outputs[1].data, "text/plain"),
        (notebook.cells[4].outputs[1].data, "text/html"),
    ]
    for data, kind in changed:
        data[kind] = data[kind].replace("0.12", "0.13")
    notebook.cells[5].outputs.clear()
    nbformat.write(notebook, path)
    outcomes = nbval(tmp_path)
    assert [outcomes[f"right/{cell}"] for cell in range(6)] == [
        *["PASSED"] * 2,
        *["FAILED"] * 3,
        "PASSED",
    ]


OURS = "warnings.warn('the grey is odd')"
PACKAGE = (
    "warnings.warn_explicit('odd', UserWarning, 'a.py', 1, "
    "module='styletut.vgg')"
)
OTHERS = PACKAGE.replace("styletut.vgg", "styletutor")


def test_a_warning_of_ours_fails_a_cell_and_one_of_others_does_not(tmp_path):
    write(
        tmp_path / "warns.ipynb",
        "import os, warnings",
        OURS,
        PACKAGE,
        OTHERS,
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        f"    {PACKAGE}\n"
        "assert len(caught) == 1",
        "assert os.environ['STYLETUT_PROFILE'] == 'ci'",
        tags=["nbval-ignore-output"],
    )
    outcomes = nbval(tmp_path)
    assert [outcomes[f"warns/{cell}"] for cell in range(6)] == [
        "PASSED",
        "FAILED",
        "FAILED",
        "PASSED",
        "PASSED",
        "PASSED",
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("took 1.25 s", "took SOME TIME"),
        ("took 3 seconds, 2e-05 s each", "took SOME TIME, SOME TIME each"),
        ("0.12 smaller", "0.12 smaller"),
        ("a step of 0.5", "a step of 0.5"),
        ("G = [[5., 11.]]", "G = [[5., 11.]]"),
        ("3 small pictures, x3 s", "3 small pictures, x3 s"),
    ],
)
def test_times_alone_are_left_out_of_the_comparison(text, left):
    rules = get_sanitize_patterns((NOTEBOOKS / "nbval.cfg").read_text())
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    assert text == left
