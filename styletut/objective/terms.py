"""The value of an objective, term by term."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Terms:
    """The value of an objective, term by term, as 0-dimensional tensors.

    Attributes:
        content: sum_l v_l C_l, equation (1) with the convention's factor.
        style: sum_l w_l E_l, equation (5) with the convention's factor.
        tv: the total variation.
        total: alpha content + beta style + gamma tv, equation (7).
        content_layers: layer -> C_l, without v_l.
        style_layers: layer -> E_l, without w_l.
        alpha: weight of the content term.
        beta: weight of the style term.
        gamma: weight of the total variation.
    """

    content: Tensor
    style: Tensor
    tv: Tensor
    total: Tensor
    content_layers: dict[str, Tensor]
    style_layers: dict[str, Tensor]
    alpha: float
    beta: float
    gamma: float

    def weighted(self) -> dict[str, Tensor]:
        """Return what each term adds to the total, by its name."""
        return {
            "content": self.alpha * self.content,
            "style": self.beta * self.style,
            "tv": self.gamma * self.tv,
        }

    def tensors(self) -> list[Tensor]:
        """Return all numbers, as `with_tensors` takes them."""
        layers = [*self.content_layers.values(), *self.style_layers.values()]
        return [self.content, self.style, self.tv, self.total, *layers]

    def with_tensors(self, tensors: Iterable[Tensor]) -> "Terms":
        """Return the same terms with other numbers."""
        content, style, tv, total, *layers = tensors
        count = len(self.content_layers)
        return replace(
            self,
            content=content,
            style=style,
            tv=tv,
            total=total,
            content_layers=dict(
                zip(self.content_layers, layers[:count], strict=True)
            ),
            style_layers=dict(
                zip(self.style_layers, layers[count:], strict=True)
            ),
        )

    def detach(self) -> "Terms":
        """Return the same numbers without their graph."""
        return self.with_tensors(each.detach() for each in self.tensors())


def weighted_sum(
    losses: Mapping[str, Tensor], weights: Mapping[str, float], x: Tensor
) -> Tensor:
    """Return sum_l w_l L_l in the dtype of x, 0 where there is no layer."""
    terms = [weights[layer] * loss for layer, loss in losses.items()]
    return torch.stack(terms).sum() if terms else x.new_zeros(())
