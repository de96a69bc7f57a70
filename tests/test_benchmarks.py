"""What the texts say was measured is what the results hold."""

import dataclasses
import json
import re
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from helpers import datasets, evaluation, recipes, splits
from helpers.datasets import downloads
from helpers.files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import out_of_fold
import tables


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))


def test_the_readme_quotes_the_results():
    found = results("synthetic_to_real")
    readme = (ROOT / "README.md").read_text("utf-8")
    for figure in (found["mean"], found["minimum"]):
        assert f"**{tables.percent(figure)}**" in readme
    assert f"the {found['tested on'].split()[0]} real clips" in readme


def test_the_results_are_nine_trainings_and_their_summary():
    found = results("synthetic_to_real")
    figures = [run["balanced_accuracy"] for run in found["runs"]]
    assert len({(run["draw"], run["seed"]) for run in found["runs"]}) == 9
    assert found["minimum"] == min(figures)
    assert abs(found["mean"] - sum(figures) / 9) < 1e-4


@pytest.mark.parametrize("path", tables.FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_tables_are_those_of_the_results(path):
    text = path.read_text("utf-8")
    assert "<!-- measured" in text
    assert text == tables.filled(text), "run benchmarks/tables.py"


def test_a_table_that_was_changed_by_hand_is_found():
    text = tables.FILES[1].read_text("utf-8")
    value = tables.percent(tables.kept()["balanced_accuracy"])
    assert tables.filled(text.replace(value, "99.9 %")) == text != text.replace(value, "99.9 %")


def test_every_interval_holds_its_figure():
    rows = [row for kind in ("rungs", "rivals") for row in results("ladder")[kind]]
    rows += [*results("features")["features"], *results("transfer")["curve"]]
    rows += [row[way] for row in results("degraded")["copies"] for way in ("plain", "best")]
    rows += results("own_classes")["rows"]
    assert len(rows) > 40
    for row in rows:
        assert 0 <= row["low"] <= row["balanced_accuracy"] <= row["high"] <= 1, row


def test_the_best_recipe_and_its_rivals_have_three_seeds():
    found = results("ladder")
    assert found["seeds"] == [1, 2, 3]  # seed 0 is the one that the recipe was developed on
    for row in [*found["rivals"], *found["rungs"]]:
        assert len(row["by_seed"]) == len(row["errors"]) == 3
        assert abs(row["balanced_accuracy"] - sum(row["by_seed"]) / 3) < 2e-4


def test_more_epochs_were_measured_from_several_seeds():
    found = results("more_epochs")
    scores = found["balanced_accuracy"]
    assert len(scores) == len(set(found["seeds"])) >= 3
    first, last = (found["epochs"].index(found[end]) for end in ("from", "to"))
    gain = sum(row[last] - row[first] for row in scores) / len(scores)
    assert abs(gain - found["gain"]) < 2e-4
    assert found["low"] <= found["gain"] <= found["high"]


def test_own_classes_take_lesson_10s_recipe():
    import own_classes

    lesson = nbformat.read(ROOT / "notebooks" / "10_your_own_sounds.ipynb", 4)
    cells = [cell.source for cell in lesson.cells if cell.cell_type == "code"]
    (given,) = [source for source in cells if source.startswith("recipe = ")]
    (said,) = re.findall(r"^EPOCHS = (\d+)", "\n".join(cells), re.MULTILINE)
    told = {"recipes": recipes, "replace": dataclasses.replace, "EPOCHS": int(said)}
    exec(given.split("\nstrangers")[0], told)
    assert told["recipe"] == own_classes.RECIPE


def test_own_classes_leave_out_what_may_be_either():
    import own_classes

    kinds = {"bark": "dog", "growl": "dog", "meow": "cat", "rain": "other", "rooster": "other"}
    kinds |= {"bird": "other", "music": "other", "weather": "other"}
    clips = pd.DataFrame({"kind": list(kinds), "label": list(kinds.values())})
    chosen = own_classes.chosen(clips).set_index("kind").label.to_dict()
    own = {name: name for name in ("bark", "meow", "rain", "bird")}
    assert chosen == own | {"music": "other"}


def test_none_of_these_is_counted_on_the_folds_that_did_not_choose():
    import own_classes

    label = np.tile(["bark", "meow", "other"], 60)
    clips = pd.DataFrame({"label": label, "group": range(180), "source": range(180)})
    fold = splits.folds(clips, own_classes.FOLDS, 1)
    share = np.where(label == "other", 0.9 - 0.2 * fold, 0.1)  # each fold has a level of its own
    half = np.where(label == "other", (1 - share) / 2, 0)
    p = [np.where(label == name, 1 - share, half) for name in ("bark", "meow")]
    table = evaluation.table(np.stack([*p, share], axis=1), clips)
    found = own_classes.none_of_these([table], clips, [1], "group")
    # only the fold whose others are the least like others lets them in: one that chose would not
    assert found["others kept out"] == pytest.approx(2 / 3, abs=0.01)
    assert found["own turned away"] == 0 and found["own right"] == 1


def test_only_what_may_be_shipped_is():
    import sources_left_out

    told = {
        **dict.fromkeys(
            ["CC0", "CC BY 4.0", "CC BY", "CC BY-SA 3.0", "MIT", "public domain"], True
        ),
        **dict.fromkeys(
            ["GPL 3", "AGPL 3", "LGPL", "FAL 1.2", "CC BY-NC 4.0", "CC BY-ND 3.0"], False
        ),
        **dict.fromkeys(["CC BY-NC-SA 4.0", "not stated: see where", "all rights reserved"], False),
        downloads.RECORDINGS.licence: True,
        downloads.ESC50.licence: False,
    }
    clips = pd.DataFrame({"licence": list(told)})
    assert list(sources_left_out.may_ship(clips)) == list(told.values())


def test_predictions_of_left_out_sources_come_from_models_that_did_not_hear_them(
    tmp_path, monkeypatch
):
    import sources_left_out

    monkeypatch.setattr(out_of_fold, "KEPT", tmp_path)
    n = 48
    clips = pd.DataFrame(
        {
            "label": ["cat", "dog", "other"] * (n // 3),
            "source": [f"source {k // 6}" for k in range(n)],
            "group": range(n),
            "licence": ["CC0", "CC BY 4.0", "MIT", "GPL 3"] * (n // 4),
        },
        index=[f"clip {k}" for k in range(n)],
    )
    monkeypatch.setattr(datasets, "fingerprint", lambda clips: "".join(clips.index))

    def learn(rest, held):
        assert not set(rest.source) & set(held.source) and set(rest.label) == set(held.label)
        assert "GPL 3" not in set(rest.licence)
        (tmp_path / f"asked-{held.index[0]}-{len(held)}").touch()
        table = evaluation.table(pd.get_dummies(held.label).to_numpy(float), held)
        table.attrs["parameters"] = 7
        return table

    def asked():
        return {path.stat().st_mtime_ns for path in tmp_path.glob("asked-*")}

    table = sources_left_out.predictions("this", clips, learn, seed=1)
    assert table.index.equals(clips.index) and table.correct.all()
    assert table.attrs["parameters"] == 7 and table.attrs["seconds"] >= 0
    first = asked()
    assert len(first) == sources_left_out.FOLDS
    again = sources_left_out.predictions("this", clips, learn, seed=1)
    assert asked() == first, "a fold that was kept was made again"
    pd.testing.assert_frame_equal(again, table, check_dtype=False, check_names=False)


def test_limit_and_temperature_come_from_the_answers():
    import sources_left_out

    rng = np.random.default_rng(0)
    label = np.repeat(["cat", "dog", "other"], 100)
    clips = pd.DataFrame({"label": label, "source": "here", "group": range(300)})
    clips["kind"] = np.where(label == "other", np.tile(["rain", "baby"], 150), label)
    clips["source"] = np.where(clips.kind == "baby", "nursery", np.tile(["a", "b", "c", "d"], 75))
    z = 3 * np.eye(3)[np.repeat([0, 1, 2], 100)] + rng.normal(0, 1, (300, 3))
    z[clips.kind == "baby"] -= [0, 0, 3]
    table = evaluation.table(softmax(z, axis=1), clips)
    table.attrs |= {"seconds": 1.0, "cpu_seconds": 1.0}
    found = sources_left_out.results([table], clips, [1])
    mean = found["mean"]
    assert abs(mean["others of kinds heard elsewhere kept out"] - sources_left_out.REJECTED) < 0.03
    assert mean["others kept out"] < 0.85  # babies, which one source alone has, set no limit
    assert found["clips"] == {"cat": 100, "dog": 100, "other": 100} and found["sources"] == 5
    scaled = evaluation.rescale(table, found["temperature"])
    kept = (scaled.p_other[label != "other"] < found["other from"]).mean()
    at = min(found["trade"], key=lambda row: abs(row[0] - found["other from"]))
    assert abs(kept - at[1]) < 0.03


def test_the_head_on_yamnet_is_measured_on_what_the_shipped_model_is():
    head, shipped = results("yamnet_head"), results("shipped")
    for fact in ("clips", "sources", "folds"):
        assert head[fact] == shipped[fact]
    assert head["seeds"] == [1, 2, 3]
    card = json.loads((ROOT / "data" / "pretrained" / "yamnet_head.json").read_text("utf-8"))
    assert (card["temperature"], card["other_from"]) == (head["temperature"], head["other from"])
    assert head["bytes"] == (ROOT / "data" / "pretrained" / "yamnet_head.npz").stat().st_size


def test_two_models_are_compared_where_they_keep_out_as_much():
    trade = [[0.2, 0.5, 0.95], [0.4, 0.7, 0.85], [0.6, 0.9, 0.75]]
    assert tables.kept_at({"trade": trade}, 0.85) == 0.7
    assert abs(tables.kept_at({"trade": trade}, 0.9) - 0.6) < 1e-9
