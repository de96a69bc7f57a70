"""What the texts say was measured is what the results hold."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from scipy.special import softmax

from helpers import audio, cache, datasets, evaluation, recipes, splits, windows
from helpers.augmentation import DEGRADATIONS
from helpers.datasets import downloads
from helpers.files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import load
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


def test_the_result_is_said_in_one_line():
    line = tables.headline().split("\n")[0].removeprefix("> ")
    assert len(line.split()) <= 25 and line.endswith(".")
    first = (ROOT / "README.md").read_text("utf-8").split("![")[0]  # before the moving picture
    assert line in first and "60 %" in first


def test_the_changelog_quotes_the_shipped_model():
    mean, text = results("shipped")["mean"], (ROOT / "CHANGELOG.md").read_text("utf-8")
    right, out = (mean[name] for name in ("balanced, neither an error", "others kept out"))
    said = re.search(r"among strangers (\S+ %) of the cats and dogs.*?while (\S+ %) of", text, re.S)
    assert said.groups() == (tables.percent(right), tables.percent(out))


def test_a_target_is_missed_or_met_by_its_figure(monkeypatch):
    """Also one that was missed is met, and named there, once the results say so."""
    name, tflite = "a calibration error under 5 %", "at most 0.7 MB as `.tflite`"
    missed, met = tables.targets().split("Met are: ")
    assert name in met and name not in missed and tflite in met
    shipped = results("shipped")
    shipped["mean"]["calibration error"] = 0.051
    shipped["mean"]["between cat and dog"] = 0.951
    given = tables.results
    monkeypatch.setattr(tables, "results", lambda of: shipped if of == "shipped" else given(of))
    missed, met = tables.targets().split("Met are: ")
    assert f"| {name} | 5.1 % |" in missed and name not in met
    assert "95 % between cat and dog: 95.1 %" in met
    rows = [line.split(" | ") for line in missed.splitlines() if line.startswith("| ")][2:]
    assert rows and all(len(row) == 3 and row[1].strip() for row in rows)


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


@pytest.fixture(scope="module")
def away():
    """Eight cats, dogs and other sounds of each of two synthetic sources."""
    clips = datasets.load("synthetic-elsewhere", quiet=True)
    sources = clips.groupby("source").label.nunique().nlargest(2).index
    clips = clips[clips.source.isin(sources)].groupby(["source", "label"]).head(8)
    assert clips.label.nunique() == 3
    return clips


def test_degraded_copies_are_asked_of_the_network_that_did_not_hear_their_source(
    away, tmp_path, monkeypatch
):
    import shipped
    import sources_left_out

    monkeypatch.setattr(out_of_fold, "KEPT", tmp_path)
    recipe = replace(recipes.HOLDS, width=4, epochs=1, steps=4, batch_size=16, taught=0.0, heard=0)
    given = shipped.Material(away, None, None, None)

    def learn(seed):
        return lambda rest, held: shipped.answers(rest, held, recipe, seed, given, copies=True)

    found = sources_left_out.measured("copies", away, [1], learn)
    table = sources_left_out.predictions("copies", away, learn(1), 1)  # kept from just now
    assert list(table.kind.unique()) == list(DEGRADATIONS)
    plain = sources_left_out.predictions(
        "plain", away, lambda rest, held: shipped.answers(rest, held, recipe, 1, given), 1
    )
    as_recorded = table[table.kind == "as recorded"].drop(columns="kind")
    pd.testing.assert_frame_equal(as_recorded, plain, check_names=False, atol=1e-6)
    for kind, part in table.groupby("kind"):
        assert part.index.equals(away.index)
        assert (kind == "as recorded") == np.allclose(part.p_cat, plain.p_cat, atol=1e-6)
    first, *others = found.pop("copies")
    plainly = sources_left_out.results([plain], away, [1])
    assert {n: found[n] for n in ("mean", "other from")} == {
        n: plainly[n] for n in ("mean", "other from")
    }
    for name in (sources_left_out.RIGHT, sources_left_out.BETWEEN):
        assert abs(first[name]["balanced_accuracy"] - found["mean"][name]) < 1e-3
        assert first[name]["minus as recorded"] == [0, 0, 0]
        for row in others:
            change = row[name]["balanced_accuracy"] - first[name]["balanced_accuracy"]
            assert abs(change - row[name]["minus as recorded"][0]) < 2e-4
    assert abs(first["others kept out"] - found["mean"]["others kept out"]) < 1e-3


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
    for rows, ends in ((found["by_source"], found["ends_by_source"]),
                       (found["by_kind"], found["ends_by_kind"])):  # fmt: skip
        assert len(rows) == len(ends) > 3
        assert all(end[0] <= row[-1] <= end[1] for row, end in zip(rows, ends) if end)
        assert all(end[0] < end[1] for end in ends if end) and any(ends)
    few = clips.assign(group=np.where(clips.source == "a", 0, clips.group))
    _, ends = sources_left_out._rows([table.join(clips.source)], "source", few.group)
    assert ends.count(None) == 3  # of its one recording nothing is known


def test_the_audit_counts_pairs_within_and_across_sources():
    import source_audit

    clips = pd.DataFrame(
        {"label": ["cat", "cat", "dog", "dog", "other"], "source": list("aabbc")},
        index=[f"clip {k}" for k in range(5)],
    ).assign(group=["one", "one", "one", "two", "two"])
    pairs = pd.DataFrame(
        [("clip 0", "clip 1"), ("clip 2", "clip 1"), ("clip 0", "clip 2")],
        columns=["clip_a", "clip_b"],
    )
    found = source_audit.audit(clips, pairs)
    assert (found["pairs"], found["recordings"], found["sources"]) == (3, 2, 3)
    assert found["by_sources"] == [
        {"sources": ["a", "a"], "pairs": 1, "clips": 2, "of unlike labels": 0},
        {"sources": ["a", "b"], "pairs": 2, "clips": 3, "of unlike labels": 2},
    ]
    assert found["across"] == [
        {"clips": {"a": 2, "b": 1}, "labels": ["cat", "dog"]},
        {"clips": {"b": 1, "c": 1}, "labels": ["dog", "other"]},  # stated, or heard through others
    ]
    nothing = source_audit.audit(clips.assign(group=clips.index), pairs.head(0))
    assert nothing["by_sources"] == nothing["across"] == []


def test_a_results_file_notes_the_seconds_that_it_took(tmp_path, monkeypatch):
    for place in ("KEPT", "RESULTS"):
        monkeypatch.setattr(out_of_fold, place, tmp_path)
    monkeypatch.setattr(out_of_fold, "_kept", [])
    monkeypatch.setattr(out_of_fold, "_begun", 0.0)
    monkeypatch.setattr(datasets, "fingerprint", lambda clips: "these")
    clips = pd.DataFrame({"label": ["cat", "dog"]}, index=["one", "two"])
    clock = [0.0]
    watch = SimpleNamespace(perf_counter=lambda: clock[0], process_time=lambda: 0.0)
    monkeypatch.setattr(out_of_fold, "time", watch)

    def method(seed):
        work(50)
        return evaluation.table([[0.9, 0.1], [0.2, 0.8]], clips)

    def work(seconds):
        clock[0] += seconds

    def make(opened):
        work(20)
        opened.write(b"heard")

    def program():
        out_of_fold.measured("this", clips, 1, method)
        out_of_fold.once(tmp_path / "heard.npz", make)
        work(7)
        out_of_fold.write("this", {"figure": 1})
        return json.loads((tmp_path / "this.json").read_text())

    assert program() == {"figure": 1, "seconds": 77}
    clock[0] = 0.0  # another session reads what the first one made, which counts as it did
    assert program() == {"figure": 1, "seconds": 77} and clock[0] == 7
    out_of_fold.write(tmp_path / "other", {})
    assert json.loads((tmp_path / "other").read_text()) == {"seconds": 77}


def test_every_measurement_of_make_bench_writes_through_the_one_that_notes_seconds():
    for name in [*tables.MEASURES, "own_classes", "ablations", "speed"]:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert "out_of_fold.write(" in text and "files.write_json(out_of_fold.RESULTS" not in text
        assert "files.write_json(options.out" not in text


def test_the_hours_are_added_up_and_what_does_not_fit_is_named(monkeypatch):
    took = dict.fromkeys(tables.MEASURES, 0.3) | {"transfer_curve": None}
    monkeypatch.setattr(tables, "hours_of", took.get)
    assert "Together 2.4 hours, without `transfer_curve.py`" in tables.hours()
    assert "run in this order, `shipped.py`, `yamnet_head.py` end later" in tables.hours()
    monkeypatch.setattr(tables, "hours_of", lambda measure: 0.2)
    said = "Together 1.8 hours. The aim is 2 hours: run in this order, all that is noted"
    assert said in tables.hours()


def test_paired_differences_are_shown_where_they_were_measured(monkeypatch):
    found = results("transfer")
    for row in found["curve"]:
        if row["way"] != "a head on YAMNet":
            row["the head minus this"] = [0.05, 0.01, 0.09]
    copies = []
    for kind, change in (("as recorded", [0, 0, 0]), ("at 8 kHz", [-0.02, -0.04, 0.01])):
        score = {"balanced_accuracy": 0.9, "low": 0.85, "high": 0.95, "minus as recorded": change}
        both = {"balanced, neither an error": score, "between cat and dog": score}
        copies.append({"kind": kind, "others kept out": 0.8} | both)
    monkeypatch.setattr(tables, "results", lambda name: found | {"copies": copies})
    assert tables.transfer().count("+5.0 (+1.0 to +9.0)") == 6
    shown = tables.degraded_elsewhere()
    assert shown.count("-2.0 (-4.0 to +1.0)") == 4 and "Not measured" not in shown
    assert "+0.0" not in shown


def test_the_rivals_stand_beside_the_best_with_a_paired_difference():
    for row in results("ladder")["rivals"]:
        assert tables.points(row["best minus this"]) in tables.rivals()


def test_make_bench_runs_all_that_the_hours_count():
    text = (ROOT / "Makefile").read_text("utf-8")
    ran = [re.search(f"bench.*: {name} := (.*)", text)[1] for name in ("MEASURES", "AUDIT", "AWAY")]
    assert set(tables.MEASURES) <= set(" ".join(ran).split())
    for measure in tables.MEASURES:
        assert (ROOT / "benchmarks" / f"{measure}.py").is_file()


@pytest.fixture
def made(tmp_path):
    """A function that calls make in a copy whose Python only writes down what it is asked."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$(basename "$1" .py) $*" >> "{tmp_path}/asked"\n')
    python.chmod(0o755)
    (tmp_path / ".venv" / ".installed").write_text(f"{tmp_path.resolve()}\n")
    kept = {n: v for n, v in os.environ.items() if n not in ("PYTHON", "ELSEWHERE", "MAKEFLAGS")}

    def made(*words):
        done = subprocess.run(
            ["make", *words], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False
        )
        asked = tmp_path / "asked"
        lines = [line.split() for line in asked.read_text().splitlines()] if asked.exists() else []
        return done, {name: rest for name, _, *rest in lines}

    return made


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@needs_make
def test_make_bench_asks_first_and_replaces_no_model(made):
    done, asked = made("bench", "DATASET=kaggle")
    assert done.returncode == 0, done.stderr
    assert [*asked] == ["sources_left_out", *tables.MEASURES, "tables"]
    both = ["--dataset", "kaggle+elsewhere"]
    assert asked["sources_left_out"] == asked["source_audit"] == both
    assert asked["ladder"] == ["--dataset", "kaggle"]
    assert asked["shipped"] == asked["yamnet_head"] == [*both, "--measure-only"]


