"""Features against librosa: within a thousandth of a decibel above the floor."""

import os
import subprocess
import sys
from dataclasses import replace

import librosa
import numpy as np
import pandas as pd
import pytest
from lessons import ROOT

from helpers import audio, features, recipes, windows
from helpers.quiet import keras, tf

pytestmark = pytest.mark.slow

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
    """To a millionth of the loudest value, which is what single precision has of a sum."""
    ours = features.stft(sound, frame, hop)
    exact = sound.astype(np.float64)
    theirs = np.abs(
        librosa.stft(exact, n_fft=frame, hop_length=hop, window="hann", pad_mode="reflect")
    ).T
    assert ours.shape == (1 + len(sound) // hop, 1 + frame // 2) == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-6 * theirs.max()


@pytest.mark.parametrize("n_mels", [40, 64, 128])
def test_log_mel_is_librosas_slaney_default(sound, n_mels):
    ours = features.log_mel(sound, RATE, n_mels=n_mels)
    theirs = librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=512, hop_length=256, n_mels=n_mels, pad_mode="reflect"
    )
    theirs = _librosa_db(theirs).T
    above = theirs > features.FLOOR_DB + 1
    assert ours.shape == theirs.shape and above.mean() > 0.9
    assert np.abs(ours - theirs)[above].max() < 1e-3


def test_mfcc_is_librosas_orthonormal_dct(sound):
    log_mel = features.log_mel(sound)
    ours = features.mfcc(log_mel, 20)
    theirs = librosa.feature.mfcc(S=log_mel.T, sr=RATE, n_mfcc=20, dct_type=2).T
    assert np.abs(ours - theirs).max() < 1e-3


def test_the_scale_matters(sound):
    """Keras' own mel layer is HTK without area normalisation: 0.1 dB from librosa's HTK, and
    tens of decibels from the Slaney default used here."""
    layer = keras.layers.MelSpectrogram(
        fft_length=512,
        sequence_stride=256,
        sequence_length=512,
        sampling_rate=RATE,
        num_mel_bins=64,
        min_freq=0,
        max_freq=RATE / 2,
        power_to_db=False,
    )
    keras_power = np.asarray(layer(sound[None]))[0].T
    htk = librosa.feature.melspectrogram(
        y=sound,
        sr=RATE,
        n_fft=512,
        hop_length=256,
        n_mels=64,
        htk=True,
        norm=None,
        pad_mode="reflect",
    ).T
    frames = min(len(keras_power), len(htk))
    keras_db, htk_db = _librosa_db(keras_power[1 : frames - 1]), _librosa_db(htk[1 : frames - 1])
    loud = htk_db > htk_db.max() - 60
    assert np.abs(keras_db - htk_db)[loud].max() < 0.1
    slaney = features.log_mel(sound)[1 : frames - 1]
    assert np.abs(keras_db - slaney)[loud].max() > 10


def test_a_clips_features_do_not_depend_on_its_batch(sound):
    alone = features.log_mel(sound * 1e-3)
    together = features.log_mel(np.stack([sound * 1e-3, sound]))[0]
    np.testing.assert_allclose(alone, together, atol=1e-4)


def test_one_implementation_serves_arrays_datasets_and_models(sound):
    """Lessons call these functions on arrays, the pipeline in tf.data, the shipped model holds
    them; a model takes any length."""
    expected = features.mfcc(features.log_mel(sound))
    dataset = tf.data.Dataset.from_tensors(sound).map(features.log_mel).map(features.mfcc)
    np.testing.assert_allclose(next(iter(dataset)), expected, atol=1e-3)
    waveform = keras.Input((None,))
    model = keras.Model(waveform, features.mfcc(features.log_mel(waveform)))
    for samples in (len(sound), 300):
        expected = features.mfcc(features.log_mel(sound[:samples]))
        np.testing.assert_allclose(model(sound[None, :samples])[0], expected, atol=1e-3)
    assert features.stft(sound.astype(np.float64)).dtype == "float32"


