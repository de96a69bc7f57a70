"""The same call as another phone, room or street would have recorded it.

Most functions take log-mel windows (dB) and a random generator and give new ones: there another
microphone is a curve added to each frame, and a room is a decay along each band, at a tenth of the
time that filtering waveforms takes. The functions from `change_speed` on change waveforms.
"""

import io
import math
from functools import lru_cache

import numpy as np
import scipy.fft
import soundfile

from helpers.audio import SAMPLE_RATE, fit_length, resample
from helpers.features import FLOOR_DB, HOP_LENGTH, decibels

_MP3_LAG = 1_105  # samples: 576 of LAME, 529 of the decoder


def roll(windows, rng):
    """Another moment: what leaves a window at its end comes back at the front.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        windows: float32, shape (n, frames, bands), log-mel in dB.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape; a new array, as from all functions here.
    """
    n, frames, _ = windows.shape
    moment = (np.arange(frames) + rng.integers(frames, size=(n, 1))) % frames
    return windows[np.arange(n)[:, None], moment]


def pitch_shift(windows, rng, cyclic=False):
    """Another animal: up to three mel bands higher or lower.

    Above 1 kHz, where the mel scale is logarithmic, a band is some 7 % of frequency and harmonics
    keep their ratio. Below it the bands are equally wide, so that harmonics move by as many hertz
    each, and their ratio changes: there it is an approximation.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        windows, rng: as roll.
        cyclic: what leaves at one end comes back at the other, as the 12 pitch classes do; else
            the outermost band is repeated.

    Returns:
        as roll.
    """
    n, _, bands = windows.shape
    band = np.arange(bands) + rng.integers(-3, 4, size=(n, 1))
    band = band % bands if cyclic else np.clip(band, 0, bands - 1)
    return np.take_along_axis(windows, band[:, None], axis=2)


def crop(windows, rng):
    """A shorter clip: of every fourth, silence all but 0.3 to 1.2 s around the loudest moment.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, frames = len(windows), np.arange(windows.shape[1])
    length = rng.uniform(0.3, 1.2, (n, 1)) * SAMPLE_RATE / HOP_LENGTH
    start = windows.max(axis=2).argmax(axis=1)[:, None] - rng.uniform(0.1, 0.9, (n, 1)) * length
    outside = (frames < start) | (frames > start + length)
    outside &= rng.random((n, 1)) < 0.25
    return np.where(outside[..., None], np.float32(FLOOR_DB), windows)


def equalise(windows, rng):
    """Another microphone: a smooth random gain over the bands, and for half a narrower range.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, _, bands = windows.shape
    band = np.arange(bands)
    gain = _curves(n, bands, 6.0, rng)
    top = np.where(rng.random((n, 1)) < 0.4, rng.uniform(0.5, 1.0, (n, 1)), 2) * bands
    low = np.where(rng.random((n, 1)) < 0.4, rng.uniform(0.0, 0.15, (n, 1)), -1) * bands
    gain -= 8 * np.maximum(band - top, 0) + 6 * np.maximum(low - band, 0)
    return np.maximum(windows + gain[:, None].astype(np.float32), np.float32(FLOOR_DB))


def reverberate(windows, rng):
    """Another room: in half of them each band dies away, by 60 dB in 0.1 to 1 s, and less clearly.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.

    Source: a room's energy decays exponentially, Sabine (1922).
    """
    chosen = np.flatnonzero(rng.random(len(windows)) < 0.5)
    decay, ratio = rng.uniform(0.1, 1.0, len(chosen)), rng.uniform(-6, 15, len(chosen))
    keep = 10 ** (-6 * HOP_LENGTH / SAMPLE_RATE / decay)
    share = (1 - keep) * 10 ** (-ratio / 10)
    keep, share = (one.astype(np.float32)[:, None] for one in (keep, share))
    power = _power(windows[chosen].swapaxes(0, 1))  # (frames, n, bands): a frame lies together
    tail = np.zeros_like(power[0])
    for frame in power:
        dry = frame.copy()
        frame += share * tail
        tail = keep * tail + dry
    heard = windows.copy()
    heard[chosen] = decibels(power, -math.inf).swapaxes(0, 1)
    return heard


