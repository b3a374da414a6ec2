"""The alpha that follows the pair: its rule, and every door by it."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from styletut.cli.main import main
from styletut.conventions import CONVENTIONS
from styletut.images import resize, sample
from styletut.objective import Objective
from styletut.objective.balance import fitting_alpha
from styletut.transfer import stylize, stylize_steps

OWN = CONVENTIONS["styletut"]
SIZE = 64


@pytest.fixture(scope="module")
def pair():
    return sample("camera", SIZE), sample("ink", SIZE)


@pytest.fixture(scope="module")
def untouched(pair):
    """The style loss of the photo itself, small enough to count."""
    exact = Objective(*pair, alpha=1.0, precision="float32")
    loss = float(exact(pair[0]).style)
    assert 0 < OWN.alpha_share * loss < OWN.alpha
    return loss


@given(st.floats(1e-6, 1e6))
def test_it_is_a_share_of_the_style_loss_and_no_more_than_alpha(loss):
    came = fitting_alpha(OWN, loss)
    assert 0 <= came <= OWN.alpha
    if OWN.alpha_share * loss < 0.99 * OWN.alpha:
        # three digits, as they are printed
        assert came == pytest.approx(OWN.alpha_share * loss, rel=5.1e-3)
        assert came == float(f"{came:.3g}")
    else:
        assert came == pytest.approx(OWN.alpha, rel=0.01)


def test_between_the_ends_it_is_where_the_course_says():
    """(9.8): psi = alpha / rho* is 0.1 C1 / (1 - S1 / S0)."""
    assert OWN.alpha_share is not None
    for C1, S1, S0 in ((1.2, 0.005, 1.74), (0.7, 0.006, 1.04)):
        elbow = (S0 - S1) / C1
        psi = fitting_alpha(OWN, S0) / elbow
        wanted = OWN.alpha_share * C1 / (1 - S1 / S0)
        assert psi == pytest.approx(wanted, rel=5e-3)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 0.0])
def test_what_is_nothing_or_not_finite_says_nothing(loss):
    assert fitting_alpha(OWN, loss) == OWN.alpha


def test_conventions_of_others_keep_theirs(pair):
    for name, convention in CONVENTIONS.items():
        if name != "styletut":
            assert convention.alpha_share is None
            assert fitting_alpha(convention, 0.01) == convention.alpha
    other = CONVENTIONS["neural_style"]
    assert Objective(*pair, convention=other).alpha == other.alpha


def test_an_objective_takes_it(pair, untouched):
    objective = Objective(*pair)
    assert objective.alpha == fitting_alpha(OWN, untouched)
    terms = objective(pair[0])
    assert terms.alpha == objective.alpha
    assert float(terms.style) == pytest.approx(untouched)
    in_tiles = Objective(*pair, tiles=32)
    assert in_tiles.alpha == pytest.approx(objective.alpha, rel=0.01)


@pytest.mark.parametrize("alpha", [0, 0.3, 7.0])
def test_an_alpha_that_is_given_is_taken_as_it_is(pair, alpha):
    assert Objective(*pair, alpha=alpha).alpha == alpha
    result = stylize(*pair, alpha=alpha, evaluations=1)
    assert result.settings["alpha"] == f"{alpha:.6g}"


def test_without_a_style_to_follow_it_is_the_conventions(pair):
    assert Objective(*pair, style_layers=[]).alpha == OWN.alpha


def test_two_styles_count_by_their_weights(pair):
    photo, ink = pair
    other = sample("glass", SIZE)
    styles = [(ink, 1.0), (other, 3.0)]
    loss = float(Objective(photo, styles, alpha=1.0)(photo).style)
    assert Objective(photo, styles).alpha == fitting_alpha(OWN, loss)


def test_a_run_has_one_for_all_sizes_that_of_the_finest(pair, untouched):
    steps = list(stylize_steps(*pair, schedule=[(32, 2), (SIZE, 2)]))
    wanted = fitting_alpha(OWN, untouched)
    assert {step.size for step in steps} == {32, SIZE}
    assert {step.terms.alpha for step in steps} == {wanted}


def test_every_door_has_the_same(tmp_path):
    pair = (resize(sample(name), SIZE) for name in ("camera", "ink"))
    wanted = f"{Objective(*pair).alpha:.6g}"
    size = ["--size", str(SIZE), "--evaluations", "1"]
    path = tmp_path / "a.png"
    assert main(["camera", "ink", *size, "-o", str(path)]) == 0
    with Image.open(path) as picture:
        assert picture.text["alpha"] == wanted
    result = stylize("camera", "ink", size=SIZE, evaluations=1)
    assert result.settings["alpha"] == wanted
    again = stylize("camera", "ink", size=SIZE, alpha=float(wanted))
    assert again.settings["alpha"] == wanted


def test_the_numbers_that_are_printed_repeat_the_run(pair):
    photo, style = pair
    first = stylize(photo, style, schedule=[(32, 3), (SIZE, 3)])
    alpha = float(first.settings["alpha"])
    second = stylize(photo, style, schedule=[(32, 3), (SIZE, 3)], alpha=alpha)
    assert torch.equal(first.image, second.image)


def test_a_pair_without_any_difference_has_the_conventions(pair):
    photo = resize(pair[0], 48)
    objective = Objective(photo, photo, beta=0)
    assert objective.alpha == OWN.alpha  # else there were no loss at all
    _, gradient = objective.gradient(1 - photo)
    assert float(gradient.abs().max()) > 0


def test_another_share_gives_another(pair, untouched):
    half = replace(OWN, alpha_share=OWN.alpha_share / 2)
    assert Objective(*pair, convention=half).alpha == pytest.approx(
        OWN.alpha_share / 2 * untouched, rel=0.01
    )
