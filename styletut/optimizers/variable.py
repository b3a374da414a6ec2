"""How pixels are kept in [0, 1] while an optimizer works on them.

Each rule ties a picture in [0, 1] to the tensor that the optimizer works on
and says how gradients go over from the one to the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from styletut.optimizers.descent import Bounds
from styletut.values import check_known, checked_real

RANGE_RULES = ("project", "sigmoid", "none")

SIGMOID_MARGIN = 1e-3
"""How far inside (0, 1) a picture must lie to have a finite logit."""


@dataclass(frozen=True)
class Variable:
    """How the optimizer's variable is tied to a picture in [0, 1]."""

    start: Tensor
    bounds: Bounds
    unit: float  # what 1 of a pixel's range is in it, about
    picture: Callable[[Tensor], Tensor]
    pull_back: Callable[[Tensor, Tensor], Tensor]  # gradient, variable
    cut: bool  # whether pictures may leave [0, 1] and are cut to it


def variable_of(
    start: Tensor, range_rule: str, pixel_unit: float | Sequence[float]
) -> Variable:
    """Return the variable for a picture, a range rule and a pixel unit.

    `transfer.minimize` tells what the arguments are.

    Raises:
        ValueError: for an unknown range rule.
    """
    check_rule(range_rule)
    if isinstance(pixel_unit, (tuple, list)) and len(pixel_unit) == 3:
        pixel_unit = [checked_real("pixel_unit", each) for each in pixel_unit]
    else:
        pixel_unit = checked_real("pixel_unit", pixel_unit)
    if start.shape[1] == 1:
        return _of_light(start, range_rule, pixel_unit)
    return _of_channels(start, range_rule, pixel_unit)


def _of_light(
    start: Tensor, range_rule: str, pixel_unit: float | Sequence[float]
) -> Variable:
    """Return a variable of one channel for a grey picture of three."""
    unit = float(torch.tensor(pixel_unit, dtype=torch.float32).mean())
    one = _of_channels(start, range_rule, unit)
    return replace(
        one,
        picture=lambda x: one.picture(x).repeat(1, 3, 1, 1),
        pull_back=lambda gradient, x: one.pull_back(
            gradient.sum(1, keepdim=True), x
        ),
    )


def _of_channels(
    start: Tensor, range_rule: str, pixel_unit: float | Sequence[float]
) -> Variable:
    """Return a variable of a picture's own channels."""
    if range_rule == "sigmoid":
        inside = start.clamp(SIGMOID_MARGIN, 1 - SIGMOID_MARGIN)
        return Variable(
            torch.logit(inside),
            None,
            4.0,  # the logit's slope at 1/2
            torch.sigmoid,
            lambda gradient, z: gradient * _sigmoid_slope(z),
            cut=False,
        )
    unit = start.new_tensor(pixel_unit).reshape(-1, 1, 1)
    bounds = (torch.zeros_like(unit), unit)
    return Variable(
        start * unit,
        bounds if range_rule == "project" else None,
        float(unit.mean()),
        lambda x: x / unit,
        lambda gradient, x: (gradient / unit).contiguous(),
        cut=range_rule == "none",
    )


def check_rule(range_rule: str) -> None:
    """Raise ValueError for an unknown range rule."""
    check_known("range rule", range_rule, RANGE_RULES)


def _sigmoid_slope(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * torch.sigmoid(-z)
