"""Make the model that the course ships, and measure what can be said of it: `make shipped`.

It is trained on all recordings, so that it is never scored on them: every figure comes from models
of the same recipe that were trained on other folds. Writes data/pretrained/cat_dog_cnn.keras, the
same as .tflite, its card as .json, and benchmarks/results/pretrained.json. A model of other sounds
is made by tools/train_model.py, whose parts this program uses.

    python benchmarks/pretrained.py --dataset path/to/audio-cats-and-dogs
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import degraded_copies
import ladder
import numpy as np
import out_of_fold
import pandas as pd

from helpers import datasets, evaluation, files, predict, recipes, splits

sys.path.insert(0, str(files.ROOT / "tools"))
import train_model

MODEL = out_of_fold.ROOT / "data" / "pretrained" / "cat_dog_cnn.keras"
UNSURE_BELOW = train_model.UNSURE_BELOW[2]


def main():
    options = out_of_fold.arguments(__doc__).parse_args()
    clips, synthetic = out_of_fold.clips_of(options.dataset)
    names = datasets.classes(clips)

    tables = [
        out_of_fold.by_recipe(ladder.BEST, clips, synthetic, recipes.BEST, seed)
        for seed in options.seeds
    ]
    scaled = [
        train_model.calibrated(table, splits.folds(clips, out_of_fold.FOLDS, seed))
        for table, seed in zip(tables, options.seeds)
    ]
    temperature = evaluation.temperature(pd.concat(tables))
    sure = pd.concat(scaled)
    sure = sure[sure.filter(like="p_").max(axis=1) >= UNSURE_BELOW]

    copies = out_of_fold.measured(
        "degraded copies",
        clips,
        options.seeds[0],
        partial(degraded_copies.predictions, clips, synthetic, recipes.BEST),
    )
    results = {
        "cross-validated": out_of_fold.scores(tables, clips.group),
        "temperature": round(temperature, 3),
        "calibration error before": [round(evaluation.calibration_error(t), 4) for t in tables],
        "calibration error": [round(evaluation.calibration_error(t), 4) for t in scaled],
        "reliability": evaluation.reliability(pd.concat(scaled)).round(4).to_dict("records"),
        "unsure below": UNSURE_BELOW,
        "answered": round(len(sure) / sum(map(len, scaled)), 4),
        "accuracy where answered": round(float(sure.correct.mean()), 4),
        "degraded": {
            kind: out_of_fold.scores([part.loc[clips.index]], clips.group, brief=True)
            for kind, part in copies.groupby("kind", sort=False)
        },
        "hardest": hardest(tables, clips),
    }

    model = recipes.train(clips, recipes.BEST, 0, synthetic=synthetic)
    about = (
        "It knows cats and dogs alone, and calls a car one of the two. Unsure is an answer, too."
    )
    card = train_model.card_of(
        clips,
        temperature,
        title="Barks & Meows",
        question=predict.question(names),
        about=about,
        licence="cc-by-sa-3.0",
        examples="voices",
    )
    with tempfile.TemporaryDirectory(dir=MODEL.parent) as scratch:
        part = Path(scratch) / MODEL.name
        results["agreement"] = train_model.write(model, card, part, clips.iloc[::10])
        for ending in (".keras", ".tflite", ".json"):
            part.with_suffix(ending).replace(MODEL.with_suffix(ending))
    results["parameters"] = model.count_params()
    results["bytes"] = {e: MODEL.with_suffix(e).stat().st_size for e in (".keras", ".tflite")}
    files.write_json(out_of_fold.RESULTS / "pretrained.json", results)


def hardest(tables, clips, count=15):
    """The clips that other folds' models find least like their label, and what is left without."""
    right = np.mean([evaluation.of_label(table) for table in tables], axis=0)
    worst = np.argsort(right)[:count]
    rest = [table.drop(index=clips.index[worst]) for table in tables]
    kept = clips.drop(index=clips.index[worst])
    return {
        "clips": {clips.index[i]: round(float(right[i]), 3) for i in worst},
        "without them": out_of_fold.scores(rest, kept.group, brief=True),
    }


if __name__ == "__main__":
    main()
