"""The committed results: pages and README have the figures of the rows."""

import importlib
import re
import sys
from pathlib import Path
from statistics import median

import pytest
import torch

from styletut.kernels import processor

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
sys.path.append(str(ROOT / "benchmarks"))

from measurements import read  # noqa: E402

TABLES = sorted(RESULTS.glob("*-cores/*.csv"))


@pytest.mark.parametrize(
    "table", TABLES, ids=lambda path: f"{path.parent.name}, {path.stem}"
)
def test_a_page_is_that_of_its_rows(table, monkeypatch):
    """Also when rows of another table have come later than its own."""
    rows = read(table)
    of_its_machine(rows[0]["machine"], monkeypatch)
    benchmark = importlib.import_module(table.stem)
    beside = table.with_name("side_by_side.csv")
    others = [read(beside)] if table.stem == "to_value" else []
    page = getattr(benchmark, "document", None) or benchmark.page
    text = table.with_suffix(".md").read_text(encoding="utf-8")
    assert page(rows, *others) == text


def of_its_machine(machine, monkeypatch):
    """Let the rule of convolutions be that of a machine."""
    (capability,) = re.findall(r"instruction set (\w+)", machine)
    monkeypatch.setattr(
        torch.backends.cpu, "get_cpu_capability", lambda: capability
    )
    by_intel = machine.startswith("Intel")
    monkeypatch.setattr(processor, "by_intel", lambda: by_intel)


COLUMNS = {
    "styletut": "styletut",
    "in bfloat16": "styletut bfloat16",
    "pastiche": "pastiche",
    "neural-style": "neural-style",
    "plain loop": "plain loop",
}
"""Programs by the heads of the README's columns."""


def tables_of_the_readme():
    """Each table of speed: its heads, and its rows by their names."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip() for cell in line[1:-1].split("|")]
            for line in block.splitlines()
        )
        if "pastiche" in head:
            yield head, {row[0]: row[1:] for row in rows}


def middle(rows, column, **wanted):
    found = [row for row in rows if wanted.items() <= row.items()]
    return median(float(row[column]) for row in found)


def test_the_readme_has_two_tables_of_speed():
    assert len(list(tables_of_the_readme())) == 2


@pytest.mark.parametrize("number", [0, 1], ids=["AMD", "Intel"])
def test_the_readmes_figures_are_those_of_the_results(number):
    (maker, *heads), rows = list(tables_of_the_readme())[number]
    (folder,) = RESULTS.glob(f"{maker.split()[0].lower()}*-avx512-2-cores")
    beside, whole, painted = (
        read(folder / f"{name}.csv")
        for name in ("side_by_side", "to_value", "pictures")
    )
    for column, head in enumerate(heads):
        program = {"program": COLUMNS[head], "threads": "2"}
        for pixels in ("256", "512"):
            here = {**program, "pixels": pixels}
            told = rows[f"an evaluation, {pixels} pixels"][column]
            assert told == f"{middle(beside, 'seconds', **here):.2f} s"
            if pixels == "512":
                told = rows["memory of an evaluation, 512 pixels"][column]
                gigabytes = middle(beside, "bytes", **here) / 1e9
                assert told == f"{gigabytes:.2f} GB"
        for name, pixels in (
            ("to pastiche's value after 300 evaluations, 256 pixels", "256"),
            ("the same, 512 pixels", "512"),
        ):
            if name not in rows:
                continue
            told = rows[name][column]
            here = {**program, "pixels": pixels}
            if told.startswith("~"):
                seconds = 300 * middle(beside, "seconds", **here)
                assert told == f"~{seconds:.0f} s"
            else:
                assert told == f"{middle(whole, 'seconds', **here):.0f} s"
        if told := rows["`styletut chelsea glass`, 451 pixels"][column]:
            here = {"program": COLUMNS[head], "question": "default"}
            assert told == f"{middle(painted, 'seconds', **here):.0f} s"
