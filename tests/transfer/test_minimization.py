"""One optimizer on one objective: steps, scales, units, and endings."""

import math
import warnings
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from styletut.conventions import CONVENTIONS
from styletut.images import sample
from styletut.objective import Objective, Terms
from styletut.optimizers.variable import RANGE_RULES, SIGMOID_MARGIN
from styletut.transfer import minimization
from styletut.transfer.minimization import minimize
from styletut.transfer.steps import StoppedEarly


@pytest.fixture(scope="module")
def objective(vgg, photo, painting):
    return Objective(photo, painting, vgg=vgg)


def terms_of(total: Tensor) -> Terms:
    return Terms(total, total, total, total, {}, {}, 1.0, 1.0, 0.0)


class Stand:
    """Stands in for an objective where a run must go wrong."""

    shape = (1, 3, 4, 4)
    precision = "float32"

    def __init__(self, *totals, gradient=1.0):
        self.totals = list(totals)
        self.slope = gradient

    def gradient(self, x):
        total = self.totals.pop(0) if self.totals else 1.0
        return terms_of(torch.tensor(total)), torch.full_like(x, self.slope)


GREY = torch.full((1, 3, 4, 4), 0.5)


# --- minimize ----------------------------------------------------------------


@pytest.mark.parametrize("range_rule", RANGE_RULES)
@pytest.mark.parametrize(
    "optimizer", ["lbfgs", "torch_lbfgs", "adam", "gradient_descent"]
)
def test_steps_say_what_their_pictures_are(objective, optimizer, range_rule):
    steps = list(
        minimize(
            objective,
            sample("coffee", 48)[..., :32, :] * 1.0,
            optimizer=optimizer,
            evaluations=5,
            range_rule=range_rule,
        )
    )
    assert [step.index for step in steps] == list(range(len(steps)))
    counts = [step.evaluations for step in steps]
    assert counts == sorted(set(counts))
    assert counts[0] == 1
    assert counts[-1] <= 5
    assert steps[-1].terms.total < steps[0].terms.total
    for step in steps:
        assert step.size == 48
        assert step.image.min() >= 0
        assert step.image.max() <= 1
        again = objective(step.image)
        torch.testing.assert_close(
            again.total, step.terms.total, rtol=1e-5, atol=0
        )


def test_the_start_is_the_first_step(objective, photo):
    steps = minimize(objective, photo, evaluations=3)
    first = next(steps)
    assert torch.equal(first.image, photo)
    assert first.evaluations == 1


def test_a_picture_handed_out_is_the_callers(objective, photo):
    untouched = list(minimize(objective, photo, evaluations=4))
    spoiled = []
    for step in minimize(objective, photo, evaluations=4):
        spoiled.append(step.image.clone())
        step.image.zero_()
    assert len(untouched) == len(spoiled)
    for step, image in zip(untouched, spoiled, strict=True):
        assert torch.equal(step.image, image)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_the_scale_of_the_weights_changes_nothing(
    vgg, photo, painting, factor
):
    weights = {"alpha": 1.0, "beta": CONVENTIONS["styletut"].beta}
    pictures = []
    for scale in (1, factor):
        objective = Objective(
            photo.double(),
            painting.double(),
            vgg=vgg,
            gamma=0.5 * scale,
            **{name: w * scale for name, w in weights.items()},
        )
        *_, last = minimize(objective, photo.double(), evaluations=15)
        pictures.append(last.image)
    assert (pictures[0] - photo).abs().mean() > 0.02  # it did something
    torch.testing.assert_close(*pictures, rtol=0, atol=1e-5)


def test_the_trap_of_a_step_without_curvature(vgg):
    """Here torch's L-BFGS leaves the range, and then the numbers."""
    photo, style = sample("chelsea", 96), sample("coffee", 96)
    objective = Objective(
        photo, style, vgg=vgg, convention="leongatys_notebook"
    )
    start = float(objective(photo).total)
    runs = {}
    for optimizer in ("torch_lbfgs", "lbfgs"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoppedEarly)
            steps = list(
                minimize(
                    objective,
                    photo,
                    optimizer=optimizer,
                    evaluations=6,
                    range_rule="none"
                    if optimizer == "torch_lbfgs"
                    else "project",
                )
            )
        runs[optimizer] = [float(step.terms.total) for step in steps]
    assert not max(runs["torch_lbfgs"]) <= start * 1.001
    assert all(b < a for a, b in pairwise(runs["lbfgs"]))
    assert runs["lbfgs"][-1] < start / 2


def test_sigmoid_gradient(objective, photo):
    """One step of descent in the logit is the chain rule's."""
    steps = list(
        minimize(
            objective,
            photo,
            optimizer="gradient_descent",
            evaluations=2,
            range_rule="sigmoid",
            options={"learning_rate": 1e-12},
        )
    )
    start = photo.clamp(SIGMOID_MARGIN, 1 - SIGMOID_MARGIN)
    _, gradient = objective.gradient(start)
    z = torch.logit(start) - 1e-12 * gradient * start * (1 - start)
    torch.testing.assert_close(steps[1].image, torch.sigmoid(z))


