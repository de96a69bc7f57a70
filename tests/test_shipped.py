"""The model in data/pretrained: its size, its card, and that both of its files say the same."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from helpers import audio, datasets, files, predict
from helpers.demo import answers
from helpers.quiet import keras

FOLDER = files.ROOT / "data" / "pretrained"
MEASURED = json.loads((files.ROOT / "benchmarks/results/shipped.json").read_text("utf-8"))
KERAS, LITERT, CARD = (FOLDER / f"cat_dog_cnn.{end}" for end in ("keras", "tflite", "json"))


@pytest.fixture(scope="module")
def both():
    return [predict.Classifier.load(path) for path in (KERAS, LITERT)]


@pytest.fixture(scope="module")
def clips():
    return datasets.load("synthetic", quiet=True).iloc[::20]


def test_it_is_small():
    assert KERAS.stat().st_size < 1e6 and LITERT.stat().st_size <= 7e5
    network = keras.models.load_model(KERAS, compile=False)
    assert network.count_params() == MEASURED["parameters"] <= 160_000


def test_it_tells_synthetic_cats_from_dogs(both, clips):
    """It says of half of them at least what they are: of three answers, guessing has a third."""
    said = [both[0].predict(path).best for path in clips.path]
    assert np.mean(np.array(said) == clips.label) >= 0.5


TIME = np.arange(3 * audio.SAMPLE_RATE) / audio.SAMPLE_RATE
NOISE = np.random.default_rng(0).normal(0, 0.1, len(TIME))
BOWED = 440 * TIME + 0.8 * np.sin(2 * np.pi * 5.5 * TIME)  # with a vibrato


@pytest.mark.parametrize(
    "sound",
    [
        0 * TIME,
        1e-6 * NOISE,
        1e-2 * NOISE,
        NOISE,
        0.1 * np.sin(2 * np.pi * 50 * TIME),
        0.3 * np.sin(2 * np.pi * 1_000 * TIME),
        0.3 * np.sin(2 * np.pi * 1_000 * TIME) * (TIME % 0.5 < 0.2),
        sum(0.2 / k * np.sin(2 * np.pi * k * BOWED) for k in range(1, 12)),
    ],
    ids=["silence", "nearly", "soft noise", "noise", "hum", "tone", "beeps", "a bowed string"],
)
def test_what_no_animal_makes_is_neither(both, sound):
    assert both[1].predict(sound.astype(np.float32), audio.SAMPLE_RATE).label == "neither"


@pytest.mark.parametrize("which", [0, 1], ids=["keras", "litert"])
def test_the_file_itself_answers_as_the_classifier_does(both, which):
    """A clip of two voices, one far surer than the other: the joining of windows is seen."""
    clip = answers.examples()["Both"]
    inside = both[which].run(clip[None])["probabilities"][0]
    given = list(both[which].predict(clip, audio.SAMPLE_RATE).probabilities.values())
    np.testing.assert_allclose(inside, given, atol=1e-4)


def test_keras_and_litert_agree_at_any_length(both, clips):
    waves = [audio.load(path)[0] for path in clips.path[:4]]
    for wave in [*waves, waves[0][:100], waves[1][:20_000], np.tile(waves[2], 4)]:
        one, other = (each.predict(wave, audio.SAMPLE_RATE).probabilities for each in both)
        assert one == pytest.approx(other, abs=1e-2)


def test_the_card_names_what_a_reader_needs(both):
    card = json.loads(CARD.read_text("utf-8"))
    assert card["names"] == ["cat", "dog", "neither"]
    assert card["names"][card["other"]] == "neither" and 0 < card["other_from"] < 1
    assert 0.5 < card["unsure_below"] < 1 and card["temperature"] > 0
    digests = set(card["files"])
    stated = pd.read_csv(files.ROOT / "data" / "elsewhere.csv")
    may = ~stated.licence.str.startswith(("GPL", "FAL"))
    assert set(stated.sha256[may]) <= digests
    assert not (set(stated.sha256[~may]) - set(stated.sha256[may])) & digests
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert both[0].card["files"] == both[1].card["files"] == card["files"]


def test_a_clip_that_it_did_not_hear_is_not_known(both, clips):
    assert not any(map(both[0].knows, clips.path))


@pytest.mark.recordings
def test_it_knows_the_recordings_that_it_was_trained_on(both, recordings, tmp_path):
    clips = datasets.load(recordings, quiet=True)
    assert all(map(both[0].knows, clips.path))
    copy = tmp_path / "other name.wav"
    shutil.copy(clips.path.iloc[0], copy)
    assert both[0].knows(copy)
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert not both[0].knows(copy)
