"""Which features are best? STFT, log-mel, MFCC and chroma by one recipe, on the same folds.

Each kind is measured on the folds of the seeds that are asked for, with networks of one size; every
pair is compared by McNemar's exact test on the clips' probabilities, averaged over the seeds, and
by the paired difference of the balanced accuracy. The recipe and its augmentation were developed on
log-mel pictures. Writes benchmarks/results/features.json.

    python benchmarks/feature_comparison.py --dataset path/to/audio-cats-and-dogs
"""

import itertools
from dataclasses import replace

import ladder
import numpy as np
import out_of_fold

from helpers import datasets, evaluation

KINDS = {"STFT": "stft", "log-mel": "log_mel", "MFCC": "mfcc", "chroma": "chroma"}


def holm(p):
    """Correct the p-values of several tests: a list, in the same order (Holm 1979)."""
    p = np.asarray(p, float)
    steps = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[np.argsort(p)] = np.minimum(steps, 1)
    return corrected.tolist()


def pairs(each, group):
    """Compare each two of {name: tables of predictions, one a seed}: a list of dicts."""
    rows, together = [], {name: out_of_fold.mean_of(tables) for name, tables in each.items()}
    for first, second in itertools.combinations(each, 2):
        found = evaluation.mcnemar(together[first].correct, together[second].correct)
        names = ("first", "second", "only_first", "only_second", "p")
        change = out_of_fold.difference(each[first], each[second], group)
        rows.append(dict(zip(names, (first, second, *found))) | {"second minus first": change})
    for row, corrected in zip(rows, holm([row["p"] for row in rows])):
        row["p"], row["p_holm"] = float(f"{row['p']:.3g}"), float(f"{corrected:.3g}")
    return rows


def main():
    options = out_of_fold.arguments(__doc__).parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    results = compare(clips, ladder.ladder()[ladder.AUGMENTED], options.seeds)
    out_of_fold.write("features", results)


def compare(clips, recipe, seeds):
    """Measure all kinds of features by a recipe: the content of the results' file."""
    rows, each = [], {}
    for name, kind in KINDS.items():
        chosen = replace(recipe, features=kind)
        tables = [
            out_of_fold.by_recipe(f"features, {name}", clips, None, chosen, seed) for seed in seeds
        ]
        rows.append({"name": name} | out_of_fold.scores(tables, clips.group))
        each[name] = tables
    return {
        "features": rows,
        "pairs": pairs(each, clips.group),
        "clips": len(clips),
        "recordings": int(clips.group.nunique()),
        "folds": out_of_fold.FOLDS,
        "seeds": list(seeds),
    }


if __name__ == "__main__":
    main()
