"""What a measurement was made on and with, and how much memory it took."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import styletut
from styletut.kernels import processor as processors


def description() -> str:
    """Return this machine in one line, its parts separated by semicolons."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    parts = [
        processor(),
        f"instruction set {torch.backends.cpu.get_cpu_capability()}",
        f"{cores()} cores",
        f"{memory / 2**30:.0f} GiB of memory",
        f"{platform.system()} {platform.release()}, {_distribution()}",
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
    ]
    return "; ".join(parts)


def folder_name() -> str:
    """Return a name for the folder of this machine's results."""
    kind = torch.backends.cpu.get_cpu_capability()
    return slug(f"{processor()} {kind} {cores()} cores")


def slug(text: str) -> str:
    """Return a text as lower-case words with hyphens between them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def processor() -> str:
    """Return the processor's name, fit for a part of `description`."""
    return " ".join(processors.name().replace(";", ",").split())


def cores() -> int:
    """Return how many logical cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def now() -> str:
    """Return the time in UTC, to the minute."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")


def peak_bytes() -> int:
    """Return the largest memory that this process has had, on Linux."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def last_line_of(script: str, threads: int, words: list[str]) -> str:
    """Run a script in a fresh process and return the last line it printed.

    Raises:
        SystemExit: if it fails, with what it said.
    """
    environment: Mapping[str, str] = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
    }
    done = subprocess.run(
        [sys.executable, script, *words],
        capture_output=True,
        text=True,
        env=environment,
    )
    if done.returncode:
        sys.exit(f"{' '.join(words[:2])} failed:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


def program_version(program: str) -> str:
    """Return a program's version; this package's with a hash of its code.

    Raises:
        SystemExit: if the program is not installed.
    """
    if program in ("styletut", "styletut bfloat16"):
        return f"{styletut.__version__} ({_code_hash()})"
    if program == "plain loop":
        return f"torch {torch.__version__}"
    try:
        return version(program)
    except PackageNotFoundError:
        sys.exit(
            f"{program} is not installed; `make bench` installs it, or run: "
            f"{Path(sys.executable).name} -m pip install {program}"
        )


def _code_hash() -> str:
    """Return the first digits of the package's hash: what was measured."""
    digest = hashlib.sha256()
    for path in sorted(Path(styletut.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "distribution unknown"
