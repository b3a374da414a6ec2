"""Train the network of the instant styles, or go on training it.

    python tools/train_instant.py photos instant
    python tools/train_instant.py photos larger --set crop=256 --from FILE
    python tools/train_instant.py photos instant --ship instant

`photos` is a folder of pictures, as `tools/training_photos.py` collects them.
The folder `instant` gets `training.safetensors`, from which a broken-off
training goes on to the same bits, and `losses.csv`, a row for each step.
`--from` takes another network to begin with, a shipped one or a training's
own file. `--ship` puts the network that is there into the package, with its
card.
"""

import argparse
import csv
import hashlib
import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

from machine import description
from training_photos import PHOTOS

from styletut.images import load_image, sample
from styletut.images.samples import names_of
from styletut.instant.recipe import Recipe
from styletut.instant.training import Training, resume, save
from styletut.instant.weights import INSTANT, STEADY, decoded, notes_of, store

READ_AT = 1200
"""Longer side in pixels at which photos are kept in memory."""

SAVE_EVERY = 100
"""Steps."""

SHIPPED = {"instant": INSTANT, "steady": STEADY}

CHECKPOINT, TABLE = "training.safetensors", "losses.csv"
STAGES = "stages.json"


def main() -> None:
    """Read the command line, and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--ship", choices=["instant", "steady"], help="as which network"
    )
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="NAME=NUMBER",
        help="what is to differ from the recipe, such as alpha=1",
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE", help="a network"
    )
    parser.add_argument("--precision", default="auto", help="of VGG's maps")
    asked = parser.parse_args()
    defaults = Recipe()._asdict()
    changed = {}
    for each in asked.set:
        name, _, number = each.partition("=")
        changed[name] = type(defaults[name])(number)
    recipe = Recipe(**{**defaults, **changed})
    before = stages_before(asked)
    start = asked.start.read_bytes() if asked.start else None
    training = begun(
        asked.photos, asked.folder, recipe, asked.precision, start
    )
    if asked.ship:
        ship(training, asked, before)
    else:
        train(training, asked.folder)


def begun(
    photos: Path,
    folder: Path,
    recipe: Recipe,
    precision: str = "auto",
    start: bytes | None = None,
) -> Training:
    """Return a training as far as it has come."""
    network = None
    if start is not None:
        network = decoded(start).requires_grad_(True)
    training = Training(
        [load_image(path, READ_AT) for path in sorted(photos.iterdir())],
        {name: sample(name) for name in names_of("style")},
        recipe,
        precision,
        network,
    )
    if (folder / CHECKPOINT).exists():
        resume(training, folder / CHECKPOINT)
    return training


def stages_before(asked: argparse.Namespace) -> list[dict[str, str]]:
    """Return what a training's first network had behind it, and keep that.

    Raises:
        SystemExit: if it began with another network than is given now.
    """
    kept = asked.folder / STAGES
    given = stages_of(asked.start) if asked.start else None
    if kept.exists():
        before: list[dict[str, str]] = json.loads(kept.read_text())
        if given not in (None, before):
            raise SystemExit(
                f"the training in {str(asked.folder)!r} began with another "
                "network than this"
            )
        return before
    if given is not None:
        asked.folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(given, indent=1))
    return given or []


def stages_of(path: Path) -> list[dict[str, str]]:
    """Return the stages of a network's training, from its file or folder."""
    notes = notes_of(path.read_bytes())
    if "stages" in notes:  # it was shipped
        shipped: list[dict[str, str]] = json.loads(notes["stages"])
        return shipped
    kept, folder = [], path.parent
    if (folder / STAGES).exists():
        kept = json.loads((folder / STAGES).read_text())
    rows = earlier(folder / TABLE, int(notes["step"]))
    return [*kept, stage(notes["recipe"], rows)]


def stage(recipe: str, rows: list[dict]) -> dict[str, str]:
    """Return what is told of a stage: how it was made, and how long."""
    seconds = float(rows[-1]["seconds"]) if rows else 0.0
    return {
        "steps": str(len(rows)),
        "minutes": f"{seconds / 60:.0f}",
        "recipe": recipe,
        "machine": description(),
    }


def train(training: Training, folder: Path) -> None:
    """Train from what there is to the recipe's end."""
    folder.mkdir(parents=True, exist_ok=True)
    table, last = folder / TABLE, training.recipe.iterations
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
        if each.step % SAVE_EVERY == 0 or each.step == last:
            save(training, folder / CHECKPOINT)
            with table.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
            print(told(rows), flush=True)


def ship(
    training: Training,
    asked: argparse.Namespace,
    before: list[dict[str, str]],
) -> None:
    """Put the network into the package, and say what its hash is."""
    path = SHIPPED[asked.ship].path
    rows = earlier(asked.folder / TABLE, training.step)
    known = {photo.name: photo for photo in PHOTOS}
    files = [each.stem for each in sorted(asked.photos.iterdir())]
    own = [known[name] for name in files if name in known]
    rendered = len(files) - len(own)
    whose = sorted({f"{each.author} ({each.license})" for each in own})
    content, style = last_means(rows)
    stages = [*before, stage(json.dumps(training.recipe._asdict()), rows)]
    store(
        training.network,
        {
            "photos": ", ".join(each.name for each in own)
            + f"; {rendered} renderings",
            "licenses": "; ".join(whose),
            "steps": str(sum(int(each["steps"]) for each in stages)),
            "minutes": str(sum(int(each["minutes"]) for each in stages)),
            "content": f"{content:.3f}",
            "style": f"{style:.3f}",
            "stages": json.dumps(stages),
        },
        path,
    )
    print("SHA256 =", hashlib.sha256(path.read_bytes()).hexdigest())


def earlier(table: Path, steps: int) -> list[dict]:
    """Return the rows of the steps that a checkpoint has."""
    if not table.exists() or not steps:
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:steps]


def last_means(rows: list[dict]) -> tuple[float, float]:
    """Return the mean losses of the last steps, content and style."""
    last = [row for row in rows[-SAVE_EVERY:] if row["style"]]
    content, style = (
        sum(float(row[name]) for row in last) / max(1, len(last))
        for name in ("content", "style")
    )
    return content, style


def told(rows: list[dict]) -> str:
    """Return how far a training is, in words."""
    content, style = last_means(rows)
    return (
        f"{rows[-1]['step']} steps, {float(rows[-1]['seconds']):.0f} s: "
        f"content {content:.3f}, style {style:.3f}"
    )


if __name__ == "__main__":
    main()
