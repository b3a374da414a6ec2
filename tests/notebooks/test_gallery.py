"""The flawed functions of notebook 04 fail the checks they are shown with.

The functions are taken out of the notebook's own cells, those tagged
`flawed`, so that what is shown is what is tested.
"""

import nbformat
import pytest
import torch
from test_notebooks import FOLDER, code_cells, tags

from styletut import losses
from styletut.exercises.properties import PROPERTIES, failures, quadratic
from styletut.optimizers import lbfgs
from styletut.vgg import VGG19

FAILS = {
    "grams_of_layers": ("grams of layers", ["one for each layer"]),
    "gram_of_batch": ("gram", ["keeps pictures apart"]),
    "gram_channels_last": (
        "gram",
        [
            "channels by channels",
            "blind to the order of positions",
            "sum of outer products",
        ],
    ),
    "style_loss_of_layer": (
        "style loss",
        ["the same for two copies", "its gradient is (4.2)"],
    ),
    "maps_by_number": ("features", ["the layer asked for"]),
    "maps_without_copies": ("features", ["nothing overwritten"]),
    "ready_network": ("network", ["no weight wants a gradient"]),
    "minimize_in_range": ("optimizer", ["reaches the lowest point"]),
}


def flawed():
    """The functions of the notebook's cells with the tag, by name."""
    (path,) = FOLDER.glob("04_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    found = {"torch": torch, "losses": losses}
    known = set(found)
    for _, cell in code_cells(notebook):
        if "flawed" in tags(cell):
            exec(cell["source"], found)
    return {
        name: function
        for name, function in found.items()
        if name not in known and not name.startswith("__")
    }


FLAWED = flawed()


def minimize(loss, x):
    def evaluate(x):
        x = x.detach().requires_grad_()
        value = loss(x)
        (gradient,) = torch.autograd.grad(value, x)
        return value.detach(), gradient

    box = torch.zeros_like(x), torch.ones_like(x)
    *_, last = lbfgs(evaluate, x, evaluations=100, bounds=box)
    return last.x


def maps(layers, x, wanted):
    found = {}
    for number, layer in enumerate(layers):
        x = layer(x)
        if number in wanted:
            found[number] = x.clone()
    return found


def grams(features):
    return {layer: losses.gram_matrix(F) for layer, F in features.items()}


RIGHT = {
    "gram": losses.gram_matrix,
    "grams of layers": grams,
    "style loss": losses.style_layer_loss,
    "features": maps,
    "network": VGG19,
    "optimizer": minimize,
}


def test_the_gallery_shows_eight_functions():
    assert list(FLAWED) == list(FAILS)


@pytest.mark.parametrize("name", FAILS)
def test_a_flawed_function_fails_its_named_checks(name):
    kind, expected = FAILS[name]
    assert failures(kind, FLAWED[name]) == expected


@pytest.mark.parametrize("kind", PROPERTIES)
def test_a_right_function_passes_all_checks(kind):
    assert failures(kind, RIGHT[kind]) == []


def test_every_property_can_fail():
    found = {(FAILS[n][0], each) for n in FAILS for each in FAILS[n][1]}
    wrong = {
        "zero at the style picture": ("style loss", lambda F, A: F.sum()),
        "in eval mode": ("network", torch.nn.Identity),
        "stays in range": ("optimizer", lambda loss, x: x + 1),
    }
    for name, (kind, candidate) in wrong.items():
        assert name in failures(kind, candidate)
        found.add((kind, name))
    assert found == {(k, name) for k in PROPERTIES for name in PROPERTIES[k]}


def test_the_clamped_optimizer_ends_higher_than_it_began():
    start = torch.full((3,), 0.5, dtype=torch.float64)
    end = FLAWED["minimize_in_range"](quadratic, start)
    assert quadratic(end) > 5 * quadratic(start)


def test_maps_of_no_layer_are_not_left_as_they_were():
    empty = failures("features", lambda layers, x, wanted: {})
    assert empty == ["the layer asked for", "nothing overwritten"]


def test_a_candidate_that_stops_fails():
    def stops(*arguments):
        raise RuntimeError("no")

    for kind in PROPERTIES:
        assert failures(kind, stops) == list(PROPERTIES[kind])


def test_an_error_is_told_once_and_a_wrong_value_is_not(capsys):
    def misspelled(F):
        return F @ F.transposed

    failures("gram", misspelled)
    told = capsys.readouterr().out
    assert told == (
        "stops with AttributeError: 'Tensor' object has no attribute "
        "'transposed'\n"
    )
    failures("gram", FLAWED["gram_channels_last"])
    assert capsys.readouterr().out == ""


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="'grams'; there are gram, "):
        failures("grams", losses.gram_matrix)
