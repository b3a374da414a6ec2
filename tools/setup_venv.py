"""Make .venv and install the course into it, or download for a class.

    python3 tools/setup_venv.py install [--offline] [--torch-index=URL]
    python3 tools/setup_venv.py wheels [--torch-index=URL]

The Makefile calls this with the Python that the user has, whichever it is:
so it needs the standard library alone, and it keeps to syntax that even
Python 2.7 can read, in order to say that 3.10 is needed and how to get it.
"""

import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import threading

OLDEST = (3, 10)
NEWEST_TO_LOOK_FOR = 19
VENV = ".venv"
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".installed")
UNFINISHED = os.path.join(VENV, ".installing")
WIDGETS = os.path.join(
    VENV, "share", "jupyter", "labextensions", "@jupyter-widgets"
)
WHEELS = "wheels"
PROJECT = ".[notebooks,test,video,heic,studio,site]"
# PyTorch's own index of builds without GPU libraries, a tenth as large.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SECONDS_TO_REACH_IT = 5
INDEX_FLAG = "--torch-index="
# Installed beside the project, so that a later change of pyproject.toml that
# brings no new package can be taken in without network.
BUILD = ["pip>=23.0", "hatchling", "editables"]


def admin(command):
    """Return the command as an ordinary user types it."""
    return command if os.geteuid() == 0 else "sudo " + command


def refuse_windows():
    """Stop on Windows, where a virtual environment is laid out otherwise."""
    if os.name == "nt":
        sys.exit(
            "make does not set this project up on Windows. The README has the "
            "lines that do, under 'Windows, or without make'."
        )


def refuse_intel_mac():
    """Stop where pip has no PyTorch that is new enough: on Intel's Macs."""
    intel = (sys.platform, platform.machine()) == ("darwin", "x86_64")
    if intel and not has_torch(base_python()):
        sys.exit(
            "{0} is a Python for Intel's Macs, for which PyPI has no PyTorch "
            "above 2.2.2; this course needs 2.6. On an Intel Mac, conda-forge "
            "has one: the README has the lines, under 'An Intel Mac'. On a "
            "Mac with Apple silicon, take a Python made for that.".format(
                sys.executable
            )
        )


def refuse_old_python():
    """Stop on a Python that is too old, and name one that is not."""
    if sys.version_info[:2] >= OLDEST:
        return
    problem = "This course needs Python {0}.{1} or newer; {2} is {3}.".format(
        OLDEST[0],
        OLDEST[1],
        sys.executable,
        ".".join(str(part) for part in sys.version_info[:3]),
    )
    sys.exit(problem + "\n" + newer_python_advice())


def newer_python_advice():
    """Say how to use a newer Python: one that is here, or a new one."""
    for minor in range(NEWEST_TO_LOOK_FOR, OLDEST[1] - 1, -1):
        name = "python3.{0}".format(minor)
        if on_path(name):
            return "A newer one is here. Run: make lab PYTHON=" + name
    if sys.platform == "darwin":
        return "Run: brew install python (or get it from python.org)."
    return (
        "Install a newer one from python.org/downloads, or on a recent Debian "
        "or Ubuntu run: " + admin("apt install python3 python3-venv")
    )


def on_path(name):
    """Return whether a Python of this name really starts."""
    try:
        with open(os.devnull, "w") as null:
            return subprocess.call([name, "-c", ""], stderr=null) == 0
    except OSError:
        return False


