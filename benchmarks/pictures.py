"""Seconds of a default picture, and what bfloat16 changes in one.

    python benchmarks/pictures.py [--repeats 3] [--size 512]

Two questions about whole runs of this package, each answered in one go:

- **The default run against the first edition's** (from the photo itself, 200
  evaluations, alpha 0.3 for every pair), in float32 and, where the CPU has
  units for it, in bfloat16; in turns, targets and start-up of a run on the
  clock, reading files and the network not.
- **Bfloat16 against chance**: the same run in float32, in float32 with beta
  changed by a millionth (which changes roundings alone, as notebook 08 does
  it), and in bfloat16, for six pairs of samples: as the default makes it, and
  as notebook 08 measures chance, with twice the evaluations. The mean
  difference between pixels, in levels of 255, is that of chance for the
  second.

Rows are stored as they are made in pictures.csv, in the folder of this machine
under benchmarks/results. Run it on a quiet machine.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from types import MappingProxyType
from typing import Any

from machine import cores, folder_name, last_line_of
from measurements import MADE, Row, complete, publish
from programs import here
from tables import markdown, measured_on, middle, ratio, spread

RESULTS = Path(__file__).parent / "results"
RUN = ("program", "question", "pair", "pixels", "repeat")
COLUMNS = (*RUN, "seconds", "evaluations", "value", *MADE)

FIRST_EDITION: Mapping[str, Any] = MappingProxyType(
    {"alpha": 0.3, "start": "content", "evaluations": 200}
)
NOTEBOOK_08: Mapping[str, Any] = MappingProxyType(
    {"alpha": 0.3, "start": "content", "schedule": ((128, 60), (256, 60))}
)
PRECISIONS = ("styletut", "styletut bfloat16")
PAIRS = (
    "chelsea glass",
    "astronaut mosaic",
    "camera ink",
    "coffee wave",
    "rocket night",
    "retina marble",
)
MILLIONTH = 1 + 1e-6

NOTES = """\
Seconds are medians of the repeats, with the lowest and the highest. A
difference is the mean over all pixels and colors, in levels of 255.
"""


def work(arguments: argparse.Namespace) -> None:
    """Answer for one run in this process, and print it as JSON."""
    photo, style = arguments.pair.split()
    question = QUESTIONS[arguments.question]
    bfloat16 = "bfloat16" in arguments.worker
    precision = "bfloat16" if bfloat16 else "float32"
    found = question(photo, style, arguments.size, precision)
    print(json.dumps({key: str(entry) for key, entry in found.items()}))


def seconds_of(
    photo: str, style: str, size: int, precision: str, **settings: Any
) -> dict[str, Any]:
    """Return seconds and evaluations of a run."""
    from styletut.images import sample
    from styletut.transfer import stylize
    from styletut.vgg import VGG19

    vgg, pictures = VGG19(), (sample(photo), sample(style))
    size = min(size, max(pictures[0].shape[2:]))
    began = time.perf_counter()
    result = stylize(
        *pictures, vgg=vgg, size=size, precision=precision, **settings
    )
    seconds = time.perf_counter() - began
    return {
        "seconds": f"{seconds:.3f}",
        "evaluations": result.history[-1].evaluations,
        "value": f"{float(result.history[-1].terms.total):.5g}",
    }


def difference(
    photo: str, style: str, precision: str, **settings: Any
) -> dict[str, Any]:
    """Return how far a run is from the same in float32, in levels.

    In float32 itself roundings alone differ, and it is chance's.
    """
    from styletut.images import sample
    from styletut.transfer import stylize

    pictures = sample(photo), sample(style)
    exact = stylize(*pictures, precision="float32", **settings)
    beta = MILLIONTH if precision == "float32" else 1.0
    settings["alpha"] = float(exact.settings["alpha"])
    other = stylize(*pictures, precision=precision, beta=beta, **settings)
    levels = 255 * (exact.image - other.image).abs().mean()
    return {"seconds": "", "evaluations": "", "value": f"{float(levels):.3f}"}


QUESTIONS = {
    "default": seconds_of,
    "first edition": lambda *run: seconds_of(*run, **FIRST_EDITION),
    "difference": lambda photo, style, size, precision: difference(
        photo, style, precision, size=size
    ),
    "in notebook 08": lambda photo, style, size, precision: difference(
        photo, style, precision, **NOTEBOOK_08
    ),
}
DIFFERENCES = ("difference", "in notebook 08")


def planned(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Return all runs in their order, those that are compared in turn."""
    runs = [
        ("chelsea glass", question, arguments.size, repeat, program)
        for repeat in range(1, arguments.repeats + 1)
        for program in here(PRECISIONS)
        for question in ("default", "first edition")
    ]
    runs += [
        (pair, question, arguments.small, 1, program)
        for question in DIFFERENCES
        for pair in PAIRS
        for program in here(PRECISIONS)
    ]
    return [
        {
            "program": program,
            "question": question,
            "pair": pair,
            "pixels": str(size),
            "repeat": str(repeat),
        }
        for pair, question, size, repeat, program in runs
    ]


