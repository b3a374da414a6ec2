"""What an objective is given: pictures, layers and weights, checked."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from styletut.images.picture import check_picture, check_range
from styletut.values import checked_real
from styletut.vgg import LAYERS, check_layers, feature_shape

Layers = Iterable[str] | Mapping[str, float]


def checked_weight(name: str, given: float) -> float:
    """Return a weight as a number.

    Raises:
        ValueError: if it is none, negative or not finite.
    """
    return checked_real(name, given)


def layer_weights(
    term: str, layers: Layers | None, defaults: Mapping[str, float]
) -> dict[str, float]:
    """Return {layer: weight} for what the caller gave.

    Args:
        term: "content" or "style", for messages.
        layers: names, name -> weight, or None.
        defaults: the convention's layers and weights.

    Raises:
        ValueError: for an unknown layer or an impossible weight.
    """
    if layers is None:
        return dict(defaults)
    names = check_layers(layers)
    if not isinstance(layers, Mapping):
        return {name: _default_weight(name, defaults) for name in names}
    return {
        name: checked_weight(f"the {term} weight of {name}", layers[name])
        for name in names
    }


def _default_weight(name: str, defaults: Mapping[str, float]) -> float:
    """Return the weight of the layer or its block, else the mean weight."""
    same_block = [w for other, w in defaults.items() if other[4] == name[4]]
    candidates = same_block or list(defaults.values()) or [1.0]
    return defaults.get(name, sum(candidates) / len(candidates))


def check_comparable(
    name: str, picture: Tensor, content: Tensor, layers: Iterable[str]
) -> None:
    """Raise ValueError unless a picture can be compared with the content.

    Args:
        name: "content" or "style", for messages.
        picture: what is checked.
        content: the content picture, whose dtype and device it must have.
        layers: those that it must be large enough for.
    """
    check_picture(picture, f"the {name} picture")
    if picture.dtype != content.dtype:
        raise ValueError(
            f"the {name} picture is {picture.dtype} and the content "
            f"{content.dtype}; both must have one floating dtype"
        )
    if picture.device != content.device:
        raise ValueError(
            f"the {name} picture is on {picture.device} and the content on "
            f"{content.device}; move one with .to(...)"
        )
    check_range(picture, f"the {name} picture")
    deepest = max(layers, key=LAYERS.index, default="conv1_1")
    try:
        feature_shape(deepest, *picture.shape[2:])
    except ValueError as error:
        raise ValueError(f"the {name} picture: {error}") from None
