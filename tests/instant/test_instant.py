"""Instant styles as they are used: from Python and from the command line."""

import subprocess
import sys

import pytest
import torch
from PIL import Image

from styletut.cli.main import main
from styletut.images import load_image, sample, save_image
from styletut.images.samples import SAMPLES
from styletut.instant import (
    NetworkError,
    instant,
    instant_network,
    steady_network,
    weights,
)
from styletut.instant.network import PHOTO, StyleNetwork
from styletut.instant.styles import shares_of
from styletut.instant.weights import decoded, store
from styletut.transfer import stylize

STYLES = [name for name, each in SAMPLES.items() if each.kind == "style"]


@pytest.mark.parametrize("load", [instant_network, steady_network])
def test_the_networks_know_every_sample_style(load):
    network = load()
    assert network.names == (PHOTO, *STYLES)
    assert not any(p.requires_grad for p in network.parameters())


def test_both_together_are_small():
    shipped = (weights.INSTANT, weights.STEADY)
    assert sum(each.path.stat().st_size for each in shipped) < 2e6


@pytest.mark.parametrize("name", ["INSTANT", "STEADY"])
def test_its_card_tells_what_it_is_made_of(name):
    card = weights.card(getattr(weights, name))
    for word in ("photos", "licenses", "minutes", "content", "style"):
        assert card[word], word


def test_a_stored_network_is_the_network_in_float16(tmp_path):
    torch.manual_seed(1)
    network = StyleNetwork(["a", "b"])
    path = tmp_path / "file.safetensors"
    store(network, {"minutes": "1"}, path)
    again = decoded(path.read_bytes())
    assert again.names == network.names
    for one, two in zip(
        network.state_dict().values(),
        again.state_dict().values(),
        strict=True,
    ):
        assert one.dtype == two.dtype
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-6)


