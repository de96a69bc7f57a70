"""From a model to numbers: one prediction a clip, and intervals around every share."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score

from helpers import datasets, splits


def predict(model, data, clips, names=None, clip_index=None):
    """One row a clip: its label, the probability of each class, and the verdict.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        model: gives one logit a class.
        data: what keras.Model.predict takes, in the catalog's order.
        clips: the catalog.
        names: the labels in the order of the model's outputs.
        clip_index: int, shape (windows,), where data are windows: the row of each window's clip. A
            clip's probability is then the mean over its windows.

    Returns:
        DataFrame indexed as the catalog: label, predicted, correct (bool), and a column
        p_<label> for each class.

    Raises:
        ValueError: the data do not hold one example a clip.
    """
    names = datasets.classes(clips) if names is None else names
    probability = softmax(model.predict(data, verbose=0), axis=1)
    if clip_index is not None:
        windows = np.bincount(clip_index, minlength=len(clips))[:, None]
        sums = np.zeros((len(clips), len(names)))
        np.add.at(sums, clip_index, probability)
        probability = sums / windows
    if len(probability) != len(clips):
        raise ValueError(f"{len(probability)} predictions for {len(clips)} clips: pass clip_index")
    return table(probability, clips, names)


def table(probability, clips, names=None):
    """Make the table of predictions that every measure here takes, one row a clip.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        probability: float, shape (clips, classes), each row summing to 1.
        clips: the catalog, in the same order.
        names: the labels in the order of the columns; by default those of these clips.

    Returns:
        DataFrame as from predict.

    Raises:
        ValueError: not one row a clip and one column a name, or a row that does not sum to 1.
    """
    names = datasets.classes(clips) if names is None else names
    probability = np.asarray(probability, float)
    if probability.shape != (len(clips), len(names)):
        raise ValueError(f"shape {probability.shape} for {len(clips)} clips, {len(names)} classes")
    if len(clips) and not np.abs(probability.sum(axis=1) - 1).max() <= 1e-3:  # nan is neither
        raise ValueError(
            "each row of probabilities must sum to 1: pass probabilities, not logits; or, if they "
            "are nan, the training has diverged: lower its learning rate"
        )
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


def percent(value, digits=0):
    """A share as percent, such as "83 %"; a five in the digit that is left out rounds up.

    >>> percent(0.826), percent(0.9555, 1)
    ('83 %', '95.6 %')
    """
    return f"{100 * value + 1e-9:.{digits}f} %"  # 95.55 is a little less in binary


def bootstrap_interval(predictions, group, draws=2000, seed=0):
    """95 % interval of the balanced accuracy, by drawing groups with replacement.

    Clips of one recording are right or wrong together: an interval that drew clips, as wilson
    supposes, would be too narrow. Where all are right, or all wrong, it is the mean over
    the classes of wilson's of their groups.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions: DataFrame as from predict, or a list of such, one a seed, for their mean.
        group: of each clip, in the same order.
        draws: resamplings.
        seed: same seed, same interval.

    Returns:
        low, high: from 0 to 1.

    Source: the percentile bootstrap (Efron 1979), on clusters.
    """
    right = np.mean([table.correct.mean() for table in _tables(predictions)])
    if right in (0, 1):  # all draws would be alike, which proves no certainty
        of_class = pd.Series(list(group)).groupby(_tables(predictions)[0].label.to_numpy())
        low, high = np.mean([wilson(right * n, n) for n in of_class.nunique()], axis=0)
        return float(low), float(high)
    low, high = np.quantile(_resampled(predictions, group, draws, seed), [0.025, 0.975])
    return float(low), float(high)


def paired_difference(first, second, group, draws=2000, seed=0):
    """By how much the second of two methods is better on the same clips, with a 95 % interval.

    Both are scored on the same resamplings of the recordings, so that what is hard for both
    cancels out. Intervals of the two by themselves may overlap though they clearly differ.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        first, second: DataFrames as from predict, or lists of such, one a seed, for their means.
        group: of each clip, in the same order.
        draws: resamplings.
        seed: same seed, same interval.

    Returns:
        difference, low, high: of the balanced accuracy, from -1 to 1; above 0 the second is better.

    Raises:
        ValueError: the two are not of the same clips in the same order.

    Source: the percentile bootstrap (Efron 1979), on clusters, of a paired difference.
    """
    one, other = (x if isinstance(x, pd.DataFrame) else x[0] for x in (first, second))
    if not one.index.equals(other.index):
        raise ValueError("both methods must be scored on the same clips, in the same order")
    scores = [
        np.mean([summary(t)["balanced_accuracy"] for t in _tables(x)]) for x in (first, second)
    ]
    spread = _resampled(second, group, draws, seed) - _resampled(first, group, draws, seed)
    low, high = np.quantile(spread, [0.025, 0.975])
    return float(scores[1] - scores[0]), float(low), float(high)


def _tables(predictions):
    return [predictions] if isinstance(predictions, pd.DataFrame) else predictions


def _resampled(predictions, group, draws, seed):
    """Balanced accuracy in each of many draws of the groups: float, shape (draws,)."""
    tables = _tables(predictions)
    number, label = np.unique(group, return_inverse=True)[1], tables[0].label
    share = np.mean([table.correct for table in tables], axis=0)  # of the seeds that were right
    groups = number.max() + 1
    times = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), draws)
    recalls = []
    for name in sorted(label.unique()):
        right = np.bincount(number, share * (label == name))
        total = np.bincount(number, label == name)
        with np.errstate(invalid="ignore"):  # a draw without this class says nothing of it
            recalls.append(times @ right / (times @ total))
    return np.nanmean(recalls, axis=0)


def out_of_fold(clips, learn, n=5, seed=0, by="group"):
    """Predict every clip by a model that learnt from the other folds.

    Args:
        clips: a catalog.
        learn: function of two catalogs, the clips to learn from and those to predict, and of the
            fold's number; gives a DataFrame as from predict, of the second.
        n, seed, by: of the folds, as splits.folds.

    Returns:
        DataFrame as from predict, in the catalog's order.
    """
    parts = [
        learn(rest, held, k) for k, (rest, held) in enumerate(splits.each_fold(clips, n, seed, by))
    ]
    return pd.concat(parts).loc[clips.index]


def mcnemar(first, second):
    """Do two classifiers differ on the same clips? McNemar's exact test.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        first, second: bool, shape (clips,): which clips each got right.

    Returns:
        only_first, only_second: clips that one alone got right.
        p: the chance of a split as uneven as this, or more, if both were equally good.

    Source: McNemar (1947), by the binomial distribution.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    differ = only_first + only_second
    return only_first, only_second, binomtest(only_first, differ).pvalue if differ else 1.0


