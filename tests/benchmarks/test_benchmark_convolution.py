"""The benchmark of convolutions at toy size: what it runs and tells."""

import sys
from pathlib import Path

import pytest
import torch

from styletut.cli.tuning import both_ways
from styletut.kernels import onednn
from styletut.kernels.algorithms import ALGORITHMS, Layer

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import convolution as benchmark  # noqa: E402

pytestmark = pytest.mark.skipif(
    not onednn.fused(), reason="this torch has no fused operators"
)

RUN = dict(zip(benchmark.RUN, ("styletut", "1", "8", "16", "64"), strict=True))


@pytest.fixture(autouse=True)
def threads():
    """Leave the number of threads as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_all_candidates_are_measured():
    found = benchmark.measure(RUN, [])
    assert set(found) == set(benchmark.CANDIDATES)
    assert all(float(found[algorithm]) >= 0 for algorithm in ALGORITHMS)
    assert torch.get_num_threads() == 1
    made = {"version": "1", "machine": "a; b", "date": "2026-01-02 03:04"}
    text = benchmark.page([{**RUN, **found, **made}])
    assert "| 1 | 8, 16 | 8 x 8 |" in text and "- b\n" in text


def test_a_line_names_the_fastest_and_the_rule(monkeypatch):
    monkeypatch.setattr(benchmark, "rule", lambda layer, threads: "winograd2")
    times = {"winograd4": "1.00", "winograd2": "3.00", "plain": "4.00"}
    row = {**RUN, "few": "512", "many": "512", **times, "nnpack": ""}
    # 36 matrices of 512 x 512 are too much for 8 x 8 positions
    assert benchmark.line(row) == [
        *("1", "512, 512", "8 x 8"),
        *("1.00", "3.00", "4.00", "-"),
        *("winograd4", "plain", "winograd2", "0.75"),
    ]


def test_nnpack_computes_the_same(monkeypatch):
    if not torch.backends.nnpack.is_available():
        pytest.skip("this torch has no NNPACK")
    layer, results = Layer(8, 16, 64), []
    kernels = torch.ones(16, 8, 3, 3)
    monkeypatch.setattr(torch, "rand", lambda *shape: kernels)
    monkeypatch.setattr(torch, "randn", lambda *shape, generator: kernels)
    for make in (benchmark.by_nnpack, lambda each: both_ways(each, "plain")):
        made = []

        def maps(channels, side, made=made):
            x = torch.linspace(0, 1, channels * side**2)
            x = x.view(1, channels, side, side)
            made.append(x.contiguous(memory_format=torch.channels_last))
            return made[-1]

        monkeypatch.setattr(benchmark, "maps", maps)
        monkeypatch.setattr("styletut.cli.tuning.maps", maps)
        make(layer)()
        results.append(made)
    for by_nnpack, plain in zip(*results, strict=True):
        torch.testing.assert_close(by_nnpack, plain, rtol=1e-4, atol=1e-3)
