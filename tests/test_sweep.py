"""`make sweep`, on a tiny lesson: what it runs, what it keeps, what it does not run again."""

import json
import re

import matplotlib.pyplot as plt
import nbformat
import nbformat.v4 as nbf
import pandas as pd
import pytest
import run_all
import sweep
from test_run_all import DISPLAY, PARAMETERS, toy

from helpers.headline import MIME

RATES = ["-p", "SEED", "0,1,2", "-p", "LEARNING_RATE", "0.1,0.01"]
DECLARED = PARAMETERS + "\nLEARNING_RATE = 0.5  # above 0"
FAILS = "if SEED == 1 and LEARNING_RATE == 0.1:\n    raise ValueError('no such\\nclip')"


class Ran:
    """Parameters of the runs, in order; which of them is interrupted; the headlines of each."""

    def __init__(self):
        self.calls, self.stop, self.headlines = [], None, ["score"]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Lesson 04, which fails with one of six combinations; the environment is put back."""
    for name in ("JUPYTER_PATH", "IPYTHONDIR", "PYDEVD_DISABLE_FILE_VALIDATION", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATASET", "synthetic")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    toy(tmp_path, "04_toy", FAILS, DISPLAY, "LEARNING_RATE", parameters=DECLARED)
    return tmp_path


@pytest.fixture
def ran(monkeypatch):
    """What would be run, in place of running it: the parameters of each; `stop` interrupts one."""
    ran = Ran()

    def execute(lesson, values, folder, step):
        ran.calls.append(values)
        if len(ran.calls) == ran.stop:
            (folder / lesson.name).write_text("half", encoding="utf-8")
            raise KeyboardInterrupt
        failed = values == {"SEED": 1, "LEARNING_RATE": 0.1}
        value = values["SEED"] + values.get("LEARNING_RATE", 0)
        found = [
            {"name": name, "value": value + i, "text": f"{name} {value + i}"}
            for i, name in enumerate(ran.headlines)
        ]
        outputs = [nbf.new_output("display_data", {MIME: headline}) for headline in found]
        cell = nbf.new_code_cell(outputs=[] if failed else outputs)
        nbformat.write(nbf.new_notebook(cells=[cell]), folder / lesson.name)
        return {
            "lesson": lesson.stem,
            "seconds": 1.0,
            "parameters": values,
            "notebook": lesson.name,
            "error": "cell [3] failed:\n    ValueError: clip" if failed else None,
        }

    monkeypatch.setattr(run_all, "execute", execute)
    monkeypatch.setattr(run_all, "check_recordings", lambda source: None)
    return ran


def call(course, *arguments):
    arguments = [
        *arguments,
        "-j",
        "1",
        "--notebooks",
        str(course),
        "--output",
        str(course / "runs"),
    ]
    return sweep.main(arguments)


def folders(course):
    return {
        tuple(json.loads(path.read_text("utf-8"))["parameters"].values()): path.parent
        for path in (course / "runs" / "sweep" / "04_toy").glob("*/metrics.json")
    }


def test_runs_are_kept_with_their_metrics_and_end_in_a_table_and_a_figure(course, capfd):
    """With kernels: two runs, one of which fails."""
    status = call(course, "04", "-p", "SEED", "0,1", "-p", "LEARNING_RATE", "0.1")
    said, err = capfd.readouterr()
    assert status == 1
    assert "04_toy: 2 runs, of which 0 are finished" in said
    assert "SEED 1, LEARNING_RATE 0.1: cell [3] failed:" in err
    assert re.search(r"FAILED: cell \[3\] failed: ValueError: no such clip$", said, re.MULTILINE)
    table = pd.read_csv(course / "runs" / "sweep" / "04_toy" / "sweep.csv")
    assert list(zip(table.SEED, table.text.fillna("failed"))) == [(0, "0 of auto"), (1, "failed")]
    for (seed, rate), folder in folders(course).items():
        notebook = nbformat.read(folder / "04_toy.ipynb", as_version=4)
        assert any(f"SEED = {seed}\nLEARNING_RATE = {rate}" in c.source for c in notebook.cells)
        assert (folder / "04_toy.html").exists()
    assert set(folders(course)) == {(0, 0.1), (1, 0.1)}


def test_the_table_has_means_over_the_seeds_and_the_figure_shows_every_run(course, ran, capsys):
    call(course, *RATES)
    said = capsys.readouterr().out
    assert "\nscore, mean (lowest to highest):\n" in said
    assert "LEARNING_RATE 0.1: 1.100 (0.100 to 2.100), 2 runs" in said
    assert "\n1 failed; the same command tries them again\n" in said
    assert "LEARNING_RATE 0.01: 1.010 (0.010 to 2.010), 3 runs" in said
    output = course / "runs" / "sweep" / "04_toy"
    table = pd.read_csv(output / "sweep.csv")
    picture = plt.imread(output / "sweep.png")
    assert picture.shape[1] == 960 and picture[..., :3].std() > 0.05
    figure = sweep.draw(table, ["SEED", "LEARNING_RATE"], output / "again.png")
    dots = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [list(values) for values in dots] == [[0.1, 2.1], [0.01, 1.01, 2.01]]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [
        "LEARNING_RATE 0.1",
        "LEARNING_RATE 0.01",
    ]


def test_each_of_several_headlines_has_its_own_line(course, ran, capsys):
    ran.headlines = ["MFCC", "chroma"]
    assert call(course, "-p", "SEED", "0,2") == 0
    said = capsys.readouterr().out
    assert "  MFCC: 1.000 (0.000 to 2.000), 2 runs" in said
    assert "  chroma: 2.000 (1.000 to 3.000), 2 runs" in said
    table = pd.read_csv(course / "runs" / "sweep" / "04_toy" / "sweep.csv")
    assert list(table.headline) == ["MFCC", "chroma"] * 2


def test_what_is_finished_is_not_run_again(course, ran, capsys):
    assert call(course, *RATES) == 1
    assert len(ran.calls) == 6
    ran.calls.clear()
    assert call(course, *RATES) == 1
    assert ran.calls == [{"SEED": 1, "LEARNING_RATE": 0.1}]  # the one that failed
    assert "6 runs, of which 5 are finished" in capsys.readouterr().out
    ran.calls.clear()
    assert call(course, *RATES, "-p", "SEED", "0,3") == 0  # the later values win
    assert [call["SEED"] for call in ran.calls] == [3, 3]
    assert len(pd.read_csv(course / "runs" / "sweep" / "04_toy" / "sweep.csv")) == 4


def test_an_interrupted_sweep_goes_on_and_a_half_written_run_does_not_count(course, ran, capsys):
    ran.stop = 4
    assert call(course, *RATES, "-j", "1") == 130  # in order: else a fifth may have begun
    said, err = capsys.readouterr()
    assert "Interrupted" in err
    assert len(folders(course)) == 3 and "score 0.1" in said
    (half,) = course.glob("runs/sweep/04_toy/SEED-1_LEARNING_RATE-0.01_*/04_toy.ipynb")
    assert half.read_text("utf-8") == "half"
    ran.stop = None
    ran.calls.clear()
    call(course, *RATES)
    left = [(1, 0.1), (1, 0.01), (2, 0.1), (2, 0.01)]
    assert [tuple(call.values()) for call in ran.calls] == left
    assert half.read_text("utf-8") != "half"


@pytest.mark.parametrize("broken", ["metrics.json", "04_toy.ipynb", "{", "[]"])
def test_a_run_that_lost_a_file_is_run_again(course, ran, broken):
    call(course, "-p", "SEED", "0,2")
    lost = folders(course)[(2,)]
    if broken.endswith(("json", "ipynb")):
        (lost / broken).unlink()
    else:
        (lost / "metrics.json").write_text(broken, encoding="utf-8")
    ran.calls.clear()
    assert call(course, "-p", "SEED", "0,2") == 0
    assert ran.calls == [{"SEED": 2}]


def test_other_code_or_recordings_are_run_anew(course, ran):
    call(course, "-p", "SEED", "0,2")
    ran.calls.clear()
    toy(course, "04_toy", "x = 1", DISPLAY, parameters=DECLARED)
    call(course, "-p", "SEED", "0,2")
    assert len(ran.calls) == 2
    ran.calls.clear()
    assert call(course, "-p", "SEED", "0,2", "--dataset", str(course)) == 0
    assert len(ran.calls) == 2


def test_recordings_that_were_changed_are_run_anew(course, ran, monkeypatch):
    prints = {"a": "1", "b": "2"}
    monkeypatch.setattr(run_all, "check_recordings", lambda source: prints[source])
    asked = ("-p", "SEED", "0", "-p", "DATASET", "a,b")
    assert call(course, *asked) == 0 and len(ran.calls) == 2
    ran.calls.clear()
    assert call(course, *asked) == 0 and ran.calls == []
    prints["b"] = "3"
    assert call(course, *asked) == 0
    assert [values["DATASET"] for values in ran.calls] == ["b"]


def test_a_grid_from_a_file_and_the_default_one(course, ran):
    file = course / "grid.yaml"
    file.write_text("SEED: [0, 4]\nLEARNING_RATE: 0.2\n", encoding="utf-8")
    assert call(course, "04", "--grid", str(file)) == 0
    assert [tuple(call.values()) for call in ran.calls] == [(0, 0.2), (4, 0.2)]
    ran.calls.clear()
    call(course)
    assert ran.calls == [
        {"SEED": seed, "LEARNING_RATE": rate} for seed in (0, 1, 2) for rate in (0.001, 0.0003)
    ]
    assert sweep.read_grid(None, [], ["DATASET", "SEED"]) == {"SEED": [0, 1, 2]}


def handed_in(path, *, seed=0, value=None, verdicts=(), failed=False):
    """A learner's executed lesson: with its headline, and a check per verdict."""
    cells = [nbf.new_code_cell(f"SEED = {seed}  # any", metadata={"tags": ["parameters"]})]
    for number, verdict in enumerate(verdicts, 1):
        said = nbf.new_output("stream", text=f"\x1b[1;32m{verdict}.\x1b[0m Well done.\n")
        cells.append(nbf.new_code_cell(f'exercises.check("04.{number}", a)', outputs=[said]))
    if failed:
        error = nbf.new_output("error", ename="NameError", evalue="no b", traceback=[])
        cells.append(nbf.new_code_cell("b", outputs=[error]))
    if value is not None:
        data = {MIME: {"name": "test accuracy", "value": value, "text": f"{value:.0%}"}}
        cells.append(nbf.new_code_cell(outputs=[nbf.new_output("display_data", data)]))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbf.new_notebook(cells=cells), path)


