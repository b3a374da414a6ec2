"""Which tests reach a line, and whether one of them notices a change there.

Everything runs on copies of the checkout, in processes that are forked from
one which has the large packages in memory, so that a judgment need not wait
for them to load.
"""

import compileall
import contextlib
import functools
import gc
import hashlib
import json
import multiprocessing
import os
import py_compile
import resource
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

PACKAGES = (
    *("torch", "torchvision", "skimage", "scipy", "PIL.Image", "psutil"),
    *("pytest", "xdist", "hypothesis", "hypothesis.extra.numpy"),
)
"""What the tests load, and no change touches."""

COPIED = ("styletut", "tests")
MEMORY = 12 * 2**30
"""Bytes that a judgment may take: a change may ask for any number."""

PATIENCE, START = 4.0, 60.0
"""A judgment is broken off after so many times what its tests took without
the change, and these seconds more."""

RAN = 40
"""Is added to the exit status of pytest, to tell it from that of a process
that never came so far."""
FAILED = (1, 2, 3)
"""Where a test failed, a file could not be loaded, or pytest itself broke."""

EVERYWHERE = "everywhere"
"""Reached by what is loaded, or made once for all tests."""


class Reach(NamedTuple):
    """What the tests do without a change.

    Attributes:
        seconds: that each test takes.
        tests: which tests reach a line, by file and line; `EVERYWHERE` or the
            path of a file of tests stands for all that is in it.
    """

    seconds: Mapping[str, float]
    tests: Mapping[str, Mapping[int, set[str]]]


class Verdict(NamedTuple):
    """What the tests say of a change.

    Attributes:
        outcome: "killed", "survived", "timed out", or "unreached" where no
            test runs the line.
        seconds: that it took.
        by: the test that noticed it first; "" for none, or for a change by
            which nothing can be loaded.
    """

    outcome: str
    seconds: float
    by: str


def start(
    packages: Sequence[str] = PACKAGES,
) -> multiprocessing.context.ForkServerContext:
    """Return what starts processes that have these packages in memory."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*packages, __name__])
    return context


def copy_checkout(root: Path, folder: Path) -> None:
    """Copy what is changed or tested, and point to all else.

    Compiled files are made for the copy that hold for the text they were made
    of: two changes within a second, of one length, are no longer confused.
    """
    folder.mkdir(parents=True)
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    for path in root.iterdir():
        if path.name in COPIED:
            shutil.copytree(path, folder / path.name, ignore=skip)
        elif not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    for name in COPIED:
        compileall.compile_dir(
            folder / name,
            quiet=2,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )


def digest(root: Path, paths: Sequence[str]) -> str:
    """Return what changes with any Python file of some files and folders."""
    found = hashlib.sha256()
    for name in paths:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(f"{file.relative_to(root)}\n".encode())
            found.update(file.read_bytes())
    return found.hexdigest()[:12]


def reach(context: Any, folder: Path, tests: str, store: Path) -> Reach:
    """Return what some tests reach; measured once, and stored.

    Raises:
        SystemExit: where the tests fail without any change.
    """
    told = digest(folder, ["styletut", "tests/conftest.py", tests])
    name = tests.replace("/", "-").removesuffix(".py")
    file = store / f"reach-{name}-{told}.json"
    if not file.exists():
        process = context.Process(target=_watch, args=(folder, tests, file))
        try:
            process.start()
            process.join()
        finally:
            _end(process)
        if process.exitcode != 0:
            output = (folder / "output.txt").read_text(errors="replace")
            raise SystemExit(
                f"{tests} fails as it is, so it can judge no change:\n"
                f"{output[-3000:]}"
            )
    stored = json.loads(file.read_text())
    lines = {
        name: {int(line): {*reached} for line, reached in each.items()}
        for name, each in stored["tests"].items()
    }
    return Reach(stored["seconds"], lines)


def chosen_tests(
    found: Reach,
    file: str,
    lines: tuple[int, int],
    allowed: Sequence[str],
    budget: float,
) -> list[str]:
    """Return which tests judge a change, in their order.

    Args:
        found: what the tests reach.
        file: that changes.
        lines: first and last line of the code around the change.
        allowed: paths of tests, the likeliest to notice it first.
        budget: seconds that they may take together; one test is run at least.
    """
    by_line = found.tests.get(file, {})
    reached = set()
    for line in range(lines[0], lines[1] + 1):
        reached |= by_line.get(line, set())
    order = []
    for name, seconds in found.seconds.items():
        path = name.split("::")[0]
        rank = _rank(path, allowed)
        if rank is not None and reached & {name, path, EVERYWHERE}:
            order.append((seconds > 1, rank, seconds, name))
    names: list[str] = []
    total = 0.0
    for _, _, seconds, name in sorted(order):
        total += seconds
        if total <= budget or not names:
            names.append(name)
    return names


def judge(
    context: Any,
    folder: Path,
    file: str,
    text: str,
    tests: Sequence[str],
    expected: float,
) -> Verdict:
    """Return what some tests say of a file's other text.

    Args:
        context: from `start`.
        folder: a copy of the checkout, that no one else uses.
        file: that changes, as a path from there.
        text: that it has for the time of the judgment.
        tests: their names, in the order in which they run.
        expected: seconds that they take without the change.
    """
    if not tests:
        return Verdict("unreached", 0.0, "")
    path, said = folder / file, folder / "noticed.txt"
    original = path.read_bytes()
    said.write_text("")
    began = time.monotonic()
    process = context.Process(target=_run, args=(folder, list(tests)))
    try:
        path.write_text(text, encoding="utf-8")
        process.start()
        process.join(expected * PATIENCE + START)
        late = process.is_alive()
    finally:
        _end(process)
        path.write_bytes(original)
    seconds = time.monotonic() - began
    if late:
        return Verdict("timed out", seconds, "")
    status = process.exitcode - RAN
    if status == 0:
        return Verdict("survived", seconds, "")
    if status in FAILED or process.exitcode < 0:  # a signal ended it
        return Verdict("killed", seconds, said.read_text())
    output = (folder / "output.txt").read_text(errors="replace")
    raise RuntimeError(f"no test ran for {file}:\n{output[-3000:]}")


def _rank(path: str, allowed: Sequence[str]) -> int | None:
    """Return the place of a test's file in a list of files and folders."""
    for place, each in enumerate(allowed):
        if path == each or path.startswith(f"{each}/"):
            return place
    return None


