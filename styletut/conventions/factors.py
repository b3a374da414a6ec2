"""The factors c, d and s that tell conventions apart, as functions.

A convention scales the formulas of `styletut.losses` by c(N, M), d(N, M)
and s(N, M, pixels), for N channels and M positions of a layer; see
`styletut.conventions` for what they mean.
"""

from torch import Tensor


def half_sum(N: int, M: int) -> float:
    """1/2 sum (F - P)^2, the paper's."""
    return 1.0


def plain_sum(N: int, M: int) -> float:
    """Twice that, without the half."""
    return 2.0


def mean(N: int, M: int) -> float:
    """Mean of (F - P)^2 over its N M entries."""
    return 2 / (N * M)


def undivided(N: int, M: int) -> float:
    """G itself."""
    return 1.0


def by_positions(N: int, M: int) -> float:
    """G / M, the mean over positions."""
    return float(M)


def by_entries(N: int, M: int) -> float:
    """G / (N M), over the entries of the feature maps."""
    return float(N * M)


def paper_style(N: int, M: int, pixels: int) -> float:
    """1 / (4 N^2 M^2), for undivided Gram matrices."""
    return 1 / (4 * N**2 * M**2)


def quarter_mean(N: int, M: int, pixels: int) -> float:
    """1 / (4 N^2)."""
    return 1 / (4 * N**2)


def gram_mean(N: int, M: int, pixels: int) -> float:
    """1 / N^2: the mean over the Gram matrix's entries."""
    return 1 / N**2


def gram_sum(N: int, M: int, pixels: int) -> float:
    """The sum over the Gram matrix's entries."""
    return 1.0


def keras_style(N: int, M: int, pixels: int) -> float:
    """1 / (4 3^2 pixels^2): the picture's channels and size at all layers."""
    return 1 / (4 * 3**2 * pixels**2)


def mean_variation(x: Tensor) -> Tensor:
    """Half of mean |d_v| plus half of mean |d_h| (D2L, pastiche)."""
    return (x.diff(dim=-2).abs().mean() + x.diff(dim=-1).abs().mean()) / 2


def power_variation(x: Tensor) -> Tensor:
    """Sum of (d_v^2 + d_h^2)^1.25 over all but the last row and column."""
    return _cells(x).pow(1.25).sum()


def half_cells_variation(x: Tensor) -> Tensor:
    """Half the sum of d_v^2 + d_h^2 over all but the last row and column."""
    return _cells(x).sum() / 2


def _cells(x: Tensor) -> Tensor:
    d_v = x.diff(dim=-2)[..., :, :-1]
    d_h = x.diff(dim=-1)[..., :-1, :]
    return d_v.square() + d_h.square()


def keras_rate(k: int) -> float:
    """100 * 0.96^(k / 100)."""
    return 100 * 0.96 ** (k / 100)


def d2l_rate(k: int) -> float:
    """0.3, times 0.8 after every 50 steps."""
    return 0.3 * float(0.8 ** (k // 50))


def cs231n_rate(k: int) -> float:
    """3, and 0.1 from step 180 on."""
    return 3.0 if k < 180 else 0.1
