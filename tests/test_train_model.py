"""A model of any classes: from a folder to its files, an answer, a page and a Space's folder."""

import errno
import json
import re
import subprocess
import sys
from dataclasses import replace

import httpx
import numpy as np
import pandas as pd
import pytest
import soundfile
import train_model
import yaml

from helpers import audio, cards, datasets, files, plots, predict, recipes
from helpers.datasets import voices
from helpers.demo import answers, page, space
from helpers.widgets import Quiz

pytestmark = pytest.mark.slow

RATE = audio.SAMPLE_RATE
NAMES = ["bark", "chirp", "click", "hiss", "tone"]


def sound(kind, rng):
    """Half a second to one of one kind: float32, 16 kHz."""
    kind = kind.lower()
    time = np.arange(round(rng.uniform(0.5, 1) * RATE)) / RATE
    if kind == "bark":
        return 0.5 * voices.call("bark", rng, size=0.5)
    if kind == "hiss":
        wave = rng.normal(0, 0.1, len(time))
    elif kind == "click":
        wave = 0.8 * (rng.random(len(time)) < 0.001)
    else:
        rise = 4_000 if kind == "chirp" else 0
        wave = 0.5 * np.sin(2 * np.pi * (rng.uniform(300, 900) + rise * time) * time)
    return (wave + rng.normal(0, 1e-4, len(time))).astype(np.float32)


def recordings(folder, counts, seed=0):
    """Write so many clips of each class, every one a recording of its own; returns the folder."""
    rng = np.random.default_rng(seed)
    for kind, count in counts.items():
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            soundfile.write(folder / kind / f"{number}.wav", sound(kind, rng), RATE)
    return folder


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """The folder of the sounds, that of their model, and what the program printed."""
    base = tmp_path_factory.mktemp("five")
    sounds = recordings(base / "sounds", dict.fromkeys(NAMES, 3) | {"tone": 7})
    tiny = replace(recipes.BEST, width=8, epochs=2, steps=10, augment=(), mixup=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_model, "RUNS", base)
        patch.setattr(train_model.recipes, "BEST", tiny)
        train_model.main(["--dataset", str(sounds), "--name", "my-five"])
    return sounds, base / "models" / "my-five"


@pytest.fixture(scope="module")
def classifier(five):
    return predict.Classifier.load(five[1])


def test_the_folder_holds_the_model_twice_and_its_card_twice(five):
    assert {path.name for path in five[1].iterdir()} == {
        *("model.keras", "model.tflite", "model.json", "README.md")
    }
    card = json.loads((five[1] / "model.json").read_text("utf-8"))
    assert card["names"] == NAMES and card["title"] == "My five"
    assert len(card["files"]) == 19 and card["examples"] == []
    assert card["files_differ_by"] < 1e-2


def test_the_figures_are_of_exactly_these_recordings(five):
    card = json.loads((five[1] / "model.json").read_text("utf-8"))
    found = card["figures"]
    assert found["folds"] == 3, "no more than the rarest class has recordings"
    assert {n: row["clips"] for n, row in found["classes"].items()} == dict.fromkeys(NAMES, 3) | {
        "tone": 7
    }
    recalls = [row["right"] / row["clips"] for row in found["classes"].values()]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls), abs=1e-3)
    assert found["low"] <= found["balanced_accuracy"] <= found["high"]
    assert found["chance"] == 0.2 < found["balanced_accuracy"]
    words = (five[1] / "README.md").read_text("utf-8")
    assert f"**{100 * found['balanced_accuracy']:.1f} %**" in words
    assert "Bark, chirp, click, hiss or tone?" in words and "| tone | 7 | 7 |" in words


def test_it_tells_the_classes_apart_better_than_chance(five, classifier):
    clips = datasets.load(five[0], quiet=True)
    right = [classifier.predict(row.path).best == row.label for row in clips.itertuples()]
    assert np.mean(right) > 0.4  # of 5 classes
    assert all(map(classifier.knows, clips.path))


def test_both_files_say_the_same(five, classifier):
    other = predict.Classifier.load(five[1] / "model.keras")
    wave = sound("chirp", np.random.default_rng(9))
    one, two = (each.predict(wave, RATE).probabilities for each in (classifier, other))
    assert one == pytest.approx(two, abs=1e-2) and list(one) == NAMES


