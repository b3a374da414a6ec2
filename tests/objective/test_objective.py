"""The objective against each source's formula, written out by hand."""

import math
import warnings
from dataclasses import replace

import pytest
import torch

from styletut.conventions import CONVENTIONS, DEFAULT_CONVENTION, factors
from styletut.conventions.network import (
    _warn_of_other_features,
    convention_network,
)
from styletut.engines import choose_engine
from styletut.images import sample
from styletut.losses import total_variation
from styletut.objective import Objective, Terms
from styletut.objective import objective as objective_module
from styletut.objective.guides import regions_of, settled
from styletut.objective.layer_losses import StyleLoss, style_losses
from styletut.vgg import LAYERS, VGG19, feature_shape

RELU_N_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
WIDTHS = (64, 128, 256, 512, 512)
CONTENT_SIZE = (32, 40)
STYLE_SIZE = (37, 28)


def picture(height, width, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 5, generator=generator).double()
    x = torch.nn.functional.interpolate(
        coarse, (height, width), mode="bilinear"
    )
    fine = torch.rand(1, 3, height, width, generator=generator).double()
    return (0.7 * x + 0.3 * fine).to(dtype)


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


@pytest.fixture(scope="module")
def content():
    return picture(*CONTENT_SIZE, seed=0)


@pytest.fixture(scope="module")
def style():
    return picture(*STYLE_SIZE, seed=1)


@pytest.fixture(scope="module")
def candidates(content):
    """Three pictures to judge: noise, another picture, almost the content."""
    generator = torch.Generator().manual_seed(2)
    noise = torch.rand(content.shape, generator=generator).double()
    return noise, picture(*CONTENT_SIZE, seed=3), 0.9 * content + 0.1 * noise


