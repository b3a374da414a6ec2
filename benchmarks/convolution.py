"""Milliseconds of each algorithm of a convolution, in VGG-19's layers.

    python benchmarks/convolution.py [--sizes 128 256 512] [--threads 1 2]

The rule in `kernels.algorithms` was found with it. Each layer is convolved
upwards and downwards once, by all algorithms of this package and by NNPACK
where torch has it, channels last changed to first and back. They take turns;
the least of several counts. An older processor is simulated by telling both
libraries:

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/...
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from machine import folder_name
from measurements import Row, complete, publish
from tables import markdown, measured_on
from torch import Tensor

from styletut.cli.tuning import both_ways, in_turn, maps, vgg_layers
from styletut.kernels.algorithms import ALGORITHMS, Layer, fitting, rule
from styletut.kernels.convolution import turned

RUN = ("program", "threads", "few", "many", "positions")
CANDIDATES = (*ALGORITHMS, "nnpack")
COLUMNS = (*RUN, *CANDIDATES, "version", "machine", "date")
RESULTS = Path(__file__).with_name("results")


def by_nnpack(layer: Layer) -> Callable[[], None]:
    """Return what convolves by NNPACK upwards and downwards once."""
    few, many, positions = layer
    side = round(positions**0.5)
    weight = torch.rand(many, few, 3, 3)
    weights = weight, turned(weight).contiguous()
    inputs = maps(few, side), maps(many, side)
    biases: tuple[Tensor | None, ...] = torch.zeros(many), None

    def run() -> None:
        for x, kernels, bias, out in zip(
            inputs, weights, biases, reversed(inputs), strict=True
        ):
            # not public: torch uses it by itself on phones alone
            y = torch._nnpack_spatial_convolution(  # type: ignore[attr-defined]
                x.contiguous(), kernels, bias, [1, 1], [1, 1]
            )
            out.copy_(y)

    return run


def layer_of(row: Row) -> Layer:
    """Return the layer of a row."""
    return Layer(*(int(row[name]) for name in Layer._fields))


def measure(run: Row, rows: object) -> Row:
    """Measure all candidates in a layer; empty where one is missing."""
    torch.set_num_threads(int(run["threads"]))
    layer = layer_of(run)
    candidates = {
        algorithm: both_ways(layer, algorithm) for algorithm in ALGORITHMS
    }
    if torch.backends.nnpack.is_available():  # this initializes it, too
        candidates["nnpack"] = by_nnpack(layer)
    found = in_turn(candidates, repeats=5)
    return {
        name: f"{found[name]:.2f}" if name in found else ""
        for name in CANDIDATES
    }


def line(row: Row) -> list[str]:
    """Return a layer's line of the table."""
    layer = layer_of(row)
    side = round(layer.positions**0.5)
    found = {name: float(row[name]) for name in CANDIDATES if row[name]}
    affordable = {algorithm: found[algorithm] for algorithm in fitting(layer)}
    ruled = rule(layer, int(row["threads"]))
    return [
        row["threads"],
        f"{layer.few}, {layer.many}",
        f"{side} x {side}",
        *(row[name] or "-" for name in CANDIDATES),
        min(found, key=found.__getitem__),
        min(affordable, key=affordable.__getitem__),
        ruled,
        f"{found[ruled] / found['plain']:.2f}",
    ]


def page(rows: list[Row]) -> str:
    """Return the results as Markdown."""
    header = [
        "threads",
        "channels",
        "positions",
        *(f"{name}, ms" for name in CANDIDATES),
        "fastest",
        "of those worth their memory",
        "rule",
        "rule / plain",
    ]
    title = "# Algorithms of a convolution, upwards and downwards together\n"
    note = (
        "Both libraries were told to do without what this instruction set "
        "lacks, where the processor has more.\n"
    )
    table = markdown(header, map(line, rows))
    return f"{title}\n{measured_on(rows)}\n{note}\n{table}"


def main() -> None:
    """Measure what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[128, 256, 512]
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    runs = [
        dict(
            zip(RUN, ("styletut", str(threads), *map(str, each)), strict=True)
        )
        for threads in arguments.threads
        for each in vgg_layers(arguments.sizes)
    ]
    path = RESULTS / folder_name() / "convolution.csv"
    publish(path, page(complete(path, COLUMNS, runs, measure)))


if __name__ == "__main__":
    main()