def test_no_picture_waits_for_the_compiler_of_torch():
    # Its import takes seconds and makes a folder beside temporary files.
    code = (
        "import sys\n"
        "from styletut.instant import instant\n"
        "from styletut.transfer import stylize\n"
        "instant('coffee', 'night', size=64)\n"
        "stylize('coffee', 'night', size=64, evaluations=1)\n"
        "print({'sympy', 'torch._dynamo', 'torch._inductor'} & "
        "set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
@pytest.mark.parametrize("name", ["INSTANT", "STEADY"])
def test_a_file_that_is_not_the_network_is_refused(
    tmp_path, monkeypatch, damage, name, capsys
):
    path = tmp_path / "file.safetensors"
    shipped = getattr(weights, name)
    data = shipped.path.read_bytes()
    if damage != "gone":
        path.write_bytes(data[:-1] if damage == "cut" else data[:-1] + b"x")
    monkeypatch.setattr(weights, name, shipped._replace(path=path))
    load = {"INSTANT": instant_network, "STEADY": steady_network}[name]
    with pytest.raises(NetworkError, match="Install the package again"):
        load()
    words = ["coffee", "night", "--instant", "-o", str(tmp_path / "out/")]
    film = ["--frames"] if name == "STEADY" else []
    (tmp_path / "out").mkdir()
    assert main([*words, *film]) == 1
    assert "Install the package again" in capsys.readouterr().err


def test_strength_0_is_the_photo_and_1_is_not():
    photo = sample("coffee", 64)
    kept, whole = (instant(photo, "night", strength=s) for s in (0, 1))
    assert float((kept - photo).abs().mean()) < 0.02
    assert float((whole - photo).abs().mean()) > 0.1


def test_between_the_photo_and_a_style_more_strength_is_more_change():
    photo = sample("coffee", 96)
    changes = [
        float((instant(photo, "wave", strength=s) - photo).abs().mean())
        for s in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert changes == sorted(changes)


def test_weights_are_relative_and_a_mixture_is_in_between():
    # (11.8)
    network = instant_network()
    shares = shares_of(network, [("night", 1), ("wave", 3)], 0.8)
    found = dict(zip(network.names, shares.tolist(), strict=True))
    assert found["night"] == pytest.approx(0.2)
    assert found["wave"] == pytest.approx(0.6)
    assert found[PHOTO] == pytest.approx(0.2)


@pytest.mark.parametrize("source", ["coffee", "file", "array", "size"])
def test_photos_come_from_anywhere(source, tmp_path):
    photo = sample("coffee", 64)
    if source == "file":
        save_image(photo, tmp_path / "photo.png")
        given = tmp_path / "photo.png"
    elif source == "array":
        given = photo[0].permute(1, 2, 0).numpy()
    else:
        given = "coffee"
    out = instant(given, "glass", size=64 if source != "file" else None)
    assert max(out.shape[2:]) == 64
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize(
    ("style", "settings", "message"),
    [
        ("starry", {}, "no instant style 'starry'; there are glass"),
        (PHOTO, {}, "no instant style 'photo'"),
        ("glass", {"strength": 1.5}, "strength is 1.5; .* leave out"),
        ("glass", {"strength": float("nan")}, "strength is nan"),
        ([("glass", -1), ("ink", 2)], {}, "weight of glass is -1"),
        ([("glass", 0)], {}, "not all 0"),
        ([], {}, "no style"),
    ],
)
def test_what_cannot_be_is_refused(style, settings, message):
    with pytest.raises(ValueError, match=message):
        instant("coffee", style, size=32, **settings)


def test_the_command_paints_and_tells_how(tmp_path, capsys):
    out = tmp_path / "cup.png"
    words = ["coffee", "night", "--instant", "--size", "64"]
    assert main([*words, "-o", str(out)]) == 0
    expected = instant("coffee", "night", size=64)
    torch.testing.assert_close(
        load_image(out), expected, atol=0.5 / 255 + 1e-6, rtol=0
    )
    with Image.open(out) as picture:
        text = picture.text
    assert text["command"] == "styletut coffee night --instant --size 64"
    assert text["style"] == "night"
    assert "64 x 43 pixels in" in capsys.readouterr().err


def test_the_command_takes_folders_mixtures_and_cut_outs(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    cut_out = Image.new("RGBA", (40, 30), (200, 30, 30, 255))
    cut_out.putpixel((0, 0), (0, 0, 0, 0))
    cut_out.save(folder / "a.png")
    Image.new("RGB", (30, 20), (20, 90, 30)).save(folder / "b.jpg")
    out = tmp_path / "painted"
    words = [str(folder), "ink", "wave", "--mix", "1,2", "--instant"]
    assert main([*words, "-o", f"{out}/"]) == 0
    made = sorted(out.iterdir())
    assert len(made) == 2
    with Image.open(made[0]) as picture:
        assert picture.mode == "RGBA"
        assert picture.size == (40, 30)
        assert picture.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--evaluations", "9"], "has no --evaluations; leave it out"),
        (["--style-size", "64", "--beta", "2"], "no --style-size, --beta"),
        (["--strength", "1.2"], "strength is 1.2"),
    ],
)
def test_what_is_the_optimizers_is_said(words, message, tmp_path, capsys):
    out = tmp_path / "out.png"
    command = ["coffee", "night", "--instant", *words, "-o", str(out)]
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_scales_are_the_optimizers(tmp_path, capsys):
    words = ["coffee", "night", "wave", "--mix", "fine,coarse", "--instant"]
    assert main([*words, "-o", str(tmp_path / "out.png")]) == 2
    assert "weights are numbers" in capsys.readouterr().err


# As a start of the optimizer


def test_a_run_goes_on_from_an_instant_picture():
    begun = instant("coffee", "night", size=64)
    run = stylize(
        "coffee", "night", size=64, evaluations=1, start="instant", alpha=0.1
    )
    by_picture = stylize(
        "coffee", "night", size=64, evaluations=1, start=begun, alpha=0.1
    )
    assert torch.equal(run.image, by_picture.image)
    more = stylize(
        "coffee", "night", size=64, evaluations=8, start="instant", alpha=0.1
    )
    last, first = (float(each.history[-1].terms.total) for each in (more, run))
    assert last < first


@pytest.mark.parametrize(
    ("style", "settings", "message"),
    [
        (torch.rand(1, 3, 32, 32), {}, "by their names"),
        ([("glass", "fine"), ("ink", "coarse")], {}, "by their names"),
        ("glass", {"color": "match"}, "no masks, and no other colors"),
        (
            "glass",
            {"masks": [(torch.eye(43, 64), "ink")]},
            "no masks, and no other colors",
        ),
    ],
)
def test_what_the_network_does_not_know_is_no_start(style, settings, message):
    with pytest.raises(ValueError, match=message):
        stylize("coffee", style, size=64, start="instant", **settings)
