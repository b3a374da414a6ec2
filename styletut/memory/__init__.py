"""How much memory is free, how much a run needs, and what fits.

Nothing is imported here: `memory.free` works where torch is missing, too.
"""
