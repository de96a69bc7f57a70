"""The model in data/pretrained: its size, its card, and that both of its files say the same."""

import json
import re
import shutil

import numpy as np
import pytest

from helpers import audio, datasets, files, predict

FOLDER = files.ROOT / "data" / "pretrained"
KERAS, LITERT, CARD = (FOLDER / f"cat_dog_cnn.{end}" for end in ("keras", "tflite", "json"))


@pytest.fixture(scope="module")
def both():
    return [predict.Classifier.load(path) for path in (KERAS, LITERT)]


@pytest.fixture(scope="module")
def clips():
    return datasets.load("synthetic", quiet=True).iloc[::20]


def test_each_file_is_at_most_two_megabytes():
    assert max(KERAS.stat().st_size, LITERT.stat().st_size) <= 2e6


def test_it_tells_synthetic_cats_from_dogs(both, clips):
    answers = [both[0].predict(path).best for path in clips.path]
    assert np.mean(np.array(answers) == clips.label) >= 0.75  # 14 clips; guessing gives 0.5


def test_keras_and_litert_agree_at_any_length(both, clips):
    waves = [audio.load(path)[0] for path in clips.path[:4]]
    for wave in [*waves, waves[0][:100], waves[1][:20_000], np.tile(waves[2], 4)]:
        one, other = (each.predict(wave, audio.SAMPLE_RATE).probabilities for each in both)
        assert one == pytest.approx(other, abs=1e-2)


def test_the_card_names_what_a_reader_needs(both):
    card = json.loads(CARD.read_text("utf-8"))
    assert card["names"] == ["cat", "dog"]
    assert 0.5 < card["unsure_below"] < 1 and card["temperature"] > 0
    digests = set(card["files"])
    assert len(digests) == 276  # of 277 recordings, two are the same file
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
