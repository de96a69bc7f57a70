"""Make the model that the course ships, and measure what can be said of it: `make shipped`.

It is trained on all recordings, so that it is never scored on them: every figure comes from models
of the same recipe that were trained on other folds. Writes data/pretrained/cat_dog_cnn.keras, the
same as .tflite, its card as .json, and benchmarks/results/pretrained.json. A model of other sounds
is made by tools/train_model.py, whose parts this program uses.

    python benchmarks/pretrained.py --dataset path/to/audio-cats-and-dogs
"""

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import ladder
import numpy as np
import out_of_fold
import pandas as pd
import soundfile

from helpers import audio, datasets, evaluation, files, predict, recipes, splits
from helpers.augmentation import DEGRADATIONS

sys.path.insert(0, str(files.ROOT / "tools"))
import train_model

MODEL = out_of_fold.ROOT / "data" / "pretrained" / "cat_dog_cnn.keras"
UNSURE_BELOW = train_model.UNSURE_BELOW[2]


def degraded(clips, change, folder, seed=0):
    """The same catalog, its clips changed and written as 16-bit WAV files into a folder."""
    paths = []
    for number, path in enumerate(clips.path):
        wave = change(audio.load(path)[0], np.random.default_rng([seed, number]))
        wave = wave / max(1.0, np.abs(wave).max())  # 16 bits hold no more than full scale
        paths.append(str(Path(folder) / f"{number}.wav"))
        soundfile.write(paths[-1], wave, audio.SAMPLE_RATE)
    return clips.assign(path=paths)


def on_degraded(clips, synthetic, seed):
    """Predictions on every kind of copy: the tables of evaluation.predict, one below the other."""
    names, parts = datasets.classes(clips), []
    with tempfile.TemporaryDirectory() as scratch:
        copies = {}
        for number, (kind, change) in enumerate(DEGRADATIONS.items()):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            copies[kind] = degraded(clips, change, folder)
        folds = recipes.fold_models(clips, recipes.BEST, out_of_fold.FOLDS, seed, synthetic)
        for held, model in folds:
            parts += [
                recipes.predict(model, copy.loc[held.index], recipes.BEST, names).assign(kind=kind)
                for kind, copy in copies.items()
            ]
    return pd.concat(parts)


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
        lambda s: on_degraded(clips, synthetic, s),
        **asdict(recipes.BEST),
        synthetic=datasets.fingerprint(synthetic),
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
    out_of_fold.write_json(out_of_fold.RESULTS / "pretrained.json", results)


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
