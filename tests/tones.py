"""Tones for the tests, as samples and as sound files."""

import numpy as np
import soundfile

RATE = 16_000


def tone(hertz=440, seconds=1.0, amplitude=0.5, rate=RATE):
    """A sine: float32, shape (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def write(path, hertz=440, seconds=2.0, rate=RATE, channels=1, **options):
    """A tone as a sound file; returns its path."""
    samples = np.repeat(tone(hertz, seconds, rate=rate)[:, None], channels, axis=1)
    soundfile.write(path, samples, rate, **options)
    return path
