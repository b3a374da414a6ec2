"""What other programs on the same cores cost, by how threads wait.

    python benchmarks/company.py [--sizes 96 256 512] [--repeats 3]

Threads that share a convolution wait for one another. Those that keep their
core busy meanwhile lose little alone, and take it from others in company.
Measured is, in each policy of `POLICIES`,

- an evaluation, as `side_by_side.py` has it, with a thread for each core:
  alone; while another process keeps one core busy; three at once;
- a command line, `styletut PHOTO STYLE`, its start included, in the same
  company.

The three of a row are measured one after another in one go, and policies take
turns, so their ratios hold on a machine whose speed changes. What has not
come after a limit of seconds is broken off, and stands as "> 120". Every row
is stored in company.csv as it is made; started again, the benchmark goes on
where it was. Run it on a quiet Linux machine.
"""

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from threading import Thread
from types import MappingProxyType
from typing import TypeAlias

from inputs import Inputs, write_inputs
from machine import folder_name
from measurements import MADE, Row, complete, publish
from tables import markdown, measured_on, middle, spread

from styletut.cores.allowed import allowed
from styletut.cores.waiting import CHOSEN, VARIABLES

RESULTS = Path(__file__).parent / "results"
RUN = (
    *("program", "what", "policy", "pixels", "threads"),
    *("evaluations", "limit", "repeat"),
)
COMPANY = ("alone", "busy", "three")
COLUMNS = (*RUN, *COMPANY, *MADE)

POLICIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "styletut's": dict([CHOSEN]),
        "torch's own": {"GOMP_SPINCOUNT": "300000"},
        "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
        **{
            f"{count} rounds": {"GOMP_SPINCOUNT": str(count)}
            for count in (100, 300, 3000, 10000)
        },
    }
)
"""Variables that say how threads wait. What torch's library has where nothing
is said are 300000 rounds: so they are written, for the command line, which
would choose if nothing were said."""

WHAT = ("an evaluation", "a command line")
AT_ONCE = 3

Process: TypeAlias = "subprocess.Popen[str]"

NOTES = """\
Medians of the repeats, with the lowest and the highest. An evaluation is one
value and gradient, the median of several; a command line is its seconds from
start to end, and three at once end with the last of them. "Busy" is beside a
process that computes on one core all the time. The ratios are medians, too,
each of what was measured together.
"""


def work(pictures: Inputs) -> None:
    """Evaluate as the lines on stdin say, and answer each with a line.

    A line is how many evaluations are to be timed, and in how many seconds.
    After these it goes on, as company for others, until the next line.
    """
    from programs import by_styletut

    lines: SimpleQueue[str] = SimpleQueue()
    evaluation = by_styletut(pictures)()
    evaluation()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)  # whoever listened is gone

    Thread(target=listen, daemon=True).start()
    print("ready", flush=True)
    line = lines.get()
    while True:
        count, limit = json.loads(line)
        seconds: list[float] = []
        while len(seconds) < count and sum(seconds) < limit:
            began = time.perf_counter()
            evaluation()
            seconds.append(time.perf_counter() - began)
        if seconds:
            print(f"{median(seconds):.5f}", flush=True)
        line = _next(lines, evaluation if seconds else None)


def _next(lines: "SimpleQueue[str]", evaluation: object) -> str:
    """Return the next line; evaluate until it is there, or rest."""
    while callable(evaluation):
        try:
            return lines.get_nowait()
        except Empty:
            evaluation()
    return lines.get()


