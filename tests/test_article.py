"""The pipeline's shapes, order, labels and decoding."""

import numpy as np
import pytest
import soundfile

from helpers import article, audio, datasets
from helpers.quiet import tf


@pytest.fixture
def few(synthetic):
    return synthetic.groupby("label").head(4)


def test_spectrograms_have_the_articles_shape_and_the_catalogs_order(few):
    pairs = list(article.preprocess(few).as_numpy_iterator())
    assert [int(label) for _, label in pairs] == datasets.label_ids(few).tolist()
    assert all(s.shape == (2726, 129, 1) and s.dtype == np.float32 for s, _ in pairs)
    waveform, _ = audio.load(few.path.iloc[1])
    expected = tf.abs(tf.signal.stft(audio.fit_length(waveform, 300_000), 210, 110))
    np.testing.assert_allclose(pairs[1][0][..., 0], expected, atol=1e-4)


def test_more_than_300_000_samples_are_cut():
    spectrogram, label = article.get_spectrogram_label(tf.zeros(400_000), tf.constant(1))
    assert spectrogram.shape == (2726, 129, 1) and int(label) == 1


def test_any_format_rate_and_channel_count_is_decoded(tmp_path):
    time = np.arange(44_100) / 44_100
    stereo = np.stack([np.sin(2 * np.pi * 440 * time)] * 2, axis=1)
    for ending in audio.FORMATS:
        path = tmp_path / f"a{ending}"
        soundfile.write(path, stereo, 44_100)
        waveform, _ = article._waveform_label(tf.constant(str(path)), tf.constant(0))
        assert waveform.dtype == tf.float32 and abs(len(waveform) - 16_000) < 1600


def test_batches_cache_shuffle_and_repeat_by_seed():
    decoded = []
    source = tf.data.Dataset.range(10).map(
        lambda x: tf.numpy_function(lambda v: decoded.append(int(v)) or v, [x], tf.int64)
    )
    data = article.batches(source, 4, shuffle_seed=3)
    first, second = ([int(v) for batch in data for v in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(10)) and first != list(range(10))
    assert len(decoded) == 10  # the second pass came from the cache
    again = article.batches(tf.data.Dataset.range(10), 4, shuffle_seed=3)
    assert first == [int(v) for batch in again for v in batch]
    plain = article.batches(tf.data.Dataset.range(10), 4)
    assert [batch.numpy().tolist() for batch in plain] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_no_clips_is_an_error(synthetic):
    with pytest.raises(ValueError, match="no clips"):
        article.preprocess(synthetic.iloc[:0])
