"""Seconds and evaluations to the value that pastiche reaches.

    python benchmarks/to_value.py [--sizes 128] [--repeats 3]

pastiche 1.6.0 makes 300 evaluations from the content picture, and this
package, in its default way (coarse to fine, pixels held in range), runs on
the same objective until a picture of full size is as good: its total is at
or below that of pastiche's last picture. That value is computed by one and
the same float32 function, this package's `Objective` in pastiche's
convention, of pastiche's picture as it is, with pixels out of range, which
favors it; the table has the value of the same picture cut to the range, too.

The clock runs from the pictures and the network in memory to the last
picture: targets and coarse sizes are on it. pastiche makes its targets where
it loads the network, so their seconds are taken there and added.

Each run is a fresh process, stored as it ends, as a row of to_value.csv in
the folder of this machine under benchmarks/results; started again, the
benchmark goes on where it was. For the other programs the table has pastiche's
evaluations times their median seconds, out of side_by_side.csv, without the
work of the optimizer, which is the same as pastiche's (torch's L-BFGS without
bounds): an estimate, on the assumption that they need as many. Run it on a
quiet Linux machine.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from inputs import Inputs, write_inputs
from machine import folder_name, last_line_of
from measurements import MADE, Row, complete, publish, read
from programs import PROGRAMS, here
from runs import run_pastiche, run_styletut
from tables import markdown, measured_on, middle, ratio, spread

RESULTS = Path(__file__).parent / "results"
RUN = ("program", "pixels", "threads", "budget", "repeat")
COLUMNS = (
    *RUN,
    "seconds",
    "evaluations",
    "sizes",
    "value",
    "clipped_value",
    "target",
    "bytes",
    *MADE,
)
RUNNING = (
    "pastiche",
    "styletut",
    "styletut bfloat16",
)  # in this order: the first sets the value

NOTES = """\
Seconds and evaluations from the content picture to the value of the objective
that pastiche's picture has after its evaluations; medians of the repeats, with
the lowest and the highest. The value is that of the last picture, by one
float32 function; pastiche's pixels leave the range [0, 1], and "cut" is the
value of its picture cut to the range. Evaluations of this package count at
every size, and "of which" says how many at which size. MB is the peak of the
whole run, optimizer included, less what importing took. Lines with ~ are
estimates: pastiche's evaluations times the program's seconds an evaluation,
without the work of the optimizer.
"""


def work(arguments: argparse.Namespace) -> None:
    """Run one program in this process and print what it did as JSON."""
    torch.set_num_threads(arguments.threads)
    inputs = Inputs(*arguments.pictures)
    if arguments.worker == "pastiche":
        found = run_pastiche(inputs, arguments.budget)
    else:
        precision = "bfloat16" if "bfloat16" in arguments.worker else "float32"
        found = run_styletut(
            inputs, arguments.budget, arguments.target, precision
        )
    found["seconds"] = f"{found['seconds']:.3f}"
    print(json.dumps({key: str(entry) for key, entry in found.items()}))


def planned(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Return all runs in their order: the two programs take turns."""
    return [
        {
            "program": program,
            "pixels": str(size),
            "threads": str(arguments.threads),
            "budget": str(arguments.budget),
            "repeat": str(repeat),
        }
        for size in arguments.sizes
        for repeat in range(1, arguments.repeats + 1)
        for program in here(RUNNING)
    ]


def measure(run: Row, rows: Sequence[Row], folder: Path) -> dict[str, str]:
    """Run one program in a fresh process.

    Args:
        run: which.
        rows: of the runs before, pastiche's of the same repeat among them.
        folder: for the pictures.
    """
    inputs = write_inputs(folder, int(run["pixels"]))
    words = ["--worker", run["program"], "--pictures", *inputs]
    words += ["--threads", run["threads"], "--budget", run["budget"]]
    if run["program"] != "pastiche":
        first = {**run, "program": "pastiche"}.items()
        (target,) = (r["value"] for r in rows if first <= r.items())
        words += ["--target", target]
    found = last_line_of(__file__, int(run["threads"]), words)
    return dict(json.loads(found))


