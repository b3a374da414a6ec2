"""A file from the web, within a limit of size and of time."""

import http.client
import ipaddress
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from styletut import __version__
from styletut.images.picture import ImageError

MAX_BYTES = 50_000_000
"""Largest file that is fetched."""

MAX_SECONDS = 60.0
"""Longest time that a download may take from the call to the last byte."""

READ_SECONDS = 15.0
"""Longest time without a byte from the server."""

AGENT = f"styletut/{__version__}"
"""By what name servers are asked; some refuse one without a version."""

_CHUNK = 1 << 16
_ELSEWHERE = "Download the picture in a browser and give its file name."


def download(url: str) -> bytes:
    """Fetch a file over http or https; redirects stay within these two.

    Nor do they lead from a public server into the local network, where a
    server that is nobody's business may answer.

    Args:
        url: The address. Spaces and non-Latin letters are encoded.

    Returns:
        The file's bytes, complete.

    Raises:
        ImageError: No connection, an HTTP error, more than `MAX_BYTES`,
            longer than `MAX_SECONDS`, or a redirect that is not followed.
    """
    # In a thread, since neither looking up a host nor a server that sends its
    # headers byte by byte heeds a socket's time limit.
    outcome: queue.Queue[bytes | Exception] = queue.Queue()
    deadline = time.monotonic() + MAX_SECONDS
    threading.Thread(
        target=_worker, args=(url, deadline, outcome), daemon=True
    ).start()
    try:
        result = outcome.get(timeout=MAX_SECONDS)
    except queue.Empty:
        result = TimeoutError()
    if isinstance(result, bytes):
        return result
    if isinstance(result, ImageError):
        raise result
    raise ImageError(f"{url}: {_reason(result)} {_ELSEWHERE}") from result


def _worker(
    url: str, deadline: float, outcome: "queue.Queue[bytes | Exception]"
) -> None:
    try:
        outcome.put(_fetch(url, deadline))
    except Exception as error:  # Handed to the caller's thread, all of them.
        outcome.put(error)


def _fetch(url: str, deadline: float) -> bytes:
    request = urllib.request.Request(
        _encoded(url), headers={"User-Agent": AGENT, "Accept": "image/*"}
    )
    try:
        response = _opener(_Route(url)).open(request, timeout=READ_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()  # It holds the connection.
        raise
    with response:
        length = response.headers.get("Content-Length", "")
        expected = int(length) if length.isdecimal() else None
        if expected is not None and expected > MAX_BYTES:
            raise ImageError(_too_long(url, f"{expected / 1e6:.0f} MB"))
        data = bytearray()
        while chunk := response.read1(_CHUNK):
            data += chunk
            if len(data) > MAX_BYTES:
                raise ImageError(_too_long(url, "longer"))
            if time.monotonic() > deadline:
                raise TimeoutError
    if expected is not None and len(data) < expected:
        raise ImageError(
            f"{url}: the connection ended after {len(data)} of {expected} "
            "bytes. Try again."
        )
    return bytes(data)


class _Route:
    """Where the connections of a download lead, redirect by redirect."""

    def __init__(self, url: str) -> None:
        self.url, self.was_public = url, False

    def follow(self, peer: str) -> None:
        """Note a connection, or refuse it.

        It is the address that counts, not the name: a name can change what
        it stands for between two questions.
        """
        public = is_public(peer)
        if self.was_public and not public:
            raise ImageError(
                f"{self.url}: the server sends on to {peer}, which is an "
                f"address of your own network; that is not followed. "
                f"{_ELSEWHERE}"
            )
        self.was_public = public


def is_public(peer: str) -> bool:
    """Whether an address is one of the internet, and not of a network here."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global


def _followed(kind: type[http.client.HTTPConnection], route: _Route) -> Any:
    """Return a class of connections that ask the route once they stand."""

    class Followed(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            super().connect()
            sock: socket.socket = self.sock
            route.follow(sock.getpeername()[0])

    return Followed


class _HTTP(urllib.request.HTTPHandler):
    def __init__(self, route: _Route) -> None:
        super().__init__()
        self.kind = _followed(http.client.HTTPConnection, route)

    def http_open(self, request: Any) -> http.client.HTTPResponse:
        return self.do_open(self.kind, request)


class _HTTPS(urllib.request.HTTPSHandler):
    def __init__(self, route: _Route) -> None:
        super().__init__()
        self.kind = _followed(http.client.HTTPSConnection, route)

    def https_open(self, request: Any) -> http.client.HTTPResponse:
        return self.do_open(self.kind, request)


def _opener(route: _Route) -> urllib.request.OpenerDirector:
    """An opener that knows http and https alone, in redirects as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _HTTP(route),
        _HTTPS(route),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _encoded(url: str) -> str:
    """The address in ASCII: IDNA for the host, percent signs for the rest."""
    parts = urlsplit(url)
    safe = "%/:=&?~+!$,;'@()*[]"
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc.encode("idna").decode(),
            quote(parts.path, safe),
            quote(parts.query, safe),
            "",
        )
    )


def _too_long(url: str, found: str) -> str:
    return (
        f"{url}: the file is too large ({found}); the limit is "
        f"{MAX_BYTES / 1e6:.0f} MB. {_ELSEWHERE}"
    )


def _reason(error: Exception) -> str:
    """Why a download failed, in a sentence."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} ({error.reason})."
    if isinstance(error, urllib.error.URLError):
        if isinstance(error.reason, TimeoutError):
            return _reason(error.reason)
        return f"cannot be reached ({error.reason}); are you online?"
    if isinstance(error, TimeoutError):
        return (
            f"took too long (limits: {MAX_SECONDS:g} s in all, "
            f"{READ_SECONDS:g} s without a byte)."
        )
    if isinstance(error, (http.client.HTTPException, OSError)):
        return f"the connection failed ({error!r})."
    return f"is not a valid address ({error})."
