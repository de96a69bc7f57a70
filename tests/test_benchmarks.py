"""What the texts say was measured is what the results hold."""

import json
import sys

import pandas as pd
import pytest

from helpers.datasets import downloads
from helpers.files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import tables


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))


def test_the_readme_quotes_the_results():
    found = results("synthetic_to_real")
    readme = (ROOT / "README.md").read_text("utf-8")
    for figure in (found["mean"], found["minimum"]):
        assert f"**{tables.percent(figure)}**" in readme
    assert f"the {found['tested on'].split()[0]} real recordings" in readme


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


def test_only_what_may_be_shipped_is():
    import shipped

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
    assert list(shipped.may_ship(clips)) == list(told.values())
