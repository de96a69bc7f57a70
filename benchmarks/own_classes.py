"""Lesson 10's method on real sounds: four kinds as classes, and "none of these" for all others.

The kinds come from the manifest of `elsewhere`. They are audited, and lesson 10's recipe is asked
about them, by networks that heard nothing of a clip's recording, or of its whole source. Beside
them stand a tree that sees the facts of a file and no sound, and a network that has learnt from
lesson 10's made sounds alone. The limit of "none of these" is chosen on two folds and counted on
the third. Writes benchmarks/results/own_classes.json.

    python benchmarks/own_classes.py --dataset elsewhere
"""

from dataclasses import replace

import numpy as np
import out_of_fold
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from helpers import audio, cards, datasets, evaluation, recipes, splits

CLASSES = "bark", "bird", "meow", "rain"
MADE = {"dog": "bark", "cat": "meow"}  # what lesson 10 calls two of them
NEAR = "animal", "nature", "poultry", "rooster", "weather"  # may hold a bird or rain: left out
FOLDS = 3
RECIPE = replace(
    recipes.HOLDS, width=8, epochs=4, steps=40, batch_size=32, learning_rate=3e-3, taught=0.0
)


def chosen(clips):
    """The clips of the classes, by their kind, and the other sounds: a catalog.

    Left out: what else cats and dogs do, such as growl or purr, and kinds that may hold a class.
    """
    own = clips.kind.isin(CLASSES)
    other = (clips.label == datasets.OTHER) & ~own & ~clips.kind.isin(NEAR)
    label = clips.kind.where(own, datasets.OTHER)
    return clips.assign(label=label)[own | other]


def audited(clips):
    """How many clips there is something to say about, by the first words of the finding."""
    found = datasets.validate(clips)[1]
    found = found[found.file.isin(clips.index)].finding
    shared = int(clips.group.duplicated(keep=False).sum())
    counts = found.str.extract(r"^([\w-]+)")[0].value_counts()
    return {name: int(n) for name, n in counts.items()} | {"share a recording": shared}


def by_facts(clips, facts, by, seed):
    """Predictions by a tree that sees length, sample rate, channels and level."""

    def learn(rest, held, _):
        tree = DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=seed)
        tree.fit(facts.loc[rest.index], rest.label)
        return evaluation.table(tree.predict_proba(facts.loc[held.index]), held, tree.classes_)

    return evaluation.out_of_fold(clips, learn, FOLDS, seed, by)


def by_made_sounds(clips, seed):
    """Predictions by a network that has learnt from lesson 10's made sounds alone."""
    made = datasets.load("synthetic-five", seed=seed, quiet=True)
    made = datasets.with_background(made[made.label != "beep"], "synthetic-elsewhere")
    made["label"] = made.label.replace(MADE)
    model = recipes.train(made, RECIPE, seed)
    table = recipes.predict(model, clips, RECIPE, datasets.classes(made))
    table.attrs["parameters"] = model.count_params()
    return table


def none_of_these(tables, clips, seeds, by):
    """What a limit that keeps out nine of ten does on the folds that did not choose it.

    Returns:
        dict: other sounds kept out, own ones turned away, and own ones called what they are, where
        "none of these" is an error; the mean over the seeds.
    """
    each = []
    for table, seed in zip(tables, seeds):
        fold, answer = splits.folds(clips, FOLDS, seed, by), pd.Series(index=clips.index, dtype=str)
        for k in range(FOLDS):
            limit = cards.limit(table[fold != k])
            answer[fold == k] = cards.verdicts(table[fold == k], 0, limit)
        other, none = clips.label == datasets.OTHER, answer == datasets.OTHER
        right = (answer == clips.label).groupby(clips.label).mean().drop(datasets.OTHER)
        each.append([none[other].mean(), none[~other].mean(), right.mean()])
    names = "others kept out", "own turned away", "own right"
    return {name: round(float(x), 4) for name, x in zip(names, np.mean(each, axis=0))}


def scored(name, tables, clips):
    """A row of the results: out_of_fold.scores, and the share right of each class."""
    right = np.mean([t.groupby("label").correct.mean() for t in tables], axis=0)
    right = {label: round(float(x), 4) for label, x in zip(datasets.classes(clips), right)}
    return {"name": name} | out_of_fold.scores(tables, clips.group) | {"right": right}


def compare(clips, seeds):
    """Measure all ways: the content of the results' file."""
    level = [audio.level(audio.load(path)[0]) for path in clips.path]
    facts = clips[["duration", "sample_rate", "channels"]].assign(level=level)
    rows = []

    def measured(name, method, folds=FOLDS, **settings):
        tables = [
            out_of_fold.measured(name, clips, seed, method, folds=folds, **settings)
            for seed in seeds
        ]
        rows.append(scored(name, tables, clips))
        return tables

    for unit, by in {"recordings": "group", "sources": "source"}.items():

        def tree(seed, by=by):
            return by_facts(clips, facts, by, seed)

        def network(seed, by=by):
            return recipes.cross_validate(clips, RECIPE, FOLDS, seed, by=by)

        measured(f"the facts of the file alone, {unit} left out", tree, by=by)
        tables = measured(f"lesson 10's network, {unit} left out", network, by=by)
        rows[-1]["none of these"] = none_of_these(tables, clips, seeds, by)
    drawn = evaluation.bootstrap_interval(tables, clips.source)
    rows[-1]["sources drawn"] = [round(x, 4) for x in drawn]

    def made(seed):
        return by_made_sounds(clips, seed)

    measured("the same, of made sounds alone", made, folds=1)
    others = clips[clips.label == datasets.OTHER]
    return {
        "clips": {name: int(n) for name, n in clips.label.value_counts().sort_index().items()},
        "sources": clips.groupby("label").source.nunique().to_dict(),
        "recordings": int(clips.group.nunique()),
        "kinds of other": sorted(set(others.kind)),
        "sample rates": _shares(clips, "sample_rate"),
        "audit": audited(clips),
        "rows": rows,
        "folds": FOLDS,
        "seeds": list(seeds),
    }


def _shares(clips, column):
    """The commonest value of a column in each class, and its share: {label: [value, share]}."""
    found = {}
    for label, values in clips.groupby("label")[column]:
        share = values.value_counts(normalize=True)
        found[label] = [share.index[0].item(), round(float(share.iloc[0]), 4)]
    return found


def main():
    options = out_of_fold.arguments(__doc__).parse_args()
    clips = chosen(datasets.load(options.dataset, quiet=True))
    out_of_fold.write("own_classes", compare(clips, options.seeds))


if __name__ == "__main__":
    main()
