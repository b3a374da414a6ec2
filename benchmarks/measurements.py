"""Measurements as rows of a CSV file, stored one by one.

An interrupted benchmark keeps the rows that it has and goes on after them.
"""

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from machine import description, now, program_version

Row = Mapping[str, str]

MADE = ("version", "machine", "date")
"""Columns that every row has: by what, on what and when it was made."""


def complete(
    path: Path,
    columns: Sequence[str],
    runs: Sequence[Row],
    measure: Callable[[Row, Sequence[Row]], Row],
) -> list[Row]:
    """Make the measurements that a CSV file lacks, and return all its rows.

    Args:
        path: the CSV file.
        columns: its header: those of a run, of a measurement, and `MADE`.
        runs: all that are asked for, in their order; each has a `program`.
        measure: takes a run and the rows so far, and returns what it found.
    """
    machine = description()
    versions = {run["program"]: "" for run in runs}
    versions = {program: program_version(program) for program in versions}

    def current(row: Row) -> bool:
        version = versions.get(row["program"])
        return row["machine"] == machine and row["version"] == version

    rows = resume(path, columns, current)
    there = [{key: row[key] for key in runs[0]} for row in rows]
    missing = [run for run in runs if run not in there]
    print(
        f"{len(missing)} of {len(runs)} measurements are to be made; to make "
        f"all anew, delete {path.name} in {path.parent.name}"
    )
    for run in missing:
        found = measure(run, rows)
        version = program_version(run["program"])
        made = {"version": version, "machine": machine, "date": now()}
        row = {**run, **found, **made}
        store(path, columns, row)
        rows.append(row)
        print(", ".join(f"{k} {v}" for k, v in {**run, **found}.items()))
        sys.stdout.flush()
    return rows


def publish(path: Path, text: str) -> None:
    """Write a page beside a CSV file, and print it."""
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nstored in {path.parent.name}")


def resume(
    path: Path, columns: Sequence[str], current: Callable[[Row], bool]
) -> list[Row]:
    """Return the rows of an interrupted run, so that it can go on.

    If one of them is not current, all are dropped: what stands side by side
    was measured in turn. Of a row that was cut off by a kill, nothing is
    left.

    Args:
        path: the CSV file; it need not exist, nor its folder.
        columns: its header.
        current: whether a row is of the same machine and programs as now.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = read(path) if path.exists() else []
    if not all(set(row) == set(columns) and current(row) for row in rows):
        print(
            f"{path.name}: its {len(rows)} rows are dropped, for they are "
            "of other versions or another machine"
        )
        rows = []
    beside = path.with_suffix(".part")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(beside, path)
    return rows


def read(path: Path) -> list[Row]:
    """Return all whole rows of a CSV file."""
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    rows = csv.DictReader(io.StringIO(whole, newline=""))
    return [
        row for row in rows if None not in row and None not in row.values()
    ]


def store(path: Path, columns: Sequence[str], row: Row) -> None:
    """Append one row, and see it on the disk."""
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, columns, lineterminator="\n").writerow(row)
        file.flush()
        os.fsync(file.fileno())
