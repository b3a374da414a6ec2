"""What a picture is here: a tensor (1, 3, H, W), sRGB in [0, 1].

The form is checked, sized and turned into Pillow's in this module alone.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from styletut.values import told, whole

MAX_PIXELS = 89_478_485
"""Largest picture that is read; Pillow starts to warn above this number."""

MAX_ASPECT = 20
"""Largest ratio of the sides that is read; a panorama rarely exceeds 10."""


class ImageError(ValueError):
    """A picture that cannot be used: which one, why, and what to do."""


def check_picture(image: Tensor, name: str = "a picture") -> None:
    """Refuse what is not a floating tensor (1, 3, H, W) with pixels in it.

    Args:
        image: What may be a picture.
        name: How the message calls it.

    Raises:
        ImageError: With the type, shape or dtype found.
    """
    if not isinstance(image, Tensor):
        raise ImageError(
            f"{name} is a tensor of shape (1, 3, H, W), not "
            f"{type(image).__name__}. `load_image` makes one."
        )
    if image.ndim != 4 or image.shape[:2] != (1, 3) or 0 in image.shape:
        raise ImageError(
            f"{name} is a tensor of shape (1, 3, H, W), not "
            f"{tuple(image.shape)}. `load_image` makes one."
        )
    if not image.is_floating_point():
        raise ImageError(
            f"{name} is a floating tensor in [0, 1], not {image.dtype}. "
            "`load_image` converts it."
        )


def check_range(image: Tensor, name: str) -> None:
    """Refuse what is no picture, or has values outside [0, 1].

    Raises:
        ImageError: With what was found.
    """
    check_picture(image, name)
    if image.device.type == "meta":  # it has a size, and no values
        return
    low, high = (float(bound) for bound in image.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ImageError(
            f"{name} has values from {low:g} to {high:g}; they must lie in "
            "[0, 1] and be finite. Divide 8-bit values by 255, or clamp."
        )


def check_shape(height: int, width: int, name: str) -> None:
    """Refuse sides that no picture of use has.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        name: How the message calls the picture.

    Raises:
        ImageError: A side is 0, or `MAX_PIXELS` or `MAX_ASPECT` is exceeded.
    """
    check_sides(height, width, name)
    if height * width > MAX_PIXELS:
        raise too_large(name, height * width)


def check_sides(height: int, width: int, name: str) -> None:
    """Refuse what has no pixels or is a mere line, at any size.

    Arguments are those of `check_shape`.

    Raises:
        ImageError: A side is 0, or `MAX_ASPECT` is exceeded.
    """
    if height < 1 or width < 1:
        raise ImageError(f"{name} has no pixels ({width} x {height}).")
    ratio = max(height, width) / min(height, width)
    if ratio > MAX_ASPECT:
        raise ImageError(
            f"{name} is {width} x {height} pixels, a ratio of {ratio:.1f} to "
            f"1; at most {MAX_ASPECT} to 1 can be used. Crop it first."
        )


def too_large(
    name: str,
    pixels: int,
    remedy: str = "Make it smaller.",
    limit: int = MAX_PIXELS,
) -> ImageError:
    """The error for a picture of more pixels than a limit."""
    known = "MAX_PIXELS" if limit == MAX_PIXELS else "of a reduced JPEG"
    return ImageError(
        f"{name} has {pixels / 1e6:.1f} million pixels; the limit "
        f"({known}) is {limit / 1e6:.1f} million. {remedy}"
    )


def fit(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width of a picture scaled to a longer side of `size`.

    The course's one rounding rule: the shorter side is rounded to the
    nearest pixel, halves upward, and is at least 1.

    Args:
        height: Height in pixels, at least 1.
        width: Width in pixels, at least 1.
        size: Longer side wanted, in pixels, at least 1.

    Returns:
        `(height, width)`, the larger of which is `size`.

    Raises:
        ImageError: One of the three is not a whole number of at least 1.
    """
    height, width, size = (check_size(n) for n in (height, width, size))
    longer = max(height, width)
    # In integers, so that no float decides which way a half is rounded.
    shorter = (2 * min(height, width) * size + longer) // (2 * longer)
    shorter = max(1, shorter)
    return (size, shorter) if height >= width else (shorter, size)


def check_size(size: int) -> int:
    """A number of pixels as an int.

    Raises:
        ImageError: It is not a whole number of at least 1.
    """
    number = whole(size)
    if number is None or not 1 <= number <= MAX_PIXELS:
        raise ImageError(
            "a size is a whole number of pixels, at least 1, not "
            f"{told(size)}."
        )
    return number


