"""The judges of lesson 02's exercises: right, not yet, and not quite with a reason."""

import pytest

from helpers import checks

RIGHT = {"02.1": (94, 257, 34, 321), "02.2": 40.0, "02.3": (0.0, 6.0206, 20.0, -60.0)}
BLANK = {"02.1": (..., ..., ..., ...), "02.2": ..., "02.3": (..., ..., ..., ...)}
WRONG = [
    ("02.1", (93, 257, 33, 321), "sample 0"),
    ("02.1", (94, 256, 34, 320), "bins"),
    ("02.1", (92, 257, 32, 321), "After padding"),
    ("02.2", 20, "one bin apart"),
    ("02.2", 0.04, "seconds"),
    ("02.2", 80, "Two bins"),
    ("02.3", (0.0, 3.0103, 10.0, -30.0), "powers"),
    ("02.3", (0.0, 0.6931, 2.3026, -6.9078), "20 dB"),
    ("02.3", (1.0, 2.0, 20.0, 0.001), "0 dB apart"),
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_and_blank(number):
    right, message = checks._verdict(number, RIGHT[number])
    assert right and message.startswith("Right. ")
    right, message = checks._verdict(number, BLANK[number])
    assert not right and message.startswith("Not yet. ")


@pytest.mark.parametrize(("number", "answer", "reason"), WRONG)
def test_wrong_with_its_reason(number, answer, reason):
    right, message = checks._verdict(number, answer)
    assert not right and message.startswith("Not quite. ") and reason in message
