"""What the model heard: the map against the model's own numbers, the part that decided."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
from panels import classifier, ensemble, network, pixels, sounds

from helpers import audio, files, predict, widgets, windows
from helpers.quiet import keras
from helpers.widgets import activation

RATE = 16_000


@pytest.fixture(scope="module")
def trained(synthetic):
    """A classifier whose card names two of the clips; it has learned nothing."""
    known = {files.digest(path): Path(path).name for path in synthetic.path.iloc[:2]}
    return classifier(ensemble(), files=known)


def burst(at, seconds=6.0):
    """Silence, and noise for half a second."""
    wave = np.zeros(int(seconds * RATE), np.float32)
    noise = np.random.default_rng(0).standard_normal(RATE // 2)
    wave[int(at * RATE) : int(at * RATE) + RATE // 2] = 0.1 * noise
    return wave


# ---- the map


@pytest.mark.parametrize(
    "cnn",
    [ensemble, lambda: network(3), lambda: network(4, stride=2)],
    ids=["ensemble", "one network", "with a stride"],
)
def test_the_map_adds_up_to_the_models_own_logits(synthetic, cnn):
    """Mean evidence and bias are the log odds that the model itself gives for each window."""
    cnn = cnn()
    judge = classifier(cnn)
    samples, _ = audio.load(synthetic.path.iloc[3])
    timeline = judge.predict(samples, RATE).timeline
    members = activation._members(judge)
    nets = [layer for layer in cnn.layers if isinstance(layer, keras.Model)] or [cnn]
    bias = np.mean([net.layers[-1].get_weights()[1] for net in nets], axis=0) / 1.5
    assert len(members) == len(nets)
    evidence = activation._evidence(members, windows.sliding(samples), 1, judge.card)
    total = evidence.mean(axis=(1, 2)) + bias[1] - bias[0]
    assert np.std(total) > 0.01
    np.testing.assert_allclose(total, np.log(timeline.dog / timeline.cat), atol=2e-3)


def test_the_map_is_a_mean_where_windows_overlap():
    """The same evidence in every window is the same everywhere, whether one or four cover it."""
    members = [(lambda seen, training: np.ones((len(seen), 5, 4, 1)), np.array([[[-1.0, 1.0]]]))]
    timeline = pd.DataFrame({"weight": np.full(16, 1 / 16)})
    answer = SimpleNamespace(best="dog", probabilities={"cat": 0, "dog": 1}, timeline=timeline)
    samples = np.random.default_rng(0).standard_normal(16 * windows.HOP).astype(np.float32)
    card = {"window_hop_seconds": windows.HOP / RATE}
    heat = activation._heat(members, samples, answer, card)
    assert heat.shape == (16 * 24 + 1, 64)
    np.testing.assert_allclose(heat, 2.0)


def test_the_map_keeps_to_the_hop_of_the_card(trained, synthetic):
    """The shipped model's windows stand 6,000 samples apart."""
    samples, _ = audio.load(synthetic.path.iloc[3])
    members = [(lambda seen, training: np.ones((len(seen), 5, 4, 1)), np.array([[[-1.0, 1.0]]]))]
    count = -(-len(samples) // 6_000)
    timeline = pd.DataFrame({"weight": np.ones(count)})
    answer = SimpleNamespace(best="dog", probabilities={"cat": 0, "dog": 1}, timeline=timeline)
    activation._heat(members, samples, answer, {"window_hop_seconds": 0.375})
    with pytest.raises(ValueError):
        activation._heat(members, samples, answer, {"window_hop_seconds": 0.75})


def test_a_model_of_another_form_or_without_layers_gives_no_map(synthetic):
    flat = keras.Sequential(
        [keras.layers.Input((94, 64, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    judge = classifier(network(1))
    alone = predict.Classifier(lambda waveform: judge.run(waveform), judge.card)
    for other in (classifier(flat), alone):
        shown = widgets.Ear(synthetic.head(1), other)
        assert shown.map is None and "No heat map" in shown.note.value and shown.picture.value
        assert len(sounds(shown.sound.value)) == 2


def test_the_map_stands_where_the_network_sees(trained, tmp_path, synthetic):
    """A network that adds up loudness above the mean has its evidence where the sound is."""
    pictures = keras.Input((94, 64, 1))
    seen = keras.layers.AveragePooling2D(16)(keras.layers.Activation("relu")(pictures))
    pooled = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(seen))
    cnn = keras.Model(pictures, keras.layers.Dense(2)(pooled))
    cnn.layers[-1].set_weights([np.array([[-9.0, 9.0]]), np.zeros(2)])
    soundfile.write(tmp_path / "burst.wav", burst(4.0), RATE)
    clips = synthetic.head(1).copy()
    clips["path"], clips["duration"] = str(tmp_path / "burst.wav"), 6.0
    shown = widgets.Ear(clips, classifier(cnn))
    assert shown.prediction.label == "dog" and shown.map.shape == (376, 64)
    seconds = np.arange(376) * 0.016
    inside = (seconds > 3.6) & (seconds < 4.9)  # the network sees in steps of a quarter of a second
    assert np.abs(shown.map[inside]).sum() > 0.95 * np.abs(shown.map).sum() > 0


# ---- the widget


def test_the_part_that_decided_holds_the_sound(trained, tmp_path, synthetic):
    clips = synthetic.head(2).copy()
    for row, at in enumerate((1.0, 4.0)):
        soundfile.write(tmp_path / f"{row}.wav", burst(at), RATE)
        clips.iloc[row, 0] = str(tmp_path / f"{row}.wav")
    shown = widgets.Ear(clips, trained)
    for at in (1.0, 4.0):
        start, end = shown.part
        assert start <= at + 0.05 and end >= at + 0.45 and end - start == pytest.approx(1.5)
        whole, part = sounds(shown.sound.value)
        assert len(whole[0]) / whole[1] == pytest.approx(6, abs=0.2)
        assert len(part[0]) / part[1] == pytest.approx(1.5, abs=0.2)
        assert np.sum(part[0] ** 2) == pytest.approx(np.sum(whole[0] ** 2), rel=0.1)
        shown.next.click()


def test_the_ear_follows_the_clip_and_says_what_the_model_knew(trained, synthetic):
    shown = widgets.Ear(synthetic, trained)
    first, answer = pixels(shown), shown.prediction
    assert "it was trained on this clip" in shown.note.value
    shown.clip.value = synthetic.index[5]
    assert (pixels(shown) != first).mean() > 0.01 and shown.prediction is not answer
    assert "not trained on this clip" in shown.note.value
    for name, share in shown.prediction.probabilities.items():
        assert f"{name} {100 * share:.0f} %" in shown.note.value
    silent = widgets.Ear(synthetic.head(1), predict.Classifier(trained.run))
    assert "trained" not in silent.note.value  # a card that does not say


def test_the_ear_tints_what_speaks_for_a_class(trained, synthetic):
    """Colours where there is a map, and a grey spectrogram where there is none."""
    alone = predict.Classifier(lambda waveform: trained.run(waveform), trained.card)
    tinted, grey = (pixels(widgets.Ear(synthetic.head(1), judge)) for judge in (trained, alone))
    lower = slice(tinted.shape[0] // 2, int(0.85 * tinted.shape[0])), slice(150, 500)
    colour = [np.ptp(picture[lower][..., :3], axis=2) for picture in (tinted, grey)]
    assert (colour[0] > 0.1).mean() > 0.1 and (colour[1] > 0.1).mean() < 0.05


def test_a_broken_clip_is_said(trained, synthetic, tmp_path):
    clips = synthetic.head(2).copy()
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    clips.iloc[0, 0] = str(tmp_path / "broken.wav")
    shown = widgets.Ear(clips, trained)
    assert "cannot be decoded" in shown.note.value and not shown.picture.value
    shown.next.click()
    assert shown.picture.value and shown.map is not None
