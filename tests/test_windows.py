"""Which parts of a clip are cut out, and what becomes of them."""

import numpy as np
import pytest

from helpers import windows


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
