"""Exercises of notebook 04: the style loss and its scales."""

from styletut.exercises.ch04_style_gradient import STYLE_GRADIENT
from styletut.exercises.judging import Exercise, Mistake


def _layers() -> list[tuple[float, int, int]]:
    return [(1e6, 64, 1024), (3.0, 128, 256), (1.0, 2, 3), (0.5, 1, 7)]


# Measured by the worked answer; the wrong ones by the experiments that they
# name. Pictures, sizes and network are fixed, so no profile changes them.
EQUAL_GRADIENTS = (1.0, 0.007927, 0.001333, 1.957e-6, 0.001034)


EXERCISES = (
    Exercise(
        number="04.1",
        right=(9.0, 1.0, 1.0, 81.0),
        praise="Only forms that divide by positions keep their balance.",
        mistakes=(
            Mistake(
                "side for area",
                (3.0, 1.0, 1.0, 9.0),
                "You took three times as many positions. Three times the "
                "side is nine times the area.",
            ),
            Mistake(
                "Gram matrix not squared",
                (9.0, 1.0, 1.0, 9.0),
                "G - A grows ninefold, and it is squared.",
            ),
            Mistake(
                "division by M forgotten",
                (9.0, 1.0, 81.0, 81.0),
                "(4.1) divides by M squared: what is left of the 81?",
            ),
            Mistake(
                "mean taken for the sum",
                (9.0, 9.0, 1.0, 81.0),
                "The mean form divides by the number of terms, which grows "
                "as well.",
            ),
            Mistake(
                "style as the content",
                (9.0, 1.0, 9.0, 81.0),
                "In (4.1) a numerator 81 times as large meets a denominator "
                "81 times as large.",
            ),
            Mistake(
                "twice the side",
                (4.0, 1.0, 1.0, 16.0),
                "These are the factors for twice the side. Here it is three "
                "times.",
            ),
            Mistake(
                "everything stays",
                (1.0, 1.0, 1.0, 1.0),
                "(2.1) is a sum over positions, and there are nine times as "
                "many.",
            ),
        ),
    ),
    STYLE_GRADIENT,
    Exercise(
        number="04.3",
        right=lambda beta, N, M: beta / N**4,
        praise="Deep layers, with many channels, get next to nothing.",
        cases=_layers,
        mistakes=(
            Mistake(
                "mean forgotten",
                lambda beta, N, M: beta / N**2,
                "You translated the division of the Gram matrix. The mean "
                "over N^2 entries has become a sum, too.",
            ),
            Mistake(
                "direction turned round",
                lambda beta, N, M: beta * N**4,
                "You translated the other way round.",
            ),
            Mistake(
                "weight of the paper's E",
                lambda beta, N, M: 4 * beta / N**2,
                "That is kappa times beta, the weight of the paper's E. The "
                "exercise asks for the sum of (G/M - A/M)^2.",
            ),
            Mistake(
                "divisor not squared",
                lambda beta, N, M: beta / N**3,
                "The difference is squared, and its divisor with it.",
            ),
            Mistake(
                "positions as well",
                lambda beta, N, M: beta / (N**4 * M**2),
                "Both forms divide by M already; it cancels.",
            ),
            Mistake(
                "positions not cancelled",
                lambda beta, N, M: beta * M**2 / N**2,
                "M belongs to both divisors; only N differs.",
            ),
            Mistake(
                "half of the way back",
                lambda beta, N, M: beta * N**2,
                "You translated one of the two divisions, and in the other "
                "direction.",
            ),
            Mistake(
                "positions for the Gram matrix's N",
                lambda beta, N, M: beta / (N * M) ** 2,
                "You translated N M. Both forms divide by M; and what about "
                "the mean?",
            ),
            Mistake(
                "the paper's 4 left in",
                lambda beta, N, M: 4 * beta / N**4,
                "The power of N is right. The 4 belongs to the paper's E, "
                "which is not asked for.",
            ),
            Mistake(
                "divided by the paper's 4",
                lambda beta, N, M: beta / (4 * N**4),
                "The power of N is right. The 4 belongs to the paper's E, "
                "which is not asked for.",
            ),
            Mistake(
                "beta forgotten",
                lambda beta, N, M: 1 / N**4,
                "That is the factor. The exercise asks for the weight.",
            ),
        ),
    ),
    Exercise(
        number="04.4",
        right=EQUAL_GRADIENTS,
        praise="Measured, not counted: nothing in N or M tells it.",
        tolerance=0.05,
        mistakes=(
            Mistake(
                "the norms themselves",
                (88870.0, 11210000.0, 66660000.0, 45400000000.0, 85970000.0),
                "These are the norms of the unweighted gradients. What must "
                "each be multiplied by?",
            ),
            Mistake(
                "not divided by the first",
                (1.125e-05, 8.921e-08, 1.5e-08, 2.203e-11, 1.163e-08),
                "The ratios are right. Divide all five by the first.",
            ),
            Mistake(
                "turned round",
                (1.0, 126.1, 750.1, 510900.0, 967.4),
                "These are ratios of norms. The layer with the longest "
                "gradient needs the smallest weight.",
            ),
            Mistake(
                "equal losses",
                (1.0, 0.008964, 0.00224, 8.301e-06, 0.008894),
                "You made the five losses equal at the start. Their "
                "gradients are another matter: measure these.",
            ),
            Mistake(
                "squared norms",
                (1.0, 6.283e-05, 1.777e-06, 3.832e-12, 1.069e-06),
                "You took sums of squares. The norm is the root of one.",
            ),
            Mistake(
                "sums of absolute values",
                (1.0, 0.01058, 0.001663, 2.489e-06, 0.001463),
                "You added up absolute values. The norm is the root of the "
                "sum of squares.",
            ),
            Mistake(
                "largest entries",
                (1.0, 0.00154, 0.0004905, 3.978e-07, 0.0001988),
                "You took the largest entry of each gradient. The norm "
                "counts all of them.",
            ),
            Mistake(
                "gradients added up",
                (1.0, 0.007917, 0.001247, 1.957e-06, 1.955e-06),
                "Each gradient holds those of the layers before: `backward` "
                "adds to `x.grad`. Clear it, or use `torch.autograd.grad`.",
            ),
            Mistake(
                "gradient at the maps",
                (1.0, 0.0185, 0.005764, 5.177e-05, 0.005655),
                "That is the gradient with respect to the layer's maps, "
                "(4.2). The pixels are asked for: go back through the "
                "network.",
            ),
            Mistake(
                "without M^2",
                (1.0, 0.1299, 0.3494, 0.009051, 76.48),
                "Your E lacks the division by M squared, which differs from "
                "layer to layer.",
            ),
            Mistake(
                "at the mixture",
                (1.0, 0.0008299, 0.0002179, 9.837e-07, 0.002071),
                "You started from the mixture of photo and painting. The "
                "photo itself is asked for.",
            ),
            Mistake(
                "from grey",
                (1.0, 0.004205, 0.00113, 3.85e-06, 0.02199),
                "You started from grey. The photo is asked for.",
            ),
            Mistake(
                "pictures swapped",
                (1.0, 0.002787, 0.0005356, 2.017e-06, 0.003415),
                "Photo and painting have changed places: x is the photo.",
            ),
            Mistake(
                "painting not reshaped",
                (1.0, 0.006897, 0.00129, 1.991e-06, 0.001024),
                "The painting has another shape than the photo: resize it "
                "to the photo's with `resize_to`.",
            ),
            Mistake(
                "painting at its full size",
                (1.0, 0.01371, 0.001053, 1.217e-06, 0.0008823),
                "The painting is larger than the photo, and its strokes "
                "with it: resize it to the photo's shape.",
            ),
            Mistake(
                "64 pixels",
                (1.0, 0.009195, 0.000684, 6.078e-07, 0.0003176),
                "These are the weights at 64 pixels. At 128 they are others.",
            ),
            Mistake(
                "256 pixels",
                (1.0, 0.00496, 0.001631, 3.677e-06, 0.004455),
                "These are the weights at 256 pixels. At 128 they are others.",
            ),
            Mistake(
                "the pair of section 4",
                (1.0, 0.000864, 0.0003802, 1.097e-06, 0.002627),
                "These are the weights for the pictures of section 4, at "
                "256 pixels. The exercise has others.",
            ),
            Mistake(
                "rescaled network",
                (1.0, 2.628, 0.6267, 0.1275, 0.003314),
                "That is the rescaled network. The plain one is asked for.",
            ),
            Mistake(
                "average pooling",
                (1.0, 0.03162, 0.01835, 0.0001013, 0.8213),
                "That is the network with average pooling. `vgg` has max "
                "pooling.",
            ),
            Mistake(
                "this course's weights",
                (1.0, 0.002364, 0.0009289, 5.1e-06, 0.02709),
                "These are this course's weights, one over typical losses. "
                "Measure gradients.",
            ),
            Mistake(
                "by width",
                (1.0, 0.25, 0.0625, 0.015625, 0.015625),
                "These are 1/N^2. Counting channels does not tell how long "
                "a gradient is: measure.",
            ),
        ),
    ),
)
