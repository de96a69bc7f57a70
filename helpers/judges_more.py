"""More judges of the exercises: those of the lessons after evaluation."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from helpers.judges import _JUDGES, _exercise

__all__ = ["_JUDGES"]


# ---- 06 · MFCC or spectrogram?


@_exercise("06.1", "Leave coefficient 0 out, and the level of a recording is gone.")
def _louder(answer):
    first, fifth = answer
    if abs(fifth) > 0.01:
        return "Coefficient 5 is a sum over a cosine's ups and downs: what does a constant add?"
    if abs(first - 6) < 0.01:
        return "Coefficient 0 is not the mean of the levels: look at the entries of its column."
    if abs(first - 384) < 0.01:
        return "Nor is it their plain sum: each entry of its column is far less than 1."
    if abs(first - 48) > 0.01:
        return "All 64 entries of column 0 are alike, and their squares add up to 1."
    return None


@_exercise("06.2", "An octave is twelve steps on a logarithmic scale, and chroma counts modulo 12.")
def _pitch_class(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("06.2", pitch_class).'
    for step in (0, 12, -12, 3, -9, 1, -1, 26, -22, 2.3, 2.7, -4.3, -3.7):
        hertz = 440 * 2 ** (step / 12)
        right, given = (round(step) + 9) % 12, answer(hertz)
        if given == right:
            continue
        if not 0 <= given < 12:
            return f"For {hertz:.1f} Hz it gives {given}: all octaves of a note share one number."
        if given == round(step) % 12:
            return "It counts from A. Which number has A if C is 0?"
        if given != int(given):
            return f"For {hertz:.1f} Hz it gives {given:.2f}: round to the nearest class."
        return f"For {hertz:.1f} Hz it gives {given}, and {right} is right."
    return None


@_exercise("06.3", "Clips on which both agree say nothing about which is better, and do not count.")
def _exact_p(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("06.3", p_value).'
    for first, second in ((1, 9), (9, 1), (0, 6), (12, 30), (5, 5), (0, 0)):
        differ = first + second
        right = binomtest(first, differ).pvalue if differ else 1.0
        given = float(answer(first, second))
        if abs(given - right) < 1e-4:
            continue
        case = f"For {first} and {second} it gives {given:.4f}"
        if given > 1:
            return f"{case}: no chance is above 1."
        if abs(2 * given - right) < 1e-4:
            return f"{case}: that is one side. As uneven the other way round counts too."
        return f"{case}, and {right:.4f} is right."
    return None


# ---- 07 · Transfer learning


@_exercise("07.1", "Half of every frame is heard twice, so that no call is cut in two unheard.")
def _frame_count(answer):
    if answer in (3, 4):
        return "Frames overlap: a new one begins every 7,680 samples, long before the last ends."
    if answer == 5:
        return "Five frames end after 46,320 samples, and the rest would lie in none."
    if answer == 7:
        return "A seventh would begin at sample 46,080, and the sixth has reached the end already."
    if answer != 6:
        return "The first frame covers 15,600 samples, each further one 7,680 more: until 48,000."
    return None


@_exercise("07.2", "So few can be fitted to a handful of clips; the backbone's millions could not.")
def _head_size(answer):
    last_layer, own_head = answer
    if (last_layer, own_head) in ((521 * 1024, 1024), (521 * 1024, 1025), (521 * 1025, 1024)):
        return "Nearly: each weighted sum also has a bias."
    if own_head in (2 * 1024, 2 * 1025):
        return "Two classes need one weighted sum: the other probability is what is left to 1."
    if last_layer != 521 * 1025:
        return "Each of the 521 scores has a weight for each of the 1,024 values, and a bias."
    if own_head != 1025:
        return "The head has one weight for each of the 1,024 values, and one bias."
    return None


@_exercise("07.3", "Nothing is fitted: one clip a class will do, if the backbone is good.")
def _nearest_mean(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("07.3", nearest_mean).'
    rng = np.random.default_rng(0)
    for classes, width in ((2, 2), (3, 5)):
        means = rng.normal(0, 3, (classes, width))
        labels = np.array(["cat", "dog", "rain"])[rng.permutation(np.arange(24) % classes)]
        row = np.searchsorted(["cat", "dog", "rain"], labels)
        # one class is spread widely: its nearest clip is another matter than its mean
        features = means[row] + rng.normal(0, 1, (24, width)) * np.where(row == 0, 4, 0.2)[:, None]
        new = rng.normal(0, 3, (200, width))
        found = np.unique(labels)
        own = np.stack([features[labels == name].mean(axis=0) for name in found])
        right = found[np.linalg.norm(new[:, None] - own, axis=2).argmin(axis=1)]
        given = np.asarray(answer(features, labels, new))
        if given.shape != right.shape:
            return f"For {len(new)} new clips it gives an array of shape {given.shape}."
        if not set(given) <= set(found):
            return f"It should answer with labels such as 'cat', not with {given[0]!r}."
        share = np.mean(given == right)
        if share < 1:
            return f"Of {len(new)} clips with {classes} classes, {share:.0%} get the right label."
    return None


# ---- 08 · The demo app


@_exercise("08.1", "The dearer an error, the more often the model should keep silent.")
def _threshold(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("08.1", threshold).'
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


@_exercise("08.2", "So a page could play just the part that decided.")
def _surest_window(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("08.2", find).'
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


@_exercise("08.3", "Hence a limit on the length, too: MP3 takes a tenth, and must be decoded.")
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
