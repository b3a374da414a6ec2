"""Grids of runs over layers, weights, pictures, anything: `sweep`.

Six runs, of which each is stored:

    table = sweep(
        "chelsea",
        "night",
        {"beta": [0.1, 1, 10], "pooling": ["max", "average"]},
        folder="results",
        size=256,
        evaluations=120,
    )

Each run is stored as it finishes, so a sweep that was stopped or killed
goes on where it was, and of a changed sweep only what is new is run. With
as many threads on the same machine it ends in the same table, seconds apart,
and the same pictures as one that was left alone.
"""

import csv
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from styletut.cores.threads import check_threads
from styletut.metrics import compare
from styletut.sweeps.grids import Choices, grid, job_of, reader, shown
from styletut.sweeps.jobs import Job, Metrics, Outcome, spelled
from styletut.sweeps.store import (
    StoredRun,
    read_picture_of,
    read_record,
    write_record,
)
from styletut.sweeps.workers import outcomes
from styletut.transfer.checkpoint import SUFFIX

Row = dict[str, Any]


class FailedRuns(UserWarning):
    """Some runs of a sweep failed; the column `error` says why."""


def sweep(
    content: Any,
    style: Any,
    settings: Mapping[str, Sequence[Any]] | Sequence[Choices],
    *,
    folder: str | os.PathLike[str] | None = None,
    metrics: Metrics | None = compare,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    **common: Any,
) -> Any:
    """Run a grid or a list of settings and return a table.

    Args:
        content: the content picture: a sample's name, a path or URL, a
            tensor (1, 3, H, W) in [0, 1], or anything that `load_image`
            reads; None where the settings name it.
        style: the style picture, likewise.
        settings: name -> values, of which every combination is run, the
            last name changing fastest; or a list of settings. Names are
            those of `stylize`; `weights`, `pooling` and `normalize` of the
            network; `content` and `style` for other pictures; and `label`,
            which only names a row.
        folder: where the runs are kept, one PNG for each with settings and
            results in its text fields, and all rows in results.csv; a new
            temporary folder if not given. Sweeps can share a folder, and
            then each run's PNG; results.csv is the latest sweep's. In a
            folder that was given a run that is stopped or killed keeps its
            place, too, as `stylize` does by a checkpoint.
        metrics: takes the result, the content and the style picture, both
            at the size they were used at, and returns numbers by name; None
            for none. Metrics are computed from the stored picture, so that
            others can be asked for later and no run is repeated.
        executor: where to run: any of `concurrent.futures`, such as
            `ProcessPoolExecutor(4, mp_context=get_context("spawn"))`, or
            one with that interface, such as that of `dask.distributed`,
            `Client(...).get_executor()`, or mpi4py's `MPIPoolExecutor`.
            Workers need no common folder: the pictures go there and back.
            Runs lost with a worker are sent again. By default here, one
            after another.
        threads: of torch in each run. By default those that are set here,
            and one in an executor: several processes with more threads
            than cores get in each other's way.
        progress: whether to show a bar; by default on a terminal only.
        **common: settings that all runs share.

    Returns:
        A pandas DataFrame, a row for each run in the order of the settings:
        the settings; `content_term`, `style_term`, `tv_term` and `total` as
        the run's own convention has them; `width`, `height`,
        `evaluations_done`, `stopped`, `seconds`, `threads` and `ran_on`;
        the metrics; `error`, empty for a run that went well; `picture`, the
        PNG's path.

    Raises:
        ValueError: for a setting that does not exist, or is given twice.
        ImageError: for a picture that cannot be read.
        KeyboardInterrupt: what is finished is kept.

    Warns:
        FailedRuns: if runs failed; the others are not affected.
    """
    import pandas as pd

    rows = sweep_rows(
        content,
        style,
        settings,
        folder=folder,
        metrics=metrics,
        executor=executor,
        threads=threads,
        progress=progress,
        **common,
    )
    return pd.DataFrame(rows, columns=columns(rows))


