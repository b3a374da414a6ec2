"""Exercises of notebook 01: which pixels a unit sees, and which it uses."""

from styletut.exercises.judging import Exercise, Mistake
from styletut.vgg import receptive_field


def _rows() -> list[tuple[str, int]]:
    return [
        ("conv1_1", 8),
        ("relu5_1", 256),
        ("relu5_1", 128),  # not one
        ("conv4_2", 254),  # not a multiple of the spacing
        ("pool2", 85),
        ("relu3_1", 24),  # as wide as a patch, and yet none
        ("relu3_1", 26),
    ]


def _unpadded(layer: str, side: int) -> int:
    first, last = _ends(layer, side)
    return max(0, last - first + 1)


def _ends(layer: str, side: int) -> tuple[int, int]:
    """Return the first and the last unit that see no padding."""
    size, spacing = receptive_field(layer)
    reach = (size - spacing) // 2
    return -(-reach // spacing), (side - spacing - reach) // spacing


def _all(layer: str, side: int) -> int:
    return side // receptive_field(layer).stride


def _below_zero(layer: str, side: int) -> int:
    first, last = _ends(layer, side)
    return last - first + 1


def _first_at_zero(layer: str, side: int) -> int:
    size, spacing = receptive_field(layer)
    return max(0, (side - size) // spacing + 1)


def _every_pixel(layer: str, side: int) -> int:
    return max(0, side - receptive_field(layer).size + 1)


def _centered_at_the_corner(layer: str, side: int) -> int:
    size, spacing = receptive_field(layer)
    first = -(-size // (2 * spacing))
    last = (2 * side - size) // (2 * spacing)
    return max(0, last - first + 1)


def _one_border(layer: str, side: int) -> int:
    return max(0, _all(layer, side) - _ends(layer, side)[0])


def _rounded_down(layer: str, side: int) -> int:
    size, spacing = receptive_field(layer)
    first = (size - spacing) // 2 // spacing
    return max(0, _ends(layer, side)[1] - first + 1)


def _as_many_on_the_right(layer: str, side: int) -> int:
    return max(0, _all(layer, side) - 2 * _ends(layer, side)[0])


def _one_too_few(layer: str, side: int) -> int:
    first, last = _ends(layer, side)
    return max(0, last - first)


UNPADDED = Exercise(
    number="01.1",
    right=_unpadded,
    praise="Deep units of a small picture all see its border.",
    cases=_rows,
    mistakes=(
        Mistake(
            "all units",
            _all,
            "Those are all units of the row. The patches of the outer ones "
            "stick out of the picture.",
        ),
        Mistake(
            "below zero",
            _below_zero,
            "Where no patch fits, the last unit lies before the first; the "
            "number is then 0.",
        ),
        Mistake(
            "first patch at pixel 0",
            _first_at_zero,
            "So many would fit if unit 0's patch began at pixel 0. It begins "
            "(r - j)/2 pixels before it, and the next ones j apart from it.",
        ),
        Mistake(
            "a patch at every pixel",
            _every_pixel,
            "You moved the patch by one pixel at a time. The units lie j "
            "pixels apart.",
        ),
        Mistake(
            "centered at the corner",
            _centered_at_the_corner,
            "You centered the patch at pixel jp. Its center is that of the "
            "pixels from jp to jp + j - 1.",
        ),
        Mistake(
            "one border",
            _one_border,
            "You left out the units near one border. A row has two.",
        ),
        Mistake(
            "rounded down",
            _rounded_down,
            "The first unit that you count begins a little outside: round "
            "its number up.",
        ),
        Mistake(
            "as many on the right",
            _as_many_on_the_right,
            "That is right where j divides the side. Otherwise pixels are "
            "left over at the right end, and a patch may use them.",
        ),
        Mistake(
            "one too few",
            _one_too_few,
            "From unit a to unit b there are b - a + 1 units.",
        ),
        Mistake(
            "the whole map",
            lambda layer, side: _unpadded(layer, side) ** 2,
            "Those are the units of a square map. The exercise asks for one "
            "row.",
        ),
        Mistake(
            "those with padding",
            lambda layer, side: _all(layer, side) - _unpadded(layer, side),
            "Those are the units that do see padding.",
        ),
    ),
)

USED = Exercise(
    number="01.2",
    right=(36, 74),
    praise="The rim of the patch hardly counts.",
    tolerance=0.06,  # two pixels more or less
    mistakes=(
        Mistake(
            "black around it",
            (44, 68),
            "Around the square it seems to be black. Zeros for the network "
            "are the mean color, OXFORD_MEAN / 255.",
        ),
        Mistake(
            "white around it",
            (40, 52),
            "Around the square it seems to be white. Zeros for the network "
            "are the mean color, OXFORD_MEAN / 255.",
        ),
        Mistake(
            "mean color not divided by 255",
            (156, 156),
            "With the whole patch alone? OXFORD_MEAN counts from 0 to 255, "
            "and a picture from 0 to 1.",
        ),
        Mistake(
            "centered at the corner",
            (48, 60),
            "Your square seems to be centered at pixel jp, the corner of the "
            "unit's own pixels. Their middle is j/2 further.",
        ),
        Mistake(
            "grown from the patch's corner",
            (90, 100),
            "Your square seems to begin at the corner of the patch. It "
            "belongs in the middle.",
        ),
        Mistake(
            "the square hidden",
            (28, 44),
            "You seem to have filled the square and kept the rest: keep the "
            "square, fill the rest.",
        ),
        Mistake(
            "in the other order",
            (74, 36),
            "Both numbers are right; the half comes first.",
        ),
    ),
)
