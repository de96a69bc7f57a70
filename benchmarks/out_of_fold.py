"""Predictions of every clip by models that never heard its recording, measured once and kept.

A long measurement can be interrupted: each method's predictions for each seed are a CSV file in
runs/bench/, and a file of the same clips, method and code is read instead of being made again: by
the rule of helpers.cache.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers import cache, datasets, evaluation, files, recipes  # noqa: E402
from helpers.datasets import synthetic  # noqa: E402

KEPT = ROOT / "runs" / "bench"
RESULTS = ROOT / "benchmarks" / "results"
FOLDS = 5
_begun = time.perf_counter()
_kept = []  # seconds that what this program read had taken when it was made


def arguments(program, yamnet=False, ships=False):
    """A parser of what every measurement on recordings takes, described by its docstring.

    Args:
        program: the docstring.
        yamnet, ships: whether it hears by YAMNet, and whether it makes a model that is shipped.
    """
    parser = argparse.ArgumentParser(description=program.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="folder of the real recordings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    if yamnet:
        parser.add_argument("--yamnet", default="auto", help="auto, none or the path of its file")
    if ships:
        told = "write the figures, and leave the shipped model as it is"
        parser.add_argument("--measure-only", action="store_true", help=told)
    return parser


def clips_of(dataset):
    """The recordings, and synthetic clips to pretrain on: two catalogs."""
    made = synthetic.make_dataset(KEPT / "synthetic", seed=1, n_clips=1_000)
    return datasets.load(dataset, quiet=True), datasets.load(made, quiet=True)


def measured(name, clips, seed, method, kept_as=None, folds=FOLDS, **settings):
    """Predictions of one method for one seed: read, or made by calling it.

    Args:
        name: what is printed.
        clips: a catalog.
        seed: of the folds and the method.
        method: called with the seed; gives a DataFrame as evaluation.predict does, indexed as the
            catalog. Its attrs["parameters"], if it has any, are kept.
        kept_as: of the file, by default the name.
        folds: by which the seconds are divided.
        settings: what the result depends on besides what the method holds.

    Returns:
        DataFrame; attrs: seconds and cpu_seconds a fold, with the making of the features;
        parameters.
    """
    key = cache.key(method, seed, datasets.fingerprint(clips), settings)
    path = KEPT / f"{kept_as or name}-{seed}-{key}.csv"
    if path.is_file():
        table = pd.read_csv(path, index_col="clip")
        about = json.loads(path.with_suffix(".json").read_text("utf-8"))
        _kept.append(about["seconds"] * folds)
    else:
        recipes.forget()  # windows kept from another method would cost nothing
        start, busy = time.perf_counter(), time.process_time()
        table = method(seed)
        about = {
            "seconds": round((time.perf_counter() - start) / folds, 1),
            "cpu_seconds": round((time.process_time() - busy) / folds, 1),
            "parameters": table.attrs.get("parameters"),
        }
        files.write_json(path.with_suffix(".json"), about)
        with files.atomic(path) as part:
            table.to_csv(part, index_label="clip")
    table.attrs.update(about)
    balanced = evaluation.summary(table)["balanced_accuracy"]
    print(f"{name:36} seed {seed}: {balanced:6.1%}, {about['seconds']} s a fold", flush=True)
    return table


def once(path, make):
    """Make a file, unless an earlier run has: its seconds count either way.

    Args:
        path: of the file; the seconds that it took stand beside it as .json.
        make: function of the opened file, binary, that writes it.
    """
    note = path.with_suffix(".json")
    if path.is_file():
        _kept.append(json.loads(note.read_text("utf-8"))["seconds"] if note.is_file() else 0)
        return
    start = time.perf_counter()
    with files.atomic(path) as part:
        with part.open("wb") as opened:
            make(opened)
        files.write_json(note, {"seconds": round(time.perf_counter() - start, 1)})


def write(name, results):
    """Write a file of results, with the seconds on the clock that making all of it takes.

    They are this program's from its beginning; what it read from an earlier run counts as it did
    then.

    Args:
        name: of the file in benchmarks/results, or the path of another.
        results: dict.
    """
    path = RESULTS / f"{name}.json" if isinstance(name, str) else name
    seconds = time.perf_counter() - _begun + sum(_kept)
    files.write_json(path, results | {"seconds": round(seconds)})


def of_the_model(name, *facts):
    """What a file of results says of the model that is shipped: dict, of the facts it has."""
    path = RESULTS / f"{name}.json"
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {fact: found[fact] for fact in facts if fact in found}


def by_recipe(name, clips, synthetic, recipe, seed):
    """As measured, of a recipe, once under any name; synthetic: the synthetic clips it may take."""

    def method(seed):
        return recipes.cross_validate(clips, recipe, FOLDS, seed, synthetic)

    return measured(name, clips, seed, method, "recipe")


def scores(tables, group, brief=False):
    """Balanced accuracy of one method over its seeds.

    Args:
        tables: list of DataFrames as from measured, one a seed.
        group: of each clip.
        brief: only the balanced accuracy and its interval.

    Returns:
        dict: balanced_accuracy, the mean over the seeds; low, high, its 95 % interval, for which
        groups are drawn; by_seed; accuracy; errors, a seed; seconds and cpu_seconds a
        fold, the second summed over the cores and little moved by what else runs; parameters.
    """
    each = [evaluation.summary(table) for table in tables]
    low, high = evaluation.bootstrap_interval(tables, group)
    balanced = {
        "balanced_accuracy": round(float(np.mean([one["balanced_accuracy"] for one in each])), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }
    if brief:
        return balanced
    return balanced | {
        "by_seed": [round(float(one["balanced_accuracy"]), 4) for one in each],
        "accuracy": round(float(np.mean([one["accuracy"] for one in each])), 4),
        "errors": [int((~table.correct).sum()) for table in tables],
        "seconds": _median(tables, "seconds"),
        "cpu_seconds": _median(tables, "cpu_seconds"),
        "parameters": tables[0].attrs.get("parameters"),
    }


def difference(first, second, group):
    """By how much the second method is better on the same clips: [points of 1, low, high].

    Args:
        first, second: lists of DataFrames as from measured, one a seed, of the same seeds.
        group: of each clip.
    """
    return [round(x, 4) for x in evaluation.paired_difference(first, second, group)]


def _median(tables, name):
    return float(np.median([table.attrs.get(name, np.nan) for table in tables]))


def mean_of(tables):
    """One table whose probabilities are the mean over several: seeds, or methods."""
    columns = [name for name in tables[0] if name.startswith("p_")]
    mean = np.mean([table[columns].to_numpy() for table in tables], axis=0)
    names = [name.removeprefix("p_") for name in columns]
    return evaluation.table(mean, tables[0], names)