def relative_error(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


# The formulas, by hand. A layer's maps are (N, M); G and A are Gram matrices
# divided by nothing, M and M_a their numbers of positions, and `pixels` is
# the picture's. The numbers are read off the sources, not off the table.


def rows(F):
    """Return the Gram matrix, channel by channel."""
    return torch.stack([(F * channel).sum(1) for channel in F])


def half_sum(F, P):
    return sum(((f - p) ** 2).sum() for f, p in zip(F, P, strict=True)) / 2


def plain_sum(F, P):
    return 2 * half_sum(F, P)


def mean_square(F, P):
    return 2 * half_sum(F, P) / (F.shape[0] * F.shape[1])


def paper_style(G, A, N, M, M_a, pixels):
    return ((G - A) ** 2).sum() / (4 * N**2 * M**2)


def article_style(G, A, N, M, M_a, pixels):
    return ((G - A) ** 2).sum() / (4 * N**2)


def mean_of_raw(G, A, N, M, M_a, pixels):
    return ((G - A) ** 2).mean()


def mean_by_positions(G, A, N, M, M_a, pixels):
    return ((G / M - A / M_a) ** 2).mean()


def mean_by_entries(G, A, N, M, M_a, pixels):
    return ((G / (N * M) - A / (N * M_a)) ** 2).mean()


def keras_style(G, A, N, M, M_a, pixels):
    return ((G - A) ** 2).sum() / (4.0 * 3**2 * pixels**2)


def no_variation(x):
    return torch.zeros((), dtype=x.dtype)


def absolute_sum(x):
    down = x[:, :, 1:, :] - x[:, :, :-1, :]
    right = x[:, :, :, 1:] - x[:, :, :, :-1]
    return down.abs().sum() + right.abs().sum()


def cells(x):
    corner = x[:, :, :-1, :-1]
    return (corner - x[:, :, 1:, :-1]) ** 2 + (corner - x[:, :, :-1, 1:]) ** 2


def keras_variation(x):
    return (cells(255 * x) ** 1.25).sum()


def johnson_variation(x):
    return cells(256 * x).sum() / 2


def d2l_variation(x):
    std = torch.tensor([0.229, 0.224, 0.225], dtype=x.dtype)[:, None, None]
    x = x / std
    down = (x[:, :, 1:, :] - x[:, :, :-1, :]).abs().mean()
    right = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().mean()
    return 0.5 * (down + right)


def equal(layers, weight=1.0):
    return dict.fromkeys(layers, weight)


def over_squares(weight):
    return {
        layer: weight / N**2 for layer, N in zip(RELU_N_1, WIDTHS, strict=True)
    }


FORMULAS = {
    # content: loss, layers, alpha; style: loss, layers, beta; variation, gamma
    "gatys2016": (
        *(half_sum, {"relu4_2": 1.0}, 1e-3),
        *(paper_style, equal(RELU_N_1, 0.2), 1.0),
        *(no_variation, 0.0),
    ),
    "article": (
        *(half_sum, {"relu4_2": 1.0}, 1.0),
        *(article_style, equal(RELU_N_1), 1.0),
        *(no_variation, 0.0),
    ),
    "article_code": (
        *(mean_square, {"relu4_2": 1.0}, 1e4),
        *(mean_by_positions, equal(RELU_N_1), 1.0),
        *(no_variation, 0.0),
    ),
    "article_code_raw": (
        *(mean_square, {"relu4_2": 1.0}, 1e4),
        *(mean_of_raw, equal(RELU_N_1), 1.0),
        *(no_variation, 0.0),
    ),
    "article_code_nm": (
        *(mean_square, {"relu4_2": 1.0}, 1e4),
        *(mean_by_entries, equal(RELU_N_1), 1.0),
        *(no_variation, 0.0),
    ),
    "pytorch_tutorial": (
        *(mean_square, {"conv2_2": 1.0}, 1.0),
        mean_by_entries,
        equal(("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")),
        1e6,
        *(no_variation, 0.0),
    ),
    "tensorflow_tutorial": (
        *(mean_square, {"relu5_2": 1.0}, 1e4),
        *(mean_by_positions, equal(RELU_N_1, 0.2), 1e-2),
        *(absolute_sum, 30.0),
    ),
    "keras_example": (
        *(plain_sum, {"relu5_2": 1.0}, 2.5e-8),
        *(keras_style, equal(RELU_N_1, 0.2), 1e-6),
        *(keras_variation, 1e-6),
    ),
    "d2l": (
        *(mean_square, {"relu4_4": 1.0}, 1.0),
        *(mean_by_entries, equal((*RELU_N_1[:4], "conv5_1")), 1e4),
        *(d2l_variation, 10.0),
    ),
    "neural_style": (
        *(mean_square, {"relu4_2": 1.0}, 5.0),
        *(mean_by_entries, equal(RELU_N_1), 1e2),
        *(johnson_variation, 1e-3),
    ),
    "leongatys_notebook": (
        *(mean_square, {"relu4_2": 1.0}, 1.0),
        *(mean_by_positions, over_squares(1e3), 1.0),
        *(no_variation, 0.0),
    ),
    "pastiche": (
        *(mean_square, {"relu4_2": 0.01}, 1.0),
        *(mean_by_positions, over_squares(10.0), 1.0),
        *(no_variation, 0.0),
    ),
}


class Judged:
    """One picture with maps and Gram matrices that keep their graph."""

    def __init__(self, vgg, image, layers):
        self.image = image.clone().requires_grad_()
        self.maps = {
            layer: F_l[0].flatten(1)
            for layer, F_l in vgg(self.image, layers).items()
        }
        self.grams = {}

    def gram(self, layer):
        if layer not in self.grams:
            self.grams[layer] = rows(self.maps[layer])
        return self.grams[layer]

    def without_graph(self):
        self.maps = {k: F_l.detach() for k, F_l in self.maps.items()}
        return self


@pytest.fixture(scope="module")
def judged(vgg, content, style, candidates):
    layers = {"relu3_2"}
    for _, content_layers, _, _, style_layers, *_ in FORMULAS.values():
        layers |= {*content_layers, *style_layers}
    layers = sorted(layers)
    return (
        Judged(vgg, content, layers).without_graph(),
        Judged(vgg, style, layers).without_graph(),
        [Judged(vgg, x, layers) for x in candidates],
    )


def by_hand(formula, judged_content, judged_style, x):
    """Return every term of the formula, as `Terms` names them."""
    loss, contents, alpha, distance, styles, beta, variation, gamma = formula
    pixels = x.image.shape[2] * x.image.shape[3]
    content_layers = {
        layer: loss(x.maps[layer], judged_content.maps[layer])
        for layer in contents
    }
    style_layers = {}
    for layer in styles:
        N, M = x.maps[layer].shape
        M_a = judged_style.maps[layer].shape[1]
        G, A = x.gram(layer), judged_style.gram(layer)
        style_layers[layer] = distance(G, A, N, M, M_a, pixels)
    content = sum(v * content_layers[k] for k, v in contents.items())
    style = sum(w * style_layers[k] for k, w in styles.items())
    tv = variation(x.image)
    total = alpha * content + beta * style + gamma * tv
    return content, style, tv, total, content_layers, style_layers


def check(formula, objective, judged):
    """Compare an objective with a formula: each term, and the gradient."""
    judged_content, judged_style, candidates = judged
    for x in candidates:
        terms, gradient = objective.gradient(x.image)
        content, style, tv, total, content_layers, style_layers = by_hand(
            formula, judged_content, judged_style, x
        )
        assert relative_error(terms.content, content) < 1e-10
        assert relative_error(terms.style, style) < 1e-10
        assert relative_error(terms.total, total) < 1e-10
        if formula[-1]:
            assert relative_error(terms.tv, tv) < 1e-10
        assert terms.content_layers.keys() == content_layers.keys()
        for layer, value in content_layers.items():
            assert relative_error(terms.content_layers[layer], value) < 1e-10
        assert terms.style_layers.keys() == style_layers.keys()
        for layer, value in style_layers.items():
            assert relative_error(terms.style_layers[layer], value) < 1e-10
        (expected,) = torch.autograd.grad(total, x.image, retain_graph=True)
        assert relative_error(gradient, expected) < 1e-10


@pytest.mark.parametrize("name", FORMULAS)
def test_every_convention_is_its_sources_formula(
    name, vgg, content, style, judged
):
    formula = FORMULAS[name]
    objective = Objective(content, style, vgg=vgg, convention=name)
    assert objective.alpha == formula[2]
    assert objective.beta == formula[5]
    assert objective.gamma == formula[7]
    check(formula, objective, judged)


def test_the_default_is_a_mean_and_grams_over_positions(
    vgg, content, style, judged
):
    assert DEFAULT_CONVENTION == "styletut"
    ours = CONVENTIONS["styletut"]  # its numbers were chosen by looking
    formula = (
        *(mean_square, ours.content_layers, ours.alpha),
        *(mean_by_positions, ours.style_layers, ours.beta),
        *(no_variation, 0.0),
    )
    assert ours.gamma == 0
    assert all(layer.startswith("relu") for layer in ours.style_layers)
    check(formula, Objective(content, style, vgg=vgg), judged)


def test_no_convention_is_left_out():
    others = {"styletut", "cs231n", "crowsonkb"}
    assert set(FORMULAS) | others == set(CONVENTIONS)


# Terms


@pytest.mark.parametrize("name", ["styletut", "tensorflow_tutorial", "d2l"])
def test_weighted_terms_sum_to_the_total(
    name, vgg, content, style, candidates
):
    # notebook 05, (5.1)
    objective = Objective(content, style, vgg=vgg, convention=name)
    terms = objective(candidates[0])
    assert isinstance(terms, Terms)
    weighted = terms.weighted()
    assert tuple(weighted) == ("content", "style", "tv")
    torch.testing.assert_close(sum(weighted.values()), terms.total)
    torch.testing.assert_close(weighted["style"], objective.beta * terms.style)
    for value in (terms.content, terms.style, terms.tv, terms.total):
        assert value.shape == () and value.dtype == torch.float64


def test_the_content_itself_has_no_content_loss(vgg, content, style):
    objective = Objective(content, style, vgg=vgg)
    terms = objective(content)
    assert terms.content == 0
    assert terms.total == terms.weighted()["style"] > 0


def test_the_style_itself_has_no_style_loss(vgg, content):
    objective = Objective(content, content, vgg=vgg)
    terms, gradient = objective.gradient(content)
    assert terms.style == 0 and terms.total == 0
    assert not gradient.any()


def test_targets_carry_no_graph(vgg, content, style, candidates):
    wanted = content.clone().requires_grad_(), style.clone().requires_grad_()
    objective = Objective(*wanted, vgg=vgg)
    assert not objective(candidates[0]).total.requires_grad
    x = candidates[0].clone().requires_grad_()
    for _ in range(2):  # a second backward pass must find its graph
        objective(x).total.backward()
    assert x.grad.abs().max() > 0
    assert wanted[0].grad is None and wanted[1].grad is None


def test_detached_terms_are_the_same_numbers(vgg, content, style, candidates):
    x = candidates[0].clone().requires_grad_()
    terms = Objective(content, style, vgg=vgg)(x)
    assert terms.total.requires_grad
    bare = terms.detach()
    for name in ("content", "style", "tv", "total"):
        assert not getattr(bare, name).requires_grad
        assert getattr(bare, name) == getattr(terms, name)
    for name in ("content_layers", "style_layers"):
        for layer, value in getattr(bare, name).items():
            assert not value.requires_grad
            assert value == getattr(terms, name)[layer]
    assert (bare.alpha, bare.beta, bare.gamma) == (
        *(terms.alpha, terms.beta, terms.gamma),
    )


def test_the_gradient_leaves_the_picture_alone(
    vgg, content, style, candidates
):
    x = candidates[0].clone()
    terms, gradient = Objective(content, style, vgg=vgg).gradient(x)
    assert not terms.total.requires_grad  # no graph is kept alive
    assert torch.equal(x, candidates[0]) and not x.requires_grad
    assert gradient.shape == x.shape and not gradient.requires_grad


def test_the_gradient_is_the_limit_of_differences(
    vgg, content, style, candidates
):
    objective = Objective(content, style, vgg=vgg, gamma=3.0)
    x = candidates[1]
    _, gradient = objective.gradient(x)
    step = 1e-6 * torch.sign(gradient)
    difference = objective(x + step).total - objective(x - step).total
    expected = 2 * (gradient * step).sum()
    assert difference.item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["styletut", "neural_style", "keras_example"])
