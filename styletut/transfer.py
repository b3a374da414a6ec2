"""From a photo and a painting to the result.

`minimize` runs one optimizer on one objective, `stylize_steps` does so from
coarse to fine, and `stylize` keeps the best picture. Progress bars, previews,
early stops and checkpoints are a `for` loop over the steps:

    for step in stylize_steps("photo.jpg", "painting.jpg", size=256):
        print(step.size, step.evaluations, float(step.terms.total))
"""

import inspect
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from styletut.conventions.network import convention_network
from styletut.images import load_image, resize
from styletut.images.picture import check_range, fit, resize_to
from styletut.memory.fitting import Layout, fitting_layout
from styletut.memory.free import free_memory
from styletut.minimization import minimize, run_optimizer, warned
from styletut.objective import Objective
from styletut.objective.checks import pairs
from styletut.optimizers import OPTIMIZERS
from styletut.optimizers.quasi_newton import LEARNED
from styletut.planning import Plan, plan_run, style_shape
from styletut.steps import (
    Best,
    BrokenOffError,
    Ending,
    Record,
    Result,
    Step,
    Steps,
    StoppedEarly,
    keep_better,
)
from styletut.vgg import OXFORD_MEAN, VGG19

__all__ = [
    "Best",
    "BrokenOffError",
    "Ending",
    "Record",
    "Result",
    "Step",
    "Steps",
    "StoppedEarly",
    "keep_better",
    "minimize",
    "stylize",
    "stylize_steps",
]


def stylize_steps(
    content: Any, style: Any, *, vgg: VGG19 | None = None, **settings: Any
) -> Steps:
    """Stylize from coarse to fine, a step at a time.

    Whatever is left out comes from the convention, so that
    `stylize_steps(photo, painting, convention="tensorflow_tutorial")` is
    that tutorial's run. From one size to the next the *change* made to the
    content is enlarged and added to the larger content, whose detail stays.

    Args:
        content: a picture (1, 3, H, W) in [0, 1], or what `load_image`
            reads.
        style: the same, of any size, or a sequence of (picture, weight).
        vgg: the network to use as it is; by default the convention's.
        **settings: any of the following.
        size: longer side of the result in pixels; by default the
            convention's, but not larger than the content picture.
        style_size: longer side of the style picture; larger gives larger
            strokes.
        evaluations: of the objective with its gradient, over all sizes.
        schedule: (size, evaluations) from coarse to fine, instead of both.
        convention: a name out of `CONVENTIONS`, or a `Convention`.
        alpha, beta, gamma: weights of content, style, total variation.
        content_layers, style_layers: names, or name -> weight.
        optimizer: a name out of `OPTIMIZERS`.
        options: keyword arguments for the optimizer.
        range_rule: as `minimize` takes it.
        start: "content", "noise" (uniform), "style" (stretched to the
            content's shape), "grey" (the network's mean color), or a
            picture.
        seed: of the noise.
        device: "auto", "cpu", "cuda", "mps" or another of torch's names;
            "auto" is the device of `vgg` where that is given.
        precision: of the network's convolutions, a name out of
            `precision.PRECISIONS`; "auto" changes nothing that is seen.

    Yields:
        One `Step` for each accepted picture at every size; `index`,
        `evaluations` and `seconds` count on from size to size.

    Returns:
        A generator; its return value is an `Ending`.

    Raises:
        ImageError: for a picture that cannot be read.
        ValueError: for settings that cannot be.
        TooLargeError: a ValueError, if a size does not fit into memory.
    """
    return warned(_steps(*_prepare(content, style, vgg, settings), vgg))


def stylize(
    content: Any, style: Any, *, vgg: VGG19 | None = None, **settings: Any
) -> Result:
    """Stylize a picture and return the best one.

    Takes the arguments of `stylize_steps`. An interrupt (Ctrl-C, or the
    stop button of a notebook) returns the best picture so far.

    Raises:
        ImageError: for a picture that cannot be read.
        ValueError: for settings that cannot be.
        KeyboardInterrupt: if there is no picture yet.
        BrokenOffError: if anything else, such as want of memory, breaks off
            a run that has a picture; its `result` is what there is.
    """
    content, styles, plan = _prepare(content, style, vgg, settings)
    steps = warned(_steps(content, styles, plan, vgg))
    best: Best | None = None
    history = []
    ending = Ending()
    try:
        while True:
            step = next(steps)
            best = keep_better(best, step)
            history.append(step.record())
    except StopIteration as end:
        ending = end.value
    except KeyboardInterrupt:
        if best is None:
            raise
        ending = Ending("interrupted", "interrupted by the user")
    except Exception as error:
        if best is None:
            raise
        result = _result(best, history, plan, vgg, Ending("interrupted"))
        raise BrokenOffError(error, result) from error
    assert best is not None  # minimize yields the start
    return _result(best, history, plan, vgg, ending)


def _result(
    best: Best,
    history: Sequence[Record],
    plan: Plan,
    vgg: VGG19 | None,
    ending: Ending,
) -> Result:
    return Result(
        best.image.cpu(),
        tuple(history),
        plan.text(vgg),
        ending.stopped,
        ending.message,
    )


def _advertise(function: Callable[..., Any]) -> None:
    """Show the settings by name where a notebook completes them."""
    own = inspect.signature(function)
    chosen = inspect.signature(plan_run).parameters.values()
    named = [p for p in own.parameters.values() if p.name != "settings"]
    settings = [p for p in chosen if p.name != "content"]
    function.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[*named, *settings]
    )


_advertise(stylize_steps)
_advertise(stylize)


