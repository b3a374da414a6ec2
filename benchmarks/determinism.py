"""When a run gives the same bits, and how far pictures are apart when not.

    python benchmarks/determinism.py [--sizes 128 256] [--evaluations 60]

One run, again and again: a second time in its process, in another process,
in two at once, beside a thread of its process that paints something else, and
with other numbers of threads. Compared with the first are one gradient (its
difference relative to its length) and the picture at the end (in levels of
256). Rounding that differs in the last bit of one sum grows from step to
step; the loss at the end says whether it matters. Written to determinism.md
in the folder of this machine.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from machine import description, folder_name, now
from tables import markdown

from styletut import sample, stylize
from styletut.objective import Objective

RESULTS = Path(__file__).parent / "results"

PHOTO, STYLE = "chelsea", "glass"


class Way(NamedTuple):
    """How a run is repeated.

    Attributes:
        threads: of torch.
        beside: what goes on meanwhile: "", "a run" in another process or
            "a thread" of this one, each of which paints another pair.
        times: how often it is run in its process; the last counts.
    """

    threads: int
    beside: str = ""
    times: int = 1


def ways(threads: int) -> Mapping[str, Way]:
    """Return all ways, by name; the first is what others are compared with."""
    others = [n for n in (1, 2, 3, 4) if n != threads]
    return MappingProxyType(
        {
            f"{threads} threads": Way(threads),
            "another process": Way(threads),
            "a second time in its process": Way(threads, times=2),
            "two processes at once": Way(threads, "a run"),
            "beside a thread that paints": Way(threads, "a thread"),
            **{f"{n} thread{'s' * (n > 1)}": Way(n) for n in others},
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make every run, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--evaluations", type=int, default=60)
    parser.add_argument("--precisions", nargs="+", default=["float32"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        out, size, evaluations, precision, threads, times = given.one
        way = Way(int(threads), sys.stdin.read().strip(), int(times))
        make(Path(out), int(size), int(evaluations), precision, way)
        return
    rows = [
        row
        for precision in given.precisions
        for size in given.sizes
        for row in compared(size, given.evaluations, precision, given.threads)
    ]
    text = (
        "# When a run gives the same bits\n\n"
        f"Of {PHOTO} and {STYLE}, {given.evaluations} evaluations, compared "
        "with the first row of each size. Made by benchmarks/determinism.py, "
        f"{now()}.\n\n{description()}\n\n{markdown(HEAD, rows)}\n"
    )
    path = RESULTS / folder_name() / "determinism.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)


HEAD = (
    *("precision", "size", "run", "gradient", "picture, mean"),
    *("picture, largest", "loss at the end"),
)


def compared(
    size: int, evaluations: int, precision: str, threads: int
) -> list[list[str]]:
    """Return a row for each way of one run."""
    rows = []
    first: Mapping[str, np.ndarray] | None = None
    for name, way in ways(threads).items():
        found = run(size, evaluations, precision, way)
        first = first or found
        gradient = np.linalg.norm(found["gradient"] - first["gradient"])
        gradient /= np.linalg.norm(first["gradient"])
        levels = 255 * np.abs(found["image"] - first["image"])
        rows.append(
            [precision, str(size), name]
            + [shown(each) for each in (gradient, levels.mean(), levels.max())]
            + [f"{float(found['loss']):.5f}"]
        )
    return rows


def shown(difference: float) -> str:
    """Write a difference; none at all is told in a word."""
    return "same bits" if difference == 0 else f"{difference:.2g}"


def run(
    size: int, evaluations: int, precision: str, way: Way
) -> dict[str, np.ndarray]:
    """Return the numbers of one run, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--one"]
        ends = [str(size), str(evaluations), precision, str(way.threads)]
        started = []
        for number in range(1 + (way.beside == "a run")):
            out = Path(folder) / f"{number}.npz"
            started.append(
                subprocess.Popen(
                    [*command, str(out), *ends, str(way.times)],
                    stdin=subprocess.PIPE,
                    text=True,
                )
            )
            assert started[-1].stdin is not None
            started[-1].stdin.write(way.beside)
            started[-1].stdin.close()
        for each in started:
            if each.wait() != 0:
                sys.exit("a run failed; its message is above")
        with np.load(Path(folder) / "0.npz") as file:
            return dict(file)


def make(
    out: Path, size: int, evaluations: int, precision: str, way: Way
) -> None:
    """Make a run in this process, and write its numbers."""
    torch.set_num_threads(way.threads)
    done = threading.Event()
    if way.beside == "a thread":
        threading.Thread(target=company, args=(done,)).start()
    try:
        for _ in range(way.times):
            result = stylize(
                PHOTO,
                STYLE,
                size=size,
                evaluations=evaluations,
                precision=precision,
            )
        photo, style = sample(PHOTO, size), sample(STYLE, size)
        objective = Objective(photo, style, precision=precision)
        _, gradient = objective.gradient(photo)
    finally:
        done.set()
    np.savez(
        out,
        image=result.image.numpy(),
        gradient=gradient.numpy(),
        loss=result.history[-1].terms.total.numpy(),
    )


def company(done: threading.Event) -> None:
    """Paint something else, until it is enough."""
    while not done.is_set():
        stylize("coffee", "night", size=64, evaluations=5)


if __name__ == "__main__":
    main()
