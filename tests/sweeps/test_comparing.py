"""Changes over many pairs: by hand, and what is refused."""

import math

import pandas as pd
import pytest

from styletut.sweeps import MissingResultsError
from styletut.sweeps.comparing import changes, interval

COLUMNS = ["question", "value", "content", "style", "ssim"]
DEFAULTS = [
    ("default", "", "cat", "night", 0.2),
    ("default", "", "cat", "night", 0.4),  # a repeat: 0.3 in the mean
    ("default", "", "cup", "wave", 0.5),
    ("default", "", "eye", "ink", 1.0),
]
SINGLE = [
    ("single", "relu1_1", "cat", "night", 0.6),  # + 100 %
    ("single", "relu1_1", "cup", "wave", 0.5),  # nothing
    ("single", "relu1_1", "eye", "ink", 0.5),  # - 50 %
]


def table(rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def test_a_change_is_taken_pair_by_pair():
    found = changes(table(DEFAULTS + SINGLE), ["ssim"])
    row = found.loc["single", "relu1_1", "ssim"]
    assert row["pairs"] == 3
    assert row["mean"] == pytest.approx((1 + 0 - 0.5) / 3)
    without = [interval(two) for two in ([0, -0.5], [1, -0.5], [1, 0])]
    assert row["least"] == pytest.approx(min(low for low, _ in without))
    assert row["most"] == pytest.approx(max(high for _, high in without))
    # t = 4.303 for 2 degrees of freedom, as every table of it has
    deviation = (7 / 12) ** 0.5
    reach = 4.3027 * deviation / 3**0.5
    assert row["high"] - row["mean"] == pytest.approx(reach, rel=1e-4)
    assert row["mean"] - row["low"] == pytest.approx(reach, rel=1e-4)


def test_pairs_that_agree_leave_no_doubt():
    rows = [("single", "a", *row[2:4], 2 * row[4]) for row in DEFAULTS]
    row = changes(table(DEFAULTS + rows), ["ssim"]).loc["single", "a", "ssim"]
    ends = [row[name] for name in ("low", "high", "least", "most")]
    assert ends == pytest.approx([1] * 4)


def test_of_two_pairs_none_can_be_left_out():
    row = changes(table(DEFAULTS + SINGLE[:2]), ["ssim"]).iloc[0]
    assert row["pairs"] == 2 and row["low"] < row["mean"] < row["high"]
    assert math.isnan(row["least"]) and math.isnan(row["most"])


def test_the_interval_is_student_s():
    low, high = interval([-1.0, 1.0] * 5)
    # t = 2.262 for 9 degrees of freedom, a deviation of sqrt(10 / 9)
    assert high == -low == pytest.approx(2.2622 * (1 / 9) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (SINGLE, MissingResultsError, "no run answers 'default'.*single"),
        (DEFAULTS[:3] + SINGLE, MissingResultsError, "eye and ink"),
        (DEFAULTS + SINGLE[:1], ValueError, "'single relu1_1'.* one pair"),
    ],
)
def test_what_cannot_be_compared_is_refused(rows, error, message):
    with pytest.raises(error, match=message):
        changes(table(rows), ["ssim"])


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="1 values came"):
        interval([0.5])
