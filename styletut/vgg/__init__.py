"""VGG-19 as a dictionary of feature maps, and where its weights are from."""

from styletut.vgg.layers import (
    CHANNELS,
    LAYERS,
    check_layers,
    convolutions_below,
    feature_shape,
    receptive_field,
    up_to_deepest,
)
from styletut.vgg.network import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    OXFORD_MEAN,
    POOLINGS,
    VGG19,
)
from styletut.vgg.weights import normalize_filters

__all__ = [
    "CHANNELS",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "LAYERS",
    "OXFORD_MEAN",
    "POOLINGS",
    "VGG19",
    "check_layers",
    "convolutions_below",
    "feature_shape",
    "normalize_filters",
    "receptive_field",
    "up_to_deepest",
]
