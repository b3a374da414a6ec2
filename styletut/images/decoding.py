"""From an encoded picture to 8-bit sRGB, with a clear word when it fails.

What Pillow reads of the raster formats in `FORMATS` becomes a Pillow picture
of mode RGB: upright (EXIF), over white where it is transparent, an embedded
ICC profile converted to sRGB. Pixels without a profile are taken as sRGB. A
PNG's gAMA and cHRM chunks are ignored, as most viewers do: far more files
carry a wrong gamma than a meant one. Of 16 bits per channel the nearest
8-bit level is kept for grey, the upper 8 bits (Pillow's choice) for color.
"""

import io
import re
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, JpegImagePlugin

from styletut.images.picture import (
    MAX_PIXELS,
    ImageError,
    check_sides,
    fit,
    too_large,
)

FORMATS = (
    *("AVIF", "BMP", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "PNG"),
    *("PPM", "TGA", "TIFF", "WEBP"),
)
"""Formats that are tried; no vector format, which would run a program."""

MAX_REDUCED = 4 * MAX_PIXELS
"""Largest JPEG that is read where it can be reduced while it is decoded."""

_MAX_COEFFICIENTS = 1_500_000_000
"""Bytes at most that a progressive JPEG may take: its coefficients are all
decoded, two bytes for each, before there is a pixel."""

_JPEG_BLOCK = 8  # Pixels; JPEG decodes at 1/2, 1/4 and 1/8 of its size.

_DIVISORS = (8, 4, 2)

_RAGGED_PIXELS = 2**24
"""A picture of more is decoded reduced even if its sides are no whole
blocks."""

_JPEG_START = b"\xff\xd8\xff"

_SMALLER = "Make it smaller in an image program."
_EXPORT = "Open it in an image program and export it as PNG or JPEG."
_AGAIN = "Get the file again."

_LOOKALIKES = (
    (
        rb"(?is)\W*(<(\?xml|!doctype svg|!--).*)?<svg\b",
        f"It is an SVG drawing, not pixels. {_EXPORT}",
    ),
    (
        rb"(\xef\xbb\xbf)?\s*<",
        "It looks like HTML or XML, such as an error page saved under a "
        "picture's name. Download the picture itself.",
    ),
    (rb"%PDF", f"It is a PDF document. {_EXPORT}"),
    (rb"%!PS", f"It is a PostScript drawing. {_EXPORT}"),
    (rb"(?s).{4}ftyp", f"It looks like a HEIC photo or a video. {_EXPORT}"),
    (
        rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP",
        f"It begins like one, but its header is damaged. {_AGAIN}",
    ),
    (
        rb"[^\x00-\x08\x0e-\x1f]+\Z",
        "It looks like plain text. Choose a picture file.",
    ),
    (rb"", f"Readable formats: {', '.join(FORMATS)}."),
)
"""How the first bytes of what is no picture look, and what to do then."""


def decode(stream: BinaryIO, name: str, size: int | None) -> Image.Image:
    """Read an encoded picture.

    Args:
        stream: Seekable binary stream with the whole file, at any position.
        name: How error messages call the picture.
        size: Longer side wanted in pixels, reached by Lanczos filtering; None
            for its own. A JPEG may be decoded at a half, a quarter or an
            eighth of its size before that, with at least twice this side;
            one of more than `MAX_PIXELS`, with at least this side.

    Returns:
        A picture of mode RGB, upright.

    Raises:
        ImageError: It is empty, not a picture, damaged, or its size is
            refused (from the header, before anything is decoded).
    """
    picture = _open(stream, name)
    whole = picture.height, picture.width
    divisor = _divisor(picture, size)
    _check_decoded(picture, divisor, name)
    if divisor > 1:
        _decode_reduced(picture, divisor)
    decoded = _load(picture, name)
    if divisor > 1:
        decoded = _without_padding(decoded, whole, divisor)
    upright = upright_rgb(decoded, name)
    if size is None:
        return upright
    return sized(upright, *fit(*_turned(picture, *whole), size))


