"""Runs with the real network, small and short, and runs that go wrong."""

import hashlib
import math
import subprocess
import sys
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from styletut import transfer
from styletut.conventions import CONVENTIONS
from styletut.images import resize, sample
from styletut.objective import Objective, Terms
from styletut.transfer import (
    Best,
    StoppedEarly,
    keep_better,
    minimize,
    stylize,
    stylize_steps,
)
from styletut.vgg import VGG19


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


@pytest.fixture(scope="module")
def photo():
    return sample("chelsea", 48)


@pytest.fixture(scope="module")
def painting():
    return sample("night", 48)


@pytest.fixture(scope="module")
def objective(vgg, photo, painting):
    return Objective(photo, painting, vgg=vgg)


def terms_of(total: Tensor) -> Terms:
    return Terms(total, total, total, total, {}, {}, 1.0, 1.0, 0.0)


class Stand:
    """Stands in for an objective where a run must go wrong."""

    shape = (1, 3, 4, 4)

    def __init__(self, *totals, gradient=1.0):
        self.totals = list(totals)
        self.slope = gradient

    def gradient(self, x):
        total = self.totals.pop(0) if self.totals else 1.0
        return terms_of(torch.tensor(total)), torch.full_like(x, self.slope)


GREY = torch.full((1, 3, 4, 4), 0.5)


# --- minimize ----------------------------------------------------------------


@pytest.mark.parametrize("range_rule", transfer.RANGE_RULES)
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
    start = photo.clamp(transfer.SIGMOID_MARGIN, 1 - transfer.SIGMOID_MARGIN)
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
    assert len(seen) <= 3 + transfer.LOOK_EVERY


def test_a_line_search_does_not_accept_nan():
    steps = minimize(Stand(5.0, math.nan, math.nan, 3.0), GREY, evaluations=4)
    assert [float(s.terms.total) for s in steps] == [5.0, 3.0]


def test_a_stall_ends_the_run_and_says_so():
    steps = minimize(Stand(), GREY, optimizer="adam", evaluations=400)
    with pytest.warns(StoppedEarly, match="stalled after .* below 1 since"):
        count = len(list(steps))
    assert count <= transfer.PATIENCE + transfer.LOOK_EVERY + 1


def test_no_direction_of_descent_ends_the_run_and_says_so():
    with pytest.warns(StoppedEarly, match="no step along the gradient"):
        assert len(list(minimize(Stand(), GREY, evaluations=90))) == 1


# --- stylize -----------------------------------------------------------------


def test_coarse_to_fine(vgg, photo, painting):
    result = stylize(
        photo, painting, vgg=vgg, schedule=[(24, 5), (32, 4), (48, 3)]
    )
    assert result.stopped == "done"
    assert result.image.shape == photo.shape
    assert [r.index for r in result.history] == list(
        range(len(result.history))
    )
    sizes = [r.size for r in result.history]
    assert sizes == sorted(sizes)
    assert set(sizes) == {24, 32, 48}
    counts = [r.evaluations for r in result.history]
    assert counts == sorted(set(counts))
    assert counts[-1] <= 12
    seconds = [r.seconds for r in result.history]
    assert seconds == sorted(seconds)


def test_the_photos_detail_survives_a_coarse_start(vgg, photo, painting):
    """What is carried over is the change, not the blurred picture."""
    steps = stylize_steps(
        photo, painting, vgg=vgg, schedule=[(24, 1), (48, 1)]
    )
    *_, last = steps
    torch.testing.assert_close(last.image, photo)


def test_the_best_picture_is_kept():
    totals = [3.0, 1.0, 2.0, math.nan]
    best = None
    for i, total in enumerate(totals):
        step = transfer.Step(
            i,
            i + 1,
            terms_of(torch.tensor(total)),
            4,
            0.0,
            torch.full((1, 3, 4, 4), i / 10),
        )
        best = keep_better(best, step)
    assert float(best.total) == 1.0
    assert float(best.image.max()) == pytest.approx(0.1)
    larger = replace(step, image=torch.zeros(1, 3, 8, 8))
    assert keep_better(best, larger).image.shape == (1, 3, 8, 8)
    lost = Best(torch.zeros(1, 3, 4, 4), torch.tensor(math.nan))
    found = keep_better(lost, replace(step, terms=terms_of(torch.ones(()))))
    assert float(found.total) == 1.0


def test_an_interrupt_returns_the_best_picture(
    vgg, photo, painting, monkeypatch
):
    calls = []
    original = Objective.gradient

    def interrupted(self, x):
        calls.append(x)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return original(self, x)

    monkeypatch.setattr(Objective, "gradient", interrupted)
    result = stylize(photo, painting, vgg=vgg, size=48, evaluations=30)
    assert result.stopped == "interrupted"
    totals = [float(r.terms.total) for r in result.history]
    assert len(totals) == 5
    again = float(
        Objective(photo, resize(painting, 48), vgg=vgg)(result.image).total
    )
    assert again == pytest.approx(min(totals), rel=1e-4)


def test_an_interrupt_before_the_first_picture_is_an_interrupt(
    vgg, photo, painting, monkeypatch
):
    def interrupted(self, x):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "gradient", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stylize(photo, painting, vgg=vgg, size=48, evaluations=3)


