"""Estimated against measured memory of runs, up to very large pictures.

    python benchmarks/memory.py [--sizes 512x512 4000x3000] [--gib 6]

Each run is made in a fresh process on a picture enlarged to that size. It is
computed as `memory.fitting.fitting_layout` says for `--gib` of memory, though
with `--pairs` of the optimizer's pairs at most, and ends when these are
full. The peak is the largest memory that the process had, less that after
importing.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from machine import folder_name, last_line_of, peak_bytes
from measurements import Row, complete, publish
from tables import markdown, measured_on

RUN = ("program", "width", "height", "gib", "threads", "pairs")
FOUND = ("layout", "evaluations", "seconds", "estimate", "peak")
COLUMNS = (*RUN, *FOUND, "version", "machine", "date")
RESULTS = Path(__file__).with_name("results")


def run(width: int, height: int, gib: float, pairs: int) -> Row:
    """Make a run in this process and return what it took."""
    from styletut.images import sample
    from styletut.images.picture import resize_to
    from styletut.memory.fitting import estimate_memory, fitting_layout
    from styletut.objective import Objective
    from styletut.transfer import minimize
    from styletut.vgg import VGG19

    imported = peak_bytes()
    vgg = VGG19(deepest="relu5_1")
    layout = fitting_layout(height, width, gib * 2**30, vgg=vgg)
    layout = replace(layout, history=min(layout.history, pairs))
    photo = resize_to(sample("coffee"), height, width)
    painting = resize_to(sample("night"), height, width)
    began = time.perf_counter()
    objective = Objective(
        photo,
        painting,
        vgg=vgg,
        tiles=layout.tiles,
        checkpoint=layout.checkpoint,
    )
    steps = minimize(
        objective,
        photo,
        evaluations=layout.history + 3,
        optimizer="spectral_lbfgs",
        options={"history": layout.history},
    )
    for step in steps:
        best = step
    seconds = (time.perf_counter() - began) / best.evaluations
    estimate = estimate_memory(height, width, layout=layout, vgg=vgg).total
    return {
        "layout": str(layout),
        "evaluations": str(best.evaluations),
        "seconds": f"{seconds:.3f}",
        "estimate": str(estimate),
        "peak": str(peak_bytes() - imported),
    }


def measure(row: Row, rows: object) -> Row:
    """Make a run in a fresh process."""
    words = ["--worker", json.dumps(dict(row))]
    found: Row = json.loads(last_line_of(__file__, int(row["threads"]), words))
    return found


def page(rows: list[Row]) -> str:
    """Return the results as Markdown."""
    lines = [
        (
            f"{row['width']} x {row['height']}",
            row["gib"],
            row["layout"],
            row["evaluations"],
            row["seconds"],
            f"{int(row['estimate']) / 1e6:.0f}",
            f"{int(row['peak']) / 1e6:.0f}",
            f"{int(row['estimate']) / int(row['peak']):.2f}",
        )
        for row in rows
    ]
    header = (
        "pixels",
        "GiB allowed",
        "how",
        "evaluations",
        "seconds each",
        "estimated MB",
        "measured MB",
        "ratio",
    )
    title = "# Memory of runs, estimated and measured\n"
    return f"{title}\n{measured_on(rows)}\n{markdown(header, lines)}"


def main() -> None:
    """Measure what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["512x512", "1024x768", "2048x1536", "4000x3000"],
        metavar="WIDTHxHEIGHT",
    )
    parser.add_argument("--gib", type=float, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        row = json.loads(arguments.worker)
        torch.set_num_threads(int(row["threads"]))
        size = int(row["width"]), int(row["height"])
        print(json.dumps(run(*size, float(row["gib"]), int(row["pairs"]))))
        return
    runs = []
    for size in arguments.sizes:
        width, height = size.split("x")
        values = (arguments.gib, arguments.threads, arguments.pairs)
        texts = ("styletut", width, height, *(f"{each:g}" for each in values))
        runs.append(dict(zip(RUN, texts, strict=True)))
    path = RESULTS / folder_name() / "memory.csv"
    publish(path, page(complete(path, COLUMNS, runs, measure)))


if __name__ == "__main__":
    main()