def calibration_error(predictions, bins=10):
    """Expected calibration error: by how much confidence and accuracy differ, bin by bin.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions: DataFrame as from predict.
        bins: of equal width, from 0 to 1, by the probability of the class predicted.

    Returns:
        float from 0 to 1; 0 is perfect.

    Source: Naeini et al. (2015).
    """
    table = reliability(predictions, bins)
    return float(np.average(np.abs(table.confidence - table.accuracy), weights=table.clips))


def reliability(predictions, bins=10):
    """Confidence and accuracy of the clips in each bin of confidence.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions, bins: as calibration_error.

    Returns:
        DataFrame, one row a bin that holds a clip: clips, confidence, accuracy.
    """
    confidence = predictions.filter(regex="^p_").max(axis=1)
    bin_ = np.minimum((confidence * bins).astype(int), bins - 1)
    facts = pd.DataFrame({"confidence": confidence, "accuracy": predictions.correct})
    return facts.groupby(bin_).agg(
        clips=("accuracy", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )


def rescale(predictions, temperature):
    """Divide the logits by a temperature: above 1, every probability moves towards the middle.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions: DataFrame as from predict.
        temperature: above 0.

    Returns:
        the same table with other probabilities and the same verdicts.

    Source: Guo et al. (2017).
    """
    columns = [name for name in predictions if name.startswith("p_")]
    power = predictions[columns].clip(lower=1e-12) ** (1 / temperature)
    return predictions.assign(**power.div(power.sum(axis=1), axis=0))


def log_loss(predictions):
    """Mean negative logarithm of the probability given to the right class: 0 is perfect.

    Taught in notebooks/05_evaluate.ipynb.
    """
    return float(-np.log(np.maximum(of_label(predictions), 1e-12)).mean())


def of_label(predictions):
    """The probability that each clip's own label was given: float, shape (clips,).

    Taught in notebooks/05_evaluate.ipynb.

    Raises:
        ValueError: a label has no column.
    """
    columns = predictions.columns.get_indexer("p_" + predictions.label)
    if (columns < 0).any():
        unknown = sorted(set(predictions.label[columns < 0]))
        raise ValueError(f"the predictions have no column for {', '.join(unknown)}")
    return predictions.to_numpy()[np.arange(len(predictions)), columns].astype(float)


def temperature(predictions):
    """The temperature that makes the probabilities of held-out clips fit best.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        predictions: DataFrame as from predict, of clips that were not trained on.

    Returns:
        float, from 0.05 to 20.

    Source: Guo et al. (2017).
    """
    best = minimize_scalar(
        lambda log: log_loss(rescale(predictions, np.exp(log))),
        bounds=np.log([0.05, 20]),
        method="bounded",
    )
    return float(np.exp(best.x))
