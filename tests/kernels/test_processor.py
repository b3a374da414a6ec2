"""What the processor is, from descriptions of several."""

import pytest

from styletut.kernels import processor

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8592+
flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile
"""
AMD = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 9B14
flags\t\t: fpu avx2 avx512f avx512_bf16
"""


@pytest.fixture
def described(monkeypatch, tmp_path, multiplies_bfloat16):
    """Puts a description in the place of this machine's."""
    monkeypatch.setattr(processor, "multiplies_bfloat16", multiplies_bfloat16)
    for variable in processor._LIMITS:
        monkeypatch.delenv(variable, raising=False)

    def describe(text):
        path = tmp_path / "cpuinfo"
        path.write_text(text)
        processor._description.cache_clear()
        monkeypatch.setattr(processor, "CPUINFO", path)

    return describe


def test_intel_with_amx(described):
    described(INTEL)
    assert processor.name() == "Intel(R) Xeon(R) Platinum 8592+"
    assert processor.by_intel()
    assert processor.multiplies_bfloat16()


def test_avx512_bf16_alone_is_not_enough(described):
    described(AMD)
    assert not processor.by_intel()
    assert processor.has("avx512_bf16")
    assert not processor.multiplies_bfloat16()


@pytest.mark.parametrize("text", ["", "flags\n", "\x00", "Hardware : BCM\n"])
def test_of_another_description_nothing_is_believed(described, text):
    described(text)
    assert not processor.by_intel()
    assert not processor.multiplies_bfloat16()
    assert processor.name() is not None


def test_without_a_description(described, monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "missing")
    assert not processor.by_intel() and not processor.has("fpu")


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [("AVX512_CORE_BF16", False), ("avx2", False), ("ALL", True)]
    + [("AVX512_CORE_AMX", True), ("", True)],
)
@pytest.mark.parametrize("variable", processor._LIMITS)
def test_a_limit_of_onednns_is_kept(
    described, monkeypatch, variable, limit, allowed
):
    described(INTEL)
    monkeypatch.setenv(variable, limit)
    assert processor.multiplies_bfloat16() == allowed
