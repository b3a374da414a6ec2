"""Seconds and loss on one front, and the blind judgement, at toy size."""

import csv
import json
import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import front  # noqa: E402
import judge  # noqa: E402


def test_the_front_has_every_way_at_every_size():
    asked = Namespace(sizes=[512, 1024], threads=[2, 1])
    runs = front.planned(asked)
    assert len({tuple(run.values()) for run in runs}) == len(runs)
    small = {run["way"] for run in runs if run["pixels"] == "512"}
    large = {run["way"] for run in runs if run["pixels"] == "1024"}
    assert small == {*front.WAYS}
    assert small - large == {"45 evaluations", "100 evaluations"}
    assert {run["pair"] for run in runs} == {*front.PAIRS}


@pytest.mark.parametrize(
    "way", ["photo", "colors", "colors and features", "network"]
)
def test_a_way_is_measured(way, capsys):
    front.work(Namespace(worker=way, pair="coffee night", size=64, thread=1))
    found = json.loads(capsys.readouterr().out)
    assert float(found["seconds"]) >= 0
    total = float(found["style"]) + 0.3 * float(found["content"])
    assert float(found["total"]) <= total * 1.001
    assert (float(found["content"]) == 0) == (way == "photo")


def test_a_run_is_measured_and_told(capsys):
    rows = []
    for way in ("colors", "10 evaluations"):
        front.work(
            Namespace(worker=way, pair="coffee night", size=48, thread=1)
        )
        found = json.loads(capsys.readouterr().out)
        run = {"program": "styletut", "way": way, "pair": "coffee night"}
        made = {"version": "1", "machine": "a; b", "date": "now"}
        rows.append({**run, "pixels": "48", "threads": "1", **found, **made})
    assert float(rows[1]["total"]) < float(rows[0]["total"])
    page = front.document(rows)
    assert page.count("| 48 | 1 |") == 2
    assert "| network |" not in page


def test_pairs_to_judge_are_spread_over_photos_and_styles():
    assert len(set(judge.PAIRS)) == 24
    photos, styles = zip(*judge.PAIRS, strict=True)
    assert set(Counter(photos).values()) == {4}
    assert set(Counter(styles).values()) == {3}


def test_verdicts_are_counted_by_the_key(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judge, "RESULTS", tmp_path / "results")
    photo = judge.sample("coffee", 40)
    monkeypatch.setattr(judge, "photo_of", lambda name: photo)
    monkeypatch.setattr(
        judge, "by_peer", lambda photo, name: lambda: torch.zeros(1, 3, 27, 40)
    )
    folder = tmp_path / "sheets"
    judge.make(folder)
    key = judge.read(folder / "key.csv")
    assert len(key) == 24 and {row["left"] for row in key} == {"ours", "peer"}
    # one judge knows ours, the other one looks left
    rows = [
        (name, row["pair"], side)
        for row in key
        for name, side in (
            ("a", "left" if row["left"] == "ours" else "right"),
            ("b", "left"),
        )
    ]
    verdicts = tmp_path / "verdicts.csv"
    with verdicts.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("judge", "pair", "preferred"))
        writer.writerows(rows)
    judge.tally(folder, verdicts)
    lefts = sum(row["left"] == "ours" for row in key)
    assert capsys.readouterr().out.splitlines() == [
        "a: ours in 24 of 24",
        f"b: ours in {lefts} of 24",
    ]
    stored = judge.read(tmp_path / "results" / "verdicts.csv")
    assert {row["whose"] for row in stored if row["judge"] == "a"} == {"ours"}
    assert (tmp_path / "results" / "sheet.jpg").stat().st_size > 1000
