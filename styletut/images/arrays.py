"""Pictures from arrays and tensors of any usual dtype and channel count."""

import numpy as np
from PIL import Image
from torch import Tensor

from styletut.images.picture import ImageError, check_shape, fit, from_pixels

_WHITE = {"b1": 1, "u1": 255, "u2": 65535}  # By kind and bytes of the dtype.


def from_array(
    array: np.ndarray, size: int | None, name: str = "the array"
) -> Tensor:
    """Make a picture of an array.

    Args:
        array: (H, W), or (H, W, C) with grey, grey and alpha, RGB or RGBA;
            bool, uint8, uint16, or floating in [0, 1].
        size: Longer side in pixels, or None.
        name: How error messages call it.

    Returns:
        A tensor (1, 3, H, W), float32, in [0, 1], with alpha over white.

    Raises:
        ImageError: Shape, dtype or range is another.
    """
    pixels = _over_white(_unit_range(_channels_last(array, name), name))
    height, width = pixels.shape[:2]
    if size is not None:
        pixels = _lanczos(pixels, *fit(height, width, size))
    return from_pixels(pixels)


def alpha_of_array(array: np.ndarray, size: int | None) -> Tensor | None:
    """Return how opaque each pixel of an array is.

    Args:
        array: As `from_array` takes it.
        size: The same.

    Returns:
        (1, 1, H, W) in [0, 1]; None where all are opaque.

    Raises:
        ImageError: As `from_array`.
    """
    channels = _channels_last(array, "the array")
    if channels.shape[2] not in (2, 4):
        return None
    alpha = _unit_range(channels[..., -1:], "the array")
    if alpha.min() == 1:
        return None
    if size is not None:
        height, width = alpha.shape[:2]
        alpha = _lanczos(alpha, *fit(height, width, size))
    return from_pixels(np.ascontiguousarray(alpha))


def from_tensor(tensor: Tensor, size: int | None) -> Tensor:
    """Make a picture of a tensor (3, H, W) or (1, 3, H, W).

    Dtypes, `size`, the result and errors are those of `from_array`.
    """
    bare = tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
    if bare.ndim != 3 or len(bare) != 3:
        raise ImageError(
            f"the tensor has shape {tuple(tensor.shape)}; wanted are "
            "(3, H, W) or (1, 3, H, W). For channels last, permute it."
        )
    if bare.is_floating_point():
        bare = bare.float()  # NumPy has no bfloat16.
    array = bare.detach().cpu().permute(1, 2, 0).numpy()
    return from_array(array, size, "the tensor")


def _channels_last(array: np.ndarray, name: str) -> np.ndarray:
    """Return an array as (H, W, 1 to 4)."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise ImageError(
            f"{name} has shape {array.shape}; wanted are (H, W) or (H, W, C) "
            "with 1 to 4 channels. Channels first belong in a torch tensor."
        )
    height, width = array.shape[:2]
    check_shape(height, width, name)
    return array


def _unit_range(array: np.ndarray, name: str) -> np.ndarray:
    """The array as float32 in [0, 1]."""
    white = _WHITE.get(f"{array.dtype.kind}{array.dtype.itemsize}")
    if white is not None:
        return np.asarray(array, np.float32) / np.float32(white)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name} has dtype {array.dtype}; wanted are bool, uint8, uint16 "
            "or floating in [0, 1]. Convert it with .astype."
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):
        raise ImageError(
            f"{name} has values from {low:g} to {high:g}; floats must lie in "
            "[0, 1] and be finite. Divide 8-bit values by 255, or clip."
        )
    return np.asarray(array, np.float32)


def _over_white(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1 to 4) to a new (H, W, 3); an even count ends in alpha."""
    if pixels.shape[2] in (2, 4):
        alpha = pixels[..., -1:]
        pixels = pixels[..., :-1] * alpha + (1 - alpha)
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy()


def _lanczos(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pillow's Lanczos filter, which takes floats one channel at a time."""
    bands = [
        Image.fromarray(np.ascontiguousarray(band)).resize(
            (width, height), Image.Resampling.LANCZOS
        )
        for band in np.moveaxis(pixels, 2, 0)
    ]
    stacked = np.stack([np.asarray(band) for band in bands], axis=2)
    return stacked.clip(0, 1)
