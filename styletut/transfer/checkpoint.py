"""The file in which the place of a run is kept.

It is in the format safetensors: tensors, and JSON that says what they are.
Nothing in it is executed, and a byte that is not as it was written is found.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from styletut.images import ImageError
from styletut.images.saving import ensure_writable, replace_by
from styletut.objective import Terms
from styletut.optimizers.descent import State
from styletut.transfer.steps import Best, Record

FORMAT = 1
"""Of what is in a file; one of another number is not read."""

SUFFIX = ".safetensors"

_NOTES = "styletut.checkpoint"

_CHANNELS_LAST = ".channels_last"


class CheckpointError(ValueError):
    """A file that cannot be gone on from, or that must not be replaced."""


class CheckpointWarning(UserWarning):
    """A run goes on otherwise than was asked for; the text says how."""


class Settled(NamedTuple):
    """What a run has settled by what the machine was like then.

    Attributes:
        alpha: weight of the content; None if the convention has it.
        layouts: of each size, as `memory.fitting.Layout` has its fields.
        torch: torch's version.
        threads: how many it computed with.
    """

    alpha: float | None
    layouts: list[dict[str, Any]]
    torch: str
    threads: int


class Saved(NamedTuple):
    """What is in a file.

    Attributes:
        settled: by the run that wrote it.
        state: what the run goes on from.
        history: a `Record` for each step; the last is the one that it goes
            on from.
        best: its best picture so far.
    """

    settled: Settled
    state: State
    history: tuple[Record, ...]
    best: Best


def file_of(path: str | os.PathLike[str], job: Mapping[str, str]) -> Path:
    """Return the file that is meant: in a folder each run has its own.

    Raises:
        CheckpointError: if it cannot be written there.
    """
    if not can_be_written():
        raise CheckpointError(
            "a checkpoint takes the package safetensors: pip install "
            "safetensors"
        )
    if not os.fspath(path):
        raise CheckpointError(
            f"the checkpoint's name is empty; name a file, as in night{SUFFIX}"
        )
    given = Path(os.path.expanduser(path))
    slash = os.fspath(path).endswith(("/", os.sep))
    try:
        if slash:
            given.mkdir(exist_ok=True)
        if given.is_dir():
            name = digest(json.dumps(job, sort_keys=True).encode())[:16]
            given = given / f"{name}{SUFFIX}"
        ensure_writable(given, [SUFFIX])
    except (ImageError, OSError) as error:
        raise CheckpointError(
            f"no checkpoint can be written: {error}"
        ) from error
    return given.resolve()


def can_be_written() -> bool:
    """Whether there is what writes and reads the file's format."""
    try:
        import safetensors.torch  # noqa: F401
    except ImportError:
        return False
    return True


