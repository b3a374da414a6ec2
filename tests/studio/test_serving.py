"""The studio's server: who may come, what may come in, what is left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from styletut.__main__ import main
from styletut.images import sample, save_image
from styletut.studio import serving

START_SECONDS = 120


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "tmp").mkdir()
    return home


def started(home, *words):
    """A studio in a process of its own, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "styletut", "studio"),
                *("--no-browser", "--port", str(port), *words),
            ],
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home / "tmp")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            urlopen(address, timeout=5).close()
            if "The studio is open" in said(home):
                return process, address
        except OSError:
            pass
        time.sleep(0.2)
    process.kill()
    pytest.fail(f"it did not start: {said(home)}")


def said(home):
    return (home / "log").read_text(encoding="utf-8")


def ended(process, home, by):
    """End a studio by a signal, and see that it leaves nothing."""
    process.send_signal(by)
    assert process.wait(timeout=60) == 0, said(home)
    assert "The studio is closed." in said(home)
    written = [p for p in home.rglob("*") if p.is_file()]
    assert written == [home / "log"]
    assert list((home / "tmp").iterdir()) == []


@pytest.fixture(scope="module")
def server(home):
    process, address = started(home)
    yield address
    # not SIGINT, which is ignored in the background of a script
    ended(process, home, signal.SIGTERM)


def test_one_that_is_shared_leaves_nothing_either(tmp_path):
    (tmp_path / "tmp").mkdir()
    process, _ = started(tmp_path, "--share-on-lan")
    ended(process, tmp_path, signal.SIGTERM)
    assert "Anybody on your network can now open http" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)


def status_of(request):
    """By which status a request is answered."""
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    from gradio_client import Client

    folder = tmp_path_factory.mktemp("downloads")
    client = Client(
        server, verbose=False, analytics_enabled=False, download_files=folder
    )
    yield client
    client.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    file = tmp_path_factory.mktemp("photo") / "mine.png"
    save_image(sample("rocket", 96), file)
    return file


def test_a_program_can_ask_for_a_picture(client, photo):
    from gradio_client import handle_file

    painted = client.predict(
        handle_file(photo), "night", 64, 1, api_name="/paint"
    )
    with Image.open(painted) as picture:
        assert max(picture.size) == 64
        assert "night --size 64" in picture.text["command"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("night", 4000, 1), "paints up to 1024"),
        (("night", 64, 7), "the strength is 7"),
        (("/etc/passwd", 64, 1), "not in the list of choices"),
    ],
)
def test_it_says_what_is_wrong(client, photo, asked, said):
    from gradio_client import handle_file

    with pytest.raises(Exception, match=said):
        client.predict(handle_file(photo), *asked, api_name="/paint")


def asked_for(server, path):
    """What comes of a photo that a program names and does not upload."""
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [photo, "night", 64, 1]}).encode()
    call = f"{server}/gradio_api/call/paint"
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(call, body, headers), timeout=30) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{call}/{event}", timeout=60) as answer:
        return answer.read().decode()


def test_no_file_of_this_machine_can_be_asked_for(server):
    told = asked_for(server, "/etc/hostname")
    assert "event: error" in told and "event: complete" not in told


def test_no_address_is_called(server):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/a.png"
        assert "event: error" in asked_for(server, address)
        assert status_of(f"{server}/gradio_api/file={address}") == 403
        assert status_of(f"{server}/gradio_api/proxy={address}") == 403
        listening.settimeout(1)
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Host": "elsewhere.example"}),
        ("/", {"Origin": "http://elsewhere.example"}),
    ],
)
def test_what_comes_from_elsewhere_is_refused(server, path, headers):
    assert status_of(Request(server + path, headers=headers)) == 403


@pytest.mark.parametrize("path", ["/etc/passwd", str(Path(__file__))])
def test_no_file_of_this_machine_is_served(server, path):
    address = f"{server}/gradio_api/file={quote(path)}"
    assert status_of(address) in (403, 404)


