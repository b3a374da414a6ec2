"""Exercise of notebook 06: the direction of L-BFGS by two loops."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from styletut.exercises.judging import Exercise, Mistake
from styletut.exercises.judging.tensors import waves

Pair = tuple[Tensor, Tensor]
Pairs = Sequence[Pair]


def _steps() -> list[tuple[Tensor, Pairs]]:
    hessian = torch.diag(torch.arange(1.0, 6, dtype=torch.float64)) + 0.5

    def pairs(*paces: float) -> list[Pair]:
        steps = [waves(5, pace=pace) for pace in paces]
        return [(s, hessian @ s) for s in steps]

    good = pairs(0.3, 1.9)
    third = (waves(5, pace=2.7), hessian @ waves(5, pace=2.7) + 0.3)
    bad = (waves(5, pace=0.8), -waves(5, pace=0.8))
    five = pairs(0.3, 1.9, 0.7, 1.2, 2.2)
    return [
        (waves(5), good),
        (waves(5, pace=1.1), [*good, third]),
        (waves(5, pace=0.9), [good[0], bad, third]),
        (waves(5, pace=0.4), [bad]),
        (waves(5, pace=0.5), []),
        (waves(5, pace=0.6), [*good, bad]),
        (waves(5, pace=0.35), [good[0], _flat(), good[1]]),
        (waves(5, pace=0.55), [(s * 0.01, y * 0.01) for s, y in good]),
        (waves(5, pace=0.65), five),
        (waves(5, pace=0.75), [good[0], _short(good[1])]),
    ]


def _short(pair: Pair) -> Pair:
    """Return a pair of the same curvature from a very short step."""
    s, y = pair
    return s * 1e-5, y * 1e-5


def _flat() -> Pair:
    """Return a pair whose product is 0, without a rounding error."""
    s = torch.tensor([1, 2, 0, 0, 0], dtype=torch.float64)
    y = torch.tensor([2, -1, 0, 0, 3], dtype=torch.float64)
    return s, y


def _usable(pairs: Pairs) -> list[Pair]:
    return [(s, y) for s, y in pairs if y @ s > 0]


def _scale(pair: Pair) -> Tensor:
    s, y = pair
    return (y @ s) / (y @ y)


def _loops(g: Tensor, pairs: Pairs, h: Tensor | float) -> Tensor:
    q, coefficients = _way_in(g, pairs)
    return _way_out(h * q, pairs, coefficients[::-1])


def _way_in(g: Tensor, pairs: Pairs) -> tuple[Tensor, list[Tensor]]:
    q, coefficients = g, []
    for s, y in reversed(pairs):
        a = (s @ q) / (y @ s)
        coefficients.append(a)
        q = q - a * y
    return q, coefficients


def _way_out(
    r: Tensor, pairs: Pairs, coefficients: Sequence[Tensor]
) -> Tensor:
    for (s, y), a in zip(pairs, coefficients, strict=True):
        r = r + (a - (y @ r) / (y @ s)) * s
    return r


def _with_usable(
    direction: Callable[[Tensor, Pairs], Tensor],
) -> Callable[[Tensor, Pairs], Tensor]:
    """Return a function that has usable pairs only, and -g without any."""

    def filtered(g: Tensor, pairs: Pairs) -> Tensor:
        usable = _usable(pairs)
        return direction(g, usable) if usable else -g

    return filtered


_direction = _with_usable(
    lambda g, pairs: -_loops(g, pairs, _scale(pairs[-1]))
)


def _kept(g: Tensor, pairs: Pairs) -> Tensor:
    return -_loops(g, pairs, _scale(pairs[-1])) if pairs else -g


def _zero_kept(g: Tensor, pairs: Pairs) -> Tensor:
    return _kept(g, [(s, y) for s, y in pairs if y @ s >= 0])


def _small_skipped(g: Tensor, pairs: Pairs) -> Tensor:
    return _kept(g, [(s, y) for s, y in pairs if y @ s > 1e-3])


def _scale_of_a_skipped_pair(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    return -_loops(g, usable, _scale(pairs[-1])) if usable else -g


def _coefficients_not_turned(g: Tensor, pairs: Pairs) -> Tensor:
    q, coefficients = _way_in(g, pairs)
    return -_way_out(_scale(pairs[-1]) * q, pairs, coefficients)


def _out_from_the_newest(g: Tensor, pairs: Pairs) -> Tensor:
    q, coefficients = _way_in(g, pairs)
    return -_way_out(_scale(pairs[-1]) * q, pairs[::-1], coefficients)


def _none_left_forgotten(g: Tensor, pairs: Pairs) -> Tensor:
    usable = _usable(pairs)
    return -_loops(g, usable, _scale(usable[-1]))


TWO_LOOPS = Exercise(
    number="06.3",
    right=_direction,
    praise="In, scale, out, and no pair of negative curvature.",
    cases=_steps,
    mistakes=(
        Mistake(
            "minus forgotten at the end",
            _with_usable(lambda g, pairs: _loops(g, pairs, _scale(pairs[-1]))),
            "Without pairs it is right; with them you returned H g. The "
            "direction of descent has a minus.",
        ),
        Mistake(
            "uphill",
            lambda g, pairs: -_direction(g, pairs),
            "That is H g. The direction of descent has a minus.",
        ),
        Mistake(
            "negative curvature kept",
            _kept,
            "A pair with y.s <= 0 was used. Skip it: H would not be positive.",
        ),
        Mistake(
            "zero curvature kept",
            _zero_kept,
            "A pair with y.s = 0 was used, and you divide by that number. "
            "Skip it as well.",
        ),
        Mistake(
            "small pairs skipped",
            _small_skipped,
            "A pair with a small y.s > 0 was skipped. Near the end all steps "
            "are short and all y.s small: only their sign tells the curvature "
            "upwards from downwards.",
        ),
        Mistake(
            "no pair left",
            _none_left_forgotten,
            "Here no pair is left after skipping. The exercise says what to "
            "return then.",
        ),
        Mistake(
            "scaling forgotten",
            _with_usable(lambda g, pairs: -_loops(g, pairs, 1.0)),
            "Between the loops q is multiplied by h; you took h = 1.",
        ),
        Mistake(
            "scaling of a skipped pair",
            _scale_of_a_skipped_pair,
            "h came from the last pair of the list, but that one is skipped. "
            "Take the newest that you use.",
        ),
        Mistake(
            "scaling of the oldest pair",
            _with_usable(lambda g, pairs: -_loops(g, pairs, _scale(pairs[0]))),
            "h belongs to the newest pair; you took the oldest.",
        ),
        Mistake(
            "order turned round",
            _with_usable(
                lambda g, pairs: -_loops(g, pairs[::-1], _scale(pairs[-1]))
            ),
            "The pairs come oldest first. On the way in the newest is the "
            "first to be used.",
        ),
        Mistake(
            "coefficients not turned round",
            _with_usable(_coefficients_not_turned),
            "On the way out each pair needs its own a. You found them newest "
            "first, and now the oldest pair is the first.",
        ),
        Mistake(
            "way out from the newest",
            _with_usable(_out_from_the_newest),
            "On the way out you began at the newest pair again. (6.9) goes "
            "the other way.",
        ),
        Mistake(
            "first loop alone",
            _with_usable(
                lambda g, pairs: -_scale(pairs[-1]) * _way_in(g, pairs)[0]
            ),
            "The way out is missing: (6.9), oldest pair first.",
        ),
        Mistake(
            "steepest descent",
            lambda g, pairs: -g,
            "That is -g: what the pairs know is not used.",
        ),
    ),
)