def test_float32_agrees_with_float64(name, vgg, content, style, candidates):
    x = candidates[1]
    results = {}
    for dtype in (torch.float32, torch.float64):
        objective = Objective(
            content.to(dtype), style.to(dtype), vgg=vgg, convention=name
        )
        terms, gradient = objective.gradient(x.to(dtype))
        assert terms.total.dtype == gradient.dtype == dtype
        results[dtype] = terms.total.double(), gradient.double()
    for single, double in zip(*results.values(), strict=True):
        assert relative_error(single, double) < 1e-3
    total, exact = (result[0].item() for result in results.values())
    assert total == pytest.approx(exact, rel=1e-5)


# Weights and layers


def test_weights_given_are_in_force(vgg, content, style, candidates):
    objective = Objective(content, style, vgg=vgg, alpha=2, beta=0.25, gamma=3)
    assert (objective.alpha, objective.beta, objective.gamma) == (2, 0.25, 3)
    terms = objective(candidates[0])
    assert (terms.alpha, terms.beta, terms.gamma) == (2, 0.25, 3)
    expected = 2 * terms.content + 0.25 * terms.style + 3 * terms.tv
    torch.testing.assert_close(terms.total, expected)


def test_without_alpha_only_the_style_counts(vgg, content, style, candidates):
    objective = Objective(content, style, vgg=vgg, alpha=0)
    terms, gradient = objective.gradient(candidates[0])
    assert terms.content > 0 and terms.weighted()["content"] == 0
    assert terms.total == terms.weighted()["style"]
    alone = Objective(content, style, vgg=vgg, content_layers=())
    terms, expected = alone.gradient(candidates[0])
    assert terms.content == 0 and terms.content_layers == {}
    torch.testing.assert_close(gradient, expected)


