"""Numbers and names as callers give them: one table of public arguments.

Each argument takes every number that is one and refuses all else in words;
none fails deep inside.
"""

import math
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from styletut.color import color_moments, match_color, match_luminance
from styletut.conventions import convert_weights, style_content_ratio
from styletut.cores.threads import check_threads
from styletut.engines.device import check_precision
from styletut.images import (
    MASKS,
    ImageError,
    load_image,
    load_mask,
    resize,
    resize_mask,
    resize_to,
    sample,
)
from styletut.images import fit as fit_shape
from styletut.instant import fit
from styletut.instant.network import StyleNetwork
from styletut.instant.styles import shares_of
from styletut.losses import style_layer_loss
from styletut.metrics import color_distance
from styletut.objective import Objective
from styletut.objective.guides import propagated
from styletut.optimizers.variable import variable_of
from styletut.sweeps.jobs import _canonical
from styletut.transfer import stylize_steps
from styletut.transfer.coarse_to_fine import prepare
from styletut.transfer.plan import plan_run
from styletut.values import (
    check_known,
    checked_real,
    checked_whole,
    real,
    told,
    whole,
)
from styletut.vgg import VGG19, feature_shape
from styletut.video import TemporalObjective, scene, stylize_frames

X = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
ONE_LAYER = {"content_layers": "relu1_1", "style_layers": "relu1_1"}
NETWORK = StyleNetwork(["glass", "ink"], (2, 2, 2), 1)


class Stranger:
    """What is no number, name or picture, and cannot even be written."""

    def __repr__(self):
        raise RuntimeError("this cannot be written")


WHOLES = [
    *(t(2) for t in (int, np.int8, np.uint8, np.int16, np.int32, np.int64)),
    *(t(2) for t in (np.uint16, np.uint32, np.uint64)),
    np.array(2),
    *(torch.tensor(2, dtype=t) for t in (torch.uint8, torch.int32)),
    torch.tensor(2),
]
REALS = [
    *WHOLES,
    *(t(2) for t in (float, np.float16, np.float32, np.float64)),
    np.longdouble(2),
    np.array(2.0),
    *(torch.tensor(2.0, dtype=t) for t in (torch.float64, torch.bfloat16)),
    torch.tensor(2.0, requires_grad=True),
    Fraction(2),
    Decimal(2),
]
NEITHER = [
    *(True, False, np.True_, np.array(True), torch.tensor(True)),
    *("2", b"2", bytearray(b"2"), np.str_("2"), np.array("2"), ""),
    *(2j, np.complex64(2), torch.tensor(2j), None, (), [2], (2,), {}, {2}),
    *(np.array([2]), torch.tensor([2]), torch.tensor([2.0, 2.0])),
    *(math.nan, math.inf, -math.inf, np.float32("nan"), Decimal("NaN")),
    *(Decimal("sNaN"), torch.tensor(math.nan), torch.tensor(-math.inf)),
    *(-1, -1.0, np.int8(-1), Fraction(-1), torch.tensor(-1.0)),
    *(torch.zeros((), device="meta"), np.datetime64("2020")),
    *(object(), Stranger(), int, lambda: 2, X),
]
NOT_WHOLE = [2.5, 2.0, np.float64(2), torch.tensor(2.0), Fraction(2)]


def objective(vgg, **settings):
    return Objective(X, X, vgg=vgg, **{**ONE_LAYER, **settings})


def taught(**settings):
    """Learn nothing: what is looked at last is a picture that is none."""
    with suppress(ImageError):
        fit("no such picture", **settings)


