"""A file with damage: some is blind, some knows where formats keep sizes."""

import random
import re
import struct
import zlib
from collections.abc import Sequence

_MOST = 1 << 20
"""A damaged file has no more bytes than this."""

EXTREMES = (
    *(0, 1, 2, 3, 127, 128, 255, 256, 4096, 9000, 16383, 32767, 32768),
    *(65500, 65535, 65536, 2**24 - 1, 2**30, 2**31 - 1, 2**31, 2**32 - 1),
)
"""Numbers at which readers go wrong."""

SIDES = (37, 29)
"""Width and height of most sound pictures: such numbers are rare in files."""

_INTEGERS = (">H", "<H", ">I", "<I")


def damaged(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Return a file with one to four damages.

    Args:
        data: a sound file.
        others: more of them, parts of which may be put in.
        rng: from which all is drawn.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        damage = rng.choice(_DAMAGES)
        data = damage(data, others, rng)[:_MOST]
    # A PNG with wrong checksums is refused before anything is done with it.
    return with_checksums(data) if rng.random() < 0.7 else data


def with_checksums(data: bytes) -> bytes:
    """Return a PNG whose checksums are right; other files as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    whole, place = bytearray(data), 8
    while place + 12 <= len(whole):
        (length,) = struct.unpack_from(">I", whole, place)
        end = place + 8 + length
        if end + 4 > len(whole):
            break
        struct.pack_into(">I", whole, end, zlib.crc32(whole[place + 4 : end]))
        place = end + 4
    return bytes(whole)


def _bits(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _bytes(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if changed:
            value = rng.choice((0, 1, 127, 128, 254, 255, rng.randrange(256)))
            changed[_place(data, rng)] = value
    return bytes(changed)


def _cut(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    return data[: _place(data, rng)]


def _put_in(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    place, length = _place(data, rng), rng.choice((1, 2, 4, 64, 3000))
    filling = (
        rng.randbytes(length)
        if rng.random() < 0.5
        else bytes([rng.choice((0, 255))]) * length
    )
    return data[:place] + filling + data[place:]


def _leave_out(
    data: bytes, others: Sequence[bytes], rng: random.Random
) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 30)) + data[end:]


def _swap(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    a, b, c, d = sorted(_place(data, rng) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _splice(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _number(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Make some number an extreme one."""
    layout = rng.choice(_INTEGERS)
    return _with_number(data, _place(data, rng), layout, rng.choice(EXTREMES))


def _sides(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Make the picture much larger, smaller or longer, wherever it says so."""
    if rng.random() < 0.6:  # with its ratio, else it is refused for that
        factor = rng.choice((0.2, *(2, 3, 5, 10, 20) * 3, 108, 280, 1500))
        new = [int(side * factor) for side in SIDES]
    else:
        new = [rng.choice(EXTREMES) for _ in SIDES]
    everywhere = rng.random() < 0.6
    for side, wanted in zip(SIDES, new, strict=True):
        for layout in rng.sample(_INTEGERS, 4):
            pattern = re.escape(struct.pack(layout, side))
            found = [each.start() for each in re.finditer(pattern, data)]
            for place in found if everywhere else found[:1]:
                data = _with_number(data, place, layout, wanted)
            if found and not everywhere:
                break
        digits = str(side).encode()
        data = data.replace(digits, str(wanted).encode(), 1)
    # WebP's canvas has 24 bits, and sides less one.
    canvas = data.find(b"VP8X")
    if 0 <= canvas < len(data) - 18:
        less = [(min(max(n, 1), 2**24) - 1).to_bytes(3, "little") for n in new]
        data = data[: canvas + 12] + b"".join(less) + data[canvas + 18 :]
    return data


def _chunks(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Double, leave out, swap or empty what lies between two marks."""
    marks = [each.start() for each in re.finditer(_MARKS, data)]
    if len(marks) < 3:
        return _swap(data, others, rng)
    number = rng.randrange(len(marks) - 2)
    start, middle, end = marks[number : number + 3]
    one, other = data[start:middle], data[middle:end]
    changed = rng.choice(
        (one + one + other, other, other + one, one[:8] + other, one * 40)
    )
    return data[:start] + changed + data[end:]


_MARKS = (
    rb"....(?:IHDR|PLTE|IDAT|IEND|tRNS|gAMA|cHRM|iCCP|eXIf|fcTL|fdAT|acTL)"
    rb"|(?:VP8X|VP8L|VP8 |ALPH|ANIM|ANMF|ICCP|EXIF|XMP )"
    rb"|....(?:ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|colr|mdat)"
    rb"|....(?:jp2h|ihdr|jp2c)|\xff[\xc0-\xfe\x4f-\x5d\x90-\x93]"
    rb"|\x21[\xf9\xfe\xff]|\x2c"
)
"""How parts of files begin: chunks, boxes, segments."""

_DAMAGES = (
    *(_bits, _bytes, _cut, _put_in, _leave_out, _double, _swap, _splice),
    *(_number, _number, _sides, _sides, _chunks, _chunks),
)


def _place(data: bytes, rng: random.Random) -> int:
    """Return a place in a file, half of the time in its header.

    The first bytes, by which a format is known, are mostly spared.
    """
    if len(data) < 2:
        return 0
    end = min(len(data), 160) if rng.random() < 0.5 else len(data)
    start = min(12, end - 1) if rng.random() < 0.9 else 0
    return rng.randrange(start, end)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = _place(data, rng)
    length = rng.choice((1, 2, 4, 16, 200, len(data)))
    return start, min(start + rng.randint(1, max(length, 1)), len(data))


def _with_number(data: bytes, place: int, layout: str, number: int) -> bytes:
    size = struct.calcsize(layout)
    if place + size > len(data):
        return data
    number %= 1 << 8 * size
    number_bytes = struct.pack(layout, number)
    return data[:place] + number_bytes + data[place + size :]
