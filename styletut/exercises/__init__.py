"""Self-checks for the exercises of the course.

    >>> from styletut.exercises import check
    >>> check("02.1", ...)
    02.1: not attempted yet

The modules ch01_... to ch13_... hold the exercises of the notebooks: the
right answers, and the wrong ones that are recognized. Each chapter has one
with a list of all its exercises (`checking.CHAPTERS`), after those with the
long ones. Read them after the exercise, not before.
"""

from styletut.exercises.checking import check

__all__ = ["check"]
