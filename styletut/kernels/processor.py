"""What the processor is, as the system tells it.

What is fastest differs between makers and generations. Rules that follow go
by these facts, never by a timing, so that one machine gives the same bits.
"""

import os
import platform
import re
from functools import lru_cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux describes the processor; elsewhere nothing is known of it."""

_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables by which a user keeps oneDNN from newer instructions."""


def name() -> str:
    """Return the processor's name as the system has it."""
    return _told("model name") or platform.processor() or platform.machine()


def by_intel() -> bool:
    """Return whether it is known to be one of Intel's."""
    return _told("vendor_id") == "GenuineIntel"


def has(flag: str) -> bool:
    """Return whether it is known to have an instruction set.

    Args:
        flag: as Linux spells it, such as "avx512f".
    """
    return flag in _told("flags").split()


def multiplies_bfloat16() -> bool:
    """Return whether it has units that multiply bfloat16 matrices, AMX.

    Not so with AVX-512's bfloat16 products alone, of which nobody has shown
    here that they gain enough to give up digits for; nor where the user
    keeps oneDNN from AMX.
    """
    limits = [os.environ.get(each, "").upper() for each in _LIMITS]
    allowed = all(
        each in ("", "ALL", "DEFAULT") or "AMX" in each for each in limits
    )
    return has("amx_bf16") and allowed


def _told(key: str) -> str:
    return _found(key, _description(CPUINFO))


@lru_cache(maxsize=16)  # it is asked at every convolution
def _found(key: str, text: str) -> str:
    found = re.search(rf"^{key}\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


@lru_cache(maxsize=4)
def _description(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