def test_decibels_have_an_absolute_floor():
    got = features.decibels([0.0, 1e-12, 1e-3, 1.0, 100.0])
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
        features.stft(tf.zeros(100))
    with pytest.raises(ValueError, match="too few"):
        features.stft(np.zeros(100, np.float32))


ALL = {
    "stft": lambda x: features.decibels(features.stft(x) ** 2),
    "log_mel": features.log_mel,
    "mfcc": lambda x: features.mfcc_with_deltas(features.log_mel(x)),
    "chroma": lambda x: features.decibels(features.chroma(x)),
    "linear": lambda x: features.decibels(features.linear_bands(features.stft(x) ** 2)),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_numpy_and_keras_compute_the_same(sound, kind, gain):
    """To a thousandth of a decibel, for all that lies within 80 dB of the loudest."""
    waves = gain * np.stack([sound, sound[::-1]])
    ours, theirs = ALL[kind](waves), ALL[kind](tf.constant(waves))
    assert type(ours) is np.ndarray and ours.dtype == np.float32 and tf.is_tensor(theirs)
    theirs = theirs.numpy()
    near = np.full(ours.shape, True) if kind == "mfcc" else theirs > theirs.max() - 80
    assert np.abs(ours - theirs)[near].max() < (2e-3 if kind == "mfcc" else 1e-3)
    listed = ALL[kind](waves.tolist())
    np.testing.assert_allclose(listed, ours, atol=1e-3)


def test_arrays_need_no_tensorflow():
    """Nor Keras, nor librosa: not to be imported, and not to be used."""
    code = (
        "import sys, numpy as np; from helpers import features, windows, augmentation, plots;"
        "wave = np.random.default_rng(0).normal(0, 0.1, 40_000).astype('float32');"
        "levels, _ = windows.of_clip(wave); windows.network_input(windows.sliding(wave));"
        "features.mfcc_with_deltas(levels); plots.log_mel(wave); features.delta(levels);"
        "augmentation.reverberate(levels, np.random.default_rng(0));"
        "print({'tensorflow', 'keras', 'librosa', 'numba'} & set(sys.modules))"
    )
    env = os.environ | {"MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("rate", "frame", "n_mels"), [(16_000, 512, 64), (22_050, 2048, 128), (1_600, 256, 10)]
)
def test_the_mel_matrix_is_librosas(rate, frame, n_mels):
    theirs = librosa.filters.mel(sr=rate, n_fft=frame, n_mels=n_mels).T
    np.testing.assert_allclose(features.mel_matrix(rate, frame, n_mels), theirs, atol=1e-7)
    theirs = librosa.mel_frequencies(n_mels=n_mels + 2, fmin=0, fmax=rate / 2)[1:-1]
    np.testing.assert_allclose(features.mel_frequencies(rate, n_mels), theirs, rtol=1e-9)


@pytest.mark.parametrize("n_mfcc", [0, 65])
def test_impossible_numbers_of_coefficients_are_refused(sound, n_mfcc):
    with pytest.raises(ValueError, match="from 1 to 64"):
        features.mfcc(features.log_mel(sound), n_mfcc)


@pytest.mark.parametrize("frames", [1, 3, 9, 200])
def test_delta_is_librosas(frames):
    """Short of a whole window too, and for a batch of any shape."""
    x = np.random.default_rng(0).normal(size=(2, frames, 5)).astype(np.float32)
    ours = features.delta(x)
    theirs = librosa.feature.delta(x, axis=1, mode="nearest")
    assert ours.shape == x.shape and np.abs(ours - theirs).max() < 1e-5
    assert np.abs(features.delta(np.ones((3, 4)))).max() == 0


def test_a_delta_is_the_slope_a_frame():
    ramp = 3.0 * np.arange(20)[:, None]
    np.testing.assert_allclose(features.delta(ramp)[4:-4], 3.0, rtol=1e-5)


def test_the_deltas_stand_beside_the_coefficients(sound):
    log_mel = features.log_mel(sound)
    got = features.mfcc_with_deltas(log_mel, 13)
    mfcc = features.mfcc(log_mel, 13)
    assert got.shape == (len(mfcc), 39)
    np.testing.assert_allclose(got[:, :13], mfcc)
    np.testing.assert_allclose(got[:, 13:26], features.delta(mfcc))
    np.testing.assert_allclose(got[:, 26:], features.delta(got[:, 13:26]), atol=1e-5)


@pytest.mark.parametrize(("rate", "frame", "hop"), [(RATE, 512, 256), (22_050, 2048, 512)])
def test_chroma_is_librosas(sound, rate, frame, hop):
    ours = features.chroma(sound, rate, frame_length=frame, hop_length=hop)
    theirs = librosa.feature.chroma_stft(
        y=sound, sr=rate, n_fft=frame, hop_length=hop, pad_mode="reflect", tuning=0, norm=None
    ).T
    assert ours.shape == (1 + len(sound) // hop, 12) == theirs.shape
    assert np.abs(ours / theirs - 1).max() < 1e-3


@pytest.mark.parametrize(
    ("hertz", "note"), [(440, 9), (880, 9), (3520, 9), (1046.5, 0), (987.8, 11)]
)
def test_octaves_of_a_note_share_their_pitch_class(hertz, note):
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    inner = features.chroma(tone)[2:-2]  # the padding bends the tone at its ends
    assert (inner.argmax(axis=1) == note).all()


def test_linear_bands_are_means_of_four_bins(sound):
    power = features.stft(sound) ** 2
    ours = features.linear_bands(power)
    assert ours.shape == (len(power), 64)
    np.testing.assert_allclose(ours[:, 0], power[:, 1:5].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(ours[:, 63], power[:, 253:257].mean(axis=1), rtol=1e-5)


def test_every_feature_can_stand_in_a_model_and_in_its_file(sound, tmp_path):
    def features_of(waveform):
        return {
            "mfcc": features.mfcc_with_deltas(features.log_mel(waveform)),
            "chroma": features.decibels(features.chroma(waveform)),
            "stft": features.linear_bands(keras.ops.square(features.stft(waveform))),
        }

    waveform = keras.Input((None,))
    keras.Model(waveform, features_of(waveform)).save(tmp_path / "features.keras")
    model = keras.models.load_model(tmp_path / "features.keras")
    for samples in (len(sound), 300):
        got, expected = model(sound[None, :samples]), features_of(sound[:samples])
        for name in expected:
            np.testing.assert_allclose(got[name][0], expected[name], atol=1e-3, err_msg=name)


# ---- the features that a recipe can choose


@pytest.fixture(scope="module")
def few(synthetic):
    return synthetic.groupby("label").head(6)


def _quick(kind, **changed):
    settings = {"epochs": 1, "steps": 2, "width": 4} | changed
    return replace(recipes.BEST, features=kind, **settings)


def test_all_features_make_networks_of_one_size_that_see_pictures_of_one_size(few):
    models = {
        kind: recipes.train(few, _quick(kind)) for kind in ("log_mel", "stft", "mfcc", "chroma")
    }
    assert len({model.count_params() for model in models.values()}) == 1
    rows = {"log_mel": 64, "stft": 64, "mfcc": 64, "chroma": 12}  # MFCCs are made in the model
    assert {kind: model.input_shape[1:] for kind, model in models.items()} == {
        kind: (94, n, 1) for kind, n in rows.items()
    }
    seen = {
        kind: model.layers[-1].input_shape[1:3]
        for kind, model in models.items()
        if kind in ("mfcc", "chroma")
    }
    assert seen == {"mfcc": (94, 60), "chroma": (94, 60)}
    for kind, model in models.items():
        table = recipes.predict(model, few, _quick(kind))
        assert list(table.index) == list(few.index) and np.isfinite(table.p_dog).all()


def _front(model):
    """What a model's network sees of its pictures."""
    return keras.Model(model.input, model.layers[-2].output)


def test_a_series_is_an_array():
    ops, found = features.namespace(pd.Series([1, 2]))
    assert ops is np
    assert found.dtype == np.float32


@pytest.mark.parametrize("kind", ["stft", "mfcc", "chroma"])
def test_a_recipes_pictures_are_made_of_what_they_should_be(few, kind):
    recipe = _quick(kind)
    cut = windows.sliding(audio.load(few.path.iloc[0])[0])
    levels, clip_index, _ = recipes.windows_of(few, recipe)
    got = levels[clip_index == 0]
    root = np.sqrt(np.mean(cut**2, axis=1, keepdims=True))
    levelled = 0.1 * cut / np.maximum(root, 1e-9)
    if kind == "mfcc":
        expected = features.log_mel(levelled)
    elif kind == "chroma":
        expected = features.decibels(features.chroma(levelled))
    else:
        options = {"n_fft": 512, "hop_length": 256, "pad_mode": "reflect"}
        power = np.abs([librosa.stft(w, **options).T for w in levelled]) ** 2
        expected = features.decibels(power[..., 1:].reshape(*power.shape[:2], 64, 4).mean(-1))
    np.testing.assert_allclose(got[:, 1:-1], expected[:, 1:-1], atol=0.05)  # edges hear more


def test_mfccs_are_scaled_by_the_training_windows_and_that_is_kept_with_the_model(few, tmp_path):
    recipe = _quick("mfcc")
    model = recipes.train(few, recipe)
    levels, _, weight = recipes.windows_of(few, recipe)
    loud = recipes._pictures(levels[weight > np.quantile(weight, 0.5)], recipe)
    seen = _front(model)(loud).numpy()[..., 0]
    assert np.abs(seen.mean((0, 1))).max() < 0.5 and seen.std((0, 1)).min() > 0.6
    assert seen.std((0, 1)).max() < 1.6  # they differ a hundredfold as they are
    raw = features.mfcc_with_deltas(loud[..., 0]).std((0, 1))
    assert raw.max() / raw.min() > 20
    model.save(tmp_path / "mfcc.keras")
    again = keras.models.load_model(tmp_path / "mfcc.keras")
    np.testing.assert_allclose(model(loud[:8]), again(loud[:8]), atol=1e-5)
    other = recipes.train(few.groupby("label").head(2), recipe)
    assert np.abs(_front(other)(loud).numpy()[..., 0] - seen).max() > 0.05


def test_pretraining_takes_mfccs(few):
    recipe = _quick("mfcc", pretrain=1)
    start = recipes.pretrain(few, recipe)
    table = recipes.predict(recipes.train(few, recipe, start=start), few, recipe)
    assert np.isfinite(table.p_dog).all()


def test_unknown_features_are_refused(few):
    with pytest.raises(KeyError, match="mfccs"):
        recipes.train(few, _quick("mfccs"))


# ---- arrays without TensorFlow, tensors with it: one feature


@pytest.mark.parametrize(
    "feature",
    [
        features.stft,
        features.log_mel,
        features.chroma,
        lambda x: features.mfcc_with_deltas(features.log_mel(x)),
        lambda x: features.decibels(features.linear_bands(features.stft(x) ** 2)),
        lambda x: windows.network_input(x),
    ],
    ids=["stft", "log-mel", "chroma", "MFCC", "STFT in dB", "network input"],
)
def test_arrays_and_tensors_give_the_same(feature, synthetic):
    cut = windows.sliding(audio.load(synthetic.path.iloc[0])[0])[:6]
    ours, theirs = feature(cut), feature(tf.constant(cut))
    assert isinstance(ours, np.ndarray) and ours.dtype == np.float32 and tf.is_tensor(theirs)
    assert np.abs(ours - theirs.numpy()).max() < 1e-3
