"""What was chosen on the page is one picture, whichever way it is told."""

import ast
import shlex

import pytest
import torch

from styletut.cli.main import main
from styletut.images import load_image, sample, save_image
from styletut.studio.choices import SIZES, STROKES, Choices
from styletut.studio.painting import Painting
from styletut.transfer import stylize
from styletut.vgg import VGG19

QUICK = {"size": 48}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(sample("rocket", 80), tmp_path / "mine.png")
    save_image(sample("meadow", 70), tmp_path / "night.png")
    (tmp_path / "night.png").rename(tmp_path / "ink")  # without an ending
    save_image(sample("meadow", 70), tmp_path / "night.png")
    mask = torch.zeros(1, 3, *sample("rocket", 80).shape[2:])
    mask[..., :40] = 1
    save_image(mask, tmp_path / "region.png")
    return tmp_path


KINDS = {
    "plain": {"photo": "chelsea", "style": "glass"},
    "files": {"photo": "mine.png", "style": "./night.png"},
    "a name that a sample has": {"photo": "chelsea", "style": "./ink"},
    "mixed": {
        "photo": "chelsea",
        "style": "glass",
        "second": "ink",
        "share": 0.3,
    },
    "all settings": {
        "photo": "mine.png",
        "style": "glass",
        "strength": 1.4,
        "stroke": "broad",
        "own_colors": True,
    },
    "region": {
        "photo": "mine.png",
        "style": "glass",
        "region": "region.png",
    },
    "two regions": {
        "photo": "mine.png",
        "style": "glass",
        "second": "night.png",
        "region": "region.png",
    },
}


def painted(choices):
    """The picture that the page paints."""
    job = Painting(choices, VGG19())
    for _ in job.views():
        pass
    return job.painted()


@pytest.fixture(params=KINDS)
def choices(request):
    given = KINDS[request.param]
    return Choices(**given, **QUICK)


def test_command_and_code_paint_the_picture_of_the_page(choices, few):
    page = painted(choices).image
    names = {}
    exec(choices.code(), names)
    assert torch.equal(names["result"].image, page)
    (saved,) = (
        node.args[0].value
        for node in ast.walk(ast.parse(choices.code()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "save"
    )
    assert saved == choices.file_name()
    words = shlex.split(choices.command())[1:]
    extra = ["--precision", "float32", "-o", "out.png"]
    assert main([*words, *extra]) == 0
    save_image(page, "page.png")
    assert torch.equal(load_image("page.png"), load_image("out.png"))


def test_no_folder_of_the_visitor_is_told(tmp_path):
    private = tmp_path / "private" / "uploaded.png"
    private.parent.mkdir()
    choices = Choices(str(private), str(private), region=str(private))
    for told in (choices.command(), choices.code(), choices.in_words()):
        assert "uploaded.png" in told
        assert "private" not in told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stroke": "huge"}, "there are fine, normal, broad"),
        ({"share": 1.5}, "from 0, the first alone, to 1"),
        ({"size": 5000}, "up to 1024"),
        ({"size": 0}, "at least 1"),
    ],
)
def test_impossible_choices_are_refused_in_words(wrong, said):
    with pytest.raises(ValueError, match=said):
        Choices("chelsea", "glass", **wrong)


def test_a_strength_that_there_is_not_is_refused_by_the_run():
    choices = Choices("chelsea", "camera", strength=5, size=48)
    with pytest.raises(ValueError, match="the strength is 5"):
        painted(choices)


def test_settings_left_alone_are_not_told():
    command = Choices("chelsea", "glass").command()
    assert command == f"styletut chelsea glass --size {SIZES['medium']}"


def test_strokes_are_sizes_of_the_style_picture():
    for stroke, scale in STROKES.items():
        options = Choices("chelsea", "glass", stroke=stroke).options()
        size = options.get("style_size", SIZES["medium"])
        assert size == round(scale * SIZES["medium"])


def test_an_unpainted_region_stays_the_photo(few):
    save_image(sample("chelsea", 96), "mine.png")
    mask = torch.zeros(1, 3, 64, 96)
    mask[..., 48:] = 1
    save_image(mask, "region.png")
    choices = Choices("mine.png", "glass", region="region.png", size=96)
    change = (painted(choices).image - load_image("mine.png")).abs().mean(1)
    outside, inside = change[..., :32].mean(), change[..., 64:].mean()
    assert 3 * outside < inside
    assert outside < 0.08


def test_stylize_takes_what_the_page_hands_to_a_run(few):
    run = Choices("chelsea", "glass", size=48).run()
    result = stylize(run.pop("content"), run.pop("style"), **run)
    assert max(result.image.shape) == 48
