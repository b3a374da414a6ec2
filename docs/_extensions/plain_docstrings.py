"""Docstrings are plain text with code in single backticks.

What reStructuredText would take for more, a bar of a norm or a name that ends
in an underscore, is told apart before Sphinx reads it, and so are lines of
code, which are set in after a colon.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

CODE = re.compile(r"(``.+?``|`.+?`)")
MARKS = re.compile(r"\||(?<=\w)_(?!\w)")


def plain(line: str) -> str:
    """Return a line in which bars and last underscores are letters."""
    parts = CODE.split(line)
    # what is between code is at even places
    parts[::2] = [MARKS.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def process(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: Any
) -> None:
    """Change the lines of a docstring in place, as autodoc wants it."""
    lines[:] = with_code_blocks([plain(line) for line in lines])


def with_code_blocks(lines: list[str]) -> list[str]:
    """Return lines in which what is set in after a colon is code."""
    found = list(lines)
    for number, (line, empty, following) in enumerate(
        zip(lines, lines[1:], lines[2:], strict=False)
    ):
        deeper = len(following) - len(following.lstrip()) > len(line) - len(
            line.lstrip()
        )
        if line.endswith(":") and not empty.strip() and deeper:
            found[number] = f"{line}:"
    return found


def hide_folders(app: Sphinx, document: nodes.document) -> None:
    """Leave out values that are folders: they are those of this machine."""
    for value in list(document.findall(addnodes.desc_annotation)):
        if "Path(" in value.astext():
            value.parent.remove(value)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of it: before napoleon, which has the usual place."""
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("doctree-read", hide_folders)
    return {"parallel_read_safe": True}
