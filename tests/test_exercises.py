"""The judges: right for the solution, not yet for the blank, not quite, and why, for the rest."""

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from tones import tone

from helpers import exercises

CATALOG = pd.DataFrame(
    {"split": ["train"] * 5 + ["test"] * 5, "label": ["cat"] * 3 + ["dog"] * 3 + ["cat"] * 4}
)


def _noisy():
    return tone(seconds=0.5, amplitude=0.1) + 0.2 * np.random.default_rng(0).normal(size=8_000)


def _best_threshold(truth, score, weight):
    def cost(threshold):
        called = score >= threshold
        return weight * np.sum((truth == 1) & ~called) + np.sum((truth == 0) & called)

    return min([*score, 1.0], key=cost)


def _at_most(few, differ):
    return sum(math.comb(differ, k) for k in range(few + 1)) / 2**differ


def _both_sides(first, second):
    return min(1.0, 2 * _at_most(min(first, second), first + second))


def _nearest_mean(features, labels, new):
    found = np.unique(labels)
    means = np.stack([features[labels == name].mean(axis=0) for name in found])
    return found[np.linalg.norm(new[:, None] - means, axis=2).argmin(axis=1)]


def _find_offset(first, second):
    places = {(np.diff(first)[p : p + 32] > 0).tobytes(): p for p in range(len(first) - 32)}
    runs = [(np.diff(second)[q : q + 32] > 0).tobytes() for q in range(len(second) - 32)]
    return Counter(places[run] - q for q, run in enumerate(runs) if run in places).most_common(1)[
        0
    ][0]


def _equal_samples(first, second):
    places = {sample: p for p, sample in enumerate(first)}
    found = [places[sample] - q for q, sample in enumerate(second) if sample in places]
    return Counter(found).most_common(1)[0][0] if found else 0


def _surest_window(table, name):
    loud = table[table.weight >= table.weight.max() / 50]
    return tuple(loud.loc[loud[name].idxmax(), ["start", "end"]])


def _highest(share):
    return np.sort(share)[::-1][int(np.ceil(0.9 * len(share))) - 1]


def _rounds(sources):
    return [
        (np.flatnonzero(sources != name), np.flatnonzero(sources == name))
        for name in sources.unique()
    ]


def _doubtful(table, n):
    top = np.sort(table.to_numpy(), axis=1)
    return pd.Series(top[:, -1] - top[:, -2], table.index).nsmallest(n).index


def _nearest_clip(features, labels, new):
    return labels[np.linalg.norm(new[:, None] - features, axis=2).argmin(axis=1)]


