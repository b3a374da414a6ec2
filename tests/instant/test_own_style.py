"""A style of one's own: a row more, or a network of its own."""

import json

import pytest
import torch

from styletut.images import ImageError, sample
from styletut.instant import (
    NetworkError,
    fit,
    instant,
    instant_network,
    load_network,
    own_style,
    store,
)
from styletut.instant.network import StyleNetwork


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small = {"crop": 32, "batch": 2, "style_size": 48, "least": 40, "most": 60}

    def recipe(**changes):
        return usual_recipe(**{**small, **changes})

    usual_recipe = own_style.Recipe
    monkeypatch.setattr(own_style, "Recipe", recipe)


@pytest.fixture(scope="module")
def painting():
    return sample("night", 64).flip(1)


@pytest.fixture(scope="module")
def photos():
    return [sample("coffee", 80), sample("rocket", 80)]


def test_a_row_leaves_all_others_alone(painting, photos, tmp_path):
    seen = []
    fitted = fit(
        painting,
        name="dusk",
        photos=photos,
        row_steps=6,
        good=9.0,
        watch=seen.append,
    )
    usual = instant_network()
    assert fitted.way == "row"
    assert [each.step for each in seen] == [1, 2, 3, 4, 5, 6]
    assert fitted.network.names == (*usual.names, "dusk")
    assert fitted.style < fitted.untouched * 9
    photo = photos[0]
    for name in ("glass", "night"):
        assert torch.equal(
            instant(photo, name, network=fitted.network), instant(photo, name)
        )
    own = instant(photo, "dusk", network=fitted.network)
    assert not torch.allclose(own, photo, atol=0.02)
    assert "dusk" not in usual.names
    store(fitted.network, {"whose": "mine"}, tmp_path / "dusk.safetensors")
    again = load_network(tmp_path / "dusk.safetensors")
    assert again.names == fitted.network.names
    torch.testing.assert_close(
        instant(photo, "dusk", network=again), own, atol=0.02, rtol=0
    )


def test_what_is_not_good_enough_is_trained_whole(painting, photos):
    seen = []
    fitted = fit(
        painting,
        photos=photos,
        row_steps=2,
        all_steps=3,
        good=0.0,
        watch=seen.append,
    )
    assert fitted.way == "all"
    assert fitted.network.names == ("photo", "own")
    assert [each.step for each in seen] == [1, 2, 1, 2, 3]
    usual = instant_network().convolutions[0].weight
    assert not torch.equal(fitted.network.convolutions[0].weight, usual)
    assert fitted.minutes > 0
    assert not any(p.requires_grad for p in fitted.network.parameters())
    stays = fit(painting, photos=photos, row_steps=1, all_steps=0, good=0.0)
    assert stays.way == "row"


def test_a_row_is_trained_to_be_nearer(painting, photos):
    losses = []
    fitted = fit(
        painting,
        photos=photos,
        row_steps=40,
        good=9.0,
        watch=lambda step: losses.append(step.terms.style),
    )
    first, last = sum(losses[:8]) / 8, sum(losses[-8:]) / 8
    assert last < 0.8 * first
    assert fitted.style < fitted.untouched


def test_bad_names_photos_and_paintings_are_refused(painting):
    with pytest.raises(ValueError, match="a style 'glass' already"):
        fit(painting, name="glass")
    with pytest.raises(ValueError, match="photos to learn from"):
        fit(painting, photos=[])
    with pytest.raises(ImageError):
        fit("no such picture.png")


def test_a_file_that_is_no_network_is_refused(tmp_path):
    with pytest.raises(NetworkError, match="cannot read"):
        load_network(tmp_path / "none.safetensors")
    for data in (b"", b"words, no network", b"\xff" * 64, b'{"a": 1}' * 9):
        path = tmp_path / "bad.safetensors"
        path.write_bytes(data)
        with pytest.raises(NetworkError, match="holds no network"):
            load_network(path)


def renoted(data, **changed):
    """A network's file with other notes."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"].update(changed)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        # each would take all memory, or all time, if it were believed
        ({"channels": "[100000, 100000, 100000]"}, "has shape"),
        ({"channels": "[4, 8, 1e30]"}, "holds no network"),
        ({"blocks": "1000000000"}, "no 1000000000 blocks"),
        ({"blocks": "-1"}, "no -1 blocks"),
        ({"blocks": "2"}, "has shape"),
        ({"names": '["photo", 5]'}, "a name is no text"),
        ({"names": '["photo", "a", "b"]'}, "has shape"),
        ({"names": "[]"}, "holds no network"),
    ],
)
def test_notes_that_are_not_those_of_the_numbers_are_refused(
    tmp_path, notes, message
):
    path = tmp_path / "network.safetensors"
    store(StyleNetwork(["dusk"], (4, 8, 8), 1), {}, path)
    load_network(path)
    path.write_bytes(renoted(path.read_bytes(), **notes))
    with pytest.raises(NetworkError, match=message):
        load_network(path)


def test_a_network_of_numbers_that_are_none_is_refused(tmp_path):
    network = StyleNetwork(["dusk"], (4, 8, 8), 1)
    network.norms[0].gamma.data[0, 0] = torch.nan
    path = tmp_path / "network.safetensors"
    store(network, {}, path)
    with pytest.raises(NetworkError, match=r"norms\.0\.gamma .* not finite"):
        load_network(path)
