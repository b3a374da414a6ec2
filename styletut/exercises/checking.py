"""An answer checked by the number of its exercise."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from styletut.exercises.judging import Exercise, judge

CHAPTERS: Mapping[str, str] = {
    "01": "ch01_features",
    "02": "ch02_content_loss",
    "03": "ch03_gram_matrix",
    "04": "ch04_style_loss",
    "05": "ch05_objective",
    "06": "ch06_optimizers",
    "07": "ch07_full_run",
    "08": "ch08_layers",
    "09": "ch09_ratio",
    "10": "ch10_control",
    "11": "ch11_instant",
    "12": "ch12_video",
    "13": "ch13_rounding",
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
    module = import_module(f"styletut.exercises.{CHAPTERS[chapter]}")
    return {each.number: each for each in module.EXERCISES}
