"""Damaged files against every reader: what is wanted, or a clear refusal.

    python tools/fuzz.py OUT [--mutants N] [--workers N]
    python tools/fuzz.py OUT --again NUMBER

Sound files of every kind, made here, are changed at random: mutant 4711 is
the same on every machine with the same libraries. A process reads one after
the other, within its limits of time and memory and without a word to the
terminal; where it dies or hangs, another one goes on. What broke a rule lies
in OUT/findings, as the file and what happened, and --again reads that mutant
once more, here. A run that was stopped goes on where it was.
"""

import argparse
import contextlib
import faulthandler
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache, reduce
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_damage import damaged
from fuzz_files import picture_files

from styletut.cores.allowed import allowed
from styletut.images import ImageError, load_alpha, load_image, load_mask
from styletut.instant.network import StyleNetwork
from styletut.instant.weights import NetworkError, load_network
from styletut.instant.weights import store as store_network
from styletut.kernels import timings
from styletut.kernels.algorithms import Layer, Measured
from styletut.objective import Terms
from styletut.sweeps.store import StoredRun, read_record, write_record
from styletut.transfer import Best, CheckpointError, Record
from styletut.transfer.checkpoint import (
    Saved,
    Settled,
    read_checkpoint,
    write_checkpoint,
)

JOB = {"photo": "chelsea", "size": "7"}
"""Whose checkpoint is read."""

SECONDS = 2.0
"""Longest that a reader may take over one file."""

BYTES = 1_500_000_000
"""Most memory that it may take."""

HANGS = 20.0
"""Seconds of the processor after which a process will not come back."""

SLEEPS = 900.0
"""Seconds of the clock after which it will not, whatever it waits for."""

STARTS = 300.0
"""Seconds within which a process must have begun."""

PIECE = 2000
"""Mutants that a process reads before another one takes its place."""

SOUND = ("read", "refused")
"""The two answers that break no rule."""

_ADDRESSES = 4_000_000_000  # bytes more at most: what asks for them gets none
_FOLDER = Path(tempfile.gettempdir()) / f"styletut-fuzz-{os.getpid()}"


class Target(NamedTuple):
    """A reader of files that may be damaged.

    Attributes:
        share: of all mutants, in proportion to the others'.
        files: makes sound files, by name.
        calls: the ways to read a file. Each raises one of `refusals`, or
            AssertionError where it was given what it must never be given.
        refusals: errors that are an answer.
    """

    share: int
    files: Callable[[], Mapping[str, bytes]]
    calls: tuple[Callable[[bytes], None], ...]
    refusals: tuple[type[Exception], ...] = ()


class Outcome(NamedTuple):
    """What came of a mutant.

    Attributes:
        number: of the mutant.
        kind: "read", "refused", or how a rule was broken.
        text: what happened, where one was.
        seconds: of the slowest call, by the clock or the processor, the
            less of both: other programs may be at work.
        held: the most bytes that the process has held so far, beyond what
            it holds for sound files.
    """

    number: int
    kind: str
    text: str = ""
    seconds: float = 0.0
    held: int = 0


def read_whole(data: bytes) -> None:
    """Read a picture in its own size."""
    _check(load_image(data), 3)


def read_sized(data: bytes) -> None:
    """Read a picture in another size."""
    image = load_image(data, size=32)
    assert max(image.shape[2:]) == 32, image.shape
    _check(image, 3)


def read_alpha(data: bytes) -> None:
    """Read how opaque a picture is."""
    _check(load_alpha(data, 32), 1)


def read_mask(data: bytes) -> None:
    """Read a picture as a mask."""
    _check(load_mask(data, 32)[None, None], 1)


def _check(image: torch.Tensor, channels: int) -> None:
    assert image.dtype == torch.float32, image.dtype
    assert image.ndim == 4, image.shape
    assert image.shape[:2] == (1, channels), image.shape
    low, high = image.aminmax()  # NaN, where there is one
    assert low >= 0, low
    assert high <= 1, high


def read_network(data: bytes) -> None:
    """Read a network of instant styles."""
    network = load_network(_written("network.safetensors", data))
    assert isinstance(network, StyleNetwork)