def test_the_page_asks_its_question_and_answers(five, classifier, tmp_path):
    answerer = answers.Answerer(classifier)
    assert "Bark, chirp, click, hiss or tone?" in answerer.question
    path = tmp_path / "clip.wav"
    soundfile.write(path, sound("tone", np.random.default_rng(5)), RATE)
    verdict, shares, picture = answerer.answer(str(path))
    assert set(shares) == set(NAMES) and sum(shares.values()) == pytest.approx(1)
    assert "img" in picture and not path.exists()
    with page.running(classifier) as address:
        config = httpx.get(f"{address}config").json()
    shown = " ".join(str(part["props"].get("value")) for part in config["components"])
    assert config["title"] == "My five" and "# My five" in shown and "knows bark, chirp" in shown
    assert not re.search(r"\b(cats?|dogs?|synthetic)\b", shown, re.I)


def test_the_command_shows_the_three_likeliest(five, capsys):
    clip = str(five[0] / "hiss" / "0.wav")
    assert predict.main([clip, "--model", str(five[1])]) == 0
    line = capsys.readouterr().out
    assert (line.count(" %") == 3 and "proves nothing" in line) or "no class stands out" in line
    assert predict.main([clip, "--json", "--model", str(five[1])]) == 0
    assert list(json.loads(capsys.readouterr().out)["probabilities"]) == NAMES


def test_the_quiz_and_the_timeline_take_it(five, classifier):
    quiz = Quiz(datasets.load(five[0], quiet=True), classifier, n=5)
    assert list(quiz.votes) == NAMES
    plots.timeline(classifier.predict(five[0] / "tone" / "0.wav").timeline)


