"""A style in less than a second: a network that paints in one pass.

It is trained once (`training`), over many photos, and paints any (`instant`).
"""

from styletut.instant.own_style import Fitted, fit
from styletut.instant.styles import instant
from styletut.instant.weights import (
    NetworkError,
    instant_network,
    load_network,
    steady_network,
    store,
)

__all__ = [
    "Fitted",
    "NetworkError",
    "fit",
    "instant",
    "instant_network",
    "load_network",
    "steady_network",
    "store",
]
