"""The table of conventions: its numbers, and translations between them."""

import pickle
from dataclasses import replace

import pytest
import torch

from styletut.conventions import (
    CONVENTIONS,
    DEFAULT_CONVENTION,
    check_runnable,
    convert_weights,
    factors,
    get_convention,
    kappa,
    paper_weights,
    style_content_ratio,
)
from styletut.losses import total_variation
from styletut.objective import Objective
from styletut.transfer.plan import STARTS
from styletut.vgg import LAYERS, VGG19, feature_shape

RELU_N_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
USABLE = [name for name in CONVENTIONS if name not in ("cs231n", "crowsonkb")]

# Every objective of the form (4.5), as a sum_l 1/2 sum (F - P)^2 + sum_l
# b_l E_l, for pictures of 512 x 512 pixels: a, and b_l by layer, worked out
# from the formulas of each source by hand to four digits.
AT_512 = {
    "gatys2016": (1e-3, (0.2,) * 5),
    "article": (1, (6.872e10, 4.295e9, 2.684e8, 1.678e7, 1.049e6)),
    "article_code": (9.537e-3, (4,) * 5),
    "article_code_raw": (
        9.537e-3,
        (2.749e11, 1.718e10, 1.074e9, 6.711e7, 4.194e6),
    ),
    "article_code_nm": (
        9.537e-3,
        (9.766e-4, 2.441e-4, 6.104e-5, 1.526e-5, 1.526e-5),
    ),
    "pytorch_tutorial": (2.384e-7, (976.6, 976.6, 244.1, 244.1, 61.04)),
    "tensorflow_tutorial": (3.815e-2, (8e-3,) * 5),
    "keras_example": (
        5e-8,
        (9.102e-5, 2.276e-5, 5.689e-6, 1.422e-6, 8.889e-8),
    ),
    "d2l": (9.537e-7, (9.766, 2.441, 0.6104, 0.1526, 0.1526)),
    "neural_style": (
        4.768e-6,
        (9.766e-2, 2.441e-2, 6.104e-3, 1.526e-3, 1.526e-3),
    ),
    "leongatys_notebook": (
        9.537e-7,
        (0.9766, 0.2441, 0.06104, 0.01526, 0.01526),
    ),
    "pastiche": (
        9.537e-9,
        (9.766e-3, 2.441e-3, 6.104e-4, 1.526e-4, 1.526e-4),
    ),
}

# How each source makes its run, read off it once more: size and which side
# it is, the style picture's, evaluations, start, range, optimizer, the unit of
# its pixels.
IMAGENET = (1 / 0.229, 1 / 0.224, 1 / 0.225)
SHAPE_300 = (512, "longer", "shape", 300, "content", "none")
RUNS = {
    "gatys2016": (512, "longer", "shape", 500, "noise", "none", "lbfgs", 1),
    "article": (*SHAPE_300, "gradient_descent", 1),
    "article_code": (*SHAPE_300, "lbfgs", 1),
    "article_code_raw": (*SHAPE_300, "lbfgs", 1),
    "article_code_nm": (*SHAPE_300, "lbfgs", 1),
    "pytorch_tutorial": (
        *(512, "shorter", "shape", 300),
        *("content", "project", "torch_lbfgs", 1),
    ),
    "tensorflow_tutorial": (
        *(512, "longer", "longer", 1000),
        *("content", "project", "adam", 1),
    ),
    "keras_example": (
        *(400, "height", "shape", 4000),
        *("content", "none", "gradient_descent", 255),
    ),
    "cs231n": (
        *(192, "shorter", "shorter", 200),
        *("content", "project", "adam", IMAGENET),
    ),
    "d2l": (
        *(300, "height", "shape", 500),
        *("content", "none", "adam", IMAGENET),
    ),
    "neural_style": (
        *(512, "longer", "longer", 1000),
        *("grey", "none", "torch_lbfgs", 256),
    ),
    "leongatys_notebook": (
        *(512, "shorter", "shorter", 500),
        *("content", "none", "torch_lbfgs", 255),
    ),
    "pastiche": (
        *(500, "area", "area", 1000),
        *("content", "none", "torch_lbfgs", 255),
    ),
    "crowsonkb": (
        *(512, "longer", "longer", 3000),
        *("content", "project", "adam", 1),
    ),
}