def _prepare(
    content: Any, style: Any, vgg: VGG19 | None, settings: Mapping[str, Any]
) -> tuple[Tensor, list[tuple[Tensor, float]], Plan]:
    """Read the pictures and settle the run."""
    known = inspect.signature(plan_run).parameters
    for name in settings:
        if name not in known:
            raise ValueError(
                f"there is no setting {name!r}; "
                f"there are {', '.join(list(known)[1:])}"
            )
    content = _picture(content, "the content picture")
    if content.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"the content picture is {content.dtype}; pictures are painted "
            "in float32 or float64"
        )
    start = settings.get("start")
    if start is not None and not isinstance(start, str):
        start = _picture(start, "the start picture")
        settings = {**settings, "start": start}
    if vgg is not None and settings.get("device", "auto") == "auto":
        settings = {**settings, "device": next(vgg.parameters()).device}
    plan = plan_run(content, **settings)
    styles = [
        (_picture(source, "the style picture"), weight)
        for source, weight in pairs(style)
    ]
    return (
        content.to(plan.device),
        [(a.to(plan.device, content.dtype), weight) for a, weight in styles],
        plan,
    )


def _picture(source: Any, name: str) -> Tensor:
    if not isinstance(source, Tensor):
        return load_image(source)
    check_range(source, name)
    return source


def _steps(
    content: Tensor,
    styles: list[tuple[Tensor, float]],
    plan: Plan,
    vgg: VGG19 | None,
) -> Steps:
    """Run every size of the plan; what one leaves unspent goes to the next."""
    vgg = vgg or convention_network(plan.convention, plan.device, plan.layers)
    ways = _ways(content, plan, vgg)
    x: Tensor | None = None
    coarser = content
    ending = Ending()
    learned: deque[Tensor] = deque(maxlen=LEARNED)
    index, granted, spent, seconds = 0, 0, 0, 0.0
    for (size, budget), way in zip(plan.schedule, ways, strict=True):
        photo = resize(content, size)
        sized = [
            (resize_to(a, *style_shape(a, photo, plan)), weight)
            for a, weight in styles
        ]
        objective = Objective(
            photo,
            sized,
            vgg=vgg,
            convention=plan.convention,
            precision=plan.precision,
            tiles=way.tiles,
            checkpoint=way.checkpoint,
            **plan.weights,
        )
        if x is None:
            x = _start(photo, sized[0][0], plan)
        else:
            x = _enlarged(x, coarser, photo, plan)
        granted += budget
        steps = run_optimizer(
            objective,
            x,
            optimizer=plan.optimizer,
            evaluations=granted - spent,
            options=_options(plan, way, learned),
            range_rule=plan.range_rule,
            pixel_unit=plan.pixel_unit,
        )
        best: Best | None = None
        first = index
        try:
            while True:
                step = next(steps)
                best = keep_better(best, step)
                index = first + step.index
                yield replace(
                    step,
                    index=index,
                    evaluations=spent + step.evaluations,
                    seconds=seconds + step.seconds,
                )
        except StopIteration as end:
            ending = end.value
        spent += ending.evaluations
        if ending.stopped == "diverged":
            break
        assert best is not None  # a run yields its start
        x, coarser = best.image, photo
        index += 1
        seconds += step.seconds
    return replace(ending, evaluations=spent)


def _ways(content: Tensor, plan: Plan, vgg: VGG19) -> list[Layout]:
    """Return how each size is computed, before anything is spent on one.

    Where memory is short it depends on how much of it is free.
    """
    height, width = content.shape[2:]
    free = free_memory(plan.device)
    return [
        fitting_layout(
            *fit(height, width, size),
            free,
            history=_history(plan),
            vgg=vgg,
            dtype=content.dtype,
            convention=plan.convention,
            **plan.weights,
        )
        for size, _ in plan.schedule
    ]


def _history(plan: Plan) -> int:
    """Return how many pairs the optimizer keeps, 0 if it knows none."""
    parameters = _parameters(plan)
    if "history" not in parameters:
        return 0
    return int(plan.options.get("history", parameters["history"].default))


def _parameters(plan: Plan) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(OPTIMIZERS[plan.optimizer]).parameters


def _options(
    plan: Plan, way: Layout, learned: deque[Tensor]
) -> Mapping[str, Any]:
    """Return the optimizer's options for a size.

    It keeps as many pairs as fit, and goes on with what it has learned.
    """
    options = dict(plan.options)
    if way.history != _history(plan):
        options["history"] = way.history
    if "learned" in _parameters(plan):
        options.setdefault("learned", learned)
    return options


def _start(photo: Tensor, style: Tensor, plan: Plan) -> Tensor:
    if isinstance(plan.start, Tensor):
        return resize_to(plan.start.to(photo), *photo.shape[2:])
    if plan.start == "noise":
        # drawn on the CPU, so that every device starts from the same noise
        generator = torch.Generator().manual_seed(plan.seed)
        return torch.rand(photo.shape, generator=generator).to(photo)
    if plan.start == "style":
        return resize_to(style, *photo.shape[2:])
    if plan.start == "grey":
        mean = photo.new_tensor(OXFORD_MEAN)[:, None, None] / 255
        return mean.expand_as(photo).clone()
    return photo


def _enlarged(x: Tensor, coarser: Tensor, photo: Tensor, plan: Plan) -> Tensor:
    """Carry a picture over to the size of `photo`."""
    shape = photo.shape[2:]
    if plan.start != "content":
        return resize_to(x, *shape)
    change = resize_to(x, *shape) - resize_to(coarser, *shape)
    return (photo + change).clamp(0, 1)
