"""Who may stand on which side: recordings that belong together, and splits that keep them so."""

from collections import defaultdict

import numpy as np
import pandas as pd
import soundfile
from sklearn.model_selection import StratifiedGroupKFold

_RUN = 32  # samples that must agree exactly at an anchor
_ONE_IN = 64  # one run in so many becomes an anchor
_QUIET = 50  # 16-bit steps: below it a run is silence, which many clips share


def shared_audio(paths, min_overlap=0.05):
    """Find pairs of files that hold the very same samples somewhere.

    Two cuts of one recording agree sample by sample over their overlap. Hashing every run of 32
    samples and keeping one hash in 64 gives each file anchors that do not depend on where the
    file starts; two files with many anchors at one common offset share that stretch. It sees
    exact copies only: a cut that was scaled or compressed again has other samples.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        paths: audio files of one sample rate.
        min_overlap: seconds that must be shared.

    Returns:
        DataFrame (a, b, offset, overlap): positions in paths, the time in a at which b starts,
        and the seconds they share.

    Source: winnowing, Schleimer, Wilkerson and Aiken (2003), applied to samples.
    """
    anchors, lengths, rate = defaultdict(set), [], 1
    for i, path in enumerate(paths):
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
        lengths.append(len(samples))
        for value, position in _anchors(samples[:, 0]):
            anchors[value].add((i, position))
    offsets = defaultdict(lambda: defaultdict(int))
    for places in anchors.values():
        places = sorted(places)[:20]  # a value in very many files is a hum, not a recording
        for n, (i, p) in enumerate(places):
            for j, q in places[n + 1 :]:
                if i != j:
                    offsets[i, j][p - q] += 1
    rows = []
    for (i, j), counts in sorted(offsets.items()):
        offset, votes = max(counts.items(), key=lambda item: item[1])
        overlap = (min(lengths[i], lengths[j] + offset) - max(0, offset)) / rate
        if overlap >= min_overlap and votes >= max(4, overlap * rate / _ONE_IN / 8):
            rows.append((i, j, offset / rate, overlap))
    return pd.DataFrame(rows, columns=["a", "b", "offset", "overlap"])


def _anchors(samples):
    """(hash, position) of the runs chosen as anchors."""
    n = len(samples) - _RUN + 1
    if n < 1:
        return []
    wide = samples.astype(np.int64).astype(np.uint64)
    hashes = np.zeros(n, np.uint64)
    for k in range(_RUN):
        hashes = hashes * np.uint64(1_000_003) + wide[k : k + n]  # wraps around, as wanted
    hashes ^= hashes >> np.uint64(29)
    chosen = np.flatnonzero(hashes % np.uint64(_ONE_IN) == 0)
    loud = np.abs(samples.astype(np.int32))
    return [(int(hashes[p]), int(p)) for p in chosen if loud[p : p + _RUN].max() > _QUIET]


def groups(n, pairs):
    """Number the connected sets: clips joined by a pair, directly or through others.

    Args:
        n: number of clips.
        pairs: DataFrame with columns a, b, as from shared_audio.

    Returns:
        int array, shape (n,): equal numbers may not be split.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(pairs)), (pairs.a, pairs.b)), shape=(n, n))
    return connected_components(edges, directed=False)[1]


def hold_out(catalog, fraction, seed=0):
    """Choose a part of the clips, stratified by label and never parting a group.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        catalog: DataFrame with columns label and group.
        fraction: share of the clips to hold out, above 0 and at most a half.
        seed: same seed, same choice.

    Returns:
        bool array, shape (clips,): True for the clips held out.

    Raises:
        ValueError: the fraction is out of range, or a label has fewer than two groups.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5, not {fraction}")
    fewest = catalog.groupby("label").group.nunique()
    if fewest.min() < 2:
        raise ValueError(
            f"{fewest.idxmin()!r} has only {fewest.min()} independent recording to be split: each "
            "split needs two a class, so training, validation and test take three in all"
        )
    folds = int(np.clip(round(1 / fraction), 2, fewest.min()))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    held = next(splitter.split(catalog, catalog.label, catalog.group))[1]
    return np.isin(np.arange(len(catalog)), held)


def with_validation(catalog, fraction=0.2, seed=0):
    """Turn a part of the training clips into a validation part.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        catalog: DataFrame with columns label, split, group.
        fraction: share of the training clips.
        seed: same seed, same choice.

    Returns:
        a copy of the catalog whose column split also holds "validation".
    """
    catalog = catalog.copy()
    train = catalog[catalog.split == "train"]
    catalog.loc[train.index[hold_out(train, fraction, seed)], "split"] = "validation"
    return catalog
