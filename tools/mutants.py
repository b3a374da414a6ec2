"""Change the mathematics a little, often, and see whether the tests notice.

    python tools/mutants.py

Draws changes by chance, each as likely as any other, among all that
tools/mutating.py makes of the losses, their objective, its gradients and what
descends it; tools/verdicts.py judges each by the tests that reach its line.
What was judged is kept, so that a run that was broken off goes on. A change
that no test could notice has its reason in tools/mutants.toml.
"""

import argparse
import contextlib
import difflib
import itertools
import json
import math
import queue
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import verdicts
from mutating import Mutant, changed, is_other_program, mutants_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
REASONS = ROOT / "tools" / "mutants.toml"

JUDGES = {
    "losses.py": ("tests/test_losses.py", "tests/objective", "tests/engines"),
    "color.py": ("tests/test_color.py", "tests/transfer/test_pictures.py"),
    "conventions": ("tests/conventions", "tests/objective"),
    "objective": ("tests/objective", "tests/engines"),
    "engines": ("tests/engines", "tests/objective"),
    "optimizers": ("tests/optimizers", "tests/transfer/test_minimization.py"),
    "transfer": ("tests/transfer",),
}
"""What is changed, and which tests judge it: its own first, then those of what
uses it."""

NOTICED = ("killed", "timed out")
"""Outcomes in which a change did not go by."""

Record = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge what is not judged yet, and tell what the tests let go by."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=400, help="of changes")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="of tests for a change, the fastest first; with more, what went "
        "by is judged again",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "mutants")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    drawn, population = draw(given.count, given.seed)
    title = f"{len(drawn)} of {population} changes, drawn with {given.seed}"
    print(title)
    records = judge_all(drawn, given.out, given.workers, given.seconds)
    text = report(drawn, records, reasons(REASONS))
    print(text)
    (given.out / "figures.txt").write_text(f"{title}\n{text}\n", "utf-8")


def draw(count: int, seed: int) -> tuple[list[Mutant], int]:
    """Return changes drawn without preference, and among how many."""
    mutants = [each for file in files() for each in all_of(file)]
    random.Random(seed).shuffle(mutants)
    drawn: list[Mutant] = []
    for mutant in mutants:
        if len(drawn) == count:
            break
        source = text_of(mutant.file)
        if is_other_program(source, changed(source, mutant.change)):
            drawn.append(mutant)
    return drawn, len(mutants)


def files() -> list[str]:
    """Return the files that are changed, as paths from the root."""
    found = []
    for name in JUDGES:
        path = ROOT / "styletut" / name
        found += sorted(path.glob("*.py")) if path.is_dir() else [path]
    return [path.relative_to(ROOT).as_posix() for path in found]


def all_of(file: str) -> list[Mutant]:
    """Return all changes of one file."""
    return mutants_of(file, text_of(file))


def text_of(file: str) -> str:
    """Return the text of a file."""
    return (ROOT / file).read_text(encoding="utf-8")


def judges_of(file: str) -> tuple[str, ...]:
    """Return the tests that judge a file."""
    return JUDGES[file.split("/")[1]]


def judge_all(
    drawn: Sequence[Mutant], out: Path, workers: int, budget: float
) -> dict[str, Record]:
    """Return a record of each change, made now or kept from before."""
    kept = read_records(out / "judged.jsonl")
    records = {
        each.name: kept[each.name]
        for each in drawn
        if each.name in kept and still_holds(each, kept[each.name], budget)
    }
    left = [each for each in drawn if each.name not in records]
    if not left:
        return records
    context = verdicts.start()
    lock = threading.Lock()
    copies: queue.Queue[Path] = queue.Queue()

    def work(mutant: Mutant, found: verdicts.Reach) -> None:
        copy = copies.get()
        try:
            record = judged(context, copy, mutant, found, budget)
        finally:
            copies.put(copy)
        with lock, (out / "judged.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
            records[mutant.name] = record
            print(
                f"{len(records)}/{len(drawn)}",
                f"{record['outcome']:9} {record['seconds']:6.1f} s",
                f"{mutant.file}:{mutant.line}",
                flush=True,
            )

    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
        ThreadPoolExecutor(workers) as pool,
    ):
        for number in range(workers):
            copy = Path(folder) / str(number)
            verdicts.copy_checkout(ROOT, copy)
            copies.put(copy)
        for judges in dict.fromkeys(JUDGES.values()):
            wing = [each for each in left if judges_of(each.file) == judges]
            if wing:
                found = reach_of(context, copy, judges, out)
                list(pool.map(work, wing, itertools.repeat(found)))
    return records


