"""Writing pictures: whole files, checked targets, notes inside."""

import errno
import os
import stat

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from styletut.images import (
    ImageError,
    ensure_writable,
    load_image,
    save_image,
    saving,
)
from styletut.images.saving import suffixes

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
NOT_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root may write anywhere",
)


def picture():
    """A picture whose values are exact 8-bit levels."""
    levels = torch.arange(3 * 8 * 9) % 256
    return (levels.reshape(1, 3, 8, 9) / 255).float()


def test_png_gives_back_the_same_picture(tmp_path):
    path = tmp_path / "out.png"
    save_image(picture(), path)
    assert torch.equal(load_image(path), picture())
    assert os.listdir(tmp_path) == ["out.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "A.JPG"])
def test_jpeg_by_its_suffix_keeps_fine_color(tmp_path, name):
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, ::2] = 1  # Red columns, which subsampling would blur.
    save_image(image, tmp_path / name)
    with Image.open(tmp_path / name) as file:
        assert file.format == "JPEG"
    assert (load_image(tmp_path / name) - image).abs().max() < 0.1


def test_values_are_rounded_and_clamped(tmp_path):
    image = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    image[0, 0], image[0, 2] = -1, 2
    save_image(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as file:
        assert file.getpixel((0, 0)) == (0, 128, 255)


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".tiff", ".WEBP"])
def test_formats_without_loss(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    alpha = torch.linspace(0, 1, 9).expand(1, 1, 8, 9)
    for opaque in (None, (alpha * 255).round() / 255):
        save_image(picture(), path, alpha=opaque)
        with Image.open(path) as file:
            bands = file.convert("RGBA").split()
        values = np.stack([np.array(each) for each in bands[:3]])
        expected = (picture()[0] * 255).round().numpy()
        assert (values == expected).all()  # where it is transparent, too
        if opaque is not None:
            assert (np.array(bands[3]) == (opaque[0, 0] * 255).numpy()).all()


@pytest.mark.skipif(".avif" not in suffixes(), reason="not in this Pillow")
def test_avif_keeps_fine_color(tmp_path):
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, ::2] = 1
    save_image(image, tmp_path / "a.avif")
    assert (load_image(tmp_path / "a.avif") - image).abs().max() < 0.15


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".avif"])
def test_notes_in_formats_with_one_text(tmp_path, suffix):
    if suffix not in suffixes():
        pytest.skip("not in this Pillow")
    save_image(picture(), tmp_path / f"a{suffix}", TEXT)
    with Image.open(tmp_path / f"a{suffix}") as file:
        note = file.getexif()[ExifTags.Base.ImageDescription]
    lines = "\n".join(f"{key}: {value}" for key, value in TEXT.items())
    assert note.encode("latin-1").decode() == lines


def test_a_format_that_pillow_lacks_here_is_not_offered(tmp_path, monkeypatch):
    Image.init()
    writers = {k: v for k, v in Image.SAVE.items() if k != "AVIF"}
    monkeypatch.setattr(Image, "SAVE", writers)
    with pytest.raises(ImageError, match=r"one of \.png, .*\.tiff\."):
        save_image(picture(), tmp_path / "a.avif")


def test_a_picture_that_a_format_has_no_room_for(tmp_path):
    long = torch.zeros(1, 3, 1, 16384)
    with pytest.raises(ImageError, match="16384 x 1 pixels is too large for"):
        save_image(long, tmp_path / "a.webp")
    save_image(long, tmp_path / "a.tif")


def test_an_encoder_that_fails_says_what_to_do(tmp_path, monkeypatch):
    def fail(picture, text):
        raise RuntimeError("no codec")

    monkeypatch.setitem(saving._ENCODERS, "AVIF", fail)
    monkeypatch.setitem(Image.SAVE, "AVIF", None)
    with pytest.raises(ImageError, match=r"as AVIF: no codec\. Save as"):
        save_image(picture(), tmp_path / "a.avif")
    assert os.listdir(tmp_path) == []


TEXT = {"Software": "styletut", "photo": "Größe 日本.png", "note": "a\nb: c"}


def test_png_carries_notes(tmp_path):
    save_image(picture(), tmp_path / "a.png", text=TEXT)
    with Image.open(tmp_path / "a.png") as file:
        assert file.text == TEXT


def test_jpeg_carries_notes_as_a_comment(tmp_path):
    save_image(picture(), tmp_path / "a.jpg", text=TEXT)
    with Image.open(tmp_path / "a.jpg") as file:
        comment = file.info["comment"].decode()
    assert comment == (
        "Software: styletut\nphoto: Größe 日本.png\nnote: a\nb: c"
    )


@given(st.text(st.characters(exclude_characters="\0")))
def test_any_text_is_kept(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("text") / "a.png"
    save_image(picture(), path, text={"note": value})
    kept = value.encode(errors="backslashreplace").decode()
    with Image.open(path) as file:
        assert file.text == {"note": kept}


def test_a_file_name_that_is_not_utf_8_costs_no_picture(tmp_path):
    text = {"photo": os.fsdecode(b"caf\xe9.png")}
    for name in ("a.png", "a.jpg"):
        save_image(picture(), tmp_path / name, text=text)
    with Image.open(tmp_path / "a.png") as file:
        assert file.text["photo"].startswith("caf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"": "x"}, "1 to 79 ASCII"),
        ({"k" * 80: "x"}, "1 to 79 ASCII"),
        ({"größe": "x"}, "'größe'.* ASCII"),
        ({" k": "x"}, "space"),
        ({"k": "a\0b"}, "without NUL"),
        ({"k": 3}, "is 3; wanted is a string"),
    ],
)
def test_notes_that_no_file_can_hold_are_refused(tmp_path, text, message):
    for suffix in ("png", "jpg"):
        with pytest.raises(ImageError, match=message):
            save_image(picture(), tmp_path / f"a.{suffix}", text=text)
    assert os.listdir(tmp_path) == []


