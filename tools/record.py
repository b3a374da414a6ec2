"""Make the runs behind notebooks 07 to 09, or go on making them.

    python tools/record.py cpu --workers 2      # hours, on two cores
    python tools/record.py cpu --only 09 --toy  # a rehearsal in seconds
    PYTHONPATH=. python3 tools/record.py gpu --photos photos --weights w.bin \\
        --bare --archive out

What was finished before is not made again, so it can be stopped at any time.
The last line is for a machine with torch, numpy and Pillow alone: there the
photos and the weights come as files, and nothing is measured; the same
command without `--bare`, over the same folder, measures it elsewhere.
"""

import argparse
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from recorded_runs import Group, Settings, cpu_plan, gpu_plan

from styletut.ablation import sweep_rows
from styletut.metrics import compare

TOY = ((48, 2),)


def main(arguments: list[str] | None = None) -> None:
    """Make all groups of a plan, or those asked for."""
    given = parser().parse_args(arguments)
    groups = {"cpu": cpu_plan, "gpu": gpu_plan}[given.plan]()
    names = [group.name for group in groups]
    if unknown := set(given.only) - set(names):
        raise SystemExit(f"no {', '.join(unknown)}; there are {names}")
    with workers(given.workers) as executor:
        for group in groups:
            if not given.only or group.name in given.only:
                make(group, given, executor)


def make(
    group: Group, given: argparse.Namespace, executor: Executor | None
) -> None:
    """Make a group's runs and say how it went."""
    common: Settings = {"weights": given.weights} if given.weights else {}
    began = time.monotonic()
    folder = given.folder / given.plan / group.name
    rows = sweep_rows(
        None,
        None,
        runs_of(group, given),
        folder=folder,
        metrics=None if given.bare else compare,
        executor=executor,
        progress=True,
        **common,
    )
    failed = sum(bool(row["error"]) for row in rows)
    print(
        f"{group.name}: {len(rows)} runs, {failed} failed, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    if given.archive:
        given.archive.mkdir(parents=True, exist_ok=True)
        shutil.make_archive(str(given.archive / group.name), "tar", folder)


@contextmanager
def workers(count: int) -> Iterator[Executor | None]:
    """Give a pool of so many processes with a thread each; None for 0."""
    if count == 0:
        yield None
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("plan", choices=["cpu", "gpu"])
    made.add_argument("--only", nargs="*", default=[], metavar="GROUP")
    made.add_argument("--folder", type=Path, default=Path("recorded"))
    made.add_argument("--photos", type=Path, help="a folder of NAME.png")
    made.add_argument("--weights", help="the file with VGG-19's weights")
    made.add_argument("--bare", action="store_true", help="measure nothing")
    made.add_argument("--toy", action="store_true", help="48 pixels, 2 steps")
    made.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="processes with one thread each; here if 0",
    )
    made.add_argument("--archive", type=Path, help="folder for a tar a group")
    return made


def runs_of(group: Group, given: argparse.Namespace) -> list[Settings]:
    """Return a group's runs as the command line wants them."""
    runs = [{**run, **group.common} for run in group.runs]
    if given.photos:
        for run in runs:
            run["content"] = given.photos / f"{run['content']}.png"
    return [toy(run) for run in runs] if given.toy else runs


def toy(run: Settings) -> Settings:
    """Return a run that takes no time."""
    sizes: dict[str, Any] = {"schedule": TOY}
    if "style_size" in run:
        sizes["style_size"] = 40
    return {k: v for k, v in run.items() if k != "size"} | sizes


if __name__ == "__main__":
    main()
