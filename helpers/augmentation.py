"""The same call as another phone, room or street would have recorded it.

Most functions take log-mel pictures and a random generator and give new pictures: on the picture
another microphone is a curve added to each frame, and a room is a decay along each band, at a tenth
of the time that filtering waveforms takes. `add_noise`, `echo` and `compress` change waveforms.
"""

import io

import numpy as np
import scipy.fft
import scipy.signal
import soundfile

from helpers.audio import SAMPLE_RATE, resample
from helpers.features import FLOOR_DB, HOP_LENGTH


def roll(pictures, rng):
    """Another moment: what leaves a window at its end comes back at the front.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        pictures: float32, shape (n, frames, bands), log-mel in dB.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape; a new array, as from all functions here.
    """
    n, frames, _ = pictures.shape
    moment = (np.arange(frames) + rng.integers(frames, size=(n, 1))) % frames
    return pictures[np.arange(n)[:, None], moment]


def pitch_shift(pictures, rng):
    """Another animal: up to three mel bands higher or lower.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, _, bands = pictures.shape
    band = np.clip(np.arange(bands) + rng.integers(-3, 4, size=(n, 1)), 0, bands - 1)
    return np.take_along_axis(pictures, band[:, None], axis=2)


def crop(pictures, rng):
    """A shorter clip: of every fourth, silence all but 0.3 to 1.2 s around the loudest moment.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    pictures, n, frames = pictures.copy(), len(pictures), np.arange(pictures.shape[1])
    length = rng.uniform(0.3, 1.2, (n, 1)) * SAMPLE_RATE / HOP_LENGTH
    start = pictures.max(axis=2).argmax(axis=1)[:, None] - rng.uniform(0.1, 0.9, (n, 1)) * length
    outside = (frames < start) | (frames > start + length)
    outside &= rng.random((n, 1)) < 0.25
    pictures[outside] = FLOOR_DB
    return pictures


def equalise(pictures, rng):
    """Another microphone: a smooth random gain over the bands, and for half a narrower range.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, _, bands = pictures.shape
    band = np.arange(bands)
    gain = _curves(n, bands, 6.0, rng)
    top = np.where(rng.random((n, 1)) < 0.4, rng.uniform(0.5, 1.0, (n, 1)), 2) * bands
    low = np.where(rng.random((n, 1)) < 0.4, rng.uniform(0.0, 0.15, (n, 1)), -1) * bands
    gain -= 8 * np.maximum(band - top, 0) + 6 * np.maximum(low - band, 0)
    return np.maximum(pictures + gain[:, None].astype(np.float32), FLOOR_DB)


def reverberate(pictures, rng):
    """Another room: in half of them each band dies away, by 60 dB in 0.1 to 1 s, and less clearly.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.

    Source: a room's energy decays exponentially, Sabine (1922).
    """
    pictures = pictures.copy()
    for row in np.flatnonzero(rng.random(len(pictures)) < 0.5):
        keep = 10 ** (-6 * HOP_LENGTH / SAMPLE_RATE / rng.uniform(0.1, 1.0))
        share = (1 - keep) * 10 ** (-rng.uniform(-6, 15) / 10)
        power = 10 ** (pictures[row] / 10)
        power += share * scipy.signal.lfilter([0, 1], [1, -keep], power, axis=0)
        pictures[row] = 10 * np.log10(power)
    return pictures


def noise_floor(pictures, rng):
    """Another street: a noise of random colour, 10 to 70 dB below the loudest point.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, frames, bands = pictures.shape
    floor = pictures.max((1, 2))[:, None] - rng.uniform(10, 70, (n, 1))
    floor = floor + _curves(n, bands, 8.0, rng)
    floor = floor - np.linspace(0, 1, bands) * rng.uniform(0, 20, (n, 1))
    hiss = rng.standard_exponential((n, frames, bands), np.float32)
    hiss *= 10 ** (floor[:, None].astype(np.float32) / 10)
    return 10 * np.log10(10 ** (pictures / 10) + hiss)


