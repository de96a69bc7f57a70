"""The judges of lesson 01."""

import numpy as np
import pytest

from helpers import checks


def tone(frequency=440, samples=8_000, rate=16_000):
    return 0.1 * np.sin(2 * np.pi * frequency * np.arange(samples) / rate)


@pytest.mark.parametrize(
    ("exercise", "right", "wrong"),
    [
        ("01.1", tone(), [tone(samples=16_000), tone(880), tone()[None], 20 * tone(),
                          tone() + np.random.default_rng(0).normal(size=8_000) * 0.2]),
        ("01.1", list(tone()), [440, tone(rate=44_100)]),
        ("01.2", 6_000, [2_000, 10_000, -6_000, 6]),
        ("01.3", -6.02, [6.02, -3.01, -0.5]),
    ],
)  # fmt: skip
def test_judges(exercise, right, wrong):
    assert checks._verdict(exercise, right)[0]
    assert checks._verdict(exercise, ...)[1].startswith("Not yet.")
    said = [checks._verdict(exercise, answer) for answer in wrong]
    assert all(not fine and text.startswith("Not quite.") for fine, text in said)
    assert len({text for _, text in said}) == len(wrong)
