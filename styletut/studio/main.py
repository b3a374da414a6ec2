"""`styletut studio`: start the page, and stay until it is ended."""

import argparse
import socket
import sys
import threading
from collections.abc import Sequence

from styletut.cores.waiting import choose_waiting

DESCRIPTION = """\
Open a page in the browser: upload a photo, pick a style, get a picture. All
is painted on this machine, and nothing leaves it unless you share the page.
Uploads and paintings are deleted at the end, so download what you want to
keep. Ctrl-C ends it."""

SHARED = """\
Anybody on your network can now open {address} and paint on this machine;
pictures travel unencrypted. They see none of your files, and none of the
pictures of others. The camera works only on the page opened on this machine.
Ctrl-C ends it."""


def main(arguments: Sequence[str]) -> int:
    """Run the studio until it is interrupted.

    Args:
        arguments: the words after `styletut studio`.

    Returns:
        The exit status: 0 after an interrupt, 1 if it cannot start.

    Raises:
        SystemExit: after --help (0), or for bad input (2).
    """
    given = _parser().parse_args(arguments)
    choose_waiting()
    print("The studio opens in a few seconds.", file=sys.stderr)
    try:  # torch and Gradio take seconds to load, and may be missing
        from styletut.cli.ending import signals_interrupt
        from styletut.studio.serving import serve

        with signals_interrupt():
            studio = serve(
                given.port,
                lan=given.share_on_lan,
                browser=not given.no_browser,
            )
            _tell(studio.address, given.share_on_lan)
            _wait()
            studio.close()
    except (ImportError, OSError) as error:
        sys.stderr.write(f"styletut: error: {_reason(error)}\n")
        return 1
    except KeyboardInterrupt:  # before it was open
        pass
    print("The studio is closed.", file=sys.stderr)
    return 0


def _tell(address: str, lan: bool) -> None:
    if lan:
        port = address.rstrip("/").rpartition(":")[2]
        others = f"http://{own_address()}:{port}"
        print(SHARED.format(address=others), file=sys.stderr)
    print(f"The studio is open: {address}", flush=True)


def _wait() -> None:
    """Wait for an interrupt; in pieces, for Windows tells of it in between."""
    never = threading.Event()
    try:
        while True:
            never.wait(1)
    except KeyboardInterrupt:
        pass


def own_address() -> str:
    """Return by which address other machines of the network know this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:  # which way it would go; nothing is sent
            probe.connect(("10.255.255.255", 1))
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{error}; the studio needs what this installs: "
            "python -m pip install gradio"
        )
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "styletut studio", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="to listen on (default: the first free one from 7860 on)",
    )
    parser.add_argument(
        "--share-on-lan",
        action="store_true",
        help="let other machines on your network in; without it the page is "
        "for this machine alone",
    )
    parser.add_argument(
        "--no-browser",
        action="store_true",
        help="print the page's address, and open no browser",
    )
    return parser


def _port(text: str) -> int:
    """Read what was typed for --port."""
    if not (text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port; it is a whole number from 1 to 65535"
        )
    return int(text)
