"""Networks, training and what is kept of it."""

import numpy as np
import pandas as pd
import pytest

from helpers import article, models, training
from helpers.quiet import keras, tf


def _task(n=64, seed=0):
    """Pictures that are bright at the top or at the bottom."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    pictures = rng.normal(0, 0.3, (n, 32, 24, 1)).astype(np.float32)
    pictures[np.arange(n), 4 + 20 * labels] += 2
    return pictures, labels


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    return tmp_path / "models"


def test_the_articles_network_is_the_articles():
    model = article.network((2726, 129, 1), 2, keras.layers.Normalization())
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == [
        "Resizing",
        "Normalization",
        "Conv2D",
        "Conv2D",
        "MaxPooling2D",
        "Dropout",
        "Conv2D",
        "Conv2D",
        "MaxPooling2D",
        "Dropout",
        "Flatten",
        "Dense",
        "Dropout",
        "Dense",
        "Dense",
    ]
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(c.filters, c.kernel_size[0]) for c in convolutions] == [
        (32, 3),
        (64, 3),
        (128, 7),
        (256, 7),
    ]
    assert model.output_shape == (None, 2)
    # by hand: 3x3x1x32+32, 3x3x32x64+64, 7x7x64x128+128, 7x7x128x256+256, then 256 features
    dense = 256 * 128 + 128 + 128 * 16 + 16 + 16 * 2 + 2
    weights = 320 + 18_496 + 401_536 + 1_605_888 + dense
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == weights


def test_the_compact_network_is_compact():
    model = models.compact_cnn((94, 64, 1), 3)
    assert model.output_shape == (None, 3) and model.count_params() < 500_000


def test_training_learns_and_repeats_with_the_seed():
    pictures, labels = _task()
    runs = []
    for _ in range(2):
        training.set_seed(1)
        model = training.compile_classifier(models.compact_cnn(pictures.shape[1:], 2))
        runs.append(training.fit(model, pictures, 6, y=labels, validation_data=_task(seed=1)))
    pd.testing.assert_frame_equal(*runs)
    history = runs[0]
    assert history.index.tolist() == [1, 2, 3, 4, 5, 6] and history.index.name == "epoch"
    assert history.accuracy.iloc[-1] > 0.95
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(history)


def test_a_training_that_stops_early_has_the_epochs_that_it_had():
    pictures, labels = _task()
    model = training.compile_classifier(models.compact_cnn(pictures.shape[1:], 2, width=4))
    stop = keras.callbacks.EarlyStopping("loss", min_delta=100, patience=1)
    history = training.fit(model, pictures, 5, y=labels, callbacks=[stop])
    assert list(history.index) == [1, 2] and history.index.name == "epoch"


def test_fit_takes_a_dataset(recwarn):
    data = tf.data.Dataset.from_tensor_slices(_task()).batch(16)
    model = training.compile_classifier(models.compact_cnn((32, 24, 1), 2))
    assert len(training.fit(model, data, 1)) == 1
    assert not [w for w in recwarn if "shuffle" in str(w.message)]


def test_a_trained_model_is_loaded_again_and_made_anew_for_other_settings(runs, synthetic, capsys):
    def train():
        model = training.compile_classifier(models.compact_cnn((32, 24, 1), 2))
        return model, training.fit(model, _task()[0], 1, y=_task()[1])

    def said():
        return capsys.readouterr().out.split()[0]

    first, history = training.load_or_train("net", synthetic, train, seed=0)
    assert said() == "trained"
    again, same = training.load_or_train("net", synthetic, train, seed=0)
    assert said() == "loaded"
    np.testing.assert_allclose(
        first.predict(_task()[0], verbose=0), again.predict(_task()[0], verbose=0), atol=1e-5
    )
    pd.testing.assert_frame_equal(history, same)
    training.load_or_train("net", synthetic, train, seed=1)
    assert said() == "trained"
    training.load_or_train("net", synthetic.iloc[1:], train, seed=0)
    assert said() == "trained" and len(list(runs.glob("*.keras"))) == 3
    for path in runs.glob("*.keras"):
        path.write_bytes(b"damaged")
    training.load_or_train("net", synthetic, train, seed=0)
    assert said() == "trained" and len(list(runs.iterdir())) == 6


def test_nothing_is_left_of_an_interrupted_save(runs, synthetic):
    class Unsaved:
        def save(self, path):
            path.write_bytes(b"half")
            raise OSError("disk full")

    history = pd.DataFrame({"loss": [1.0]}, index=pd.RangeIndex(1, 2, name="epoch"))
    with pytest.raises(OSError, match="disk full"):
        training.load_or_train("net", synthetic, lambda: (Unsaved(), history))
    assert not list(runs.glob("*.keras"))