def test_pixel_unit_is_the_optimizers(objective, photo):
    """Adam's rate of 2 in 0..255 is one of 2/255 in [0, 1]."""
    runs = [
        list(
            minimize(
                objective,
                photo,
                optimizer="adam",
                evaluations=4,
                options={"learning_rate": rate, "epsilon": 0.0},
                pixel_unit=unit,
            )
        )
        for rate, unit in ((2.0, 255.0), (2 / 255, 1.0), (2.0, [255.0] * 3))
    ]
    for other in runs[1:]:
        torch.testing.assert_close(
            runs[0][-1].image, other[-1].image, rtol=0, atol=1e-4
        )


def test_the_first_step_is_as_long_in_any_unit(objective, photo):
    runs = [
        list(minimize(objective, photo, evaluations=6, pixel_unit=unit))
        for unit in (1.0, 255.0)
    ]
    assert len(runs[0]) == len(runs[1]) > 2
    torch.testing.assert_close(
        runs[0][1].image, runs[1][1].image, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "sgd"}, "no optimizer 'sgd'.*lbfgs, torch_lbfgs, adam"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"range_rule": "wrap"}, "no range rule 'wrap'.*project"),
        (
            {"options": {"lr": 1}},
            "optimizer lbfgs has no option 'lr'; it has history",
        ),
    ],
)
def test_wrong_settings_are_refused_at_once(
    objective, photo, settings, message
):
    with pytest.raises(ValueError, match=message):
        minimize(objective, photo, **settings)


def test_a_start_of_another_shape_is_refused(objective):
    with pytest.raises(ValueError, match=r"start has shape \(1, 3, 5, 5\)"):
        minimize(objective, torch.zeros(1, 3, 5, 5))


def test_nan_ends_the_run_and_says_so():
    steps = minimize(
        Stand(5.0, 4.0, *[math.nan] * 40),
        GREY,
        optimizer="adam",
        evaluations=40,
    )
    seen = []
    with pytest.warns(StoppedEarly, match=r"diverged: the loss was nan"):
        seen.extend(steps)
    assert len(seen) <= 3 + minimization.LOOK_EVERY


def test_nan_at_the_very_end_is_seen_too():
    stand = Stand(5.0, 4.0, math.nan, math.nan)
    with pytest.warns(StoppedEarly, match="diverged: the loss was nan"):
        list(minimize(stand, GREY, optimizer="adam", evaluations=4))


def test_nan_at_the_start_is_not_blamed_on_the_steps():
    with pytest.warns(StoppedEarly, match="loss of the start picture is nan"):
        list(minimize(Stand(math.nan), GREY, evaluations=4))


def test_a_line_search_does_not_accept_nan():
    steps = minimize(Stand(5.0, math.nan, math.nan, 3.0), GREY, evaluations=4)
    assert [float(s.terms.total) for s in steps] == [5.0, 3.0]


def test_a_stall_ends_the_run_and_says_so():
    steps = minimize(Stand(), GREY, optimizer="adam", evaluations=400)
    with pytest.warns(StoppedEarly, match="stalled after .* below 1 since"):
        count = len(list(steps))
    assert count <= minimization.PATIENCE + minimization.LOOK_EVERY + 1


def test_patience_counts_from_the_best_value():
    falling = [float(80 - k) for k in range(80)]
    steps = minimize(Stand(*falling), GREY, optimizer="adam", evaluations=80)
    assert len(list(steps)) == 80


@pytest.mark.parametrize(
    ("totals", "evaluations", "stopped"),
    [
        ((), 400, "stalled"),
        ((5.0, 4.0, math.nan, math.nan), 4, "diverged"),
        ((5.0, 4.0, 3.0), 3, "done"),
    ],
)
def test_an_ending_has_its_word(totals, evaluations, stopped):
    steps = minimize(
        Stand(*totals), GREY, optimizer="adam", evaluations=evaluations
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoppedEarly)
        with pytest.raises(StopIteration) as end:
            while True:
                next(steps)
    assert end.value.value.stopped == stopped


def test_no_direction_of_descent_ends_the_run_and_says_so():
    with pytest.warns(StoppedEarly, match="no step along the gradient"):
        assert len(list(minimize(Stand(), GREY, evaluations=90))) == 1


@pytest.mark.parametrize(
    ("precision", "noise"), [("bfloat16", 3e-4), ("float32", None)]
)
def test_an_optimizer_is_told_how_exact_values_are(
    monkeypatch, precision, noise
):
    told, own = [], minimization.OPTIMIZERS["lbfgs"]

    def listening(*arguments, **settings):
        told.append(settings.get("noise"))
        return own(*arguments, **settings)

    monkeypatch.setattr(minimization, "OPTIMIZERS", {"lbfgs": listening})
    stand = Stand(3.0, 2.0)
    stand.precision = precision
    list(minimize(stand, GREY, optimizer="lbfgs", evaluations=2))
    assert told == [noise]
