"""The objective L = alpha L_c + beta L_s + gamma TV, equation (7)."""

from styletut.objective.objective import Objective
from styletut.objective.terms import Terms

__all__ = ["Objective", "Terms"]
