"""Exercise of notebook 03: what a Gram matrix notices of a picture."""

from styletut.exercises.judging import Exercise, Mistake

# relu3_1 of the night at 128 pixels: mirrored, turned, the left half alone
_MIRRORED, _TURNED, _HALF = 0.13139, 0.49340, 0.25354

DIRECTIONS = Exercise(
    number="03.2",
    right=(_MIRRORED, _TURNED, _HALF),
    praise="Blind to where a stroke is, not to which way it runs.",
    tolerance=0.01,  # three digits, in any precision
    mistakes=(
        Mistake(
            "squared",
            (_MIRRORED**2, _TURNED**2, _HALF**2),
            "These are squares, as in a loss. d is a ratio of norms.",
        ),
        Mistake(
            "halves undivided",
            (_MIRRORED, _TURNED, 0.45395),
            "The half has half the positions, and its Gram matrix is about "
            "half as large for that alone. Divide each by its own M.",
        ),
        Mistake(
            "measured by the changed picture",
            (0.13234, 0.49313, 0.22201),
            "You divided by the norm of G'/M'. The unit is the unchanged "
            "picture's, the same for all three.",
        ),
        Mistake(
            "turned clockwise",
            (_MIRRORED, 0.47675, _HALF),
            "You turned the picture clockwise. Its strokes then lie as much "
            "across, but the number is another one.",
        ),
        Mistake(
            "upside down",
            (0.18707, _TURNED, _HALF),
            "You mirrored top to bottom. Axis 3 runs from left to right.",
        ),
        Mistake(
            "colors reversed",
            (0.50428, _TURNED, _HALF),
            "You reversed axis 1, the colors: red became blue.",
        ),
        Mistake(
            "right half",
            (_MIRRORED, _TURNED, 0.23171),
            "That is the right half. The left one ends in the middle.",
        ),
        Mistake(
            "upper half",
            (_MIRRORED, _TURNED, 0.33304),
            "That is the upper half: the sky without the lake.",
        ),
        Mistake(
            "relu1_1",
            (0.01002, 0.12006, 0.13005),
            "These are the numbers of relu1_1, which sees 3 x 3 pixels.",
        ),
        Mistake(
            "relu2_1",
            (0.04335, 0.26241, 0.09663),
            "These are the numbers of relu2_1.",
        ),
        Mistake(
            "relu4_1",
            (0.17647, 0.60909, 0.30883),
            "These are the numbers of relu4_1.",
        ),
        Mistake(
            "the marbled tulips",
            (0.09481, 0.40721, 0.21774),
            "These are the numbers of the marbled tulips.",
        ),
    ),
)
