"""Numbers that the exercises are tried with."""

import torch
from torch import Tensor


def waves(*shape: int, pace: float = 1.0) -> Tensor:
    """Return numbers of both signs, the same on every machine.

    Args:
        shape: Of the result.
        pace: Another pace, other numbers.

    Returns:
        Numbers in [-2, 2], float64.
    """
    count = torch.Size(shape).numel()
    numbers = torch.arange(1, count + 1, dtype=torch.float64)
    return (numbers.square().mul(pace).sin() * 2).reshape(shape)
