"""Make the model that the course ships, and measure whether it holds elsewhere: `make shipped`.

It is trained on all recordings whose licence allows it, so that it is never scored on them: every
figure comes from models of the same recipe, each asked about whole sources that it did not hear.
They also set the temperature, and the probability from which the answer is "neither". Writes
data/pretrained/cat_dog_cnn.keras, the same as .tflite, its card as .json, and
benchmarks/results/shipped.json. A model of other sounds is made by tools/train_model.py, whose
parts this program uses.

    python benchmarks/shipped.py --dataset kaggle+elsewhere
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import out_of_fold
import pandas as pd
from sklearn.metrics import roc_auc_score

from helpers import cards, datasets, evaluation, files, predict, recipes, transfer

sys.path.insert(0, str(files.ROOT / "tools"))
import train_model

MODEL = out_of_fold.ROOT / "data" / "pretrained" / "cat_dog_cnn.keras"
FOLDS = 4
# The share of the other sounds that "neither" has to keep out, of the kinds that were heard from
# another source: the shipped model will have heard them all, and those of one source were not.
REJECTED = 0.92
# The weights go out under BY-SA, as Kaggle's recordings ask: these may be joined with it. GPL and
# FAL may not, nor what forbids commerce or changes, nor what states nothing.
MAY_SHIP = r"(?!.*\bN[CD]\b)(CC0|public domain|MIT\b|CC BY)"


def may_ship(clips):
    """Whether a model trained on a clip may be shipped: bool, shape (clips,)."""
    return clips.licence.str.match(MAY_SHIP)


def taught_by(backbone, clips):
    """What recipes.train asks a teacher, each clip heard once for all trainings."""
    heard = {clip: transfer.of_windows(backbone, clips.loc[[clip]]) for clip in clips.index}
    return lambda part: np.concatenate([heard[clip] for clip in part.index])


def left_out(clips, recipe, teacher, seed):
    """Predictions of every clip by a model that heard nothing of its source."""
    names, parts = datasets.classes(clips), []
    for rest, held in train_model.folds_by_source(clips, FOLDS, seed):
        model = recipes.train(rest[may_ship(rest)], recipe, seed, teacher=teacher)
        parts.append(recipes.predict(model, held, recipe, names))
        print(f"  {len(held)} clips of {', '.join(sorted(held.source.unique()))}", flush=True)
    table = pd.concat(parts).loc[clips.index]
    table.attrs["parameters"] = model.count_params()
    return table


def kinds_of_several_sources(clips):
    """Which clips are other sounds of a kind that several sources have: bool, shape (clips,)."""
    others = clips[clips.label == datasets.OTHER]
    sources = others.groupby("kind").source.nunique()
    return (clips.label == datasets.OTHER) & clips.kind.map(sources).gt(1)


def figures(tables, clips, other_from):
    """What is said of the answers cat, dog and neither, the mean over the seeds."""
    other = (clips.label == datasets.OTHER).to_numpy()
    kinds, sources = clips.get("kind", clips.label), clips.source
    each, by_source, by_kind = [], [], []
    for table in tables:
        turned = (table[f"p_{datasets.OTHER}"] >= other_from).to_numpy()
        pets = table[["p_cat", "p_dog"]].idxmax(axis=1).str.removeprefix("p_")
        between = (pets == clips.label).to_numpy()
        right = np.where(other, turned, between & ~turned)
        shown = pd.DataFrame(
            {"label": clips.label, "source": sources, "kind": kinds, "right": right}
        )
        recall = shown.groupby("label").right.mean()
        share = 1 - table[f"p_{datasets.OTHER}"]
        each.append(
            {
                "balanced, neither an error": (recall["cat"] + recall["dog"]) / 2,
                "others kept out": recall[datasets.OTHER],
                "others of kinds heard elsewhere kept out": float(
                    right[kinds_of_several_sources(clips)].mean()
                ),
                "between cat and dog": float(
                    np.mean([between[clips.label == name].mean() for name in ("cat", "dog")])
                ),
                "AUC of pets and others": roc_auc_score(~other, share),
                "calibration error": evaluation.calibration_error(table),
            }
        )
        by_source.append(shown.groupby(["label", "source"]).right.agg(["mean", "size"]))
        by_kind.append(shown.groupby(["label", "kind"]).right.agg(["mean", "size"]))
    found = pd.DataFrame(each)
    return {
        "reliability": evaluation.reliability(pd.concat(tables)).round(4).to_dict("records"),
        "mean": {name: round(float(value), 4) for name, value in found.mean().items()},
        "by_seed": found.round(4).to_dict("list"),
        "by_source": rows(by_source),
        "by_kind": rows(by_kind),
    }


def rows(each):
    """[[label, source or kind, clips, share right]], the mean over the seeds."""
    mean = sum(each) / len(each)
    return [[*name, int(row["size"]), round(row["mean"], 4)] for name, row in mean.iterrows()]


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
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips, recipe = datasets.load(options.dataset, quiet=True), recipes.HOLDS
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("the shipped model is taught by YAMNet, which is not to be had here")
    teacher = taught_by(backbone, clips)

    def method(seed):
        return left_out(clips, recipe, teacher, seed)

    tables = [
        out_of_fold.measured("shipped, sources left out", clips, seed, method)
        for seed in options.seeds
    ]
    temperature = evaluation.temperature(pd.concat(tables))
    tables = [evaluation.rescale(table, temperature) for table in tables]
    heard = kinds_of_several_sources(clips)
    others = pd.concat([table[f"p_{datasets.OTHER}"][heard] for table in tables])
    other_from = round(float(others.quantile(1 - REJECTED)), 3)
    results = {
        "clips": {name: int(n) for name, n in clips.label.value_counts().items()},
        "sources": int(clips.source.nunique()),
        "folds": FOLDS,
        "seeds": options.seeds,
        "temperature": round(temperature, 3),
        "other from": other_from,
        "trade": trade(tables, clips),
        "seconds a fold": out_of_fold.scores(tables, clips.group)["seconds"],
    } | figures(tables, clips, other_from)

    shipped = clips[may_ship(clips)]
    model = recipes.train(shipped, recipe, 0, teacher=teacher)
    names = cards.answers(datasets.classes(clips))
    card = cards.card_of(
        shipped,
        temperature,
        other_from=other_from,
        title="Barks & Meows",
        question=predict.question(names),
        about=predict.about(names),
        licence="cc-by-sa-4.0",
        examples="voices",
    )
    some = pd.concat([part.iloc[:: len(part) // 20] for _, part in shipped.groupby("label")])
    with tempfile.TemporaryDirectory(dir=MODEL.parent) as scratch:
        part = Path(scratch) / MODEL.name
        results["agreement"] = cards.write(model, card, part, some)
        for ending in (".keras", ".tflite", ".json"):
            part.with_suffix(ending).replace(MODEL.with_suffix(ending))
    results["parameters"] = model.count_params()
    results["bytes"] = {e: MODEL.with_suffix(e).stat().st_size for e in (".keras", ".tflite")}
    files.write_json(out_of_fold.RESULTS / "shipped.json", results)


if __name__ == "__main__":
    main()
