"""The door: `styletut studio` opens the studio, all else the command line."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; see `cli.main.main` and `studio.main.main`.

    Args:
        arguments: the words after the command's name; sys.argv's if None.

    Returns:
        The exit status.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["studio"]:
        from styletut.studio.main import main as studio

        return studio(words[1:])
    from styletut.cli.main import main as paint

    return paint(words)


if __name__ == "__main__":
    sys.exit(main())
