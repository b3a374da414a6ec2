"""A picture from whatever holds one: `load_image`, and `sample` by name."""

import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from styletut.images.arrays import alpha_of_array, from_array, from_tensor
from styletut.images.decoding import (
    alpha_of,
    bands,
    decode,
    decode_alpha,
    shape_of_jpeg,
    sized,
    upright_rgb,
)
from styletut.images.download import download
from styletut.images.picture import (
    MAX_PIXELS,
    ImageError,
    check_range,
    check_shape,
    checked_length,
    fit,
)
from styletut.images.samples import MASKS, SAMPLES, sample_path

REDUCED_FROM = 4
"""So many times the size that is needed, or more, a picture's longer side
must have to be read smaller: `Unread.for_size`."""

SMALL = 2**22
"""A picture of so many pixels is read whole: as a tensor it takes 50 MB."""

Opener = Callable[[], AbstractContextManager[BinaryIO]]


def load_image(source: Any, size: int | None = None) -> Tensor:
    """Read a picture.

    The EXIF orientation is applied, an embedded color profile converted to
    sRGB (where it cannot be, a warning says so), transparency laid over
    white, and anything else (palette, grey, 16-bit, CMYK, the first frame of
    an animation) converted to RGB.

    At most `MAX_PIXELS` are decoded. A JPEG of up to four times as many is
    read where `size` is at most half of its longer side: it is reduced while
    it is decoded.

    Args:
        source: One of: a path (`~` is the home directory); an http or https
            URL; the bytes of an image file, or a binary file object with
            them; a Pillow picture; a NumPy array (H, W) or, channels last,
            (H, W, C) with grey, grey and alpha, RGB or RGBA, of dtype bool,
            uint8, uint16 or floating in [0, 1]; a torch tensor (3, H, W) or
            (1, 3, H, W) of such a dtype.
        size: Longer side in pixels, reached by Lanczos filtering up or down
            in sRGB values, the shorter side as `fit` rounds it; None keeps
            the picture's own size.

    Returns:
        A tensor (1, 3, H, W), float32, sRGB in [0, 1], on the CPU.

    Raises:
        ImageError: The source cannot be used. The message says which, why
            and what to do.
    """
    size = checked_length(size)
    if isinstance(source, np.ndarray):
        return from_array(source, size)
    if isinstance(source, Tensor):
        return from_tensor(source, size)
    return _tensor_of(_decoded(source, size))


def sample(name: str, size: int | None = None) -> Tensor:
    """Load one of the course's own pictures, in `SAMPLES` and `MASKS`.

    Args:
        name: A key of one of them.
        size: Longer side in pixels; None keeps the picture's own size.

    Returns:
        A tensor (1, 3, H, W), float32, in [0, 1].

    Raises:
        ImageError: No sample has this name (the message lists those that
            have), or its file is not installed.
    """
    return load_image(sample_path(name), size)


