"""Measurements as rows of a CSV file, stored one by one, and as tables.

An interrupted benchmark keeps the rows that it has and goes on after them.
"""

import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

Row = Mapping[str, str]


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


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def measured_on(rows: Sequence[Row]) -> str:
    """Say on what machine, when and with which versions rows were measured.

    Args:
        rows: with `machine`, `date`, `program` and `version`, all of one
            machine.
    """
    (machine,) = {row["machine"] for row in rows}
    dates = sorted(row["date"] for row in rows)
    versions = {row["program"]: row["version"] for row in rows}
    lines = [f"- {part}" for part in machine.split("; ")]
    programs = ", ".join(f"{k} {v}" for k, v in versions.items())
    lines.append(f"- programs: {programs}")
    lines.append(f"- measured from {dates[0]} to {dates[-1]} UTC")
    return "\n".join(lines) + "\n"


def numbers(rows: Iterable[Row], column: str) -> list[float]:
    """Return a column as numbers."""
    return [float(row[column]) for row in rows]


def middle(rows: Iterable[Row], column: str) -> float:
    """Return the median of a column."""
    return median(numbers(rows, column))


def spread(rows: Sequence[Row], column: str, digits: int) -> str:
    """Return a column's median, lowest and highest value as text."""
    values = numbers(rows, column)
    text = f"{median(values):.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ({min(values):.{digits}f} to {max(values):.{digits}f})"