# (function, argument): a call with a value for it
TAKES_REAL = {
    "Objective alpha": lambda v, vgg: objective(vgg, alpha=v).alpha,
    "Objective beta": lambda v, vgg: objective(vgg, beta=v).beta,
    "Objective gamma": lambda v, vgg: objective(vgg, gamma=v).gamma,
    "Objective content_layers": lambda v, vgg: objective(
        vgg, content_layers={"relu1_1": v}
    ).content_layers["relu1_1"],
    "Objective style_layers": lambda v, vgg: objective(
        vgg, style_layers={"relu1_1": v}
    ).style_layers["relu1_1"],
    "stylize alpha": lambda v, vgg: planned(alpha=v).chosen["alpha"],
    "stylize strength": lambda v, vgg: planned(strength=v).strength,
    "adam epsilon": lambda v, vgg: options("adam", epsilon=v),
    "gradient_descent momentum": lambda v, vgg: options(
        "gradient_descent", momentum=v
    ),
    "lbfgs noise": lambda v, vgg: options("lbfgs", noise=v),
    "minimize pixel_unit": lambda v, vgg: variable_of(X, "project", v).unit,
    "match_luminance mean": lambda v, vgg: match_luminance(X, v, 1),
    "match_luminance deviation": lambda v, vgg: match_luminance(X, 1, v),
    "color_moments weight": lambda v, vgg: color_moments([(X, v)]),
    "instant weight": lambda v, vgg: shares_of(NETWORK, [("ink", v)]),
    "fit good": lambda v, vgg: taught(good=v),
    "style_layer_loss M_a": lambda v, vgg: style_layer_loss(
        torch.ones(2, 3), torch.ones(2, 2), v
    ),
    "TemporalObjective delta": lambda v, vgg: (
        TemporalObjective(objective(vgg), X, X[:, :1], v).delta
    ),
    "stylize_frames delta": lambda v, vgg: list(
        stylize_frames([], X, delta=v)
    ),
}
TAKES_WHOLE = {
    "stylize size": lambda v, vgg: planned(size=v),
    "stylize style_size": lambda v, vgg: planned(style_size=v),
    "stylize evaluations": lambda v, vgg: planned(evaluations=v),
    "stylize schedule's size": lambda v, vgg: planned(schedule=[(v, 2)]),
    "stylize schedule's evaluations": lambda v, vgg: planned(
        schedule=[(64, v)]
    ),
    "lbfgs history": lambda v, vgg: options("lbfgs", history=v),
    "torch_lbfgs history": lambda v, vgg: options("torch_lbfgs", history=v),
    "stylize_frames following": lambda v, vgg: list(
        stylize_frames([], X, following=v)
    ),
    "load_image size": lambda v, vgg: load_image(X, v),
    "sample size": lambda v, vgg: sample("chelsea", v),
    "load_mask size": lambda v, vgg: load_mask(X[0, 0], v),
    "fit height": lambda v, vgg: fit_shape(v, 2, 2),
    "fit size": lambda v, vgg: fit_shape(2, 2, v),
    "resize size": lambda v, vgg: resize(X, v),
    "resize_to width": lambda v, vgg: resize_to(X, 4, v),
    "resize_mask height": lambda v, vgg: resize_mask(X[0, 0], v, 4),
    "set_threads threads": lambda v, vgg: check_threads(v),
    "color_distance bins": lambda v, vgg: color_distance(X, X, v),
    "feature_shape height": lambda v, vgg: feature_shape("relu1_1", v, 9),
    "feature_shape width": lambda v, vgg: feature_shape("relu1_1", 9, v),
    "scene frames": lambda v, vgg: list(scene(X, frames=v, margin=8)),
    "scene margin": lambda v, vgg: list(scene(X, frames=2, margin=v)),
    "scene seed": lambda v, vgg: list(scene(X, frames=2, margin=8, seed=v)),
    "fit row_steps": lambda v, vgg: taught(row_steps=v),
    "fit all_steps": lambda v, vgg: taught(all_steps=v),
    "Objective tiles": lambda v, vgg: objective(vgg, tiles=v),
    "Objective style_tiles": lambda v, vgg: objective(vgg, style_tiles=v),
}
# what these mean by None
LEFT_OUT = {
    *("Objective alpha", "Objective beta", "Objective gamma"),
    *("stylize alpha", "style_layer_loss M_a"),
    *("stylize size", "stylize style_size", "stylize evaluations"),
    *("load_image size", "sample size", "load_mask size"),
    *("Objective tiles", "Objective style_tiles"),
}
TAKES_A_NAME = {
    "Objective convention": lambda v, vgg: objective(vgg, convention=v),
    "Objective guidance": lambda v, vgg: objective(vgg, guidance=v),
    "Objective statistic": lambda v, vgg: objective(vgg, statistic=v),
    "Objective precision": lambda v, vgg: objective(vgg, precision=v),
    "Objective content_layers": lambda v, vgg: objective(
        vgg, content_layers=[v]
    ),
    "stylize color": lambda v, vgg: planned(color=v),
    "stylize optimizer": lambda v, vgg: planned(optimizer=v),
    "stylize range_rule": lambda v, vgg: planned(range_rule=v),
    "stylize start": lambda v, vgg: planned(start=v),
    "sample name": lambda v, vgg: sample(v),
    "match_color method": lambda v, vgg: match_color(X, X, v),
    "propagated way": lambda v, vgg: propagated(X[0, 0], "relu1_1", v),
    "check_precision": lambda v, vgg: check_precision(v),
    "VGG19 pooling": lambda v, vgg: VGG19(pooling=v),
    "feature_shape layer": lambda v, vgg: feature_shape(v, 9, 9),
    "convert_weights convention": lambda v, vgg: convert_weights(v, 64, 64),
    "style_content_ratio convention": lambda v, vgg: style_content_ratio(
        v, 64, 64
    ),
    "instant style": lambda v, vgg: shares_of(NETWORK, [(v, 1.0)]),
}
OWN_CHOICE = {"stylize optimizer", "stylize range_rule", "stylize start"}
"""What these mean by None: the convention's."""