def reach_of(
    context: Any, copy: Path, judges: Sequence[str], out: Path
) -> verdicts.Reach:
    """Return what some files and folders of tests reach together."""
    seconds: dict[str, float] = {}
    tests: dict[str, dict[int, set[str]]] = {}
    for path in judges:
        found = verdicts.reach(context, copy, path, out)
        seconds |= found.seconds
        for file, lines in found.tests.items():
            of_file = tests.setdefault(file, {})
            for line, reached in lines.items():
                of_file[line] = of_file.get(line, set()) | reached
    return verdicts.Reach(seconds, tests)


def judged(
    context: Any,
    copy: Path,
    mutant: Mutant,
    found: verdicts.Reach,
    budget: float,
) -> Record:
    """Return the record of a change after its judgment."""
    allowed = judges_of(mutant.file)
    names = verdicts.chosen_tests(
        found, mutant.file, mutant.change.lines, allowed, budget
    )
    verdict = verdicts.judge(
        context,
        copy,
        mutant.file,
        changed(text_of(mutant.file), mutant.change),
        names,
        sum(found.seconds[name] for name in names),
    )
    return {
        "name": mutant.name,
        "line": mutant.line,
        "diff": diff(mutant),
        **verdict._asdict(),
        "tests": len(names),
        "budget": budget,
        "source": verdicts.digest(ROOT, [mutant.file]),
        "judges": verdicts.digest(ROOT, allowed),
    }


def still_holds(mutant: Mutant, record: Record, budget: float) -> bool:
    """Return whether a change need not be judged again.

    What was noticed stays so while its file does; what was not is judged anew
    when the tests have changed, or more of them may run.
    """
    if record["source"] != verdicts.digest(ROOT, [mutant.file]):
        return False
    if record["outcome"] == "killed":
        return True
    judges = verdicts.digest(ROOT, judges_of(mutant.file))
    return record["judges"] == judges and record["budget"] >= budget


def read_records(path: Path) -> dict[str, Record]:
    """Return the last record of each change, by its name."""
    records: dict[str, Record] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            # what was broken off while it was written is no record
            with contextlib.suppress(json.JSONDecodeError):
                record = json.loads(line)
                records[record["name"]] = record
    return records


def diff(mutant: Mutant) -> str:
    """Return the lines that differ, with their signs."""
    lines = difflib.ndiff(mutant.old.split("\n"), mutant.new.split("\n"))
    return "\n".join(line for line in lines if line[0] in "+-")


def reasons(path: Path) -> dict[str, str]:
    """Return why a change need not be noticed, by its name.

    Raises:
        ValueError: for an entry without a reason.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    for each in entries:
        if not each["reason"].strip():
            raise ValueError(f"{path.name}: {each['name']} has no reason")
    return {each["name"]: each["reason"] for each in entries}


def interval(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share.

    E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference" (1927).
    """
    z = 1.959964
    share, narrow = hits / count, z * z / count
    middle = (share + narrow / 2) / (1 + narrow)
    half = z * math.sqrt(share * (1 - share) / count + narrow / count / 4)
    return middle - half / (1 + narrow), middle + half / (1 + narrow)


def report(
    drawn: Sequence[Mutant],
    records: Mapping[str, Record],
    excused: Mapping[str, str],
) -> str:
    """Return what came of the changes, as a text."""
    judged = [each for each in drawn if each.name in records]
    outcomes = Counter(records[each.name]["outcome"] for each in judged)
    missed = [
        each for each in judged if records[each.name]["outcome"] not in NOTICED
    ]
    lines = []
    for title, group in (
        ("With a reason in tools/mutants.toml:", excused),
        ("That a test should notice:", None),
    ):
        lines.append(title)
        for each in missed:
            if (each.name in excused) == (group is not None):
                record = records[each.name]
                lines.append(f"{each.name} line {each.line}")
                lines.append(f"  {record['outcome']}")
                lines += [f"  {line}" for line in record["diff"].split("\n")]
                if each.name in excused:
                    lines.append(f"  because {excused[each.name]}")
    noticed = len(judged) - len(missed)
    given = sum(each.name in excused for each in missed)
    lines.append(", ".join(f"{n} {name}" for name, n in outcomes.items()))
    lines.append(share("noticed, of all", noticed, len(judged)))
    lines.append(
        share("noticed, of those without", noticed, len(judged) - given)
    )
    seconds = sum(records[each.name]["seconds"] for each in judged)
    lines.append(f"{seconds / max(1, len(judged)):.1f} seconds a change")
    return "\n".join(lines)


def share(what: str, hits: int, count: int) -> str:
    """Return a share with its interval, in percent."""
    low, high = interval(hits, count)
    return (
        f"{what}: {hits} of {count}, {100 * hits / count:.1f} % "
        f"(95 %: {100 * low:.1f} to {100 * high:.1f})"
    )


if __name__ == "__main__":
    main()
