"""The runner that `make run` calls, on toy lessons that need none of the helpers."""

import json
import os
import re
import subprocess
import sys

import nbformat.v4 as nbf
import numpy as np
import pytest
import run_all
import soundfile
from lessons import ROOT
from nbformat import read, write

DISPLAY = """
from IPython.display import display
data = {"application/vnd.barks-meows.headline+json":
        {"name": "seed", "value": SEED, "text": f"{SEED} of {DATASET}"}}
display(data | {"text/plain": "seed"}, raw=True)
"""
PARAMETERS = 'DATASET = "auto"  # a name\nSEED = 0  # a whole number'


def toy(folder, name, *sources, parameters=PARAMETERS, kernel="python3"):
    cells = [nbf.new_markdown_cell("# Toy\n\n[Next](02_bad.ipynb)")]
    cells.append(nbf.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [nbf.new_code_cell(source) for source in sources]
    spec = {"name": kernel, "display_name": "Python 3", "language": "python"}
    write(nbf.new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / f"{name}.ipynb")


@pytest.fixture
def course(tmp_path):
    """Three lessons, of which the second fails."""
    folder = tmp_path / "the lessons"
    folder.mkdir()
    noise = "import os\nos.write(2, b'NOISE\\n')\nprint('words')"
    toy(folder, "01_good", noise, DISPLAY)
    toy(folder, "02_bad", "x = 1", "raise ValueError('no such\\nclip')", "print('never')")
    toy(
        folder,
        "03_more",
        "import os\nDATASET = os.environ['DATASET']",
        DISPLAY,
        "EPOCHS",
        parameters=PARAMETERS + "\nEPOCHS = 3  # passes",
        kernel="gone",
    )
    return folder


def call(course, *arguments, **env):
    """run_all.py as a program: (status, stdout, stderr, summary or None)."""
    output = course.parent / "runs"
    command = [sys.executable, str(ROOT / "tools" / "run_all.py"), *arguments]
    command += ["--notebooks", str(course), "--output", str(output)]
    env = {key: os.environ[key] for key in os.environ if key != "DATASET"} | env
    done = subprocess.run(
        command,
        cwd=course.parent,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    summary = output / "summary.json"
    facts = json.loads(summary.read_text("utf-8")) if summary.exists() else None
    return done.returncode, done.stdout, done.stderr, facts


def test_a_failing_lesson_is_told_and_the_others_run(course):
    status, out, err, facts = call(course)
    assert status == 1
    good, bad, more = facts["lessons"]
    assert good["headline"]["text"] == "0 of auto" and good["error"] is None
    assert more["headline"]["text"] == "0 of synthetic"
    assert bad["error"].splitlines()[0] == "cell [3] failed:" and "clip" in bad["error"]
    assert "02_bad: cell [3] failed:\n    ValueError: no such\n" in err
    assert "NOISE" not in err + out and "Traceback" not in err
    assert re.search(r"^01_good +[\d.]+  seed: 0 of auto$", out, re.MULTILINE)
    assert re.search(r"^02_bad +[\d.]+  FAILED: clip$", out, re.MULTILINE)
    assert "1 of 3 lessons failed" in out
    output = course.parent / "runs"
    cells = read(output / "02_bad.ipynb", as_version=4).cells
    assert any("ValueError" in str(cell.get("outputs")) for cell in cells)
    html = (output / "01_good.html").read_text("utf-8")
    assert 'href="02_bad.html"' in html and "words" in html
    assert not list(output.glob("*.part"))


def test_chosen_lessons_get_the_parameters_that_they_declare(course):
    for number in range(8):
        clip = course.parent / "my clips" / ("bird", "rain")[number % 2] / f"{number}.wav"
        clip.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 8000)
        soundfile.write(clip, noise, 16_000)
    file = course.parent / "values.yaml"
    file.write_text("SEED: 5\nEPOCHS: 7\n", encoding="utf-8")
    arguments = ["1", "03_more", "--parameters", str(file), "-p", "SEED", "6"]
    status, out, err, facts = call(course, *arguments, DATASET="my clips")
    assert status == 0, err
    assert [(lesson["lesson"], lesson["parameters"]) for lesson in facts["lessons"]] == [
        ("01_good", {"SEED": 6}),
        ("03_more", {"SEED": 6, "EPOCHS": 7}),
    ]
    assert "seed: 6 of auto" in out
    assert f"seed: 6 of {(course.parent / 'my clips').resolve()}" in out


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["-p", "SEEED", "1"], "unknown parameter SEEED: these lessons have DATASET, EPOCHS, SEED"),
        (["01", "-p", "EPOCHS", "1"], "unknown parameter EPOCHS: these lessons have DATASET, SEED"),
        (["09"], "no lesson '09': there are 01_good, 02_bad, 03_more"),
        (["-p", "SEED", "-1"], "SEED must be a whole number from 0 to 2,147,483,647, not -1"),
        (["--dataset", "no/such"], "'no/such' is no folder"),
        (["--parameters", "none.yaml"], "cannot read the parameters in none.yaml"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(course, capsys, arguments, say):
    output = course.parent / "runs"
    status = run_all.main([*arguments, "--notebooks", str(course), "--output", str(output)])
    assert status == 2
    assert say in capsys.readouterr().err
    assert not output.exists()


def test_a_relative_folder_of_recordings_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my clips").mkdir()
    (tmp_path / "kaggle").mkdir()
    assert run_all.absolute("my clips") == str((tmp_path / "my clips").resolve())
    assert run_all.absolute("notebooks") == str(ROOT / "notebooks")
    assert run_all.absolute("kaggle") == "kaggle"
    assert run_all.absolute("nowhere") == "nowhere"


def test_values_are_read_as_python_values():
    pairs = [("A", "1"), ("B", "1e-3"), ("C", "-2"), ("D", "True"), ("E", "kaggle"), ("F", "a b")]
    values = run_all.read_parameters(None, pairs)
    assert values == {"A": 1, "B": 0.001, "C": -2, "D": True, "E": "kaggle", "F": "a b"}


def test_a_user_s_own_kernel_named_python3_is_not_taken(course, tmp_path):
    home = tmp_path / "home"
    kernel = home / "share" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["no-such-program"], "display_name": "Mine", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    others = {
        "JUPYTER_DATA_DIR": str(home / "share"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "MPLBACKEND": "Agg",
    }
    others["JUPYTER_PATH"] = str(home / "share")
    status, _, err, _ = call(course, "01", **others)
    assert status == 0, err
