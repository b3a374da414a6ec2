"""A file from the web, within a limit of size and of time."""

import contextlib
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
    route = _Route(url)
    threading.Thread(
        target=_worker,
        name="download",
        args=(route, deadline, outcome),
        daemon=True,
    ).start()
    try:
        result = outcome.get(timeout=MAX_SECONDS)
    except queue.Empty:
        result = TimeoutError()
        route.hang_up()  # and so the thread ends
    if isinstance(result, bytes):
        return result
    if isinstance(result, ImageError):
        raise result
    raise ImageError(f"{url}: {_reason(result)} {_ELSEWHERE}") from result


def _worker(
    route: "_Route",
    deadline: float,
    outcome: "queue.Queue[bytes | Exception]",
) -> None:
    try:
        outcome.put(_fetch(route, deadline))
    except Exception as error:  # Handed to the caller's thread, all of them.
        outcome.put(error)


def _fetch(route: "_Route", deadline: float) -> bytes:
    url = route.url
    request = urllib.request.Request(
        _encoded(url), headers={"User-Agent": AGENT, "Accept": "image/*"}
    )
    try:
        response = _opener(route).open(request, timeout=READ_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()  # It holds the connection.
        raise
    with response:
        expected = _number(response.headers.get("Content-Length", ""))
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


def _number(length: str) -> int | None:
    """Return the length that a server tells, None where it tells none."""
    if not (length.isascii() and length.isdecimal()):
        return None
    return int(length[:20])  # of more digits it is too long anyway


class _Route:
    """Where the connections of a download lead, redirect by redirect."""

    def __init__(self, url: str) -> None:
        self.url, self.was_public = url, False
        self.socket: socket.socket | None = None
        self.given_up = False

    def follow(self, connection: socket.socket) -> None:
        """Note a connection, or refuse it.

        It is the address that counts, not the name: a name can change what
        it stands for between two questions.
        """
        self.socket = connection
        if self.given_up:
            self.hang_up()
        peer: str = connection.getpeername()[0]
        public = is_public(peer)
        if self.was_public and not public:
            raise ImageError(
                f"{self.url}: the server sends on to {peer}, which is an "
                f"address of your own network; that is not followed. "
                f"{_ELSEWHERE}"
            )
        self.was_public = public

    def hang_up(self) -> None:
        """End the connection, in whatever it waits for, and any later one."""
        self.given_up = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


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
            route.follow(self.sock)

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


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Closes a connection whose redirect leads to no address."""

    def http_error_302(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_302
    http_error_307 = http_error_308 = http_error_302


def _opener(route: _Route) -> urllib.request.OpenerDirector:
    """An opener that knows http and https alone, in redirects as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _HTTP(route),
        _HTTPS(route),
        _Redirects(),
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
