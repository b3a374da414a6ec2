"""Runs with the real network, small and short, and runs that go wrong."""

import hashlib
import math
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from styletut import transfer
from styletut.color import color_moments, match_color, match_moments
from styletut.conventions import CONVENTIONS
from styletut.images import (
    ImageError,
    load_image,
    loading,
    resize,
    resize_to,
    sample,
    save_image,
)
from styletut.memory import fitting
from styletut.memory.fitting import Layout, TooLargeError
from styletut.objective import Objective, Terms
from styletut.transfer import (
    Best,
    BrokenOffError,
    StoppedEarly,
    coarse_to_fine,
    keep_better,
    plan,
    stylize,
    stylize_steps,
)
from styletut.vgg import VGG19


def terms_of(total: Tensor) -> Terms:
    return Terms(total, total, total, total, {}, {}, 1.0, 1.0, 0.0)


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
        photo,
        painting,
        vgg=vgg,
        start="content",
        schedule=[(24, 1), (48, 1)],
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


def test_any_picture_of_its_aspect_can_be_the_start(vgg, photo, painting):
    picture = torch.rand(1, 3, 64, 96)
    settings = {"vgg": vgg, "size": 48, "evaluations": 1}
    step = next(stylize_steps(photo, painting, start=picture, **settings))
    torch.testing.assert_close(step.image, resize(picture, 48))
    with pytest.raises(
        ValueError,
        match=r"start picture is 60 x 30 .* content picture 48 x 32.*crop",
    ):
        stylize_steps(
            photo, painting, start=torch.rand(1, 3, 30, 60), **settings
        )
    with pytest.raises(ValueError, match="start picture is a tensor of shape"):
        stylize(
            photo,
            painting,
            vgg=vgg,
            size=48,
            evaluations=1,
            start=torch.rand(30, 60),
        )


def test_a_run_goes_on_from_a_result(vgg, photo, painting):
    """It begins with the loss that it has, and never rises."""
    first = stylize(photo, painting, vgg=vgg, schedule=[(24, 6), (48, 9)])
    reached = min(float(r.terms.total) for r in first.history if r.size == 48)
    for settings in (
        {"size": 48, "evaluations": 6},
        {"evaluations": 6},
        {"schedule": [(48, 6)]},
    ):
        again = stylize(
            photo, painting, vgg=vgg, start=first.image, **settings
        )
        totals = [float(r.terms.total) for r in again.history]
        assert totals[0] == pytest.approx(reached, rel=1e-5)
        assert totals == sorted(totals, reverse=True)
        assert again.settings["sizes"] == "48"
        assert again.settings["start"] == "a picture"
        assert again.settings["start_detail"] == "kept, of 48 x 32 pixels"
    assert "start_detail" not in first.settings


def test_a_starts_detail_survives_coarse_work(vgg, photo, painting):
    """A schedule may begin coarse: it is the change that is carried over."""
    generator = torch.Generator().manual_seed(5)
    start = torch.rand(1, 3, 32, 48, generator=generator)
    *_, last = stylize_steps(
        photo, painting, vgg=vgg, start=start, schedule=[(24, 1), (48, 1)]
    )
    torch.testing.assert_close(last.image, start)


def test_pictures_are_read_as_large_as_they_are_needed(
    vgg, tmp_path, monkeypatch
):
    monkeypatch.setattr(loading, "SMALL", 0)
    paths = [tmp_path / f"{name}.jpg" for name in ("photo", "style")]
    for path, name in zip(paths, ("chelsea", "night"), strict=True):
        picture = resize_to(sample(name), 320, 480)
        save_image(picture, path)
    settings = {"vgg": vgg, "evaluations": 1, "device": "cpu"}
    prepare = coarse_to_fine.prepare
    small = prepare(*paths, size=64, style_size=96, start=paths[0], **settings)
    assert torch.equal(small.pictures.photo, load_image(paths[0], 64))
    (region,) = small.pictures.regions
    assert torch.equal(region.paintings[0].picture, load_image(paths[1], 96))
    assert torch.equal(small.plan.start, small.pictures.photo)
    whole = prepare(*paths, size=121, start=paths[0], **settings)
    assert torch.equal(whole.pictures.photo, load_image(paths[0]))
    assert whole.plan.stages[-1].shape == (81, 121)
    own = prepare(*paths, **settings)  # its size is the photo's own
    assert own.plan.schedule == ((480, 1),)


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


