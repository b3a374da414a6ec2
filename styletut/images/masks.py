"""How much each pixel of a picture counts: `load_mask` and `load_alpha`."""

from typing import Any

import torch
from torch import Tensor

from styletut.images.loading import Unread, unread, unread_source
from styletut.images.picture import checked_length, fit


def load_alpha(source: Any, size: int | None = None) -> Tensor:
    """Read how opaque each pixel of a picture is.

    Args:
        source: What `load_image` takes; a file object is read to its end.
        size: As `load_image` takes it.

    Returns:
        A tensor (1, 1, H, W), float32 in [0, 1], of the size that
        `load_image` gives: 1 where the picture is opaque, and everywhere if
        it knows no transparency.

    Raises:
        ImageError: As `load_image`.
    """
    size = checked_length(size)
    opened = unread_source(source)
    alpha = opened.alpha(size)
    if alpha is not None:
        return alpha
    shape = opened.shape if size is None else fit(*opened.shape, size)
    return torch.ones(1, 1, *shape, dtype=torch.float32)


def load_mask(source: Any, size: int | None = None) -> Tensor:
    """Read a mask: white where something counts, black where it does not.

    Of a picture with transparency the opaque part is the mask, whatever its
    colors are: a cut-out, or strokes on an empty layer.

    Args:
        source: A tensor (H, W), floating in [0, 1], bool or uint8; or what
            `load_image` takes, of which the mean of R, G and B is taken.
        size: Longer side in pixels; None keeps the mask's own size.

    Returns:
        A tensor (H, W), float32 in [0, 1].

    Raises:
        ImageError: As `load_image`.
    """
    return _read(unread_source(_bare(source)), checked_length(size))


def unread_mask(source: Any) -> Unread:
    """Open what `load_mask` takes, or a sample mask by its name.

    Raises:
        ImageError: As `load_mask`.
    """
    return unread(_bare(source), "the mask")


def mask_for(opened: Unread, size: int) -> Tensor:
    """Return an open mask, (H, W), as large as `Unread.for_size` reads it."""
    return _read(opened, size if opened.is_much_for(size) else None)


def _bare(source: Any) -> Any:
    """Return a tensor (H, W) as an array, which is read in this shape."""
    if isinstance(source, Tensor) and source.ndim == 2:
        return source.detach().cpu().numpy()
    return source


def _read(opened: Unread, size: int | None) -> Tensor:
    alpha = opened.alpha(size)
    values = opened.read(size) if alpha is None else alpha
    return values.mean(1)[0]
