"""What is there stays: other photos, finished pictures, other runs' files."""

import os
import sys
from pathlib import Path

import pytest
import torch
from painted import TINY, names_in, text_of

from styletut.cli import painting
from styletut.cli.main import main
from styletut.images import load_image, sample, save_image
from styletut.video import files as films

POSIX = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder of its own, with three photos."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number, name in enumerate("abc"):
        save_image(sample("chelsea", 40 + number), Path("in", f"{name}.png"))
    return tmp_path


def stopped_at_once(monkeypatch):
    """Let a run be interrupted after its first step."""
    original = painting.run_to_end

    def run_to_end(steps, see, *before):
        def interrupted(step):
            see(step)
            raise KeyboardInterrupt

        return original(steps, interrupted, *before)

    monkeypatch.setattr(painting, "run_to_end", run_to_end)


# --- one file for two things -------------------------------------------------


def test_a_growing_picture_goes_over_no_photo_of_the_command(capsys):
    before = Path("in/c.png").read_bytes()
    words = ["in/a.png", "in/c.png", "night", "-o", "out/", *TINY]
    assert main([*words, "--preview", "in/c.png"]) == 2
    assert "'in/c.png', which would be overwritten" in capsys.readouterr().err
    assert Path("in/c.png").read_bytes() == before
    assert names_in("out") == []


@POSIX
@pytest.mark.parametrize(
    ("link", "to"),
    [("c.safetensors", "out.png"), ("out.png", "c.safetensors")],
)
def test_a_picture_is_not_its_own_checkpoint(capsys, link, to):
    Path(link).symlink_to(to)
    words = ["in/a.png", "night", *TINY, "-o", "out.png"]
    assert main([*words, "--checkpoint", "c.safetensors"]) == 2
    assert "'out.png' is also the checkpoint" in capsys.readouterr().err
    assert not Path(to).exists()


def test_no_growing_picture_of_what_comes_at_once(capsys):
    words = ["in/a.png", "night", "--instant", "--size", "32"]
    assert main([*words, "--preview", "grown.png"]) == 2
    assert "--instant" in (said := capsys.readouterr().err)
    assert "has no --preview" in said and not Path("grown.png").exists()


# --- two runs at once --------------------------------------------------------


@pytest.mark.parametrize("words", [TINY, ["--instant", "--size", "32"]])
def test_a_name_that_another_run_has_taken_is_left(words, monkeypatch):
    """Between the choice of a name and the saving there are minutes."""
    original, mine = painting._save, Path("a-night.png")

    def save(image, target, text, alpha):
        assert target.stat().st_size == 0, "the name is taken by now"
        return original(image, target, text, alpha)

    monkeypatch.setattr(painting, "_save", save)
    text = painting._Painting.text

    def slow(self, photo):
        mine.write_bytes(b"another run's")
        return text(self, photo)

    monkeypatch.setattr(painting._Painting, "text", slow)
    assert main(["in/a.png", "night", *words]) == 0
    assert mine.read_bytes() == b"another run's"
    assert max(load_image("a-night-2.png").shape) == 32


def test_a_name_without_a_picture_is_given_back(monkeypatch, capsys):
    def fails(*args):
        raise painting.ImageError("no space left.")

    monkeypatch.setattr(painting, "save_image", fails)
    assert main(["in/a.png", "night", "-o", "out/", *TINY]) == 1
    assert "no space left" in capsys.readouterr().err
    assert names_in("out") == []


# --- a run that was stopped --------------------------------------------------


def test_a_stopped_run_leaves_a_finished_picture_there(monkeypatch, capsys):
    words = ["in/a.png", "night", *TINY, "-o", "out.png"]
    assert main(words) == 0
    finished = Path("out.png").read_bytes()
    stopped_at_once(monkeypatch)
    for _ in range(2):  # what the first has left, the second replaces
        assert main(words) == 130
        said = capsys.readouterr()
        assert "'out.png' has a finished picture, which stays" in said.err
        assert said.out.endswith("out-2.png\n")
    assert Path("out.png").read_bytes() == finished
    assert names_in(".") == ["in", "out-2.png", "out.png"]
    assert text_of("out-2.png")["stopped"] == "interrupted"


