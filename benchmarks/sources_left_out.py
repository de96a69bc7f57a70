"""What is measured of a model that answers cat, dog and neither, on sources that it has not heard.

Shared by the programs that make what the course ships. The same answers set the temperature, and
the probability from which the answer is "neither". Called itself, it only says whether recordings
will do: `make bench` asks before hours have gone by.

    python benchmarks/sources_left_out.py --dataset kaggle+elsewhere
"""

import argparse
import sys

import degraded_copies
import numpy as np
import out_of_fold
import pandas as pd
from sklearn.metrics import roc_auc_score

from helpers import cards, datasets, evaluation, files
from helpers.datasets import folders

sys.path.insert(0, str(files.ROOT / "tools"))
import train_model

FOLDS = 4
_FEWEST = 3  # recordings of a source or kind whose share has an interval
RIGHT, BETWEEN = "balanced, neither an error", "between cat and dog"
# The share of the other sounds that "neither" has to keep out, of the kinds that several sources
# have: the shipped model will have heard them all, and those of one source were not.
REJECTED = 0.92
# The weights go out under BY-SA, as Kaggle's recordings ask: these may be joined with it. GPL and
# FAL may not, nor what forbids commerce or changes, nor what states nothing.
MAY_SHIP = r"(?!.*\bN[CD]\b)(CC0|public domain|MIT\b|CC BY)"


def load(dataset):
    """The catalog of several sources, or an end with a sentence where it will not do.

    Args:
        dataset: as datasets.load takes it.
    """
    try:
        clips = datasets.load(dataset, quiet=True)
        why = refusal(clips)
    except (ValueError, OSError) as error:
        why = str(error)
    if why:
        sys.exit(f"{dataset} cannot be measured with sources left out: {why}")
    return clips


def refusal(clips):
    """What keeps a catalog from being measured with its sources left out: a sentence, or None."""
    labels, asked = datasets.classes(clips), ["cat", "dog", datasets.OTHER]
    if labels != asked:
        return (
            f"it is asked for {', '.join(asked)}, and there are {', '.join(labels)}: a model of "
            "other sounds is made and measured by tools/train_model.py"
        )
    unstated = clips.index[clips.licence.str.startswith("not stated")]
    if len(unstated):
        return (
            f"no licence is stated of {len(unstated)} clips, first {unstated[0]}, so that nothing "
            f"may learn from them: state it in a column licence of their {folders.MANIFEST}"
        )
    try:
        train_model.folds_by_source(clips, FOLDS, seed=0)
    except ValueError as error:
        return str(error)
    return None


def may_ship(clips):
    """Whether a model trained on a clip may be shipped: bool, shape (clips,)."""
    return clips.licence.str.match(MAY_SHIP)


def predictions(name, clips, learn, seed):
    """Predict every clip by a model that heard nothing of its source; each fold is kept.

    Args:
        name: of the method, as out_of_fold.measured prints it.
        clips: a catalog.
        learn: function of two catalogs, the clips to learn from, whose licences allow a model of
            them to be shipped, and those to predict; gives a DataFrame as from
            evaluation.predict, of the second, or several one below the other, of degraded copies
            too, told apart by a column `kind`.
        seed: of the folds, of which there is hardly a choice where sources are few and unequal:
            what several seeds vary is the training.

    Returns:
        DataFrame as from learn, each kind in the catalog's order; attrs as out_of_fold.measured.
    """
    parts = []
    for number, (rest, held) in enumerate(train_model.folds_by_source(clips, FOLDS, seed), 1):
        heard = rest[may_ship(rest)]

        def method(seed, heard=heard, held=held):
            return learn(heard, held)

        fold = f"{name}, fold {number}"
        parts.append(out_of_fold.measured(fold, held, seed, method, folds=1))
    table = pd.concat(parts)
    kinds = table.get("kind", pd.Series(degraded_copies.AS_RECORDED, table.index))
    table = pd.concat(table[kinds == kind].loc[clips.index] for kind in kinds.unique())
    facts = pd.DataFrame([part.attrs for part in parts])[["seconds", "cpu_seconds"]].mean()
    table.attrs = parts[-1].attrs | facts.round(1).to_dict()
    return table


def measured(name, clips, seeds, learn):
    """Predict every clip without its source, once a seed, and say what comes of it.

    Args:
        name: of the method.
        clips: a catalog.
        seeds: list of whole numbers.
        learn: function of a seed that gives a model's answers, as predictions takes it.

    Returns:
        dict, as from results; where they were asked about degraded copies, "copies" as from copies.
    """
    tables = [predictions(name, clips, learn(seed), seed) for seed in seeds]
    if "kind" not in tables[0]:
        return results(tables, clips, seeds)
    as_recorded = [table[table.kind == degraded_copies.AS_RECORDED] for table in tables]
    found = results(as_recorded, clips, seeds)
    return found | {"copies": copies(tables, clips, found["temperature"], found["other from"])}


def copies(tables, clips, temperature, other_from):
    """What the degraded copies of the clips are called, each kind beside the clips as recorded.

    Args:
        tables: list of DataFrames as from predictions, one a seed, with a column `kind`.
        clips: the catalog.
        temperature, other_from: those that the clips as recorded set.

    Returns:
        list of dicts, one a kind: others kept out, a share; and of the cats and dogs, where neither
        counts as an error and between the two alone: balanced accuracy with its 95 % interval, and
        the paired difference to the clips as recorded, [points of 1, low, high], for both of which
        recordings are drawn.
    """
    rows, first = [], {}
    pets = (clips.label != datasets.OTHER).to_numpy()
    for kind in tables[0].kind.unique():
        of_kind = [evaluation.rescale(table[table.kind == kind], temperature) for table in tables]
        row = {"kind": kind}
        for name, limit in ((RIGHT, other_from), (BETWEEN, np.inf)):
            called = [table.assign(predicted=cards.verdicts(table, 0, limit)) for table in of_kind]
            called = [table.assign(correct=table.predicted == table.label) for table in called]
            if name == RIGHT:
                out = np.mean([table.correct[~pets].mean() for table in called])
                row["others kept out"] = round(float(out), 4)
            kept = [table[pets] for table in called]
            before = first.setdefault(name, kept)
            row[name] = out_of_fold.scores(kept, clips.group[pets], brief=True) | {
                "minus as recorded": out_of_fold.difference(before, kept, clips.group[pets])
            }
        rows.append(row)
    return rows


