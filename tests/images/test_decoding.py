"""Picture files of every kind, sound and broken, from their bytes."""

import io
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.PngImagePlugin import PngInfo

from styletut.images import ImageError, load_image
from styletut.images.decoding import shape_of_jpeg
from styletut.images.picture import MAX_PIXELS


def encoded(picture, kind="PNG", **options):
    """The bytes of a picture file."""
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def levels(image):
    """A loaded picture as an (H, W, 3) array of 8-bit levels."""
    return (image[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)


def photo(width=24, height=16):
    """A smooth color picture, different in its four corners."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / (width - 1), 255 * y / (height - 1)
    blue = 255 - red / 2 - green / 2
    return Image.fromarray(np.stack([red, green, blue], 2).astype(np.uint8))


def png(width, height, depth, color, rows, *chunks):
    """A PNG file built by hand: `rows` are its bytes without filters."""
    raw = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [
        (b"IHDR", header),
        *chunks,
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


# Sound pictures


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_a_lossless_file_gives_its_exact_pixels(kind):
    image = load_image(encoded(photo(), kind))
    assert image.shape == (1, 3, 16, 24)
    assert image.dtype == torch.float32
    assert np.array_equal(levels(image), np.asarray(photo()))


def test_white_is_one_and_black_is_zero():
    assert load_image(encoded(Image.new("RGB", (2, 2), "white"))).min() == 1
    assert load_image(encoded(Image.new("RGB", (2, 2)))).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(photo(), kind, exif=exif, **options)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert upright.shape[0] == (16 if orientation < 5 else 24)
    assert np.array_equal(levels(load_image(data)), upright)
    small = load_image(data, size=12)
    assert small.shape[2:] == ((8, 12) if orientation < 5 else (12, 8))


def test_orientation_6_turns_the_left_column_to_the_top():
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.zeros((2, 3, 3), np.uint8)
    stored[:, 0] = 255
    data = encoded(Image.fromarray(stored), exif=exif)
    image = load_image(data)
    assert image.shape == (1, 3, 3, 2)
    assert image[0, :, 0].min() == 1
    assert image[0, :, 1:].max() == 0


def test_broken_exif_costs_the_turn_and_not_the_picture():
    junk = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\xff" * 3
    data = encoded(photo(), "PNG", exif=junk)
    assert np.array_equal(levels(load_image(data)), np.asarray(photo()))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode):
    color = (0, 0, 0, 51) if mode == "RGBA" else (0, 51)
    image = load_image(encoded(Image.new(mode, (2, 2), color)))
    assert levels(image)[0, 0].tolist() == [204, 204, 204]


def test_a_transparent_palette_entry_becomes_white():
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (0, 0, 2, 4))
    for kind in ("PNG", "GIF"):
        pixels = levels(load_image(encoded(picture, kind, transparency=0)))
        assert pixels[0, 0].tolist() == [0, 0, 255]
        assert pixels[0, 3].tolist() == [255, 255, 255]


def test_half_transparent_palette_entries_are_mixed():
    picture = Image.new("P", (2, 2), 1)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    data = encoded(picture, transparency=bytes([255, 102]))
    assert levels(load_image(data))[0, 0].tolist() == [153, 153, 153]


def test_a_transparent_color_of_an_rgb_png_becomes_white():
    picture = Image.new("RGB", (4, 4), (9, 8, 7))
    data = encoded(picture, transparency=(9, 8, 7))
    assert load_image(data).min() == 1


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_and_palette_pictures_become_rgb(mode):
    picture = photo().convert(mode)
    pixels = levels(load_image(encoded(picture)))
    assert np.array_equal(pixels, np.asarray(picture.convert("RGB")))


@given(st.lists(st.integers(0, 65535), min_size=4, max_size=4))
def test_16_bit_grey_is_scaled_to_the_nearest_level(values):
    array = np.array(values, np.uint16).reshape(2, 2)
    expected = np.rint(array / 257).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        pixels = levels(load_image(encoded(Image.fromarray(array), kind)))
        assert np.array_equal(pixels, np.stack([expected] * 3, 2))


def test_16_bit_pgm_is_scaled():
    data = b"P5 2 1 65535\n" + struct.pack(">2H", 65535, 32768)
    assert levels(load_image(data))[0, :, 0].tolist() == [255, 128]


def test_16_bit_color_is_scaled_and_not_clipped():
    row = struct.pack(">6H", 0, 32768, 65535, 13107, 257, 52428)
    pixels = levels(load_image(png(2, 1, 16, 2, [row])))
    expected = [[0, 128, 255], [51, 1, 204]]
    assert np.abs(pixels[0].astype(int) - expected).max() <= 1


def test_16_bit_color_with_alpha():
    row = struct.pack(">4H", 0, 0, 0, 13107)
    pixels = levels(load_image(png(1, 1, 16, 6, [row])))
    assert pixels[0, 0].tolist() == [204, 204, 204]


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_a_float_tiff_is_read_in_the_unit_range_alone(top):
    values = np.array([[0, top], [0, top]], np.float32)
    data = encoded(Image.fromarray(values), "TIFF")
    if top == 1:
        assert levels(load_image(data))[0, :, 0].tolist() == [0, 255]
    else:
        with pytest.raises(ImageError, match=r"from 0 to 255; .* 1 white"):
            load_image(data)


def test_cmyk_without_a_profile_is_converted():
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        pixel = levels(load_image(encoded(picture, kind)))[4, 4].astype(int)
        assert np.abs(pixel - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_color_spaces_are_converted(mode):
    grey = (128, 128, 128)
    # packed, for Pillow 12 cannot read its own plain YCbCr
    kind = {"compression": "tiff_lzw"}
    data = encoded(Image.new(mode, (8, 8), grey), "TIFF", **kind)
    pixel = levels(load_image(data))[4, 4].astype(int)
    assert np.ptp(pixel) <= 12  # Near grey in both spaces.
    assert 100 < pixel.mean() < 140


def test_an_embedded_profile_is_applied():
    """Swapping red and green in a profile swaps them in the picture."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = swapped_primaries(profile.tobytes())
    picture = Image.new("RGB", (4, 4), (200, 40, 90))
    for kind in ("PNG", "TIFF"):
        file = encoded(picture, kind, icc_profile=data)
        pixel = levels(load_image(file))[0, 0].astype(int)
        assert np.abs(pixel - [40, 200, 90]).max() <= 2
    rgba = Image.new("RGBA", (4, 4), (200, 40, 90, 255))
    pixel = levels(load_image(encoded(rgba, icc_profile=data)))[0, 0]
    assert np.abs(pixel.astype(int) - [40, 200, 90]).max() <= 2


def swapped_primaries(profile):
    """An ICC profile whose rXYZ and gXYZ tags have changed places."""
    data = bytearray(profile)
    (count,) = struct.unpack_from(">I", data, 128)
    for index in range(count):
        start = 132 + 12 * index
        name = bytes(data[start : start + 4])
        data[start : start + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(
            name, name
        )
    return bytes(data)


def test_an_srgb_profile_changes_no_level_by_more_than_one():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = encoded(photo(), icc_profile=profile.tobytes())
    pixels = levels(load_image(data)).astype(int)
    assert np.abs(pixels - np.asarray(photo())).max() <= 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **options
    )
    assert levels(load_image(data))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("gamma", [0, 1, 100000, 45455, 2**31, 2**32 - 1])
def test_a_gamma_chunk_is_ignored(gamma):
    info = PngInfo()
    info.add(b"gAMA", struct.pack(">I", gamma))
    data = encoded(photo(), pnginfo=info)
    assert np.array_equal(levels(load_image(data)), np.asarray(photo()))


def test_a_gamma_chunk_of_the_wrong_length_is_no_crash():
    row = bytes([10, 20, 30])
    data = png(1, 1, 8, 2, [row], (b"gAMA", b"\0"))
    try:
        assert levels(load_image(data))[0, 0].tolist() == [10, 20, 30]
    except ImageError as error:
        assert "Get the file again" in str(error)


@pytest.mark.parametrize("size", [1, 7, 24, 100])
def test_size_is_the_longer_side(size):
    image = load_image(encoded(photo()), size=size)
    assert max(image.shape[2:]) == size
    assert image.min() >= 0
    assert image.max() <= 1


def test_resizing_is_pillows_lanczos():
    expected = photo(60, 40).resize((24, 16), Image.Resampling.LANCZOS)
    image = load_image(encoded(photo(60, 40)), size=24)
    assert np.array_equal(levels(image), np.asarray(expected))


@pytest.mark.parametrize("width", [1600, 1601])
def test_a_large_jpeg_decoded_small_looks_the_same(width, monkeypatch):
    data = encoded(photo(width, 800), "JPEG", quality=95)
    with monkeypatch.context() as patch:
        wanted = []
        patch.setattr(
            "PIL.JpegImagePlugin.JpegImageFile.draft",
            lambda self, mode, size: wanted.append(size),
        )
        full = load_image(data, size=100)
    assert wanted == ([(200, 100)] if width == 1600 else [])
    assert (load_image(data, size=100) - full).abs().max() < 4 / 255


def test_a_large_jpeg_is_decoded_at_a_reduced_scale(monkeypatch):
    seen = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(
        "PIL.JpegImagePlugin.JpegImageFile.load",
        lambda self: (seen.append(self.size), load(self))[1],
    )
    data = encoded(photo(1600, 800), "JPEG")
    assert load_image(data, size=150).shape == (1, 3, 75, 150)
    assert seen[-1] == (400, 200)  # A quarter; an eighth is below 2 x 150.


# Larger than what is decoded

HUGE = 9600, 9400  # a little more than MAX_PIXELS


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_huge_jpeg_is_read_reduced(mode, progressive):
    color = 90 if mode == "L" else (90, 120, 200, 0)[: len(mode)]
    picture = Image.new(mode, HUGE, color)
    data = encoded(picture, "JPEG", progressive=progressive)
    small = picture.reduce(100).convert("RGB")
    image = load_image(data, size=96)
    assert image.shape == (1, 3, 94, 96)
    levels_off = np.abs(levels(image).astype(int) - np.array(small)[0, 0])
    assert levels_off.max() <= 3


@pytest.mark.parametrize(
    ("size", "decoded"),
    [(100, 1200), (601, 2400), (2000, 4800), (4800, 4800)],
)
def test_a_huge_jpeg_is_reduced_no_more_than_the_size_bears(
    size, decoded, monkeypatch
):
    seen = []

    def load(self):
        seen.append(max(self.size))
        raise OSError("that is all there is to see")

    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", load)
    data = encoded(Image.new("L", HUGE), "JPEG")
    with pytest.raises(ImageError, match="all there is"):
        load_image(data, size=size)
    assert seen == [decoded]


@pytest.mark.parametrize("size", [None, 4801, 9000])
def test_a_huge_jpeg_is_refused_with_the_size_that_can_be_had(size):
    data = encoded(Image.new("L", HUGE), "JPEG")
    with pytest.raises(ImageError, match=r"90\.2 million.*at most 4800"):
        load_image(data, size=size)


def test_other_formats_of_that_size_are_refused_with_the_remedy():
    with pytest.raises(ImageError, match=r"90\.2 .*smaller in an image pro"):
        load_image(png(*HUGE, 8, 2, []), size=100)


def of_size(data, width, height):
    """A JPEG whose header tells another size."""
    place = data.index(b"\xff\xc0") if b"\xff\xc0" in data else -1
    place = data.index(b"\xff\xc2") if place < 0 else place
    told = struct.pack(">HH", height, width)
    return data[: place + 5] + told + data[place + 9 :]


@pytest.mark.parametrize(
    ("sides", "mode", "progressive", "message"),
    [
        ((65000, 65000), "L", False, r"4225\.0 million .*357\.9"),
        ((16000, 14000), "CMYK", True, r"1\.8 GB .*plain JPEG"),
        ((60000, 2000), "RGB", False, "ratio of 30"),
    ],
)
def test_a_bomb_of_a_jpeg_is_refused_by_its_header(
    sides, mode, progressive, message, monkeypatch
):
    data = encoded(Image.new(mode, (8, 8)), "JPEG", progressive=progressive)
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded")
    )
    with pytest.raises(ImageError, match=message):
        load_image(of_size(data, *sides), size=100)


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_sides_that_are_no_whole_blocks_lose_nothing(orientation):
    """The last column of an eighth stands for 5 pixels, not for 8."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    width, height = 4101, 4099
    x = np.linspace(0, 255, width)
    rows = np.broadcast_to(x.astype(np.uint8), (height, width))
    data = encoded(Image.fromarray(rows), "JPEG", quality=95, exif=exif)
    image = load_image(data, size=64)
    whole = Image.fromarray(rows).resize((64, 64), Image.Resampling.LANCZOS)
    whole.getexif()[0x0112] = orientation
    right = np.asarray(ImageOps.exif_transpose(whole)).astype(int)
    assert np.abs(levels(image)[..., 0].astype(int) - right).max() <= 1


PEAK = """
import io, re, sys
from pathlib import Path
from PIL import Image
from styletut.images import load_image
from styletut.images.loading import unread

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

