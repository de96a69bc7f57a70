"""The article's pipeline, network and training, its faults mended: one place to compare with."""

import numpy as np

from helpers import audio, datasets, training
from helpers.quiet import keras, tf

_SIZE = (32, 32)
_SAMPLES = 300_000
_AUTO = tf.data.AUTOTUNE


def _waveform_label(path, label_id):
    """Decode one file inside tf.data, whatever its format, rate and number of channels.

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

    Args:
        waveform: float32, shape (samples,); what exceeds 300,000 samples is cut.
        label_id: int64 tensor.

    Returns:
        spectrogram: float32, shape (2726, 129, 1).
        label_id: as given.
    """
    waveform = waveform[:_SAMPLES]
    padded = tf.pad(waveform, [[0, _SAMPLES - tf.shape(waveform)[0]]])
    padded = tf.ensure_shape(padded, [_SAMPLES])
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
    ids = datasets.label_ids(clips, names)
    files = tf.data.Dataset.from_tensor_slices((clips.path.to_numpy(str), ids))
    return files.map(_waveform_label, _AUTO).map(get_spectrogram_label, _AUTO)


def pictures(clips, names=None):
    """Clips as a dataset of single (picture, label id) pairs: what the network sees, 32 x 32.

    Resized before they are cached, so that no step of the training does it again.

    Args:
        clips, names: as preprocess.

    Returns:
        tf.data.Dataset of (float32 (32, 32, 1), int64).
    """

    def shrink(spectrogram, label_id):
        return tf.image.resize(spectrogram, _SIZE), label_id

    return preprocess(clips, names).map(shrink, _AUTO)


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


def network(input_shape, n_classes, norm_layer):
    """The article's network, layer by layer, with the names it left undefined filled in.

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
            keras.layers.Resizing(*_SIZE),
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


def train(clips, *, epochs=20, batch_size=64, learning_rate=1e-3, seed=0):
    """Train the article's network, its faults mended, on a catalog's training part.

    Args:
        clips: a catalog with the part "train", and "validation" if that is to be watched.
        epochs: passes over the training part.
        batch_size: clips a batch.
        learning_rate: of Adam.
        seed: of the first weights, the dropout and the order of the clips.

    Returns:
        model: compiled keras.Model, pictures (batch, 32, 32, 1) to one logit a class.
        history: DataFrame, as from training.fit.
    """
    training.set_seed(seed)
    names, options = datasets.classes(clips), {}
    data = batches(pictures(clips[clips.split == "train"], names), batch_size, shuffle_seed=seed)
    if (clips.split == "validation").any():
        watched = pictures(clips[clips.split == "validation"], names)
        options["validation_data"] = batches(watched, batch_size)
    norm_layer = keras.layers.Normalization()
    norm_layer.adapt(data.map(lambda picture, _: picture))
    model = network((*_SIZE, 1), len(names), norm_layer)
    training.compile_classifier(model, learning_rate)
    return model, training.fit(model, data, epochs, **options)
