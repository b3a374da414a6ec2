"""Every choice of a run: the caller's, or else the convention's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from styletut import __version__
from styletut.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    check_runnable,
    get_convention,
)
from styletut.conventions.network import weights_at_hand
from styletut.engines.device import find_device, find_precision
from styletut.images.picture import MAX_PIXELS, check_size, fit, too_large
from styletut.objective.checks import Layers
from styletut.optimizers.catalogue import check_budget, check_options
from styletut.optimizers.variable import check_rule
from styletut.vgg import VGG19, check_layers, receptive_field
from styletut.vgg.network import describe

STARTS = ("content", "noise", "style", "grey")

COARSE = 40
"""Evaluations at most of each size but the finest."""


@dataclass(frozen=True)
class Plan:
    """A run, settled before any work is done.

    Attributes:
        convention: whose formulas, and whose choice of all that was left.
        schedule: (longer side in pixels, evaluations), coarse to fine.
        style_scale: the style's longer side in units of the content's; None
            for the convention's rule.
        weights: alpha, beta, gamma, content_layers and style_layers as
            `Objective` takes them, those that the caller chose.
        optimizer: a name out of `optimizers.OPTIMIZERS`.
        options: its keyword arguments.
        range_rule: as `minimize` takes it.
        pixel_unit: as `minimize` takes it.
        start: a name out of `STARTS`, or a picture.
        seed: of the noise.
        device: where the run takes place.
        precision: of the network, a name out of `precision.PRECISIONS`.
    """

    convention: Convention
    schedule: tuple[tuple[int, int], ...]
    style_scale: float | None
    weights: Mapping[str, Any]
    optimizer: str
    options: Mapping[str, Any]
    range_rule: str
    pixel_unit: tuple[float, float, float]
    start: str | Tensor
    seed: int
    device: torch.device
    precision: str

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that the run looks at."""
        own, chosen = self.convention, self.weights
        return (
            *check_layers(chosen.get("content_layers", own.content_layers)),
            *check_layers(chosen.get("style_layers", own.style_layers)),
        )

    def text(self, vgg: VGG19 | None = None) -> dict[str, str]:
        """Return the plan as names and values for a picture's text fields.

        Args:
            vgg: the network, where it is not the convention's.
        """
        own = self.convention
        network = (
            describe(weights_at_hand(own), own.pooling, own.normalize)
            if vgg is None
            else vgg.extra_repr()
        )
        start = self.start if isinstance(self.start, str) else "a picture"
        weights = {
            "alpha": own.alpha,
            "beta": own.beta,
            "gamma": own.gamma,
            "content_layers": own.content_layers,
            "style_layers": own.style_layers,
        } | dict(self.weights)
        return {
            "convention": own.name,
            "network": f"VGG-19, {network}",
            "sizes": " ".join(str(size) for size, _ in self.schedule),
            "evaluations": " ".join(str(n) for _, n in self.schedule),
            "style_scale": str(self.style_scale or own.style_size),
            **{name: _plain(value) for name, value in weights.items()},
            "optimizer": self.optimizer,
            "options": _plain(self.options),
            "range_rule": self.range_rule,
            "pixel_unit": _plain(self.pixel_unit),
            "start": start,
            "seed": str(self.seed),
            "device": self.device.type,
            "precision": self.precision,
            "styletut": __version__,
            "torch": torch.__version__,
        }


def plan_run(
    content: Tensor,
    *,
    size: int | None = None,
    style_size: int | None = None,
    evaluations: int | None = None,
    schedule: Sequence[tuple[int, int]] | None = None,
    convention: str | Convention = DEFAULT_CONVENTION,
    alpha: float | None = None,
    beta: float | None = None,
    gamma: float | None = None,
    content_layers: Layers | None = None,
    style_layers: Layers | None = None,
    optimizer: str | None = None,
    options: Mapping[str, Any] | None = None,
    range_rule: str | None = None,
    start: str | Tensor | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    precision: str = "auto",
) -> Plan:
    """Settle a run; `transfer.stylize_steps` tells what the arguments are.

    Raises:
        ValueError: for an unknown name or an impossible size or budget.
    """
    own = get_convention(convention)
    check_runnable(own)
    height, width = content.shape[-2:]
    if schedule is None:
        side = _own_size(own, height, width) if size is None else size
        budget = own.evaluations if evaluations is None else evaluations
        schedule = split_evaluations(
            check_size(side), budget, _coarsest(own, height, width)
        )
    elif size is not None or evaluations is not None:
        raise ValueError(
            "schedule says sizes and evaluations; leave out size and "
            "evaluations where it is given"
        )
    schedule = _checked_schedule(schedule)
    start = own.start if start is None else start
    named = isinstance(start, str) and start in STARTS
    if not (named or isinstance(start, Tensor)):
        raise ValueError(
            f"the start is {start!r}; it can be {', '.join(STARTS)} or a "
            "picture"
        )
    if not isinstance(seed, int) or not -(2**63) <= seed < 2**63:
        raise ValueError(
            f"the seed is {seed!r}; it must be a whole number of 64 bits"
        )
    chosen = {
        "alpha": alpha,
        "beta": beta,
        "gamma": gamma,
        "content_layers": content_layers,
        "style_layers": style_layers,
    }
    chosen_optimizer = own.optimizer if optimizer is None else optimizer
    if options is None:
        same = chosen_optimizer == own.optimizer
        options = own.optimizer_options if same else {}
    check_options(chosen_optimizer, options)
    rule = own.range_rule if range_rule is None else range_rule
    check_rule(rule)
    place = find_device(device)
    return Plan(
        convention=own,
        schedule=schedule,
        style_scale=(
            None
            if style_size is None
            else check_size(style_size) / schedule[-1][0]
        ),
        weights={k: _kept(v) for k, v in chosen.items() if v is not None},
        optimizer=chosen_optimizer,
        options=options,
        range_rule=rule,
        pixel_unit=own.pixel_unit,
        start=start,
        seed=seed,
        device=place,
        precision=find_precision(precision, place, content.dtype),
    )