@needs_make
def test_make_shipped_makes_the_models(made):
    _, asked = made("shipped", "DATASET=kaggle+elsewhere")
    assert [*asked] == ["sources_left_out", "shipped", "yamnet_head", "tables"]
    assert asked["shipped"] == asked["yamnet_head"] == ["--dataset", "kaggle+elsewhere"]


@needs_make
@pytest.mark.parametrize("dataset", ["kaggle+elsewhere", "elsewhere"])
def test_make_bench_refuses_elsewhere_twice_at_the_start(made, dataset):
    done, asked = made("bench", f"DATASET={dataset}")
    assert done.returncode and not asked
    assert "joins ELSEWHERE itself" in done.stderr


@pytest.mark.parametrize("program", ["shipped", "yamnet_head"])
def test_measuring_alone_leaves_the_shipped_model_as_it_is(program, tmp_path, monkeypatch):
    import shipped
    import sources_left_out
    import yamnet_head

    monkeypatch.setattr(out_of_fold, "RESULTS", tmp_path)
    before = {"agreement": 1e-7, "parameters": 3, "bytes": 5, "temperature": 2}
    (tmp_path / f"{program}.json").write_text(json.dumps(before))
    monkeypatch.setattr(sys, "argv", [program, "--dataset", "these", "--measure-only"])
    monkeypatch.setattr(
        shipped, "material", lambda options: shipped.Material(pd.DataFrame(), None, None, None)
    )
    monkeypatch.setattr(datasets, "classes", lambda clips: [])
    monkeypatch.setattr(sources_left_out, "load", lambda dataset: None)
    monkeypatch.setattr(yamnet_head.transfer, "yamnet", lambda source: "one")
    monkeypatch.setattr(
        yamnet_head.degraded_copies, "copies", lambda clips: [("as recorded", clips)]
    )
    monkeypatch.setattr(yamnet_head, "heard_by", lambda backbone, clips: {})
    found = {"temperature": 1.5, "other from": 0.3}
    monkeypatch.setattr(sources_left_out, "measured", lambda *_: dict(found))
    {"shipped": shipped, "yamnet_head": yamnet_head}[program].main()  # which trains nothing
    after = json.loads((tmp_path / f"{program}.json").read_text())
    assert after.pop("seconds") >= 0
    agreement = {"agreement": 1e-7} if program == "shipped" else {}
    assert after == found | agreement | {"parameters": 3, "bytes": 5}


