"""The six pictures of notebook 10: each is its command, and is there."""

import importlib
import shlex
from pathlib import Path

import pytest
from PIL import Image

from styletut.cli.main import parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        yield importlib.import_module("paint_control")


def test_the_table_has_each_picture_with_its_command(tool):
    rows = tool.stored()
    assert list(rows) == list(tool.COMMANDS)
    for name, row in rows.items():
        program, *words = shlex.split(row["command"])
        assert program == "styletut"
        assert parse(words) == parse(tool.words_of(name))
        with Image.open(tool.RESULTS / row["picture"]) as picture:
            size = int(row["width"]), int(row["height"])
            assert picture.size == size
        assert max(size) >= 900


def test_no_picture_lies_there_without_a_row(tool):
    files = {path.stem for path in tool.FOLDER.iterdir()}
    assert files == set(tool.COMMANDS)
