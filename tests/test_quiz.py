"""The quiz, from the first vote to the score."""

import base64
import dataclasses
import io
import re
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from panels import classifier, ensemble, network, sounds

from helpers import audio, files, plots, predict, widgets


@pytest.fixture(scope="module")
def trained(synthetic):
    """A classifier whose card names two of the clips; it has learned nothing."""
    known = {files.digest(path): Path(path).name for path in synthetic.path.iloc[:2]}
    return classifier(ensemble(), files=known)


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


def test_neither_is_right_of_a_clip_of_another_sound(synthetic):
    clips = synthetic.groupby("label").head(2)
    clips = clips.assign(label=clips.label.replace("dog", "other"))
    neither = predict.Prediction("neither", None, {"cat": 0.1, "neither": 0.9}, None, 1.0)
    deaf = SimpleNamespace(predict=lambda path: neither, knows=lambda path: False)
    game = widgets.Quiz(clips, deaf, n=4)
    play(game, ["other"] * 4)
    assert set(game.rows.model) == {"other"} and "The model: 2 of 4." in game.note.value


def marks(game):
    """The two lines of marks: (the learner's, the model's), each with its score."""
    lines = re.findall(r"<tr><td[^>]*>(?:you|the model)</td>(.*?<b>\d+</b></td>)", game.note.value)
    return [re.sub(r"<[^>]+>", "", line) for line in lines[:2]]


def test_the_score_stands_above_mark_by_mark(trained, synthetic):
    game = widgets.Quiz(synthetic, trained, n=4)
    truth, other = list(game.rows.label), {"cat": "dog", "dog": "cat"}
    assert marks(game) == ["○○○○0", "○○○○0"] and "in a row" not in game.note.value
    seen = []
    for said in (truth[0], truth[1], other[truth[2]], truth[3]):
        before = marks(game)
        game.votes[said].click()
        model = "".join("✓" if m == x else "✗" for m, x in zip(game.rows.model, truth) if m)
        assert marks(game)[1] == f"{model:○<4}{model.count('✓')}" != before[1]
        seen.append((marks(game)[0], re.findall(r"(\d) in a row", game.note.value)))
        game.next.click()
    assert seen == [("✓○○○1", []), ("✓✓○○2", ["2"]), ("✓✓✗○2", []), ("✓✓✗✓3", [])]
    assert marks(game)[0] == "✓✓✗✓3" and f"The model: {marks(game)[1][-1]} of 4" in game.note.value


def test_rounds_played_to_the_end_are_remembered(trained, synthetic):
    game = widgets.Quiz(synthetic, trained, n=2)
    game.votes["cat"].click()
    game.again.click()  # broken off
    assert game.rounds == [] and "Round" not in game.note.value
    play(game, game.rows.label)
    its = int((game.rows.model == game.rows.label).sum())
    game.again.click()
    assert game.rounds == [(2, its)] and marks(game)[0] == "○○0"
    assert f"Round 2; before, you : the model 2 : {its}." in game.note.value


def test_the_votes_follow_the_player_in_the_colours_of_their_classes(trained, synthetic):
    game = widgets.Quiz(synthetic, trained, n=2)
    note, sound, controls, picture, _ = game.children
    assert (note, sound, picture) == (game.note, game.sound, game.picture)
    assert controls.children == (*game.votes.values(), game.next, game.again)
    for name, vote in game.votes.items():
        assert vote.layout.border_top.endswith(plots.colour(name))


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
    known = {files.digest(path): "" for path in some.path.iloc[:3]}
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
    assert marks(game) == ["––0", "––0"]


# ---- the quiz on one long clip


