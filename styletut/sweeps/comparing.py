"""How settings differ from a baseline, over many pairs of pictures.

    runs = recorded("08_pairs")
    changes(runs, ["ssim", "style_distance"]).loc["single", "relu4_1"]

What is true of one photo and one painting may be so of these alone. So a
setting and the baseline are compared on each pair, and the pairs are what the
interval is taken over: repeats on a pair tell of rounding errors alone.
"""

import math
from collections.abc import Sequence
from typing import Any

from styletut.sweeps.results import MissingResultsError

SETTING = ["question", "value"]
PAIR = ["content", "style"]
CONFIDENCE = 0.95


def changes(
    runs: Any, columns: Sequence[str], baseline: str = "default"
) -> Any:
    """Return by how much settings change a measure, relative to a baseline.

    Repeats on a pair of pictures are averaged. With x a setting's number on a
    pair and d the baseline's on the same, its change is (x - d) / d.

    Args:
        runs: a table as `recorded` returns it, with every setting on at least
            two of the pairs that the baseline has.
        columns: names of measures in it, whose baseline is not 0.
        baseline: the `question` of the run that all are compared with.

    Returns:
        A pandas DataFrame, a row for each setting and measure, indexed by
        `question`, `value` and `measure`: `mean` over the pairs; `low` and
        `high`, the interval of 95 % by Student's t (W. S. Gosset: "The
        probable error of a mean", Biometrika, 1908); `least` and `most`, the
        outermost ends of that interval when each pair in turn is left out
        (NaN for two pairs); and `pairs`, their number.

    Raises:
        MissingResultsError: if the baseline is not in the table, or has not
            all pairs of a setting.
        ValueError: if a setting has one pair alone.
    """
    import pandas as pd

    means = runs.groupby([*SETTING, *PAIR])[list(columns)].mean()
    if baseline not in means.index.get_level_values("question"):
        raise MissingResultsError(
            f"no run answers {baseline!r}; there are "
            f"{', '.join(sorted(set(runs['question'])))}"
        )
    base = means.xs(baseline, level="question").droplevel("value")
    rows = {}
    for setting, own in means.groupby(level=SETTING, sort=False):
        if setting[0] == baseline:
            continue
        own = own.droplevel(SETTING)
        if lacking := [pair for pair in own.index if pair not in base.index]:
            raise MissingResultsError(
                f"{baseline!r} is not there for {' and '.join(lacking[0])}"
            )
        relative = own / base.loc[own.index] - 1
        told = " ".join(setting).strip()
        for column in columns:
            rows[setting + (column,)] = _summary(relative[column], told)
    index = pd.MultiIndex.from_tuples(rows, names=[*SETTING, "measure"])
    return pd.DataFrame(list(rows.values()), index=index)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the interval of 95 % of a mean, by Student's t.

    Args:
        values: independent, two at least.

    Raises:
        ValueError: for fewer than two values.
    """
    import numpy as np
    from scipy.stats import t

    given = np.asarray(values, dtype=float)
    if given.size < 2:
        raise ValueError(
            f"{given.size} values came; an interval needs two at least"
        )
    error = given.std(ddof=1) / given.size**0.5
    reach = float(t.ppf((1 + CONFIDENCE) / 2, given.size - 1) * error)
    mean = float(given.mean())
    return mean - reach, mean + reach


def _summary(change: Any, setting: str) -> dict[str, float]:
    if len(change) < 2:
        raise ValueError(f"{setting!r} is there for one pair alone")
    low, high = interval(change)
    without = [_interval_without(change, n) for n in range(len(change))]
    return {
        "mean": float(change.mean()),
        "low": low,
        "high": high,
        "least": min(ends[0] for ends in without),
        "most": max(ends[1] for ends in without),
        "pairs": len(change),
    }


def _interval_without(change: Any, place: int) -> tuple[float, float]:
    rest = change.drop(change.index[place])
    return interval(rest) if len(rest) > 1 else (math.nan, math.nan)
