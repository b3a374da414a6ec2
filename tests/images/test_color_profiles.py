"""Color profiles: made here from the primaries, and checked against these."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from styletut.images import ImageError, load_image, load_mask

D65 = (0.3127, 0.3290)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
D50_XYZ = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367],
     [0.0389, -0.0685, 1.0296]]
)  # fmt: skip


def xyz(x, y):
    return np.array([x / y, 1, (1 - x - y) / y])


def to_xyz(primaries):
    """Linear RGB to XYZ, so that (1, 1, 1) is D65."""
    columns = np.stack([xyz(*each) for each in primaries], 1)
    return columns * np.linalg.solve(columns, xyz(*D65))


def adapted(source):
    """The Bradford matrix from a white to that of profiles, D50."""
    cones = (BRADFORD @ D50_XYZ) / (BRADFORD @ source)
    return np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD


def srgb_curve(light):
    light = np.clip(light, 0, 1)
    high = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, high)


def srgb_light(value):
    high = ((value + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, value / 12.92, high)


ADOBE_GAMMA = 563 / 256


def in_srgb(color, primaries, light):
    """A color of 8 bits in sRGB: through XYZ under D65, then clipped."""
    linear = light(np.array(color) / 255)
    seen = np.linalg.solve(to_xyz(SRGB), to_xyz(primaries) @ linear)
    return srgb_curve(seen) * 255


# Profiles, version 2: a header, a table of tags, and these


def fixed(*numbers):
    return struct.pack(
        f">{len(numbers)}i", *(round(n * 65536) for n in numbers)
    )


def curve(*values):
    """A gamma, where it is one value, else a table in [0, 1]."""
    scale = 256 if len(values) == 1 else 65535
    levels = [round(value * scale) for value in values]
    count = len(levels)
    return b"curv" + struct.pack(f">4xI{count}H", count, *levels)


def profile(space, connection="XYZ ", **tags):
    described = b"made for a test\0"
    length = struct.pack(">I", len(described))
    tags = {
        "desc": b"desc\0\0\0\0" + length + described + bytes(78),
        "cprt": b"text\0\0\0\0none\0",
        "wtpt": b"XYZ \0\0\0\0" + fixed(*D50_XYZ),
        **tags,
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        place = struct.pack(">II", start + len(body), len(content))
        table += name.encode() + place
        body += content
    size = start + len(body)
    # a printer's would need the way back as well
    kind = b"scnr" if space == "CMYK" else b"mntr"
    head = struct.pack(">I4xI", size, 0x02400000) + kind
    head += space.encode().ljust(4) + connection.encode()
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head = (head + fixed(*D50_XYZ)).ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + table + body


def of_matrix(primaries, tone):
    columns = adapted(xyz(*D65)) @ to_xyz(primaries)
    names = zip("rgb", columns.T, strict=True)
    tags = {f"{c}XYZ": b"XYZ \0\0\0\0" + fixed(*each) for c, each in names}
    return profile("RGB", **tags, **{f"{c}TRC": tone for c in "rgb"})


def of_grey(tone):
    return profile("GRAY", kTRC=tone)


SRGB_TONE = curve(*srgb_light(np.linspace(0, 1, 1024)))
P3 = of_matrix(DISPLAY_P3, SRGB_TONE)
ADOBE = of_matrix(ADOBE_RGB, curve(ADOBE_GAMMA))
GREY_18 = of_grey(curve(1.8))

# L, a, b of every corner of the inks; in between it is a straight line
INKS = {
    corner: (
        100 - 40 * corner[0] - 35 * corner[1] - 10 * corner[2]
        if not corner[3]
        else 0,
        (-30 * corner[0] + 60 * corner[1]) * (1 - corner[3]),
        (-40 * corner[0] + 50 * corner[2]) * (1 - corner[3]),
    )
    for corner in np.ndindex(2, 2, 2, 2)
}


def of_inks():
    """A profile of inks: tables of 2 points in each of 4 directions."""
    steady = bytes(range(256))
    numbers = [
        value
        for light, a, b in INKS.values()
        for value in (round(max(light, 0) * 2.55), a + 128, b + 128)
    ]
    grid = bytes(int(n) for n in numbers)
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    head += fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = head + steady * 4 + grid + steady * 3
    return profile("CMYK", "Lab ", A2B0=table)


def from_lab(light, a, b):
    """A color under D50 in sRGB, of 8 bits."""
    middle = (light + 16) / 116
    parts = np.array([middle + a / 500, middle, middle - b / 200])
    cubic = np.where(
        parts > 6 / 29, parts**3, 3 * (6 / 29) ** 2 * (parts - 4 / 29)
    )
    seen = np.linalg.solve(adapted(xyz(*D65)), cubic * D50_XYZ)
    return srgb_curve(np.linalg.solve(to_xyz(SRGB), seen)) * 255


# Files


def encoded(picture, kind="PNG", **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def plain(color, mode="RGB"):
    return Image.new(mode, (8, 8), color)


def pixel(data):
    """The color of a loaded file in 8 bits, not rounded."""
    return (load_image(data)[0, :, 4, 4] * 255).numpy()


LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}
COLORS = [(200, 40, 90), (10, 250, 128), (255, 255, 255), (0, 0, 0), (99,) * 3]


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("color", COLORS)
def test_display_p3_and_adobe_rgb_become_srgb(kind, color):
    options = LOSSLESS[kind]
    for icc, primaries, light in (
        (P3, DISPLAY_P3, srgb_light),
        (ADOBE, ADOBE_RGB, lambda value: value**ADOBE_GAMMA),
    ):
        data = encoded(plain(color), kind, icc_profile=icc, **options)
        expected = in_srgb(color, primaries, light)
        assert np.abs(pixel(data) - expected).max() <= 1.5


def test_the_profiles_of_this_test_change_colors():
    """Else the others would also pass if profiles were ignored."""
    color = (200, 40, 90)
    for primaries, light in (
        (DISPLAY_P3, srgb_light),
        (ADOBE_RGB, lambda value: value**ADOBE_GAMMA),
    ):
        moved = np.abs(in_srgb(color, primaries, light) - color)
        assert moved.max() > 10
    assert np.abs(in_srgb(color, SRGB, srgb_light) - color).max() < 1e-6


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_a_lossy_format_keeps_its_profile(kind):
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    color = (120, 100, 140)
    data = encoded(plain(color), kind, icc_profile=P3, quality=95)
    expected = in_srgb(color, DISPLAY_P3, srgb_light)
    assert np.abs(pixel(data) - expected).max() <= 3


def with_colr(data, icc):
    """A JPEG 2000 with another box for its color space."""
    place = data.index(b"colr") - 4
    (length,) = struct.unpack_from(">I", data, place)
    new = struct.pack(">I", 11 + len(icc)) + b"colr\2\0\0" + icc
    header = data.index(b"jp2h") - 4
    (whole,) = struct.unpack_from(">I", data, header)
    grown = struct.pack(">I", whole + len(new) - length)
    data = data[:place] + new + data[place + length :]
    return data[:header] + grown + data[header + 4 :]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_2000_has_its_profile_in_a_box(mode):
    color = (200, 40, 90) if mode == "RGB" else 128
    data = with_colr(encoded(plain(color, mode), "JPEG2000"), P3)
    try:
        opened(data).load()
    except OSError:
        pytest.skip("this Pillow reads no such JPEG 2000")
    colors = color if mode == "RGB" else (color,) * 3
    expected = in_srgb(colors, DISPLAY_P3, srgb_light)
    assert np.abs(pixel(data) - expected).max() <= 1.5


def test_a_bitmap_of_version_5_has_its_profile_at_the_end():
    color = (200, 40, 90)
    rows = bytes(color[::-1]) * 8 * 8
    header = struct.pack("<IiiHHIIiiII", 124, 8, 8, 1, 24, 0, 192, 0, 0, 0, 0)
    header += bytes(16) + b"DEBM" + bytes(48)
    header += struct.pack("<IIII", 4, 124 + len(rows), len(P3), 0)
    start = 14 + len(header)
    size = start + len(rows) + len(P3)
    data = struct.pack("<2sIHHI", b"BM", size, 0, 0, start) + header
    expected = in_srgb(color, DISPLAY_P3, srgb_light)
    assert np.abs(pixel(data + rows + P3) - expected).max() <= 1.5


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_profile_holds_below_transparency(kind):
    color = (200, 40, 90)
    picture = plain((*color, 102), "RGBA")
    data = encoded(picture, kind, icc_profile=P3, **LOSSLESS[kind])
    below = in_srgb(color, DISPLAY_P3, srgb_light)
    assert np.abs(pixel(data) - (0.4 * below + 0.6 * 255)).max() <= 1.5


def test_a_palette_has_a_profile():
    color = (200, 40, 90)
    picture = plain(0, "P")
    picture.putpalette(color)
    expected = in_srgb(color, DISPLAY_P3, srgb_light)
    for options in ({}, {"transparency": bytes([255])}):
        data = encoded(picture, icc_profile=P3, **options)
        assert np.abs(pixel(data) - expected).max() <= 1.5


def grey_in_srgb(value):
    """A grey of gamma 1.8, in [0, 1], in sRGB of 8 bits."""
    return srgb_curve(np.asarray(value) ** 1.8) * 255


@pytest.mark.parametrize("value", [0, 20, 128, 255])
def test_grey_has_a_profile(value):
    for kind in ("PNG", "TIFF"):
        data = encoded(plain(value, "L"), kind, icc_profile=GREY_18)
        assert np.abs(pixel(data) - grey_in_srgb(value / 255)).max() <= 1.5
        data = encoded(plain((value, 51), "LA"), kind, icc_profile=GREY_18)
        expected = 0.2 * grey_in_srgb(value / 255) + 0.8 * 255
        assert np.abs(pixel(data) - expected).max() <= 1.5


def test_grey_may_have_a_profile_of_colors():
    data = encoded(plain(128, "L"), icc_profile=ADOBE)
    expected = srgb_curve((128 / 255) ** ADOBE_GAMMA) * 255
    assert np.abs(pixel(data) - expected).max() <= 1.5


@pytest.mark.parametrize("value", [0, 700, 30000, 65535])
def test_16_bit_grey_has_a_profile(value):
    array = np.full((8, 8), value, np.uint16)
    for kind in ("PNG", "TIFF"):
        picture = Image.fromarray(array)
        data = encoded(picture, kind, icc_profile=GREY_18)
        expected = grey_in_srgb(value / 65535)
        assert np.abs(pixel(data) - expected).max() <= 1.5


def test_16_bit_grey_keeps_its_steps_between_those_of_8():
    """A profile that lifts the shadows would show steps of 8 bits there."""
    array = np.linspace(0, 2570, 64).astype(np.uint16).reshape(8, 8)
    data = encoded(Image.fromarray(array), icc_profile=of_grey(curve(1.0)))
    levels = (load_image(data)[0, 0] * 255).round().int().unique()
    assert len(levels) > 30


def test_16_bit_color_has_a_profile():
    sample = struct.pack(">3H", *(257 * part for part in (200, 40, 90)))
    rows = (b"\0" + sample * 8) * 8
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)),
        (b"iCCP", b"p3\0\0" + zlib.compress(P3)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    expected = in_srgb((200, 40, 90), DISPLAY_P3, srgb_light)
    assert np.abs(pixel(data) - expected).max() <= 1.5


def test_a_float_picture_has_a_profile():
    picture = Image.fromarray(np.full((8, 8), 0.3, np.float32))
    data = encoded(picture, "TIFF", icc_profile=GREY_18)
    assert np.abs(pixel(data) - grey_in_srgb(0.3)).max() <= 1.5


@pytest.mark.parametrize("inks", [*INKS])
def test_inks_become_what_their_profile_says(inks):
    picture = plain(tuple(255 * ink for ink in inks), "CMYK")
    for kind, options in (("TIFF", {}), ("JPEG", {"quality": 100})):
        data = encoded(picture, kind, icc_profile=of_inks(), **options)
        expected = from_lab(*INKS[inks])
        assert np.abs(pixel(data) - expected).max() <= 4


def test_the_darkest_ink_becomes_black():
    """Black point compensation: paper's black is that of the screen."""
    steady = bytes(range(256))
    grid = bytes([255, 128, 128] + [51, 128, 128]) * 8  # black: L = 20
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    head += fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = head + steady * 4 + grid + steady * 3
    icc = profile("CMYK", "Lab ", A2B0=table, A2B1=table)
    black = plain((0, 0, 0, 255), "CMYK")
    assert pixel(encoded(black, "TIFF", icc_profile=icc)).max() <= 4
    paper = plain((0, 0, 0, 0), "CMYK")
    assert pixel(encoded(paper, "TIFF", icc_profile=icc)).min() >= 254


