"""The settings of a run: spelled out, typed, completed, told in numbers."""

import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from styletut.conventions import CONVENTIONS, DEFAULT_CONVENTION
from styletut.transfer import Settings, coarse_to_fine, stylize, stylize_steps
from styletut.transfer.plan import DEFAULTS

ROOT = Path(__file__).resolve().parents[2]
NO_SETTINGS = ("content", "style", "vgg", "masks", "checkpoint", "resume")
FRONT_DOOR = [stylize, stylize_steps]

EVERY_SETTING = """
import styletut
import torch
from styletut import VGG19
from styletut.conventions import CONVENTIONS
from styletut.transfer import Settings, coarse_to_fine, stylize, stylize_steps
from styletut.transfer.coarse_to_fine import prepare

settings: Settings = {
    "size": 64,
    "style_size": 96,
    "evaluations": 10,
    "schedule": [(32, 5), (64, 5)],
    "convention": CONVENTIONS["styletut"],
    "alpha": 1,
    "beta": 0.5,
    "gamma": None,
    "content_layers": ["relu4_2"],
    "style_layers": {"relu1_1": 1.0},
    "color": "match",
    "strength": 1.5,
    "guidance": "inside",
    "statistic": "moments",
    "optimizer": "lbfgs",
    "options": {"history": 5},
    "range_rule": "none",
    "start": torch.zeros(1, 3, 8, 8),
    "seed": 3,
    "device": torch.device("cpu"),
    "precision": "float32",
}
for function in (stylize, stylize_steps, prepare):
    function("a.jpg", "b.jpg", vgg=VGG19(), **settings)
several = [("b.jpg", 1.0), ("c.jpg", 2.0)]
stylize("a.jpg", None, masks=[("m.png", "b.jpg"), ("n.png", several, None)])
styletut.stylize("a.jpg", several, convention="d2l", alpha=1)
"""

REFUSED = """
import styletut
from styletut.transfer import stylize, stylize_steps
from styletut.transfer.coarse_to_fine import prepare
from styletut.transfer.plan import plan_run

styletut.stylize("a.jpg", "b.jpg", alhpa=1)
stylize("a.jpg", "b.jpg", alhpa=1)
stylize_steps("a.jpg", "b.jpg", alhpa=1)
prepare("a.jpg", "b.jpg", alhpa=1)
plan_run((8, 8), [(8, 8)], alhpa=1)
stylize("a.jpg", "b.jpg", size="large")
prepare("a.jpg", "b.jpg", seed=None)
"""


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """What mypy says of both snippets, by file and line."""
    folder = tmp_path_factory.mktemp("typed")
    for name, text in (("good", EVERY_SETTING), ("bad", REFUSED)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "mypy", "--no-error-summary"),
        # as lint does, whose cache is used
        *("--config-file", str(ROOT / "pyproject.toml")),
        *("--cache-dir", str(ROOT / ".mypy_cache")),
        *("good.py", "bad.py"),
    ]
    environment = {"MYPYPATH": str(ROOT), "PATH": ""}
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment
    )
    assert result.returncode == 1, result.stdout + result.stderr
    return re.findall(r"^(\w+)\.py:(\d+): error: (.+)$", result.stdout, re.M)


def test_every_setting_is_accepted_by_mypy(mypy):
    assert [each for each in mypy if each[0] == "good"] == []
    named = set(re.findall(r'^    "(\w+)":', EVERY_SETTING, re.M))
    assert named == set(Settings.__annotations__)


def test_what_does_not_exist_or_has_another_type_is_refused_by_mypy(mypy):
    calls = [
        n for n, line in enumerate(REFUSED.split("\n"), 1) if "jpg" in line
    ]
    calls.append(REFUSED[: REFUSED.index("plan_run((")].count("\n") + 1)
    refused = {int(line): text for name, line, text in mypy if name == "bad"}
    assert set(refused) == set(calls)
    misspelled = [text for text in refused.values() if "alhpa" in text]
    assert len(misspelled) == 5


@pytest.mark.parametrize("function", FRONT_DOOR)
def test_the_front_door_spells_every_setting(function):
    parameters = inspect.signature(function).parameters
    spelled = {
        name: each.default
        for name, each in parameters.items()
        if name not in NO_SETTINGS
    }
    assert spelled == DEFAULTS
    hints = get_type_hints(function)
    assert {name: hints[name] for name in spelled} == get_type_hints(Settings)
    assert all(
        parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        for name in spelled
    )


@pytest.mark.parametrize("function", FRONT_DOOR)
def test_python_refuses_what_it_does_not_spell(function):
    with pytest.raises(TypeError, match="alhpa"):
        function("a.jpg", "b.jpg", alhpa=1)


@pytest.mark.parametrize("function", FRONT_DOOR)
def test_every_setting_is_handed_on(function, monkeypatch):
    given = {name: object() for name in DEFAULTS}
    handed = {}

    def prepare(content, style, **settings):
        handed.update(settings)
        raise StopIteration  # that is all there is to see

    monkeypatch.setattr(coarse_to_fine, "prepare", prepare)
    beside = {"vgg": None, "masks": ("m",)}
    beside |= {"checkpoint": "c", "resume": True}
    with pytest.raises(StopIteration):
        function("a.jpg", "b.jpg", **beside, **given)
    assert handed == {**beside, **given}


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_jupyter_completes_every_setting(name):
    shell = InteractiveShell()
    shell.user_ns.update(stylize=stylize, stylize_steps=stylize_steps)
    for function in FRONT_DOOR:
        text = f"{function.__name__}(photo, painting, {name[:3]}"
        with provisionalcompleter():
            found = list(shell.Completer.completions(text, len(text)))
        assert f"{name}=" in [each.text for each in found]


def told():
    """What help(stylize) says in brackets, by setting."""
    text = inspect.getdoc(stylize)
    arguments = text[text.index("Args:") : text.index("Returns:")]
    entries = re.findall(
        r"^    (\w+): (.*?)(?=^    \w+: |\Z)", arguments, re.M | re.S
    )
    numbers = {}
    for name, words in entries:
        if found := re.search(r"\[(?!0, 1\])([^\]]+)\]", words):
            numbers[name] = " ".join(found[1].split())
    return numbers


def test_help_tells_the_defaults_in_numbers():
    own = CONVENTIONS[DEFAULT_CONVENTION]
    assert told() == {
        "size": f"{own.size}",
        "style_size": "that of the result",
        "evaluations": f"{own.evaluations}",
        "alpha": f"{own.alpha_share:g} of the untouched photo's style loss "
        f"at the finest size, {own.alpha:g} at most",
        "beta": f"{own.beta:g}",
        "gamma": f"{own.gamma:g}",
        "content_layers": ", ".join(own.content_layers),
        "style_layers": ", ".join(own.style_layers),
        "optimizer": own.optimizer,
        "options": "none",
        "range_rule": own.range_rule,
        "start": own.start,
    }
    assert (own.size_of, own.style_size) == ("longer", "longer")
    assert own.optimizer_options == {}


def test_help_shows_every_setting_with_its_default():
    text = pydoc.render_doc(stylize, renderer=pydoc.plaintext)
    signature = text[: text.index("Result")]
    for name, default in DEFAULTS.items():
        assert re.search(
            rf"\b{name}: .*= {re.escape(repr(default))}", signature
        )


def test_types_of_settings_are_those_of_the_objective():
    from styletut.objective import Objective

    hints = get_type_hints(Objective.__init__)
    settings = get_type_hints(Settings)
    for name in ("alpha", "beta", "gamma", "content_layers", "style_layers"):
        assert set(get_args(hints[name])) == set(get_args(settings[name]))
