"""HEIC photos: read where pillow-heif is, and else named with the remedy."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from styletut.images import ImageError, load_alpha, load_image
from styletut.images.decoding import FORMATS, readable

pillow_heif = pytest.importorskip("pillow_heif")

HEIC_START = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
AVIF_START = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"


def heic(picture, **options):
    data = io.BytesIO()
    pillow_heif.from_pillow(picture).save(
        data, quality=-1, chroma=444, **options
    )
    return data.getvalue()


def photo(width=48, height=32):
    """A smooth color picture, different in its four corners."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / (width - 1), 255 * y / (height - 1)
    blue = 255 - red / 2 - green / 2
    return Image.fromarray(np.stack([red, green, blue], 2).astype(np.uint8))


def levels(image):
    return (image[0].permute(1, 2, 0) * 255).round().numpy().astype(int)


def test_a_heic_photo_is_read():
    image = load_image(heic(photo()))
    assert image.shape == (1, 3, 32, 48)
    assert np.abs(levels(image) - np.asarray(photo())).max() <= 4
    assert load_image(heic(photo()), size=24).shape == (1, 3, 16, 24)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = heic(photo(), exif=exif.tobytes())
    turned = photo()
    turned.getexif()[0x0112] = orientation
    right = np.asarray(ImageOps.exif_transpose(turned)).astype(int)
    image = load_image(data)
    assert levels(image).shape == right.shape
    assert np.abs(levels(image) - right).max() <= 4


def test_it_has_alpha():
    alpha = Image.linear_gradient("L").resize((48, 32))
    picture = photo()
    picture.putalpha(alpha)
    data = heic(picture)
    seen = load_alpha(data)[0, 0].numpy() * 255
    assert np.abs(seen - np.asarray(alpha)).max() <= 3
    share = np.asarray(alpha)[..., None] / 255
    right = share * np.asarray(photo()) + (1 - share) * 255
    assert np.abs(levels(load_image(data)) - right).max() <= 6


def test_its_profile_counts():
    """One that cannot be used is told: so it was looked at."""
    data = heic(photo(), icc_profile=b"no profile" * 20)
    with pytest.warns(UserWarning, match="profile in the data cannot be"):
        load_image(data)


def test_pillow_learns_nothing_of_it():
    code = (
        "import sys; from PIL import Image; from styletut.images import "
        "load_image; image = load_image(sys.stdin.buffer); "
        "print(image.shape[3], 'HEIF' in Image.OPEN)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=heic(photo()),
        capture_output=True,
        check=True,
    )
    assert done.stdout.split() == [b"48", b"False"]


def test_a_damaged_one_is_refused_as_damaged():
    data = heic(photo())
    with pytest.raises(ImageError, match="damaged"):
        load_image(data[: len(data) // 2])
    with pytest.raises(ImageError, match="its header is damaged") as told:
        load_image(HEIC_START)
    assert "install" not in str(told.value)


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


def test_without_pillow_heif_the_message_says_what_to_install(without):
    for start in (HEIC_START, b"\0\0\0\x14ftypmif1\0\0\0\0mif1"):
        with pytest.raises(ImageError, match="a HEIC photo") as told:
            load_image(start)
        assert "Run: python -m pip install pillow-heif" in str(told.value)
        assert "export it as PNG or JPEG" in str(told.value)


def test_formats_are_listed_that_can_be_read_now(monkeypatch):
    def listed():
        with pytest.raises(ImageError) as told:
            load_image(b"\x7fELF\x02\x01\x01\0\0")
        return str(told.value).split("formats: ")[1].rstrip(".").split(", ")

    assert listed() == readable()
    assert set(listed()) <= set(FORMATS)
    assert "HEIF" in listed()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "HEIF" not in listed()
    monkeypatch.setattr("PIL.features.check", lambda codec: codec != "webp")
    assert "WEBP" not in listed()
    monkeypatch.delitem(Image.OPEN, "TGA")
    assert "TGA" not in listed()
    assert "PNG" in listed()


def test_an_avif_is_no_heic(without, monkeypatch):
    with pytest.raises(ImageError, match="begins like one"):
        load_image(AVIF_START)
    monkeypatch.setattr("PIL.features.check", lambda codec: codec != "avif")
    with pytest.raises(ImageError, match=r"AVIF picture.*--upgrade pillow"):
        load_image(AVIF_START)
