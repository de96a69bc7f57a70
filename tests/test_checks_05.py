"""The judges of lesson 05's exercises."""

import numpy as np
import pytest

from helpers import checks


def best_threshold(truth, score, weight):
    def cost(threshold):
        called = score >= threshold
        return weight * np.sum((truth == 1) & ~called) + np.sum((truth == 0) & called)

    return min([*score, 1.0], key=cost)


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [("05.1", 680), ("05.2", (85 / 90 + 0.5) / 2), ("05.3", best_threshold)],
)
def test_right(exercise, answer):
    right, message = checks._verdict(exercise, answer)
    assert right and message.startswith("Right. "), message


@pytest.mark.parametrize("exercise", ["05.1", "05.2", "05.3"])
def test_blank(exercise):
    right, message = checks._verdict(exercise, ...)
    assert not right and message.startswith("Not yet. ")


@pytest.mark.parametrize(
    ("exercise", "answer", "hint"),
    [
        ("05.1", 98, "too wide"),
        ("05.1", 2_000, "fewer"),
        ("05.1", 680.5, "whole"),
        ("05.2", 0.9, "accuracy"),
        ("05.2", 72, "share"),
        ("05.2", 0.5, "mean"),
        ("05.3", 0.5, "function"),
        ("05.3", lambda truth, score, weight: 0.5, "costs more"),
        ("05.3", lambda truth, score, weight: 2.0, "between"),
    ],
)
def test_wrong(exercise, answer, hint):
    right, message = checks._verdict(exercise, answer)
    assert not right and message.startswith("Not quite. ") and hint in message
