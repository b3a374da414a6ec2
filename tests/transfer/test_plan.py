"""What a run settles on before it begins."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.conventions import CONVENTIONS
from styletut.engines.device import find_device
from styletut.images import fit
from styletut.transfer.plan import plan_run
from styletut.transfer.sizes import (
    COARSE,
    same_aspect,
    split_evaluations,
    style_shape,
)

PHOTO = 300, 400
PAINTING = 800, 400


def planned(**settings):
    return plan_run(PHOTO, [PAINTING], **settings)


@given(
    st.integers(1, 4000),
    st.integers(1, 1000),
    st.one_of(st.none(), st.integers(1, 600)),
)
def test_all_evaluations_are_spent_from_coarse_to_fine(
    size, evaluations, coarsest
):
    schedule = split_evaluations(size, evaluations, coarsest)
    sizes = [side for side, _ in schedule]
    assert sizes[-1] == size
    assert sizes == sorted(sizes)
    assert all(a == b // 2 for a, b in pairwise(sizes))
    assert sum(n for _, n in schedule) == evaluations
    counts = [n for _, n in schedule]
    assert min(counts) >= 1
    even = evaluations // len(counts)
    for count in counts[:-1]:
        assert min(even, COARSE) <= count <= min(even + 1, COARSE)
    assert counts[-1] >= even
    if coarsest is None:
        assert len(schedule) == 1
    elif len(schedule) > 1:
        assert sizes[0] >= coarsest


def test_a_convention_decides_what_is_left_out():
    plan = planned(convention="keras_example")
    entry = CONVENTIONS["keras_example"]
    # 400 rows, but never larger than the photo itself
    assert plan.schedule == ((400, 4000),)
    assert plan.optimizer == "gradient_descent"
    assert plan.options == entry.optimizer_options
    assert plan.range_rule == "none"
    assert plan.pixel_unit == (255.0, 255.0, 255.0)
    assert plan.start == "content"
    assert plan.chosen == {}


@pytest.mark.parametrize(
    ("convention", "size"),
    [
        ("keras_example", 533),
        ("leongatys_notebook", 683),
        ("gatys2016", 512),
        ("pastiche", 577),
    ],
)
def test_sides_of_conventions(convention, size):
    plan = plan_run((1200, 1600), [PAINTING], convention=convention)
    assert plan.schedule[0][0] == size


def test_the_callers_choice_goes_first():
    plan = planned(
        convention="tensorflow_tutorial",
        size=64,
        evaluations=7,
        optimizer="lbfgs",
        range_rule="none",
        start="grey",
        alpha=0.0,
    )
    assert plan.schedule == ((64, 7),)
    assert plan.optimizer == "lbfgs"
    assert plan.options == {}  # Adam's are not those of L-BFGS
    same = planned(convention="tensorflow_tutorial", optimizer="adam")
    assert same.options["epsilon"] == 0.1
    assert plan.range_rule == "none"
    assert plan.start == "grey"
    assert plan.chosen == {"alpha": 0.0}


def test_a_plan_names_its_layers():
    assert planned(
        content_layers="conv4_1", style_layers={"relu1_1": 2.0}
    ).layers == ("conv4_1", "relu1_1")
    plan = planned(style_layers=[])
    assert plan.layers == tuple(plan.convention.content_layers)


def test_a_plan_in_words(vgg):
    text = planned(convention="d2l", beta=2, style_layers=["relu1_1"]).text(
        vgg
    )
    assert all(isinstance(value, str) for value in text.values())
    assert text["options"] == "learning_rate d2l_rate"
    assert text["beta"] == "2"
    assert text["alpha"] == "1"
    assert text["style_layers"] == "relu1_1"
    assert text["style_scale"] == "shape"
    assert text["start"] == "content"
    assert text["precision"] == "float32"
    start = torch.zeros(1, 3, 300, 400)
    assert planned(start=start).text(vgg)["start"] == "a picture"


def test_a_plans_text_names_all_that_it_settled(vgg):
    assert list(planned().text(vgg)) == [
        *("convention", "network", "sizes", "evaluations", "style_scale"),
        *("alpha", "beta", "gamma", "content_layers", "style_layers"),
        *("guidance", "statistic", "color", "strength", "optimizer"),
        *("options", "range_rule", "pixel_unit", "start", "seed", "device"),
        *("precision", "styletut", "torch"),
    ]


@pytest.mark.parametrize(
    ("start", "sizes"),
    [
        ((300, 400), [400]),  # nothing is lost by going on where it is
        ((600, 800), [400]),
        ((150, 200), [200, 400]),
        ((146, 195), [200, 400]),
        ((225, 300), [400]),
        ((30, 40), [200, 400]),
    ],
)
def test_from_a_picture_no_size_takes_its_detail_away(start, sizes):
    picture = torch.empty(1, 3, *start, device="meta")
    plan = planned(start=picture, size=400, evaluations=90)
    assert [size for size, _ in plan.schedule] == sizes
    assert sum(n for _, n in plan.schedule) == 90
    chosen = planned(start=picture, schedule=[(100, 1), (400, 1)])
    assert [size for size, _ in chosen.schedule] == [100, 400]


@given(
    st.integers(40, 900),
    st.integers(40, 900),
    st.integers(20, 900),
    st.integers(20, 900),
)
def test_one_picture_at_two_sizes_has_one_aspect(height, width, one, other):
    shapes = [fit(height, width, size) for size in (one, other)]
    assert same_aspect(*shapes) and same_aspect(*reversed(shapes))
    h, w = shapes[0]
    assert same_aspect((h, w), (w, h)) == (h == w)
    assert not same_aspect((h, w), (h + 2, w)) or max(h, w) < h + 2


@pytest.mark.parametrize("start", [(400, 300), (300, 404), (10, 10)])
def test_a_start_of_another_aspect_is_refused(start):
    picture = torch.empty(1, 3, *start, device="meta")
    size = f"{start[1]} x {start[0]}"
    with pytest.raises(ValueError, match=f"{size} pixels .* 400 x 300"):
        planned(start=picture)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"convention": "gatys"}, "no convention 'gatys'.*gatys2016"),
        ({"size": 0}, "size"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"schedule": []}, r"at least one \(size"),
        ({"schedule": [(64, 0)]}, "evaluations is 0"),
        ({"schedule": [64]}, r"\(size, evaluations\)"),
        ({"evaluations": 2.5}, "evaluations is 2.5; .* whole number"),
        ({"optimizer": "sgd"}, "no optimizer 'sgd'"),
        ({"options": {"lr": 1}}, "no option 'lr'; it has history"),
        ({"range_rule": "wrap"}, "no range rule 'wrap'"),
        ({"schedule": [(64, 5)], "size": 64}, "leave out size"),
        ({"start": "photo"}, "start is 'photo'.*color, instant, noise"),
        ({"style_size": 0}, "size"),
        ({"alpha": -1}, "alpha is -1.0; it must be finite and not negative"),
        ({"beta": float("inf")}, "beta is inf; it must be finite"),
        ({"style_layers": ["relu9_1"]}, "no layer 'relu9_1'"),
        ({"content_layers": {"relu4_2": -1}}, "content weight of relu4_2"),
        ({"seed": True}, "seed is True"),
        ({"seed": 2**63}, "whole number of 64 bits"),
        ({"seed": -(2**63) - 1}, "whole number of 64 bits"),
        ({"seed": 0.5}, "seed is 0.5; it must be a whole number"),
        ({"device": "abacus"}, "device 'abacus' cannot be used.*'cpu'"),
        ({"precision": "half"}, "no precision 'half'"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        planned(**settings)


@pytest.mark.parametrize(
    "number", [np.int64(2), np.float32(2), torch.tensor(2.0), 2]
)
def test_numbers_need_not_be_pythons(number):
    plan = planned(alpha=number, beta=number, gamma=number)
    assert plan.chosen == {"alpha": 2.0, "beta": 2.0, "gamma": 2.0}
    assert all(type(each) is float for each in plan.chosen.values())


@pytest.mark.parametrize("seed", [np.int64(3), torch.tensor(3), 3])
def test_a_seed_is_any_whole_number(seed):
    assert planned(seed=seed).seed == 3


@pytest.mark.parametrize("seed", [-(2**63), 2**63 - 1])
def test_a_seed_has_64_bits(seed):
    assert planned(seed=seed).seed == seed


def test_an_unknown_setting_is_refused_with_those_that_there_are():
    with pytest.raises(TypeError, match=r"no setting 'sise'; .* style_size"):
        planned(sise=3)


@pytest.mark.parametrize(
    ("convention", "shape"),
    [
        ("styletut", (400, 200)),  # longer side
        ("leongatys_notebook", (600, 300)),  # shorter side
        ("gatys2016", (300, 400)),  # the content's shape
        ("pastiche", (490, 245)),  # as many pixels
    ],
)
def test_the_styles_size(convention, shape):
    plan = planned(convention=convention, schedule=[(400, 1)])
    assert plan.stages[-1].style_shapes == (shape,)
    rule = CONVENTIONS[convention].style_size
    assert style_shape(PAINTING, PHOTO, rule) == shape


def test_a_chosen_style_size_scales_with_the_picture():
    plan = planned(style_size=800, schedule=[(200, 1), (400, 1)])
    assert [each.shape for each in plan.stages] == [(150, 200), (300, 400)]
    coarse, fine = (each.style_shapes for each in plan.stages)
    assert coarse == ((400, 200),) and fine == ((800, 400),)


def test_every_style_has_its_shape():
    plan = plan_run(PHOTO, [PAINTING, (10, 20)], schedule=[(400, 1)])
    assert plan.stages[0].style_shapes == ((400, 200), (200, 400))


def test_auto_is_a_device_of_this_machine():
    device = find_device("auto")
    assert torch.empty(1, device=device).device.type == device.type
    assert find_device("cpu") == torch.device("cpu")
