"""Exercise of notebook 05: the weights that a picture was made with."""

from styletut.exercises.judging import Exercise, Mistake

HIDDEN = {"alpha": 0.7, "gamma": 0.004}
"""What the exercise asks for. Reading on spoils it."""

WEIGHTS = Exercise(
    number="05.2",
    right=(HIDDEN["alpha"], HIDDEN["gamma"]),
    tolerance=0.1,
    praise="A picture at a minimum tells the weights that made it.",
    mistakes=(
        Mistake(
            "signs turned",
            (-HIDDEN["alpha"], -HIDDEN["gamma"]),
            "Weights are not negative: on which side of the equation stands "
            "the gradient of the style?",
        ),
    ),
)
