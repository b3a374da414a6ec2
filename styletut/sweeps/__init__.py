"""Many runs at once: `sweep` makes them, `recorded` reads the course's own.

`changes` says how settings differ over many pairs of pictures, and how surely.

A stored run is found by its key: `jobs` says what is in it.
"""

from styletut.sweeps.comparing import changes, interval
from styletut.sweeps.results import (
    MissingResultsError,
    PartialResults,
    pick,
    recorded,
)
from styletut.sweeps.sweeping import FailedRuns, sweep, sweep_rows

__all__ = [
    "FailedRuns",
    "MissingResultsError",
    "PartialResults",
    "changes",
    "interval",
    "pick",
    "recorded",
    "sweep",
    "sweep_rows",
]
