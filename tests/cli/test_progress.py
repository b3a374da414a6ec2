"""What a run says costs it nothing, even where nobody can read it."""

import errno
import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from styletut.cli.progress import say

RUN = [
    *(sys.executable, "-m", "styletut", "chelsea", "night", "--size", "32"),
    *("--evaluations", "6", "-o"),
]


class Gone(io.StringIO):
    """A stream that nobody reads any more."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        OSError(errno.EIO, "Input/output error"),  # a terminal that is gone
        ValueError("I/O operation on closed file"),
    ],
)
def test_where_nothing_can_be_said_nothing_is(monkeypatch, error):
    monkeypatch.setattr(sys, "stderr", Gone(error))
    say("one")
    say("two")  # and from now on in silence
    assert sys.stderr.getvalue() == "styletut: two\n"


def whole_run(path):
    """Return whether a picture tells of a run that was not broken off."""
    text = Image.open(path).text
    return text["stopped"] != "crashed" and text["evaluations_done"] == "6"


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)
def test_a_log_on_a_full_disk_costs_no_evaluation(tmp_path):
    out = tmp_path / "out.png"
    with open("/dev/full", "w") as full:
        result = subprocess.run([*RUN, str(out)], stderr=full)
    assert result.returncode == 0
    assert whole_run(out)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise")
def test_a_log_that_nobody_reads_on_costs_no_evaluation(tmp_path):
    out = tmp_path / "out.png"
    with subprocess.Popen([*RUN, str(out)], stderr=subprocess.PIPE) as run:
        run.stderr.readline()
        run.stderr.close()
        assert run.wait(300) == 0
    assert whole_run(out)
