"""From an encoded picture to 8-bit sRGB, with a clear word when it fails.

What Pillow reads of the raster formats in `FORMATS` becomes a Pillow picture
of mode RGB: upright (EXIF), over white where it is transparent, an embedded
ICC profile converted to sRGB. Pixels without a profile are taken as sRGB. A
PNG's gAMA and cHRM chunks are ignored, as most viewers do: far more files
carry a wrong gamma than a meant one. Of 16 bits per channel the nearest
8-bit level is kept for grey, the upper 8 bits (Pillow's choice) for color.
"""

import ctypes
import io
import logging
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin, features

from styletut.images.color_profiles import (
    Conversion,
    embedded_elsewhere,
    to_srgb,
)
from styletut.images.picture import (
    MAX_PIXELS,
    ImageError,
    check_sides,
    fit,
    too_large,
)

# Pillow's errors are told in ours, not by Python's handler of last resort.
logging.getLogger("PIL").addHandler(logging.NullHandler())

FORMATS = (
    *("AVIF", "BMP", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "PNG"),
    *("PPM", "TGA", "TIFF", "WEBP"),
)
"""Formats that are tried; no vector format, which would run a program."""

_CODECS = {
    "AVIF": "avif",
    "JPEG": "jpg",
    "JPEG2000": "jpg_2000",
    "PNG": "zlib",
    "WEBP": "webp",
}
"""What Pillow may have been built without, by the format that needs it."""

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

_SPARSE = 2**24
"""Pixels from which a picture must have some bytes for them."""

_PIXELS_PER_BYTE = 10_000
"""Pixels at most for a byte of the file: a white PNG of 1 bit has 8256."""

_PIXELS_PER_BYTE_OF_JPEG = 512
"""Each block of 64 takes a bit at least, where it is coded by Huffman's."""

_BAND = 2**22
"""Pixels that are converted at once, so that a large picture is not held
several times over."""

_JPEG_START = b"\xff\xd8\xff"
_ICON_START = b"\0\0\1\0"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_HEIC_BRANDS = {
    *(b"heic", b"heix", b"heim", b"heis"),
    *(b"hevc", b"hevx", b"hevm", b"hevs"),
}
"""How a file of the HEIF family says that HEVC made it: a photo of a phone."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""

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
    (
        rb"\x1f\x8b|PK\x03\x04",
        "It is an archive, or was sent compressed. Unpack the picture first.",
    ),
    (rb"%PDF", f"It is a PDF document. {_EXPORT}"),
    (rb"%!PS", f"It is a PostScript drawing. {_EXPORT}"),
    (
        rb"(?s)\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]"
        rb"|.{4}ftyp(avi|hei|hev|mif1|msf1)|\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        f"It begins like one, but its header is damaged. {_AGAIN}",
    ),
    (rb"(?s).{4}ftyp", f"It looks like a video. {_EXPORT}"),
    (
        rb"[^\x00-\x08\x0e-\x1f]+\Z",
        "It looks like plain text. Choose a picture file.",
    ),
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
    _check_bytes(
        stream,
        picture.width * picture.height,
        name,
        _PIXELS_PER_BYTE_OF_JPEG if _is_jpeg(picture) else _PIXELS_PER_BYTE,
    )
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
    _check_bytes(stream, picture.width * picture.height, name)
    return alpha_of(picture, name)


def alpha_of(picture: Image.Image, name: str) -> Image.Image | None:
    """Do as `decode_alpha` does, for a Pillow picture.

    Raises:
        ImageError: Its data are damaged.
    """
    if not picture.has_transparency_data:
        return None
    alpha = _by_bands(_load(picture, name), "L", _alpha_of_band)
    low, _ = alpha.getextrema()
    return None if low == 255 else _upright(alpha, _orientation(picture))


def _alpha_of_band(band: Image.Image) -> Image.Image:
    """Return how opaque part of a picture is."""
    empty = band.info.get("transparency")
    if band.mode.startswith("I") and isinstance(empty, int):
        # Pillow forgets it where a level has more than 8 bits
        levels = np.asarray(band)
        return Image.fromarray(np.where(levels == empty, 0, 255).astype("u1"))
    return band.convert("RGBA").getchannel("A")


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

    A profile that cannot be used is told in a warning.
    """
    picture = _load(picture, name)
    try:
        rgb = _rgb_bands(picture, name)
    except (ImageError, UserWarning):
        raise
    except Exception as error:  # A rare mode, or data its mode forbids.
        raise ImageError(
            f"{name} cannot be converted from mode {picture.mode} to RGB "
            f"({error}). {_EXPORT}"
        ) from error
    return _upright(rgb, _orientation(picture))