def _end(process: Any) -> None:
    """End a process, and all that it started."""
    if process.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()  # one that has no group of its own yet
        process.join()


def _enter(folder: Path) -> None:
    """Make this process one that tests a copy, and no other checkout."""
    os.setsid()
    gc.freeze()  # pytest collects garbage twice, and there is much to look at
    limit = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, limit))
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    os.environ |= {
        "PYTHONPATH": str(folder),
        "TMPDIR": str(temporary),
        "CI": "1",  # property tests try the same examples each time
    }
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)


def _pytest(arguments: Sequence[str], **hooks: Any) -> int:
    """Run pytest in this process, with some hooks, and return its status."""
    import pytest

    # Without that, pytest would compile the tests and hypothesis each time.
    usual = ["-q", "-n", "0", "--assert=plain"]
    usual += ["-p", "no:cacheprovider", "-p", "no:nbval"]
    plugin = ModuleType("hooks")
    vars(plugin).update(hooks)
    return int(pytest.main([*usual, *arguments], plugins=[plugin]))


def _run(folder: Path, tests: list[str]) -> None:
    """Run tests in an order until one fails, and tell which."""
    _enter(folder)
    sys.dont_write_bytecode = True
    places = {name: place for place, name in enumerate(tests)}

    def pytest_collection_modifyitems(items: list[Any]) -> None:
        items[:] = [item for item in items if item.nodeid in places]
        items.sort(key=lambda item: places[item.nodeid])

    def pytest_runtest_logreport(report: Any) -> None:
        if report.failed:
            (folder / "noticed.txt").write_text(report.nodeid)

    files = list(dict.fromkeys(name.split("::")[0] for name in tests))
    status = _pytest(
        ["-x", "--tb=no", *files],
        pytest_collection_modifyitems=pytest_collection_modifyitems,
        pytest_runtest_logreport=pytest_runtest_logreport,
    )
    os._exit(RAN + status)


def _watch(folder: Path, tests: str, file: Path) -> None:
    """Run tests, and write what they reach and how long they take."""
    import coverage
    import pytest

    _enter(folder)
    package = folder / "styletut"
    watching = coverage.Coverage(data_file=None, source=[str(package)])
    watching.start()
    watching.switch_context(EVERYWHERE)
    seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item: Any) -> Iterator[None]:
        _forget()
        watching.switch_context(item.nodeid)
        result = yield
        watching.switch_context(EVERYWHERE)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(fixturedef: Any, request: Any) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        wide = fixturedef.scope in ("session", "package")
        path = request.node.nodeid.split("::")[0]
        watching.switch_context(EVERYWHERE if wide else path)
        result = yield
        watching.switch_context(request._pyfuncitem.nodeid)
        return result

    def pytest_runtest_logreport(report: Any) -> None:
        seconds[report.nodeid] += report.duration

    status = _pytest(
        [tests],
        pytest_runtest_protocol=pytest_runtest_protocol,
        pytest_fixture_setup=pytest_fixture_setup,
        pytest_runtest_logreport=pytest_runtest_logreport,
    )
    watching.stop()
    if status == 0:
        data = watching.get_data()
        reached = {
            Path(name).relative_to(folder).as_posix(): {
                line: [each for each in contexts if each]
                for line, contexts in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }
        unfinished = file.with_suffix(".part")
        unfinished.write_text(
            json.dumps({"seconds": seconds, "tests": reached})
        )
        unfinished.replace(file)
    os._exit(status)


def _forget() -> None:
    """Empty the package's caches: what an earlier test left is no reach."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "styletut":
            for each in list(vars(module).values()):
                if isinstance(each, functools._lru_cache_wrapper):
                    each.cache_clear()
