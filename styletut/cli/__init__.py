"""The command line, `styletut PHOTO STYLE`.

Nothing is imported here: `--version` is quick, and `--doctor` works where
torch does not.
"""