# --- what must not be lost, and what must be right ---------------------------


def test_evaluations_are_those_that_were_made(vgg, photo, painting):
    """A coarse size that stalls leaves its budget to the next."""
    calls = []
    original = Objective.gradient

    def counted(self, x):
        calls.append(self.shape)
        terms, gradient = original(self, x)
        if self.shape != tuple(photo.shape):
            gradient = torch.zeros_like(gradient)
        return terms, gradient

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "gradient", counted)
        steps = list(
            stylize_steps(
                photo, painting, vgg=vgg, schedule=[(24, 9), (48, 3)]
            )
        )
    assert len(calls) == 12
    assert calls.count(tuple(photo.shape)) > 3
    coarse = sum(step.size == 24 for step in steps)
    fine = [step for step in steps if step.size == 48]
    assert coarse == 1
    assert fine[0].evaluations == 12 - calls.count(tuple(photo.shape)) + 1


def test_the_best_coarse_picture_is_carried_over(vgg, photo, painting):
    """Not the last one, which a long step of Adam may have spoiled."""
    settings = {
        "optimizer": "adam",
        "options": {"learning_rate": 0.5},
        "start": "noise",
    }
    steps = list(
        stylize_steps(
            photo, painting, vgg=vgg, schedule=[(24, 4), (48, 1)], **settings
        )
    )
    *coarse, fine = steps
    totals = [float(step.terms.total) for step in coarse]
    best = coarse[totals.index(min(totals))]
    assert best is not coarse[-1]
    torch.testing.assert_close(fine.image, resize(best.image, 48))


def test_double_precision_goes_all_the_way(vgg, photo, painting):
    result = stylize(photo.double(), painting, vgg=vgg, size=48, evaluations=2)
    assert result.image.dtype == torch.float64


def test_the_picture_tells_its_network(photo, painting):
    settings = {"size": 48, "evaluations": 1}
    average = stylize(
        photo, painting, vgg=VGG19(pooling="average"), **settings
    )
    assert "pooling='average'" in average.settings["network"]
    plain = stylize(photo, painting, **settings)
    assert "pooling='max'" in plain.settings["network"]


def test_an_objective_and_its_errors_travel_to_other_processes(vgg, photo):
    objective = Objective(photo, photo, vgg=vgg)
    _, gradient = objective.gradient(photo)
    twin = pickle.loads(pickle.dumps(objective))
    assert torch.equal(twin.gradient(photo)[1], gradient)
    result = stylize(photo, photo, vgg=vgg, size=32, evaluations=1)
    error = transfer.BrokenOffError(MemoryError("no more"), result)
    came = pickle.loads(pickle.dumps(error))
    assert str(came) == str(error)
    assert torch.equal(came.result.image, result.image)