def measure_all(arguments: argparse.Namespace) -> None:
    """Measure what is not there yet, and write rows and tables."""
    path = arguments.results / "to_value.csv"
    with tempfile.TemporaryDirectory() as folder:
        rows = complete(
            path,
            COLUMNS,
            planned(arguments),
            lambda run, rows: measure(run, rows, Path(folder)),
        )
    same = {"budget": str(arguments.budget), "threads": str(arguments.threads)}
    beside = arguments.results / "side_by_side.csv"
    page = document(
        [row for row in rows if same.items() <= row.items()],
        read(beside) if beside.exists() else [],
    )
    publish(path, page)


def document(rows: Sequence[Row], others: Sequence[Row]) -> str:
    """Return a Markdown page.

    Args:
        rows: of this benchmark, all of one budget and number of threads.
        others: of side_by_side.csv.
    """
    header = (
        "pixels",
        "program",
        "seconds",
        "of pastiche's",
        "evaluations",
        "of which",
        "value",
        "cut",
        "MB",
    )
    threads, budget = rows[0]["threads"], rows[0]["budget"]
    settings = f"{threads} threads; each program has {budget} evaluations.\n"
    body = markdown(header, table(rows, others))
    return (
        f"# To pastiche's value\n\n{measured_on(rows)}\n{NOTES}\n{settings}\n"
        f"{body}"
    )


def table(rows: Sequence[Row], others: Sequence[Row]) -> list[list[str]]:
    """Return a line for each size and program."""
    lines = []
    for size in sorted({int(row["pixels"]) for row in rows}):
        here = [row for row in rows if row["pixels"] == str(size)]
        reference = [row for row in here if row["program"] == "pastiche"]
        for program in PROGRAMS:
            own = [row for row in here if row["program"] == program]
            if own:
                lines.append(line(own, reference))
            elif extra := estimate(program, reference, others):
                lines.append(extra)
    return lines


def line(own: Sequence[Row], reference: Sequence[Row]) -> list[str]:
    """Return the line of one program at one size."""
    last = own[-1]
    value, target = middle(own, "value"), middle(own, "target")
    missed = "" if value <= target else f", {value / target - 1:.1%} above"
    return [
        last["pixels"],
        last["program"],
        spread(own, "seconds", 1),
        ratio(own, reference, "seconds"),
        f"{middle(own, 'evaluations'):.0f}",
        last["sizes"],
        f"{value:.5g}{missed}",
        f"{middle(own, 'clipped_value'):.5g}",
        f"{middle(own, 'bytes') / 1e6:.0f}",
    ]


def estimate(
    program: str, reference: Sequence[Row], others: Sequence[Row]
) -> list[str] | None:
    """Return the line of a program that was not run; None without seconds."""
    pixels, threads = reference[0]["pixels"], reference[0]["threads"]
    same: Mapping[str, str] = {
        "program": program,
        "pixels": pixels,
        "threads": threads,
    }
    own = [row for row in others if same.items() <= row.items()]
    if not own:
        return None
    count = middle(reference, "evaluations")
    seconds = count * middle(own, "seconds")
    part = seconds / middle(reference, "seconds")
    head = [pixels, program, f"~{seconds:.1f}", f"~{part:.2f}"]
    return [*head, f"~{count:.0f}", "", "", "", ""]


def main() -> None:
    """Run both programs, store rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[128, 256, 512]
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--budget",
        type=int,
        default=300,
        help="evaluations that pastiche makes and this package may make",
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--results", type=Path, help="folder to store in, not this machine's"
    )
    parser.add_argument("--worker", choices=RUNNING, help=argparse.SUPPRESS)
    parser.add_argument("--pictures", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    arguments.results = arguments.results or RESULTS / folder_name()
    measure_all(arguments)


if __name__ == "__main__":
    main()
