"""Damaged files are read or refused: two thousand of them, and the tool."""

import importlib
import io
import struct
import sys
import time
import warnings
import zlib
from pathlib import Path

import pytest
import troubled
from PIL import Image

from styletut.images import ImageError, load_image

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.append(str(TOOLS))
fuzz = importlib.import_module("fuzz")
damage = importlib.import_module("fuzz_damage")

pytest.importorskip("resource")  # Windows has none


def test_two_thousand_damaged_files_break_no_rule(tmp_path):
    figures = fuzz.examine_piece(range(2000), tmp_path)
    # how long it takes is another machine's affair, unless it hangs
    found = [
        path.read_text()
        for path in tmp_path.glob("*.txt")
        if not path.stem.endswith("slow")
    ]
    assert found == [], "tools/fuzz.py OUT --again NUMBER reads it once more"
    assert set(figures.kinds) <= {"read", "refused", "slow"}
    assert sum(figures.kinds.values()) == 2000
    assert figures.kinds["read"] > 200, "all are refused: damage is too great"


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_sound_files_are_read(name, monkeypatch):
    target = fuzz.TARGETS[name]
    monkeypatch.setattr(fuzz.timings, "table_path", None)  # put back later
    with warnings.catch_warnings():
        # Pillow's, of files that are sound all the same
        warnings.simplefilter("ignore")
        for data in fuzz.sound_files()[name].values():
            for call in target.calls:
                call(data)
    fuzz.timings._stored.cache_clear()


def test_every_format_is_among_the_files():
    from styletut.images.decoding import readable

    begin = {name.split()[0].upper() for name in fuzz.sound_files()["picture"]}
    begin -= {"PBM"}
    assert begin == set(readable())


def test_a_mutant_is_known_by_its_number():
    first = [fuzz.mutant(number) for number in range(40)]
    assert first == [fuzz.mutant(number) for number in range(40)]
    assert len({data for _, _, data in first}) == 40
    sound = {
        d for files in fuzz.sound_files().values() for d in files.values()
    }
    assert len(sound & {data for _, _, data in first}) < 4


def test_checksums_are_made_right():
    png = fuzz.sound_files()["picture"]["png RGB"]
    assert damage.with_checksums(png) == png
    wide = png[:16] + struct.pack(">I", 99) + png[20:]
    right = damage.with_checksums(wide)
    assert right[29:33] == struct.pack(">I", zlib.crc32(wide[12:29]))
    assert damage.with_checksums(png[:50])[:29] == png[:29]
    assert damage.with_checksums(b"GIF89a") == b"GIF89a"


def patched(monkeypatch, call, refusals=(ValueError,)):
    target = fuzz.Target(1, lambda: {"one": b"0123456789"}, (call,), refusals)
    monkeypatch.setattr(fuzz, "TARGETS", {"made": target})
    monkeypatch.setattr(fuzz, "sound_files", lambda: {"made": target.files()})


def raises(error, cause=None):
    def call(data):
        raise error from cause

    return call


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda data: None, "read"),
        (raises(ValueError("no")), "refused"),
        (raises(ValueError("no"), MemoryError()), "memory"),
        (raises(KeyError("no")), "error"),
        (raises(SystemExit(1)), "error"),
        (raises(AssertionError("no")), "error"),
    ],
)
def test_an_outcome_has_its_kind(monkeypatch, call, kind):
    patched(monkeypatch, call)
    assert fuzz.examined(1).kind == kind


def test_what_takes_too_long_is_found(monkeypatch):
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)

    def call(data):
        began = time.process_time()
        while time.process_time() - began < 0.1:
            pass

    patched(monkeypatch, call)
    assert fuzz.examined(1).kind == "slow"


def test_talk_and_memory_are_seen_from_outside():
    read = fuzz.Outcome(1, "read")
    assert fuzz._watched(read, b"").kind == "read"
    assert fuzz._watched(read, b"libtiff: no").kind == "talks"
    much = read._replace(held=fuzz.BYTES + 1)
    assert fuzz._watched(much, b"").kind == "memory"


def test_a_process_that_dies_or_hangs_is_replaced(monkeypatch):
    monkeypatch.setattr(fuzz, "work", troubled.dies_and_hangs)
    monkeypatch.setattr(fuzz, "SLEEPS", 1.0)
    kinds = [(each.number, each.kind) for each in fuzz.outcomes(range(5))]
    assert kinds == [
        *((0, "read"), (1, "dies"), (2, "read"), (3, "hangs"), (4, "read")),
    ]


