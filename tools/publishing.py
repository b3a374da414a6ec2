"""From the sweeps' folders to notebooks/results: tables and small pictures.

A group of runs becomes a CSV file, a row for each run that the plan has, and
a folder of JPEGs. A run that is not there keeps the row that it had before,
if its settings are still those; else its row says that it is not made yet.
The same runs give the same bytes.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from stored_runs import Planned, picture_name, read_note, write

from styletut.sweeps.grids import shown
from styletut.sweeps.store import StoredRun, read_picture_of, read_record

Row = dict[str, Any]

METRICS = "styletut.metrics.compare"
NOT_MADE, NOT_MEASURED = "not made yet", "not measured yet"

LARGEST_SIDE = {"07": 1024, "gallery": 512}
QUALITY = {"07": 90, "gallery": 92}
SIDE, GRID_QUALITY = 256, 80
"""What all other groups have: their pictures stand side by side."""


def publish(
    name: str, runs: Sequence[Planned], source: Path, target: Path
) -> int:
    """Write a group's table and pictures anew; return how many runs lack.

    Args:
        name: of the group.
        runs: all runs of the group.
        source: the folder of its sweep.
        target: where its table goes, and the folder of its pictures.
    """
    before, settings = _published(name, target), _names_of_settings(runs)
    rows, pictures = [], {}
    for run in runs:
        path = source / f"{run.key}.png"
        record, old = read_record(path), before.get(run.key)
        picture = f"{name}/{picture_name(run)}.jpg"
        if record is not None:
            found = _results_of(record, path)
            pictures[picture] = _jpeg(name, path)
        elif old is not None:
            found = {k: v for k, v in old.items() if k not in settings}
            pictures[picture] = (target / old["picture"]).read_bytes()
        else:
            found, picture = {"error": NOT_MADE}, ""
        own = {k: shown(k, value) for k, value in run.settings.items()}
        rows.append({**own, **found, "run": run.key, "picture": picture})
    if len(pictures) < sum(bool(row["picture"]) for row in rows):
        raise ValueError(f"in {name} two runs have one name for a picture")
    for picture, data in pictures.items():
        write(target / picture, data)
    write(target / f"{name}.csv", _table(rows, settings))
    for path in (target / name).glob("*.jpg"):
        if f"{name}/{path.name}" not in pictures:
            path.unlink()
    return sum(bool(row["error"]) for row in rows)


def _published(name: str, target: Path) -> dict[str, Row]:
    """Return the rows of an earlier table, by run, that have a picture."""
    path = target / f"{name}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["run"]: row
        for row in rows
        if row["picture"] and (target / row["picture"]).exists()
    }


def _names_of_settings(runs: Sequence[Planned]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.settings))


def _results_of(record: StoredRun, path: Path) -> Row:
    """Return results, metrics, and what made them, of a stored run."""
    results, note = dict(record.results), read_note(path)
    ran_on = results.pop("ran_on")
    measures = record.measures.get(METRICS)
    return {
        **{name: _short(value) for name, value in results.items()},
        **{name: _short(value) for name, value in (measures or {}).items()},
        "device": note.get("processor", ran_on) if ran_on == "cpu" else ran_on,
        "precision": record.text["precision"],
        "date": note.get("date", ""),
        "torch": record.text["torch"],
        "styletut": record.text["styletut"],
        "error": "" if measures else NOT_MEASURED,
    }


def _short(value: Any) -> Any:
    """Return a number to six digits, which is more than chance leaves."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _jpeg(group: str, path: Path) -> bytes:
    picture = Image.fromarray(read_picture_of(path))
    side = LARGEST_SIDE.get(group, SIDE)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    # a style's colors change from pixel to pixel: no chroma subsampling; and
    # no optimize=True, for which such pictures are too large in Pillow
    picture.save(
        data, "JPEG", quality=QUALITY.get(group, GRID_QUALITY), subsampling=0
    )
    return data.getvalue()


def _table(rows: Sequence[Row], settings: Sequence[str]) -> bytes:
    """Return rows as CSV: settings, results, and what became of the run."""
    last = ("error", "run", "picture")
    names = dict.fromkeys([*settings, *(name for row in rows for name in row)])
    text = io.StringIO()
    table = csv.DictWriter(
        text,
        [*(name for name in names if name not in last), *last],
        lineterminator="\n",
    )
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
