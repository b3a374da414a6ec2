"""Try both ends of the versions that pyproject.toml allows.

    python tools/matrix.py

For each Python that it allows, uv resolves the oldest and the newest versions
of all that the package and its extras ask for. Where that Python is on this
machine, they are installed into a fresh environment, and the tests of all
wings run there. What was not tried is told as such. pip's own settings hold
for uv, too; an environment takes 3 to 6 GB while it is there, and uv's cache
about as much.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"

LAST = 14
"""Python 3.14 is the last that is tried."""
ENDS = {"oldest": "lowest-direct", "newest": "highest"}
"""What uv calls them. The oldest are those of what pyproject.toml names: what
these need in turn is their own business."""
LATE = {"site", "browser", "bench", "proof"}
"""Extras that no test of a wing needs."""
BESIDE = {"browser", "notebooks", "project", "tools", "benchmarks"}
"""Folders of tests that are about the checkout, not about a wing."""

SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""pip's settings, and uv's variables of the same meaning."""

ON_ITS_WAY_OUT = (
    "DeprecationWarning",
    "PendingDeprecationWarning",
    "FutureWarning",
)
FILTERS = (
    "error",
    *(f"default::{kind}" for kind in ON_ITS_WAY_OUT),
    *(f"error::{kind}:(styletut|test_|conftest)" for kind in ON_ITS_WAY_OUT),
    # pandas 2.2.0 says it to each who imports it.
    r"ignore:\s*Pyarrow will become:DeprecationWarning",
)
"""A warning is an error, as ever; but that something is on its way out is one
only where this project's own code uses it. Old versions use old things."""


class Row(NamedTuple):
    """What came of one end for one Python."""

    python: str
    end: str
    resolved: str
    installed: str
    tests: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all that is asked for, and print the table."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    pythons = allowed_pythons(project["requires-python"], LAST)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pythons", nargs="+", default=pythons)
    parser.add_argument("--ends", nargs="+", default=[*ENDS], choices=ENDS)
    parser.add_argument("--tests", nargs="+", default=wings(ROOT / "tests"))
    parser.add_argument("--workers", default="auto", help="for the tests")
    parser.add_argument("--out", type=Path, default=ROOT / "matrix")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ |= uv_settings(pip_settings(), os.environ)
    extras = [each for each in project["optional-dependencies"]]
    extras = [each for each in extras if each not in LATE]
    rows = []
    for version in given.pythons:
        for end in given.ends:
            row = tried(version, end, extras, given)
            print(" | ".join(row), flush=True)
            rows.append(row)
    print(table(rows))
    return any("failed" in cell for row in rows for cell in row)


def allowed_pythons(bound: str, last: int) -> list[str]:
    """Return the versions from a bound such as ">=3.10" to 3.`last`."""
    found = re.fullmatch(r">=3\.(\d+)", bound)
    if found is None:
        raise ValueError(f"requires-python is {bound!r}, not such as '>=3.10'")
    return [f"3.{minor}" for minor in range(int(found[1]), last + 1)]


def wings(tests: Path) -> list[str]:
    """Return the tests of all wings and single modules, as paths."""
    folders = {path.parent for path in tests.glob("*/test_*.py")}
    folders = {path for path in folders if path.name not in BESIDE}
    found = sorted(folders) + sorted(tests.glob("test_*.py"))
    return [path.relative_to(tests.parent).as_posix() for path in found]


def pip_settings() -> dict[str, str]:
    """Return pip's settings on this machine; a later source wins."""
    listed = run([sys.executable, "-m", "pip", "config", "list"])
    return read_settings(listed.stdout.splitlines())


def read_settings(lines: Iterable[str]) -> dict[str, str]:
    """Return the settings in what `pip config list` prints."""
    found: dict[str, str] = {}
    order = ("global", "install", ":env:")
    for section in order:
        for line in lines:
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                key = name.removeprefix(f"{section}.").lstrip(".")
                found[key] = str(ast.literal_eval(value))
    return found


def uv_settings(
    pip: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return variables by which uv looks where pip looks.

    What the environment says already stays. As pip does, uv takes the best
    version of all indexes, and no Python is downloaded.
    """
    found = {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
        **{SETTINGS[key]: pip[key] for key in pip if key in SETTINGS},
    }
    return {k: v for k, v in found.items() if k not in environment}


def tried(
    version: str, end: str, extras: Sequence[str], given: argparse.Namespace
) -> Row:
    """Resolve, install and test one end for one Python."""
    name = given.out / f"{version}-{end}"
    listing = name.with_name(f"{name.name}.txt")
    row = Row(version, end, "failed", "not run", "not run")
    if not resolve(version, end, extras, listing):
        return row
    packages = listing.read_text(encoding="utf-8").split("\n")
    row = row._replace(resolved=f"{sum('==' in line for line in packages)}")
    python = interpreter(version)
    if python is None:
        return row._replace(installed=f"not run: no Python {version} here")
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        own = Path(folder) / "venv" / "bin" / "python"
        if not install(python, own, listing):
            return row._replace(installed="failed")
        row = row._replace(installed="yes")
        log = name.with_name(f"{name.name}.log")
        return row._replace(tests=test(own, given, log))


def uv(*arguments: str | Path) -> bool:
    """Run uv, print what went wrong, and return whether nothing did."""
    result = run([sys.executable, "-m", "uv", "-q", *map(str, arguments)])
    if result.returncode != 0:
        print(result.stderr, file=sys.stderr)
    return result.returncode == 0


def resolve(
    version: str, end: str, extras: Sequence[str], listing: Path
) -> bool:
    """Write the versions of one end, of what has a wheel for this machine."""
    return uv(
        *("pip", "compile", PYPROJECT, "-o", listing, "--upgrade"),
        *("--python-version", version, "--resolution", ENDS[end]),
        *("--only-binary", ":all:"),
        *(word for extra in extras for word in ("--extra", extra)),
    )


def install(python: str, own: Path, listing: Path) -> bool:
    """Make an environment of these versions, with the package itself."""
    into = ("pip", "install", "--python", own)
    return (
        uv("venv", "--python", python, own.parents[1])
        and uv(*into, "-r", listing)
        and uv(*into, "--no-deps", "-e", ROOT)
    )


def interpreter(version: str) -> str | None:
    """Return a Python of a version that runs here; None for none."""
    candidates = [f"python{version}"]
    if shutil.which("pyenv"):
        folder = Path(run(["pyenv", "root"]).stdout.strip()) / "versions"
        found = sorted(folder.glob(f"{version}.*/bin/python"))
        candidates += map(str, found)
    for each in candidates:
        path = shutil.which(each)
        if path and run([path, "-c", "import ssl, venv"]).returncode == 0:
            return path
    return None


def test(python: Path, given: argparse.Namespace, log: Path) -> str:
    """Run the tests in an environment, and return pytest's last line."""
    result = run(
        [
            *(str(python), "-m", "pytest", "-q", "-n", given.workers),
            *("-p", "no:cacheprovider", "--tb=short"),
            *("-o", "filterwarnings=" + "\n".join(FILTERS)),
            *given.tests,
        ]
    )
    log.write_text(result.stdout + result.stderr, encoding="utf-8")
    *_, last = result.stdout.rstrip().split("\n")
    last = re.sub(r" in [\d.]+s.*", "", last).strip("= ")
    if result.returncode != 0 and "failed" not in last:
        return f"failed: {last}"
    return last


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command from the root of the checkout."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table."""
    head = Row("Python", "end", "packages resolved", "installed", "tests")
    lines = [head, Row(*("---",) * len(head)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
