"""From a waveform to a picture: spectrogram, log-mel and MFCC as TensorFlow operations.

Frames are centred and reflect-padded as in librosa, and the mel matrix is librosa's, so that
every function here can be checked against it: to a thousandth of a decibel for all that lies within
80 dB of the loudest value, below which single precision begins to show.
"""

from functools import lru_cache

import librosa
import numpy as np

from helpers.audio import SAMPLE_RATE
from helpers.quiet import tf

FRAME_LENGTH = 512  # 32 ms at 16 kHz; a power of two, the FFT's best and most exact length
HOP_LENGTH = 256  # 16 ms
FLOOR_DB = -80.0


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
        tf.errors.InvalidArgumentError: the waveform is too short to be padded by reflection.

    Source: Allen (1977); the same numbers as librosa.stft with pad_mode="reflect".
    """
    if frame_length < 2 or frame_length % 2 or hop_length < 1:
        raise ValueError(
            f"frame_length must be even and hop_length at least 1, not {frame_length}, {hop_length}"
        )
    waveform = tf.convert_to_tensor(waveform, tf.float32)
    half = frame_length // 2
    padding = [[0, 0]] * (waveform.shape.rank - 1) + [[half, half]]
    padded = tf.pad(waveform, padding, mode="REFLECT")
    # tf.signal pads frames to a power of two unless told the FFT length
    return tf.abs(tf.signal.stft(padded, frame_length, hop_length, fft_length=frame_length))


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
    """
    power = tf.maximum(tf.convert_to_tensor(power, tf.float32), 10 ** (floor / 10))
    return 10 / np.log(10).astype(np.float32) * tf.math.log(power)


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
    bands = librosa.filters.mel(sr=sample_rate, n_fft=frame_length, n_mels=n_mels)
    return np.ascontiguousarray(bands.T, np.float32)


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
    power = stft(waveform, frame_length, hop_length) ** 2
    return decibels(tf.matmul(power, mel_matrix(sample_rate, frame_length, n_mels)))


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
    log_mel_spectrogram = tf.convert_to_tensor(log_mel_spectrogram, tf.float32)
    n_mels = log_mel_spectrogram.shape[-1]
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(f"n_mfcc must be from 1 to {n_mels}, the mel bands, not {n_mfcc}")
    return tf.signal.dct(log_mel_spectrogram, type=2, norm="ortho")[..., :n_mfcc]


def mel_frequencies(sample_rate=SAMPLE_RATE, n_mels=64):
    """Centre of each mel band in Hz, shape (n_mels,), on Slaney's scale.

    Taught in notebooks/02_spectrograms.ipynb.
    """
    return librosa.mel_frequencies(n_mels=n_mels + 2, fmin=0.0, fmax=sample_rate / 2)[1:-1]