def results(tables, clips, seeds):
    """What is written down of some predictions, with the temperature and limit that they set.

    Args:
        tables: list of DataFrames as from predictions, one a seed.
        clips: the catalog.
        seeds: of the tables.

    Returns:
        dict: the facts, and what figures gives.
    """
    temperature = evaluation.temperature(pd.concat(tables))
    tables = [evaluation.rescale(table, temperature) for table in tables]
    heard = kinds_of_several_sources(clips)
    others = pd.concat([table[f"p_{datasets.OTHER}"][heard] for table in tables])
    other_from = round(float(others.quantile(1 - REJECTED)), 3)
    return {
        "clips": {name: int(n) for name, n in clips.label.value_counts().items()},
        "sources": int(clips.source.nunique()),
        "folds": FOLDS,
        "seeds": seeds,
        "temperature": round(temperature, 3),
        "other from": other_from,
        "trade": trade(tables, clips),
        "seconds a fold": float(np.median([table.attrs["seconds"] for table in tables])),
    } | figures(tables, clips, other_from)


def kinds_of_several_sources(clips):
    """Which clips are other sounds of a kind that several sources have: bool, shape (clips,)."""
    others = clips[clips.label == datasets.OTHER]
    sources = others.groupby("kind").source.nunique()
    return (clips.label == datasets.OTHER) & clips.kind.map(sources).gt(1)


def figures(tables, clips, other_from):
    """What is said of the answers cat, dog and neither, the mean over the seeds."""
    other = (clips.label == datasets.OTHER).to_numpy()
    kinds, sources = clips.get("kind", clips.label), clips.source
    each, answered = [], []
    for table in tables:
        right = (cards.verdicts(table, 0, other_from) == clips.label).to_numpy()
        between = (cards.verdicts(table, 0, np.inf) == clips.label).to_numpy()
        shown = pd.DataFrame(
            {"label": clips.label, "source": sources, "kind": kinds, "right": right}
        )
        recall = shown.groupby("label").right.mean()
        answered.append(shown.rename(columns={"right": "correct"}))
        share = 1 - table[f"p_{datasets.OTHER}"]
        each.append(
            {
                RIGHT: (recall["cat"] + recall["dog"]) / 2,
                "others kept out": recall[datasets.OTHER],
                "others of kinds heard elsewhere kept out": float(
                    right[kinds_of_several_sources(clips)].mean()
                ),
                BETWEEN: float(
                    np.mean([between[clips.label == name].mean() for name in ("cat", "dog")])
                ),
                "AUC of pets and others": roc_auc_score(~other, share),
                "calibration error": evaluation.calibration_error(table),
            }
        )
    found, pets = pd.DataFrame(each), [table[~other] for table in answered]
    drawn = {
        f"{unit}s drawn": evaluation.bootstrap_interval(pets, clips[unit][~other])
        for unit in ("group", "source")
    }
    by_source, ends_by_source = _rows(answered, "source", clips.group)
    by_kind, ends_by_kind = _rows(answered, "kind", clips.group)
    return {
        "interval": {name: [round(x, 4) for x in ends] for name, ends in drawn.items()},
        "reliability": evaluation.reliability(pd.concat(tables)).round(4).to_dict("records"),
        "mean": {name: round(float(value), 4) for name, value in found.mean().items()},
        "by_seed": found.round(4).to_dict("list"),
        "by_source": by_source,
        "ends_by_source": ends_by_source,
        "by_kind": by_kind,
        "ends_by_kind": ends_by_kind,
    }


def _rows(answered, column, group):
    """[[label, source or kind, clips, share right]], the mean over the seeds, and 95 % intervals.

    Recordings are drawn, those of that row alone; of fewer than _FEWEST there is no interval: None.
    """
    rows, ends = [], []
    for name, part in answered[0].groupby(["label", column]):
        tables = [table.loc[part.index] for table in answered]
        share = np.mean([table.correct.mean() for table in tables])
        rows.append([*name, len(part), round(float(share), 4)])
        recordings, drawn = group[part.index], None
        if recordings.nunique() >= _FEWEST:
            low, high = evaluation.bootstrap_interval(tables, recordings)
            drawn = [round(low, 4), round(high, 4)]
        ends.append(drawn)
    return rows, ends


def trade(tables, clips):
    """For each probability from which the answer is "neither": what is kept, and what kept out."""
    other = (clips.label == datasets.OTHER).to_numpy()
    curve = []
    for limit in np.linspace(0.02, 0.98, 49):
        turned = np.mean([t[f"p_{datasets.OTHER}"] >= limit for t in tables], axis=0)
        kept = [1 - turned[(clips.label == name).to_numpy()].mean() for name in ("cat", "dog")]
        curve.append([round(float(x), 4) for x in (limit, np.mean(kept), turned[other].mean())])
    return curve


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="several sources, joined by +")
    clips = load(parser.parse_args().dataset)
    print(f"{len(clips)} clips of {clips.source.nunique()} sources will do")


if __name__ == "__main__":
    main()
