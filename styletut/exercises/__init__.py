"""Self-checks for the exercises of the course.

    >>> from styletut.exercises import check
    >>> check("02.1", ...)
    02.1: not attempted yet

The modules in `CHAPTERS` hold the exercises of one notebook each: the right
answers, and the wrong ones that are recognized. Long ones have modules of
their own. Whoever wants to learn something reads them after the exercise.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from styletut.exercises.verdict import Exercise, judge

CHAPTERS: Mapping[str, str] = {
    "01": "features",
    "02": "content",
    "03": "gram",
    "04": "style",
    "05": "combination",
    "06": "optimization",
    "07": "large_pictures",
    "08": "layer_choice",
    "09": "balance",
}
"""Number of a notebook -> module with its exercises."""


def check(number: str, answer: Any) -> None:
    """Print how an answer to an exercise was judged.

    Right: one line. Wrong: what came, what a function should have given and,
    where it is a typical one, the mistake; of an exercise that asks for
    numbers only which are wrong. `...`, or a function that returns it, is not
    attempted yet. Nothing that the answer does is raised.

    Args:
        number: The exercise's, such as "02.2".
        answer: The function or the value that the exercise asks for.

    Raises:
        ValueError: There is no exercise of this number.
    """
    print(judge(find(number), answer).text)


def find(number: str) -> Exercise:
    """Return the exercise of a number.

    Raises:
        ValueError: There is none.
    """
    chapter = str(number).split(".")[0]
    found = of_chapter(chapter) if chapter in CHAPTERS else {}
    if not isinstance(number, str) or number not in found:
        raise ValueError(
            f"there is no exercise {number!r}; there are "
            f"{', '.join(found or CHAPTERS)}"
        )
    return found[number]


@cache
def of_chapter(chapter: str) -> dict[str, Exercise]:
    """Return the exercises of a notebook, "02" for the second, by number."""
    module = import_module(f"{__name__}.{CHAPTERS[chapter]}")
    return {each.number: each for each in module.EXERCISES}
