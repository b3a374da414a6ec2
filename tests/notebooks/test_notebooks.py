"""The form of the notebooks, read from their files without running them.

A rule takes a notebook's name and content and yields what is wrong. Below
the rules, each one refuses a small notebook made to break it.
"""

import ast
import copy
import importlib.util
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = [*FOLDER.glob("*.ipynb"), *FOLDER.glob("solutions/*.ipynb")]

TAGS = {
    "nbval-ignore-output",  # its text depends on the profile or the machine
    "interactive",  # shows a widget or a live view
    "teacher",  # for the one who presents
    "flawed",  # a function with a mistake, for test_gallery
}
MAX_BYTES = 3_000_000
MAX_LINES = 25
MAX_COLUMNS = 79

ABSOLUTE_PATH = re.compile(
    r"(?<![\w/.:-])/(?:home|root|Users|tmp|var|usr|opt|mnt|work)/"
    r"|\b[A-Z]:\\\w|file://"
)
ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
NUMBER = re.compile(r"\\tag\{([^}]*)\}")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
PICTURE_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
RANDOM = re.compile(
    r"\brandom\.|\brand(?:n|int|perm)?(?:_like)?\(|manual_seed"
)


def made():
    """The module that makes the committed outputs."""
    path = ROOT / "tools" / "make_notebooks.py"
    spec = importlib.util.spec_from_file_location("make_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = made()


# What a rule looks at


def code_cells(notebook):
    """Number, cell: the code cells, counted from 1 as they are executed."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    return enumerate(cells, 1)


def markdown(notebook):
    return [
        cell["source"]
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
    ]


def tags(cell):
    return set(cell["metadata"].get("tags", []))


def is_compared(cell):
    return "nbval-ignore-output" not in tags(cell)


def texts(notebook):
    """All that a reader sees as text: sources, and what cells print."""
    for cell in notebook["cells"]:
        yield cell["source"]
        for output in cell.get("outputs", []):
            yield output.get("text", "")
            for kind, data in output.get("data", {}).items():
                if kind.startswith("text/"):
                    yield data


def syntax(cell):
    """The statements of a cell, or None where it is not plain Python."""
    try:
        return ast.parse(cell["source"]).body
    except SyntaxError:
        return None


# The rules


def is_valid(name, notebook):
    ids = [cell.get("id") for cell in notebook["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        yield "has cells without an id of their own"
        return  # nbformat would give them one, and complain of nothing
    try:
        nbformat.validate(nbformat.from_dict(copy.deepcopy(notebook)))
    except nbformat.ValidationError as error:
        yield f"no valid notebook: {error.message}"


def is_stored_as_made(name, notebook):
    if MADE.normalize(notebook) != notebook:
        yield "holds what `make notebooks` leaves out: run it"


def is_small(name, notebook):
    size = len(json.dumps(notebook))
    if size > MAX_BYTES:
        yield f"takes {size} bytes of {MAX_BYTES}"


def starts_with_a_title(name, notebook):
    first = notebook["cells"][0] if notebook["cells"] else None
    if not first or first["cell_type"] != "markdown":
        yield "does not start with text"
    elif not first["source"].startswith("# "):
        yield "does not start with a title, # and a blank"


def ran_in_order(name, notebook):
    for number, cell in code_cells(notebook):
        if cell["execution_count"] != number:
            yield f"code cell {number} ran as {cell['execution_count']}"


def ran_without_complaint(name, notebook):
    for number, cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"code cell {number} failed with {output['ename']}"
            if output.get("name") == "stderr":
                yield f"code cell {number} wrote to stderr"


def has_cells_of_a_page(name, notebook):
    for number, cell in code_cells(notebook):
        lines = cell["source"].splitlines()
        if len(lines) > MAX_LINES:
            yield f"code cell {number} has {len(lines)} lines"
        if any(len(line) > MAX_COLUMNS for line in lines):
            yield f"code cell {number} is wider than {MAX_COLUMNS} columns"


def is_plain_python(name, notebook):
    for number, cell in code_cells(notebook):
        if syntax(cell) is None:
            yield f"code cell {number} is not plain Python"
        if cell["source"].rstrip().endswith(";"):
            yield f"code cell {number} ends in ';', which nbval ignores"


def has_known_tags(name, notebook):
    for cell in notebook["cells"]:
        for tag in sorted(tags(cell) - TAGS):
            yield f"cell {cell.get('id')} has the unknown tag {tag!r}"
        if re.search(r"^\s*#+\s*(?:NBVAL|PYTEST)_", cell["source"], re.M):
            yield f"cell {cell.get('id')}: use a tag, no comment, for nbval"


def compares_what_is_stable(name, notebook):
    for number, cell in code_cells(notebook):
        if not is_compared(cell):
            continue
        if re.search(r"clear_output|display_id", cell["source"]):
            yield f"code cell {number} redraws, which nbval cannot compare"
        if RANDOM.search(cell["source"]):
            yield f"code cell {number} is compared and uses random numbers"


def asserts_its_experiments(name, notebook):
    for number, cell in code_cells(notebook):
        if is_compared(cell) or "interactive" in tags(cell):
            continue
        if not isinstance((syntax(cell) or [None])[-1], ast.Assert):
            yield (
                f"code cell {number} is not compared and does not end in an "
                "assertion"
            )


def describes_its_pictures(name, notebook):
    for number, cell in code_cells(notebook):
        for output in cell["outputs"]:
            for kind in output.get("data", {}):
                about = output["metadata"].get(kind, {})
                if kind == "image/svg+xml":
                    yield f"code cell {number} shows SVG; use PNG"
                elif kind.startswith("image/") and not about.get("alt"):
                    yield f"code cell {number} shows a picture without alt"
    for source in markdown(notebook):
        for alt, target in PICTURE.findall(source):
            if not alt.strip():
                yield f"{target} has no alternative text"
            if re.match(r"\w+://", target):
                yield f"{target} is not in the repository"
        for image in PICTURE_TAG.findall(source):
            if not re.search(r"\balt=[\"'][^\"']", image):
                yield f"{image} has no alternative text"


def names_no_machine(name, notebook):
    for text in texts(notebook):
        for found in (ABSOLUTE_PATH.search(text), ADDRESS.search(text)):
            if found:
                line = text[found.start() :].splitlines()[0]
                yield f"differs on another machine: {line[:60]!r}"


def is_finished(name, notebook):
    for text in (cell["source"] for cell in notebook["cells"]):
        if found := UNFINISHED.search(text):
            yield f"says {found.group()}"


def numbers_its_formulas(name, notebook):
    chapter = re.match(r"\d+", name)
    seen = set()
    for source in markdown(notebook):
        for number in NUMBER.findall(source):
            if not re.fullmatch(r"\d+\.\d+", number):
                yield f"formula {number} is not numbered as 3.2"
            elif chapter and int(number.split(".")[0]) != int(chapter[0]):
                yield f"formula {number} stands in {name}"
            if number in seen:
                yield f"two formulas are numbered {number}"
            seen.add(number)


RULES = [
    is_valid,
    is_stored_as_made,
    is_small,
    starts_with_a_title,
    ran_in_order,
    ran_without_complaint,
    has_cells_of_a_page,
    is_plain_python,
    has_known_tags,
    compares_what_is_stable,
    asserts_its_experiments,
    describes_its_pictures,
    names_no_machine,
    is_finished,
    numbers_its_formulas,
]


LESSONS = [
    "00_a_first_picture",
    "01_pictures_and_features",
    "02_the_content_loss",
    "03_the_gram_matrix",
    "04_the_style_loss_and_its_scales",
    "05_the_combined_objective",
    "06_optimizers_and_starts",
    "07_a_full_run",
    "08_ablation_layers",
    "09_ablation_alpha_beta",
    "10_control",
    "11_instant_styles",
    "12_moving_pictures",
    "13_rounding_and_fast_convolution",
]


def test_the_course_has_these_notebooks():
    """A rule that finds no notebook refuses none."""
    answers = [f"solutions/{name[:2]}" for name in LESSONS[1:]]
    found = {
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in NOTEBOOKS
    }
    assert found == {*LESSONS, *answers, "studio"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook(path, rule):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    assert not list(rule(path.stem, notebook))


# A good notebook, and one made to break each rule


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, *outputs, tags=(), **metadata):
    if tags:
        metadata["tags"] = list(tags)
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": list(outputs),
    }


def stream(written, name="stdout"):
    return {"output_type": "stream", "name": name, "text": written}


def shown(kind, data, **about):
    return {
        "output_type": "display_data",
        "data": {kind: data},
        "metadata": {kind: about} if about else {},
    }


def book(*cells, title="# Three: a title"):
    """A notebook with this title, its code cells run in order."""
    made = [text(title), *(copy.deepcopy(cell) for cell in cells)]
    count = 0
    for position, cell in enumerate(made):
        cell["id"] = f"cell-{position}"
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
    return {
        "cells": made,
        "metadata": copy.deepcopy(MADE.METADATA),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def changed(notebook, *path, to):
    """The notebook with the value at the path replaced."""
    *inner, last = path
    place = notebook
    for step in inner:
        place = place[step]
    place[last] = to
    return notebook


EXPERIMENT = ("nbval-ignore-output",)
FAILURE = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "no",
    "traceback": [],
}

GOOD = book(
    text(r"A formula, $$G = F F^\top \tag{3.1}$$ ![a star](star.png)"),
    text(r"and another: $$x = 1/2 \tag{3.2}$$ <img src='a.png' alt='a'>"),
    code("print(1 / 2)", stream("0.5\n")),
    code("figure", shown("image/png", "aGk=", alt="A line falls to 0.1.")),
    code("x = torch.randn(3)\nassert x.isfinite().all()", tags=EXPERIMENT),
    code("clear_output()\nfigure\nassert figure.alt", tags=EXPERIMENT),
    code("for step in steps:\n    pass", tags=(*EXPERIMENT, "interactive")),
    code("# solutions/03.ipynb holds the answers\nb = a / tmp / 2"),
    code("\n".join(["x" * 79] * 25)),
)

BAD = [
    (is_valid, changed(book(), "cells", 0, "id", to="not an id!")),
    (is_valid, changed(book(code("1")), "cells", 1, "id", to="cell-0")),
    (is_stored_as_made, changed(book(), "metadata", "widgets", to={})),
    (
        is_stored_as_made,
        changed(book(), "metadata", "kernelspec", "name", to="conda-env"),
    ),
    (
        is_stored_as_made,
        changed(book(), "metadata", "language_info", "version", to="3.12"),
    ),
    (is_stored_as_made, book(code("1", execution={"busy": "noon"}))),
    (is_stored_as_made, book(code("w", shown(MADE.WIDGET, {"model": "1"})))),
    (is_stored_as_made, book(code("w", shown("text/html", "<iframe src=>")))),
    (is_small, book(code("f", shown("image/png", "A" * MAX_BYTES, alt="f")))),
    (starts_with_a_title, book(title="A title")),
    (starts_with_a_title, book(title="## A section")),
    (starts_with_a_title, changed(book(), "cells", to=[])),
    (
        starts_with_a_title,
        changed(book(), "cells", 0, to=book(code("1"))["cells"][1]),
    ),
    (
        ran_in_order,
        changed(book(code("1")), "cells", 1, "execution_count", to=None),
    ),
    (
        ran_in_order,
        changed(
            book(code("1"), code("2")), "cells", 2, "execution_count", to=7
        ),
    ),
    (ran_without_complaint, book(code("f()", FAILURE))),
    (ran_without_complaint, book(code("f()", stream("!", name="stderr")))),
    (has_cells_of_a_page, book(code("x\n" * 26))),
    (has_cells_of_a_page, book(code("x" * 80))),
    (is_plain_python, book(code("%timeit f()"))),
    (is_plain_python, book(code("!ls"))),
    (is_plain_python, book(code("figure;"))),
    (is_plain_python, book(code("figure;  \n\n"))),
    (has_known_tags, book(code("1", tags=["nbval-skip"]))),
    (has_known_tags, book(code("1", tags=["raises-exception"]))),
    (has_known_tags, book(code("# NBVAL_SKIP - no GPU\n1"))),
    (has_known_tags, book(code("f()\n    # NBVAL_IGNORE_OUTPUT"))),
    (compares_what_is_stable, book(code("clear_output(wait=True)"))),
    (compares_what_is_stable, book(code("display(x, display_id='a')"))),
    (compares_what_is_stable, book(code("x = torch.randn(3)"))),
    (compares_what_is_stable, book(code("x = torch.rand_like(y)"))),
    (compares_what_is_stable, book(code("x = np.random.default_rng(0)"))),
    (compares_what_is_stable, book(code("torch.manual_seed(0)"))),
    (asserts_its_experiments, book(code("x = f()", tags=EXPERIMENT))),
    (asserts_its_experiments, book(code("", tags=EXPERIMENT))),
    (
        asserts_its_experiments,
        book(code("assert a\nfor s in r:\n    f(s)", tags=EXPERIMENT)),
    ),
    (describes_its_pictures, book(code("f", shown("image/png", "aGk=")))),
    (
        describes_its_pictures,
        book(code("f", shown("image/png", "aGk=", alt=""))),
    ),
    (
        describes_its_pictures,
        book(code("f", shown("image/svg+xml", "<svg/>", alt="a"))),
    ),
    (describes_its_pictures, book(text("![](star.png)"))),
    (describes_its_pictures, book(text("![a](https://example.org/a.png)"))),
    (describes_its_pictures, book(text("<img src='star.png'>"))),
    (describes_its_pictures, book(text("<IMG src='star.png' alt=''>"))),
    (names_no_machine, book(code("open('/home/ann/a.png')"))),
    (names_no_machine, book(code("p", stream("saved /tmp/x/a.png")))),
    (names_no_machine, book(code("p", stream("saved C:\\pictures")))),
    (
        names_no_machine,
        book(code("f", shown("text/plain", "<f at 0x7f5a00>"))),
    ),
    (is_finished, book(text("TODO: derive"))),
    (is_finished, book(code("x = 1  # FIXME"))),
    (numbers_its_formulas, book(text(r"$$a \tag{2.1}$$"))),
    (numbers_its_formulas, book(text(r"$$a \tag{3}$$"))),
    (numbers_its_formulas, book(*[text(r"$$a \tag{3.1}$$")] * 2)),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_breaks_no_rule(rule):
    assert not list(rule("03_title", GOOD))


@pytest.mark.parametrize(("rule", "notebook"), BAD)
def test_a_bad_notebook_breaks_its_rule_alone(rule, notebook):
    broken = [each for each in RULES if list(each("03_title", notebook))]
    assert broken == [rule]


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule for rule, _ in BAD} == set(RULES)
