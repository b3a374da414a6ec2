"""How an answer is judged: run, compared, and told about in words."""

from styletut.exercises.judging.verdict import (
    Exercise,
    Mistake,
    Verdict,
    judge,
)

__all__ = ["Exercise", "Mistake", "Verdict", "judge"]
