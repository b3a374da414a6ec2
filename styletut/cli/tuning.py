"""`styletut --tune`: which algorithm convolves fastest here."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from styletut.cli.progress import say
from styletut.engines.device import find_precision
from styletut.kernels import algorithms
from styletut.kernels.algorithms import Layer, Measured, fitting
from styletut.kernels.convolution import Convolution
from styletut.kernels.onednn import enabled
from styletut.kernels.timings import store
from styletut.vgg import CHANNELS

SIZES = (128, 256, 512)
"""Longer sides of the pictures whose layers are measured, in pixels."""

REPEATS = 5


def vgg_layers(sizes: Iterable[int] = SIZES) -> list[Layer]:
    """Return VGG-19's layers for square pictures, each kind once."""
    layers: dict[Layer, None] = {}  # a set that keeps the order
    for size in sizes:
        below = 3
        for block, channels in enumerate(CHANNELS):
            positions = (size // 2**block) ** 2
            for pair in ((below, channels), (channels, channels)):
                layers[Layer(*pair, positions)] = None
            below = channels
    return list(layers)


def measure(
    layers: Iterable[Layer], repeats: int = REPEATS
) -> Iterator[Measured]:
    """Measure each layer by all algorithms that are worth their memory.

    Args:
        layers: with a square number of positions.
        repeats: how often each algorithm runs.

    Yields:
        Milliseconds of both directions together.
    """
    for layer in layers:
        runs = {
            algorithm: both_ways(layer, algorithm)
            for algorithm in fitting(layer)
        }
        yield Measured(layer, in_turn(runs, repeats))


def in_turn(
    runs: Mapping[str, Callable[[], object]], repeats: int
) -> dict[str, float]:
    """Run each once to warm up, then all in turn, several times.

    Returns:
        The least milliseconds of each: others on the machine only add.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return {
        name: round(1000 * min(times[1:]), 3)
        for name, times in seconds.items()
    }


def both_ways(layer: Layer, algorithm: str) -> Callable[[], None]:
    """Return what convolves maps of a layer upwards and downwards once."""
    few, many, positions = layer
    side = round(positions**0.5)
    weight = torch.randn(many, few, 3, 3, generator=_generator())
    up = Convolution(
        weight.contiguous(memory_format=torch.channels_last),
        torch.zeros(many),
        algorithm=algorithm,
    )
    x, y = maps(few, side), maps(many, side)

    def run() -> None:
        up(x, out=y, relu=True)
        up.downwards(y, out=x)

    return run


def tune() -> int:
    """Measure this machine, store the table, and say what was found.

    Returns:
        The exit status: 0, or 1 where there is nothing to choose from or
        the table cannot be written.
    """
    if not enabled():
        say(
            "error: there is nothing to tune: torch's oneDNN is missing, or "
            "STYLETUT_CONVOLUTION switches the fast ones off"
        )
        return 1
    threads = torch.get_num_threads()
    layers = vgg_layers()
    say(
        f"measuring the convolutions of VGG-19 with {threads} "
        f"thread{'s' * (threads > 1)}; leave the machine alone for a minute"
    )
    cpu = torch.device("cpu")
    if find_precision("auto", cpu, torch.float32) == "bfloat16":
        say(
            "--precision auto computes in bfloat16 on this CPU, for which "
            "there is one algorithm; the table is for --precision float32"
        )
    table = []
    for each in measure(layers):
        table.append(each)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{len(table)} of {len(layers)} layers")
    if sys.stderr.isatty():
        sys.stderr.write("\r")
    try:
        path = store(table, threads)
    except OSError as error:
        say(f"error: the table cannot be stored: {error}")
        return 1
    other = sum(
        algorithms.chosen(each.layer, table)
        != algorithms.rule(each.layer, threads)
        for each in table
    )
    say(
        f"{other} of {len(table)} layers will run by another algorithm than "
        "the rule's. Delete this file to return to the rule:"
    )
    print(path)
    return 0


def maps(channels: int, side: int) -> Tensor:
    """Return random maps, (1, channels, side, side), with channels last."""
    maps = torch.rand(1, channels, side, side, generator=_generator())
    return maps.contiguous(memory_format=torch.channels_last)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
