"""The command line: `styletut PHOTO... STYLE -o OUT`.

This module imports nothing heavy, so that `--version` is quick and
`--doctor` works where torch does not.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any, NoReturn

from styletut import __version__
from styletut.cores.threads import check_threads, set_threads
from styletut.cores.waiting import choose_waiting

DESCRIPTION = """\
Paint photos in the style of a picture (Gatys, Ecker, Bethge). PHOTO and STYLE
are names of sample pictures (see --samples), paths, http(s) addresses, or -
for what comes by standard input; the last is the style. A sample's name is
always the sample: write ./night for a file called night. Several photos, or a
folder of them, need a folder to go to: -o painted/. Defaults are those of the
convention styletut; another one has its own. Ctrl-C saves the best picture so
far. `styletut studio` opens a page in the browser instead; a photo called
studio is ./studio."""

INSTALL = "`python -m styletut --doctor` tells what is missing and the remedy"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command's name; sys.argv's if None.

    Returns:
        The exit status: 0 for a picture, 1 for a run that broke off or a
        machine where none can be made, 2 for bad input, 130 for an
        interrupt.

    Raises:
        SystemExit: after --help and --version (0), or for bad input (2).
    """
    if sys.stderr is None:  # closed: paint all the same, and be silent
        sys.stderr = io.StringIO()
    # A file's name may hold letters that this terminal cannot show.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    given = parse(arguments)
    doctor, samples = given.pop("doctor", False), given.pop("samples", False)
    tune = given.pop("tune", False)
    pictures = given.pop("pictures")
    waiting = choose_waiting()
    try:  # torch takes a second to load, and may be missing or broken
        if doctor:
            from styletut.cli.doctor import examine

            threads = given.get("threads")
            return _written(lambda: examine(waiting, threads))
        if samples:
            return _written(_list_samples)
        set_threads(given.get("threads"))
        if tune:
            from styletut.cli.tuning import tune as measure

            return measure()
        from styletut.cli.painting import paint
    except (ImportError, OSError) as error:
        sys.stderr.write(f"styletut: error: {error}; {INSTALL}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("styletut: interrupted; nothing is written\n")
        return 130
    return paint(pictures, given.pop("output", None), given)


def parse(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what was typed, by name; what was not is left out.

    Args:
        arguments: as `main` takes them.

    Raises:
        SystemExit: as `main` does.
    """
    parser = _parser()
    given = vars(parser.parse_intermixed_args(arguments))
    kept = {k: v for k, v in given.items() if v is not None and v is not False}
    alone = {"doctor", "samples", "tune"} & kept.keys()
    if not alone and len(kept["pictures"]) < 2:
        parser.error("give a PHOTO and a STYLE; --help tells more")
    return kept


class _Parser(argparse.ArgumentParser):
    """A parser with errors of one line, and the known names in its help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")

    def format_help(self) -> str:
        return super().format_help() + _known_names()


def _known_names() -> str:
    """The names that options take, read only for the help: torch is slow."""
    try:
        from styletut.conventions import CONVENTIONS
        from styletut.optimizers import OPTIMIZERS
        from styletut.transfer.plan import STARTS
        from styletut.vgg import LAYERS
    except (ImportError, OSError) as error:
        return f"\n{error}; {INSTALL}\n"
    lists = {
        "conventions": [
            name
            for name, convention in CONVENTIONS.items()
            if convention.network == "vgg19" and convention.style_factor
        ],
        "optimizers": OPTIMIZERS,
        "starts": STARTS,
        "layers": LAYERS,
    }
    return "\n" + "".join(
        fill(f"{title}: {', '.join(names)}", 79, subsequent_indent="  ") + "\n"
        for title, names in lists.items()
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "styletut",
        usage="styletut [options] PHOTO... STYLE",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "pictures",
        nargs="*",
        metavar="PHOTO... STYLE",
        help="what the pictures show, and how they are painted",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        help=".png, .jpg, .webp, .tif or .avif to write, over what is there "
        "(a run that is stopped leaves a finished picture, and takes a name "
        "beside it); or a folder, with a slash at its end, for "
        "PHOTO-STYLE.png, where what the same command has painted before is "
        "left as it is; or - for a PNG to standard output (default: that name "
        "in this folder, numbered if there is one)",
    )

    add(
        "--preview",
        metavar="FILE",
        help=".png or .jpg to which the picture is written as it grows, every "
        "few evaluations; a viewer that looks again shows it coming",
    )

    picture = parser.add_argument_group("the picture").add_argument
    picture(
        "--strength",
        type=float,
        metavar="NUMBER",
        help="of the style: 0 is the photo, 1 the default's look, 2 much "
        "(default: 1)",
    )
    picture(
        "--instant",
        action="store_true",
        help="paint in one pass, in about a second, by a network that knows "
        "the sample styles; of the other options it takes --strength up to "
        "1, --mix with numbers, --size and --threads",
    )
    picture(
        "--frames",
        action="store_true",
        help="the photos are frames of a film, in their order, and each is "
        "painted to follow the one before, into a folder or a film: -o "
        "painted/ or -o painted.mp4; a PHOTO that is a film itself means "
        "this, too",
    )
    picture(
        "--color",
        metavar="WHOSE",
        help="style; match, for the photo's colors: the style picture is "
        "given them first; or luminance: light alone is painted, under the "
        "photo's color (default: style)",
    )
    picture(
        "--size",
        type=int,
        metavar="PIXELS",
        help="longer side of the result; for 512 read 1024 with --instant "
        "(default: 512, or the photo's if that is smaller)",
    )
    picture(
        "--style-size",
        type=int,
        metavar="PIXELS",
        help="longer side of the style picture; larger gives larger strokes "
        "(default: that of the result)",
    )
    picture(
        "--mask",
        nargs=2,
        action="append",
        metavar=("MASK", "STYLE"),
        help="a region with a style of its own, where the picture MASK is "
        "white; may be given again, and what all masks leave has the last "
        "STYLE of the command",
    )
    picture(
        "--style-mask",
        nargs=2,
        action="append",
        metavar=("STYLE", "MASK"),
        help="what counts of a style picture, where MASK is white (default: "
        "all that is not transparent)",
    )
    picture(
        "--mix",
        metavar="WEIGHTS",
        help="weights of several styles, which come last: 0.7,0.3 mixes two; "
        "fine,coarse takes strokes from the first and shapes from the second "
        "(default: one style)",
    )
    picture(
        "--alpha",
        type=float,
        metavar="WEIGHT",
        help="weight of the content (default: 0.1 of the untouched photo's "
        "style loss, 0.3 at most)",
    )
    picture(
        "--beta",
        type=float,
        metavar="WEIGHT",
        help="weight of the style (default: 1)",
    )
    picture(
        "--gamma",
        type=float,
        metavar="WEIGHT",
        help="weight of the total variation; 1e-5 to 1e-4 take colored grain "
        "away (default: 0)",
    )
    picture(
        "--content-layers",
        metavar="LAYERS",
        help="names, as in relu4_2, or names with weights, as in "
        "relu4_2=1,relu5_2=0.5 (default: relu4_2)",
    )
    picture(
        "--style-layers",
        metavar="LAYERS",
        help="the same for the style (default: "
        "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1)",
    )
    picture(
        "--guidance",
        metavar="WAY",
        help="how masks are taken to a layer: simple, inside or all "
        "(default: simple)",
    )
    picture(
        "--statistic",
        metavar="NAME",
        help="what is compared with the style: gram, moments, wasserstein "
        "or sliced (default: gram)",
    )

    run = parser.add_argument_group("the run").add_argument
    run(
        "--convention",
        metavar="NAME",
        help="whose formulas and numbers are used (default: styletut)",
    )
    run(
        "--evaluations",
        type=int,
        metavar="N",
        help="evaluations of the loss, over all sizes; of a film for the "
        "first frame, and half for each other one (default: 60)",
    )
    run(
        "--schedule",
        metavar="STAGES",
        help="sizes with their evaluations, coarse to fine, instead of "
        "--size and --evaluations, as in 128:40,256:60",
    )
    run(
        "--optimizer",
        metavar="NAME",
        help="what lowers the loss (default: spectral_lbfgs)",
    )
    run(
        "--start",
        metavar="START",
        help="name of a start (below), or a picture to go on from, given as "
        "PHOTO is and of its ratio of sides: its detail is kept, and without "
        "--schedule no size below its own is painted but the last (default: "
        "color)",
    )
    run("--seed", type=int, metavar="N", help="of the noise (default: 0)")
    run(
        "--checkpoint",
        metavar="FILE",
        help="NAME.safetensors, which keeps the place of the run: it is "
        "written at each size, every 10 evaluations and at an interrupt, has "
        "about 400 bytes for each pixel, and goes when the picture is saved; "
        "for several photos a folder, with a slash at its end",
    )
    run(
        "--resume",
        action="store_true",
        help="go on from the checkpoint, to the picture that would have come; "
        "where there is none, begin",
    )
    run(
        "--device",
        metavar="NAME",
        help="auto, cpu, cuda, mps or another of torch's (default: auto)",
    )
    run(
        "--threads",
        type=_threads,
        metavar="N",
        help="of the CPU; fewer leave cores to other programs (default: one "
        "for each core that this process may use, or OMP_NUM_THREADS)",
    )
    run(
        "--precision",
        metavar="NAME",
        help="of the network: auto, float32, tf32 or bfloat16; auto changes "
        "nothing that is seen (default: auto)",
    )

    about = parser.add_argument_group("instead of a picture").add_argument
    about("--samples", action="store_true", help="list the sample pictures")
    about(
        "--doctor",
        action="store_true",
        help="tell what this machine has, and how to get what is missing",
    )
    about(
        "--tune",
        action="store_true",
        help="measure for a minute which algorithm convolves fastest "
        "with this machine's CPU, and remember it in the cache folder",
    )
    about("--version", action="version", version=f"styletut {__version__}")
    return parser


def _threads(text: str) -> int:
    """Read what was typed for --threads."""
    try:
        threads = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no whole number; write it as in --threads 2"
        ) from None
    try:
        check_threads(threads)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return threads


def _written(tell: Callable[[], int]) -> int:
    """Return the status of what prints, or say that it cannot be printed."""
    if sys.stdout is None:
        sys.stderr.write("styletut: error: standard output is closed\n")
        return 1
    try:
        status = tell()
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"styletut: error: it cannot be written: {error}\n")
        sys.stdout = io.StringIO()  # or Python would try once more, and fail
        return 1
    return status


def _list_samples() -> int:
    from styletut.images import MASKS, SAMPLES

    for each in (*SAMPLES.values(), *MASKS.values()):
        print(f"{each.name:<18}{each.kind:<9}{each.title}")
    return 0
