"""What each part of the shipped model's recipe is worth among strangers: `make shipped`.

The recipe with a quarter of its steps, then the same without one part, or with one more; each is
asked about whole sources that it did not hear, and compared with the first on the same clips. Each
network's limit of "neither" is set where it keeps OUT of the other sounds out: what is compared is
how many of the cats and dogs are then called what they are. Writes
benchmarks/results/ablations.json.

    python benchmarks/ablations.py --dataset kaggle+elsewhere --seeds 1
"""

from dataclasses import replace

import games
import numpy as np
import out_of_fold
import pandas as pd
import shipped
import sources_left_out
from shipped import answers as answers_of  # by its own name, its code counts for a key
from sklearn.metrics import roc_auc_score

from helpers import cards, datasets, evaluation, recipes

OUT = 0.85
SHORT = replace(recipes.HOLDS, epochs=10)
# name: fields of the recipe that change, and what is left out of what is learnt from
ABLATIONS = {
    "a quarter of the steps": ({}, ()),
    "without recordings under BY-SA": ({}, ("BY-SA",)),
    "without the games' sounds": ({}, ("games",)),
    "without the teacher": ({"taught": 0.0}, ()),
    "without changed windows": ({}, ("heard",)),
    "without synthetic clips": ({}, ("synthetic",)),
    "without other sounds laid under": ({"background": 0.0}, ("behind",)),
    "with weights averaged over the steps": ({"averaged": True}, ()),
}


def learner(material, fields, without, seed):
    """What sources_left_out.predictions asks of a variant: a function of two catalogs."""
    recipe, heard = replace(SHORT, **fields), material.heard
    if "heard" in without:
        heard = None
    elif "behind" in without:
        heard = heard.where(heard.behind == "")
    given = material._replace(heard=heard)

    def answers(rest, held):
        if "BY-SA" in without:
            rest = rest[~rest.licence.str.contains("BY-SA") | (rest.source == datasets.KAGGLE)]
        of_games = material.beside.source.isin(games.GAMES)
        beside = material.beside[
            of_games & ("games" not in without) | ~of_games & ("synthetic" not in without)
        ]
        return answers_of(pd.concat([rest, beside]), held, recipe, seed, given)

    return answers


def at_the_limit(table):
    """Its cats and dogs alone, right if called so where OUT of the other sounds are kept out."""
    other = table[f"p_{datasets.OTHER}"]
    limit = other[table.label == datasets.OTHER].quantile(1 - OUT)
    pets = table[table.label != datasets.OTHER]
    best = cards.verdicts(pets, 0, limit)
    return pets.assign(predicted=best, correct=best == pets.label)


def row(name, tables, first, clips):
    """What is written down of one variant, its difference to the first with two intervals."""
    limited, before = ([at_the_limit(table) for table in each] for each in (tables, first))
    pets = clips.loc[limited[0].index]
    of_others = [
        roc_auc_score(t.label != datasets.OTHER, 1 - t[f"p_{datasets.OTHER}"]) for t in tables
    ]
    scores = [evaluation.summary(table)["balanced_accuracy"] for table in limited]
    found = {
        "name": name,
        "balanced_accuracy": round(float(np.mean(scores)), 4),
        "AUC of pets and others": round(float(np.mean(of_others)), 4),
        "seconds a fold": float(np.median([table.attrs["seconds"] for table in tables])),
    }
    if tables is not first:
        for unit in ("group", "source"):
            change = evaluation.paired_difference(before, limited, pets[unit])
            found[f"change, {unit}s drawn"] = [round(x, 4) for x in change]
    return found


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    material = shipped.material(options)
    rows, first = [], None
    for name, (fields, without) in ABLATIONS.items():
        tables = [
            sources_left_out.predictions(
                name, material.clips, learner(material, fields, without, seed), seed
            )
            for seed in options.seeds
        ]
        first = first or tables
        rows.append(row(name, tables, first, material.clips))
        print(rows[-1], flush=True)
        facts = {"others kept out": OUT, "steps": SHORT.epochs * SHORT.steps}
        facts |= {"seeds": options.seeds, "folds": sources_left_out.FOLDS, "rows": rows}
        facts["not yet"] = list(ABLATIONS)[len(rows) :]
        out_of_fold.write("ablations", facts)


if __name__ == "__main__":
    main()
