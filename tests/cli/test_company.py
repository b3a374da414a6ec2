"""The command line beside others: its threads, and how they wait."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from styletut.cli import painting
from styletut.cli.arguments import read_settings
from styletut.cli.main import main, parse
from styletut.cores import threads as cores_threads
from styletut.cores import waiting
from styletut.cores.allowed import Allowed

ROOT = Path(__file__).resolve().parents[2]
PAIR = ["chelsea", "night"]
QUICK = ["--size", "32", "--evaluations", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder, and leave the threads as they were."""
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(before)
    cores_threads.lower_threads.cache_clear()


def python(code, *blocked, **variables):
    """Run code in a fresh process without some packages and variables."""
    decide = (*waiting.VARIABLES, *cores_threads.VARIABLES)
    kept = {k: v for k, v in os.environ.items() if k not in decide}
    head = f"import sys; sys.modules.update(dict.fromkeys({blocked}));"
    return subprocess.run(
        [sys.executable, "-c", head + code],
        env=kept | {"PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        text=True,
    )


def doctor(*words, blocked=(), **variables):
    """Return what the doctor finds, by the first words of its lines."""
    code = f"from styletut.cli.main import main; main({['--doctor', *words]})"
    done = python(code, *blocked, **variables)
    assert "Traceback" not in done.stderr, done.stderr
    lines = [
        re.split(" {2,}", each, maxsplit=1)
        for each in done.stdout.splitlines()
    ]
    return {line[0]: line[1] for line in lines if len(line) == 2}


def test_a_run_computes_with_the_threads_that_are_asked_for(monkeypatch):
    seen = []
    original = painting.steps_of

    def steps(run):
        seen.append(torch.get_num_threads())
        return original(run)

    monkeypatch.setattr(painting, "steps_of", steps)
    words = [*PAIR, *QUICK, "--threads", "3"]
    assert main([*words, "-o", "out.png"]) == 0
    assert seen == [3]
    with Image.open("out.png") as picture:
        command = picture.text["command"]
    assert shlex.split(command) == ["styletut", *words]  # for the same bits


def test_threads_are_no_setting_of_a_run():
    assert read_settings({"threads": 2, "size": 64}) == {"size": 64}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "threads is 0; it is a whole number from 1 to 1024"),
        ("-2", "threads is -2; it is"),
        ("5000", "threads is 5000; it is"),
        ("1.5", "'1.5' is no whole number; write it as in --threads 2"),
        ("all", "'all' is no whole number"),
        ("", "'' is no whole number"),
    ],
)
def test_another_number_of_threads_is_refused(text, message, capsys):
    with pytest.raises(SystemExit) as end:
        main([*PAIR, f"--threads={text}"])
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"styletut: error: argument --threads: {message}")
    assert told.count("\n") == 1


def test_a_quota_lowers_the_threads_of_the_command_line(monkeypatch):
    for name in cores_threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    cores = Allowed(8, 8, 8, 2.0)
    monkeypatch.setattr(cores_threads, "allowed", lambda: cores)
    cores_threads.lower_threads.cache_clear()
    torch.set_num_threads(8)
    assert main([*PAIR, *QUICK, "-o", "out.png"]) == 0
    assert torch.get_num_threads() == 2


def test_parse_gives_the_number():
    assert parse([*PAIR, "--threads", "2"])["threads"] == 2


SHOW = """
import os, runpy
try:
    {run}
except BaseException:
    pass
print(*[k + "=" + v for k, v in os.environ.items() if k in {names}])
"""


@pytest.mark.parametrize("run", ["main(['--samples'])", "main(['a', 'b'])"])
def test_how_threads_wait_is_said_before_torch_is_loaded(run):
    code = SHOW.format(run=run, names=waiting.VARIABLES)
    code = "from styletut.cli.main import main;" + code
    shown = python(code).stdout.splitlines()[-1]
    assert shown == "=".join(waiting.CHOSEN)
    shown = python(code, OMP_WAIT_POLICY="ACTIVE").stdout.splitlines()[-1]
    assert shown == "OMP_WAIT_POLICY=ACTIVE"


def test_so_it_is_for_the_module_that_is_run():
    code = "sys.argv[1:] = ['--samples']; "
    code += SHOW.format(
        run="runpy.run_module('styletut', run_name='__main__')",
        names=waiting.VARIABLES,
    )
    assert python(code).stdout.splitlines()[-1] == "=".join(waiting.CHOSEN)


def test_the_doctor_tells_cores_threads_and_waiting():
    found = doctor()
    number = int(re.match(r"(\d+), .", found["cores to use"])[1])
    assert found["threads"] == f"{number}, one for each of these cores"
    assert found["waiting threads"].startswith("=".join(waiting.CHOSEN))
    assert re.search(r"\d+ threads? in use", found["cpu"])


def test_the_doctor_thanks_the_user_for_what_is_the_users():
    said = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    found = doctor(**said)
    assert found["threads"] == "OMP_NUM_THREADS=1, which you have set"
    wait = "OMP_WAIT_POLICY=PASSIVE, which you have set"
    assert found["waiting threads"] == wait
    assert "1 thread in use" in found["cpu"]
    found = doctor("--threads", "3", **said)
    assert found["threads"] == "3, by --threads"
    assert "3 threads in use" in found["cpu"]


def test_the_doctor_needs_no_torch_to_tell_it():
    found = doctor(blocked=("torch",), KMP_BLOCKTIME="0")
    assert found["torch"].startswith("missing")
    assert re.match(r"\d+, ", found["cores to use"])
    assert "one for each" in found["threads"]
    assert found["waiting threads"] == "KMP_BLOCKTIME=0, which you have set"


def test_in_a_program_that_has_torch_the_doctor_claims_nothing(
    monkeypatch, capsys
):
    for name in waiting.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert main(["--doctor"]) == 0
    told = "waiting threads     as torch has it, which was loaded before"
    assert told in capsys.readouterr().out
    assert not set(waiting.VARIABLES) & set(os.environ)
