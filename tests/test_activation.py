"""What the model heard, and the quiz: the map against the model's own numbers, votes and scores."""

import base64
import hashlib
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile

from helpers import audio, export, models, predict, widgets, windows
from helpers.quiet import keras
from helpers.widgets import activation

RATE = 16_000


def network(seed, **options):
    """A small network, its weights random but fixed, its answers far from one another."""
    keras.utils.set_random_seed(seed)
    cnn = models.compact_cnn((94, 64, 1), 2, width=4, **options)
    cnn.layers[-1].set_weights([9 * cnn.layers[-1].get_weights()[0], np.array([0.3, -0.2])])
    return cnn


def committee():
    pictures = keras.Input((94, 64, 1))
    members = [network(seed, stride=2) for seed in (1, 2)]
    return keras.Model(pictures, keras.layers.Average()([member(pictures) for member in members]))


def classifier(cnn, **card):
    model = export.from_waveform(cnn, ["cat", "dog"], temperature=1.5)
    return predict.Classifier(model.predict_on_batch, {"temperature": 1.5, **card})


@pytest.fixture(scope="module")
def trained(synthetic):
    """A classifier whose card names two of the clips; it has learned nothing."""
    files = {digest(path): Path(path).name for path in synthetic.path.iloc[:2]}
    return classifier(committee(), files=files)


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def pixels(panel):
    return plt.imread(io.BytesIO(panel.picture.value))


def sounds(markup):
    found = re.findall(r"data:audio/mpeg;base64,([^']+)", markup)
    return [soundfile.read(io.BytesIO(base64.b64decode(payload))) for payload in found]


def burst(at, seconds=6.0):
    """Silence, and noise for half a second."""
    wave = np.zeros(int(seconds * RATE), np.float32)
    noise = np.random.default_rng(0).standard_normal(RATE // 2)
    wave[int(at * RATE) : int(at * RATE) + RATE // 2] = 0.1 * noise
    return wave


# ---- the map


@pytest.mark.parametrize(
    "cnn",
    [committee, lambda: network(3), lambda: network(4, stride=2)],
    ids=["committee", "one network", "with a stride"],
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


# ---- the ear


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


# ---- the quiz


def play(quiz_, votes):
    for vote in votes:
        quiz_.votes[vote].click()
        quiz_.next.click()


def test_a_quiz_from_first_vote_to_score(trained, synthetic):
    game = widgets.Quiz(synthetic, trained, n=4)
    truth = list(game.rows.label)
    assert sorted(truth) == ["cat", "cat", "dog", "dog"]
    assert "Clip 1 of 4" in game.note.value and "is a" not in game.note.value
    assert not game.picture.value  # the picture would tell
    heard, _ = audio.load(game.rows.path.iloc[0])
    assert abs(len(sounds(game.sound.value)[0][0]) - len(heard)) < 3000
    game.votes[truth[0]].click()
    assert f"is a <b>{truth[0]}</b>" in game.note.value
    assert re.search(f"You said {truth[0]} <b style='color:#[0-9A-F]+'>✓</b>", game.note.value)
    assert game.picture.value and all(button.disabled for button in game.votes.values())
    other = {"cat": "dog", "dog": "cat"}
    game.votes[other[truth[0]]].click()  # too late: a vote stands
    assert game.rows.voted.iloc[0] == truth[0]
    game.next.click()
    assert game.rows.voted.iloc[1] == "" and not game.votes["cat"].disabled
    play(game, [truth[1], other[truth[2]], truth[3]])
    model = list(game.rows.model)
    right = [name == label for name, label in zip(model, truth)]
    yours = [True, True, False, True]
    assert f"You: 3 of 4. The model: {sum(right)} of 4." in game.note.value
    beaten = sum(you and not it for you, it in zip(yours, right))
    assert f"You beat it on {beaten}" in game.note.value
    differ = sum(you != it for you, it in zip(yours, right))
    assert len(sounds(game.sound.value)) == differ
    for path, name in zip(game.rows.path, model):
        assert trained.predict(path).best == name


def test_next_waits_for_a_vote(trained, synthetic):
    game = widgets.Quiz(synthetic, trained, n=2)
    game.next.click()
    assert game.next.disabled and "Clip 1 of 2" in game.note.value
    game.votes["cat"].click()
    assert not game.next.disabled
    game.next.click()
    game.next.click()  # a double click
    assert game.next.disabled and "Clip 2 of 2" in game.note.value
    play(game, ["dog"])
    assert re.search(r"You: [012] of 2\. The model: [012] of 2\.", game.note.value)


def test_clips_the_model_was_trained_on_come_last_and_are_said(synthetic):
    some = synthetic[synthetic.label == "cat"].head(6)
    known = {digest(path): "" for path in some.path.iloc[:3]}
    judge = classifier(network(1), files=known)
    fresh = widgets.Quiz(some, judge, n=3, seconds=99.0)
    assert set(fresh.rows.index) == set(some.index[3:]) and not fresh.rows.trained_on.any()
    every = widgets.Quiz(some, judge, n=6, seconds=99.0)
    assert set(every.rows.index[every.rows.trained_on.astype(bool)]) == set(some.index[:3])
    for known in every.rows.trained_on:
        every.votes["cat"].click()
        assert ("it was trained on this clip" in every.note.value) == known
        every.next.click()
    its = (every.rows.model == every.rows.label) & ~every.rows.trained_on.astype(bool)
    assert f"Of the 3 that it was not trained on, it had {its.sum()}." in every.note.value
    silent = widgets.Quiz(some, predict.Classifier(judge.run), n=1)
    play(silent, ["cat"])
    assert "does not say which clips" in silent.note.value


def test_the_clips_are_short_and_new_ones_can_be_drawn(trained, synthetic):
    game = widgets.Quiz(synthetic, trained)
    assert len(game.rows) == 10 and synthetic.duration[game.rows.index].max() <= 4
    before = set(game.rows.index)
    game.votes["cat"].click()
    game.again.click()
    assert set(game.rows.index) != before and (game.rows.voted == "").all()
    assert "Clip 1 of 10" in game.note.value and not game.votes["cat"].disabled
    assert widgets.Quiz(synthetic, trained).rows.index.equals(
        widgets.Quiz(synthetic, trained).rows.index
    )


def test_without_widgets_the_quiz_is_on_paper(trained, synthetic):
    page = widgets.Quiz(synthetic, trained, n=3)._repr_mimebundle_()["text/html"]
    picture = re.search(r"data:image/png;base64,([^']+)", page)[1]
    assert plt.imread(io.BytesIO(base64.b64decode(picture))).std() > 0.05
    assert len(sounds(page)) == 3 and page.count("<li") == 3
    assert page.index("clip 1") < page.index("<details>") < page.index("the model:")


def test_a_broken_clip_does_not_end_the_quiz(trained, synthetic, tmp_path):
    clips = synthetic.head(2).copy()
    clips.iloc[0, 0], clips.iloc[1, 0] = str(tmp_path / "gone.wav"), str(tmp_path / "broken.wav")
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    game = widgets.Quiz(clips, trained, n=2)
    page = game._repr_mimebundle_()["text/html"]
    assert "no such file" in page and "cannot be decoded" in page
    for _ in range(2):
        assert re.search("no such file|cannot be decoded", game.note.value)
        game.votes["cat"].click()
        game.next.click()
    assert "You: 0 of 0. The model: 0 of 0." in game.note.value
