"""Make the model that the course ships, and measure whether it holds elsewhere: `make shipped`.

It is trained on all recordings whose licence allows it, so that it is never scored on them: every
figure comes from models of the same recipe, each asked about whole sources that it did not hear.
They also set the temperature, and the probability from which the answer is "neither". Writes
data/pretrained/cat_dog_cnn.keras, the same as .tflite, its card as .json, and
benchmarks/results/shipped.json. Beside the recordings each of them learns from synthetic cats, dogs
and other sounds, and from sounds of free games (games.py); neither are ever asked about. A model of
other sounds is made by tools/train_model.py, whose parts this program uses.

    python benchmarks/shipped.py --dataset kaggle+elsewhere
"""

import os
import sys
import tempfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import games
import numpy as np
import out_of_fold
import pandas as pd
import sources_left_out
from degraded_copies import copies as copies_of  # by its own name, its code counts for a key

from helpers import cache, cards, datasets, files, recipes, transfer
from helpers.datasets import synthetic
from helpers.teacher import Heard, hear

MODEL = out_of_fold.ROOT / "data" / "pretrained" / "cat_dog_cnn.keras"


Material = namedtuple("Material", "clips beside teacher heard")


def taught_by(backbone, clips):
    """What recipes.train asks a teacher: each clip is heard once for all trainings, and kept."""
    facts = datasets.fingerprint(clips), list(clips.index), files.digest(backbone.path)
    path = out_of_fold.KEPT / f"taught-{cache.key(transfer.of_windows, *facts)}.npz"

    def make(opened):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            each = pool.map(
                lambda clip: transfer.of_windows(backbone, clips.loc[[clip]]), clips.index
            )
            np.savez(opened, **dict(zip(map(str, range(len(clips))), each)))

    out_of_fold.once(path, make)
    with np.load(path) as kept:
        heard = {clip: kept[str(number)] for number, clip in enumerate(clips.index)}
    return lambda part: np.concatenate([heard[clip] for clip in part.index])


def made():
    """Synthetic clips to learn from beside the recordings: other draws than the lessons'."""
    home = synthetic.make_dataset(out_of_fold.KEPT / "made-home", seed=11, n_clips=600)
    away = synthetic.make_elsewhere(out_of_fold.KEPT / "made-elsewhere", seed=11, n_clips=60)
    clips = datasets.load(f"{home}+{away}", quiet=True)
    own = {"group": "synthetic " + clips.group.astype(str), "licence": "CC0"}
    return clips.assign(**own).rename(index=lambda clip: f"synthetic/{clip}")


def heard_changed(backbone, clips, recipe):
    """What the teacher hears in changed windows, as teacher.hear; made once and kept."""
    drawn, behind = recipes.drawn_for(clips, recipe)
    facts = datasets.fingerprint(clips), list(clips.index), files.digest(backbone.path)
    path = out_of_fold.KEPT / f"heard-{cache.key(hear, *facts, drawn, behind)}.npz"
    out_of_fold.once(
        path, lambda opened: np.savez(opened, **vars(hear(clips, backbone, drawn, behind)))
    )
    with np.load(path) as kept:
        return Heard(**kept)


def material(options):
    """What is learnt from: recordings, others beside them, and what YAMNet hears of both.

    Args:
        options: as out_of_fold.arguments parses them.

    Returns:
        Material: clips and beside, catalogs; teacher, as recipes.train asks it; heard, as from
        teacher.hear.
    """
    clips, recipe = sources_left_out.load(options.dataset), recipes.HOLDS
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("the shipped model is taught by YAMNet, which is not to be had here")
    synthetic_clips, of_games = made(), games.games()
    beside = pd.concat([synthetic_clips, of_games])
    teacher = taught_by(backbone, pd.concat([clips, beside]))
    heard = heard_changed(backbone, clips, recipe)
    # the recordings a second time, now before and behind the games' sounds, too
    for some in (synthetic_clips, pd.concat([clips, of_games])):
        fewer = replace(recipe, heard=recipe.heard // 3)
        heard = heard.and_of(heard_changed(backbone, some, fewer))
    print(f"{len(heard)} changed windows heard by {backbone.name}", flush=True)
    return Material(clips, beside, teacher, heard)


def answers(rest, held, recipe, seed, given, copies=False):
    """Predictions of some clips by a network that has learnt from others.

    Args:
        rest, held: catalogs, to learn from and to predict.
        recipe, seed: as recipes.train.
        given: Material; what stands beside the clips is to be among rest already.
        copies: ask about degraded copies of the clips held, too, which the network goes without
            when it learns: one table below the other, told apart by `kind`.
    """
    model = recipes.train(rest, recipe, seed, teacher=given.teacher, heard=given.heard)
    names = datasets.classes(given.clips)
    if copies:
        table = pd.concat(
            recipes.predict(model, copy, recipe, names).assign(kind=kind)
            for kind, copy in copies_of(held)
        )
    else:
        table = recipes.predict(model, held, recipe, names)
    table.attrs["parameters"] = model.count_params()
    return table


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True, ships=True).parse_args()
    given = material(options)
    clips, beside, teacher, heard = given
    recipe = recipes.HOLDS

    def learn(seed):
        return lambda rest, held: answers(
            pd.concat([rest, beside]), held, recipe, seed, given, copies=True
        )

    results = sources_left_out.measured("shipped, sources left out", clips, options.seeds, learn)
    if options.measure_only:
        facts = "agreement", "beside", "parameters", "bytes"
        out_of_fold.write("shipped", results | out_of_fold.of_the_model("shipped", *facts))
        return

    own = clips[sources_left_out.may_ship(clips)]
    shipped, of_games = pd.concat([own, beside]), beside.source.isin(games.GAMES)
    model = recipes.train(shipped, recipe, 0, teacher=teacher, heard=heard)
    card = cards.card_of(
        shipped,
        results["temperature"],
        other_from=results["other from"],
        title="Barks & Meows",
        licence="cc-by-sa-4.0",
        examples="voices",
        credits=cards.credits(pd.concat([own, beside[of_games]])),
    )
    learnt = f"{len(own)} clips of {own.group.nunique()} recordings"
    learnt += f", {of_games.sum()} sounds of games and {(~of_games).sum()} synthetic clips"
    card["trained on"] = f"{learnt}, {datasets.fingerprint(shipped)}"
    some = pd.concat(
        [part.iloc[:: max(1, len(part) // 20)] for _, part in shipped.groupby("label")]
    )
    with tempfile.TemporaryDirectory(dir=MODEL.parent) as scratch:
        part = Path(scratch) / MODEL.name
        results["agreement"] = cards.write(model, card, part, some)
        for ending in (".keras", ".tflite", ".json"):
            part.with_suffix(ending).replace(MODEL.with_suffix(ending))
    counted = beside[~of_games].label.value_counts()
    results["beside"] = {name: int(n) for name, n in counted.items()}
    results["parameters"] = model.count_params()
    results["bytes"] = {e: MODEL.with_suffix(e).stat().st_size for e in (".keras", ".tflite")}
    out_of_fold.write("shipped", results)


if __name__ == "__main__":
    main()
