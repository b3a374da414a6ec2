"""L + delta L_t: a frame's objective that knows the frame before."""

from dataclasses import replace

import torch
from torch import Tensor

from styletut.objective import Objective, Terms
from styletut.values import checked_real


def temporal_loss(x: Tensor, target: Tensor, trust: Tensor) -> Tensor:
    """Return L_t = 1/D sum c (x - w)^2, notebook 12, (12.3).

    Ruder, Dosovitskiy, Brox (2016), (7).

    Args:
        x: the frame's painting, (1, 3, H, W).
        target: w, the painting before, moved to where this frame has it.
        trust: c, (1, 1, H, W), from 0, anything may be there, to 1.

    Returns:
        Of D = 3HW numbers the weighted mean square; no dimensions.
    """
    return (trust * (x - target).square()).mean()


class TemporalObjective:
    """An objective with delta L_t in its total, for `minimize`.

    Args:
        objective: of this frame.
        target: see `temporal_loss`.
        trust: see `temporal_loss`.
        delta: weight of L_t.

    Raises:
        ValueError: for a target of another shape than the frame, or a weight
            below 0.
    """

    def __init__(
        self,
        objective: Objective,
        target: Tensor,
        trust: Tensor,
        delta: float,
    ) -> None:
        if tuple(target.shape) != objective.shape:
            raise ValueError(
                f"the frame before has shape {tuple(target.shape)} and this "
                f"one {objective.shape}; they must be equal"
            )
        self.objective = objective
        self.delta = checked_real("delta", delta)
        self.target, self.trust = target, trust
        self.shape, self.precision = objective.shape, objective.precision

    def __call__(self, x: Tensor) -> Terms:
        """Compute every term for the picture x, see `Objective`."""
        return self._more(self.objective(x), x)

    def gradient(self, x: Tensor) -> tuple[Terms, Tensor]:
        """Return the terms and the total's gradient with respect to x.

        L_t adds 2 delta c (x - w) / D, notebook 12, (12.4).
        """
        terms, gradient = self.objective.gradient(x)
        pull = self.trust * (x.detach() - self.target)
        with torch.no_grad():
            gradient = gradient + 2 * self.delta / x.numel() * pull
            return self._more(terms, x.detach()), gradient

    def _more(self, terms: Terms, x: Tensor) -> Terms:
        own = temporal_loss(x, self.target, self.trust)
        return replace(terms, total=terms.total + self.delta * own)
