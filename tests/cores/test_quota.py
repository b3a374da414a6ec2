"""Quotas of control groups, read from file systems made for the purpose."""

import pytest

from styletut.cores.quota import quota


def lay_out(root, files):
    """Write files of a system, by path."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("latin-1"))
    return root


OWN = "proc/self/cgroup"
GROUPS = "sys/fs/cgroup"
FOUND = {
    "version 2": (
        {OWN: "0::/job\n", f"{GROUPS}/job/cpu.max": "150000 100000\n"},
        1.5,
    ),
    "a group above": (
        {
            OWN: "0::/user/job\n",
            f"{GROUPS}/user/job/cpu.max": "max 100000\n",
            f"{GROUPS}/user/cpu.max": "200000 100000\n",
        },
        2.0,
    ),
    "the lowest of all": (
        {
            OWN: "0::/user/job\n",
            f"{GROUPS}/user/job/cpu.max": "400000 100000\n",
            f"{GROUPS}/user/cpu.max": "50000 20000\n",
            f"{GROUPS}/cpu.max": "900000 100000\n",
        },
        2.5,
    ),
    "a container that is shown its own group as the root": (
        {OWN: "0::/\n", f"{GROUPS}/cpu.max": "30000 10000\n"},
        3.0,
    ),
    "a container that is shown the path of its host": (
        {
            OWN: "4:cpu,cpuacct:/docker/0123\n",
            f"{GROUPS}/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
            f"{GROUPS}/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        },
        2.0,
    ),
    "version 1": (
        {
            OWN: "9:name=systemd:/\n2:cpuset:/x\n1:cpu:/a:b/job\n0::/\n",
            f"{GROUPS}/cpu/a:b/job/cpu.cfs_quota_us": "-1\n",
            f"{GROUPS}/cpu/a:b/job/cpu.cfs_period_us": "100000\n",
            f"{GROUPS}/cpu/a:b/cpu.cfs_quota_us": "50000\n",
            f"{GROUPS}/cpu/a:b/cpu.cfs_period_us": "100000\n",
        },
        0.5,
    ),
    "both versions": (
        {
            OWN: "1:cpu:/job\n0::/other\n",
            f"{GROUPS}/cpu/job/cpu.cfs_quota_us": "300000\n",
            f"{GROUPS}/cpu/job/cpu.cfs_period_us": "100000\n",
            f"{GROUPS}/unified/other/cpu.max": "250000 100000\n",
        },
        2.5,
    ),
    "a group that is not seen from here": (
        {
            OWN: "0::/../elsewhere\n",
            f"{GROUPS}/cpu.max": "200000 100000\n",
            "sys/fs/elsewhere/cpu.max": "100000 100000\n",
        },
        2.0,
    ),
    "a damaged list of groups": (
        {OWN: "what\n\xff::\n", f"{GROUPS}/cpu.max": "200000 100000\n"},
        2.0,
    ),
    "one damaged file among others": (
        {
            OWN: "0::/job\n",
            f"{GROUPS}/job/cpu.max": "\xff\xfe",
            f"{GROUPS}/cpu.max": "200000 100000\n",
        },
        2.0,
    ),
}


@pytest.mark.parametrize(("files", "cores"), FOUND.values(), ids=FOUND)
def test_the_lowest_limit_counts(tmp_path, files, cores):
    assert quota(lay_out(tmp_path, files)) == cores


@pytest.mark.parametrize(
    "text",
    ["max 100000", "max", "", "100000", "x y", "1 2 3", "100000 0", "0 100000"]
    + ["-1 100000", "1.5 1"],
)
def test_what_is_no_limit_limits_nothing(tmp_path, text):
    files = {OWN: "0::/job\n", f"{GROUPS}/job/cpu.max": f"{text}\n"}
    assert quota(lay_out(tmp_path, files)) is None


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.cfs_quota_us": "100000\n"},
        {"cpu.cfs_period_us": "100000\n"},
        {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"},
        {"cpu.cfs_quota_us": "100000\n", "cpu.cfs_period_us": "0\n"},
        {"cpu.cfs_quota_us": "much\n", "cpu.cfs_period_us": "100000\n"},
    ],
)
def test_so_it_is_in_version_1(tmp_path, files):
    files = {f"{GROUPS}/cpu/job/{name}": t for name, t in files.items()}
    files[OWN] = "1:cpu:/job\n"
    assert quota(lay_out(tmp_path, files)) is None


def test_a_folder_in_place_of_a_file_limits_nothing(tmp_path):
    (tmp_path / GROUPS / "cpu.max").mkdir(parents=True)
    assert quota(tmp_path) is None


def test_another_system_has_no_limits(tmp_path):
    assert quota(tmp_path) is None


def test_the_limit_of_this_machine_can_be_read():
    found = quota()
    assert found is None or found > 0