def test_without_style_layers_only_the_content_counts(
    vgg, content, style, candidates
):
    objective = Objective(content, style, vgg=vgg, style_layers={})
    terms = objective(candidates[0])
    assert terms.style == 0 and terms.style_layers == {}
    assert terms.total == terms.weighted()["content"] > 0


def test_layers_can_be_given_with_their_weights(
    vgg, content, style, candidates
):
    objective = Objective(
        content,
        style,
        vgg=vgg,
        content_layers={"relu3_1": 2.0, "conv4_2": 3.0},
        style_layers={"relu1_1": 0.5, "relu3_1": 7.0},
    )
    terms = objective(candidates[0])
    C, E = terms.content_layers, terms.style_layers
    expected = 2 * C["relu3_1"] + 3 * C["conv4_2"]
    torch.testing.assert_close(terms.content, expected)
    expected = 0.5 * E["relu1_1"] + 7 * E["relu3_1"]
    torch.testing.assert_close(terms.style, expected)


def test_a_layer_without_a_weight_has_that_of_its_block():
    content = style = picture(32, 32, seed=0)
    table = replace(
        CONVENTIONS["leongatys_notebook"],
        content_layers={"relu4_2": 5.0},
        style_layers={"relu1_1": 1.0, "conv1_2": 3.0, "relu2_1": 8.0},
    )
    objective = Objective(
        content,
        style,
        vgg=VGG19(),
        convention=table,
        content_layers=["relu4_4", "relu1_1"],
        style_layers=["relu2_1", "conv2_2", "relu1_2", "relu3_1"],
    )
    assert objective.content_layers == {"relu4_4": 5.0, "relu1_1": 5.0}
    assert objective.style_layers == {
        "relu2_1": 8.0,  # its own
        "conv2_2": 8.0,  # its block's
        "relu1_2": 2.0,  # the mean of its block's two
        "relu3_1": 4.0,  # the mean of all
    }


