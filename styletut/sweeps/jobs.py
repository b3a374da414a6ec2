"""One run of a sweep as a job: what a worker needs, what it hands back.

A `Job` holds plain values and arrays, and so does its `Outcome`: a worker
may be this process, another one, or a machine that shares no folder with
this one. It needs this package and the network's weights.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from styletut import __version__
from styletut.conventions import Convention
from styletut.conventions.network import weights_at_hand
from styletut.cores.threads import lower_threads
from styletut.engines.device import check_precision, find_device
from styletut.images.picture import check_picture, resize_to
from styletut.transfer.checkpoint import CheckpointError, can_be_written
from styletut.transfer.coarse_to_fine import Run, prepare, result_of
from styletut.transfer.plan import Plan, Settings, plan_run
from styletut.transfer.sizes import Shape, style_shape
from styletut.transfer.steps import Result, StoppedEarly
from styletut.values import real, whole
from styletut.vgg import VGG19
from styletut.vgg.network import shared_network
from styletut.vgg.weights import OXFORD_SHA256, TORCHVISION_SHA256, sha256

Metrics = Callable[[Tensor, Tensor, Tensor], Mapping[str, float]]
"""Takes a result, the content and the style picture; gives names and numbers,
as `metrics.compare` does."""

NETWORK = ("weights", "pooling", "normalize")
"""Settings of a run that are arguments of `VGG19`."""

FORMULAS = (
    "alpha",
    "beta",
    "gamma",
    "content_layers",
    "style_layers",
    "content_factor",
    "gram_divisor",
    "style_factor",
    "total_variation",
    "style_size",
)
"""What decides a run in a convention, apart from what a `Plan` has settled."""


KEYED = (
    "schedule",
    "style_scale",
    "optimizer",
    "options",
    "range_rule",
    "pixel_unit",
    "start",
    "seed",
    "precision",
)
"""What of a `Plan` is in every key, beside the formulas and what the caller
chose of them."""

LATER: Mapping[str, Any] = {"color": "style", "strength": 1.0}
"""Fields of a `Plan` that came after the first runs were stored, with the
value at which each changes no picture: only another value is in a key."""

ANYWHERE: Mapping[str, Any] = {"device": "cpu", "precision": "float32"}
"""What a run is planned with for its key and its pictures' sizes: a worker may
have another device, so it is not looked for here."""

STORED_AS: Mapping[str, str] = {
    "styletut.conventions.factors": "styletut.factors",
    "styletut.metrics.comparison": "styletut.metrics",
}
"""Modules by the names that they have in keys and in stored runs: those that
they had when the first of these runs were made."""


class Packed(NamedTuple):
    """A picture to be sent, as `pack` makes it.

    Attributes:
        pixels: (H, W, 3), uint8 where that says it exactly, as for all that
            comes from usual files in float32; else of the picture's dtype.
        digest: what its pixels are known by.
    """

    pixels: np.ndarray
    digest: str


@dataclass(frozen=True)
class Job:
    """A run to be made, or made already and to be measured.

    Attributes:
        key: tells runs apart; equal for runs whose pictures are the same.
        content: pixels of the content picture, as `Packed` has them.
        style: those of the style picture.
        settings: of `stylize`, those that were chosen, and of the network.
        metrics: how to measure the result; None for not at all.
        threads: that torch computes with; None to leave them as they are.
        picture: the result, if it was made before.
        checkpoint: a file for the place of the run, where the worker has its
            folder; None for none.
    """

    key: str
    content: np.ndarray
    style: np.ndarray
    settings: Mapping[str, Any]
    metrics: Metrics | None = None
    threads: int | None = None
    picture: np.ndarray | None = None
    checkpoint: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        picture: the result in 256 levels, (H, W, 3); None if there is none.
        text: every choice of the run, in words.
        results: loss terms, seconds and the like, by name.
        measures: what the metrics gave, by name.
        error: what went wrong, in a line, or nothing.
    """

    picture: np.ndarray | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


