"""Lesson 03, Data pipeline: what is right, and what to say of a wrong answer."""

from collections import Counter

import numpy as np


def _label_ids(function):
    for labels, known, right in (
        (["rain", "cat", "dog", "cat"], ["cat", "dog", "rain"], [2, 0, 1, 0]),
        (["rain", "cat"], ["rain", "dog", "cat"], [2, 0]),  # not every class, another order
        (["dog"], ["dog", "cat", "cat"], [1]),  # one named twice
    ):
        given = list(function(labels, known))
        case = f"label_ids({labels}, {known})"
        if given == right:
            continue
        if given == [sorted(known).index(label) for label in labels]:
            return "Nearly: a class that `known` names twice is one class. A set leaves it once."
        if given == [place + 1 for place in right]:
            return "Nearly: the first class has the number 0."
        if given == [sorted(set(labels)).index(label) for label in labels]:
            return "Nearly: number the classes that are known, not those that happen to be asked."
        if given == [known.index(label) for label in labels]:
            return f"Nearly: in alphabetical order {case} is {right}, however `known` is sorted."
        return f"{case} is {right}, not {given}."
    try:
        given = function.function(["cat", "cats"], ["cat", "dog"])  # it may stop here, and should
    except Exception:
        return None
    return (
        f'Nearly: for "cats", which is no class, it gives {given} without a word. That is the '
        "article's bug: let it stop with an error."
    )


def _offset(function):
    rng = np.random.default_rng(3)
    for begins, gain in ((700, 1.0), (-450, 1.0), (700, 0.3), (-450, 2.5), (700, -1.0)):
        recording = rng.normal(size=4_000)
        first, second = recording[1_000:3_000], gain * recording[1_000 + begins : 3_000 + begins]
        try:
            given = int(function(first, second))
        except Exception:
            if gain > 0:
                raise
            given = None  # no run agrees, so that there is nothing to choose the best of
        if given == begins:
            continue
        if gain < 0:
            return "Nearly: upside down, the second falls where the first rises. Let that vote too."
        if given == -begins and begins > 0 and gain == 1:
            return "Nearly: the sign. Above 0 means that the second begins later."
        if abs(given - begins) == 1:
            return "Nearly: one sample off."
        if given == abs(begins) and gain == 1:
            return "Nearly: the second may also begin earlier than the first."
        if gain != 1:
            return f"With the second cut at {gain} times the level it fails; compare ups and downs."
        return f"The second begins {begins} samples after the first, not {given}."
    return None


def _sizes(groups, n):
    """Clips in each fold, the smallest first, when the largest recordings are dealt first."""
    sizes = np.zeros(n, int)
    for count in sorted(Counter(groups.tolist()).values(), reverse=True):
        sizes[np.argmin(sizes)] += count
    return np.sort(sizes)


def _deal(function):
    for seed, n in ((0, 3), (1, 5), (2, 4)):
        rng = np.random.default_rng(seed)
        clips = np.r_[[9, 7, 6], rng.integers(1, 5, 12)]  # of each recording
        groups = rng.permutation(np.repeat(rng.permutation(40)[: len(clips)], clips))
        given = np.asarray(function(groups, n))
        if given.shape != groups.shape:
            return (
                f"{len(groups)} clips went in, and an array of shape {given.shape} came out: each "
                "clip gets the number of its fold."
            )
        if given.min() == 1 and given.max() == n:
            return f"Nearly: {n} folds are numbered from 0 to {n - 1}."
        if not np.isin(given, np.arange(n)).all():
            return f"With {n} folds, the numbers 0 to {n - 1} may come out, and no others."
        parted = [name for name in np.unique(groups) if len(set(given[groups == name])) > 1]
        if parted:
            return (
                f"{len(parted)} of {len(clips)} recordings are parted: all clips of one recording "
                "go into one fold."
            )
        sizes = np.sort(np.bincount(given.astype(int), minlength=n))
        if sizes[0] == 0:
            return "No recording is parted, but a fold is empty: then there is nothing to test."
        if np.ptp(sizes) > np.ptp(_sizes(groups, n)):
            return (
                f"Nearly: no recording is parted, but the folds hold {sizes[0]} to {sizes[-1]} "
                "clips. Deal the largest recording first, each to the fold that is smallest so far."
            )
    return None


def _buffered(function):
    def order(items, size, seed=0):
        return list(function(list(items), size, np.random.default_rng(seed)))

    n, size, found = 24, 4, []
    for seed in range(40):
        given = order(range(n), size, seed)
        if len(given) < n:
            return f"Nearly: {n} items went in and {len(given)} came out. Empty the buffer, too."
        if sorted(given) != list(range(n)):
            return "Each item must come out once, and none twice."
        places = np.argsort(given)
        if (places < np.arange(n) - size + 1).any():
            return (
                f"An item came out before a buffer of {size} could hold it: only the next {size} "
                "items are there to be drawn from."
            )
        found.append(places)
    if order(range(n), size, 1) != order(range(n), size, 1):
        return "Nearly: equal generators must give equal orders. Draw with the rng you are given."
    if len({tuple(places) for places in found}) < 10:
        return "The order hardly depends on the generator: draw a random place of the buffer."
    if all((places // size == np.arange(n) // size).all() for places in found):
        return (
            f"Nearly: that shuffles each {size} items among themselves. A buffer is filled up "
            "again after each draw, so an item may wait long in it."
        )
    if order(range(n), 1) != list(range(n)):
        return "Nearly: a buffer of one item cannot change the order."
    if sorted(order(range(5), 100)) != list(range(5)):
        return "Nearly: a buffer may be larger than the number of items; then all come out, too."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "03.1": (_label_ids, "A name that nobody knows now stops the program, not your test score."),
    "03.2": (_offset, "Neither level nor sign mattered: only where the waveforms turn together."),
    "03.3": (_deal, "`splits.folds` does the same and keeps the classes' proportions as well."),
    "03.4": (_buffered, "That is the shuffle of tf.data: it knows no more of the order than this."),
}
