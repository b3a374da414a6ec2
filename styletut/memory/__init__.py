"""How much memory is free, how much a run needs, and what fits.

`transfer.plan.laid_out` asks `memory.fitting` how each size is computed: as a
whole, or in tiles.

Nothing is imported here: `memory.free` works where torch is missing, too.
"""
