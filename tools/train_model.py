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
import textwrap
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import audio, datasets, evaluation, export, files, predict, recipes, splits, windows
from helpers.quiet import keras

RUNS = files.runs()
UNSURE_BELOW = {2: 0.6}  # by the number of classes; chosen beforehand, for any recipe
UNSURE_BELOW_ELSE = 0.5  # below it, a calibrated answer is wrong more often than right
FOLDS = 5


def at_least_one(text):
    """A whole number from 1, as argparse wants it."""
    if not re.fullmatch("[1-9][0-9]*", text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def answers(names):
    """What a model of these classes answers: "other" is said as "neither", or "none of these"."""
    said = predict.NEITHER if len(names) == 3 else predict.NONE
    return [said if name == datasets.OTHER else name for name in names]


def folds_by_source(clips, most, seed):
    """Folds that leave out whole sources, as many as the rarest class has, up to most."""
    n = min(most, clips.groupby("label").source.nunique().min())
    if n < 2:
        raise ValueError("each class must come from two sources, for one to be left out")
    return splits.each_fold(clips, n, seed, by="source")


def with_background(clips, source):
    """A catalog and, as its class "other", what a second one holds of other kinds.

    What that one calls by the name of one of the classes, or lists as that kind, is left out.
    """
    behind = datasets.load(source)
    kind = behind.get("kind", behind.label)
    names = {name.casefold() for name in datasets.classes(clips)} - {datasets.OTHER}
    known = behind.label.str.casefold().isin(names) | kind.str.casefold().isin(names)
    if known.all():
        raise ValueError(f"{source} holds no other sounds than those of the classes themselves")
    print(
        f"Background: {(~known).sum()} clips as {datasets.OTHER!r}, {known.sum()} left out; kinds: "
        + ", ".join(sorted(set(kind[~known])))
    )
    return datasets.joined([clips, behind[~known].assign(kind=kind, label=datasets.OTHER)])


def refusal(clips):
    """What is missing before a classifier can be trained on a catalog, in a sentence; else None."""
    recordings = clips.groupby("label").group.nunique()
    classes = [name for name in recordings.index if name != datasets.OTHER]
    if len(classes) < 2:
        return f"only one class, {classes[0]!r}, can be read: a classifier needs two folders"
    words = {"start", "end", "weight", "unsure", predict.NEITHER, predict.NONE}
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


def calibrated(table, fold):
    """Each fold rescaled by the temperature that fits the others."""
    parts = [
        evaluation.rescale(table[fold == k], evaluation.temperature(table[fold != k]))
        for k in np.unique(fold)
    ]
    return pd.concat(parts).loc[table.index]


def verdicts(table, unsure_below):
    """What predict.Classifier answers to such probabilities, by its default limit for others."""
    shares = table.filter(like="p_").rename(columns=lambda name: name.removeprefix("p_"))
    known = shares.drop(columns=datasets.OTHER, errors="ignore")
    answer = known.idxmax(axis=1)
    answer[known.max(axis=1) / known.sum(axis=1).clip(1e-30) < unsure_below] = "unsure"
    if datasets.OTHER in shares:
        answer[shares[datasets.OTHER] >= 0.5] = datasets.OTHER
    return answer


def figures(table, clips, fold, unsure_below):
    """What the card says was measured: dict of shares of 1 and of counts.

    Args:
        table: as from recipes.cross_validate, one row a clip.
        clips: the catalog.
        fold: int, shape (clips,): of each clip.
        unsure_below: probability below which the answer is unsure.
    """
    low, high = evaluation.bootstrap_interval(table, clips.group)
    scaled = calibrated(table, fold)
    scaled = scaled.assign(answer=verdicts(scaled, unsure_below))
    sure = scaled[scaled.answer != "unsure"]
    wrong = table[~table.correct].groupby(["label", "predicted"]).size()
    wrong = wrong.sort_values(ascending=False, kind="stable").head(5)
    return {
        "folds": int(fold.max()) + 1,
        "balanced_accuracy": round(evaluation.summary(table)["balanced_accuracy"], 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "chance": round(1 / clips.label.nunique(), 4),
        "classes": {
            name: {
                "clips": len(part),
                "recordings": int(clips.group[part.index].nunique()),
                "right": int(part.correct.sum()),
            }
            for name, part in table.groupby("label")
        },
        "confused": [[*pair, int(count)] for pair, count in wrong.items()],
        "calibration_error": round(evaluation.calibration_error(scaled), 4),
        "answered": round(len(sure) / len(table), 4),
        "right_where_answered": round(float(sure.answer.eq(sure.label).mean()), 4)
        if len(sure)
        else None,
    }


def card_of(clips, temperature, **more):
    """The card that helpers.predict reads: what the model was made of and how to use it."""
    labels = datasets.classes(clips)
    names = answers(labels)
    other = labels.index(datasets.OTHER) if datasets.OTHER in labels else None
    known = len(names) - (other is not None)
    counted = f"{len(clips)} clips of {clips.group.nunique()} recordings"
    return {
        "names": names,
        "other": other,
        "unsure_below": UNSURE_BELOW.get(known, UNSURE_BELOW_ELSE),
        "temperature": round(temperature, 3),
        "trained on": f"{counted}, {datasets.fingerprint(clips)}",
        "files": sorted({*map(files.digest, clips.path)}),
        "licences": sorted(set(clips.licence)),
        "keras": keras.__version__,
        "window_seconds": windows.LENGTH / audio.SAMPLE_RATE,
        "window_hop_seconds": windows.HOP / audio.SAMPLE_RATE,
    } | more


def write(model, card, path, some):
    """Write a model of log-mel windows as .keras, .tflite and .json beside one another.

    Args:
        model: as from recipes.train.
        card: as from card_of.
        path: of the .keras file.
        some: a catalog of a few clips to compare the two files on.

    Returns:
        float, the largest difference of a probability between the two files.
    """
    whole = export.from_waveform(model, card["names"], card["temperature"], card["other"])
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path)
    export.to_litert(whole, path.with_suffix(".tflite"))
    files.write_json(path.with_suffix(".json"), card)
    return agreement(path, some)


def agreement(path, clips):
    """Largest difference of a probability between the two files, over some clips of all lengths."""
    both = [predict.Classifier.load(path.with_suffix(ending)) for ending in (".keras", ".tflite")]
    answers = [
        [list(one.predict(file).probabilities.values()) for file in clips.path] for one in both
    ]
    return float(np.abs(np.subtract(*answers)).max())


def in_words(card, name):
    """The card for readers, as Markdown: nothing that is not in the card for programs."""
    found, classes = card["figures"], card["figures"]["classes"]
    total = {key: sum(row[key] for row in classes.values()) for key in ("clips", "recordings")}
    licence = card["licence"] or "not stated here; write it down before you publish the model"
    right, made = found["right_where_answered"], card["recipe"]
    rarest = min(classes, key=lambda label: classes[label]["recordings"])
    rows = [
        f"| {label} | {row['clips']} | {row['recordings']} | {share(row['right'] / row['clips'])} |"
        for label, row in classes.items()
    ]
    confused = [
        f"- {truly} called {called}: {count} of {classes[truly]['clips']} clips"
        for truly, called, count in found["confused"]
    ]
    code = f"""\
```python
from helpers import predict

classifier = predict.Classifier.load("runs/models/{name}/model.tflite")
print(classifier.predict("sound.wav"))
```"""
    parts = [
        f"# Model card: {card['title']}",
        f"{card['question']} `model.keras` takes a waveform and holds its features inside; it "
        "loads with plain Keras. `model.tflite` gives the same answers in LiteRT. `model.json` is "
        "the part of this card that programs read: put your own words into its title, question and "
        "about, and list in its examples the sound files beside it that may be published.",
        code,
        "**Input** float32 (batch, samples), mono, 16 kHz, full scale at ±1, any length. "
        f"**Output** `probabilities` (batch, {len(classes)}) in the order {', '.join(classes)}; "
        "`timeline`, the same a window; `level`, each window's root-mean-square, which is its "
        "weight.",
        "## Data",
        f"{total['clips']} clips from {total['recordings']} recordings. Licence: {licence}.",
        "\n".join(
            ["| class | clips | recordings | called so |", "| --- | --: | --: | --: |", *rows]
        ),
        "## Recipe",
        f"Epochs: {made['epochs']}, in all {made['batches']:,} "
        f"batches of {made['windows a batch']} windows each.",
        "## Figures",
        "The model is trained on all of them, so it is never scored on them: these are figures of "
        f"its recipe in cross-validation with {found['folds']} folds, each clip predicted by a "
        "model that did not hear its recording.",
        f"**{share(found['balanced_accuracy'])}** balanced accuracy (95 % interval "
        f"{100 * found['low']:.1f} to {100 * found['high']:.1f}, by recordings); guessing gives "
        f"{share(found['chance'])}. Expected calibration error: "
        f"{share(found['calibration_error'])}. It gives {share(found['answered'])} of the clips a "
        f"probability of {card['unsure_below']:g} or more"
        + ("" if right is None else f", {share(right)} of them rightly")
        + "; the others it calls unsure. The two files differ by at most "
        f"{card['files_differ_by']:.1e} in a probability.",
        "Most often confused:" if confused else "No clip was called by another class's name.",
        "\n".join(confused),
        "## Limits",
        f"{card['about']} Its figures hold for sounds like these, from the same microphones and "
        f"places; elsewhere it was not measured. Its rarest class, {rarest}, has "
        f"{classes[rarest]['recordings']} recordings.",
    ]
    filled = (
        part if part.startswith(("```", "|", "-", "#")) else textwrap.fill(part, 100)
        for part in parts
        if part
    )
    return "\n\n".join(filled) + "\n"


def share(value):
    return f"{100 * value:.1f} %"


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
    card = card_of(
        clips,
        evaluation.temperature(table),
        title=title[:1].upper() + title[1:],
        question=predict.question(names),
        about=predict.about(names),
        licence=None,
        examples=[],
    )
    card["recipe"] = {
        "epochs": recipe.epochs,
        "batches": recipe.epochs * recipe.steps,
        "windows a batch": recipe.batch_size,
    }
    card["figures"] = figures(table, clips, splits.folds(clips, n, seed), card["unsure_below"])
    print("the model itself, on all recordings", flush=True)
    model = recipes.train(clips, recipe, seed)
    with files.atomic(folder) as part:
        some = clips.iloc[:: -(-len(clips) // 10)]
        card["files_differ_by"] = write(model, card, part / "model.keras", some)
        files.write_json(part / "model.json", card)
        (part / "README.md").write_text(in_words(card, name), "utf-8")
    return card


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
            clips = with_background(clips, options.background)
        names = datasets.classes(clips)
        if say := refusal(clips):
            sys.exit(say)
        recipe = recipes.HOLDS if datasets.OTHER in names else recipes.BEST
        if options.epochs:
            recipe = replace(recipe, epochs=options.epochs)
        card = training(clips, recipe, folder, name)
    except (FileNotFoundError, ConnectionError, ValueError) as error:
        sys.exit(str(error))
    found = card["figures"]
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
