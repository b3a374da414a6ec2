"""How many threads torch computes with: no more than there are cores to use.

torch counts the cores that a process is bound to, and does not know of a
quota: in a container with the time of 2 cores on a machine of 32 it takes 32
threads, of which most are stopped while the others wait for them.

Who has said a number is left alone: by `OMP_NUM_THREADS`, `MKL_NUM_THREADS`,
`--threads`, or `torch.set_num_threads` with another number than torch's own.
"""

import os
from functools import lru_cache

from styletut.cores.allowed import Allowed, allowed
from styletut.values import told, whole

VARIABLES = ("MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""By which a user says how many threads there are to be.

Of two numbers torch takes the first."""

MOST = 1024
"""Of threads that are asked for; a system refuses to start very many."""


def said_by_user() -> str:
    """Return the variable by which the user set the threads, "" if none."""
    return next((name for name in VARIABLES if os.environ.get(name)), "")


@lru_cache(maxsize=1)  # once: who sets more later has a reason
def lower_threads() -> None:
    """Let torch compute with no more threads than cores may be used.

    This holds for the whole process, as torch has it, and is done by the
    first call alone.
    """
    import torch

    cores, now = allowed(), torch.get_num_threads()
    if now > cores.number and _is_default(now, cores) and not said_by_user():
        torch.set_num_threads(cores.number)


def set_threads(threads: int | None) -> None:
    """Let torch compute with so many threads, whatever else was said.

    Args:
        threads: from 1 to `MOST`; None to leave it at what `lower_threads`
            makes of torch's own number.

    Raises:
        ValueError: for another number.
    """
    if threads is not None:
        check_threads(threads)
    lower_threads()  # first, for it would have its say later
    if threads is not None:
        import torch

        torch.set_num_threads(int(threads))


def check_threads(threads: int) -> None:
    """Raise ValueError for a number of threads that cannot be."""
    number = whole(threads)
    if number is None or not 1 <= number <= MOST:
        raise ValueError(
            f"threads is {told(threads)}; it is a whole number from 1 to "
            f"{MOST}, and more than there are cores make a run slower"
        )


def _is_default(threads: int, cores: Allowed) -> bool:
    """Whether torch itself may have come to this number.

    It takes the cores or, where its library of matrices does not count
    those, their hardware threads.
    """
    return threads in (cores.bound, cores.cores)
