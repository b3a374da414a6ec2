"""A network that paints a photo in one pass, in any of several styles.

The layout is that of Johnson, Alahi, Fei-Fei, "Perceptual losses for
real-time style transfer and super-resolution" (ECCV 2016): two convolutions
that halve, residual blocks, two that double (by nearest neighbors, which
leaves no checkerboard). Each is followed by conditional instance
normalization: Dumoulin, Shlens, Kudlur, "A learned representation for
artistic style" (ICLR 2017), section 2.2, (5). A style is two numbers for each
channel, a row of a table; all convolutions are shared.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (16, 32, 64)
"""At full, half and a quarter of the size."""

BLOCKS = 5
"""Residual blocks, at a quarter of the size."""

FRAME = 9
"""Side of the first and the last kernel; all others are 3."""

PHOTO = "photo"
"""Name of the row that leaves a photo as it is."""

EPS = 1e-5
"""Added to each variance, as in `torch.nn.InstanceNorm2d`."""


class Layout(NamedTuple):
    """What a convolution does, beside its numbers.

    Attributes:
        inputs: channels that it takes.
        outputs: channels that it gives.
        kernel: side of its kernel, odd.
        stride: by how much it divides the size, rounded up.
    """

    inputs: int
    outputs: int
    kernel: int = 3
    stride: int = 1


def layouts_of(channels: tuple[int, int, int], blocks: int) -> list[Layout]:
    """Return the layout of each convolution of a network, in order."""
    full, half, quarter = channels
    down = [
        Layout(3, full, FRAME),
        Layout(full, half, stride=2),
        Layout(half, quarter, stride=2),
    ]
    inner = [Layout(quarter, quarter)] * (2 * blocks)
    up = [
        Layout(quarter, half),
        Layout(half, full),
        Layout(full, 3, FRAME),
    ]
    return [*down, *inner, *up]


def shapes_of(
    rows: int, channels: tuple[int, int, int], blocks: int
) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a network's `state_dict`.

    Without making one: neither its memory nor the seconds that torch takes
    to import its compiler, where one is made on the device "meta".
    """
    shapes: dict[str, tuple[int, ...]] = {
        "color_means": (rows, 3),
        "color_covariances": (rows, 3, 3),
    }
    for n, each in enumerate(layouts_of(channels, blocks)):
        side = each.kernel
        weight = (each.outputs, each.inputs, side, side)
        shapes[f"convolutions.{n}.weight"] = weight
        shapes[f"norms.{n}.gamma"] = (rows, each.outputs)
        shapes[f"norms.{n}.beta"] = (rows, each.outputs)
    return shapes


class Convolution(nn.Conv2d):
    """A convolution that repeats the border, without a bias.

    A bias would be taken away again by the normalization that follows.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__(
            layout.inputs,
            layout.outputs,
            layout.kernel,
            layout.stride,
            bias=False,
            dtype=torch.float32,
        )
        self.layout = layout

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps (B, N, h, w), with the border repeated outside."""
        side = self.layout.kernel // 2
        padded = functional.pad(x, (side,) * 4, mode="replicate")
        return super().forward(padded)


class ConditionalNorm(nn.Module):
    """y = gamma_s (x - mu) / sigma + beta_s, a row s for each style.

    Notebook 11, (11.6), with mixtures of rows, (11.8). Dumoulin et al. (2017),
    (5); mu and sigma are those of each picture and channel. Ulyanov,
    Vedaldi, Lempitsky (arXiv:1607.08022) is the case of one style.

    Args:
        rows: how many styles there are.
        channels: of the maps.
    """

    def __init__(self, rows: int, channels: int) -> None:
        super().__init__()
        ones = torch.ones(rows, channels, dtype=torch.float32)
        self.gamma = nn.Parameter(ones)
        self.beta = nn.Parameter(torch.zeros_like(ones))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """Normalize maps.

        Args:
            x: (B, N, h, w).
            shares: how much of each row, (B, rows).
        """
        variance, mean = torch.var_mean(x, (2, 3), correction=0)
        scale, shift = self.affine(shares, mean, variance)
        return x * scale[:, :, None, None] + shift[:, :, None, None]

    def affine(
        self, shares: Tensor, mean: Tensor, variance: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return scale and shift of each channel, by its moments."""
        gamma, beta = shares @ self.gamma, shares @ self.beta
        scale = gamma * (variance + EPS).rsqrt()
        return scale, beta - scale * mean


class StyleNetwork(nn.Module):
    """Paints photos that have a style's colors already.

    What it computes is added to the photo: with a row of zeros in the last
    normalization the photo stays as it came.

    Args:
        styles: a name each. Their rows come after that of `PHOTO`.
        channels: at full, half and a quarter of the size.
        blocks: how many residual ones, at a quarter of the size.

    Attributes:
        names: of all rows.
        channels: see above.
        blocks: see above.
        color_means: mean of each row's colors, (rows, 3).
        color_covariances: their covariance, (rows, 3, 3).
    """

    def __init__(
        self,
        styles: Sequence[str],
        channels: tuple[int, int, int] = CHANNELS,
        blocks: int = BLOCKS,
    ) -> None:
        super().__init__()
        self.names = (PHOTO, *styles)
        self.channels, self.blocks = channels, blocks
        rows = len(self.names)
        self.color_means: Tensor
        self.color_covariances: Tensor
        self.register_buffer(
            "color_means", torch.zeros(rows, 3, dtype=torch.float64)
        )
        self.register_buffer(
            "color_covariances",
            torch.eye(3, dtype=torch.float64).repeat(rows, 1, 1),
        )
        layouts = layouts_of(channels, blocks)
        self.convolutions = nn.ModuleList(map(Convolution, layouts))
        self.norms = nn.ModuleList(
            ConditionalNorm(rows, each.outputs) for each in layouts
        )

    def layers(self) -> Iterator[tuple[Convolution, ConditionalNorm]]:
        """Yield each convolution with its normalization, in order."""
        for convolution, norm in zip(
            self.convolutions, self.norms, strict=True
        ):
            assert isinstance(convolution, Convolution)
            assert isinstance(norm, ConditionalNorm)
            yield convolution, norm

    def forward(self, photo: Tensor, shares: Tensor) -> Tensor:
        """Paint photos.

        Args:
            photo: (B, 3, H, W) in [0, 1], with the colors wanted.
            shares: how much of each row, (B, rows).

        Returns:
            (B, 3, H, W), not cut to [0, 1].
        """
        layers = self.layers()

        def through(x: Tensor) -> Tensor:
            convolution, norm = next(layers)
            return norm(convolution(x), shares)

        x, sizes = photo, []
        for _ in self.channels:
            sizes.append(x.shape[2:])
            x = functional.relu(through(x))
        for _ in range(self.blocks):
            x = x + through(functional.relu(through(x)))
        for size in (sizes[2], sizes[1]):
            x = functional.relu(through(doubled(x, size)))
        return photo + through(x)


def doubled(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps with each entry four times, cut to (height, width)."""
    twice = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return twice[..., : size[0], : size[1]]
