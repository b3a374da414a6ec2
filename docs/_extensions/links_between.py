"""Links between formulas, text and docstrings.

A formula with a number, `\\tag{2.1}`, can be pointed at. Wherever a page says
(2.1), in a notebook or in a docstring, that becomes a link to it; and wherever
one names a function or class of the package in code letters, that becomes a
link to its place in the reference.
"""

import importlib
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

TAG = re.compile(r"\\tag\{(\d+\.\d+)\}")
MENTION = re.compile(r"\((\d{1,2}\.\d{1,2})\)")
NAME = re.compile(r"(?:styletut\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\(\))?")

NOT_IN = (nodes.literal, nodes.literal_block, nodes.reference, nodes.title)
"""Where a number in parentheses is no mention of a formula."""


class NumberFormulas(SphinxTransform):
    """Give each formula with a number a name that links can point at."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Note where each number is.

        Raises:
            ExtensionError: if two formulas have one number.
        """
        known = formulas(self.app)
        for block in self.document.findall(nodes.math_block):
            for number in TAG.findall(block.astext()):
                page, anchor = self.env.docname, f"formula-{number}"
                if number in known:
                    raise ExtensionError(
                        f"({number}) is in {known[number][0]} and in {page}"
                    )
                known[number] = (page, anchor)
                block["ids"].append(anchor)
                _keep_its_lines(block)


class LinkFormulas(SphinxPostTransform):
    """Make a link of each mention of a formula."""

    default_priority = 700

    def run(self, **kwargs: Any) -> None:
        """Replace text such as (2.1)."""
        known = formulas(self.app)
        for text in list(self.document.findall(nodes.Text)):
            if not _is_in(text, NOT_IN) and MENTION.search(text):
                text.parent.replace(text, list(self._linked(text, known)))

    def _linked(self, text: nodes.Text, known: dict[str, Any]) -> Any:
        end = 0
        for found in MENTION.finditer(text):
            if found[1] not in known:
                continue
            yield nodes.Text(text[end : found.start()])
            docname, anchor = known[found[1]]
            yield _link(self, found[0], docname, anchor)
            end = found.end()
        yield nodes.Text(text[end:])


class LinkNames(SphinxPostTransform):
    """Make a link of each function or class that a page names."""

    default_priority = 701

    def run(self, **kwargs: Any) -> None:
        """Replace code such as `losses.content_loss`."""
        objects = self.env.get_domain("py").objects
        alone = names_that_are_alone(objects)
        for code in list(self.document.findall(nodes.literal)):
            if _is_in(code, (nodes.reference, nodes.title)):
                continue
            found = NAME.fullmatch(code.astext())
            name = found and (
                documented(found[1], objects) or alone.get(found[1])
            )
            if name:
                place = objects[name]
                link = _link(self, "", place.docname, place.node_id)
                code.parent.replace(code, link)
                link += code


def documented(name: str, objects: Any) -> str | None:
    """Return the full name of what a page calls by a short one.

    Args:
        name: as in `losses.content_loss`, or that of a thing which a room
            hands on, or which the package itself does.
        objects: all that the reference has, by full name.
    """
    for full in (name, f"styletut.{name}"):
        if full in objects:
            return full
    module, _, last = name.rpartition(".")
    try:
        room = importlib.import_module(f"styletut.{module}".rstrip("."))
        thing = getattr(room, last, None)
    except ImportError:
        return None
    home = getattr(thing, "__module__", None)
    full = f"{home}.{getattr(thing, '__qualname__', '')}"
    if full in objects:
        return full
    return None


def _keep_its_lines(block: nodes.math_block) -> None:
    """Say how a formula of several lines is to be set.

    Sphinx would put it into an environment that allows no number.
    """
    text = block.astext()
    if r"\\" in text:
        block[:] = [nodes.Text(rf"\begin{{gather*}}{text}\end{{gather*}}")]
        block["no-wrap"] = block["nowrap"] = True


def names_that_are_alone(objects: Any) -> dict[str, str]:
    """Return the full name of each function or class by its last part.

    Left out are those of which there are several.
    """
    kinds = {"function", "class", "exception"}
    full: dict[str, list[str]] = {}
    for name, entry in objects.items():
        if entry.objtype in kinds and not entry.aliased:
            full.setdefault(name.rpartition(".")[2], []).append(name)
    return {last: names[0] for last, names in full.items() if names[1:] == []}


def formulas(app: Sphinx) -> dict[str, tuple[str, str]]:
    """Return page and anchor of each formula by its number."""
    if not hasattr(app, "formulas"):
        app.formulas = {}  # type: ignore[attr-defined]
    return app.formulas  # type: ignore[attr-defined, no-any-return]


def _is_in(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False


def _link(
    transform: SphinxPostTransform, text: str, docname: str, anchor: str
) -> nodes.reference:
    builder, here = transform.app.builder, transform.env.docname
    page = builder.get_relative_uri(here, docname) if docname != here else ""
    link = nodes.reference("", "", refuri=f"{page}#{anchor}", internal=True)
    if text:
        link += nodes.Text(text)
    return link


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of the three."""
    app.add_transform(NumberFormulas)
    app.add_post_transform(LinkFormulas)
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": False, "parallel_write_safe": False}