def test_divergence_hands_over_the_best_picture(vgg, photo, painting):
    with pytest.warns(StoppedEarly, match="diverged"):
        result = stylize(
            photo,
            painting,
            vgg=vgg,
            size=48,
            evaluations=30,
            optimizer="gradient_descent",
            options={"learning_rate": 1e38, "momentum": 0.9},
            range_rule="none",
        )
    assert result.stopped == "diverged"
    assert "smaller learning rate" in result.message
    assert result.image.isfinite().all()


@pytest.mark.parametrize("start", ["content", "noise", "style", "grey"])
def test_starts(vgg, photo, painting, start):
    step = next(
        stylize_steps(
            photo, painting, vgg=vgg, size=48, evaluations=2, start=start
        )
    )
    image = step.image
    assert image.shape == photo.shape
    if start == "content":
        assert torch.equal(image, photo)
    elif start == "grey":
        color = image[0, :, 0, 0]
        assert (image == color[None, :, None, None]).all()
        assert color.tolist() == pytest.approx(
            [123.68 / 255, 116.779 / 255, 103.939 / 255]
        )
    elif start == "noise":
        assert 0.4 < image.mean() < 0.6
        assert image.std() == pytest.approx(1 / math.sqrt(12), rel=0.05)
    else:
        assert (image.mean((2, 3)) - painting.mean((2, 3))).abs().max() < 0.05


def test_any_picture_can_be_the_start(vgg, photo, painting):
    picture = torch.rand(1, 3, 30, 60)
    step = next(
        stylize_steps(
            photo, painting, vgg=vgg, size=48, evaluations=1, start=picture
        )
    )
    assert step.image.shape == photo.shape
    with pytest.raises(ValueError, match="start picture must have shape"):
        stylize(
            photo,
            painting,
            vgg=vgg,
            size=48,
            evaluations=1,
            start=torch.rand(30, 60),
        )


def test_the_seed_is_the_noises(vgg, photo, painting):
    def noise(seed):
        steps = stylize_steps(
            photo,
            painting,
            vgg=vgg,
            size=48,
            evaluations=1,
            start="noise",
            seed=seed,
        )
        return next(steps).image

    assert torch.equal(noise(1), noise(1))
    assert not torch.equal(noise(1), noise(2))


def test_several_styles(vgg, photo, painting):
    result = stylize(
        photo,
        [(painting, 3), (sample("wave", 64), 1)],
        vgg=vgg,
        size=48,
        evaluations=3,
    )
    assert result.history[-1].terms.total < result.history[0].terms.total


def test_pictures_may_be_paths(vgg, tmp_path):
    for name, kind in (("photo.png", "chelsea"), ("paint ing.png", "night")):
        from styletut.images import save_image

        save_image(sample(kind, 48), tmp_path / name)
    result = stylize(
        tmp_path / "photo.png",
        str(tmp_path / "paint ing.png"),
        vgg=vgg,
        evaluations=2,
    )
    assert max(result.image.shape) == 48


def test_a_convention_is_a_whole_run(vgg, photo, painting):
    result = stylize(
        photo,
        painting,
        vgg=vgg,
        convention="tensorflow_tutorial",
        evaluations=3,
    )
    settings = result.settings
    assert settings["optimizer"] == "adam"
    assert settings["options"] == (
        "learning_rate 0.02, betas 0.99 0.999, epsilon 0.1"
    )
    assert settings["sizes"] == "48"
    assert settings["gamma"] == "30"
    # Adam's first step with epsilon 0 is the learning rate everywhere
    plain = stylize(
        photo,
        painting,
        vgg=vgg,
        convention="tensorflow_tutorial",
        evaluations=2,
        options={"learning_rate": 0.02, "epsilon": 0.0},
    )
    moved = (plain.image - photo).abs()
    assert float(moved.max()) == pytest.approx(0.02, abs=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, entry in CONVENTIONS.items()
        if entry.network == "vgg19" and entry.gram_divisor is not None
    ],
)
def test_every_convention_runs(vgg, photo, painting, name):
    result = stylize(photo, painting, vgg=vgg, convention=name, evaluations=3)
    assert result.image.isfinite().all()
    assert len(result.history) >= 1


@pytest.mark.parametrize("name", ["cs231n", "crowsonkb"])
def test_conventions_that_cannot_run(photo, painting, name):
    with pytest.raises(ValueError, match=name):
        stylize(photo, painting, convention=name, evaluations=1)


# --- results -----------------------------------------------------------------


@pytest.fixture(scope="module")
def result(vgg, photo, painting):
    return stylize(photo, painting, vgg=vgg, size=48, evaluations=3)


def test_a_result_shows_itself_with_a_text(result):
    data, metadata = result._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert alt == data["text/plain"]
    assert "48 x 32 pixels, convention styletut" in alt
    assert "evaluations, done" in alt


def test_a_saved_picture_tells_how_it_was_made(result, tmp_path):
    result.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.text["convention"] == "styletut"
        assert picture.text["sizes"] == "48"
        assert picture.text["style_layers"].startswith("relu1_1 ")
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    torch.testing.assert_close(
        pixels[None] / 255, result.image, rtol=0, atol=0.5 / 255 + 1e-6
    )


SCRIPT = """
import hashlib
from styletut.images import sample
from styletut.transfer import stylize

result = stylize(
    sample("chelsea", 48),
    sample("night", 48),
    schedule=[(32, 4), (48, 4)],
    start="noise",
    seed=3,
)
print(hashlib.sha256(result.image.numpy().tobytes()).hexdigest())
"""


def test_two_fresh_processes_give_the_same_bits():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert len(outputs.pop().strip()) == len(hashlib.sha256().hexdigest())
