"""`--tune`: what is measured, stored and said. Nothing here is timed."""

import pytest
import torch

from styletut.cli import tuning
from styletut.cli.main import main
from styletut.kernels import algorithms, convolution, onednn, timings
from styletut.kernels.algorithms import ALGORITHMS, Layer

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test an empty cache folder, and small layers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tuning, "SIZES", (16,))
    layers = [Layer(64, 64, 256), Layer(64, 128, 64)]
    monkeypatch.setattr(tuning, "vgg_layers", lambda: layers)
    timings._stored.cache_clear()
    yield tmp_path
    timings._stored.cache_clear()


def test_the_least_of_several_runs_in_turn(monkeypatch):
    order, now = [], iter([0, 9, 9, 18, 20, 23, 30, 31, 40, 42, 50, 54])
    monkeypatch.setattr(tuning.time, "perf_counter", lambda: next(now))
    runs = {name: lambda name=name: order.append(name) for name in "ab"}
    # warming up takes 9 and 9; then 3 and 1, and 2 and 4
    assert tuning.in_turn(runs, 2) == {"a": 2000, "b": 1000}
    assert order == list("ababab")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_both_directions_run_in_the_form_that_is_asked_for(
    algorithm, monkeypatch
):
    ran = []
    for name in ("_plain", "_winograd"):
        whole = getattr(convolution.Convolution, name)
        monkeypatch.setattr(
            convolution.Convolution,
            name,
            lambda self, *a, whole=whole, name=name: (
                ran.append((name, self._down, a[0])) or whole(self, *a)
            ),
        )
    tuning.both_ways(Layer(16, 32, 64), algorithm)()
    assert [(name, down) for name, down, _ in ran] == [
        ("_plain" if algorithm == "plain" else "_winograd", down)
        for down in (False, True)
    ]
    if algorithm != "plain":
        assert {m for *_, m in ran} == {algorithms.TILES[algorithm]}


def test_the_command_stores_a_table_that_is_then_used(cache, capsys):
    assert main(["--tune"]) == 0
    out, err = capsys.readouterr()
    path = timings.table_path(torch.get_num_threads())
    assert out == f"{path}\n" and path.is_relative_to(cache)
    table = timings._stored(torch.get_num_threads())
    assert [each.layer for each in table] == tuning.vgg_layers()
    for each in table:
        assert set(each.milliseconds) == set(algorithms.fitting(each.layer))
        fastest = min(each.milliseconds, key=each.milliseconds.get)
        side = round(each.layer.positions**0.5)
        channels = each.layer.few, each.layer.many
        assert timings.algorithm_for(*channels, side, side) == fastest
    assert "measuring" in err and "of 2 layers" in err


def test_where_the_fast_forms_are_off_nothing_is_measured(
    cache, monkeypatch, capsys
):
    monkeypatch.setenv(onednn.VARIABLE, "plain")
    assert main(["--tune"]) == 1
    assert "nothing to tune" in capsys.readouterr().err
    assert not list(cache.iterdir())


def test_a_folder_that_cannot_be_written_is_told(cache, monkeypatch, capsys):
    (cache / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    assert main(["--tune"]) == 1
    assert "cannot be stored" in capsys.readouterr().err


def test_the_layers_are_vgg19s(monkeypatch):
    monkeypatch.undo()
    layers = tuning.vgg_layers([128])
    assert layers[0] == (3, 64, 128 * 128)
    assert layers[-1] == (512, 512, 8 * 8)
    assert (256, 512, 16 * 16) in layers and len(set(layers)) == len(layers)
    assert len(layers) == 9  # 64 twice, 128 twice, 256 twice, 512 three times