class Unread(NamedTuple):
    """A picture whose shape is known and whose pixels are yet to be read.

    Attributes:
        shape: height and width in pixels.
        read: takes a longer side as `load_image` does, or None for the
            picture's own, and returns the picture. What came as a tensor or
            array, and a sample picture, is there already and stays whole.
        alpha: takes the same and returns how opaque each pixel is, (1, 1,
            H, W) in [0, 1]; None if all are.
    """

    shape: tuple[int, int]
    read: Callable[[int | None], Tensor]
    alpha: Callable[[int | None], Tensor | None] = lambda size: None

    def for_size(self, size: int) -> Tensor:
        """Read it as large as is needed to make it `size` pixels long.

        Where it is `REDUCED_FROM` times as long and not `SMALL`, or too large
        to be read whole, it is as `load_image` gives it for that size, and
        takes its memory; else it is whole.
        """
        return self.read(size if self.is_much_for(size) else None)

    def alpha_for(self, size: int) -> Tensor | None:
        """Read how opaque it is, of the size of what `for_size` reads."""
        return self.alpha(size if self.is_much_for(size) else None)

    def shape_for(self, size: int) -> tuple[int, int]:
        """Return height and width of what `for_size` reads of a file."""
        return fit(*self.shape, size) if self.is_much_for(size) else self.shape

    def outline(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return a picture of its shape without numbers, to plan by."""
        return torch.empty(1, 3, *self.shape, dtype=dtype, device="meta")

    def is_much_for(self, size: int) -> bool:
        """Return whether it is read smaller than it is."""
        height, width = self.shape
        much = max(height, width) >= REDUCED_FROM * size
        return height * width > (SMALL if much else MAX_PIXELS)


def unread(source: Any, name: str) -> Unread:
    """Open a picture, and read no more of it than its shape takes.

    Args:
        source: as `picture_from` takes it.
        name: how messages call a tensor.

    Raises:
        ImageError: if it cannot be used; what is wrong with its pixels may
            show when they are read.
    """
    if isinstance(source, Tensor):
        check_range(source, name)
        return _there(source)
    if isinstance(source, str):
        return _named(source)
    return unread_source(source)


def picture_from(source: Any, name: str) -> Tensor:
    """Return a picture from a tensor, a sample's name, or what is loaded.

    Args:
        source: a tensor (1, 3, H, W) in [0, 1], which is taken as it is; a
            string, the name of a sample picture or else a path or URL; or
            what `load_image` takes.
        name: how messages call a tensor.

    Raises:
        ImageError: if it cannot be used.
    """
    return unread(source, name).read(None)


def bare_name(source: str) -> str:
    """The last name of a path or address: folders and queries are private.

    An address without a path has the name of its host.
    """
    if "://" not in source:
        return Path(source).name
    address = urlsplit(source)
    return Path(address.path).name or address.hostname or "picture"


def _named(source: str) -> Unread:
    """Open a sample picture by its name, or a path or URL."""
    if source in SAMPLES or source in MASKS:
        return _there(sample(source))
    try:
        return unread_source(source)
    except ImageError as error:
        if close := get_close_matches(
            source, [*SAMPLES, *MASKS], 1, cutoff=0.75
        ):
            raise ImageError(
                f"{error} There is a sample picture {close[0]!r}."
            ) from error
        raise


def _there(picture: Tensor) -> Unread:
    height, width = picture.shape[2:]
    return Unread((height, width), lambda size: picture)


def unread_source(source: Any) -> Unread:
    """Open what `load_image` takes, as `unread` does."""
    if isinstance(source, np.ndarray):
        there = _there(load_image(source))
        # of a picture that stays whole it does, too
        return there._replace(alpha=lambda size: alpha_of_array(source, size))
    if isinstance(source, Tensor):
        return _there(load_image(source))
    if isinstance(source, Image.Image):
        return _in_pixels(
            _decoded(source, None),
            lambda: alpha_of(source, "the Pillow picture"),
        )
    opener, name = _encoded(source)

    def alpha() -> Image.Image | None:
        with opener() as stream:
            return decode_alpha(stream, name)

    with opener() as stream:
        shape = shape_of_jpeg(stream, name)
        if shape is None:
            return _in_pixels(decode(stream, name, None), alpha)

    def read(size: int | None) -> Tensor:
        with opener() as stream:
            return _tensor_of(decode(stream, name, size))

    return Unread(shape, read)


def _in_pixels(
    picture: Image.Image, alpha: Callable[[], Image.Image | None]
) -> Unread:
    """Hold a decoded picture in a quarter of a tensor's memory.

    Args:
        picture: Of mode RGB.
        alpha: Reads how opaque it is.
    """
    shape = picture.height, picture.width

    def read(size: int | None) -> Tensor:
        return _tensor_of(_of_size(picture, size))

    def read_alpha(size: int | None) -> Tensor | None:
        levels = alpha()
        return None if levels is None else _tensor_of(_of_size(levels, size))

    return Unread(shape, read, read_alpha)


def _of_size(picture: Image.Image, size: int | None) -> Image.Image:
    if size is None:
        return picture
    return sized(picture, *fit(picture.height, picture.width, size))


def _tensor_of(picture: Image.Image) -> Tensor:
    """Return a picture of mode RGB or L as a tensor (1, 3 or 1, H, W)."""
    channels = len(picture.getbands())
    shape = (1, channels, picture.height, picture.width)
    image = torch.empty(shape, dtype=torch.float32)
    for top, band in bands(picture):
        levels = torch.from_numpy(np.atleast_3d(np.array(band)))
        # contiguous as bytes, which are few
        rows = levels.permute(2, 0, 1).contiguous()
        image[0, :, top : top + band.height] = rows
    return image.div_(255)


def _decoded(source: Any, size: int | None) -> Image.Image:
    """An upright picture of mode RGB from anything that is not an array."""
    if isinstance(source, Image.Image):
        check_shape(source.height, source.width, "the Pillow picture")
        return _of_size(upright_rgb(source, "the Pillow picture"), size)
    opener, name = _encoded(source)
    with opener() as stream:
        return decode(stream, name, size)


def _encoded(source: Any) -> tuple[Opener, str]:
    """Return what opens an encoded picture, and how messages call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return lambda: io.BytesIO(source), "the data"
    if isinstance(source, str) and (url := _web_address(source)):
        data = download(url)
        return lambda: io.BytesIO(data), url
    if isinstance(source, (str, os.PathLike)):
        path = _existing_file(source)
        return lambda: _opened(path), repr(str(path))
    if hasattr(source, "read"):
        held = _buffered(source)
        return lambda: io.BytesIO(held), _stream_name(source)
    raise ImageError(
        f"a picture cannot be read from {type(source).__name__}. Give a "
        "path, URL, bytes, file object, Pillow picture, array or tensor."
    )


def _web_address(source: str) -> str | None:
    """The source where it is a URL to fetch, None where it is a path."""
    found = re.match(r"([a-z][a-z0-9+.-]+):(//)?", source, re.IGNORECASE)
    if found is None:  # One letter and a colon is a Windows drive.
        return None
    scheme, slashes = found[1].lower(), found[2]
    if scheme in ("http", "https"):
        return source
    if slashes or scheme in ("data", "file"):
        raise ImageError(
            f"{source[:80]!r}: of URLs, http and https are read, not "
            f"{scheme}. Give a path on this computer instead."
        )
    return None


def _existing_file(source: str | os.PathLike[str]) -> Path:
    """The path, once it is known to lead to a regular file."""
    if not os.fspath(source):
        raise ImageError("the picture's name is empty. Give a path or URL.")
    path = Path(os.path.expanduser(os.fsdecode(source)))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise ImageError(_missing(path)) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise ImageError(f"{str(path)!r} is a folder. Name a picture in it.")
    if not stat.S_ISREG(mode):
        raise ImageError(
            f"{str(path)!r} is a device or pipe, not a file. Save the "
            "picture to a file first."
        )
    return path


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ImageError:
    reason = getattr(error, "strerror", None) or error
    return ImageError(
        f"{str(path)[:200]!r} cannot be read: {reason}. Check the name, and "
        "the permissions of the file and its folders."
    )


def _missing(path: Path) -> str:
    """How a path that leads nowhere leads nowhere."""
    if path.is_symlink():
        return (
            f"{str(path)!r} is a link to {str(path.readlink())!r}, which does "
            "not exist. Mend the link or name the picture itself."
        )
    if not path.parent.is_dir():
        return (
            f"{str(path)!r} does not exist, nor does its folder "
            f"{str(path.parent)!r}. Check the spelling."
        )
    try:
        names = os.listdir(path.parent)
    except OSError:
        names = []
    if close := get_close_matches(path.name, names):
        meant = " or ".join(repr(name) for name in close)
        return f"{str(path)!r} does not exist. Did you mean {meant}?"
    return (
        f"{str(path)!r} does not exist. Check the spelling and the folder "
        f"(names are looked up from {str(Path.cwd())!r})."
    )


def _buffered(stream: Any) -> bytes:
    try:
        data = stream.read()
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{_stream_name(stream)} cannot be read: {error}. Open the file "
            'in binary mode, open(path, "rb"), and leave it open.'
        ) from error
    if not isinstance(data, bytes):
        raise ImageError(
            f"{_stream_name(stream)} gave {type(data).__name__}, not bytes. "
            'Open the file in binary mode, open(path, "rb").'
        )
    return data


def _stream_name(stream: Any) -> str:
    name = getattr(stream, "name", None)
    return repr(name) if isinstance(name, str) else "the file object"
