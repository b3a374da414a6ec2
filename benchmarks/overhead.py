"""What the objective and the optimizer add to the bare network, as ratios.

    python benchmarks/overhead.py [--size 256] [--evaluations 200]

Compares, interleaved in one run so that a busy machine slows all alike,

- the bare forward and backward pass of the network to the deepest layer
  that the default objective needs,
- the objective with its gradient,
- a run of the optimizer, per evaluation,

and prints medians and their ratios. Run it on a quiet machine.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from styletut.images import sample
from styletut.objective import Objective
from styletut.transfer import minimize
from styletut.vgg import LAYERS, VGG19


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def bare_pass(vgg: VGG19, x: Tensor, deepest: str) -> None:
    """Forward to one layer, backward from a gradient of ones."""
    x = x.detach().requires_grad_()
    F = vgg(x, [deepest])[deepest]
    torch.autograd.grad(F, x, torch.ones_like(F))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--evaluations", type=int, default=200)
    arguments = parser.parse_args()
    vgg = VGG19()
    photo = sample("chelsea", arguments.size)
    objective = Objective(photo, sample("night", arguments.size), vgg=vgg)
    layers = [*objective.content_layers, *objective.style_layers]
    deepest = max(layers, key=LAYERS.index)
    for _ in range(3):
        objective.gradient(photo)
    bare, full, run = [], [], []
    before = 0
    began = time.perf_counter()
    for step in minimize(objective, photo, evaluations=arguments.evaluations):
        passed = time.perf_counter() - began
        run.append(passed / (step.evaluations - before))
        before = step.evaluations
        image = step.image
        full.append(seconds(lambda image=image: objective.gradient(image)))
        bare.append(seconds(lambda: bare_pass(vgg, photo, deepest)))
        began = time.perf_counter()
    height, width = photo.shape[2:]
    print(f"{width} x {height} pixels, {torch.get_num_threads()} threads")
    print(f"bare pass to {deepest}: {median(bare):.4f} s")
    print(
        f"objective with gradient: {median(full):.4f} s, "
        f"{median(full) / median(bare):.3f} of the bare pass"
    )
    print(
        f"run of {before} evaluations: {median(run):.4f} s each, "
        f"{median(run) / median(full):.3f} of the objective"
    )


if __name__ == "__main__":
    main()
