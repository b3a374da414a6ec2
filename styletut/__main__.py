"""`python -m styletut` is the command line."""

import sys

from styletut.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
