"""From a waveform to a picture: spectrogram, log-mel, MFCC and chroma.

The same lines serve NumPy arrays, tensors inside tf.data, and the symbolic tensors that a Keras
model is built from: what is explored, trained and saved is the same feature. Arrays give arrays,
without TensorFlow; tensors give tensors.

Frames are centred and reflect-padded as in librosa, and the mel matrix is librosa's, so that
every function here can be checked against it: to a thousandth of a decibel for all that lies within
80 dB of the loudest value, below which single precision begins to show.
"""

import math
from functools import lru_cache

import numpy as np
import scipy.fft

from helpers.audio import SAMPLE_RATE

FRAME_LENGTH = 512  # 32 ms at 16 kHz; a power of two, the FFT's best and most exact length
HOP_LENGTH = 256  # 16 ms
FLOOR_DB = -80.0


def namespace(x):
    """The operations that suit x, and x as float32: NumPy's for arrays, else Keras'.

    Args:
        x: array, Series, list or number; or a tensor, eager or symbolic.

    Returns:
        module: numpy or keras.ops, which name what is used here alike.
        x: float32 array, or tensor.
    """
    if not type(x).__module__.startswith(("tensorflow.", "keras.")):
        return np, np.asarray(x, np.float32)
    from helpers.quiet import keras  # a tensor: TensorFlow is there already

    return keras.ops, keras.ops.convert_to_tensor(x, "float32")


def stft(waveform, frame_length=FRAME_LENGTH, hop_length=HOP_LENGTH):
    """Magnitude of the short-time Fourier transform, centred frames, periodic Hann window.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        waveform: float32, shape (..., samples); more than frame_length / 2 samples.
        frame_length: samples a window, even.
        hop_length: samples between windows.

    Returns:
        float32, shape (..., 1 + samples // hop_length, 1 + frame_length // 2).

    Raises:
        ValueError: frame_length is odd or below 2, or hop_length is below 1.
            Of an array too: it is too short to be padded by reflection.
        tf.errors.InvalidArgumentError: a tensor is too short to be padded by reflection.

    Source: Allen (1977); the same numbers as librosa.stft with pad_mode="reflect".
    """
    if frame_length < 2 or frame_length % 2 or hop_length < 1:
        raise ValueError(
            f"frame_length must be even and hop_length at least 1, not {frame_length}, {hop_length}"
        )
    ops, waveform = namespace(waveform)
    if ops is np:
        spectrum = _numpy_stft(waveform, frame_length, hop_length)
        real, imaginary = spectrum.real, spectrum.imag
    else:
        real, imaginary = ops.stft(waveform, frame_length, hop_length, fft_length=frame_length)
    return ops.sqrt(ops.square(real) + ops.square(imaginary))


def _numpy_stft(waveform, frame_length, hop_length):
    """complex64, shape (..., frames, bins): centred, reflect-padded, periodic Hann window."""
    half = frame_length // 2
    if waveform.shape[-1] <= half:
        raise ValueError(
            f"{waveform.shape[-1]} samples are too few to be padded by reflection: a frame of "
            f"{frame_length} needs more than {half}"
        )
    padded = np.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(half, half)], mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_length, axis=-1)
    return scipy.fft.rfft(frames[..., ::hop_length, :] * _hann(frame_length))


@lru_cache(maxsize=16)
def _hann(length):
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def decibels(power, floor=FLOOR_DB):
    """10 log10 of a power, limited below at an absolute floor.

    An absolute floor, not one below the loudest value: a clip's picture must not depend on the
    clips that share its batch.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        power: float32, any shape, at least 0.
        floor: dB; lower values are raised to it.

    Returns:
        float32, same shape, in dB relative to a power of 1.

    >>> decibels(np.float32([1, 0.1, 0])).round(3).tolist()
    [0.0, -10.0, -80.0]
    """
    ops, power = namespace(power)
    return ops.log(ops.maximum(power, 10 ** (floor / 10))) * (10 / math.log(10))


@lru_cache(maxsize=16)
def mel_matrix(sample_rate=SAMPLE_RATE, frame_length=FRAME_LENGTH, n_mels=64):
    """Weights that gather FFT bins into mel bands: Slaney's scale, bands of equal area.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        sample_rate: Hz.
        frame_length: samples a window.
        n_mels: number of mel bands, from 0 Hz to half the sample rate.

    Returns:
        float32, shape (1 + frame_length // 2, n_mels).

    Source: Stevens, Volkmann and Newman (1937); Slaney's Auditory Toolbox (1998) as in librosa.
    """
    edge, bins = _mel_edges(sample_rate, n_mels), 1 + frame_length // 2
    hertz = np.linspace(0, sample_rate / 2, bins)[:, None]
    rise = (hertz - edge[:-2]) / (edge[1:-1] - edge[:-2])
    fall = (edge[2:] - hertz) / (edge[2:] - edge[1:-1])
    triangles = np.maximum(np.minimum(rise, fall), 0)
    return (triangles * 2 / (edge[2:] - edge[:-2])).astype(np.float32)


def mel_bands(power):
    """Gather the power of FFT bins, shape (..., 257), into 64 mel bands: shape (..., 64)."""
    return power @ mel_matrix()


def log_mel(
    waveform,
    sample_rate=SAMPLE_RATE,
    *,
    n_mels=64,
    frame_length=FRAME_LENGTH,
    hop_length=HOP_LENGTH,
):
    """Log-mel spectrogram: mel-band powers in decibels.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        waveform: float32, shape (..., samples), full scale at +-1.
        sample_rate: Hz.
        n_mels: number of mel bands.
        frame_length, hop_length: samples; the defaults are 32 ms and 16 ms at 16 kHz.

    Returns:
        float32, shape (..., frames, n_mels), in dB, at least -80.

    Raises:
        ValueError: as stft.
    """
    spectrum = stft(waveform, frame_length, hop_length)
    return decibels(spectrum * spectrum @ mel_matrix(sample_rate, frame_length, n_mels))


