"""Exercises of notebook 08: what each layer is good for."""

import math
from collections.abc import Mapping, Sequence

from styletut.exercises.ch08_chance import CHANCE
from styletut.exercises.judging import Exercise, Mistake

Numbers = Sequence[float]
Weights = Mapping[str, float]


def _divided(values: Numbers) -> list[float]:
    return [value / sum(values) for value in values]


def _sets() -> list[tuple[Weights, Weights, str]]:
    return [
        (
            {"a": 1.0, "b": 0.5, "c": 0.25},
            {"a": 2.0, "b": 4.0, "c": 24.0},
            "c",
        ),
        ({"a": 3.0, "b": 1.0}, {"a": 0.5, "b": 6.0}, "a"),
        (
            {"u": 0.1, "v": 0.7, "w": 0.4, "x": 2.0},
            {"u": 10.0, "v": 3.0, "w": 5.0, "x": 0.3},
            "v",
        ),
    ]


def _rest(weights: Weights, layer: str) -> dict[str, float]:
    return {name: w for name, w in weights.items() if name != layer}


def _loss(weights: Weights, typical: Weights) -> float:
    return sum(w * typical[name] for name, w in weights.items())


def _times(weights: Weights, factor: float) -> dict[str, float]:
    return {name: factor * w for name, w in weights.items()}


def _without(
    weights: Weights, typical: Weights, layer: str
) -> dict[str, float]:
    rest = _rest(weights, layer)
    return _times(rest, _loss(weights, typical) / _loss(rest, typical))


def _sum_kept(
    weights: Weights, typical: Weights, layer: str
) -> dict[str, float]:
    rest = _rest(weights, layer)
    return _times(rest, sum(weights.values()) / sum(rest.values()))


def _handed_on(
    weights: Weights, typical: Weights, layer: str
) -> dict[str, float]:
    rest = _rest(weights, layer)
    part = weights[layer] * typical[layer] / len(rest)
    return {name: w + part / typical[name] for name, w in rest.items()}


def _weight_handed_on(
    weights: Weights, typical: Weights, layer: str
) -> dict[str, float]:
    rest = _rest(weights, layer)
    return {name: w + weights[layer] / len(rest) for name, w in rest.items()}


def _spoken() -> list[tuple[Numbers]]:
    lists = (
        [0.5, 0.25, 0.25],
        [3.0, 1.0],
        [8.0, 8.0, 8.0, 8.0],
        [0.0, 5.0, 0.0],
        [90.0, 4.0, 3.0, 2.0, 1.0],
    )
    return [(list(each),) for each in lists]


def _voices(losses: Numbers) -> float:
    return sum(losses) ** 2 / sum(each**2 for each in losses)


def _entropy(losses: Numbers) -> float:
    logarithms = [s * math.log(s) for s in _divided(losses) if s > 0]
    return math.exp(-sum(logarithms))


EXERCISES = (
    CHANCE,
    Exercise(
        number="08.2",
        right=(1 / 9, 1 / 81, 1 / 9),
        tolerance=5e-3,  # three digits are enough
        praise="Content goes with the square, style with the fourth power.",
        mistakes=(
            Mistake(
                "losses as the maps",
                (1 / 3, 1 / 9, 1 / 3),
                "C is a sum of squares: a third, squared. And G is made of "
                "products already.",
            ),
            Mistake(
                "the style squared once",
                (1 / 9, 1 / 9, 1.0),
                "G falls to a ninth, and the difference of two such is "
                "squared.",
            ),
            Mistake(
                "the balance the other way",
                (1 / 9, 1 / 81, 9.0),
                "The style loss falls more than the content loss. Which of "
                "the two weights must become the smaller one?",
            ),
            Mistake(
                "upside down",
                (9.0, 81.0, 9.0),
                "The maps become smaller, and so do the losses.",
            ),
            Mistake(
                "nothing to re-tune",
                (1 / 9, 1 / 81, 1.0),
                "The two losses fall by different factors, so their balance "
                "moves.",
            ),
            Mistake(
                "style with the third power",
                (1 / 9, 1 / 27, 1 / 3),
                "G holds products of two values, and E their square: how "
                "many factors of a third is that?",
            ),
            Mistake(
                "the style alone",
                (1 / 9, 1 / 81, 1 / 81),
                "That would undo the fall of the style loss. The content "
                "loss has fallen, too.",
            ),
        ),
    ),
    Exercise(
        number="08.3",
        right=_without,
        praise="One layer less, and no less style.",
        cases=_sets,
        mistakes=(
            Mistake(
                "nothing handed on",
                lambda weights, typical, layer: _rest(weights, layer),
                "The layer is gone, and its part of the style loss with it: "
                "the content now counts for more.",
            ),
            Mistake(
                "weights for losses",
                _sum_kept,
                "You kept the sum of the weights. What must stay is the sum "
                "of weights times typical losses.",
            ),
            Mistake(
                "by the number of layers",
                lambda weights, typical, layer: _times(
                    _rest(weights, layer), len(weights) / (len(weights) - 1)
                ),
                "You counted layers. Only where all shares are equal is that "
                "the same.",
            ),
            Mistake(
                "kept with weight 0",
                lambda weights, typical, layer: {
                    **_without(weights, typical, layer),
                    layer: 0.0,
                },
                "The layer is still in the dictionary, with weight 0: it "
                "would be computed for nothing.",
            ),
            Mistake(
                "handed on in equal parts",
                _handed_on,
                "You gave each of the others an equal part. One factor for "
                "all leaves their proportions as they were.",
            ),
            Mistake(
                "weight handed on in equal parts",
                _weight_handed_on,
                "You added a part of the weight to each of the others. The "
                "same weight is more of a loss in a louder layer.",
            ),
            Mistake(
                "the only one left",
                lambda weights, typical, layer: {layer: weights[layer]},
                "You kept the layer that was to be left out.",
            ),
            Mistake(
                "factor upside down",
                lambda weights, typical, layer: _times(
                    _rest(weights, layer),
                    _loss(_rest(weights, layer), typical)
                    / _loss(weights, typical),
                ),
                "The factor is upside down: the others must have more to "
                "say, not less.",
            ),
        ),
    ),
    Exercise(
        number="08.4",
        right=_voices,
        praise="Two of equal strength are two; a shout and a whisper are one.",
        cases=_spoken,
        mistakes=(
            Mistake(
                "shares forgotten",
                lambda losses: 1 / sum(each**2 for each in losses),
                "You took the losses for shares. Divide by their sum first.",
            ),
            Mistake(
                "upside down",
                lambda losses: 1 / _voices(losses),
                "That is the sum of the squared shares. For n equal voices it "
                "is 1/n.",
            ),
            Mistake(
                "all that are not 0",
                lambda losses: float(sum(each > 0 for each in losses)),
                "You counted all layers that say anything at all.",
            ),
            Mistake(
                "by the loudest",
                lambda losses: sum(losses) / max(losses),
                "You asked how often the loudest goes into the sum. The "
                "others count by their squares, too.",
            ),
            Mistake(
                "entropy",
                _entropy,
                "That is the exponential of the entropy: another count of "
                "voices, and a good one. The exercise asks for the one with "
                "squares.",
            ),
            Mistake(
                "squares of the losses",
                lambda losses: sum(losses) / sum(each**2 for each in losses),
                "The sum is squared as well, or the unit does not cancel.",
            ),
            Mistake(
                "root taken",
                lambda losses: _voices(losses) ** 0.5,
                "You took a root at the end: n equal voices must count n.",
            ),
        ),
    ),
)
