"""From the colors of an embedded ICC profile to those of sRGB.

They are converted by relative colorimetric intent with black point
compensation: a color that sRGB has stays the same color, on the white of the
screen, and the darkest ink becomes black. The perceptual intent would change
all colors for the sake of a few, and sRGB has no table for it.
"""

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import BinaryIO

from PIL import Image, ImageCms

_PLAIN_MODES = {"1": "L", "L": "L", "LA": "L", "La": "L"} | {
    mode: mode for mode in ("CMYK", "LAB")
}
"""The mode of a picture's colors without alpha; RGB for all others."""

_MODES_OF_PROFILES = {
    ("GRAY", "L"): "L",
    ("RGB", "L"): "RGB",
    ("RGB", "RGB"): "RGB",
    ("CMYK", "CMYK"): "CMYK",
    ("Lab", "LAB"): "LAB",
}
"""In which mode a profile's color space and a picture's mode meet."""

Conversion = Callable[[Image.Image], Image.Image]
"""What makes a picture of mode RGB of another one."""

_MOST = 1 << 22  # Bytes of a file's beginning in which a profile may lie.


def to_srgb(picture: Image.Image, name: str) -> Conversion:
    """Return the conversion by a picture's profile, or the plain one.

    Args:
        picture: Of any mode that Pillow converts to RGB.
        name: How the warning calls it.

    Returns:
        What makes mode RGB of the picture, or of a part of it, or of one of
        mode RGBA with the same colors. Alpha is ignored. A profile that
        cannot be used is told in a warning.
    """
    mode = _PLAIN_MODES.get(picture.mode, "RGB")
    profile = picture.info.get("icc_profile")
    if profile:
        try:
            return _managed(io.BytesIO(profile), mode)
        except (OSError, TypeError, ValueError, ImageCms.PyCMSError) as error:
            _warn_of_profile(name, error)
    if mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transformed(lab, "LAB")
    return lambda band: band.convert("RGB")


def _managed(file: BinaryIO, mode: str) -> Conversion:
    """Return the conversion by an embedded profile.

    Raises:
        ValueError, or others: It is broken, or not for this mode.
    """
    profile = ImageCms.ImageCmsProfile(file)
    space = profile.profile.xcolor_space.strip()
    meeting = _MODES_OF_PROFILES.get((space, mode))
    if meeting is None:
        raise ValueError(f"it is for {space}, the picture is {mode}")
    return _transformed(profile, meeting)


def _transformed(profile: ImageCms.ImageCmsProfile, mode: str) -> Conversion:
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return lambda band: transform.apply(
        band if band.mode == mode else band.convert(mode)
    )


def _warn_of_profile(name: str, error: Exception) -> None:
    warnings.warn(
        f"the color profile in {name} cannot be used ({error}); its colors "
        "are taken as sRGB and may be off. To have them right, export it "
        "from an image program with the profile sRGB.",
        stacklevel=2,
    )


def embedded_elsewhere(stream: BinaryIO, kind: str | None) -> bytes | None:
    """Return a profile that Pillow passes over: of a JPEG 2000 or BMP.

    Args:
        stream: Seekable, with the whole file; it stays where it is.
        kind: The format, as Pillow calls it.
    """
    if kind not in ("BMP", "JPEG2000"):
        return None
    place = stream.tell()
    stream.seek(0)
    head = stream.read(_MOST)
    stream.seek(place)
    return _in_bitmap(head) if kind == "BMP" else _in_jpeg2000(head)


def _in_bitmap(head: bytes) -> bytes | None:
    """Return the profile behind a header of version 5, if it has one."""
    if len(head) < 138 or struct.unpack_from("<I", head, 14)[0] != 124:
        return None
    if head[70:74] != b"DEBM":  # "MBED", embedded, as a number
        return None
    start, length = struct.unpack_from("<II", head, 126)
    return head[14 + start : 14 + start + length] or None


def _in_jpeg2000(head: bytes) -> bytes | None:
    """Return the profile in the box for the color space, if it is one."""
    for kind, header in _boxes(head):
        if kind != b"jp2h":
            continue
        for inner, content in _boxes(header):
            # 2 and 3: a profile, not the number of a known space
            if inner == b"colr" and content[:1] in (b"\2", b"\3"):
                return content[3:] or None
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each box, as far as they are whole."""
    place = 0
    while place + 16 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        start = place + 8
        if length == 1:  # the number did not fit
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = place + length if length else len(data)
        if end < start:
            return
        yield kind, data[start:end]
        place = end
