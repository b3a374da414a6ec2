"""Arrays and tensors as pictures."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from styletut.images import ImageError, load_image


def colors(dtype=np.uint8):
    """A (4, 6, 3) array in which every value differs."""
    return np.arange(72, dtype=dtype).reshape(4, 6, 3)


def test_an_8_bit_array_is_what_the_same_file_is():
    image = load_image(colors())
    assert image.shape == (1, 3, 4, 6)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert torch.equal(image, load_image(Image.fromarray(colors())))


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (np.full((2, 3), 51, np.uint8), 0.2),
        (np.full((2, 3), 13107, np.uint16), 0.2),
        (np.full((2, 3), 13107, ">u2"), 0.2),
        (np.full((2, 3), True), 1.0),
        (np.full((2, 3), 0.2, np.float16), 0.2),
        (np.full((2, 3), 0.2, np.float32), 0.2),
        (np.full((2, 3), 0.2, ">f8"), 0.2),
        (np.full((2, 3, 1), 51, np.uint8), 0.2),
    ],
    ids=lambda v: f"{v.dtype.str}{v.ndim}" if hasattr(v, "dtype") else "",
)
def test_every_dtype_is_scaled_by_its_own_white(array, value):
    image = load_image(array)
    assert image.shape == (1, 3, 2, 3)
    assert image.dtype == torch.float32
    assert torch.allclose(image, torch.tensor(value), atol=1e-4)


@given(st.integers(0, 255), st.integers(0, 255))
def test_alpha_is_laid_over_white(grey, alpha):
    expected = (grey * alpha + 255 * (255 - alpha)) / 255**2
    la = np.full((1, 1, 2), [grey, alpha], np.uint8)
    rgba = np.full((1, 1, 4), [grey] * 3 + [alpha], np.uint8)
    for array in (la, rgba, rgba / 255):
        assert torch.allclose(
            load_image(array), torch.tensor(expected).float(), atol=1e-6
        )


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 3, 4, 5)])
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16]
)
def test_a_tensor_comes_back_as_it_is(shape, dtype):
    tensor = (torch.arange(60) / 64).reshape(shape).to(dtype).requires_grad_()
    image = load_image(tensor)
    assert image.dtype == torch.float32
    assert not image.requires_grad
    assert torch.equal(image, tensor.detach().float().reshape(1, 3, 4, 5))


def test_an_8_bit_tensor_is_divided_by_255():
    tensor = torch.arange(60, dtype=torch.uint8).reshape(3, 4, 5)
    assert torch.equal(load_image(tensor)[0], tensor / 255)


def test_the_picture_shares_no_memory_with_the_source():
    array = np.zeros((2, 2, 3), np.float32)
    tensor = torch.zeros(1, 3, 2, 2)
    for source in (array, tensor):
        load_image(source).fill_(1)
    assert array.max() == 0
    assert tensor.max() == 0


def test_a_float_array_is_resized_without_rounding_to_8_bits():
    array = np.full((8, 16, 3), 0.12345, np.float32)
    array[..., 2] = 0.5
    image = load_image(array, size=8)
    assert image.shape == (1, 3, 4, 8)
    assert torch.allclose(image[0, 0], torch.tensor(0.12345), atol=1e-6)
    assert torch.allclose(image[0, 2], torch.tensor(0.5), atol=1e-6)


def test_resizing_stays_in_range():
    array = np.zeros((8, 8), np.float32)
    array[4:] = 1
    image = load_image(array, size=64)
    assert image.min() == 0
    assert image.max() == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((2, 2), 255.0), r"from 255 to 255; .* \[0, 1\].*by 255"),
        (np.full((2, 2), -0.5), "from -0.5 to"),
        (np.full((2, 2), np.nan), "from nan to nan"),
        (np.full((2, 2), np.inf), "from inf to inf"),
        (np.zeros((2, 2), np.int64), "dtype int64; wanted are bool, uint8"),
        (np.zeros((2, 2), complex), "dtype complex128"),
        (np.zeros((2, 2), object), "dtype object"),
        (np.zeros((3, 8, 8)), r"shape \(3, 8, 8\).*[Cc]hannels first"),
        (np.zeros((2, 2, 5)), r"shape \(2, 2, 5\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.zeros((0, 4)), r"no pixels \(4 x 0\)"),
        (np.zeros((1, 30)), "ratio of 30.0 to 1"),
        (torch.full((3, 2, 2), 2.0), "the tensor has values from 2 to 2"),
        (torch.full((3, 2, 2), torch.nan), "from nan"),
        (torch.zeros(3, 2, 2, dtype=torch.int64), "dtype int64"),
        (torch.zeros(2, 2, 3), r"shape \(2, 2, 3\).*channels last"),
        (torch.zeros(2, 3, 4, 4), r"shape \(2, 3, 4, 4\)"),
        (torch.zeros(3, 0, 4), "no pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_it_is(array, message):
    with pytest.raises(ImageError, match=message):
        load_image(array)


def test_one_nan_among_numbers_is_refused():
    array = np.full((4, 4), 0.5)
    array[2, 2] = np.nan
    with pytest.raises(ImageError, match="nan"):
        load_image(array)