def test_one_layer_can_be_given_by_its_name_alone(vgg, content, style):
    objective = Objective(content, style, vgg=vgg, content_layers="relu3_1")
    assert tuple(objective.content_layers) == ("relu3_1",)


def test_a_convention_without_content_takes_any_content_layer(
    vgg, content, style
):
    table = replace(CONVENTIONS["styletut"], content_layers={})
    objective = Objective(
        content, style, vgg=vgg, convention=table, content_layers=["relu4_2"]
    )
    assert objective.content_layers == {"relu4_2": 1.0}


def test_the_weights_of_an_objective_are_fixed(vgg, content, style):
    """Its layer losses hold them: a change would be half of one."""
    objective = Objective(content, style, vgg=vgg)
    for name in ("alpha", "beta", "gamma", "content_layers", "style_layers"):
        with pytest.raises(AttributeError):
            setattr(objective, name, 0.5)
    with pytest.raises(TypeError):
        objective.style_layers["relu1_1"] = 1.0


# Several styles, sizes


def test_several_styles_count_by_their_share(vgg, content, candidates):
    styles = [picture(h, w, seed=h) for h, w in ((32, 40), (20, 61))]
    x = candidates[0]
    apart = [Objective(content, style, vgg=vgg)(x) for style in styles]
    pairs = list(zip(styles, (3.0, 1.0), strict=True))
    together = Objective(content, pairs, vgg=vgg)(x)
    for layer, value in together.style_layers.items():
        one, other = (terms.style_layers[layer] for terms in apart)
        torch.testing.assert_close(value, 0.75 * one + 0.25 * other)
    torch.testing.assert_close(together.content, apart[0].content)
    alone = Objective(content, [(styles[1], 0.1)], vgg=vgg)(x)
    torch.testing.assert_close(alone.total, apart[1].total)


