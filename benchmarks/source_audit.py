"""Which clips of which sources hold the same sound? The audit, across all sources at once.

Two sources may have one recording: a network that heard it in the one would be asked about it in
the other. So clips that share audio are found by comparing all waveforms, whatever their folder;
together with what the manifests state they make the groups that no fold parts. Writes
benchmarks/results/source_audit.json.

    python benchmarks/source_audit.py --dataset kaggle+elsewhere
"""

import argparse

import out_of_fold
import pandas as pd

from helpers import cache, datasets, splits


def heard(clips):
    """Pairs of clips that share audio, as splits.shared_audio finds them; made once and kept."""
    key = cache.key(splits.shared_audio, datasets.fingerprint(clips), list(clips.index))
    path = out_of_fold.KEPT / f"shared-audio-{key}.csv"
    out_of_fold.once(path, lambda opened: splits.shared_audio(clips).to_csv(opened, index=False))
    return pd.read_csv(path)


def audit(clips, pairs):
    """What the pairs say of the sources: the content of the results' file.

    Args:
        clips: a catalog of several sources, whose groups hold what was heard and what is stated.
        pairs: DataFrame as from splits.shared_audio.

    Returns:
        dict: counts; by_sources, a row for each two sources (or one with itself) with shared audio:
        pairs, clips, and pairs of unlike labels; across, a row for each group of several sources.
    """
    both = [pairs[side].map(clips.source) for side in ("clip_a", "clip_b")]
    first, second = (pd.concat(both, axis=1).agg(end, axis=1) for end in ("min", "max"))
    unlike = pairs.clip_a.map(clips.label) != pairs.clip_b.map(clips.label)
    table = pairs.assign(first=first, second=second, unlike=unlike)
    rows = [
        {
            "sources": list(names),
            "pairs": len(part),
            "clips": len({*part.clip_a, *part.clip_b}),
            "of unlike labels": int(part.unlike.sum()),
        }
        for names, part in table.groupby(["first", "second"])
    ]
    spans = clips.groupby("group").source.transform("nunique") > 1
    across = [
        {
            "clips": {source: len(some) for source, some in part.groupby("source")},
            "labels": sorted(set(part.label)),
        }
        for _, part in clips[spans].groupby("group", sort=False)
    ]
    return {
        "clips": len(clips),
        "sources": int(clips.source.nunique()),
        "recordings": int(clips.group.nunique()),
        "pairs": len(pairs),
        "by_sources": rows,
        "across": across,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="several sources, joined by +")
    options = parser.parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    out_of_fold.write("source_audit", audit(clips, heard(clips)))


if __name__ == "__main__":
    main()
