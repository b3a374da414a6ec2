"""From a photo and a painting to the result, from coarse to fine.

`stylize_steps` yields every accepted picture, and `stylize` keeps the best.
Progress bars, previews, early stops and checkpoints are a `for` loop over the
steps:

    for step in stylize_steps("photo.jpg", "painting.jpg", size=256):
        print(step.size, step.evaluations, float(step.terms.total))
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from typing_extensions import Unpack

from styletut.color import luminance
from styletut.conventions import DEFAULT_CONVENTION, Convention
from styletut.conventions.network import convention_network
from styletut.engines.device import check_autocast
from styletut.images import ImageError, resize_to
from styletut.images.loading import Unread, unread
from styletut.instant import instant
from styletut.objective import Objective
from styletut.objective.balance import alpha_at
from styletut.objective.checks import Layers
from styletut.objective.guides import Masks, Styles, regions_of
from styletut.optimizers.catalogue import pairs_kept, takes
from styletut.optimizers.descent import State
from styletut.optimizers.quasi_newton import LEARNED
from styletut.transfer.checkpoint import file_of
from styletut.transfer.minimization import run_optimizer
from styletut.transfer.pictures import (
    Opened,
    Pictures,
    color_matched,
    opened,
    read,
)
from styletut.transfer.plan import (
    STARTS,
    Plan,
    Settings,
    Stage,
    laid_out,
    plan_run,
)
from styletut.transfer.resuming import (
    Checkpoint,
    as_settled,
    found,
    job_of,
    settled_by,
)
from styletut.transfer.steps import (
    Best,
    BrokenOffError,
    Ending,
    KeptBest,
    Record,
    Result,
    Step,
    Steps,
    run_to_end,
    warn_of,
    warned,
)
from styletut.vgg import VGG19
from styletut.vgg.network import OXFORD_MEAN


def stylize(
    content: Any,
    style: Any,
    *,
    vgg: VGG19 | None = None,
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
    masks: Masks = (),
    color: str = "style",
    strength: float = 1.0,
    guidance: str = "simple",
    statistic: str = "gram",
    optimizer: str | None = None,
    options: Mapping[str, Any] | None = None,
    range_rule: str | None = None,
    start: Any = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    precision: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> Result:
    """Stylize a picture and return the best one.

    Whatever is left out comes from the convention, so that
    `stylize(photo, painting, convention="tensorflow_tutorial")` is that
    tutorial's run. In brackets stands what the default convention, styletut,
    has. From one size to the next the *change* made to the content is
    enlarged and added to the larger content, whose detail stays, and so it
    is with a picture as start; from another start the picture itself is
    enlarged. From a picture a run goes on: without a schedule it begins at
    no size that is smaller than that picture, but for the result's own.

    A picture of more than four megapixels that is at least four times as
    long as it is needed is read at the size that is needed, if it comes as a
    file, address or bytes.

    An interrupt (Ctrl-C, or the stop button of a notebook) returns the best
    picture so far.

    Args:
        content: a picture (1, 3, H, W) in [0, 1], the name of a sample, or
            what `load_image` reads.
        style: the same, of any size, or a sequence of (picture, weight); a
            weight may be a mapping layer -> weight, "fine" or "coarse", see
            `Objective`. None where masks cover everything. What is
            transparent in it does not count.
        vgg: the network to use as it is; by default the convention's.
        size: longer side of the result in pixels [512], by default not
            larger than the content picture.
        style_size: longer side of the style picture in pixels; larger gives
            larger strokes [that of the result].
        evaluations: of the objective with its gradient, over all sizes
            [60].
        schedule: (size, evaluations) from coarse to fine, instead of both.
        convention: a name out of `CONVENTIONS`, or a `Convention`.
        alpha: weight of the content [0.1 of the untouched photo's style loss
            at the finest size, 0.3 at most]; the result's settings and each
            step's terms tell the number.
        beta: weight of the style [1].
        gamma: weight of the total variation [0]; 1e-5 to 1e-4 take colored
            grain away.
        content_layers: names, or name -> weight [relu4_2].
        style_layers: the same [relu1_1, relu2_1, relu3_1, relu4_1,
            relu5_1].
        masks: regions with a style of their own, as a sequence of (mask,
            style) or (mask, style, mask of the style picture): white where
            it counts, given as pictures are, or a tensor (H, W), of any
            size and of its picture's ratio of sides. `style` has what they
            leave.
        color: whose colors the picture gets: "style", "match" (the
            paintings are given the colors of the photo's region first) or
            "luminance" (the run is done on light alone, and under it goes
            the photo's color).
        strength: of the style: 0 is the photo, 1 the default, 2 much;
            beta/alpha is multiplied by its power 3.3.
        guidance: how masks are taken to a layer: "simple", "inside" or
            "all", see `objective.guides.propagated`.
        statistic: what is compared with the style: "gram", "moments",
            "wasserstein" or "sliced", see `objective.statistics`.
        optimizer: a name out of `OPTIMIZERS` [spectral_lbfgs].
        options: keyword arguments for the optimizer [none].
        range_rule: how pixels are kept in [0, 1], as `minimize` takes it
            [project].
        start: "content", "color" (the content with the mean and covariance
            of the styles' colors), "noise" (uniform), "style" (stretched to
            the content's shape), "grey" (the network's mean color),
            "instant" (what `instant.instant` paints, for styles named as it
            takes them), or a picture to go on from, given as the content
            is, of the content's ratio of sides and of any size [color].
        seed: of the noise, a whole number.
        device: "auto", "cpu", "cuda", "mps" or another of torch's names;
            "auto" is the device of `vgg` where that is given.
        precision: of the network's convolutions, a name out of
            `engines.device.PRECISIONS`; "auto" changes nothing that is seen.
        checkpoint: a file, NAME.safetensors, for the place of the run: it is
            written at every size, every 10 evaluations, and when anything
            stops the run, and stays. Or a folder, in which each run has a
            file of its own. With L-BFGS's 15 pairs it has about 400 bytes
            for each pixel.
        resume: whether to go on from it; where there is none yet the run
            begins afresh. The picture is that of a run that was not stopped,
            bit for bit on a CPU with as many threads.

    Returns:
        The best picture at the finest size that was reached, with the run's
        history and settings.

    Raises:
        ImageError: for a picture that cannot be read.
        ValueError: for settings that cannot be.
        TooLargeError: a ValueError, if a size or a style picture does not
            fit into memory.
        CheckpointError: a ValueError, for a checkpoint that is damaged or of
            another run, that cannot be written, or that is there already and
            is not to be gone on from.
        KeyboardInterrupt: if there is no picture yet.
        BrokenOffError: if anything else, such as want of memory, breaks off
            a run that has a picture; its `result` is what there is.
    """
    run = prepare(
        content,
        style,
        vgg=vgg,
        size=size,
        style_size=style_size,
        evaluations=evaluations,
        schedule=schedule,
        convention=convention,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        content_layers=content_layers,
        style_layers=style_layers,
        masks=masks,
        color=color,
        strength=strength,
        guidance=guidance,
        statistic=statistic,
        optimizer=optimizer,
        options=options,
        range_rule=range_rule,
        start=start,
        seed=seed,
        device=device,
        precision=precision,
        checkpoint=checkpoint,
        resume=resume,
    )
    return result_of(run)


def stylize_steps(
    content: Any,
    style: Any,
    *,
    vgg: VGG19 | None = None,
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
    masks: Masks = (),
    color: str = "style",
    strength: float = 1.0,
    guidance: str = "simple",
    statistic: str = "gram",
    optimizer: str | None = None,
    options: Mapping[str, Any] | None = None,
    range_rule: str | None = None,
    start: Any = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    precision: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> Steps:
    """Stylize from coarse to fine, a step at a time.

    Arguments are those of `stylize`, and so are the errors for pictures and
    settings; they come at once, before the first step.

    Yields:
        One `Step` for each accepted picture at every size; `index`,
        `evaluations` and `seconds` count on from size to size. A run that is
        resumed begins with the last step of the one before.

    Returns:
        A generator; its return value is an `Ending`.
    """
    run = prepare(
        content,
        style,
        vgg=vgg,
        size=size,
        style_size=style_size,
        evaluations=evaluations,
        schedule=schedule,
        convention=convention,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        content_layers=content_layers,
        style_layers=style_layers,
        masks=masks,
        color=color,
        strength=strength,
        guidance=guidance,
        statistic=statistic,
        optimizer=optimizer,
        options=options,
        range_rule=range_rule,
        start=start,
        seed=seed,
        device=device,
        precision=precision,
        checkpoint=checkpoint,
        resume=resume,
    )
    return warned(steps_of(run))


class Run(NamedTuple):
    """A run with all that it needs, on its device.

    Attributes:
        pictures: photo, paintings and masks.
        plan: what is to be done.
        vgg: by which network.
        checkpoint: where its place is kept, if it is.
    """

    pictures: Pictures
    plan: Plan
    vgg: VGG19
    checkpoint: Checkpoint | None = None

    def before(self) -> tuple[tuple[Record, ...], Best | None]:
        """Return history and best picture of the run that it goes on from."""
        if self.checkpoint is None:
            return (), None
        return self.checkpoint.history, self.checkpoint.best

    def text(self) -> dict[str, str]:
        """Return what is done as names and values for text fields."""
        return {**self.plan.text(self.vgg), **self.pictures.text()}


def prepare(
    content: Any,
    style: Styles | None,
    *,
    masks: Masks = (),
    vgg: VGG19 | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    **settings: Unpack[Settings],
) -> Run:
    """Read the pictures and settle the run; see `stylize`."""
    if resume and checkpoint is None:
        raise ValueError(
            "to resume a run takes a checkpoint: name the file that it wrote"
        )
    check_autocast()
    given = opened(content, style, masks)
    dtype = content.dtype if isinstance(content, Tensor) else torch.float32
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"the content picture is {dtype}; pictures are painted "
            "in float32 or float64"
        )
    start, begun = settings.get("start"), None
    if isinstance(start, str) and start == "instant":
        plan = plan_run(
            given.photo.shape, given.style_shapes, dtype, **settings
        )
        start = _instant_picture(given, style, plan)
    if start is not None and not (isinstance(start, str) and start in STARTS):
        begun = _start_picture(start)
        settings["start"] = begun.outline(dtype)
    if vgg is not None and settings.get("device", "auto") == "auto":
        settings["device"] = next(vgg.parameters()).device
    plan = plan_run(given.photo.shape, given.style_shapes, dtype, **settings)
    size = plan.finest.size
    if begun is not None:
        plan = replace(plan, start=begun.for_size(size))
    vgg = vgg or convention_network(plan.convention, plan.device, plan.layers)
    pictures = read(
        given, size, plan.style_sizes, plan.color, dtype, plan.device
    )
    plan = laid_out(plan, vgg, dtype, len(pictures.regions))
    run = Run(pictures, plan, vgg)
    if checkpoint is None:
        return _balanced(run)
    return _kept(run, checkpoint, resume)


def result_of(run: Run) -> Result:
    """Do a run and return its result; see `stylize`.

    Warns:
        StoppedEarly: if it ended before its evaluations were spent.
    """
    best, history, ending, crash = run_to_end(
        steps_of(run), None, *run.before()
    )
    if ending.message and ending.stopped != "interrupted":
        warn_of(ending, stacklevel=4)  # at the call of `stylize`
    result = Result(
        best.image.cpu(),
        history,
        run.text(),
        ending.stopped,
        ending.message,
        run.pictures.alpha_like(best.image),
    )
    if crash is not None:
        raise BrokenOffError(crash, result) from crash
    return result


def steps_of(run: Run) -> Steps:
    """Run every size of a plan; what one leaves unspent goes to the next.

    A run with a checkpoint goes on from where that is.
    """
    if run.plan.strength == 0:
        return _the_photo(run)
    if run.checkpoint is None:
        return _all_sizes(run, {})
    return run.checkpoint.keep(_all_sizes(run, run.checkpoint.state))


def _the_photo(run: Run) -> Steps:
    """Yield the photo as it is, judged once."""
    finest = run.plan.finest
    at = pictures_at(finest, run)
    with torch.no_grad():
        terms = objective_at(at, finest, run)(at.photo)
    yield Step(0, 0, terms, finest.size, 0.0, at.finished(at.photo))
    return Ending()


def _all_sizes(run: Run, state: State) -> Steps:
    """Run each size, from where a state is if it is of another run."""
    plan = run.plan
    x: Tensor | None = None
    coarser = run.pictures.photo
    ending = Ending()
    learned: deque[Tensor] = deque(maxlen=LEARNED)
    first = state.get("stage", 0)
    index, granted, spent, seconds = state.get("before", (0, 0, 0, 0.0))
    for number, stage in enumerate(plan.stages[first:], first):
        at = pictures_at(stage, run)
        begun = at.photo
        if number == 0 or plan.keeps_detail:
            begun = _start(at, plan)
        x = begun if x is None else _enlarged(x, coarser, begun, plan)
        if state.get("stage") != number:
            before = (index, granted, spent, seconds)
            state.update(stage=number, before=before, best=None, minimum={})
        granted += stage.evaluations
        steps = KeptBest(
            run_optimizer(
                # nothing else holds it, so that it ends with its size
                objective_at(at, stage, run),
                # light alone where the color is the photo's
                x if at.colored is None else luminance(x)[:, :1],
                optimizer=plan.optimizer,
                evaluations=granted - spent,
                options=options_at(plan, stage, learned),
                range_rule=plan.range_rule,
                pixel_unit=plan.pixel_unit,
                state=state["minimum"],
            ),
            state["best"] and Best(*state["best"]),
        )
        for step in steps:
            state["best"] = steps.best
            yield replace(
                step,
                image=at.finished(step.image),
                index=index + step.index,
                evaluations=spent + step.evaluations,
                seconds=seconds + step.seconds,
            )
        ending = steps.ending
        spent += ending.evaluations
        if ending.stopped == "diverged":
            break
        assert steps.best is not None  # a run yields its start
        x, coarser = steps.best.image, begun
        index += step.index + 1
        seconds += step.seconds
    return replace(ending, evaluations=spent)


def _kept(run: Run, path: str | os.PathLike[str], resume: bool) -> Run:
    """Return a run with a checkpoint, from which it goes on if it may."""
    job = job_of(run.plan, run.pictures, run.vgg)
    file = file_of(path, job)
    saved = found(file, job, run.plan.device, resume)
    if saved is None:
        run = _balanced(run)
        settled = settled_by(run.plan)
    else:
        settled = saved.settled
        run = run._replace(plan=as_settled(run.plan, settled))
    return run._replace(checkpoint=Checkpoint(file, job, settled, saved))


def _balanced(run: Run) -> Run:
    """Settle alpha, for all sizes as the finest one has it."""
    plan = run.plan
    follows = plan.convention.alpha_share is not None
    if "alpha" in plan.chosen or not follows:
        alpha = plan.chosen.get("alpha", plan.convention.alpha)
    else:
        finest = plan.finest
        alpha = objective_at(pictures_at(finest, run), finest, run).alpha
    if plan.strength not in (0, 1):
        alpha = alpha_at(plan.strength, alpha)
    elif not follows:
        return run
    chosen = {**plan.chosen, "alpha": alpha}
    return run._replace(plan=replace(plan, chosen=chosen))


def _start_picture(source: Any) -> Unread:
    try:
        return unread(source, "the start picture")
    except ImageError as error:
        raise ImageError(
            f"the start can be {', '.join(STARTS)} or a picture: {error}"
        ) from error


def _instant_picture(given: Opened, style: Styles | None, plan: Plan) -> Any:
    """Return what the network of the sample styles makes of the photo."""
    if len(given.regions) > 1 or plan.color != "style":
        raise ValueError(
            "the start 'instant' has no masks, and no other colors than the "
            "style's; leave these out, or begin from 'color'"
        )
    (region,) = regions_of(style)
    named = [
        (each.picture, each.weight)
        for each in region.paintings
        if isinstance(each.picture, str)
        and isinstance(each.weight, int | float)
    ]
    if len(named) < len(region.paintings):
        raise ValueError(
            "the start 'instant' is for sample styles, which it knows by "
            "their names: 'glass', or [('glass', 1), ('ink', 2)]; begin from "
            "'color' with others"
        )
    size = plan.finest.size
    return instant(given.photo.read(size), named, size=size)


def pictures_at(stage: Stage, run: Run) -> Pictures:
    """Return a run's pictures at the sizes of a stage."""
    return run.pictures.resized(stage.shape, stage.style_shapes)


def objective_at(pictures: Pictures, stage: Stage, run: Run) -> Objective:
    """Return what a run minimizes at a stage, with its pictures there."""
    masked = [each for each in pictures.regions if each.mask is not None]
    whole = [each for each in pictures.regions if each.mask is None]
    return Objective(
        pictures.photo,
        whole[0].paintings if whole else None,
        masks=masked,
        vgg=run.vgg,
        convention=run.plan.convention,
        precision=run.plan.precision,
        tiles=stage.layout.tiles,
        style_tiles=stage.layout.style_tiles,
        checkpoint=stage.layout.checkpoint,
        **run.plan.chosen,
    )


def options_at(
    plan: Plan, stage: Stage, learned: deque[Tensor]
) -> Mapping[str, Any]:
    """Return the optimizer's options for a size.

    It keeps as many pairs as fit, and goes on with what it has learned.
    """
    options = dict(plan.options)
    if stage.layout.history != pairs_kept(plan.optimizer, plan.options):
        options["history"] = stage.layout.history
    if takes(plan.optimizer, "learned"):
        options.setdefault("learned", learned)
    return options


def _start(at: Pictures, plan: Plan) -> Tensor:
    photo = at.photo
    if isinstance(plan.start, Tensor):
        return resize_to(plan.start.to(photo), *photo.shape[2:])
    if plan.start == "noise":
        # drawn on the CPU, so that every device starts from the same noise
        generator = torch.Generator().manual_seed(plan.seed)
        noise = torch.rand(
            photo.shape, generator=generator, dtype=torch.float32
        )
        return noise.to(photo)
    if plan.start == "color":
        return color_matched(photo, at.regions, plan.style_layers)
    if plan.start == "style":
        first = at.regions[0].paintings[0].picture
        return resize_to(first, *photo.shape[2:])
    if plan.start == "grey":
        mean = photo.new_tensor(OXFORD_MEAN)[:, None, None] / 255
        return mean.expand_as(photo).clone()
    return photo


def _enlarged(x: Tensor, coarser: Tensor, finer: Tensor, plan: Plan) -> Tensor:
    """Carry a picture over to the next size.

    Args:
        x: it.
        coarser: what the run began with, at its size.
        finer: the same at the next size, or any picture of that size if no
            detail is kept.
        plan: of the run.
    """
    shape = finer.shape[2:]
    if not plan.keeps_detail:
        return resize_to(x, *shape)
    change = resize_to(x, *shape) - resize_to(coarser, *shape)
    return (finer + change).clamp(0, 1)