def read_timings(data: bytes) -> None:
    """Choose an algorithm by a stored table of times."""
    path = _written("times.json", data)
    timings.table_path = lambda threads: path
    timings._stored.cache_clear()
    chosen = timings.algorithm_for(64, 64, 32, 32)
    assert chosen in ("winograd4", "winograd2", "plain"), chosen


def read_run(data: bytes) -> None:
    """Read the record of a run of a sweep."""
    record = read_record(_written("run.png", data))
    assert record is None or isinstance(record, StoredRun)


def read_place(data: bytes) -> None:
    """Read a checkpoint, whose every byte must be as it was written."""
    path = _written("place.safetensors", data)
    saved = read_checkpoint(path, JOB, torch.device("cpu"))
    assert float(saved.best.total) == 1.0, saved


def _written(name: str, data: bytes) -> Path:
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / name
    path.write_bytes(data)
    return path


def network_files() -> dict[str, bytes]:
    """Make a small network's file."""
    torch.manual_seed(0)
    network = StyleNetwork(["night", "wave"], (4, 8, 8), 1)
    path = _written("sound.safetensors", b"")
    store_network(network, {"license": "MIT"}, path)
    return {"network": path.read_bytes()}


def timings_files() -> dict[str, bytes]:
    """Make a table of times for this machine."""
    path = _written("sound.json", b"")
    timings.table_path = lambda threads: path
    times = {"plain": 3.0, "winograd2": 2.0, "winograd4": 1.0}
    layers = [(64, 64, 1024), (64, 128, 4096)]
    timings.store([Measured(Layer(*each), times) for each in layers], 1)
    return {"table": path.read_bytes()}


def checkpoint_files() -> dict[str, bytes]:
    """Make the checkpoint of a short run."""
    path = _written("kept.safetensors", b"")
    image, total = torch.full((1, 3, 5, 7), 0.5), torch.tensor(1.0)
    layers = {"relu1_1": total}
    terms = Terms(total, total, total, total, layers, layers, 0.3, 1.0, 0.0)
    optimizer = {"x": image, "done": 3, "pairs": ((image * 1, image * 2),)}
    place = Saved(
        Settled(0.3, [{"tiles": None}], "2.0", 1),
        {"stage": 0, "minimum": {"optimizer": optimizer}},
        (Record(0, 1, terms, 7, 0.5), Record(1, 3, terms, 7, 1.5)),
        Best(image, total),
    )
    write_checkpoint(path, JOB, place)
    return {"checkpoint": path.read_bytes()}


def run_files() -> dict[str, bytes]:
    """Make the picture of a run with its record."""
    path = _written("sound.png", b"")
    record = StoredRun(
        {"optimizer": "lbfgs"}, {"seconds": 1.5}, {"ssim": {"ssim": 0.5}}
    )
    write_record(path, np.full((7, 5, 3), 99, np.uint8), record)
    return {"run": path.read_bytes()}


TARGETS: Mapping[str, Target] = {
    "picture": Target(
        40,
        picture_files,
        (read_whole, read_sized, read_alpha, read_mask),
        (ImageError,),
    ),
    "network": Target(4, network_files, (read_network,), (NetworkError,)),
    "checkpoint": Target(
        4, checkpoint_files, (read_place,), (CheckpointError,)
    ),
    "timings": Target(2, timings_files, (read_timings,)),
    "run": Target(2, run_files, (read_run,)),
}
"""All readers by name. A new one is a line here."""


@cache
def sound_files() -> Mapping[str, Mapping[str, bytes]]:
    """Return the sound files of all targets, by target and name."""
    return {name: each.files() for name, each in TARGETS.items()}


def mutant(number: int) -> tuple[str, str, bytes]:
    """Return a target's name, a sound file's, and that file with damage."""
    rng = random.Random(number)
    shares = [each.share for each in TARGETS.values()]
    target = rng.choices([*TARGETS], shares)[0]
    files = sound_files()[target]
    name = rng.choice(sorted(files))
    return target, name, damaged(files[name], [*files.values()], rng)


