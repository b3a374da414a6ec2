"""Films as files: frames out of them, and frames into them.

By PyAV, the bindings of FFmpeg, which the extra `video` brings; imported
where it is used, for the rest of the package does without.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm")
"""What films are known by."""

WRITTEN = (".mkv", ".mov", ".mp4")
"""What films can be written as, in H.264."""

QUALITY = "18"
"""H.264's constant rate factor: no difference is seen beside the frames."""

USUAL_RATE = Fraction(25)
"""Frames a second, where nothing else is known."""

MISSING = (
    "films need the package PyAV: pip install 'styletut[video]', or pip "
    "install av"
)


class FilmError(ValueError):
    """A film cannot be read or written; the text says why."""


class Film(NamedTuple):
    """What is known of a film before it is read.

    Attributes:
        path: where it is.
        rate: frames a second.
        frames: how many, if the file tells; else 0.
        width: of a frame, in pixels.
        height: of a frame, in pixels.
    """

    path: Path
    rate: Fraction
    frames: int
    width: int
    height: int


def is_film(name: str) -> bool:
    """Return whether a name is that of a film's file."""
    return name.lower().endswith(SUFFIXES)


def open_film(path: str | os.PathLike[str]) -> Film:
    """Return what is known of a film.

    Raises:
        FilmError: if it cannot be read, has no picture in it, or PyAV is
            missing.
    """
    with _reading(path) as (container, stream):
        del container
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        return Film(
            Path(path), rate, stream.frames, stream.width, stream.height
        )


def read_frames(film: Film) -> Iterator[Tensor]:
    """Yield a film's frames, (1, 3, H, W) in [0, 1].

    Raises:
        FilmError: where it cannot be read any further.
    """
    with _reading(film.path) as (container, stream):
        stream.thread_type = "AUTO"
        try:
            for frame in container.decode(stream):
                yield _picture(frame)
        except _errors() as error:
            raise _unreadable(film.path, error) from error


def write_film(
    path: str | os.PathLike[str],
    frames: Iterator[Tensor],
    rate: Fraction = USUAL_RATE,
    sound_of: Film | None = None,
) -> int:
    """Write frames as a film, in H.264, and return how many there were.

    The file appears under its name once it is whole. If the frames end with
    an error or an interrupt, those that there were are a whole film, too,
    and the error goes on from there.

    Args:
        path: ends in one of `WRITTEN`.
        frames: (1, 3, H, W) in [0, 1], all of one size; where that is odd
            the last row or column is doubled, for H.264 has even sizes.
        rate: frames a second.
        sound_of: a film whose sound it gets, if that has one.

    Raises:
        FilmError: if there is no frame, or the file cannot be written.
    """
    av = _av()
    path = Path(path)
    if path.suffix.lower() not in WRITTEN:
        raise FilmError(
            f"{str(path)!r}: films are written as {', '.join(WRITTEN)}"
        )
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    count, broken = 0, None
    try:
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.pix_fmt, stream.options = "yuv420p", {"crf": QUALITY}
            sound = _sound(av, container, sound_of)
            try:
                for frame in frames:
                    _encode(av, container, stream, frame)
                    count += 1
            except BaseException as error:  # an interrupt, too
                broken = error
            if count:
                container.mux(stream.encode())
                sound(count / rate)
        if count:
            os.replace(part, path)
    except _errors() as error:
        raise FilmError(
            f"{str(path)!r} cannot be written: {_told(error)}"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    if broken is not None:
        raise broken
    if not count:
        raise FilmError(f"there is no frame to write to {str(path)!r}")
    return count


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise FilmError(MISSING) from error
    av.logging.set_level(av.logging.PANIC)  # it writes to the terminal
    return av


def _errors() -> tuple[type[Exception], ...]:
    return _av().error.FFmpegError, OSError


@contextmanager
def _reading(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    av = _av()
    if not os.path.isfile(path):
        raise FilmError(f"there is no film {os.fspath(path)!r}")
    try:
        container = av.open(os.fspath(path))
    except _errors() as error:
        raise _unreadable(path, error) from error
    with container:
        if not container.streams.video:
            raise FilmError(f"{os.fspath(path)!r} has no picture in it")
        yield container, container.streams.video[0]


def _unreadable(path: str | os.PathLike[str], error: Exception) -> FilmError:
    return FilmError(
        f"the film {os.fspath(path)!r} cannot be read: {_told(error)}"
    )


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _picture(frame: Any) -> Tensor:
    array = frame.to_ndarray(format="rgb24")
    maps = torch.from_numpy(array).permute(2, 0, 1)[None]
    turned = int(getattr(frame, "rotation", 0) or 0)
    if turned:  # as a phone held upright says it
        maps = maps.rot90(turned // 90, (2, 3))
    return maps.float() / 255


def _encode(av: Any, container: Any, stream: Any, frame: Tensor) -> None:
    height, width = frame.shape[2:]
    even = torch.nn.functional.pad(
        frame, (0, width % 2, 0, height % 2), mode="replicate"
    )
    if not stream.codec_context.is_open:
        stream.height, stream.width = even.shape[2:]
    elif (stream.height, stream.width) != tuple(even.shape[2:]):
        raise FilmError(
            f"a frame is {width} x {height} pixels and the first "
            f"{stream.width} x {stream.height}; all must be of one size"
        )
    levels = (255 * even[0].detach().cpu().clamp(0, 1)).round()
    array = np.ascontiguousarray(levels.byte().permute(1, 2, 0).numpy())
    container.mux(
        stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24"))
    )


def _sound(av: Any, container: Any, source: Film | None) -> Any:
    """Return what copies a film's sound, up to a number of seconds."""
    if source is None:
        return lambda seconds: None
    given = av.open(str(source.path))
    if not given.streams.audio:
        given.close()
        return lambda seconds: None
    own = container.add_stream_from_template(given.streams.audio[0])

    def copy(seconds: Fraction) -> None:
        with given:
            for packet in given.demux(given.streams.audio[0]):
                if packet.dts is None or packet.pts is None:
                    continue
                if packet.pts * packet.time_base >= seconds:
                    break
                packet.stream = own
                container.mux(packet)

    return copy
