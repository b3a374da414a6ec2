"""Formulas of the notebooks, the package and the tests name each other.

A notebook says which formula the package computes: "(2.1) is
`losses.content_loss`". The docstring of that name then quotes (2.1), and so
does a test; and what docstrings and tests quote is a formula of a notebook.
"""

import ast
import importlib
import inspect
import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

TAG = re.compile(r"\\tag\{(\d+\.\d+)\}")
QUOTE = re.compile(r"\((\d+\.\d+)\)")
HOME = re.compile(r"\((\d+\.\d+)\)\s+is\s+`([\w.]+)`")


def prose(path):
    cells = nbformat.read(path, as_version=4)["cells"]
    return "\n".join(c["source"] for c in cells if c["cell_type"] != "code")


def comments(path):
    """All docstrings and comments of a file, in one text."""
    source = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented)
    ]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found.append(token.string)
    return "\n".join(found)


def quoted(folder):
    """(file, number) of each formula that docstrings and comments quote."""
    return {
        (path.relative_to(ROOT).as_posix(), number)
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__).resolve()  # which quotes them as examples
        for number in QUOTE.findall(comments(path))
    }


def resolved(dotted):
    """The object that `losses.content_loss` names, in styletut."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(
                ".".join(["styletut", *parts[:end]])
            )
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AttributeError(f"styletut has no {dotted}")


DEFINED = {number for path in NOTEBOOKS for number in TAG.findall(prose(path))}
HOMES = [
    (path.name, number, dotted)
    for path in NOTEBOOKS
    for number, dotted in HOME.findall(prose(path))
]
QUOTED_IN_PACKAGE = quoted("styletut")
QUOTED_IN_TESTS = quoted("tests")


@pytest.mark.parametrize(("notebook", "number", "dotted"), HOMES)
def test_what_computes_a_formula_quotes_it(notebook, number, dotted):
    assert number in TAG.findall(prose(ROOT / "notebooks" / notebook))
    text = inspect.getdoc(resolved(dotted)) or ""
    assert number in QUOTE.findall(text), f"{dotted} does not quote it"


@pytest.mark.parametrize("number", sorted({n for _, n, _ in HOMES}))
def test_a_computed_formula_is_quoted_by_a_test(number):
    assert number in {quoted for _, quoted in QUOTED_IN_TESTS}


@pytest.mark.parametrize(
    ("file", "number"), sorted(QUOTED_IN_PACKAGE | QUOTED_IN_TESTS)
)
def test_a_quoted_formula_stands_in_a_notebook(file, number):
    assert number in DEFINED, f"{file} quotes ({number})"


@pytest.mark.parametrize(
    ("file", "number"),
    sorted(e for e in QUOTED_IN_PACKAGE if "/exercises/" not in e[0]),
)
def test_a_formula_quoted_by_the_package_is_marked_in_its_notebook(
    file, number
):
    marked = {
        dotted.split(".")[0] for _, each, dotted in HOMES if each == number
    }
    assert marked, f"no notebook says what computes ({number}); see {file}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_quotes_formulas_that_exist(path):
    text = re.sub(r"`[^`]*`", "", prose(path))
    chapters = {number.split(".")[0] for number in DEFINED}
    quotes = {q for q in QUOTE.findall(text) if q.split(".")[0] in chapters}
    assert quotes <= DEFINED


def test_numbers_are_found_in_docstrings_and_comments_alone(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('"""By (2.1)."""\nx = f(0.5)  # (2.2)\ny = "(2.3)"\n')
    assert QUOTE.findall(comments(file)) == ["2.1", "2.2"]


def test_a_name_is_found_through_modules_and_classes():
    from styletut.losses import content_loss
    from styletut.vgg import VGG19

    assert resolved("losses.content_loss") is content_loss
    assert resolved("vgg.VGG19.preprocess") is VGG19.preprocess
    with pytest.raises(AttributeError):
        resolved("losses.nothing")
