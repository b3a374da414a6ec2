"""Downloads from a server on this machine that behaves badly on request."""

import gzip
import io
import socket
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

import styletut
from styletut.images import ImageError, download, load_image


def red_png():
    data = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(data, "PNG")
    return data.getvalue()


class Server(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        name = self.path.split("?")[0].strip("/")
        answer = getattr(self, f"get_{name}", None)
        if answer is None:
            self.send_error(404)
        else:
            answer()

    def reply(self, body, length=None, status=200, **headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def get_red(self):
        self.reply(red_png(), len(red_png()))

    def get_unsized(self):
        self.reply(red_png())

    def get_page(self):
        self.reply(b"<html><h1>Please log in</h1></html>")

    def get_empty(self):
        self.reply(b"", 0)

    def get_short(self):
        self.reply(red_png()[:40], len(red_png()))

    def get_huge(self):
        self.reply(b"", 10**10)

    def get_endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.stop.is_set():
            self.wfile.write(bytes(1 << 16))

    def get_drip(self):
        """A byte now and then, so that no single read takes long."""
        self.send_response(200)
        self.end_headers()
        while not self.server.stop.wait(0.02):
            self.wfile.write(b"x")

    def get_drip_headers(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while not self.server.stop.wait(0.02):
            self.wfile.write(b"x")

    def get_silent(self):
        self.server.stop.wait(10)

    def get_garbage(self):
        self.wfile.write(b"I am no web server\r\n\r\n")

    def get_hop(self):
        self.reply(b"", 0, 302, Location="/red")

    def get_loop(self):
        self.reply(b"", 0, 302, Location="/loop")

    def get_to_file(self):
        self.reply(b"", 0, 302, Location="file:///etc/hostname")

    def get_chain(self):
        """A redirect to ever another address."""
        number = len(self.server.requests)
        self.reply(b"", 0, 302, Location=f"/chain?{number}")

    def get_nowhere(self):
        self.reply(b"", 0, 302)

    def get_odd(self):
        self.reply(b"", 0, 302, Location="http://[/\xe9")

    def get_longer(self):
        self.reply(red_png() + bytes(5000), len(red_png()))

    def get_lying(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-16")
        self.end_headers()
        self.wfile.write(red_png())

    def get_negative(self):
        self.reply(red_png(), -5)

    def get_digits(self):
        self.reply(red_png(), "9" * 5000)

    def get_foreign(self):
        """A number, for Python; none, for a protocol."""
        self.wfile.write(
            b"HTTP/1.0 200 OK\r\nContent-Length: \xb2\r\n\r\n" + red_png()
        )

    def chunked(self, body):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def get_chunked(self):
        data = red_png()
        self.chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    def get_chunk_size(self):
        self.chunked(b"zz\r\n" + red_png())

    def get_chunk_short(self):
        self.chunked(b"fff\r\n" + red_png()[:20])

    def get_chunk_open(self):
        data = red_png()
        self.chunked(b"%x\r\n%s\r\n" % (len(data), data))

    def get_chunk_huge(self):
        self.chunked(b"f" * 40 + b"\r\n" + red_png())

    def get_zipped(self):
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(red_png()))

    def get_headers(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n")
        self.wfile.write(b"X: y\r\n" * 500 + b"\r\n")

    def get_long_header(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX: " + b"x" * 100_000)

    def get_no_content(self):
        self.reply(b"", status=204)

    def get_reset(self):
        """Half of the picture, and then no goodbye."""
        self.reply(red_png()[:40], len(red_png()))
        self.wfile.flush()
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )

    def get_stalled(self):
        self.reply(red_png()[:40], len(red_png()))
        self.wfile.flush()
        self.server.stop.wait(10)

    def get_continue(self):
        """Ever "go on", and never an answer."""
        while not self.server.stop.wait(0.01):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def get_to_ftp(self):
        self.reply(b"", 0, 302, Location="ftp://127.0.0.1/a.png")

    def handle(self):
        with suppress(OSError):  # The client hangs up, as it should.
            super().handle()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    httpd.requests, httpd.stop = [], threading.Event()
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    yield httpd
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


SOUND = ("red", "unsized", "hop", "longer", "lying", "negative", "foreign")


@pytest.mark.parametrize("name", [*SOUND, "chunked"])
def test_a_picture_is_fetched(server, name):
    image = load_image(f"{server.url}/{name}", size=3)
    assert image.shape == (1, 3, 2, 3)
    assert image[0, 0].min() == 1
    assert image[0, 1:].max() == 0


def test_the_server_learns_who_asks(server):
    load_image(f"{server.url}/red")
    agent = server.requests[0][1]["User-Agent"]
    assert agent == f"styletut/{styletut.__version__}"


@pytest.mark.parametrize(
    ("peer", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),  # where clouds keep their keys
        ("100.64.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
    ],
)
def test_public_addresses_are_told_from_others(peer, public):
    assert download.is_public(peer) is public


def test_no_redirect_leads_from_outside_into_the_network(server, monkeypatch):
    seen = []

    def is_public(peer):
        seen.append(peer)
        return len(seen) == 1  # the first server is elsewhere

    monkeypatch.setattr(download, "is_public", is_public)
    with pytest.raises(ImageError, match=r"sends on to 127\.0\.0\.1") as told:
        load_image(f"{server.url}/hop")
    assert "your own network" in str(told.value)
    assert seen == ["127.0.0.1"] * 2, "the address that was connected to"
    assert len(server.requests) == 1, "nothing is asked there"


def test_redirects_inside_a_network_are_followed(server, monkeypatch):
    load_image(f"{server.url}/hop")
    assert len(server.requests) == 2


def test_an_uppercase_scheme_is_a_url(server):
    load_image(server.url.replace("http", "HTTP") + "/red")


def test_spaces_and_other_alphabets_are_encoded(server):
    with pytest.raises(ImageError, match="404"):
        load_image(f"{server.url}/мой рисунок%20日.png?größe=1 2#part")
    path = server.requests[0][0]
    assert path == (
        "/%D0%BC%D0%BE%D0%B9%20%D1%80%D0%B8%D1%81%D1%83%D0%BD%D0%BE%D0%BA"
        "%20%E6%97%A5.png?gr%C3%B6%C3%9Fe=1%202"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", r"answered 404 \(Not Found\)\. Download"),
        ("page", "not a picture.*HTML"),
        ("empty", "is empty"),
        ("short", r"ended after 40 of \d+ bytes\. Try again"),
        ("huge", r"too large \(10000 MB\); the limit is 50 MB"),
        ("garbage", "connection failed"),
        ("loop", "302.*infinite loop"),
        ("to_file", "302.*not allowed"),
        ("to_ftp", "unknown url type: ftp"),
        ("chain", "302.*infinite loop"),
        ("nowhere", r"answered 302 \(Found\)"),
        ("odd", "302|address|failed"),
        ("digits", "too large"),
        ("chunk_size", "connection failed"),
        ("chunk_short", "connection failed"),
        ("chunk_open", "connection failed"),
        ("chunk_huge", "connection failed|too large"),
        ("zipped", "sent compressed"),
        ("headers", "connection failed"),
        ("long_header", "connection failed"),
        ("no_content", "is empty"),
        ("reset", "connection (failed|ended)"),
    ],
)
def test_a_bad_answer_is_refused(server, name, message):
    with pytest.raises(ImageError, match=message) as caught:
        load_image(f"{server.url}/{name}")
    assert f"{server.url}/{name}" in str(caught.value)


def test_a_file_without_a_length_is_cut_at_the_limit(server, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 10**6)
    with pytest.raises(ImageError, match=r"too large .*the limit is 1 MB"):
        load_image(f"{server.url}/endless")


def test_a_file_of_exactly_the_limit_is_taken(server, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", len(red_png()))
    load_image(f"{server.url}/red")
    load_image(f"{server.url}/unsized")
    monkeypatch.setattr(download, "MAX_BYTES", len(red_png()) - 1)
    for name in ("red", "unsized"):
        with pytest.raises(ImageError, match="too large"):
            load_image(f"{server.url}/{name}")


UNENDING = ("drip", "drip_headers", "silent", "stalled", "continue")


@pytest.mark.parametrize("name", UNENDING)
def test_the_whole_download_has_a_time_limit(server, monkeypatch, name):
    """None of these answers ever ends by itself."""
    monkeypatch.setattr(download, "MAX_SECONDS", 0.3)
    with pytest.raises(ImageError, match=r"too long \(limits: 0\.3 s in all"):
        load_image(f"{server.url}/{name}")


def test_a_silent_server_has_a_time_limit_of_its_own(server, monkeypatch):
    monkeypatch.setattr(download, "READ_SECONDS", 0.2)
    with pytest.raises(ImageError, match=r"too long .*0\.2 s without a byte"):
        load_image(f"{server.url}/silent")


@pytest.mark.parametrize("name", UNENDING)
def test_a_download_that_was_given_up_ends(server, monkeypatch, name):
    monkeypatch.setattr(download, "MAX_SECONDS", 0.1)
    with pytest.raises(ImageError, match="too long"):
        load_image(f"{server.url}/{name}")
    while any(each.name == "download" for each in threading.enumerate()):
        time.sleep(0.02)  # for ever, if it does not end


def test_a_slow_server_within_the_limits_is_waited_for(server, monkeypatch):
    monkeypatch.setattr(
        Server, "get_red", lambda self: (time.sleep(0.2), self.get_unsized())
    )
    load_image(f"{server.url}/red")


def test_a_refused_connection_says_so(server):
    free = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    free.server_close()
    url = f"http://127.0.0.1:{free.server_port}/a.png"
    with pytest.raises(ImageError, match=r"cannot be reached .*online"):
        load_image(url)


def test_being_offline_says_so(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")

    def offline(*arguments):
        raise OSError(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", offline)
    with pytest.raises(ImageError, match=r"name resolution.*are you online"):
        load_image("https://example.org/a.png")


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///a.png",
        "http://[1/a.png",
        "http://a:b/c.png",
        "http:a.png",
        "https://" + "a" * 70 + ".org/",
    ],
)
def test_a_malformed_address_is_refused(url, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(ImageError, match=r"address|reached|connection failed"):
        load_image(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a.png",
        "file:///tmp/a.png",
        "FILE:///a.png",
        "s3://b/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "file:a.png",
    ],
)
def test_other_schemes_are_refused(url):
    with pytest.raises(ImageError, match=r"http and https are read.*a path"):
        load_image(url)
