"""Lesson 08, The demo app: what is right, and what to say of a wrong answer."""

import numpy as np
import pandas as pd


def _threshold(function):
    for wrong, unsure in ((10, 1), (4, 1), (100, 1), (5, 2)):
        right, given = 1 - unsure / wrong, float(function(wrong, unsure))
        if abs(given - right) < 1e-6:
            continue
        case = f"If an error costs {wrong} and being unsure {unsure}, it gives {given:.3f}"
        if abs(given - unsure / wrong) < 1e-6:
            return f"{case}: that is how likely an error may be. How likely must the answer be?"
        if not 0 <= given <= 1:
            return f"{case}, which is no probability."
        return f"{case}. An answer of probability p costs (1 - p) x {wrong} on average."
    return None


def _moments(function):
    for name, shift in (("cat", 0.0), ("dog", 1.125)):
        timeline, right = _heard_thrice(name, shift)
        try:
            given = [tuple(np.round(pair, 3).tolist()) for pair in function(timeline, name)]
        except (TypeError, ValueError):
            return "It should be a list of pairs of numbers, (start, end)."
        if given == right:
            continue
        if len(given) > len(right) + 1:
            return f"{len(given)} stretches: windows that overlap should make one of them."
        if len(given) == len(right) + 1:
            return "Two of its stretches touch: one ends where the other begins. Join those, too."
        if any(start <= right[0][1] and end >= right[1][0] for start, end in given):
            return "A pause bridges two calls: the model is very sure there, and has heard nothing."
        if len(given) < len(right):
            return f"It gives {len(given)} stretches, and one is missing. 0.7 itself is enough."
        if given[1] == (right[1][0], right[1][1] - 1.5):
            return "A soft call is missing: a fiftieth of the largest weight is enough."
        return f"It gives {given}: one of these begins or ends where {name} was not heard."
    return None


def _heard_thrice(name, shift):
    """A timeline in which a class is heard three times, and these stretches; a pause between."""
    rng = np.random.default_rng(3)
    start = shift + 0.375 * np.arange(26)
    share, weight = rng.uniform(0.05, 0.6, 26), rng.uniform(0.3, 1, 26)
    share[[2, 3, 4, 12, 13, 17]], share[22] = 0.9, 0.7
    share[8], weight[8] = 0.99, 0.015 * weight.max()  # sure, and hardly heard
    weight[17] = 0.03 * weight.max()  # soft, and loud enough; it touches number 13
    other = {"cat": "dog", "dog": "cat"}[name]
    table = pd.DataFrame({"start": start, "end": start + 1.5, name: share, other: 1 - share})
    stretches = [(0.75, 3.0), (4.5, 7.875), (8.25, 9.75)]
    return table.assign(weight=weight), [(a + shift, b + shift) for a, b in stretches]


def _four_answers(function):
    for what, cat, dog, neither, limit, asked, right in (
        ("A sure cat", 0.9, 0.05, 0.05, 0.25, 0.6, "cat"),
        ("A sure dog", 0.04, 0.8, 0.16, 0.25, 0.6, "dog"),
        ("A passing car", 0.29, 0.16, 0.55, 0.25, 0.6, "neither"),
        ("A car that sounds like a cat", 0.58, 0.07, 0.35, 0.25, 0.6, "neither"),
        ("A sound at the limit of neither", 0.7, 0.05, 0.25, 0.25, 0.6, "neither"),
        ("The same under a limit of 0.5", 0.58, 0.07, 0.35, 0.5, 0.6, "cat"),
        ("A cat and a dog at once", 0.46, 0.4, 0.14, 0.25, 0.6, "unsure"),
        ("A cat behind noise", 0.52, 0.28, 0.2, 0.25, 0.6, "cat"),
        ("A cat just sure enough", 0.375, 0.125, 0.5, 0.6, 0.75, "cat"),
    ):
        shares = {"cat": cat, "dog": dog, "neither": neither}
        given = function(shares, limit, asked)
        if given == right:
            continue
        said = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        case = f"{what} ({said}; limits {limit:g} and {asked:g}) becomes {given!r}"
        if given not in ("cat", "dog", "neither", "unsure"):
            return f"{case}: there are four answers, each a text."
        if right == "neither":
            return (
                f"{case}: ask for neither's limit first, whichever is the largest, and from it on."
            )
        if given == "neither":
            return f"{case}, though neither stays below its limit."
        if right == "unsure":
            return f"{case}: the two animals are about level there."
        return f"{case}: unsure is about the better animal's share of the two animals."
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
    "08.1": (_moments, "So a page can say when, and play just the part that decided."),
    "08.2": (_four_answers, "The car is turned away, and so is what merely sounds like a cat."),
    "08.3": (_threshold, "The dearer an error, the more often the model should keep silent."),
    "08.4": (
        _seconds_in_ten_megabytes,
        "Hence a limit on the length, too: MP3 takes a tenth, and must be decoded.",
    ),
}
