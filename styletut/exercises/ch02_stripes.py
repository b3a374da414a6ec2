"""Exercise of notebook 02: two patterns of equal error, and their losses."""

from styletut.exercises.judging import Exercise, Mistake

# measured by the worked answer: the loss of stripes over that of a chessboard
_AT_RELU2_1, _AT_RELU5_1 = 762.0, 1959.0

STRIPES = Exercise(
    number="02.4",
    right=(_AT_RELU2_1, _AT_RELU5_1),
    praise="The loss hardly sees a chessboard: the grain of section 4.",
    tolerance=0.1,  # the signs may begin with either
    mistakes=(
        Mistake(
            "the other way round",
            (1 / _AT_RELU2_1, 1 / _AT_RELU5_1),
            "You divided the chessboard's loss by the stripes'.",
        ),
        Mistake(
            "norms for losses",
            (_AT_RELU2_1**0.5, _AT_RELU5_1**0.5),
            "These are the roots: you took the norm of F - P, and (2.1) is "
            "half of its square.",
        ),
        Mistake(
            "layers turned round",
            (_AT_RELU5_1, _AT_RELU2_1),
            "The factors are right; the exercise asks for relu2_1 first.",
        ),
    ),
)