def _kept(value: Any) -> Any:
    """Keep what an iterator gives, for more than one size."""
    keep = not isinstance(value, (float, int, str, Mapping))
    return tuple(value) if keep else value


def _checked_schedule(
    schedule: Sequence[tuple[int, int]],
) -> tuple[tuple[int, int], ...]:
    stages = tuple(schedule)
    if not stages or any(
        not isinstance(stage, (tuple, list)) or len(stage) != 2
        for stage in stages
    ):
        raise ValueError(
            f"the schedule is {schedule!r}; it takes at least one (size, "
            "evaluations), such as [(128, 60), (256, 40)]"
        )
    for side, evaluations in stages:
        check_budget(evaluations)
        if check_size(side) ** 2 > MAX_PIXELS:
            raise too_large(f"a picture of size {side}", side**2)
    return tuple((check_size(side), n) for side, n in stages)


def split_evaluations(
    size: int, evaluations: int, coarsest: int | None
) -> list[tuple[int, int]]:
    """Spread a budget over sizes that double up to `size`.

    Each size but the last is half of the next and no less than `coarsest`
    pixels. The budget is spread evenly, but to no coarse size more than
    `COARSE`: more of them were measured to bring the finest no further
    (benchmarks/schedules.py).

    Args:
        size: longer side of the result in pixels.
        evaluations: in all, at least 1.
        coarsest: least longer side to begin with; None for one size alone.

    Raises:
        ValueError: if there is nothing to spread.
    """
    check_budget(evaluations)
    sizes = [size]
    while (
        coarsest is not None
        and sizes[0] // 2 >= coarsest
        and len(sizes) < evaluations
    ):
        sizes.insert(0, sizes[0] // 2)
    share, left = divmod(evaluations, len(sizes))
    counts = [min(share + (i < left), COARSE) for i in range(len(sizes) - 1)]
    return list(zip(sizes, [*counts, evaluations - sum(counts)], strict=True))


def style_shape(style: Tensor, content: Tensor, plan: Plan) -> tuple[int, int]:
    """Return height and width of the style picture for a content picture.

    By the plan's scale, or the convention's rule: its "longer" or "shorter"
    side is the content's, or it has the content's "area" or "shape".
    """
    height, width = content.shape[-2:]
    h, w = style.shape[-2:]
    if plan.style_scale is not None:
        return fit(h, w, max(round(plan.style_scale * max(height, width)), 1))
    rule = plan.convention.style_size
    if rule == "shape":
        return height, width
    if rule == "longer":
        return fit(h, w, max(height, width))
    if rule == "shorter":
        factor = min(height, width) / min(h, w)
    else:
        factor = (height * width / (h * w)) ** 0.5
    return fit(h, w, max(round(factor * max(h, w)), 1))


def _coarsest(convention: Convention, height: int, width: int) -> int | None:
    """Return the convention's coarsest size, larger for narrow pictures.

    No shorter side falls below what the deepest layers need.
    """
    if convention.coarsest is None:
        return None
    layers = (*convention.content_layers, *convention.style_layers)
    stride = max(receptive_field(layer).stride for layer in layers)
    ratio = max(height, width) / min(height, width)
    return max(convention.coarsest, math.ceil(stride * ratio))


def _own_size(convention: Convention, height: int, width: int) -> int:
    """Return the convention's size as a longer side, never enlarging."""
    side = {
        "longer": max(height, width),
        "shorter": min(height, width),
        "height": height,
        "area": (height * width) ** 0.5,
    }[convention.size_of]
    longer = max(height, width)
    return min(round(convention.size * longer / side), longer)


def _plain(value: Any) -> str:
    """Write a value for a text field: functions and mappings by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(_plain(v) for v in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return getattr(value, "__name__", str(value))
