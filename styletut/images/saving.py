"""Pictures out, to a file that is whole or not there."""

import errno
import io
import os
import re
import secrets
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from styletut.images.picture import ImageError, to_pil

# A JPEG segment holds 65533 bytes, but Pillow before 13 cannot write so many
# beside all else that comes before a small picture.
_MAX_COMMENT = 60000

_WEBP_SIDE = 16383
"""Pixels; a WEBP's header has 14 bits for a side."""


def save_image(
    image: Tensor,
    path: str | os.PathLike[str],
    text: Mapping[str, str] | None = None,
    alpha: Tensor | None = None,
) -> None:
    """Write a picture in the format that the suffix says.

    PNG, TIFF and WEBP keep every level; JPEG and AVIF are written so that no
    loss is seen, with all of the color.

    The file appears whole or not at all: it is written under another name in
    the same folder and then moved over `path`, so that an interrupt, a full
    disk or a crash leaves an earlier file as it was.

    Args:
        image: A tensor (1, 3, H, W), floating; see `to_pil`.
        path: Name ending in one of `suffixes()`. A link is followed.
        text: Notes to store in the file, any Unicode: PNG text fields; in
            other formats one text in UTF-8 with a `key: value` line for
            each, JPEG's comment or the image description of TIFF and EXIF.
        alpha: How opaque each pixel is, (1, 1, H, W) in [0, 1]. A JPEG
            cannot hold it; there the picture is laid over white.

    Raises:
        ImageError: The picture is invalid, or nothing can be written there.

    Warns:
        UserWarning: If the transparency was lost.
    """
    suffix = Path(path).suffix.lower()
    target = _writable_target(path, suffixes())
    replace_file(target, encoded(image, suffix, text, alpha))
    if alpha is not None and _FORMATS[suffix] == "JPEG":
        warnings.warn(
            "a JPEG has no transparency, so the picture is laid over white; "
            "as .png it keeps it",
            stacklevel=2,
        )


