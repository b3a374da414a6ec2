"""The objective L = alpha L_c + beta L_s + gamma TV, equation (7).

A loss at each layer, with its target (`layer_losses`), handed to an engine.
"""

from styletut.objective.objective import Objective
from styletut.objective.terms import Terms

__all__ = ["Objective", "Terms"]
