"""Kill runs at random moments, and see whether they go on to the same bits.

    python tools/faults.py OUT [--trials N] [--seed N]

Each trial begins a run with a checkpoint, stops its processes by a signal
after a random part of its time, up to `STOPS` times, lets it go on to its
end, and compares the picture with that of a run that nothing stopped. One
trial more fills a small disk, where a file system of its own can be mounted.
What did not survive is left in OUT.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

STOPS = 3
"""Most stops of one trial."""

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
"""Which come by chance: half of them leave no time for anything."""

DISK = 400_000
"""Bytes of the small disk: the first checkpoint fits, a later one does not."""

RUNS = {
    "one size": ["--size", "96", "--evaluations", "30"],
    "coarse to fine": ["--schedule", "48:12,96:14,144:6"],
    "tiles": ["--size", "144", "--evaluations", "8"],
    "sweep": [],
}

PAINT = """
import sys
from styletut.cli.main import main
from styletut.memory.fitting import Layout
from styletut.transfer import plan

if sys.argv[1] == "tiles":
    plan.fitting_layout = lambda *shape, **settings: Layout(tiles=64)
sys.exit(main(["chelsea", "night", *sys.argv[2:]]))
"""

SWEEP = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from styletut.sweeps import sweep_rows

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        rows = sweep_rows(
            "chelsea", "night", {"beta": [1, 3, 10]}, folder="runs",
            size=64, evaluations=20, executor=pool, metrics=None,
        )
    sys.exit(any(row["error"] for row in rows))
"""


class Trial(NamedTuple):
    """What is stopped, and where it works."""

    kind: str
    folder: Path

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Begin the run, or go on with it, as leader of its processes."""
        if self.kind == "sweep":
            script = self.folder / "sweeping.py"
            script.write_text(SWEEP, encoding="utf-8")
            words = [str(script)]
        else:
            words = ["-c", PAINT, self.kind, *RUNS[self.kind]]
            words += ["-o", "out.png", *more]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
            )

    def pictures(self) -> list[np.ndarray]:
        """Return the pixels of what it has made, by name."""
        found = sorted(self.folder.glob("**/*.png"))
        return [np.array(Image.open(path)) for path in found]


KEPT = ("--checkpoint", "run.safetensors", "--resume")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do all trials, and tell how many there were and how many survived."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    # in full, for the runs work in folders of their own
    parser.add_argument("out", type=lambda name: Path(name).resolve())
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    chance = random.Random(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    wholes = {kind: whole(kind, given.out) for kind in RUNS}
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    stops = 0
    for number in range(given.trials):
        kind = [*RUNS][number % len(RUNS)]
        folder = fresh(given.out / f"{number:03} {kind}")
        pictures, seconds = wholes[kind]
        number_of_stops, status = stopped(Trial(kind, folder), seconds, chance)
        same = status == 0 and equal(Trial(kind, folder).pictures(), pictures)
        tried[kind] += 1
        survived[kind] += same
        stops += number_of_stops
        if same and not leftovers(folder):
            shutil.rmtree(folder)
        else:
            print(f"{folder}: status {status}, same picture: {same}")
    full = on_a_small_disk(given.out, wholes["one size"][0])
    lines = [
        f"{kind}: {tried[kind]} runs stopped, {survived[kind]} survived"
        for kind in RUNS
    ]
    text = "\n".join(
        [*lines, f"{stops} stops in all", f"a full disk: {full}", ""]
    )
    (given.out / "figures.txt").write_text(text, encoding="utf-8")
    print(text, end="")
    if survived != tried or full == "lost":
        sys.exit(1)


def whole(kind: str, out: Path) -> tuple[list[np.ndarray], float]:
    """Return what a run makes that nothing stops, and its seconds."""
    trial = Trial(kind, fresh(out / f"whole {kind}"))
    began = time.monotonic()
    if trial.start().wait() != 0:
        sys.exit((trial.folder / "log.txt").read_text())
    pictures, seconds = trial.pictures(), time.monotonic() - began
    shutil.rmtree(trial.folder)
    return pictures, seconds


def stopped(
    trial: Trial, seconds: float, chance: random.Random
) -> tuple[int, int]:
    """Stop a run now and then; return how often, and its last status."""
    stops = 0
    for _ in range(chance.randint(1, STOPS)):
        process = trial.start(*KEPT)
        try:
            process.wait(chance.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            number = chance.choice(SIGNALS)
            os.killpg(process.pid, number)
            process.wait()
            stops += 1
        else:
            return stops, process.returncode
        if number != signal.SIGKILL:
            # its children go with it, as those of a closed terminal
            end(process)
    return stops, trial.start(*KEPT).wait()


def end(process: subprocess.Popen[bytes]) -> None:
    """Let nothing of a process go on beside the one that follows it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def on_a_small_disk(out: Path, pictures: list[np.ndarray]) -> str:
    """Return what becomes of a run whose checkpoints fill the disk.

    Returns:
        "survived", "lost", or "not run" where nothing can be mounted.
    """
    folder = fresh(out / "small disk")
    mount = f"mount -t tmpfs -o size={DISK} tmpfs . && cd . && exec "
    words = ["-c", PAINT, "one size", *RUNS["one size"]]
    words += ["-o", str(out / "small.png"), *KEPT[:2]]
    script = f'cd "{folder}" && {mount} "$@"'
    try:
        came = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, "sh"]
            + ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
            + [sys.executable, *words],
            capture_output=True,
            text=True,
            env=environment(),
        )
    except FileNotFoundError:
        return "not run: there is no unshare here"
    if "mount:" in came.stderr or "unshare:" in came.stderr:
        return f"not run: {came.stderr.strip().splitlines()[-1]}"
    told = "no checkpoint after" in came.stderr
    picture = out / "small.png"
    same = picture.exists() and equal(
        [np.array(Image.open(picture))], pictures
    )
    if came.returncode == 0 and told and same:
        return "survived"
    print(came.stderr)
    return "lost"


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether pictures are the same, level by level."""
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def leftovers(folder: Path) -> list[Path]:
    """Return what lies about that should have gone."""
    return [*folder.glob("**/*.part"), *folder.glob("**/*.safetensors")]


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def environment() -> dict[str, str]:
    """Return the environment of every run: one thread, this package."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