def alternating(names=("cat", "dog", "neither"), seconds=1.0):
    """Pieces whose pitch tells their label: 200, 400, 600 Hz; and a judge that hears that."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    return [(name, 0.1 * np.sin(400 * np.pi * (1 + k) * time)) for k, name in enumerate(names)]


class Pitch:
    """Calls 200 Hz a cat, and all else a dog."""

    def __init__(self):
        self.card = {"names": ["cat", "dog", "neither"]}

    def predict(self, samples, rate):
        crossings = np.mean(np.diff(np.signbit(samples)) != 0) * rate / 2
        share = float(crossings < 300)
        shares = {"cat": share, "dog": 1 - share, "neither": 0.0}
        timeline = pd.DataFrame(
            [{"start": 0.0, "end": len(samples) / rate, **shares, "level": 0.1, "weight": 1.0}]
        )
        return predict.Prediction("cat" if share else "dog", None, shares, timeline, 1.0)


def test_the_long_clip_is_its_pieces_in_order_at_one_level():
    quiz_ = widgets.LongQuiz(alternating(), Pitch(), seconds=1.0)
    assert len(quiz_.samples) == 3 * 16_000
    for part, (_, piece) in zip(np.split(quiz_.samples, 3), alternating()):
        np.testing.assert_allclose(part, 7 * piece, atol=1e-3)
    heard, rate = sounds(quiz_.sound.value)[0]
    assert abs(len(heard) / rate - 3) < 0.2


def test_nothing_is_told_before_every_stretch_has_a_choice():
    quiz_ = widgets.LongQuiz(alternating(), Pitch(), seconds=1.0)
    assert "3 still to choose" in quiz_.note.value and quiz_.compare.disabled
    first = quiz_.picture.value
    for choice in quiz_.choices[:2]:
        choice.value = "cat"
    assert "1 still to choose" in quiz_.note.value and quiz_.picture.value != first
    quiz_.compare.click()  # as a program can
    assert "truly" not in quiz_.note.value
    quiz_.choices[2].value = "neither"
    assert not quiz_.compare.disabled and "truly" not in quiz_.note.value


def test_the_verdicts_are_in_words_and_in_colour():
    quiz_ = widgets.LongQuiz(alternating(), Pitch(), seconds=1.0)
    for choice, said in zip(quiz_.choices, ("cat", "cat", "neither")):
        choice.value = said
    player = quiz_.sound.value
    quiz_.compare.click()
    assert "You: 2 of 3. The model: 2 of 3." in quiz_.note.value
    lines = re.findall(r"<tr>(.*?)</tr>", quiz_.note.value)[1:]
    told = [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]
    assert told[1] == "1 to 2 s dog cat ✗ dog (100 %) ✓"
    assert told[2] == "2 to 3 s neither neither ✓ dog (100 %) ✗"
    right, wrong = (set(re.findall(rf"color:(#\w+)'>{sign}", quiz_.note.value)) for sign in "✓✗")
    assert len(right) == len(wrong) == 1 and right != wrong
    assert all(choice.disabled for choice in quiz_.choices) and quiz_.compare.disabled
    assert quiz_.sound.value == player  # a player that is set anew stops


class Cautious(Pitch):
    """Calls all neither, which is not the likeliest."""

    def predict(self, samples, rate):
        shares = {"cat": 0.5, "dog": 0.1, "neither": 0.4}
        return dataclasses.replace(
            super().predict(samples, rate), label="neither", probabilities=shares
        )


def test_a_verdict_stands_with_its_own_probability_and_other_is_neither():
    pieces = [("other", piece) for _, piece in alternating()]
    quiz_ = widgets.LongQuiz(pieces, Cautious(), seconds=1.0)
    assert "other" not in quiz_.choices[0].options and quiz_.truth == ["neither"] * 3
    for choice in quiz_.choices:
        choice.value = "neither"
    quiz_.compare.click()
    assert "You: 3 of 3. The model: 3 of 3." in quiz_.note.value
    assert "neither (40 %)" in quiz_.note.value and "50 %" not in quiz_.note.value


def test_of_three_classes_what_is_none_is_called_none_of_these():
    model = Pitch()
    model.card = {"names": ["bark", "meow", "none of these", "rain"]}
    quiz_ = widgets.LongQuiz([("other", piece) for _, piece in alternating()], model, seconds=1.0)
    assert quiz_.truth == ["none of these"] * 3 and "other" not in quiz_.choices[0].options


def test_where_no_control_works_the_answers_are_folded():
    page = widgets.LongQuiz(alternating(), Pitch(), seconds=1.0)._repr_mimebundle_()
    before, after = page["text/html"].split("<summary>Answers</summary>")
    assert "✓" not in before and after.count("✓") == 2 and after.count("✗") == 1
    assert page["image/png"] and len(sounds(before)) == 1


def test_a_long_clip_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one piece"):
        widgets.LongQuiz([], Pitch())
