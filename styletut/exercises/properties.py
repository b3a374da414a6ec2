"""Properties that the functions of a style transfer must have.

    >>> from styletut.exercises.properties import failures
    >>> failures("gram", lambda F: F.flatten(2) @ F.flatten(2).mT)
    []

Notebook 04 puts flawed functions through them, the tests put the package's
through them, and students their own. A property is a small function that
takes the candidate and returns whether it holds; a candidate that raises an
error does not have it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from styletut.exercises.judging.tensors import waves
from styletut.exercises.judging.wording import one_line
from styletut.losses import gram_matrix, style_layer_gradient

Property = Callable[[Any], bool]


def failures(kind: str, candidate: Any) -> list[str]:
    """Return the names of the properties that a candidate does not have.

    Args:
        kind: What the candidate is for, a key of `PROPERTIES`.
        candidate: The function; `PROPERTIES` says how it is called.

    Returns:
        The names in order, an empty list if all hold. Where a check stopped
        with an error it is printed, so that a typo is not taken for an error
        of thought; each once.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in PROPERTIES:
        raise ValueError(
            f"there is no kind {kind!r}; there are {', '.join(PROPERTIES)}"
        )
    failed: list[str] = []
    told: set[str] = set()
    for name, holds in PROPERTIES[kind].items():
        try:
            if holds(candidate):
                continue
        except Exception as error:  # whatever a candidate does, it only fails
            told.add(one_line(f"{type(error).__name__}: {error}"))
        failed.append(name)
    for why in sorted(told):
        print(f"stops with {why}")
    return failed


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(
        torch.allclose(a, b, rtol=1e-9, atol=1e-12)
    )


# gram(F): maps (B, N, h, w) -> Gram matrices (B, N, N)


def _channels_by_channels(gram: Any) -> bool:
    return tuple(gram(waves(1, 3, 2, 4)).shape[-2:]) == (3, 3)


def _pictures_apart(gram: Any) -> bool:
    F = waves(2, 3, 2, 4)
    alone = torch.cat([gram(F[:1]), gram(F[1:])])
    return _same(gram(F), alone)


def _blind_to_order(gram: Any) -> bool:
    F = waves(1, 3, 2, 4)
    return _same(gram(F.flip(2, 3)), gram(F))


def _sum_of_outer_products(gram: Any) -> bool:
    F = waves(1, 3, 2, 4)
    columns = F.flatten(2)[0].T
    total = torch.stack([torch.outer(f, f) for f in columns]).sum(0)
    G = gram(F)  # of one picture, with an axis for the batch or without
    return _same(G[0] if G.ndim == 3 else G, total)


# grams(features): {layer: maps} -> one Gram matrix a layer, list or dict


def _one_for_each_layer(grams: Any) -> bool:
    features = {"relu1_1": waves(1, 2, 3, 4), "relu2_1": waves(1, 3, 2, 2)}
    found = grams(features)
    found = list(found.values()) if isinstance(found, Mapping) else found
    right = [gram_matrix(F) for F in features.values()]
    return len(found) == len(right) and all(
        _same(a, b) for a, b in zip(found, right, strict=True)
    )


# loss(F, A): maps (N, M) and Gram matrix (N, N) -> E of (4.1)


def _zero_at_the_style(loss: Any) -> bool:
    S = waves(3, 4)
    return abs(float(loss(S, S @ S.T))) < 1e-12


def _same_for_two_copies(loss: Any) -> bool:
    F, S = waves(3, 4), waves(3, 5)[:, 1:]
    twice = torch.cat([F, F], 1)
    return _same(loss(twice, 2 * S @ S.T), loss(F, S @ S.T))


def _gradient_of_the_formula(loss: Any) -> bool:
    F, S = waves(3, 4).requires_grad_(), waves(3, 5)[:, 1:]
    (gradient,) = torch.autograd.grad(loss(F, S @ S.T), F)
    return _same(gradient, style_layer_gradient(F.detach(), S @ S.T))


# features(layers, x, wanted): modules, a picture, numbers -> {number: map}