def test_what_cannot_be_measured_with_sources_left_out_is_refused_at_the_start(monkeypatch):
    import sources_left_out

    label, source = np.tile(["cat", "dog", "other"], 4), np.repeat(["a", "b"], 6)
    clips = pd.DataFrame({"label": label, "source": source, "group": range(12), "licence": "CC0"})
    assert sources_left_out.refusal(clips) is None
    for odd, why in (
        (clips.assign(label=clips.label.replace("cat", "bird")), "there are bird, dog, other"),
        (clips[clips.label != "other"], "there are cat, dog: "),
        (clips.assign(licence="not stated: see where"), "state it in a column licence"),
        (clips.assign(source="a"), "from two sources"),
    ):
        assert why in sources_left_out.refusal(odd)
    with pytest.raises(SystemExit, match="no/such cannot be measured with"):
        sources_left_out.load("no/such")
    monkeypatch.setattr(datasets, "load", lambda *_, **__: clips.assign(label="owl"))
    with pytest.raises(SystemExit, match="there are owl"):
        sources_left_out.load("these")


def test_the_code_that_degrades_counts_for_what_is_kept_of_it(monkeypatch):
    import ablations
    import degraded_copies
    import shipped

    given = shipped.Material(None, None, None, None)
    learner = ablations.learner(given._replace(heard=1), {}, (), 1)

    def key():
        return cache.key(shipped.answers), cache.key(learner)

    before = key()
    assert key() == before
    monkeypatch.setattr(degraded_copies, "degraded", lambda clips, change, folder: clips)
    assert not set(key()) & set(before)


