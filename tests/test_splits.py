"""Splits never part a recording; the audit finds every shared stretch and nothing else."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import signal

from helpers import audio, augmentation, splits
from helpers.datasets import voices

RATE = 16_000


def _noise(seconds, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-8000, 8000, int(seconds * RATE)).astype(np.int16)


def _files(folder, *waveforms, rate=RATE):
    """A table of clips, as much of a catalog as the audit needs."""
    paths = [folder / f"{k}.wav" for k in range(len(waveforms))]
    for path, samples in zip(paths, waveforms, strict=True):
        soundfile.write(path, samples, rate)
    return pd.DataFrame({"path": [str(path) for path in paths]}, index=[p.stem for p in paths])


@pytest.fixture(scope="module")
def recording(synthetic):
    """A long synthetic recording, as float."""
    return audio.load(synthetic.path[synthetic.duration.idxmax()])[0]


def test_overlapping_cuts_are_found_with_offsets_and_overlap(tmp_path, recording):
    cuts = recording[: 9 * RATE], recording[int(6.3 * RATE) : 15 * RATE], _noise(10, 1)
    pairs = splits.shared_audio(_files(tmp_path, *cuts))
    assert pairs[["clip_a", "clip_b"]].to_numpy().tolist() == [["0", "1"]]
    pair = pairs.iloc[0]
    assert pair.offset_a - pair.offset_b == pytest.approx(6.3, abs=1e-3)
    assert pair.overlap == pytest.approx(2.7, abs=0.6)  # the ends may be silent
    assert pair.correlation > 0.999


def _degraded(samples, kind):
    rng = np.random.default_rng(0)
    level = np.sqrt(np.mean(samples**2))
    return {
        "quiet": samples * 10 ** (-20 / 20),
        "upside down": -samples,
        "noisy": samples + rng.normal(0, level * 10 ** (-40 / 20), len(samples)),
        "dull": signal.lfilter(*signal.butter(2, 7000, fs=RATE), samples),
        "MP3": augmentation.DEGRADATIONS["MP3 at 32 kbit/s"](samples, rng),
    }[kind]


@pytest.mark.parametrize("kind", ["quiet", "upside down", "noisy", "dull", "MP3"])
def test_a_changed_copy_is_still_found(tmp_path, recording, kind):
    other = _degraded(recording[5 * RATE : 12 * RATE], kind).astype(np.float32)
    pairs = splits.shared_audio(_files(tmp_path, recording[: 9 * RATE], other))
    assert len(pairs) == 1
    assert pairs.offset_a[0] - pairs.offset_b[0] == pytest.approx(5, abs=0.1)  # codecs delay


def test_less_than_a_second_is_not_enough(tmp_path):
    long = _noise(9, 0)
    clips = _files(tmp_path, long[: 5 * RATE], long[int(4.2 * RATE) :])
    assert splits.shared_audio(clips).empty
    assert len(splits.shared_audio(clips, min_overlap=0.5)) == 1


def test_byte_identical_files_are_found_even_if_silent(tmp_path):
    silence = np.zeros(RATE, np.int16)
    pairs = splits.shared_audio(_files(tmp_path, _noise(3, 0), silence, _noise(3, 0), silence))
    assert pairs[["clip_a", "clip_b"]].to_numpy().tolist() == [["0", "2"], ["1", "3"]]
    assert pairs.overlap.tolist() == [3, 1]


def test_silence_hum_and_independent_sounds_are_no_pairs(tmp_path):
    hum = (3000 * np.sin(2 * np.pi * 50 * np.arange(5 * RATE) / RATE)).astype(np.int16)
    silence = np.zeros(5 * RATE, np.int16)
    faint = (_noise(5, 3) // 200).astype(np.int16)
    sounds = [silence, silence[:50_000], _noise(5, 1) // 4, hum + faint, hum[:60_000]]
    assert splits.shared_audio(_files(tmp_path, *sounds)).empty


def test_calls_of_one_kind_are_no_pairs(tmp_path):
    """The same animal, the same call, made anew each time."""
    calls = [
        np.tile(voices.call("meow", seed, pitch=500, duration=1.0, size=0.5), 4)
        for seed in range(6)
    ]
    assert splits.shared_audio(_files(tmp_path, *calls)).empty


def test_clips_too_short_for_a_run_are_no_error(tmp_path):
    assert splits.shared_audio(_files(tmp_path, _noise(0.001, 0), _noise(1, 1))).empty


def test_on_synthetic_clips_the_groups_are_the_true_recordings(synthetic):
    pairs = splits.shared_audio(synthetic)
    found = pd.Series(splits.groups(synthetic, pairs), index=synthetic.index)
    assert found.groupby(synthetic.group).nunique().max() == 1
    assert synthetic.group.groupby(found).nunique().max() == 1


def test_groups_join_through_others():
    clips = pd.DataFrame(index=list("abcdef"))
    pairs = pd.DataFrame({"clip_a": ["a", "b", "e"], "clip_b": ["b", "c", "f"]})
    numbers = splits.groups(clips, pairs)
    assert len({*numbers[:3]}) == 1 and numbers[4] == numbers[5]
    assert len({numbers[0], numbers[3], numbers[4]}) == 3


def _catalog(n_groups=40, per_group=3):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), per_group)
    label = np.where(groups % 3 == 0, "dog", "cat")
    table = pd.DataFrame({"label": label, "group": groups, "split": "train"})
    return table.sample(frac=1, random_state=int(rng.integers(100)))


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 0.5])
def test_hold_out_keeps_groups_labels_and_size(fraction):
    clips = _catalog()
    held = splits.hold_out(clips, fraction, seed=1)
    assert held.mean() == pytest.approx(fraction, abs=0.05)
    assert not set(clips.group[held]) & set(clips.group[~held])
    shares = [(clips.label[side] == "dog").mean() for side in (held, ~held)]
    assert abs(shares[0] - shares[1]) < 0.15


def test_the_seed_decides():
    clips = _catalog()
    one, again, other = (splits.hold_out(clips, 0.2, seed) for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


@pytest.mark.parametrize("fraction", [0, 0.6, -1])
def test_impossible_fractions_are_refused(fraction):
    with pytest.raises(ValueError, match="fraction"):
        splits.hold_out(_catalog(), fraction)


def test_a_class_of_one_recording_cannot_be_split():
    clips = pd.DataFrame({"label": ["cat", "cat", "dog", "dog"], "group": [0, 1, 2, 2]})
    with pytest.raises(ValueError, match="'dog' has only 1 independent recording to be split"):
        splits.hold_out(clips, 0.5)


def test_validation_is_cut_from_train_alone():
    clips = _catalog()
    clips.loc[clips.group % 4 == 0, "split"] = "test"
    parts = splits.with_validation(clips, 0.2, seed=0)
    assert (clips.split == "test").equals(parts.split == "test")
    assert set(clips.split) == {"train", "test"}  # the caller's catalog is left as it was
    share = (parts.split == "validation").sum() / (clips.split == "train").sum()
    assert share == pytest.approx(0.2, abs=0.05)
    assert parts.groupby("group").split.nunique().max() == 1


def test_folds_keep_groups_and_shares_and_hold_every_clip_once():
    clips = _catalog()
    fold = splits.folds(clips, 5, seed=1)
    assert sorted(set(fold)) == [0, 1, 2, 3, 4]
    assert (
        clips.groupby("group")
        .apply(lambda part: len(set(fold[clips.index.isin(part.index)])), include_groups=False)
        .max()
        == 1
    )
    for k in range(5):
        assert (fold == k).mean() == pytest.approx(0.2, abs=0.05)
        assert abs((clips.label[fold == k] == "dog").mean() - (clips.label == "dog").mean()) < 0.1
    np.testing.assert_array_equal(fold, splits.folds(clips, 5, seed=1))
    assert (fold != splits.folds(clips, 5, seed=2)).any()


def test_too_few_recordings_for_the_folds_are_named():
    clips = _catalog(6)
    with pytest.raises(ValueError, match="'dog' has only 2 independent recordings"):
        splits.folds(clips, 5)
