"""Masks and alpha: from every source, of every size, or refused."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from styletut.images import (
    ImageError,
    load_alpha,
    load_image,
    load_mask,
    resize_mask,
    sample,
    save_image,
    to_pil,
)
from styletut.images.masks import mask_for, unread_mask


def levels(height=26, width=40):
    """Alpha from transparent at the left to opaque at the right."""
    row = torch.arange(width) * 255 // (width - 1)
    return row.expand(height, width).to(torch.uint8)


def cut_out(height=26, width=40):
    alpha = levels(height, width)[None, None] / 255
    return to_pil(sample("chelsea", width)[..., :height, :], alpha)


def encoded(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_comes_from_every_kind_of_file(kind, tmp_path):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(cut_out(), kind, **options)
    path = tmp_path / "cut.img"
    path.write_bytes(data)
    right = levels()[None, None] / 255
    for source in (path, str(path), data, io.BytesIO(data), cut_out()):
        torch.testing.assert_close(load_alpha(source), right)
    array = np.array(cut_out())
    torch.testing.assert_close(load_alpha(array), right)
    torch.testing.assert_close(load_alpha(array[..., 2:]), right)  # grey
    torch.testing.assert_close(load_alpha(array / np.float32(255)), right)


def test_alpha_has_the_size_and_the_turn_of_the_picture(tmp_path):
    picture = cut_out()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = tmp_path / "turned.png"
    picture.save(path, exif=exif)
    for size in (None, 17, 80):
        alpha, image = load_alpha(path, size), load_image(path, size)
        assert alpha.shape[2:] == image.shape[2:]
        assert alpha.dtype == torch.float32
        assert float(alpha.min()) >= 0
        assert float(alpha.max()) <= 1
    # the left, transparent, is now at the top
    assert float(load_alpha(path)[0, 0, 0].max()) == 0
    assert float(load_alpha(path)[0, 0, -1].min()) == 1


def test_a_color_of_a_palette_can_be_transparent():
    picture = Image.new("P", (4, 2), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.putpixel((1, 1), 1)
    data = encoded(picture, "PNG", transparency=0)
    right = torch.zeros(1, 1, 2, 4)
    right[..., 1, 1] = 1
    assert torch.equal(load_alpha(data), right)


def test_what_is_opaque_everywhere_is_1():
    photo = sample("chelsea", 40)
    opaque = to_pil(photo, torch.ones(1, 1, *photo.shape[2:]))
    jpeg = encoded(to_pil(photo), "JPEG")
    for source in (photo, to_pil(photo), opaque, jpeg, np.array(opaque)):
        alpha = load_alpha(source)
        assert torch.equal(alpha, torch.ones(1, 1, *photo.shape[2:]))
        assert load_alpha(source, 20).shape == (1, 1, 14, 20)


@pytest.mark.parametrize("read", [load_alpha, load_mask])
def test_what_cannot_be_read_is_refused(read, tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match="cannot be read from object"):
        read(object())
    with pytest.raises(ImageError, match="a size is a whole number"):
        read(cut_out(), 0)
    broken = encoded(cut_out(), "PNG")[:-900]
    with pytest.raises(ImageError, match="damaged or cut off"):
        read(broken)


def test_a_mask_is_the_mean_of_its_colors():
    grey = levels() / 255
    picture = Image.fromarray(levels().numpy())
    for source in (
        picture,
        grey,
        levels(),
        grey.numpy(),
        picture.convert("1"),
    ):
        mask = load_mask(source)
        assert mask.shape == grey.shape
        assert mask.dtype == torch.float32
        if source is not picture and isinstance(source, Image.Image):
            continue
        torch.testing.assert_close(mask, grey)
    red = torch.zeros(1, 3, 4, 5)
    red[:, 0] = 1
    torch.testing.assert_close(load_mask(red), torch.full((4, 5), 1 / 3))


def test_a_bool_mask_is_0_and_1():
    where = levels() > 99
    for source in (where, where.numpy()):
        assert torch.equal(load_mask(source), where.float())


def test_of_what_has_transparency_the_opaque_part_is_the_mask():
    torch.testing.assert_close(load_mask(cut_out()), levels() / 255)
    opaque = np.full((3, 4, 4), 255, np.uint8)
    opaque[..., :3] = 51
    torch.testing.assert_close(load_mask(opaque), torch.full((3, 4), 0.2))


def test_a_mask_out_of_range_is_refused():
    with pytest.raises(ImageError, match="values from 0 to 2"):
        load_mask(torch.eye(4) * 2)


def test_a_mask_is_read_as_large_as_its_photo():
    large = Image.fromarray(levels(2400, 2000).numpy())
    opened = unread_mask(large)
    assert opened.shape == (2400, 2000)
    assert mask_for(opened, 600).shape == (600, 500)
    assert mask_for(opened, 700).shape == (2400, 2000)


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(1, 30),
    st.integers(1, 30), st.integers(0, 999),
)  # fmt: skip
def test_a_resized_mask_stays_in_range_and_shares_stay_shares(
    h, w, height, width, seed
):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(h, w, generator=generator, dtype=torch.float64)
    came = resize_mask(mask, height, width)
    other = resize_mask(1 - mask, height, width)
    assert came.shape == (height, width)
    assert float(came.min()) >= 0
    assert float(came.max()) <= 1
    torch.testing.assert_close(came + other, torch.ones_like(came))
    if (h, w) == (height, width):
        assert torch.equal(came, mask)


def test_a_picture_keeps_its_alpha_as_png_and_loses_it_as_jpeg(tmp_path):
    photo = sample("chelsea", 40)[..., :26, :]
    alpha = levels()[None, None] / 255
    save_image(photo, tmp_path / "a.png", alpha=alpha)
    torch.testing.assert_close(load_alpha(tmp_path / "a.png"), alpha)
    over_white = alpha * photo + 1 - alpha
    torch.testing.assert_close(
        load_image(tmp_path / "a.png"), over_white, atol=5e-3, rtol=0
    )
    with pytest.warns(UserWarning, match=r"laid over white; as \.png"):
        save_image(photo, tmp_path / "a.jpg", alpha=alpha)
    torch.testing.assert_close(
        load_image(tmp_path / "a.jpg"), over_white, atol=0.08, rtol=0
    )


def test_an_alpha_of_another_size_is_refused(tmp_path):
    photo = sample("chelsea", 40)
    with pytest.raises(ImageError, match=r"alpha has shape \(1, 1, 9, 9\)"):
        save_image(photo, tmp_path / "a.png", alpha=torch.ones(1, 1, 9, 9))
    assert list(tmp_path.iterdir()) == []
