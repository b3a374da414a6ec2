"""The runs that were recorded for the course: tables with their pictures.

    runs = recorded("09")
    one = pick(runs, question="content", value="0.000215", content="chelsea")
    one["picture"]

Runs that take minutes each are made once, by `make recorded`; notebooks 07
to 09 read what came of them. Each row says on which device, when, and by
which versions it was made.
"""

import os
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

CHECKOUT = Path(str(files("styletut"))).resolve().parent
FOLDER = CHECKOUT / "notebooks" / "results"
"""Where they lie in a checkout of the course."""


class MissingResultsError(LookupError):
    """A recorded table, run or picture is not there; the text says which."""


class PartialResults(UserWarning):
    """A recorded table lacks runs, for example since it is being made."""


def recorded(
    group: str,
    plan: str = "cpu",
    folder: str | os.PathLike[str] | None = None,
) -> Any:
    """Return the table of a group of recorded runs.

    Args:
        group: such as "08" or "gallery".
        plan: which runs: those for a "cpu", those for a "gpu", or "control",
            which has the pictures of notebook 10.
        folder: where the plans lie, if not in the course's own checkout.

    Returns:
        A pandas DataFrame, a row for each finished run: `question` and
        `value`, the two parts of the run's label; its settings, empty where
        the default was left; the results and metrics of `sweeps.sweep`;
        `device`, `precision`, `date`, `torch` and `styletut`, which made it;
        and `picture`, the path of a JPEG that exists, empty for a run whose
        picture is not kept.

    Raises:
        MissingResultsError: if there is no such table, none of its runs is
            finished, or a picture is gone.

    Warns:
        PartialResults: if runs of the plan are not made or measured yet.
    """
    import pandas as pd

    home = Path(FOLDER if folder is None else folder) / plan
    path = home / f"{group}.csv"
    if not path.is_file():
        raise MissingResultsError(_no_table(group, home))
    # a column of empty fields and one of words would otherwise be numbers
    words = dict.fromkeys(("label", "error", "run", "picture"), str)
    table = pd.read_csv(path, dtype=words)
    texts = table.select_dtypes(exclude="number").columns
    table[texts] = table[texts].fillna("")
    done = table[table["error"] == ""].reset_index(drop=True)
    if done.empty:
        raise MissingResultsError(
            f"none of the {len(table)} runs of {group!r} in {str(home)!r} is "
            f"finished. {_remedy(plan)}"
        )
    if len(done) < len(table):
        warnings.warn(
            f"{group!r} has {len(done)} of its {len(table)} runs. "
            f"{_remedy(plan)}",
            PartialResults,
            stacklevel=2,
        )
    parts = done.pop("label").str.partition(": ")
    done.insert(0, "question", parts[0])
    done.insert(1, "value", parts[2])
    done["picture"] = [
        str(_existing(home / name)) if name else "" for name in done["picture"]
    ]
    return done.drop(columns="error")


def pick(runs: Any, **values: Any) -> Any:
    """Return the one run that has these values.

    Args:
        runs: a table, as `recorded` or `sweeps.sweep` returns it.
        **values: by the names of its columns, such as `question="single"`.

    Returns:
        Its row, a pandas Series.

    Raises:
        MissingResultsError: if there is no such column or no such run, with
            the values that there are.
        ValueError: if there are several, with columns that tell them apart.
    """
    chosen = runs
    for name, value in values.items():
        if name not in runs:
            raise MissingResultsError(
                f"the table has no column {name!r}; it has "
                f"{', '.join(runs.columns)}"
            )
        found = chosen[chosen[name] == value]
        if found.empty:
            there = ", ".join(map(repr, chosen[name].unique()))
            raise MissingResultsError(
                f"no run has {name} = {value!r}; there are {there}"
            )
        chosen = found
    if len(chosen) > 1:
        several = [n for n in chosen.columns if chosen[n].nunique() > 1]
        raise ValueError(
            f"{len(chosen)} runs fit; choose by {', '.join(several[:4])}"
        )
    return chosen.iloc[0]


def _no_table(group: str, home: Path) -> str:
    there = sorted(path.stem for path in home.glob("*.csv"))
    if not there:
        return (
            f"there are no recorded runs in {str(home)!r}. They come with a "
            f"checkout of the course. {_remedy(home.name)}"
        )
    return (
        f"no runs {group!r} are recorded in {str(home)!r}; there are "
        f"{', '.join(there)}. {_remedy(home.name)}"
    )


def _remedy(plan: str) -> str:
    if plan == "gpu":
        return "`make gpu-prepare` says how a GPU makes them"
    if plan == "control":
        return "`python tools/paint_control.py` paints them"
    return "`make recorded` makes them, and goes on where it was stopped"


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingResultsError(
            f"the picture {str(path)!r} is gone. `make results` writes it "
            "anew where its run is kept, `git checkout` brings it back"
        )
    return path
