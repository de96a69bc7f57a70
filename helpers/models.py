"""The networks: the article's own, and a compact one on log-mel windows."""

from helpers.quiet import keras


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


def compact_cnn(input_shape, n_classes, width=16):
    """A small network for log-mel windows: four blocks, then a mean over time and frequency.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        input_shape: of one window, such as (94, 64, 1): frames, mel bands, channel.
        n_classes: outputs, one logit a class.
        width: channels of the first block; each further block doubles them.

    Returns:
        an uncompiled keras.Sequential: windows (batch, *input_shape) to logits (batch, n_classes).
    """
    model = keras.Sequential([keras.layers.Input(shape=input_shape)])
    for block in range(4):
        model.add(keras.layers.Conv2D(width * 2**block, 3, padding="same", use_bias=False))
        # few steps an epoch: the default of 0.99 would leave the running means far behind
        model.add(keras.layers.BatchNormalization(momentum=0.9))
        model.add(keras.layers.Activation("relu"))
        model.add(keras.layers.MaxPool2D() if block < 3 else keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dropout(0.3))
    model.add(keras.layers.Dense(n_classes))
    return model
