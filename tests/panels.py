"""What the widgets' tests share: a panel's picture and sounds; classifiers without training."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import soundfile

from helpers import export, models, predict
from helpers.quiet import keras


def pixels(panel):
    return plt.imread(io.BytesIO(panel.picture.value))


def sounds(markup):
    found = re.findall(r"data:audio/mpeg;base64,([^']+)", markup)
    return [soundfile.read(io.BytesIO(base64.b64decode(payload))) for payload in found]


def network(seed, **options):
    """A small network, its weights random but fixed, its answers far from one another."""
    keras.utils.set_random_seed(seed)
    cnn = models.compact_cnn((94, 64, 1), 2, width=4, **options)
    cnn.layers[-1].set_weights([9 * cnn.layers[-1].get_weights()[0], np.array([0.3, -0.2])])
    return cnn


def ensemble():
    pictures = keras.Input((94, 64, 1))
    members = [network(seed, stride=2) for seed in (1, 2)]
    return keras.Model(pictures, keras.layers.Average()([member(pictures) for member in members]))


def classifier(cnn, **card):
    model = export.from_waveform(cnn, ["cat", "dog"], temperature=1.5)
    return predict.Classifier(model.predict_on_batch, {"temperature": 1.5, **card}, model)
