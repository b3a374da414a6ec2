"""Make the runs behind notebooks 07 to 09, or go on making them.

    python tools/record.py cpu --workers 2
    python tools/record.py cpu --only 09 08:single     # groups and questions
    python tools/record.py cpu --toy                   # a rehearsal
    python tools/record.py gpu --bare --photos gpu/photos \\
        --weights gpu/weights.bin --archive gpu/out
    python tools/record.py gpu --stored --unpack gpu/out

What was finished before is not made again, so it can be stopped at any time:
a run counts as made by its PNG, or by its row in a table of notebooks/results.
Every minute, and at the end, notebooks/results gets what is there.

The line with `--bare` is for a machine with torch, numpy and Pillow alone:
pictures and weights come as files, nothing is measured, and the runs leave
in a few archives. The last line unpacks them elsewhere, measures what was
not measured, and makes no run.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Event, Thread

# it runs without being installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from archives import pack, unpack
from publishing import made_before, publish
from recorded_runs import Group, Settings, cpu_plan, gpu_plan, work_of
from stored_runs import Planned, planned, stored, write_notes

from styletut.metrics import compare
from styletut.sweeps.sweeping import sweep_rows
from styletut.vgg.weights import OXFORD_SHA256, sha256

ROOT = Path(__file__).resolve().parent.parent
TOY = ((48, 2),)
SECONDS_OF_WORK = 7.0
"""Of a thread, for an evaluation at a million pixels: 6.0 at 512 pixels to
6.7 at 256 on an AMD EPYC with AVX-512, and the metrics."""


@dataclass(frozen=True)
class Task:
    """A group as the command line wants it.

    Attributes:
        group: of the plan.
        runs: all runs of the group.
        wanted: those to be made, or only measured, of those asked for.
        folder: of its sweep.
    """

    group: Group
    runs: list[Planned]
    wanted: list[Planned]
    folder: Path


def main(arguments: list[str] | None = None) -> None:
    """Make all groups of a plan, or those asked for."""
    given = parser().parse_args(arguments)
    if given.toy:
        given.folder /= "toy"
    home = given.folder / given.plan
    results = results_of(given)
    check_machine(given)
    if given.unpack:
        unpack(given.unpack, home)
    tasks = tasks_of(given, home)
    if not tasks:
        print(f"{given.plan}: no runs are stored in {given.folder}")

    def hand_on(task: Task) -> None:
        if not given.stored:
            write_notes(task.folder)
        if not given.bare:
            publish(task.group, task.runs, task.folder, results)
        if given.archive:
            name = "-".join(given.only).replace(":", "-") or given.plan
            pack(files_of(tasks), home, given.archive, name)

    try:
        with workers(given.workers) as executor:
            for task in tasks:
                print(forecast(task, given.workers), flush=True)
                if not task.wanted:
                    hand_on(task)
                    continue
                with repeated(lambda t=task: hand_on(t), given.every):
                    print(make(task, given, executor), flush=True)
    except KeyboardInterrupt:
        sys.exit("Stopped. What is finished is kept; run it again to go on.")


def check_machine(given: argparse.Namespace) -> None:
    """Refuse what would take days, or would fail in each run.

    Raises:
        SystemExit: with what to do.
    """
    makes_runs = not (given.stored or given.toy)
    if given.plan == "gpu" and makes_runs and not torch.cuda.is_available():
        sys.exit(
            "torch finds no GPU here, and without one the plan takes days. "
            "--toy rehearses it, --stored measures what a GPU has made"
        )
    if given.stored and given.unpack and not any(given.unpack.glob("*.tar")):
        sys.exit(f"{given.unpack} has no archives; `make gpu-run` makes them")
    if given.weights and not given.weights.is_file():
        sys.exit(f"there is no {given.weights}; `make gpu-prepare` writes it")
    if given.weights and sha256(given.weights) != OXFORD_SHA256:
        sys.exit(f"{given.weights} is not what `make gpu-prepare` writes")


def results_of(given: argparse.Namespace) -> Path:
    """Return where tables of the plan go."""
    results = given.folder / "results" if given.toy else given.results
    return results / given.plan


def tasks_of(given: argparse.Namespace, home: Path) -> list[Task]:
    """Return what is to be done, group by group.

    Raises:
        SystemExit: for a group or question that the plan lacks, or a picture
            that is not there.
    """
    groups = {"cpu": cpu_plan, "gpu": gpu_plan}[given.plan]()
    known = {name for g in groups for name in (g.name, *questions(g))}
    if unknown := set(given.only) - known:
        sys.exit(f"no {', '.join(unknown)}; there are {sorted(known)}")
    tasks, tables = [], results_of(given)
    made = made_before(tables)
    for group in groups:
        folder = home / group.name
        settings = [runnable(r | group.common, given) for r in group.runs]
        runs = planned(settings)
        wanted = [
            planned_run
            for planned_run, run in zip(runs, group.runs, strict=True)
            if not given.only
            or {group.name, question(group, run)} & set(given.only)
        ]
        has_table = wanted and (tables / f"{group.name}.csv").exists()
        kept = stored(wanted, folder)
        if not given.stored:
            only_rows = made.keys() - {run.key for run in kept}
            kept = [run for run in wanted if run.key not in only_rows]
        if kept or has_table:
            tasks.append(Task(group, runs, kept, folder))
    return tasks


def questions(group: Group) -> list[str]:
    """Return the questions of a group, each once, as --only takes them."""
    return list(dict.fromkeys(question(group, run) for run in group.runs))


def question(group: Group, run: Settings) -> str:
    """Return which question of a group a run answers, as in 08:single."""
    name = run["label"].partition(":")[0].replace(" ", "_")
    return f"{group.name}:{name}"


def runnable(run: Settings, given: argparse.Namespace) -> Settings:
    """Return a run with what the command line changes in it.

    Raises:
        SystemExit: for a picture that is not in the folder.
    """
    if given.photos:
        for kind in ("content", "style"):
            path = given.photos / f"{run[kind]}.png"
            if not path.is_file():
                sys.exit(f"there is no {path}; `make gpu-prepare` writes it")
            run[kind] = path
    if given.plan == "gpu":
        run["weights"] = "oxford"  # the only ones that travel
    return toy(run) if given.toy else run


def toy(run: Settings) -> Settings:
    """Return a run that takes no time."""
    kept = {k: v for k, v in run.items() if k not in ("size", "style_size")}
    style = {"style_size": 40} if "style_size" in run else {}
    return {**kept, "schedule": TOY, **style}


def make(
    task: Task, given: argparse.Namespace, executor: Executor | None
) -> str:
    """Make or measure a group's runs and return how it went."""
    began = time.monotonic()
    own = {"weights": str(given.weights)} if given.weights else {}
    rows = sweep_rows(
        None,
        None,
        [run.settings | own for run in task.wanted],
        folder=task.folder,
        metrics=None if given.bare else compare,
        executor=executor,
        progress=True,
    )
    failed = sum(bool(row["error"]) for row in rows)
    return (
        f"{task.group.name}: {len(rows)} runs, {failed} failed, "
        f"{time.monotonic() - began:.0f} s"
    )


