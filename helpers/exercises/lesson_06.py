"""Lesson 06, MFCC or spectrogram?: what is right, and what to say of a wrong answer."""

import numpy as np
from scipy.stats import binomtest


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


def _pitch_class(function):
    for step in (0, 12, -12, 3, -9, 1, -1, 26, -22, 2.3, 2.7, -4.3, -3.7):
        hertz = 440 * 2 ** (step / 12)
        right, given = (round(step) + 9) % 12, function(hertz)
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


def _exact_p(function):
    for first, second in ((1, 9), (9, 1), (0, 6), (12, 30), (5, 5), (0, 0)):
        differ = first + second
        right = binomtest(first, differ).pvalue if differ else 1.0
        given = float(function(first, second))
        if abs(given - right) < 1e-4:
            continue
        case = f"For {first} and {second} it gives {given:.4f}"
        if given > 1:
            return f"{case}: no chance is above 1."
        if abs(2 * given - right) < 1e-4:
            return f"{case}: that is one side. As uneven the other way round counts too."
        return f"{case}, and {right:.4f} is right."
    return None


def _baseline(function):
    values, label, fold = _told_by_a_small_number()
    given = np.asarray(function(values, label, fold))
    if given.shape != label.shape:
        return f"{len(label)} clips get answers of shape {given.shape}: one label a clip is wanted."
    if not set(given.tolist()) <= set(label.tolist()):
        return f"It should answer with labels such as 'cat', not with {given.flat[0]!r}."
    if np.mean(given == label) < 0.9:
        return (
            f"{np.mean(given == label):.0%} are right of clips that are easily told apart. The "
            "number that tells them is small beside others: scale each column, "
            "by the training folds."
        )
    rng = np.random.default_rng(1)  # nothing to learn: who is good here has seen the answers
    noise, label = rng.normal(0, 1, (60, 80)), rng.permutation(np.repeat(["cat", "dog"], 30))
    share = np.mean(np.asarray(function(noise, label, np.arange(60) % 5)) == label)
    if share > 0.8:
        return (
            f"{share:.0%} are right of pure noise: each clip was predicted by a model that knew it."
        )
    return None


def _told_by_a_small_number():
    rng = np.random.default_rng(0)
    label = np.array(["cat", "dog"])[np.arange(120) % 2]
    values = rng.normal(0, 1, (120, 6)) * np.array([1e-3, 3e3, 3e3, 3e3, 3e3, 3e3])
    values[:, 0] += np.where(label == "dog", 4e-3, 0)
    return values, label, np.arange(120) // 2 % 5


EXERCISES = {  # number: judge, and what to say of a right answer
    "06.1": (_louder, "Leave coefficient 0 out, and the level of a recording is gone."),
    "06.2": (
        _pitch_class,
        "An octave is twelve steps on a logarithmic scale, and chroma counts modulo 12.",
    ),
    "06.3": (
        _exact_p,
        "Clips on which both agree say nothing about which is better, and do not count.",
    ),
    "06.4": (
        _baseline,
        "Any network must beat these few lines, or it is not worth its training.",
    ),
}
