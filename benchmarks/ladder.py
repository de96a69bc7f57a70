"""From the article's network to the best, one change a rung, and what else there is beside it.

Every method predicts every recording by models that were trained on other folds; no recording is
parted between folds. The recipe was developed on the folds of seed 0; the rungs are measured on
those of seed 1, the best recipe and its rivals on those of seeds 1, 2 and 3, which deal the folds
and draw the first weights anew. Writes benchmarks/results/ladder.json.

    python benchmarks/ladder.py --dataset path/to/audio-cats-and-dogs
"""

from dataclasses import replace

import librosa
import numpy as np
import out_of_fold
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from helpers import article, audio, datasets, evaluation, recipes, transfer

ARTICLE = "the article's network, mended"
BEST = "a committee of four"
FIRST = recipes.Recipe(
    network="article",
    by_level=False,
    by_clip=False,
    normalise=False,
    augment=(),
    untouched=0.0,
    mixup=False,
    cosine=False,
    learning_rate=1e-3,
    pretrain=0,
    members=1,
    overlap=False,
)
# Each rung changes the one before it, unless it says that it was not kept.
RUNGS = [
    ("log-mel windows of 1.5 s", {}),
    ("pooling, fewer parameters", {"network": "compact"}),
    ("windows by their level", {"by_level": True}),
    ("balance by clip", {"by_clip": True}),
    ("level normalisation", {"normalise": True}),
    ("schedule, weight decay", {"cosine": True, "learning_rate": 2e-3}),
    ("time shift", {"augment": ("roll",), "untouched": 0.2}),
    ("gain over frequency", {"augment": ("roll", "equalise")}),
    ("pitch and length", {"augment": ("roll", "pitch_shift", "crop", "equalise")}),
    ("rooms", {"augment": ("roll", "pitch_shift", "crop", "equalise", "reverberate")}),
    ("noise", {"augment": recipes.BEST.augment[:-1]}),
    ("SpecAugment", {"augment": recipes.BEST.augment}),
    ("mixup", {"mixup": True}),
    ("synthetic clips added, not kept", {"added": 0.25}),
    ("synthetic clips first", {"pretrain": recipes.BEST.pretrain, "learning_rate": 1e-3}),
    ("overlapping windows averaged", {"overlap": True}),
    (BEST, {"members": recipes.BEST.members}),
]


def ladder():
    """[(name, Recipe)], the last one the best."""
    rungs, recipe = [], FIRST
    for name, change in RUNGS:
        rungs.append((name, replace(recipe, **change)))
        if "not kept" not in name:
            recipe = rungs[-1][1]
    assert recipe == recipes.BEST, "the last rung is not the recipe that is shipped"
    return rungs


def article_network(clips, seed):
    """The article's spectrograms, network and training, with the mended loss, in folds."""
    names, sizes = datasets.classes(clips), set()

    def learn(rest, held, _):
        model, _ = article.train(rest.assign(split="train"), seed=seed)
        sizes.add(model.count_params())
        data = article.batches(article.pictures(held, names))
        return evaluation.predict(model, data, held, names)

    table = evaluation.out_of_fold(clips, learn, out_of_fold.FOLDS, seed)
    (table.attrs["parameters"],) = sizes
    return table


def classical(clips, numbers, estimator, seed):
    """A scikit-learn estimator on a row of numbers a clip."""
    names, rows = datasets.classes(clips), pd.DataFrame(numbers, index=clips.index)

    def learn(rest, held, _):
        estimator.fit(rows.loc[rest.index], rest.label)
        return evaluation.table(estimator.predict_proba(rows.loc[held.index]), held, names)

    return evaluation.out_of_fold(clips, learn, out_of_fold.FOLDS, seed)


def mfcc_statistics(clips):
    """Mean and deviation of 20 MFCCs and of their deltas: float, shape (clips, 80)."""
    rows = []
    for path in clips.path:
        mfcc = librosa.feature.mfcc(y=audio.load(path)[0], sr=audio.SAMPLE_RATE, n_mfcc=20)
        both = np.concatenate([mfcc, librosa.feature.delta(mfcc, mode="nearest")])
        rows.append(np.concatenate([both.mean(axis=1), both.std(axis=1)]))
    return np.array(rows)


def rivals(clips, yamnet):
    """{name: function of a seed}."""
    duration, mfcc = clips[["duration"]].to_numpy(), mfcc_statistics(clips)
    simple = {
        "the larger class": (duration, DummyClassifier()),
        "tree on the duration": (duration, DecisionTreeClassifier(max_depth=3, random_state=0)),
        "MFCC statistics, logistic regression": (
            mfcc,
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        ),
        "MFCC statistics, SVM": (
            mfcc,
            make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(), ensemble=False)),
        ),
        "MFCC statistics, random forest": (
            mfcc,
            RandomForestClassifier(500, random_state=0, n_jobs=2),
        ),
    }
    methods = {
        name: lambda seed, x=x, y=y: classical(clips, x, y, seed) for name, (x, y) in simple.items()
    }
    backbone = transfer.yamnet(yamnet)
    if backbone is not None:
        embeddings, _ = transfer.embed(backbone, clips)
        methods["YAMNet and a head"] = lambda seed: transfer.cross_validate(
            embeddings, clips, out_of_fold.FOLDS, seed
        )
    return methods


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips, synthetic = out_of_fold.clips_of(options.dataset)
    seeds, results = options.seeds, {"rungs": [], "rivals": []}

    def add(kind, name, tables):
        results[kind].append({"name": name} | out_of_fold.scores(tables, clips.group))

    best = [out_of_fold.by_recipe(BEST, clips, synthetic, recipes.BEST, seed) for seed in seeds]
    methods = rivals(clips, options.yamnet)
    for name, method in methods.items():
        tables = [out_of_fold.measured(name, clips, seed, method) for seed in seeds]
        add("rivals", name, tables)
        if name == "YAMNet and a head":
            both = [out_of_fold.mean_of(pair) for pair in zip(tables, best)]
            for table, parts in zip(both, zip(tables, best)):
                for cost in ("seconds", "cpu_seconds"):
                    table.attrs[cost] = sum(part.attrs[cost] for part in parts)
            add("rivals", "YAMNet and the committee together", both)
    first = [out_of_fold.measured(ARTICLE, clips, seeds[0], lambda s: article_network(clips, s))]
    add("rungs", ARTICLE, first)
    for name, chosen in ladder()[:-1]:
        add("rungs", name, [out_of_fold.by_recipe(name, clips, synthetic, chosen, seeds[0])])
    add("rungs", BEST, best)
    results["clips"] = len(clips)
    results["recordings"] = int(clips.group.nunique())
    results["folds"], results["seeds"] = out_of_fold.FOLDS, seeds
    out_of_fold.write_json(out_of_fold.RESULTS / "ladder.json", results)


if __name__ == "__main__":
    main()
