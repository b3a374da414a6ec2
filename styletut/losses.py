"""The formulas of neural style transfer as pure functions of tensors.

Numbers in parentheses are those of Gatys, Ecker, Bethge, "Image style
transfer using convolutional neural networks" (CVPR 2016). Feature maps F
have the paper's form (N, M), N channels by M positions, or the network's,
(B, N, h, w) with M = h w. Every loss is a sum over all entries, a batch
included; no picture of a batch is ever mixed with another.
"""

import math

import torch
from torch import Tensor

from styletut.kernels.matmul import as_matrix, gram
from styletut.values import real, told


def content_loss(F: Tensor, P: Tensor) -> Tensor:
    """Return 1/2 sum (F - P)^2, equation (1), notebook 02 (2.1).

    Args:
        F: feature maps of the generated picture, (N, M) or (B, N, h, w).
        P: those of the content picture, same shape and dtype.

    Returns:
        The loss, a 0-dimensional tensor.

    Raises:
        ValueError: if shapes, dtypes or devices differ or do not fit.
    """
    _check_pair(F, P)
    return (F - P).square().sum() / 2


def content_gradient(F: Tensor, P: Tensor) -> Tensor:
    """Return the derivative of `content_loss` with respect to F: F - P.

    Notebook 02, (2.2). The paper's equation (2) is this times [F > 0], the
    derivative through the ReLU: see `relu_gate`. Arguments and errors are
    those of `content_loss`.
    """
    _check_pair(F, P)
    return F - P


def gram_matrix(F: Tensor) -> Tensor:
    """Return G = F F^T, the inner products between channels.

    Equation (3) of the paper, (3.1) of notebook 03.

    Args:
        F: feature maps, (N, M) or (B, N, h, w).

    Returns:
        The Gram matrix, divided by nothing, (N, N) or (B, N, N).

    Raises:
        ValueError: if F has another number of axes or is not floating.
    """
    _check_map(F)
    return gram(as_matrix(F)).to(F.dtype)  # F @ F.T


def guided_gram(F: Tensor, masks: Tensor) -> Tensor:
    """Return G_r = F_r F_r^T with F_r = T_r F, a Gram matrix for each region.

    Gatys, Ecker, Bethge, Hertzmann, Shechtman, "Controlling perceptual
    factors in neural style transfer" (CVPR 2017), section 4; notebook 10,
    (10.5). At each position a mask T_r multiplies all channels, and so the
    position counts T_r^2 in G_r. The paper divides T_r so that the sum of
    its squares is 1; here nothing is divided, as in `gram_matrix`. Where the
    squares of all masks add up to 1 at each position, as where regions have
    sharp borders and cover the picture, the matrices add up to F F^T.

    Args:
        F: feature maps, (N, M), or (1, N, h, w) with M = h w.
        masks: T_r, (R, M) or (R, h, w), floating, of F's dtype and device.

    Returns:
        (R, N, N).

    Raises:
        ValueError: if shapes, dtypes or devices differ or do not fit.
    """
    _check_map(F)
    _check_masks(F, masks)
    maps = F[0] if F.ndim == 4 else F
    return torch.stack([gram_matrix((T * maps).flatten(1)) for T in masks])


def guided_style_layer_loss(
    F: Tensor, masks: Tensor, A: Tensor, M_a: Tensor
) -> Tensor:
    """Return 1/(4 N^2) sum_r m_r ||G_r/M_r - A_r/M_a,r||^2.

    Notebook 10, (10.6): the paper's sum over regions with weights lambda_r.
    M_r = sum T_r^2 counts the region's positions, and its weight is the share
    of it, m_r = M_r / sum_r M_r: a position then weighs as much in a small
    region as in a large one, and one region that is everything gives
    `style_layer_loss`.

    Args:
        F: feature maps, as `guided_gram` takes them.
        masks: T_r, the same.
        A: the regions' targets, divided by nothing, (R, N, N).
        M_a: sum T_a,r^2, the number of positions of each target, (R,).

    Returns:
        The loss, a 0-dimensional tensor.

    Raises:
        ValueError: if shapes, dtypes or devices differ or do not fit, or a
            region or a target has no position.
    """
    D, shares, _ = _guided_differences(F, masks, A, M_a)
    N = D.shape[-1]
    return (shares * D.square().sum((1, 2))).sum() / (4 * N**2)


def guided_style_layer_gradient(
    F: Tensor, masks: Tensor, A: Tensor, M_a: Tensor
) -> Tensor:
    """Return the derivative of `guided_style_layer_loss` by F.

    Notebook 10, (10.7): 1/N^2 sum_r m_r/M_r (G_r/M_r - A_r/M_a,r) T_r^2 F,
    for G_r depends on F as F does on T_r F. Arguments and errors are those
    of `guided_style_layer_loss`.

    Returns:
        The gradient, of F's shape.
    """
    D, shares, M = _guided_differences(F, masks, A, M_a)
    N, R = D.shape[-1], len(D)
    columns = as_matrix(F).reshape(N, -1)
    squares = masks.reshape(R, -1).square()
    parts = D @ (squares[:, None] * columns)
    return ((shares / M)[:, None, None] * parts).sum(0).reshape(F.shape) / N**2


