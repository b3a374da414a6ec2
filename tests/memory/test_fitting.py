"""Which pictures fit, and how."""

import json
import os
import subprocess
import sys

import pytest
import torch

from styletut.images import sample
from styletut.memory.fitting import (
    FEWER_PAIRS,
    SIDES,
    UNTILED,
    Layout,
    TooLargeError,
    estimate_memory,
    fitting_layout,
)
from styletut.objective import Objective
from styletut.vgg import VGG19


def test_an_estimate_adds_up(vgg):
    estimate = estimate_memory(96, 128, vgg=vgg)
    parts = (
        estimate.parameters,
        estimate.targets,
        estimate.optimizer,
        estimate.evaluation,
    )
    assert min(parts) > 0
    assert sum(parts) < estimate.total
    assert estimate.saved < estimate.evaluation
    # relu4_2 at an eighth of each side, and five Gram matrices
    grams = 64**2 + 128**2 + 256**2 + 2 * 512**2
    assert estimate.targets == 4 * (512 * 12 * 16 + grams)


def test_maps_and_pictures_grow_with_the_pixels(vgg):
    small = estimate_memory(256, 256, vgg=vgg)
    large = estimate_memory(512, 512, vgg=vgg)
    assert large.optimizer == 4 * small.optimizer
    assert large.evaluation / small.evaluation == pytest.approx(4, rel=0.05)


def test_tiles_checkpoints_and_fewer_pairs_need_less(vgg):
    whole = estimate_memory(768, 1024, vgg=vgg)
    tiled = estimate_memory(768, 1024, vgg=vgg, layout=Layout(256))
    fewer = estimate_memory(768, 1024, vgg=vgg, layout=Layout(history=4))
    assert tiled.evaluation < whole.evaluation / 3
    assert tiled.targets == whole.targets
    assert fewer.optimizer < whole.optimizer
    settings = {"vgg": vgg, "dtype": torch.float64}
    graph = estimate_memory(256, 256, **settings)
    recomputed = estimate_memory(
        256, 256, layout=Layout(checkpoint=True), **settings
    )
    assert recomputed.saved < 0.6 * graph.saved
    assert recomputed.evaluation < graph.evaluation


def test_the_first_way_that_fits_is_taken(vgg):
    size = (1500, 2000)
    whole = estimate_memory(*size, vgg=vgg).total
    assert fitting_layout(*size, whole, vgg=vgg) == UNTILED
    fewer = Layout(history=FEWER_PAIRS[0])
    assert fitting_layout(*size, whole - 1, vgg=vgg) == fewer
    fewest = Layout(history=FEWER_PAIRS[-1])
    whole = estimate_memory(*size, vgg=vgg, layout=fewest).total
    assert fitting_layout(*size, whole - 1, vgg=vgg).tiles == SIDES[0]
    least = estimate_memory(
        *size, vgg=vgg, layout=Layout(SIDES[-1], history=FEWER_PAIRS[-1])
    ).total
    assert fitting_layout(*size, least, vgg=vgg).history == FEWER_PAIRS[-1]
    with pytest.raises(TooLargeError, match=r"2000 x 1500 .* even in tiles"):
        fitting_layout(*size, least * 0.9, vgg=vgg)


def test_the_network_may_be_left_out(vgg):
    needed = estimate_memory(1500, 2000, vgg=vgg).total
    assert fitting_layout(1500, 2000, needed) == UNTILED


def test_a_graph_keeps_less_before_it_is_cut_into_tiles(vgg):
    settings = {"vgg": vgg, "dtype": torch.float64}
    fewest = Layout(history=FEWER_PAIRS[-1])
    whole = estimate_memory(256, 256, layout=fewest, **settings).total
    assert fitting_layout(256, 256, whole - 1, **settings).checkpoint


def test_what_surely_fits_or_nobody_knows_is_not_counted(vgg):
    assert fitting_layout(3000, 4000, None) == UNTILED
    assert fitting_layout(512, 512, 3e9, history=7) == Layout(history=7)
    # and it does fit, in single and double precision
    for side in (64, 512, 1024):
        for dtype in (torch.float32, torch.float64):
            needed = estimate_memory(side, side, vgg=vgg, dtype=dtype).total
            assert needed < 6e8 + 6e3 * side**2


def test_many_pairs_are_counted_however_small_the_picture(vgg):
    free = 2.5e9
    assert fitting_layout(512, 512, free, vgg=vgg) == UNTILED
    settings = {"vgg": vgg, "history": 1000}
    assert fitting_layout(512, 512, free, **settings).history == 8
    assert fitting_layout(512, 512, 1e10, **settings).history == 1000
    # there is none without an evaluation
    few = fitting_layout(512, 512, free, evaluations=20, **settings)
    assert few == Layout(history=1000)
    many = estimate_memory(64, 64, vgg=vgg, layout=Layout(history=500))
    assert many.optimizer > 1000 * 3 * 4 * 64**2


