"""A recipe trains what it says, on the clips it may, and predicts as the shipped model does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from helpers import (
    audio,
    augmentation,
    datasets,
    evaluation,
    export,
    recipes,
    resume,
    windows,
)
from helpers.quiet import tf

pytestmark = pytest.mark.slow

QUICK = replace(recipes.BEST, epochs=1, steps=3, mixup=True, width=4)
PLAIN = replace(QUICK, augment=(), untouched=0.0, mixup=False)


@pytest.fixture(scope="module")
def few(synthetic):
    """20 clips of each class."""
    return synthetic.groupby("label").head(20)


@pytest.fixture(scope="module")
def trained(few):
    return recipes.train(few, QUICK)


def test_the_same_seed_trains_the_same_model(few):
    alone = replace(QUICK)
    one, two, other = (
        recipes.predict(recipes.train(few, alone, seed), few, alone) for seed in (0, 0, 1)
    )
    np.testing.assert_allclose(one.p_dog, two.p_dog, atol=1e-5)
    assert np.abs(one.p_dog - other.p_dog).max() > 1e-3


def test_a_compiled_network_that_is_used_again_knows_nothing_of_before(few):
    recipes.forget()
    first, _, again = (recipes.train(few, QUICK, seed).get_weights() for seed in (0, 1, 0))
    assert len(recipes._COMPILED) == 1
    recipes.forget()
    new = recipes.train(few, QUICK, 0).get_weights()
    for one, two, three in zip(first, again, new):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)
    for other in (replace(QUICK, learning_rate=1e-3), replace(QUICK, width=8)):
        recipes.train(few, other, 0)
    assert len(recipes._COMPILED) == 3


class Killed(BaseException):
    """As a kill: nothing of the training's own is run after it."""