NO_NAMES = [
    *(None, 1, 2.5, True, b"gram", (), [], ["gram"], {}, {"gram": 1}, X),
    *(np.array("gram"), torch.tensor(1), object(), Stranger(), int),
    *("", " ", "Gram", "gram\n", "chelsae", "\udcff", "x" * 500),
]


def planned(**settings):
    return plan_run((64, 64), [(64, 64)], **settings)


def options(optimizer, **given):
    return planned(optimizer=optimizer, options=given).options


def refused(call, value, vgg):
    """Return in which words a value is refused."""
    with pytest.raises(ValueError) as caught:
        call(value, vgg)
    message = str(caught.value)
    assert 10 < len(message) < 900 and "\n" not in message, message
    return message


@pytest.mark.parametrize("argument", TAKES_REAL)
def test_an_argument_takes_numbers_of_every_kind(argument, vgg):
    for value in REALS:
        TAKES_REAL[argument](value, vgg)


@pytest.mark.parametrize("argument", TAKES_REAL)
def test_an_argument_refuses_what_is_no_number(argument, vgg):
    for value in [*NEITHER, 10**400]:
        if value is not None or argument not in LEFT_OUT:
            refused(TAKES_REAL[argument], value, vgg)


@pytest.mark.parametrize("argument", TAKES_WHOLE)
def test_an_argument_takes_whole_numbers_of_every_kind(argument, vgg):
    for value in WHOLES:
        TAKES_WHOLE[argument](value, vgg)


@pytest.mark.parametrize("argument", TAKES_WHOLE)
def test_an_argument_refuses_what_is_not_whole(argument, vgg):
    for value in [*NEITHER, *NOT_WHOLE]:
        if value is not None or argument not in LEFT_OUT:
            refused(TAKES_WHOLE[argument], value, vgg)


@pytest.mark.parametrize("argument", TAKES_A_NAME)
def test_an_argument_refuses_what_is_no_name(argument, vgg):
    for value in NO_NAMES:
        picture = value is X and argument == "stylize start"
        if not picture and (value is not None or argument not in OWN_CHOICE):
            refused(TAKES_A_NAME[argument], value, vgg)