@pytest.mark.parametrize("lab", [(50, 30, -20), (75, -20, 30), (100, 0, 0)])
def test_lab_becomes_srgb(lab):
    light, a, b = lab
    color = (round(light * 2.55), a + 128, b + 128)
    picture = Image.new("LAB", (8, 8), color)
    expected = from_lab(color[0] / 2.55, a, b)
    assert np.abs(pixel(encoded(picture, "TIFF")) - expected).max() <= 2
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(picture, "TIFF", icc_profile=icc)
    assert np.abs(pixel(data) - expected).max() <= 2


def test_the_profile_of_a_pillow_picture_counts():
    picture = opened(encoded(plain((200, 40, 90)), icc_profile=P3))
    expected = in_srgb((200, 40, 90), DISPLAY_P3, srgb_light)
    assert np.abs((load_image(picture)[0, :, 0, 0] * 255).numpy()
                  - expected).max() <= 1.5  # fmt: skip


# Profiles that cannot be used


def damaged(icc):
    """A profile that says it has tags where it ends."""
    return icc[:200]


@pytest.mark.parametrize("icc", [b"no profile", bytes(200), damaged(P3)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "I;16"])
def test_a_broken_profile_is_told(icc, mode):
    bare = encoded(
        Image.fromarray(np.full((8, 8), 30000, np.uint16))
        if mode == "I;16"
        else Image.new(mode, (8, 8), "gray")
    )
    data = encoded(opened(bare), icc_profile=icc)
    with pytest.warns(UserWarning, match="profile in the data cannot") as told:
        picture = load_image(data)
    assert len(told) == 1, "once for a picture"
    assert "may be off" in str(told[0].message)
    assert (picture == load_image(bare)).all()


