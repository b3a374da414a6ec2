"""How a loss pulls at the feature maps of a layer.

A pull adds the gradient of a loss with respect to maps F, (1, N, h, w), to
what arrives from the layers above.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from styletut.kernels.matmul import add_product
from styletut.kernels.onednn import enabled
from styletut.pullback import Pull


def all_of(pulls: Sequence[Pull]) -> Pull:
    """Return what pulls as all of them do."""

    def all_pulls(g: Tensor, F: Tensor) -> None:
        for pull in pulls:
            pull(g, F)

    return all_pulls


def content_pull(scale: float, P: Tensor) -> Pull:
    """Return what adds scale (F - P), (2.2)."""

    def pull(g: Tensor, F: Tensor) -> None:
        if scale:
            # the difference first, so that equal maps pull at nothing
            g.add_((F - P).mul_(scale))

    return pull


def style_pull(D: Tensor) -> Pull:
    """Return what adds D F, for a symmetric D, (4.2)."""

    def pull(g: Tensor, F: Tensor) -> None:
        if g.is_contiguous(memory_format=torch.channels_last):
            if enabled() and g.dtype == torch.float32 and g.is_cpu:
                add_product(g, F, D)
            else:
                _columns(g).addmm_(_columns(F), D.to(F.dtype))
        else:
            product = F.permute(0, 2, 3, 1) @ D.to(F.dtype)
            g.permute(0, 2, 3, 1).add_(product)

    return pull


def _columns(F: Tensor) -> Tensor:
    """Return maps (1, N, h, w) as a matrix (M, N) that shares its memory."""
    return F.permute(0, 2, 3, 1).flatten(1, 2)[0]
