"""Frames and films on the command line."""

import signal
from fractions import Fraction

import pytest
import torch

from styletut.cli import filming
from styletut.cli.main import main
from styletut.images import load_image, sample, save_image
from styletut.instant import instant
from styletut.video import scene
from styletut.video.files import open_film, read_frames, write_film

RATE = Fraction(12)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def shots():
    photo = sample("coffee", 84)
    return [f.picture for f in scene(photo, frames=3, margin=8, pan=(2, 1))]


@pytest.fixture
def folder(shots, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in (1, 2, 10):
        picture = shots[min(number - 1, 2)]
        save_image(picture, frames / f"frame{number}.png")
    return frames


@pytest.fixture
def film(shots, tmp_path):
    path = tmp_path / "clip.mp4"
    write_film(path, iter(shots), RATE)
    return path


def test_a_film_comes_out_as_a_film(film, capsys):
    assert main(["clip.mp4", "night", "--instant"]) == 0
    assert capsys.readouterr().out == "clip-night.mp4\n"
    painted = open_film("clip-night.mp4")
    given = open_film(film)
    assert painted[1:5] == given[1:5]
    for one, two in zip(read_frames(given), read_frames(painted), strict=True):
        assert float((one - two).abs().mean()) > 0.05


def test_frames_go_to_a_folder_in_their_order(folder, capsys):
    words = ["frames", "wave", "--frames", "--instant", "-o", "painted/"]
    assert main([*words, "--size", "64"]) == 0
    assert capsys.readouterr().out == "painted\n"
    names = [f"frame{n}-wave.png" for n in (1, 2, 10)]
    for name in names:
        assert max(load_image(f"painted/{name}").shape[2:]) == 64


def test_frames_go_to_a_film(folder):
    words = ["frames", "ink", "--frames", "-o", "ink.mkv"]
    assert main([*words, "--evaluations", "4", "--size", "48"]) == 0
    assert len(list(read_frames(open_film("ink.mkv")))) == 3


def test_a_film_goes_to_a_folder(film):
    assert main(["clip.mp4", "glass", "--instant", "-o", "out/"]) == 0
    names = [f"out/clip-glass-{n:05}.png" for n in (1, 2, 3)]
    assert all(load_image(name).shape[3] == 76 for name in names)


def test_the_steady_network_paints_frames(folder):
    words = ["frames", "night", "--frames", "--instant", "-o", "painted/"]
    main([*words, "--strength", "0.8"])
    painted = load_image("painted/frame1-night.png")
    photo = load_image(folder / "frame1.png")
    usual = instant(photo, "night", strength=0.8)
    assert not torch.allclose(painted, usual, atol=0.02)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.mp4", "b.mp4", "night"], "'a.mp4' is a film; give it alone"),
        (["none.mp4", "night"], "there is no film 'none.mp4'"),
        (
            ["clip.mp4", "night", "--seed", "3"],
            "frames of a moving picture have no --seed",
        ),
        (
            ["clip.mp4", "night", "--instant", "--evaluations", "3"],
            "have no --evaluations; they take --strength",
        ),
        (["clip.mp4", "night", "-o", "out.webm"], "end in one of .mkv"),
        (["clip.mp4", "dawn.png", "--instant"], "no instant style"),
        (["frames", "night", "--frames"], "give one, with a slash"),
        (["clip.mp4", "night", "-o", "out.png"], "frames go to a film"),
    ],
)
def test_what_cannot_be_is_said(film, folder, capsys, words, said):
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("way", ["clip.mp4", "frames"])
def test_an_interrupt_keeps_what_is_painted(
    film, folder, capsys, monkeypatch, way
):
    usual = filming.instant_frames

    def interrupted(*given, **settings):
        for number, painting in enumerate(usual(*given, **settings), 1):
            yield painting
            if number == 2:
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(filming, "instant_frames", interrupted)
    output = "out.mp4" if way == "clip.mp4" else "painted/"
    words = [way, "night", "--frames", "--instant", "-o", output]
    try:
        assert main(words) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted; 2 frames are painted" in capsys.readouterr().err
    if way == "clip.mp4":
        assert len(list(read_frames(open_film("out.mp4")))) == 2
    else:
        assert load_image("painted/frame2-night.png").shape[3] == 76


def test_a_broken_frame_ends_the_film_and_keeps_it(folder, capsys):
    (folder / "frame3.png").write_bytes(b"no picture")
    words = ["frames", "night", "--frames", "--instant", "-o", "out.mp4"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "broken off; 2 frames are painted" in said and "frame3" in said
    assert len(list(read_frames(open_film("out.mp4")))) == 2


def test_it_is_told_how_far_it_is(film, capsys, monkeypatch):
    monkeypatch.setattr(filming, "PERIOD", 0.0)
    main(["clip.mp4", "night", "--instant"])
    said = capsys.readouterr().err
    assert "1 of 3 frames, 0:0" in said and "3 frames in 0:0" in said


def test_an_interrupt_of_the_first_painting_ends_the_film(
    film, capsys, monkeypatch
):
    from styletut.transfer import minimization

    usual = minimization._run

    def interrupted(*given):
        for number, step in enumerate(usual(*given)):
            yield step
            if number == 2:
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(minimization, "_run", interrupted)
    words = ["clip.mp4", "night", "--size", "48", "-o", "out.mp4"]
    try:
        assert main(words) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "1 frame is painted, in 'out.mp4'" in capsys.readouterr().err
    assert len(list(read_frames(open_film("out.mp4")))) == 1


def test_a_folder_may_have_a_dot_in_its_name(folder):
    words = ["frames", "wave", "--frames", "--instant", "-o", "night.v2/"]
    assert main(words) == 0
    assert load_image("night.v2/frame10-wave.png").shape[3] == 76


def test_frames_keep_their_transparency(folder):
    from styletut.images import load_alpha

    alpha = torch.zeros(1, 1, *load_image(folder / "frame2.png").shape[2:])
    alpha[..., 20:40] = 1
    shot = load_image(folder / "frame2.png")
    save_image(shot, folder / "frame2.png", alpha=alpha)
    words = ["frames", "wave", "--frames", "--instant", "-o", "painted/"]
    assert main([*words, "--size", "64"]) == 0
    kept = load_alpha("painted/frame2-wave.png")
    assert kept.shape[3] == 64
    assert 0.2 < float(kept.mean()) < 0.35


def test_a_film_without_frames_is_said(film, capsys, monkeypatch):
    monkeypatch.setattr(filming, "read_frames", lambda film: iter(()))
    assert main(["clip.mp4", "night", "--instant", "-o", "out/"]) == 1
    assert "there was no frame in it" in capsys.readouterr().err
