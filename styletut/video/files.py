"""Films as files: frames out of them, and frames into them.

By PyAV, the bindings of FFmpeg, which the extra `video` brings; imported
where it is used, for the rest of the package does without.
"""

import os
import secrets
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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

BT601, LIMITED = 6, 1
"""H.264's codes for how colors become numbers."""

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
        rate: frames a second, in the mean.
        frames: how many, if the file tells; else 0.
        width: of a frame as it is stored, in pixels.
        height: of a frame as it is stored, in pixels.
        aspect: width of a pixel over its height, if the file tells.
    """

    path: Path
    rate: Fraction
    frames: int
    width: int
    height: int
    aspect: Fraction | None = None


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
            Path(path),
            rate,
            stream.frames,
            stream.width,
            stream.height,
            stream.sample_aspect_ratio or None,
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
    unfinished: str | os.PathLike[str] | None = None,
) -> int:
    """Write frames as a film, in H.264, and return how many there were.

    The file appears under its name once it is whole. If the frames end with
    an error or an interrupt, those that there were are a whole film, too,
    and the error goes on from there. All frames are shown equally long.

    Args:
        path: ends in one of `WRITTEN`. A link is followed.
        frames: (1, 3, H, W) in [0, 1], all of one size; where that is odd
            the last row or column is doubled, for H.264 has even sizes.
        rate: frames a second.
        sound_of: a film whose sound it gets, if that has one, and whose
            shape of pixels.
        unfinished: where it goes if the frames end with an error; to `path`
            if that is not given.

    Raises:
        FilmError: if there is no frame, or the file cannot be written; if
            only its name could not be had, the text says where it is.

    Warns:
        UserWarning: if the sound could not be taken along.
    """
    av = _av()
    path = Path(os.path.expanduser(path)).resolve()
    if path.suffix.lower() not in WRITTEN:
        raise FilmError(
            f"{str(path)!r}: films are written as {', '.join(WRITTEN)}"
        )
    part = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix}")
    writer, whole = _Writer(av, rate, sound_of), False
    try:
        broken = writer.write(part, frames)
        whole = writer.count > 0
        if broken is not None and unfinished is not None:
            path = Path(os.path.expanduser(unfinished)).resolve()
        if whole:
            os.replace(part, path)
    except _errors() as error:
        kept = f"; it is kept as {str(part)!r}" if whole else ""
        raise FilmError(
            f"{str(path)!r} cannot be written: {_told(error)}{kept}"
        ) from error
    finally:
        if not whole:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    if broken is not None:
        raise broken
    if not whole:
        raise FilmError(f"there is no frame to write to {str(path)!r}")
    return writer.count


class _Writer:
    """Encodes frames, and copies sound between them.

    Attributes:
        count: frames that are written.
    """

    def __init__(self, av: Any, rate: Fraction, source: Film | None) -> None:
        self.av, self.rate, self.source, self.count = av, rate, source, 0

    def write(
        self, path: Path, frames: Iterator[Tensor]
    ) -> BaseException | None:
        """Write a file; return what the frames ended with, if by an error."""
        broken: BaseException | None = None
        with ExitStack() as stack:
            container = stack.enter_context(self.av.open(str(path), "w"))
            stream = container.add_stream("libx264", rate=self.rate)
            stream.pix_fmt, stream.options = "yuv420p", {"crf": QUALITY}
            context = stream.codec_context
            # which numbers stand for which colors: as they are converted
            context.colorspace, context.color_range = BT601, LIMITED
            if self.source is not None and self.source.aspect is not None:
                context.sample_aspect_ratio = self.source.aspect
            sound = self._sound(container, stack)
            try:
                for frame in frames:
                    _encode(self.av, container, stream, frame)
                    self.count += 1
                    sound(self.count / self.rate)
            except BaseException as error:  # an interrupt, too
                broken = error
            if self.count:
                container.mux(stream.encode())
        return broken

    def _sound(
        self, container: Any, stack: ExitStack
    ) -> Callable[[Fraction], None]:
        """Return what copies the source's sound up to a second."""
        if self.source is None:
            return _silence
        given = stack.enter_context(self.av.open(str(self.source.path)))
        if not given.streams.audio:
            return _silence
        try:
            own = _stream_of_sound(container, given)
        except _errors(ValueError) as error:
            _warn_of_silence(error)
            return _silence
        packets = given.demux(given.streams.audio[0])
        held: list[Any] = []

        def copy(until: Fraction) -> None:
            nonlocal packets
            try:
                while packet := held.pop() if held else next(packets, None):
                    if packet.dts is None or packet.pts is None:
                        continue
                    if packet.pts * packet.time_base >= until:
                        held.append(packet)
                        return
                    packet.stream = own
                    container.mux(packet)
            except _errors(ValueError) as error:
                _warn_of_silence(error)
                packets = iter(())

        return copy


def _stream_of_sound(container: Any, given: Any) -> Any:
    return container.add_stream_from_template(given.streams.audio[0])


def _silence(until: Fraction) -> None:
    """Copy no sound."""


def _warn_of_silence(error: Exception) -> None:
    warnings.warn(
        f"from here on the film is without sound: {_told(error)}", stacklevel=3
    )


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise FilmError(MISSING) from error
    av.logging.set_level(av.logging.PANIC)  # it writes to the terminal
    return av


def _errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    return (_av().error.FFmpegError, OSError, *more)


@contextmanager
def _reading(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    av = _av()
    there = Path(os.path.expanduser(path))
    if not there.is_file():
        raise FilmError(f"there is no film {os.fspath(path)!r}")
    try:
        container = av.open(str(there))
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
        maps = maps.rot90(round(turned / 90), (2, 3))
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
