"""Exercise of notebook 01: the numbers of VGG-19's layers."""

from styletut.exercises.judging import Exercise, Mistake
from styletut.vgg import LAYERS


def _names() -> list[tuple[str]]:
    return [(name,) for name in LAYERS]  # a table of a few is no answer


def _names_without(kind: str) -> list[str]:
    return [name for name in LAYERS if not name.startswith(kind)]


def _without_poolings(layer: str) -> int:
    below = LAYERS[: LAYERS.index(layer)]
    return sum(not name.startswith("pool") for name in below)


def _convolutions_alone(layer: str) -> int:
    kept = [name for name in LAYERS if name.startswith("conv")]
    return kept.index(layer.replace("relu", "conv"))


def _of_vgg16(layer: str) -> int:
    names = []
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for k in range(1, count + 1):
            names += [f"conv{block}_{k}", f"relu{block}_{k}"]
        names.append(f"pool{block}")
    return names.index(layer)


INDEX = Exercise(
    number="01.3",
    right=LAYERS.index,
    praise="Convolutions, ReLUs and poolings all count, from 0.",
    cases=_names,
    mistakes=(
        Mistake(
            "counted from 1",
            lambda layer: LAYERS.index(layer) + 1,
            "You are one too far: Python counts from 0.",
        ),
        Mistake(
            "poolings not counted",
            _without_poolings,
            "The poolings below have numbers of their own, too.",
        ),
        Mistake(
            "poolings left out of the list",
            lambda layer: _names_without("pool").index(layer),
            "Your list has no poolings. They have numbers of their own, and "
            "may be asked for.",
        ),
        Mistake(
            "ReLUs not counted",
            lambda layer: _names_without("relu").index(
                layer.replace("relu", "conv")
            ),
            "The ReLUs have numbers of their own, too.",
        ),
        Mistake(
            "ReLUs left out of the list",
            lambda layer: _names_without("relu").index(layer),
            "Your list has no ReLUs. They have numbers of their own, and may "
            "be asked for.",
        ),
        Mistake(
            "convolutions alone",
            _convolutions_alone,
            "You counted the convolutions alone. ReLUs and poolings have "
            "numbers of their own, too.",
        ),
        Mistake(
            "VGG-16",
            _of_vgg16,
            "Up to conv3_3 it is right, and then you counted VGG-16. Ours is "
            "VGG-19: how many convolutions has its third block?",
        ),
        Mistake(
            "convolution for ReLU",
            lambda layer: LAYERS.index(layer.replace("relu", "conv")),
            "For a ReLU you gave the number of its convolution.",
        ),
        Mistake(
            "ReLU for convolution",
            lambda layer: LAYERS.index(layer.replace("conv", "relu")),
            "For a convolution you gave the number of its ReLU.",
        ),
    ),
)
