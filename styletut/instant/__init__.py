"""A style in less than a second: a network that paints in one pass.

It is trained once (`training`), over many photos, and paints any (`painting`).
"""
