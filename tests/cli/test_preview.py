"""The picture in a file, as it grows."""

from dataclasses import replace

import pytest

from styletut.cli import preview as previews
from styletut.cli.main import main
from styletut.cli.preview import EVERY, preview
from styletut.images import ImageError, load_image, sample, save_image
from styletut.transfer import stylize_steps


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Let each test write into a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def step():
    return next(stylize_steps("chelsea", "night", schedule=[(32, 1)]))


@pytest.fixture
def written(monkeypatch):
    """The evaluations of the steps that are written."""
    found = []
    monkeypatch.setattr(
        previews, "save_image", lambda image, path: found.append(image)
    )
    return found


def test_it_is_written_at_once_at_each_size_and_every_few(step, written):
    show = preview("grown.png")
    run = [(32, n) for n in range(1, 13)] + [(64, n) for n in (13, 14, 18)]
    when = []
    for size, evaluations in run:
        before = len(written)
        show(replace(step, size=size, evaluations=evaluations))
        if len(written) > before:
            when.append((size, evaluations))
    assert when == [(32, 1), (32, 1 + EVERY), (32, 1 + 2 * EVERY)] + [
        (64, 13),
        (64, 18),
    ]


def test_the_command_line_writes_it(capsys):
    words = ["chelsea", "night", "--size", "48", "--evaluations", "3"]
    assert main([*words, "--preview", "grown.jpg", "-o", "out.png"]) == 0
    grown, out = load_image("grown.jpg"), load_image("out.png")
    assert grown.shape == out.shape
    assert "preview" not in str(capsys.readouterr().err)


def test_an_interrupt_leaves_both_pictures(monkeypatch):
    """The preview is whole whenever the run ends."""
    original = previews.save_image

    def interrupting(image, path):
        original(image, path)
        raise KeyboardInterrupt

    monkeypatch.setattr(previews, "save_image", interrupting)
    words = ["chelsea", "night", "--size", "48", "--evaluations", "9"]
    assert main([*words, "--preview", "grown.png", "-o", "out.png"]) == 130
    assert load_image("grown.png").shape == load_image("out.png").shape


@pytest.mark.parametrize("name", ["grown.gif", "missing/grown.png", "."])
def test_where_it_cannot_be_written_nothing_begins(name, capsys):
    with pytest.raises(ImageError):
        preview(name)
    assert main(["chelsea", "night", "--preview", name]) == 2
    assert capsys.readouterr().err.startswith("styletut: error: ")


def test_it_does_not_overwrite_what_is_painted(folder, capsys):
    save_image(sample("chelsea", 48), "photo.png")
    before = (folder / "photo.png").read_bytes()
    assert main(["photo.png", "night", "--preview", "photo.png"]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert (folder / "photo.png").read_bytes() == before


def test_a_disk_that_fills_up_ends_the_previews_and_not_the_run(
    step, monkeypatch, capsys
):
    def full(image, path):
        raise ImageError("the disk is full")

    show = preview("grown.png")
    monkeypatch.setattr(previews, "save_image", full)
    for evaluations in (1, 20, 40):
        show(replace(step, evaluations=evaluations))
    said = capsys.readouterr().err
    assert said == "styletut: no more previews: the disk is full\n"
