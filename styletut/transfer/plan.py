"""Every choice of a run: the caller's, or else the convention's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from typing_extensions import TypedDict, Unpack

from styletut import __version__
from styletut.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    check_runnable,
    get_convention,
)
from styletut.engines.device import find_device, find_precision
from styletut.images import fit
from styletut.images.picture import check_size
from styletut.memory.fitting import UNTILED, Layout, fitting_layout
from styletut.memory.free import free_memory
from styletut.objective.balance import checked_strength
from styletut.objective.checks import Layers, checked_weight, layer_weights
from styletut.objective.guides import check_way
from styletut.objective.statistics import check_statistic, default_weights
from styletut.optimizers.catalogue import check_options, pairs_kept
from styletut.optimizers.variable import check_rule
from styletut.transfer.pictures import check_color
from styletut.transfer.sizes import (
    Schedule,
    Shape,
    same_aspect,
    schedule_of,
    style_shape,
)
from styletut.values import told, whole
from styletut.vgg import VGG19, check_layers

STARTS = ("content", "color", "instant", "noise", "style", "grey")

DETAILED = ("content", "color")
"""Those of them whose detail is put back at each size, as a picture's is."""


class Settings(TypedDict, total=False):
    """What a run can be told; `transfer.stylize` says what each means."""

    size: int | None
    style_size: int | None
    evaluations: int | None
    schedule: Sequence[tuple[int, int]] | None
    convention: str | Convention
    alpha: float | None
    beta: float | None
    gamma: float | None
    content_layers: Layers | None
    style_layers: Layers | None
    color: str
    strength: float
    guidance: str
    statistic: str
    optimizer: str | None
    options: Mapping[str, Any] | None
    range_rule: str | None
    start: Any
    seed: int
    device: str | torch.device
    precision: str


DEFAULTS: Settings = {
    "size": None,
    "style_size": None,
    "evaluations": None,
    "schedule": None,
    "convention": DEFAULT_CONVENTION,
    "alpha": None,
    "beta": None,
    "gamma": None,
    "content_layers": None,
    "style_layers": None,
    "color": "style",
    "strength": 1.0,
    "guidance": "simple",
    "statistic": "gram",
    "optimizer": None,
    "options": None,
    "range_rule": None,
    "start": None,
    "seed": 0,
    "device": "auto",
    "precision": "auto",
}
"""What counts where nothing is said; None is the convention's choice."""


@dataclass(frozen=True)
class Stage:
    """A run at one size.

    Attributes:
        size: longer side in pixels.
        evaluations: of the objective with its gradient.
        shape: of the picture.
        style_shapes: of each style picture.
        layout: how the picture is laid out in memory.
    """

    size: int
    evaluations: int
    shape: Shape
    style_shapes: tuple[Shape, ...]
    layout: Layout = UNTILED


