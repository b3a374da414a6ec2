"""Exercise of notebook 09: where a pair's default stands on its front."""

from styletut.exercises.judging import Exercise, Mistake

# a cat and a landscape in ink at 128 pixels, style alone for 60 evaluations
_S0, _RHO, _PSI = 0.3195, 0.648, 0.0493
_OWN = 0.3

PAIR = Exercise(
    number="09.1",
    right=(_S0, _RHO, _PSI),
    praise="Half of what (9.8) says for a typical pair: C1 is one half, too.",
    tolerance=0.05,  # three runs, and two precisions, were within 0.02
    mistakes=(
        Mistake(
            "the ceiling's psi",
            (_S0, _RHO, _OWN / _RHO),
            "That is psi of alpha = 0.3. The default takes a tenth of S0 "
            "where that is less.",
        ),
        Mistake(
            "alpha for psi",
            (_S0, _RHO, 0.0320),
            "The third is the default's alpha. Divide it by rho*.",
        ),
        Mistake(
            "psi upside down",
            (_S0, _RHO, 1 / _PSI),
            "You divided rho* by alpha. psi is rho over rho*.",
        ),
        Mistake(
            "alpha not divided by ten",
            (_S0, _RHO, 10 * _PSI),
            "You took alpha = S0. The default takes a tenth of it.",
        ),
        Mistake(
            "rho upside down",
            (_S0, 1 / _RHO, 0.0320 * _RHO),
            "Your rho* is C1 over S0 - S1. (9.5) has it the other way round.",
        ),
        Mistake(
            "half of the evaluations",
            (_S0, 0.716, 0.0447),
            "After 30 evaluations the style loss is still falling, and the "
            "content loss rising. 60 are asked for.",
        ),
        Mistake(
            "S1 for S0",
            (0.0046, _RHO, _PSI),
            "The first is the style loss at the end. S0 is the untouched "
            "photo's, at the first evaluation.",
        ),
    ),
)
