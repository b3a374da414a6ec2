"""Control: whose colors, which region, how strong, what is transparent."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from styletut.color import (
    color_moments,
    light_moments,
    luminance,
    match_color,
    match_luminance,
    match_moments,
)
from styletut.images import (
    ImageError,
    load_image,
    resize,
    resize_mask,
    sample,
    save_image,
    to_pil,
)
from styletut.memory.fitting import Layout
from styletut.objective import Objective
from styletut.objective.balance import STEEPNESS, alpha_at
from styletut.objective.guides import Painting, Region
from styletut.transfer import minimize, plan, stylize, stylize_steps
from styletut.transfer.coarse_to_fine import prepare
from styletut.transfer.pictures import COLORS, color_matched
from styletut.vgg import VGG19

SIZE = 48


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


@pytest.fixture(scope="module")
def photo():
    return sample("chelsea", SIZE)


@pytest.fixture(scope="module")
def painting():
    return sample("night", SIZE)


def left_half(picture):
    mask = torch.zeros(picture.shape[2:])
    mask[:, : mask.shape[1] // 2] = 1
    return mask


def colors(x):
    """I and Q of each pixel."""
    matrix = x.new_tensor(
        [[0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
    )
    return torch.einsum("ij,bjhw->bihw", matrix, x)


def quick(photo, style, vgg, **settings):
    settings = {"size": SIZE, "evaluations": 4, **settings}
    return stylize(photo, style, vgg=vgg, precision="float32", **settings)


# Colors


def test_style_is_what_there_was(vgg, photo, painting):
    plain = quick(photo, painting, vgg)
    named = quick(photo, painting, vgg, color="style")
    assert torch.equal(plain.image, named.image)
    assert plain.settings["color"] == "style"


def test_match_gives_paintings_the_photos_colors_before_the_run(
    vgg, photo, painting
):
    run = prepare(photo, painting, vgg=vgg, size=SIZE, color="match")
    (region,) = run.pictures.regions
    right = match_color(painting, photo)
    assert torch.equal(region.paintings[0].picture, right)
    matched = quick(photo, painting, vgg, color="match")
    by_hand = quick(photo, right, vgg)
    assert torch.equal(matched.image, by_hand.image)
    assert matched.settings["color"] == "match"


def test_light_alone_keeps_the_photos_colors(vgg, photo, painting):
    result = quick(photo, painting, vgg, color="luminance")
    # of the photo's hue, and no more of it than the photo has
    own, came = colors(photo), colors(result.image)
    share = (own * came).sum(1) / own.square().sum(1).clamp(min=1e-6)
    assert float(share.min()) > -0.02
    assert float(share.max()) < 1.02
    strong = own.square().sum(1) > 0.01**2
    torch.testing.assert_close(
        (share[:, None] * own)[:, 0][strong], came[:, 0][strong],
        atol=2e-3, rtol=0,
    )  # fmt: skip
    assert (
        float((luminance(result.image) - luminance(photo)).abs().max()) > 0.1
    )


def test_light_alone_is_run_on_grey_pictures_of_one_light(vgg, photo):
    styles = [(sample("night", 40), 1.0), (sample("wave", 64), 2.0)]
    run = prepare(photo, styles, vgg=vgg, size=SIZE, color="luminance")
    assert torch.equal(run.pictures.photo, luminance(photo))
    assert torch.equal(run.pictures.colored, photo)
    light = light_moments([(photo, 1.0)])
    for (picture, _), each in zip(
        styles, run.pictures.regions[0].paintings, strict=True
    ):
        assert torch.equal(each.picture, match_luminance(picture, *light))


@pytest.mark.parametrize("start", ["noise", "content", "color", "style"])
def test_light_alone_starts_from_anything(vgg, photo, painting, start):
    result = quick(
        photo,
        painting,
        vgg,
        color="luminance",
        start=start,
        evaluations=2,
        range_rule="none",
        optimizer="adam",
    )
    assert torch.isfinite(result.image).all()


def test_a_picture_to_go_on_from_gives_its_light(vgg, photo, painting):
    settings = {"color": "luminance", "start": painting.mean() + 0 * photo}
    first = next(
        stylize_steps(photo, painting, vgg=vgg, size=SIZE, **settings)
    )
    light = luminance(settings["start"])
    torch.testing.assert_close(luminance(first.image), light)


def test_a_grey_variable_has_one_channel_and_the_sum_of_gradients(vgg):
    grey = luminance(sample("chelsea", 32)).double()
    objective = Objective(
        grey,
        luminance(sample("night", 32)).double(),
        vgg=vgg,
        content_layers=["relu2_1"],
        style_layers=["relu1_1", "relu2_1"],
    )
    start = 0.5 * grey[:, :1] + 0.2
    steps = list(minimize(objective, start, evaluations=6))
    for step in steps:
        assert step.image.shape == grey.shape
        assert torch.equal(step.image[:, 0], step.image[:, 2])
    totals = [float(step.terms.total) for step in steps]
    assert totals[-1] < 0.7 * totals[0]
    # down the light's own gradient, which finite differences confirm
    _, gradient = objective.gradient(start.repeat(1, 3, 1, 1))
    v = torch.ones_like(start)
    h = 1e-6
    up, down = (
        objective((start + sign * h * v).repeat(1, 3, 1, 1)).total
        for sign in (1, -1)
    )
    slope = float(up - down) / (2 * h)
    assert float(gradient.sum()) == pytest.approx(slope, rel=1e-4)


def test_an_unknown_color_is_refused(photo, painting):
    with pytest.raises(ValueError, match=r"no color 'keep'.*match, luminance"):
        stylize(photo, painting, color="keep")
    assert COLORS == ("style", "match", "luminance")


# Regions


def test_each_region_gets_its_own_style(vgg, photo, painting):
    """In the left half the loss is the one painting's, in the right the
    other's."""
    left, glass = left_half(photo), sample("glass", SIZE)
    result = quick(photo, glass, vgg, masks=[(left, painting)], evaluations=20)
    swapped = quick(
        photo, painting, vgg, masks=[(left, glass)], evaluations=20
    )
    assert result.settings["regions"] == "0.500 0.500"
    middle = SIZE // 2
    for image, first, second in (
        (result.image, painting, glass),
        (swapped.image, glass, painting),
    ):
        parts = image[..., :middle], image[..., middle:]
        for part, own, other in (
            (parts[0], first, second),
            (parts[1], second, first),
        ):
            mean, own, other = (
                color_moments([(x, 1.0)])[0] for x in (part, own, other)
            )
            assert (mean - own).norm() < (mean - other).norm()


