"""Sounds that are no cat and no dog: simple models of speech, music, engines, birds, rain, beeps.

They stand for whatever else a microphone hears, where no recordings are at hand. Each is a sketch
of what makes its kind: syllables of a voiced source through formants, notes with harmonics, a
train of knocks, whistled chirps, drops, tones.

Taught in notebooks/09_elsewhere.ipynb.
"""

from itertools import pairwise

import numpy as np
from scipy import signal

_RATE = 16_000  # Hz


def sound(kind, rng, seconds=3.0):
    """One sound of a given kind.

    Taught in notebooks/09_elsewhere.ipynb.

    Args:
        kind: one of KINDS: "speech", "music", "engine", "bird", "rain", "beep".
        rng: numpy.random.Generator.
        seconds: its length.

    Returns:
        float32, shape (samples,), at 16,000 Hz, peak 1.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown sound {kind!r}: choose one of {', '.join(KINDS)}")
    wave = KINDS[kind](rng, np.arange(round(seconds * _RATE)) / _RATE)
    return (wave / max(1e-9, np.abs(wave).max())).astype(np.float32)


def _pulses(pitch):
    """A buzz whose pitch (Hz, a value a sample) moves: what a voice or an engine starts from."""
    return 2 * ((np.cumsum(pitch) / _RATE) % 1) - 1


def _steps(rng, t, rate, low, high):
    """Values that hold for about 1 / rate seconds each, and the place within each, 0 to 1."""
    at = np.cumsum(rng.uniform(0.6, 1.4, int(t[-1] * rate * 2) + 3)) / rate
    which = np.searchsorted(at, t)
    start, end = np.r_[0, at][which], at[which]
    return rng.uniform(low, high, len(at))[which], (t - start) / (end - start)


def _speech(rng, t):
    """Syllables, four or so a second, with a falling pitch and two formants each."""
    tone, place = _steps(rng, t, rng.uniform(3, 5), -3, 3)
    pitch = rng.uniform(90, 220) * 2 ** ((tone - 3 * place) / 12)
    buzz, wave = _pulses(pitch) + 0.1 * rng.standard_normal(len(t)), np.zeros(len(t))
    edges = np.r_[0, np.flatnonzero(np.diff(place) < 0) + 1, len(t)]
    for start, end in pairwise(edges):
        part = 0
        for low, high in ((300, 800), (900, 2_500)):
            numerator, denominator = signal.iirpeak(rng.uniform(low, high), 6, fs=_RATE)
            part = part + signal.lfilter(numerator, denominator, buzz[start:end])
        wave[start:end] = part
    return wave * np.sin(np.pi * place) ** 0.5


def _music(rng, t):
    """A melody of notes with harmonics that fade, over a chord."""
    key, wave = rng.uniform(110, 330), 0
    for rate, level in ((rng.uniform(2, 5), 1.0), (0.7, 0.4), (0.7, 0.4)):
        step, place = _steps(rng, t, rate, 0, 12)
        scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21])
        phase = 2 * np.pi * np.cumsum(key * 2 ** (scale[step.astype(int)] / 12)) / _RATE
        fade = level * np.exp(-2 * place) * np.minimum(1, 30 * place)
        wave = wave + fade * sum(np.sin(k * phase) / k for k in range(1, 6))
    return wave


def _engine(rng, t):
    """Knocks of some 20 to 90 a second, whose speed swells, in a dull body, with air beside it."""
    speed = rng.uniform(20, 90) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t))
    wave = signal.lfilter([1], [1, -0.95], _pulses(speed) ** 5)
    air = signal.lfilter([1], [1, -0.9], rng.standard_normal(len(t)))
    return wave / wave.std() + rng.uniform(0.2, 1) * air / air.std()


def _bird(rng, t):
    """Whistled chirps that sweep between 2 and 7 kHz, with pauses."""
    sweep, place = _steps(rng, t, rng.uniform(3, 9), -1, 1)
    middle, _ = _steps(rng, t, rng.uniform(0.5, 2), 2_500, 6_000)
    phase = 2 * np.pi * np.cumsum(middle + 1_500 * sweep * (place - 0.5)) / _RATE
    return np.sin(phase) * np.sin(np.pi * place) ** 2 * (sweep > -0.4)


def _rain(rng, t):
    """Noise, and drops that ring for a few milliseconds."""
    wave = 0.3 * signal.lfilter([1, -0.7], [1], rng.standard_normal(len(t)))
    drops = (rng.random(len(t)) < rng.uniform(5, 60) / _RATE) * rng.exponential(8, len(t))
    numerator, denominator = signal.iirpeak(rng.uniform(1_500, 5_000), 8, fs=_RATE)
    return wave + signal.lfilter(numerator, denominator, drops) * 5


def _beep(rng, t):
    """One steady tone that is switched on and off."""
    on = (t * rng.uniform(0.5, 6)) % 1 < rng.uniform(0.3, 0.9)
    return np.sin(2 * np.pi * rng.uniform(300, 3_500) * t) * on


KINDS = {
    "speech": _speech,
    "music": _music,
    "engine": _engine,
    "bird": _bird,
    "rain": _rain,
    "beep": _beep,
}
