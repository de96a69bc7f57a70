"""Which parts of a clip are cut out, and what becomes of them."""

import numpy as np
import pytest

from helpers import features, windows
from helpers.quiet import tf

LENGTHS = [1, 300, 6_144, 6_145, 24_000, 24_001, 100_000]


def clip(samples, seed=0):
    """Noise that is loud, soft and silent in turns of 0.7 s."""
    rng = np.random.default_rng(seed)
    gain = np.resize([0.3, 3e-4, 0.03, 0.0], -(-samples // 11_200)).repeat(11_200)[:samples]
    return (gain * rng.standard_normal(samples)).astype(np.float32)


@pytest.fixture
def few(synthetic):
    return synthetic.groupby("label").head(4)


def test_loud_windows_are_loud_apart_and_inside():
    waveform = np.zeros(10 * 16_000, np.float32)
    waveform[20_000:30_000], waveform[100_000:110_000] = 0.5, 0.9
    cut = windows.loudest(waveform, seconds=1, count=2)
    assert cut.shape == (2, 16_000)
    assert cut[0].max() == np.float32(0.9) and cut[1].max() == np.float32(0.5)
    short = windows.loudest(np.ones(100, np.float32), seconds=1)
    assert short.shape == (1, 16_000) and short.sum() == 100


def test_log_mel_windows_are_normalised_each_by_itself(few):
    pictures, clip_index = windows.loudest_log_mel(few, seconds=1, count=2)
    assert pictures.shape[2:] == (64, 1) and set(clip_index) == set(range(len(few)))
    np.testing.assert_allclose(pictures.mean((1, 2, 3)), 0, atol=1e-3)
    alone, _ = windows.loudest_log_mel(few.iloc[2:3], seconds=1, count=2)
    np.testing.assert_allclose(pictures[clip_index == 2], alone, atol=1e-4)


@pytest.mark.parametrize("level", [True, False])
@pytest.mark.parametrize("samples", LENGTHS)
def test_a_clips_windows_are_those_of_its_one_spectrogram(samples, level):
    """All frames, the first and the last of each window too, which reach beyond it."""
    wave = clip(samples)
    cut = windows.sliding(wave)
    found, root = windows.of_clip(wave, level)
    alone = windows.log_mel(cut) if level else features.log_mel(cut)
    assert found.shape == alone.shape == (-(-samples // windows.HOP), 94, 64)
    assert found.dtype == np.float32 and root.dtype == np.float32
    np.testing.assert_allclose(root, np.sqrt(np.mean(cut**2, axis=1)), rtol=1e-4, atol=1e-9)
    near = alone > alone.max((1, 2), keepdims=True) - 60  # what standardise leaves
    assert np.abs(found - alone)[near].max() < 2e-3
    assert found.min() >= features.FLOOR_DB


def test_only_the_edge_frames_of_a_window_are_computed_anew():
    """Frames 1 to 92 are the clip's; 0 and 93 would hear what lies before and after the window."""
    wave = clip(100_000, 1)
    whole = features.log_mel(np.pad(wave, (0, windows.LENGTH)))
    found, _ = windows.of_clip(wave, level=False)
    for number, window in enumerate(found):
        here = whole[24 * number :][:94]
        differs = np.flatnonzero(np.abs(window - here).max(axis=1) > 1e-3)
        assert set(differs) <= {0, 93}
    assert np.abs(found[3] - whole[72:166])[[0, 93]].max() > 0.1


@pytest.mark.parametrize("bands", [features.pitch_classes, features.linear_bands])
def test_other_spectrograms_are_cut_alike(bands):
    wave = clip(50_000, 2)
    found, _ = windows.of_clip(wave, level=False, bands=bands)
    alone = features.decibels(bands(features.stft(windows.sliding(wave)) ** 2))
    assert found.shape == alone.shape
    np.testing.assert_allclose(found, alone, atol=2e-3)


def test_the_level_of_a_clip_does_not_matter_and_silence_stays_silence():
    wave = clip(60_000, 3)
    loud, soft = windows.of_clip(wave)[0], windows.of_clip(1e-4 * wave)[0]
    near = loud > loud.max((1, 2), keepdims=True) - 60
    assert np.abs(loud - soft)[near].max() < 0.01
    silent, root = windows.of_clip(np.zeros(30_000, np.float32))
    assert (silent == features.FLOOR_DB).all() and not root.any()


def test_arrays_and_tensors_are_standardised_alike():
    cut = windows.sliding(clip(60_000, 4))
    ours, theirs = windows.network_input(cut), windows.network_input(tf.constant(cut))
    assert type(ours) is np.ndarray and tf.is_tensor(theirs) and ours.shape == (10, 94, 64, 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    loud = ours[np.abs(cut).max(axis=1) > 0.01]
    np.testing.assert_allclose(loud.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(loud.std((1, 2)), 1, atol=1e-3)


def test_the_hop_is_whole_frames():
    assert windows.HOP % features.HOP_LENGTH == 0
    assert len(windows.sliding(clip(60_000), 6_000)) == 10
