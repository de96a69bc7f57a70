"""Do more epochs help the article's network? Its training, its faults mended, from several seeds.

The claim is the article's: "Increasing the number of training epochs will increase this accuracy
score." Trained on the training part of the recordings as they were split, a fifth of it kept for
validation; the test part is asked at a few epochs, and the gain from 20 to 40 epochs has an
interval that draws recordings. Writes benchmarks/results/more_epochs.json.

    python benchmarks/more_epochs.py --dataset path/to/audio-cats-and-dogs
"""

import numpy as np
import out_of_fold
import pandas as pd

from helpers import article, datasets, evaluation, splits, training
from helpers.quiet import keras

MARKS = (5, 10, 20, 30, 40)  # epochs at which the test part is asked
PLAIN = 20  # the article's number


def main():
    parser = out_of_fold.arguments(__doc__)
    parser.set_defaults(seeds=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    out_of_fold.write("more_epochs", measure(clips, options.seeds))


def measure(clips, seeds):
    """Train from each seed: the content of the results' file."""

    def method(seed):
        found = tables(splits.with_validation(clips, seed=seed), seed)
        return pd.concat(table.assign(epoch=mark) for mark, table in found.items())

    each = [out_of_fold.measured("more epochs", clips, seed, method, folds=1) for seed in seeds]
    parts = [{mark: table[table.epoch == mark] for mark in MARKS} for table in each]
    test = clips[clips.split == "test"]
    before, after = ([part[mark] for part in parts] for mark in (PLAIN, MARKS[-1]))
    gain, low, high = evaluation.paired_difference(before, after, test.group)
    score = [
        [float(evaluation.summary(part[m])["balanced_accuracy"]) for m in MARKS] for part in parts
    ]
    return {
        "epochs": list(MARKS),
        "balanced_accuracy": np.round(score, 4).tolist(),  # a row a seed
        "from": PLAIN,
        "to": MARKS[-1],
        "gain": round(gain, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "clips": len(test),
        "recordings": int(test.group.nunique()),
        "seeds": list(seeds),
    }


def tables(clips, seed):
    """{epoch: predictions of the test part} along one training."""
    training.set_seed(seed)
    names, test = datasets.classes(clips), clips[clips.split == "test"]
    shown = article.batches(article.pictures(test, names))
    learnt = article.pictures(clips[clips.split == "train"], names)
    data = article.batches(learnt, shuffle_seed=seed)
    norm_layer = keras.layers.Normalization()
    norm_layer.adapt(data.map(lambda picture, _: picture))
    model = training.compile_classifier(article.network((32, 32, 1), len(names), norm_layer))
    found, done = {}, 0
    for mark in MARKS:
        model.fit(data, initial_epoch=done, epochs=mark, shuffle=False, verbose=0)
        found[mark], done = evaluation.predict(model, shown, test, names), mark
    return found


if __name__ == "__main__":
    main()