def noise_floor(windows, rng):
    """Another street: a noise of random colour, 10 to 70 dB below the loudest point.

    Taught in notebooks/04_train_cnn.ipynb. Arguments and result as roll.
    """
    n, frames, bands = windows.shape
    floor = windows.max((1, 2))[:, None] - rng.uniform(10, 70, (n, 1))
    floor = floor + _curves(n, bands, 8.0, rng)
    floor = floor - np.linspace(0, 1, bands) * rng.uniform(0, 20, (n, 1))
    hiss = rng.standard_exponential((n, frames, bands), np.float32)
    hiss *= _power(floor.astype(np.float32))[:, None]
    return decibels(_power(windows) + hiss, -math.inf)


def lay_under(windows, others, rng):
    """Lay another sound under each window, 20 dB softer to 6 dB louder than it.

    Args:
        windows, others: float32, shape (n, frames, bands), log-mel in dB, brought to one level.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape; powers are added, as of sounds that have nothing to do with each other.
    """
    below = rng.uniform(-6, 20, (len(windows), 1, 1)).astype(np.float32)
    return decibels(_power(windows) + _power(others - below), -math.inf)


def lifeless(windows, rng):
    """Silence, noise of any colour, hums and beeps, in place of windows.

    Arguments and result as roll.
    """
    n, frames, bands = windows.shape
    kind, colour = rng.integers(4, size=(n, 1, 1)), _curves(n, bands, 10.0, rng)[:, None]
    hiss = 10 * np.log10(rng.standard_exponential((n, frames, bands)) + 1e-3)
    tone = np.full((n, bands), -75.0)
    for _ in range(3):
        high = rng.integers(bands, size=(n, 1))
        near = np.abs(np.arange(bands) - high)
        tone = np.maximum(tone, rng.uniform(-30, -5, (n, 1)) - 12 * near)
    period = rng.integers(6, 2 * frames, (n, 1))
    on = np.arange(frames) % period < period * rng.uniform(0.2, 1.0, (n, 1))
    tones = np.where(on[..., None], tone[:, None], -75.0) + 0.3 * hiss
    made = np.select([kind == 0, kind == 1], [FLOOR_DB + 0 * hiss, colour - 30 + hiss], tones)
    return np.maximum(made, FLOOR_DB).astype(np.float32)


def mask(windows, rng):
    """SpecAugment: hide a band of frequencies and a stretch of time behind the mean.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        windows: float32, shape (n, frames, bins, 1), of mean 0.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape.

    Source: Park et al. (2019).
    """
    n, frames, bins, _ = windows.shape
    band, frame = (_stretches(n, length, rng) for length in (bins, frames))
    hidden = band[:, None] | frame[:, :, None]
    return np.where(hidden[..., None], np.float32(0), windows)


