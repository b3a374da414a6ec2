"""From the sweeps' folders to notebooks/results: tables and small pictures.

A group of runs becomes a CSV file, a row for each run that the plan has, and,
if a notebook shows them, a folder of JPEGs. A run that is not there keeps the
row and the picture that it, or a run of another group with the same settings,
had before; without one its row says that it is not made yet. The same runs
give the same bytes.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from recorded_runs import Group
from stored_runs import Planned, picture_name, read_note, write

from styletut.sweeps.grids import shown
from styletut.sweeps.jobs import NETWORK
from styletut.sweeps.store import StoredRun, read_picture_of, read_record
from styletut.transfer.plan import DEFAULTS

Row = dict[str, Any]

METRICS = "styletut.metrics.compare"
NOT_MADE, NOT_MEASURED = "not made yet", "not measured yet"

MADE_BY = {"device", "precision"}
SETTINGS = {"label", "content", "style", *DEFAULTS, *NETWORK} - MADE_BY
"""What a plan says of a run: columns that no stored row decides."""

QUALITY = {"07": 90, "gallery": 92}
GRID_QUALITY = 80
"""What all other groups have: their pictures stand side by side."""


def publish(
    group: Group, runs: Sequence[Planned], source: Path, target: Path
) -> int:
    """Write a group's table and pictures anew; return how many runs lack.

    Args:
        group: which one.
        runs: all runs of the group.
        source: the folder of its sweep.
        target: where its table goes, and the folder of its pictures.
    """
    name = group.name
    before, pictures_before = made_before(target, name), _pictures(target)
    settings = _names_of_settings(runs)
    rows, pictures = [], {}
    for run in runs:
        path = source / f"{run.key}.png"
        record, old = read_record(path), before.get(run.key)
        picture = f"{name}/{picture_name(run)}.jpg"
        found: Row = {"error": NOT_MADE}
        data = None
        if record is not None:
            found = _results_of(record, path)
            if group.pictured(run.settings):
                data = _jpeg(group, path)
        elif old is not None:
            found = {k: v for k, v in old.items() if k not in SETTINGS}
            if group.pictured(run.settings):
                data = _fitting(pictures_before.get(run.key, []), run, group)
        if data is None:
            picture = ""
        elif picture in pictures:
            raise ValueError(f"in {name} two runs have one name: {picture}")
        else:
            pictures[picture] = data
        own = {k: shown(k, value) for k, value in run.settings.items()}
        rows.append({**own, **found, "run": run.key, "picture": picture})
    for picture, data in pictures.items():
        write(target / picture, data)
    write(target / f"{name}.csv", _table(rows, settings))
    for path in (target / name).glob("*.jpg"):
        if f"{name}/{path.name}" not in pictures:
            path.unlink()
    return sum(bool(row["error"]) for row in rows)


def made_before(target: Path, group: str = "") -> Mapping[str, Row]:
    """Return the rows of runs that have been made, of all groups, by run.

    What a row tells of a run is kept, whether or not its picture is. Of a run
    that several groups have, the row is that of the group named.
    """
    rows: dict[str, Row] = {}
    tables = sorted(target.glob("*.csv"))
    for path in sorted(tables, key=lambda each: each.stem == group):
        rows |= {row["run"]: row for row in _read(path) if not row["error"]}
    return rows


def _pictures(target: Path) -> dict[str, list[Path]]:
    """Return the JPEGs of each run that has any, of all groups."""
    found: dict[str, list[Path]] = {}
    for table in sorted(target.glob("*.csv")):
        for row in _read(table):
            path = target / row["picture"]
            if path.is_file():
                found.setdefault(row["run"], []).append(path)
    return found


def _read(table: Path) -> list[Row]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _fitting(
    paths: Sequence[Path], run: Planned, group: Group
) -> bytes | None:
    """Return a group's own picture of a run, or another's of the same size."""
    side = group.longest_side
    if schedule := run.settings.get("schedule"):
        side = min(side, schedule[-1][0])
    for path in sorted(paths, key=lambda each: each.parent.name != group.name):
        with Image.open(path) as picture:
            fits = max(picture.size) == side
        if fits or path.parent.name == group.name:
            return path.read_bytes()
    return None


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


def _jpeg(group: Group, path: Path) -> bytes:
    picture = Image.fromarray(read_picture_of(path))
    side = group.longest_side
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    # a style's colors change from pixel to pixel: no chroma subsampling; and
    # no optimize=True, for which such pictures are too large in Pillow
    picture.save(
        data,
        "JPEG",
        quality=QUALITY.get(group.name, GRID_QUALITY),
        subsampling=0,
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