def refuse_missing_venv():
    """Stop where Python came without venv or ensurepip, as Debian's does."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        sys.exit(
            "{0} cannot make virtual environments ({1}).\n{2}".format(
                sys.executable, error, venv_advice()
            )
        )


def venv_advice():
    """Say how to get the modules venv and ensurepip."""
    if os.path.exists("/etc/debian_version"):
        package = "python{0}.{1}-venv".format(*sys.version_info[:2])
        return "Run: " + admin("apt install " + package)
    if sys.platform == "darwin":
        return "Run: brew reinstall python (or get it from python.org)."
    return "Install a complete Python from python.org/downloads."


def wait_for_other_installs():
    """Let one process at a time work on .venv; return the held lock."""
    import fcntl

    lock = open("pyproject.toml", "r+")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another make is installing. Waiting for it.")
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        pass  # A file system without locks: two installs at once are rare.
    return lock


def is_installed():
    """Return whether the stamp stands for this folder and this project."""
    try:
        with open(STAMP) as stamp:
            here = stamp.read().strip() == os.getcwd()
        newer = os.path.getmtime(STAMP) >= os.path.getmtime("pyproject.toml")
    except OSError:
        return False
    return here and newer and venv_works()


def venv_works():
    """Return whether .venv is whole: its Python starts and has pip."""
    if os.path.exists(UNFINISHED):
        return False
    try:
        with open(os.devnull, "w") as null:
            command = [VENV_PYTHON, "-c", "import pip"]
            return subprocess.call(command, stderr=null) == 0
    except OSError:
        return False


def make_venv():
    """Make .venv unless a whole one is there; clear one left half-made."""
    if venv_works():
        return
    if os.path.exists(os.path.join(VENV, "pyvenv.cfg")):
        print("{0} is not whole. Making it anew.".format(VENV))
        shutil.rmtree(VENV)
    base = base_python()
    command = [base, "-m", "venv", VENV]
    if has_torch(base):
        print("Sharing the packages of {0}, which has torch.".format(base))
        command.append("--system-site-packages")
    if subprocess.call(command) != 0:
        sys.exit("Could not make {0}; the reason is above.".format(VENV))


def base_python():
    """Return the Python whose packages a new .venv can share.

    Where this Python belongs to a virtual environment itself, that is the
    one under it.
    """
    if sys.prefix == sys.base_prefix:
        return sys.executable
    name = "python{0}.{1}".format(*sys.version_info[:2])
    return os.path.join(sys.base_prefix, "bin", name)


def has_torch(python):
    """Return whether this Python imports torch and torchvision."""
    with open(os.devnull, "w") as null:
        command = [python, "-c", "import torch, torchvision"]
        return subprocess.call(command, stderr=null) == 0


def pip(arguments):
    """Run the pip of .venv and return its exit status."""
    # A user's own setting of `user` would make pip refuse a venv.
    environment = dict(
        os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1"
    )
    command = [VENV_PYTHON, "-m", "pip"]
    return subprocess.call(command + arguments, env=environment)


def small_torch_index(arguments):
    """Return the index to take PyTorch from; "" for pip's own.

    On Linux that has a build with 3 GB of GPU libraries. They are of no use
    without an NVIDIA GPU, so there it is PyTorch's index of CPU builds, or
    the one that the user names; an empty name is pip's own, too.
    """
    for word in arguments:
        if word.startswith(INDEX_FLAG):
            return word[len(INDEX_FLAG) :]
    small = sys.platform.startswith("linux") and not has_nvidia()
    known = platform.machine() in ("x86_64", "aarch64")
    return CPU_INDEX if small and known else ""


def has_nvidia():
    """Return whether an NVIDIA GPU is here, with its driver or without."""
    if glob.glob("/dev/nvidia[0-9]*") or os.path.exists("/dev/dxg"):
        return True  # the second is Windows' GPU as Linux sees it there
    return any(
        is_nvidia_gpu(folder) for folder in glob.glob("/sys/bus/pci/devices/*")
    )


def is_nvidia_gpu(folder):
    """Return whether a PCI device is a display controller by NVIDIA."""
    found = []
    for name in ("vendor", "class"):
        try:
            with open(os.path.join(folder, name)) as told:
                found.append(told.read().strip())
        except OSError:
            return False
    return found[0] == "0x10de" and found[1].startswith("0x03")


def is_reachable(index):
    """Return whether an index answers for torch within some seconds."""
    from urllib.request import urlopen

    answered = []

    def ask():
        try:
            page = urlopen(
                index.rstrip("/") + "/torch/", timeout=SECONDS_TO_REACH_IT
            )
            answered.append(b"torch" in page.read(2000))  # it begins so
        except Exception:  # of many kinds, and all mean no
            answered.append(False)

    # A name that nobody resolves takes longer than any timeout of a socket.
    asking = threading.Thread(target=ask)
    asking.daemon = True
    asking.start()
    asking.join(SECONDS_TO_REACH_IT)
    return bool(answered and answered[0])


def torch_requirements():
    """Return what pyproject.toml asks for of torch and torchvision."""
    with open("pyproject.toml") as project:
        return re.findall(
            r'^ +"(torch(?:vision)?[<>=][^"]*)"', project.read(), re.M
        )


def take_small_torch(command, index):
    """Let pip take PyTorch from an index, if it can.

    Args:
        command: of pip, with all that comes before the packages.
        index: an address; "" for none.

    Returns:
        Whether it is there now; if not, pip's own index has to do.
    """
    wanted = torch_requirements()
    if not index or not wanted:
        return False
    if not is_reachable(index):
        print(
            "{0} did not answer within {1} seconds. Taking PyTorch from pip's "
            "own index; on Linux its build is about 3 GB.".format(
                index, SECONDS_TO_REACH_IT
            )
        )
        return False
    print("Taking PyTorch from {0}.".format(index))
    if index == CPU_INDEX:
        print(
            "That is the build for CPUs. For the one of pip's own index: make "
            "clean, then make lab TORCH_INDEX="
        )
    sys.stdout.flush()
    if pip(command + ["--index-url", index] + wanted) == 0:
        return True
    print(
        "That failed; pip's reason is above. Taking the build of pip's own "
        "index."
    )
    return False


def install_widgets(source):
    """Put the sliders' browser part where JupyterLab in .venv looks for it.

    Packages that .venv shares with the Python under it count as installed,
    but JupyterLab reads the browser part from .venv itself alone.
    """
    if not shares_packages() or os.path.isdir(WIDGETS):
        return 0
    return pip(
        ["install", "--ignore-installed", "--no-deps", "jupyterlab-widgets"]
        + source
    )


def shares_packages():
    """Return whether .venv sees the packages of the Python under it."""
    with open(os.path.join(VENV, "pyvenv.cfg")) as config:
        return "include-system-site-packages = true" in config.read()


def install(offline, index=""):
    """Install the project and all that it needs into .venv, if need be.

    Args:
        offline: whether all of it comes from the folder of wheels.
        index: to take PyTorch from, unless it is there; "" for pip's own.
    """
    if offline and not os.path.isdir(WHEELS):
        sys.exit(
            "There is no folder {0} here. Run `make wheels` on a machine with "
            "network, the same system and the same Python, and copy its "
            "folder {0} to this place.".format(WHEELS)
        )
    source = ["--no-index", "--find-links", WHEELS] if offline else []
    make_venv()
    print("Installing into {0}. The first time takes minutes.".format(VENV))
    sys.stdout.flush()
    if not os.path.exists(STAMP):
        # Only a kill or an interrupt leaves this mark; pip's own errors do
        # not. A .venv that was whole once is never cleared for it: the one
        # who interrupts an update may have no network to get it all again.
        open(UNFINISHED, "w").close()
    status = pip(["install"] + source + BUILD)
    if status == 0 and not offline and index and not has_torch(VENV_PYTHON):
        take_small_torch(["install"], index)
    status = (
        status
        or pip(["install", "--no-build-isolation", "-e", PROJECT] + source)
        or install_widgets(source)
    )
    if os.path.exists(UNFINISHED):
        os.remove(UNFINISHED)
    if status != 0:
        sys.exit(
            "The installation failed; pip's reason is above. With the reason "
            "mended, run the same make command again.\nWithout network, see "
            "'A class without network' in the README. `make clean` removes "
            ".venv, to start anew."
        )
    with open(STAMP, "w") as stamp:
        stamp.write(os.getcwd() + "\n")


def download_wheels(index=""):
    """Download all that `install --offline` needs into wheels/.

    Args:
        index: to take PyTorch from; "" for pip's own.
    """
    make_venv()
    wheel = ["wheel", "--wheel-dir", WHEELS]
    pinned = []
    if take_small_torch(wheel, index):
        # else pip would take a newer one of its own index beside it
        pinned = ["--find-links", WHEELS] + downloaded_versions()
    if pip(wheel + pinned + [PROJECT] + BUILD) != 0:
        sys.exit("The download failed; pip's reason is above.")
    print(
        "All is in {0}. Copy the whole checkout, or that folder into another "
        "checkout, to a machine with the same system and Python {1}.{2};\n"
        "there `make lab OFFLINE=1` needs no network. Leave .venv "
        "behind.".format(WHEELS, *sys.version_info[:2])
    )


def downloaded_versions():
    """Return torch and torchvision as they lie in wheels/, as requirements."""
    found = []
    for name in ("torch", "torchvision"):
        files = glob.glob(os.path.join(WHEELS, name + "-*.whl"))
        newest = max(files, key=os.path.getmtime)
        version = os.path.basename(newest).split("-")[1]
        found.append("{0}=={1}".format(name, version))
    return found


def main(arguments):
    """Run one of the two commands."""
    refuse_windows()
    refuse_old_python()
    refuse_missing_venv()
    refuse_intel_mac()
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    lock = wait_for_other_installs()
    try:
        if arguments[:1] == ["wheels"]:
            download_wheels(small_torch_index(arguments))
        elif not is_installed():
            install("--offline" in arguments, small_torch_index(arguments))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The next make takes care of what is left.")
    finally:
        lock.close()


if __name__ == "__main__":
    main(sys.argv[1:])
