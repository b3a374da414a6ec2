"""`VGG19` as torch's users expect a module to be."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional

from styletut.engines import Backward
from styletut.images import sample
from styletut.kernels.frozen import FrozenConvolution
from styletut.objective import Objective
from styletut.vgg import LAYERS, VGG19, normalize_filters
from styletut.vgg.network import shared_network


@pytest.fixture
def own():
    """A network that a test may change."""
    return VGG19(deepest="relu2_2")


@pytest.fixture(scope="module")
def x():
    return sample("chelsea", 32)


def plain(vgg, x, deepest="relu2_2"):
    """Compute a layer by torch's modules alone."""
    y = vgg.preprocess(x)
    for name in LAYERS[: LAYERS.index(deepest) + 1]:
        if name.startswith("conv"):
            layer = vgg.get_submodule(name)
            y = functional.conv2d(y, layer.weight, layer.bias, padding=1)
        elif name.startswith("relu"):
            y = functional.relu(y)
        else:
            y = functional.max_pool2d(y, 2)
    return y


def near(came, right, tolerance=1e-5):
    return float((came - right).norm() / right.norm()) < tolerance


def test_each_layer_is_a_module_of_its_name(own):
    assert [name for name, _ in own.named_children()] == list(
        LAYERS[: LAYERS.index("pool2") + 1]
    )
    assert isinstance(own.conv2_1, nn.Conv2d)
    assert "relu2_1" in str(own) and "max" in str(own)


@pytest.mark.parametrize("layer", ["conv1_2", "relu1_2", "pool1", "conv2_1"])
def test_a_forward_hook_on_a_named_layer_fires(own, x, layer):
    seen = []
    handle = own.get_submodule(layer).register_forward_hook(
        lambda module, given, came: seen.append(came)
    )
    last = own(x, ["relu2_2"])["relu2_2"]
    assert len(seen) == 1
    handle.remove()
    right = own(x, [layer])[layer]
    # what a hook was handed is not overwritten by the ReLU after it
    assert torch.equal(seen[0], right)
    assert len(seen) == 1
    assert torch.equal(last, own(x, ["relu2_2"])["relu2_2"])


def test_a_hook_for_all_modules_fires_and_keeps_what_it_sees(own, x):
    seen = {}
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, given, came: seen.setdefault(id(module), came)
    )
    try:
        own(x, ["relu2_2"])
    finally:
        handle.remove()
    right = own(x, ["conv2_1"])["conv2_1"]
    assert torch.equal(seen[id(own.conv2_1)], right)


@pytest.mark.parametrize(
    "kind", ["forward", "forward_pre", "full_backward", "full_backward_pre"]
)
def test_a_network_with_a_hook_of_any_kind_is_not_plain(own, kind):
    assert own.is_plain()
    handle = getattr(own.relu1_1, f"register_{kind}_hook")(print)
    assert not own.is_plain()
    handle.remove()
    everywhere = getattr(nn.modules.module, f"register_module_{kind}_hook")
    handle = everywhere(print)
    try:
        assert not own.is_plain()
    finally:
        handle.remove()
    assert own.is_plain()


def test_a_hook_that_returns_something_changes_what_follows(own, x):
    own.relu1_1.register_forward_hook(lambda module, given, came: 0 * came)
    bias = own.conv1_2.bias[:, None, None]
    came = own(x, ["conv1_2"])["conv1_2"]
    assert torch.allclose(came, bias.expand_as(came))


def test_a_backward_hook_fires(own, x):
    seen = []
    own.conv1_2.register_full_backward_hook(
        lambda module, inner, outer: seen.append((inner[0], outer[0]))
    )
    image = x.clone().requires_grad_()
    own(image, ["relu2_2"])["relu2_2"].sum().backward()
    ((inner, outer),) = seen
    right = functional.conv_transpose2d(outer, own.conv1_2.weight, padding=1)
    assert near(inner, right)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_it_may_be_cast_as_any_module(own, x, dtype):
    right = plain(own, x)
    low = own.half() if dtype == torch.float16 else own.to(dtype)
    assert low is own
    assert {each.dtype for each in own.parameters()} == {dtype}
    came = own(x.to(dtype), ["relu2_2"])["relu2_2"]
    assert came.dtype == dtype
    assert near(came.float(), right, 0.05)
    # back in single precision it has the rounded weights, not those before
    assert torch.equal(
        own.float().conv1_1.weight.to(dtype).float(), (own.conv1_1.weight)
    )
    came = own(x, ["relu2_2"])["relu2_2"]
    assert near(came, plain(own, x)) and not torch.equal(came, right)


def test_double_precision_is_that_of_a_plain_module(own, x):
    own(x, ["relu2_2"])
    own.to(torch.float64)
    assert own.conv1_1.weight.dtype == torch.float64
    assert near(
        own(x.double(), ["relu2_2"])["relu2_2"],
        plain(own, x.double()),
        1e-13,
    )


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "torch.save"])
def test_a_copy_computes_the_same_and_is_another(own, x, how):
    right = own(x, ["relu2_2"])["relu2_2"]  # with all that is kept for speed
    if how == "deepcopy":
        twin = copy.deepcopy(own)
    elif how == "pickle":
        twin = pickle.loads(pickle.dumps(own))
    else:
        file = io.BytesIO()
        torch.save(own, file)
        file.seek(0)
        twin = torch.load(file, weights_only=False)
    assert torch.equal(twin(x, ["relu2_2"])["relu2_2"], right)
    with torch.no_grad():
        twin.conv1_1.weight.zero_()
    assert not torch.equal(twin(x, ["relu2_2"])["relu2_2"], right)
    assert torch.equal(own(x, ["relu2_2"])["relu2_2"], right)