def test_the_tree_of_facts_learns_nothing_of_a_recording_that_it_is_asked_about(monkeypatch):
    import own_classes

    label = np.tile(["bark", "meow"], 6)
    clips = pd.DataFrame({"label": label, "source": np.repeat(list("abcdef"), 2)})
    clips["group"] = [0, 1, *range(2, 10), 0, 1]  # the last source has the first one's recordings
    facts, learnt = pd.DataFrame({"duration": range(12)}), []

    class Tree(own_classes.DecisionTreeClassifier):
        def fit(self, facts, label):
            learnt.append(set(facts.index))
            return super().fit(facts, label)

        def predict_proba(self, facts):
            asked = set(clips.group[facts.index])
            assert not asked & set(clips.group[list(learnt[-1])])
            return super().predict_proba(facts)

    monkeypatch.setattr(own_classes, "DecisionTreeClassifier", Tree)
    table = own_classes.by_facts(clips, facts, "source", 0)
    assert table.index.equals(clips.index) and len(learnt) == own_classes.FOLDS


def test_a_single_training_is_not_divided_by_folds(monkeypatch):
    import own_classes

    clips = pd.DataFrame({"label": ["bark", "other"], "group": [0, 1], "source": ["a", "b"]})
    clips = clips.assign(duration=1.0, sample_rate=8_000, channels=1, path="", kind="bark")
    seen = {}

    def measured(name, clips, seed, method, folds, **settings):
        seen[name] = folds
        return evaluation.table([[0.9, 0.1], [0.2, 0.8]], clips)

    monkeypatch.setattr(out_of_fold, "measured", measured)
    monkeypatch.setattr(audio, "load", lambda path: (np.zeros(9), 16_000))
    monkeypatch.setattr(own_classes, "none_of_these", lambda *_: {})
    monkeypatch.setattr(own_classes, "audited", lambda clips: {})
    monkeypatch.setattr(evaluation, "bootstrap_interval", lambda tables, group: (0, 1))
    own_classes.compare(clips, [1])
    assert seen.pop("the same, of made sounds alone") == 1
    assert set(seen.values()) == {own_classes.FOLDS} and len(seen) == 4


