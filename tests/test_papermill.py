"""papermill as a reader calls it: from a folder of their own, with -p or with a YAML file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import nbformat
import pytest
import run_all
from lessons import ROOT

pytestmark = pytest.mark.notebook


@pytest.fixture
def here(tmp_path, synthetic):
    """A folder far from the course, and in it recordings."""
    here = tmp_path / "my work"
    source = Path(os.path.commonpath(list(synthetic.path)))
    shutil.copytree(source, here / "my clips")
    return here


def papermill(here, stem, *arguments):
    """The executed notebook, which papermill has left where it was called."""
    with mock.patch.dict(os.environ):
        run_all.use_this_python(here.parent / "kernel")
        env = os.environ | {"COURSE_RUNS": str(here.parent / "runs"), "PYTHONPATH": str(ROOT)}
    env.pop("PYTEST_CURRENT_TEST", None)
    lesson = os.path.relpath(ROOT / "notebooks" / f"{stem}.ipynb", here)
    done = subprocess.run(
        [sys.executable, "-m", "papermill", lesson, "out.ipynb", *arguments, "--no-progress-bar"],
        cwd=here,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(here / "out.ipynb", as_version=4)


def check(notebook, parameters):
    injected = [c for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    (cell,) = injected
    assert dict(re.findall(r"^(\w+) = (.+)$", cell.source, re.MULTILINE)) == {
        name: f'"{value}"' if isinstance(value, str) else str(value)
        for name, value in parameters.items()
    }
    said = "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", []))
    assert re.findall(r"^Dataset: (.+?), 277 clips", said, re.MULTILINE) == ["my clips"]
    assert run_all.find_headline(notebook)


def test_parameters_on_the_command_line(here):
    parameters = {"EPOCHS": 1, "DATASET": "my clips"}
    given = [text for name, value in parameters.items() for text in ("-p", name, str(value))]
    check(papermill(here, "00_start_here", *given), parameters)


def test_parameters_from_a_yaml_file_and_the_command_line_wins(here):
    (here / "values.yaml").write_text("SEED: 3\nDATASET: my clips\n", encoding="utf-8")
    notebook = papermill(here, "01_waveforms", "-f", "values.yaml", "-p", "SEED", "4")
    check(notebook, {"SEED": 4, "DATASET": "my clips"})
