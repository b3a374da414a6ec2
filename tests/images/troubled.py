"""Processes that stand for those of tools/fuzz.py, and begin at once."""

import os
import time
from types import SimpleNamespace


def dies_and_hangs(numbers, pipe, told):
    """Die at 1, hang at 3."""
    pipe.send(None)
    for number in numbers:
        if number == 1:
            os.abort()
        if number == 3:
            time.sleep(600)
        pipe.send(SimpleNamespace(number=number, kind="read", held=0))


def does_not_start(numbers, pipe, told):
    with open(told, "a") as stream:
        stream.write("no torch")
    os._exit(1)