# Options of their optimizers, in the units of their pixels.
OPTIONS = {
    "tensorflow_tutorial": {
        "learning_rate": 0.02,
        "betas": (0.99, 0.999),
        "epsilon": 0.1,
    },
    "keras_example": {"learning_rate": factors.keras_rate},
    "cs231n": {"learning_rate": factors.cs231n_rate},
    "d2l": {"learning_rate": factors.d2l_rate},
    "crowsonkb": {"learning_rate": 0.02, "betas": (0.9, 0.99)},
}
TORCHVISIONS = [
    *("article_code", "article_code_raw", "article_code_nm"),
    *("pytorch_tutorial", "cs231n", "d2l", "crowsonkb"),
]
# Content layers, style layers and the weights of the terms where no table
# above has them, in the implementation's own units.
OWN_UNITS = {
    "cs231n": (
        {"features.3": 1},
        {
            "features.1": 300000,
            "features.4": 1000,
            "features.6": 15,
            "features.7": 3,
        },
        (6e-2, 1, 2e-2),
    ),
    "crowsonkb": (
        {"relu4_2": 1},
        {
            layer: weight / (256 + 64 + 16 + 4 + 1)
            for layer, weight in zip(
                RELU_N_1, (256, 64, 16, 4, 1), strict=True
            )
        },
        (0.015, 1, 2),
    ),
}


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