class Worker:
    """A process of its own that evaluates when it is told to."""

    REST = json.dumps([0, 0])

    def __init__(
        self, pictures: Inputs, environment: Mapping[str, str]
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", *pictures],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def tell(self, line: str) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def answer(self, seconds: float) -> str:
        """Return the next line, "" if it has not come after so long.

        Raises:
            SystemExit: if the process has ended.
        """
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return ""
        if line := self.process.stdout.readline():
            return line.strip()
        sys.exit("a worker has failed, as told above")


@contextmanager
def ending(process: Process) -> Iterator[Process]:
    """Let no process outlive its use."""
    with process:  # which closes its pipes and waits for it
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def busy_core() -> Iterator[Process]:
    """Keep one core busy, by a process that computes all the time."""
    words = [sys.executable, "-c", "while True: pass"]
    with ending(subprocess.Popen(words, text=True)) as process:
        yield process


def environment(run: Row) -> dict[str, str]:
    """Return the variables of a run, of the user's none that decide."""
    kept = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    threads = {"OMP_NUM_THREADS": run["threads"]}
    return kept | threads | dict(POLICIES[run["policy"]])


def evaluations(run: Row, pictures: Inputs) -> dict[str, str]:
    """Measure an evaluation alone, beside a busy core, and three at once."""
    limit = int(run["limit"])
    order = json.dumps([int(run["evaluations"]), limit / 4])
    found = {}
    with ExitStack() as stack:
        workers = [Worker(pictures, environment(run)) for _ in range(AT_ONCE)]
        for each in workers:
            stack.enter_context(ending(each.process))
        for each in workers:
            if not each.answer(3 * limit):
                sys.exit("a worker does not come to its first evaluation")
        found["alone"] = _timed(workers[:1], order, limit)
        with busy_core():
            found["busy"] = _timed(workers[:1], order, limit)
        found["three"] = _timed(workers, order, limit)
    return found


def _timed(workers: Sequence[Worker], order: str, limit: int) -> str:
    """Return the median seconds of workers at once, "" beyond the limit."""
    for each in workers:
        each.tell(order)
    until = time.monotonic() + limit
    answers = [
        each.answer(max(0.0, until - time.monotonic())) for each in workers
    ]
    for each in workers:
        each.tell(Worker.REST)
    if "" in answers:
        return ""
    return f"{median(map(float, answers)):.5f}"


def command_lines(run: Row, pictures: Inputs) -> dict[str, str]:
    """Measure a command line alone, beside a busy core, and three at once."""
    found = {"alone": _run_at_once(1, run, pictures)}
    with busy_core():
        found["busy"] = _run_at_once(1, run, pictures)
    found["three"] = _run_at_once(AT_ONCE, run, pictures)
    return found


def _run_at_once(count: int, run: Row, pictures: Inputs) -> str:
    """Return the seconds until all have ended, "" beyond the limit.

    Raises:
        SystemExit: if one of them fails.
    """
    schedule = f"{run['pixels']}:{run['evaluations']}"
    words = [sys.executable, "-m", "styletut", *pictures]
    words += ["--device", "cpu", "--schedule", schedule]
    began = time.monotonic()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        processes = [
            subprocess.Popen(
                [*words, "-o", str(Path(folder) / f"{number}.png")],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(run),
                text=True,
            )
            for number in range(count)
        ]
        for each in processes:
            stack.enter_context(ending(each))
        until = began + int(run["limit"])
        try:
            for each in processes:
                each.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return ""
        seconds = time.monotonic() - began
        if any(each.returncode for each in processes):
            sys.exit(f"failed: {' '.join(words[1:])}")
    return f"{seconds:.3f}"


MEASURE = dict(zip(WHAT, (evaluations, command_lines), strict=True))


def planned(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Return all runs in their order: policies take turns."""
    every, first = arguments.policies, arguments.policies[:1]
    evaluation, line = WHAT
    return [
        {
            "program": "styletut",
            "what": what,
            "policy": policy,
            "pixels": str(size),
            "threads": str(arguments.threads),
            "evaluations": str(evaluations),
            "limit": str(arguments.limit),
            "repeat": str(repeat),
        }
        for what, sizes, evaluations, policies in (
            (evaluation, arguments.sizes, arguments.evaluations, every),
            (line, arguments.run_sizes, arguments.run_evaluations, first),
        )
        for size in sizes
        for repeat in range(1, arguments.repeats + 1)
        for policy in policies
    ]


def measure(run: Row, folder: Path) -> dict[str, str]:
    """Measure one policy in all company."""
    pictures = write_inputs(folder, int(run["pixels"]))
    return MEASURE[run["what"]](run, pictures)


def measure_all(arguments: argparse.Namespace) -> None:
    """Measure what is not there yet, and write rows and tables."""
    path = arguments.results / "company.csv"
    runs = planned(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = complete(
            path, COLUMNS, runs, lambda run, _: measure(run, Path(folder))
        )
    publish(path, document(rows))


def document(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown page with the machine's description."""
    header = (
        *("what", "pixels", "threads", "threads wait", "seconds alone"),
        *("one core busy", "of alone", "three at once", "of alone"),
    )
    body = markdown(header, table(rows))
    return f"# In company\n\n{measured_on(rows)}\n{NOTES}\n{body}"


def table(rows: Sequence[Row]) -> list[list[str]]:
    """Return a line of medians and ratios for each policy and size."""
    keys = ("what", "pixels", "threads", "policy")
    cells: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [
        [
            *key,
            _seconds(own, "alone"),
            _seconds(own, "busy"),
            _of_alone(own, "busy"),
            _seconds(own, "three"),
            _of_alone(own, "three"),
        ]
        for key, own in cells.items()
    ]


def _seconds(rows: Sequence[Row], company: str) -> str:
    """Return seconds with their spread, or what they are more than."""
    if beyond := [row["limit"] for row in rows if not row[company]]:
        return f"> {beyond[0]}"
    return spread(rows, company, 3)


def _of_alone(rows: Sequence[Row], company: str) -> str:
    """Return the median of what company costs, in units of alone."""
    if any(not row[each] for row in rows for each in ("alone", company)):
        return ""
    ratios = [
        {"ratio": str(float(row[company]) / float(row["alone"]))}
        for row in rows
    ]
    return f"{middle(ratios, 'ratio'):.2f}"


def main() -> None:
    """Measure all policies, store rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 256, 512])
    parser.add_argument(
        *("--policies", "--policy"),
        nargs="+",
        choices=POLICIES,
        default=list(POLICIES),
        help="the command line is measured in the first",
    )
    parser.add_argument("--threads", type=int, default=allowed().number)
    parser.add_argument("--evaluations", type=int, default=15)
    parser.add_argument("--run-sizes", type=int, nargs="+", default=[96, 256])
    parser.add_argument("--run-evaluations", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--limit", type=int, default=120, help="seconds of one measurement"
    )
    parser.add_argument(
        "--results", type=Path, help="folder to store in, not this machine's"
    )
    parser.add_argument(
        "--worker", nargs=2, metavar="PICTURE", help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.worker:
        work(Inputs(*arguments.worker))
        return
    arguments.results = arguments.results or RESULTS / folder_name()
    measure_all(arguments)


if __name__ == "__main__":
    main()
