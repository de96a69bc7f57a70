"""One file for a trained network, from waveform to probabilities, for Keras and for LiteRT."""

import math
import re
import tempfile

from helpers import audio, files, windows
from helpers.quiet import keras, tf


def from_waveform(cnn, names, temperature=1.0, other=None):
    """Put everything from a clip's samples to its answer into one model, for a file to be shipped.

    It is built of Keras' own operations only, so that keras.models.load_model reads the file
    without this course. A clip's answer is the same alone and, padded with zeros at its end, in a
    batch with longer clips.

    Args:
        cnn: log-mel windows (batch, 94, 64, 1), as windows.network_input makes them, to one logit a
            class.
        names: the labels in the order of the logits.
        temperature: divides a clip's logits; above 1 it makes the probabilities more cautious.
        other: the place among the names of the class that stands for anything else, if there is
            one: then windows count by the odds against it, too.

    Returns:
        an uncompiled keras.Model: float32 (batch, samples) at 16 kHz, one sample or more, to a
        dict: probabilities (batch, classes), from the mean of the windows' logits, in which each
        counts by its level; timeline (batch, windows, classes), each window's own probabilities;
        level (batch, windows), each window's RMS. Windows are windows.HOP apart: a card's
        window_hop_seconds says so.

    Raises:
        ValueError: the network does not give one logit a name.

    Source: Guo et al. (2017) for the temperature.
    """
    ops = keras.ops
    if cnn.output_shape[-1] != len(names):
        raise ValueError(f"{cnn.output_shape[-1]} logits for {len(names)} names")
    trained, cnn = cnn, type(cnn).from_config(cnn.get_config())  # a copy without the optimizer
    cnn.set_weights(trained.get_weights())

    waveform = keras.Input((None,), name="waveform")
    padded = ops.pad(waveform, [[0, 0], [0, windows.LENGTH - 1]])
    cut = ops.extract_sequences(padded, windows.LENGTH, windows.HOP)
    logits = cnn(windows.network_input(ops.reshape(cut, (-1, windows.LENGTH))))
    # Keras reshapes to one unknown size only: a clip's windows are fetched by their numbers
    one = ops.ones_like(cut[..., 0], "int32")
    row = (ops.cumsum(one, 0) - 1) * ops.sum(one, 1, keepdims=True) + ops.cumsum(one, 1) - 1
    logits = ops.take(logits, row, axis=0)

    level = ops.sqrt(ops.mean(ops.square(cut), axis=-1))
    mean = _level_weighted_mean(logits, level, other)
    name = re.sub("[^A-Za-z0-9]+", "_", " or ".join(names)).strip("_") or "classes"
    outputs = {
        "probabilities": ops.softmax(mean / temperature),
        "timeline": ops.softmax(logits / temperature),
        "level": level,
    }
    return keras.Model(waveform, outputs, name=name)


def to_litert(model, path):
    """Write a model of waveforms as a LiteRT file, of the operations that LiteRT brings along.

    Its signature takes {"waveform": (batch, samples)} of any size and gives the model's dict.

    Args:
        model: as from_waveform.
        path: of the file to write, ending in .tflite; it appears when it is complete.
    """
    with files.atomic(path) as part, tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        part.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def _level_weighted_mean(values, level, other):
    """audio.level_weighted_mean in Keras: (batch, windows, classes) to (batch, classes)."""
    ops = keras.ops
    if other is not None:
        rest = [values[..., k] for k in range(values.shape[-1]) if k != other]
        odds = ops.logsumexp(ops.stack(rest, axis=-1), axis=-1) - values[..., other]
        most = math.log(audio.MOST_ODDS)
        level = level * ops.exp(ops.clip(odds, -most, most))
    total = ops.maximum(ops.sum(level, axis=1, keepdims=True), 1e-30)
    return ops.sum(values * ops.expand_dims(level, -1), axis=1) / total
