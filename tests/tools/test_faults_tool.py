"""The tool that kills runs, on the smallest of them."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def faults():
    path = ROOT / "tools" / "faults.py"
    spec = importlib.util.spec_from_file_location("faults", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_one_run_is_killed_and_survives(faults, tmp_path, monkeypatch, capsys):
    small = ["--size", "48", "--evaluations", "12"]
    monkeypatch.setattr(faults, "RUNS", {"one size": small})
    monkeypatch.setattr(faults, "on_a_small_disk", lambda *args: "not run")
    faults.main([str(tmp_path), "--trials", "1", "--seed", "3"])
    told = "one size: 1 runs stopped, 1 survived\n"
    assert told in capsys.readouterr().out
    assert told in (tmp_path / "figures.txt").read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["figures.txt"]


PAINTS = "from PIL import Image; Image.new('RGB', (4, 3)).save('a.png')"


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_a_folder_may_be_named_from_here(faults, tmp_path, monkeypatch):
    """As `make faults` does it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults, "RUNS", {"one size": [], "sweep": []})
    for name in ("PAINT", "SWEEP"):
        monkeypatch.setattr(faults, name, PAINTS)
    monkeypatch.setattr(faults, "on_a_small_disk", lambda *args: "not run")
    faults.main(["out", "--trials", "2"])
    figures = (tmp_path / "out" / "figures.txt").read_text()
    assert "sweep: 1 runs stopped, 1 survived" in figures


def test_what_did_not_survive_is_told_and_kept(
    faults, tmp_path, monkeypatch, capsys
):
    one = np.zeros((2, 2, 3), np.uint8)
    folder = tmp_path / "000 one size"
    monkeypatch.setattr(faults, "RUNS", {"one size": []})
    monkeypatch.setattr(faults, "on_a_small_disk", lambda *args: "survived")
    monkeypatch.setattr(faults, "whole", lambda *args: ([one], 1.0))
    monkeypatch.setattr(faults, "stopped", lambda *args: (2, 0))
    with pytest.raises(SystemExit):  # there is no picture
        faults.main([str(tmp_path), "--trials", "1"])
    out = capsys.readouterr().out
    assert "1 runs stopped, 0 survived" in out and "2 stops in all" in out
    assert folder.is_dir()
    assert faults.equal([one], [one.copy()])
    assert not faults.equal([one], [one + 1])
    assert not faults.equal([one], [])
    (folder / ".run.safetensors.1.part").touch()
    assert len(faults.leftovers(folder)) == 1
