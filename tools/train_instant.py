"""Train the network of the instant styles, or go on training it.

    python tools/train_instant.py photos instant

`photos` is a folder of pictures, as `tools/training_photos.py` collects them.
The folder `instant` gets `training.safetensors`, from which a broken-off
training goes on to the same bits, and `losses.csv`, a row for each step.
"""

import argparse
import csv
import time
from pathlib import Path

from styletut.images import load_image, sample
from styletut.images.samples import SAMPLES
from styletut.instant.recipe import Recipe
from styletut.instant.training import Training, resume, save

READ_AT = 1200
"""Longer side in pixels at which photos are kept in memory."""

SAVE_EVERY = 100
"""Steps."""


def main() -> None:
    """Read the command line, and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="NAME=NUMBER",
        help="what is to differ from the recipe, such as alpha=1",
    )
    asked = parser.parse_args()
    defaults = Recipe()._asdict()
    changed = {}
    for each in asked.set:
        name, _, number = each.partition("=")
        changed[name] = type(defaults[name])(number)
    train(asked.photos, asked.folder, Recipe(**{**defaults, **changed}))


def train(photos: Path, folder: Path, recipe: Recipe) -> None:
    """Train by a recipe, from what there is."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, table = folder / "training.safetensors", folder / "losses.csv"
    training = Training(
        [load_image(path, READ_AT) for path in sorted(photos.iterdir())],
        {name: sample(name) for name in painted_styles()},
        recipe,
    )
    if checkpoint.exists():
        resume(training, checkpoint)
    rows = earlier(table, training.step)
    began = time.monotonic()
    spent = float(rows[-1]["seconds"]) if rows else 0.0
    for each in training.steps():
        row = {"step": each.step, "content": "", "style": ""}
        if each.terms is not None:
            row |= {
                "content": f"{each.terms.content:.5g}",
                "style": f"{each.terms.style:.5g}",
            }
        row["seconds"] = f"{spent + time.monotonic() - began:.1f}"
        rows.append(row)
        if each.step % SAVE_EVERY == 0 or each.step == recipe.iterations:
            save(training, checkpoint)
            with table.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
            print(told(rows), flush=True)


def painted_styles() -> list[str]:
    """Return the names of the sample styles."""
    return [name for name, each in SAMPLES.items() if each.kind == "style"]


def earlier(table: Path, steps: int) -> list[dict]:
    """Return the rows of the steps that a checkpoint has."""
    if not table.exists() or not steps:
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:steps]


def told(rows: list[dict]) -> str:
    """Return the mean losses of the last steps, in words."""
    last = [row for row in rows[-SAVE_EVERY:] if row["style"]]
    content, style = (
        sum(float(row[name]) for row in last) / max(1, len(last))
        for name in ("content", "style")
    )
    return (
        f"{rows[-1]['step']} steps, {float(rows[-1]['seconds']):.0f} s: "
        f"content {content:.3f}, style {style:.3f}"
    )


if __name__ == "__main__":
    main()