def gram_difference(G: Tensor, M: float, A: Tensor, M_a: float) -> Tensor:
    """Return G/M - A/M_a, which the style loss squares.

    Args:
        G: Gram matrix of the generated picture, (N, N) or (B, N, N).
        M: number of positions G was summed over.
        A: that of the style picture, of the same shape.
        M_a: number of positions A was summed over.
    """
    return G / M - A / M_a


def style_layer_loss(F: Tensor, A: Tensor, M_a: float | None = None) -> Tensor:
    """Return E = 1/(4 N^2) ||G/M - A/M_a||^2, equation (4).

    Notebook 04, (4.1), and (4.4) for two sizes.

    A run computes it in parts, by `objective.layer_losses.StyleLoss`.

    With as many positions in both pictures, M_a = M, this is the paper's
    1/(4 N^2 M^2) sum (G - A)^2. Dividing each Gram matrix by its own
    number of positions is the reading of (4) for pictures of two sizes.

    Args:
        F: feature maps of the generated picture, (N, M) or (B, N, h, w).
        A: Gram matrix of the style picture, divided by nothing, (N, N) or
            (B, N, N).
        M_a: number of positions A was summed over; M if not given.

    Returns:
        The loss, a 0-dimensional tensor.

    Raises:
        ValueError: if shapes, dtypes or devices differ or do not fit, or
            M_a is not positive.
    """
    difference = _difference(F, A, M_a)
    N = difference.shape[-1]
    return difference.square().sum() / (4 * N**2)


def style_layer_gradient(
    F: Tensor, A: Tensor, M_a: float | None = None
) -> Tensor:
    """Return dE/dF = 1/(N^2 M) (G/M - A/M_a) F, equation (6).

    Notebook 04, (4.2).

    With M_a = M this is the paper's 1/(N^2 M^2) (G - A) F; its [F > 0]
    is `relu_gate`. Arguments and errors are those of `style_layer_loss`.

    Returns:
        The gradient, of F's shape.
    """
    difference = _difference(F, A, M_a)
    columns = as_matrix(F)
    N, M = columns.shape[-2:]
    gradient = difference @ columns / (N**2 * M)
    return gradient.reshape(F.shape)


def _difference(F: Tensor, A: Tensor, M_a: float | None) -> Tensor:
    """Return G/M - A/M_a for feature maps, once all is seen to fit."""
    _check_map(F)
    N, M = as_matrix(F).shape[-2:]
    expected = (*F.shape[:-3], N, N)
    if tuple(A.shape) != expected:
        raise ValueError(
            f"for feature maps of shape {tuple(F.shape)} the Gram matrix A "
            f"must have shape {expected}, not {tuple(A.shape)}"
        )
    _check_alike(F, A, "the feature maps", "the Gram matrix A")
    positions = M if M_a is None else real(M_a)
    if positions is None or not 0 < positions < math.inf:
        raise ValueError(f"M_a counts positions; it cannot be {told(M_a)}")
    return gram_difference(gram_matrix(F), M, A, positions)


