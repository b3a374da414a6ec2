"""Minimization of a function of a tensor, as generators of its iterates."""

from styletut.optimizers.catalogue import OPTIMIZERS
from styletut.optimizers.descent import Iterate, adam, gradient_descent
from styletut.optimizers.quasi_newton import lbfgs, spectral_lbfgs, torch_lbfgs

__all__ = [
    "OPTIMIZERS",
    "Iterate",
    "adam",
    "gradient_descent",
    "lbfgs",
    "spectral_lbfgs",
    "torch_lbfgs",
]
