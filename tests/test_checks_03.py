"""The judges of lesson 03's exercises: right, not yet, and not quite with a reason."""

import pytest

from helpers import checks

RIGHT = {"03.1": (3, 2, 1), "03.2": (2, 0, 1, 0, 1, 0), "03.3": (3, 2)}
BLANK = {"03.1": (..., ..., ...), "03.2": (...,) * 6, "03.3": (..., ...)}
WRONG = [
    ("03.1", (2, 2, 0), "left over"),
    ("03.1", (3, 3, 1), "exactly"),
    ("03.1", (2.8, 2.0, 0.6), "whole"),
    ("03.2", (0, 1, 2, 1, 0, 1), "first appear"),
    ("03.2", (3, 1, 2, 1, 2, 1), "alphabetical"),
    ("03.3", (2, 2), "recordings"),
    ("03.3", (2, 3), "training clips"),
    ("03.3", (5, 5), "twice c"),
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