def read_text(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return a PNG's text fields, none where there is no whole PNG."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return dict(getattr(picture, "text", {}))
    except Exception:  # Damaged files make nearly every error there is.
        return {}


def suffixes() -> tuple[str, ...]:
    """Return what a picture's file may end in, as Pillow is here."""
    Image.init()
    return tuple(
        suffix for suffix, kind in _FORMATS.items() if kind in Image.SAVE
    )


def encoded(
    image: Tensor,
    suffix: str,
    text: Mapping[str, str] | None = None,
    alpha: Tensor | None = None,
) -> bytes:
    """Return what `save_image` writes.

    Raises:
        ImageError: The picture is invalid, or too large for the format.
    """
    picture, notes = to_pil(image, alpha), _checked_text(text or {})
    kind = _FORMATS[suffix]
    check_fits(suffix, picture.height, picture.width)
    try:
        return _ENCODERS[kind](picture, notes)
    except ImageError:
        raise
    except Exception as error:  # each library has its own
        raise ImageError(
            f"a picture of {picture.width} x {picture.height} pixels cannot "
            f"be written as {kind}: {error}. Save as .png instead."
        ) from error


def check_fits(suffix: str, height: int, width: int) -> None:
    """Check that a format has room for so large a picture.

    Raises:
        ImageError: It has not.
    """
    side = max(height, width)
    if _FORMATS.get(suffix.lower()) == "WEBP" and side > _WEBP_SIDE:
        raise ImageError(
            f"a picture of {width} x {height} pixels is too large for WEBP, "
            f"which has sides of {_WEBP_SIDE} pixels at most. Save as .png "
            "instead."
        )


def ensure_writable(
    path: str | os.PathLike[str], endings: Collection[str] | None = None
) -> None:
    """Check that a file can be written, before a long computation.

    Nothing is left behind, and an existing file is not touched.

    Args:
        path: As for `save_image`.
        endings: What it may end in; by default what `save_image` knows.

    Raises:
        ImageError: The suffix is unknown, the folder is missing or closed to
            writing, or something else than a writable file has this name.
    """
    target = _writable_target(path, endings or suffixes())
    temporary = _temporary(target)
    try:
        os.close(_create(temporary))
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _writable_target(
    path: str | os.PathLike[str], endings: Collection[str]
) -> Path:
    """The path with `~` and links resolved, if nothing forbids writing."""
    name = os.fsdecode(path)
    if Path(name).suffix.lower() not in endings:
        known = ", ".join(endings)
        raise ImageError(
            f"{name!r}: the file's name decides its format and must end in "
            f"one of {known}."
        )
    try:
        target = Path(os.path.expanduser(name)).resolve()
        folder, exists = target.parent.is_dir(), target.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageError(f"{name!r} cannot be written: {error}.") from error
    if not folder:
        raise ImageError(
            f"{name!r} cannot be written: there is no folder "
            f"{str(target.parent)!r}. Create it first."
        )
    if target.is_dir():
        raise ImageError(f"{name!r} is a folder. Add a file name.")
    if exists and not (target.is_file() and os.access(target, os.W_OK)):
        raise ImageError(
            f"{name!r} exists and is write-protected or no ordinary file. "
            "Choose another name."
        )
    return target


def _checked_text(text: Mapping[str, str]) -> dict[str, str]:
    """The notes in a form that PNG and UTF-8 can hold."""
    for key, value in text.items():
        if not re.fullmatch(r"[!-~]([ -~]{0,77}[!-~])?", key):
            raise ImageError(
                f"text field {key!r}: a PNG wants a name of 1 to 79 ASCII "
                "characters, not beginning or ending with a space."
            )
        if not isinstance(value, str) or "\0" in value:
            raise ImageError(
                f"text field {key!r} is {value!r}; wanted is a string "
                "without NUL."
            )
    return {key: storable(value) for key, value in text.items()}


def storable(value: str) -> str:
    """Return a text as a file keeps it.

    A name of a file that is not UTF-8 arrives with lone surrogates.
    """
    return value.encode(errors="backslashreplace").decode()


def _png(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    info = PngInfo()
    for key, value in text.items():
        info.add_text(key, value)  # As iTXt where Latin-1 cannot say it.
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=info)
    return data.getvalue()


def _jpeg(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    comment = _lines(text)
    if len(comment) > _MAX_COMMENT:
        raise ImageError(
            f"the text takes {len(comment)} bytes; a JPEG comment holds "
            f"{_MAX_COMMENT}. Save as .png instead."
        )
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    data = io.BytesIO()
    # Without chroma subsampling: a style's colors change from pixel to pixel.
    picture.save(data, "JPEG", quality=95, subsampling=0, comment=comment)
    return data.getvalue()


def _tiff(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    picture.save(
        data,
        "TIFF",
        compression="tiff_lzw",
        tiffinfo={ExifTags.Base.ImageDescription: _lines(text)},
    )
    return data.getvalue()


def _webp(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    # With losses it would halve the size of all colors. Quality is effort
    # here; exact keeps colors where a picture is transparent.
    picture.save(
        data, "WEBP", lossless=True, quality=50, exact=True, exif=_exif(text)
    )
    return data.getvalue()


def _avif(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    picture.save(
        data, "AVIF", quality=90, subsampling="4:4:4", exif=_exif(text)
    )
    return data.getvalue()


def _exif(text: Mapping[str, str]) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = _lines(text)
    return exif


def _lines(text: Mapping[str, str]) -> bytes:
    return "\n".join(f"{key}: {value}" for key, value in text.items()).encode()


_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}

_ENCODERS: Mapping[str, Callable[[Image.Image, Mapping[str, str]], bytes]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "TIFF": _tiff,
    "AVIF": _avif,
}


def _temporary(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(8)}{target.suffix}.part")


def _create(path: Path) -> int:
    """Open a new file with the permissions that the umask leaves."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o666)


def replace_file(target: Path, data: bytes) -> None:
    """Put a file with this content in the target's place, in one step.

    Raises:
        ImageError: if it cannot be written.
    """

    def write(path: Path) -> None:
        with open(_create(path), "wb") as stream:
            stream.write(data)

    replace_by(target, write, _temporary(target))


def replace_by(
    target: Path, write: Callable[[Path], object], temporary: Path
) -> None:
    """Put a file that is written elsewhere in the target's place.

    Args:
        target: what is replaced, in one step.
        write: takes the path to write to.
        temporary: that path, in the target's folder; gone afterwards.

    Raises:
        ImageError: if it cannot be written.
    """
    try:
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _unwritable(target: Path, error: OSError) -> ImageError:
    remedy = "Choose another folder."
    if error.errno == errno.ENOSPC:
        remedy = "Free some disk space."
    return ImageError(
        f"{str(target)!r} cannot be written: {error.strerror or error}. "
        + remedy
    )