def make_job(
    content: Packed,
    style: Packed,
    settings: dict[str, Any],
    metrics: Metrics | None = None,
    threads: int | None = None,
) -> Job:
    """Settle a run and give it its key.

    The key changes with the pixels of content, style and start, with every
    setting as the convention completes it, and with the first two numbers
    of the package's version, which change when pictures do. It does not
    change with where files lie, nor with device, threads and versions of
    other packages. These change rounding errors, which grow from step to
    step: the same run with two threads instead of one is another picture
    of about the same loss, and either stands for the setting.

    Raises:
        ValueError: for settings that cannot be.
        OSError: for a weights file that cannot be read.
    """
    plan = _plan(content.pixels, style.pixels, {**settings, **ANYWHERE})
    network = _network_of(plan.convention, settings)
    identity = {
        "version": __version__.split(".")[:2],
        "content": content.digest,
        "style": style.digest,
        "network": network | {"weights": _training(network["weights"])},
        **_identity(plan),
        "precision": _keyed_precision(settings.get("precision", "auto")),
    }
    # the network is settled here, for a worker may have other files
    settings = {**settings, **network}
    text = json.dumps(_canonical(identity), sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Job(key, content.pixels, style.pixels, settings, metrics, threads)


def sizes_needed(
    content: Shape, style: Shape, settings: Mapping[str, Any]
) -> tuple[int, int]:
    """Return as how large a run needs its pictures: their longer sides.

    Args:
        content: height and width of the content picture.
        style: those of the style picture.
        settings: as `make_job` takes them; of a start picture the shape
            counts.

    Raises:
        ValueError: for settings that cannot be.
    """
    plan = plan_run(content, [style], **_of_run({**settings, **ANYWHERE}))
    return plan.finest.size, plan.style_sizes[0]


def work(job: Job) -> Outcome:
    """Do a job, whatever goes wrong in it.

    Raises:
        KeyboardInterrupt: and nothing else; an error is in the outcome.
    """
    with _threads(job.threads):
        try:
            outcome, plan = _painted(job)
        except Exception as error:
            return Outcome(error=in_a_line(error))
        if job.metrics is None:
            return outcome
        try:
            measures = _measured(job, outcome.picture, plan)
            return replace(outcome, measures=measures)
        except Exception as error:
            return replace(outcome, error=f"metrics: {in_a_line(error)}")


def in_a_line(error: BaseException) -> str:
    """Return an error's name and text without line breaks."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def pack(x: Tensor) -> Packed:
    """Return a picture, (1, 3, H, W), as an array with its digest."""
    check_picture(x)
    pixels = x.detach()[0].permute(1, 2, 0).cpu()
    levels = (pixels * 255).round().clamp(0, 255).to(torch.uint8)
    exact = x.dtype == torch.float32 and torch.equal(levels / 255, pixels)
    packed = (levels if exact else pixels).contiguous().numpy()
    head = f"{packed.shape} {packed.dtype} ".encode()
    digest = hashlib.sha256(head + packed.tobytes()).hexdigest()
    return Packed(packed, digest)


def unpack(pixels: np.ndarray) -> Tensor:
    """Return the picture that was packed to these, (1, 3, H, W)."""
    values = torch.tensor(pixels)  # a copy: what comes by mail is read-only
    if pixels.dtype == np.uint8:
        values = values / 255
    return values.permute(2, 0, 1)[None].contiguous()


def _painted(job: Job) -> tuple[Outcome, Plan]:
    """Return the picture of a job, and the plan by which it is made."""
    if job.picture is not None:
        # there is nothing left to be done on a device, nor from a start
        given = {k: v for k, v in job.settings.items() if k != "start"}
        plan = _plan(job.content, job.style, given | {"device": "cpu"})
        return Outcome(job.picture), plan
    settings = _of_run(job.settings)
    device = find_device(settings.pop("device", "auto"))
    network = {name: job.settings[name] for name in NETWORK}

    def prepared(**kept: Any) -> Run:
        return prepare(
            unpack(job.content),
            unpack(job.style),
            vgg=shared_network(**network, device=device),
            **kept,
            **settings,
        )

    run = _resumed(job, prepared)
    with warnings.catch_warnings():
        # the result says so itself
        warnings.simplefilter("ignore", StoppedEarly)
        result = result_of(run)
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    if run.checkpoint is not None:
        run.checkpoint.remove()
    levels = (result.image * 255).round().to(torch.uint8)
    outcome = Outcome(
        levels[0].permute(1, 2, 0).contiguous().numpy(),
        result.settings,
        _results(result, run.vgg),
    )
    return outcome, run.plan


def _resumed(job: Job, prepared: Callable[..., Run]) -> Run:
    """Return a job's run, at the place that it had when it was stopped.

    A checkpoint that cannot be gone on from, as that of another device, is
    replaced: in a sweep nobody is there to be asked.
    """
    if job.checkpoint is None or not can_be_written():
        return prepared()
    file = Path(job.checkpoint)
    try:
        return prepared(checkpoint=file, resume=file.exists())
    except CheckpointError:
        with suppress(OSError):
            file.unlink()
    try:
        return prepared(checkpoint=file)
    except CheckpointError:  # there is no such folder, or no way to write
        return prepared()


def _results(result: Result, vgg: VGG19) -> dict[str, Any]:
    last = result.history[-1]
    finest = [step for step in result.history if step.size == last.size]
    best = min(
        finest, key=lambda step: float(step.terms.total.nan_to_num(inf))
    )
    height, width = result.image.shape[2:]
    device = next(vgg.parameters()).device
    cuda = device.type == "cuda"
    return {
        "content_term": float(best.terms.content),
        "style_term": float(best.terms.style),
        "tv_term": float(best.terms.tv),
        "total": float(best.terms.total),
        "width": width,
        "height": height,
        "evaluations_done": last.evaluations,
        "stopped": result.stopped,
        "seconds": round(last.seconds, 3),
        "threads": torch.get_num_threads(),
        "ran_on": torch.cuda.get_device_name(device) if cuda else device.type,
    }


def _measured(
    job: Job, picture: np.ndarray | None, plan: Plan
) -> dict[str, float]:
    """Measure a picture beside content and style at its own size."""
    assert job.metrics is not None and picture is not None
    x, content, style = map(unpack, (picture, job.content, job.style))
    height, width = x.shape[2:]
    photo = resize_to(content, height, width)
    rule, scale = plan.convention.style_size, plan.style_scale
    shape = style_shape(_shape(job.style), (height, width), rule, scale)
    measures = job.metrics(x, photo.float(), resize_to(style, *shape).float())
    return {name: float(value) for name, value in measures.items()}


def _plan(
    content: np.ndarray, style: np.ndarray, settings: Mapping[str, Any]
) -> Plan:
    """Settle a run; of the pictures the shapes alone count."""
    return plan_run(_shape(content), [_shape(style)], **_of_run(settings))


def _shape(pixels: np.ndarray) -> Shape:
    height, width = pixels.shape[:2]
    return height, width


def _of_run(settings: Mapping[str, Any]) -> Settings:
    """Return the settings of `stylize`, without those of the network."""
    own = {k: v for k, v in settings.items() if k not in NETWORK}
    if isinstance(own.get("start"), np.ndarray):
        own["start"] = unpack(own["start"])
    return cast(Settings, own)


def _network_of(
    convention: Convention, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the weights, the pooling and whether they are normalized."""
    return {
        "weights": settings.get("weights", weights_at_hand(convention)),
        "pooling": settings.get("pooling", convention.pooling),
        "normalize": settings.get("normalize", convention.normalize),
    }


def _keyed_precision(precision: str) -> str:
    """Return what a precision is in a key: by its name, not by a processor.

    What "auto" takes differs from machine to machine; "float32" is what it
    took where the first runs were made.
    """
    check_precision(precision)
    return "float32" if precision == "auto" else precision


def _training(weights: str) -> str:
    """Return whose weights a file has, so that its place is of no account."""
    if weights in ("oxford", "torchvision"):
        return weights
    digest = sha256(Path(os.path.expanduser(weights)))
    if digest == OXFORD_SHA256:
        return "oxford"
    known = digest.startswith(TORCHVISION_SHA256)
    return "torchvision" if known else digest


def _identity(plan: Plan) -> dict[str, Any]:
    """Return what decides a run's picture, apart from pictures and network."""
    settled = {name: getattr(plan, name) for name in KEYED}
    if isinstance(plan.start, Tensor):
        settled["start"] = pack(plan.start).digest
    elif plan.start != "noise":
        del settled["seed"]
    later = {
        name: getattr(plan, name)
        for name, neutral in LATER.items()
        if getattr(plan, name) != neutral
    }
    formulas = {name: getattr(plan.convention, name) for name in FORMULAS}
    share = plan.convention.alpha_share
    if share is not None and "alpha" not in plan.chosen:
        later["alpha_share"] = share  # by which alpha will be settled
    return settled | later | formulas | dict(plan.chosen)


def _canonical(value: Any) -> Any:
    """Return a value for JSON, the same for values that mean the same."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if (number := real(value)) is not None:
        exact = whole(value)
        if exact is None and number.is_integer():
            exact = int(number)
        return number if exact is None else exact
    if isinstance(value, Mapping):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(v) for v in value]
    name = spelled(value)
    if not name:
        raise ValueError(
            f"a sweep cannot tell {value!r} from another; settings are "
            "numbers, words, lists, mappings, or functions of a module"
        )
    return name


def spelled(function: Any) -> str:
    """Return how keys and stored runs call a function, "" if they cannot.

    A function of a notebook, say, may be another one tomorrow.
    """
    name = getattr(function, "__qualname__", "<")
    module = getattr(function, "__module__", "__main__")
    if "<" in name or module == "__main__":
        return ""
    return f"{STORED_AS.get(module, module)}.{name}"


@contextmanager
def _threads(threads: int | None) -> Iterator[None]:
    """Let torch compute with so many threads for a while."""
    lower_threads()
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