def measure(run: Row, rows: Sequence[Row]) -> dict[str, str]:
    """Make a run in a fresh process."""
    words = ["--worker", run["program"], "--question", run["question"]]
    words += ["--pair", run["pair"], "--size", run["pixels"]]
    return dict(json.loads(last_line_of(__file__, cores(), words)))


def document(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown page with the machine's description."""
    timed = markdown(
        ("program", "run", "seconds", "of the first edition's", "evaluations"),
        table_of_seconds(rows),
    )
    pairs = markdown(
        ("pair", "evaluations", "chance", "bfloat16"),
        [
            *table_of_differences(rows, "difference", "60"),
            *table_of_differences(rows, "in notebook 08", "120"),
        ],
    )
    return (
        f"# Default pictures\n\n{measured_on(rows)}\n{NOTES}\n"
        f"`chelsea glass`:\n\n{timed}\n"
        f"Differences to the run in float32:\n\n{pairs}"
    )


def table_of_seconds(rows: Sequence[Row]) -> list[list[str]]:
    """Return a line for each precision and run."""

    def of(program: str, question: str) -> list[Row]:
        wanted = {"program": program, "question": question}.items()
        return [row for row in rows if wanted <= row.items()]

    first = of(PRECISIONS[0], "first edition")
    lines = []
    for program in PRECISIONS:
        for question in ("first edition", "default"):
            if own := of(program, question):
                count = f"{middle(own, 'evaluations'):.0f}"
                lines.append(
                    [
                        program,
                        question,
                        spread(own, "seconds", 1),
                        ratio(own, first, "seconds"),
                        count,
                    ]
                )
    return lines


def table_of_differences(
    rows: Sequence[Row], question: str, evaluations: str
) -> list[list[str]]:
    """Return a line for each pair, and their means; none without rows."""
    found = {
        (row["pair"], row["program"]): float(row["value"])
        for row in rows
        if row["question"] == question
    }
    measured = [each for each in PRECISIONS if (PAIRS[0], each) in found]
    if not measured:
        return []
    lines = [
        [pair, evaluations, *(f"{found[pair, each]:.2f}" for each in measured)]
        for pair in PAIRS
    ]
    means = [mean(found[pair, each] for pair in PAIRS) for each in measured]
    told = [f"{value:.2f}" for value in means]
    return [*lines, ["mean", evaluations, *told]]


def main() -> None:
    """Make all runs, store rows and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--small", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--worker", choices=PRECISIONS, help=argparse.SUPPRESS)
    parser.add_argument(
        "--question", choices=QUESTIONS, help=argparse.SUPPRESS
    )
    parser.add_argument("--pair", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    path = (arguments.results or RESULTS / folder_name()) / "pictures.csv"
    rows = complete(path, COLUMNS, planned(arguments), measure)
    publish(path, document(rows))


if __name__ == "__main__":
    main()