def test_its_space_starts_with_this_model(five, tmp_path):
    written = space.write(tmp_path / "space", five[1])
    assert {"model/model.tflite", "model/model.json", "model/README.md"} <= set(written)
    assert not any("cat" in name or name.startswith("examples") for name in written)
    readme = (tmp_path / "space" / "README.md").read_text("utf-8")
    front = yaml.safe_load(readme.split("---")[1])
    assert front["title"] == "My five" and "license" not in front
    assert len(front["short_description"]) <= 60
    code = (
        "import app; from helpers import predict; from helpers.demo import page;"
        "one = predict.Classifier.load(app.MODEL); print(one.card['question'], page.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "space",
        env={"PATH": "", "PYTHONPATH": str(tmp_path / "space")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("Bark, chirp, click, hiss or tone?"), done.stderr
    assert str(tmp_path / "space") in done.stdout, "the folder's own helpers"


def test_an_example_that_the_card_names_goes_to_the_page_and_the_space(five, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.tflite").write_bytes((five[1] / "model.tflite").read_bytes())
    card = json.loads((five[1] / "model.json").read_text("utf-8")) | {"examples": ["beep.wav"]}
    (folder / "model.json").write_text(json.dumps(card))
    soundfile.write(folder / "beep.wav", sound("tone", np.random.default_rng(1)), RATE)
    assert list(answers.examples(predict.Classifier.load(folder).card)) == ["beep"]
    space.write(tmp_path / "space", folder)
    again = predict.Classifier.load(tmp_path / "space" / "model")
    assert list(answers.examples(again.card)) == ["beep"]


# ---- what is refused, before anything is trained


@pytest.fixture
def untrained(monkeypatch, tmp_path):
    monkeypatch.setattr(train_model.recipes, "train", lambda *_, **__: pytest.fail("it trained"))
    monkeypatch.setattr(train_model, "RUNS", tmp_path / "runs")
    return tmp_path


@pytest.mark.parametrize(
    ("counts", "say"),
    [
        ({"tone": 3}, "only one class, 'tone'"),
        ({"tone": 3, "hiss": 1, "click": 3}, "'hiss'.*only 1 independent recording.*add"),
        ({}, "no labelled"),
    ],
)
def test_too_few_classes_or_recordings(untrained, counts, say):
    folder = untrained / "sounds"
    folder.mkdir()
    recordings(folder, counts)
    with pytest.raises(SystemExit, match=say):
        train_model.main(["--dataset", str(folder), "--name", "mine"])
    assert not (untrained / "runs").exists()


def test_many_clips_of_one_recording_are_one_recording(untrained):
    folder = recordings(untrained / "sounds", {"tone": 3, "hiss": 4})
    names = [f"{kind}/{n}.wav" for kind, count in (("tone", 3), ("hiss", 4)) for n in range(count)]
    one = ["a", "b", "c", "d", "d", "d", "d"]
    pd.DataFrame({"file": names, "recording": one}).to_csv(folder / "recordings.csv", index=False)
    with pytest.raises(SystemExit, match="'hiss' has only 1 independent recording"):
        train_model.main(["--dataset", str(folder)])
    for split, part in (("train", names[::2]), ("test", names[1::2])):
        for name in part:
            (folder / split / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).rename(folder / split / name)
            names[names.index(name)] = f"{split}/{name}"
    pd.DataFrame({"file": names, "recording": one}).to_csv(folder / "recordings.csv", index=False)
    with pytest.raises(SystemExit, match=r"'hiss': only one independent recording.*leave"):
        train_model.main(["--dataset", str(folder)])


@pytest.mark.parametrize("name", ["../mine", "a/b", "", ".hidden"])
def test_names_that_are_no_folder_of_their_own(untrained, name):
    with pytest.raises(SystemExit, match="NAME"):
        train_model.main(["--dataset", str(untrained / "x" / ".."), "--name", name or "."])


def test_a_folder_that_holds_something_else_stays(untrained):
    other = untrained / "runs" / "models" / "mine"
    other.mkdir(parents=True)
    (other / "letter.txt").write_text("mine")
    with pytest.raises(SystemExit, match="holds something else"):
        train_model.main(["--dataset", str(untrained), "--name", "mine"])
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def catalog(groups):
    """A catalog of clips with these recordings: {class: [group, ...]}."""
    rows = [(label, group) for label, of in groups.items() for group in of]
    return pd.DataFrame(rows, columns=["label", "group"])


def test_the_number_of_folds_falls_with_the_recordings():
    def many(n, start=0):
        return list(range(start, start + n))

    assert train_model.fold_count(catalog({"a": many(9), "b": many(8, 10)}), 0) == 5
    assert train_model.fold_count(catalog({"a": many(9), "b": many(3, 10)}), 0) == 3
    assert train_model.fold_count(catalog({"a": [0, 0, 0, 1], "b": many(90, 10)}), 0) == 2
    assert train_model.refusal(catalog({"a": many(9), "b": many(2, 10)})) is None


def test_classes_that_share_every_recording_cannot_be_held_out():
    with pytest.raises(ValueError, match="share recordings"):
        train_model.fold_count(catalog({"a": [0, 1], "b": [1, 2], "c": [0, 2]}), 0)


def test_a_clip_whose_recording_is_left_blank_is_its_own(untrained):
    folder = recordings(untrained / "sounds", {"tone": 3, "hiss": 3})
    names = [f"{kind}/{n}.wav" for kind in ("tone", "hiss") for n in range(3)]
    one = ["a", "b", None, "d", "e", None]
    pd.DataFrame({"file": names, "recording": one}).to_csv(folder / "recordings.csv", index=False)
    clips = datasets.load(folder, quiet=True)
    assert clips.group["tone/2.wav"] == "alone: tone/2.wav" and clips.group.nunique() == 6
    assert ("all clips", "2 have no group stated: each is its own") in clips.attrs["findings"]


# ---- texts and colours of any number of classes


def test_texts_name_the_classes_or_count_them():
    assert predict.question(["cat", "dog"]) == "Cat or dog?"
    assert predict.question(["a", "b", "c"]) == "A, b or c?"
    many = [f"kind {n}" for n in range(50)]
    assert predict.question(many) == "Which of 50 sounds?" and "50 sounds" in predict.about(many)
    assert "cat and dog alone" in predict.about(["cat", "dog"])
    three = ["cat", "dog", predict.NONE, "rain"]  # as their ids go, by the alphabet
    assert predict.question(three) == "Cat, dog, rain or none of these?"
    assert "cat, dog and rain, and calls anything else none of these" in predict.about(three)
    assert predict.question(["dog", predict.NEITHER]) == "Dog or neither?"
    assert "It knows dog, and calls anything else neither" in predict.about(["dog", "neither"])


def test_up_to_fifty_classes_each_have_a_colour_of_their_own(monkeypatch):
    monkeypatch.setattr(plots, "_CLASS_COLOURS", dict(plots._CLASS_COLOURS))
    names = [*"ab", *(f"kind {n}" for n in range(48))]
    first = [plots.colour(name) for name in names]
    assert len({*first, plots.colour("cat"), plots.colour("dog")}) == 52
    assert first == [plots.colour(name) for name in reversed(names)][::-1], "it stays"


def seen(colour, matrix):
    """A colour as the eye that a matrix describes sees it, in CIELAB: float, shape (3,)."""
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(matrix @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / [0.9505, 1, 1.089], 1e-3))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes (2009), complete protanopia and deuteranopia
EYES = [
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
]


@pytest.mark.parametrize("matrix", EYES, ids=["protanopia", "deuteranopia"])
def test_colour_blind_readers_tell_the_first_eight_classes_apart(monkeypatch, matrix):
    monkeypatch.setattr(plots, "_CLASS_COLOURS", dict(list(plots._CLASS_COLOURS.items())[:2]))
    colours = [plots.colour(name) for name in ("cat", "dog", *NAMES, "rain")]
    places = [seen(colour, np.array(matrix)) for colour in colours]
    apart = [np.linalg.norm(a - b) for k, a in enumerate(places) for b in places[:k]]
    assert min(apart) > 5  # 2.3 is what can just be told


def test_with_a_background_a_model_of_one_s_own_says_none_of_these(tmp_path, monkeypatch, capsys):
    own = recordings(tmp_path / "own", {"bark": 5, "chirp": 5, "click": 5})
    rest = recordings(tmp_path / "rest", {"hiss": 5, "tone": 5, "click": 2}, seed=1)
    tiny = replace(recipes.HOLDS, width=4, steps=10, epochs=2, batch_size=16)
    monkeypatch.setattr(train_model, "RUNS", tmp_path)
    monkeypatch.setattr(train_model.recipes, "HOLDS", tiny)
    train_model.main(["--dataset", str(own), "--background", str(rest), "--name", "more"])
    said = capsys.readouterr().out
    assert "Background: 10 clips as 'other', 2 left out; kinds: hiss, tone" in said
    assert re.search("That takes about [0-9]+ (s|min)", said)
    heard = predict.Classifier.load(tmp_path / "models" / "more")
    assert heard.card["names"] == ["bark", "chirp", "click", "none of these"]
    assert heard.card["other"] == 3 and heard.card["other_from"] != 0.5  # chosen by the folds
    assert heard.predict(np.zeros(16_000, np.float32), 16_000).label == "none of these"
    assert heard.card["question"] == "Bark, chirp, click or none of these?"
    assert "and calls anything else none of these" in heard.card["about"]
    words = (tmp_path / "models" / "more" / "README.md").read_text("utf-8")
    assert "Epochs: 2, in all 20 batches of 16 windows each." in words


def test_a_background_may_be_any_folder_of_sounds(tmp_path, capsys):
    own = datasets.load(recordings(tmp_path / "own", {"bark": 3, "hiss": 3}), quiet=True)
    recordings(tmp_path / "street", {"traffic": 2, "wind": 2}, seed=1)
    for number, path in enumerate(sorted((tmp_path / "street").rglob("*.wav"))):
        path.rename(tmp_path / "street" / f"{number}.wav")
    clips = datasets.with_background(own, tmp_path / "street")
    assert clips.label.value_counts().to_dict() == {"other": 4, "bark": 3, "hiss": 3}
    assert "Background: 4 clips as 'other', 0 left out; kinds: other" in capsys.readouterr().out


def test_a_background_of_the_classes_themselves_is_none(tmp_path):
    own = datasets.load(recordings(tmp_path / "own", {"Bark": 3, "Hiss": 3}), quiet=True)
    same = recordings(tmp_path / "same", {"bark": 3, "hiss": 3}, seed=1)
    with pytest.raises(ValueError, match="no other sounds than those of the classes"):
        datasets.with_background(own, same)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["cat", "neither", "other"], "cannot be called neither"),
        (["cat", "none of these"], "cannot be called none of these"),
        (["cat", "level"], "cannot be called level"),
        (["cat", "other"], "only one class, 'cat'"),
    ],
)
def test_words_of_the_answer_are_no_classes(labels, words):
    clips = pd.DataFrame({"label": labels * 2, "group": range(2 * len(labels))})
    assert words in train_model.refusal(clips)


def test_the_card_counts_answers_as_the_classifier_gives_them():
    shares = {"p_cat": [0.5, 0.25, 0.3], "p_dog": [0.03, 0.2, 0.28], "p_other": [0.47, 0.55, 0.42]}
    found = cards.verdicts(pd.DataFrame(shares), 0.6)
    assert list(found) == ["cat", "other", "unsure"]
    assert list(cards.verdicts(pd.DataFrame(shares), 0.6, other_from=0.42)) == ["other"] * 3
    two = pd.DataFrame({"p_cat": [0.7, 0.55], "p_dog": [0.3, 0.45]})
    assert list(cards.verdicts(two, 0.6)) == ["cat", "unsure"]


def test_a_full_disk_ends_in_one_sentence(tmp_path, monkeypatch):
    def fill(*_):
        with files.atomic(tmp_path / "model"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(train_model.datasets, "load", fill)
    with pytest.raises(SystemExit, match="cannot be written: the disk is full"):
        train_model.main(["--dataset", str(tmp_path), "--name", "full"])
