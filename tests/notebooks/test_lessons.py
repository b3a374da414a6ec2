"""What each lesson of the course holds: notebooks 01 on, and the answers.

Read from the files without running them, as in test_notebooks. A rule takes
a lesson and yields what is wrong; below, each refuses a lesson made to break
it.
"""

import re

import nbformat
import pytest
from test_notebooks import FOLDER, code, code_cells, markdown, tags, text

from styletut.exercises.checking import CHAPTERS, of_chapter

LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))[1:]  # 00 is no lesson
ANSWERS = sorted((FOLDER / "solutions").glob("*.ipynb"))

ENDING = ["Summary", "Exercises", "Questions to recall", "Sources"]
# a lesson has about 2,500; the sixth has a second session, the ninth ten pairs
WORDS = {"06": 4_200, "08": 3_000, "09": 3_000}
OTHER_WORDS = 2_800

EXCEPTIONS: dict[str, dict[str, str]] = {
    "01": {"90": "what an exercise asks for"},
    "02": {
        "84": "the receptive field of relu4_2, from notebook 01",
        "131,072": "512 channels of 16 x 16, as the sentence says",
        "196,608": "three colors of 256 x 256, as the sentence says",
        "26": "the product of the two, in billions",
        "1.5": "SSIM's window, as its authors have it",
        "13": "a journal's volume",
    },
    "04": {
        "1,000,000": "PyTorch's tutorial has it",
        "0.01": "TensorFlow's tutorial has it",
        "1024": "Gatys' notebook has these layer weights",
    },
    "05": {"256": "where notebook 08 takes its typical losses"},
    "08": {
        "155": "five content layers, and 31 sets of style layers",
        "100,000": "how many cases an exercise draws",
    },
    "09": {"1024": "what an exercise asks for"},
    "10": {"512": "what an exercise asks for"},
    "11": {"768": "what an exercise asks for"},
    "12": {"384": "an example of a command"},
}
"""Numbers in the prose of a chapter that no cell has, each with a reason."""

NUMBER = re.compile(r"(?<![\w.,/])\d[\d,]*(?:\.\d+)?(?!\w|\.\d)")
SMALL = 12
"""Whole numbers up to here count things: five layers, three pictures."""
YEARS = range(1900, 2101)
NO_MEASUREMENT = (
    r"```[\s\S]*?```",
    r"`[^`]*`",
    r"!?\[[^\]]*\]\([^)]*\)",  # a link
    r"https?://\S+|arXiv:\S+",
    r"^#+ .*$",
    r"^> .*$",  # an exercise's minutes
    r"<summary>\d+\.",
    r"\(\d+(?:\.\d+)?\)",  # an equation
    r"\b(?:notebooks?|sections?|equations?|exercises?|figures?|steps?|tables?)"
    r"\s[\d.]+(?:(?:,|,? and|,? or| to)\s[\d.]+)*",
    r"^\s*\d+\.\s",
)
"""Where a number is a name, or stands for itself."""

CHECK = re.compile(r"\bcheck\(\s*\"([\d.]+)\"")
DIFFICULTY = re.compile(r"^> .*(easy|medium|hard).*minute", re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)


def chapter_of(path):
    return path.stem[:2]


def numbered(title):
    """The number of an exercise, such as 07.2, from its title's 7.2."""
    chapter, _, number = title.partition(".")
    return f"{chapter:0>2}.{number}"