def decode_alpha(stream: BinaryIO, name: str) -> Image.Image | None:
    """Read how opaque each pixel of an encoded picture is.

    Args:
        stream: As `decode` takes it.
        name: The same.

    Returns:
        A picture of mode L, upright, 255 where it is opaque; None where it
        is so everywhere.

    Raises:
        ImageError: As `decode`.
    """
    picture = _open(stream, name)
    if not picture.has_transparency_data:
        return None  # and nothing of it was decoded
    _check_decoded(picture, 1, name)
    return alpha_of(picture, name)


def alpha_of(picture: Image.Image, name: str) -> Image.Image | None:
    """Do as `decode_alpha` does, for a Pillow picture.

    Raises:
        ImageError: Its data are damaged.
    """
    if not picture.has_transparency_data:
        return None
    upright = _upright(_load(picture, name))
    alpha = upright.convert("RGBA").getchannel("A")
    low, _ = alpha.getextrema()
    return None if low == 255 else alpha


def shape_of_jpeg(stream: BinaryIO, name: str) -> tuple[int, int] | None:
    """Return what height and width a JPEG has once it is upright.

    Args:
        stream: As `decode` takes it.
        name: The same.

    Returns:
        Both in pixels, from the header alone; None for another format, some
        of which tell only behind the pixels how these are to be turned.

    Raises:
        ImageError: It is empty, not a picture, or of a shape that is refused
            at every size.
    """
    picture = _open(stream, name)
    if not _is_jpeg(picture):
        return None
    check_sides(picture.height, picture.width, name)
    return _turned(picture, picture.height, picture.width)


def sized(picture: Image.Image, height: int, width: int) -> Image.Image:
    """Resize a picture by Lanczos filtering, which is antialiased."""
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def upright_rgb(picture: Image.Image, name: str) -> Image.Image:
    """Decode an open picture to mode RGB, turned as its EXIF tag says.

    Args:
        picture: A Pillow picture of any mode, its data read or not.
        name: How error messages call it.

    Returns:
        A new picture of mode RGB.

    Raises:
        ImageError: Its data are damaged, or its mode has no known range.
    """
    picture = _load(picture, name)
    try:
        return _to_rgb(_upright(picture), name)
    except ImageError:
        raise
    except Exception as error:  # A rare mode, or data its mode forbids.
        raise ImageError(
            f"{name} cannot be converted from mode {picture.mode} to RGB "
            f"({error}). {_EXPORT}"
        ) from error


def _load(picture: Image.Image, name: str) -> Image.Image:
    """Decode what is open."""
    try:
        picture.load()
    except Exception as error:  # Decoders raise nearly every class there is.
        raise ImageError(
            f"{name} is damaged or cut off ({error}). {_AGAIN}"
        ) from error
    return picture


