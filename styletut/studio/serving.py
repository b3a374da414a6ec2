"""The page on an address of this machine, with a folder of its own."""

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from styletut.cores.threads import set_threads

UPLOAD = 50 * 2**20
"""Bytes of one file; a photo of 48 megapixels takes about 20 million."""

MOST_WAITING = 20
"""Jobs that wait for their turn, at most."""

UNUSED = ("/process_recording", "/component_server", "/stream/", "/monitoring")
"""Parts of Gradio's addresses that the page has no use for."""

PREFIX = "styletut-studio-"
"""Of the folder's name; the number of the process follows."""

TIDIED_SECONDS = 600
"""How often the visits that ended long ago are looked for."""

HERE = ("127.0.0.1", "localhost", "[::1]")
"""What this machine calls itself."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'self'",
        # a notebook on this machine may show the page
        "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*",
    )
)
"""What the browser lets the page ask for: this server, and nobody else."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Enclosed:
    """Keeps the page to this machine, or this network, and its visitors.

    Of Gradio's answers each gets headers that let the browser ask nobody
    else. Refused are requests under a foreign name (which a page elsewhere
    could make the browser send), what a foreign page sends, uploads that are
    too large, and files that Gradio would have to fetch.

    Args:
        app: what answers.
        lan: whether the machine may be called by other names than its own.
    """

    def __init__(self, app: Any, lan: bool = False) -> None:
        self.app, self.lan = app, lan

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Send,
    ) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if status := refused(scope, self.lan):
            start = {"type": "http.response.start", "status": status}
            await send({**start, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", POLICY.encode()),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self.app(scope, receive, sent)


def refused(scope: Message, lan: bool) -> int:
    """Return the status by which a request is refused; 0 if it is not.

    Args:
        scope: of the request, as ASGI has it.
        lan: whether the machine may be called by other names than its own.
    """
    headers = {k.decode("latin-1"): v for k, v in scope["headers"]}
    host = headers.get("host", b"").decode("latin-1")
    if not (is_this_machine(host) or (lan and is_in_a_network(host))):
        return 403
    origin = headers.get("origin", b"").decode("latin-1")
    if origin and urlsplit(origin).netloc != host:
        return 403
    path = str(scope["path"])
    if "/proxy=" in path or "://" in path or "/file=http" in path:
        return 403
    if any(route in path for route in UNUSED):
        return 404
    if "transfer-encoding" in headers:  # whose length nobody knows
        return 411
    length = headers.get("content-length", b"0").decode("latin-1")
    # some more, for what surrounds the file in its message
    return 413 if not length.isdigit() or int(length) > UPLOAD + 2**16 else 0


def is_this_machine(host: str) -> bool:
    """Whether a request's host is this machine, called by itself."""
    return _without_port(host) in HERE


def is_in_a_network(host: str) -> bool:
    """Whether it is an address, or this machine's name in its network.

    A name of somebody else's could lead a visitor's browser here.
    """
    name, own = _without_port(host).lower(), socket.gethostname().lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name in (own, f"{own}.local", socket.getfqdn().lower())
    return True


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def own_folder() -> Path:
    """Make a folder for everything that is written; it goes at the end.

    Those of studios that were killed go now.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_left(folder: Path) -> bool:
    """Whether a folder is of a process that is gone, and of this user."""
    import psutil

    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    if not number.isdigit() or psutil.pid_exists(int(number)):
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


class Served(NamedTuple):
    """A studio that is open.

    Attributes:
        address: of the page.
        page: what Gradio serves.
        folder: of all its files.
        closed: is set at the end.
    """

    address: str
    page: Any
    folder: Path
    closed: threading.Event

    def close(self) -> None:
        """Serve no more, and remove all files."""
        self.closed.set()
        self.page.close(verbose=False)
        shutil.rmtree(self.folder, ignore_errors=True)


_open: list[Served] = []
"""The studio of this process: Gradio knows one folder at a time."""


def serve(
    port: int | None = None,
    *,
    lan: bool = False,
    browser: bool = False,
    inline: bool = False,
) -> Served:
    """Start the studio in the background, in place of one that is open.

    Args:
        port: to listen on; the first free one from 7860 on if None.
        lan: whether other machines of the network may come.
        browser: whether to open the page in the user's browser.
        inline: whether to show it in the notebook's cell.

    Returns:
        The open studio.

    Raises:
        OSError: if no such port is free.
    """
    close_all(_open)
    folder = own_folder()
    _say_first(folder)
    import gradio as gr
    from starlette.middleware import Middleware

    from styletut.studio.layout import CSS, SCRIPT
    from styletut.studio.pace import measured_pace
    from styletut.studio.page import build
    from styletut.studio.visits import Studio
    from styletut.vgg import VGG19

    set_threads(None)
    vgg = VGG19()
    studio = Studio(folder, vgg, measured_pace(vgg))
    page = build(studio)
    page.queue(max_size=MOST_WAITING, api_open=False)
    _, address, _ = _launched(
        page,
        server_name="0.0.0.0" if lan else "127.0.0.1",
        server_port=port,
        inbrowser=browser,
        inline=inline,
        height=1000,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        show_error=False,
        max_file_size=UPLOAD,
        footer_links=["api", "settings"],
        run_history=False,
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        app_kwargs={"middleware": [Middleware(Enclosed, lan=lan)]},
        theme=_theme(gr.themes),
        css=CSS,
        js=SCRIPT,
    )
    served = Served(str(address), page, folder, threading.Event())
    _open.append(served)
    threading.Thread(
        target=_tidy_until, args=(studio, served.closed), daemon=True
    ).start()
    return served


def _launched(page: Any, **settings: Any) -> Any:
    """Launch a page.

    Raises:
        OSError: if it cannot be reached.
    """
    port = settings["server_port"]
    try:
        return page.launch(**settings)
    except OSError as error:
        if port is None:
            raise OSError(
                "no port from 7860 on is free; name one with --port"
            ) from error
        raise OSError(
            f"port {port} is taken; leave out --port, or name another"
        ) from error
    except ValueError as error:  # Gradio asks itself whether it is there
        raise OSError(f"the page cannot be reached: {error}") from error


def _tidy_until(studio: Any, closed: threading.Event) -> None:
    while not closed.wait(TIDIED_SECONDS):
        studio.tidy()


def _theme(themes: Any) -> Any:
    """Return Gradio's soft theme in letters that are here, and dark enough.

    What is written in its usual shades has too little contrast to be read by
    everybody (WCAG 2.1, 1.4.3).
    """
    return themes.Soft(
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        block_title_text_color_dark="white",
        block_label_text_color_dark="white",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_700",
        checkbox_label_background_fill_selected="*primary_600",
        checkbox_label_background_fill_selected_dark="*primary_700",
        link_text_color="*primary_700",
    )


def close_all(studios: list[Served]) -> None:
    """Close every studio of a list, and empty it."""
    while studios:
        studios.pop().close()


def _say_first(folder: Path) -> None:
    """Say what Gradio reads when it is imported, or before it asks anybody."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]  # what it would open, or listen to, besides
    # its copies of files, beside ours
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Gradio loads Matplotlib, which would keep a list of fonts at home
    os.environ.setdefault("MPLCONFIGDIR", str(folder))
    # its first look at its own page goes by no proxy
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(
            dict.fromkeys([*_listed(os.environ.get(name, "")), *HERE[:2]])
        )


def _listed(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())
