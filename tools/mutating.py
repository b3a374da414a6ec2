"""All small changes of a source text that mutmut's operators make.

What a reader or a type checker sees, and a run does not, is left as it is:
annotations, imports, `__all__`, docstrings, decorators, and the wording of
errors and warnings, and any string with a space in it. That an error is
raised, which one, and with which values is not wording, and counts.
"""

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst
from libcst.metadata import (
    MetadataWrapper,
    PositionProvider,
    WhitespaceInclusivePositionProvider,
)
from mutmut.mutation.mutators import mutation_operators

UNTOUCHED = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator)
UNTOUCHED_CALLS = {"cast", "isinstance", "len", "TypeVar"}
"""Functions whose arguments are types, or whose call without one of them is
an error at once that says nothing of the tests."""
TYPES = {"Literal", "Callable", "Union", "Annotated"}


class Change(NamedTuple):
    """A part of a source text, and what stands in its place.

    Attributes:
        begin: index of its first character.
        end: index after its last character.
        text: in its place.
        lines: first and last line of the code that tells whether a test
            reaches it, from 1.
        place: the function or class around it, dotted.
    """

    begin: int
    end: int
    text: str
    lines: tuple[int, int]
    place: str


class Mutant(NamedTuple):
    """A change of a file, under a name.

    Attributes:
        name: the same as long as the lines that change are.
        file: path from the root of the checkout.
        line: of the change, from 1.
        old: the whole lines that change.
        new: what they become.
        change: of the file's text.
    """

    name: str
    file: str
    line: int
    old: str
    new: str
    change: Change


def changes_of(source: str) -> list[Change]:
    """Return all changes, in the order of the text."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    visitor = _Changes(source, wrapper.module)
    wrapper.visit(visitor)
    return visitor.found


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Return all changes of a file's text, each under a name of its own."""
    seen: Counter[str] = Counter()
    mutants = []
    for change in changes_of(source):
        old, new = _changed_lines(source, change)
        told = "\n".join((file, change.place, old, new))
        seen[told] += 1
        digest = hashlib.sha256(f"{told}\n{seen[told]}".encode()).hexdigest()
        line = source.count("\n", 0, change.begin) + 1
        name = f"{file.removeprefix('styletut/')}:{digest[:8]}"
        mutants.append(Mutant(name, file, line, old, new, change))
    return mutants


def changed(source: str, change: Change) -> str:
    """Return a source text with a change."""
    return source[: change.begin] + change.text + source[change.end :]


def is_other_program(source: str, text: str) -> bool:
    """Return whether a text is Python, and another program than a source."""
    try:
        return ast.dump(ast.parse(text)) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


def _changed_lines(source: str, change: Change) -> tuple[str, str]:
    """Return the lines around a change before and after it."""
    begin = source.rfind("\n", 0, change.begin) + 1
    end = source.find("\n", change.end)
    end = len(source) if end < 0 else end
    before, after = source[begin : change.begin], source[change.end : end]
    return source[begin:end], before + change.text + after


class _Changes(cst.CSTVisitor):
    """Collects changes while it walks through a module."""

    METADATA_DEPENDENCIES = (
        PositionProvider,
        WhitespaceInclusivePositionProvider,
    )

    def __init__(self, source: str, module: cst.Module) -> None:
        self.found: list[Change] = []
        self.source, self.module = source, module
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.statements: list[cst.CSTNode] = []
        self.places: list[str] = []
        self.blocks = self.wording = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, UNTOUCHED) or _is_for_types(node):
            return False
        if isinstance(node, cst.BaseStatement | cst.SimpleStatementLine):
            self.statements.append(node)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.places.append(node.name.value)
        self.blocks += isinstance(node, cst.IndentedBlock)
        self.wording += _is_wording(node)
        self.found.extend(self._changes(node))
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, UNTOUCHED) or _is_for_types(node):
            return
        if isinstance(node, cst.BaseStatement | cst.SimpleStatementLine):
            self.statements.pop()
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.places.pop()
        self.blocks -= isinstance(node, cst.IndentedBlock)
        self.wording -= _is_wording(node)

    def _changes(self, node: cst.CSTNode) -> Iterator[Change]:
        if isinstance(node, cst.Call) and _called(node) in UNTOUCHED_CALLS:
            return
        if isinstance(node, cst.BaseString) and (
            self.wording or " " in self.module.code_for_node(node)
        ):
            return
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for other in operator(node):
                    yield self._change(node, other)

    def _change(self, node: cst.CSTNode, other: cst.CSTNode) -> Change:
        span = self.get_metadata(WhitespaceInclusivePositionProvider, node)
        begin = self.starts[span.start.line - 1] + span.start.column
        end = self.starts[span.end.line - 1] + span.end.column
        assert self.source[begin:end] == self._code(node)
        text = self._code(other)
        first = span.start.line
        if self.statements:
            around = self.get_metadata(PositionProvider, self.statements[-1])
            first = around.start.line
        lines = (first, span.end.line)
        return Change(begin, end, text, lines, ".".join(self.places))

    def _code(self, node: cst.CSTNode) -> str:
        """Return a node's text where it stands, inside of these blocks."""
        code = self.module.code_for_node(node)
        return re.sub(r"\n(?!\n)", "\n" + "    " * self.blocks, code)


def _called(node: cst.Call) -> str:
    """Return the last name of what is called."""
    function = node.func
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def _is_wording(node: cst.CSTNode) -> bool:
    """Return whether strings in here are read by people alone."""
    return isinstance(node, cst.Raise) or (
        isinstance(node, cst.Call) and _called(node) == "warn"
    )


def _is_for_types(node: cst.CSTNode) -> bool:
    """Return whether this is `__all__` or names a type."""
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        return isinstance(target, cst.Name) and target.value == "__all__"
    return (
        isinstance(node, cst.Subscript)
        and isinstance(node.value, cst.Name)
        and node.value.value in TYPES
    )
