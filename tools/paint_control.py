"""Paint the six pictures of notebook 10: `python tools/paint_control.py`.

    python tools/paint_control.py              those that are not there
    python tools/paint_control.py night-ink    these, anew

Each is one command of this package's command line. What it makes is stored
as `notebooks/results/control/pictures/NAME.jpg`, and how it was made as a row
of `pictures.csv` beside that folder. Takes some ten minutes on two cores.
"""

import csv
import shlex
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

from machine import processor

from styletut.cli.main import main as styletut

RESULTS = Path(__file__).parents[1] / "notebooks" / "results" / "control"
FOLDER = RESULTS / "pictures"
TABLE = RESULTS / "pictures.csv"
COLUMNS = (
    *("label", "command", "width", "height", "evaluations_done", "seconds"),
    *("threads", "device", "precision", "date", "torch", "styletut"),
    *("error", "picture"),
)
SCHEDULE = "--schedule 128:40,256:40,512:25,{size}:12"
"""As the gallery's: coarse sizes decide where strokes lie, and cost little."""
SIZES = {"chelsea": 902}
"""Longer sides but 1024 pixels: no photo is enlarged more than twice."""
QUALITY = 88

COMMANDS = {
    "night-ink-meadow": "camera meadow --mask camera-sky night "
    "--mask camera-person ink",
    "all-but-her": "astronaut night --mask astronaut-person astronaut "
    "--style-mask astronaut astronaut-person",
    "night-in-browns": "coffee night --color luminance",
    "tabby-mosaic": "chelsea mosaic --color luminance",
    "glass-cat-at-night": "chelsea night --mask chelsea-cat glass",
    "glass-on-waves": "coffee wave --mask coffee-cup glass",
}
"""Name of a picture -> the command that makes it, without its schedule."""


def words_of(name: str) -> list[str]:
    """Return the words of a picture's command, but for the program's name."""
    command = COMMANDS[name]
    size = SIZES.get(command.split()[0], 1024)
    return shlex.split(f"{command} {SCHEDULE.format(size=size)}")


def painted(name: str) -> dict[str, str]:
    """Paint a picture, store it, and return its row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.png"
        began = time.monotonic()
        status = styletut([*words_of(name), "-o", str(path)])
        seconds = time.monotonic() - began
        if status != 0:
            raise SystemExit(f"{name} ended with status {status}")
        with Image.open(path) as picture:
            picture.load()
            text = dict(picture.text)  # type: ignore[attr-defined]
            picture.save(
                FOLDER / f"{name}.jpg", quality=QUALITY, subsampling=0
            )
            width, height = picture.size
    numbers = {
        "width": width,
        "height": height,
        "evaluations_done": text["evaluations_done"],
        "seconds": round(seconds),
        "threads": torch.get_num_threads(),
        "device": processor() if text["device"] == "cpu" else text["device"],
        "precision": text["precision"],
        "date": date.today().isoformat(),
        "torch": text["torch"],
        "styletut": text["styletut"],
    }
    row = {
        "label": f"control: {name}",
        "command": text["command"],
        **numbers,
        "error": "",
        "picture": f"pictures/{name}.jpg",
    }
    return {column: str(value) for column, value in row.items()}


def stored() -> dict[str, dict[str, str]]:
    """Return the table's rows by name."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["label"].partition(": ")[2]: row for row in rows}


def main() -> None:
    """Paint what is named, or what is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    there = stored()
    for name in sys.argv[1:] or [n for n in COMMANDS if n not in there]:
        there[name] = painted(name)
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(there[n] for n in COMMANDS if n in there)


if __name__ == "__main__":
    main()
