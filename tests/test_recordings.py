"""The pipeline and one short training on real recordings, where CATS_DOGS_DIR names them."""

import pytest

from helpers import article, datasets, evaluation, splits

pytestmark = pytest.mark.recordings


@pytest.fixture(scope="module")
def real(recordings):
    return datasets.load(recordings, quiet=True)


def test_the_catalog_follows_the_csv(real):
    assert real.groupby(["split", "label"]).size().to_dict() == {
        ("test", "cat"): 49,
        ("test", "dog"): 49,
        ("train", "cat"): 115,
        ("train", "dog"): 64,
    }
    assert real.duration.max() <= 18 and set(real.sample_rate) == {16_000}


def test_validation_finds_the_known_twins(real):
    kept, findings = datasets.validate(real)
    assert len(kept) == 277
    twins = findings[findings.finding.str.startswith("byte-identical")]
    pair = twins.file.str.extract(r"(dog_barking_\d+)")[0].tolist()
    pair += twins.finding.str.extract(r"(dog_barking_\d+)")[0].tolist()
    assert sorted(pair) == ["dog_barking_14", "dog_barking_15"]


def test_known_neighbours_share_a_group(real):
    group = real.set_index(real.index.str.extract(r"([^/]+)\.wav", expand=False)).group
    assert group["cat_11"] == group["cat_12"] and group["dog_barking_14"] == group["dog_barking_15"]
    assert group["cat_11"] != group["dog_barking_14"]
    assert group["cat_4"] == group["cat_100"]  # one call, treated in two ways
    assert group.nunique() == 220


def test_one_short_training_beats_chance(real):
    """Ten epochs reach about 80 %; three in four is far from chance on 98 clips."""
    parts = splits.with_validation(real)
    model, _ = article.train(parts, epochs=10)
    test = parts[parts.split == "test"]
    data = article.batches(article.preprocess(test, datasets.classes(real)))
    table = evaluation.predict(model, data, test, datasets.classes(real))
    assert evaluation.summary(table)["balanced_accuracy"] > 0.7
