"""Lesson 01, Waveforms: what is right, and what to say of a wrong answer."""

import numpy as np


def _tone(answer):
    wave = np.asarray(answer, float)
    if wave.ndim != 1:
        return f"A waveform has one dimension, and yours {wave.ndim}."
    if len(wave) != 8_000:
        return f"Half a second at 16,000 Hz is another number of samples than {len(wave):,}."
    if not 0 < np.abs(wave).max() <= 1:
        return "Its samples must lie between -1 and 1, and not all at 0."
    strength = np.abs(np.fft.rfft(wave)) ** 2
    peak = 2 * int(strength.argmax())  # bins are 2 Hz wide
    if peak != 440:
        return f"Its strongest frequency is {peak:,} Hz. Does the sine get 2 pi times f times t?"
    if strength[200:241].sum() < 0.9 * strength.sum():
        return "440 Hz is in it, but so is much else: a tone is one sine."
    return None


def _alias(answer):
    if abs(answer - 6) < 0.01:
        return "That is in kHz; hertz are asked for."
    if abs(answer + 6_000) < 1:
        return "A frequency has no sign: take the absolute value."
    if abs(answer - 2_000) < 1:
        return "That is how far it lies above half the rate. How far is it from the rate itself?"
    if abs(answer - 6_000) > 1:
        return "Take the distance to the nearest multiple of the sample rate."
    return None


def _quantise(waveform, bits):
    steps = 2 ** (bits - 1)
    return np.clip(np.round(waveform * steps), -steps, steps - 1) / steps


def _quantiser(function):
    inside = np.random.default_rng(0).uniform(-0.45, 0.45, 500)  # far from both ends
    for bits in (4, 8, 5):
        steps = 2 ** (bits - 1)
        given = np.asarray(function(inside, bits), float)
        if given.shape != inside.shape:
            return f"500 samples went in, and an array of shape {given.shape} came out."
        step = 1 / steps
        if np.abs(given).max() > 1:
            return "Nearly: those are the numbers of the levels. What brings them back to -1 to 1?"
        if np.allclose(given, np.round(inside * 2 * steps) / steps / 2):
            return (
                f"Yours has {4 * steps} levels at {bits} bits: they must do for -1 to 1 together."
            )
        if np.allclose(given, np.round(inside * bits) / bits):
            return "Each further bit doubles the number of levels; yours grow by one a bit."
        if np.allclose(given, np.round(inside * (steps - 1)) / (steps - 1)):
            return "Nearly: your steps are a little too wide; from 0 down to -1 there are 2^(b-1)."
        if np.allclose(given, np.floor(inside * steps) / steps):
            return "Nearly: yours always goes down. Which level is the nearest?"
        if np.allclose(given, np.trunc(inside * steps) / steps):
            return "Nearly: yours cuts the digits off. Which level is the nearest?"
        if not np.allclose(given, _quantise(inside, bits)):
            worst = np.abs(given - inside).max() / step
            return f"At {bits} bits a sample moves by {worst:.2g} steps; half a step is the most."
        ends = np.array([-1.3, -1.0, 1.0, 1.3])
        given = np.asarray(function(ends, bits), float)
        if given[0] < -1 or given[-1] > 1:
            return "Nearly: 1.3 must not come out above full scale. What can no level hold?"
        if np.isclose(given[2:], 1).any():
            return (
                f"Nearly: at {bits} bits yours has {2 * steps + 1} levels, one too many. "
                "Count them with 0 and with both ends."
            )
        if not np.allclose(given, _quantise(ends, bits)):
            return "Nearly: inside it is right. Which are the lowest and the highest level?"
    return None


def _flat(wave, least=3):
    side = np.sign(wave) * (np.abs(wave) == np.abs(wave).max())
    runs = np.split(side, np.flatnonzero(np.diff(side)) + 1)
    return sum(len(run) for run in runs if run[0] and len(run) >= least)


def _clipped(function):
    tone = np.sin(2 * np.pi * 440 * np.arange(1_600) / 16_000 + 0.3)
    loud, soft = np.clip(2 * tone, -1, 1), 0.4 * np.clip(2 * tone, -0.9, 0.9)
    short = np.array([0, 0.5, 0.5, 0, -0.5, -0.5, -0.5, 0, 0.5, 0])
    ours, yours = _flat(loud), function(loud)
    if np.ndim(yours):
        return f"One number is asked for, not an array of shape {np.shape(yours)}."
    if yours == ours / len(loud):
        return "Nearly: that is their share of all samples; their number is asked for."
    if 0 < yours == _flat(np.maximum(loud, -0.99)):
        return "Nearly: crests can be cut off above and below."
    if yours == len(np.flatnonzero(np.diff(np.r_[0, np.abs(loud) == 1]) == 1)):
        return "Nearly: those are the crests that are cut off. How many samples lie in them?"
    if yours != ours:
        return f"A sine of twice full scale has {len(loud):,} samples; yours finds {yours:g}."
    if function(soft) != _flat(soft):
        return "Nearly: who turns a clipped sound down keeps its flat crests. Where is its peak?"
    if function(short) == np.sum(np.abs(short) == 0.5):
        return "Nearly: every waveform touches its peak somewhere. Only three in a row count."
    if function(short) != 3:
        return "With two in a row, three in a row and one alone at the peak, three samples count."
    square = np.tile([0.5, -0.5], 20)
    if function(square) != 0:
        return "Nearly: samples in turn at both ends are no flat crest; a row has one sign."
    if function(np.zeros(100)) != 0:
        return "Nearly: silence is flat too, but nothing of it was cut off."
    return None


EXERCISES = {  # number: judge, what to say of a right answer, and the course's own
    "01.1": (_tone, "8,000 samples at 16,000 a second; the rate must travel along with them."),
    "01.2": (_alias, "Folded at half the rate: 2,000 Hz above it comes out 2,000 Hz below."),
    "01.3": (
        _quantiser,
        "It rounds and it clips: those are the two things that a converter does to a sound.",
        _quantise,
    ),
    "01.4": (
        _clipped,
        "Run it over recordings before you train: flat crests add harmonics that no animal made.",
    ),
}