def test_a_finished_picture_at_home_stays(monkeypatch, tmp_path):
    """Also where no shell has put the folder in for the ~."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    words = ["in/a.png", "night", *TINY, "-o", "~/out.png"]
    assert main(words) == 0
    finished = Path("out.png").read_bytes()
    stopped_at_once(monkeypatch)
    assert main(words) == 130
    assert Path("out.png").read_bytes() == finished
    assert names_in(".") == ["in", "out-2.png", "out.png"]


def test_what_a_stopped_run_has_left_is_finished_in_its_place(monkeypatch):
    words = ["in/a.png", "night", *TINY, "-o", "out.png"]
    with monkeypatch.context() as patch:
        stopped_at_once(patch)
        assert main(words) == 130
    assert text_of("out.png")["stopped"] == "interrupted"
    assert main(words) == 0
    assert text_of("out.png")["stopped"] == "done"
    assert names_in(".") == ["in", "out.png"]


def test_a_film_that_ends_early_leaves_a_whole_one_there(capsys):
    Path("in/b.png").write_bytes(b"damaged")
    Path("film.mp4").write_bytes(b"a whole one")
    words = ["in", "night", "--frames", "--instant", "--size", "32"]
    assert main([*words, "-o", "film.mp4"]) == 2
    assert "1 frame is painted, in 'film-2.mp4'" in capsys.readouterr().err
    assert Path("film.mp4").read_bytes() == b"a whole one"
    assert len(list(films.read_frames(films.open_film("film-2.mp4")))) == 1


# --- done is what was painted, and nothing else ------------------------------


@pytest.mark.parametrize(
    ("words", "reads"),
    [(TINY, "prepare"), (["--instant", "--size", "32"], "paint_instantly")],
)
def test_a_photo_that_changes_while_it_is_painted(words, reads, monkeypatch):
    """The picture is of what was read: the next command paints it anew."""
    given = ["in/a.png", "night", "-o", "out/", *words]
    original = getattr(painting, reads)

    def changed_after(*args, **settings):
        came = original(*args, **settings)
        save_image(sample("rocket", 40), "in/a.png")
        return came

    with monkeypatch.context() as patch:
        patch.setattr(painting, reads, changed_after)
        assert main(given) == 0
    assert main(given) == 0
    assert names_in("out") == ["a-night-2.png", "a-night.png"]
    assert main(given) == 0
    assert len(names_in("out")) == 2


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_name_that_is_no_unicode_is_known_again():
    Path("odd").mkdir()
    os.rename("in/a.png", b"odd/\xff\xfe.png")
    for _ in range(2):
        assert main(["odd", "night", "-o", "out/", *TINY]) == 0
    assert len(names_in("out")) == 1


def test_results_among_the_photos_are_no_photos():
    for _ in range(2):
        assert main(["in", "night", "-o", "in/", *TINY]) == 0
    photos = [f"{letter}.png" for letter in "abc"]
    results = [f"{letter}-night.png" for letter in "abc"]
    assert names_in("in") == sorted(photos + results)
    # in another folder's command they are
    assert main(["in", "ink", "-o", "out/", "--instant", "--size", "32"]) == 0
    assert len(names_in("out")) == 6


@POSIX
def test_what_a_folder_has_beside_photos_is_told(capsys):
    Path("in/sub").mkdir()
    Path("in/notes.txt").touch()
    Path("in/gone.png").symlink_to("nowhere.png")
    os.rename("in/b.png", "in/b.jfif")
    assert main(["in", "night", "-o", "out/", "--instant", "--size", "32"])
    said = capsys.readouterr().err
    assert "in 'in' 2 of 6 are passed over: no pictures, or folders" in said
    assert "of 4 photos: 3 painted, 1 failed. Failed: in/gone.png" in said


# --- frames ------------------------------------------------------------------

FRAMES = ["--frames", "--instant", "--size", "32", "-o", "out/"]


def test_frames_of_two_commands_have_two_numbers():
    assert main(["in/a.png", "in/b.png", "night", *FRAMES]) == 0
    Path("out/a-night.png").unlink()  # as if it had been stopped before b
    assert main(["in", "night", *FRAMES]) == 0
    names = ["a-night-2.png", "b-night-2.png", "b-night.png", "c-night-2.png"]
    assert names_in("out") == names


def test_frames_of_one_name_are_all_kept():
    Path("more").mkdir()
    save_image(sample("chelsea", 40), "more/a.png")
    assert main(["in/a.png", "more/a.png", "night", *FRAMES]) == 0
    assert names_in("out") == ["a-night-2.png", "a-night.png"]


def test_frames_of_two_films_have_two_names():
    frames = [sample("chelsea", 40)] * 2
    films.write_film("clip.mp4", iter(frames))
    first = ["--instant", "--size", "32", "--strength", "0.3", "-o", "out/"]
    assert main(["clip.mp4", "night", *first]) == 0
    Path("out/clip-night-00002.png").unlink()
    assert main(["clip.mp4", "night", *FRAMES]) == 0
    names = [f"clip-night{n}.png" for n in ("-00001", "-2-00001", "-2-00002")]
    assert names_in("out") == names


# --- names and streams -------------------------------------------------------


def test_a_name_that_begins_with_a_tilde(capsys):
    os.rename("in/a.png", "~a.png")
    assert main(["~a.png", "night", "-o", "x.png", *TINY]) == 0
    words = [".", "night", "-o", "out/", "--instant", "--size", "32"]
    assert main(words) == 0
    assert "~a-night.png" in names_in("out")
    kept = ["--checkpoint", "~nobody/x.safetensors"]
    assert main(["in/b.png", "night", *TINY, *kept]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_what_comes_by_standard_input_is_painted_at_once(monkeypatch):
    from styletut.cli import streams

    data = Path("in/a.png").read_bytes()
    monkeypatch.setattr(streams, "_standard_input", lambda: data)
    words = ["-", "night", "--instant", "--size", "32"]
    assert main(words) == 0
    assert main([*words, "--frames", "-o", "out/"]) == 0
    assert names_in("out") == ["stdin-night.png"]


def test_a_style_picture_has_one_mask(capsys):
    save_image(torch.ones(1, 3, 30, 40), "mask.png")
    words = ["in/a.png", "night", *TINY]
    twice = ["--style-mask", "night", "mask.png"] * 2
    assert main([*words, *twice]) == 2
    assert "names a style picture twice" in capsys.readouterr().err


def test_a_closed_standard_output_is_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["--samples"]) == 1
    assert "standard output is closed" in capsys.readouterr().err
    assert main(["in/a.png", "night", *TINY, "-o", "-"]) == 2
    assert "which is closed" in capsys.readouterr().err


def test_a_name_does_not_steer_the_terminal(capsys):
    os.rename("in/a.png", "in/\x1b[31mred.png")
    assert (
        main(["in", "night", "-o", "out/", "--instant", "--size", "32"]) == 0
    )
    said = capsys.readouterr().err
    assert "\x1b" not in said and "\\x1b[31mred.png" in said


def test_the_size_that_is_told_is_the_one_that_was_typed(capsys):
    assert main(["in/a.png", "night", "--size", "60000"]) == 2
    assert "size 60000" in capsys.readouterr().err
