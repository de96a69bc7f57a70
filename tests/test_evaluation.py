"""Measures of predictions, against worked examples."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from helpers import evaluation


def table(p_dog, labels):
    clips = pd.DataFrame({"label": labels})
    p_dog = np.asarray(p_dog, float)
    return evaluation.table(np.stack([1 - p_dog, p_dog], axis=1), clips, ["cat", "dog"])


def random_table(n=4_000, sharpness=1.0, seed=0):
    """Predictions whose logits are `sharpness` times the true ones."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 2, n)
    labels = np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), "dog", "cat")
    return table(1 / (1 + np.exp(-sharpness * logit)), labels)


def test_a_table_says_who_was_right():
    got = table([0.2, 0.7, 0.4], ["cat", "dog", "dog"])
    assert list(got.predicted) == ["cat", "dog", "cat"]
    assert list(got.correct) == [True, True, False]
    np.testing.assert_allclose(got.p_dog, [0.2, 0.7, 0.4])
    np.testing.assert_allclose(got.p_cat + got.p_dog, 1)


def test_where_all_are_wrong_the_interval_is_that_of_where_all_are_right_upside_down():
    labels = ["cat"] * 5 + ["dog"] * 10
    right = table([0.1] * 5 + [0.9] * 10, labels)
    wrong = table([0.9] * 5 + [0.1] * 10, labels)
    low, high = evaluation.bootstrap_interval(right, np.arange(15))
    assert high == 1 and 0.6 < low < 0.7
    np.testing.assert_allclose(
        evaluation.bootstrap_interval(wrong, np.arange(15)), (0, 1 - low), atol=1e-12
    )


def test_a_network_that_diverged_is_no_classifier_that_says_cat():
    with pytest.raises(ValueError, match="if they are nan, the training has diverged"):
        table([0.2, np.nan], ["cat", "dog"])


def test_a_label_without_a_column_has_no_probability():
    strangers = table([0.2, 0.7], ["cat", "rain"])
    with pytest.raises(ValueError, match="the predictions have no column for rain"):
        evaluation.log_loss(strangers)


def test_the_interval_of_clips_in_groups_is_wider():
    rng = np.random.default_rng(0)
    labels = np.repeat(["cat", "dog"], 200)
    group = np.repeat(np.arange(40), 10)
    right = np.repeat(rng.random(40) < 0.8, 10)  # a recording's clips are right or wrong together
    one = table(np.where((labels == "dog") == right, 0.9, 0.1), labels)
    low, high = evaluation.bootstrap_interval(one, group)
    narrow = evaluation.bootstrap_interval(one, np.arange(400))
    assert low < evaluation.summary(one)["balanced_accuracy"] < high
    assert high - low > 2 * (narrow[1] - narrow[0])
    assert (low, high) == evaluation.bootstrap_interval(one, group)
    assert 0.5 < (narrow[1] - narrow[0]) / (2 * 1.96 * np.sqrt(0.8 * 0.2 / 400)) < 1.5


def test_several_seeds_have_one_interval_around_their_mean():
    labels = np.repeat(["cat", "dog"], 50)
    rng = np.random.default_rng(1)
    tables = [
        table(np.where(rng.random(100) < 0.8, labels == "dog", labels != "dog") * 0.8 + 0.1, labels)
        for _ in range(3)
    ]
    low, high = evaluation.bootstrap_interval(tables, np.arange(100))
    mean = np.mean([evaluation.summary(one)["balanced_accuracy"] for one in tables])
    alone = evaluation.bootstrap_interval(tables[0], np.arange(100))
    assert low < mean < high
    assert high - low < alone[1] - alone[0]


