"""Exercises of notebook 05: the combined objective."""

from styletut.exercises.ch05_front import FRONT
from styletut.exercises.ch05_weights import WEIGHTS
from styletut.exercises.judging import Exercise, Mistake

EXERCISES = (
    Exercise(
        number="05.1",
        right=(0.25, 1.0),
        praise="The step needs the scale, the minimizer does not.",
        mistakes=(
            Mistake(
                "turned round",
                (4.0, 1.0),
                "With four times the loss and four times the rate a step "
                "would be sixteen times as long.",
            ),
            Mistake(
                "minimizer moved",
                (0.25, 4.0),
                "The step is right. But where is the minimum of 4 L, if that "
                "of L is at x*?",
            ),
            Mistake(
                "minimizer moved back",
                (0.25, 0.25),
                "The step is right. But where is the minimum of 4 L, if that "
                "of L is at x*?",
            ),
            Mistake(
                "rate as it was",
                (1.0, 1.0),
                "The minimizer stays, but the gradient is four times as "
                "long: what does a step do?",
            ),
            Mistake(
                "root",
                (0.5, 1.0),
                "A gradient grows as its function does, not as its root.",
            ),
            Mistake(
                "both turned round",
                (4.0, 4.0),
                "With four times the loss and four times the rate a step "
                "would be sixteen times as long; and where is the minimum of "
                "4 L?",
            ),
            Mistake(
                "minimizer moved, rate as it was",
                (1.0, 4.0),
                "It is the other way round: the loss becomes steeper "
                "everywhere, and lowest at the same place.",
            ),
            Mistake(
                "no change as 0",
                (0.25, 0.0),
                "The step is right. The distance is multiplied by your second "
                "number: what is left of it then?",
            ),
            Mistake(
                "pair turned round",
                (1.0, 0.25),
                "The rate comes first, then the distance.",
            ),
            Mistake(
                "squared",
                (0.0625, 1.0),
                "A gradient grows as its function does, not as its square.",
            ),
        ),
    ),
    WEIGHTS,
    Exercise(
        number="05.3",
        right=(0.1253, 0.2506),
        tolerance=0.03,
        praise="Beyond it the checkerboard grows: 06 says why.",
        mistakes=(
            Mistake(
                "Laplacian for gradient",
                (0.2506, 0.5012),
                "Twice too large: did you step along the Laplacian itself, "
                "without the 2 of (5.6)?",
            ),
            Mistake(
                "where the sign turns",
                (0.0626, 0.1253),
                "Half of it: beyond your rate differences change their sign "
                "at each step. But do they grow?",
            ),
            Mistake(
                "row first",
                (0.2506, 0.1253),
                "The picture comes first, then the single row.",
            ),
            Mistake(
                "the picture twice",
                (0.1253, 0.1253),
                "A single row has no neighbors above and below: run it by "
                "itself.",
            ),
            Mistake(
                "the row twice",
                (0.2506, 0.2506),
                "Does your picture vary in one direction only? Then its other "
                "differences are 0, and stay 0 at any rate.",
            ),
            Mistake(
                "inverse",
                (7.98, 3.99),
                "That is one over the rate.",
            ),
            Mistake(
                "curvature",
                (15.96, 7.98),
                "That is how fast the gradient grows, not the rate.",
            ),
        ),
    ),
    FRONT,
)
