"""Train a classifier of any sounds, one folder a class, and measure what can be said of it.

It is trained on all recordings, so that it is never scored on them: its figures come from models
of the same recipe, each asked about the recordings of a fold that it did not hear. Writes a folder
with model.keras, model.tflite, its card for programs, model.json, and for readers, README.md.

    python tools/train_model.py --dataset path/to/recordings --name mine
"""

import argparse
import os
import re
import sys
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

from helpers import cards, datasets, evaluation, files, predict, recipes, splits

RUNS = files.runs()
FOLDS = 5


def at_least_one(text):
    """A whole number from 1, as argparse wants it."""
    if not re.fullmatch("[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def folds_by_source(clips, most, seed):
    """Folds that leave out whole sources, as many as the rarest class has, up to most."""
    n = min(most, clips.groupby("label").source.nunique().min())
    if n < 2:
        raise ValueError("each class must come from two sources, for one to be left out")
    return splits.each_fold(clips, n, seed, by="source")


def refusal(clips):
    """What is missing before a classifier can be trained on a catalog, in a sentence; else None."""
    recordings = clips.groupby("label").group.nunique()
    classes = [name for name in recordings.index if name != datasets.OTHER]
    if len(classes) < 2:
        return f"only one class, {classes[0]!r}, can be read: a classifier needs two folders"
    words = predict.RESERVED | {predict.NEITHER, predict.NONE}
    taken = sorted(words & set(recordings.index))
    if taken:
        return (
            f"a class cannot be called {', '.join(taken)}, which an answer uses: rename the folder"
        )
    few = recordings[recordings < 2].index
    if len(few):
        return (
            f"{', '.join(map(repr, few))}: only one independent recording; a class needs two, to "
            "learn from one and be asked about the other: add recordings made at another time or "
            "place, or leave the folder out"
        )
    return None


def fold_count(clips, seed, most=FOLDS):
    """How many folds there can be: at most as many as the rarest class has recordings.

    Raises:
        ValueError: classes share recordings, so that no cut leaves some of each on both sides.
    """
    fewest = clips.groupby("label").group.nunique().min()
    for n in range(min(most, fewest), 1, -1):
        fold = splits.folds(clips, n, seed)
        if all(clips.label[fold != k].nunique() == clips.label.nunique() for k in range(n)):
            return n
    raise ValueError("clips of different classes share recordings: none can be held out alone")


def spoken(seconds):
    """A time to wait, in words."""
    return f"about {seconds / 60:.0f} min" if seconds > 90 else f"about {max(seconds, 1):.0f} s"


def estimate(clips, recipe, trainings):
    """Seconds that some trainings will take, from a few steps of one network."""
    few = replace(recipe, epochs=1, steps=5)
    recipes.train(clips, few)  # TensorFlow compiles, and the windows are cut
    begun = time.perf_counter()
    recipes.train(clips, replace(few, steps=25))
    a_step = (time.perf_counter() - begun) / 25
    return a_step * trainings * recipe.epochs * recipe.steps


def progress(n):
    """What to call after each of n folds: says how it went and how long the rest takes."""
    begun, done = time.perf_counter(), count(1)

    def say(table):
        k = next(done)
        left = (time.perf_counter() - begun) / k * (n + 1 - k)  # the model of all comes last
        print(
            f"fold {k} of {n}: {table.correct.sum()} of {len(table)} clips right; "
            f"{spoken(left)} to go",
            flush=True,
        )

    return say


def training(clips, recipe, folder, name, seed=0):
    """Cross-validate, train on all, and write the folder, whole or not at all; returns the card."""
    names = datasets.classes(clips)
    n = fold_count(clips, seed)
    print(
        f"{len(names)} classes, {n} folds. First the figures, by {n} trainings, then the model."
        + ("" if n == FOLDS else f" More than {n} recordings of each class allow more folds."),
        flush=True,
    )
    print(f"That takes {spoken(estimate(clips, recipe, n + 1))}.", flush=True)
    table = recipes.cross_validate(clips, recipe, n, seed, after=progress(n))
    title = re.sub(r"[-_]+", " ", name)
    temperature = evaluation.temperature(table)
    limit = {}
    if datasets.OTHER in names:
        scaled = evaluation.rescale(table, temperature)
        limit["other_from"] = round(cards.limit(scaled), 3)
    about = cards.card_of(
        clips,
        temperature,
        **limit,
        title=title[:1].upper() + title[1:],
        licence=None,
        examples=[],
        credits=cards.credits(clips),
    )
    about["recipe"] = {
        "epochs": recipe.epochs,
        "batches": recipe.epochs * recipe.steps,
        "windows a batch": recipe.batch_size,
    }
    about["figures"] = cards.figures(
        table, clips, splits.folds(clips, n, seed), about["unsure_below"], **limit
    )
    print("the model itself, on all recordings", flush=True)
    model = recipes.train(clips, recipe, seed)
    cards.save(model, about, folder, clips)
    return about


def main(arguments=None):
    """Train as the command line says, and say what to do next."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="folder of the recordings")
    parser.add_argument(
        "--background",
        metavar="SOURCE",
        help="other sounds, to be called neither: elsewhere, esc50, or a folder",
    )
    parser.add_argument("--name", help="of the model; by default the folder's")
    parser.add_argument(
        "--epochs",
        type=at_least_one,
        help=f"of {recipes.BEST.steps} batches each (default: {recipes.BEST.epochs}), or of "
        f"{recipes.HOLDS.steps} (default: {recipes.HOLDS.epochs}) with other sounds",
    )
    options = parser.parse_args(arguments)
    name = options.name or Path(options.dataset).name
    if not re.fullmatch(r"\w[\w.-]*", name):
        sys.exit(
            f"{name!r} is no name for a folder: take letters, digits, - and _, as in NAME=mine"
        )
    folder = RUNS / "models" / name
    if folder.exists() and not (folder / "model.json").is_file():
        sys.exit(f"{folder} holds something else: choose another NAME")
    try:
        print("Reading the recordings, and comparing them for shared audio ...", flush=True)
        clips = datasets.load(options.dataset)
        if options.background:
            clips = datasets.with_background(clips, options.background)
        names = datasets.classes(clips)
        if say := refusal(clips):
            sys.exit(say)
        recipe = recipes.HOLDS if datasets.OTHER in names else recipes.BEST
        if options.epochs:
            recipe = replace(recipe, epochs=options.epochs)
        about = training(clips, recipe, folder, name)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    found = about["figures"]
    shown = os.path.relpath(folder)
    print(
        f"{shown}: {100 * found['balanced_accuracy']:.1f} % balanced accuracy "
        f"({100 * found['low']:.1f} to {100 * found['high']:.1f}), where guessing gives "
        f"{100 * found['chance']:.1f} %.\n"
        f"Next: make app MODEL={shown} opens a page that asks it; "
        f"{shown}/README.md says how far to trust it."
    )


if __name__ == "__main__":
    main()
