"""From the article's network to the best, rung by rung, and what else there is beside it.

Every method predicts every recording by models that were trained on other folds; no recording is
parted between folds. The recipe was developed on the folds of seed 0; all is measured on those of
the seeds that are asked for, which deal the folds and draw the first weights anew. Each rung is
compared with the one that it was built on, on the same clips and seeds. The first two differ in
the network, its pictures and the training: the article's takes some epochs over all clips in
batches of 64, a recipe a number of steps of 32 windows. Writes benchmarks/results/ladder.json.

    python benchmarks/ladder.py --dataset path/to/audio-cats-and-dogs
"""

from dataclasses import replace
from functools import partial

import librosa
import numpy as np
import out_of_fold
import pandas as pd
from ai_edge_litert.interpreter import Interpreter
from scipy.special import softmax
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from helpers import article, audio, datasets, evaluation, recipes, transfer

INNER_FOLDS = 4
YAMNET = "YAMNet and a head"
ARTICLE = "the article's network, mended"
BEST = "twice as many steps"
# Two rungs of as many steps, which other measurements take: with nothing, and with all but length.
PLAIN, AUGMENTED = "log-mel windows, compact network", "overlapping windows averaged"
FIRST = recipes.Recipe(
    by_level=False,
    by_clip=False,
    normalise=False,
    augment=(),
    untouched=0.0,
    cosine=False,
    learning_rate=1e-3,
    epochs=recipes.BEST.epochs // 2,
    overlap=False,
)
NOT_KEPT = {"synthetic clips first"}
OF_THE_CALL = ("roll", "pitch_shift", "crop")
# Each rung changes the last one before it that was kept.
RUNGS = [
    (PLAIN, {}),
    ("draws by level and by clip", {"by_level": True, "by_clip": True, "normalise": True}),
    ("schedule, weight decay", {"cosine": True, "learning_rate": 2e-3}),
    ("shift, pitch and length", {"augment": OF_THE_CALL, "untouched": 0.2}),
    ("colour, rooms, noise, masks", {"augment": recipes.BEST.augment}),
    (AUGMENTED, {"overlap": True}),
    (BEST, {"epochs": recipes.BEST.epochs}),
    ("synthetic clips first", {"pretrain": 32, "learning_rate": 1e-3}),
]


def ladder():
    """{name: Recipe}, in their order."""
    rungs, recipe = {}, FIRST
    for name, change in RUNGS:
        rungs[name] = replace(recipe, **change)
        if name not in NOT_KEPT:
            recipe = rungs[name]
    assert rungs[BEST] == recipe == recipes.BEST, "the last rung kept is not the best recipe"
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


def classical(clips, numbers, estimator, grid, seed):
    """A scikit-learn estimator on a row of numbers per clip, tuned inside each training part.

    The grid's best is the one that does best in inner folds, which part no recording either.
    """
    names, rows = datasets.classes(clips), pd.DataFrame(numbers(clips), index=clips.index)

    def learn(rest, held, _):
        inner = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
        search = GridSearchCV(estimator, grid, scoring="balanced_accuracy", cv=inner)
        search.fit(rows.loc[rest.index], rest.label, groups=rest.group)
        return evaluation.table(shares(search, rows.loc[held.index]), held, names)

    return evaluation.out_of_fold(clips, learn, out_of_fold.FOLDS, seed)


def shares(fitted, rows):
    """Probability of each class; where an estimator has none, the softmax of its margins."""
    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(rows)
    margin = fitted.decision_function(rows)
    return softmax(np.stack([-margin, margin], axis=1) / 2 if margin.ndim == 1 else margin, axis=1)


def durations(clips):
    return clips[["duration"]]


def mfcc_statistics(clips):
    """Mean and deviation of 20 MFCCs and of their deltas: float, shape (clips, 80)."""
    rows = []
    for path in clips.path:
        mfcc = librosa.feature.mfcc(y=audio.load(path)[0], sr=audio.SAMPLE_RATE, n_mfcc=20)
        both = np.concatenate([mfcc, librosa.feature.delta(mfcc, mode="nearest")])
        rows.append(np.concatenate([both.mean(axis=1), both.std(axis=1)]))
    return np.array(rows)


