"""Exercise of notebook 11: the size at which a network paints best."""

from styletut.exercises.judging import Exercise, Mistake

# the network's glass on coffee, at 256, 512 and 768 pixels
_RIGHT = (0.5452, 0.2409, 0.4971)

BRUSH = Exercise(
    number="11.5",
    right=_RIGHT,
    praise="At the size of the paintings that it learned from, its strokes "
    "are right; elsewhere they are too large, or too small.",
    tolerance=0.02,  # processors round differently
    mistakes=(
        Mistake(
            "of the photo's own",
            (0.4542, 0.1794, 0.2968),
            "You divided by the style loss of the photo as it is. Asked for "
            "is the recolored one, which has the style's colors already.",
        ),
        Mistake(
            "not divided",
            (1.237, 0.1837, 0.162),
            "These are the style losses. Divide by those of the recolored "
            "photo.",
        ),
        Mistake(
            "of the totals",
            (0.611, 0.3133, 0.5814),
            "You compared totals. The style term alone is asked for.",
        ),
        Mistake(
            "upside down",
            tuple(1 / share for share in _RIGHT),
            "You divided the recolored photo's loss by the network's.",
        ),
        Mistake(
            "what is gone",
            tuple(1 - share for share in _RIGHT),
            "That is the share that is gone. Asked for is what is left.",
        ),
        Mistake(
            "in percent",
            tuple(100 * share for share in _RIGHT),
            "These are percentages. Give shares.",
        ),
        Mistake(
            "largest first",
            _RIGHT[::-1],
            "The smallest picture comes first.",
        ),
        Mistake(
            "the cat",
            (0.5939, 0.2952, 0.51),
            "These are the numbers of the cat.",
        ),
        Mistake(
            "the cat as a wave",
            (0.4179, 0.2804, 0.2195),
            "These are the numbers of the cat as a wave.",
        ),
    ),
)
