"""Exercise of notebook 08: how often a rule for chance errs."""

from styletut.exercises.judging import Exercise, Mistake

# shares of 4,000,000 draws of five normal numbers
_ONE, _THREE = 0.1923, 0.0103

CHANCE = Exercise(
    number="08.1",
    right=(_ONE, _THREE),
    praise="Three spreads err once in a hundred times: twice in a table of "
    "two hundred.",
    tolerance=0.1,  # of 100,000 draws three spreads find 1,030 +- 32
    mistakes=(
        Mistake(
            "in percent",
            (100 * _ONE, 100 * _THREE),
            "These are percentages. Give shares, between 0 and 1.",
        ),
        Mistake(
            "on one side",
            (_ONE / 2, _THREE / 2),
            "You counted differences upwards alone. A setting may also fall "
            "below the default: take the size of the difference.",
        ),
        Mistake(
            "three numbers",
            (0.3098, 0.0560),
            "Your spread is that of three numbers. The default is one of the "
            "four.",
        ),
        Mistake(
            "five numbers",
            (0.1352, 0.0030),
            "Your spread is that of five numbers. Four repeats make the "
            "spread; the fifth number is the setting that is judged.",
        ),
        Mistake(
            "from the mean",
            (0.1409, 0.0094),
            "You took the difference from the mean of the four. The rule "
            "takes it from the default, which is one of them.",
        ),
        Mistake(
            "standard deviations",
            (0.5429, 0.0979),
            "You counted standard deviations of the four. The spread is the "
            "largest less the smallest.",
        ),
        Mistake(
            "exchanged",
            (_THREE, _ONE),
            "The first is for one spread, the second for three.",
        ),
        Mistake(
            "right calls",
            (1 - _ONE, 1 - _THREE),
            "That is how often the rule is right. How often does it err?",
        ),
    ),
)