def test_a_killed_training_goes_on_to_the_same_weights(few, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    monkeypatch.setattr(resume, "_LONG", 1)
    recipe = replace(QUICK, epochs=4)
    whole = recipes.train(few, recipe, 0)
    assert list((tmp_path / "unfinished").iterdir()) == []
    after, asked, batch = resume.Resume.on_epoch_end, [], recipes.Batches.batch

    def until_the_second(self, epoch, logs=None):
        after(self, epoch, logs)
        if epoch == 1:
            raise Killed

    def counted(self, index):
        asked.append(index)
        return batch(self, index)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(resume.Resume, "on_epoch_end", until_the_second)
        recipes.train(few, recipe, 0)
    (kept,) = (tmp_path / "unfinished").iterdir()
    recipes.train(few, recipe, 1)  # another training takes nothing of it
    assert kept.exists()
    recipes.forget()
    monkeypatch.setattr(recipes.Batches, "batch", counted)
    again = recipes.train(few, recipe, 0)
    assert sorted(asked)[-6:] == [6, 7, 8, 9, 10, 11] and 3 not in asked
    for one, two in zip(whole.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, two)
    assert again.history.history == whole.history.history
    assert len(again.history.history["loss"]) == 4 and not kept.exists()


def test_a_broken_file_of_an_unfinished_training_is_none(few, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    monkeypatch.setattr(resume, "_LONG", 1)
    whole = recipes.train(few, QUICK, 0)
    done = resume.Resume.done
    with monkeypatch.context() as patch:
        patch.setattr(resume.Resume, "done", lambda self: None)
        recipes.train(few, QUICK, 0)
    (kept,) = (tmp_path / "unfinished").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    again = recipes.train(few, QUICK, 0)
    assert resume.Resume.done is done and not kept.exists()
    for one, two in zip(whole.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, two)


def test_pretraining_is_where_the_training_starts(few):
    recipe = replace(QUICK, pretrain=1)
    start = recipes.pretrain(few, recipe)
    got = recipes.train(few, replace(recipe, learning_rate=0.0), start=start)
    first, kept = got.layers[0].get_weights()[0], start.layers[0].get_weights()[0]
    np.testing.assert_allclose(first, kept, atol=1e-6)
    assert recipes.pretrain(few, QUICK) is None and recipes.pretrain(None, recipe) is None


def test_the_article_network_fits_the_same_windows(few):
    recipe = replace(PLAIN, network="article", normalise=False, cosine=False)
    table = recipes.predict(recipes.train(few, recipe), few, recipe)
    assert np.isfinite(table.p_dog).all() and list(table.index) == list(few.index)


def shares(clips, recipe):
    """Label, clip and share of each window that can be drawn."""
    draws = recipes.Batches(clips, recipe, 0)
    assert draws.share.sum() == pytest.approx(1)
    return clips.label.to_numpy()[draws.clip_index], draws.clip_index, draws.share


def test_draws_are_even_by_class_then_by_clip(synthetic):
    clips = synthetic.iloc[:60]
    label, clip_index, share = shares(clips, PLAIN)
    for name in ("cat", "dog"):
        assert share[label == name].sum() == pytest.approx(0.5)
        assert np.ptp(np.bincount(clip_index, share)[clips.label == name]) < 1e-9
    clip_index, share = shares(clips, replace(PLAIN, by_clip=False, by_level=False))[1:]
    assert np.ptp(share) < 1e-12
    by_clip = np.bincount(clip_index, share)
    assert by_clip.max() > 3 * by_clip.min()


def test_loud_windows_are_drawn_more_often(few):
    share = shares(few, PLAIN)[2]
    level = np.concatenate(
        [np.sqrt(np.mean(windows.sliding(audio.load(p)[0]) ** 2, axis=1)) for p in few.path]
    )
    clip_index = recipes.windows_of(few, PLAIN)[1]
    first = clip_index == clip_index[0]
    np.testing.assert_allclose(
        share[first] / share[first].sum(), level[first] / level[first].sum(), rtol=1e-4
    )


def test_batches_are_repeatable_and_augmented(few):
    draws = recipes.Batches(few, QUICK, 0)
    for one, two in zip(draws.batch(1), draws.batch(1), strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.any(draws.batch(1)[0] != draws.batch(2)[0])
    np.testing.assert_allclose(draws.batch(1)[1].sum(1), 1, atol=1e-6)
    assert np.any((draws.batch(1)[1] > 0.01) & (draws.batch(1)[1] < 0.99))  # mixed
    bare = recipes.Batches(few, PLAIN, 0).batch(1)[0]
    np.testing.assert_allclose(bare.mean((1, 2, 3)), 0, atol=1e-3)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_training_sees_every_batch_once_and_in_order(few, monkeypatch, threads):
    """Over all epochs: with a PyDataset in its place, some 49 of 640 came again and again."""
    recipe = replace(QUICK, epochs=5, steps=30)
    asked, seen = [], []

    class Counted(recipes.Batches):
        def batch(self, index):
            asked.append(index)
            return super().batch(index)

        def dataset(self, start):
            return super().dataset(threads, start)

    def watched(*about, compiled_like=recipes._compiled_like):
        network = compiled_like(*about)
        step = network.train_step

        def train_step(data):
            tf.numpy_function(lambda x: seen.append(x.copy()), [data[0]], [])
            return step(data)

        network.train_step = train_step
        return network

    monkeypatch.setattr(recipes, "Batches", Counted)
    monkeypatch.setattr(recipes, "_COMPILED", {})
    monkeypatch.setattr(recipes, "_compiled_like", watched)
    recipes.train(few, recipe, 3)
    assert sorted(asked[1:]) == list(range(150))  # the first call tells the shapes
    batches = recipes.Batches(few, recipe, 3)
    assert len(seen) == 150
    for index in range(0, 150, 7):
        np.testing.assert_array_equal(seen[index], batches.batch(index)[0])


def test_a_clip_is_the_mean_of_its_windows_by_level(few, trained):
    table = recipes.predict(trained, few, QUICK)
    cut = windows.sliding(audio.load(few.path.iloc[3])[0])
    logits = trained.predict(windows.network_input(cut), verbose=0)
    mean = np.average(logits, axis=0, weights=np.sqrt(np.mean(cut**2, axis=1)))
    expected = evaluation.table(softmax(mean[None], axis=1), few.iloc[3:4], ["cat", "dog"])
    assert table.p_dog.iloc[3] == pytest.approx(expected.p_dog.iloc[0], abs=1e-4)
    sparse = recipes.predict(trained, few, replace(QUICK, overlap=False))
    logits, cut = logits[::4], cut[::4]
    mean = np.average(logits, axis=0, weights=np.sqrt(np.mean(cut**2, axis=1)))
    expected = evaluation.table(softmax(mean[None], axis=1), few.iloc[3:4], ["cat", "dog"])
    assert sparse.p_dog.iloc[3] == pytest.approx(expected.p_dog.iloc[0], abs=1e-4)


def test_the_shipped_form_gives_the_same_probabilities(few, trained):
    """What is cross-validated is what is shipped: the same answer from the waveform itself."""
    whole = export.from_waveform(trained, ["cat", "dog"])
    table = recipes.predict(trained, few, QUICK)
    got = [np.asarray(whole(audio.load(p)[0][None])["probabilities"])[0, 1] for p in few.path]
    np.testing.assert_allclose(table.p_dog, got, atol=1e-3)


def test_no_recording_is_trained_and_tested_on(synthetic, monkeypatch):
    trained_on = []

    def train(clips, *args, **options):
        trained_on.append(clips)
        return "model"

    monkeypatch.setattr(recipes, "train", train)
    seen = []
    for held, _ in recipes.fold_models(synthetic, QUICK, 4, seed=2):
        seen += list(held.index)
        assert not set(held.group) & set(trained_on[-1].group)
        assert len(trained_on[-1]) == len(synthetic) - len(held)
    assert sorted(seen) == sorted(synthetic.index)


def test_cross_validation_predicts_every_clip_once_in_order(few):
    table = recipes.cross_validate(few, replace(PLAIN, pretrain=0), n=2)
    assert list(table.index) == list(few.index)
    assert datasets.classes(few) == ["cat", "dog"] and {"p_cat", "p_dog"} <= set(table)


# ---- other sounds


@pytest.fixture(scope="module")
def with_others(few):
    """Three classes; the others come from two sources, one of them twice as large."""
    others = few.rename(index=lambda name: f"other {name}")
    others = others.assign(label=datasets.OTHER, group=[f"o{k}" for k in range(len(others))])
    others["source"] = ["large", "large", "small"] * (len(others) // 3) + ["small"] * (
        len(others) % 3
    )
    return pd.concat([few, others])


def test_a_source_counts_by_the_root_of_its_number(with_others):
    share = recipes._by_source_and_kind(with_others)
    number = with_others.groupby(["label", "source"]).size()
    other = with_others.assign(share=share)[with_others.label == datasets.OTHER]
    large, small = (other[other.source == name].share.sum() for name in ("large", "small"))
    expected = np.sqrt(number[datasets.OTHER, "large"] / number[datasets.OTHER, "small"])
    assert large / small == pytest.approx(expected)


def test_other_sounds_lie_under_the_calls_and_some_are_made(with_others, monkeypatch):
    seen = {"under": 0, "made": 0}
    under, made = augmentation.lay_under, augmentation.lifeless
    monkeypatch.setattr(
        recipes.augmentation,
        "lay_under",
        lambda x, o, rng: seen.update(under=seen["under"] + len(x)) or under(x, o, rng),
    )
    monkeypatch.setattr(
        recipes.augmentation,
        "lifeless",
        lambda x, rng: seen.update(made=seen["made"] + len(x)) or made(x, rng),
    )
    recipe = replace(recipes.HOLDS, width=4, steps=50, epochs=1)
    batches = recipes.Batches(with_others, recipe, 0)
    drawn = [batches.batch(number) for number in range(50)]
    total = 51 * recipe.batch_size  # one more for the element_spec
    assert seen["under"] / total == pytest.approx(recipe.background, abs=0.05)
    assert seen["made"] / total == pytest.approx(recipe.made / 3, abs=0.02)
    assert all(np.isfinite(x).all() and x.shape == (64, 94, 64, 1) for x, _ in drawn)
    again = recipes.Batches(with_others, recipe, 0).batch(7)
    np.testing.assert_array_equal(drawn[7][0], again[0])


def test_a_far_call_counts_in_the_clip_s_answer(with_others):
    recipe = replace(recipes.HOLDS, width=4, steps=2, epochs=1)
    model = recipes.train(with_others, recipe)
    table = recipes.predict(model, with_others, recipe)
    assert [name for name in table if name.startswith("p_")] == ["p_cat", "p_dog", "p_other"]
    one = with_others.iloc[[0]]
    cut = windows.sliding(audio.load(one.path.iloc[0])[0])
    logits = model.predict(windows.network_input(cut), verbose=0)
    level = np.sqrt(np.mean(cut**2, axis=1))
    mean = audio.level_weighted_mean(logits, level, 2)
    np.testing.assert_allclose(table.iloc[0, 3:].to_numpy(float), softmax(mean), atol=1e-3)


def test_a_network_learns_its_teachers_embeddings_and_keeps_nothing_of_them(with_others):
    recipe = replace(recipes.HOLDS, width=8, steps=40, epochs=2, made=0.5)
    asked_for = []

    def teacher(clips):
        asked_for.append(list(clips.index))
        _, clip_index, _ = recipes.windows_of(clips, recipe)
        return np.eye(3, dtype=np.float32)[datasets.label_ids(clips)[clip_index]]

    model = recipes.train(with_others, recipe, teacher=teacher)
    assert asked_for == [list(with_others.index)]
    assert model.output_shape == (None, 3)
    alone = recipes.train(with_others, replace(recipe, taught=0.0, epochs=1))
    assert model.count_params() == alone.count_params()
    first, last = model.history.history["aim_loss"]
    assert last < first < 0

    batches = recipes.Batches(with_others, recipe, 0, taught=teacher(with_others))
    for number in range(5):
        _, y, asked = batches.batch(number)
        wanted = asked.any(axis=1)
        np.testing.assert_array_equal(asked[wanted], y[wanted])  # of the window that was drawn
        assert wanted[y[:, 2] == 0].all(), "only an other sound can be one that was made"
        assert not wanted[y[:, 2] == 1].all()


def test_a_teacher_hears_the_windows_that_are_trained_on(with_others):
    from helpers import transfer

    few = with_others.iloc[:3]
    heard = []

    def backbone(wave):
        heard.append(len(wave))
        return np.full((1, 4), np.abs(wave).max()), np.zeros((1, 2))

    found = transfer.of_windows(backbone, few, most=4)
    levels, clip_index, _ = recipes.windows_of(few, recipes.HOLDS)
    assert found.shape == (len(levels), 4)
    assert set(heard) == {15_600} and len(heard) <= 12
    cut = windows.sliding(audio.load(few.path.iloc[0])[0])
    middle = np.abs(cut[0, 4_200:19_800]).max()
    np.testing.assert_allclose(found[0], np.sqrt(middle), rtol=1e-6)
