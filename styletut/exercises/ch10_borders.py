"""Exercise of notebook 10: how much of a picture sees a border."""

from styletut.exercises.judging import Exercise, Mistake

# relu4_1 and the astronaut's mask, at 128, 256 and 512 pixels
_RIGHT = (0.9180, 0.6279, 0.3809)

BORDERS = Exercise(
    number="10.4",
    right=_RIGHT,
    praise="At 128 pixels hardly a position sees one region alone: regions "
    "want large pictures.",
    tolerance=0.01,  # a soft border may move by a position
    mistakes=(
        Mistake(
            "its own pixels",
            (0.2695, 0.1328, 0.0735),
            "You counted positions whose own pixels lie in both regions, the "
            "simple way. A position sees far more than those.",
        ),
        Mistake(
            "sees the region",
            (0.9531, 0.8242, 0.7129),
            "That is the share that sees the astronaut at all. How many of "
            "them see something else, too?",
        ),
        Mistake(
            "inside",
            (0.0352, 0.1963, 0.3320),
            "That is the share that sees nothing but the astronaut.",
        ),
        Mistake(
            "sees one region alone",
            tuple(1 - share for share in _RIGHT),
            "That is the share that sees one region alone. Asked for is the "
            "rest.",
        ),
        Mistake(
            "in percent",
            tuple(100 * share for share in _RIGHT),
            "These are percentages. Give shares, between 0 and 1.",
        ),
        Mistake(
            "largest first",
            _RIGHT[::-1],
            "The smallest picture comes first.",
        ),
        Mistake(
            "relu3_1",
            (0.4854, 0.2791, 0.1418),
            "These are the numbers of relu3_1.",
        ),
        Mistake(
            "relu5_1",
            (1.0, 0.9766, 0.6865),
            "These are the numbers of relu5_1.",
        ),
        Mistake(
            "relu4_2",
            (0.9883, 0.7178, 0.4509),
            "These are the numbers of relu4_2, the content's layer.",
        ),
        Mistake(
            "the cat",
            (0.8438, 0.4911, 0.2697),
            "These are the numbers of the cat.",
        ),
        Mistake(
            "the cup",
            (1.0, 0.8095, 0.4580),
            "These are the numbers of the cup.",
        ),
    ),
)
