"""Regions: masks at layers, guided losses in every engine, bad masks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from styletut.conventions import CONVENTIONS, kappa
from styletut.engines import Autograd, Backward, Tiles
from styletut.images import ImageError, resize_to, sample
from styletut.losses import (
    gram_matrix,
    guided_style_layer_loss,
    style_layer_loss,
)
from styletut.objective import Objective
from styletut.objective.guides import (
    WAYS,
    Painting,
    Region,
    checked_mask,
    paintings_of,
    propagated,
    regions_of,
    settled,
    shares_at,
)
from styletut.vgg import VGG19, feature_shape

SHAPE = (70, 85)
LAYERS = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def vgg():
    return VGG19(deepest="relu3_1")


def picture(name, height=SHAPE[0], width=SHAPE[1]):
    return resize_to(sample(name), height, width).double()


def ramp(height=SHAPE[0], width=SHAPE[1]):
    """A soft mask: 0 at the left, 1 at the right."""
    return torch.linspace(0, 1, width).double().expand(height, width).clone()


def left_third(height=SHAPE[0], width=SHAPE[1]):
    mask = torch.zeros(height, width, dtype=torch.float64)
    mask[:, : width // 3] = 1
    return mask


# Masks at layers


@pytest.mark.parametrize("layer", ["relu1_1", "pool1", "relu2_1", "relu3_1"])
def test_a_mask_has_the_layers_size_by_every_way(layer):
    for way in WAYS:
        taken = propagated(ramp(), layer, way)
        assert tuple(taken.shape) == feature_shape(layer, *SHAPE)[1:]
        assert float(taken.min()) >= 0
        assert float(taken.max()) <= 1


def test_the_simple_way_is_the_mean_over_a_positions_own_pixels():
    mask = torch.rand(13, 18, dtype=torch.float64)
    taken = propagated(mask, "relu3_2")
    for i in range(3):
        for j in range(4):
            own = mask[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
            torch.testing.assert_close(taken[i, j], own.mean())


@pytest.mark.parametrize("layer", ["conv1_2", "conv2_1", "conv3_2"])
def test_inside_and_all_are_what_the_network_sees(vgg, layer):
    """Gatys' way to find out: change a part of a picture, see what moves."""
    vgg = VGG19(deepest=layer)
    mask = torch.zeros(48, 64, dtype=torch.float64)
    mask[4:44, 10:57] = 1
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(4, 1, 3, 48, 64, generator=generator).double()

    def moves(region):
        """Where maps change with the pixels of a region."""
        still = draws[0] * (1 - region)
        maps = [vgg(still + x * region, [layer])[layer] for x in draws]
        return torch.stack(maps).var(0).sum(1)[0] > 0

    assert torch.equal(propagated(mask, layer, "all") > 0, moves(mask))
    inside = propagated(mask, layer, "inside")
    assert torch.equal(inside > 0, ~moves(1 - mask))
    assert 0 < int(inside.sum()) < int(propagated(mask, layer, "all").sum())


@given(st.integers(0, 10_000))
def test_simple_shares_of_a_pixel_stay_shares(seed):
    generator = torch.Generator().manual_seed(seed)
    masks = torch.rand(3, 21, 19, generator=generator, dtype=torch.float64)
    masks = masks / masks.sum(0)
    taken = sum(propagated(mask, "relu3_1") for mask in masks)
    torch.testing.assert_close(taken, torch.ones_like(taken))


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match=r"no guidance 'erode'.*simple, ins"):
        propagated(ramp(), "relu1_1", "erode")


# The objective


def by_formula(vgg, x, regions, layer, way="simple"):
    """The paper's sum over regions from `losses`, with T = sqrt(mask)."""
    F = vgg(x, [layer])[layer]
    masks, A, M_a = [], [], []
    for mask, painting, style_mask in regions:
        masks.append(propagated(mask, layer, way))
        maps = vgg(painting, [layer])[layer]
        if style_mask is None:
            counts = torch.ones_like(maps[0, 0])
        else:
            counts = propagated(style_mask, layer, way)
        A.append(gram_matrix(counts.sqrt() * maps)[0])
        M_a.append(counts.sum())
    return guided_style_layer_loss(
        F, torch.stack(masks).sqrt(), torch.stack(A), torch.stack(M_a)
    )


