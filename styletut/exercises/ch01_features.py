"""Exercises of notebook 01: pictures and features."""

from styletut.exercises.ch01_names import INDEX
from styletut.exercises.ch01_patches import UNPADDED, USED
from styletut.exercises.ch01_rescaling import RESCALED

EXERCISES = (UNPADDED, USED, INDEX, RESCALED)
