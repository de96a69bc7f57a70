"""From a model to numbers: one prediction a clip, and intervals around every share."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score

from helpers import datasets
from helpers.quiet import tf


def predict(model, data, clips, names=None, owner=None):
    """One row a clip: its label, the probability of each class, and the verdict.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        model: gives one logit a class.
        data: what keras.Model.predict takes, in the catalog's order.
        clips: the catalog.
        names: the labels in the order of the model's outputs.
        owner: int, shape (windows,), where data are windows: the row of each window's clip. A
            clip's probability is then the mean over its windows.

    Returns:
        DataFrame indexed as the catalog: label, predicted, correct (bool), and a column
        p_<label> for each class.

    Raises:
        ValueError: the data do not hold one example a clip.
    """
    names = datasets.classes(clips) if names is None else names
    probability = tf.nn.softmax(model.predict(data, verbose=0)).numpy()
    if owner is not None:
        windows = np.bincount(owner, minlength=len(clips))[:, None]
        sums = np.zeros((len(clips), len(names)))
        np.add.at(sums, owner, probability)
        probability = sums / windows
    if len(probability) != len(clips):
        raise ValueError(f"{len(probability)} predictions for {len(clips)} clips: pass owner")
    table = pd.DataFrame({"label": clips.label}, index=clips.index)
    table["predicted"] = np.array(names)[probability.argmax(axis=1)]
    table["correct"] = table.predicted == table.label
    return table.assign(**{f"p_{name}": probability[:, k] for k, name in enumerate(names)})


def wilson(correct, total):
    """95 % interval of a share, by Wilson's method.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        correct: how many of the total were right.
        total: at least 1.

    Returns:
        low, high: from 0 to 1.

    Raises:
        ValueError: total is below 1, or correct is not from 0 to total.

    Source: Wilson (1927), as scipy.stats.binomtest computes it.
    """
    if not 0 <= correct <= total or total < 1:
        raise ValueError(f"{correct} of {total} is no share: total must be at least 1")
    interval = binomtest(int(correct), int(total)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def summary(predictions):
    """Accuracy with its interval, and balanced accuracy, of a table of predictions.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions: DataFrame as from predict.

    Returns:
        dict: clips, accuracy, low, high (95 % Wilson interval), balanced_accuracy; from 0 to 1.
    """
    correct, total = int(predictions.correct.sum()), len(predictions)
    low, high = wilson(correct, total)
    return {
        "clips": total,
        "accuracy": correct / total,
        "low": low,
        "high": high,
        "balanced_accuracy": balanced_accuracy_score(predictions.label, predictions.predicted),
    }


def percent(value):
    """A share as whole percent, such as "83 %"."""
    return f"{100 * value:.0f} %"
