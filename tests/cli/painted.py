"""What the command line has painted, for the tests of folders and names."""

from pathlib import Path

from PIL import Image

TINY = ["--size", "32", "--evaluations", "2", "--precision", "float32"]
"""Options of a run that takes a moment."""


def names_in(folder):
    return sorted(each.name for each in Path(folder).iterdir())


def text_of(path):
    with Image.open(path) as picture:
        return dict(picture.text)
