"""Which algorithm runs: the rule, a stored table, and tables of no use."""

import json
import sys

import platformdirs
import pytest
import torch

from styletut.kernels import algorithms, timings
from styletut.kernels.algorithms import (
    ALGORITHMS,
    Layer,
    Measured,
    chosen,
    rule,
)
from styletut.kernels.timings import algorithm_for

LAYER = Layer(128, 256, 64 * 64)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    timings._stored.cache_clear()
    yield tmp_path
    timings._stored.cache_clear()


@pytest.fixture
def path():
    """Where the table for this number of threads lies."""
    path = timings.table_path(torch.get_num_threads())
    path.parent.mkdir()
    return path


def processor(monkeypatch, kind, by_intel=False):
    monkeypatch.setattr(algorithms.processor, "by_intel", lambda: by_intel)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: kind)


def slowest_first(layer):
    """A table that prefers what the rule would not take."""
    return [Measured(layer, {"winograd4": 3, "winograd2": 2, "plain": 1})]


@pytest.mark.parametrize("kind", ["AVX512", "AVX2", "DEFAULT"])
def test_few_channels_or_positions_are_convolved_plainly(monkeypatch, kind):
    processor(monkeypatch, kind)
    assert algorithm_for(3, 64, 512, 512) == "plain"
    assert algorithm_for(512, 512, 8, 8) == "plain"
    assert algorithm_for(512, 512, 32, 32) == "winograd2"
    assert algorithm_for(256, 256, 64, 64) == "winograd4"
    assert algorithm_for(512, 512, 64, 64) == "winograd4"


def test_64_channels_gain_where_the_plain_form_has_avx2_only(monkeypatch):
    for kind, algorithm in (("AVX512", "plain"), ("AVX2", "winograd4")):
        processor(monkeypatch, kind)
        assert algorithm_for(64, 64, 256, 256) == algorithm


def test_a_second_thread_and_avx512_favor_the_plain_form(monkeypatch):
    layer = Layer(64, 128, 128 * 128)
    for kind, threads, algorithm in (
        ("AVX512", 1, "winograd4"),
        ("AVX512", 2, "plain"),
        ("AVX2", 1, "winograd4"),
        ("AVX2", 2, "winograd4"),
    ):
        processor(monkeypatch, kind)
        assert rule(layer, threads) == algorithm


def test_intels_plain_form_is_better_still(monkeypatch):
    for by_intel, threads, algorithm in (
        (True, 2, "plain"),
        (True, 1, "winograd4"),
        (False, 2, "winograd4"),
    ):
        processor(monkeypatch, "AVX512", by_intel)
        assert rule(Layer(128, 128, 128 * 128), threads) == algorithm
    processor(monkeypatch, "AVX512", by_intel=True)
    assert rule(Layer(128, 256, 64 * 64), 2) == "winograd4"


@pytest.mark.parametrize("threads", [1, 2])
def test_small_maps_are_cut_into_small_tiles(threads):
    assert rule(Layer(128, 256, 32 * 32), threads) == "winograd2"
    assert rule(Layer(128, 256, 33 * 33), threads) == "winograd4"


@pytest.mark.parametrize("side", [8, 16, 32, 64, 128, 256])
def test_both_directions_have_one_form(side):
    for C, N in ((3, 64), (64, 128), (256, 512), (128, 128)):
        assert algorithm_for(C, N, side, side) == algorithm_for(
            N, C, side, side
        )


def test_a_stored_table_takes_the_place_of_the_rule():
    assert algorithm_for(128, 256, 64, 64) == "winograd4"
    assert rule(LAYER, 1) == rule(LAYER, 2) == "winograd4"
    timings.store(slowest_first(LAYER), torch.get_num_threads())
    assert algorithm_for(128, 256, 64, 64) == "plain"
    assert algorithm_for(256, 128, 64, 64) == "plain"
    assert algorithm_for(256, 256, 64, 64) == "winograd4"  # not in the table


def test_a_table_comes_back_as_it_was_stored():
    table = [
        Measured(LAYER, {"winograd4": 1.25, "plain": 3.5}),
        Measured(Layer(3, 64, 9), {"plain": 0.125}),
    ]
    timings.store(table, 3)
    assert list(timings._stored(3)) == table


def test_a_table_for_other_threads_is_not_asked():
    timings.store(slowest_first(LAYER), torch.get_num_threads() + 1)
    assert algorithm_for(128, 256, 64, 64) == "winograd4"


