"""Jobs done here or by an executor, whatever becomes of its workers.

`sweeps.jobs.work` lets no error of a run out. What comes out of an executor's
future instead of an outcome is therefore the executor's own: a worker was
killed, a pool is broken, a machine is gone, the job could not be sent.
"""

import warnings
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from styletut.sweeps.jobs import Job, Outcome, in_a_line, work

TRIES = 3
"""How often a job is sent to an executor before it is given up: it may be
the job itself that takes its workers down."""

Done = tuple[Job, Outcome]


def outcomes(jobs: Sequence[Job], executor: Executor | None) -> Iterator[Done]:
    """Yield each job with its outcome as it is done, in any order.

    A job that was lost is sent again. An executor that takes no jobs
    anymore, as a `ProcessPoolExecutor` once one of its workers was killed,
    cannot be mended: what is left is then done here, one after another,
    where it has the memory of the machine to itself.

    Closing the generator takes back the jobs that have not begun.

    Raises:
        KeyboardInterrupt: if this process or a worker was interrupted.
    """
    if executor is not None:
        jobs = yield from _sent(jobs, executor)
        if jobs:
            warnings.warn(
                f"the executor takes no more jobs; {len(jobs)} runs are done "
                "here, one after another. Interrupt and call again with a "
                "new executor to go on there: what is finished is kept",
                stacklevel=2,
            )
    for job in jobs:
        yield job, work(job)


def _sent(
    jobs: Sequence[Job], executor: Executor
) -> Generator[Done, None, list[Job]]:
    """Let an executor do jobs; return those that it did not take."""
    waiting, accepts = list(jobs), True
    pending: dict[Future[Outcome], Job] = {}
    tries: Counter[str] = Counter()
    try:
        while pending or (waiting and accepts):
            while waiting and accepts:
                try:
                    pending[executor.submit(work, waiting[0])] = waiting[0]
                except Exception:  # each kind of executor has its own
                    accepts = False
                else:
                    del waiting[0]
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                job = pending.pop(future)
                loss = _loss(future)
                tries[job.key] += 1
                if loss is None:
                    yield job, future.result()
                elif accepts and tries[job.key] == TRIES:
                    yield job, Outcome(error=f"lost {TRIES} times: {loss}")
                else:
                    waiting.append(job)
    finally:
        for future in pending:
            future.cancel()
    return waiting


def _loss(future: Future[Outcome]) -> str | None:
    """Return why a job that has ended has no outcome, or None if it has."""
    if future.cancelled():
        return "the executor cancelled it"
    error = future.exception()
    if isinstance(error, KeyboardInterrupt):
        raise error
    return None if error is None else in_a_line(error)