def test_masks_come_as_pictures_of_any_size(vgg, photo, painting, tmp_path):
    large = sample("chelsea", 300)
    mask = left_half(large)
    path = tmp_path / "mask.png"
    Image.fromarray((255 * mask.byte()).numpy()).save(path)
    forms = [path, str(path), mask, mask > 0, mask.numpy(), mask[None, None]]
    forms[-1] = mask.expand(1, 3, *mask.shape)
    for form in forms:
        run = prepare(photo, painting, masks=[(form, "wave")], vgg=vgg)
        came = run.pictures.regions[0].mask
        torch.testing.assert_close(
            came, resize_mask(mask, *photo.shape[2:]), atol=1e-6, rtol=0
        )
    run = prepare(photo.double(), painting, masks=[(mask, "wave")], vgg=vgg)
    assert run.pictures.regions[0].mask.dtype == torch.float64


def test_a_mask_drawn_on_an_empty_layer_is_its_opaque_part(
    vgg, photo, painting
):
    mask = left_half(photo)
    strokes = np.zeros((*mask.shape, 4), np.uint8)  # black, and transparent
    strokes[mask.numpy() > 0, 3] = 255
    run = prepare(
        photo,
        painting,
        masks=[(Image.fromarray(strokes), "wave")],
        vgg=vgg,
    )
    assert torch.equal(run.pictures.regions[0].mask, mask)


def test_soft_masks_share_a_pixel_at_every_size(vgg, photo, painting):
    ramp = torch.linspace(0, 1, SIZE).expand(photo.shape[2:])
    run = prepare(photo, painting, masks=[(ramp, "wave")], vgg=vgg)
    for stage in run.plan.stages:
        at = run.pictures.resized(stage.shape, stage.style_shapes)
        whole = sum(region.mask for region in at.regions)
        torch.testing.assert_close(whole, torch.ones_like(whole))


