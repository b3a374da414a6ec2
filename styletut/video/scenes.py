"""Moving pictures whose motion is known, to measure steadiness by."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from styletut.values import checked_whole
from styletut.video.flow import inside

NOISE = 2 / 255
"""Standard deviation of a camera's noise, two of 256 levels."""

LIGHT = 0.02
"""By up to which share the light becomes more or less."""


class Frame(NamedTuple):
    """A picture of a scene, with what is known of its motion.

    Attributes:
        picture: (1, 3, H, W) in [0, 1].
        back: where its pixels were in the frame before, (1, 2, H, W), whole
            pixels right and down; 0 for the first.
        seen: which of them were seen there, (1, 1, H, W), 1 or 0.
    """

    picture: Tensor
    back: Tensor
    seen: Tensor


def scene(
    photo: Tensor,
    *,
    frames: int,
    margin: int,
    pan: tuple[int, int] = (2, 1),
    figure: Tensor | None = None,
    outline: Tensor | None = None,
    walk: tuple[int, int] = (0, 0),
    seed: int = 0,
) -> Iterator[Frame]:
    """Yield frames of a camera that pans over a photo.

    Each is cut out of it, by whole pixels, in a light that changes a little
    and with a camera's noise. A figure may cross in front.

    Args:
        photo: (1, 3, H, W) in [0, 1].
        frames: how many.
        margin: by how much a frame is smaller than the photo; the way that
            there is to go.
        pan: what the camera moves from frame to frame, right and down.
        figure: a second picture, of a frame's size.
        outline: what of it is in front, (1, 1, h, w) in [0, 1].
        walk: what the figure moves from frame to frame, right and down.
        seed: of noise and light.

    Raises:
        ValueError: if the camera would leave the photo.
    """
    frames = checked_whole("frames", frames)
    margin = checked_whole("margin", margin, 0)
    seed = checked_whole("the seed", seed, 0)
    height, width = (side - margin for side in photo.shape[2:])
    draws = torch.Generator().manual_seed(seed)
    if any(abs(move) * (frames - 1) > margin for move in pan):
        raise ValueError(
            f"{frames} frames that move by {pan[0]} and {pan[1]} pixels "
            f"leave a margin of {margin}; take fewer, or a wider margin"
        )
    before: Tensor | None = None
    for n in range(frames):
        left, top = (n * move + (margin if move < 0 else 0) for move in pan)
        picture = photo[..., top : top + height, left : left + width]
        back = _everywhere(pan, picture)
        front = picture.new_zeros(1, 1, height, width)
        if figure is not None and outline is not None:
            steps = n * walk[0], n * walk[1]
            front = _shifted(outline, steps)
            picture = torch.lerp(picture, _shifted(figure, steps), front)
            in_front = front > 0.5
            own = _everywhere((-walk[0], -walk[1]), picture)
            back = torch.where(in_front, own, back)
        seen = _seen(back, front, before)
        if n == 0:
            back, seen = torch.zeros_like(back), torch.zeros_like(seen)
        light = 1 + LIGHT * (2 * torch.rand((), generator=draws) - 1)
        noise = NOISE * torch.randn(picture.shape, generator=draws)
        yield Frame((light * picture + noise).clamp(0, 1), back, seen)
        before = front


def flicker(
    paintings: Sequence[Tensor], frames: Sequence[Frame]
) -> list[float]:
    """Return by how much paintings differ that should be the same, moved.

    The root of the mean squared difference to the painting before, moved as
    the scene did, over what both frames show: notebook 12, (12.1). In grey
    levels, of 256.

    Args:
        paintings: (1, 3, H, W) in [0, 1] each.
        frames: what they are paintings of.

    Returns:
        A number for each but the first.
    """
    found = []
    for n in range(1, len(paintings)):
        moved = _looked_up(paintings[n - 1], frames[n].back)
        square = (paintings[n] - moved).square().mean(1, keepdim=True)
        seen = frames[n].seen
        found.append(255 * float((seen * square).sum() / seen.sum()) ** 0.5)
    return found


def _everywhere(move: tuple[int, int], like: Tensor) -> Tensor:
    flow = like.new_tensor(move, dtype=torch.float32)[None, :, None, None]
    return flow.expand(1, 2, *like.shape[2:]).clone()


def _shifted(maps: Tensor, steps: tuple[int, int]) -> Tensor:
    """Return maps moved right and down, with zeros where nothing is."""
    right, down = steps
    height, width = maps.shape[2:]
    moved = torch.zeros_like(maps)
    to = [_part(down, height), _part(right, width)]
    of = [_part(-down, height), _part(-right, width)]
    moved[..., to[0], to[1]] = maps[..., of[0], of[1]]
    return moved


def _part(shift: int, length: int) -> slice:
    shift = max(-length, min(length, shift))
    return slice(max(shift, 0), length + min(shift, 0))


def _seen(back: Tensor, front: Tensor, before: Tensor | None) -> Tensor:
    """Return which pixels the frame before showed, too."""
    seen = inside(back)
    if before is not None:
        there = _looked_up(before, back)
        # neither behind the figure then, nor half of each
        seen &= ((there > 0.99) & (front > 0.99)) | (
            (there < 0.01) & (front < 0.01)
        )
    return seen.to(back)


def _looked_up(maps: Tensor, back: Tensor) -> Tensor:
    """Return maps at whole pixels where a flow leads, or at the border."""
    height, width = maps.shape[2:]
    columns = (torch.arange(width) + back[0, 0].long()).clamp(0, width - 1)
    rows = torch.arange(height)[:, None] + back[0, 1].long()
    return maps[..., rows.clamp(0, height - 1), columns]
