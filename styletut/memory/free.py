"""How much memory is free."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # to be read where torch is missing, too
    import torch

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells what limits a container has."""

_FILES = (
    # limit, in use, of which are files that can be dropped: version 2, then 1
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)


def free_memory(device: "torch.device | str" = "cpu") -> int | None:
    """Return the bytes that a program can still take, or None if unknown.

    On a CPU it is what the machine has free, or a container's limit leaves.

    Args:
        device: "cpu", or a CUDA device, whose own memory is told.
    """
    kind = str(device).partition(":")[0]
    if kind == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device)
        return free + held - torch.cuda.memory_allocated(device)
    if kind != "cpu":
        return None
    known = [
        size
        for size in (_free_in_machine(), _free_in_container())
        if size is not None
    ]
    return min(known, default=None)


def _free_in_machine() -> int | None:
    try:
        import psutil
    except ModuleNotFoundError:  # on a machine with little more than torch
        return None
    return int(psutil.virtual_memory().available)


def _free_in_container() -> int | None:
    """Return what the control group's limit leaves, None if there is none."""
    for limit, used, stat, droppable in _FILES:
        try:
            most = int((CONTROL_GROUP / limit).read_text(encoding="ascii"))
            now = int((CONTROL_GROUP / used).read_text(encoding="ascii"))
            numbers = (CONTROL_GROUP / stat).read_text(encoding="ascii")
        except (OSError, ValueError):  # not this version, or "max"
            continue
        counts = dict(line.split() for line in numbers.splitlines())
        return max(0, most - now + int(counts.get(droppable, 0)))
    return None