def test_a_style_without_weight_changes_nothing(vgg, content, style):
    other = picture(24, 24, seed=5)
    with_it = Objective(content, [(style, 1), (other, 0)], vgg=vgg)
    without = Objective(content, style, vgg=vgg)
    assert torch.equal(with_it(content).total, without(content).total)


def test_a_network_that_is_given_is_used_as_it_is(content, style, candidates):
    average = VGG19(pooling="average")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objective = Objective(
            content, style, vgg=average, convention="pytorch_tutorial"
        )
    assert objective.vgg is average
    other = Objective(content, style, vgg=VGG19(), convention="d2l")
    assert other.vgg.pooling == "max"
    one = Objective(content, style, vgg=average, convention="d2l")
    assert one(candidates[0]).total != other(candidates[0]).total


# Networks by convention


@pytest.fixture
def no_torchvision_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    _warn_of_other_features.cache_clear()


@pytest.mark.parametrize("name", ["article_code", "pytorch_tutorial", "d2l"])
def test_without_torchvisions_weights_there_is_one_warning(
    name, no_torchvision_weights, content, style, candidates
):
    with pytest.warns(UserWarning, match="use Oxford's") as caught:
        objective = Objective(content, style, convention=name)
        objective(candidates[0])
        Objective(content, style, convention="d2l")
    assert len(caught) == 1
    assert caught[0].filename == __file__  # it points to the caller
    assert objective.vgg.weights == "oxford"


@pytest.mark.parametrize(
    "name", ["styletut", "tensorflow_tutorial", "neural_style", "pastiche"]
)
def test_conventions_on_oxfords_weights_warn_of_nothing(
    name, no_torchvision_weights
):
    vgg = convention_network(CONVENTIONS[name])
    assert (vgg.weights, vgg.pooling) == ("oxford", "max")
    assert not vgg.normalized


def test_the_papers_network_is_rescaled_with_average_pooling():
    vgg = convention_network(CONVENTIONS["gatys2016"])
    assert (vgg.weights, vgg.pooling) == ("oxford", "average")
    assert vgg.normalized


# What does not fit


def test_conventions_that_cannot_run_are_refused(vgg, content, style):
    with pytest.raises(ValueError, match="'cs231n' runs on squeezenet"):
        Objective(content, style, vgg=vgg, convention="cs231n")
    with pytest.raises(ValueError, match=r"'crowsonkb' .*Wasserstein"):
        Objective(content, style, vgg=vgg, convention="crowsonkb")
    with pytest.raises(ValueError, match=r"no convention 'gatys'.*d2l"):
        Objective(content, style, vgg=vgg, convention="gatys")


@pytest.mark.parametrize("term", ["content", "style"])
def test_unknown_layers_are_refused_and_the_known_listed(
    term, vgg, content, style
):
    for layers in (["conv9_9"], {"conv9_9": 1.0}):
        with pytest.raises(ValueError, match="no layer 'conv9_9'") as caught:
            Objective(content, style, vgg=vgg, **{f"{term}_layers": layers})
        assert all(layer in str(caught.value) for layer in LAYERS)