def test_a_pickle_is_no_larger_for_what_is_kept_for_speed(own, x):
    before = len(pickle.dumps(own))
    own(x, ["relu2_2"])
    own(x.double(), ["relu2_2"])
    assert len(pickle.dumps(own)) == before


def test_the_state_is_that_of_plain_convolutions(own, x):
    state = own.state_dict()
    names = [
        f"conv{n}.{p}"
        for n in ("1_1", "1_2", "2_1", "2_2")
        for p in ("weight", "bias")
    ]
    assert list(state) == names
    other = VGG19(deepest="relu2_2", normalize=True)
    before = other(x, ["relu2_2"])["relu2_2"]
    other.load_state_dict(state)
    right = own(x, ["relu2_2"])["relu2_2"]
    assert not torch.equal(before, right)
    assert torch.equal(other(x, ["relu2_2"])["relu2_2"], right)
    layer = nn.Conv2d(3, 64, 3, padding=1)
    layer.load_state_dict(own.conv1_1.state_dict())
    pixels = own.preprocess(x)
    assert near(own.conv1_1(pixels), layer(pixels).detach())


@pytest.mark.parametrize("how", ["write", "replace", "assign"])
def test_changed_weights_count_at_once(own, x, how):
    own(x, ["relu2_2"])
    own(x.double(), ["relu2_2"])
    doubled = 2 * own.conv1_1.weight.detach()
    if how == "write":
        with torch.no_grad():
            own.conv1_1.weight.mul_(2)
    elif how == "replace":
        own.conv1_1.weight = nn.Parameter(doubled, requires_grad=False)
    else:
        state = {**own.state_dict(), "conv1_1.weight": doubled}
        own.load_state_dict(state, assign=True)
    for image, tolerance in ((x, 1e-5), (x.double(), 1e-13)):
        right = plain(copy.deepcopy(own).to(image.dtype), image)
        came = own(image, ["relu2_2"])["relu2_2"]
        assert near(came, right, tolerance)


def test_weights_that_learn_have_gradients(own, x):
    own.conv1_2.requires_grad_()
    own(x, ["relu2_2"])["relu2_2"].mean().backward()
    assert own.conv1_2.weight.grad.abs().sum() > 0
    assert own.conv1_1.weight.grad is None


def test_weights_learn_even_after_they_were_used_frozen(own, x):
    own(x.double(), ["relu2_2"])  # keeps copies in double precision
    own.conv1_2.requires_grad_()
    maps = own(x.double(), ["relu2_2"])["relu2_2"]
    maps.mean().backward()
    assert own.conv1_2.weight.grad.abs().sum() > 0


def test_a_moved_layer_is_noticed(own, x):
    own(x.double(), ["relu2_2"])
    own.conv1_1.weight.data = 2 * own.conv1_1.weight.data
    right = plain(copy.deepcopy(own).double(), x.double())
    assert near(own(x.double(), ["relu2_2"])["relu2_2"], right, 1e-13)


def test_an_objective_heeds_hooks_and_layers_of_others(own, x):
    layers = {"content_layers": ["relu2_1"], "style_layers": ["relu1_1"]}
    plain_one = Objective(x, x, vgg=own, **layers)
    assert own.is_plain() and isinstance(plain_one.engine, Backward)
    seen = []
    handle = own.relu1_2.register_forward_hook(lambda *each: seen.append(1))
    assert not own.is_plain()
    Objective(x, x, vgg=own, **layers).gradient(x)
    assert seen
    with pytest.raises(ValueError, match="hooks or replaced layers"):
        Objective(x, x, vgg=own, tiles=16, **layers)
    handle.remove()
    own.pool1 = nn.AvgPool2d(2)
    assert not own.is_plain()
    pooled = Objective(x, x, vgg=own, **layers)
    assert not isinstance(pooled.engine, Backward)


def test_a_network_too_short_for_the_layers_is_refused(own, x):
    with pytest.raises(ValueError, match="loaded without conv5_1"):
        Objective(x, x, vgg=own)


def test_it_is_shared_however_it_is_asked_for():
    one = shared_network()
    assert shared_network(weights="oxford", pooling="max") is one
    assert shared_network(device=torch.device("cpu")) is one


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_outline_has_the_networks_dtype(own, dtype):
    outline = own.to(dtype).outline()
    assert {each.dtype for each in outline.parameters()} == {dtype}
    assert all(each.is_meta for each in outline.parameters())


def test_frozen_it_draws_nothing_and_needs_no_gradient():
    torch.manual_seed(3)
    right = torch.rand(3)
    torch.manual_seed(3)
    layer = FrozenConvolution(4, 8)
    assert torch.equal(torch.rand(3), right)
    assert layer.weight.shape == (8, 4, 3, 3) and layer.weight.is_meta
    assert not any(each.requires_grad for each in layer.parameters())


def test_filters_are_rescaled_before_they_are_frozen(own, x):
    parameters = {"conv1_1": (own.conv1_1.weight, own.conv1_1.bias)}
    means = {"conv1_1": torch.full((64,), 2.0)}
    weight, bias = normalize_filters(parameters, means)["conv1_1"]
    assert torch.equal(weight, own.conv1_1.weight / 2)
    assert torch.equal(bias, own.conv1_1.bias / 2)