def three_regions():
    """A region by itself, one with a part of its painting, and the rest."""
    right = (ramp() * (1 - left_third())).clamp(0, 1)
    night, wave = picture("night", 64, 90), picture("wave", 80, 66)
    return [
        (left_third(), night, None),
        (right, wave, ramp(80, 66)),
        (1 - left_third() - right, picture("points", 60, 60), None),
    ]


def guided(vgg, way="simple", **settings):
    regions = three_regions()
    return Objective(
        picture("chelsea"),
        regions[-1][1],
        masks=regions[:-1],
        vgg=vgg,
        style_layers=LAYERS,
        content_layers=["relu2_1"],
        guidance=way,
        **settings,
    )


@pytest.mark.parametrize("way", ["simple", "all"])
def test_each_layer_has_the_papers_loss(vgg, way):
    objective, x = guided(vgg, way), picture("coffee")
    terms = objective(x)
    own = CONVENTIONS["styletut"]
    for layer in LAYERS:
        N, h, w = feature_shape(layer, *SHAPE)
        right = by_formula(vgg, x, three_regions(), layer, way)
        right = right * kappa(own, N, h * w, SHAPE[0] * SHAPE[1])
        came = terms.style_layers[layer]
        torch.testing.assert_close(came, right, rtol=1e-10, atol=0)


ENGINES = {
    "backward": Backward,
    "autograd": Autograd,
    "autograd, checkpoint": lambda vgg: Autograd(vgg, checkpoint=True),
    "tiles": lambda vgg: Tiles(vgg, 32),
}


@pytest.mark.parametrize("name", ENGINES)
def test_finite_differences_confirm_the_guided_gradient(vgg, name):
    objective = guided(vgg)
    objective.engine = ENGINES[name](vgg)
    generator = torch.Generator().manual_seed(1)
    x = 0.1 + 0.8 * picture("coffee")
    terms, gradient = objective.gradient(x)
    for _ in range(3):
        v = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        h = 1e-8
        slope = (objective(x + h * v).total - objective(x - h * v).total) / (
            2 * h
        )
        assert float((gradient * v).sum()) == pytest.approx(
            float(slope), rel=1e-4
        )
    torch.testing.assert_close(terms.total, objective(x).total)


def test_tiles_and_the_whole_agree_to_rounding(vgg):
    whole, tiled = guided(vgg), guided(vgg, tiles=32, style_tiles=24)
    x = picture("coffee")
    (right, g), (came, tiles) = whole.gradient(x), tiled.gradient(x)
    torch.testing.assert_close(came.total, right.total, rtol=1e-12, atol=0)
    assert float((tiles - g).norm() / g.norm()) < 1e-11


def test_in_bfloat16_it_is_the_same_to_its_digits(vgg):
    x = picture("coffee").float()
    masks = [(left_third().float(), picture("night").float())]
    gradients = []
    for precision in ("float32", "bfloat16"):
        objective = Objective(
            picture("chelsea").float(),
            picture("wave").float(),
            masks=masks,
            vgg=vgg,
            style_layers=LAYERS,
            content_layers=["relu2_1"],
            precision=precision,
        )
        gradients.append(objective.gradient(x)[1])
    right, came = gradients
    assert float((came - right).norm() / right.norm()) < 0.1


def test_a_mask_that_is_everything_changes_nothing(vgg):
    x, photo, night = (picture(n) for n in ("coffee", "chelsea", "night"))
    common = {
        "vgg": vgg,
        "style_layers": LAYERS,
        "content_layers": ["relu1_1"],
    }
    plain = Objective(photo, night, **common).gradient(x)
    everything = [(torch.ones(SHAPE), night)]
    masked = Objective(photo, None, masks=everything, **common).gradient(x)
    torch.testing.assert_close(masked[0].total, plain[0].total)
    torch.testing.assert_close(masked[1], plain[1])


