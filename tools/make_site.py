"""Build the site: `python tools/make_site.py [--out site]`.

The pages of docs, the committed notebooks with their outputs, a page for each
room of the package and one for the gallery are put into one folder, and
Sphinx makes a site of it. Nothing is executed, and nothing downloaded. A
warning is an error.
"""

import argparse
import csv
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import styletut

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, DOCS = ROOT / "notebooks", ROOT / "docs"
GALLERY = NOTEBOOKS / "results" / "cpu" / "gallery"

ROOMS = (
    ("The mathematics", "losses color vgg conventions objective optimizers"),
    ("From a photo to a picture", "transfer instant video metrics"),
    ("What the notebooks use", "images plots exercises profiles sweeps"),
    ("Machinery", "engines kernels memory cores values"),
)
"""Which rooms the reference has, in its order, under which title."""

MADE = {"source", "html", "cache", "jupyter_execute"}
"""What is made in the folder."""

LEFT_OUT = ("exercises.ch",)
"""Beginnings of modules that the reference leaves out: answers are no
reference."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    out = parser.parse_args(arguments).out
    source, html = out / "source", out / "html"
    if out.exists() and not (out.is_dir() and _found(out) <= MADE):
        parser.error(f"{out} holds other files; name a folder of its own")
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    gather(source)
    status = build(source, html, out / "cache")
    if status == 0:
        print(f"The site is made: open {html / 'index.html'}")
    return status


def build(source: Path, made: Path, cache: Path, *, kind: str = "html") -> int:
    """Let Sphinx read a folder and write another; return its exit status.

    Args:
        source: what `gather` has put together.
        made: for the pages.
        cache: for what Sphinx keeps.
        kind: Sphinx's builder; "dummy" reads and links, and writes nothing.
    """
    command = [
        *(sys.executable, "-m", "sphinx", "-b", kind, "-E", "-q"),
        *("-W", "--keep-going", "-d", str(cache)),
        *(str(source), str(made)),
    ]
    return subprocess.call(command)


def _found(folder: Path) -> set[str]:
    """Return the names in a folder, less those that a system puts there."""
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.startswith(".")}


def gather(source: Path) -> None:
    """Put everything that the site is made of into a folder."""
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        NOTEBOOKS,
        source / "notebooks",
        ignore=shutil.ignore_patterns("*.py", "*.cfg", "results", ".*"),
    )
    shutil.copytree(GALLERY, source / "notebooks/results/cpu/gallery")
    shutil.copytree(ROOT / "assets", source / "assets")
    (source / "gallery.md").write_text(gallery_page(), encoding="utf-8")
    (source / "api").mkdir()
    for name, text in reference_pages():
        page = source / "api" / f"{name}.md"
        page.write_text(text, encoding="utf-8")


def gallery_page() -> str:
    """Return the page of the gallery: pictures, and how they were made."""
    with GALLERY.with_suffix(".csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parts = [
        "# Gallery\n",
        "Painted by this package on a CPU, most of them 1024 pixels on the "
        "longer side, each by the command below it. The photos come with "
        "scikit-image, the style pictures with the course. [Notebook "
        "07](notebooks/07_a_full_run.ipynb) tells how they were made.\n",
    ]
    for row in rows:
        photo, style = row["content"], row["style"]
        (picture,) = GALLERY.glob(f"{photo}-{style}-*.jpg")
        path = picture.relative_to(ROOT).as_posix()
        titles = [styletut.SAMPLES[name].title for name in (photo, style)]
        alt = f"{titles[0]}, painted like: {titles[1]}."
        parts.append(
            f"## {photo.capitalize()}, {style}\n\n![{alt}]({path})\n\n"
            f"{titles[0]}, as {titles[1]}:\n\n    {command_of(row)}\n"
        )
    return "\n".join(parts)


def command_of(row: Mapping[str, str]) -> str:
    """Return the command that paints a picture of the gallery."""
    numbers = row["schedule"].split()
    stages = zip(numbers[::2], numbers[1::2], strict=True)
    schedule = ",".join(f"{size}:{count}" for size, count in stages)
    return (
        f"styletut {row['content']} {row['style']} --alpha {row['alpha']} "
        f"--schedule {schedule} --precision {row['precision']}"
    )


def reference_pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page of the reference."""
    lists = []
    for title, rooms in ROOMS:
        names = rooms.split()
        entries = "\n".join(names)
        lists.append(
            f"## {title}\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
        )
        for name in names:
            yield name, reference_page(name)
    text = (
        "# Reference\n\nEvery public function and class, room by room, out "
        "of the docstrings. A number in parentheses leads to the formula in "
        "the notebooks.\n"
    )
    yield "index", "\n".join([text, *lists])


def reference_page(room: str) -> str:
    """Return the page of a room: its own text, then each module."""
    modules = [f"styletut.{room}", *inner_modules(room)]
    parts = [f"# `{room}`\n"]
    for module in modules:
        face = module == modules[0] and len(modules) > 1
        if module != modules[0]:
            parts.append(f"## `{module.removeprefix('styletut.')}`\n")
        members = "" if face else "   :members:\n"
        parts.append(
            f"```{{eval-rst}}\n.. automodule:: {module}\n{members}```\n"
        )
    return "\n".join(parts)


def inner_modules(room: str) -> list[str]:
    """Return the modules of a room that is a folder."""
    folder = Path(styletut.__file__).parent / room
    found = pkgutil.walk_packages([str(folder)], f"{room}.")
    names = [each.name for each in found if not each.ispkg]
    return [
        f"styletut.{name}" for name in names if not name.startswith(LEFT_OUT)
    ]


if __name__ == "__main__":
    sys.exit(main())
