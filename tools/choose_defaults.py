"""Show where the numbers of the default convention come from.

    python tools/choose_defaults.py

Prints the medians behind the default layer weights, with each statistic, and
behind the pulls of recorded_runs.py, then paints three pairs
under each setting that was in question and writes the contact sheet
`assets/defaults.jpg` with its numbers, `assets/defaults.csv`. Takes some
minutes on two cores.
"""

import csv
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from sheets import write_sheet
from torch import Tensor

from styletut.conventions import CONVENTIONS, DEFAULT_CONVENTION
from styletut.images import SAMPLES, sample, to_pil
from styletut.losses import gram_matrix, style_layer_loss
from styletut.objective.statistics import TYPICAL, loss_of, observed
from styletut.transfer import Result, stylize
from styletut.vgg import VGG19

ASSETS = Path(__file__).parents[1] / "assets"
SIZE = 256
PAIRS = (("astronaut", "mosaic"), ("chelsea", "night"), ("coffee", "wave"))
OWN = CONVENTIONS[DEFAULT_CONVENTION]
assert OWN.alpha_share is not None

# The default is the first, and each of the others differs in one thing; but
# for the first edition's, and the formulas of others in the same run.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "share / 4": {"convention": replace(OWN, alpha_share=OWN.alpha_share / 4)},
    "share x 4": {
        "convention": replace(OWN, alpha_share=OWN.alpha_share * 4, alpha=1.2)
    },
    "from the photo": {"start": "content"},
    "from noise": {"start": "noise"},
    "256 px alone": {"schedule": ((SIZE, 38),)},
    "Adam": {"optimizer": "adam"},
    "average pooling": {},
    "style weights equal": {
        "alpha": 1.0,
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {layer: 0.2 for layer in OWN.style_layers},
    },
    "first edition": {"alpha": 0.3, "start": "content", "evaluations": 200},
    "gatys2016": {"convention": "gatys2016"},
    "neural_style": {"convention": "neural_style"},
}
SAME_RUN = {
    "optimizer": OWN.optimizer,
    "options": {},
    "range_rule": "project",
    "start": OWN.start,
}
HALVES = ((128, 30), (256, 30))


def gram_distance(F: Tensor, S: Tensor) -> float:
    """Return the mean square of G / M - A / M_a, four times E."""
    M_a = S[0, 0].numel()
    return 4 * float(style_layer_loss(F, gram_matrix(S), M_a))


def distance_by(statistic: str, F: Tensor, S: Tensor) -> float:
    """Return how far maps are from others by a statistic."""
    seen = [(1.0, observed(statistic, S))]
    loss = loss_of(statistic, "relu1_1", 1.0, seen, F[0, 0].numel())
    return float(loss.loss(loss.observe(F)))


def print_medians(vgg: VGG19) -> None:
    """Print typical distances between a photo and a style picture."""
    names = {
        kind: [n for n, s in SAMPLES.items() if s.kind == kind]
        for kind in ("content", "style")
    }
    layers = [*OWN.style_layers, *OWN.content_layers]
    with torch.no_grad():
        maps = {name: vgg(sample(name, SIZE), layers) for name in SAMPLES}
    pairs = list(itertools.product(names["content"], names["style"]))
    for layer in OWN.style_layers:
        values = [
            gram_distance(maps[p][layer], maps[a][layer]) for p, a in pairs
        ]
        print(f"{layer}: mean (G/M - A/M_a)^2 is {median(values):.2g}")
    for statistic, layer in itertools.product(TYPICAL, OWN.style_layers):
        values = [
            distance_by(statistic, maps[p][layer], maps[a][layer])
            for p, a in pairs
        ]
        print(f"{layer}: the distance by {statistic} is {median(values):.2g}")
    for layer in OWN.content_layers:
        values = []
        for p, a in pairs:
            P, S = maps[p][layer], maps[a][layer]
            S = torch.nn.functional.interpolate(S, P.shape[2:])
            values.append(float((P - S).square().mean()))
        print(f"{layer}: mean (F - P)^2 is {median(values):.2g}")
    pulls = {
        (photo, style): pulls_of(sample(photo, SIZE), sample(style, SIZE), vgg)
        for photo, style in pairs
    }
    for layer in OWN.style_layers:
        values = [found[layer] for found in pulls.values()]
        print(f"{layer}: the gradient's norm is {median(values):.2g}")


def pulls_of(photo: Tensor, style: Tensor, vgg: VGG19) -> dict[str, float]:
    """Return each style layer's norm of d (G/M - A/M_a)^2 / d x at a photo."""
    found = {}
    for layer in OWN.style_layers:
        x = photo.clone().requires_grad_()
        with torch.no_grad():
            S = vgg(style, [layer])[layer]
        F = vgg(x, [layer])[layer]
        loss = 4 * style_layer_loss(F, gram_matrix(S), S[0, 0].numel())
        (gradient,) = torch.autograd.grad(loss, x)
        found[layer] = float(gradient.norm())
    return found


def run(content: str, style: str, setting: str, vgg: VGG19) -> Result:
    """Paint one pair under one setting."""
    settings = {**SAME_RUN, **SETTINGS[setting]}
    if not {"schedule", "evaluations"} & settings.keys():
        settings["schedule"] = HALVES  # what the default makes of 60
    return stylize(sample(content, SIZE), sample(style), vgg=vgg, **settings)


def main() -> None:
    """Measure, paint and write."""
    networks = {
        pooling: VGG19(pooling=pooling) for pooling in ("max", "average")
    }
    print_medians(networks["max"])
    pictures, rows = {}, []
    for (content, style), setting in itertools.product(PAIRS, SETTINGS):
        pooling = "average" if setting == "average pooling" else "max"
        result = run(content, style, setting, networks[pooling])
        pictures[content, setting] = to_pil(result.image)
        last = result.history[-1]
        rows.append(
            {"content": content, "style": style, "setting": setting}
            | {k: f"{float(v):.4g}" for k, v in last.terms.weighted().items()}
            | {"evaluations": last.evaluations}
            | {"alpha": result.settings["alpha"]}
            | {"schedule": result.settings["sizes"]}
        )
        print(rows[-1], flush=True)
    sheet = [
        [
            (f"{name}: {setting}", pictures[name, setting])
            for setting in SETTINGS
        ]
        for name, _ in PAIRS
    ]
    write_sheet(sheet, ASSETS / "defaults.jpg")
    with (ASSETS / "defaults.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