def checked_length(size: int | None) -> int | None:
    """Return the longer side that a picture is to have, or None.

    Raises:
        ImageError: It is not a whole number of at least 1, or too large.
    """
    if size is None:
        return None
    size = check_size(size)
    # A square is the worst case; what is larger would fill the memory.
    if size * size > MAX_PIXELS:
        raise too_large(f"a picture of size {size}", size * size)
    return size


def resize(image: Tensor, size: int) -> Tensor:
    """Scale a picture to a longer side of `size`, as `resize_to` does.

    Args:
        image: A tensor (1, 3, H, W), floating, in [0, 1].
        size: Longer side in pixels; `fit` gives the shorter.

    Returns:
        A tensor (1, 3, h, w) of the same dtype and device, in [0, 1].

    Raises:
        ImageError: `image` has another form, or `size` is less than 1.
    """
    check_picture(image)
    return resize_to(image, *fit(image.shape[2], image.shape[3], size))


def resize_to(image: Tensor, height: int, width: int) -> Tensor:
    """Scale a picture by antialiased bicubic interpolation.

    Args:
        image: A tensor (1, 3, H, W), floating, in [0, 1].
        height: New height in pixels, at least 1.
        width: New width in pixels, at least 1.

    Returns:
        A tensor (1, 3, height, width) of the same dtype and device, clamped
        to [0, 1] since a cubic overshoots at edges. A device for which torch
        lacks this interpolation, as for Apple's before 2.8, leaves it to the
        CPU.

    Raises:
        ImageError: `image` has another form, or a side is less than 1.
    """
    check_picture(image)
    shape = (check_size(height), check_size(width))
    try:
        return _bicubic(image, shape)
    except NotImplementedError:
        if image.device.type == "cpu":
            raise
        return _bicubic(image.cpu(), shape).to(image.device)


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """Scale a mask by antialiased linear interpolation.

    It stays in its range, and what adds up to 1 does so afterwards.

    Args:
        mask: A tensor (H, W), floating, in [0, 1].
        height: New height in pixels, at least 1.
        width: New width in pixels, at least 1.

    Returns:
        A tensor (height, width) of the same dtype and device.

    Raises:
        ImageError: A side is less than 1.
    """
    shape = (check_size(height), check_size(width))
    if tuple(mask.shape) == shape:
        return mask
    # on the CPU, for not every device has this interpolation
    scaled = functional.interpolate(
        mask[None, None].cpu(), shape, mode="bilinear", antialias=True
    )
    return scaled[0, 0].clamp(0, 1).to(mask.device)


def _bicubic(image: Tensor, shape: tuple[int, int]) -> Tensor:
    scaled = functional.interpolate(
        image, shape, mode="bicubic", antialias=True, align_corners=False
    )
    return scaled.clamp(0, 1)


def to_pil(image: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """Convert a picture to Pillow, to the nearest of 256 levels.

    Args:
        image: A tensor (1, 3, H, W), floating, finite. Values outside
            [0, 1] are clamped.
        alpha: How opaque each pixel is, (1, 1, H, W) in [0, 1], if it is
            not so everywhere.

    Returns:
        A picture of mode RGB, or RGBA where there is an alpha.

    Raises:
        ImageError: The form is another, or values are not finite.
    """
    check_picture(image)
    picture = Image.fromarray(_levels(image))
    if alpha is not None:
        if tuple(alpha.shape) != (1, 1, *image.shape[2:]):
            raise ImageError(
                f"the picture's alpha has shape {tuple(alpha.shape)}; for a "
                f"picture {tuple(image.shape)} it must be "
                f"{(1, 1, *image.shape[2:])}."
            )
        picture.putalpha(Image.fromarray(_levels(alpha)[..., 0]))
    return picture


def _levels(image: Tensor) -> np.ndarray:
    """Return (1, C, H, W) as levels (H, W, C)."""
    pixels = image.detach()[0].permute(1, 2, 0).cpu().double()
    broken = int((~pixels.isfinite()).sum())
    if broken:
        raise ImageError(
            f"{broken} values of the picture are NaN or infinite: the "
            "computation that made it went wrong before."
        )
    levels = (pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.numpy()


def from_pixels(pixels: np.ndarray) -> Tensor:
    """Make a tensor (1, C, H, W) of float32 pixels (H, W, C) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
