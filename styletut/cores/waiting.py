"""How long a thread that waits for others keeps its core busy.

A convolution is divided among threads, and who is ready first waits for the
rest. By default it does so for a long time in a loop, which is quickest if
the rest come soon. If another program has their core they do not: then the
waiting thread takes away the time that they need, and three runs on two cores
take many times as long as one after another.

The library that torch starts threads with reads this once, when it is loaded.
So it is said before torch is imported: by the command line, and by `make lab`
for its kernels.
"""

import os
import sys
from typing import NamedTuple

VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""By which a user says how threads wait."""

CHOSEN = ("GOMP_SPINCOUNT", "1000")
"""Rounds of the loop before a thread sleeps: less than a tenth of a
millisecond. `benchmarks/company.py` compares it with others. GNU's library
reads it, which torch brings along on Linux; others pass over it."""


class Waiting(NamedTuple):
    """How threads wait in this process.

    Attributes:
        setting: variable and value; "" where nothing is said.
        ours: whether this package has chosen it.
    """

    setting: str
    ours: bool


def choose_waiting() -> Waiting:
    """Say how threads are to wait, unless the user has said it.

    Once torch is there it is too late, and nothing is changed.
    """
    for name in VARIABLES:
        if value := os.environ.get(name):
            return Waiting(f"{name}={value}", False)
    if "torch" in sys.modules:
        return Waiting("", False)
    name, value = CHOSEN
    os.environ[name] = value
    return Waiting(f"{name}={value}", True)