def test_the_page_under_load_is_asked_in_ten_rounds_each_way_and_the_table_says_so(
    tmp_path, monkeypatch
):
    def a_round(address, uploads):
        asked.append(address)
        return [("dog", "dog", 1.0)] * 25 + [("refused", "refused", 0.1)] * 25

    @contextlib.contextmanager
    def page(folder):
        yield "address", psutil.Process()

    asked = []
    monkeypatch.setattr(load, "sounds", lambda *_: range(50))
    monkeypatch.setattr(load, "page", page)
    monkeypatch.setattr(load, "a_round", a_round)
    monkeypatch.setattr(load, "beside_slow", lambda *given: (a_round(*given), True))
    monkeypatch.setattr(load, "SETTLE", 0)
    monkeypatch.delattr(load.os, "getloadavg", raising=False)  # as on Windows
    monkeypatch.setattr(psutil, "getloadavg", lambda: (1.0, 1.0, 1.0))
    monkeypatch.setattr(sys, "argv", ["load.py", "--out", str(tmp_path / "load.json")])
    load.main()
    assert len(asked) == 1 + 2 * 10
    found = json.loads((tmp_path / "load.json").read_text("utf-8"))
    found |= {"memory before (MB)": 400, "memory after (MB)": 406, "load": 7.0, "cores": 8}
    monkeypatch.setattr(tables, "results", lambda _: found)
    assert "Each line is 10 rounds. " in tables.load() and ": +6 MB per 1,000" in tables.load()
    assert "say little" not in tables.load()
    found["load"] = 9.0
    assert "the load was 9, so that the seconds say little" in tables.load()


def test_a_page_that_does_not_start_is_told_with_what_it_said(tmp_path):
    command = [sys.executable, "-c", "print('the port is taken')"]
    say = "the page does not start: the port is taken"
    with pytest.raises(RuntimeError, match=say), load.page(tmp_path, command):
        pass


def test_the_cards_counts_are_computed():
    """Outside of what tables.py writes, no number of clips, recordings or bytes stands typed."""
    text = (ROOT / "data" / "pretrained" / "README.md").read_text("utf-8")
    block = "<!-- measured .*?<!-- end -->"
    counts = re.compile(r"\d[\d,.]* (?:\w+ )?(?:clips|recordings|sounds|sources|numbers|[kM]B)\b")
    assert counts.search(text)
    assert counts.findall(re.sub(block, "", text, flags=re.DOTALL)) == []


def test_the_card_tells_the_recipe_that_is_trained():
    text = (ROOT / "data" / "pretrained" / "README.md").read_text("utf-8")
    for said, value, holds in (
        ("laid under six in ten", 0.6, recipes.HOLDS.background),
        ("three in twenty of the others", 0.15, recipes.HOLDS.made),
        ("of 1.5 s, one every", 1.5, windows.LENGTH / audio.SAMPLE_RATE),
        ("0.384 s (24 frames of 256 samples)", 24 * 256 / 16_000, windows.HOP / audio.SAMPLE_RATE),
    ):
        assert said in text and value == holds


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
