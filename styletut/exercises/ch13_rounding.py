"""Exercises of notebook 13: rounding and fast convolution."""

from styletut.exercises.judging import Exercise, Mistake


def _bits() -> list[tuple[int]]:
    return [(8,), (11,), (3,), (24,)]


def _share(m: int, r: int) -> float:
    return (m + r - 1) ** 2 / (m * r) ** 2


def _tiles() -> list[tuple[int, int]]:
    return [(4, 3), (2, 3), (6, 3), (4, 5), (1, 3)]


EXERCISES = (
    Exercise(
        number="13.1",
        right=lambda bits: 2**bits,
        praise="So sums are kept in float32, whatever the factors have.",
        cases=_bits,
        mistakes=(
            Mistake(
                "one bit too few",
                lambda bits: 2 ** (bits - 1),
                "From 2^(b - 1) on numbers of b bits are 1 apart: adding 1 "
                "still helps there.",
            ),
            Mistake(
                "one bit too many",
                lambda bits: 2 ** (bits + 1),
                "At 2^b the numbers of b bits are 2 apart already. Where does "
                "the sum plus 1 lie between them?",
            ),
            Mistake(
                "the one before",
                lambda bits: 2**bits - 1,
                "That number has b bits, and so has the next one.",
            ),
            Mistake(
                "the one after",
                lambda bits: 2**bits + 1,
                "That number needs b + 1 bits. It lies halfway between two "
                "that have b, and is rounded to the even one.",
            ),
            Mistake(
                "relative error",
                lambda bits: 2**-bits,
                "That is the relative error of one number. How large must "
                "the sum be for 1 to be so small a part of it?",
            ),
            Mistake(
                "bits squared",
                lambda bits: bits**2,
                "That is bits to the power of 2. Each bit doubles the range: "
                "it is the other way round.",
            ),
        ),
    ),
    Exercise(
        number="13.2",
        # measured at 48, 96 and 192 pixels: 0.61, 0.58, 0.54; by (13.1) 0.5
        right=(0.57, 1.0),
        tolerance=0.17,
        praise="Without gates a bit halves the error: the gates are to blame.",
        mistakes=(
            Mistake(
                "gates left in",
                (0.57, 0.57),
                "Taking something out changed nothing: is there still a ReLU "
                "in your network, or a maximum? Was it your network that "
                "`loss_in` was given?",
            ),
            Mistake(
                "the other way round",
                (1.0, 0.57),
                "First the network with its gates, then the one without.",
            ),
            Mistake(
                "sign",
                (-0.57, -1.0),
                "The exponent k stands in 2^(-k b): it is positive where the "
                "error falls.",
            ),
            Mistake(
                "natural logarithm",
                (0.395, 0.693),
                "Take the logarithm to base 2: a bit is a factor of 2.",
            ),
            Mistake(
                "decimal logarithm",
                (0.172, 0.301),
                "Take the logarithm to base 2: a bit is a factor of 2.",
            ),
            Mistake(
                "factor for a bit",
                (1.48, 2.0),
                "Those are factors for one bit. The exponent is the "
                "logarithm of each, to base 2.",
            ),
            Mistake(
                "not divided by the bits",
                (4.6, 8.0),
                "That is the logarithm over all eight bits, from 6 to 14. "
                "Divide by their number.",
            ),
            Mistake(
                "factor for all bits",
                (23.6, 256.0),
                "Those are factors for all eight bits, from 6 to 14. Take "
                "the logarithm to base 2, and divide by their number.",
            ),
        ),
    ),
    Exercise(
        number="13.3",
        right=_share,
        praise="The larger the tile, the smaller the share, and the less "
        "exact the sums.",
        cases=_tiles,
        mistakes=(
            Mistake(
                "one direction",
                lambda m, r: (m + r - 1) / (m * r),
                "That is the share in one direction. A picture has two.",
            ),
            Mistake(
                "turned round",
                lambda m, r: 1 / _share(m, r),
                "That is how many times as many the direct way makes: the "
                "ratio is turned round.",
            ),
            Mistake(
                "multiplications, not a share",
                lambda m, r: (m + r - 1) ** 2,
                "Those are the multiplications themselves. Divide by those "
                "of the direct way.",
            ),
            Mistake(
                "for each result",
                lambda m, r: (m + r - 1) ** 2 / m**2,
                "Those are the multiplications for each result. The direct "
                "way makes r x r of them.",
            ),
            Mistake(
                "kernel alone",
                lambda m, r: (m + r - 1) ** 2 / r**2,
                "The direct way makes r x r for each of m x m results.",
            ),
            Mistake(
                "one too many",
                lambda m, r: (m + r) ** 2 / (m * r) ** 2,
                "m results of a kernel of r depend on m + r - 1 numbers: "
                "count them for m = 1.",
            ),
            Mistake(
                "two directions added",
                lambda m, r: 2 * (m + r - 1) / (m * r),
                "Two directions multiply; they do not add.",
            ),
            Mistake(
                "nothing saved",
                lambda m, r: 1.0,
                "That is the direct way against itself.",
            ),
        ),
    ),
)
