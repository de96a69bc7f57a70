"""Who may stand on which side: recordings that belong together, and splits that keep them so."""

from collections import defaultdict

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from helpers import audio, files

_RUN = 32  # steps that must go up and down alike
_ONE_IN = 8  # one run in so many is kept, chosen by its content
_COMMON = 20  # a run that occurs more often is hum or silence, not a recording
_VOTES = 12  # agreeing runs that make an offset worth a closer look
_FRAME = 1600  # samples: 0.1 s
_AGREE = 0.8  # correlation from which a frame counts as the same sound


def shared_audio(clips: pd.DataFrame, min_overlap: float = 1.0) -> pd.DataFrame:
    """Find every pair of clips that hold the same stretch of a recording.

    First the candidates: whether a waveform goes up or down at each sample does not depend on its
    level, and 32 such steps in a row are as good as a name. Clips that have many names in common
    at one offset are laid over each other. Then the proof: frame by frame, the correlation of the
    two waveforms' steps. Similar calls never correlate so; copies do, also a copy that was made
    louder, filtered mildly or mixed with some noise.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog.
        min_overlap: seconds in which the frames must agree.

    Returns:
        DataFrame, one row a pair: clip_a, clip_b (index of the catalog); offset_a, offset_b, the
        seconds at which the shared stretch begins in each; overlap, its length in seconds; and
        correlation, from -1 to 1, over that stretch. Byte-identical files are listed however
        short or silent they are.

    Source: offset voting as in Wang (2003), on runs of signs in place of spectral peaks.
    """
    waves = [steps(audio.load(path)[0]) for path in clips.path]
    found = [runs(wave) for wave in waves]
    owner = np.repeat(np.arange(len(waves)), [len(place) for _, place in found])
    names, place = map(np.concatenate, zip(*found))
    rows = {}
    for pair, offsets in candidates(votes(names, owner, place)).items():
        agreed, shared = agreement(*(waves[i] for i in pair), offsets)
        if agreed >= min_overlap:
            rows[pair] = shared
    first = {}
    for i, path in enumerate(clips.path):
        j = first.setdefault(files.digest(path), i)
        if j != i:
            rows[j, i] = [0.0, 0.0, len(waves[i]) / audio.SAMPLE_RATE, 1.0]
    columns = ["clip_a", "clip_b", "offset_a", "offset_b", "overlap", "correlation"]
    table = [[clips.index[a], clips.index[b], *rows[a, b]] for a, b in sorted(rows)]
    return pd.DataFrame(table, columns=columns)


def steps(waveform):
    """How far a waveform goes up or down at each sample: float32, shape (samples,)."""
    return np.diff(waveform, prepend=np.float32(0))


def runs(steps, length=_RUN, one_in=_ONE_IN):
    """Name what a waveform does in a row: up or down at each of so many steps.

    Some runs are kept, chosen by their names, so that those of a copy are the same ones.

    Args:
        steps: float32, shape (samples,), as from steps.
        length: of a run, in steps: 2, 4, 8, 16, 32 or 64; longer ones meet by chance less often.
        one_in: one run in so many is kept.

    Returns:
        names: uint64, shape (runs,).
        place: int, shape (runs,): the sample at which each begins.
    """
    runs, k = (steps > 0).astype(np.uint64), 1
    while k < length:
        runs = runs[:-k] << np.uint64(k) | runs[k:]
        k *= 2
    runs = np.minimum(runs, runs ^ np.uint64(2**length - 1))  # upside down it is the same sound
    kept = np.flatnonzero(scattered(runs) % np.uint64(one_in) == 0)
    return runs[kept], kept


def scattered(names):
    """A number below 2 ** 24 for each name, evenly spread: uint64, shape (names,)."""
    return names * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)  # wraps, as wanted


def votes(names, owner, place):
    """Count how often two clips have a name in common, by the offset at which they have it.

    Args:
        names, place: of runs, of many clips.
        owner: int, shape (runs,): the number of each run's clip.

    Returns:
        int64, shape (rows, 4): clip, another with a larger number, offset in samples of the second
        one's beginning in the first, and the number of runs that say so.
    """
    order = np.lexsort((owner, names))
    names, owner, place = names[order], owner[order], place[order].astype(np.int64)
    _, size = np.unique(names, return_counts=True)
    rare = np.repeat((size > 1) & (size <= _COMMON), size)
    names, owner, place = names[rare], owner[rare], place[rare]
    found = [np.zeros((0, 4), np.int64)]
    for step in range(1, _COMMON):  # equal names stand side by side
        i = np.flatnonzero((names[step:] == names[:-step]) & (owner[step:] != owner[:-step]))
        columns = owner[i], owner[i + step], place[i] - place[i + step], np.ones(len(i), int)
        found.append(np.stack(columns, axis=1))
    return summed(np.concatenate(found))


def summed(votes):
    """Rows of votes, in which those of one pair and offset are one row."""
    votes = votes[np.lexsort(votes.T[2::-1])]
    first = np.flatnonzero(np.any(np.diff(votes[:, :3], axis=0, prepend=-1) != 0, axis=1))
    return np.column_stack([votes[first, :3], np.add.reduceat(votes[:, 3], first)])


