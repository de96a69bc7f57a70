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
import sources_left_out

from helpers import cache, cards, datasets, files, predict, recipes, transfer
from helpers.teacher import Heard, hear

MODEL = out_of_fold.ROOT / "data" / "pretrained" / "cat_dog_cnn.keras"


def taught_by(backbone, clips):
    """What recipes.train asks a teacher, each clip heard once for all trainings."""
    heard = {clip: transfer.of_windows(backbone, clips.loc[[clip]]) for clip in clips.index}
    return lambda part: np.concatenate([heard[clip] for clip in part.index])


def heard_changed(backbone, clips, recipe):
    """What the teacher hears in changed windows, as teacher.hear; made once and kept."""
    drawn, behind = recipes.drawn_for(clips, recipe)
    facts = datasets.fingerprint(clips), list(clips.index), files.digest(backbone.path)
    path = out_of_fold.KEPT / f"heard-{cache.key(hear, *facts, drawn, behind)}.npz"
    if not path.is_file():
        made = hear(clips, backbone, drawn, behind)
        with files.atomic(path) as part, part.open("wb") as opened:
            np.savez(opened, **vars(made))
    with np.load(path) as kept:
        return Heard(**kept)


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips, recipe = datasets.load(options.dataset, quiet=True), recipes.HOLDS
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("the shipped model is taught by YAMNet, which is not to be had here")
    teacher, labels = taught_by(backbone, clips), datasets.classes(clips)
    heard = heard_changed(backbone, clips, recipe)
    print(f"{len(heard)} changed windows heard by {backbone.name}", flush=True)

    def learn(seed):
        def answers(rest, held):
            model = recipes.train(rest, recipe, seed, teacher=teacher, heard=heard)
            table = recipes.predict(model, held, recipe, labels)
            table.attrs["parameters"] = model.count_params()
            return table

        return answers

    results = sources_left_out.measured("shipped, sources left out", clips, options.seeds, learn)

    shipped = clips[sources_left_out.may_ship(clips)]
    model = recipes.train(shipped, recipe, 0, teacher=teacher, heard=heard)
    names = cards.answers(labels)
    card = cards.card_of(
        shipped,
        results["temperature"],
        other_from=results["other from"],
        title="Barks & Meows",
        question=predict.question(names),
        about=predict.about(names),
        licence="cc-by-sa-4.0",
        examples="voices",
    )
    some = pd.concat(
        [part.iloc[:: max(1, len(part) // 20)] for _, part in shipped.groupby("label")]
    )
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
