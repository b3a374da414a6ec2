"""From a start picture to the result.

`minimize` runs one optimizer on one objective, `stylize_steps` does so from
coarse to fine, and `stylize` keeps the best picture. Progress bars, previews,
early stops and checkpoints are a `for` loop over the steps:

    for step in stylize_steps("photo.jpg", "painting.jpg", size=256):
        print(step.size, step.evaluations, float(step.terms.total))
"""

import base64
import inspect
import io
import math
import os
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from styletut.images import load_image, resize, save_image, to_pil
from styletut.objective import Objective, Terms, convention_network
from styletut.optimizers import OPTIMIZERS, Bounds
from styletut.pictures import resize_to
from styletut.planning import Plan, plan_run, style_shape
from styletut.vgg import OXFORD_MEAN, VGG19

Stopped = Literal["done", "stalled", "diverged", "interrupted"]

MimeBundle = tuple[dict[str, str], dict[str, Any]]

RANGE_RULES = ("project", "sigmoid", "none")

LOOK_EVERY = 5
"""Steps between two looks for a stall or a value that is not finite."""

PATIENCE = 50
"""Evaluations without progress after which a run has stalled."""

LEAST_PROGRESS = 1e-6
"""Relative fall of the total that counts as progress."""

SIGMOID_MARGIN = 1e-3
"""How far inside (0, 1) a picture must lie to have a finite logit."""


class StoppedEarly(UserWarning):
    """A run ended before its evaluations were spent; the text says why."""


@dataclass(frozen=True)
class Record:
    """What a step leaves in a run's history.

    Attributes:
        index: 0 for the start, then counting accepted pictures.
        evaluations: of the objective with its gradient so far, those of the
            line search included.
        terms: the objective's value, 0-dimensional tensors on the device:
            reading one waits for the device.
        size: longer side of the picture in pixels.
        seconds: since the run began.
    """

    index: int
    evaluations: int
    terms: Terms
    size: int
    seconds: float


@dataclass(frozen=True)
class Step(Record):
    """One accepted picture of a run.

    Attributes:
        image: the picture, (1, 3, H, W) in [0, 1], a copy to keep.
    """

    image: Tensor

    @property
    def alt(self) -> str:
        """The picture in words: size, evaluations and loss so far."""
        height, width = self.image.shape[2:]
        return (
            f"Picture after {self.evaluations} evaluations, {width} x "
            f"{height} pixels, loss {float(self.terms.total):.3g}"
        )

    def record(self) -> Record:
        """Return the step without its picture."""
        return Record(
            self.index, self.evaluations, self.terms, self.size, self.seconds
        )

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> MimeBundle:
        """Show the picture in a notebook, with its alternative text."""
        return _mime_bundle(self.image, self.alt)


@dataclass(frozen=True)
class Ending:
    """How a run ended: one word, and a sentence where it ended early."""

    stopped: Stopped = "done"
    message: str = ""


Steps = Generator[Step, None, Ending]