RIGHT = {
    "00.1": (1, CATALOG),
    "00.2": (0.8, CATALOG),
    "01.1": tone(seconds=0.5),
    "01.2": 6_000,
    "01.3": -6.02,
    "02.1": (94, 257, 34, 321),
    "02.2": 40.0,
    "02.3": (0.0, 6.0206, 20.0, -60.0),
    "03.1": (3, 2, 1),
    "03.2": (2, 0, 1, 0, 1, 0),
    "03.3": (3, 2),
    "03.4": _find_offset,
    "04.1": 18_496,
    "04.2": (17, 17),
    "04.3": (1.0, 0.5),
    "05.1": 680,
    "05.2": (85 / 90 + 0.5) / 2,
    "05.3": _best_threshold,
    "06.1": (48.0, 0.0),
    "06.2": lambda hertz: round(12 * np.log2(hertz / 440) + 9) % 12,
    "06.3": _both_sides,
    "07.1": 6,
    "07.2": (534_025, 1_025),
    "07.3": _nearest_mean,
    "08.1": lambda wrong, unsure: 1 - unsure / wrong,
    "08.2": _surest_window,
    "08.3": 59.44,
    "09.1": _highest,
    "09.2": _rounds,
    "09.3": _doubtful,
}
# exercise, wrong answer, a word of the reason that is given
WRONG = [
    ("00.1", (3, CATALOG), "all dogs"),
    ("00.1", (5, CATALOG), "all test clips"),
    ("00.1", (4, CATALOG), "both hold"),
    ("00.2", (80, CATALOG), "percent"),
    ("00.2", (0.6, CATALOG), "training part; the test part"),
    ("00.2", (0.2, CATALOG), "which share"),
    ("00.2", ("most", CATALOG), "another kind"),
    ("01.1", tone(seconds=1), "number of samples"),
    ("01.1", tone(880, 0.5), "strongest frequency"),
    ("01.1", tone(seconds=0.5)[None], "one dimension"),
    ("01.1", 4 * tone(seconds=0.5), "between -1 and 1"),
    ("01.1", 0 * tone(seconds=0.5), "not all at 0"),
    ("01.1", _noisy(), "one sine"),
    ("01.1", tone(440 * 16_000 / 44_100, 0.5), "strongest frequency"),
    ("01.2", 6, "kHz"),
    ("01.2", 2_000, "above half the rate"),
    ("01.2", 10_000, "nearest multiple"),
    ("01.2", -6_000, "no sign"),
    ("01.3", 6.02, "rise or fall"),
    ("01.3", -3.01, "half the power"),
    ("01.3", -12.04, "audio.level"),
    ("02.1", (93, 257, 33, 321), "sample 0"),
    ("02.1", (94, 256, 34, 320), "bins"),
    ("02.1", (92, 257, 32, 321), "After padding"),
    ("02.2", 20, "one bin apart"),
    ("02.2", 0.04, "seconds"),
    ("02.2", 80, "Two bins"),
    ("02.3", (0.0, 3.0103, 10.0, -30.0), "powers"),
    ("02.3", (0.0, 0.6931, 2.3026, -6.9078), "20 dB"),
    ("02.3", (1.0, 2.0, 20.0, 0.001), "0 dB apart"),
    ("03.1", (2, 2, 0), "left over"),
    ("03.1", (3, 3, 1), "exactly"),
    ("03.1", (2.8, 2.0, 0.6), "whole"),
    ("03.2", (0, 1, 2, 1, 0, 1), "first appear"),
    ("03.2", (3, 1, 2, 1, 2, 1), "alphabetical"),
    ("03.2", ("rain", "cat", "dog", "cat", "dog", "cat"), "alphabetical"),
    ("03.3", (2, 2), "recordings"),
    ("03.3", (2, 3), "training clips"),
    ("03.3", (5, 5), "twice c"),
    ("03.4", 700, "function"),
    ("03.4", lambda first, second: -_find_offset(first, second), "sign"),
    ("03.4", lambda first, second: _find_offset(first, second) + 1, "one sample"),
    ("03.4", lambda first, second: abs(_find_offset(first, second)), "earlier"),
    ("03.4", _equal_samples, "level"),
    ("03.4", lambda first, second: 0, "after the first"),
    ("04.1", 18_432, "bias"),
    ("04.1", 576, "channels"),
    ("04.1", 7, "filter"),
    ("04.2", (34, 34), "Pooling"),
    ("04.2", (20, 20), "border"),
    ("04.2", 17, "kind"),
    ("04.3", (100, 50), "shares"),
    ("04.3", (0.5, 0.5), "label"),
    ("04.3", (1.0, 1.0), "cats"),
    ("05.1", 98, "too wide"),
    ("05.1", 2_000, "fewer"),
    ("05.1", 680.5, "whole"),
    ("05.2", 0.9, "accuracy"),
    ("05.2", 72, "share"),
    ("05.2", 0.5, "mean"),
    ("05.3", 0.5, "function"),
    ("05.3", lambda truth, score, weight: 0.5, "costs more"),
    ("05.3", lambda truth, score, weight: 2.0, "between"),
    ("06.1", (6.0, 0.0), "mean"),
    ("06.1", (384.0, 0.0), "sum"),
    ("06.1", (48.0, 48.0), "constant"),
    ("06.1", (12.0, 0.0), "squares"),
    ("06.1", (49.0, 0.0), "squares"),
    ("06.2", 9, "function"),
    ("06.2", lambda hertz: round(12 * np.log2(hertz / 440)) + 9, "octaves"),
    ("06.2", lambda hertz: round(12 * np.log2(hertz / 440)) % 12, "from A"),
    ("06.2", lambda hertz: (12 * np.log2(hertz / 440) + 9) % 12, "nearest"),
    ("06.2", lambda hertz: int(12 * np.log2(hertz / 440) + 9.001) % 12, "is right"),
    ("06.3", 0.02, "function"),
    ("06.3", lambda first, second: _both_sides(first, second) / 2, "one side"),
    ("06.3", lambda first, second: 2 * _at_most(min(first, second), first + second), "above 1"),
    ("06.3", lambda first, second: abs(first - second) / (first + second), "is right"),
    ("07.1", 3, "overlap"),
    ("07.1", 5, "the rest"),
    ("07.1", 7, "seventh"),
    ("07.1", 5.2, "each further"),
    ("07.2", (533_504, 1_024), "bias"),
    ("07.2", (534_025, 2_050), "one weighted sum"),
    ("07.2", (1_025, 1_025), "521"),
    ("07.2", (534_025, 2), "1,024"),
    ("07.3", 0.5, "function"),
    ("07.3", _nearest_clip, "right label"),
    ("07.3", lambda features, labels, new: np.zeros(len(new)), "labels"),
    ("07.3", lambda features, labels, new: "cat", "shape"),
    ("08.1", 0.9, "function"),
    ("08.1", lambda wrong, unsure: unsure / wrong, "How likely must"),
    ("08.1", lambda wrong, unsure: wrong / unsure, "no probability"),
    ("08.1", lambda wrong, unsure: 0.9, "on average"),
    ("08.2", lambda table, name: table.loc[table[name].idxmax(), ["start", "end"]], "pause"),
    ("08.2", lambda table, name: (0.0, 9.0), "surest window"),
    ("08.2", lambda table, name: table.start, "two numbers"),
    ("08.2", (0.0, 1.5), "function"),
    ("08.3", 118.9, "two"),
    ("08.3", 237.8, "two channels"),
    ("08.3", 475.5, "8 bits"),
    ("08.3", 7.43, "8 bits"),
    ("08.3", 60, "one second"),
    ("09.1", 0.5, "the function itself"),
    ("09.1", lambda share: np.sort(share)[int(np.ceil(0.9 * len(share))) - 1], "lets nine in ten"),
    ("09.1", lambda share: np.max(share), "lets nine in ten"),
    ("09.1", lambda share: np.median(share), "fewer than 90 %"),
    ("09.1", lambda share: share.min(), "a higher limit"),
    ("09.2", 3, "the function itself"),
    ("09.2", lambda sources: _rounds(sources)[:2], "Three sources"),
    ("09.2", lambda sources: [(held, rest) for rest, held in _rounds(sources)], "holds out"),
    (
        "09.2",
        lambda sources: [(np.arange(len(sources)), held) for _, held in _rounds(sources)],
        "a leak",
    ),
    (
        "09.2",
        lambda sources: [(rest[:-1], held) for rest, held in _rounds(sources)],
        "neither side",
    ),
    ("09.2", lambda sources: 3 * _rounds(sources)[:1], "once"),
    ("09.3", 5, "the function itself"),
    ("09.3", lambda table, n: _doubtful(table, 2 * n), "5 were asked"),
    ("09.3", lambda table, n: table.max(axis=1).nlargest(n).index, "surest"),
    ("09.3", lambda table, n: table.max(axis=1).nsmallest(n).index, "best share"),
    ("09.3", lambda table, n: table.index[:n], "level"),
]