@pytest.mark.parametrize("weight", [-1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
def test_weights_that_are_none_are_refused(name, weight, vgg, content, style):
    with pytest.raises(ValueError, match=rf"{name} is {float(weight)}"):
        Objective(content, style, vgg=vgg, **{name: weight})


def test_layer_weights_that_are_none_are_refused(vgg, content, style):
    with pytest.raises(ValueError, match=r"style weight of relu1_1 is -1\.0"):
        Objective(content, style, vgg=vgg, style_layers={"relu1_1": -1})
    with pytest.raises(ValueError, match="content weight of relu1_1 is nan"):
        Objective(
            content, style, vgg=vgg, content_layers={"relu1_1": math.nan}
        )


def test_no_layers_at_all_are_refused(vgg, content, style):
    with pytest.raises(ValueError, match="both empty"):
        Objective(content, style, vgg=vgg, content_layers=(), style_layers=())


@pytest.mark.parametrize("weights", [(), (0.0,), (0.0, 0.0)])
def test_styles_that_weigh_nothing_are_refused(vgg, content, style, weights):
    with pytest.raises(ValueError, match="no style picture with a positive"):
        Objective(content, [(style, w) for w in weights], vgg=vgg)


def test_styles_without_their_weights_are_refused(vgg, content, style):
    for styles in ([style], [style, style], (style, 1.0)):
        with pytest.raises(ValueError, match=r"sequence of \(picture, weight"):
            Objective(content, styles, vgg=vgg)


def test_what_weighs_nothing_has_no_gradient(vgg, content, style):
    for settings in (
        {"content_layers": (), "beta": 0},
        {"style_layers": (), "alpha": 0},
        {"alpha": 0, "beta": 0},
    ):
        objective = Objective(content, style, vgg=vgg, **settings)
        terms, gradient = objective.gradient(content)
        assert float(terms.total) == 0
        assert (gradient == 0).all()


@pytest.mark.parametrize("factor", [255, -1, float("nan")])
def test_pictures_out_of_range_are_refused(vgg, content, style, factor):
    with pytest.raises(ValueError, match=r"content picture has values from"):
        Objective(content * factor, style, vgg=vgg)
    with pytest.raises(ValueError, match=r"style picture has values from"):
        Objective(content, style * factor, vgg=vgg)


def test_the_least_side_is_that_of_the_deepest_layer(vgg, content, style):
    small = content[..., :4, :4]
    with pytest.raises(ValueError, match=r"content picture.*relu5_1.* 16 pix"):
        Objective(small, style, vgg=vgg)
    with pytest.raises(ValueError, match=r"style picture.*relu5_1.* 16 pix"):
        Objective(content, style[..., :1, :1], vgg=vgg)


def test_a_negative_share_of_a_style_is_refused(vgg, content, style):
    with pytest.raises(ValueError, match=r"style's weight is -1\.0"):
        Objective(content, [(style, 2.0), (style, -1.0)], vgg=vgg)


@pytest.mark.parametrize(
    "shape", [(3, 32, 32), (1, 1, 32, 32), (2, 3, 32, 32), (32, 32, 3)]
)
def test_pictures_of_another_shape_are_refused(shape, vgg, content, style):
    wrong = torch.zeros(shape, dtype=content.dtype)
    message = r"the {} picture is a tensor of shape \(1, 3, H, W\), not \("
    with pytest.raises(ValueError, match=message.format("content")):
        Objective(wrong, style, vgg=vgg)
    with pytest.raises(ValueError, match=message.format("style")):
        Objective(content, wrong, vgg=vgg)
    with pytest.raises(ValueError, match=message.format("style")):
        Objective(content, [(style, 1.0), (wrong, 1.0)], vgg=vgg)


def test_pictures_of_another_dtype_or_device_are_refused(vgg, content, style):
    with pytest.raises(ValueError, match=r"style picture is torch\.float32"):
        Objective(content, style.float(), vgg=vgg)
    with pytest.raises(ValueError, match=r"content picture .*torch\.uint8"):
        Objective(content.to(torch.uint8), style, vgg=vgg)
    with pytest.raises(ValueError, match="style picture is on meta"):
        Objective(content, style.to("meta"), vgg=vgg)


def test_a_picture_to_judge_must_be_like_the_content(vgg, content, style):
    objective = Objective(content, style, vgg=vgg)
    with pytest.raises(ValueError, match=r"\(1, 3, 37, 28\) and the content"):
        objective(style)
    with pytest.raises(ValueError, match=r"torch\.float32 .*torch\.float64"):
        objective(content.float())
    with pytest.raises(ValueError, match="on meta and the content"):
        objective(content.to("meta"))


def test_nothing_is_computed_for_a_picture_that_does_not_fit(
    vgg, content, style, monkeypatch
):
    objective = Objective(content, style, vgg=vgg)

    def fail(*args):
        raise AssertionError("ran the network")

    monkeypatch.setattr(objective, "vgg", fail, raising=False)
    for wrong in (style, content.float(), content.to("meta")):
        with pytest.raises(ValueError, match="and the content"):
            objective(wrong)


def test_a_picture_too_small_is_told_the_least_side(vgg, content, style):
    assert feature_shape("relu5_1", 16, 16)[1:] == (1, 1)
    small = picture(15, 40, seed=0)
    for pair, name in (
        ((small, style), "content"),
        ((content, small), "style"),
    ):
        with pytest.raises(
            ValueError, match=rf"the {name} picture: .* at least 16 pixels"
        ):
            Objective(*pair, vgg=vgg)
    # a style's layers alone decide how small its picture may be
    tiny = picture(4, 4, seed=0)
    Objective(content, tiny, vgg=vgg, style_layers=["relu1_1", "relu3_1"])


@pytest.mark.parametrize("tiles", [None, 32])
@pytest.mark.parametrize("spoiled", [math.nan, math.inf])
def test_a_picture_with_no_number_has_no_loss(tiles, spoiled):
    """A convolution that computes its ReLU, too, makes 0 of NaN."""
    content = sample("chelsea", 64)
    objective = Objective(content, sample("night", 64), tiles=tiles)
    x = content.clone()
    x[0, 1, 20, 20] = spoiled
    for terms in (objective(x), objective.gradient(x)[0]):
        assert terms.content.isnan() and terms.style.isnan()
        assert terms.total.isnan()


@pytest.mark.parametrize(
    ("side", "style_tiles", "engines"),
    [(16, None, 1), (64, None, 2), (16, 8, 2)],
)
def test_small_styles_share_the_engine_and_its_memory(
    monkeypatch, content, side, style_tiles, engines
):
    made = []

    def choose(*arguments, **settings):
        made.append(settings["tiles"])
        return choose_engine(*arguments, **settings)

    monkeypatch.setattr("styletut.objective.objective.choose_engine", choose)
    Objective(
        content,
        picture(side, side, seed=1),
        content_layers={"relu1_1": 1.0},
        style_layers={"relu1_1": 1.0},
        style_tiles=style_tiles,
    )
    assert made == [None, style_tiles][:engines]


def test_a_styles_loss_is_the_gram_loss_unless_said(vgg, content, style):
    (loss,) = style_losses(
        choose_engine(vgg, style),
        settled(regions_of(style), content),
        CONTENT_SIZE,
        {"relu1_1": 0.5},
        2.0,
        CONVENTIONS["gatys2016"],
    )
    assert type(loss) is StyleLoss


@pytest.mark.parametrize(
    "kind", ["squared", "anisotropic", factors.power_variation]
)
def test_total_variation_is_that_of_the_pixels_in_their_unit(
    vgg, content, style, kind
):
    own = CONVENTIONS[DEFAULT_CONVENTION]
    unit = (2.0, 3.0, 5.0)
    other = replace(own, total_variation=kind, pixel_unit=unit)
    terms = Objective(content, style, vgg=vgg, convention=other)(content)
    scaled = content * torch.tensor(unit)[:, None, None]
    right = kind(scaled) if callable(kind) else total_variation(scaled, kind)
    torch.testing.assert_close(terms.tv, right)


def test_a_style_of_the_photos_size_needs_no_maps_of_its_own(
    vgg, content, monkeypatch
):
    made, original = [], objective_module.choose_engine

    def choose(network, picture, **settings):
        made.append(picture.numel())
        return original(network, picture, **settings)

    monkeypatch.setattr(objective_module, "choose_engine", choose)
    Objective(content, content.flip(3), vgg=vgg)
    assert made == [content.numel()]
    larger = torch.cat([content, content[..., :1]], 3)
    Objective(content, larger, vgg=vgg)
    assert made[1:] == [content.numel(), larger.numel()]
