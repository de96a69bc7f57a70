"""Does the augmentation help against other rooms, noise and microphones?

Two rungs of the ladder, the compact network as it is and one with all augmentation, are trained on
the same folds for as many steps, and asked about the same degraded copies of the held-out clips.
(Three other rungs lie between them, so that what they differ by is not the augmentation alone.)
Their paired differences are by recordings, over all seeds. Writes
benchmarks/results/degraded.json.

    python benchmarks/degraded_copies.py --dataset path/to/audio-cats-and-dogs
"""

import tempfile
from functools import partial
from pathlib import Path

import ladder
import numpy as np
import out_of_fold
import pandas as pd
import soundfile

from helpers import audio, datasets, recipes
from helpers.augmentation import DEGRADATIONS

AS_RECORDED = next(iter(DEGRADATIONS))


def degraded(clips, change, folder, seed=0):
    """The same catalog, its clips changed and written as 16-bit WAV files into a folder."""
    paths = []
    for number, path in enumerate(clips.path):
        wave = change(audio.load(path)[0], np.random.default_rng([seed, number]))
        wave = wave / max(1.0, np.abs(wave).max())  # 16 bits hold no more than full scale
        paths.append(str(Path(folder) / f"{number}.wav"))
        soundfile.write(paths[-1], wave, audio.SAMPLE_RATE)
    return clips.assign(path=paths)


def copies(clips):
    """Each kind of copy of some clips: (kind, catalog), gone when the next one is asked for."""
    for kind, change in DEGRADATIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            yield kind, clips if kind == AS_RECORDED else degraded(clips, change, folder)


def predictions(clips, recipe, seed):
    """Predictions on every kind of copy, one table below the other, told apart by `kind`."""
    names, parts = datasets.classes(clips), []
    with tempfile.TemporaryDirectory() as scratch:
        copies = {}
        for number, (kind, change) in enumerate(DEGRADATIONS.items()):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            copies[kind] = degraded(clips, change, folder)
        for held, model in recipes.fold_models(clips, recipe, out_of_fold.FOLDS, seed):
            parts += [
                recipes.predict(model, copy.loc[held.index], recipe, names).assign(kind=kind)
                for kind, copy in copies.items()
            ]
    return pd.concat(parts)


def compare(clips, plain, best, seeds):
    """Both recipes on the same copies: the content of the results' file."""
    each = {}
    for name, recipe in {"plain": plain, "best": best}.items():
        method = partial(predictions, clips, recipe)
        each[name] = [
            out_of_fold.measured(f"degraded copies, {name}", clips, seed, method) for seed in seeds
        ]
    rows = []
    for kind in DEGRADATIONS:
        of_kind = {
            name: [table[table.kind == kind].loc[clips.index] for table in tables]
            for name, tables in each.items()
        }
        rows.append(
            {"kind": kind}
            | {n: out_of_fold.scores(t, clips.group, brief=True) for n, t in of_kind.items()}
            | {"best minus plain": out_of_fold.difference(*of_kind.values(), clips.group)}
        )
    return {"copies": rows, "clips": len(clips), "seeds": list(seeds)}


def main():
    options = out_of_fold.arguments(__doc__).parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    rungs = ladder.ladder()
    results = compare(clips, rungs[ladder.PLAIN], rungs[ladder.AUGMENTED], options.seeds)
    out_of_fold.write("degraded", results)


if __name__ == "__main__":
    main()
