"""How long a picture will take here, so that the page can say so before."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from styletut.conventions import DEFAULT_CONVENTION, get_convention
from styletut.images import fit
from styletut.transfer import stylize_steps
from styletut.transfer.sizes import schedule_of
from styletut.vgg import VGG19

MEASURED = (96, 192)
"""Longer sides in pixels at which a few steps are timed."""

STEPS = 5


class Pace(NamedTuple):
    """What an evaluation of the objective takes, with the optimizer's work.

    Attributes:
        base: seconds, whatever the size.
        pixel: seconds more for each pixel.
    """

    base: float
    pixel: float

    def seconds(self, shape: tuple[int, int], size: int) -> float:
        """Estimate a default run.

        Args:
            shape: height and width of the photo.
            size: longer side of the picture.
        """
        return sum(
            count * (self.base + self.pixel * pixels)
            for pixels, count in _stages(shape, size)
        )


def measured_pace(vgg: VGG19) -> Pace:
    """Time a few steps at two sizes; takes about two seconds."""
    (small, first), (large, second) = (_timed(vgg, size) for size in MEASURED)
    pixel = max(second - first, 0.0) / (large - small)
    return Pace(max(first - pixel * small, 0.0), pixel)


def in_words(seconds: float) -> str:
    """Write a time as people say it: "about 20 seconds"."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 55:
        step = 1 if seconds < 10 else 5
        return f"about {step * round(seconds / step)} seconds"
    minutes = round(seconds / 60)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def _stages(shape: tuple[int, int], size: int) -> Iterator[tuple[int, int]]:
    """Yield pixels and evaluations of each size of a default run."""
    convention = get_convention(DEFAULT_CONVENTION)
    for side, count in schedule_of(convention, shape, size=size):
        height, width = fit(*shape, side)
        yield height * width, count


def _timed(vgg: VGG19, size: int) -> tuple[int, float]:
    """Return the pixels of a picture and the seconds of an evaluation."""
    schedule: Sequence[tuple[int, int]] = [(size, STEPS)]
    steps = list(
        stylize_steps(
            "chelsea", "glass", vgg=vgg, schedule=schedule, style_size=size
        )
    )
    first, last = steps[0], steps[-1]
    count = max(last.evaluations - first.evaluations, 1)
    height, width = last.image.shape[2:]
    return height * width, (last.seconds - first.seconds) / count