def test_pictures_may_be_named_as_on_the_command_line(vgg, tmp_path):
    settings = {"vgg": vgg, "size": 32, "evaluations": 1}
    right = stylize(sample("chelsea"), sample("night"), **settings)
    came = stylize("chelsea", "night", **settings)
    assert torch.equal(came.image, right.image)
    path = tmp_path / "start.png"
    save_image(torch.full((1, 3, 21, 32), 0.4), path)
    for start in (path, str(path)):
        begun = stylize("chelsea", "night", start=start, **settings)
        assert float(begun.image.std()) < 0.2
        assert begun.settings["start"] == "a picture"
    with pytest.raises(ImageError, match=r"start can be content, .*nowhere"):
        stylize("chelsea", "night", start="nowhere.png", **settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"style": ["a.jpg", "b.jpg"]}, r"sequence of \(picture, weight\)"),
        ({"content": torch.full((1, 3, 48, 48), 2.0)}, "from 2 to 2"),
        ({"style": torch.full((1, 3, 48, 48), -1.0)}, "from -1 to -1"),
        ({"start": torch.full((1, 3, 48, 48), math.nan)}, "from nan to nan"),
        ({"optimizer": "sgd"}, "no optimizer 'sgd'"),
        ({"range_rule": "wrap"}, "no range rule 'wrap'"),
        ({"size": 40_000}, "million pixels"),
        ({"seed": 2**70}, "whole number of 64 bits"),
        ({"device": "meta"}, "device 'meta' cannot be used"),
        ({"options": {"history": -1}}, "history is -1"),
    ],
)
def test_wrong_calls_are_refused_before_any_work(
    vgg, photo, painting, arguments, message
):
    arguments = {"content": photo, "style": painting} | arguments
    with pytest.raises(ValueError, match=message):
        stylize_steps(vgg=vgg, **arguments)


def test_a_crash_hands_over_the_best_picture(vgg, photo, painting):
    original, made = Objective.__init__, []

    def fails_at_the_second_size(self, *arguments, **settings):
        made.append(1)
        if len(made) == 2:
            raise RuntimeError("can't allocate memory")
        original(self, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "__init__", fails_at_the_second_size)
        with pytest.raises(
            BrokenOffError, match="can't allocate memory"
        ) as caught:
            stylize(
                photo,
                painting,
                vgg=vgg,
                schedule=[(32, 3), (48, 3)],
                alpha=0.3,  # else the finest size is looked at first
            )
    result = caught.value.result
    assert max(result.image.shape) == 32
    assert result.history[-1].terms.total < result.history[0].terms.total


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_are_taken_in_any_mode(vgg, photo, painting, mode):
    with mode():
        result = stylize(photo, painting, vgg=vgg, size=48, evaluations=4)
    assert result.history[-1].terms.total < result.history[0].terms.total


def test_layers_from_an_iterator_last_for_all_sizes(vgg, photo, painting):
    result = stylize(
        photo,
        painting,
        vgg=vgg,
        schedule=[(32, 2), (48, 2)],
        start="noise",
        content_layers=(name for name in ["relu4_2"]),
    )
    assert all(r.terms.content_layers for r in result.history)


def test_narrow_pictures_begin_at_a_size_that_the_layers_bear(vgg, painting):
    narrow = torch.rand(1, 3, 32, 320)
    steps = stylize_steps(narrow, painting, vgg=vgg, size=320, evaluations=2)
    assert {step.size for step in steps} == {160, 320}
    wide = torch.rand(1, 3, 20, 320)
    steps = stylize_steps(wide, painting, vgg=vgg, size=320, evaluations=2)
    assert {step.size for step in steps} == {320}


def test_a_start_is_read_like_any_picture(vgg, photo, painting, tmp_path):
    save_image(resize_to(painting, 64, 96), tmp_path / "start.png")
    step = next(
        stylize_steps(
            photo, painting, vgg=vgg, size=48, start=tmp_path / "start.png"
        )
    )
    assert (step.image.mean((2, 3)) - painting.mean((2, 3))).abs().max() < 0.05


def test_auto_is_the_device_of_the_network(photo, painting):
    vgg = VGG19().to("meta")
    with pytest.raises(ValueError, match="device 'meta' cannot be used"):
        stylize_steps(photo, painting, vgg=vgg, size=48)


def test_a_picture_grown_from_noise_is_carried_over_as_it_is(
    vgg, photo, painting
):
    """There is no photo under it whose detail could be put back."""
    coarse, fine = stylize_steps(
        photo, painting, vgg=vgg, schedule=[(24, 1), (48, 1)], start="noise"
    )
    torch.testing.assert_close(fine.image, resize(coarse.image, 48))