@pytest.mark.parametrize(
    ("icc", "mode", "message"),
    [
        (GREY_18, "RGB", "it is for GRAY, the picture is RGB"),
        (P3, "CMYK", "it is for RGB, the picture is CMYK"),
        (P3, "LAB", "it is for RGB, the picture is LAB"),
    ],
)
def test_a_profile_of_another_mode_is_told(icc, mode, message):
    picture = Image.new(mode, (8, 8))
    data = encoded(picture, "TIFF", icc_profile=icc)
    with pytest.warns(UserWarning, match=message):
        image = load_image(data)
    assert (image == load_image(encoded(picture, "TIFF"))).all()


def test_an_empty_profile_is_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_image(encoded(plain((1, 2, 3)), icc_profile=b""))


def test_masks_are_numbers_and_keep_their_alpha():
    """A profile is about colors: how opaque a pixel is it leaves alone."""
    data = encoded(plain((9, 9, 9, 128), "RGBA"), icc_profile=P3)
    assert float(load_mask(data)[0, 0]) == pytest.approx(128 / 255)


def test_where_warnings_are_errors_it_is_the_warning_that_is_raised():
    data = encoded(plain((1, 2, 3)), icc_profile=b"no profile")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="profile") as told:
            load_image(data)
    assert not isinstance(told.value, ImageError)
