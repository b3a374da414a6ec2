"""The conventions of known implementations, as data.

Layers bear this package's names for what the implementation's code hands
out: `conv4_2` before the ReLU, `relu4_2` after it. Where a paper or a
tutorial says conv4_2 and its code reads a map that a ReLU has overwritten
in place, or its derivative is that of a rectified map, it is `relu4_2`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from styletut.conventions import factors
from styletut.conventions.convention import Convention
from styletut.values import check_known
from styletut.vgg import CHANNELS, IMAGENET_STD

DEFAULT_CONVENTION = "styletut"
"""The convention used wherever none is named."""

RELU_N_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

IMAGENET_UNIT = (
    1 / IMAGENET_STD[0],
    1 / IMAGENET_STD[1],
    1 / IMAGENET_STD[2],
)
"""Pixels divided by ImageNet's standard deviations, as torchvision does."""

CAFFE = "BGR, 0 to 255, minus the mean color"

IMAGENET = "RGB in [0, 1], minus mean, over standard deviation"


def _equal(layers: Iterable[str], weight: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(layers, weight)


def _by_width(weight: float) -> dict[str, float]:
    """Weight / N^2 for each of reluN_1."""
    return {
        layer: weight / N**2
        for layer, N in zip(RELU_N_1, CHANNELS, strict=True)
    }


_TABLE = (
    Convention(
        name="styletut",
        source="this package",
        preprocessing=CAFFE,
        content_layers={"relu4_2": 1 / 1.2e6},
        content_factor=factors.mean,
        style_layers={
            "relu1_1": 0.2 / 2.6e6,
            "relu2_1": 0.2 / 1.1e9,
            "relu3_1": 0.2 / 2.8e9,
            "relu4_1": 0.2 / 5.1e11,
            "relu5_1": 0.2 / 9.6e7,
        },
        gram_divisor=factors.by_positions,
        style_factor=factors.gram_mean,
        alpha=0.3,
        alpha_share=0.1,
        beta=1.0,
        optimizer="spectral_lbfgs",
        start="color",
        coarsest=128,
        evaluations=60,
        size=512,
        note=(
            "Layer weights are one over typical distances, medians over all "
            "pairs of a sample photo and a style picture at 256 pixels: "
            "1.2e6 is that of the content maps, and the five others are "
            "those of the style layers, which so have equal say, a fifth "
            "each. A content term of 1 has thus nothing left of the photo, "
            "and an untouched photo of the samples has a style term of about "
            "1; of other pairs it may have a tenth, so alpha follows it. "
            "Share, start, sizes and evaluations were chosen by looking, "
            "at the pictures of assets/defaults.jpg and others; "
            "tools/choose_defaults.py prints the medians and paints them."
        ),
    ),
    Convention(
        name="gatys2016",
        source=(
            "Gatys, Ecker, Bethge: Image style transfer using convolutional "
            "neural networks, CVPR 2016, sections 2 and 3, figure 3"
        ),
        preprocessing=CAFFE,
        pooling="average",
        normalize=True,
        content_layers={"relu4_2": 1.0},
        content_factor=factors.half_sum,
        style_layers=_equal(RELU_N_1, 1 / 5),
        gram_divisor=factors.undivided,
        style_factor=factors.paper_style,
        alpha=1e-3,
        beta=1.0,
        optimizer="lbfgs",
        range_rule="none",
        start="noise",
        evaluations=500,
        size=512,
        style_size="shape",
        note=(
            "The paper word for word. It tells neither the number of "
            "evaluations nor the kind of L-BFGS: here 500, as in the "
            "authors' notebook, with this package's line search. Its means "
            "are over ImageNet, those here over sample pictures."
        ),
    ),
    Convention(
        name="article",
        source=(
            "图像风格迁移的数学模型及其推导 (The mathematical model of image "
            "style transfer and its derivation), section 4, formulas"
        ),
        preprocessing="not stated",
        content_layers={"relu4_2": 1.0},
        content_factor=factors.half_sum,
        style_layers=_equal(RELU_N_1),
        gram_divisor=factors.undivided,
        style_factor=factors.quarter_mean,
        alpha=1.0,
        beta=1.0,
        optimizer="gradient_descent",
        range_rule="none",
        evaluations=300,
        size=512,
        style_size="shape",
        note=(
            "The formula lacks the M^2 of equation (4). Layers, alpha, beta, "
            "start, size and evaluations are not stated: the paper's layers "
            "and round numbers stand in for them."
        ),
    ),
    *(
        Convention(
            name=name,
            source="图像风格迁移的数学模型及其推导, section 5, code",
            preprocessing="none",
            weights="torchvision",
            content_layers={"relu4_2": 1.0},
            content_factor=factors.mean,
            style_layers=_equal(RELU_N_1),
            gram_divisor=divisor,
            style_factor=factors.gram_mean,
            alpha=1e4,
            beta=1.0,
            range_rule="none",
            evaluations=300,
            size=512,
            style_size="shape",
            note=(
                "The code does not define its Gram matrix; this is the "
                f"reading {reading}. It sums over every layer that an "
                "undefined function returns: here the paper's five. It has "
                "no optimization: start, size and evaluations are "
                "this package's. Its missing preprocessing is not imitated."
            ),
        )
        for name, divisor, reading in (
            ("article_code", factors.by_positions, "G / M"),
            ("article_code_raw", factors.undivided, "G itself"),
            ("article_code_nm", factors.by_entries, "G / (N M)"),
        )
    ),
    Convention(
        name="pytorch_tutorial",
        source=(
            "Jacq: Neural transfer using PyTorch, pytorch/tutorials, "
            "advanced_source/neural_style_tutorial.py, defaults of "
            "run_style_transfer"
        ),
        preprocessing=IMAGENET,
        weights="torchvision",
        content_layers={"conv2_2": 1.0},
        content_factor=factors.mean,
        style_layers=_equal(
            ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
        ),
        gram_divisor=factors.by_entries,
        style_factor=factors.gram_mean,
        alpha=1.0,
        beta=1e6,
        optimizer="torch_lbfgs",
        range_rule="project",
        evaluations=300,
        size=512,
        size_of="shorter",
        style_size="shape",
        note=(
            "Without a GPU the tutorial works at 128 pixels. Its layers "
            "conv_1 to conv_5 are the network's first five convolutions. It "
            "asks for 300 evaluations; its loop of 20 at a time ends "
            "after 320."
        ),
    ),
    Convention(
        name="tensorflow_tutorial",
        source=(
            "Neural style transfer, tensorflow/docs, "
            "site/en/tutorials/generative/style_transfer.ipynb, cells "
            "Dt4pxarvA4I4 (weights) and tGeRLD4GoAd4 (total variation)"
        ),
        preprocessing=CAFFE,
        content_layers={"relu5_2": 1.0},
        content_factor=factors.mean,
        style_layers=_equal(RELU_N_1, 1 / 5),
        gram_divisor=factors.by_positions,
        style_factor=factors.gram_mean,
        alpha=1e4,
        beta=1e-2,
        gamma=30.0,
        total_variation="anisotropic",
        optimizer="adam",
        optimizer_options={
            "learning_rate": 0.02,
            "betas": (0.99, 0.999),
            "epsilon": 0.1,
        },
        range_rule="project",
        evaluations=1000,
        size=512,
    ),
    Convention(
        name="keras_example",
        source=(
            "Chollet: Neural style transfer, keras-team/keras-io, "
            "examples/generative/neural_style_transfer.py, lines 53-55"
        ),
        preprocessing=CAFFE,
        content_layers={"relu5_2": 1.0},
        content_factor=factors.plain_sum,
        style_layers=_equal(RELU_N_1, 1 / 5),
        gram_divisor=factors.undivided,
        style_factor=factors.keras_style,
        alpha=2.5e-8,
        beta=1e-6,
        gamma=1e-6,
        total_variation=factors.power_variation,
        pixel_unit=(255.0, 255.0, 255.0),
        optimizer="gradient_descent",
        optimizer_options={"learning_rate": factors.keras_rate},
        range_rule="none",
        evaluations=4000,
        size=400,
        size_of="height",
        style_size="shape",
        note=(
            "Every layer is scaled by the picture's three channels and "
            "pixel count instead of the layer's own N and M."
        ),
    ),
    Convention(
        name="cs231n",
        source=(
            "Stanford CS231n 2020, assignment 3, "
            "cs231n/style_transfer_pytorch.py and "
            "StyleTransfer-PyTorch.ipynb, params3"
        ),
        network="squeezenet",
        weights="torchvision",
        preprocessing=IMAGENET,
        content_layers={"features.3": 1.0},
        content_factor=factors.plain_sum,
        style_layers={
            "features.1": 300000.0,
            "features.4": 1000.0,
            "features.6": 15.0,
            "features.7": 3.0,
        },
        gram_divisor=factors.by_entries,
        style_factor=factors.gram_sum,
        alpha=6e-2,
        beta=1.0,
        gamma=2e-2,
        total_variation="squared",
        pixel_unit=IMAGENET_UNIT,
        optimizer="adam",
        optimizer_options={"learning_rate": factors.cs231n_rate},
        range_rule="project",
        evaluations=200,
        size=192,
        size_of="shorter",
        style_size="shorter",
        note=(
            "The third of its parameter sets. It clamps to +-1.5 in "
            "normalized pixels, not to [0, 1], at the first 190 steps, and "
            "makes Adam anew at step 180."
        ),
    ),
    Convention(
        name="d2l",
        source=(
            "Zhang, Lipton, Li, Smola: Dive into deep learning, d2l-en, "
            "chapter_computer-vision/neural-style.md, section Loss function "
            "(PyTorch)"
        ),
        preprocessing=IMAGENET,
        weights="torchvision",
        content_layers={"relu4_4": 1.0},
        content_factor=factors.mean,
        style_layers=_equal((*RELU_N_1[:4], "conv5_1")),
        gram_divisor=factors.by_entries,
        style_factor=factors.gram_mean,
        alpha=1.0,
        beta=1e4,
        gamma=10.0,
        total_variation=factors.mean_variation,
        pixel_unit=IMAGENET_UNIT,
        optimizer="adam",
        optimizer_options={"learning_rate": factors.d2l_rate},
        range_rule="none",
        evaluations=500,
        size=300,
        size_of="height",
        style_size="shape",
        note=(
            "Layers as executed: an in-place ReLU overwrites all maps but "
            "the last. The original stretches both pictures to 300 x 450."
        ),
    ),
    Convention(
        name="neural_style",
        source="Johnson: jcjohnson/neural-style, neural_style.lua, 17-25",
        preprocessing="BGR, 0 to 256, minus the mean color",
        content_layers={"relu4_2": 1.0},
        content_factor=factors.mean,
        style_layers=_equal(RELU_N_1),
        gram_divisor=factors.by_entries,
        style_factor=factors.gram_mean,
        alpha=5.0,
        beta=100.0,
        gamma=1e-3,
        total_variation=factors.half_cells_variation,
        pixel_unit=(256.0, 256.0, 256.0),
        optimizer="torch_lbfgs",
        range_rule="none",
        start="grey",
        evaluations=1000,
        size=512,
        note=(
            "It starts from the mean color with noise of a thousandth of a "
            "grey level: grey here. It multiplies pixels by 256 where this "
            "network has 255, and leaves the total variation out of the "
            "loss that it prints."
        ),
    ),
    Convention(
        name="leongatys_notebook",
        source=(
            "Gatys: leongatys/PytorchNeuralStyleTransfer, "
            "NeuralStyleTransfer.ipynb, code cells 2-6"
        ),
        preprocessing=CAFFE,
        content_layers={"relu4_2": 1.0},
        content_factor=factors.mean,
        style_layers=_by_width(1e3),
        gram_divisor=factors.by_positions,
        style_factor=factors.gram_mean,
        alpha=1.0,
        beta=1.0,
        pixel_unit=(255.0, 255.0, 255.0),
        optimizer="torch_lbfgs",
        range_rule="none",
        evaluations=500,
        size=512,
        size_of="shorter",
        style_size="shorter",
        note=(
            "It asks for 500 evaluations; its loop of 20 at a time ends "
            "after 520. Its second stage at 800 pixels is left out."
        ),
    ),
    Convention(
        name="pastiche",
        source=(
            "Steinberg: pastiche 1.6.0, pastiche/pastiche.py, lines 288, "
            "307 and 241"
        ),
        preprocessing=CAFFE,
        content_layers={"relu4_2": 0.01},
        content_factor=factors.mean,
        style_layers=_by_width(10.0),
        gram_divisor=factors.by_positions,
        style_factor=factors.gram_mean,
        alpha=1.0,
        beta=1.0,
        total_variation=factors.mean_variation,
        pixel_unit=(255.0, 255.0, 255.0),
        optimizer="torch_lbfgs",
        range_rule="none",
        evaluations=1000,
        size=500,
        size_of="area",
        style_size="area",
        note="Its total variation has weight 0 unless asked for.",
    ),
    Convention(
        name="crowsonkb",
        source=(
            "Crowson: crowsonkb/style-transfer-pytorch, "
            "style_transfer/style_transfer.py, defaults of stylize"
        ),
        preprocessing=IMAGENET,
        weights="torchvision",
        content_layers={"relu4_2": 1.0},
        content_factor=factors.mean,
        style_layers=dict(
            zip(
                RELU_N_1,
                (w / 341 for w in (256, 64, 16, 4, 1)),
                strict=True,
            )
        ),
        gram_divisor=None,
        style_factor=None,
        alpha=0.015,
        beta=1.0,
        gamma=2.0,
        optimizer="adam",
        optimizer_options={"learning_rate": 0.02, "betas": (0.9, 0.99)},
        range_rule="project",
        evaluations=3000,
        size=512,
        coarsest=128,
        note=(
            "It compares mean and covariance by the Wasserstein-2 distance; "
            "its total variation is a nine-point stencil of its own."
        ),
    ),
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {entry.name: entry for entry in _TABLE}
)
"""All conventions by name."""


def get_convention(convention: str | Convention) -> Convention:
    """Return the convention of that name, or the one given.

    Raises:
        ValueError: if there is none; the message lists the names.
    """
    if isinstance(convention, Convention):
        return convention
    check_known("convention", convention, CONVENTIONS)
    return CONVENTIONS[convention]