def examined(number: int) -> Outcome:
    """Read a mutant in every way, until a rule is broken."""
    name, _, data = mutant(number)
    target = TARGETS[name]
    kind, slowest = "refused", 0.0
    for call in target.calls:
        clock, processor = time.perf_counter(), time.process_time()
        try:
            call(data)
            kind = "read"
        except target.refusals as error:
            if isinstance(error.__cause__ or error.__context__, MemoryError):
                return Outcome(number, "memory", f"{call.__name__}: {error!r}")
        except BaseException as error:
            return Outcome(number, "error", f"{call.__name__}: {error!r}")
        seconds = min(
            time.perf_counter() - clock, time.process_time() - processor
        )
        if seconds > SECONDS:
            told = f"{call.__name__}: {seconds:.1f} s"
            return Outcome(number, "slow", told, seconds)
        slowest = max(slowest, seconds)
    return Outcome(number, kind, "", slowest)


def work(numbers: Sequence[int], pipe: Connection, told: str) -> None:
    """Read mutants, and send what came of each: the work of a process.

    Args:
        numbers: of the mutants.
        pipe: where outcomes go, after a None once all is prepared.
        told: a file that takes what would go to the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    try:
        usual = _prepared(told)
        pipe.send(None)
        for number in numbers:
            said = Path(told).stat().st_size
            outcome = examined(number)._replace(held=_peak() - usual)
            pipe.send(_watched(outcome, Path(told).read_bytes()[said:]))
    finally:
        shutil.rmtree(_FOLDER, ignore_errors=True)


def _prepared(told: str) -> int:
    """Set the limits, and return what memory sound files take."""
    with open(told, "ab") as stream:
        os.dup2(stream.fileno(), 2)
    faulthandler.enable()
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + _ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for name, target in TARGETS.items():
        for data in sound_files()[name].values():
            for call in target.calls:
                with contextlib.suppress(*target.refusals):
                    call(data)
    return _peak()


def _peak() -> int:
    """Return the most bytes that this process has held; 0 if not known."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _watched(outcome: Outcome, said: bytes) -> Outcome:
    """Return an outcome with what shows only from outside of the reader."""
    if outcome.kind not in SOUND:
        return outcome
    if outcome.held > BYTES:
        return outcome._replace(kind="memory", text=f"{outcome.held} bytes")
    if said:
        text = said[:500].decode(errors="replace")
        return outcome._replace(kind="talks", text=text)
    return outcome


def outcomes(numbers: Sequence[int]) -> Iterator[Outcome]:
    """Read mutants in a process of their own, and yield what came of each.

    Raises:
        RuntimeError: the process does not start.
    """
    left = [*numbers]
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told"
        while left:
            told.write_bytes(b"")
            pipe, theirs = context.Pipe()
            process = context.Process(
                target=work, args=(left, theirs, str(told)), daemon=True
            )
            process.start()
            theirs.close()
            try:
                _await_start(pipe, told)
                for outcome in _heard(pipe, process, told, [*left]):
                    del left[0]
                    yield outcome
            finally:
                process.kill()
                process.join()
                pipe.close()


def _await_start(pipe: Connection, told: Path) -> None:
    try:
        if pipe.poll(STARTS):
            pipe.recv()
            return
    except EOFError:
        pass
    raise RuntimeError(f"a process does not start. It said: {_tail(told)}")


def _heard(
    pipe: Connection,
    process: multiprocessing.context.SpawnProcess,
    told: Path,
    numbers: Sequence[int],
) -> Iterator[Outcome]:
    """Yield outcomes until there are no more, or the process is of no use."""
    for number in numbers:
        try:
            if not _answers(pipe, process):
                yield Outcome(number, "hangs")
                return
            outcome = pipe.recv()
        except (EOFError, OSError):
            process.join()
            text = f"exit status {process.exitcode}. {_tail(told)}"
            yield Outcome(number, "dies", text)
            return
        yield outcome
        if outcome.held > BYTES:  # its peak would hide all later ones
            return


def _answers(
    pipe: Connection, process: multiprocessing.context.SpawnProcess
) -> bool:
    """Wait for an outcome, or the process's end; False if it hangs."""
    began, used = time.monotonic(), _used(process)
    while not pipe.poll(1.0):
        computed = _used(process) - used
        if computed > HANGS or time.monotonic() - began > SLEEPS:
            return False
    return True