def test_regions_keep_their_colors_each_for_itself(vgg, photo, painting):
    left = left_half(photo)
    run = prepare(
        photo, painting, masks=[(left, "wave")], vgg=vgg, color="match"
    )
    first, rest = run.pictures.regions
    for region, source, mask in (
        (first, sample("wave"), left),
        (rest, painting, 1 - left),
    ):
        wanted = color_moments([(photo, 1.0, mask)])
        right = match_moments(source, *wanted)
        assert torch.equal(region.paintings[0].picture, right)


def test_the_start_has_each_regions_colors(photo, painting):
    left, wave = left_half(photo), sample("wave", SIZE)
    regions = [
        Region(left, (Painting(wave),)),
        Region(1 - left, (Painting(painting),)),
    ]
    came = color_matched(photo, regions, ["relu1_1"])
    middle = SIZE // 2
    for part, whole, style in (
        (came[..., :middle], photo[..., :middle], wave),
        (came[..., middle:], photo[..., middle:], painting),
    ):
        torch.testing.assert_close(part, match_color(whole, style))


def test_the_start_has_weights_of_layers_on_average(photo, painting):
    wave = sample("wave", SIZE)
    by_layer = [
        Painting(wave, {"relu1_1": 1.0}),
        Painting(painting, {"relu2_1": 1.0, "relu3_1": 2.0}),
    ]
    plain = [Painting(wave, 1.0), Painting(painting, 3.0)]
    layers = ["relu1_1", "relu2_1", "relu3_1"]
    came, right = (
        color_matched(photo, [Region(None, tuple(several))], layers)
        for several in (by_layer, plain)
    )
    torch.testing.assert_close(came, right)


def test_regions_are_painted_in_tiles_as_in_one(vgg, monkeypatch):
    photo, painting = sample("chelsea", 96), sample("night", 96)
    masks = [(left_half(photo), "wave")]
    common = {"vgg": vgg, "schedule": [(96, 3)], "precision": "float32"}
    whole = stylize(photo, painting, masks=masks, **common)
    run = prepare(photo, painting, masks=masks, **common)
    layout = run.plan.stages[0].layout
    assert layout.tiles is None
    monkeypatch.setattr(
        plan, "fitting_layout", lambda *args, **more: Layout(tiles=48)
    )
    tiled = stylize(photo, painting, masks=masks, **common)
    torch.testing.assert_close(tiled.image, whole.image, atol=5e-3, rtol=0)


@pytest.mark.parametrize(
    ("masks", "style", "message"),
    [
        ([(torch.ones(20, 20), "wave")], "night", "20 x 20 pixels and the ph"),
        ([(torch.zeros(32, 48), "wave")], "night", "empty: it is black"),
        (
            2 * [(torch.ones(32, 48), "wave")],
            "night",
            "add up to 2.00 on 100 %",
        ),
        ([(torch.eye(32, 48), "wave")], None, "98 % of the photo without"),
        ([("nowhere.png", "wave")], "night", "a mask of the photo: 'nowhere"),
        (
            [(torch.eye(32, 48), "wave"), ("nowhere.png", "wave")],
            "night",
            "mask 2 of the photo: 'nowhere",
        ),
        (
            [(torch.eye(32, 48), "wave"), (torch.zeros(32, 48), "wave")],
            "night",
            "mask 2 of the photo is empty",
        ),
        (
            [(torch.ones(32, 48), "wave", torch.ones(9, 9))],
            "night",
            "a mask of the style picture is 9 x 9",
        ),
        (["sky.png"], "night", r"sequence of \(mask, style\)"),
        ([], None, "there is no style"),
    ],
)
def test_bad_masks_are_refused_before_anything_is_painted(
    photo, masks, style, message
):
    assert tuple(photo.shape[2:]) == (32, 48)
    with pytest.raises(ValueError, match=message):
        stylize(photo, style, masks=masks)


# Strength


def test_strength_0_is_the_photo_without_a_run(vgg, photo, painting):
    result = stylize(
        photo, painting, vgg=vgg, size=40, strength=0, color="luminance"
    )
    torch.testing.assert_close(
        result.image, resize(photo, 40), atol=1e-6, rtol=0
    )
    assert len(result.history) == 1
    assert result.history[0].index == result.history[0].evaluations == 0
    assert result.stopped == "done"
    assert result.settings["strength"] == "0"
    assert "0 evaluations" in result.alt


