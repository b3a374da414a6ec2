"""Changes that tests should notice: made, drawn, judged and told."""

import importlib
import json
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]

SOURCE = '''"""A module of 2 parts."""

from os import path as p1

__all__ = ["halved"]


class Kept:
    """Keeps a number."""

    limit: "Number" = 7

    def halved(
        self, x: float, name: str = "both"
    ) -> float:
        """Return x / 2."""
        if x < 0:
            raise ValueError(
                f"x is {x + 1}; " "it must be positive"
            )
        return max(
            x / 2,
            min(x, 3),
        )
'''
PACKAGE = """
from functools import cache
LIMIT = 3
def halved(x):
    return x / 2
@cache
def table():
    return {1: 2}
def waited(x):
    while x > 0:
        x -= 1
    return x
def alone():
    return 5
"""
TESTS = """
import pytest
from styletut import sums
@pytest.fixture(scope="module")
def wide():
    return sums.waited(2)
def test_halved():
    assert sums.halved(2) == 1
def test_table():
    assert sums.table()[1] == 2
def test_table_again():
    assert sums.table() == {1: 2}
def test_wide(wide):
    assert wide == 0
def test_wide_again(wide):
    assert wide == 0
"""


@pytest.fixture(scope="module")
def verdicts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        yield importlib.import_module("verdicts")


@pytest.fixture(scope="module")
def mutating(verdicts):
    pytest.importorskip("mutmut", reason="`make mutants` installs it")
    return importlib.import_module("mutating")


@pytest.fixture(scope="module")
def mutants(mutating):
    return importlib.import_module("mutants")


@pytest.fixture
def copy(tmp_path, verdicts):
    """A copy of a small checkout with a package and its tests."""
    root = tmp_path / "root"
    (root / "styletut").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "styletut/__init__.py").touch()
    (root / "styletut/sums.py").write_text(PACKAGE)
    (root / "tests/test_sums.py").write_text(TESTS)
    (root / "tests/conftest.py").touch()
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    verdicts.copy_checkout(root, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_copy_points_to_what_is_neither_changed_nor_tested(copy):
    assert (copy / "pyproject.toml").is_symlink()
    assert not (copy / "styletut").is_symlink()
    assert not (copy / "tests").is_symlink()


def test_each_change_is_of_what_a_run_may_notice(mutating):
    lines = set()
    for mutant in mutating.mutants_of("styletut/kept.py", SOURCE):
        changed = mutating.changed(SOURCE, mutant.change)
        compile(changed, "kept", "exec")
        assert mutating.is_other_program(SOURCE, changed)
        assert mutant.old in SOURCE
        assert mutant.new in changed
        before, after = mutant.change.lines
        assert before <= mutant.line <= after
        lines.add((mutant.old.strip(), mutant.new.strip()))
    assert ("if x < 0:", "if x <= 0:") in lines
    assert ("x / 2,", "x * 2,") in lines
    assert ("min(x, 3),", "min(x, 4),") in lines
    assert ("min(x, 3),", "min(3),") in lines
    assert ('limit: "Number" = 7', 'limit: "Number" = 8') in lines
    untouched = ("A module", "import", "__all__", "Keeps", "Return x", "it m")
    touched = {old for old, _ in lines}
    assert not [t for t in touched for u in untouched if t.startswith(u)]


def test_a_change_of_a_value_in_a_message_counts(mutating):
    found = mutating.mutants_of("styletut/kept.py", SOURCE)
    assert any("{x - 1}" in mutant.new for mutant in found)
    assert not any("XXit must" in mutant.new for mutant in found)


def test_names_stay_when_the_text_above_changes(mutating):
    above = SOURCE.replace("class Kept", "LIMIT = 3\n\n\nclass Kept")
    names = [m.name for m in mutating.mutants_of("styletut/a.py", SOURCE)]
    later = [m.name for m in mutating.mutants_of("styletut/a.py", above)]
    assert len({*names}) == len(names)
    assert {*names} < {*later}


@pytest.mark.parametrize("text", ["x = (1\n", "x = 1  # one\n"])
def test_what_is_no_other_program_is_told(mutating, text):
    assert not mutating.is_other_program("x = 1\n", text)
    assert mutating.is_other_program("x = 1\n", "x = 2\n")


def test_a_test_reaches_what_it_runs_or_what_ran_for_it(
    copy, tmp_path, verdicts
):
    context = verdicts.start(())
    found = verdicts.reach(context, copy, "tests/test_sums.py", tmp_path)
    assert len(found.seconds) == 5
    lines = PACKAGE.split("\n")
    tests = found.tests["styletut/sums.py"]

    def of(text):
        return tests[lines.index(text) + 1]

    file = "tests/test_sums.py"
    assert of("LIMIT = 3") == {verdicts.EVERYWHERE}
    assert of("    return x / 2") == {f"{file}::test_halved"}
    assert of("    return {1: 2}") == {
        f"{file}::test_table",
        f"{file}::test_table_again",
    }
    assert of("        x -= 1") == {file}
    assert lines.index("    return 5") + 1 not in {
        line for line, reached in tests.items() if reached
    }
    again = verdicts.reach(None, copy, file, tmp_path)
    assert again == found
    assert len(list(tmp_path.glob("reach-*.json"))) == 1


def test_tests_that_fail_as_they_are_judge_nothing(copy, tmp_path, verdicts):
    (copy / "tests/test_sums.py").write_text("def test_it():\n    assert 0\n")
    context = verdicts.start(())
    with pytest.raises(SystemExit, match="fails as it is"):
        verdicts.reach(context, copy, "tests/test_sums.py", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "outcome", "by"),
    [
        ("x / 2", "x * 2", "killed", "tests/test_sums.py::test_halved"),
        ("{1: 2}", "{1: 2, 3: 4}", "killed", "test_sums.py::test_table_again"),
        ("return 5", "return 6", "survived", ""),
        ("LIMIT = 3", "LIMIT = 1 / 0", "killed", ""),
        ("x -= 1", "x -= 0", "timed out", ""),
    ],
)
def test_a_change_is_judged_on_a_copy_that_is_whole_again(
    copy, verdicts, monkeypatch, old, new, outcome, by
):
    monkeypatch.setattr(verdicts, "START", 60 if outcome != "timed out" else 3)
    text = PACKAGE.replace(old, new)
    names = ["halved", "table_again", "table", "wide"]
    names = [f"tests/test_sums.py::test_{name}" for name in names]
    verdict = verdicts.judge(
        verdicts.start(()), copy, "styletut/sums.py", text, names, 0.1
    )
    assert (verdict.outcome, bool(verdict.by)) == (outcome, bool(by))
    assert verdict.by.endswith(by)
    assert (copy / "styletut/sums.py").read_text() == PACKAGE