def section(notebook, title):
    """The text from a heading `## title` to the next of its rank."""
    whole = "\n\n".join(markdown(notebook))
    parts = re.split(r"^## (.+)$", whole, flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return found.get(title, "")


def running_text(notebook):
    """What is read before the exercises, without tables and formulas."""
    lines = []
    for cell in notebook["cells"]:
        if re.search(r"^## Exercises", cell["source"], re.M):
            break
        if cell["cell_type"] == "markdown" and "teacher" not in tags(cell):
            prose = FORMULA.sub(" x ", cell["source"])
            lines += [e for e in prose.splitlines() if e[:1] != "|"]
    return " ".join(lines)


def numbers_in(words):
    """The numbers in a text, as floats, with those of code like 1e-3."""
    found = re.findall(r"\d[\d,_]*(?:\.\d+)?(?:e[+-]?\d+)?", words)
    return {float(each.replace(",", "").replace("_", "")) for each in found}


def told_by_cells(notebook):
    """Numbers that hold wherever it runs: in code, or printed and compared."""
    known = set()
    for _, cell in code_cells(notebook):
        known |= numbers_in(cell["source"])
        if "nbval-ignore-output" not in tags(cell):
            known |= numbers_in(shown_text(cell))
    return known


def shown_text(cell):
    """What a cell prints or shows, with the captions of its pictures."""
    words = [printed(cell)]
    for output in cell["outputs"]:
        data = output.get("data", {})
        words += [str(v) for k, v in data.items() if k.startswith("text")]
    return " ".join(words)


def measured_numbers(source):
    """Numbers of a text that say how much something is, as written."""
    prose = FORMULA.sub(" x ", source)
    for pattern in NO_MEASUREMENT:
        prose = re.sub(pattern, " x ", prose, flags=re.M | re.I)
    for found in NUMBER.findall(prose):
        written = found.rstrip(",.")
        value = float(written.replace(",", ""))
        counts = value.is_integer() and (value <= SMALL or value in YEARS)
        if "." in written or not counts:
            yield written, value


def is_among(value, written, known):
    """Whether a number, or it as a percentage, is one of others, rounded."""
    digits = len(written.partition(".")[2])
    return any(
        round(scale * each, digits) == value
        for each in known
        for scale in (1, 100)
    )


def untold_numbers(notebook):
    """Numbers of the prose that no cell has, as they are written."""
    known = told_by_cells(notebook)
    return {
        written
        for source in markdown(notebook)[1:]
        if not source.startswith("## Sources")
        for written, value in measured_numbers(source)
        if not is_among(value, written, known)
    }


def printed(cell):
    return "".join(each.get("text", "") for each in cell["outputs"])


# The rules


def ends_as_all_do(chapter, notebook):
    found = re.findall(r"^## (.+)$", "\n\n".join(markdown(notebook)), re.M)
    if found[-len(ENDING) :] != ENDING:
        yield f"ends with {found[-len(ENDING) :]}"


def says_what_it_promises(chapter, notebook):
    first = notebook["cells"][0]["source"]
    if not re.match(rf"# {chapter} \S", first):
        yield f"its title does not begin with {chapter}"
    if not re.search(r"^\*\*.+?\*\*$", first, re.M | re.DOTALL):
        yield "has no promise in bold"
    if not re.search(r"^\|.*minutes", first, re.M):
        yield "has no table of sections with minutes"


def helps_the_teacher(chapter, notebook):
    if not any("teacher" in tags(cell) for cell in notebook["cells"]):
        yield "has no cell for teachers"


def asks_to_predict(chapter, notebook):
    if len(re.findall(r"\bpredict", running_text(notebook), re.I)) < 3:
        yield "seldom asks for a prediction"


def has_the_length_of_a_lesson(chapter, notebook):
    count = len(running_text(notebook).split())
    if count > WORDS.get(chapter, OTHER_WORDS):
        yield f"has {count} words"


def asks_questions(chapter, notebook):
    questions = section(notebook, "Questions to recall")
    count = len(re.findall(r"<details>\s*<summary>", questions))
    if not 8 <= count <= 12 or questions.count("</details>") != count:
        yield f"has {count} questions with folded answers"


def has_its_exercises(chapter, notebook):
    expected = list(of_chapter(chapter))
    asked = [
        number
        for _, cell in code_cells(notebook)
        for number in CHECK.findall(cell["source"])
    ]
    if asked != expected:
        yield f"checks {asked}, and there are {expected}"
    titles = re.findall(
        r"^### Exercise (\d+\.\d+): \S", section(notebook, "Exercises"), re.M
    )
    if [numbered(title) for title in titles] != expected:
        yield f"has exercises {titles}"


def helps_with_each_exercise(chapter, notebook):
    parts = section(notebook, "Exercises").split("### Exercise ")[1:]
    for part in parts:
        number = part.split(":")[0]
        if not DIFFICULTY.search(part):
            yield f"exercise {number} tells neither difficulty nor minutes"
        if part.count("<summary>Hint") < 2:
            yield f"exercise {number} has no ladder of hints"
        if f"(solutions/{chapter}.ipynb)" not in part:
            yield f"exercise {number} has no link to its answer"


def leaves_its_exercises_open(chapter, notebook):
    for number, cell in code_cells(notebook):
        for asked in CHECK.findall(cell["source"]):
            if printed(cell) != f"{asked}: not attempted yet\n":
                yield f"code cell {number} does not leave {asked} open"


def numbers_are_those_of_cells(chapter, notebook):
    excepted = EXCEPTIONS.get(chapter, {}).keys()
    for written in untold_numbers(notebook) - excepted:
        yield f"no cell asserts, or prints to be compared, {written}"


RULES = [
    ends_as_all_do,
    says_what_it_promises,
    helps_the_teacher,
    asks_to_predict,
    has_the_length_of_a_lesson,
    asks_questions,
    has_its_exercises,
    helps_with_each_exercise,
    leaves_its_exercises_open,
    numbers_are_those_of_cells,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_lesson(path, rule):
    notebook = nbformat.read(path, as_version=4)
    assert not list(rule(chapter_of(path), notebook))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_every_answer_is_worked_out_and_right(path):
    notebook = nbformat.read(path, as_version=4)
    right = [
        number
        for _, cell in code_cells(notebook)
        for number in re.findall(r"^([\d.]+): right\.", printed(cell), re.M)
    ]
    wrong = [c for _, c in code_cells(notebook) if "not yet" in printed(c)]
    assert sorted(set(right)) == sorted(of_chapter(chapter_of(path)))
    assert not wrong


def test_every_chapter_has_a_lesson_and_answers():
    assert [chapter_of(path) for path in LESSONS] == list(CHAPTERS)
    assert [chapter_of(path) for path in ANSWERS] == list(CHAPTERS)


# A good lesson, and one made to break each rule

HINTS = "<details><summary>Hint {}</summary>Look.</details>\n"


def good():
    numbers = list(of_chapter("02"))
    asked = []
    for number in numbers:
        asked.append(
            text(
                f"### Exercise {number[1:]}: think\n\n> easy - 5 minutes\n\n"
                + "".join(HINTS.format(k) for k in (1, 2))
                + "[Worked answer](solutions/02.ipynb)"
            )
        )
        cell = code(f'check("{number}", ...)')
        cell["outputs"] = [{"text": f"{number}: not attempted yet\n"}]
        asked.append(cell)
    questions = "<details><summary>1. Why?</summary>So.</details>\n" * 8
    teacher = text("*For teachers.* Ask.")
    teacher["metadata"]["tags"] = ["teacher"]
    return [
        text("# 02 A title\n\n**A promise.**\n\n| section | minutes |"),
        text("**Predict.** What? " * 3 + "$$G = F$$"),
        teacher,
        text("## Summary\n\n## Exercises"),
        *asked,
        text(f"## Questions to recall\n\n{questions}\n## Sources"),
    ]


def swapped(old, new):
    cells = good()
    for cell in cells:
        cell["source"] = cell["source"].replace(old, new)
    return cells


def attempted():
    cells = good()
    cells[5]["outputs"] = [{"text": "02.1: right. Yes.\n"}]
    return cells


def measured(output, *marks):
    """A lesson that says 0.37 after a cell that prints something."""
    cells = swapped("What?", "It is 0.37 of 37 %, see (2.1), in 2016.")
    cell = code("print(value)")
    cell["outputs"] = [{"text": output}]
    cell["metadata"]["tags"] = list(marks)
    return [*cells, cell]


BAD = [
    (ends_as_all_do, swapped("## Summary", "## Other")),
    (says_what_it_promises, swapped("# 02 A", "# A")),
    (says_what_it_promises, swapped("**A promise.**", "A promise.")),
    (says_what_it_promises, swapped("| minutes", "| hours")),
    (helps_the_teacher, [c for c in good() if not tags(c)]),
    (asks_to_predict, swapped("Predict", "Look")),
    (has_the_length_of_a_lesson, swapped("What?", "What? " * 1000)),
    (asks_questions, swapped("<summary>1. Why?", "1. Why?")),
    (asks_questions, swapped("So.</details>", "So.")),
    (has_its_exercises, swapped('check("02.1"', 'check("03.1"')),
    (has_its_exercises, swapped("Exercise 2.1", "Exercise 2.7")),
    (helps_with_each_exercise, swapped("5 minutes", "long")),
    (helps_with_each_exercise, swapped("Hint 2", "More")),
    (helps_with_each_exercise, swapped("solutions/02", "solutions/03")),
    (leaves_its_exercises_open, attempted()),
    (numbers_are_those_of_cells, swapped("What?", "It is 0.37.")),
    (numbers_are_those_of_cells, swapped("What?", "Some 170,000 times.")),
    (numbers_are_those_of_cells, measured("0.3712", "nbval-ignore-output")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_lesson_breaks_no_rule(rule):
    assert not list(rule("02", {"cells": good()}))


@pytest.mark.parametrize(("rule", "cells"), BAD)
def test_a_bad_lesson_breaks_its_rule(rule, cells):
    assert list(rule("02", {"cells": cells}))


def test_a_number_may_be_rounded_or_a_percentage():
    assert not list(
        numbers_are_those_of_cells("02", {"cells": measured("0.3712")})
    )


def test_every_exception_is_needed():
    for path in LESSONS:
        untold = untold_numbers(nbformat.read(path, as_version=4))
        needless = EXCEPTIONS.get(chapter_of(path), {}).keys() - untold
        assert not needless, f"{path.name}: {sorted(needless)}"


def test_every_rule_has_a_lesson_that_breaks_it():
    assert {rule for rule, _ in BAD} == set(RULES)
