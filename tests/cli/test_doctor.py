"""The doctor's advice on other machines than this one, imitated."""

import platform
import re
import shlex
import subprocess
import sys

import pytest

from styletut.cli import doctor

PYTHON = r"C:\Users\Anna Weiß\AppData\Local\Python\python.exe"
PLAIN = r"C:\Python312\python.exe"


@pytest.fixture
def machine(monkeypatch):
    """Stand on another machine, by its system and its processor."""

    def stand_on(system, processor, python=sys.executable):
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: processor)
        monkeypatch.setattr(sys, "executable", python)

    return stand_on


@pytest.mark.parametrize("system", ["Linux", "Darwin", "FreeBSD"])
def test_a_posix_shell_reads_a_command_back(machine, system):
    machine(system, "x86_64", "/home/an na/it's/$here/python")
    words = ("-m", "pip", "install", "styletut[video]", "a b", "é\\")
    assert shlex.split(doctor.command(sys.executable, *words)) == [
        sys.executable,
        *words,
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((PLAIN, "-m", "pip"), rf"{PLAIN} -m pip"),
        # a quoted name alone would be a text to PowerShell
        ((PYTHON, "-m", "pip"), rf'& "{PYTHON}" -m pip'),
        ((r"C:\it's\py.exe",), '& "C:\\it\'s\\py.exe"'),
        ((r"C:\$new\py.exe",), r"& 'C:\$new\py.exe'"),
        ((r"C:\a`b'c\py.exe",), r"& 'C:\a`b''c\py.exe'"),
        (("py", "av>=14"), 'py "av>=14"'),
        (("py", "x[video]", "a==1.6.0"), 'py "x[video]" a==1.6.0'),
        (("py", "-c", "f('a', b=True); g"), "py -c \"f('a', b=True); g\""),
        (("py", ""), 'py ""'),
        (("py", "(x86)&x"), 'py "(x86)&x"'),
    ],
)
def test_powershell_reads_a_command(machine, words, line):
    machine("Windows", "AMD64")
    assert doctor.command(*words) == line


def test_every_remedy_on_windows_is_for_powershell(
    machine, monkeypatch, tmp_path
):
    machine("Windows", "AMD64", PYTHON)
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    remedies = [each.remedy for each in doctor._packages()]
    damaged = tmp_path / "my weights.bin"
    damaged.write_bytes(b"half a file")
    weights = "styletut.vgg.weights"
    monkeypatch.setattr(f"{weights}.oxford_path", lambda: None)
    monkeypatch.setattr(f"{weights}.torchvision_path", lambda: damaged)
    remedies += [each.remedy for each in doctor._weights()]
    *_, removal = remedies
    assert removal.startswith(f'Remove-Item "{damaged}"; & "{PYTHON}" -c "')
    for each in remedies:
        assert f'& "{PYTHON}" -' in each
        assert "&&" not in each and "\\'" not in each


LOADS = [
    "[WinError 126] The specified module could not be found. Error loading "
    r'"C:\Lib\site-packages\torch\lib\fbgemm.dll" or one of its dependencies.',
    "[WinError 126] Das angegebene Modul wurde nicht gefunden. Error loading "
    '"c10.dll"',
    "[WinError 127] The specified procedure could not be found",
    "[WinError 1114] A dynamic link library (DLL) initialization routine "
    'failed. Error loading "c10.dll"',
    "DLL load failed while importing _C: The specified module could not be "
    "found.",
]


@pytest.mark.parametrize("text", LOADS)
@pytest.mark.parametrize("kind", [OSError, ImportError])
def test_windows_lacks_the_runtime_of_microsoft(machine, kind, text):
    for processor, package in (("AMD64", "x64"), ("ARM64", "arm64")):
        machine("Windows", processor)
        found = doctor._broken(kind(text))
        assert found.fatal and found.found.startswith("fails: ")
        assert "Microsoft's Visual C++ runtime" in found.found
        assert found.remedy == (
            f"winget install Microsoft.VCRedist.2015+.{package}"
        )


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("Windows", "No module named 'torch._C'"),
        ("Linux", "libtorch.so: cannot open shared object file"),
        ("Linux", LOADS[0]),
        ("Darwin", "dlopen: Symbol not found"),
        ("Linux", ""),
    ],
)
def test_torch_that_is_damaged_is_installed_anew(machine, system, text):
    machine(system, "x86_64", PLAIN)
    found = doctor._broken(ImportError(text))
    assert "Microsoft" not in found.found
    assert found.remedy.endswith("-m pip install --force-reinstall torch")


def test_the_whole_report_where_torchs_libraries_do_not_load():
    code = f"""
import platform, sys
platform.system, platform.machine = lambda: "Windows", lambda: "AMD64"
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise OSError({LOADS[0]!r})
from styletut.cli import doctor
from styletut.cores.waiting import Waiting
kept, doctor.find_spec = doctor.find_spec, lambda name: object()
sys.meta_path.insert(0, Broken())
sys.exit(doctor.examine(Waiting("", False)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 1, result.stderr
    assert re.search(
        r"^import torch +fails: \[WinError 126\].*Visual C\+\+.*\n"
        r" +run: winget install Microsoft\.VCRedist",
        result.stdout,
        re.M,
    )
    assert "No picture can be made here yet: import torch" in result.stdout


def test_an_intel_mac_gets_torch_from_conda_forge(machine, monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    told = {}
    for processor in ("x86_64", "arm64"):
        machine("Darwin", processor)
        told[processor] = {
            each.what: each.remedy for each in doctor._packages()
        }
    conda = "conda install -c conda-forge"
    assert told["x86_64"]["torch"] == f"{conda} pytorch"
    assert told["x86_64"]["torchvision"] == f"{conda} torchvision"
    others = {"torch", "torchvision"}
    for name, remedy in told["x86_64"].items():
        assert name in others or "-m pip install" in remedy
    assert all("-m pip install" in each for each in told["arm64"].values())
