"""What the site is made of; how it looks is the browser's test."""

import ast
import csv
import importlib.util
import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from styletut.cli.arguments import parse_schedule
from styletut.cli.main import parse

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_site = load(ROOT / "tools/make_site.py")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "source"
    make_site.gather(folder)
    return folder


def test_every_notebook_is_in_it_as_it_is(source):
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        copied = source / path.relative_to(ROOT)
        assert copied.read_bytes() == path.read_bytes()


def test_it_can_be_made_without_a_warning(source, tmp_path, capfd):
    folders = tmp_path / "html", tmp_path / "cache"
    status = make_site.build(source, *folders, kind="dummy")
    assert status == 0, capfd.readouterr().err


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "source").mkdir()
    mine = tmp_path / "source" / "mine.txt"
    mine.touch()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(SystemExit):
        make_site.main(["--out", str(tmp_path)])
    assert mine.exists() and "other files" in capsys.readouterr().err


def test_every_page_is_in_the_contents(source):
    index = (source / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^[\w/*]+$", index, re.MULTILINE)
    pages = [
        path.relative_to(source).with_suffix("").as_posix()
        for kind in ("*.md", "notebooks/**/*.ipynb")
        for path in source.glob(kind)
    ]
    for page in pages:
        assert page == "index" or any(
            fnmatch(page, pattern) for pattern in listed
        ), page


def test_every_room_has_a_page_but_those_for_programs_alone(source):
    rooms = {
        path.stem
        for path in (ROOT / "styletut").iterdir()
        if path.name[0] not in "_." and path.stem != "data"
        if path.suffix in ("", ".py")
    }
    pages = {path.stem for path in (source / "api").glob("*.md")}
    assert pages - {"index"} == rooms - {"cli", "studio"}


def test_a_page_of_the_reference_has_every_module(source):
    text = (source / "api" / "objective.md").read_text(encoding="utf-8")
    for name in ("objective", "balance", "layer_losses"):
        assert f"automodule:: styletut.objective.{name}\n" in text
    exercises = (source / "api" / "exercises.md").read_text(encoding="utf-8")
    assert "ch02" not in exercises, "answers are no reference"


def test_the_gallery_has_every_picture(source):
    text = (source / "gallery.md").read_text(encoding="utf-8")
    with (ROOT / "notebooks/results/cpu/gallery.csv").open() as file:
        rows = list(csv.DictReader(file))
    pictures = re.findall(r"!\[(.+)\]\((.+)\)", text)
    assert len(pictures) == len(rows) > 5
    for words, path in pictures:
        assert len(words) > 10 and (source / path).is_file()


def test_its_commands_are_ones_that_the_program_takes(source):
    text = (source / "gallery.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    styletut (.+)$", text, re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        given = parse(command.split())
        parse_schedule(given["schedule"])
        assert given["alpha"] > 0


# Docstrings: plain text and code

plain_docstrings = load(DOCS / "_extensions/plain_docstrings.py")


def test_bars_and_last_underscores_are_letters():
    line = "the norm |x| of `|x|` and ch01_ to `ch02_`, a_b"
    expected = r"the norm \|x\| of `|x|` and ch01\_ to `ch02_`, a_b"
    assert plain_docstrings.plain(line) == expected


def test_what_is_set_in_is_code_and_stays_as_it_is():
    lines = ["It minimizes", "", "    a |x|_", "", "with |a|:", "", "    b|"]
    plain_docstrings.process(None, "", "", None, None, lines)
    assert lines == [
        *("It minimizes", "", "::", "", "    a |x|_", ""),
        *(r"with \|a\|::", "", "    b|"),
    ]


def test_a_heading_of_google_is_none():
    lines = ["It is.", "", "Args:", "    x: the one", "    y: the other"]
    plain_docstrings.process(None, "", "", None, None, lines)
    assert lines[2:] == ["Args:", "    x: the one", "    y: the other"]


# Teachers: the notebooks' own minutes


def minutes():
    """Reading and exercises of each notebook, from its first cell."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        cell = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        text = "".join(cell["source"])
        rows = re.findall(r"^\| (.+?) \| (\d+) \|", text, re.MULTILINE)
        asked = re.compile(r"Exercises|Questions to recall")
        after = sum(int(n) for what, n in rows if asked.match(what))
        before = sum(int(n) for _, n in rows) - after
        yield re.match(r"# (.+)", text)[1], str(before), str(after)


def test_teachers_are_told_the_notebooks_minutes():
    text = (DOCS / "teachers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d .+?) \| (\d+) \| (\d+) \|", text, re.M)
    assert rows == list(minutes())


# Messages: those that the programs give


def constants(path):
    """The texts of a file, with an ellipsis for what is filled in."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [
                v.value if isinstance(v, ast.Constant) else "…"
                for v in node.values
            ]
            texts.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(re.sub(r"\{\d\}", "…", node.value))
    return texts


def test_every_message_is_one_that_the_programs_give():
    files = [*(ROOT / "styletut").rglob("*.py"), ROOT / "tools/setup_venv.py"]
    known = [text for path in files for text in constants(path)]
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    messages = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    assert len(messages) > 25
    for message in messages:
        pieces = [p for p in re.split("…", message) if len(p.strip()) > 3]
        there = [t for t in known if all(piece in t for piece in pieces)]
        assert there, message


# Symbols: formulas that there are


def test_symbols_point_to_formulas_that_there_are():
    known = set()
    for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        text = path.read_text(encoding="utf-8")
        known |= set(re.findall(r"\\\\tag\{(\d+\.\d+)\}", text))
    assert len(known) > 80
    for page in DOCS.glob("*.md"):
        named = re.findall(
            r"\((\d{1,2}\.\d{1,2})\)", page.read_text(encoding="utf-8")
        )
        assert set(named) <= known, page.name


def test_no_links_to_other_services_without_an_address():
    conf = load(DOCS / "conf.py")
    assert conf.REPOSITORY == ""
    assert conf.html_theme_options["launch_buttons"] == {}
    filled = (DOCS / "conf.py").read_text(encoding="utf-8")
    names = {}
    exec(
        filled.replace('REPOSITORY = ""', 'REPOSITORY = "https://h.org/a/b"'),
        names | {"__file__": str(DOCS / "conf.py")},
        names,
    )
    buttons = names["html_theme_options"]["launch_buttons"]
    assert set(buttons) == {"colab_url", "binderhub_url"}