def mask(pictures, rng):
    """SpecAugment: hide a band of frequencies and a stretch of time behind the mean.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        pictures: float32, shape (n, frames, bins, 1), of mean 0.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape.

    Source: Park et al. (2019).
    """
    pictures = pictures.copy()
    _, frames, bins, _ = pictures.shape
    for picture in pictures:
        width, length = rng.integers(1 + bins // 6), rng.integers(1 + frames // 6)
        band, moment = rng.integers(bins - width + 1), rng.integers(frames - length + 1)
        picture[:, band : band + width] = 0
        picture[moment : moment + length] = 0
    return pictures


def mixup(pictures, targets, rng, alpha=0.4):
    """Lay each picture faintly over another one, and mix the labels in the same share.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        pictures: float32, shape (n, ...).
        targets: float32, shape (n, classes), one-hot.
        rng: numpy.random.Generator.
        alpha: of the beta distribution that the share is drawn from; the smaller, the purer.

    Returns:
        pictures, targets: mixed, same shapes.

    Source: Zhang et al. (2018).
    """
    other = rng.permutation(len(pictures))
    share = rng.beta(alpha, alpha, len(pictures)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    wide = share.reshape(-1, *[1] * (pictures.ndim - 1))
    return (
        wide * pictures + (1 - wide) * pictures[other],
        share[:, None] * targets + (1 - share[:, None]) * targets[other],
    )


def add_noise(waves, ratio, rng):
    """Add noise of a random colour at a given signal-to-noise ratio.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        waves: float32, shape (n, samples).
        ratio: dB, the power of each whole wave over that of its noise; a number or (n, 1).
        rng: numpy.random.Generator.

    Returns:
        float32, same shape.
    """
    n, samples = waves.shape
    octaves = np.log2(np.maximum(scipy.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 60))
    colour = -rng.uniform(0, 6, (n, 1)) * octaves  # dB: from white to brown
    hiss = scipy.fft.rfft(rng.standard_normal((n, samples)), axis=1) * 10 ** (colour / 20)
    hiss = scipy.fft.irfft(hiss, samples)
    power = np.mean(waves**2, axis=1, keepdims=True) / np.mean(hiss**2, axis=1, keepdims=True)
    return np.float32(waves + hiss * np.sqrt(power * 10 ** (-np.asarray(ratio) / 10)))


def echo(waves, decay, ratio, rng):
    """Mix waves with echoes that die away exponentially.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        waves: float32, shape (n, samples); the end of the echo comes back at the front.
        decay: seconds in which the echo falls by 60 dB; a number or (n, 1).
        ratio: dB, power of the direct sound over that of the echo; a number or (n, 1).
        rng: numpy.random.Generator.

    Returns:
        float32, same shape.

    Source: exponentially decaying noise as an impulse response, Moorer (1979).
    """
    n, samples = waves.shape
    time = np.arange(min(samples, SAMPLE_RATE)) / SAMPLE_RATE
    answer = rng.standard_normal((n, len(time)), np.float32)
    answer *= 10 ** (-3 * time / np.asarray(decay))
    answer /= np.sqrt(np.sum(answer**2, axis=1, keepdims=True))
    answer *= 10 ** (-np.asarray(ratio) / 20)
    answer[:, 0] += 1
    spectrum = scipy.fft.rfft(answer.astype(np.float32), samples)
    return scipy.fft.irfft(spectrum * scipy.fft.rfft(waves), samples)


def compress(waveform):
    """Encode one waveform as MP3 at 32 kbit/s and decode it again.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        waveform: float32, shape (samples,), 16 kHz.

    Returns:
        float32, shape (samples,).
    """
    file = io.BytesIO()
    options = {"bitrate_mode": "CONSTANT", "compression_level": 0.85}  # the sixth of 14 bit rates
    soundfile.write(file, waveform, SAMPLE_RATE, format="MP3", **options)
    file.seek(0)
    decoded = soundfile.read(file, dtype="float32")[0][: len(waveform)]
    return np.pad(decoded, (0, len(waveform) - len(decoded)))


# What a recording may go through: functions of a waveform at 16 kHz and a random generator.
DEGRADATIONS = {
    "as recorded": lambda wave, rng: wave,
    "at 8 kHz": lambda wave, rng: resample(resample(wave, SAMPLE_RATE, 8000), 8000, SAMPLE_RATE),
    "MP3 at 32 kbit/s": lambda wave, rng: compress(wave),
    "as much noise as sound (0 dB)": lambda wave, rng: add_noise(wave[None], 0.0, rng)[0],
    "40 dB softer, 16 bit": lambda wave, rng: np.round(wave * 327.68).astype(np.float32) / 32768,
    "in a hall (1 s, 0 dB)": lambda wave, rng: echo(wave[None], 1.0, 0.0, rng)[0],
}


def _curves(n, bands, deviation, rng):
    """Smooth random gains in dB, shape (n, bands): independent at five knots."""
    knots = np.linspace(0, bands - 1, 5)
    shapes = np.array([np.interp(np.arange(bands), knots, unit) for unit in np.eye(5)])
    return rng.normal(0, deviation, (n, 5)) @ shapes