def write_checkpoint(
    path: Path,
    job: Mapping[str, str],
    place: Saved,
    see: Callable[[Path], object] = lambda part: None,
) -> None:
    """Write where a run is, whole or not at all.

    Args:
        path: of the file.
        job: what is done, as `job_of` tells it.
        place: where the run is.
        see: takes the file that is about to get that name.

    Raises:
        ImageError: if the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    records = place.history
    terms = records[-1].terms
    notes = {
        "job": job,
        "settled": place.settled._asdict(),
        "state": _outline(place.state, tensors),
        "best": _outline(tuple(place.best), tensors),
        "history": [
            [each.index, each.evaluations, each.size, each.seconds]
            for each in records
        ],
        "terms": _outline(
            torch.stack([torch.stack(r.terms.tensors()) for r in records]),
            tensors,
        ),
        "layers": [[*terms.content_layers], [*terms.style_layers]],
        "weights": [terms.alpha, terms.beta, terms.gamma],
    }
    text = json.dumps(notes)
    numbers = (raw(tensors[name]) for name in sorted(tensors))
    header = {
        "format": str(FORMAT),
        _NOTES: text,
        "sha256": digest(text.encode(), *numbers),
    }

    def save(part: Path) -> None:
        try:
            save_file(tensors, part, header)
        except SafetensorError as error:  # its own for a full disk
            raise _of_the_system(error) from error
        see(part)

    # in a folder of its own: safetensors writes under names that it chooses
    part = _part(path, os.getpid())
    part.mkdir(exist_ok=True)
    try:
        replace_by(path, save, part / path.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _of_the_system(error: Exception) -> OSError:
    """Return the error of the system that safetensors tells in words."""
    found = re.search(r"os error (\d+)", str(error))
    number = int(found[1]) if found else errno.EIO
    return OSError(number, os.strerror(number))


def read_checkpoint(
    path: Path, job: Mapping[str, str], device: torch.device
) -> Saved:
    """Read where a run was.

    Args:
        path: of the file.
        job: what is to be gone on with, as `job_of` tells it.
        device: where the tensors go.

    Raises:
        CheckpointError: if it is no checkpoint, or not of this job.
    """
    notes, tensors = _whole(path)
    _check_job(path, notes["job"], job)
    # copies, at addresses as torch gives them: on some CPUs the last bits of
    # a sum depend on where its numbers begin, and those read lie anywhere
    tensors = {n: each.to(device, copy=True) for n, each in tensors.items()}
    rows = _filled(notes["terms"], tensors)
    like = _terms_like(notes["layers"], notes["weights"])
    history = tuple(
        Record(index, done, like.with_tensors(row), size, seconds)
        for (index, done, size, seconds), row in zip(
            notes["history"], rows.unbind(), strict=True
        )
    )
    return Saved(
        Settled(**notes["settled"]),
        _filled(notes["state"], tensors),
        history,
        Best(*_filled(notes["best"], tensors)),
    )


def remove_leftovers(path: Path) -> None:
    """Remove what a process that is no more was about to write there."""
    try:
        import psutil
    except ModuleNotFoundError:
        return  # nobody knows whether it is no more
    known = re.compile(re.escape(f".{path.name}.") + r"(\d+)\.part")
    with suppress(OSError):
        for each in path.parent.iterdir():
            found = known.fullmatch(each.name)
            if found and not psutil.pid_exists(int(found[1])):
                shutil.rmtree(each, ignore_errors=True)


def _part(path: Path, process: int) -> Path:
    """Return the folder where a process writes what replaces a file."""
    return path.with_name(f".{path.name}.{process}.part")


def _whole(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what is in a file, once it is seen to be what was written.

    Raises:
        CheckpointError: if it is not.
    """
    from safetensors import safe_open

    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if "format" in header and _NOTES in header:
                _check_format(path, header["format"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = header[_NOTES]
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint {str(path)!r} cannot be read: "
            f"{error.strerror or error}"
        ) from error
    except Exception as error:  # safetensors' own, and those of what is none
        raise CheckpointError(
            f"{str(path)!r} is no checkpoint of a run, or a damaged one. "
            "Name another file, or remove this one and begin afresh."
        ) from error
    numbers = (raw(tensors[name]) for name in sorted(tensors))
    found = digest(text.encode(), *numbers)
    if found != header.get("sha256"):
        raise CheckpointError(
            f"the checkpoint {str(path)!r} is damaged: its content is not "
            "what was written. Remove it and begin afresh."
        )
    return json.loads(text), tensors


def _check_format(path: Path, number: str) -> None:
    if number != str(FORMAT):
        raise CheckpointError(
            f"the checkpoint {str(path)!r} has the format {number} of "
            f"another version of styletut, and this one reads {FORMAT}. Go "
            "on with that version, or begin afresh with another file."
        )


def _check_job(
    path: Path, was: Mapping[str, str], job: Mapping[str, str]
) -> None:
    """Raise CheckpointError, and tell what differs, for another job's."""
    told = {
        "pictures": "the pictures are others",
        "weights": "the network has other weights",
        "formulas": "the convention has other formulas",
    }
    differences = [
        told.get(name, f"{name} is {was.get(name)} there and {value} here")
        for name, value in job.items()
        if was.get(name) != value
    ]
    if differences:
        raise CheckpointError(
            f"the checkpoint {str(path)!r} is of another run: "
            f"{'; '.join(differences)}. Give what it was begun with, or name "
            "another file."
        )


def _outline(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return a value for JSON: in a tensor's place stands its name."""
    if isinstance(value, Tensor):
        return _named(value, tensors)
    if isinstance(value, Mapping):
        return {name: _outline(each, tensors) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_outline(each, tensors) for each in value]
    return value


def _named(value: Tensor, tensors: dict[str, Tensor]) -> str:
    """Return a tensor's name; one that is there twice is written once."""
    value = value.detach().cpu()
    # bits depend on it, and the file has rows of pixels alone
    last = value.ndim == 4 and not value.is_contiguous()
    value = value.contiguous()
    if value.untyped_storage().nbytes() != value.nbytes:
        value = value.clone()  # of a part, the whole would be written
    for name, each in tensors.items():
        same = each.shape == value.shape and each.dtype == value.dtype
        if same and each.data_ptr() == value.data_ptr():
            return name
    name = f"{len(tensors)}{_CHANNELS_LAST if last else ''}"
    tensors[name] = value
    return name


def _filled(outline: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return what had this outline; a tuple has become a list."""
    if isinstance(outline, str):
        tensor = tensors[outline]
        if outline.endswith(_CHANNELS_LAST):
            return tensor.to(memory_format=torch.channels_last)
        return tensor
    if isinstance(outline, dict):
        return {name: _filled(each, tensors) for name, each in outline.items()}
    if isinstance(outline, list):
        return [_filled(each, tensors) for each in outline]
    return outline


def _terms_like(
    layers: Sequence[Sequence[str]], weights: Sequence[float]
) -> Terms:
    """Return terms with these layers and weights, and no numbers."""
    none = torch.zeros(())
    content, style = (dict.fromkeys(names, none) for names in layers)
    return Terms(none, none, none, none, content, style, *weights)


def raw(tensor: Tensor) -> bytes:
    """Return the bytes of a tensor's numbers."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data  # type: ignore[return-value]


def digest(*pieces: bytes) -> str:
    """Return the SHA-256 of pieces, one after another."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()
