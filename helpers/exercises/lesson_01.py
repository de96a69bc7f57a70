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


def _halved_level(answer):
    if abs(answer - 6.02) < 0.1:
        return "The size is right. Does the level rise or fall?"
    if abs(answer + 3.01) < 0.1:
        return "That is half the power. Half the amplitude is a quarter of the mean square."
    if abs(answer + 6.02) > 0.1:
        return "Compare audio.level(tone / 2) with audio.level(tone)."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "01.1": (_tone, "8,000 samples at 16,000 a second; the rate must travel along with them."),
    "01.2": (_alias, "Folded at half the rate: 2,000 Hz above it comes out 2,000 Hz below."),
    "01.3": (
        _halved_level,
        "Each halving takes about 6 dB away, which is also what one bit is worth.",
    ),
}
