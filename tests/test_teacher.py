"""What a teacher hears in changed windows: always the same, and of nothing that was left out."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import audio, augmentation, datasets, recipes, teacher, transfer, windows

RECIPE = replace(recipes.HOLDS, width=4, heard=60, batch_size=20, steps=3, epochs=1)


def backbone(wave):
    """A stand-in of YAMNet: the level and the roughness of a wave, as two embeddings."""
    return np.float32([[np.mean(wave**2), np.mean(np.diff(wave) ** 2)]]), None


@pytest.fixture(scope="module")
def clips():
    """Twelve cats, twelve dogs and twelve other sounds."""
    found = datasets.load("synthetic-elsewhere", quiet=True)
    return found.groupby("label").head(12)


@pytest.fixture(scope="module")
def heard(clips):
    return teacher.hear(clips, backbone, *recipes.drawn_for(clips, RECIPE))


def test_a_window_is_the_same_whatever_the_threads(clips, heard):
    again = teacher.hear(clips, backbone, *recipes.drawn_for(clips, RECIPE), threads=1)
    for name in ("levels", "embeddings", "clip", "behind"):
        assert np.array_equal(getattr(heard, name), getattr(again, name)), name


def test_both_hear_the_same_window(clips):
    """Without a change, the levels are those of the clip's window, the embeddings its middle's."""
    drawn = np.array([3] * 40), np.array([1] * 40)
    found = teacher.hear(clips, backbone, drawn)
    cut = windows.sliding(audio.load(clips.path.iloc[3])[0])[1]
    plain = windows.of_clip(cut)[0][0].astype(np.float16)
    same = (found.levels == plain).all(axis=(1, 2))
    assert 0 < same.sum() < 15, "one in ten stays as it is"
    at = (windows.LENGTH - transfer.FRAME) // 2
    inner = np.sqrt(backbone(cut[at : at + transfer.FRAME])[0][0])
    assert np.allclose(found.embeddings[same], inner, rtol=2e-3)
    assert set(found.clip) == {clips.index[3]} and set(found.behind) == {""}


def test_every_class_is_drawn_and_only_others_are_laid_under(clips, heard):
    label = clips.label[heard.clip]
    assert len(heard) == 60 and label.value_counts().min() >= 8
    under = heard.behind[heard.behind != ""]
    assert 10 < len(under) < 50
    assert set(clips.label[under]) == {datasets.OTHER}


def test_nothing_of_clips_that_were_left_out_is_kept(clips, heard):
    left = clips.groupby("label").head(6)
    kept = heard.of(left)
    wanted = np.isin(heard.clip, left.index) & np.isin(heard.behind, [*left.index, ""])
    assert 0 < len(kept) == wanted.sum() < len(heard)
    assert np.array_equal(kept.embeddings, heard.embeddings[wanted])
    assert set(kept.clip) | set(kept.behind) <= {*left.index, ""}


def test_half_of_each_batch_is_what_the_teacher_heard(clips, heard):
    taught = np.full((len(recipes.windows_of(clips, RECIPE)[1]), 2), -1, np.float32)
    batches = recipes.Batches(clips, RECIPE, 0, taught, heard)
    pictures, targets, asked = batches.batch(1)
    assert pictures.shape == (20, 94, 64, 1) and targets.shape == (20, 3) and asked.shape == (20, 2)
    assert (asked[:10] <= 0).all(), "the plain windows' aim, or 0 of what was made"
    assert {tuple(row) for row in asked[10:]} <= {tuple(np.float32(r)) for r in heard.embeddings}
    assert set(targets[:10].max(axis=1)) == {1.0}
    assert np.allclose(targets.sum(axis=1), 1, atol=1e-5)
    true = np.eye(3)[datasets.label_ids(clips.loc[heard.clip], datasets.classes(clips))]
    assert (batches.target_of_heard[true == 1] >= 0.5).all(), "half of it is the label"
    for index in (0, 2):
        again = recipes.Batches(clips, RECIPE, 0, taught, heard).batch(index)
        assert all(map(np.array_equal, again, batches.batch(index)))


def test_a_network_is_trained_with_it(clips, heard):
    def plain(part):
        return np.ones((len(recipes.windows_of(part, RECIPE)[1]), 2), np.float32)

    model = recipes.train(clips, RECIPE, teacher=plain, heard=heard)
    alone = recipes.train(clips, RECIPE, teacher=plain)
    assert "aim_loss" in model.history.history
    assert not np.array_equal(model.get_weights()[0], alone.get_weights()[0])


@pytest.mark.parametrize("change", ["change_speed", "shorten", "filter_wave"])
def test_a_waveform_keeps_its_length_and_the_original(change):
    wave = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    before = wave.copy()
    changed = [
        getattr(augmentation, change)(wave, np.random.default_rng(seed)) for seed in range(30)
    ]
    assert {one.shape for one in changed} == {wave.shape}
    assert {one.dtype for one in changed} == {np.dtype(np.float32)}
    assert np.array_equal(wave, before)
    assert any(not np.array_equal(one, wave) for one in changed)


def test_what_is_laid_under_has_the_level_that_was_drawn():
    rng = np.random.default_rng(0)
    time = np.arange(24_000) / audio.SAMPLE_RATE
    call, street = np.sin(2 * np.pi * 500 * time), 0.01 * np.sin(2 * np.pi * 3_000 * time)
    for _ in range(20):
        mixed = augmentation.lay_wave_under(np.float32(call), np.float32(street), rng)
        power = np.abs(np.fft.rfft(mixed)) ** 2
        below = 10 * np.log10(power[750] / power[4_500])
        assert -6.1 < below < 20.1
        assert 10 * np.log10(power[750] / len(time) ** 2 * 2) == pytest.approx(0, abs=0.1)
    silent = augmentation.lay_wave_under(np.float32(call), np.zeros(24_000, np.float32), rng)
    assert np.allclose(silent, np.sqrt(2) * call, atol=1e-3)