@pytest.mark.parametrize("value", WHOLES)
def test_whole_numbers_are_pythons(value):
    assert whole(value) == 2 and type(whole(value)) is int
    assert type(checked_whole("it", value)) is int


@pytest.mark.parametrize("value", REALS)
def test_real_numbers_are_pythons(value):
    assert real(value) == 2 and type(real(value)) is float
    assert type(checked_real("it", value)) is float


@pytest.mark.parametrize("value", [*NEITHER, *NOT_WHOLE])
def test_all_else_is_no_whole_number(value):
    with pytest.raises(ValueError, match=r"^it is .*whole number, at least 1"):
        checked_whole("it", value)


def test_a_hair_out_of_range_is_seen_in_the_message():
    for value, told_as in ((1.0000001, r"1\.0000001"), (-1e-9, "-1e-09")):
        with pytest.raises(ValueError, match=f"it is {told_as}; .*from 0 to"):
            checked_real("it", value, 0, 1)
    with pytest.raises(ValueError, match=r"strength is 1\.0000001;"):
        shares_of(NETWORK, "ink", 1.0000001)
    with pytest.raises(ValueError, match=r"strength is 2\.0000001;"):
        planned(strength=2.0000001)


def test_values_in_messages_are_short():
    assert told(X) == "Tensor of shape (1, 3, 16, 16)"
    assert told(np.zeros((2, 3))) == "ndarray of shape (2, 3)"
    assert told("a\nb") == r"'a\nb'"
    assert told(Stranger()) == "Stranger"
    assert len(told("x" * 500)) == 60
    assert told(torch.tensor(2)) == "tensor(2)"


def test_known_names_are_listed():
    check_known("mask", "chelsea-cat", MASKS)
    with pytest.raises(ValueError, match=r"no mask 'cat'; there are astron"):
        check_known("mask", "cat", MASKS)


def test_keys_of_runs_do_not_depend_on_how_a_number_comes():
    kinds = [2, 2.0, np.float32(2), np.int8(2), Fraction(2), Decimal(2)]
    assert {repr(_canonical(each)) for each in kinds} == {"2"}
    assert _canonical(0.5) == _canonical(np.float16(0.5)) == 0.5
    assert _canonical(True) is True
    assert _canonical(2**60 + 1) == 2**60 + 1


@pytest.mark.parametrize("masks", [X, "mask.png", 3, [X], [(X,)], {"a": X}])
def test_masks_that_are_no_list_of_pairs_are_refused(masks, vgg):
    with pytest.raises(ValueError, match=r"masks come as .* not "):
        objective(vgg, masks=masks)


@pytest.mark.parametrize("picture", [None, 1, "chelsea", X[0], X.int(), [X]])
def test_a_picture_that_is_none_is_refused_in_words(picture, vgg):
    for call in (
        lambda: Objective(picture, X, vgg=vgg, **ONE_LAYER),
        lambda: objective(vgg)(picture),
        lambda: objective(vgg).gradient(picture),
        lambda: match_color(picture, X),
        lambda: match_color(X, picture),
        lambda: color_distance(X, picture),
    ):
        with pytest.raises(ValueError):
            call()


@pytest.mark.parametrize("style", [None, 1, X, [], ["glass"], [("glass",)]])
def test_an_instant_style_that_is_none_is_refused(style):
    with pytest.raises(ValueError, match="style"):
        shares_of(NETWORK, style)


@pytest.mark.parametrize("photos", [None, 3, object(), "chelsae", b"", []])
def test_no_photo_is_told(photos, vgg):
    with pytest.raises(ValueError):
        prepare(photos, X, vgg=vgg)
    with pytest.raises(ValueError):
        stylize_steps(X, photos, vgg=vgg)


def test_torch_is_not_loaded_for_a_check():
    code = "import sys, styletut.values; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.strip() == "False"