def mixup(windows, targets, rng, alpha=0.4):
    """Lay each window faintly over another one, and mix the labels in the same share.

    Args:
        windows: float32, shape (n, ...).
        targets: float32, shape (n, classes), one-hot.
        rng: numpy.random.Generator.
        alpha: of the beta distribution that the share is drawn from; the smaller, the purer.

    Returns:
        windows, targets: mixed, same shapes.

    Source: Zhang et al. (2018).
    """
    other = rng.permutation(len(windows))
    share = rng.beta(alpha, alpha, len(windows)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    wide = share.reshape(-1, *[1] * (windows.ndim - 1))
    return (
        wide * windows + (1 - wide) * windows[other],
        share[:, None] * targets + (1 - share[:, None]) * targets[other],
    )


def change_speed(wave, rng):
    """Another animal: in six of ten played up to a fifth slower or faster, pitch and all.

    Args:
        wave: float32, shape (samples,), 16 kHz.
        rng: numpy.random.Generator.

    Returns:
        float32, same shape: cut at its end, or padded with zeros; the same array, if unchanged.
    """
    if rng.random() >= 0.6:
        return wave
    return fit_length(resample(wave, math.exp(rng.uniform(-0.2, 0.2)), 1.0), len(wave))


def shorten(wave, rng):
    """A shorter call: of every fifth, silence all but 0.25 to 1.1 s around the loudest moment.

    Arguments and result as change_speed.
    """
    if rng.random() >= 0.2:
        return wave
    length = int(rng.uniform(0.25, 1.1) * SAMPLE_RATE)
    blocks = np.square(wave[: len(wave) // 800 * 800]).reshape(-1, 800).sum(axis=1)
    start = max(int(800 * blocks.argmax() - rng.uniform(0.1, 0.9) * length), 0)
    kept = np.zeros_like(wave)
    kept[start : start + length] = wave[start : start + length]
    return kept


def lay_wave_under(wave, other, rng):
    """Lay another sound under a waveform, 20 dB softer to 6 dB louder than it.

    Args:
        wave, other: float32, shape (samples,).
        rng: numpy.random.Generator.

    Returns:
        float32, same shape, the first one at a level of 0 dB.
    """
    root = [max(float(np.sqrt(np.mean(np.square(one)))), 1e-9) for one in (wave, other)]
    softer = 10 ** (-rng.uniform(-6, 20) / 20)
    return np.float32(wave / root[0] + (softer / root[1] if root[1] > 1e-7 else 0.0) * other)


def filter_wave(wave, rng):
    """Another microphone: a smooth random gain, and for a third no bass, for a third no treble.

    Arguments and result as change_speed.
    """
    hertz = scipy.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)
    octave = np.log2(np.maximum(hertz, 100) / 100) / np.log2(SAMPLE_RATE / 200)
    gain = np.interp(octave, np.linspace(0, 1, 5), rng.normal(0, 5, 5))
    if rng.random() < 0.35:
        gain -= 60 * np.clip((hertz - rng.uniform(2_500, SAMPLE_RATE / 2)) / 300, 0, 1)
    if rng.random() < 0.35:
        gain -= 40 * np.clip((rng.uniform(0, 600) - hertz) / 100, 0, 1)
    filtered = scipy.fft.irfft(scipy.fft.rfft(wave) * 10 ** (gain / 20), len(wave))
    return filtered.astype(np.float32)


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
    colour = 10 ** ((colour - colour.max(axis=1, keepdims=True)) / 20)
    hiss = scipy.fft.rfft(rng.standard_normal((n, samples), np.float32), axis=1)
    hiss = scipy.fft.irfft(hiss * colour.astype(np.float32), samples)
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
        float32, shape (samples,), without the lag that encoder and decoder have together.
    """
    file, padded = io.BytesIO(), np.pad(waveform, (0, _MP3_LAG))
    options = {"bitrate_mode": "CONSTANT", "compression_level": 0.85}  # the sixth of 14 bit rates
    soundfile.write(file, padded, SAMPLE_RATE, format="MP3", **options)
    file.seek(0)
    decoded = soundfile.read(file, dtype="float32")[0][_MP3_LAG:][: len(waveform)]
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


def _power(levels):
    """Decibels to power, by the exponential that NumPy vectorises in float32."""
    return np.exp(levels * np.float32(math.log(10) / 10))


def _stretches(n, length, rng):
    """One stretch a row, of up to a sixth of the length: bool, shape (n, length)."""
    size = rng.integers(1 + length // 6, size=(n, 1))
    start, place = rng.integers(length - size + 1), np.arange(length)
    return (start <= place) & (place < start + size)


def _curves(n, bands, deviation, rng):
    """Smooth random gains in dB, shape (n, bands): independent at five knots."""
    return rng.normal(0, deviation, (n, 5)) @ _shapes(bands)


@lru_cache(maxsize=8)
def _shapes(bands):
    """What each of the five knots gives to each band, shape (5, bands)."""
    knots = np.linspace(0, bands - 1, 5)
    return np.array([np.interp(np.arange(bands), knots, unit) for unit in np.eye(5)])