def test_a_class_that_is_easier_counts_no_more():
    labels = ["cat"] * 90 + ["dog"] * 10
    one = table(np.r_[np.full(90, 0.1), np.full(10, 0.1)], labels)  # everything is called a cat
    assert evaluation.bootstrap_interval(one, np.arange(100)) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 1, 1, 1], [1, 1, 1, 1], (0, 0, 1.0)),
        ([1] * 6 + [0], [0] * 6 + [0], (6, 0, 2 * 0.5**6)),
        ([1, 1, 1, 0], [0, 0, 0, 1], (3, 1, 10 / 16)),
    ],
)
def test_mcnemar_counts_the_clips_on_which_two_differ(first, second, expected):
    assert evaluation.mcnemar(first, second) == pytest.approx(expected)
    only_first, only_second, p = evaluation.mcnemar(second, first)
    assert (only_second, only_first, p) == pytest.approx(expected)


def test_the_calibration_error_of_two_bins_by_hand():
    one = table([0.9] * 10 + [0.65] * 10, ["dog"] * 7 + ["cat"] * 3 + ["dog"] * 9 + ["cat"])
    assert evaluation.calibration_error(one) == pytest.approx((0.2 * 10 + 0.25 * 10) / 20)
    bins = evaluation.reliability(one)
    assert list(bins.clips) == [10, 10]
    np.testing.assert_allclose(bins.confidence, [0.65, 0.9])
    np.testing.assert_allclose(bins.accuracy, [0.9, 0.7])


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_sharpened_the_logits(sharpness):
    one = random_table(sharpness=sharpness)
    temperature = evaluation.temperature(one)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    mended = evaluation.rescale(one, temperature)
    assert list(mended.predicted) == list(one.predicted)
    assert evaluation.calibration_error(mended) < 0.02
    if sharpness != 1:
        assert evaluation.calibration_error(one) > 0.04


def test_rescaling_divides_the_logits():
    one = random_table(50)
    other = evaluation.rescale(one, 2.0)
    before, after = (np.log(t.p_dog / t.p_cat) for t in (one, other))
    np.testing.assert_allclose(after, before / 2, atol=1e-6)


def test_the_log_loss_is_scikit_learns():
    one = random_table(100)
    expected = log_loss(one.label == "dog", one.p_dog)
    assert evaluation.log_loss(one) == pytest.approx(expected)


def test_logits_are_no_probabilities():
    clips = pd.DataFrame({"label": ["cat", "dog"]}, index=["a", "b"])
    with pytest.raises(ValueError, match="not logits"):
        evaluation.table([[2.0, 0.0], [0.0, 1.0]], clips)
    with pytest.raises(ValueError, match="2 clips, 2 classes"):
        evaluation.table([[1.0, 0.0]], clips)