def forecast(task: Task, workers: int) -> str:
    """Return how many runs are to be made and the minutes of a CPU's."""
    every = {run.key: run for run in task.wanted}
    todo = every.keys() - {r.key for r in stored(task.wanted, task.folder)}
    work = sum(work_of(every[key].settings) for key in todo)
    minutes = work * SECONDS_OF_WORK / 60 / max(workers, 1)
    text = f"{task.group.name}: {len(todo)} of {len(every)} runs to make"
    return text + (f", about {minutes:.0f} minutes" if workers else "")


def files_of(tasks: Sequence[Task]) -> list[Path]:
    """Return the stored files of what is wanted, a run's side by side."""
    paths = [
        task.folder / f"{run.key}{suffix}"
        for task in tasks
        for run in task.wanted
        for suffix in (".png", ".json")
    ]
    return [path for path in dict.fromkeys(paths) if path.exists()]


@contextmanager
def repeated(act: Callable[[], None], every: float) -> Iterator[None]:
    """Do something again and again meanwhile, and once at the end."""
    ended = Event()

    def go_on() -> None:
        while not ended.wait(every):
            act()

    thread = Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        act()


@contextmanager
def workers(count: int) -> Iterator[Executor | None]:
    """Give a pool of so many processes with a thread each; None for 0."""
    if count == 0:
        yield None
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=end_with_parent
    ) as pool:
        yield pool


def end_with_parent() -> None:
    """Let this worker end as soon as the process that made it is killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("plan", choices=["cpu", "gpu"])
    option = made.add_argument
    option("--only", nargs="*", default=[], metavar="GROUP[:QUESTION]")
    option("--folder", type=Path, default=ROOT / "recorded")
    option("--results", type=Path, default=ROOT / "notebooks" / "results")
    option("--photos", type=Path, help="a folder with all pictures, NAME.png")
    option("--weights", type=Path, help="the file with VGG-19's weights")
    option("--bare", action="store_true", help="measure and publish nothing")
    option("--stored", action="store_true", help="make no run, but measure")
    option("--toy", action="store_true", help="48 pixels, 2 evaluations")
    option("--workers", type=int, default=0, help="with a thread each")
    option("--archive", type=Path, help="a folder for archives of the runs")
    option("--unpack", type=Path, help="a folder with archives to begin from")
    option("--every", type=float, default=60, help="seconds to a handing on")
    return made


if __name__ == "__main__":
    main()
