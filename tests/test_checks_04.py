"""The judges of lesson 04's exercises."""

import pytest

from helpers import checks


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [("04.1", 18_496), ("04.2", (17, 17)), ("04.3", (1.0, 0.5))],
)
def test_right(exercise, answer):
    right, message = checks._verdict(exercise, answer)
    assert right and message.startswith("Right. ")


@pytest.mark.parametrize(
    ("exercise", "blank"), [("04.1", ...), ("04.2", (..., ...)), ("04.3", (..., ...))]
)
def test_blank(exercise, blank):
    right, message = checks._verdict(exercise, blank)
    assert not right and message.startswith("Not yet. ")


@pytest.mark.parametrize(
    ("exercise", "answer", "hint"),
    [
        ("04.1", 18_432, "bias"),
        ("04.1", 576, "channels"),
        ("04.1", 7, "filter"),
        ("04.2", (34, 34), "Pooling"),
        ("04.2", (20, 20), "border"),
        ("04.2", (33, 33), "fit"),
        ("04.2", 17, "kind"),
        ("04.3", (100, 50), "shares"),
        ("04.3", (0.5, 0.5), "label"),
        ("04.3", (0.0, 0.5), "agrees"),
        ("04.3", (1.0, 1.0), "cats"),
    ],
)
def test_wrong(exercise, answer, hint):
    right, message = checks._verdict(exercise, answer)
    assert not right and message.startswith("Not quite. ") and hint in message