def test_a_process_that_does_not_start_is_no_finding(monkeypatch):
    monkeypatch.setattr(fuzz, "work", troubled.does_not_start)
    with pytest.raises(RuntimeError, match=r"does not start.*no torch"):
        list(fuzz.outcomes(range(2)))


def test_findings_are_kept_and_a_run_goes_on(tmp_path, monkeypatch):
    asked = []

    def outcomes(numbers):
        asked.append(numbers)
        for number in numbers:
            kind = "slow" if number == 7 else "read"
            yield fuzz.Outcome(number, kind, "9 s", number / 10, 5)

    monkeypatch.setattr(fuzz, "outcomes", outcomes)
    monkeypatch.setattr(fuzz, "PIECE", 5)
    *_, first = fuzz.examine_all(10, 1, tmp_path)
    assert first.kinds == {"read": 9, "slow": 1}
    assert first.slowest == (0.9, 9)
    (told,) = (tmp_path / "findings").glob("*.txt")
    assert "mutant 7" in told.read_text() and "9 s" in told.read_text()
    assert told.with_suffix(".bin").read_bytes() == fuzz.mutant(7)[2]
    asked.clear()
    *_, second = fuzz.examine_all(15, 1, tmp_path)
    assert asked == [range(10, 15)]
    assert sum(second.kinds.values()) == 15
    words = fuzz.in_words(second)
    assert "tried 15: read 14, refused 0, findings: slow: 1" in words
    assert "slowest 1.40 s (mutant 14)" in words
    given = ["fuzz.py", str(tmp_path), "--mutants", "15", "--workers", "1"]
    monkeypatch.setattr(sys, "argv", given)
    with pytest.raises(SystemExit, match="True"):  # there is a finding
        fuzz.main()
    assert (tmp_path / "figures.txt").read_text() == f"{words}\n"


# What was found, and is mended


def test_libtiff_says_nothing(capfd):
    data = bytearray(fuzz.sound_files()["picture"]["tiff RGB tiff_lzw"])
    data[60:400] = b"\xff" * 340
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ImageError):
            load_image(bytes(data))
    said = capfd.readouterr()
    assert said.err == said.out == ""


def sized(width, height):
    """A GIF whose canvas is of another size than its frame."""
    data = fuzz.sound_files()["picture"]["gif"]
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def test_a_few_bytes_do_not_fill_the_memory():
    with pytest.raises(ImageError, match=r"88\.4 million.* bytes are too few"):
        load_image(sized(9400, 9400))
    assert load_image(sized(400, 300)).shape == (1, 3, 300, 400)


def png_of(width, height):
    rows = zlib.compress(b"\0" * (((width + 7) // 8 + 1) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + bytes(4)
        for kind, body in parts
    )
    return damage.with_checksums(b"\x89PNG\r\n\x1a\n" + data)


def test_an_empty_drawing_is_read_all_the_same():
    """No sound PNG has fewer bytes for its pixels than one of 1 bit."""
    data = png_of(4800, 4000)
    assert len(data) < 3000
    assert load_image(data, size=12).max() == 0


@pytest.mark.parametrize("progressive", [False, True])
def test_an_empty_photo_is_read_and_one_without_its_data_is_not(progressive):
    """A damaged size makes a small JPEG a large one, most of it invented."""
    stream = io.BytesIO()
    Image.new("L", (4200, 4000), 255).save(
        stream, "JPEG", optimize=True, progressive=progressive
    )
    data = stream.getvalue()
    assert load_image(data, size=21).min() > 0.99
    with pytest.raises(ImageError, match="bytes are too few"):
        load_image(data[:30_000])


@pytest.mark.parametrize("side", [12000, 9400])
def test_the_picture_in_an_icon_is_refused_by_its_own_size(side):
    inner = png_of(60, 50)
    big = inner[:16] + struct.pack(">II", side, side) + inner[24:]
    big = damage.with_checksums(big)
    entry = struct.pack("<BBBBHHII", 60, 50, 0, 0, 1, 32, len(big), 22)
    icon = struct.pack("<HHH", 0, 1, 1) + entry
    with pytest.raises(ImageError, match="million pixels"):
        load_image(icon + big)
    assert load_image(icon + inner).shape == (1, 3, 50, 60)


def test_pillows_log_stays_off_the_terminal(capfd):
    data = bytearray(fuzz.sound_files()["picture"]["tiff RGB"])
    place = data.index(struct.pack("<HHI", 277, 3, 1))
    data[place + 8 : place + 10] = b"\xff\xff"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ImageError):
            load_image(bytes(data))
    assert capfd.readouterr().err == ""
