"""Exercises of notebook 02: the content loss and its derivatives."""

from styletut.exercises.ch02_stripes import STRIPES
from styletut.exercises.ch02_two_layers import TWO_LAYERS
from styletut.exercises.judging import Exercise, Mistake

# of Z = (2, -1; -3, 1) and P = (1, 2; 0, 4), and where descent on Z ends
PENCIL = Exercise(
    number="02.1",
    right=(7.0, 2.0),
    praise="The loss counts every unit; the gate stops the derivative alone.",
    tolerance=1e-3,  # descent by program has not quite arrived
    mistakes=(
        Mistake(
            "factor 1/2 missing",
            (14.0, 4.0),
            "Both are twice too large: what stands before the sum in (2.1)?",
        ),
        Mistake(
            "gate forgotten",
            (7.0, 0.0),
            "The loss is right. Going down to 0 would take a derivative at "
            "every unit that has an error: see (2.3).",
        ),
        Mistake(
            "Z for F",
            (14.0, 0.0),
            "You compared Z with P, or left out the 1/2. (2.1) compares F, "
            "which is never negative.",
        ),
        Mistake(
            "mean for sum",
            (3.5, 1.0),
            "That is the mean of the four squares. (2.1) is half of their "
            "sum.",
        ),
        Mistake(
            "closed units left out of the loss",
            (5.0, 0.0),
            "You left the closed units out of the loss. The gate belongs to "
            "the derivative; in (2.1) F = 0 is compared like any other "
            "value.",
        ),
        Mistake(
            "closed units left out of the first loss",
            (5.0, 2.0),
            "The second number is right. In (2.1) a unit with F = 0 is "
            "compared like any other.",
        ),
        Mistake(
            "what descent removes",
            (7.0, 5.0),
            "The loss is right. 5 is what descent takes away: how much is "
            "left?",
        ),
        Mistake(
            "a root too much",
            (14.0**0.5, 2.0),
            "Your first number is the root of the sum of squares. (2.1) has "
            "no root, and a half.",
        ),
        Mistake(
            "half missing in the second",
            (7.0, 4.0),
            "The loss is right. What is left is a value of (2.1), too, with "
            "its 1/2.",
        ),
        Mistake(
            "nothing moves",
            (7.0, 7.0),
            "Some units are open and have an error: descent moves these.",
        ),
        Mistake(
            "absolute values for squares",
            (3.0, 1.0),
            "You summed sizes of differences; (2.1) sums their squares.",
        ),
    ),
)

RATES = Exercise(
    number="02.2",
    right=(1.0, 2.0),
    praise="The error is multiplied by 1 - eta each time.",
    mistakes=(
        Mistake(
            "rates of the sum without the half",
            (0.5, 1.0),
            "These are the rates for the sum without 1/2, whose gradient "
            "is twice as large.",
        ),
        Mistake(
            "pair turned round",
            (2.0, 1.0),
            "The numbers are right; the exercise asks for the rate that "
            "is done in one step first.",
        ),
        Mistake(
            "limit where it is done",
            (1.0, 1.0),
            "Beyond the first rate it overshoots, but it still gets "
            "nearer for a while: when is the error's size the same as "
            "before?",
        ),
        Mistake(
            "no limit",
            (1.0, float("1e9")),
            "Try a rate of 3: is the new error smaller than the old?",
        ),
        Mistake(
            "only small rates",
            (0.0, 1.0),
            "With a rate of 0 nothing moves. Set 1 - eta to 0.",
        ),
        Mistake(
            "no limit, infinity",
            (1.0, float("inf")),
            "Try a rate of 3: is the new error smaller than the old?",
        ),
        Mistake(
            "goal at the half",
            (0.5, 2.0),
            "The limit is right. Half of the way is no goal yet: put your "
            "first rate into 1 - eta.",
        ),
        Mistake(
            "nearer is never",
            (1.0, 0.0),
            "The first is right. The second asks how large a rate may be "
            "before the error no longer shrinks.",
        ),
    ),
)

EXERCISES = (PENCIL, RATES, TWO_LAYERS, STRIPES)
