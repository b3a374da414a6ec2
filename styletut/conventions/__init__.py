"""How each known implementation scales the same formulas.

For one network and one pair of pictures, every implementation in the table
minimizes

    alpha sum_l v_l c 1/2 sum (F - P)^2
      + beta sum_l w_l s ||G/d - A/d_a||^2 + gamma TV(unit x)

with factors c(N, M), d(N, M) and s(N, M, pixels) of its own; d_a is d for
the style picture's number of positions. In units of the paper's formulas
(1) and (4) its style term is kappa E, kappa = 4 N^2 M^2 s / d^2. Because
these factors differ by many orders of magnitude, "alpha / beta" means
something else in each of them: `convert_weights` translates.
"""

from styletut.conventions.convention import Convention, check_runnable
from styletut.conventions.published import (
    CONVENTIONS,
    DEFAULT_CONVENTION,
    get_convention,
)
from styletut.conventions.translation import (
    convert_weights,
    kappa,
    paper_weights,
    style_content_ratio,
)

__all__ = [
    "CONVENTIONS",
    "DEFAULT_CONVENTION",
    "Convention",
    "check_runnable",
    "convert_weights",
    "get_convention",
    "kappa",
    "paper_weights",
    "style_content_ratio",
]
