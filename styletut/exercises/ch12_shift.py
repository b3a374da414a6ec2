"""Exercise of notebook 12: what makes a network's paintings flicker."""

from styletut.exercises.judging import Exercise, Mistake

# coffee as a wave: still, panned, and panned by the steady network
_RIGHT = (1.804, 7.776, 1.723)

SHIFT = Exercise(
    number="12.4",
    right=_RIGHT,
    praise="Noise and light less than double; it is the shift that boils, "
    "and that is what the steady network was shown.",
    tolerance=0.02,  # processors round differently
    mistakes=(
        Mistake(
            "in grey levels",
            (5.43, 27.25, 6.036),
            "These are grey levels. Divide by the frames' own flicker.",
        ),
        Mistake(
            "upside down",
            tuple(1 / ratio for ratio in _RIGHT),
            "You divided the frames' flicker by the paintings'.",
        ),
        Mistake(
            "the still film twice",
            (1.804, 7.776, 0.9507),
            "Your third number is the steady network's in the still film. "
            "Asked for is the panned one.",
        ),
        Mistake(
            "still and panned exchanged",
            (7.776, 1.804, 1.723),
            "The still film comes first.",
        ),
        Mistake(
            "as a night",
            (1.593, 5.169, 1.556),
            "These are the numbers of the night.",
        ),
        Mistake(
            "the camera",
            (10.1, 11.6, 7.522),
            "These are the numbers of the photo camera. It is grey, and to "
            "give it a painting's colors blows the noise of its colors up.",
        ),
    ),
)
