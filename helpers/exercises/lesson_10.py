"""Lesson 10, Your own sounds: what is right, and what to say of a wrong answer."""

import numpy as np
from scipy.stats import ks_2samp


def _cut(level, limit, pause):
    loud = [bool(value >= limit) for value in level]
    parts = []
    for frame in np.flatnonzero(loud).tolist():
        if parts and frame - parts[-1][1] < pause:
            parts[-1] = (parts[-1][0], frame + 1)
        else:
            parts.append((frame, frame + 1))
    return parts


def _cutter(function):
    levels = {
        "one sound in the middle": ([-60, -60, -20, -10, -20, -60], -30),
        "a sound that lasts to the end": ([-60, -20, -10, -10], -30),
        "a sound from the first frame on": ([-10, -20, -60, -60], -30),
        "a frame just at the limit": ([-60, -30, -60], -30),
        "a short pause within": ([-60, -10, -60, -10, -60, -60], -30),
        "a pause as long as the longest": ([-10, -60, -60, -60, -10], -30),
        "two sounds far apart": ([-10, -60, -60, -60, -60, -60, -10, -10], -30),
        "nothing loud": ([-60, -50, -60], -30),
    }
    for name, (level, limit) in levels.items():
        right = _cut(level, limit, 3)
        given = [tuple(map(int, part)) for part in function(np.array(level, float), limit, 3)]
        if given == right:
            continue
        case = f"For {name}, with pauses below 3 frames joined, it gives {given or 'nothing'}"
        if given == [(start, end - 1) for start, end in right]:
            return f"Nearly: {case}. The end is the first frame after the sound, as in a slice."
        if given == _cut(level, limit, 1):
            return f"Nearly: {case}. A pause shorter than that belongs to the sound."
        if given == _cut(level, limit, 4):
            return f"Nearly: {case}. A pause of just 3 frames is long enough to part two."
        if given == right[:-1]:
            return f"Nearly: {case}. What if the sound has not ended when the recording does?"
        return f"{case}: {len(right)} stretches are at or above the limit."
    return None


def _gap(before, now):
    return float(ks_2samp(before, now, method="asymp").statistic)


def _drifted(function):
    rng = np.random.default_rng(0)
    pairs = [
        (rng.uniform(0.5, 1, 40), rng.uniform(0.3, 0.9, 25)),
        (rng.uniform(0.3, 0.8, 30), rng.uniform(0.5, 1, 30)),
        (np.array([0.5, 0.6, 0.6, 0.9]), np.array([0.6, 0.6, 0.7])),
        (np.array([0.7]), np.array([0.7])),
    ]
    for before, now in pairs:
        right, given = _gap(before, now), function(before, now)
        if np.ndim(given):
            return f"One number is asked for, not an array of shape {np.shape(given)}."
        if abs(given - right) < 1e-9:
            continue
        case = f"For {len(before)} numbers and {len(now)}, it gives {given:.3f}"
        if abs(given - 100 * right) < 1e-6:
            return f"Nearly: {case}. A share from 0 to 1, not in percent."
        if abs(given - abs(np.mean(before) - np.mean(now))) < 1e-9:
            return f"{case}: that is the distance of their means. Two heaps may differ otherwise."
        places = np.concatenate([before, now])
        signed = [np.mean(before <= p) - np.mean(now <= p) for p in places]
        if min(abs(given - max(signed)), abs(given - min(signed))) < 1e-9:
            return f"Nearly: {case}. The gap may open to either side."
        return f"{case}, where the two shares lie {right:.3f} apart at the most."
    return None


EXERCISES = {  # number: judge, what to say of a right answer, and the course's own
    "10.1": (
        _cutter,
        "One long recording becomes clips; and all of them are still one recording.",
        _cut,
    ),
    "10.2": (
        _drifted,
        "It needs no labels: that is why it can watch a model that is in use.",
        _gap,
    ),
}
