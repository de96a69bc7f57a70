"""From a catalog to batches: decode, turn into features, cache, shuffle, batch, prefetch."""

import numpy as np

from helpers import audio, features
from helpers.datasets import classes
from helpers.quiet import keras, tf

WINDOW, WINDOW_HOP = 24_000, 6_000  # samples: 1.5 s and 0.375 s
_ARTICLE_SAMPLES = 300_000
_AUTO = tf.data.AUTOTUNE
_ops = keras.ops  # array, tensor of tf.data and symbolic tensor of a model alike


def get_waveform_label(path, label_id):
    """Decode one file inside tf.data, whatever its format, rate and number of channels.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        path: string tensor, a WAV, FLAC, OGG or MP3 file.
        label_id: int64 tensor.

    Returns:
        waveform: float32, shape (samples,), 16 kHz, full scale at +-1.
        label_id: as given.
    """
    waveform = tf.numpy_function(_decode, [path], tf.float32, stateful=False)
    waveform.set_shape([None])
    return waveform, label_id


def _decode(path):
    return audio.load(np.asarray(path).item().decode())[0]  # eager TensorFlow wraps the bytes


def get_spectrogram_label(waveform, label_id):
    """The article's features: pad with zeros, STFT 210/110, magnitude, channel axis.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        waveform: float32, shape (samples,); what exceeds 300,000 samples is cut.
        label_id: int64 tensor.

    Returns:
        spectrogram: float32, shape (2726, 129, 1).
        label_id: as given.
    """
    waveform = waveform[:_ARTICLE_SAMPLES]
    padded = tf.pad(waveform, [[0, _ARTICLE_SAMPLES - tf.shape(waveform)[0]]])
    padded = tf.ensure_shape(padded, [_ARTICLE_SAMPLES])
    spectrogram = tf.abs(tf.signal.stft(padded, frame_length=210, frame_step=110))
    return spectrogram[..., tf.newaxis], label_id


def preprocess(clips, names=None):
    """Clips as a dataset of single (spectrogram, label id) pairs, in the catalog's order.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog.
        names: the labels in the order of their ids; by default those of these clips.

    Returns:
        tf.data.Dataset of (float32 (2726, 129, 1), int64).

    Raises:
        ValueError: there are no clips.
    """
    if clips.empty:
        raise ValueError("there are no clips to preprocess: is the split named train or test?")
    ids = label_ids(clips, names)
    files = tf.data.Dataset.from_tensor_slices((clips.path.to_numpy(str), ids))
    return files.map(get_waveform_label, _AUTO).map(get_spectrogram_label, _AUTO)


def batches(dataset, batch_size=64, *, shuffle_seed=None):
    """Cache a dataset, shuffle it if a seed is given, batch it and prefetch.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        dataset: of single examples.
        batch_size: examples a batch.
        shuffle_seed: None keeps the order.

    Returns:
        tf.data.Dataset of batches.
    """
    dataset = dataset.cache()
    if shuffle_seed is not None:
        dataset = dataset.shuffle(10_000, seed=shuffle_seed)
    return dataset.batch(batch_size).prefetch(_AUTO)


def label_ids(clips, names=None):
    """Label ids of a catalog's clips: int64, shape (clips,); cat is 0 and dog 1.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog.
        names: the labels in the order of their ids; by default those of these clips.

    Raises:
        ValueError: a clip has a label that names does not hold.
    """
    names = classes(clips) if names is None else names
    unknown = sorted(set(clips.label) - set(names))
    if unknown:
        raise ValueError(f"unknown label {', '.join(unknown)}: the labels are {', '.join(names)}")
    return np.array([names.index(label) for label in clips.label], np.int64)


def loud_windows(waveform, seconds=1.5, count=3):
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


def log_mel_windows(clips, seconds=1.5, count=3):
    """Log-mel pictures of each clip's loudest windows, each normalised by itself.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        clips: a catalog.
        seconds, count: as loud_windows.

    Returns:
        pictures: float32, shape (windows, frames, 64, 1), mean 0 and deviation 1 each.
        owner: int, shape (windows,): the row of the clip a window was cut from.
    """
    cut = [loud_windows(audio.load(path)[0], seconds, count) for path in clips.path]
    owner = np.repeat(np.arange(len(cut)), [len(windows) for windows in cut])
    pictures = features.log_mel(np.concatenate(cut)).numpy()
    mean, deviation = pictures.mean((1, 2), keepdims=True), pictures.std((1, 2), keepdims=True)
    return ((pictures - mean) / (deviation + 1e-3))[..., None], owner


def windows(waveform):
    """Cut a clip into windows of 1.5 s, one every 0.375 s from its beginning to its end.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        waveform: float32, shape (samples,), 16 kHz.

    Returns:
        float32, shape (windows, 24000), in the order of time; the clip's end is padded with zeros.
    """
    padded = np.pad(np.asarray(waveform, np.float32), (0, WINDOW))
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)
    return np.array(cut[: len(waveform) : WINDOW_HOP])


def decibels(cut, level=True, of=features.log_mel):
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


def normalise(decibels):
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


def pictures(cut):
    """Normalised log-mel pictures of windows: (windows, 24000) to (windows, 94, 64, 1).

    Taught in notebooks/04_train_cnn.ipynb.
    """
    return normalise(decibels(cut))