def test_the_nearest_size_counts_by_its_ratio():
    small, large = Layer(256, 256, 1000), Layer(256, 256, 16_000)
    table = [
        Measured(small, {"winograd4": 2, "plain": 1}),
        Measured(large, {"winograd4": 1, "plain": 2}),
    ]
    for positions, algorithm in (
        (3900, "plain"),  # less than four times the small one
        (4100, "winograd4"),
        (10**6, "winograd4"),
    ):
        assert chosen(Layer(256, 256, positions), table) == algorithm


def test_no_form_takes_more_memory_than_it_is_worth():
    large, small = Layer(512, 512, 64 * 64), Layer(512, 512, 8 * 8)
    table = [Measured(large, {"winograd4": 1, "winograd2": 2, "plain": 3})]
    assert chosen(large, table) == "winograd4"
    assert chosen(small, table) == "plain"


def test_a_form_that_nobody_knows_is_not_chosen():
    assert chosen(LAYER, [Measured(LAYER, {"fft": 0.1, "plain": 1})]) == (
        "plain"
    )
    assert chosen(LAYER, [Measured(LAYER, {"fft": 0.1})]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"machine": {}, "layers": 3}',
        '{"machine": {}, "layers": [{"few": 3}]}',
        '{"machine": {}, "layers": [{"few": 3, "many": 64, "positions": 0, '
        '"milliseconds": {"plain": 1}}]}',
        '{"machine": {}, "layers": [{"few": 3, "many": 64, "positions": 4, '
        '"milliseconds": {"plain": "fast"}}]}',
        '{"machine": {}, "layers": [{"few": 3, "many": 64, "positions": 4, '
        '"milliseconds": 7}]}',
        '{"machine": {}, "layers": [{"few": 3, "many": 64, "positions": 4, '
        '"milliseconds": {"plain": NaN}}]}',
        '{"machine": {}, "layers": [{"few": 3, "many": 64, "positions": '
        + "9" * 400
        + ', "milliseconds": {"plain": 1}}]}',
        '{"machine": {}, "layers": [{"few": 1e999, "many": 64}]}',
        "[" * 100_000,
    ],
    ids=str.__len__,
)
def test_a_broken_table_is_ignored_with_one_warning(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.warns(UserWarning, match=r"cannot be read .* --tune") as seen:
        assert algorithm_for(128, 256, 64, 64) == "winograd4"
        assert algorithm_for(256, 256, 64, 64) == "winograd4"
    assert len(seen) == 1 and str(path) in str(seen[0].message)


def test_bytes_that_are_no_text_are_ignored(path):
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.warns(UserWarning, match="cannot be read"):
        assert algorithm_for(128, 256, 64, 64) == "winograd4"


@pytest.mark.parametrize("what", ["processor", "instruction set", "torch"])
def test_another_machines_table_is_ignored_with_a_warning(path, what):
    timings.store(slowest_first(LAYER), torch.get_num_threads())
    content = json.loads(path.read_text(encoding="utf-8"))
    content["machine"][what] += " of old"
    path.write_text(json.dumps(content), encoding="utf-8")
    timings._stored.cache_clear()
    with pytest.warns(UserWarning, match="another processor or torch"):
        assert algorithm_for(128, 256, 64, 64) == "winograd4"


def test_a_stored_table_leaves_nothing_beside_it(cache):
    path = timings.store(slowest_first(LAYER), 2)
    assert [each for each in cache.rglob("*") if each.is_file()] == [path]


def test_the_table_lies_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = timings.table_path(4)
    assert path.name == "convolution-4.json"
    assert path.parent == platformdirs.user_cache_path(
        "styletut", appauthor=False
    )


def test_a_machine_without_platformdirs_has_no_table(path, monkeypatch):
    timings.store(slowest_first(LAYER), torch.get_num_threads())
    timings._stored.cache_clear()
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert timings._stored(torch.get_num_threads()) == ()
    timings._stored.cache_clear()


def test_every_form_is_one_that_a_convolution_has():
    from styletut.kernels.convolution import Convolution

    weight = torch.ones(4, 4, 3, 3).contiguous(
        memory_format=torch.channels_last
    )
    right = Convolution(weight, algorithm="plain")(torch.ones(1, 4, 8, 8))
    for algorithm in ALGORITHMS:
        came = Convolution(weight, algorithm=algorithm)(torch.ones(1, 4, 8, 8))
        torch.testing.assert_close(came, right)
