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
from PIL import Image, ImageCms, ImageOps

from styletut.images.picture import ImageError, check_shape, too_large

FORMATS = (
    *("AVIF", "BMP", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "PNG"),
    *("PPM", "TGA", "TIFF", "WEBP"),
)
"""Formats that are tried; no vector format, which would run a program."""

_JPEG_BLOCK = 8  # Pixels; JPEG decodes at 1/2, 1/4 and 1/8 of its size.

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
        size: Longer side in pixels that is wanted in the end, or None. A
            JPEG may then be decoded at a half, a quarter or an eighth of its
            size, with at least twice this side and exactly its own ratio.

    Returns:
        A picture of mode RGB, upright, not resized to `size` yet.

    Raises:
        ImageError: It is empty, not a picture, damaged, or its size is
            refused (from the header, before anything is decoded).
    """
    stream.seek(0)
    head = stream.read(1024)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes). {_AGAIN}")
    picture = _open(stream, head, name)
    check_shape(picture.height, picture.width, name)
    if size is not None and picture.format in ("JPEG", "MPO"):
        _decode_reduced(picture, 2 * size)
    return upright_rgb(picture, name)


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
    try:
        picture.load()
    except Exception as error:  # Decoders raise nearly every class there is.
        raise ImageError(
            f"{name} is damaged or cut off ({error}). {_AGAIN}"
        ) from error
    try:
        return _to_rgb(_upright(picture), name)
    except ImageError:
        raise
    except Exception as error:  # A rare mode, or data its mode forbids.
        raise ImageError(
            f"{name} cannot be converted from mode {picture.mode} to RGB "
            f"({error}). {_EXPORT}"
        ) from error


def _open(stream: BinaryIO, head: bytes, name: str) -> Image.Image:
    """Read the header alone."""
    Image.init()
    formats = [each for each in FORMATS if each in Image.OPEN]
    stream.seek(0)
    try:
        return Image.open(stream, formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise too_large(name, _first_number(str(e))) from e
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


def _decode_reduced(picture: Image.Image, least: int) -> None:
    """Tell a JPEG to decode to `least` pixels or more along its longer side.

    Only where its sides are whole blocks: else the reduced picture would
    have another ratio, and its last column would cover half a pixel.
    """
    width, height = picture.size
    if width % _JPEG_BLOCK == 0 and height % _JPEG_BLOCK == 0:
        longer = max(width, height)
        picture.draft(
            None,  # type: ignore[arg-type]  # Pillow: keep the mode.
            (-(-width * least // longer), -(-height * least // longer)),
        )


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
