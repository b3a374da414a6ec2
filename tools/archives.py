"""Stored runs in a few tar files, to be carried to another machine."""

import re
import tarfile
from collections.abc import Sequence
from pathlib import Path

from stored_runs import write

MOST_PARTS = 8
PART_BYTES = 14 * 2**20
"""Size of a part, where eight of them suffice."""

_RUN = re.compile(r"\w+/[0-9a-f]{16}\.(png|json)")


def pack(files: Sequence[Path], root: Path, folder: Path, name: str) -> None:
    """Write files as NAME-1.tar, NAME-2.tar, ... , eight of them at most.

    Each part is whole or not there, and parts of an earlier call go. A run's
    files are neighbors, and may lie in two parts.

    Args:
        files: what to pack.
        root: the folder from which their names in the archive count.
        folder: where the parts go; made if it is not there.
        name: of the archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = _parts([(path, path.stat().st_size) for path in files])
    for number, part in enumerate(parts, 1):
        target = folder / f"{name}-{number}.tar"
        unfinished = target.with_suffix(".part")
        with tarfile.open(unfinished, "w") as archive:
            for path in part:
                archive.add(path, path.relative_to(root).as_posix())
        unfinished.replace(target)
    for number in range(len(parts) + 1, MOST_PARTS + 1):
        (folder / f"{name}-{number}.tar").unlink(missing_ok=True)


def unpack(folder: Path, root: Path) -> None:
    """Lay out the runs in a folder's archives; what is there already stays.

    Raises:
        ValueError: for an archive with anything else in it.
    """
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data is None or not _RUN.fullmatch(member.name):
                    raise ValueError(f"{path} has no runs: {member.name!r}")
                if not (root / member.name).exists():
                    write(root / member.name, data.read())


def _parts(sizes: Sequence[tuple[Path, int]]) -> list[list[Path]]:
    """Share out files in their order, by where each begins among all bytes."""
    limit = max(PART_BYTES, sum(size for _, size in sizes) / MOST_PARTS)
    parts: dict[int, list[Path]] = {}
    begin = 0
    for path, size in sizes:
        parts.setdefault(int(begin / limit), []).append(path)
        begin += size
    return list(parts.values())
