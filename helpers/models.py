"""The course's own network: a compact CNN on log-mel windows."""

from helpers.quiet import keras


def compact_cnn(input_shape, n_classes, width=16, stride=1, bands=False):
    """A small network for log-mel windows: four blocks, then a mean over time and frequency.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        input_shape: of one window, such as (94, 64, 1): frames, mel bands, channel.
        n_classes: outputs, one logit a class.
        width: channels of the first block; each further block doubles them.
        stride: of the first block's convolution; 2 leaves a quarter of the work.
        bands: mean over time alone at the end, so that the last layer tells high from low.

    Returns:
        an uncompiled keras.Sequential: windows (batch, *input_shape) to logits (batch, n_classes).
    """
    layers = keras.layers
    stack = [layers.Input(shape=input_shape)]
    for block in range(4):
        size, step = (3, 1) if block else (2 * stride + 1, stride)
        stack.append(layers.Conv2D(width * 2**block, size, step, padding="same", use_bias=False))
        # few steps an epoch: the default of 0.99 would leave the running means far behind
        stack += [layers.BatchNormalization(momentum=0.9), layers.Activation("relu")]
        if block < 3:
            stack.append(layers.MaxPool2D())
    if bands:
        frames = -(-input_shape[0] // stride) // 8  # what three poolings leave
        stack += [layers.AveragePooling2D((frames, 1)), layers.Flatten()]
    else:
        stack.append(layers.GlobalAveragePooling2D())
    return keras.Sequential([*stack, layers.Dropout(0.3), layers.Dense(n_classes)])
