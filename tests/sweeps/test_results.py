"""Recorded runs as a reader gets them, and what is told when they lack."""

import re
import warnings
from pathlib import Path

import pytest
from PIL import Image

from styletut.sweeps.results import (
    FOLDER,
    MissingResultsError,
    PartialResults,
    pick,
    recorded,
)

TABLE = """\
label,content,alpha,start,total,date,error,run,picture
content: 1e-06,chelsea,0.5,,12.5,2026-01-31,,0001,09/one.jpg
content: 10,chelsea,,,13,2026-01-31,,0002,09/two.jpg
noise: 10,chelsea,,noise,14,2026-01-31,,0003,09/three.jpg
"""
WAITING = "noise: 1,chelsea,,noise,,,not made yet,0004,\n"


@pytest.fixture
def results(tmp_path):
    """A folder with one table and its pictures."""
    write(tmp_path, TABLE)
    return tmp_path


def write(folder, table, plan="cpu"):
    pictures = folder / plan / "09"
    pictures.mkdir(parents=True, exist_ok=True)
    (folder / plan / "09.csv").write_text(table)
    for name in ("one", "two", "three"):
        Image.new("RGB", (4, 4)).save(pictures / f"{name}.jpg")


def test_a_table_has_its_labels_in_parts_and_pictures_that_exist(results):
    runs = recorded("09", folder=results)
    assert list(runs["question"]) == ["content", "content", "noise"]
    assert list(runs["value"]) == ["1e-06", "10", "10"]
    assert list(runs["total"]) == [12.5, 13, 14]
    assert list(runs["start"]) == ["", "", "noise"]
    assert list(runs["alpha"].isna()) == [False, True, True]
    assert list(runs["run"]) == ["0001", "0002", "0003"]
    assert all(Path(path).is_file() for path in runs["picture"])
    assert not {"label", "error"} & set(runs)


def test_plans_lie_side_by_side(results):
    write(results, TABLE.replace(",14,", ",15,"), "gpu")
    assert recorded("09", folder=results)["total"][2] == 14
    assert recorded("09", "gpu", results)["total"][2] == 15


def test_a_whole_table_warns_of_nothing_and_a_partial_one_does(results):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = recorded("09", folder=results)
    write(results, TABLE + WAITING)
    with pytest.warns(PartialResults, match="3 of its 4 runs.*recorded"):
        part = recorded("09", folder=results)
    assert part.equals(whole)


def test_what_is_missing_is_said(results):
    with pytest.raises(MissingResultsError, match=r"no runs '08'.*are 09"):
        recorded("08", folder=results)
    with pytest.raises(MissingResultsError, match=r"gpu'.*make gpu-prepare"):
        recorded("09", "gpu", results)
    write(results, TABLE.splitlines()[0] + "\n" + WAITING)
    with pytest.raises(MissingResultsError, match="none of the 1 runs"):
        recorded("09", folder=results)


def test_a_picture_that_is_gone_is_said(results):
    (results / "cpu" / "09" / "two.jpg").unlink()
    with pytest.raises(MissingResultsError, match=r"two\.jpg' is gone"):
        recorded("09", folder=results)


def test_one_run_is_picked_by_its_values(results):
    runs = recorded("09", folder=results)
    assert pick(runs, question="noise")["total"] == 14
    assert pick(runs, question="content", value="10")["total"] == 13
    with pytest.raises(MissingResultsError, match="'1'; there are '1e-06', "):
        pick(runs, value="1")
    with pytest.raises(MissingResultsError, match="no column 'label'; it has"):
        pick(runs, label="noise: 10")
    with pytest.raises(ValueError, match="2 runs fit; choose by value, total"):
        pick(runs, question="content")


def test_the_recorded_runs_of_the_course_can_be_read():
    """All that is committed: tables, pictures, and their weight."""
    for path in FOLDER.glob("*/*.csv"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PartialResults)
            runs = recorded(path.stem, path.parent.name)
        for column in ("device", "date", "torch", "styletut", "seconds"):
            assert runs[column].astype(str).str.len().min() > 0, column
        folder = path.with_suffix("")
        kept = set(runs["picture"]) - {""}
        assert {str(p) for p in folder.iterdir()} == kept
    files = [p for p in FOLDER.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 25e6


def test_the_page_beside_them_names_what_there_is():
    text = (FOLDER / "README.md").read_text()
    makefile = (FOLDER.parents[1] / "Makefile").read_text()
    for target in re.findall(r"make ([a-z-]+)", text):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"`(tools/\w+\.py)`", text):
        assert (FOLDER.parents[1] / path).is_file()
