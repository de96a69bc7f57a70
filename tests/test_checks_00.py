"""The judges of lesson 00."""

import pandas as pd
import pytest

from helpers import checks


@pytest.fixture
def catalog():
    split, label = ["train"] * 5 + ["test"] * 5, ["cat"] * 3 + ["dog"] * 3 + ["cat"] * 4
    return pd.DataFrame({"split": split, "label": label})


@pytest.mark.parametrize(
    ("exercise", "right", "wrong"),
    [("00.1", 1, [3, 5, 4]), ("00.2", 0.8, [80, 0.6, 0.2, "most"])],
)
def test_judges(catalog, exercise, right, wrong):
    assert checks._verdict(exercise, (right, catalog))[0]
    assert checks._verdict(exercise, (..., catalog))[1].startswith("Not yet.")
    said = [checks._verdict(exercise, (answer, catalog)) for answer in wrong]
    assert all(not fine and text.startswith("Not quite.") for fine, text in said)
    assert len({text for _, text in said}) == len(wrong)
