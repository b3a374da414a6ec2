"""Both ends of the versions: where uv looks, what is tried, what is told."""

import argparse
import builtins
import importlib
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = [DeprecationWarning, PendingDeprecationWarning, FutureWarning]


@pytest.fixture(scope="module")
def matrix():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        yield importlib.import_module("matrix")


def done(status=0, stdout="", stderr=""):
    """A process that has ended."""
    return subprocess.CompletedProcess([], status, stdout, stderr)


def given(out):
    """The command line, without its defaults that look around."""
    return argparse.Namespace(out=out, tests=["tests/a.py"], workers="0")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", ["styletut.losses", "test_losses"])
def test_what_is_on_its_way_out_is_an_error_in_the_tests(kind, module):
    with pytest.raises(kind, match="old"):
        warnings.warn_explicit("old", kind, "file.py", 1, module=module)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("module", "is_error"),
    [
        ("styletut.losses", True),
        ("test_losses", True),
        ("conftest", True),
        ("pandas.core", False),
        ("matplotlib.testing", False),
    ],
)
def test_in_the_matrix_it_is_one_where_our_own_code_uses_it(
    matrix, kind, module, is_error
):
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        for line in matrix.FILTERS:
            action, message, name, place, *_ = f"{line}:::".split(":")
            category = getattr(builtins, name or "Warning")
            warnings.filterwarnings(action, message, category, place)
        if is_error:
            with pytest.raises(kind):
                warnings.warn_explicit("old", kind, "f", 1, module=module)
        else:
            warnings.warn_explicit("old", kind, "f", 1, module=module)
            assert len(caught) == 1
        with pytest.raises(UserWarning):
            warnings.warn_explicit("bad", UserWarning, "f", 1, module=module)


def test_all_pythons_from_the_bound_on_are_tried(matrix):
    assert matrix.allowed_pythons(">=3.10", 12) == ["3.10", "3.11", "3.12"]
    with pytest.raises(ValueError, match=r"'>=3\.10,<3\.13'"):
        matrix.allowed_pythons(">=3.10,<3.13", 14)
    assert sys.version_info[1] <= matrix.LAST, "it is tried at least here"


def test_the_tests_of_all_wings_run(matrix):
    found = matrix.wings(ROOT / "tests")
    assert {"tests/objective", "tests/test_losses.py"} < {*found}
    folders = {path.parent.name for path in ROOT.glob("tests/*/test_*.py")}
    tried = {path.removeprefix("tests/") for path in found if "." not in path}
    assert folders - tried == matrix.BESIDE - {"browser"}


def test_pips_settings_are_read_and_the_nearest_wins(matrix):
    lines = [
        ":env:.find-links='/two'",
        "global.find-links='/one'",
        "global.extra-index-url='file:///a file:///b'",
        "install.constraint='bounds.txt'",
        "download.timeout='3'",
    ]
    assert matrix.read_settings(lines) == {
        "find-links": "/two",
        "extra-index-url": "file:///a file:///b",
        "constraint": "bounds.txt",
    }


def test_uv_looks_where_pip_looks_unless_it_is_told(matrix):
    pip = {"find-links": "/one", "constraint": "bounds.txt", "quiet": "1"}
    found = matrix.uv_settings(pip, {"UV_CONSTRAINT": "mine.txt"})
    assert found == {
        "UV_FIND_LINKS": "/one",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def test_this_python_is_found_and_a_future_one_is_not(matrix):
    version = "{}.{}".format(*sys.version_info)
    path = matrix.interpreter(version)
    if path is not None:  # a venv may have no name with its version
        told = matrix.run([path, "--version"])
        assert f"Python {version}." in told.stdout
    assert matrix.interpreter("3.99") is None


def test_a_row_stops_where_something_fails(matrix, tmp_path, monkeypatch):
    extras = ["test"]

    def resolved(version, end, extras, listing):
        listing.write_text("# by uv\na==1\nb==2\n")
        return True

    monkeypatch.setattr(matrix, "resolve", lambda *_: False)
    row = matrix.tried("3.10", "oldest", extras, given(tmp_path))
    assert row[2:] == ("failed", "not run", "not run")
    monkeypatch.setattr(matrix, "resolve", resolved)
    monkeypatch.setattr(matrix, "interpreter", lambda version: None)
    row = matrix.tried("3.10", "oldest", extras, given(tmp_path))
    assert row[2:] == ("2", "not run: no Python 3.10 here", "not run")
    monkeypatch.setattr(matrix, "interpreter", lambda version: "python")
    monkeypatch.setattr(matrix, "install", lambda *_: False)
    row = matrix.tried("3.10", "oldest", extras, given(tmp_path))
    assert row[2:] == ("2", "failed", "not run")
    monkeypatch.setattr(matrix, "install", lambda *_: True)
    monkeypatch.setattr(matrix, "test", lambda *_: "3 passed")
    row = matrix.tried("3.10", "oldest", extras, given(tmp_path))
    assert row == ("3.10", "oldest", "2", "yes", "3 passed")


@pytest.mark.parametrize(
    ("status", "last", "told"),
    [
        (0, "=== 5 passed, 1 skipped in 3.21s ===", "5 passed, 1 skipped"),
        (1, "1 failed, 4 passed in 63.2s (0:01:03)", "1 failed, 4 passed"),
        (4, "no tests ran in 0.01s", "failed: no tests ran"),
        (1, "oops", "failed: oops"),
    ],
)
def test_the_last_line_of_the_tests_is_told(
    matrix, tmp_path, monkeypatch, status, last, told
):
    monkeypatch.setattr(
        matrix, "run", lambda command: done(status, f"...\n{last}\n", "why")
    )
    log = tmp_path / "log"
    said = matrix.test(Path("python"), given(tmp_path), log)
    assert said == told
    assert log.read_text().endswith("why")


@pytest.mark.parametrize(("cell", "status"), [("1 failed", 1), ("2 ok", 0)])
def test_the_table_and_the_status_tell_of_failures(
    matrix, tmp_path, monkeypatch, capsys, cell, status
):
    def tried(version, end, extras, given):
        assert "test" in extras
        assert not {*extras} & matrix.LATE
        return matrix.Row(version, end, "9", "yes", cell)

    monkeypatch.setattr(matrix, "tried", tried)
    monkeypatch.setattr(matrix, "pip_settings", dict)
    monkeypatch.setattr(matrix.os, "environ", {})
    arguments = ["--pythons", "3.10", "--out", str(tmp_path / "out")]
    assert matrix.main(arguments) == status
    printed = capsys.readouterr().out
    assert f"| 3.10 | oldest | 9 | yes | {cell} |" in printed
    assert f"| 3.10 | newest | 9 | yes | {cell} |" in printed
    assert re.search(r"^\| Python \| end \|", printed, re.MULTILINE)