def _open(stream: BinaryIO, name: str) -> Image.Image:
    """Read the header alone."""
    stream.seek(0)
    head = stream.read(1024)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes). {_AGAIN}")
    Image.init()
    formats = [each for each in FORMATS if each in Image.OPEN]
    stream.seek(0)
    try:
        if head.startswith(_JPEG_START):
            # Image.open refuses by the size that would not be decoded
            return JpegImagePlugin.JpegImageFile(stream)
        return Image.open(stream, formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise too_large(name, _first_number(str(e)), _SMALLER) from e
    except Exception as error:  # Plugins raise nearly every class there is.
        raise ImageError(
            f"{name} is not a picture that can be read. {_hint(head)}"
        ) from error


def _first_number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0


def _hint(head: bytes) -> str:
    return next(
        hint for pattern, hint in _LOOKALIKES if re.match(pattern, head)
    )


def _is_jpeg(picture: Image.Image) -> bool:
    return isinstance(picture, JpegImagePlugin.JpegImageFile)


def _divisor(picture: Image.Image, size: int | None) -> int:
    """Return by what a picture's sides are divided while it is decoded.

    What is left is twice the size at least, so that the rest of the way is
    filtered well; of a picture that cannot be decoded whole, the size.
    Where sides are no whole blocks the last ones must be trimmed, which pays
    for large pictures alone.
    """
    width, height = picture.size
    if size is None or not _is_jpeg(picture):
        return 1
    pixels, longer = width * height, max(width, height)
    ragged = width % _JPEG_BLOCK or height % _JPEG_BLOCK
    if ragged and pixels <= _RAGGED_PIXELS:
        return 1
    for least in (2 * size, size):
        for divisor in _DIVISORS:
            if longer // divisor >= least and min(width, height) >= divisor:
                return divisor
        if pixels <= MAX_PIXELS:
            break
    return 1


def _check_decoded(picture: Image.Image, divisor: int, name: str) -> None:
    """Refuse a picture by what will be decoded of it."""
    width, height = picture.size
    check_sides(height, width, name)
    pixels = width * height
    if pixels > MAX_PIXELS * divisor**2:
        raise too_large(name, pixels, _remedy(picture))
    if pixels > MAX_REDUCED:
        raise too_large(name, pixels, _SMALLER, MAX_REDUCED)
    # A byte in the file may stand for thousands of coefficients in memory.
    coefficients = 2 * len(picture.getbands()) * pixels
    if picture.info.get("progressive") and coefficients > _MAX_COEFFICIENTS:
        raise ImageError(
            f"{name} is a progressive JPEG of {pixels / 1e6:.1f} million "
            f"pixels, which takes {coefficients / 1e9:.1f} GB to decode at "
            "any size. Save it as a plain JPEG, or smaller, in an image "
            "program."
        )


def _remedy(picture: Image.Image) -> str:
    """Say how a picture that is too large can be read after all."""
    width, height = picture.size
    half = max(width, height) // 2
    if not _is_jpeg(picture) or width * height > MAX_REDUCED:
        return _SMALLER
    return (
        f"Ask for a size of at most {half}: a JPEG is then reduced while it "
        "is decoded. Or make it smaller in an image program."
    )


def _decode_reduced(picture: Image.Image, divisor: int) -> None:
    """Tell a JPEG to decode to a part of its size."""
    width, height = picture.size
    picture.draft(
        None,  # type: ignore[arg-type]  # Pillow: keep the mode.
        (width // divisor, height // divisor),
    )


def _without_padding(
    picture: Image.Image, whole: tuple[int, int], divisor: int
) -> Image.Image:
    """Trim what a reduced picture has beyond its border.

    Its last row and column may stand for a part of a pixel; stretched by
    less than one pixel, it covers the whole picture and nothing else.
    """
    if not any(side % divisor for side in whole):
        return picture
    height, width = (side / divisor for side in whole)
    return picture.resize(
        picture.size, Image.Resampling.BICUBIC, box=(0, 0, width, height)
    )


def _turned(picture: Image.Image, height: int, width: int) -> tuple[int, int]:
    """Return a shape turned as a picture's EXIF tag says."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # as in `_upright`
        orientation = 1
    return (width, height) if orientation in (5, 6, 7, 8) else (height, width)


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF tag says; as it is where that is broken."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Broken tags of any kind must not cost the picture.
        return picture


def _to_rgb(picture: Image.Image, name: str) -> Image.Image:
    if picture.mode == "F":
        return _grey(picture, 1, name)
    if picture.mode.startswith("I"):  # I;16 and its kin; I for a 16-bit PGM.
        return _grey(picture, 65535, name)
    if not picture.has_transparency_data:
        return _to_srgb(picture)
    rgba = picture.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(_to_srgb(rgba.convert("RGB")), mask=rgba.getchannel("A"))
    return white


def _grey(picture: Image.Image, white: int, name: str) -> Image.Image:
    """Scale grey values in [0, white] to the nearest of 256 levels."""
    values = np.asarray(picture).astype(np.float64)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= white):
        raise ImageError(
            f"{name} has grey values from {low:g} to {high:g}; with this "
            f"type 0 is black and {white} white. Rescale it first."
        )
    levels = np.rint(values * (255 / white)).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Convert by the embedded profile, plainly where none is usable."""
    if picture.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transform(picture, lab)
    known = picture.mode in ("L", "RGB", "CMYK")
    managed = picture if known else picture.convert("RGB")
    try:
        embedded = io.BytesIO(picture.info["icc_profile"])
        return _transform(managed, ImageCms.ImageCmsProfile(embedded))
    except (KeyError, TypeError, OSError, ValueError, ImageCms.PyCMSError):
        return managed.convert("RGB")


def _transform(
    picture: Image.Image, profile: ImageCms.ImageCmsProfile
) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(profile, srgb, picture.mode, "RGB")
    return transform.apply(picture)