@dataclass(frozen=True)
class Result:
    """What `stylize` hands over.

    Attributes:
        image: the best picture at the finest size reached, (1, 3, H, W) in
            [0, 1], on the CPU.
        history: a `Record` for each step.
        settings: every choice of the run, as text.
        stopped: "done", "stalled", "diverged" or "interrupted".
        message: what happened, where it stopped early.
    """

    image: Tensor
    history: tuple[Record, ...]
    settings: dict[str, str]
    stopped: Stopped
    message: str = ""

    @property
    def alt(self) -> str:
        """The picture in words: size, convention, evaluations, ending."""
        height, width = self.image.shape[2:]
        return (
            f"Stylized picture, {width} x {height} pixels, convention "
            f"{self.settings['convention']}, "
            f"{self.history[-1].evaluations} evaluations, {self.stopped}"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture, with the settings as text fields.

        Raises:
            ImageError: if the file cannot be written.
        """
        save_image(self.image, path, self.settings)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> MimeBundle:
        """Show the picture in a notebook, with its alternative text."""
        return _mime_bundle(self.image, self.alt)


def _mime_bundle(image: Tensor, alt: str) -> MimeBundle:
    file = io.BytesIO()
    to_pil(image).save(file, "PNG", optimize=True)
    png = base64.b64encode(file.getvalue()).decode("ascii")
    return {"image/png": png, "text/plain": alt}, {"image/png": {"alt": alt}}


@dataclass(frozen=True)
class _Variable:
    """How the optimizer's variable is tied to a picture in [0, 1]."""

    start: Tensor
    bounds: Bounds
    unit: float  # what 1 of a pixel's range is in it, about
    picture: Callable[[Tensor], Tensor]
    pull_back: Callable[[Tensor, Tensor], Tensor]  # gradient, variable
    cut: bool  # whether pictures may leave [0, 1] and are cut to it


def minimize(
    objective: Objective,
    start: Tensor,
    *,
    optimizer: str = "lbfgs",
    evaluations: int = 200,
    options: Mapping[str, Any] | None = None,
    range_rule: str = "project",
    pixel_unit: float | Sequence[float] = 1.0,
) -> Steps:
    """Minimize an objective over pictures, a step at a time.

    A stall and a value that is not finite end the run with a `StoppedEarly`
    warning that says what happened; the pictures so far are the caller's.

    Args:
        objective: what is minimized; nothing else of its convention is
            used.
        start: first picture, (1, 3, H, W) in [0, 1].
        optimizer: a name out of `optimizers.OPTIMIZERS`.
        evaluations: how often the objective and its gradient are computed.
        options: keyword arguments for the optimizer.
        range_rule: how pixels are kept in [0, 1]. "project": each point is
            projected onto the range, as part of the optimizer. "sigmoid":
            the optimizer works on the logarithm of x / (1 - x). "none": it
            works without bounds, and pictures are cut to the range only
            when they are handed out, with the terms of the cut picture
            (one more forward pass a step, not counted).
        pixel_unit: what 1 of a pixel's range is in the optimizer's variable,
            for all channels or for each: with 255 its learning rates are
            those for pixels in 0 to 255. Not used by "sigmoid".

    Yields:
        One `Step` for each accepted picture, the start first.

    Returns:
        A generator; its return value is an `Ending`.

    Raises:
        ValueError: for an unknown optimizer, option or range rule, a start
            of another shape than the content, or a budget below 1.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"there is no optimizer {optimizer!r}; "
            f"there are {', '.join(OPTIMIZERS)}"
        )
    if evaluations < 1:
        raise ValueError(
            f"evaluations is {evaluations}; a run takes at least 1"
        )
    if tuple(start.shape) != objective.shape:
        raise ValueError(
            f"the start has shape {tuple(start.shape)} and the content "
            f"{objective.shape}; they must be equal"
        )
    options = _checked_options(optimizer, options or {})
    variable = _variable(start.detach(), range_rule, pixel_unit)
    return _minimize(objective, variable, optimizer, evaluations, options)


def _minimize(
    objective: Objective,
    variable: _Variable,
    optimizer: str,
    evaluations: int,
    options: Mapping[str, Any],
) -> Steps:
    began = time.perf_counter()
    last: Terms  # an iterate is yielded right after its evaluation
    spent = 0

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal last, spent
        spent += 1
        last, gradient = objective.gradient(variable.picture(x))
        return last.total, variable.pull_back(gradient, x)

    iterates = OPTIMIZERS[optimizer](
        evaluate,
        variable.start,
        evaluations=evaluations,
        bounds=variable.bounds,
        unit=variable.unit,
        **options,
    )
    best, best_at = math.inf, 0
    for index, iterate in enumerate(iterates):
        done = iterate.evaluations
        image, terms = variable.picture(iterate.x), last
        if variable.cut:
            image = image.clamp(0, 1)
            with torch.no_grad():
                terms = objective(image)
        yield Step(
            index,
            done,
            terms,
            max(image.shape[2:]),
            time.perf_counter() - began,
            image,
        )
        if index % LOOK_EVERY == 0:
            total = float(terms.total)
            if total < best * (1 - LEAST_PROGRESS):
                best, best_at = total, done
            ending = _ending(total, done, best, best_at)
            if ending.message:
                return _warned(ending)
    if spent < evaluations:
        return _warned(
            Ending(
                "stalled",
                f"stalled after {spent} evaluations: no step along the "
                "gradient lowers the loss any further, so the picture is "
                "the best this start leads to",
            )
        )
    return Ending()


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
        device: "auto", "cpu", "cuda", "mps" or another of torch's names.

    Yields:
        One `Step` for each accepted picture at every size; `index`,
        `evaluations` and `seconds` count on from size to size.

    Returns:
        A generator; its return value is an `Ending`.

    Raises:
        ImageError: for a picture that cannot be read.
        ValueError: for settings that cannot be.
    """
    return _steps(*_prepare(content, style, settings), vgg)


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
    """
    content, styles, plan = _prepare(content, style, settings)
    steps = _steps(content, styles, plan, vgg)
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
    assert best is not None  # minimize yields the start
    return Result(
        best.image.cpu(),
        tuple(history),
        plan.text(),
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


class Best(NamedTuple):
    """The best picture of a run's finest size so far, and its total."""

    image: Tensor
    total: Tensor


def keep_better(best: Best | None, step: Step) -> Best:
    """Return the better of the best picture and a step's.

    Totals are compared on the device, without waiting for it. A picture of
    another size than the best one replaces it: it comes from the next size.
    """
    total = step.terms.total
    if best is None or best.image.shape != step.image.shape:
        return Best(step.image, total)
    lower = (total < best.total) | best.total.isnan()
    return Best(
        torch.where(lower, step.image, best.image),
        torch.where(lower, total, best.total),
    )


def _prepare(
    content: Any, style: Any, settings: Mapping[str, Any]
) -> tuple[Tensor, list[tuple[Tensor, float]], Plan]:
    """Read the pictures and settle the run."""
    content = _picture(content)
    plan = plan_run(content, **settings)
    if isinstance(style, (list, tuple)):
        styles = [(_picture(source), weight) for source, weight in style]
    else:
        styles = [(_picture(style), 1.0)]
    return (
        content.to(plan.device),
        [(picture.to(plan.device), weight) for picture, weight in styles],
        plan,
    )


def _picture(source: Any) -> Tensor:
    return source if isinstance(source, Tensor) else load_image(source)


def _steps(
    content: Tensor,
    styles: list[tuple[Tensor, float]],
    plan: Plan,
    vgg: VGG19 | None,
) -> Steps:
    vgg = vgg or convention_network(plan.convention, plan.device)
    x: Tensor | None = None
    coarser = content
    index, evaluations, seconds = 0, 0, 0.0
    ending = Ending()
    for size, budget in plan.schedule:
        photo = resize(content, size)
        sized = [
            (resize_to(a, *style_shape(a, photo, plan)), weight)
            for a, weight in styles
        ]
        objective = Objective(
            photo, sized, vgg=vgg, convention=plan.convention, **plan.weights
        )
        if x is None:
            x = _start(photo, sized[0][0], plan)
        else:
            x = _enlarged(x, coarser, photo, plan)
        steps = minimize(
            objective,
            x,
            optimizer=plan.optimizer,
            evaluations=budget,
            options=plan.options,
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
                    evaluations=evaluations + step.evaluations,
                    seconds=seconds + step.seconds,
                )
        except StopIteration as end:
            ending = end.value
        assert best is not None  # minimize yields the start
        if ending.stopped == "diverged":
            return ending
        x, coarser = best.image, photo
        index += 1
        evaluations += budget
        seconds += step.seconds
    return ending


def _start(photo: Tensor, style: Tensor, plan: Plan) -> Tensor:
    if isinstance(plan.start, Tensor):
        picture = plan.start.to(photo)
        if picture.ndim != 4 or picture.shape[:2] != (1, 3):
            raise ValueError(
                "the start picture must have shape (1, 3, H, W), not "
                f"{tuple(picture.shape)}"
            )
        return resize_to(picture, *photo.shape[2:])
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


def _variable(
    start: Tensor, range_rule: str, pixel_unit: float | Sequence[float]
) -> _Variable:
    unit = start.new_tensor(pixel_unit).reshape(-1, 1, 1)
    if range_rule == "sigmoid":
        inside = start.clamp(SIGMOID_MARGIN, 1 - SIGMOID_MARGIN)
        return _Variable(
            torch.logit(inside),
            None,
            4.0,  # the logit's slope at 1/2
            torch.sigmoid,
            lambda gradient, z: gradient * _sigmoid_slope(z),
            cut=False,
        )
    bounds = (torch.zeros_like(unit), unit)
    if range_rule not in RANGE_RULES:
        raise ValueError(
            f"there is no range rule {range_rule!r}; "
            f"there are {', '.join(RANGE_RULES)}"
        )
    return _Variable(
        start * unit,
        bounds if range_rule == "project" else None,
        float(unit.mean()),
        lambda x: x / unit,
        lambda gradient, x: (gradient / unit).contiguous(),
        cut=range_rule == "none",
    )


def _sigmoid_slope(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * torch.sigmoid(-z)


def _checked_options(
    optimizer: str, options: Mapping[str, Any]
) -> Mapping[str, Any]:
    parameters = inspect.signature(OPTIMIZERS[optimizer]).parameters
    given_here = {"evaluate", "start", "evaluations", "bounds", "unit"}
    known = [name for name in parameters if name not in given_here]
    for name in options:
        if name not in known:
            raise ValueError(
                f"the optimizer {optimizer} has no option {name!r}; "
                f"it has {', '.join(known)}"
            )
    return options


def _ending(total: float, done: int, best: float, best_at: int) -> Ending:
    """Judge a run by its last total and its best one."""
    if not math.isfinite(total):
        return Ending(
            "diverged",
            f"diverged: the loss was {total} after {done} evaluations, so "
            "the steps are too long; take a smaller learning rate, or the "
            "optimizer lbfgs, which checks every step",
        )
    if done - best_at >= PATIENCE:
        return Ending(
            "stalled",
            f"stalled after {done} evaluations: the loss has not fallen "
            f"below {best:.6g} since evaluation {best_at}, so more of them "
            "would not improve the picture; a smaller learning rate may",
        )
    return Ending()


def _warned(ending: Ending) -> Ending:
    """Tell the caller's user how the run ended."""
    warnings.warn(ending.message, StoppedEarly, stacklevel=2)
    return ending
