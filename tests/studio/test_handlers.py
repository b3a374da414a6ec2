"""What happens on the page when something is pressed, without a browser."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch

from styletut.images import ImageError, load_mask, sample, save_image
from styletut.images.samples import names_of
from styletut.studio import handlers, layout, painting
from styletut.studio.choices import SIZES
from styletut.studio.layout import Chosen, Controls, Shown, Upload
from styletut.studio.pace import Pace
from styletut.studio.page import QUEUE, build
from styletut.studio.visits import Studio
from styletut.studio.wording import OWN, reason, sizes
from styletut.vgg import VGG19

SHOWN = Shown(*Shown._fields)
CHOSEN = Chosen(*Chosen._fields)
CONTROLS = Controls(*Controls._fields)
USUAL = Controls("", 0.5, 1, "normal", False, "small", None)
ME = SimpleNamespace(session_hash="me")


@pytest.fixture(scope="module")
def vgg():
    return VGG19()


@pytest.fixture
def studio(tmp_path, vgg, monkeypatch, few):
    monkeypatch.setattr(handlers, "SIZES", {"small": 48, "medium": 64})
    monkeypatch.setattr(painting, "EVERY", 1)
    return Studio(tmp_path, vgg, Pace(0.01, 1e-6))


@pytest.fixture
def visit(studio):
    visit = studio.visit("me")
    visit.photo = "chelsea"
    return visit


@pytest.fixture
def bad(tmp_path):
    file = tmp_path / "bad.png"
    file.write_bytes(b"no picture")
    return str(file)


def ask(studio, controls=USUAL):
    return handlers.ask(studio, SHOWN)(ME, *controls)


def painted(studio, controls=USUAL):
    """All that the page shows while it paints."""
    ask(studio, controls)
    return list(handlers.paint(studio, SHOWN)(ME))


def select(index):
    return SimpleNamespace(index=index)


def test_the_whole_page_can_be_laid_out(tmp_path, vgg):
    page = build(Studio(tmp_path, vgg, Pace(0.01, 1e-6)))
    assert isinstance(page, gr.Blocks)
    limits = [
        fn.concurrency_limit
        for fn in page.fns.values()
        if fn.concurrency_id == QUEUE
    ]
    assert len(limits) == 4 and set(limits) == {1}, "one job at a time"


def test_a_turn_is_given_back_before_the_page_says_so(tmp_path, vgg):
    page = build(Studio(tmp_path, vgg, Pace(0.01, 1e-6)))
    (leave,) = (
        block
        for block in page.blocks.values()
        if isinstance(block, gr.Button) and block.value == "Leave the queue"
    )
    clicks = [
        fn
        for fn in page.fns.values()
        if any(block == leave._id for block, _ in fn.targets)
    ]
    cancels = [len(fn.cancels) for fn in clicks]
    assert sorted(cancels) == [0, 0, 2], "both ways to ask for a picture"
    says = [fn.fn is not None for fn in clicks].index(True)
    assert cancels.index(2) < says


def test_painting_shows_itself_and_ends_with_a_picture(studio, visit):
    assert not ask(studio)["paint"]["interactive"]
    shown = list(handlers.paint(studio, SHOWN)(ME))
    said = [each.get("status", "") for each in shown]
    assert shown[0]["stop"]["interactive"]
    assert "first look" in said[1]
    assert any("% done" in text and "<progress" in text for text in said)
    last = shown[-1]
    assert "Painted: 48 x 32 pixels" in last["status"]
    assert last["png"]["interactive"] and last["png"]["value"].endswith("png")
    assert not last["region"]["visible"]
    assert last["command"] == "styletut chelsea glass --size 48"
    assert "stylize(" in last["code"]
    assert len(last["history"]) == 1
    assert last["paint"]["interactive"] and not last["stop"]["interactive"]


def test_what_is_painted_is_what_was_set_when_paint_was_pressed(studio, visit):
    ask(studio)
    visit.photo, visit.style = "rocket", "ink"  # while it waits
    last = list(handlers.paint(studio, SHOWN)(ME))[-1]
    assert "chelsea glass" in last["command"]


def test_without_a_photo_it_says_what_to_do(studio, visit):
    visit.photo = None
    said = ask(studio)
    assert "There is no photo yet" in said["status"]
    assert said["paint"]["interactive"]
    assert not said["again"]["interactive"], "there is nothing to repeat"
    again = handlers.ask_again(studio, SHOWN, CHOSEN, CONTROLS)(ME)
    assert "There is no photo yet" in again["status"]
    (nothing,) = handlers.paint(studio, SHOWN)(ME)
    assert set(nothing) == {"status"} and visit.kept == []
    (sheet,) = handlers.all_styles(studio, "sheet", SHOWN)(ME)
    assert "There is no photo yet" in sheet["status"]


def test_a_second_style_of_ones_own_must_be_there(studio, visit):
    said = ask(studio, USUAL._replace(second=OWN))
    assert "Add a style picture of your own first" in said["status"]
    visit.own_style = layout.small(studio, "ink", 64)
    ask(studio, USUAL._replace(second=OWN, share=0.25))
    assert visit.asked.second == visit.own_style
    assert visit.asked.share == 0.25


def test_stop_ends_it_after_a_step_with_its_picture(studio, visit):
    ask(studio)
    running = handlers.paint(studio, SHOWN)(ME)
    for _ in range(6):
        next(running)
    said = handlers.stop(studio, SHOWN)(ME)
    assert not said["stop"]["interactive"]
    (last,) = running
    assert "Stopped; this is the best so far" in last["status"]
    assert last["png"]["interactive"] and last["paint"]["interactive"]
    assert len(visit.kept) == 1


def test_stop_before_there_is_a_picture(studio, visit):
    ask(studio)
    running = handlers.paint(studio, SHOWN)(ME)
    next(running)
    handlers.stop(studio, SHOWN)(ME)
    (last,) = running
    assert visit.kept == [] and last["paint"]["interactive"]


def test_the_next_picture_is_not_stopped_by_the_last_stop(studio, visit):
    handlers.stop(studio, SHOWN)(ME)
    assert "Painted" in painted(studio)[-1]["status"]


def test_a_closed_page_ends_its_job(studio, visit):
    ask(studio)
    running = handlers.paint(studio, SHOWN)(ME)
    for _ in range(4):
        next(running)
    studio.leave("me")
    assert len(list(running)) == 1


def test_a_turn_that_is_given_back_asks_for_nothing(studio, visit):
    ask(studio)
    said = handlers.leave_queue(studio, SHOWN)(ME)
    assert said["paint"]["interactive"] and not said["leave"]["visible"]
    assert visit.asked is None


def test_what_breaks_off_is_told_and_the_picture_kept(
    studio, visit, monkeypatch
):
    original = handlers.Painting.views

    def views(self):
        for number, view in enumerate(original(self)):
            yield view
            if number == 5:
                raise RuntimeError("not enough memory: you tried to allocate")

    monkeypatch.setattr(handlers.Painting, "views", views)
    last = painted(studio)[-1]
    assert "Broken off: There is not enough memory" in last["status"]
    assert last["png"]["interactive"] and len(visit.kept) == 1


def test_what_nobody_foresaw_lets_paint_be_pressed_again(tmp_path):
    studio = Studio(tmp_path, None, Pace(0, 0))
    said = handlers.failed(studio, SHOWN)(ME)
    assert said["paint"]["interactive"] and said["status"] == gr.skip()


def test_a_full_queue_is_told(studio, visit):
    ask(studio)  # and its turn never comes
    said = handlers.failed(studio, SHOWN)(ME)
    assert "Too many pictures are waiting" in said["status"]
    assert said["paint"]["interactive"] and visit.asked is None


def test_what_fails_at_once_is_told(studio, visit, tmp_path):
    visit.style = str(tmp_path / "gone.png")
    last = painted(studio)[-1]
    assert "gone.png" in last["status"] and "problem" in last["status"]
    assert str(tmp_path) not in last["status"]
    assert visit.kept == []


def test_a_bad_photo_changes_nothing(studio, visit, bad):
    shown, said, size, brush = handlers.take_photo(studio)(bad, ME)
    assert visit.photo == "chelsea" and "chelsea" in shown
    assert "This photo cannot be used" in said and "bad.png" in said
    assert str(visit.folder) not in said, "folders are private"
    assert size == brush == gr.skip()
    style, said, kept = handlers.take_style(studio)(bad, ME)
    assert visit.style == "glass" and style == gr.skip() and kept is None
    assert "This style picture cannot be used" in said


def test_words_of_a_file_cannot_write_on_the_page(studio, visit, tmp_path):
    file = tmp_path / "<b>bold<b>.png"
    file.write_bytes(b"no picture")
    _, said, *_ = handlers.take_photo(studio)(str(file), ME)
    assert "<b>" not in said and "&lt;b&gt;" in said


def test_photos_and_styles_are_taken(studio, visit, tmp_path):
    file = tmp_path / "mine.png"
    save_image(sample("rocket", 90), file)
    shown, said, size, brush = handlers.take_photo(studio)(str(file), ME)
    assert visit.photo == str(visit.folder / "mine.png")
    assert shown.endswith(".jpg") and "mine.png" in said
    assert [value for _, value in size["choices"]] == list(SIZES)
    assert brush["background"].shape[2] == 3
    handlers.take_sample(studio)(select(2), ME)
    assert visit.photo == "chelsea"
    handlers.name_style(studio)(select(1), ME)
    assert visit.style == names_of("style")[1] == "ink"
    handlers.take_style(studio)(str(file), ME)
    assert visit.style == visit.own_style == str(visit.folder / "mine-2.png")
    handlers.name_style(studio)(select(0), ME)
    assert visit.own_style is not None, "it can still be the second style"
    handlers.take_style(studio)(None, ME)
    assert visit.style == "glass" and visit.own_style is None
    handlers.take_photo(studio)(None, ME)
    assert visit.photo is None


def test_what_is_brushed_is_a_mask_of_the_photo(studio, visit):
    layer = np.zeros((512, 768, 4), np.uint8)
    layer[100:200, 300:600] = 255
    file = handlers.region_file(visit, {"layers": [layer]})
    mask = load_mask(file)
    height, width = sample("chelsea").shape[2:]
    assert abs(mask.shape[1] / mask.shape[0] - width / height) < 0.01
    assert 0.05 < mask.mean() < 0.1
    for nothing in (None, {"layers": []}, {"layers": [np.zeros_like(layer)]}):
        assert handlers.region_file(visit, nothing) is None


def test_a_region_can_be_downloaded_for_its_command(studio, visit):
    layer = np.zeros((512, 768, 4), np.uint8)
    layer[:, 384:] = 255
    last = painted(studio, USUAL._replace(region={"layers": [layer]}))[-1]
    assert last["region"]["visible"]
    assert last["region"]["value"].endswith("region.png")
    assert "--mask region.png glass" in last["command"]


def test_a_picture_of_the_history_comes_back(studio, visit):
    painted(studio)
    painted(studio, USUAL._replace(own_colors=True, stroke="fine"))
    seen = handlers.look(studio, SHOWN)(select(1), ME)
    assert seen["command"] == "styletut chelsea glass --size 48"
    assert "history" not in seen and "paint" not in seen
    handlers.look(studio, SHOWN)(select(0), ME)
    again = handlers.ask_again(studio, SHOWN, CHOSEN, CONTROLS)(ME)
    assert (again["own_colors"], again["stroke"]) == (True, "fine")
    assert again["size"]["value"] == "small"
    assert "chelsea" in again["photo"] and "stained glass" in again["style"]
    assert again["region"]["layers"] == []
    assert not again["paint"]["interactive"]
    assert not again["again"]["interactive"]
    assert visit.asked == visit.kept[0].choices


def test_a_picture_that_is_gone_is_told(studio, visit):
    said = handlers.look(studio, SHOWN)(select(3), ME)
    assert "This picture is gone" in said["status"]


def test_a_full_disk_is_told(studio, visit, monkeypatch):
    def full(*args):
        raise ImageError("'a.png' cannot be written: No space left on device.")

    monkeypatch.setattr(visit, "keep", full)
    last = painted(studio)[-1]
    assert "No space left" in last["status"] and last["paint"]["interactive"]


def test_an_error_of_ours_is_told_to_the_terminal(
    studio, visit, monkeypatch, capsys
):
    def views(self):
        raise TypeError("a mistake")
        yield

    monkeypatch.setattr(handlers.Painting, "views", views)
    assert "a mistake" in painted(studio)[-1]["status"]
    assert "Traceback" in capsys.readouterr().err


def test_a_request_without_a_page_is_refused(studio):
    with pytest.raises(gr.Error, match="must be opened"):
        handlers.visit_of(studio, SimpleNamespace(session_hash=None))


def test_strokes_are_read_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks():
        brush = layout.Brush()

    def drawn(*names):
        layers = [SimpleNamespace(path=str(tmp_path / n)) for n in names]
        return SimpleNamespace(id=None, layers=layers)

    alpha = torch.ones(1, 1, 30, 40)
    save_image(torch.ones(1, 3, 30, 40), tmp_path / "a.png", alpha=alpha)
    (layer,) = brush.preprocess(drawn("a.png"))["layers"]
    assert layer.shape == (30, 40, 4)
    assert brush.preprocess(None) is None
    assert brush.preprocess(drawn()) is None
    with pytest.raises(ValueError, match="one layer"):
        brush.preprocess(drawn("a.png", "a.png"))
    save_image(torch.ones(1, 3, 30, 40), tmp_path / "b.jpg")
    with pytest.raises(OSError):
        brush.preprocess(drawn("b.jpg"))
    save_image(torch.ones(1, 3, 10, 4000), tmp_path / "c.png")
    with pytest.raises(ValueError, match="larger than the photo"):
        brush.preprocess(drawn("c.png"))


def test_all_styles_are_there_at_once(studio, visit):
    shown = list(handlers.all_styles(studio, "sheet", SHOWN)(ME))
    last = shown[-2]["sheet"]["value"]
    assert len(last) == 8 and last[0][1] == "Lilies at sunrise, stained glass"
    visit.photo = "rocket"
    *_, next_to_last, _ = handlers.all_styles(studio, "sheet", SHOWN)(ME)
    other = next_to_last["sheet"]["value"]
    assert not {file for file, _ in last} & {file for file, _ in other}
    assert not Path(last[0][0]).exists()
    assert "Choose one" in shown[-1]["status"]


def test_sizes_are_told_with_their_time():
    said = [text for text, _ in sizes(Pace(0.1, 0), (3, 4))]
    assert len(said) == len(SIZES)
    assert said[1] == "medium, 512 pixels: about 6 seconds"


def test_reasons_name_files_without_their_folders(tmp_path):
    file = str(tmp_path / "a.png")
    error = ValueError(f"{file!r} is damaged")
    assert reason(error, [file, None]) == "'a.png' is damaged"
    assert "not enough memory" in reason(MemoryError())
    assert reason(KeyError()) == "KeyError"


def test_an_upload_from_elsewhere_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with gr.Blocks():
        upload = Upload()
    inside = tmp_path / "uploads" / "a.png"
    assert upload.preprocess(SimpleNamespace(path=str(inside))) == str(inside)
    assert upload.preprocess(None) is None
    for path in (tmp_path / "b.png", inside / ".." / ".." / "b.png"):
        with pytest.raises(ValueError, match="not uploaded"):
            upload.preprocess(SimpleNamespace(path=str(path)))


@pytest.mark.parametrize("part", [layout.Upload, layout.Brush])
def test_no_address_is_fetched(part, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks():
        made = part()
    fetched = made.async_move_resource_to_block_cache("http://127.0.0.1/a")
    with pytest.raises(ValueError, match="uploaded here, not fetched"):
        asyncio.run(fetched)


def test_nothing_is_written_beside_the_code():
    assert list(Path(layout.__file__).parent.glob("*.pyi")) == []


def test_the_brush_takes_no_strokes_in_advance(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks():
        brush = layout.Brush()
    with pytest.raises(ValueError, match="strokes come with the picture"):
        brush.accept_blobs(None)
