"""How long a picture will take, in numbers and in words."""

import pytest

from styletut.studio.pace import Pace, in_words, measured_pace
from styletut.vgg import VGG19


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about a second"),
        (3.4, "about 3 seconds"),
        (23, "about 25 seconds"),
        (54, "about 55 seconds"),
        (61, "about a minute"),
        (200, "about 3 minutes"),
    ],
)
def test_times_are_said_as_people_say_them(seconds, words):
    assert in_words(seconds) == words


def test_a_larger_picture_takes_longer():
    pace = Pace(0.01, 1e-6)
    seconds = [pace.seconds((300, 400), size) for size in (256, 512, 1024)]
    assert seconds == sorted(seconds)
    assert seconds[2] > 2 * seconds[1]


def test_a_run_is_the_sum_of_its_evaluations():
    # 60 evaluations of one size, where every one takes a second
    assert Pace(1, 0).seconds((300, 400), 512) == 60
    # by pixels: 128, 256 and 512 pixels wide, 20 evaluations each
    pixels = 20 * (96 * 128 + 192 * 256 + 384 * 512)
    assert Pace(0, 1).seconds((300, 400), 512) == pixels


def test_it_is_measured_in_positive_seconds():
    pace = measured_pace(VGG19())
    assert pace.base >= 0 and pace.pixel >= 0
    assert pace.seconds((300, 400), 512) > 0
