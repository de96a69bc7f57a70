"""Make the head on YAMNet that the course ships, and measure it as the compact model is measured.

YAMNet, a network by others, is asked about each frame of each clip, once. A logistic regression on
its embedding and scores answers cat, dog or neither, and a clip's answer joins its frames' by the
rule of the shipped model. The figures come from heads that are asked about whole sources that they
did not hear; the head that ships is fitted on all recordings whose licence allows it. Writes
data/pretrained/yamnet_head.npz, its card as .json, and benchmarks/results/yamnet_head.json. Nothing
of YAMNet is in them.

    python benchmarks/yamnet_head.py --dataset kaggle+elsewhere
"""

import sys

import degraded_copies
import numpy as np
import out_of_fold
import pandas as pd
import sources_left_out
from scipy.special import softmax

from helpers import audio, cache, cards, datasets, evaluation, files, transfer

MOST = 12  # frames of a clip that the head learns from, the loudest; each clip weighs alike


def heard_by(backbone, clips):
    """What YAMNet makes of each clip, as transfer.by_frame gives it: {clip: (numbers, level)}."""
    key = cache.key(transfer.by_frame, datasets.fingerprint(clips), files.digest(backbone.path))
    path = out_of_fold.KEPT / f"yamnet-frames-{key}.npz"

    def make(opened):
        found = [transfer.by_frame(backbone, audio.load(file)[0]) for file in clips.path]
        numbers, level = map(np.concatenate, zip(*found))
        count = [len(one) for _, one in found]
        np.savez(opened, numbers=numbers, level=level, count=count)

    out_of_fold.once(path, make)
    with np.load(path) as kept:
        edges = np.cumsum(kept["count"])[:-1]
        parts = [np.split(kept[name], edges) for name in ("numbers", "level")]
    return dict(zip(clips.index, zip(*parts)))


def fitted(clips, heard):
    """A head that has learnt from the loudest frames of some clips."""
    rows, labels, weights = [], [], []
    for clip, label in clips.label.items():
        numbers, level = heard[clip]
        loud = [k for k in np.argsort(-level)[:MOST] if level[k] >= 0.1 * level.max()]
        rows.append(numbers[loud])
        labels += [label] * len(loud)
        weights += [1 / len(loud)] * len(loud)
    return transfer.fit_head(np.concatenate(rows), labels, weights)


def answered(head, clips, heard):
    """Predictions of some clips by a head, as predict.Classifier joins the frames of a clip."""
    names = list(head.classes_)
    other = names.index(datasets.OTHER)
    logits = [
        audio.level_weighted_mean(head.decision_function(numbers), level, other)
        for numbers, level in map(heard.get, clips.index)
    ]
    return evaluation.table(softmax(logits, axis=1), clips, names)


def write(head, card, path):
    """Write a head, and its card beside it."""
    numbers = {"coefficients": head.coef_, "intercepts": head.intercept_}
    numbers = {name: part.astype(np.float32) for name, part in numbers.items()}
    with files.atomic(path) as part, part.open("wb") as opened:
        np.savez(opened, classes=np.array(card["names"]), **numbers)
    files.write_json(path.with_suffix(".json"), card)


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True, ships=True).parse_args()
    clips = sources_left_out.load(options.dataset)
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("there is no YAMNet to put a head on: say where it is with --yamnet")
    heard_of = {kind: heard_by(backbone, copy) for kind, copy in degraded_copies.copies(clips)}
    heard = heard_of[degraded_copies.AS_RECORDED]

    def answers(rest, held):
        head = fitted(rest, heard)
        table = pd.concat(
            answered(head, held, of_kind).assign(kind=kind) for kind, of_kind in heard_of.items()
        )
        table.attrs["parameters"] = head.coef_.size + head.intercept_.size
        return table

    name = "head on YAMNet, sources left out"
    results = sources_left_out.measured(name, clips, options.seeds, lambda seed: answers)
    if options.measure_only:
        facts = "parameters", "bytes"
        out_of_fold.write("yamnet_head", results | out_of_fold.of_the_model("yamnet_head", *facts))
        return

    shipped = clips[sources_left_out.may_ship(clips)]
    head = fitted(shipped, heard)
    card = cards.card_of(
        shipped,
        results["temperature"],
        other_from=results["other from"],
        title="Barks & Meows, by YAMNet",
        licence="cc-by-sa-4.0",
        examples="voices",
        credits=cards.credits(shipped),
        window_seconds=transfer.FRAME / audio.SAMPLE_RATE,
        window_hop_seconds=transfer.HOP / audio.SAMPLE_RATE,
    )
    del card["keras"]  # which has no part in it
    write(head, card, transfer.HEAD)
    results["parameters"] = head.coef_.size + head.intercept_.size
    results["bytes"] = transfer.HEAD.stat().st_size
    out_of_fold.write("yamnet_head", results)


if __name__ == "__main__":
    main()