def _guided_differences(
    F: Tensor, masks: Tensor, A: Tensor, M_a: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return G_r/M_r - A_r/M_a,r, the regions' shares, and M_r."""
    G = guided_gram(F, masks)
    if A.shape != G.shape or tuple(M_a.shape) != (len(G),):
        raise ValueError(
            f"for {len(G)} regions and {G.shape[-1]} channels A must have "
            f"shape {tuple(G.shape)} and M_a ({len(G)},), not "
            f"{tuple(A.shape)} and {tuple(M_a.shape)}"
        )
    _check_alike(F, A, "the feature maps", "the Gram matrices A")
    M = masks.square().flatten(1).sum(1)
    for counts, name in ((M, "the masks"), (M_a, "M_a")):
        if not (counts > 0).all():
            raise ValueError(
                f"of {name} one is empty: a region needs a position, and "
                "what it is compared with, too"
            )
    D = G / M[:, None, None] - A / M_a[:, None, None]
    return D, M / M.sum(), M


def relu_gate(gradient: Tensor, F: Tensor) -> Tensor:
    """Return `gradient` where F > 0 and 0 elsewhere, notebook 02 (2.3).

    It takes a gradient with respect to rectified maps F = max(Z, 0) to
    that with respect to Z: the case distinction of equations (2) and (6).

    Raises:
        ValueError: if shapes, dtypes or devices differ or do not fit.
    """
    _check_pair(gradient, F)
    return torch.where(F > 0, gradient, torch.zeros_like(gradient))


def total_variation(x: Tensor, kind: str = "squared") -> Tensor:
    """Return the sum over all pixels of how much neighbors differ.

    With d_v and d_h a pixel's differences to the next one below and to
    the right (0 at the border), the summand is d_v^2 + d_h^2 ("squared"),
    |d_v| + |d_h| ("anisotropic") or its root sqrt(d_v^2 + d_h^2)
    ("isotropic": Rudin, Osher, Fatemi 1992), for every channel by itself:
    notebook 05, (5.5).

    Args:
        x: a picture (..., H, W).
        kind: "squared", "anisotropic" or "isotropic".

    Returns:
        The sum, a 0-dimensional tensor. Its derivative by autograd is 0,
        never NaN, where both differences vanish.

    Raises:
        ValueError: for another kind, less than two axes or integers.
    """
    d_v, d_h = _differences(x, kind)
    if kind == "squared":
        return d_v.square().sum() + d_h.square().sum()
    if kind == "anisotropic":
        return d_v.abs().sum() + d_h.abs().sum()
    return _length(d_v, d_h).sum()


def total_variation_gradient(x: Tensor, kind: str = "squared") -> Tensor:
    """Return the derivative of `total_variation` with respect to x.

    It is minus the divergence of (2 d_v, 2 d_h), of the signs, or of the
    unit vectors (d_v, d_h) / sqrt(d_v^2 + d_h^2): for "squared", minus
    twice the Laplacian with replicated border. Arguments and errors are
    those of `total_variation`. Notebook 05, (5.6).

    Returns:
        The gradient, of x's shape.
    """
    d_v, d_h = _differences(x, kind)
    if kind == "squared":
        p_v, p_h = 2 * d_v, 2 * d_h
    elif kind == "anisotropic":
        p_v, p_h = d_v.sign(), d_h.sign()
    else:
        length = _length(d_v, d_h)
        length = torch.where(length > 0, length, torch.ones_like(length))
        p_v, p_h = d_v / length, d_h / length
    # the last row of p_v and column of p_h are 0, so rolling wraps zeros
    return p_v.roll(1, -2) - p_v + p_h.roll(1, -1) - p_h


def _length(d_v: Tensor, d_h: Tensor) -> Tensor:
    """Return sqrt(d_v^2 + d_h^2) with derivative 0, not NaN, at 0."""
    squares = d_v.square() + d_h.square()
    moves = squares > 0
    root = torch.where(moves, squares, torch.ones_like(squares)).sqrt()
    return torch.where(moves, root, torch.zeros_like(root))


def _differences(x: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    kinds = ("squared", "anisotropic", "isotropic")
    if kind not in kinds:
        raise ValueError(
            f"total variation is of kind {', '.join(kinds)}; not {kind!r}"
        )
    _check_floating(x, "the picture")
    if x.ndim < 2:
        raise ValueError(
            f"a picture has shape (..., H, W); not {tuple(x.shape)}"
        )
    pad = torch.nn.functional.pad
    d_v = pad(x.diff(dim=-2), (0, 0, 0, 1))
    d_h = pad(x.diff(dim=-1), (0, 1))
    return d_v, d_h


def _check_floating(x: Tensor, name: str) -> None:
    if not x.is_floating_point():
        raise ValueError(f"{name} must hold floating numbers, not {x.dtype}")


def _check_map(F: Tensor) -> None:
    _check_floating(F, "the feature maps")
    if F.ndim not in (2, 4) or F.numel() == 0:
        raise ValueError(
            "feature maps have shape (N, M) or (B, N, h, w) with no empty "
            f"axis; not {tuple(F.shape)}"
        )


def _check_masks(F: Tensor, masks: Tensor) -> None:
    _check_floating(masks, "the masks")
    positions = tuple(F.shape[2:] if F.ndim == 4 else F.shape[1:])
    one = F.ndim == 2 or len(F) == 1
    if not one or tuple(masks.shape[1:]) != positions or len(masks) == 0:
        raise ValueError(
            f"for feature maps of one picture, here of shape "
            f"{tuple(F.shape)}, the masks must have shape (R, "
            f"{', '.join(map(str, positions))}), not {tuple(masks.shape)}"
        )
    _check_alike(F, masks, "the feature maps", "the masks")


def _check_alike(F: Tensor, P: Tensor, name: str, other: str) -> None:
    if F.dtype != P.dtype or F.device != P.device:
        raise ValueError(
            f"{name} are {F.dtype} on {F.device} and {other} "
            f"{P.dtype} on {P.device}; convert one with .to(...)"
        )


def _check_pair(F: Tensor, P: Tensor) -> None:
    _check_map(F)
    if F.shape != P.shape:
        raise ValueError(
            f"the two feature maps have shapes {tuple(F.shape)} and "
            f"{tuple(P.shape)}; they must be equal"
        )
    _check_alike(F, P, "the first maps", "the second")
