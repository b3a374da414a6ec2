"""From a photo and a painting to the result.

`minimize` runs one optimizer on one objective, `stylize_steps` does so from
coarse to fine, and `stylize` keeps the best picture. What both are made of
is here, too: `prepare` reads and settles a run, `steps_of` and `result_of` do
it.
"""

from styletut.transfer.checkpoint import CheckpointError, CheckpointWarning
from styletut.transfer.coarse_to_fine import (
    Run,
    prepare,
    result_of,
    steps_of,
    stylize,
    stylize_steps,
)
from styletut.transfer.minimization import minimize
from styletut.transfer.plan import Settings
from styletut.transfer.steps import (
    Best,
    BrokenOffError,
    Ending,
    Record,
    Result,
    Step,
    Steps,
    StoppedEarly,
    keep_better,
)

__all__ = [
    "Best",
    "BrokenOffError",
    "CheckpointError",
    "CheckpointWarning",
    "Ending",
    "Record",
    "Result",
    "Run",
    "Settings",
    "Step",
    "Steps",
    "StoppedEarly",
    "keep_better",
    "minimize",
    "prepare",
    "result_of",
    "steps_of",
    "stylize",
    "stylize_steps",
]
