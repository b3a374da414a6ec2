"""Jobs and executors of all kinds, with pretended work."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

from styletut.sweeps import workers
from styletut.sweeps.jobs import Job, Outcome
from styletut.sweeps.workers import TRIES, outcomes

BLACK = np.zeros((1, 1, 3), np.uint8)
JOBS = [Job(name, BLACK, BLACK, {}) for name in "abc"]


@pytest.fixture(autouse=True)
def worked(monkeypatch):
    """The keys of the jobs that were done, in order."""
    keys = []

    def work(job):
        keys.append(job.key)
        return Outcome(text={"key": job.key})

    monkeypatch.setattr(workers, "work", work)
    return keys


class Pretended(Executor):
    """Does a job at once, or loses it with one of the given errors."""

    def __init__(self, losses=(), refuses_after=None):
        self.losses = list(losses)
        self.taken = []
        self.refuses_after = refuses_after

    def submit(self, work, job):
        if len(self.taken) == self.refuses_after:
            raise RuntimeError("cannot schedule new futures")
        self.taken.append(job.key)
        future = Future()
        loss = self.losses.pop(0) if self.losses else None
        if loss is None:
            future.set_result(work(job))
        elif isinstance(loss, BaseException):
            future.set_exception(loss)
        else:
            future.cancel()
            future.set_running_or_notify_cancel()
        return future


def done(executor):
    found = {job.key: outcome for job, outcome in outcomes(JOBS, executor)}
    assert sorted(found) == ["a", "b", "c"]
    for key, outcome in found.items():
        assert outcome.error or outcome.text == {"key": key}
    return {key: outcome.error for key, outcome in found.items()}


def test_without_an_executor_jobs_are_done_here_in_order(worked):
    assert set(done(None).values()) == {""}
    assert worked == ["a", "b", "c"]


def test_an_executor_does_each_job_once(worked):
    with ThreadPoolExecutor(2) as executor:
        assert set(done(executor).values()) == {""}
    assert sorted(worked) == ["a", "b", "c"]


@pytest.mark.parametrize("loss", [OSError("gone"), "cancelled"])
def test_a_lost_job_is_sent_again(worked, loss):
    executor = Pretended([None, loss, None, loss])
    assert set(done(executor).values()) == {""}
    assert executor.taken == ["a", "b", "c", "b", "b"]
    assert sorted(worked) == ["a", "b", "c"]


def test_a_job_that_is_always_lost_is_given_up(worked):
    losses = [OSError(f"gone {n}") for n in range(TRIES + 2)]
    executor = Pretended([None, None, *losses])
    errors = done(executor)
    assert errors == {
        "a": "",
        "b": "",
        "c": f"lost {TRIES} times: OSError: gone {TRIES - 1}",
    }
    assert executor.taken.count("c") == TRIES
    assert worked == ["a", "b"]


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_what_an_executor_refuses_is_done_here(worked, taken):
    executor = Pretended(refuses_after=taken)
    with pytest.warns(UserWarning, match=f"{3 - taken} runs are done here"):
        assert set(done(executor).values()) == {""}
    assert len(executor.taken) == taken
    assert sorted(worked) == ["a", "b", "c"]


def test_a_broken_executor_gives_back_what_it_had(worked):
    executor = Pretended([None, OSError(), OSError()], refuses_after=3)
    with pytest.warns(UserWarning, match="2 runs are done here"):
        assert set(done(executor).values()) == {""}
    assert sorted(worked) == ["a", "b", "c"]


def test_an_interrupted_worker_interrupts():
    executor = Pretended([KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        list(outcomes(JOBS, executor))


def test_closing_takes_back_what_has_not_begun():
    class Slow(Executor):
        futures = ()

        def submit(self, work, job):
            self.futures = (*self.futures, Future())
            if len(self.futures) == 1:
                self.futures[0].set_result(work(job))
            return self.futures[-1]

    executor = Slow()
    running = outcomes(JOBS, executor)
    job, _ = next(running)
    assert job.key == "a"
    running.close()
    assert [future.cancelled() for future in executor.futures[1:]] == [
        True,
        True,
    ]