def test_a_coarse_divergence_ends_the_run(vgg, photo, painting):
    with pytest.warns(StoppedEarly, match="diverged"):
        steps = list(
            stylize_steps(
                photo,
                painting,
                vgg=vgg,
                schedule=[(24, 30), (48, 3)],
                optimizer="gradient_descent",
                options={"learning_rate": 1e38, "momentum": 0.9},
                range_rule="none",
            )
        )
    assert {step.size for step in steps} == {24}


def test_a_warning_points_to_the_call(vgg, photo, painting):
    settings = {
        "vgg": vgg,
        "schedule": [(24, 30)],
        "optimizer": "gradient_descent",
        "options": {"learning_rate": 1e38, "momentum": 0.9},
        "range_rule": "none",
    }
    for run in (stylize, lambda *pair, **s: [*stylize_steps(*pair, **s)]):
        with pytest.warns(StoppedEarly) as caught:
            run(photo, painting, **settings)
        assert [each.filename for each in caught] == [__file__]


def test_the_text_of_a_result_counts_all_evaluations(result):
    assert result.history[-1].evaluations == 3
    assert ", 3 evaluations, " in result.alt


def test_where_memory_is_short_it_is_painted_in_tiles(
    vgg, photo, painting, monkeypatch
):
    whole = stylize(photo, painting, vgg=vgg, size=48, evaluations=6)
    seen = []

    def short(height, width, free, *, history, **settings):
        seen.append((height, width, free, history))
        return Layout(16, history=4)

    monkeypatch.setattr(plan, "free_memory", lambda device: 1234)
    monkeypatch.setattr(plan, "fitting_layout", short)
    tiled = stylize(photo, painting, vgg=vgg, size=48, evaluations=6)
    assert seen == [(32, 48, 1234, 15)]
    total, right = (
        float(result.history[-1].terms.total) for result in (tiled, whole)
    )
    assert total == pytest.approx(right, rel=0.01)


def test_what_does_not_fit_is_refused_before_it_is_begun(
    vgg, photo, painting, monkeypatch
):
    monkeypatch.setattr(plan, "free_memory", lambda device: 10**8)
    with pytest.raises(TooLargeError, match=r"48 x 32 pixels .* 0\.1 GB"):
        stylize_steps(photo, painting, vgg=vgg, evaluations=2)


def test_a_style_that_does_not_fit_is_shown_in_tiles_or_refused(
    vgg, photo, painting, monkeypatch
):
    settings = {"vgg": vgg, "size": 48, "style_size": 1600, "alpha": 0.3}
    prepare = coarse_to_fine.prepare
    monkeypatch.setattr(plan, "free_memory", lambda device: 0.9e9)
    (stage,) = prepare(photo, painting, **settings).plan.stages
    assert stage.layout.style_tiles is not None
    assert stage.layout.tiles is None
    monkeypatch.setattr(fitting, "SIDES", (1536,))
    with pytest.raises(
        TooLargeError, match=r"style picture of 1600 x 1267 .*style_size"
    ):
        stylize_steps(photo, painting, **settings)
    styles = [(photo, 1), (painting, 1)]
    with pytest.raises(TooLargeError, match="style picture of 1600 x 1267"):
        stylize_steps(photo, styles, **settings)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_memory_is_reckoned_in_the_precision_of_the_run(
    vgg, photo, painting, monkeypatch, precision
):
    seen = []

    def layout(*size, precision, **settings):
        seen.append(precision)
        return Layout()

    monkeypatch.setattr(plan, "fitting_layout", layout)
    settings = {"precision": precision, "alpha": 0.3, "evaluations": 1}
    coarse_to_fine.prepare(photo, painting, vgg=vgg, **settings)
    assert seen == [precision]


