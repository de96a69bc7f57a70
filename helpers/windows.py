"""Cut a clip into windows, bring them to one level, and turn them into what a network is fed."""

import math

import numpy as np

from helpers import audio, features

LENGTH, HOP = 24_000, 6_144  # samples: 1.5 s; 0.384 s, which is 24 frames of 256
_FRAMES = 1 + LENGTH // features.HOP_LENGTH
_FRAME_HOP = HOP // features.HOP_LENGTH
_RMS = 0.1  # to which a window is brought: -20 dB


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
    """Standardised log-mel of each clip's loudest windows.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        clips: a catalog.
        seconds, count: as loudest.

    Returns:
        log_mel: float32, shape (windows, frames, 64, 1), mean 0 and deviation 1 each.
        clip_index: int, shape (windows,): the row of the clip a window was cut from.
    """
    cut = [loudest(audio.load(path)[0], seconds, count) for path in clips.path]
    clip_index = np.repeat(np.arange(len(cut)), list(map(len, cut)))
    return standardise(features.log_mel(np.concatenate(cut))), clip_index


def sliding(waveform, hop=HOP, length=LENGTH):
    """Cut a clip into windows of one length, one every hop from its beginning to its end.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        waveform: float32, shape (samples,), 16 kHz.
        hop: samples; by default 0.384 s.
        length: samples; by default 1.5 s.

    Returns:
        float32, shape (windows, length), in the order of time; the clip's end is padded with zeros.
    """
    padded = np.pad(np.asarray(waveform, np.float32), (0, length))
    cut = np.lib.stride_tricks.sliding_window_view(padded, length)
    return np.array(cut[: len(waveform) : hop])


def of_clip(waveform, level=True, bands=features.mel_bands):
    """Log-mel of a clip's sliding windows, cut out of one log-mel of the whole clip.

    A third of the work of one spectrogram a window: in dB, bringing a window to a level is adding
    a number. Only a window's first and last frame reach over its ends, where those of the window by
    itself are padded by reflection; these two are computed anew, lest a soft window hears what is
    loud beside it. So the numbers are those of `log_mel` and `sliding`, as in a model's file.

    Args:
        waveform: float32, shape (samples,), 16 kHz, one sample or more.
        level: bring each window to a RMS level of -20 dB; silence stays silence.
        bands: gathers the power of FFT bins, shape (frames, 257), into bands.

    Returns:
        log_mel: float32, shape (windows, 94, bands), dB, at least -80.
        rms: float32, shape (windows,): root-mean-square of each window as it was.
    """
    waveform = np.asarray(waveform, np.float32)
    count = -(-len(waveform) // HOP)
    waveform = audio.fit_length(waveform, (count - 1) * HOP + LENGTH)
    view, block = np.lib.stride_tricks.sliding_window_view, math.gcd(LENGTH, HOP)
    energy = np.square(waveform).reshape(-1, block).sum(axis=1)
    energy = view(energy, LENGTH // block)[:: HOP // block].sum(axis=1)
    rms = np.sqrt(energy / LENGTH)

    cut = view(waveform, LENGTH)[::HOP]
    first = features.stft(cut[:, : 1 + features.FRAME_LENGTH // 2])[:, 0]
    last = features.stft(cut[:, (_FRAMES - 2) * features.HOP_LENGTH :])[:, 1]
    power = np.square(np.concatenate([features.stft(waveform), first, last]))
    # the floor is so deep that silence, brought to the level of the rest, lies below the usual one
    whole, first, last = np.split(features.decibels(bands(power), -300.0), [-2 * count, -count])
    found = np.array(view(whole, _FRAMES, axis=0)[::_FRAME_HOP].swapaxes(1, 2))
    found[:, 0], found[:, -1] = first, last
    if level:
        found += 20 * np.log10(_RMS / np.maximum(rms, np.float32(1e-9)))[:, None, None]
    return np.maximum(found, np.float32(features.FLOOR_DB), out=found), rms


def log_mel(cut):
    """Log-mel of windows, each brought to the same level first.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        cut: float32, shape (windows, 24000), array or tensor.

    Returns:
        float32, shape (windows, 94, 64), dB: of a RMS level of -20 dB; silence stays silence.
    """
    ops, cut = features.namespace(cut)
    rms = ops.sqrt(ops.mean(cut * cut, axis=1, keepdims=True))
    return features.log_mel(cut * (_RMS / ops.maximum(rms, 1e-9)))


def standardise(decibels):
    """Give each window's log-mel mean 0 and deviation 1, limited to 60 dB below its own maximum.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        decibels: float32, shape (windows, frames, bands), array or tensor.

    Returns:
        float32, shape (windows, frames, bands, 1).
    """
    ops, decibels = features.namespace(decibels)
    decibels = ops.maximum(decibels, ops.max(decibels, axis=(1, 2), keepdims=True) - 60)
    centred = decibels - ops.mean(decibels, axis=(1, 2), keepdims=True)
    deviation = ops.sqrt(ops.mean(centred * centred, axis=(1, 2), keepdims=True))
    return ops.expand_dims(centred / (deviation + 1e-3), -1)


def network_input(cut):
    """What the network is fed of windows: (windows, 24000) to (windows, 94, 64, 1)."""
    return standardise(log_mel(cut))
