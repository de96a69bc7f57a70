"""Lesson 08, The demo app: what is right, and what to say of a wrong answer."""

import numpy as np
import pandas as pd


def _threshold(answer):
    if not callable(answer):
        return 'Give the function itself: exercises.check("08.1", threshold).'
    for wrong, unsure in ((10, 1), (4, 1), (100, 1), (5, 2)):
        right, given = 1 - unsure / wrong, float(answer(wrong, unsure))
        if abs(given - right) < 1e-6:
            continue
        case = f"If an error costs {wrong} and being unsure {unsure}, it gives {given:.3f}"
        if abs(given - unsure / wrong) < 1e-6:
            return f"{case}: that is how likely an error may be. How likely must the answer be?"
        if not 0 <= given <= 1:
            return f"{case}, which is no probability."
        return f"{case}. An answer of probability p costs (1 - p) x {wrong} on average."
    return None


def _surest_window(answer):
    if not callable(answer):
        return 'Give the function itself: exercises.check("08.2", find).'
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", "cat"):
        start = 0.375 * np.arange(12)
        table = pd.DataFrame({"start": start, "end": start + 1.5, "cat": rng.uniform(0.1, 0.9, 12)})
        table = table.assign(dog=1 - table.cat, weight=rng.uniform(0.3, 1, 12))
        loud, quiet = rng.permutation(12)[:2]
        table.loc[[loud, quiet], name] = 0.95, 0.99
        table.loc[quiet, "weight"] = 0.01
        given = tuple(np.round(np.asarray(answer(table, name), float), 3))
        if given == (start[loud], start[loud] + 1.5):
            continue
        if given == (start[quiet], start[quiet] + 1.5):
            return "It found a pause: the model is very sure there, and has heard nothing."
        if len(given) != 2:
            return "It should give two numbers, the start and the end."
        return f"It gives {given} where the surest window of {name} starts at {start[loud]:g} s."
    return None


def _seconds_in_ten_megabytes(answer):
    right = 10 * 2**20 / (44_100 * 2 * 2)
    for factor, why in (
        (2, "Stereo has two channels, and 16 bits are two bytes: one of the two is missing."),
        (4, "Each sample has two bytes, and there are two channels."),
        (8, "A byte has 8 bits."),
        (1 / 8, "A byte has 8 bits."),
    ):
        if abs(answer - factor * right) < 0.1 * factor:
            return why
    if abs(answer - right) > 0.1:
        return "Work out the bytes of one second: samples, times channels, times bytes a sample."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "08.1": (_threshold, "The dearer an error, the more often the model should keep silent."),
    "08.2": (_surest_window, "So a page could play just the part that decided."),
    "08.3": (
        _seconds_in_ten_megabytes,
        "Hence a limit on the length, too: MP3 takes a tenth, and must be decoded.",
    ),
}
