"""Answers to notebook 06 as students write them."""

import torch


def rate_by_search(low, high):
    def worst(rate):
        return max(abs(1 - rate * low), abs(1 - rate * high))

    a, b = 0.0, 2 / high
    for _ in range(200):  # a convex function: thirds
        c, d = a + (b - a) / 3, b - (b - a) / 3
        a, b = (a, d) if worst(c) < worst(d) else (c, b)
    return (a + b) / 2


def step_by_torch(g, rate, epsilon):
    x = torch.zeros_like(g, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=rate, eps=epsilon)
    x.grad = g.clone()
    optimizer.step()
    return x.detach()


def direction_by_matrices(g, pairs):
    pairs = [(s, y) for s, y in pairs if float(y @ s) > 0]
    one = torch.eye(len(g), dtype=g.dtype)
    H = one
    if pairs:
        s, y = pairs[-1]
        H = one * (y @ s) / (y @ y)
    for s, y in pairs:
        rho = 1 / (y @ s)
        left = one - rho * torch.outer(s, y)
        H = left @ H @ left.T + rho * torch.outer(s, s)
    return -H @ g


def step_in_float32(g, rate, epsilon):
    return -rate * (g.float() / (g.float().abs() + epsilon))


def above_0(s, y):
    return y @ s > 0


def at_least_0(s, y):
    return y @ s >= 0


def above_1(s, y):
    return y @ s > 1


def above_a_millionth(s, y):
    return y @ s > 1e-6


def limit(momentum, steps=2000, ahead=False, mean=False):
    """The largest eta lambda at which the error dies out."""

    def dies_out(product):
        e, v = 1.0, 0.0
        for _ in range(steps):
            at = e + momentum * v if ahead else e
            v = momentum * v - (1 - momentum * mean) * product * at
            e += v
            if abs(e) > 1e6:
                return False
        return abs(e) < 1e-3

    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if dies_out(middle) else (low, middle)
    return low


def direction_by_loops(g, pairs, usable=above_0, newest=None, most=9, sign=-1):
    kept = [pair for pair in pairs if usable(*pair)][-most:]
    if not kept:
        return -g
    s, y = (newest or kept)[-1]
    h = (y @ s) / (y @ y)

    def through(q, count):  # the pairs below, by recursion
        if count < 0:
            return h * q
        s, y = kept[count]
        a = (s @ q) / (y @ s)
        r = through(q - a * y, count - 1)
        return r + (a - (y @ r) / (y @ s)) * s

    return sign * through(g, len(kept) - 1)


RIGHT = [
    ("06.1", rate_by_search),
    ("06.2", step_by_torch),
    ("06.3", direction_by_matrices),
    ("06.4", (limit(0.5), limit(0.9))),
    ("06.4", [limit(0.5, 300), limit(0.9, 300)]),
    ("06.4", torch.tensor([2.98, 3.79])),
    ("06.2", step_in_float32),
    (
        "06.2",
        lambda g, rate, epsilon: step_by_torch(g, rate, epsilon).tolist(),
    ),
    ("06.3", direction_by_loops),
]

WRONG = [
    ("06.1", lambda low, high: 2 / (high - low + 1)),
    ("06.1", lambda low, high: 1.9 / high),
    ("06.1", lambda low, high: low + high),
    ("06.2", lambda g, rate, epsilon: -step_by_torch(g, rate, 0)),
    ("06.2", lambda g, rate, epsilon: -rate * g / (g.norm() + epsilon)),
    ("06.2", lambda g, rate, epsilon: step_by_torch(g, 1, epsilon)),
    ("06.3", lambda g, pairs: direction_by_matrices(g, pairs[1:])),
    ("06.3", lambda g, pairs: direction_by_matrices(g, pairs[-1:])),
    (
        "06.3",
        lambda g, pairs: direction_by_matrices(g, [(y, s) for s, y in pairs]),
    ),
    ("06.4", (limit(0.5, 10), limit(0.9, 10))),
    ("06.4", (2.9, 3.7)),
    ("06.4", 3.8),
    ("06.4", lambda: (3.0, 3.8)),
    ("06.2", lambda g, rate, epsilon: -rate * g / g.abs()),
    (
        "06.2",
        lambda g, rate, epsilon: (
            -rate * g / g.abs() * (g.abs() / (g.abs() + epsilon))
        ),
    ),
    ("06.3", lambda g, pairs: direction_by_loops(g, pairs, usable=at_least_0)),
    ("06.3", lambda g, pairs: direction_by_loops(g, pairs, usable=above_1)),
    (
        "06.3",
        lambda g, pairs: direction_by_loops(
            g, pairs, usable=above_a_millionth
        ),
    ),
    ("06.3", lambda g, pairs: direction_by_loops(g, pairs, newest=pairs)),
    ("06.3", lambda g, pairs: direction_by_loops(g, pairs, most=3)),
]


NAMED = [
    ("06.1", lambda low, high: 2 / low, "limit of the flattest"),
    (
        "06.2",
        lambda g, rate, epsilon: step_by_torch(g, 1, epsilon),
        "rate forgotten",
    ),
    (
        "06.3",
        lambda g, pairs: direction_by_loops(g, pairs, sign=1),
        "minus forgotten at the end",
    ),
    (
        "06.3",
        lambda g, pairs: direction_by_loops(g, pairs, usable=at_least_0),
        "zero curvature kept",
    ),
    (
        "06.3",
        lambda g, pairs: direction_by_loops(g, pairs, newest=pairs),
        "scaling of a skipped pair",
    ),
    (
        "06.3",
        lambda g, pairs: direction_by_loops(
            g, pairs, usable=above_a_millionth
        ),
        "small pairs skipped",
    ),
    ("06.4", (limit(0), limit(0)), "without momentum"),
    (
        "06.4",
        (limit(0.5, mean=True), limit(0.9, mean=True)),
        "running mean of the gradient",
    ),
    (
        "06.4",
        (limit(0.5, ahead=True), limit(0.9, ahead=True)),
        "gradient ahead",
    ),
]
