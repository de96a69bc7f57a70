"""Clips that share audio, found without comparing all pairs: a join of the names of their runs.

The names are dealt into buckets; a bucket's names meet in one task. What they say of a pair is
dealt into buckets again, by pair, and added up. Only pairs with enough votes are listened to.
A name that more than twenty clips have counts for none: of so many copies of one recording only
byte-identical ones are found.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from helpers import audio, splits
from helpers.datasets.large import store

_MANY = 20_000  # clips from which a run of 32 steps meets others by chance too often
_VOTES = ["a", "b", "offset", "votes"]


def settings(clips):
    """Length of a run in steps, and one in how many is kept, for so many clips.

    The longer run misses copies that were filtered or compressed; 32 steps in a million clips would
    be shared by chance. Few clips get what splits.shared_audio takes.
    """
    return (32, 8) if clips <= _MANY else (64, 32)


def buckets(clips):
    """Into how many the names of so many clips are dealt, so that each fits into a worker.

    Clips are taken for 10 s long; some four million names are in a bucket then, which take a
    worker some 500 MB.
    """
    _, one_in = settings(clips)
    return max(8, clips * 10 * audio.SAMPLE_RATE // one_in // 4_000_000)


def names(clips, url, length, one_in, buckets, load=lambda local: audio.load(local)[0]):
    """Write the names of a part's runs, as the join wants them.

    Args:
        clips: a part of the table, with a column local; its index counts all clips.
        url: of the Parquet file: name, clip, place; one row group a bucket.
        length, one_in: as splits.runs.
        buckets: their number.
        load: gives a clip's waveform at 16 kHz.
    """
    found = [(np.zeros(0, np.uint64), np.zeros(0, int))]
    owner = [np.zeros(0, int)]
    for i, local in clips.local.items():
        try:
            name, place = splits.runs(splits.steps(load(local)), length, one_in)
        except Exception:  # the report has a row about it
            continue
        found.append((name, place))
        owner.append(np.full(len(name), i))
    name, place = map(np.concatenate, zip(*found))
    owner = np.concatenate(owner)
    table = pd.DataFrame({"name": name, "clip": owner, "place": place.astype(np.int32)})
    bucket = splits.scattered(name) // np.uint64(one_in) % np.uint64(buckets)
    store.write(url, table, bucket, buckets)


def join(urls, bucket, url, buckets):
    """Let the names of one bucket meet, and write what they say of pairs.

    Args:
        urls: of all parts' names.
        bucket: the number of this one.
        url: of the Parquet file: a, b, offset, votes; one row group a bucket of pairs.
        buckets: their number.
    """
    rows = store.read(urls, bucket)
    votes = splits.votes(rows.name.to_numpy(), rows["clip"].to_numpy(), rows.place.to_numpy())
    bucket_of_pair = votes[:, :2].sum(axis=1) % buckets
    store.write(url, pd.DataFrame(votes, columns=_VOTES), bucket_of_pair, buckets)


def meet(urls, bucket):
    """Add up what all buckets say of some pairs: list of (clip, another, offsets)."""
    votes = splits.summed(store.read(urls, bucket)[_VOTES].to_numpy())
    return [(*pair, offsets) for pair, offsets in splits.candidates(votes).items()]


def verify(pairs, paths, load=lambda local: audio.load(local)[0], min_overlap=1.0):
    """Listen to candidates: the test of splits.shared_audio.

    Args:
        pairs: list of (clip, another, offsets) as from meet.
        paths: dict of the clips' paths.
        load: as names.
        min_overlap: seconds in which the frames must agree.

    Returns:
        list of rows as splits.shared_audio has them, clips by their number.
    """
    wanted = sorted({i for a, b, _ in pairs for i in (a, b)})
    found = []
    with store.local_copies([paths[i] for i in wanted]) as (local, _):
        local = dict(zip(wanted, local))
        wave = lru_cache(maxsize=64)(lambda i: splits.steps(load(local[i])))
        for a, b, offsets in sorted(pairs):
            agreed, shared = splits.agreement(wave(a), wave(b), offsets)
            if agreed >= min_overlap:
                found.append([a, b, *shared])
    return found


def identical(report):
    """Pairs of byte-identical files, however short or silent: rows as from verify.

    Args:
        report: DataFrame with columns sha256 and duration, one row a clip.
    """
    first = report.index.to_series().groupby(report.sha256).transform("first")
    again = report.index[first.notna() & (first != report.index)]
    return [[int(first[i]), i, 0.0, 0.0, report.duration[i], 1.0] for i in again]