LARGE = 2400, 3000
"""A style picture, beside one of 96 x 128 pixels."""


def test_a_style_picture_is_counted(vgg):
    alone = estimate_memory(96, 128, vgg=vgg)
    beside = estimate_memory(96, 128, styles=[LARGE], vgg=vgg)
    # the maps of two layers of the first block, with 64 channels each
    assert beside.styles > 2 * 64 * 4 * LARGE[0] * LARGE[1]
    assert beside.total == beside.comparing > 3e9 > 5 * alone.total
    assert beside.evaluation == alone.evaluation
    several = estimate_memory(
        96, 128, styles=[(40, 50), LARGE, (40, 50)], vgg=vgg
    )
    more = several.optimizer - beside.optimizer
    assert more == 2 * 2 * 40 * 50 * 3 * 4  # as read, and as looked at
    assert several.styles > beside.styles
    assert several.targets > 2 * alone.targets
    same = estimate_memory(96, 128, styles=[(96, 128)], vgg=vgg)
    assert same == alone


def test_a_style_picture_is_shown_in_tiles_where_it_does_not_fit(vgg):
    settings = {"styles": [(40, 50), LARGE], "vgg": vgg}
    whole = estimate_memory(96, 128, **settings).comparing
    assert fitting_layout(96, 128, whole, **settings) == UNTILED
    tiled = fitting_layout(96, 128, whole - 1, **settings)
    assert tiled == Layout(style_tiles=SIDES[0])
    least = estimate_memory(
        96, 128, layout=Layout(style_tiles=SIDES[-1]), **settings
    ).comparing
    assert least < whole / 4
    fewest = fitting_layout(96, 128, least, **settings)
    assert fewest.style_tiles == SIDES[-1]
    with pytest.raises(
        TooLargeError,
        match=r"a style picture of 3000 x 2400 .* even in tiles, .*style_size",
    ):
        fitting_layout(96, 128, least - 1, **settings)


def test_a_network_that_is_watched_is_not_cut_into_tiles():
    vgg = VGG19()
    vgg.get_submodule("relu1_1").register_forward_hook(lambda *given: None)
    settings = {"vgg": vgg, "styles": [LARGE]}
    with pytest.raises(TooLargeError, match="GB of memory and"):
        fitting_layout(96, 128, 1e9, **settings)
    settings["styles"] = [(96, 128)]
    with pytest.raises(TooLargeError, match="GB of memory and"):
        fitting_layout(1500, 2000, 2e9, **settings)


def test_one_more_look_at_each_picture_is_counted(vgg):
    once = estimate_memory(256, 256, vgg=vgg)
    twice = estimate_memory(256, 256, vgg=vgg, range_rule="none")
    assert twice.evaluation > once.evaluation + 64 * 4 * 256**2


PEAK = """
import json, re, sys
from pathlib import Path
import torch
from styletut.images import sample
from styletut.images.picture import resize_to
from styletut.memory.fitting import Layout, estimate_memory
from styletut.transfer import coarse_to_fine, plan

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

settings = json.loads(sys.argv[1])
tiles = settings.pop("style_tiles")
plan.fitting_layout = lambda *size, **given: Layout(style_tiles=tiles)
photo = sample("chelsea", settings["size"])
painting = resize_to(sample("night"), 900, 1200)
before = peak()
run = coarse_to_fine.prepare(
    photo, painting, alpha=0.3, evaluations=2, precision="float32", **settings
)
stage = run.plan.stages[-1]
# before the run, as where memory is short: torch imports much to count it
estimate = estimate_memory(
    *stage.shape,
    styles=stage.style_shapes,
    layout=stage.layout,
    evaluations=2,
    range_rule=run.plan.range_rule,
    vgg=run.vgg,
)
coarse_to_fine.result_of(run)
print(estimate.total, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "settings",
    [
        {"size": 96, "style_size": 900, "style_tiles": None},
        {"size": 96, "style_size": 900, "style_tiles": 512},
        {"size": 440, "style_size": 300, "range_rule": "none"},
    ],
    ids=["style", "tiles", "none"],
)
def test_a_run_takes_what_is_estimated(settings):
    settings = {"style_tiles": None, **settings}
    done = subprocess.run(
        [sys.executable, "-c", PEAK, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    estimate, peak = map(int, done.stdout.split())
    assert peak <= estimate <= 1.35 * peak


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_graph_with_checkpoints_has_the_same_gradient(vgg, pooling):
    photo = sample("chelsea", 48).double()
    painting = sample("night", 48).double()
    x = (photo + 0.05).clamp(0, 1)
    plain = Objective(photo, painting, vgg=vgg)
    saving = Objective(photo, painting, vgg=vgg, checkpoint=True)
    assert torch.equal(plain.gradient(x)[1], saving.gradient(x)[1])
