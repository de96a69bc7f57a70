"""Features against librosa: within a thousandth of a decibel above the floor."""

import librosa
import numpy as np
import pytest

from helpers import features
from helpers.quiet import keras, tf

RATE = 16_000


@pytest.fixture(scope="module")
def sound():
    """A chirp with harmonics in noise: energy in every band.

    Its length is no multiple of a hop: there librosa's last frame reflects one sample too few
    (its tail is padded on its own), which numpy's own padding and ours do not.
    """
    rng = np.random.default_rng(0)
    time = np.arange(2 * RATE + 77) / RATE
    chirp = sum(np.sin(2 * np.pi * k * (200 * time + 150 * time**2)) / k for k in range(1, 8))
    return (0.1 * chirp + 0.02 * rng.standard_normal(time.size)).astype(np.float32)


def _librosa_db(power):
    return librosa.power_to_db(power, ref=1.0, amin=1e-8, top_db=None)


@pytest.mark.parametrize(("frame", "hop"), [(512, 256), (1024, 256), (256, 128)])
def test_stft_is_librosas(sound, frame, hop):
    ours = features.stft(sound, frame, hop).numpy()
    theirs = np.abs(
        librosa.stft(sound, n_fft=frame, hop_length=hop, window="hann", pad_mode="reflect")
    ).T
    assert ours.shape == (1 + len(sound) // hop, 1 + frame // 2) == theirs.shape
    ours_db, theirs_db = (_librosa_db((x / theirs.max()) ** 2) for x in (ours, theirs))
    above = theirs_db > features.FLOOR_DB  # below the loudest value
    assert above.mean() > 0.9
    assert np.abs(ours_db - theirs_db)[above].max() < 1e-3


@pytest.mark.parametrize("n_mels", [40, 64, 128])
def test_log_mel_is_librosas_slaney_default(sound, n_mels):
    ours = features.log_mel(sound, RATE, n_mels=n_mels).numpy()
    theirs = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=512, hop_length=256, n_mels=n_mels, pad_mode="reflect"
    )
    theirs = _librosa_db(theirs).T
    above = theirs > features.FLOOR_DB + 1
    assert ours.shape == theirs.shape and above.mean() > 0.9
    assert np.abs(ours - theirs)[above].max() < 1e-3


def test_mfcc_is_librosas_orthonormal_dct(sound):
    log_mel = features.log_mel(sound)
    ours = features.mfcc(log_mel, 20).numpy()
    theirs = librosa.feature.mfcc(S=log_mel.numpy().T, sr=RATE, n_mfcc=20, dct_type=2).T
    assert np.abs(ours - theirs).max() < 1e-3


def test_the_scale_matters(sound):
    """Keras' own mel layer is HTK without area normalisation: 0.1 dB from librosa's HTK, and
    tens of decibels from the Slaney default used here."""
    layer = keras.layers.MelSpectrogram(
        fft_length=512, sequence_stride=256, sequence_length=512, sampling_rate=RATE,
        num_mel_bins=64, min_freq=0, max_freq=RATE / 2, power_to_db=False,
    )  # fmt: skip
    keras_power = np.asarray(layer(sound[None]))[0].T
    htk = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=512, hop_length=256, n_mels=64, htk=True, norm=None,
        pad_mode="reflect",
    ).T  # fmt: skip
    frames = min(len(keras_power), len(htk))
    keras_db, htk_db = _librosa_db(keras_power[1 : frames - 1]), _librosa_db(htk[1 : frames - 1])
    loud = htk_db > htk_db.max() - 60
    assert np.abs(keras_db - htk_db)[loud].max() < 0.1
    slaney = features.log_mel(sound).numpy()[1 : frames - 1]
    assert np.abs(keras_db - slaney)[loud].max() > 10


def test_a_clips_features_do_not_depend_on_its_batch(sound):
    alone = features.log_mel(sound * 1e-3).numpy()
    together = features.log_mel(np.stack([sound * 1e-3, sound])).numpy()[0]
    np.testing.assert_allclose(alone, together, atol=1e-4)


def test_decibels_have_an_absolute_floor():
    got = features.decibels([0.0, 1e-12, 1e-3, 1.0, 100.0]).numpy()
    np.testing.assert_allclose(got, [-80, -80, -30, 0, 20], atol=1e-4)


def test_mel_frequencies_rise_to_half_the_rate():
    hertz = features.mel_frequencies(RATE, 64)
    assert hertz.shape == (64,) and (np.diff(hertz) > 0).all() and 0 < hertz[0] < hertz[-1] < 8000
    peaks = features.mel_matrix(RATE, 512, 64).argmax(axis=0) * RATE / 512
    assert np.abs(peaks - hertz)[20:].max() <= RATE / 512


@pytest.mark.parametrize(("frame", "hop"), [(513, 256), (0, 256), (512, 0)])
def test_impossible_frames_are_refused(sound, frame, hop):
    with pytest.raises(ValueError, match="frame_length must be even"):
        features.stft(sound, frame, hop)


def test_too_short_a_waveform_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        features.stft(np.zeros(100, np.float32))


@pytest.mark.parametrize("n_mfcc", [0, 65])
def test_impossible_numbers_of_coefficients_are_refused(sound, n_mfcc):
    with pytest.raises(ValueError, match="from 1 to 64"):
        features.mfcc(features.log_mel(sound), n_mfcc)