def _small_network(inplace: bool = True) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for channels in ((1, 2), (2, 3)):
        conv = nn.Conv2d(*channels, 3, padding=1).double()
        conv.requires_grad_(False)
        conv.weight.copy_(waves(*conv.weight.shape))
        conv.bias.copy_(waves(*conv.bias.shape))  # type: ignore[union-attr]
        layers += [conv, nn.ReLU(inplace)]
    return layers


def _walked(numbers: list[int]) -> dict[int, Tensor]:
    x, found = waves(1, 1, 3, 4), {}
    for number, layer in enumerate(_small_network()):
        x = layer(x).clone()
        found[number] = x.clone()
    return {number: found[number] for number in numbers}


def _maps_at(features: Any, numbers: list[int]) -> bool:
    found = features(_small_network(), waves(1, 1, 3, 4), numbers)
    right = _walked(numbers)
    return set(found) == set(right) and all(
        _same(found[number], right[number]) for number in right
    )


def _the_layer_asked_for(features: Any) -> bool:
    return _maps_at(features, [1, 3])  # ReLUs: nothing writes over these


def _nothing_overwritten(features: Any) -> bool:
    # the same maps, whether the ReLUs after them work in place or not
    found, right = (
        features(_small_network(inplace), waves(1, 1, 3, 4), [0, 2])
        for inplace in (True, False)
    )
    return bool(found) and all(
        _same(found[number], right[number]) for number in right
    )


# network(): -> a module that is used for its features alone


def _no_weight_wants_a_gradient(network: Any) -> bool:
    return not any(p.requires_grad for p in network().parameters())


def _in_eval_mode(network: Any) -> bool:
    return not any(module.training for module in network().modules())


# minimize(loss, x): a function and a start -> the lowest point in [0, 1]


def quadratic(x: Tensor) -> Tensor:
    """Return a convex quadratic, lowest in [0, 1] at a point of the border.

    Args:
        x: A point, (n,), float64.
    """
    n = len(x)
    i = torch.arange(n, dtype=torch.float64)
    mixing = 0.9 ** (i[:, None] - i[None]).abs()
    steepness = torch.diag(10.0 ** (2 * i / n))
    K = mixing @ steepness @ mixing + 0.01 * torch.eye(n, dtype=x.dtype)
    d = x - torch.linspace(-1, 2, n, dtype=torch.float64)
    return d @ K @ d / 2


def _start() -> Tensor:
    return torch.full((3,), 0.5, dtype=torch.float64)


def _stays_in_range(minimize: Any) -> bool:
    x = minimize(quadratic, _start())
    return bool(((x >= 0) & (x <= 1)).all())


def _reaches_the_lowest_point(minimize: Any) -> bool:
    x = _start()
    for _ in range(3000):  # projected gradient descent: slow and sure
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(quadratic(x), x)
        x = (x.detach() - gradient / 400).clamp(0, 1)
    lowest = float(quadratic(x))
    return float(quadratic(minimize(quadratic, _start()))) < lowest * 1.01


PROPERTIES: Mapping[str, Mapping[str, Property]] = {
    "gram": {
        "channels by channels": _channels_by_channels,
        "keeps pictures apart": _pictures_apart,
        "blind to the order of positions": _blind_to_order,
        "sum of outer products": _sum_of_outer_products,
    },
    "grams of layers": {"one for each layer": _one_for_each_layer},
    "style loss": {
        "zero at the style picture": _zero_at_the_style,
        "the same for two copies": _same_for_two_copies,
        "its gradient is (4.2)": _gradient_of_the_formula,
    },
    "features": {
        "the layer asked for": _the_layer_asked_for,
        "nothing overwritten": _nothing_overwritten,
    },
    "network": {
        "no weight wants a gradient": _no_weight_wants_a_gradient,
        "in eval mode": _in_eval_mode,
    },
    "optimizer": {
        "stays in range": _stays_in_range,
        "reaches the lowest point": _reaches_the_lowest_point,
    },
}
"""What a candidate is for -> name of a property -> whether it holds."""
