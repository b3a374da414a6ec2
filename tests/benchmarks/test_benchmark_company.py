"""The benchmark of company at toy size: no clock is compared with another."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from styletut.cores.waiting import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import company  # noqa: E402
import inputs as bench_inputs  # noqa: E402
import measurements  # noqa: E402

LINUX = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="it is for Linux"
)
RUN = {
    "program": "styletut",
    "what": "an evaluation",
    "policy": "styletut's",
    "pixels": "32",
    "threads": "1",
    "evaluations": "1",
    "limit": "100",
    "repeat": "1",
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return bench_inputs.write_inputs(tmp_path_factory.mktemp("inputs"), 32)


@pytest.fixture(autouse=True)
def package(monkeypatch):
    """Let processes of their own find this package and no other."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def row(alone="1.0", busy="2.0", three="3.0", **others):
    made = {"version": "1", "machine": "A", "date": "today"}
    return RUN | made | {"alone": alone, "busy": busy, "three": three} | others


@LINUX
@pytest.mark.parametrize("what", company.WHAT)
def test_all_company_is_measured(pictures, what):
    found = company.MEASURE[what](RUN | {"what": what}, pictures)
    assert list(found) == list(company.COMPANY)
    assert all(float(seconds) > 0 for seconds in found.values())


@LINUX
def test_three_are_measured_while_all_compute(pictures):
    """One that is ready goes on: the next line comes to a worker at work."""
    worker = company.Worker(pictures, company.environment(RUN))
    with company.ending(worker.process):
        assert worker.answer(100) == "ready"
        for _ in range(2):
            worker.tell(json.dumps([1, 100]))
            assert float(worker.answer(100)) > 0
        assert worker.answer(0) == ""
        worker.tell(company.Worker.REST)
        worker.tell(json.dumps([2, 100]))
        assert float(worker.answer(100)) > 0


@LINUX
def test_what_has_not_come_in_time_is_broken_off(pictures):
    late = RUN | {"limit": "0"}
    assert company._run_at_once(1, late, pictures) == ""
    worker = company.Worker(pictures, company.environment(RUN))
    with company.ending(worker.process):
        assert company._timed([worker], json.dumps([1, 1]), 0) == ""
    assert worker.process.returncode is not None


@LINUX
def test_a_failure_ends_it(pictures, capfd):
    nowhere = bench_inputs.Inputs("nowhere.png", "nowhere.png")
    with pytest.raises(SystemExit, match=r"failed: -m styletut nowhere\.png"):
        company._run_at_once(1, RUN, nowhere)
    with pytest.raises(SystemExit, match="a worker has failed"):
        company.evaluations(RUN, nowhere)
    assert "nowhere.png" in capfd.readouterr().err


def test_the_busy_process_ends_with_its_use():
    with company.busy_core() as process:
        assert process.poll() is None
    assert process.returncode is not None


def test_of_the_users_variables_none_decides(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "ACTIVE")
    monkeypatch.setenv("KEPT", "yes")
    for policy, chosen in company.POLICIES.items():
        found = company.environment(RUN | {"policy": policy})
        assert {k: v for k, v in found.items() if k in VARIABLES} == chosen
        assert found["OMP_NUM_THREADS"] == "1"
        assert found["KEPT"] == "yes"


def test_policies_take_turns_and_command_lines_have_the_first(
    tmp_path, monkeypatch
):
    started = []

    def measured(run, pictures):
        started.append((run["what"], run["policy"]))
        return {"alone": "2.0", "busy": "3.0", "three": "8.0"}

    monkeypatch.setattr(
        company, "MEASURE", dict.fromkeys(company.WHAT, measured)
    )
    arguments = Namespace(
        sizes=[32],
        run_sizes=[64],
        run_evaluations=30,
        policies=["styletut's", "passive"],
        threads=2,
        evaluations=3,
        repeats=2,
        limit=60,
        results=tmp_path,
    )
    company.measure_all(arguments)
    turn = [("an evaluation", p) for p in arguments.policies]
    line = ("a command line", "styletut's")
    assert started == turn * 2 + [line] * 2
    assert len(measurements.read(tmp_path / "company.csv")) == 6
    text = (tmp_path / "company.md").read_text()
    assert "| a command line | 64 | 2 | styletut's | 2.000 (2" in text
    company.measure_all(arguments)
    assert len(started) == 6  # all are there


def test_ratios_are_those_of_what_was_measured_together():
    rows = [row("1", "2", "3"), row("2", "8", "7"), row("4", "12", "4")]
    (line,) = company.table(rows)
    assert line[:4] == ["an evaluation", "32", "1", "styletut's"]
    assert line[4] == "2.000 (1.000 to 4.000)"
    assert (line[6], line[8]) == ("3.00", "3.00")


def test_what_was_broken_off_is_more_than_the_limit():
    (line,) = company.table([row(three=""), row()])
    assert line[5:] == ["2.000 (2.000 to 2.000)", "2.00", "> 100", ""]
    (line,) = company.table([row(alone="")])
    assert line[4:7] == ["> 100", "2.000", ""]