def test_a_class_is_collected_into_one_table_and_nothing_is_run(tmp_path, ran, capsys):
    verdicts = ["✓ Right", "✗ Not quite", "✓ Right", "○ Not yet"]
    handed_in(tmp_path / "ada" / "04.ipynb", seed=3, value=0.8, verdicts=verdicts)
    handed_in(tmp_path / "bob.ipynb", seed=4, value=0.6, verdicts=["✓ Right"])
    handed_in(tmp_path / "cy.ipynb", seed=5, failed=True)
    handed_in(tmp_path / ".ipynb_checkpoints" / "bob.ipynb", value=0.1)
    (tmp_path / "dan.ipynb").write_text("{", encoding="utf-8")
    assert sweep.main(["--collect", str(tmp_path)]) == 0 and ran.calls == []
    assert "4 notebooks: class.csv is in" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "class.csv").set_index("file")
    assert list(table.index) == ["ada/04.ipynb", "bob.ipynb", "cy.ipynb", "dan.ipynb"]
    assert list(table.value.dropna()) == [0.8, 0.6] and list(table.SEED.dropna()) == [3, 4, 5]
    assert list(table.solved.dropna()) == [2, 1, 0] and list(table.exercises[:2]) == [4, 1]
    assert table.error["cy.ipynb"] == "NameError: no b"
    assert table.error["dan.ipynb"].startswith("not readable")
    assert (tmp_path / "class.png").is_file()


