"""A model's folder: the network as two files, and its card, for programs and for readers."""

import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import audio, datasets, evaluation, export, files, predict, windows
from helpers.quiet import keras

_UNSURE_BELOW = {2: 0.6}  # by the number of classes; chosen beforehand, for any recipe
_UNSURE_BELOW_ELSE = 0.5  # below it, a calibrated answer is wrong more often than right


def answers(names):
    """What a model of these classes answers: "other" is said as "neither", or "none of these".

    Args:
        names: labels of a catalog, in the order of their ids.
    """
    said = predict.NEITHER if len(names) == 3 else predict.NONE
    return [said if name == datasets.OTHER else name for name in names]


def _calibrated(table, fold):
    """Each fold rescaled by the temperature that fits the others."""
    parts = [
        evaluation.rescale(table[fold == k], evaluation.temperature(table[fold != k]))
        for k in np.unique(fold)
    ]
    return pd.concat(parts).loc[table.index]


def verdicts(table, unsure_below, other_from=0.5):
    """What predict.Classifier answers to such probabilities: a label a clip, or "unsure".

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        table: DataFrame as from evaluation.predict.
        unsure_below: share of the best class among those that are known, from 0 to 1.
        other_from: probability of "other" from which it is the answer, from 0 to 1.
    """
    shares = table.filter(regex="^p_").rename(columns=lambda name: name.removeprefix("p_"))
    known = shares.drop(columns=datasets.OTHER, errors="ignore")
    answer = known.idxmax(axis=1)
    answer[known.max(axis=1) / known.sum(axis=1).clip(1e-30) < unsure_below] = "unsure"
    if datasets.OTHER in shares:
        answer[shares[datasets.OTHER] >= other_from] = datasets.OTHER
    return answer


def limit(table, kept_out=0.9):
    """The highest probability of "other" to answer so from that keeps out a share of the others.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        table: DataFrame as from evaluation.predict, of clips that the models had not heard.
        kept_out: share of the clips labelled "other", from 0 to 1.

    Returns:
        float, from 0 to 1.
    """
    others = table[f"p_{datasets.OTHER}"][table.label == datasets.OTHER]
    return float(others.quantile(1 - kept_out, interpolation="lower"))