def test_an_upload_has_a_limit(server):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; '
        b'filename="big.png"\r\n\r\n' + bytes(53 * 10**6) + b"\r\n--x--\r\n"
    )
    request = Request(
        f"{server}/gradio_api/upload",
        data=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    try:  # it is refused before it is read, so the line may break meanwhile
        assert status_of(request) == 413
    except URLError as error:
        assert isinstance(error.reason, ConnectionError)


def test_the_browser_is_told_to_ask_nobody_else(server):
    with urlopen(server, timeout=10) as answer:
        policy = answer.headers["Content-Security-Policy"]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed["default-src"] == "'self'"
    framing = allowed.pop("frame-ancestors").split()
    assert framing[0] == "'self'"
    for each in framing[1:]:
        assert re.fullmatch(r"http://(127\.0\.0\.1|localhost):\*", each)
    assert not any("http" in each or "*" in each for each in allowed.values())


def test_it_listens_on_this_machine_alone(server):
    port = int(server.rpartition(":")[2])
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("Linux alone says who listens where")
    found = re.findall(
        rf" (\w{{8}}):{port:04X} 00000000:0000 0A",
        (listening.read_text(encoding="ascii")),
    )
    assert found == ["0100007F"]


def test_a_port_that_is_taken_is_said(server, tmp_path):
    port = server.rpartition(":")[2]
    words = (sys.executable, "-m", "styletut", "studio", "--no-browser")
    result = subprocess.run(
        [*words, "--port", port],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert f"port {port} is taken; leave out --port" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_machine_is_called_by_other_names_in_a_network():
    def asked(lan, **headers):
        given = [(k.encode(), v.encode()) for k, v in headers.items()]
        scope = {"type": "http", "path": "/", "headers": given}
        return serving.refused(scope, lan)

    assert asked(False, host="127.0.0.1:7860") == 0
    assert asked(False, host="localhost:7860") == 0
    assert asked(False, host="[::1]:7860") == 0
    assert asked(False, host="192.168.0.5:7860") == 403
    assert asked(True, host="192.168.0.5:7860") == 0
    assert asked(True, host=f"{socket.gethostname()}:7860") == 0
    assert asked(True, host="elsewhere.example:7860") == 403
    foreign = {"host": "192.168.0.5:7860", "origin": "http://other:80"}
    assert asked(True, **foreign) == 403
    assert (
        asked(True, host="127.0.0.1", **{"content-length": "60000000"}) == 413
    )
    assert asked(True, host="127.0.0.1", **{"content-length": "many"}) == 413
    chunked = {"transfer-encoding": "chunked"}
    assert asked(False, host="localhost", **chunked) == 411


def test_folders_of_killed_studios_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"{serving.PREFIX}{gone.pid}-abc"
    other = tmp_path / f"{serving.PREFIX}{os.getpid()}-abc"
    for folder in (left, other, tmp_path / "else"):
        folder.mkdir()
    own = serving.own_folder()
    assert not left.exists() and other.exists() and own.exists()
    assert (tmp_path / "else").exists()


@pytest.mark.parametrize("port", ["0", "99999", "x", "-1"])
def test_a_port_that_cannot_be_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        main(["studio", f"--port={port}"])
    assert "whole number from 1 to 65535" in capsys.readouterr().err


def test_help_says_who_may_come(capsys):
    with pytest.raises(SystemExit):
        main(["studio", "--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert "let other machines on your network in" in help_text


def test_without_gradio_it_says_how_to_get_it(monkeypatch, capsys):
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")
    for name in ("HF_HUB_OFFLINE", "NO_PROXY", "no_proxy", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["studio", "--no-browser"]) == 1
    assert "pip install gradio" in capsys.readouterr().err


def test_the_command_lines_help_names_it(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "`styletut studio` opens a page" in told


def test_all_other_words_are_the_command_line(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("styletut ")
