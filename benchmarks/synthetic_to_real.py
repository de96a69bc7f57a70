"""Does a network trained on synthetic clips alone recognise real cats and dogs?

Three draws of 300 synthetic clips, three training seeds each; every network is tested on all the
real recordings of a folder laid out as Kaggle's. No real clip is trained on, and none chooses an
epoch or a threshold; but the generator's laws and this recipe were chosen with an eye on these
same recordings, so that the figures are no estimate for recordings of another origin. Writes
benchmarks/results/synthetic_to_real.json.

    python benchmarks/synthetic_to_real.py --dataset path/to/audio-cats-and-dogs
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import out_of_fold

from helpers import datasets, recipes
from helpers.datasets import synthetic

RECIPE = replace(recipes.BEST, epochs=18)


def measure(real, made, seed):
    """Train on the synthetic clips, and predict the real ones: a table, as out_of_fold.measured."""
    model = recipes.train(made, RECIPE, seed)
    table = recipes.predict(model, real, RECIPE, datasets.classes(made))
    table.attrs["parameters"] = model.count_params()
    return table


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="folder of the real recordings")
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 2, 3], help="synthesis seeds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="training seeds")
    parser.add_argument("--clips", type=int, default=300, help="synthetic clips a draw")
    parser.add_argument("--out", type=Path, default=out_of_fold.RESULTS / "synthetic_to_real.json")
    options = parser.parse_args(arguments)
    real, runs = datasets.load(options.dataset, quiet=True), []
    print("draw  seed  cat right  dog right  balanced accuracy  seconds")
    for draw in options.draws:
        folder = out_of_fold.KEPT / f"synthetic-{draw}-{options.clips}"
        made = datasets.load(synthetic.make_dataset(folder, draw, options.clips), quiet=True)
        for seed in options.seeds:
            method, name = partial(measure, real, made), f"synthetic to real, draw {draw}"
            table = out_of_fold.measured(name, real, seed, method, folds=1)
            right = table.groupby("label").correct.mean()
            run = {"draw": draw, "seed": seed} | {k: round(float(v), 4) for k, v in right.items()}
            run["balanced_accuracy"] = round(float(right.mean()), 4)
            run["seconds"] = table.attrs["seconds"]
            runs.append(run)
            print(
                f"{draw:4}{seed:6}{run['cat']:11.1%}{run['dog']:11.1%}"
                f"{right.mean():19.1%}{run['seconds']:9.0f}",
                flush=True,
            )
    balanced = [run["balanced_accuracy"] for run in runs]
    results = {
        "trained on": f"{options.clips} synthetic clips a draw",
        "tested on": f"{len(real)} recordings, {datasets.fingerprint(real)}",
        "mean": round(float(np.mean(balanced)), 4),
        "minimum": min(balanced),
        "parameters": table.attrs["parameters"],
        "runs": runs,
    }
    out_of_fold.write(options.out, results)
    print(f"mean {results['mean']:.1%}, minimum {results['minimum']:.1%}")


if __name__ == "__main__":
    main()