def test_an_instant_start_is_a_picture(vgg):
    settings = {"vgg": vgg, "size": 48, "alpha": 0.3}
    run = coarse_to_fine.prepare(
        "chelsea", "night", start="instant", **settings
    )
    assert isinstance(run.plan.start, Tensor)
    assert run.plan.start.shape == (1, 3, 32, 48)


def test_a_start_takes_the_dtype_of_the_photo(photo, painting):
    result = stylize(
        photo.double(),
        painting.double(),
        vgg=VGG19().double(),
        start=photo,
        evaluations=1,
    )
    assert result.image.dtype == torch.float64


@pytest.mark.parametrize(
    ("optimizer", "options", "pairs"),
    [
        ("lbfgs", {}, 15),
        ("torch_lbfgs", {}, 100),
        ("lbfgs", {"history": 3}, 3),
        ("adam", {}, 0),
    ],
)
def test_memory_is_reckoned_with_the_optimizers_pairs(
    vgg, photo, painting, monkeypatch, optimizer, options, pairs
):
    seen = []

    def layout(*size, history, **settings):
        seen.append(history)
        return Layout(history=history)

    monkeypatch.setattr(plan, "fitting_layout", layout)
    settings = {"optimizer": optimizer, "options": options}
    stylize(photo, painting, vgg=vgg, evaluations=1, **settings)
    assert seen == [pairs]


def test_a_layout_is_what_the_objective_computes_by(
    vgg, photo, painting, monkeypatch
):
    seen = []

    def objective(*arguments, **settings):
        seen.append((settings["tiles"], settings["style_tiles"]))
        return Objective(*arguments, **settings)

    layout = Layout(tiles=32, style_tiles=16, history=15)
    monkeypatch.setattr(plan, "fitting_layout", lambda *_, **__: layout)
    monkeypatch.setattr(coarse_to_fine, "Objective", objective)
    stylize(photo, painting, vgg=vgg, evaluations=1)
    assert {*seen} == {(32, 16)}


def test_what_is_learned_at_one_size_serves_the_next(
    vgg, photo, painting, monkeypatch
):
    known, run = [], coarse_to_fine.run_optimizer

    def run_optimizer(*arguments, options, **settings):
        known.append(len(options.get("learned", ())))
        return run(*arguments, options=options, **settings)

    monkeypatch.setattr(coarse_to_fine, "run_optimizer", run_optimizer)
    schedule = [(32, 4), (48, 1)]
    for optimizer in ("spectral_lbfgs", "lbfgs"):
        stylize(
            photo, painting, vgg=vgg, schedule=schedule, optimizer=optimizer
        )
    assert known[0] == 0 < known[1] < 4
    assert known[2:] == [0, 0]  # L-BFGS has no such option


def test_a_start_of_color_has_the_paintings_colors_and_the_photos_detail(
    vgg, photo, painting
):
    steps = stylize_steps(
        photo, painting, vgg=vgg, start="color", schedule=[(24, 1), (48, 1)]
    )
    first, last = steps
    small, large = (
        match_color(resize(photo, size), resize(painting, size))
        for size in (24, 48)
    )
    torch.testing.assert_close(first.image, small)
    torch.testing.assert_close(last.image, large)


def test_of_several_styles_the_start_has_the_colors_by_weight(vgg, photo):
    styles = [(sample("night", 48), 1.0), (sample("glass", 40), 3.0)]
    step, *_ = stylize_steps(
        photo, styles, vgg=vgg, start="color", schedule=[(48, 1)]
    )
    shown = [(resize(a, 48), weight) for a, weight in styles]
    wanted = match_moments(photo, *color_moments(shown))
    torch.testing.assert_close(step.image, wanted)


def test_the_default_starts_from_color(vgg, photo, painting):
    one = stylize(photo, painting, vgg=vgg, size=48, evaluations=1)
    assert one.settings["start"] == "color"
    named = stylize(
        photo, painting, vgg=vgg, size=48, evaluations=1, start="color"
    )
    assert torch.equal(one.image, named.image)
