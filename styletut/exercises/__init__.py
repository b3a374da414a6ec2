"""Self-checks for the exercises of the course.

    >>> from styletut.exercises import check
    >>> check("02.1", ...)
    02.1: not attempted yet

The modules ch01 to ch09 hold the exercises of the notebooks: the right
answers, and the wrong ones that are recognized. Whoever wants to learn
something reads them after the exercise.
"""

from styletut.exercises.checking import check

__all__ = ["check"]