def test_strength_1_is_the_default(vgg, photo, painting):
    plain, one = (
        quick(photo, painting, vgg, **how) for how in ({}, {"strength": 1})
    )
    assert torch.equal(plain.image, one.image)


@pytest.mark.parametrize("strength", [0.5, 1.3, 2])
def test_strength_multiplies_the_pairs_own_balance(
    vgg, photo, painting, strength
):
    """(10.8)."""
    run = {"vgg": vgg, "size": SIZE}
    own = prepare(photo, painting, **run).plan.chosen["alpha"]
    came = prepare(photo, painting, strength=strength, **run).plan
    assert came.chosen["alpha"] == pytest.approx(
        own / strength**STEEPNESS, rel=5e-3
    )
    given = prepare(photo, painting, alpha=0.2, strength=strength, **run).plan
    assert given.chosen["alpha"] == alpha_at(strength, 0.2)
    other = prepare(
        photo, painting, convention="d2l", strength=strength, **run
    ).plan
    assert other.chosen["alpha"] == alpha_at(strength, other.convention.alpha)


@pytest.mark.parametrize("strength", [-0.1, 2.01, float("nan"), float("inf")])
def test_another_strength_is_refused(photo, painting, strength):
    with pytest.raises(ValueError, match="from 0, the photo as it is, over 1"):
        stylize(photo, painting, strength=strength)


# Transparency


def cut_out(photo):
    """A photo whose left half is transparent, as a Pillow picture."""
    return to_pil(photo, 1 - left_half(photo)[None, None])


def test_a_cut_out_stays_one(vgg, photo, painting, tmp_path):
    result = stylize(cut_out(photo), painting, vgg=vgg, size=40, evaluations=2)
    assert tuple(result.alpha.shape) == (1, 1, *result.image.shape[2:])
    right = resize_mask(1 - left_half(photo), *result.image.shape[2:])
    torch.testing.assert_close(result.alpha[0, 0], right, atol=4e-3, rtol=0)
    path = tmp_path / "out.png"
    result.save(path)
    with Image.open(path) as saved:
        assert saved.mode == "RGBA"
        levels = torch.tensor(np.array(saved.getchannel("A")))
    torch.testing.assert_close(levels / 255, right, atol=4e-3, rtol=0)
    data, _ = result._repr_mimebundle_()
    assert data["image/png"]


def test_a_jpeg_of_it_goes_over_white_with_a_word(
    vgg, photo, painting, tmp_path
):
    result = stylize(cut_out(photo), painting, vgg=vgg, size=40, evaluations=1)
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        result.save(tmp_path / "out.jpg")
    saved = load_image(tmp_path / "out.jpg")
    assert float(saved[..., :16].min()) > 0.97


def test_an_opaque_photo_has_no_alpha(vgg, photo, painting, tmp_path):
    opaque = to_pil(photo, torch.ones(1, 1, *photo.shape[2:]))
    for source in (photo, opaque):
        result = stylize(source, painting, vgg=vgg, size=40, evaluations=1)
        assert result.alpha is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            save_image(result.image, tmp_path / "out.jpg", alpha=result.alpha)


def test_what_is_transparent_in_a_style_does_not_count(vgg, photo, painting):
    left = left_half(painting)
    pasted = to_pil(painting, left[None, None])
    transparent = quick(photo, pasted, vgg)
    spelled = quick(photo, [(load_image(pasted), 1, left)], vgg)
    assert torch.equal(transparent.image, spelled.image)
    plain = quick(photo, load_image(pasted), vgg)
    assert not torch.allclose(transparent.image, plain.image, atol=0.05)


def test_a_mask_of_a_transparent_style_counts_where_both_do(
    vgg, photo, painting
):
    left = left_half(painting)
    pasted = to_pil(painting, left[None, None])
    upper = torch.zeros_like(left)
    upper[: len(upper) // 2] = 1
    run = prepare(photo, [(pasted, 1, upper)], vgg=vgg)
    mask = run.pictures.regions[0].paintings[0].mask
    assert torch.equal(mask, left * upper)


def test_a_style_that_is_transparent_everywhere_is_refused(photo, painting):
    nothing = to_pil(painting, torch.zeros(1, 1, *painting.shape[2:]))
    with pytest.raises(ImageError, match="is transparent everywhere"):
        stylize(photo, nothing)
