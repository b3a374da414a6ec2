"""Stored runs are found by their keys, wherever the code has moved to."""

import csv
import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from styletut.conventions import factors, get_convention
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


SETTINGS = {"content": "chelsea", "style": "night", "schedule": [(64, 1)]}
DEFAULTS = {"precision": "auto", "start": "color", "optimizer": None}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_name_for_a_default_changes_no_key(name):
    read = reader()
    named = {**SETTINGS, name: DEFAULTS[name]}
    assert (
        job_of(named, read, None, None).key
        == job_of(SETTINGS, read, None, None).key
    )


def test_an_alpha_that_follows_the_pair_has_a_key_of_its_own():
    read = reader()
    own = get_convention("styletut")
    other = replace(own, alpha_share=own.alpha_share / 2)
    runs = (
        SETTINGS,
        {**SETTINGS, "convention": other},
        {**SETTINGS, "alpha": own.alpha},
        {**SETTINGS, "alpha": own.alpha / 2},
    )
    assert len({job_of(run, read, None, None).key for run in runs}) == 4
    named = {**SETTINGS, "convention": other, "alpha": own.alpha}
    assert (
        job_of(named, read, None, None).key
        == job_of(runs[2], read, None, None).key
    )


def test_metrics_keep_the_name_they_were_stored_under():
    assert _name(compare) == "styletut.metrics.compare"


def test_functions_keep_the_name_they_have_in_keys():
    for name in ("mean", "by_positions", "gram_mean", "keras_rate"):
        assert _canonical(getattr(factors, name)) == f"styletut.factors.{name}"
