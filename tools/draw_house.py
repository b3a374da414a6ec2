"""Draw the package as a house: `python tools/draw_house.py`.

Each wing is a room with the first sentence of its docstring and the names of
its modules; it stands on the rooms that it imports from. README and
CONTRIBUTING show the drawing, and a test holds it to the code.
"""

import ast
import re
import textwrap
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "styletut"
DRAWING = ROOT / "assets" / "house.svg"

GROUPS = {
    "the mathematics": (
        "#fde7c8",
        ["losses", "color", "vgg", "conventions", "objective"]
        + ["optimizers", "transfer", "instant", "video", "metrics"],
    ),
    "what the notebooks use": (
        "#d6e8f7",
        ["images", "plots", "exercises", "profiles", "studio"],
    ),
    "machinery": (
        "#e6e6e6",
        ["engines", "kernels", "memory", "cores", "values", "sweeps"]
        + ["cli"],
    ),
}

WIDTH, BOX, GAP, LINE = 1332, 208, 12, 14
LETTERS = 32
"""Characters of a line inside a room."""


def modules() -> list[str]:
    """Return the dotted names of the package's files."""
    files = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    return sorted(".".join(path.with_suffix("").parts) for path in files)


def tree_of(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    path = PACKAGE / f"{module.replace('.', '/')}.py"
    return ast.parse(path.read_text(encoding="utf-8"))


def rooms() -> dict[str, set[str]]:
    """Return the rooms that each room imports from."""
    found: dict[str, set[str]] = {}
    for module in modules():
        room = module.split(".")[0]
        if room.startswith("__"):
            continue
        below = found.setdefault(room, set())
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{each.name}" for each in node.names]
                below |= {
                    name.split(".")[1]
                    for name in names
                    if name.startswith("styletut.")
                }
        below -= {room, "__version__"}
    return found


def floors() -> list[list[str]]:
    """Return the rooms of each floor, the ground floor first."""
    below, placed = rooms(), set()
    found = []
    while len(placed) < len(below):
        floor = sorted(
            room
            for room in below
            if room not in placed and below[room] <= placed
        )
        if not floor:
            raise ValueError(f"a circle of imports: {set(below) - placed}")
        found.append(floor)
        placed |= set(floor)
    return found


def describe(room: str) -> tuple[str, str]:
    """Return the first sentence of a room's docstring, and its modules."""
    own = room if room in modules() else f"{room}.__init__"
    text = ast.get_docstring(tree_of(own)) or ""
    sentence = " ".join(text.split("\n\n")[0].split())
    inner = [
        name.removeprefix(f"{room}.")
        for name in modules()
        if name.startswith(f"{room}.") and "__init__" not in name
    ]
    chapters = [name for name in inner if re.match(r"ch\d\d_", name)]
    inner = [name for name in inner if name not in chapters]
    inner = list(dict.fromkeys(name.split(".")[0] for name in inner))
    if chapters:
        inner.insert(0, "ch01_... to ch09_...")
    return sentence.replace("`", ""), ", ".join(inner)


def draw() -> str:
    """Return the drawing as SVG."""
    parts, y = [], 46
    x = GAP
    for title, (color, _) in GROUPS.items():
        parts.append(
            f'<rect x="{x}" y="12" width="14" height="14" fill="{color}" '
            f'stroke="#666"/><text x="{x + 20}" y="24">{title}</text>'
        )
        x += 40 + 7 * len(title)
    for floor in reversed(floors()):
        drawn = [_room(room) for room in floor]
        height = max(len(lines) for lines in drawn) * LINE + 16
        left = (WIDTH - len(floor) * (BOX + GAP) + GAP) // 2
        for room, lines in zip(floor, drawn, strict=True):
            parts.append(_box(room, lines, left, y, height))
            left += BOX + GAP
        y += height + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" '
        'font-family="sans-serif" font-size="11">'
        "<title>The rooms of the package styletut. Each stands on those that "
        "it imports from.</title>"
        f'<rect width="{WIDTH}" height="{y}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _room(room: str) -> list[tuple[str, str]]:
    """Return (style, text) for each line in a room."""
    sentence, inner = describe(room)
    name = room if inner else f"{room}.py"
    return [
        ('font-weight="bold" font-size="13"', name),
        *(("", line) for line in textwrap.wrap(sentence, LETTERS)),
        *(
            ('fill="#555" font-style="italic"', line)
            for line in textwrap.wrap(inner, LETTERS)
        ),
    ]


def _box(
    room: str, lines: list[tuple[str, str]], x: int, y: int, height: int
) -> str:
    (color,) = (c for c, names in GROUPS.values() if room in names)
    texts = "".join(
        f'<text x="{x + 8}" y="{y + 18 + n * LINE}" {style}>'
        f"{escape(line)}</text>"
        for n, (style, line) in enumerate(lines)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{height}" '
        f'fill="{color}" stroke="#666" rx="4"/>{texts}'
    )


if __name__ == "__main__":
    DRAWING.write_text(draw(), encoding="utf-8")
    print(DRAWING.relative_to(ROOT))