def test_a_change_that_no_test_reaches_is_not_run(verdicts):
    verdict = verdicts.judge(None, None, "a.py", "", [], 0)
    assert verdict == ("unreached", 0, "")


def test_the_likeliest_tests_come_first_and_end_with_the_budget(verdicts):
    seconds = {
        "tests/b/test_b.py::test_fast": 0.1,
        "tests/a/test_a.py::test_slow": 5.0,
        "tests/a/test_a.py::test_quick": 0.2,
        "tests/a/test_a.py::test_of_file": 0.3,
        "tests/a/test_a.py::test_never": 0.1,
        "tests/c/test_c.py::test_foreign": 0.1,
        "tests/a/test_a.py::test_slowest": 50.0,
    }
    names = [*seconds]
    reached = {names[0], names[1], names[2], names[5], names[6]}
    tests = {"styletut/a.py": {3: reached, 4: {names[3]}, 9: {names[4]}}}
    found = verdicts.Reach(seconds, tests)

    def chosen(lines, budget):
        paths = ["tests/a", "tests/b/test_b.py"]
        file = "styletut/a.py"
        return verdicts.chosen_tests(found, file, lines, paths, budget)

    assert chosen((3, 4), 20) == [names[n] for n in (2, 3, 0, 1)]
    assert chosen((5, 8), 20) == []
    assert chosen((3, 3), 0.01) == [names[2]], "one at least"


def test_whole_files_and_all_tests_can_be_reached(verdicts):
    seconds = {"tests/a.py::test_1": 1, "tests/b.py::test_2": 2}
    lines = {1: {verdicts.EVERYWHERE}, 2: {"tests/b.py"}}
    found = verdicts.Reach(seconds, {"x.py": lines})
    both = ["tests/a.py", "tests/b.py"]
    assert verdicts.chosen_tests(found, "x.py", (1, 1), both, 9) == [*seconds]
    (only,) = verdicts.chosen_tests(found, "x.py", (2, 2), both, 9)
    assert only == "tests/b.py::test_2"


def test_a_digest_changes_with_any_file(copy, verdicts):
    before = verdicts.digest(copy, ["styletut", "tests/test_sums.py"])
    assert before == verdicts.digest(copy, ["styletut", "tests/test_sums.py"])
    (copy / "tests/test_sums.py").write_text("# other")
    assert before != verdicts.digest(copy, ["styletut", "tests/test_sums.py"])


