"""Cut a clip into windows, bring them to one level, and turn them into what a network is fed."""

import numpy as np

from helpers import audio, features
from helpers.quiet import keras

LENGTH, HOP = 24_000, 6_000  # samples: 1.5 s and 0.375 s
_ops = keras.ops  # array, tensor of tf.data and symbolic tensor of a model alike


def loudest(waveform, seconds=1.5, count=3):
    """Cut the loudest, non-overlapping windows out of a clip.

    Args:
        waveform: float32, shape (samples,), 16 kHz; a shorter one is padded with zeros.
        seconds: length of a window.
        count: windows wanted; a short clip gives fewer, at least one.

    Returns:
        float32, shape (windows, seconds * 16,000), the loudest first.
    """
    length = int(seconds * audio.SAMPLE_RATE)
    if len(waveform) <= length:
        return audio.fit_length(waveform, length)[None]
    hop = length // 4
    starts = np.arange(0, len(waveform) - length + 1, hop)
    energy = np.array([np.sum(waveform[s : s + length] ** 2) for s in starts])
    chosen = []
    for start in starts[np.argsort(-energy, kind="stable")]:
        if all(abs(start - other) >= length for other in chosen):
            chosen.append(start)
        if len(chosen) == count:
            break
    return np.stack([waveform[s : s + length] for s in chosen])


def loudest_log_mel(clips, seconds=1.5, count=3):
    """Log-mel pictures of each clip's loudest windows, each normalised by itself.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        clips: a catalog.
        seconds, count: as loud_

    Returns:
        pictures: float32, shape (windows, frames, 64, 1), mean 0 and deviation 1 each.
        clip_index: int, shape (windows,): the row of the clip a window was cut from.
    """
    cut = [loudest(audio.load(path)[0], seconds, count) for path in clips.path]
    clip_index = np.repeat(np.arange(len(cut)), [len(windows) for windows in cut])
    pictures = features.log_mel(np.concatenate(cut)).numpy()
    mean, deviation = pictures.mean((1, 2), keepdims=True), pictures.std((1, 2), keepdims=True)
    return ((pictures - mean) / (deviation + 1e-3))[..., None], clip_index


def sliding(waveform):
    """Cut a clip into windows of 1.5 s, one every 0.375 s from its beginning to its end.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        waveform: float32, shape (samples,), 16 kHz.

    Returns:
        float32, shape (windows, 24000), in the order of time; the clip's end is padded with zeros.
    """
    padded = np.pad(np.asarray(waveform, np.float32), (0, LENGTH))
    cut = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)
    return np.array(cut[: len(waveform) : HOP])


def log_mel(cut, level=True, of=features.log_mel):
    """Log-mel of windows, or another picture in dB, each brought to the same level first.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        cut: float32, shape (windows, 24000).
        level: scale each to a root-mean-square of 0.1 (-20 dB); silence stays silence.
        of: gives the decibels of waveforms.

    Returns:
        float32, shape (windows, 94, bands), dB.
    """
    if level:
        root = _ops.sqrt(_ops.mean(_ops.square(cut), axis=1, keepdims=True))
        cut = cut / _ops.maximum(root, 1e-9) / 10
    return of(cut)


def standardise(decibels):
    """Give each picture mean 0 and deviation 1, limited to 60 dB below its own maximum.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        decibels: float32, shape (windows, frames, bands).

    Returns:
        float32, shape (windows, frames, bands, 1).
    """
    decibels = _ops.maximum(decibels, _ops.max(decibels, axis=(1, 2), keepdims=True) - 60)
    centred = decibels - _ops.mean(decibels, axis=(1, 2), keepdims=True)
    deviation = _ops.std(decibels, axis=(1, 2), keepdims=True)
    return _ops.expand_dims(centred / (deviation + 1e-3), -1)


def network_input(cut):
    """Normalised log-mel pictures of windows: (windows, 24000) to (windows, 94, 64, 1).

    Taught in notebooks/04_train_cnn.ipynb.
    """
    return standardise(log_mel(cut))