def test_a_headline_that_is_no_number_is_a_row_without_a_value(tmp_path):
    handed_in(tmp_path / "ada.ipynb", value=0.8)
    handed_in(tmp_path / "bob.ipynb", value=0.7)
    odd = nbformat.read(tmp_path / "bob.ipynb", as_version=4)
    odd.cells[-1].outputs[0].data[MIME] |= {"value": "quite good", "text": "I liked it"}
    nbformat.write(odd, tmp_path / "bob.ipynb")
    assert sweep.main(["--collect", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / "class.csv").set_index("file")
    assert table.value["ada.ipynb"] == 0.8 and pd.isna(table.value["bob.ipynb"])
    assert table.text["bob.ipynb"] == "I liked it" and (tmp_path / "class.png").is_file()


def test_a_folder_without_notebooks_is_refused(tmp_path, capsys):
    assert sweep.main(["--collect", str(tmp_path)]) == 2
    assert "no notebooks in" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_values_are_read_as_python_values(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    pairs = [("A", "1,2"), ("B", "1e-3"), ("DATASET", "synthetic, a b")]
    grid = sweep.read_grid(None, pairs, [])
    assert grid == {"A": [1, 2], "B": [0.001], "DATASET": ["synthetic", str(tmp_path / "a b")]}


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["-p", "SEEED", "1"], "unknown parameter SEEED: these lessons have DATASET, LEARNING"),
        (["-p", "SEED", "0,-1"], "SEED must be a whole number from 0 to 2,147,483,647, not -1"),
        (["-p", "DATASET", "synthetic,no/such"], "'no/such' is no folder"),
        (["--grid", "none.yaml"], "cannot read the parameters in none.yaml"),
        (["09"], "no lesson '09': there are 04_toy"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(course, capsys, arguments, say):
    assert call(course, *arguments) == 2
    assert say in capsys.readouterr().err
    assert not (course / "runs").exists()
