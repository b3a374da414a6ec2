"""Rows of measurements as tables in Markdown."""

from collections.abc import Iterable, Sequence
from statistics import median

from measurements import Row


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


def ratio(rows: Sequence[Row], others: Sequence[Row] | None, of: str) -> str:
    """Return a median as a part of another one, as text."""
    if not others:
        return ""
    return f"{middle(rows, of) / middle(others, of):.2f}"
