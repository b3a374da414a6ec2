"""Films: read, written, and what is said where that fails."""

import sys
from fractions import Fraction

import av
import pytest
import torch

from styletut.images import sample
from styletut.video import files
from styletut.video.files import (
    FilmError,
    is_film,
    open_film,
    read_frames,
    write_film,
)


@pytest.fixture(scope="module")
def frames():
    photo = sample("coffee", 120)
    return [photo[..., :62, n : n + 80] for n in range(8)]


def test_frames_come_back(frames, tmp_path):
    path = tmp_path / "film.mp4"
    rate = Fraction(30000, 1001)
    assert write_film(path, iter(frames), rate) == 8
    film = open_film(path)
    assert film[:5] == (path, rate, 8, 80, 62)
    found = list(read_frames(film))
    for one, two in zip(frames, found, strict=True):
        assert two.shape == one.shape
        assert 0 <= float(two.min()) <= float(two.max()) <= 1
        # color is kept for four pixels together
        assert float((one.mean(1) - two.mean(1)).abs().mean()) < 4 / 255
        assert float((one - two).abs().mean()) < 6 / 255
    order = [
        min(range(8), key=lambda k, x=x: float((x - frames[k]).abs().mean()))
        for x in found
    ]
    assert order == list(range(8))
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]


def test_odd_sizes_are_made_even(frames, tmp_path):
    path = tmp_path / "film.mkv"
    write_film(path, (each[..., :61, :79] for each in frames))
    assert open_film(path)[3:5] == (80, 62)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_was_there_before_an_error_is_kept(frames, tmp_path, error):
    def broken():
        yield from frames[:5]
        raise error

    path = tmp_path / "film.mp4"
    with pytest.raises(error):
        write_film(path, broken())
    assert len(list(read_frames(open_film(path)))) == 5


def write_loud(path, frames, count, codec="aac"):
    """Write a film with a tone, at 8 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 80, 62, "yuv420p"
        voice = container.add_stream(codec, rate=8000)
        voice.layout = "mono"
        length = 1024 if codec == "aac" else 576
        for n in range(count):
            picture = (255 * frames[n % 8][0]).byte().permute(1, 2, 0).numpy()
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for n in range(1000 * count // length):
            wave = torch.arange(length * n, length * (n + 1))
            sine = (0.3 * (0.3 * wave).sin()).float()[None].numpy()
            heard = av.AudioFrame.from_ndarray(sine, "fltp", "mono")
            heard.sample_rate, heard.pts = 8000, length * n
            container.mux(voice.encode(heard))
        container.mux(voice.encode())


def test_the_sound_goes_along(frames, tmp_path):
    loud, copy = tmp_path / "loud.mp4", tmp_path / "copy.mp4"
    write_loud(loud, frames, 8)
    film = open_film(loud)
    write_film(copy, read_frames(film), film.rate, sound_of=film)
    with av.open(str(copy)) as container:
        assert len(container.streams.audio) == 1
        sound = sum(f.samples for f in container.decode(audio=0))
    assert 6000 < sound <= 8 * 1024 + 1024
    # a film without sound has none to give
    write_film(loud, read_frames(film), film.rate)
    quiet = open_film(loud)
    write_film(copy, read_frames(quiet), quiet.rate, sound_of=quiet)
    with av.open(str(copy)) as container:
        assert not container.streams.audio


def test_sound_and_picture_lie_side_by_side(frames, tmp_path):
    loud, copy = tmp_path / "loud.mkv", tmp_path / "copy.mkv"
    write_loud(loud, frames, 160)
    film = open_film(loud)
    write_film(copy, read_frames(film), film.rate, sound_of=film)
    with av.open(str(copy)) as container:
        kinds = [
            packet.stream.type
            for packet in container.demux()
            if packet.dts is not None
        ]
    first, half = kinds.index("audio"), len(kinds) // 2
    assert first < half and "video" in kinds[half:]


def test_sound_that_cannot_go_along_is_said(frames, tmp_path, monkeypatch):
    loud = tmp_path / "loud.mp4"
    write_loud(loud, frames, 8)
    film = open_film(loud)

    def refused(*given, **settings):
        raise ValueError("this container holds no such sound")

    monkeypatch.setattr(files, "_stream_of_sound", refused)
    with pytest.warns(UserWarning, match="without sound: this container"):
        count = write_film(
            tmp_path / "copy.mp4", read_frames(film), sound_of=film
        )
    assert count == len(list(read_frames(open_film(tmp_path / "copy.mp4"))))


def test_a_shape_of_pixels_goes_along(frames, tmp_path):
    wide, copy = tmp_path / "wide.mkv", tmp_path / "copy.mkv"
    write_film(wide, iter(frames))
    film = open_film(wide)._replace(aspect=Fraction(64, 45))
    write_film(copy, iter(frames), sound_of=film)
    assert open_film(copy).aspect == Fraction(64, 45)


def test_home_and_links_are_followed(frames, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link.mp4").symlink_to(tmp_path / "film.mp4")
    write_film("~/link.mp4", iter(frames))
    assert (tmp_path / "link.mp4").is_symlink()
    assert len(list(read_frames(open_film("~/film.mp4")))) == 8


def test_what_is_no_film_is_said(frames, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    with pytest.raises(FilmError, match=r"text\.mp4' cannot be read"):
        open_film(text)
    with pytest.raises(FilmError, match="there is no film"):
        open_film(tmp_path / "none.mp4")
    with pytest.raises(FilmError, match=r"written as \.mkv, \.mov, \.mp4"):
        write_film(tmp_path / "film.gif", iter(frames))
    with pytest.raises(FilmError, match="cannot be written: No such file"):
        write_film(tmp_path / "no" / "film.mp4", iter(frames))
    with pytest.raises(FilmError, match="there is no frame"):
        write_film(tmp_path / "film.mp4", iter([]))
    with pytest.raises(FilmError, match="and the first 80 x 62"):
        write_film(
            tmp_path / "film.mp4", iter([frames[0], frames[0][..., :60]])
        )


def test_a_film_that_breaks_off_gives_what_it_has(frames, tmp_path):
    path = tmp_path / "film.mkv"
    write_film(path, iter(frames * 4))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = []
    try:
        found.extend(read_frames(open_film(path)))
    except FilmError as error:
        assert "cannot be read" in str(error)
    assert len(found) < 32


def test_without_pyav_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(FilmError, match="pip install av"):
        open_film(tmp_path / "film.mp4")


def test_films_are_known_by_their_names():
    assert all(map(is_film, ("a.mp4", "b.MOV", "c/d.webm")))
    assert not any(map(is_film, ("a.png", "mp4", "b.mp4/c.jpg")))