def test_what_masks_leave_is_the_styles_and_may_be_nothing(vgg):
    x = picture("coffee")
    photo, night, wave = (picture(n) for n in ("chelsea", "night", "wave"))
    common = {
        "vgg": vgg,
        "style_layers": LAYERS,
        "content_layers": ["relu1_1"],
    }
    third = left_third()
    rest = Objective(photo, wave, masks=[(third, night)], **common)
    both = [(third, night), (1 - third, wave)]
    spelled = Objective(photo, None, masks=both, **common)
    unused = Objective(photo, x, masks=both, **common)
    for each in (spelled, unused):
        torch.testing.assert_close(each(x).total, rest(x).total)
    assert rest(x).style != Objective(photo, wave, **common)(x).style


def test_a_region_is_judged_by_its_own_pixels_alone(vgg):
    """Deep inside one, nothing that is done in the other is seen."""
    photo, night, wave = (picture(n) for n in ("chelsea", "night", "wave"))
    objective = Objective(
        photo,
        None,
        masks=[(left_third(), night), (1 - left_third(), wave)],
        vgg=vgg,
        content_layers=["relu1_1"],
        style_layers=["relu1_1"],
    )
    x = picture("coffee")
    other = x.clone()
    other[..., 60:] = 0.5
    gradient = objective.gradient(x)[1][..., :20]
    torch.testing.assert_close(
        objective.gradient(other)[1][..., :20], gradient
    )