def _methods(seed=0, n=200):
    """Two methods on the same clips, four of a recording: the second errs a little less."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n // 4), 4)
    clips = pd.DataFrame({"label": np.where(group % 2, "cat", "dog")})
    hard = rng.random(n // 4)[group]  # recordings are hard or easy for both
    first = rng.random(n) < 0.98 - 0.5 * (hard > 0.8)
    second = first | (rng.random(n) < 0.4)
    tables = []
    for right in (first, second):
        p = np.where(right == (clips.label == "dog"), 0.9, 0.1)
        tables.append(evaluation.table(np.stack([1 - p, p], axis=1), clips, ["cat", "dog"]))
    return (*tables, group)


def test_a_paired_difference_is_sharper_than_two_intervals():
    first, second, group = _methods()
    difference, low, high = evaluation.paired_difference(first, second, group)
    scores = [evaluation.summary(t)["balanced_accuracy"] for t in (first, second)]
    assert difference == pytest.approx(scores[1] - scores[0]) and 0 < low < difference < high
    one, other = (evaluation.bootstrap_interval(t, group) for t in (first, second))
    assert one[1] > other[0]  # by themselves the two overlap
    assert high - low < min(one[1] - one[0], other[1] - other[0])
    back = evaluation.paired_difference(second, first, group)
    assert back == pytest.approx((-difference, -high, -low))


def test_a_paired_difference_takes_seeds_and_refuses_other_clips():
    first, second, group = _methods()
    third = _methods(1)[0]
    same = evaluation.paired_difference([first, third], [first, third], group)
    assert same == (0, 0, 0)
    one = evaluation.paired_difference([first, first], [second, second], group)
    assert one == pytest.approx(evaluation.paired_difference(first, second, group))
    with pytest.raises(ValueError, match="same clips"):
        evaluation.paired_difference(first, second[::-1], group)


def test_out_of_fold_predicts_each_clip_once_by_what_never_met_its_recording(synthetic):
    seen = []

    def learn(rest, held, k):
        assert not set(rest.group) & set(held.group)
        seen.append(k)
        return evaluation.table(np.full((len(held), 2), 0.5), held, ["cat", "dog"])

    table = evaluation.out_of_fold(synthetic, learn, 4, seed=1)
    assert seen == [0, 1, 2, 3] and table.index.equals(synthetic.index)


class _Fixed:
    """A model whose logits are given."""

    def __init__(self, logits):
        self.logits = np.asarray(logits, np.float32)

    def predict(self, data, verbose):
        return self.logits


def test_predictions_one_row_a_clip():
    clips = pd.DataFrame({"label": ["cat", "dog", "dog"]}, index=["a", "b", "c"])
    table = evaluation.predict(_Fixed([[2, 0], [0, 1], [1, 0]]), None, clips)
    assert table.predicted.tolist() == ["cat", "dog", "cat"]
    assert table.correct.tolist() == [True, True, False]
    np.testing.assert_allclose(table.p_cat, 1 / (1 + np.exp([-2, 1, -1])), atol=1e-6)
    np.testing.assert_allclose(table.p_cat + table.p_dog, 1)


def test_windows_are_averaged_to_clips():
    clips = pd.DataFrame({"label": ["cat", "dog"]}, index=["a", "b"])
    model = _Fixed([[9, -9], [-9, 9], [-9, 9], [-9, 9]])
    table = evaluation.predict(model, None, clips, clip_index=np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(table.p_dog, [0.5, 1], atol=1e-6)
    with pytest.raises(ValueError, match="pass clip_index"):
        evaluation.predict(model, None, clips)


def test_summary_counts_and_balances():
    table = pd.DataFrame(
        {"label": ["cat"] * 8 + ["dog"] * 2, "predicted": ["cat"] * 9 + ["dog"]}
    ).assign(correct=lambda t: t.label == t.predicted)
    got = evaluation.summary(table)
    assert got["clips"] == 10 and got["accuracy"] == 0.9 and got["balanced_accuracy"] == 0.75
    assert (got["low"], got["high"]) == pytest.approx((0.5958, 0.9821), abs=1e-4)


def test_wilson_against_the_formula():
    z, n, p = 1.959964, 98, 59 / 98
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert evaluation.wilson(59, 98) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert evaluation.wilson(0, 10)[0] == 0 and evaluation.wilson(10, 10)[1] == 1
    for bad in ((1, 0), (11, 10), (-1, 10)):
        with pytest.raises(ValueError):
            evaluation.wilson(*bad)


def test_percent():
    assert evaluation.percent(0.826) == "83 %"


def test_a_draw_without_a_class_does_not_count_it_as_missed():
    """Eight recordings of one class and two of the other: some draws hold none of the two."""
    labels = ["a"] * 8 + ["b"] * 2
    clips = pd.DataFrame({"label": labels})
    p = np.array([label == "b" for label in labels], float)
    p[0] = 1
    one_wrong = evaluation.table(np.stack([1 - p, p], axis=1), clips, ["a", "b"])
    low, high = evaluation.bootstrap_interval(one_wrong, np.arange(10))
    assert 0.7 < low < 15 / 16 < high == 1


def test_no_error_in_few_recordings_is_no_certainty():
    clips = pd.DataFrame({"label": ["a"] * 20 + ["b"] * 20})
    right = evaluation.table(np.repeat(np.eye(2), 20, axis=0), clips, ["a", "b"])
    for group, n in ((np.repeat(range(10), 4), 5), (np.arange(40), 20)):
        low, high = evaluation.bootstrap_interval(right, group)
        assert (low, high) == (evaluation.wilson(n, n)[0], 1)
