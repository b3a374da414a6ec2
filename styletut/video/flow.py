"""Where each pixel of a frame was in another, and where that is known.

A flow w is (1, 2, H, W), in pixels, right and down: what is at x in one frame
is at x + w(x) in the other.
"""

import torch
from torch import Tensor
from torch.nn import functional

from styletut.color import luminance
from styletut.images.picture import resize

FLOW_SIZE = 384
"""Longer side in pixels at which a flow is computed, at most: it changes
slowly, and its time grows with the picture."""

TINY = 1e-6
"""Least mean light that is divided by."""

ATTACHMENT = 8
"""How much TV-L1 holds a flow to the frames, against smooth: a half of its
usual, for noise makes flows rough, and edges of motion are told by that.
Chosen on scenes of known motion."""


def optical_flow(frame: Tensor, other: Tensor) -> Tensor:
    """Return where the pixels of a frame are in another one.

    By TV-L1 (Zach, Pock, Bischof, "A duality based approach for realtime
    TV-L1 optical flow", 2007), as scikit-image has it, on light alone.

    Args:
        frame: (1, 3, H, W) in [0, 1].
        other: the same, of that size.

    Returns:
        (1, 2, H, W), right and down.

    Raises:
        ValueError: for pictures of two sizes.
    """
    # imported here, for it takes a second
    from skimage.registration import optical_flow_tvl1

    if frame.shape != other.shape:
        (h, w), (height, width) = frame.shape[2:], other.shape[2:]
        raise ValueError(
            f"one frame is {w} x {h} pixels and the other {width} x "
            f"{height}; all frames must be of one size"
        )
    height, width = frame.shape[2:]
    size = min(FLOW_SIZE, max(height, width))
    small = [
        resize(luminance(each), size)[0, 0].cpu().numpy()
        for each in (frame, other)
    ]
    here, there = small
    there = there * (here.mean() / max(there.mean(), TINY))  # in one light
    # a median filter between its steps stands against noise
    down, right = optical_flow_tvl1(
        here, there, attachment=ATTACHMENT, prefilter=True
    )
    flow = torch.from_numpy(down).new_empty(1, 2, *down.shape)
    flow[0, 0], flow[0, 1] = torch.from_numpy(right), torch.from_numpy(down)
    if flow.shape[2:] != (height, width):
        scale = flow.new_tensor(
            [width / flow.shape[3], height / flow.shape[2]]
        )
        flow = functional.interpolate(
            flow, (height, width), mode="bilinear", align_corners=False
        )
        flow = flow * scale[:, None, None]
    return flow.to(frame)


def warped(maps: Tensor, flow: Tensor) -> Tensor:
    """Return maps looked up where a flow leads: y(x) = maps(x + w(x)).

    Between pixels by bilinear interpolation, outside from the border. It is
    linear in the maps: notebook 12, (12.5).

    Args:
        maps: (1, N, H, W).
        flow: (1, 2, H, W).

    Returns:
        (1, N, H, W).
    """
    height, width = maps.shape[2:]
    x, y = _places(flow)
    # kept inside here, for not every device repeats borders by itself
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    # of pixel centers, in the units of `grid_sample`
    grid = torch.stack(
        [(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1
    )[:, 0]
    return functional.grid_sample(
        maps,
        grid.to(maps),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )


def reliable(back: Tensor, forth: Tensor) -> Tensor:
    """Return where a flow can be trusted, 1 or 0 for each pixel.

    Not where the way back and forth does not end where it began, which was
    hidden before, (12.6); not at edges of motion, (12.7); not where the flow
    leads out of the picture. Ruder et al. (2016), (5) and (6), after
    Sundaram, Brox, Keutzer (2010).

    Args:
        back: from a frame to the one before, (1, 2, H, W).
        forth: from the one before to the frame.

    Returns:
        (1, 1, H, W).
    """
    again = warped(forth, back)

    def square(flow: Tensor) -> Tensor:
        return flow.square().sum(1, keepdim=True)

    hidden = square(again + back) > 0.01 * (square(again) + square(back)) + 0.5
    across, down = torch.gradient(back, dim=(3, 2))
    edge = square(across) + square(down) > 0.01 * square(back) + 0.002
    return (~(hidden | edge) & inside(back)).to(back)


def inside(flow: Tensor) -> Tensor:
    """Return where a flow leads to a place in the picture, (1, 1, H, W)."""
    height, width = flow.shape[2:]
    x, y = _places(flow)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each pixel is led, across and down, (1, 1, H, W) each."""
    height, width = flow.shape[2:]
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device)
    return columns + flow[:, :1], rows[:, None] + flow[:, 1:]