def test_a_draw_is_the_same_for_a_seed(mutants, monkeypatch):
    monkeypatch.setattr(mutants, "JUDGES", {"conventions/factors.py": ()})
    drawn, population = mutants.draw(30, 1)
    assert population > 60
    assert len({each.name for each in drawn}) == 30
    assert drawn == mutants.draw(30, 1)[0]
    assert drawn[:10] == mutants.draw(10, 1)[0], "a part of a larger one"
    assert drawn != mutants.draw(30, 2)[0]


def test_what_is_changed_and_what_judges_it_is_there(mutants):
    for name, judges in mutants.JUDGES.items():
        assert (ROOT / "styletut" / name).exists()
        assert all((ROOT / judge).exists() for judge in judges)
    assert "styletut/losses.py" in mutants.files()
    assert "styletut/objective/guides.py" in mutants.files()


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (8, 10, 0.4902, 0.9433),
        (380, 400, 0.9241, 0.9674),
    ],
)
def test_the_interval_is_wilsons(mutants, hits, count, low, high):
    expected = pytest.approx((low, high), abs=1e-4)
    assert mutants.interval(hits, count) == expected


def test_what_was_judged_is_kept_while_it_holds(mutants, verdicts):
    mutant, *_ = mutants.all_of("styletut/objective/terms.py")
    source = verdicts.digest(ROOT, [mutant.file])
    judges = verdicts.digest(ROOT, mutants.judges_of(mutant.file))

    def holds(**record):
        whole = {"outcome": "killed", "source": source, "judges": judges}
        whole["budget"] = 30
        return mutants.still_holds(mutant, whole | record, 30)

    assert holds()
    assert holds(judges="other"), "what was noticed will be noticed"
    assert not holds(source="other")
    assert holds(outcome="survived")
    assert not holds(outcome="survived", judges="other")
    assert holds(budget=5)
    assert not holds(outcome="survived", budget=5), "more tests may run now"


def test_records_of_a_run_that_was_broken_off(mutants, tmp_path):
    file = tmp_path / "judged.jsonl"
    assert mutants.read_records(file) == {}
    first = {"name": "a", "outcome": "survived"}
    second = {"name": "a", "outcome": "killed"}
    lines = [json.dumps(first), json.dumps(second), '{"name": "b", "o']
    file.write_text("\n".join(lines))
    assert mutants.read_records(file) == {"a": second}


def test_a_report_keeps_apart_what_has_a_reason(mutants):
    drawn = mutants.all_of("styletut/objective/terms.py")[:10]
    outcomes = ["killed"] * 6 + ["timed out", "survived", "unreached"]
    records = {
        each.name: {
            "outcome": outcome,
            "seconds": 2.0,
            "diff": mutants.diff(each),
        }
        for each, outcome in zip(drawn, outcomes, strict=False)
    }
    told = mutants.report(drawn, records, {drawn[7].name: "it is alike"})
    reasoned, _, unreasoned = told.partition("That a test should notice:")
    assert drawn[7].name in reasoned
    assert "because it is alike" in reasoned
    assert drawn[8].name in unreasoned
    assert drawn[0].name not in told
    assert "noticed, of all: 7 of 9, 77.8 %" in told
    assert "noticed, of those without: 7 of 8, 87.5 %" in told
    assert "2.0 seconds a change" in told


def test_the_report_is_kept(mutants, tmp_path, monkeypatch, capsys):
    record = {"outcome": "killed", "seconds": 2.0, "diff": ""}
    monkeypatch.setattr(
        mutants,
        "judge_all",
        lambda drawn, *given: {each.name: record for each in drawn},
    )
    mutants.main(["--count", "3", "--out", str(tmp_path)])
    kept = (tmp_path / "figures.txt").read_text(encoding="utf-8")
    assert kept == capsys.readouterr().out
    assert kept.startswith("3 of ")
    assert "noticed, of all: 3 of 3" in kept


def test_every_reason_is_one_for_a_line_that_there_is():
    text = (ROOT / "tools/mutants.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["mutant"]
    names = [each["name"] for each in entries]
    assert sorted({*names}) == names, "sorted, and each once"
    for each in entries:
        assert set(each) == {"name", "line", "reason"}
        file, _, digest = each["name"].partition(":")
        source = (ROOT / "styletut" / file).read_text(encoding="utf-8")
        assert each["line"] in source, each["name"]
        assert len(digest) == 8
        assert len(each["reason"]) > 20


def test_an_entry_without_a_reason_is_refused(mutants, tmp_path):
    file = tmp_path / "mutants.toml"
    file.write_text('[[mutant]]\nname = "a.py:1"\nline = ""\nreason = " "\n')
    with pytest.raises(ValueError, match=r"a\.py:1 has no reason"):
        mutants.reasons(file)