def sweep_rows(
    content: Any,
    style: Any,
    settings: Mapping[str, Sequence[Any]] | Sequence[Choices],
    *,
    folder: str | os.PathLike[str] | None = None,
    metrics: Metrics | None = compare,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    **common: Any,
) -> list[Row]:
    """Do as `sweep` does, without pandas: return the table's rows.

    Arguments, errors and warnings are those of `sweep`.

    Returns:
        For each run a mapping from the columns that it has to their values.
    """
    chosen = grid(settings, common)
    if threads is not None:
        check_threads(threads)
        threads = int(threads)
    if executor is not None and threads is None:
        threads = 1
    home = Path(
        os.path.expanduser(folder or tempfile.mkdtemp(prefix="styletut-"))
    )
    home.mkdir(parents=True, exist_ok=True)
    kept = home.resolve() if folder else None
    read = reader()
    for picture in (content, style):
        if picture is not None:
            read(picture)  # one that cannot be read ends it here
    runs = [{"content": content, "style": style, **each} for each in chosen]
    jobs = [job_of(run, read, metrics, threads) for run in runs]
    todo = {job.key: job for job in jobs if isinstance(job, Job)}
    results: dict[str, Row] = {}
    try:
        with closing(_run(todo, home, kept, executor, progress)) as finished:
            for key, result in finished:
                results[key] = result
    finally:
        rows = [
            {
                **{name: shown(name, value) for name, value in run.items()},
                **_result_of(job, results),
            }
            for run, job in zip(runs, jobs, strict=True)
        ]
        _write_table(rows, home / "results.csv")
    _tell_failures(rows)
    return [row | _with_folder(row, home) for row in rows]


def _run(
    jobs: Mapping[str, Job],
    home: Path,
    kept: Path | None,
    executor: Executor | None,
    progress: bool | None,
) -> Generator[tuple[str, Row], None, None]:
    """Yield each run's key and results; run, measure, store what is new."""
    todo = []
    for key, job in jobs.items():
        path = home / f"{key}.png"
        record, name = read_record(path), _name(job.metrics)
        if record is None:
            file = None if kept is None else str(kept / f"{key}{SUFFIX}")
            todo.append(replace(job, checkpoint=file))
        elif job.metrics and name not in record.measures:
            todo.append(replace(job, picture=read_picture_of(path)))
        else:
            yield key, _finished(record, record.measures.get(name, {}), path)
    with _bar(len(jobs), len(jobs) - len(todo), progress) as bar:
        for job, outcome in outcomes(todo, executor):
            yield job.key, _kept(job, outcome, home / f"{job.key}.png")
            if bar is not None:
                bar.update()


def _kept(job: Job, outcome: Outcome, path: Path) -> Row:
    """Store what came of a job and return its results."""
    if outcome.picture is None:
        return {"error": outcome.error, "picture": ""}
    record = StoredRun(outcome.text, outcome.results)
    if job.picture is not None:
        record = read_record(path) or record
    if outcome.measures and (name := _name(job.metrics)):
        measures = {**record.measures, name: outcome.measures}
        record = replace(record, measures=measures)
    write_record(path, outcome.picture, record)
    return _finished(record, outcome.measures, path, outcome.error)


def _finished(
    record: StoredRun, measures: Choices, path: Path, error: str = ""
) -> Row:
    return {**record.results, **measures, "error": error, "picture": path.name}


def _result_of(job: Job | str, results: Mapping[str, Row]) -> Row:
    if isinstance(job, str):
        return {"error": job, "picture": ""}
    return results.get(job.key, {"error": "not run", "picture": ""})


def _name(metrics: Metrics | None) -> str:
    """Return what metrics are stored under, or "" if they have no name."""
    if isinstance(metrics, partial):
        inner = _name(metrics.func)
        return inner and f"{inner} {metrics.args} {metrics.keywords}"
    return spelled(metrics)


def columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of all columns: settings, results, error, picture."""
    last = ("error", "picture")
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if name not in last] + list(last)


def _write_table(rows: Sequence[Row], path: Path) -> None:
    """Write all rows at once, so that the file is never half a table."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns(rows), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text.getvalue(), encoding="utf-8")
    part.replace(path)


def _with_folder(row: Row, home: Path) -> Row:
    return {"picture": str(home / row["picture"]) if row["picture"] else ""}


def _tell_failures(rows: Sequence[Row]) -> None:
    if failed := [row["error"] for row in rows if row["error"]]:
        warnings.warn(
            f"{len(failed)} of {len(rows)} runs failed, and the column "
            f"'error' says why; the first: {failed[0]}",
            FailedRuns,
            stacklevel=3,
        )


def _bar(total: int, done: int, progress: bool | None) -> Any:
    """Return a bar over the runs as a context manager, or one of None."""
    if sys.stderr.isatty() if progress is None else progress:
        with suppress(ModuleNotFoundError):
            from tqdm.auto import tqdm

            return tqdm(total=total, initial=done, unit="run")
    return nullcontext()