def test_every_exercise_has_its_solution_and_three_wrong_answers_here():
    assert set(RIGHT) == set(exercises._exercises())
    wrong = Counter(exercise for exercise, *_ in WRONG)
    assert all(wrong[exercise] >= 3 for exercise in RIGHT)
    assert all(len(reason) >= 2 for *_, reason in WRONG)  # an empty one is in any message


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_solution_is_right(exercise):
    right, message = exercises._verdict(exercise, RIGHT[exercise])
    assert right and message.startswith("Right. "), message


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_blank_is_not_yet(exercise):
    solution = RIGHT[exercise]
    blank = (..., *solution[1:]) if isinstance(solution, tuple) else ...
    right, message = exercises._verdict(exercise, blank)
    assert not right and message.startswith("Not yet. ")


@pytest.mark.parametrize(("exercise", "answer", "reason"), WRONG)
def test_a_wrong_answer_is_not_quite_and_says_why(exercise, answer, reason):
    right, message = exercises._verdict(exercise, answer)
    assert not right and message.startswith("Not quite. ") and reason in message
    assert len(message) > len("Not quite. ") + 10


def test_check_prints_the_verdict(capsys):
    exercises.check("01.2", 6_000)
    assert capsys.readouterr().out.startswith("Right. ")


def test_an_unknown_exercise_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no exercise '9\.9'.*00\.1"):
        exercises.check("9.9", 1)
