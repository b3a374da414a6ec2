"""Stored runs are found by their keys, wherever the code has moved to."""

import csv
import importlib
import sys
from pathlib import Path

import pytest

from styletut.conventions import factors
from styletut.metrics import compare
from styletut.sweeps.grids import grid, job_of, reader
from styletut.sweeps.jobs import _canonical
from styletut.sweeps.sweeping import _name

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted((ROOT / "notebooks" / "results" / "cpu").glob("*.csv"))


def plan_of_runs():
    """The tool that lists the recorded runs."""
    sys.path.append(str(ROOT / "tools"))
    try:
        return importlib.import_module("recorded_runs")
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def keys():
    """The keys of all runs of the plan for a CPU, by group and label."""
    plan = plan_of_runs().cpu_plan()
    read = reader()
    return {
        group.name: [
            job_of(run, read, None, None).key
            for run in grid(group.runs, group.common)
        ]
        for group in plan
    }


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_runs_planned_anew_have_the_keys_they_were_recorded_under(keys, path):
    with path.open(encoding="utf-8", newline="") as table:
        recorded = [row["run"] for row in csv.DictReader(table)]
    assert recorded
    assert recorded == keys[path.stem]


def test_a_name_for_a_default_changes_no_key(keys, monkeypatch):
    """Named or not, the default's runs are those that were recorded."""
    monkeypatch.setattr(plan_of_runs(), "NAMED", {})
    group = next(
        each for each in plan_of_runs().cpu_plan() if each.name == "08"
    )
    read = reader()
    bare = grid(group.runs, group.common)
    assert not any("precision" in run for run in bare)
    assert [job_of(run, read, None, None).key for run in bare] == keys["08"]


def test_metrics_keep_the_name_they_were_stored_under():
    assert _name(compare) == "styletut.metrics.compare"


def test_functions_keep_the_name_they_have_in_keys():
    for name in ("mean", "by_positions", "gram_mean", "keras_rate"):
        assert _canonical(getattr(factors, name)) == f"styletut.factors.{name}"
