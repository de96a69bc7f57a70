"""The networks: the article's own, a compact one on log-mel windows, and one on waveforms."""

import tempfile
from pathlib import Path

from helpers import pipeline
from helpers.pipeline import WINDOW, WINDOW_HOP
from helpers.quiet import keras, tf


def article_cnn(input_shape, n_classes, norm_layer):
    """The article's network, layer by layer, with the names it left undefined filled in.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        input_shape: of one spectrogram, such as (2726, 129, 1).
        n_classes: outputs, one logit a class.
        norm_layer: keras.layers.Normalization, adapted on the training spectrograms after
            they were resized to 32 x 32.

    Returns:
        an uncompiled keras.Sequential: spectrogram (batch, *input_shape) to logits
        (batch, n_classes).
    """
    return keras.Sequential(
        [
            keras.layers.Input(shape=input_shape),
            keras.layers.Resizing(32, 32),
            norm_layer,
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPool2D(),
            keras.layers.Dropout(0.5),
            keras.layers.Conv2D(128, 7, activation="relu"),
            keras.layers.Conv2D(256, 7, activation="relu"),
            keras.layers.MaxPool2D(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(n_classes),
        ]
    )


def compact_cnn(input_shape, n_classes, width=16, stride=1):
    """A small network for log-mel windows: four blocks, then a mean over time and frequency.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        input_shape: of one window, such as (94, 64, 1): frames, mel bands, channel.
        n_classes: outputs, one logit a class.
        width: channels of the first block; each further block doubles them.
        stride: of the first block's convolution; 2 leaves a quarter of the work.

    Returns:
        an uncompiled keras.Sequential: windows (batch, *input_shape) to logits (batch, n_classes).
    """
    layers = keras.layers
    model = keras.Sequential([layers.Input(shape=input_shape)])
    for block in range(4):
        size, step = (3, 1) if block else (2 * stride + 1, stride)
        model.add(layers.Conv2D(width * 2**block, size, step, padding="same", use_bias=False))
        # few steps an epoch: the default of 0.99 would leave the running means far behind
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPool2D() if block < 3 else layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(n_classes))
    return model


def from_waveform(cnn, names, temperature=1.0):
    """Put everything from a clip's samples to its answer into one model, for a file to be shipped.

    It is built of Keras' own operations only, so that keras.models.load_model reads the file
    without this course. A clip's answer is the same alone and, padded with zeros at its end, in a
    batch with longer clips.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        cnn: pictures (batch, 94, 64, 1), as pipeline.pictures makes them, to one logit a class.
        names: the labels in the order of the logits.
        temperature: divides the logits; above 1 it makes the probabilities more cautious.

    Returns:
        an uncompiled keras.Model: float32 (batch, samples) at 16 kHz, one sample or more, to a
        dict: probabilities (batch, classes), from the mean of the windows' logits, in which each
        counts by its level; timeline (batch, windows, classes), each window's own probabilities;
        level (batch, windows), each window's root-mean-square.

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
    padded = ops.pad(waveform, [[0, 0], [0, WINDOW - 1]])
    windows = ops.extract_sequences(padded, WINDOW, WINDOW_HOP)
    logits = cnn(pipeline.pictures(ops.reshape(windows, (-1, WINDOW)))) / temperature
    # Keras reshapes to one unknown size only: a clip's windows are fetched by their numbers
    one = ops.ones_like(windows[..., 0], "int32")
    row = (ops.cumsum(one, 0) - 1) * ops.sum(one, 1, keepdims=True) + ops.cumsum(one, 1) - 1
    logits = ops.take(logits, row, axis=0)

    level = ops.expand_dims(ops.sqrt(ops.mean(ops.square(windows), axis=-1)), -1)
    mean = ops.sum(logits * level, axis=1) / ops.maximum(ops.sum(level, axis=1), 1e-9)
    outputs = {"probabilities": ops.softmax(mean), "timeline": ops.softmax(logits)}
    outputs["level"] = ops.squeeze(level, -1)
    return keras.Model(waveform, outputs, name="_or_".join(names))


def to_litert(model, path):
    """Write a model of waveforms as a LiteRT file, of the operations that LiteRT brings along.

    Its signature takes {"waveform": (batch, samples)} of any size and gives the model's dict.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        model: as from_waveform.
        path: of the file to write, ending in .tflite; it appears when it is complete.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        model.export(folder, verbose=False)
        part = Path(folder) / path.name
        part.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
        part.replace(path)
