"""Docstrings are plain text with code in single backticks.

What reStructuredText would take for more, a bar of a norm or a name that ends
in an underscore, is told apart before Sphinx reads it, and so are lines of
code, which are set in after an empty line.
"""

import re
from collections.abc import Iterable, Iterator
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
    lines[:] = plain_outside_code(with_code_blocks(lines))


def with_code_blocks(lines: list[str]) -> list[str]:
    """Return lines in which what is set in after an empty line is code.

    In Google's style what a heading such as "Args:" has below it follows at
    once, without an empty line.
    """
    found: list[str] = []
    for number, line in enumerate(lines):
        found.append(line)
        above = lines[number - 1] if number else ""
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line.strip() or not above.strip() or not below.strip():
            continue
        if _depth(below) > _depth(above) and below.lstrip()[0] not in "-*>":
            if above.endswith(":"):
                found[-2] = f"{above}:"
            else:
                found += [" " * _depth(above) + "::", ""]
    return found


def plain_outside_code(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, plain where they are no code."""
    depth = None  # of the line that says that code follows
    for line in lines:
        if depth is not None and (not line.strip() or _depth(line) > depth):
            yield line
        else:
            depth = _depth(line) if line.endswith("::") else None
            yield plain(line)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def readable(
    app: Sphinx,
    what: str,
    name: str,
    thing: Any,
    options: Any,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Return a signature that Sphinx can read.

    A field of a dataclass that is made by a function has no value to show.
    """
    if signature is not None:
        signature = signature.replace("<factory>", "...")
    return signature, returned


def hide_folders(app: Sphinx, document: nodes.document) -> None:
    """Leave out values that are folders: they are those of this machine."""
    for value in list(document.findall(addnodes.desc_annotation)):
        if "Path(" in value.astext():
            value.parent.remove(value)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of it: before napoleon, which has the usual place."""
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("autodoc-process-signature", readable)
    app.connect("doctree-read", hide_folders)
    return {"parallel_read_safe": True}