load_image(Image.new("RGB", (64, 64)), 32)
data = Path(sys.argv[1]).read_bytes()
before = peak()
picture = unread(data, "a picture").for_size(64)
print(picture.shape[3], peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_photo_is_read_in_the_memory_of_what_is_needed(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (8000, 6000), (90, 120, 200)).save(path, quality=40)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    width, taken = map(int, done.stdout.split())
    assert width == 64
    assert taken < 40e6  # whole it is 576 MB


BY_BANDS = """
import re, sys
from pathlib import Path
from PIL import Image
from styletut.images import load_image

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

load_image(Image.new("RGB", (64, 64)), 32)
before = peak()
load_image(sys.argv[1], 64)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_large_picture_is_converted_by_bands(kind, tmp_path):
    """It takes its own memory, that of the result, and little more."""
    path = tmp_path / "large"
    mode = "RGBA" if kind == "PNG" else "P"
    Image.new(mode, (4000, 4000)).save(path, kind)
    done = subprocess.run(
        [sys.executable, "-c", BY_BANDS, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    own = 64e6 if kind == "PNG" else 16e6
    assert int(done.stdout) < own + 64e6 + 90e6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_shape_is_read_from_the_header(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photo(), "JPEG", exif=exif)
    shape = shape_of_jpeg(io.BytesIO(data), "the data")
    assert shape == tuple(load_image(data).shape[2:])
    assert shape_of_jpeg(io.BytesIO(encoded(photo())), "the data") is None


# Broken ones


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(kind, part):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"(cut off|not a picture|damaged)"):
        load_image(data[: int(part * len(data))])


def test_an_empty_file_is_refused():
    with pytest.raises(ImageError, match=r"the data is empty \(0 bytes\)"):
        load_image(b"")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"<!DOCTYPE html><title>404", "HTML"),
        (b"\n\n  <html><body>Sorry", "HTML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", "HTML or XML"),
        (b"<?xml version='1.0'?><!-- x -->\n<SVG width='1'>", "SVG"),
        (b"<!doctype html>\n<body><svg width='1'></svg>", "HTML"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"version https://example.org/spec/v1\n", "plain text"),
        ("Это не картинка".encode(), "plain text"),
        (b"\x1f\x8b\x08\0\0\0", "Unpack"),
        (b"PK\x03\x04\0\0", "archive"),
        (b"%PDF-1.7\n\0", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "header is damaged"),
        (b"II*\0\x99\0\0\0\0", "header is damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0", "header is damaged"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "header is damaged"),
        (b"\x7fELF\x02\x01\x01\0\0", "Readable formats: .*PNG"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(data, hint):
    with pytest.raises(ImageError, match=f"not a picture.*{hint}"):
        load_image(data)


@pytest.mark.parametrize("bomb", [(30000, 30000), (9500, 9500)])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_bomb_is_refused_by_its_header(bomb, action, monkeypatch):
    """Pillow raises for the first, and warns at most for the second."""
    limit = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded")
    )
    message = rf"{bomb[0] ** 2 / 1e6:.1f} million pixels.*MAX_PIXELS.*89\.5"
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(ImageError, match=message):
            load_image(png(*bomb, 8, 2, []))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_pictures_below_the_limit_give_no_warning():
    assert (Image.MAX_IMAGE_PIXELS or MAX_PIXELS) >= MAX_PIXELS


@pytest.mark.parametrize("shape", [(210, 10), (10, 201)])
def test_a_mere_line_is_refused(shape):
    with pytest.raises(ImageError, match=r"ratio of 2[01]\.\d to 1; at most"):
        load_image(encoded(Image.new("RGB", shape)))


def test_a_panorama_is_read():
    assert load_image(encoded(Image.new("RGB", (200, 10)))).shape[3] == 200


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(ImageError):
        load_image(png(0, 5, 8, 2, []))


@settings(max_examples=150)
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 255)),
        min_size=1,
        max_size=6,
    ),
)
def test_a_damaged_file_is_a_picture_or_an_image_error(kind, changes):
    data = bytearray(encoded(photo(), kind))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = load_image(bytes(data), size=32)
        except ImageError:
            return
    assert max(image.shape[2:]) == 32
    assert image.isfinite().all()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_an_image_error(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            load_image(data, size=8)
        except ImageError as error:
            assert str(error)
