"""Splits never part a recording; the audit finds every shared stretch and nothing else."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers import splits

RATE = 16_000


def _noise(seconds, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-8000, 8000, int(seconds * RATE)).astype(np.int16)


def _files(folder, *waveforms):
    paths = [folder / f"{k}.wav" for k in range(len(waveforms))]
    for path, samples in zip(paths, waveforms, strict=True):
        soundfile.write(path, samples, RATE)
    return paths


def test_overlapping_cuts_are_found_with_offset_and_overlap(tmp_path):
    recording = _noise(20, 0)
    cuts = [recording[: 12 * RATE], recording[int(6.3 * RATE) : 18 * RATE], _noise(10, 1)]
    pairs = splits.shared_audio(_files(tmp_path, *cuts))
    assert pairs[["a", "b"]].to_numpy().tolist() == [[0, 1]]
    assert pairs.offset[0] == pytest.approx(6.3, abs=1e-3)
    assert pairs.overlap[0] == pytest.approx(5.7, abs=1e-3)


def test_byte_identical_files_are_found(tmp_path):
    pairs = splits.shared_audio(_files(tmp_path, _noise(3, 0), _noise(3, 0)))
    assert (pairs.offset[0], pairs.overlap[0]) == (0, 3)


def test_silence_hum_and_independent_calls_are_no_pairs(tmp_path):
    hum = (3000 * np.sin(2 * np.pi * 50 * np.arange(5 * RATE) / RATE)).astype(np.int16)
    silence = np.zeros(5 * RATE, np.int16)
    faint = (_noise(5, 3) // 200).astype(np.int16)
    sounds = [silence, silence[:50_000], _noise(5, 1) // 4, hum + faint, hum[:60_000]]
    assert splits.shared_audio(_files(tmp_path, *sounds)).empty


def test_on_synthetic_clips_the_groups_are_the_true_recordings(synthetic):
    pairs = splits.shared_audio(synthetic.path)
    found = pd.Series(splits.groups(len(synthetic), pairs), index=synthetic.index)
    assert found.groupby(synthetic.group).nunique().max() == 1
    assert synthetic.group.groupby(found).nunique().max() == 1


def test_groups_join_through_others():
    pairs = pd.DataFrame({"a": [0, 1, 4], "b": [1, 2, 5]})
    numbers = splits.groups(6, pairs)
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