def _used(process: multiprocessing.context.SpawnProcess) -> float:
    """Return the seconds that a process has computed."""
    try:
        return sum(psutil.Process(process.pid).cpu_times()[:2])
    except psutil.Error:  # it has ended, which its pipe tells
        return 0.0


def _tail(told: Path) -> str:
    return told.read_text(errors="replace")[-2000:]


def keep(outcome: Outcome, folder: Path) -> None:
    """Write a finding: the file, and what happened."""
    target, name, data = mutant(outcome.number)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.number}-{target}-{outcome.kind}"
    path.with_suffix(".bin").write_bytes(data)
    said = f"mutant {outcome.number}, {target}, of {name}: {outcome.kind}"
    path.with_suffix(".txt").write_text(
        f"{said}\n{outcome.text}\n", encoding="utf-8"
    )


class Figures(NamedTuple):
    """What is known of the mutants of a piece, or of several.

    Attributes:
        kinds: how many mutants there were of each kind of outcome.
        slowest: seconds, and the mutant's number.
        peak: bytes, and the mutant's number.
    """

    kinds: Mapping[str, int]
    slowest: tuple[float, int]
    peak: tuple[int, int]

    def plus(self, other: "Figures") -> "Figures":
        """Return the figures of both."""
        return Figures(
            Counter(self.kinds) + Counter(other.kinds),
            max(tuple(self.slowest), tuple(other.slowest)),
            max(tuple(self.peak), tuple(other.peak)),
        )


NOTHING = Figures({}, (0.0, 0), (0, 0))


def examine_piece(numbers: Sequence[int], folder: Path) -> Figures:
    """Read mutants, keep findings in a folder, and return the figures."""
    figures = NOTHING
    for each in outcomes(numbers):
        if each.kind not in SOUND:
            keep(each, folder)
        figures = figures.plus(
            Figures(
                {each.kind: 1},
                (each.seconds, each.number),
                (each.held, each.number),
            )
        )
    return figures


def examine_all(mutants: int, workers: int, out: Path) -> Iterator[Figures]:
    """Read all mutants that were not yet; yield the sums piece by piece."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "done.jsonl"
    done = _stored(path)
    pieces = [
        range(first, min(first + PIECE, mutants))
        for first in range(0, mutants, PIECE)
        if first not in done
    ]
    yield reduce(Figures.plus, done.values(), NOTHING)
    with ThreadPoolExecutor(workers) as pool:
        found = {
            pool.submit(examine_piece, each, out / "findings"): each.start
            for each in pieces
        }
        for each in as_completed(found):
            done[found[each]] = each.result()
            with path.open("a", encoding="utf-8") as stream:
                line = json.dumps([found[each], *each.result()])
                stream.write(line + "\n")
            yield reduce(Figures.plus, done.values(), NOTHING)


def _stored(path: Path) -> dict[int, Figures]:
    """Return the figures of pieces that were finished before."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {first: Figures(*figures) for first, *figures in rows}


def in_words(figures: Figures) -> str:
    """Return figures as lines to print."""
    kinds = figures.kinds
    broken = [f"{kind}: {kinds[kind]}" for kind in kinds if kind not in SOUND]
    seconds, slow = figures.slowest
    held, large = figures.peak
    return (
        f"tried {sum(kinds.values())}: read {kinds.get('read', 0)}, refused "
        f"{kinds.get('refused', 0)}, findings: {', '.join(broken) or 'none'}\n"
        f"slowest {seconds:.2f} s (mutant {slow}), peak {held / 1e6:.0f} MB "
        f"(mutant {large})"
    )


def main() -> None:
    """Read the command line, and the mutants."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="folder for what is found")
    parser.add_argument("--mutants", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=allowed().number)
    parser.add_argument("--again", type=int, help="read this one, here")
    given = parser.parse_args()
    if given.again is not None:
        print(*mutant(given.again)[:2])
        print(examined(given.again))
        return
    figures = NOTHING
    try:
        for figures in examine_all(given.mutants, given.workers, given.out):
            text = in_words(figures)
            print(text, flush=True)
            (given.out / "figures.txt").write_text(f"{text}\n", "utf-8")
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.")
        os._exit(130)  # the processes end when nobody hears them
    sys.exit(any(kind not in SOUND for kind in figures.kinds))


if __name__ == "__main__":
    main()
