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
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from machine import description, folder_name, last_line_of, now, peak_bytes
from measurements import (
    Row,
    markdown,
    measured_on,
    middle,
    read,
    resume,
    spread,
    store,
)
from programs import (
    PROGRAMS,
    Inputs,
    longer_side,
    program_version,
    write_inputs,
)
from torch import Tensor

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
    "version",
    "machine",
    "date",
)
ROUNDING = 1e-5
"""What two ways to compute one value in float32 may differ by, as a part."""

RUNNING = ("pastiche", "styletut")  # in this order: the first sets the value

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


def judge(inputs: Inputs) -> Any:
    """Return the one function that says what a picture is worth."""
    from styletut.images import load_image
    from styletut.objective import Objective
    from styletut.vgg import VGG19

    objective = Objective(
        load_image(inputs.content),
        load_image(inputs.style),
        vgg=VGG19(),
        convention="pastiche",
        precision="float32",
    )

    def value(picture: Tensor) -> float:
        with torch.no_grad():
            return float(objective(picture).total)

    return value


def run_pastiche(inputs: Inputs, budget: int) -> dict[str, Any]:
    """Let pastiche make its evaluations from the content picture."""
    from pastiche import pastiche

    imported = peak_bytes()
    size = longer_side(inputs.content)
    seconds = 0.0
    plain_forward = pastiche.VGG19.forward

    def forward(*arguments: Any) -> Any:
        nonlocal seconds
        began = time.perf_counter()
        maps = plain_forward(*arguments)
        seconds += time.perf_counter() - began
        return maps

    class Artist(pastiche.PasticheArtist):  # type: ignore[misc]
        def _calc_loss(self) -> Tensor:
            pastiche.VGG19.forward = plain_forward  # the targets are made
            loss: Tensor = super()._calc_loss()
            return loss

    pastiche.VGG19.forward = forward
    artist = Artist(inputs.content, [inputs.style], device="cpu", size=size)
    began = time.perf_counter()
    for _ in range(budget):
        artist.draw()
    seconds += time.perf_counter() - began
    peak = peak_bytes() - imported
    picture = from_pastiche(artist.pastiche, pastiche.VGG_MEAN)
    value = judge(inputs)
    return {
        "seconds": seconds,
        "evaluations": budget,
        "sizes": f"{size}: {budget}",
        "value": value(picture),
        "clipped_value": value(picture.clamp(0, 1)),
        "target": value(picture),
        "bytes": peak,
    }


def from_pastiche(picture: Tensor, mean: Sequence[float]) -> Tensor:
    """Turn BGR in 0 to 255 less the mean color into RGB in [0, 1], uncut."""
    color = picture.detach() + picture.new_tensor(mean)[:, None, None]
    return color.flip(1) / 255


def own_way() -> Any:
    """Return pastiche's objective, to be minimized as this package does."""
    from styletut.conventions import DEFAULT_CONVENTION, get_convention

    default = get_convention(DEFAULT_CONVENTION)
    return replace(
        get_convention("pastiche"),
        optimizer=default.optimizer,
        optimizer_options=default.optimizer_options,
        range_rule=default.range_rule,
        pixel_unit=default.pixel_unit,
        coarsest=default.coarsest,
        start="content",
    )


def run_styletut(inputs: Inputs, budget: int, target: float) -> dict[str, Any]:
    """Run this package until a picture of full size reaches the target."""
    from styletut.images import load_image
    from styletut.transfer import stylize_steps
    from styletut.vgg import VGG19

    imported = peak_bytes()
    photo, painting = load_image(inputs.content), load_image(inputs.style)
    vgg = VGG19()
    size = max(photo.shape[2:])
    spent: dict[int, int] = {}
    before = 0
    goal = target * (1 - ROUNDING)
    began = time.perf_counter()
    for step in stylize_steps(
        photo,
        painting,
        vgg=vgg,
        convention=own_way(),
        size=size,
        evaluations=budget,
        device="cpu",
    ):
        spent[step.size] = spent.get(step.size, 0) + step.evaluations - before
        before = step.evaluations
        if step.size == size and float(step.terms.total) <= goal:
            break
    seconds = time.perf_counter() - began
    peak = peak_bytes() - imported
    value = judge(inputs)
    return {
        "seconds": seconds,
        "evaluations": before,
        "sizes": ", ".join(f"{side}: {n}" for side, n in spent.items()),
        "value": value(step.image),
        "clipped_value": value(step.image),
        "target": target,
        "bytes": peak,
    }


def work(arguments: argparse.Namespace) -> None:
    """Run one program in this process and print what it did as JSON."""
    torch.set_num_threads(arguments.threads)
    inputs = Inputs(*arguments.pictures)
    if arguments.worker == "pastiche":
        found = run_pastiche(inputs, arguments.budget)
    else:
        found = run_styletut(inputs, arguments.budget, arguments.target)
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
        for program in RUNNING
    ]


def measure(run: Row, inputs: Inputs, rows: Sequence[Row]) -> dict[str, str]:
    """Run one program in a fresh process and return the row."""
    words = ["--worker", run["program"], "--pictures", *inputs]
    words += ["--threads", run["threads"], "--budget", run["budget"]]
    if run["program"] != "pastiche":
        first = {**run, "program": "pastiche"}
        words += ["--target", row_of(first, rows)["value"]]
    found = last_line_of(__file__, int(run["threads"]), words)
    return {
        **run,
        **json.loads(found),
        "version": program_version(run["program"]),
        "machine": description(),
        "date": now(),
    }


def row_of(run: Row, rows: Sequence[Row]) -> Row:
    """Return the row that a run has left."""
    (found,) = (row for row in rows if run.items() <= row.items())
    return found


def measure_all(arguments: argparse.Namespace) -> None:
    """Measure what is not there yet, and write rows and tables."""
    path = arguments.results / "to_value.csv"
    versions = {program: program_version(program) for program in RUNNING}
    machine = description()

    def current(row: Row) -> bool:
        version = versions.get(row["program"])
        return row["machine"] == machine and row["version"] == version

    rows = resume(path, COLUMNS, current)
    there = [{key: row[key] for key in RUN} for row in rows]
    missing = [run for run in planned(arguments) if run not in there]
    print(
        f"{len(missing)} runs are to be made; to make all anew, delete "
        f"{path.name} in {path.parent.name}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for run in missing:
            inputs = write_inputs(Path(folder), int(run["pixels"]))
            row = measure(run, inputs, rows)
            store(path, COLUMNS, row)
            rows.append(row)
            print(
                f"{row['pixels']} pixels, {row['program']}: "
                f"{row['seconds']} s, evaluations {row['sizes']}, value "
                f"{float(row['value']):.5g}",
                flush=True,
            )
    same = {"budget": str(arguments.budget), "threads": str(arguments.threads)}
    rows = [row for row in rows if same.items() <= row.items()]
    beside = arguments.results / "side_by_side.csv"
    text = document(rows, read(beside) if beside.exists() else [])
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nstored in {path.parent.name}")


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
    seconds = middle(own, "seconds")
    return [
        last["pixels"],
        last["program"],
        spread(own, "seconds", 1),
        f"{seconds / middle(reference, 'seconds'):.2f}",
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
