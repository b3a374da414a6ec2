"""Whole runs of pastiche and of this package, on the same objective."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from inputs import Inputs, longer_side
from machine import peak_bytes
from torch import Tensor

ROUNDING = 1e-5
"""What two ways to compute one value in float32 may differ by, as a part."""


def pastiches_value(inputs: Inputs) -> Callable[[Tensor], float]:
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
    value = pastiches_value(inputs)
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


NEARLY = 1.03
"""In bfloat16 a total is off by a percent or so: from here on each picture is
judged in float32, with the clock running."""


def run_styletut(
    inputs: Inputs, budget: int, target: float, precision: str = "float32"
) -> dict[str, Any]:
    """Run this package until a picture of full size reaches the target."""
    from styletut.images import load_image
    from styletut.transfer import stylize_steps
    from styletut.vgg import VGG19

    imported = peak_bytes()
    photo, painting = load_image(inputs.content), load_image(inputs.style)
    vgg = VGG19(deepest="relu5_1")
    size = max(photo.shape[2:])
    spent: dict[int, int] = {}
    before = 0
    value = pastiches_value(inputs)
    exact = precision == "float32"
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
        precision=precision,
    ):
        spent[step.size] = spent.get(step.size, 0) + step.evaluations - before
        before = step.evaluations
        total = float(step.terms.total)
        near = step.size == size and total <= goal * (1 if exact else NEARLY)
        if near and (exact or value(step.image) <= goal):
            break
    seconds = time.perf_counter() - began
    peak = peak_bytes() - imported
    return {
        "seconds": seconds,
        "evaluations": before,
        "sizes": ", ".join(f"{side}: {n}" for side, n in spent.items()),
        "value": value(step.image),
        "clipped_value": value(step.image),
        "target": target,
        "bytes": peak,
    }
