"""Which pictures fit, and how."""

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
            assert needed < 5e8 + 6e3 * side**2


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_graph_with_checkpoints_has_the_same_gradient(vgg, pooling):
    photo = sample("chelsea", 48).double()
    painting = sample("night", 48).double()
    x = (photo + 0.05).clamp(0, 1)
    plain = Objective(photo, painting, vgg=vgg)
    saving = Objective(photo, painting, vgg=vgg, checkpoint=True)
    assert torch.equal(plain.gradient(x)[1], saving.gradient(x)[1])