def mfcc(log_mel_spectrogram, n_mfcc=20):
    """Mel-frequency cepstral coefficients: the orthonormal DCT-II of each log-mel frame.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        log_mel_spectrogram: float32, shape (..., frames, n_mels), in dB.
        n_mfcc: coefficients to keep, at most n_mels.

    Returns:
        float32, shape (..., frames, n_mfcc).

    Raises:
        ValueError: n_mfcc is below 1 or above the number of mel bands.

    Source: Davis and Mermelstein (1980).
    """
    _, log_mel_spectrogram = namespace(log_mel_spectrogram)
    n_mels = log_mel_spectrogram.shape[-1]
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(f"n_mfcc must be from 1 to {n_mels}, the mel bands, not {n_mfcc}")
    cosines = scipy.fft.dct(np.eye(n_mels, dtype=np.float32), norm="ortho")[:, :n_mfcc]
    return log_mel_spectrogram @ cosines


def mel_frequencies(sample_rate=SAMPLE_RATE, n_mels=64):
    """Centre of each mel band in Hz, shape (n_mels,), on Slaney's scale.

    Taught in notebooks/02_spectrograms.ipynb.
    """
    return _mel_edges(sample_rate, n_mels)[1:-1]


def _mel_edges(sample_rate, n_mels):
    """Hz where the bands begin, peak and end, (n_mels + 2,): evenly spaced on Slaney's scale.

    The scale has 15 steps of 66.7 Hz below 1 kHz, and above it 27 from each f to 6.4 f.
    """
    top, step = sample_rate / 2, math.log(6.4) / 27
    top = 15 + math.log(top / 1000) / step if top > 1000 else top * 15 / 1000
    mel = np.linspace(0, top, n_mels + 2)
    return np.where(mel < 15, mel * 1000 / 15, 1000 * np.exp(step * (mel - 15)))


def delta(x):
    """How fast each value changes: the slope of a line fitted through nine frames.

    Before the first frame stands the first, after the last the last.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        x: float32, shape (..., frames, bins).

    Returns:
        float32, same shape, in units of x a frame.

    Source: Furui (1986); the same numbers as librosa.feature.delta with mode="nearest".
    """
    ops, x = namespace(x)
    padded = ops.concatenate([x[..., :1, :]] * 4 + [x] + [x[..., -1:, :]] * 4, axis=-2)
    # the slope is the sum of n (x[t + n] - x[t - n]) over that of 2 n squared, which is 60
    return sum(
        (padded[..., 4 + n : n - 4 or None, :] - padded[..., 4 - n : -4 - n, :]) / (60 / n)
        for n in (1, 2, 3, 4)
    )


def mfcc_with_deltas(log_mel_spectrogram, n_mfcc=20):
    """MFCCs, beside them their deltas, beside those the deltas of the deltas.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        log_mel_spectrogram, n_mfcc: as mfcc.

    Returns:
        float32, shape (..., frames, 3 * n_mfcc).

    Raises:
        ValueError: as mfcc.
    """
    coefficients = mfcc(log_mel_spectrogram, n_mfcc)
    ops, change = namespace(delta(coefficients))
    return ops.concatenate([coefficients, change, delta(change)], axis=-1)


@lru_cache(maxsize=16)
def chroma_matrix(sample_rate=SAMPLE_RATE, frame_length=FRAME_LENGTH):
    """Weights that gather FFT bins into the 12 pitch classes from C to B, whatever the octave.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        sample_rate: Hz.
        frame_length: samples a window.

    Returns:
        float32, shape (1 + frame_length // 2, 12); A is 440 Hz. Octaves count by a Gaussian, two
        octaves wide around the fifth (some 520 Hz): those far from it nearly not.

    Source: Ellis (2007), as in librosa (McFee et al. 2015).
    """
    import librosa  # takes most of a second, for this alone

    classes = librosa.filters.chroma(sr=sample_rate, n_fft=frame_length, tuning=0.0)
    return np.ascontiguousarray(classes.T, np.float32)


def chroma(waveform, sample_rate=SAMPLE_RATE, *, frame_length=FRAME_LENGTH, hop_length=HOP_LENGTH):
    """Power in each of the 12 pitch classes, all octaves of a note together.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        waveform: float32, shape (..., samples), full scale at +-1.
        sample_rate: Hz.
        frame_length, hop_length: samples; the defaults are 32 ms and 16 ms at 16 kHz.

    Returns:
        float32, shape (..., frames, 12), power: `decibels` gives dB.

    Raises:
        ValueError: as stft.

    Source: Shepard (1964) for the pitch classes; the same numbers as librosa.feature.chroma_stft
    with tuning=0, norm=None and pad_mode="reflect".
    """
    spectrum = stft(waveform, frame_length, hop_length)
    return spectrum * spectrum @ chroma_matrix(sample_rate, frame_length)


def pitch_classes(power):
    """Gather the power of FFT bins, shape (..., 257), into pitch classes: shape (..., 12)."""
    return power @ chroma_matrix()


def linear_bands(power):
    """Gather four FFT bins into one: as many equal bands as there are in a log-mel picture.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        power: float32, shape (..., frames, 257), of the STFT; bin 0, a constant, is left out.

    Returns:
        float32, shape (..., frames, 64), the mean of each four.
    """
    _, power = namespace(power)
    return sum(power[..., first::4] for first in (1, 2, 3, 4)) / 4
