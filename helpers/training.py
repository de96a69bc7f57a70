"""Train a network so that it can be repeated, and keep what was trained."""

import numpy as np
import pandas as pd

from helpers import cache, datasets, files
from helpers.quiet import keras, tf


def set_seed(seed):
    """Make training repeatable: the same numbers each time on one machine.

    Other machines round differently, so that trained figures agree only roughly there.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        seed: whole number from 0.
    """
    keras.utils.set_random_seed(int(seed))
    tf.config.experimental.enable_op_determinism()


def compile_classifier(model, learning_rate=1e-3):
    """Compile for integer labels and logits: the loss that fits two or more outputs.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        model: gives one logit a class.
        learning_rate: of Adam.

    Returns:
        the same model, compiled with the metric "accuracy".
    """
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # on a processor XLA, which Keras would take, is four times as slow
    )
    return model


def fit(model, data, epochs, **options):
    """Train with one line of progress, and give the history as a table.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        model: compiled.
        data: tf.data.Dataset of batches, or whatever keras.Model.fit takes first.
        epochs: passes over the data.
        **options: further arguments of keras.Model.fit, such as validation_data.

    Returns:
        DataFrame indexed by epoch from 1: loss, accuracy, and val_loss, val_accuracy where
        there are validation data.
    """
    if isinstance(data, tf.data.Dataset):
        options["shuffle"] = False  # the dataset shuffles itself; Keras would warn
    if model.built:  # else the first step is traced twice, which takes seconds
        model.optimizer.build(model.trainable_variables)
    callbacks = [_ProgressLine(epochs), *options.pop("callbacks", [])]
    history = model.fit(data, epochs=epochs, verbose=0, callbacks=callbacks, **options)
    return pd.DataFrame(history.history, index=pd.Index(np.add(history.epoch, 1), name="epoch"))


def load_or_train(name, clips, train, **settings):
    """Give a trained model: load it if one was made from the same clips, settings and code.

    Says in one line which of the two it was. `train` counts with all that it calls and uses
    (helpers.cache): who edits the network gets theirs.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        name: for the file, such as "article_cnn".
        clips: the catalog that it is trained on.
        train: called without arguments if there is none yet; returns (model, history).
        **settings: all else the result depends on: seed, epochs ...

    Returns:
        model: keras.Model.
        history: DataFrame, as from fit.
    """
    try:
        key = cache.key(train, datasets.fingerprint(clips), settings, keras.__version__)
    except cache.Unkeyable as error:
        print(f"{name} is trained, and not kept for the next time: {error}")
        return train()
    path = files.runs() / "models" / f"{name}-{key}.keras"
    history_path = path.with_suffix(".csv")
    try:
        model, history = keras.models.load_model(path), pd.read_csv(history_path, index_col="epoch")
    except (OSError, ValueError, TypeError):  # not there yet, or written by another Keras
        model, history = train()
        for target, save in ((history_path, history.to_csv), (path, model.save)):
            with files.atomic(target) as part:
                save(part)
        print(f"trained {name}, and kept it for the next time")
    else:
        print(f"loaded {name}: trained before on the same clips, by the same code and settings")
    return model, history


class _ProgressLine(keras.callbacks.Callback):
    """One line that counts the epochs in place, and reads the same after every run."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs, self.handle = epochs, None

    def on_epoch_end(self, epoch, logs=None):
        from IPython import get_ipython
        from IPython.display import display

        text = {"text/plain": f"epoch {epoch + 1} of {self.epochs}"}
        if get_ipython() is None:
            return
        if self.handle is None:
            self.handle = display(text, raw=True, display_id=True)
        else:
            self.handle.update(text, raw=True)
