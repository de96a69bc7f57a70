"""How many recordings does transfer need, and how many a network trained from scratch?

For each size, as many clips of each class are drawn from four folds, and the fifth is predicted:
by a head on YAMNet, by the compact CNN from scratch, and by the same one pretrained on synthetic
clips. Both CNNs take as many steps in all, each at a learning rate of its own. Five draws, one for
each fold, of which all ways get the same clips; the intervals draw recordings and hold these draws
fixed. The folds are those of the first seed. Writes benchmarks/results/transfer.json.

    python benchmarks/transfer_curve.py --dataset path/to/audio-cats-and-dogs
"""

import sys
from dataclasses import replace

import out_of_fold
import pandas as pd

from helpers import datasets, evaluation, recipes, splits, transfer

SIZES, CNN_SIZES = (5, 10, 20, 40, 80), (5, 20, 80)  # clips a class
RECIPE = replace(recipes.BEST, pretrain=24, epochs=8, learning_rate=1e-3)
ALONE = recipes.BEST  # as many steps in all
WAYS = ("a head on YAMNet", "a CNN pretrained on synthetic clips", "a CNN from scratch")


def predictions(embeddings, clips, size, seed, start):
    """{way: the predictions of every clip, each by a model that learnt from size clips a class}.

    start: the network that is pretrained on synthetic clips.
    """
    rows = pd.DataFrame(embeddings, index=clips.index)
    names = datasets.classes(clips)

    def by_head(_):
        def learn(rest, held, k):
            few = transfer.sample(rest, size, seed=seed + k)
            head = transfer.fit_head(rows.loc[few.index], few.label)
            return evaluation.table(head.predict_proba(rows.loc[held.index]), held, names)

        return evaluation.out_of_fold(clips, learn, out_of_fold.FOLDS, seed)

    def by_cnn(recipe, start):
        def learn(rest, held, k):
            few = transfer.sample(rest, size, seed=seed + k)
            model = recipes.train(few, recipe, seed + k, start=start)
            return recipes.predict(model, held, recipe, names)

        return evaluation.out_of_fold(clips, learn, out_of_fold.FOLDS, seed)

    methods = {
        WAYS[0]: by_head,
        WAYS[1]: lambda _: by_cnn(RECIPE, start),
        WAYS[2]: lambda _: by_cnn(ALONE, None),
    }
    return {
        way: out_of_fold.measured(f"{way}, {size}", clips, seed, method, size=size)
        for way, method in methods.items()
        if way == WAYS[0] or size in CNN_SIZES
    }


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips, synthetic = out_of_fold.clips_of(options.dataset)
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("The learning curve compares with YAMNet: say where it is with --yamnet")
    embeddings, scores = transfer.embed(backbone, clips)
    seed, fewest = options.seeds[0], clips.label.value_counts().min()
    fold = splits.folds(clips, out_of_fold.FOLDS, seed)
    start = recipes.pretrain(synthetic, RECIPE, seed)
    curve = []
    for size in SIZES:
        tables = predictions(embeddings, clips, size, seed, start)
        for way, table in tables.items():
            draws = [
                round(float(evaluation.summary(table[fold == k])["balanced_accuracy"]), 4)
                for k in range(out_of_fold.FOLDS)
            ]
            row = {"way": way, "clips": size, "draws": draws}
            row |= out_of_fold.scores([table], clips.group, brief=True)
            if way != WAYS[0]:
                change = out_of_fold.difference([table], [tables[WAYS[0]]], clips.group)
                row["the head minus this"] = change
            curve.append(row)
    zero_shot = transfer.zero_shot(scores, backbone, clips)
    results = {
        "zero-shot": out_of_fold.scores([zero_shot], clips.group, brief=True),
        "curve": curve,
        "clips": len(clips),
        "of the rarer class": int(fewest),
        "seed": seed,
    }
    out_of_fold.write("transfer", results)


if __name__ == "__main__":
    main()