def bands(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield a picture's rows from above, some at a time, and where they are.

    Args:
        picture: Of any mode, decoded.
    """
    width, height = picture.size
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield top, picture.crop((0, top, width, bottom))


def readable() -> list[str]:
    """Return the names of the formats that can be read here, now."""
    Image.init()
    known = {each for each in FORMATS if each in Image.OPEN}
    if _heif_file() is not None:
        known.add("HEIF")
    return sorted(
        each
        for each in known
        if each not in _CODECS or features.check(_CODECS[each])
    )


def _by_bands(
    picture: Image.Image, mode: str, conversion: Conversion
) -> Image.Image:
    """Return a new picture of a mode, converted band by band."""
    whole = Image.new(mode, picture.size)
    for top, band in bands(picture):
        whole.paste(conversion(band), (0, top))
    return whole


def _load(picture: Image.Image, name: str) -> Image.Image:
    """Decode what is open."""
    try:
        picture.load()
    except MemoryError as error:
        pixels = picture.width * picture.height
        raise ImageError(
            f"{name} has {pixels / 1e6:.1f} million pixels, for which there "
            f"is not enough memory. {_SMALLER}"
        ) from error
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
    if head.startswith(_ICON_START):
        _check_icon(stream, head, name)
    if head.startswith(_TIFF_STARTS):
        _silence_libtiff()
    stream.seek(0)
    try:
        return _opened(stream, head)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise too_large(name, _first_number(str(e)), _SMALLER) from e
    except Exception as error:  # Plugins raise nearly every class there is.
        raise ImageError(
            f"{name} is not a picture that can be read. {_hint(head)}"
        ) from error


def _opened(stream: BinaryIO, head: bytes) -> Image.Image:
    """Hand a file to the reader of its format."""
    Image.init()
    if head.startswith(_JPEG_START):
        # Image.open refuses by the size that would not be decoded
        return JpegImagePlugin.JpegImageFile(stream)
    if "HEIF" not in Image.OPEN and _is_heic(head):
        heif_file = _heif_file()
        if heif_file is not None:
            return heif_file(stream)
    formats = [each for each in FORMATS if each in Image.OPEN]
    picture = Image.open(stream, formats=formats)
    profile = embedded_elsewhere(stream, picture.format)
    if profile is not None:
        picture.info.setdefault("icc_profile", profile)
    return picture


def _is_heic(head: bytes) -> bool:
    """Whether a file of the HEIF family is for another reader than AVIF's."""
    if head[4:8] != b"ftyp":
        return False
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[k : k + 4] for k in range(16, length, 4))}
    if brands & _HEIC_BRANDS:
        return True
    return b"mif1" in brands and not brands & {b"avif", b"avis"}


def _heif_file() -> Callable[[BinaryIO], Image.Image] | None:
    """Return what opens a HEIC photo, None without pillow-heif.

    It is not registered with Pillow, whose formats are the user's affair.
    """
    try:
        from pillow_heif import HeifImageFile
    except ImportError:  # it, or a library that it needs
        return None
    return HeifImageFile


