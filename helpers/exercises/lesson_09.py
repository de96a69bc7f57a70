"""Lesson 09, Elsewhere: what is right, and what to say of a wrong answer."""

import numpy as np
import pandas as pd


def _limit(function):
    for seed, n in ((0, 10), (1, 40), (2, 37)):
        share = np.random.default_rng(seed).permutation(np.linspace(0.03, 0.97, n).round(3))
        wanted = int(np.ceil(0.9 * n))
        right = float(np.sort(share)[::-1][wanted - 1])
        given = float(function(share))
        out = int(np.sum(share >= given))
        if abs(given - right) < 1e-9:
            continue
        case = f"Of {n} other sounds, neither from {given:.3f} keeps out {out}"
        if n - out >= wanted - 1:
            return f"{case}: that lets nine in ten in. From low limits on more is kept out."
        if out < wanted:
            return f"{case}, fewer than 90 %."
        return f"{case}, but so does a higher limit, which turns fewer cats and dogs away."
    return None


def _rounds(function):
    for seed in (0, 1):
        sources = np.random.default_rng(seed).choice(["home", "street", "zoo"], 12)
        sources = pd.Series([*sources, "home", "street", "zoo"])
        pairs = function(sources)
        given = [tuple(np.asarray(part, int).tolist() for part in pair) for pair in pairs]
        if len(given) != 3:
            return f"Three sources give three rounds, not {len(given)}."
        tested = []
        for rest, held in given:
            names = set(sources[held])
            if len(names) != 1:
                return f"One round holds out {' and '.join(sorted(names)) or 'nothing'}."
            if names & set(sources[rest]):
                return f"A round learns from {names.pop()} and is tested on it: a leak."
            if len(rest) + len(held) != len(sources):
                return "In one round some clips stand on neither side."
            if len(held) != np.sum(sources == sources[held[0]]):
                return "A source has to be held out whole."
            tested += held
        if sorted(tested) != list(range(len(sources))):
            return "Every clip must be tested once, and once only."
    return None


def _doubtful(function):
    for seed in (0, 1):
        share = np.random.default_rng(seed).dirichlet([1, 1, 1], 20)
        table = pd.DataFrame(share, columns=["p_cat", "p_dog", "p_other"])
        table.index = [f"clip_{k}" for k in range(20)]
        top = np.sort(share, axis=1)
        margin = pd.Series(top[:, -1] - top[:, -2], table.index)
        given, right = list(function(table, 5)), list(margin.nsmallest(5).index)
        if sorted(given) == sorted(right):
            continue
        if len(given) != 5:
            return f"It gives {len(given)} clips where 5 were asked for."
        if sorted(given) == sorted(margin.nlargest(5).index):
            return "Those are the clips it is surest of: there is little to learn from them."
        least = table.max(axis=1).nsmallest(5).index
        if sorted(given) == sorted(least):
            return "Those whose best share is lowest. Here the gap to the second best is asked."
        return f"It misses {sorted(set(right) - set(given))[0]}, where two classes are level."
    return None


def _source_interval(function):
    for seed, n in ((0, 9), (1, 14)):
        rng = np.random.default_rng(seed)
        clips = rng.integers(10, 120, n)
        right = rng.binomial(clips, rng.uniform(0.3, 1, n))
        given = np.asarray(function(right, clips, seed), float).ravel()
        if given.shape != (2,):
            return f"It gives {given.size} numbers where two are asked for, low and high."
        if given.max() > 1:
            return "Give shares from 0 to 1: right clips among all clips of the sources drawn."
        if np.ptp(given) < 1e-6:
            return "Its ends are the same: draw with replacement, and anew each time."
        if not np.array_equal(given, np.asarray(function(right, clips, seed), float).ravel()):
            return "The same seed should give the same interval."
        drawn = np.random.default_rng(9).integers(0, n, (20_000, n))
        shares = right[drawn].sum(axis=1) / clips[drawn].sum(axis=1)
        if np.abs(given - np.quantile(shares, [0.025, 0.975])).max() < 0.02:
            continue
        whole = right.sum() / clips.sum()
        by_clip = np.sqrt(whole * (1 - whole) / clips.sum())
        case = f"For {n} sources it gives {given[0]:.3f} to {given[1]:.3f}"
        if np.ptp(given) < 1.3 * 3.92 * by_clip:
            return f"{case}: as narrow as if clips were drawn. Draw sources, with all their clips."
        alike = np.quantile((right / clips)[drawn].mean(axis=1), [0.025, 0.975])
        if np.abs(given - alike).max() < 0.02:
            return f"{case}: a small source counts as much as a large one there. Add up clips."
        return f"{case}. As many sources as there are; then the 2.5th and the 97.5th percentile."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "09.1": (_rounds, "Each source is a stranger once."),
    "09.2": (_limit, "And the cats and dogs above it are the price."),
    "09.3": (_doubtful, "Whether these ten teach it more than any ten, only a trial can tell."),
    "09.4": (_source_interval, "That is what a user from another place may expect."),
}