def by_yamnet(file, clips, seed):
    """A head on YAMNet's embeddings, which are made anew, so that their cost counts."""
    backbone = transfer.yamnet(file)
    embeddings, _ = transfer.embed(backbone, clips)
    table = transfer.cross_validate(embeddings, clips, out_of_fold.FOLDS, seed)
    head = (embeddings.shape[1] + 1) * (1 if clips.label.nunique() == 2 else clips.label.nunique())
    table.attrs["parameters"] = weights_in(backbone.path) + head
    return table


def weights_in(path):
    """How many constants a .tflite file holds."""
    net, count = Interpreter(str(path)), 0
    for tensor in net.get_tensor_details():
        try:
            count += net.get_tensor(tensor["index"]).size  # before memory is given out, these only
        except ValueError:
            continue
    return count


def rivals(clips, yamnet):
    """{name: function of a seed}."""
    tree = DecisionTreeClassifier(class_weight="balanced", random_state=0)
    logistic = LogisticRegression(class_weight="balanced", max_iter=5000)
    svm = SVC(class_weight="balanced")
    forest = RandomForestClassifier(500, class_weight="balanced", random_state=0, n_jobs=2)
    penalty = [0.01, 0.1, 1.0, 10.0, 100.0]
    simple = {
        "the larger class": (durations, DummyClassifier(), {}),
        "tree on the duration": (durations, tree, {"max_depth": [1, 2, 3, 5]}),
        "MFCC statistics, logistic regression": (
            mfcc_statistics,
            make_pipeline(StandardScaler(), logistic),
            {"logisticregression__C": penalty},
        ),
        "MFCC statistics, SVM": (
            mfcc_statistics,
            make_pipeline(StandardScaler(), svm),
            {"svc__C": penalty, "svc__gamma": ["scale", 0.001, 0.003, 0.03]},
        ),
        "MFCC statistics, random forest": (
            mfcc_statistics,
            forest,
            {"min_samples_leaf": [1, 3, 5], "max_features": ["sqrt", 0.3]},
        ),
    }
    methods = {name: partial(classical, clips, *parts) for name, parts in simple.items()}
    backbone = transfer.yamnet(yamnet)
    if backbone is not None:
        methods[YAMNET] = partial(by_yamnet, str(backbone.path), clips)
    return methods


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips, synthetic = out_of_fold.clips_of(options.dataset)
    results = compare(clips, synthetic, ladder(), options.seeds, options.yamnet)
    out_of_fold.write("ladder", results)


def compare(clips, synthetic, rungs, seeds, yamnet):
    """Measure all rungs, one of which is called BEST, and its rivals: the results' content."""
    results = {"rungs": [], "rivals": []}

    def by(recipe, name):
        return [out_of_fold.by_recipe(name, clips, synthetic, recipe, seed) for seed in seeds]

    best = by(rungs[BEST], BEST)

    def rival(name, tables):
        beside = {"best minus this": out_of_fold.difference(tables, best, clips.group)}
        results["rivals"].append({"name": name} | out_of_fold.scores(tables, clips.group) | beside)

    for name, method in rivals(clips, yamnet).items():
        tables = [out_of_fold.measured(name, clips, seed, method) for seed in seeds]
        rival(name, tables)
        if name == YAMNET:
            both = [out_of_fold.mean_of(pair) for pair in zip(tables, best)]
            for table, parts in zip(both, zip(tables, best)):
                for cost in ("seconds", "cpu_seconds", "parameters"):
                    table.attrs[cost] = sum(part.attrs[cost] for part in parts)
            rival("YAMNet and the network together", both)
    before = [
        out_of_fold.measured(ARTICLE, clips, s, partial(article_network, clips)) for s in seeds
    ]
    first = out_of_fold.scores(before, clips.group)
    results["rungs"].append({"name": ARTICLE, "kept": True} | first)
    for name, recipe in rungs.items():
        tables, kept = best if name == BEST else by(recipe, name), name not in NOT_KEPT
        row = {"name": name, "kept": kept} | out_of_fold.scores(tables, clips.group)
        row["change"] = out_of_fold.difference(before, tables, clips.group)
        results["rungs"].append(row)
        before = tables if kept else before
    counts = {"clips": len(clips), "recordings": int(clips.group.nunique())}
    return results | counts | {"folds": out_of_fold.FOLDS, "seeds": list(seeds)}


if __name__ == "__main__":
    main()