def test_a_key_of_79_characters_is_kept(tmp_path):
    save_image(picture(), tmp_path / "a.png", text={"k" * 79: "x"})
    with Image.open(tmp_path / "a.png") as file:
        assert file.text == {"k" * 79: "x"}


def test_a_jpeg_comment_has_a_limit(tmp_path):
    path = tmp_path / "a.jpg"
    save_image(picture(), path, text={"k": "x" * 59997})
    with Image.open(path) as file:
        assert len(file.info["comment"]) == 60000
    with pytest.raises(ImageError, match="takes 60001 bytes"):
        save_image(picture(), path, text={"k": "x" * 59998})


def test_nothing_is_written_for_an_invalid_picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")
    for bad in (picture() * torch.nan, picture()[0]):
        with pytest.raises(ImageError):
            save_image(bad, path)
    assert path.read_bytes() == b"earlier"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()],
    ids=["full disk", "interrupt"],
)
def test_a_failure_leaves_the_earlier_file(tmp_path, monkeypatch, step, error):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")

    def fail(*arguments):
        raise error

    monkeypatch.setattr(step, fail)
    expected = ImageError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match=r"disk space|^$"):
        save_image(picture(), path)
    monkeypatch.undo()
    assert path.read_bytes() == b"earlier"
    assert os.listdir(tmp_path) == ["a.png"]


def test_the_file_is_complete_before_it_takes_its_name(tmp_path, monkeypatch):
    sizes = []
    fsync = os.fsync
    monkeypatch.setattr(
        "os.fsync",
        lambda fd: (sizes.append(os.fstat(fd).st_size), fsync(fd)),
    )
    save_image(picture(), tmp_path / "a.png")
    assert sizes == [(tmp_path / "a.png").stat().st_size]


@POSIX
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_permissions_are_those_of_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        save_image(picture(), tmp_path / "a.png")
    finally:
        os.umask(before)
    mode = stat.S_IMODE((tmp_path / "a.png").stat().st_mode)
    assert mode == 0o666 & ~umask


@POSIX
def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.png").write_bytes(b"earlier")
    (tmp_path / "link.png").symlink_to("real.png")
    save_image(picture(), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert torch.equal(load_image(tmp_path / "real.png"), picture())


def test_home_spaces_and_other_alphabets(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save_image(picture(), "~/мой рисунок 日本.png")
    assert torch.equal(load_image("~/мой рисунок 日本.png"), picture())
    assert os.listdir(tmp_path) == ["мой рисунок 日本.png"]


# Targets that cannot be written, told before the work and again at its end.


def refused(path):
    """The message with which both functions refuse a target."""
    messages = []
    for attempt in (ensure_writable, lambda p: save_image(picture(), p)):
        with pytest.raises(ImageError) as caught:
            attempt(path)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    return messages[0]


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt", ".png", ""])
def test_an_unknown_suffix_is_refused_with_the_list(tmp_path, name):
    message = refused(tmp_path / name if name else name)
    assert "one of .png, .jpg, .jpeg" in message
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_refused(tmp_path):
    message = refused(tmp_path / "nowhere" / "a.png")
    assert "no folder" in message
    assert "nowhere" in message


def test_a_file_as_folder_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "no folder" in refused(tmp_path / "file" / "a.png")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "a.png").mkdir()
    assert "is a folder" in refused(tmp_path / "a.png")


@POSIX
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert "no ordinary file" in refused(tmp_path / "a.png")


@POSIX
def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    assert "cannot be written" in refused(tmp_path / "a.png")


def test_a_name_with_nul_is_refused(tmp_path):
    assert "null" in refused(f"{tmp_path}/a\0b.png")


@POSIX
@NOT_ROOT
def test_a_closed_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "Permission denied" in refused(tmp_path / "a.png").split(":")[1]
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_takes_no_file_is_refused(tmp_path, monkeypatch):
    def closed(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.open", closed)
    message = refused(tmp_path / "a.png")
    assert "Permission denied. Choose another folder." in message


def test_a_write_protected_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")
    monkeypatch.setattr("os.access", lambda *arguments: False)
    assert "write-protected" in refused(path)
    assert path.read_bytes() == b"earlier"


def test_the_check_leaves_nothing_and_touches_nothing(tmp_path):
    path = tmp_path / "a.png"
    ensure_writable(path)
    assert os.listdir(tmp_path) == []
    path.write_bytes(b"earlier")
    os.utime(path, ns=(10**18, 10**18))
    ensure_writable(path)
    assert path.read_bytes() == b"earlier"
    assert path.stat().st_mtime_ns == 10**18
    assert os.listdir(tmp_path) == ["a.png"]


def test_random_pictures_survive_png(tmp_path):
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 20), (33, 7)):
        levels = rng.integers(0, 256, (*shape, 3), np.uint8)
        save_image(load_image(levels), tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as file:
            assert np.array_equal(np.asarray(file), levels)