@lru_cache(maxsize=1)
def _silence_libtiff() -> None:
    """Keep libtiff from writing to the terminal; its errors reach us anyway.

    Pillow has no switch for it. libtiff's own is the process's, for all
    threads, and so is set once and stays: nothing is redirected, and nobody
    else's words are lost. Where libtiff is a hidden part of Pillow, as on
    Windows, it goes on talking.
    """
    try:
        core = Image.core  # type: ignore[attr-defined]
        library = ctypes.CDLL(core.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes = [ctypes.c_void_p]
            set_handler.restype = ctypes.c_void_p
            set_handler(None)
    except (AttributeError, OSError):
        return


def _check_icon(stream: BinaryIO, head: bytes, name: str) -> None:
    """Refuse an icon by what is in it, which Pillow decodes on opening.

    The sizes in an icon's own list are bytes; a PNG in it has its own.
    """
    (count,) = struct.unpack_from("<H", head.ljust(6, b"\0"), 4)
    for place in range(6, min(6 + 16 * count, len(head) - 15), 16):
        (start,) = struct.unpack_from("<I", head, place + 12)
        stream.seek(start)
        inner = stream.read(24)
        if inner.startswith(_PNG_START) and len(inner) == 24:
            width, height = struct.unpack_from(">II", inner, 16)
            if width * height > MAX_PIXELS:
                raise too_large(name, width * height, _SMALLER)
            _check_bytes(stream, width * height, name)


def _first_number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0


def _hint(head: bytes) -> str:
    if _is_heic(head) and "HEIF" not in readable():
        return (
            "It is a HEIC photo, which pillow-heif reads. Run: python -m pip "
            f"install pillow-heif. Or: {_EXPORT[0].lower()}{_EXPORT[1:]}"
        )
    if head[4:12] in (b"ftypavif", b"ftypavis") and "AVIF" not in readable():
        return (
            "It is an AVIF picture, which Pillow reads from 11.3 on. Run: "
            "python -m pip install --upgrade pillow"
        )
    for pattern, hint in _LOOKALIKES:
        if re.match(pattern, head):
            return hint
    return f"Readable formats: {', '.join(readable())}."


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


def _check_bytes(
    stream: BinaryIO, pixels: int, name: str, most: int = _PIXELS_PER_BYTE
) -> None:
    """Refuse a large picture for which the file is far too small.

    It is damaged, or made to fill the memory.
    """
    length = stream.seek(0, io.SEEK_END)
    if pixels > _SPARSE and pixels > most * length:
        raise ImageError(
            f"{name} should have {pixels / 1e6:.1f} million pixels, for "
            f"which its {length} bytes are too few: it is damaged, or nearly "
            f"empty. {_AGAIN}"
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
    turned = _orientation(picture) in (5, 6, 7, 8)
    return (width, height) if turned else (height, width)


def _orientation(picture: Image.Image) -> int:
    """Return a picture's EXIF orientation, 1 where that is broken."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
        return orientation if orientation in _TURNS else 1
    except Exception:  # Broken tags of any kind must not cost the picture.
        return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture that is stored with an orientation."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _rgb_bands(picture: Image.Image, name: str) -> Image.Image:
    """Convert a decoded picture of any mode to a new one of mode RGB."""
    if picture.mode == "F":
        conversion = _from_grey(picture, 1, name)
    elif picture.mode.startswith("I"):  # I;16, its kin; I for a 16-bit PGM.
        conversion = _from_grey(picture, 65535, name)
    elif picture.has_transparency_data:
        conversion = _over_white(to_srgb(picture, name))
    else:
        conversion = to_srgb(picture, name)
    return _by_bands(picture, "RGB", conversion)


def _over_white(plain: Conversion) -> Conversion:
    """Return a conversion that lays over white what another one makes."""

    def convert(band: Image.Image) -> Image.Image:
        rgba = band.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(plain(rgba), mask=rgba.getchannel("A"))
        return white

    return convert


def _from_grey(picture: Image.Image, white: int, name: str) -> Conversion:
    """Return a conversion of grey values in [0, white] to 256 levels.

    Raises:
        ImageError: Some are outside.
    """
    parts = [np.asarray(band) for _, band in bands(picture)]
    low = np.min([part.min() for part in parts])
    high = np.max([part.max() for part in parts])
    if not (low >= 0 and high <= white):
        raise ImageError(
            f"{name} has grey values from {low:g} to {high:g}; with this "
            f"type 0 is black and {white} white. Rescale it first."
        )
    ramp = np.arange(256)
    # What a profile makes of 256 greys, between which lie those of 16 bits.
    grey = Image.fromarray(ramp[None].astype(np.uint8))
    grey.info = picture.info
    colors = np.asarray(to_srgb(grey, name)(grey))[0]
    plain = bool((colors == ramp[:, None]).all())

    def convert(band: Image.Image) -> Image.Image:
        values = np.multiply(np.asarray(band), 255 / white, dtype=float)
        if plain:
            levels = np.rint(values).astype(np.uint8)
            return Image.fromarray(levels).convert("RGB")
        channels = [np.interp(values, ramp, each) for each in colors.T]
        return Image.fromarray(np.rint(np.stack(channels, 2)).astype("u1"))

    return convert