def test_transparent_parts_of_a_style_do_not_count(vgg):
    x, photo, night = (picture(n) for n in ("coffee", "chelsea", "night"))
    common = {
        "vgg": vgg,
        "content_layers": ["relu1_1"],
        "style_layers": LAYERS[:1],
    }
    mask = left_third()
    blank = night.clone()
    blank[..., SHAPE[1] // 3 + 2 :] = 1  # what nobody looks at
    mask[:, SHAPE[1] // 3 - 2 :] = 0
    losses = [
        Objective(photo, [(style, 1, mask)], **common)(x).style
        for style in (night, blank)
    ]
    torch.testing.assert_close(*losses)
    assert losses[0] != Objective(photo, night, **common)(x).style


def test_a_weight_of_an_unknown_name_is_refused(vgg):
    photo, night = picture("chelsea"), picture("night")
    told = "'rough'; it can be a number, a mapping.*one of fine, coarse"
    with pytest.raises(ValueError, match=told):
        Objective(photo, [(night, "rough")], vgg=vgg)


def test_weights_by_layer_mix_fine_and_coarse(vgg):
    x, photo = picture("coffee"), picture("chelsea")
    night, wave = picture("night"), picture("wave")
    common = {
        "vgg": vgg,
        "content_layers": ["relu1_1"],
        "style_layers": LAYERS,
    }
    fine, coarse = {"relu1_1": 1, "relu2_1": 2}, {"relu2_1": 6, "relu3_1": 1}
    mixed = Objective(photo, [(night, fine), (wave, coarse)], **common)(x)
    of_night = Objective(photo, night, **common)(x).style_layers
    of_wave = Objective(photo, wave, **common)(x).style_layers
    torch.testing.assert_close(
        mixed.style_layers,
        {
            "relu1_1": of_night["relu1_1"],
            "relu2_1": 0.25 * of_night["relu2_1"] + 0.75 * of_wave["relu2_1"],
            "relu3_1": of_wave["relu3_1"],
        },
    )


def test_other_conventions_count_a_regions_positions(vgg):
    """With halves that are alike, both have the whole's loss."""
    half = torch.zeros(64, 64, dtype=torch.float64)
    half[:, :32] = 1
    for name in ("gatys2016", "neural_style", "keras_example", "article"):
        common = {
            "vgg": vgg,
            "convention": name,
            "content_layers": ["relu1_1"],
            "style_layers": ["relu1_1"],
        }
        x = torch.full((1, 3, 64, 64), 0.5, dtype=torch.float64)
        a = torch.full_like(x, 0.2)
        plain = Objective(x, a, **common)(x).style
        masked = Objective(
            x, None, masks=[(half, a), (1 - half, a)], **common
        )(x).style
        # up to the border, where maps of a flat picture are not flat
        torch.testing.assert_close(masked, plain, rtol=0.05, atol=0)


def test_where_inside_leaves_a_region_nothing_the_layer_is_simple(vgg):
    thin = torch.zeros(SHAPE, dtype=torch.float64)
    thin[30:34] = 1
    x, photo = picture("coffee"), picture("chelsea")
    regions = [(thin, picture("night"), None), (1 - thin, photo, None)]
    common = {
        "vgg": vgg,
        "content_layers": ["relu1_1"],
        "masks": regions,
        "style_layers": ["relu1_1", "relu3_1"],
    }
    inside = Objective(photo, None, guidance="inside", **common)(x)
    simple = Objective(photo, None, guidance="simple", **common)(x)
    assert inside.style_layers["relu3_1"] == simple.style_layers["relu3_1"]
    assert inside.style_layers["relu1_1"] != simple.style_layers["relu1_1"]


def test_a_strip_that_a_pooling_cuts_off_is_nobodys(vgg):
    strip = torch.zeros(66, 64, dtype=torch.float64)
    strip[64:] = 1  # the third block has 16 rows of 4 pixels
    photo, night = picture("chelsea", 66, 64), picture("night", 66, 64)
    objective = Objective(
        photo,
        photo,
        masks=[(strip, night)],
        vgg=vgg,
        content_layers=["relu1_1"],
        style_layers=LAYERS,
    )
    terms = objective(photo)
    assert float(terms.style_layers["relu3_1"]) == pytest.approx(0, abs=1e-12)
    assert float(terms.style_layers["relu1_1"]) > 0


def test_without_numbers_there_is_an_outline():
    photo = torch.empty(1, 3, 64, 64, device="meta")
    mask = torch.empty(64, 64, device="meta")
    objective = Objective(
        photo, photo, masks=[(mask, photo)], vgg=VGG19().outline()
    )
    assert objective.gradient(photo)[1].shape == photo.shape


# What a caller gives


def test_styles_and_masks_are_read_in_every_form():
    assert paintings_of("a") == (Painting("a", 1.0, None),)
    assert paintings_of([("a", 2), ("b", 1, "m")]) == (
        Painting("a", 2.0, None),
        Painting("b", 1.0, "m"),
    )
    assert regions_of("c", [("m", "a"), ("n", "b", "o")]) == (
        Region("m", (Painting("a"),)),
        Region("n", (Painting("b", 1.0, "o"),)),
        Region(None, (Painting("c"),)),
    )
    assert regions_of(None, [("m", [("a", 1), ("b", 3)], None)])[0].paintings[
        1
    ] == Painting("b", 3.0)


@pytest.mark.parametrize(
    ("style", "masks", "message"),
    [
        (None, (), "there is no style: give a style picture"),
        (["a", "b"], (), r"sequence of \(picture, weight\)"),
        ([("a", 0), ("b", 0)], (), "no style picture with a positive weight"),
        ([("a", {"relu1_1": 0})], (), "no style picture with a positive"),
        ([("a", -1)], (), "style's weight is -1"),
        ([("a", {"relu1_1": -1})], (), "weight at relu1_1 is -1"),
        ([("a", {"relu9_1": 1})], (), "no layer 'relu9_1'"),
        ("a", ["m"], r"sequence of \(mask, style\)"),
        ("a", [("m",)], r"sequence of \(mask, style\)"),
        ("a", [(None, "b")], "a region has no mask"),
        ("a", [("m", [("a", 1), ("b", 1)], "n")], "belongs to one picture"),
    ],
)
def test_what_is_no_style_and_no_mask_is_refused(style, masks, message):
    with pytest.raises(ValueError, match=message):
        regions_of(style, masks)


def test_layers_that_nobody_counts_at_are_named(vgg):
    photo = picture("chelsea")
    with pytest.raises(ValueError, match="no style picture has a weight at r"):
        shares_at("relu2_1", [Painting("a", {"relu1_1": 1.0})])
    common = {"vgg": vgg, "content_layers": [], "style_layers": LAYERS}
    with pytest.raises(ValueError, match="weight at relu3_1"):
        Objective(photo, [(photo, {"relu1_1": 1, "relu2_1": 1})], **common)
    with pytest.raises(ValueError, match=r"relu2_2, which is none of the sty"):
        Objective(photo, [(photo, 1), (photo, {"relu2_2": 1})], **common)


@pytest.mark.parametrize(
    ("masks", "rest", "message"),
    [
        ([torch.ones(7, 9)], True, r"\(7, 9\) and the photo \(8, 9\)"),
        ([torch.zeros(8, 9)], True, "mask of the photo is empty"),
        ([2 * torch.ones(8, 9)], True, "values from 2 to 2"),
        ([torch.full((8, 9), float("nan"))], True, "values from nan"),
        (
            [torch.ones(8, 9), torch.ones(8, 9)],
            True,
            "add up to 2.00 on 100 %",
        ),
        (
            [torch.ones(8, 9), 2 * torch.ones(8, 9)],
            False,
            "^mask 2 of the photo has values",
        ),
        (["m.png"], True, r"tensor \(H, W\), not str.*load_mask"),
        ([torch.cat([torch.ones(6, 9), torch.zeros(2, 9)])], False, "25 % of"),
    ],
)
def test_bad_masks_are_refused(masks, rest, message):
    content = torch.zeros(1, 3, 8, 9)
    regions = [Region(mask, ()) for mask in masks]
    if rest:
        regions.append(Region(None, ()))
    with pytest.raises(ImageError, match=message):
        settled(regions, content)


def test_a_mask_alone_is_called_by_its_picture():
    with pytest.raises(ImageError, match=r"^a mask of the painting is"):
        checked_mask(torch.zeros(8, 9), (8, 9), "the painting")


def test_shares_are_rounded_to_one_where_masks_have_256_levels():
    content = torch.zeros(1, 3, 2, 2)
    levels = torch.tensor([[0.2, 0.5], [1.0, 0.0]])
    a, b = (levels * 255).ceil() / 255, ((1 - levels) * 255).ceil() / 255
    assert float((a + b).max()) > 1
    whole = settled([Region(a, ()), Region(b, ())], content)
    torch.testing.assert_close(whole[0].mask + whole[1].mask, torch.ones(2, 2))
    kept = settled([Region(a, ()), Region(None, ())], content)
    torch.testing.assert_close(kept[0].mask + kept[1].mask, torch.ones(2, 2))
    dropped = settled([*whole, Region(None, ())], content)
    assert len(dropped) == 2
    alone = [Region(None, ("a",))]
    assert settled(alone, content) == tuple(alone)


def test_a_bool_mask_will_do(vgg):
    photo, night = picture("chelsea"), picture("night")
    third = left_third()
    common = {
        "vgg": vgg,
        "content_layers": ["relu1_1"],
        "style_layers": LAYERS[:1],
    }
    floats = Objective(photo, photo, masks=[(third, night)], **common)
    bools = Objective(photo, photo, masks=[(third > 0, night)], **common)
    assert torch.equal(bools(photo).style, floats(photo).style)


def test_a_mask_of_the_style_has_the_styles_size(vgg):
    photo, night = picture("chelsea"), picture("night", 64, 60)
    with pytest.raises(ImageError, match=r"\(70, 85\) and the style picture"):
        Objective(photo, [(night, 1, ramp())], vgg=vgg)
    nothing = torch.zeros(64, 62, dtype=torch.float64)
    nothing[:, 60:] = 1  # which the third block has no room for
    with pytest.raises(ValueError, match="nothing is left at relu3_1"):
        Objective(
            photo,
            [(picture("night", 64, 62), 1, nothing)],
            vgg=vgg,
            content_layers=["relu1_1"],
            style_layers=LAYERS,
        )


def test_the_plain_loss_is_still_the_plain_class(vgg):
    """One region without a mask costs nothing more than before."""
    photo, night = picture("chelsea"), picture("night")
    objective = Objective(
        photo,
        night,
        vgg=vgg,
        content_layers=["relu1_1"],
        style_layers=LAYERS,
    )
    names = [type(each).__name__ for each in objective.layer_losses]
    assert names == ["ContentLoss", "StyleLoss", "StyleLoss", "StyleLoss"]
    F, P = (vgg(x, LAYERS)["relu3_1"] for x in (photo, night))
    right = 4 * style_layer_loss(F, gram_matrix(P))
    came = objective(photo).style_layers["relu3_1"]
    torch.testing.assert_close(came, right)
