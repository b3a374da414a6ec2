"""Exercise of notebook 05: the weights that a picture was made with."""

from styletut.exercises.judging import Exercise, Mistake

HIDDEN = {"alpha": 0.7, "gamma": 0.004}
"""What the exercise asks for: to see it spoils the experiment."""

_ALPHA, _GAMMA = HIDDEN["alpha"], HIDDEN["gamma"]

WEIGHTS = Exercise(
    number="05.2",
    right=(_ALPHA, _GAMMA),
    praise="A picture near its minimum tells the weights that made it.",
    tolerance=0.1,  # a run of 150 evaluations comes within 5 %
    mistakes=(
        Mistake(
            "signs turned",
            (-_ALPHA, -_GAMMA),
            "Weights are not negative. On which side of the equation does "
            "the gradient of the style stand?",
        ),
        Mistake(
            "ratios of norms",
            (0.73, 0.0145),
            "You divided norms. The gradient of the style balances the sum "
            "of the two others, not each of them: solve for both at once.",
        ),
        Mistake(
            "ratios of losses",
            (0.51, 0.00585),
            "You divided losses. At a minimum the gradients balance, not "
            "the losses.",
        ),
        Mistake(
            "inverse",
            (1 / _ALPHA, 1 / _GAMMA),
            "Turned round: which of the two gradients is it that alpha "
            "multiplies?",
        ),
        Mistake(
            "pair turned round",
            (_GAMMA, _ALPHA),
            "The weight of the content comes first.",
        ),
        Mistake(
            "times the width",
            (_ALPHA, 64 * _GAMMA),
            "The first is right. The second is gamma itself, not gamma "
            "times the width.",
        ),
        Mistake(
            "half of the total variation",
            (_ALPHA, 2 * _GAMMA),
            "The second is twice too large: is your gradient of the total "
            "variation that of the Dirichlet energy, half as large?",
        ),
    ),
)