def picture(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(1, 3, height, width, generator=generator)
    return x.double()


def relative_error(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def test_the_table_holds_all_that_the_course_speaks_of():
    assert {*AT_512, "styletut", "cs231n"} <= set(CONVENTIONS)
    assert DEFAULT_CONVENTION in CONVENTIONS
    for name, convention in CONVENTIONS.items():
        assert convention.name == name


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_made_as_its_source_makes_it(name):
    of = CONVENTIONS[name]
    *run, unit = RUNS[name]
    assert run == [
        *(of.size, of.size_of, of.style_size, of.evaluations),
        *(of.start, of.range_rule, of.optimizer),
    ]
    units = unit if isinstance(unit, tuple) else (unit,) * 3
    assert of.pixel_unit == pytest.approx(units, rel=1e-15)


def test_the_runs_of_all_sources_are_compared():
    assert {*RUNS} == {*CONVENTIONS} - {DEFAULT_CONVENTION}


@pytest.mark.parametrize(
    ("setting", "usual", "others"),
    [
        ("normalize", False, {"gatys2016": True}),
        ("pooling", "max", {"gatys2016": "average"}),
        ("coarsest", None, {DEFAULT_CONVENTION: 128, "crowsonkb": 128}),
        ("weights", "oxford", dict.fromkeys(TORCHVISIONS, "torchvision")),
        ("network", "vgg19", {"cs231n": "squeezenet"}),
        ("alpha_share", None, {DEFAULT_CONVENTION: 0.1}),
        ("optimizer_options", {}, OPTIONS),
    ],
)
def test_who_is_the_exception_and_in_what(setting, usual, others):
    of = {name: getattr(each, setting) for name, each in CONVENTIONS.items()}
    assert {n: v for n, v in of.items() if v != usual} == others


@pytest.mark.parametrize("name", OWN_UNITS)
def test_layers_and_weights_in_units_of_their_own(name):
    content, style, terms = OWN_UNITS[name]
    of = CONVENTIONS[name]
    assert of.content_layers == content
    assert of.style_layers == pytest.approx(style, rel=1e-15)
    assert (of.alpha, of.beta, of.gamma) == terms


@pytest.mark.parametrize(
    ("rate", "steps"),
    [
        (factors.keras_rate, {0: 100, 100: 96, 200: 92.16, 50: 97.979590}),
        (factors.d2l_rate, {0: 0.3, 49: 0.3, 50: 0.24, 100: 0.192}),
        (factors.cs231n_rate, {0: 3, 179: 3, 180: 0.1, 199: 0.1}),
    ],
)
def test_learning_rates_at_some_steps(rate, steps):
    assert {k: rate(k) for k in steps} == pytest.approx(steps)


def test_where_a_run_differs_from_its_source_a_note_says_so():
    notes = {name: each.note for name, each in CONVENTIONS.items()}
    assert [name for name, text in notes.items() if not text] == [
        "tensorflow_tutorial"
    ]
    assert all(text.endswith(".") for text in notes.values() if text)


@pytest.mark.parametrize("name", AT_512)
def test_weights_in_the_papers_units_at_512_pixels(name):
    a, b = AT_512[name]
    content, style = paper_weights(CONVENTIONS[name], 512, 512)
    assert list(content.values()) == pytest.approx([a], rel=5e-4)
    assert list(style.values()) == pytest.approx(b, rel=5e-4)
    ratio = style_content_ratio(name, 512, 512)
    assert ratio == pytest.approx(sum(b) / a, rel=1e-3)


def test_notebook_pastiche_and_paper_ratios_are_the_published_ones():
    ratios = {name: style_content_ratio(name, 512, 512) for name in USABLE}
    assert ratios["gatys2016"] == pytest.approx(1e3)
    assert ratios["leongatys_notebook"] == pytest.approx(1.4e6, rel=0.05)
    assert ratios["pastiche"] == pytest.approx(ratios["leongatys_notebook"])
    assert ratios["neural_style"] == pytest.approx(2.8e4, rel=0.05)
    assert ratios["tensorflow_tutorial"] == pytest.approx(1.05, rel=0.01)
    assert ratios["keras_example"] == pytest.approx(2.4e3, rel=0.05)
    # Johnson's G / (N M) with a style weight of 1000 is the notebook's form
    johnson = replace(CONVENTIONS["neural_style"], alpha=1.0, beta=1e3)
    assert style_content_ratio(johnson, 512, 512) == pytest.approx(
        ratios["leongatys_notebook"]
    )


@pytest.mark.parametrize("name", CONVENTIONS)
def test_sums_and_means_depend_on_size_as_they_must(name):
    convention = CONVENTIONS[name]
    if convention.network != "vgg19" or convention.gram_divisor is None:
        return
    small, large = (
        style_content_ratio(name, side, side) for side in (256, 512)
    )
    growth = {
        "gatys2016": 1,  # both in the paper's own units
        "article": 16,
        "article_code_raw": 64,
        "keras_example": 1,
    }.get(name, 4)
    assert large / small == pytest.approx(growth)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_entry_is_complete(name):
    convention = CONVENTIONS[name]
    if convention.network == "vgg19":
        layers = {**convention.content_layers, **convention.style_layers}
        assert set(layers) <= set(LAYERS)
    for weights in (convention.content_layers, convention.style_layers):
        assert weights and all(weight > 0 for weight in weights.values())
    assert convention.source and convention.preprocessing
    assert convention.weights in ("oxford", "torchvision")
    assert convention.pooling in ("max", "average")
    assert convention.start in STARTS
    assert convention.size_of in ("longer", "shorter", "height", "area")
    assert convention.style_size in ("longer", "shorter", "area", "shape")
    assert convention.evaluations > 0 and convention.size >= 128
    assert min(convention.alpha, convention.beta) > 0 <= convention.gamma
    assert len(convention.pixel_unit) == 3
    form = convention.total_variation
    kinds = ("squared", "anisotropic", "isotropic")
    assert callable(form) or form in kinds


@pytest.mark.parametrize("name", CONVENTIONS)
def test_entries_can_be_pickled(name):
    again = pickle.loads(pickle.dumps(CONVENTIONS[name]))
    assert again == CONVENTIONS[name]
    if name in USABLE:
        converted = convert_weights(name, 64, 64, to="gatys2016")
        assert pickle.loads(pickle.dumps(converted)) == converted


def test_layers_after_the_relu_where_the_code_reads_them_there():
    for name in (
        "gatys2016",
        "tensorflow_tutorial",
        "keras_example",
        "neural_style",
        "leongatys_notebook",
        "pastiche",
    ):
        assert tuple(CONVENTIONS[name].style_layers) == RELU_N_1
    content = {
        name: tuple(CONVENTIONS[name].content_layers) for name in USABLE
    }
    assert content["gatys2016"] == content["neural_style"] == ("relu4_2",)
    assert content["tensorflow_tutorial"] == ("relu5_2",)
    assert content["keras_example"] == ("relu5_2",)
    assert content["pytorch_tutorial"] == ("conv2_2",)
    assert content["d2l"] == ("relu4_4",)
    first_five = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
    assert tuple(CONVENTIONS["pytorch_tutorial"].style_layers) == first_five
    d2l = tuple(CONVENTIONS["d2l"].style_layers)
    assert d2l == (*RELU_N_1[:4], "conv5_1")


def test_the_paper_is_the_unit_of_kappa():
    # notebook 04, (4.6)
    paper = CONVENTIONS["gatys2016"]
    assert kappa(paper, 64, 1000, 4000) == pytest.approx(1)
    notebook = CONVENTIONS["leongatys_notebook"]
    assert kappa(notebook, 64, 1000, 4000) == pytest.approx(4)
    johnson = CONVENTIONS["neural_style"]
    assert kappa(johnson, 64, 1000, 4000) == pytest.approx(4 / 64**2)
    text = CONVENTIONS["article"]
    assert kappa(text, 64, 1000, 4000) == pytest.approx(1000**2)
    keras = CONVENTIONS["keras_example"]
    expected = (64 * 1000) ** 2 / (9 * 4000**2)
    assert kappa(keras, 64, 1000, 4000) == pytest.approx(expected)


# Total variations that are the implementation's own


def test_the_total_variations_of_a_small_picture():
    x = torch.tensor([[0.0, 1.0, 1.0], [2.0, 5.0, 1.0]], dtype=torch.float64)
    # down: 2, 4, 0; right: 1, 0 and 3, -4; cells: (2, 1) and (4, 0)
    form = CONVENTIONS["d2l"].total_variation
    assert form is CONVENTIONS["pastiche"].total_variation
    assert form(x[None, None]).item() == pytest.approx((6 / 3 + 8 / 4) / 2)
    form = CONVENTIONS["keras_example"].total_variation
    expected = 5**1.25 + 16**1.25
    assert form(x[None, None]).item() == pytest.approx(expected)
    form = CONVENTIONS["neural_style"].total_variation
    assert form(x[None, None]).item() == pytest.approx((5 + 16) / 2)
    kind = CONVENTIONS["tensorflow_tutorial"].total_variation
    assert total_variation(x, kind).item() == pytest.approx(6 + 8)


@pytest.mark.parametrize("name", USABLE)
def test_a_flat_picture_has_no_total_variation_and_no_gradient(name):
    form = CONVENTIONS[name].total_variation
    x = torch.full((1, 3, 4, 5), 0.5, requires_grad=True)
    value = form(x) if callable(form) else total_variation(x, form)
    (gradient,) = torch.autograd.grad(value, x)
    assert value == 0 and not gradient.any()


def test_johnsons_total_variation_has_the_gradient_of_its_module():
    # TVLoss:updateGradInput: each cell pulls its corner and two neighbors
    x = picture(4, 5, seed=0).requires_grad_()
    form = CONVENTIONS["neural_style"].total_variation
    (gradient,) = torch.autograd.grad(form(x), x)
    expected = torch.zeros_like(x)
    for i in range(3):
        for j in range(4):
            right = (x[..., i, j] - x[..., i, j + 1]).detach()
            down = (x[..., i, j] - x[..., i + 1, j]).detach()
            expected[..., i, j] += right + down
            expected[..., i, j + 1] -= right
            expected[..., i + 1, j] -= down
    torch.testing.assert_close(gradient, expected)


# Translations


class Remembered:
    """A network that hands out maps computed before, by picture."""

    def __init__(self, vgg, layers):
        self.vgg, self.layers, self.known = vgg, layers, []

    def maps(self, image):
        for known, maps in self.known:
            if known is image:
                return maps
        with torch.no_grad():
            maps = self.vgg(image, self.layers)
        # leaves: gradients are taken with respect to the maps themselves
        maps = {layer: F_l.requires_grad_() for layer, F_l in maps.items()}
        self.known.append((image, maps))
        return maps

    def __call__(self, image, layers):
        maps = self.maps(image)
        return {layer: maps[layer] for layer in layers}


@pytest.fixture(scope="module")
def remembered(vgg):
    layers = set()
    for name in USABLE:
        layers |= {*CONVENTIONS[name].content_layers}
        layers |= {*CONVENTIONS[name].style_layers}
    return Remembered(vgg, sorted(layers))


@pytest.fixture(scope="module")
def pictures():
    return [picture(32, 40, seed) for seed in range(3)]


def value_and_gradients(convention, remembered, pictures):
    content, style, x = pictures
    objective = Objective(
        content,
        style,
        vgg=remembered,
        convention=convention,
        alpha=get_convention(convention).alpha,  # it follows no pair
    )
    total = objective(x).total
    maps = remembered.maps(x).values()
    gradients = torch.autograd.grad(total, maps, allow_unused=True)
    return total, [g for g in gradients if g is not None]


@pytest.mark.parametrize("source", USABLE)
def test_a_translation_has_the_same_value_and_gradients(
    source, remembered, pictures
):
    total, gradients = value_and_gradients(source, remembered, pictures)
    assert len(gradients) >= 5
    for target in USABLE:
        converted = convert_weights(source, 32, 40, to=target)
        value, others = value_and_gradients(converted, remembered, pictures)
        assert relative_error(value, total) < 1e-10, target
        # gradients by map: the pixels' gradient is linear in these
        for one, other in zip(gradients, others, strict=True):
            assert relative_error(other, one) < 1e-10, target


@pytest.mark.parametrize("source", USABLE)
def test_a_translation_into_the_paper_has_the_same_pixel_gradient(
    source, vgg, pictures
):
    content, style, x = pictures
    results = []
    for convention in (source, convert_weights(source, 32, 40)):
        alpha = get_convention(convention).alpha
        objective = Objective(
            content, style, vgg=vgg, convention=convention, alpha=alpha
        )
        terms, gradient = objective.gradient(x)
        results.append((terms.total, gradient))
    (total, gradient), (value, other) = results
    assert relative_error(value, total) < 1e-10
    assert relative_error(other, gradient) < 1e-10


@pytest.mark.parametrize("source", USABLE)
@pytest.mark.parametrize("target", ["gatys2016", "pastiche"])
def test_translations_keep_the_sums_and_all_else(source, target):
    before = CONVENTIONS[source]
    after = convert_weights(source, 48, 64, to=target)
    for term in ("content_layers", "style_layers"):
        old, new = getattr(before, term), getattr(after, term)
        assert list(new) == list(old)
        assert sum(new.values()) == pytest.approx(sum(old.values()))
    changed = {
        "name": after.name,
        "alpha": after.alpha,
        "alpha_share": None,
        "beta": after.beta,
        "content_layers": after.content_layers,
        "style_layers": after.style_layers,
        "content_factor": CONVENTIONS[target].content_factor,
        "gram_divisor": CONVENTIONS[target].gram_divisor,
        "style_factor": CONVENTIONS[target].style_factor,
    }
    assert replace(before, **changed) == after
    assert source in after.name and target in after.name


@pytest.mark.parametrize("source", USABLE)
def test_a_translation_there_and_back_is_the_convention_itself(source):
    # notebook 04, (4.7)
    there = convert_weights(source, 48, 64, to="gatys2016")
    back = convert_weights(there, 48, 64, to=source)
    before = CONVENTIONS[source]
    assert back.alpha == pytest.approx(before.alpha)
    assert back.beta == pytest.approx(before.beta)
    assert back.content_layers == pytest.approx(before.content_layers)
    assert back.style_layers == pytest.approx(before.style_layers)
    assert style_content_ratio(there, 48, 64) == pytest.approx(
        style_content_ratio(source, 48, 64)
    )


@pytest.mark.parametrize("same", [True, False])
def test_styles_of_another_size_need_grams_over_positions(
    same, remembered, pictures
):
    content, _, x = pictures
    style = picture(48, 32, seed=9)
    target = "neural_style" if same else "gatys2016"
    results = [
        value_and_gradients(convention, remembered, (content, style, x))[0]
        for convention in (
            "leongatys_notebook",
            convert_weights("leongatys_notebook", 32, 40, to=target),
        )
    ]
    assert (relative_error(*results) < 1e-10) == same


def test_a_term_without_weight_stays_without():
    convention = replace(CONVENTIONS["gatys2016"], alpha=0.0)
    converted = convert_weights(convention, 64, 64, to="d2l")
    assert converted.alpha == 0
    assert converted.content_layers == convention.content_layers
    with pytest.raises(ValueError, match="gives the content no weight"):
        style_content_ratio(convention, 64, 64)


# What cannot be


def test_unknown_conventions_are_refused_and_the_known_listed():
    calls = (
        lambda: get_convention("gatys2015"),
        lambda: convert_weights("gatys2015", 64, 64),
        lambda: convert_weights("gatys2016", 64, 64, to="gatys2015"),
        lambda: style_content_ratio("gatys2015", 64, 64),
    )
    for call in calls:
        with pytest.raises(
            ValueError, match="no convention 'gatys2015'"
        ) as caught:
            call()
        assert all(name in str(caught.value) for name in CONVENTIONS)


def test_another_networks_convention_cannot_be_translated():
    calls = (
        lambda: convert_weights("cs231n", 64, 64),
        lambda: style_content_ratio("cs231n", 64, 64),
        lambda: check_runnable(CONVENTIONS["cs231n"]),
        lambda: convert_weights("gatys2016", 64, 64, to="cs231n"),
    )
    for call in calls:
        with pytest.raises(ValueError, match="'cs231n' runs on squeezenet"):
            call()


def test_what_is_no_function_of_gram_matrices_cannot_be_translated():
    calls = (
        lambda: convert_weights("crowsonkb", 64, 64),
        lambda: convert_weights("gatys2016", 64, 64, to="crowsonkb"),
        lambda: style_content_ratio("crowsonkb", 64, 64),
        lambda: check_runnable(CONVENTIONS["crowsonkb"]),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"'crowsonkb' .*Wasserstein"):
            call()


@pytest.mark.parametrize("name", USABLE)
def test_all_other_conventions_run(name):
    check_runnable(CONVENTIONS[name])


def test_a_picture_too_small_for_a_convention_is_refused():
    least = feature_shape("relu5_1", 16, 16)
    assert least == (512, 1, 1)
    assert style_content_ratio("gatys2016", 16, 16) > 0
    with pytest.raises(ValueError, match="at least 16 pixels"):
        style_content_ratio("gatys2016", 15, 200)


def test_conventions_are_given_by_name_or_as_they_are():
    convention = replace(CONVENTIONS["d2l"], name="mine")
    assert get_convention(convention) is convention
    assert get_convention("d2l") is CONVENTIONS["d2l"]