def candidates(votes):
    """Choose what is worth a closer look: the offsets, at most three a pair, with enough votes.

    Args:
        votes: int64, shape (rows, 4), as from votes: all those of a pair.

    Returns:
        dict of (clip, another): offsets in samples, the one with most votes first.
    """
    votes = votes[votes[:, 3] >= _VOTES]
    found = defaultdict(list)
    for a, b, offset, _ in votes[np.argsort(-votes[:, 3], kind="stable")].tolist():
        found[a, b].append(offset)
    return {pair: offsets[:3] for pair, offsets in found.items()}


def agreement(a, b, offsets):
    """Lay two clips over each other: what they share, at the offset at which they agree best.

    Args:
        a, b: float32, shape (samples,), as from steps.
        offsets: in samples, of the second one's beginning in the first.

    Returns:
        agreed: seconds in which frames of 0.1 s agree.
        shared: list of offset_a, offset_b, overlap and correlation, as shared_audio has them.
    """
    looks = [_agreement(a, b, offset) for offset in offsets]
    agreed, *shared = max(looks, key=lambda look: look[0] * abs(look[-1]))
    return agreed, shared


def _agreement(a, b, offset):
    """Seconds that agree, start in a and in b, length and correlation of the stretch they span."""
    start, end = max(0, offset), min(len(a), len(b) + offset)
    n = (end - start) // _FRAME
    if n < 1:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    cut = slice(start, start + n * _FRAME), slice(start - offset, start - offset + n * _FRAME)
    u, v = (wave[part].reshape(n, _FRAME) for wave, part in zip((a, b), cut, strict=True))
    energy, other = np.sum(u**2, axis=1), np.sum(v**2, axis=1)
    audible = np.minimum(energy, other) > _FRAME * 1e-10  # a third of a 16-bit step
    same = np.abs(np.sum(u * v, axis=1)) > _AGREE * np.sqrt(energy * other)
    good = np.flatnonzero(audible & same)
    if not len(good):
        return 0.0, 0.0, 0.0, 0.0, 0.0
    span = slice(good[0], good[-1] + 1)
    u, v = u[span].ravel(), v[span].ravel()
    begin = start + good[0] * _FRAME
    seconds = np.array([len(good) * _FRAME, begin, begin - offset, len(u)]) / audio.SAMPLE_RATE
    correlation = np.sum(u * v) / np.sqrt(np.sum(u**2) * np.sum(v**2))
    return (*seconds.tolist(), float(correlation))


def groups(clips: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    """Number the connected sets: clips joined by a pair, directly or through others.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog.
        pairs: DataFrame with columns clip_a, clip_b, as from shared_audio.

    Returns:
        int array, shape (clips,): clips with equal numbers may not be parted.
    """
    n, places = len(clips), (clips.index.get_indexer(pairs[c]) for c in ("clip_a", "clip_b"))
    edges = coo_array((np.ones(len(pairs)), tuple(places)), shape=(n, n))
    return connected_components(edges, directed=False)[1]


def hold_out(catalog: pd.DataFrame, fraction: float, seed: int = 0) -> np.ndarray:
    """Choose a part of the clips, stratified by label and never parting a group.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        catalog: DataFrame with columns label and group.
        fraction: share of the clips to hold out, above 0 and at most a half. It is taken as one of
            1/2, 1/3, 1/4 and so on: as 1 / round(1 / fraction).
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
            "split needs two a class, so training, validation and test take three in all; add "
            "recordings made at another time or place, or leave the class out"
        )
    folds = int(np.clip(round(1 / fraction), 2, fewest.min()))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    held = next(splitter.split(catalog, catalog.label, catalog.group))[1]
    return np.isin(np.arange(len(catalog)), held)


def folds(catalog: pd.DataFrame, n: int = 5, seed: int = 0, by: str = "group") -> np.ndarray:
    """Deal the clips into folds, stratified by label and never parting a group, or a source.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        catalog: DataFrame with columns label and group.
        n: number of folds.
        seed: same seed, same folds.
        by: the column that is never parted; "source" leaves out whole sources.

    Returns:
        int array, shape (clips,): the fold, from 0, in which each clip is tested.

    Raises:
        ValueError: a label has fewer than n groups.

    >>> clips = pd.DataFrame({"label": ["cat", "dog"] * 4, "group": [0, 1, 0, 1, 2, 3, 2, 3]})
    >>> fold = folds(clips, n=2)
    >>> bool((fold[:2] == fold[2:4]).all()), sorted(set(fold.tolist()))
    (True, [0, 1])
    """
    fewest = catalog.groupby("label")[by].nunique()
    if fewest.min() < n:
        what = {"group": "independent recordings", "source": "sources"}[by]
        raise ValueError(
            f"{fewest.idxmin()!r} has only {fewest.min()} {what}, too few for {n} folds: take "
            "fewer folds or add recordings"
        )
    fold = np.empty(len(catalog), int)
    splitter = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    for k, (_, held) in enumerate(splitter.split(catalog, catalog.label, catalog[by])):
        fold[held] = k
    return fold


def each_fold(catalog, n=5, seed=0, by="group"):
    """Go through the folds: what is learnt from, and what is held out.

    Where whole sources are held out, a clip elsewhere that shares audio with a held-out one stands
    on neither side.

    Args:
        catalog, n, seed, by: as folds.

    Yields:
        rest, held: two catalogs, which share no recording.
    """
    fold = folds(catalog, n, seed, by)
    for k in range(n):
        held = catalog[fold == k]
        yield catalog[(fold != k) & ~catalog.group.isin(held.group)], held


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
