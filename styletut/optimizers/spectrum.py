"""How much of a picture lies in each octave of frequency and each color.

A band is an octave of spatial frequency in one of three directions of color:
brightness, red against blue, green against magenta. The curvature of an
objective differs between bands by orders of magnitude: the network hardly
sees fine color. `optimizers.spectral_lbfgs` scales them one by one.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

OCTAVES = 6
"""The finest has the frequencies from 1/4 of a cycle a pixel, in the larger
of the two directions, the coarsest all those below 1/64."""

COLORS = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0))
"""Brightness and two differences of RGB, not yet of length 1; of a grey
picture's one channel there is brightness alone."""

LARGEST_GAIN = 16.0
"""Bands are scaled by no more, and by no less than its inverse, times the
geometric mean."""


def band_energies(x: Tensor) -> Tensor:
    """Return the sum of squares in each band; together that of all of x.

    Args:
        x: a change of a picture, (1, C, H, W) with 1 or 3 channels, real.

    Returns:
        A tensor (C, `OCTAVES`): color, octave, the finest first.
    """
    spectrum = _spectrum(x)
    energy = torch.view_as_real(spectrum).square_().sum(-1)
    # all columns but these stand for their mirror images, too
    energy *= 2
    energy[..., 0] /= 2
    if x.shape[-1] % 2 == 0:
        energy[..., -1] /= 2
    return torch.stack(
        [
            torch.stack([part.sum((-2, -1)) for part in parts]).sum(0)
            for parts in _octaves(energy, x.shape[-1])
        ],
        dim=1,
    )


def scale_bands(x: Tensor, gains: Tensor) -> Tensor:
    """Multiply each band of x by its gain.

    Args:
        x: a change of a picture, (1, C, H, W) with 1 or 3 channels, real.
        gains: (C, `OCTAVES`), as `band_energies` orders them.

    Returns:
        A tensor like x.
    """
    spectrum = _spectrum(x)
    for octave, parts in enumerate(_octaves(spectrum, x.shape[-1])):
        for part in parts:
            part *= gains[:, octave, None, None]
    mixed = torch.fft.irfft2(spectrum, s=x.shape[-2:], norm="ortho")
    return _mix(mixed, _colors(x).T)[None]


def band_gains(steps: Tensor, changes: Tensor) -> Tensor:
    """Return gains that turn the energy of changes into that of steps.

    They do so up to one factor for all bands, but for the finest colors:
    those may grow no faster than the finest light. The network hardly sees
    them, so their gains would be the largest, and fill the picture with
    colored grain that lowers no loss.

    Args:
        steps: `band_energies` of steps s.
        changes: those of the changes y of the gradient along them.

    Returns:
        The roots of steps / changes over their geometric mean, within
        `LARGEST_GAIN`; 1 where a picture has nothing. In the finest octave
        those of the differences of colors are at most that of brightness.
    """
    known = (steps > 0) & (changes > 0)
    logs = torch.where(known, steps / changes, 1).log() / 2
    logs = logs - (logs * known).sum() / known.sum().clamp(min=1)
    limit = math.log(LARGEST_GAIN)
    gains = torch.where(known, logs, 0).clamp(-limit, limit).exp()
    gains[1:, 0] = torch.minimum(gains[1:, 0], gains[0, 0])
    return gains


def _spectrum(x: Tensor) -> Tensor:
    """Return the half spectrum of each color, (C, H, W // 2 + 1)."""
    return torch.fft.rfft2(_mix(x[0], _colors(x)), norm="ortho")


def _colors(x: Tensor) -> Tensor:
    axes = x.new_tensor(COLORS if x.shape[1] == 3 else ((1.0,),))
    return axes / axes.norm(dim=1, keepdim=True)


def _mix(x: Tensor, matrix: Tensor) -> Tensor:
    return (matrix @ x.flatten(1)).reshape(x.shape)


def _octaves(spectrum: Tensor, width: int) -> Iterator[list[Tensor]]:
    """Cut a half spectrum (..., H, W // 2 + 1) into octaves, finest first.

    Each comes as the parts of a frame around the coarser ones: views of
    positive and negative frequencies, some of them empty.
    """
    height = spectrum.shape[-2]
    halves = spectrum.split((height // 2 + 1, (height - 1) // 2), dim=-2)
    positive, negative = halves[0], halves[1]
    for octave in range(1, OCTAVES):
        # frequencies below this many cycles a pixel belong to the next
        limit = 0.5 ** (octave + 1)
        rows, columns = (math.ceil(side * limit) for side in (height, width))
        frame = []
        rest = negative.shape[-2] - (rows - 1)  # of the negative rows
        frame += [positive[..., rows:, :], negative[..., :rest, :]]
        positive, negative = positive[..., :rows, :], negative[..., rest:, :]
        frame += [positive[..., columns:], negative[..., columns:]]
        positive = positive[..., :columns]
        negative = negative[..., :columns]
        yield frame
    yield [positive, negative]
