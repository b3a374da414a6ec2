"""Exercise of notebook 02: two patterns of equal error, and their losses."""

from styletut.exercises.judging import Exercise, Mistake

# the loss of stripes over that of a chessboard at relu2_1 and relu5_1, as
# the worked answer measures them, and as other experiments do
_RIGHT = (762.01, 1959.8)

STRIPES = Exercise(
    number="02.4",
    right=_RIGHT,
    praise="The loss hardly sees a chessboard, and descent hardly removes it.",
    tolerance=0.02,  # whichever sign the stripes begin with
    mistakes=(
        Mistake(
            "the other way round",
            tuple(1 / each for each in _RIGHT),
            "You divided the chessboard's loss by the stripes'.",
        ),
        Mistake(
            "norms for losses",
            tuple(each**0.5 for each in _RIGHT),
            "You compared norms of F - P. (2.1) is half of the square.",
        ),
        Mistake(
            "layers turned round",
            _RIGHT[::-1],
            "The factors are right; the exercise asks for relu2_1 first.",
        ),
        Mistake(
            "chessboard of the other sign",
            (703.58, 1372.3),
            "Your chessboard begins with -0.05. Its loss is so small that "
            "the sign matters: +0.05 belongs where row plus column is even.",
        ),
        Mistake(
            "stripes along the rows",
            (538.34, 915.22),
            "Your stripes are rows of pixels. The exercise asks for columns.",
        ),
        Mistake(
            "cut to [0, 1]",
            (91.385, 663.99),
            "You cut the pictures to [0, 1]. That changes the patterns where "
            "the photo is nearly black or white, and the chessboard is none "
            "there.",
        ),
        Mistake(
            "one sign only",
            (23.546, 171.96),
            "Your pattern is 0 or 0.05, so that it also makes the picture "
            "brighter. It goes from -0.05 to +0.05.",
        ),
        Mistake(
            "one sign only, twice as strong",
            (24.872, 174.25),
            "Your pattern is 0 or 0.1, so that it also makes the picture "
            "brighter. It goes from -0.05 to +0.05.",
        ),
        Mistake(
            "pattern too strong",
            (444.57, 312.72),
            "Your pattern goes from -0.1 to +0.1. What does pixel_error say?",
        ),
        Mistake(
            "pattern too weak",
            (966.85, 5699.9),
            "Your pattern goes from -0.025 to +0.025. What does pixel_error "
            "say?",
        ),
        Mistake(
            "pixels from 0 to 255",
            (243.33, 118.0),
            "You added 12.75, which is 0.05 of 255. The pictures here go "
            "from 0 to 1.",
        ),
        Mistake(
            "squares of two pixels",
            (2.8698, 2.459),
            "Your stripes and squares are two pixels wide. The patterns "
            "change from pixel to pixel.",
        ),
        Mistake(
            "another photo",
            (691.98, 740.99),
            "That is what the cat gives. The exercise takes coffee.",
        ),
        Mistake(
            "another size",
            (683.36, 1358.2),
            "That is what 128 pixels give. The exercise takes 96.",
        ),
        Mistake(
            "before the ReLU",
            (917.34, 1883.3),
            "These are conv2_1 and conv5_1, before the ReLU.",
        ),
        Mistake(
            "one color",
            (935.8, 6924.2),
            "You changed one color only. The pattern is the same in all "
            "three.",
        ),
    ),
)