@dataclass(frozen=True)
class Plan:
    """A run, settled before any work is done.

    Attributes:
        convention: whose formulas, and whose choice of all that was left.
        stages: one for each size, coarse to fine.
        style_scale: the style's longer side in units of the content's; None
            for the convention's rule.
        chosen: alpha, beta, gamma, content_layers, style_layers, guidance
            and statistic as `Objective` takes them, those that the caller
            chose, and alpha where it follows the pictures, or a strength,
            and is known.
        color: whose colors the picture gets, out of `pictures.COLORS`.
        strength: of the style, out of `balance.STRENGTHS`.
        optimizer: a name out of `optimizers.OPTIMIZERS`.
        options: its keyword arguments.
        range_rule: as `minimize` takes it.
        pixel_unit: as `minimize` takes it.
        start: a name out of `STARTS`, or a picture of the content's aspect.
        seed: of the noise.
        device: where the run takes place.
        precision: of the network, out of `engines.device.PRECISIONS`.
    """

    convention: Convention
    stages: tuple[Stage, ...]
    style_scale: float | None
    chosen: Mapping[str, Any]
    color: str
    strength: float
    optimizer: str
    options: Mapping[str, Any]
    range_rule: str
    pixel_unit: tuple[float, float, float]
    start: str | Tensor
    seed: int
    device: torch.device
    precision: str

    @property
    def schedule(self) -> Schedule:
        """(longer side in pixels, evaluations), coarse to fine."""
        return tuple((each.size, each.evaluations) for each in self.stages)

    @property
    def finest(self) -> Stage:
        """The stage of the largest size, for which pictures are read."""
        return max(self.stages, key=lambda stage: stage.size)

    @property
    def style_sizes(self) -> tuple[int, ...]:
        """The longest side in pixels at which each style picture is used."""
        shapes = zip(*(each.style_shapes for each in self.stages), strict=True)
        return tuple(max(map(max, of_one)) for of_one in shapes)

    @property
    def keeps_detail(self) -> bool:
        """Whether the start's own detail is put back at each size."""
        return isinstance(self.start, Tensor) or self.start in DETAILED

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that the run looks at."""
        own, chosen = self.convention, self.chosen
        content = chosen.get("content_layers", own.content_layers)
        return (*check_layers(content), *self.style_layers)

    @property
    def style_layers(self) -> tuple[str, ...]:
        """Those of them at which styles are compared."""
        own = self.convention.style_layers
        return check_layers(self.chosen.get("style_layers", own))

    def text(self, vgg: VGG19, digits: int = 6) -> dict[str, str]:
        """Return the plan as names and values for a picture's text fields.

        Args:
            vgg: the network that the run takes.
            digits: of numbers; 17 say them exactly.
        """
        own = self.convention
        weights = {
            "alpha": own.alpha,
            "beta": own.beta,
            "gamma": own.gamma,
            "content_layers": own.content_layers,
            "style_layers": own.style_layers,
            "guidance": DEFAULTS["guidance"],
            "statistic": DEFAULTS["statistic"],
        } | dict(self.chosen)
        return {
            "convention": own.name,
            "network": f"VGG-19, {vgg.extra_repr()}",
            "sizes": " ".join(str(size) for size, _ in self.schedule),
            "evaluations": " ".join(str(n) for _, n in self.schedule),
            "style_scale": str(self.style_scale or own.style_size),
            **{name: plain(value, digits) for name, value in weights.items()},
            "color": self.color,
            "strength": plain(self.strength, digits),
            "optimizer": self.optimizer,
            "options": plain(self.options, digits),
            "range_rule": self.range_rule,
            "pixel_unit": plain(self.pixel_unit, digits),
            **self._start_text(),
            "seed": str(self.seed),
            "device": self.device.type,
            "precision": self.precision,
            "styletut": __version__,
            "torch": torch.__version__,
        }

    def _start_text(self) -> dict[str, str]:
        if isinstance(self.start, str):
            return {"start": self.start}
        height, width = self.start.shape[2:]
        detail = f"kept, of {width} x {height} pixels"
        return {"start": "a picture", "start_detail": detail}


def plan_run(
    content: Shape,
    styles: Sequence[Shape],
    dtype: torch.dtype = torch.float32,
    **settings: Unpack[Settings],
) -> Plan:
    """Settle a run, all but how it is laid out in memory.

    Args:
        content: height and width of the content picture.
        styles: those of each style picture.
        dtype: of the pictures.
        **settings: what the caller chose; `transfer.stylize` says more.

    Raises:
        TypeError: for a setting that does not exist.
        ValueError: for an unknown name or an impossible size or budget.
    """
    _check_names(settings)
    given: Settings = {**DEFAULTS, **settings}
    own = get_convention(given["convention"])
    check_runnable(own)
    start = _checked_start(
        own.start if given["start"] is None else given["start"], content
    )
    schedule = schedule_of(
        own,
        content,
        given["size"],
        given["evaluations"],
        given["schedule"],
        shape_of(start) if isinstance(start, Tensor) else None,
    )
    optimizer, options = given["optimizer"], given["options"]
    if optimizer is None:
        optimizer = own.optimizer
    if options is None:
        same = optimizer == own.optimizer
        options = own.optimizer_options if same else {}
    options = check_options(optimizer, options)
    range_rule = given["range_rule"]
    if range_rule is None:
        range_rule = own.range_rule
    check_rule(range_rule)
    check_color(given["color"])
    device = find_device(given["device"], dtype)
    style_size = given["style_size"]
    scale = (
        None
        if style_size is None
        else check_size(style_size) / schedule[-1][0]
    )
    return Plan(
        convention=own,
        stages=_stages(schedule, content, styles, own.style_size, scale),
        style_scale=scale,
        chosen=_chosen(given, own),
        color=given["color"],
        strength=checked_strength(given["strength"]),
        optimizer=optimizer,
        options=options,
        range_rule=range_rule,
        pixel_unit=own.pixel_unit,
        start=start,
        seed=_checked_seed(given["seed"]),
        device=device,
        precision=find_precision(given["precision"], device, dtype),
    )


def laid_out(
    plan: Plan, vgg: VGG19, dtype: torch.dtype, regions: int = 1
) -> Plan:
    """Return a plan with the layout of each stage, as memory is free now.

    Args:
        plan: of the run.
        vgg: the network that it takes.
        dtype: of the pictures.
        regions: how many there are with a style of their own.

    Raises:
        TooLargeError: a ValueError, if a size or a style picture does not
            fit into memory.
    """
    free = free_memory(plan.device)
    history = pairs_kept(plan.optimizer, plan.options)
    rounded = plan.precision == "bfloat16"  # all others take as much
    stages = [
        replace(
            stage,
            layout=fitting_layout(
                *stage.shape,
                free,
                styles=stage.style_shapes,
                regions=regions,
                history=history,
                evaluations=sum(n for _, n in plan.schedule),
                range_rule=plan.range_rule,
                vgg=vgg,
                dtype=dtype,
                convention=plan.convention,
                precision="bfloat16" if rounded else "float32",
                **plan.chosen,
            ),
        )
        for stage in plan.stages
    ]
    return replace(plan, stages=tuple(stages))


def _check_names(settings: Mapping[str, Any]) -> None:
    """Raise TypeError for a setting that does not exist."""
    for name in settings:
        if name not in DEFAULTS:
            raise TypeError(
                f"there is no setting {name!r}; "
                f"there are {', '.join(DEFAULTS)}"
            )


def _stages(
    schedule: Schedule,
    content: Shape,
    styles: Sequence[Shape],
    rule: str,
    scale: float | None,
) -> tuple[Stage, ...]:
    stages = []
    for size, evaluations in schedule:
        shape = fit(*content, size)
        style_shapes = [style_shape(a, shape, rule, scale) for a in styles]
        stages.append(Stage(size, evaluations, shape, tuple(style_shapes)))
    return tuple(stages)


def _chosen(given: Settings, own: Convention) -> dict[str, Any]:
    """Return the weights and layers that the caller chose, once checked."""
    weights = {
        "alpha": given["alpha"],
        "beta": given["beta"],
        "gamma": given["gamma"],
    }
    chosen: dict[str, Any] = {
        name: checked_weight(name, weight)
        for name, weight in weights.items()
        if weight is not None
    }
    check_way(given["guidance"])
    check_statistic(given["statistic"])
    for name in ("guidance", "statistic"):
        if given[name] != DEFAULTS[name]:
            chosen[name] = given[name]
    of_style = own.style_layers
    if not isinstance(given["style_layers"], Mapping):
        of_style = default_weights(given["statistic"], own)
    for term, layers, defaults in (
        ("content", given["content_layers"], own.content_layers),
        ("style", given["style_layers"], of_style),
    ):
        if layers is not None:
            kept = _kept(layers)
            layer_weights(term, kept, defaults)
            chosen[f"{term}_layers"] = kept
    return chosen


def _kept(layers: Layers) -> Layers:
    """Keep what an iterator gives, for more than one size."""
    keep = not isinstance(layers, (str, Mapping))
    return tuple(layers) if keep else layers


def shape_of(picture: Tensor) -> Shape:
    """Return height and width of a picture (1, 3, H, W)."""
    height, width = picture.shape[2:]
    return height, width


def _checked_start(start: Any, content: Shape) -> str | Tensor:
    if isinstance(start, Tensor):
        _check_aspect(shape_of(start), content)
        return start
    if isinstance(start, str) and start in STARTS:
        return start
    raise ValueError(
        f"the start is {told(start)}; it can be {', '.join(STARTS)} or a "
        "picture"
    )


def _check_aspect(start: Shape, content: Shape) -> None:
    if not same_aspect(start, content):
        (h, w), (height, width) = start, content
        raise ValueError(
            f"the start picture is {w} x {h} pixels and the content picture "
            f"{width} x {height}; they must have one ratio of sides, for it "
            "would be stretched: crop one of them"
        )


def _checked_seed(seed: int) -> int:
    number = whole(seed)
    if number is None or not -(2**63) <= number < 2**63:
        raise ValueError(
            f"the seed is {told(seed)}; it must be a whole number of 64 bits"
        )
    return number


def plain(value: Any, digits: int = 6) -> str:
    """Write a value for a text field: functions and mappings by name."""
    if isinstance(value, Mapping):
        pairs = value.items()
        return ", ".join(f"{k} {plain(v, digits)}" for k, v in pairs)
    if isinstance(value, (list, tuple)):
        return " ".join(plain(v, digits) for v in value)
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return getattr(value, "__name__", str(value))
