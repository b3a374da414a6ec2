"""How much of the machine's cores the control groups of Linux allow.

A container, a batch system or a service may be given less computing time than
its cores have: a quota of 1.5 is one and a half seconds of computing in a
second. Who computes more is stopped until the next period begins.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

GROUPS = Path("sys/fs/cgroup")
VERSION_2 = (GROUPS, GROUPS / "unified")
VERSION_1 = (GROUPS / "cpu", GROUPS / "cpu,cpuacct", GROUPS / "cpuacct,cpu")
"""Where distributions mount the groups that control computing time."""


def quota(root: Path = Path("/")) -> float | None:
    """Return how many cores' time this process may take.

    Limits of groups above its own hold, too, so the lowest counts.

    Args:
        root: of the file system.

    Returns:
        A number above 0, or None where nothing limits it or is known.
    """
    limits = [*_limits_of_version_2(root), *_limits_of_version_1(root)]
    return min((limit for limit in limits if limit is not None), default=None)


def _limits_of_version_2(root: Path) -> Iterator[float | None]:
    for folder in _folders(root, VERSION_2, ""):
        words = _read(folder / "cpu.max").split()
        if len(words) == 2:
            yield _cores(*words)


def _limits_of_version_1(root: Path) -> Iterator[float | None]:
    for folder in _folders(root, VERSION_1, "cpu"):
        time = _read(folder / "cpu.cfs_quota_us")
        yield _cores(time, _read(folder / "cpu.cfs_period_us"))


def _cores(time: str, period: str) -> float | None:
    """Return a limit in cores: microseconds of computing in a period."""
    try:
        limit = int(time) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or no file of this kind
        return None
    return limit if limit > 0 else None  # version 1 has -1 for no limit


def _folders(
    root: Path, mounts: Iterable[Path], controller: str
) -> Iterator[Path]:
    """Yield the process's group and all above it, wherever it is mounted.

    Inside a container the path may be that of the host, of which nothing is
    seen but the mount itself: the container's own group.
    """
    own = _own_group(root, controller)
    if ".." in own.parts:  # a group outside of what is seen
        own = PurePosixPath()
    for mount in mounts:
        for group in (own, *own.parents):
            yield root / mount / group


def _own_group(root: Path, controller: str) -> PurePosixPath:
    """Return the process's group, relative to where groups are mounted.

    Args:
        root: of the file system.
        controller: that limits it; version 2 has one tree for all and calls
            it by no name.
    """
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return PurePosixPath(path.lstrip("/"))
    return PurePosixPath()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