def figures(table, clips, fold, unsure_below, other_from=0.5, held_out="recording"):
    """What the card says was measured: dict of shares of 1 and of counts.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        table: as from recipes.cross_validate, one row a clip.
        clips: the catalog.
        fold: int, shape (clips,): of each clip.
        unsure_below, other_from: as verdicts.
        held_out: what no fold parted: "recording", or "source".
    """
    low, high = evaluation.bootstrap_interval(table, clips.group)
    scaled = _calibrated(table, fold)
    scaled = scaled.assign(answer=verdicts(scaled, unsure_below, other_from))
    sure = scaled[scaled.answer != "unsure"]
    wrong = table[~table.correct].groupby(["label", "predicted"]).size()
    wrong = wrong.sort_values(ascending=False, kind="stable").head(5)
    return {
        "folds": int(fold.max()) + 1,
        "held_out": held_out,
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
    """The card that helpers.predict reads: what the model was made of and how to use it.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        clips: a catalog, all that the model is trained on.
        temperature: as from evaluation.temperature.
        **more: what else is to stand there, such as title, licence, other_from.

    Returns:
        dict, as predict.Classifier takes it.

    Raises:
        ValueError: a class has a name that an answer uses for something else.
    """
    labels = datasets.classes(clips)
    names = answers(labels)
    predict.check_names(names)
    other = labels.index(datasets.OTHER) if datasets.OTHER in labels else None
    known = len(names) - (other is not None)
    counted = f"{len(clips)} clips of {clips.group.nunique()} recordings"
    return {
        "names": names,
        "question": predict.question(names),
        "about": predict.about(names),
        "other": other,
        "unsure_below": _UNSURE_BELOW.get(known, _UNSURE_BELOW_ELSE),
        "temperature": round(temperature, 3),
        "trained on": f"{counted}, {datasets.fingerprint(clips)}",
        "files": sorted({*map(files.digest, clips.path)}),
        "licences": sorted(set(clips.licence)),
        "keras": keras.__version__,
        "window_seconds": windows.LENGTH / audio.SAMPLE_RATE,
        "window_hop_seconds": windows.HOP / audio.SAMPLE_RATE,
    } | more


def credits(clips):
    """By source, whose recordings a model is trained on: dict of clips and licences.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        clips: a catalog.
    """
    return {
        source: {"clips": len(part), "licences": sorted(set(part.licence))}
        for source, part in clips.groupby("source")
    }


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
    return _agreement(path, some)


def save(model, card, folder, clips):
    """Write a model's folder, whole or not at all: model.keras, model.tflite, both cards.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        model: as from recipes.train.
        card: as from card_of, with recipe and figures; "files_differ_by" is added to it.
        folder: path; its last part is the model's name.
        clips: the catalog; ten of them are asked of both files.
    """
    with files.atomic(folder) as part:
        some = clips.iloc[:: -(-len(clips) // 10)]
        card["files_differ_by"] = write(model, card, part / "model.keras", some)
        files.write_json(part / "model.json", card)
        (part / "README.md").write_text(_in_words(card, Path(folder).name), "utf-8")


def _agreement(path, clips):
    """Largest difference of a probability between the two files, over some clips of all lengths."""
    both = [predict.Classifier.load(path.with_suffix(ending)) for ending in (".keras", ".tflite")]
    answers = [
        [list(one.predict(file).probabilities.values()) for file in clips.path] for one in both
    ]
    return float(np.abs(np.subtract(*answers)).max())


def _in_words(card, name):
    """The card for readers, as Markdown: nothing that is not in the card for programs.

    Args:
        card: as save takes it.
        name: of the model's folder.
    """
    found, classes = card["figures"], card["figures"]["classes"]
    share = partial(evaluation.percent, digits=1)
    total = {key: sum(row[key] for row in classes.values()) for key in ("clips", "recordings")}
    weight = (
        "which is its weight"
        if card["other"] is None
        else ("which is its weight, times the odds (1/20 to 20) that it is of a class at all")
    )
    licence = card["licence"] or "not stated here; write it down before you publish the model"
    right, made = found["right_where_answered"], card["recipe"]
    counts = {label: row["recordings"] for label, row in classes.items()}
    rarest = min(counts, key=counts.get)
    fewest = "Each of its classes" if len(set(counts.values())) == 1 else f"Its rarest, {rarest},"
    holds = (
        "Its figures are for people and places that it had not heard, of the few there are."
        if found["held_out"] == "source"
        else "Its figures hold for sounds like these, from the same microphones and places; "
        "elsewhere it was not measured."
    )
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
        f"**Output** `probabilities` (batch, {len(classes)}) in the order "
        f"{', '.join(card['names'])}; `timeline`, the same a window; `level`, each window's "
        f"root-mean-square, {weight}.",
        "## Data",
        f"{total['clips']} clips from {total['recordings']} recordings. Licence: {licence}.",
        "\n".join(
            ["| class | clips | recordings | called so |", "| --- | --: | --: | --: |", *rows]
        ),
        "## Recipe",
        f"Epochs: {made['epochs']}, in all {made['batches']:,} "
        f"batches of {made['windows a batch']} windows each.",
        "## Figures",
        "The model is trained on all of these clips, so it is never scored on them: these are "
        f"figures of its recipe in cross-validation with {found['folds']} folds, each clip "
        f"predicted by a model that did not hear its {found['held_out']}.",
        f"**{share(found['balanced_accuracy'])}** balanced accuracy (95 % interval "
        f"{100 * found['low']:.1f} to {100 * found['high']:.1f}, by recordings); guessing gives "
        f"{share(found['chance'])}. Expected calibration error: "
        f"{share(found['calibration_error'])}. It answers {share(found['answered'])} of the clips"
        + ("" if right is None else f", {share(right)} of those rightly")
        + f"; the others, where no class has {card['unsure_below']:g} or more among those that it "
        "knows, it calls unsure. The two files differ by at most "
        f"{card['files_differ_by']:.1e} in a probability.",
        "Most often confused:" if confused else "No clip was called by another class's name.",
        "\n".join(confused),
        "## Limits",
        f"{card['about']} {holds} {fewest} has {counts[rarest]} recordings.",
    ]
    filled = (
        part if part.startswith(("```", "|", "-", "#")) else textwrap.fill(part, 100)
        for part in parts
        if part
    )
    return "\n\n".join(filled) + "\n"
