"""Sources made for lessons 09 and 10: sounds, places, mistakes, and what labels and weighs them."""

import numpy as np
import pandas as pd
import pytest

from helpers import audio, datasets, evaluation, widgets
from helpers.datasets import others, synthetic


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    folder = synthetic.make_elsewhere(tmp_path_factory.mktemp("away") / "sources", n_clips=3)
    return datasets.load(folder, quiet=True)


@pytest.mark.parametrize("kind", others.KINDS)
def test_every_kind_sounds_and_differs_from_seed_to_seed(kind):
    one, two = (others.sound(kind, np.random.default_rng(seed), 1.5) for seed in (0, 1))
    assert one.shape == (24_000,) and one.dtype == np.float32
    assert np.isfinite(one).all() and np.abs(one).max() == pytest.approx(1, abs=1e-5)
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, others.sound(kind, np.random.default_rng(0), 1.5))


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="violin"):
        others.sound("violin", np.random.default_rng(0))


def test_each_source_has_every_class_and_no_clip_a_cousin(away):
    counts = away.groupby(["source", "label"]).size().unstack()
    assert counts.shape == (3, 3) and (counts == 3).all(axis=None)
    assert away.group.is_unique
    assert set(away.kind[away.label == datasets.OTHER]) < set(others.KINDS)


def test_a_complete_folder_is_left_and_another_size_made_anew(tmp_path):
    folder = synthetic.make_elsewhere(tmp_path / "sources", n_clips=1)
    first = (folder / "manifest.csv").stat().st_mtime_ns
    synthetic.make_elsewhere(folder, n_clips=1)
    assert (folder / "manifest.csv").stat().st_mtime_ns == first
    synthetic.make_elsewhere(folder, n_clips=2)
    assert len(pd.read_csv(folder / "manifest.csv")) == 18
    with pytest.raises(ValueError, match="n_clips must be a whole number of 1"):
        synthetic.make_elsewhere(folder, n_clips=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(ValueError, match="choose a new folder"):
        synthetic.make_elsewhere(tmp_path / "mine")


def test_a_telephone_is_narrow_and_a_stairwell_is_not(away):
    def share_above(source, hertz):
        power = 0
        for path in away.path[away.source == source]:
            samples = audio.load(path)[0][:32_000]
            power = power + np.abs(np.fft.rfft(samples / np.linalg.norm(samples), 32_000)) ** 2
        return power[2 * hertz :].sum() / power.sum()

    assert 5 * share_above("telephone", 4_500) < share_above("stairwell", 4_500)


def test_five_classes_come_with_the_mistakes_that_an_audit_should_find(tmp_path):
    clips = datasets.load(synthetic.make_five(tmp_path / "five", n_clips=4), quiet=True)
    assert (clips.groupby(["source", "label"]).size().unstack() == 4).all(axis=None)
    findings = datasets.validate(clips)[1].set_index("file").finding
    assert findings["cat/cleo_2.wav"].startswith("silent")
    assert findings["dog/cleo_2.wav"].startswith("clipped")
    assert findings["dog/ben_1.wav"] == "byte-identical to cat/ben_3.wav"
    shared = clips.groupby("group").filter(lambda part: len(part) > 1)
    assert set(shared.index) == {
        *("cat/ben_3.wav", "dog/ben_1.wav"),
        *("bird/ben_0.wav", "bird/ben_3.wav", "rain/cleo_0.wav", "rain/cleo_3.wav"),
    }
    assert clips.licence[clips.source == "cleo"].str.startswith("not stated").all()
    rain = clips.label == "rain"
    assert clips.duration[rain].median() > clips.duration[~rain].max() - 0.5
    with pytest.raises(ValueError, match="n_clips must be a whole number of 4"):
        synthetic.make_five(tmp_path / "five", n_clips=3)


def predictions():
    share = np.array([[0.8, 0.1, 0.1], [0.1, 0.5, 0.4], [0.2, 0.1, 0.7], [0.5, 0.2, 0.3]])
    clips = pd.DataFrame({"label": ["cat", "dog", "other", "other"]})
    return evaluation.table(share, clips, ["cat", "dog", "other"])


def test_the_trade_counts_who_is_turned_away_and_who_let_in():
    trade = widgets.Trade(predictions(), start=0.5)
    assert (trade.kept, trade.out) == (1.0, 0.5) and trade.picture.value
    trade.limit.value = 0.3
    assert (trade.kept, trade.out) == (0.5, 1.0)
    assert "1 of 2" in trade.note.value and "0 of 2" in trade.note.value
    trade.limit.value = 0.98
    assert (trade.kept, trade.out) == (1.0, 0.0)


def test_a_trade_needs_others_and_the_rest():
    with pytest.raises(ValueError, match="other"):
        widgets.Trade(predictions().iloc[:2])
    with pytest.raises(ValueError, match="other"):
        widgets.Trade(predictions().iloc[2:])
    with pytest.raises(ValueError, match="other"):
        widgets.Trade(predictions().drop(columns="p_other"))


def test_labels_are_given_in_order_and_may_be_taken_back(away):
    some = away.iloc[:3]
    labeller = widgets.Labeller(some)
    assert "Clip 1 of 3" in labeller.note.value and "<audio" in labeller.sound.value
    labeller.votes["dog"].click()
    labeller.votes["other"].click()
    labeller.back.click()
    assert "You said other" in labeller.note.value
    labeller.votes["cat"].click()
    labeller.votes["cat"].click()
    assert labeller.labels.to_dict() == dict(zip(some.index, ["dog", "cat", "cat"]))
    assert "All 3" in labeller.note.value and labeller.votes["cat"].disabled
    labeller.votes["cat"].click()
    assert len(labeller.labels) == 3
    with pytest.raises(ValueError, match="no clips"):
        widgets.Labeller(some.iloc[:0])


def test_a_clip_that_cannot_be_read_is_said_and_does_not_end_the_labelling(away, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    labeller = widgets.Labeller(away.iloc[:2].assign(path=[str(broken), away.path.iloc[1]]))
    assert "broken.wav" in labeller.note.value and not labeller.sound.value
    labeller.votes["other"].click()
    assert "<audio" in labeller.sound.value
    assert labeller._repr_mimebundle_()["text/html"].count("<audio") == 1
