"""The form of a picture: its check, its size, and its way to Pillow."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from styletut.images import ImageError, fit, resize, resize_to, to_pil

SIDE = st.integers(1, 5000)


def ramp(height, width, dtype=torch.float64):
    """A picture that grows evenly from left to right and from the top."""
    x = torch.linspace(0, 1, width, dtype=dtype).expand(height, width)
    y = torch.linspace(0, 1, height, dtype=dtype)[:, None].expand_as(x)
    return torch.stack([x, y, (x + y) / 2])[None]


@given(SIDE, SIDE, SIDE)
def test_fit_rounds_the_shorter_side_to_the_nearest_pixel(h, w, size):
    new_h, new_w = fit(h, w, size)
    assert max(new_h, new_w) == size
    assert (new_h >= new_w) if h >= w else (new_h <= new_w)
    exact = Fraction(min(h, w) * size, max(h, w))
    shorter = min(new_h, new_w)
    assert shorter == max(1, int(exact + Fraction(1, 2)))


@given(SIDE, SIDE, SIDE)
def test_fit_turns_with_the_picture(h, w, size):
    assert fit(w, h, size) == fit(h, w, size)[::-1]


@given(SIDE, SIDE)
def test_fit_to_its_own_size_changes_nothing(h, w):
    assert fit(h, w, max(h, w)) == (h, w)


def test_fit_rounds_halves_upward_and_never_to_nothing():
    assert fit(1, 2, 1) == (1, 1)
    assert fit(3, 2, 3) == (3, 2)
    assert fit(6, 3, 5) == (5, 3)  # 2.5
    assert fit(10, 3, 5) == (5, 2)  # 1.5, where Python's round gives 2 too
    assert fit(4, 2, 5) == (5, 3)  # 2.5, where Python's round gives 2
    assert fit(3, 1000, 20) == (1, 20)


@pytest.mark.parametrize("size", [0, -3, 2.5, "64", None, True])
def test_a_size_is_a_whole_number_of_pixels(size):
    with pytest.raises(ImageError, match=r"at least 1, not .+\.$"):
        fit(4, 4, size)
    with pytest.raises(ImageError, match="whole number"):
        resize_to(ramp(4, 4), 4, size)


def test_fit_takes_a_numpy_integer():
    assert fit(np.int64(4), 8, np.int32(4)) == (2, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_resize_keeps_dtype_and_a_ramp(dtype):
    small = resize(ramp(48, 96, dtype), 32)
    assert small.shape == (1, 3, 16, 32)
    assert small.dtype == dtype
    # A linear ramp stays one under any symmetric filter, but for the edges.
    steps = small[0, 0, 8, 4:-4].diff()
    assert torch.allclose(steps, steps.mean().expand_as(steps), atol=1e-5)


def test_resize_to_its_own_size_is_the_identity():
    image = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    assert torch.equal(resize_to(image, 7, 9), image)


def test_resize_averages_what_the_small_picture_cannot_show():
    """Lines of which one in four is white become an even grey of 1/4."""
    lines = (torch.arange(64) % 4 == 0).double().expand(1, 3, 64, 64)
    small = resize(lines, 16)
    assert (small[..., 2:-2] - 0.25).abs().max() < 0.02


def test_resize_stays_in_range_at_an_edge():
    image = torch.zeros(1, 3, 8, 8)
    image[..., 4:] = 1
    large = resize(image, 64)
    assert large.min() == 0
    assert large.max() == 1


def test_resize_passes_gradients():
    image = ramp(6, 6).mul(0.5).add(0.25).requires_grad_()
    resize(image, 3).sum().backward()
    assert torch.isclose(image.grad.sum(), torch.tensor(27.0).double())


@pytest.mark.parametrize(
    "image",
    [
        torch.rand(3, 4, 4),
        torch.rand(2, 3, 4, 4),
        torch.rand(1, 4, 4, 4),
        torch.rand(1, 3, 0, 4),
        torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
    ],
    ids=["no batch", "two", "four channels", "no rows", "integers"],
)
def test_what_is_no_picture_is_refused_with_what_it_is(image):
    found = "uint8" if image.dtype == torch.uint8 else str(tuple(image.shape))
    for use in (to_pil, lambda x: resize(x, 4), lambda x: resize_to(x, 4, 4)):
        with pytest.raises(ImageError) as caught:
            use(image)
        assert found in str(caught.value)


def test_to_pil_rounds_to_the_nearest_level():
    levels = torch.arange(256, dtype=torch.float64)
    for nudge in (-0.49, 0, 0.49):
        image = ((levels + nudge) / 255).reshape(1, 1, 16, 16)
        pixels = np.asarray(to_pil(image.expand(1, 3, 16, 16)))
        assert np.array_equal(pixels[..., 0].ravel(), np.arange(256))


def test_to_pil_keeps_channel_order_and_clamps():
    image = torch.zeros(1, 3, 2, 2)
    image[0, :, 0, 1] = torch.tensor([1.5, 0.2, -0.5])
    picture = to_pil(image)
    assert picture.mode == "RGB"
    assert picture.getpixel((1, 0)) == (255, 51, 0)
    assert picture.getpixel((0, 1)) == (0, 0, 0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_to_pil_takes_half_precision_and_a_graph(dtype):
    image = torch.full((1, 3, 2, 2), 0.5, dtype=dtype, requires_grad=True)
    assert to_pil(image).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_to_pil_refuses_values_that_are_no_numbers(value):
    image = torch.zeros(1, 3, 4, 4)
    image[0, 1, 2] = value
    with pytest.raises(ImageError, match=r"^4 values .* NaN or infinite"):
        to_pil(image)


class Elsewhere(torch.Tensor):
    """A tensor that says it is on another device, to imitate one."""

    @property
    def device(self):
        return torch.device("mps")

    def cpu(self):
        return self.as_subclass(torch.Tensor)


def test_what_a_device_lacks_is_computed_on_the_cpu(monkeypatch):
    image = torch.rand(1, 3, 12, 16, requires_grad=True)
    interpolate, moved = functional.interpolate, []

    def lacking(x, *arguments, **settings):
        if x.device.type != "cpu":
            raise NotImplementedError("not implemented for the MPS device")
        return interpolate(x, *arguments, **settings)

    def to(self, device):
        moved.append(device)
        return self

    right = resize_to(image, 6, 8)
    monkeypatch.setattr(functional, "interpolate", lacking)
    monkeypatch.setattr(torch.Tensor, "to", to)
    came = resize_to(image.as_subclass(Elsewhere), 6, 8)
    assert moved == [torch.device("mps")]
    assert type(came) is torch.Tensor and torch.equal(came, right)
    came.sum().backward()  # gradients go the same way
    assert image.grad.abs().sum() > 0


def test_what_the_cpu_lacks_is_told(monkeypatch):
    def lacking(*arguments, **settings):
        raise NotImplementedError("not for Half")

    monkeypatch.setattr(functional, "interpolate", lacking)
    with pytest.raises(NotImplementedError, match="not for Half"):
        resize_to(torch.rand(1, 3, 4, 4), 2, 2)
