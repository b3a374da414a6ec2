"""How many cores this process may use, and what allows no more.

The number comes from what the machine and its owner have set, never from how
busy it is: results depend on the number of threads in their last digits, and
the same run is to give the same picture.
"""

import math
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from styletut.cores.quota import quota


class Allowed(NamedTuple):
    """The cores that a process may use.

    Attributes:
        machine: logical processors of the machine.
        bound: those that the process is bound to (its affinity).
        cores: cores that these are on: two hardware threads share one.
        quota: cores' time that control groups allow; None for no limit.
    """

    machine: int
    bound: int
    cores: int
    quota: float | None

    @property
    def number(self) -> int:
        """How many cores can be kept busy, at least 1.

        A broken quota is rounded, halves up. With the time of 1.5 cores two
        threads are stopped for a quarter of every period, and still a fifth
        faster than one; with that of 1.1 they would be slower.
        """
        if self.quota is None:
            return self.cores
        return max(1, min(self.cores, math.floor(self.quota + 0.5)))

    @property
    def reason(self) -> str:
        """What allows this number and no more."""
        if self.number < self.cores:
            return f"a control group's quota of {self.quota:g}"
        if self.bound < self.machine:
            return f"bound to {self.bound} of {self.machine} (affinity)"
        if self.cores < self.bound:
            return f"{self.bound} hardware threads are on {self.cores} cores"
        return "all of this machine"


def allowed(root: Path = Path("/")) -> Allowed:
    """Return the cores that this process may use.

    Args:
        root: of the file system in which the system tells of itself.
    """
    machine = os.cpu_count() or 1
    bound = _affinity()
    logical = machine if bound is None else len(bound)
    cores = logical if bound is None else _cores(root, bound)
    return Allowed(machine, logical, cores, quota(root))


def _affinity() -> Collection[int] | None:
    """Return the processors that the process is bound to, None if unknown."""
    if not hasattr(os, "sched_getaffinity"):  # Windows and macOS
        return None
    try:
        return os.sched_getaffinity(0)
    except OSError:
        return None


def _cores(root: Path, processors: Collection[int]) -> int:
    """Count the cores of processors; each is its own where nothing is told."""
    folder = root / "sys" / "devices" / "system" / "cpu"
    cores = set()
    for each in processors:
        path = folder / f"cpu{each}" / "topology" / "thread_siblings_list"
        try:
            cores.add(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            cores.add(f"only {each}")
    return len(cores)
