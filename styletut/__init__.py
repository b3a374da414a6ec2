"""Neural style transfer, formula by formula.

Each wing of this package is one subject, each module one idea; start with
`styletut.losses`. The main names are also here, and load what
they need only when they are first used, so ``import styletut`` is quick.

    >>> import styletut
    >>> result = styletut.stylize("photo.jpg", "style.jpg")  # doctest: +SKIP
    >>> result.save("painted.png")  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` finds, for editors and type checkers
    from styletut.conventions import CONVENTIONS as CONVENTIONS
    from styletut.images import SAMPLES as SAMPLES
    from styletut.images import load_image as load_image
    from styletut.images import sample as sample
    from styletut.images import save_image as save_image
    from styletut.objective import Objective as Objective
    from styletut.sweeps import sweep as sweep
    from styletut.transfer import minimize as minimize
    from styletut.transfer import stylize as stylize
    from styletut.transfer import stylize_steps as stylize_steps
    from styletut.vgg import VGG19 as VGG19

__version__ = "0.1.0"

_HOMES = {
    "CONVENTIONS": "conventions",
    "Objective": "objective",
    "SAMPLES": "images",
    "VGG19": "vgg",
    "load_image": "images",
    "minimize": "transfer",
    "sample": "images",
    "save_image": "images",
    "stylize": "transfer",
    "stylize_steps": "transfer",
    "sweep": "sweeps",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a main name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
